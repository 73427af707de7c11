#!/usr/bin/python3
"""Groups by rules: what SIGHUP makes of a changed file, and what an exec makes of a process."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from exporter_process import ExporterProcess, wait_for
from exposition import parse, value_of

ONLY_PROCESSES = ("--collector.disable-defaults", "--collector.process")
CPU_SECONDS = "namedprocess_namegroup_cpu_seconds_total"
RELOADS_UNDER_SCRAPES = 100
POLL_SECONDS = 15.0
# Of the same comm as this test's own Python, and of one word that rules can find.
BURN_AND_WAIT = "import sys, time\nwhile time.process_time() < 0.05: pass\nsys.stdin.read(1)\n"
THEN_BECOME = "import os, sys\nos.execv(sys.executable, [sys.executable, sys.argv[2]])\n"


def rules(*names):
    """A file that names the processes whose command lines hold a word after it."""
    entries = "".join(f"- name: {name}\n  cmdline: ['{word}']\n" for name, word in names)
    return "process_names:\n" + entries


class ReloadTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config = self.directory / "groups.yml"
        self.word = f"tagged-{os.getpid()}"

    def start(self, *flags):
        return self.enterContext(ExporterProcess([
            *ONLY_PROCESSES, f"--collector.process.config={self.config}", *flags]))

    def start_process(self, *arguments):
        process = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        return process

    def tagged_process(self):
        """One that has used some CPU time and then sleeps."""
        return self.start_process("-c", BURN_AND_WAIT, self.word)

    def families(self, exporter):
        status, headers, body = exporter.get()
        self.assertEqual(status, 200)
        return parse(body, headers["Content-Type"])

    def members(self, families):
        """Number of processes by group."""
        family = families.get("namedprocess_namegroup_num_procs")
        samples = family.samples.items() if family else ()
        return {dict(series.labels)["groupname"]: value for series, value in samples}

    def wait_for_members(self, exporter, expected):
        def are_there():
            families = self.families(exporter)
            return families if self.members(families) == expected else None

        def details():
            return f"{self.members(self.families(exporter))}\n{exporter.log()}"

        return wait_for(f"{expected}", are_there, POLL_SECONDS, details, pause=0.05)

    def reload(self, exporter):
        """SIGHUP; returns what it logged."""
        logged = len(exporter.log())
        os.kill(exporter.pid, signal.SIGHUP)
        return wait_for("a line on the reload", lambda: re.search(
            "^.*(reload|SIGHUP).*$", exporter.log()[logged:], re.MULTILINE), POLL_SECONDS)[0]

    def last_reload(self, exporter):
        """(successful, timestamp of the last success)"""
        families = self.families(exporter)
        name = "resource_exporter_config_last_reload_success"
        return value_of(families, f"{name}ful"), value_of(families, f"{name}_timestamp_seconds")

    def test_a_good_file_replaces_the_old(self):
        self.config.write_text(rules(("old", self.word)))
        begin = time.time()
        exporter = self.start()
        self.assertEqual(self.last_reload(exporter)[0], 1)
        process = self.tagged_process()
        stat = Path(f"/proc/{process.pid}/stat")
        wait_for("its sleep", lambda: ") S " in stat.read_text())
        families = self.wait_for_members(exporter, {"old": 1})
        used = value_of(families, CPU_SECONDS, groupname="old", mode="user")
        first_read = self.last_reload(exporter)[1]
        self.assertGreaterEqual(first_read, begin - 1)
        self.config.write_text(rules(("new", self.word)))
        self.assertIn("level=info", self.reload(exporter))
        families = self.wait_for_members(exporter, {"old": 0, "new": 1})
        self.assertEqual(value_of(families, CPU_SECONDS, groupname="old", mode="user"), used)
        self.assertLess(value_of(families, CPU_SECONDS, groupname="new", mode="user"), 0.02)
        self.assertEqual(value_of(families, "host_process_started_total", groupname="new"), 0)
        successful, read = self.last_reload(exporter)
        self.assertEqual(successful, 1)
        self.assertGreater(read, first_read)

    def test_a_bad_file_is_one_line_and_the_old_one_stays(self):
        self.config.write_text(rules(("good", self.word)))
        exporter = self.start()
        self.tagged_process()
        self.wait_for_members(exporter, {"good": 1})
        good_read = self.last_reload(exporter)[1]

        def is_refused(start):
            before = exporter.log().count("\n")
            line = self.reload(exporter)
            self.assertIn("level=error", line)
            self.assertIn(f'problem="{self.config}{start}', line)
            self.assertEqual(self.last_reload(exporter), (0, good_read))
            self.assertEqual(self.members(self.families(exporter)), {"good": 1})
            self.assertEqual(exporter.log().count("\n"), before + 1)

        self.config.write_text("process_names:\n- name: x\n  com: [y]\n")
        is_refused(":3: ")
        self.config.write_text("#" * (2 << 20))
        is_refused(":1: too long")
        self.config.unlink()
        is_refused(": No such file")
        os.mkfifo(self.config)
        is_refused(": is no regular file")
        self.config.unlink()
        self.config.write_text(rules(("better", self.word)))
        self.reload(exporter)
        self.wait_for_members(exporter, {"good": 0, "better": 1})
        self.assertEqual(self.last_reload(exporter)[0], 1)

    def test_without_a_file_the_signal_is_logged_and_nothing_else(self):
        exporter = self.enterContext(ExporterProcess(ONLY_PROCESSES))
        line = self.reload(exporter)
        self.assertIn("SIGHUP ignored", line)
        self.assertIn("level=info", line)
        self.assertEqual(self.last_reload(exporter), (None, None))
        self.assertEqual(exporter.stop(), 0)

    def test_a_hundred_reloads_under_scrapes(self):
        self.config.write_text(rules(("even", self.word)))
        exporter = self.start()
        self.tagged_process()
        self.wait_for_members(exporter, {"even": 1})
        stop = threading.Event()
        pages, failures = [], []

        def scrape():
            try:
                while not stop.is_set():
                    pages.append(self.families(exporter))
            except Exception as error:  # pylint: disable=broad-exception-caught
                failures.append(error)

        threads = [threading.Thread(target=scrape) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(RELOADS_UNDER_SCRAPES):
                name = "odd" if number % 2 == 0 else "even"
                bad = "no_such_key: 1\n" if number % 10 == 3 else ""
                self.config.write_text(rules((name, self.word)) + bad)
                self.assertIn("error" if bad else "info", self.reload(exporter))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertTrue(exporter.is_running())
        self.assertGreater(len(pages), RELOADS_UNDER_SCRAPES / 4)
        for families in pages:
            self.assertEqual(sum(self.members(families).values()), 1)
        page = self.families(exporter)
        self.assertEqual(self.members(page), {"odd": 0, "even": 1})
        self.assert_monotonic([*pages[::2], page])
        self.assertEqual(exporter.log().count("configuration reloaded"),
                         RELOADS_UNDER_SCRAPES * 9 // 10)

    def assert_monotonic(self, pages):
        """No counter of a group ever goes back; two scrapers take turns, so only a few pages."""
        last = pages[-1]
        for families in pages:
            for name in (CPU_SECONDS, "host_process_started_total"):
                for series, value in families[name].samples.items():
                    self.assertLessEqual(value, last[name].samples[series], (name, series))

    def check_exec_moves(self, source):
        """`python one.py` becomes `python two.py`: nothing but the command line tells."""
        names = [f"{which}-{source}-{self.word}" for which in ("one", "two")]
        scripts = [self.directory / f"{name}.py" for name in names]
        scripts[0].write_text("import sys, time\nwhile time.process_time() < 0.3: pass\n"
                              "sys.stdin.read(1)\nsys.argv.insert(1, '')\n" + THEN_BECOME)
        scripts[1].write_text("import sys\nsys.stdin.read(1)\n")
        self.config.write_text(rules(*((name, f"{name}.py$") for name in names)).replace(
            f"{names[0]}.py$", f"{names[0]}.py"))
        try:
            exporter = self.start(f"--collector.process.source={source}")
        except AssertionError as error:
            reason = str(error).partition("does not work here: ")[2].strip()
            if not reason or os.environ.get("CI") == "true" and os.geteuid() == 0:
                raise
            self.skipTest(reason)
        process = self.start_process(scripts[0], scripts[1])
        families = self.wait_for_members(exporter, {names[0]: 1})
        comm = Path(f"/proc/{process.pid}/comm")
        before = comm.read_text()
        process.stdin.write(b"!")
        process.stdin.flush()
        families = self.wait_for_members(exporter, {names[0]: 0, names[1]: 1})
        self.assertEqual(comm.read_text(), before)
        used = [sum(value_of(families, CPU_SECONDS, groupname=name, mode=mode)
                    for mode in ("user", "system")) for name in names]
        self.assertGreater(used[0], 0.25)
        self.assertLess(used[1], 0.25)

    def test_an_exec_of_the_same_name_moves_a_process(self):
        for source in ("bpf", "proc"):
            with self.subTest(source):
                self.check_exec_moves(source)


if __name__ == "__main__":
    unittest.main()
