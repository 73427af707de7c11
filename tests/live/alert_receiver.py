"""Whom Alertmanager tells in the live tests: every receiver of a configuration, as a webhook."""

import json
from typing import NamedTuple

from local_server import Handler, LocalServer


class Told(NamedTuple):
    receiver: str
    status: str  # firing or resolved
    alert: str


class AlertReceiver(LocalServer):
    """Keeps what it is told; a context manager."""

    def __init__(self):
        super().__init__(_Handler)
        self.told = set()

    def instead_of_all(self, configuration):
        """alertmanager.yml, whose receivers keep their names and become this one."""
        webhook = {"url": f"{self.url}/", "send_resolved": True}
        receivers = [
            {"name": receiver["name"], "webhook_configs": [webhook]}
            for receiver in configuration["receivers"]
        ]
        return {**configuration, "receivers": receivers}


class _Handler(Handler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in message["alerts"]:
            name = alert["labels"]["alertname"]
            self.server.told.add(Told(message["receiver"], alert["status"], name))
        self.send_response(200)
        self.end_headers()
