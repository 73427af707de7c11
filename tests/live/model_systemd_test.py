#!/usr/bin/python3
"""The units of the model server and its client: what systemd-analyze says of them, and how the
client fares under a real systemd.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  MODEL_CLIENT       that of the client, beside it
  SOURCE_DIR         the top of the repository
  CACHE_DIR          where the container's root is kept between runs
"""

import os
import re
import time
import unittest
from pathlib import Path

from booted_service import BootedService, verify
from container import output_of

CLIENT = Path(os.environ["MODEL_CLIENT"]).resolve()
SYSTEMD = Path(os.environ["SOURCE_DIR"]) / "systemd"
URL = "http://127.0.0.1:8000/metrics"


def exposure_is_at_most(tenths, unit):
    output_of("systemd-analyze", "security", "--offline=true", f"--threshold={tenths}", unit)


class UnitFileTest(unittest.TestCase):
    def test_verify_has_nothing_to_say_of_the_client(self):
        self.assertEqual(verify(SYSTEMD / "model_client.service", binary=CLIENT), (0, ""))

    def test_exposure_of_the_client_is_at_most_1_6(self):
        exposure_is_at_most(16, SYSTEMD / "model_client.service")


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
