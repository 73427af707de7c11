#!/usr/bin/python3
"""The systemd unit: what systemd-analyze says of it, and how it fares under a real systemd.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  SOURCE_DIR         the top of the repository
  CACHE_DIR          where the container's root is kept between runs
"""

import os
import re
import tempfile
import time
import unittest
from pathlib import Path

from container import Container, debian_root, output_of, reason_to_skip, run
from exporter_process import wait_for

BINARY = Path(os.environ["RESOURCE_EXPORTER"]).resolve()
SYSTEMD = Path(os.environ["SOURCE_DIR"]) / "systemd"
UNIT = SYSTEMD / "resource_exporter.service"
CACHE = Path(os.environ["CACHE_DIR"])
URL = "http://127.0.0.1:8888/metrics"


class UnitFileTest(unittest.TestCase):
    def test_verify_has_nothing_to_say(self):
        # A key that systemd does not know gives a line on stderr, but exit code 0.
        with tempfile.TemporaryDirectory() as directory:
            unit = Path(directory) / UNIT.name
            unit.write_text(UNIT.read_text().replace("/usr/bin/resource_exporter", str(BINARY)))
            done = run("systemd-analyze", "verify", unit)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_exposure_is_at_most_2(self):
        output_of("systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT)


CAP_PERFMON, CAP_BPF = 1 << 38, 1 << 39


class BootedUnitTest(unittest.TestCase):
    SERVICE = "resource_exporter"

    @classmethod
    def setUpClass(cls):
        if reason := reason_to_skip():
            raise unittest.SkipTest(reason)
        stage = tempfile.TemporaryDirectory()
        cls.addClassCleanup(stage.cleanup)
        install = ("cmake", "--install", BINARY.parent, "--prefix", "/usr")
        output_of("env", f"DESTDIR={stage.name}", *install)
        files = {
            file: f"/{file.relative_to(stage.name)}"
            for file in Path(stage.name).rglob("*")
            if file.is_file()
        }
        cls.container = Container(debian_root(CACHE, BINARY), files)
        cls.addClassCleanup(cls.container.stop)
        cls.container.boot()
        cls.systemctl("enable", cls.SERVICE)

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

    @classmethod
    def systemctl(cls, *arguments):
        return cls.container.run("systemctl", "--quiet", *arguments)

    def show(self, name):
        """A property of the service; a number as int."""
        value = self.systemctl("show", "--value", f"--property={name}", self.SERVICE).strip()
        return int(value) if value.isdigit() else value

    def signal(self, name):
        self.systemctl("kill", "--kill-who=main", f"--signal={name}", self.SERVICE)

    def is_replaced(self, pid):
        return self.show("ActiveState") == "active" and self.show("MainPID") not in (0, pid)

    def wait_for(self, what, condition):
        def journal():
            return self.container.run("journalctl", "--no-pager", "--lines=40")

        return wait_for(what, condition, 15.0, journal)

    def wait_for_page(self):
        return self.wait_for("a page", lambda: self.container.get(URL))

    def write(self, path, text):
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.container.run("sh", "-c", script, "sh", path, text)

    def restart_with(self, path, text):
        """Restarts the daemon with a file that is there until the end of the test."""

        def remove():
            self.container.run("rm", path)
            self.systemctl("daemon-reload")

        self.write(path, text)
        self.addCleanup(remove)
        self.systemctl("daemon-reload")
        self.systemctl("restart", self.SERVICE)

    def set_watchdog(self, seconds):
        drop_in = f"/run/systemd/system/{self.SERVICE}.service.d/test.conf"
        self.restart_with(drop_in, f"[Service]\nWatchdogSec={seconds}s\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
