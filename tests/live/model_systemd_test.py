#!/usr/bin/python3
"""The units of the model server and its client: what systemd-analyze says of them, how the client
fares under a real systemd, and that the server needs no network but the port that it is given. The
server under a real systemd is in model_server_systemd_test.py.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  MODEL_CLIENT       that of the client, beside it
  MODEL_SERVER       that of the model server, where it is built
  SOURCE_DIR         the top of the repository
  CACHE_DIR          where the container's root is kept between runs
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

from booted_service import BootedService, verify
from container import output_of
from exporter_process import wait_for
from model_server_process import FORM, MODELS, form

CLIENT = Path(os.environ["MODEL_CLIENT"]).resolve()
SERVER = Path(os.environ["MODEL_SERVER"]).resolve()
needs_server = unittest.skipUnless(os.access(SERVER, os.X_OK), "the model server is not built")
SYSTEMD = Path(os.environ["SOURCE_DIR"]) / "systemd"
URL = "http://127.0.0.1:8000/metrics"


def exposure_is_at_most(tenths, unit):
    output_of("systemd-analyze", "security", "--offline=true", f"--threshold={tenths}", unit)


class UnitFileTest(unittest.TestCase):
    def test_verify_has_nothing_to_say_of_the_client(self):
        self.assertEqual(verify(SYSTEMD / "model_client.service", binary=CLIENT), (0, ""))

    def test_exposure_of_the_client_is_at_most_1_6(self):
        exposure_is_at_most(16, SYSTEMD / "model_client.service")

    @needs_server
    def test_verify_has_nothing_to_say_of_the_server(self):
        units = [SYSTEMD / "model_server.service", SYSTEMD / "model_server.socket"]
        self.assertEqual(verify(*units, binary=SERVER), (0, ""))

    def test_exposure_of_the_server_is_at_most_0_6(self):
        exposure_is_at_most(6, SYSTEMD / "model_server.service")


@needs_server
class GivenPortTest(unittest.TestCase):
    """The server as its unit starts it: on a socket that is open, in a network that has nothing."""

    def setUp(self):
        # Both take the process over instead of starting another, so LISTEN_PID is right.
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.port = listener.getsockname()[1]
        script = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listener.fileno()}'
        network = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        if subprocess.run([*network, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("this user may not make a network namespace")
        self.process = subprocess.Popen(
            [*network, "bash", "-c", script, "bash", SERVER, f"--model={MODELS}/bts",
             "--web.systemd-socket"],
            pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def test_server_predicts_and_can_reach_nobody(self):
        # The first request waits in the socket until the server is there.
        self.assertEqual(self.ask("GET", "/health"), (200, b"live"))
        status, body = self.ask("POST", "/prediction", form([[[0.1] * 6]]), {"Content-Type": FORM})
        self.assertEqual(status, 200, body)
        devices = Path(f"/proc/{self.process.pid}/net/dev").read_text().splitlines()[2:]
        self.assertEqual([line.split(":")[0].strip() for line in devices], ["lo"])

    def test_stop_leaves_the_port_to_systemd(self):
        self.assertEqual(self.ask("GET", "/health"), (200, b"live"))
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(wait_for("its end", lambda: self.process.poll() is not None), True)
        self.assertEqual(self.process.returncode, 0)
        # The next client is not refused: it waits for the next server.
        socket.create_connection(("127.0.0.1", self.port), timeout=5).close()

    def test_without_a_socket_it_says_so(self):
        done = subprocess.run([SERVER, f"--model={MODELS}/bts", "--web.systemd-socket"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--web.systemd-socket", done.stderr.splitlines()[-1])


class BootedClientTest(BootedService):
    SERVICE = "model_client"

    def setUp(self):
        self.systemctl("restart", self.SERVICE)

    def test_client_without_a_server_counts_that(self):
        unreachable = r'(?m)^model_client_failures_total\{reason="unreachable"\} [1-9]'
        self.wait_for("a failure", lambda: re.search(unreachable, self.page()))
        self.assertEqual(self.show("NRestarts"), 0)

    def test_client_is_nobody_and_may_do_nothing(self):
        text = self.container.run("cat", f"/proc/{self.show('MainPID')}/status")
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for uid in status["Uid"].split():
            self.assertIn(int(uid), range(61184, 65520))  # systemd's range for dynamic users.
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_flags_come_from_etc_default(self):
        flags = "--rate=2 --web.listen-address=127.0.0.1:8000"
        self.restart_with("/etc/default/model_client", f'ARGS="{flags}"\n')
        command = self.container.run("cat", f"/proc/{self.show('MainPID')}/cmdline")
        self.assertEqual(command.rstrip("\0").split("\0")[1:], flags.split())
        self.page()

    def test_killed_client_comes_back(self):
        self.page()
        pid = self.show("MainPID")
        self.signal("KILL")
        self.wait_for("another process is active", lambda: self.is_replaced(pid))
        self.page()

    def test_stop_is_quick_and_clean(self):
        self.page()
        begin = time.monotonic()
        self.systemctl("stop", self.SERVICE)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual((self.show("ActiveState"), self.show("Result")), ("inactive", "success"))

    def page(self):
        return self.wait_for("a page", lambda: self.container.get(URL))


if __name__ == "__main__":
    unittest.main()
