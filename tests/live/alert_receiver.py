"""Whom Alertmanager tells in the live tests: every receiver of a configuration, as a webhook."""

import http.server
import json
import threading
from typing import NamedTuple


class Told(NamedTuple):
    receiver: str
    status: str  # firing or resolved
    alert: str


class AlertReceiver(http.server.ThreadingHTTPServer):
    """Keeps what it is told; a context manager."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told = set()
        self._thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def instead_of_all(self, configuration):
        """alertmanager.yml, whose receivers keep their names and become this one."""
        webhook = {"url": f"http://127.0.0.1:{self.server_port}/", "send_resolved": True}
        receivers = [
            {"name": receiver["name"], "webhook_configs": [webhook]}
            for receiver in configuration["receivers"]
        ]
        return {**configuration, "receivers": receivers}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in message["alerts"]:
            name = alert["labels"]["alertname"]
            self.server.told.add(Told(message["receiver"], alert["status"], name))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass
