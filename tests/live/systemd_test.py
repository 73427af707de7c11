#!/usr/bin/python3
"""The systemd unit: what systemd-analyze says of it, and how it fares under a real systemd.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
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

BINARY = Path(os.environ["RESOURCE_EXPORTER"]).resolve()
SYSTEMD = Path(os.environ["SOURCE_DIR"]) / "systemd"
UNIT = SYSTEMD / "resource_exporter.service"
URL = "http://127.0.0.1:8888/metrics"


class UnitFileTest(unittest.TestCase):
    def test_verify_has_nothing_to_say(self):
        self.assertEqual(verify(UNIT, binary=BINARY), (0, ""))

    def test_exposure_is_at_most_2(self):
        output_of("systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT)


CAP_PERFMON, CAP_BPF = 1 << 38, 1 << 39


class BootedUnitTest(BootedService):
    SERVICE = "resource_exporter"

    def setUp(self):
        self.systemctl("restart", self.SERVICE)  # Returns when the daemon has said READY=1.

    def test_page_shows_the_host_and_the_processes_of_all_users(self):
        page = self.wait_for_page()
        self.assertRegex(page, r'(?m)^node_cpu_seconds_total\{cpu="0",mode="idle"\} \d')
        for group in ("systemd", "systemd-journal", "dbus-daemon"):
            family = "namedprocess_namegroup_num_procs"
            self.assertRegex(page, rf'(?m)^{family}\{{groupname="{group}"\}} [1-9]')

    def test_daemon_is_nobody_and_may_do_nothing(self):
        text = self.container.run("cat", f"/proc/{self.show('MainPID')}/status")
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for uid in status["Uid"].split():
            self.assertIn(int(uid), range(61184, 65520))  # systemd's range for dynamic users.
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)
        # It started with these two, and no way leads back to them.
        self.assertEqual(int(status["CapBnd"], 16) & ~(CAP_PERFMON | CAP_BPF), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_flags_come_from_etc_default(self):
        example = (SYSTEMD / "resource_exporter.default").read_text()
        flags = re.search(r'^#ARGS="(.+)"$', example, re.MULTILINE)[1]
        self.restart_with("/etc/default/resource_exporter", example.replace("#ARGS", "ARGS"))
        command = self.container.run("cat", f"/proc/{self.show('MainPID')}/cmdline")
        self.assertEqual(command.rstrip("\0").split("\0")[1:], flags.split())
        self.wait_for_page()

    def test_reload_reads_the_groups_anew(self):
        groups = "/etc/resource_exporter_groups.yml"
        self.write(groups, "process_names: [{name: before, comm: [systemd]}]\n")
        self.restart_with("/etc/default/resource_exporter",
                          f'ARGS="--collector.process.config={groups}"\n')
        self.assertIn('groupname="before"', self.wait_for_page())
        pid = self.show("MainPID")
        self.write(groups, "process_names: [{name: after, comm: [systemd]}]\n")
        self.systemctl("reload", self.SERVICE)
        self.wait_for("the new group", lambda: 'groupname="after"' in self.wait_for_page())
        self.assertEqual((self.show("ActiveState"), self.show("MainPID")), ("active", pid))

    def test_killed_daemon_comes_back(self):
        pid = self.show("MainPID")
        self.signal("KILL")
        self.wait_for("another process is active", lambda: self.is_replaced(pid))
        self.wait_for_page()

    def test_daemon_feeds_its_watchdog(self):
        self.set_watchdog(2)
        pid = self.show("MainPID")
        first = self.show("WatchdogTimestampMonotonic")

        def is_fed_over_three_periods():
            self.assertEqual((self.show("ActiveState"), self.show("MainPID")), ("active", pid))
            return self.show("WatchdogTimestampMonotonic") - first > 3 * 2_000_000

        self.wait_for("pings over three periods of the watchdog", is_fed_over_three_periods)
        self.assertEqual(self.show("NRestarts"), 0)

    def test_watchdog_replaces_a_daemon_that_hangs(self):
        self.set_watchdog(2)
        pid = self.show("MainPID")
        self.signal("STOP")
        self.wait_for("another process is active", lambda: self.is_replaced(pid))
        self.wait_for_page()

    def test_stop_is_quick_and_clean(self):
        begin = time.monotonic()
        self.systemctl("stop", self.SERVICE)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual((self.show("ActiveState"), self.show("Result")), ("inactive", "success"))

    def wait_for_page(self):
        return self.wait_for("a page", lambda: self.container.get(URL))

    def set_watchdog(self, seconds):
        drop_in = f"/run/systemd/system/{self.SERVICE}.service.d/test.conf"
        self.restart_with(drop_in, f"[Service]\nWatchdogSec={seconds}s\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
