#!/usr/bin/python3
"""What one broken kernel file does: the collectors that read it fail, and nobody else notices."""

import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import NamedTuple

from exporter_process import ExporterProcess
from exposition import TEXT, parse, value_of

ANSWER_SECONDS = 2.0  # A small page takes milliseconds; the deadline of a scrape is 10 s.


class HostFile(NamedTuple):
    path: str
    text: str
    torn: str  # The same, cut where every reader must notice; "" where none can.
    readers: tuple  # The collectors that cannot do without it.
    is_optional: bool = False  # Without it they do less, and are not absent.
    may_be_empty: bool = False


PRESSURE = ("some avg10=0.00 total=5\nfull avg10=0.00 total=5\n", "some avg10=0.0", ("pressure",))
CLOCK_SOURCES = "sys/devices/system/clocksource/clocksource0"
HOST = (
    HostFile(
        "proc/stat",
        "cpu  20 0 10 170 0 0 0 0 0 0\ncpu0 20 0 10 170 0 0 0 0 0 0\nintr 9\nctxt 8\n"
        "btime 1700000000\nprocesses 7\nprocs_running 1\nprocs_blocked 0\n",
        "cpu  20 0 1",
        ("psutil", "signals", "cpu", "stat", "process"),
    ),
    HostFile(
        "proc/meminfo",
        "MemTotal: 8000 kB\nMemFree: 4000 kB\nMemAvailable: 6000 kB\nHugePages_Total: 0\n",
        "MemTotal: 8000 kB\nMemFre",
        ("psutil", "meminfo"),
    ),
    HostFile("proc/loadavg", "0.50 0.25 0.12 1/99 1234\n", "0.50 0.2", ("loadavg",)),
    HostFile("proc/vmstat", "pgpgin 5\npgpgout 6\noom_kill 0\n", "pgpgin 5\npgp", ("vmstat",)),
    HostFile("proc/pressure/cpu", *PRESSURE),
    HostFile("proc/pressure/io", *PRESSURE),
    HostFile("proc/pressure/memory", *PRESSURE),
    HostFile("proc/pressure/irq", *PRESSURE, is_optional=True),
    HostFile("proc/sys/fs/file-nr", "100\t0\t200\n", "100\t0", ("filefd",)),
    HostFile(
        "proc/net/dev",
        f"Inter-| Receive | Transmit\n face |bytes|bytes\n  eth0:{' 1' * 16}\n",
        "Inter-| Receive | Transmit\n face |bytes|bytes\n  eth0: 1",
        ("netdev",),
    ),
    HostFile(
        "proc/diskstats",
        f"254 0 vda{' 1' * 17}\n",
        "254 0 vda 1 1",
        ("diskstats",),
        may_be_empty=True,  # A host without disks.
    ),
    HostFile("root/etc/os-release", 'ID=debian\nNAME="Debian"\n', 'ID=debian\nNAME="', ("os",)),
    # Any word may name a clock source.
    HostFile(f"{CLOCK_SOURCES}/current_clocksource", "tsc\n", "", ("time",), is_optional=True),
    HostFile(f"{CLOCK_SOURCES}/available_clocksource", "tsc\n", "", ("time",), is_optional=True),
)
CHANGE_OF_STATE = re.compile(
    r'ts=\S+ level=\w+ msg="(collector [^"]*)" collector=(\w+)(?: problem="[ -~]*")?'
)
PROCESS_STAT = f"{{pid}} (name) S 1{' 0' * 48}\n"
PROCESS_FILES = {
    "status": "Name:\tname\nVmRSS:\t4 kB\nVmSwap:\t0 kB\nThreads:\t1\n",
    "io": "read_bytes: 0\nwrite_bytes: 0\n",
}
# The first line is what errors quote: not UTF-8, a terminal's command, markup, a log's quote.
GARBAGE = b'\xff\x00\x1b[31m<b>" level=error\\\r\n' + bytes(range(256))


class FaultsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        for file in HOST:
            self.write(file.path, file.text)
        for pid in (1, 2):
            self.write(f"proc/{pid}/stat", PROCESS_STAT.format(pid=pid))
            for name, text in PROCESS_FILES.items():
                self.write(f"proc/{pid}/{name}", text)

    def write(self, path, text):
        """In place: the exporter keeps the file open, as it does the kernel's."""
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def exporter(self):
        mounts = {"procfs": "proc", "sysfs": "sys", "rootfs": "root"}
        return ExporterProcess(
            [f"--path.{flag}={self.root / directory}" for flag, directory in mounts.items()]
        )

    def scrape(self, exporter):
        """(the page, the names of collectors that failed, of those that are absent)."""
        status, headers, body = exporter.get(timeout=ANSWER_SECONDS)
        self.assertEqual((status, headers["Content-Type"]), (200, TEXT))
        families = parse(body, TEXT)

        def having(family, wanted):
            samples = families[family].samples
            found = [series.labels for series, value in samples.items() if value == wanted]
            return {dict(labels)["collector"] for labels in found}

        failed = having("node_scrape_collector_success", 0)
        absent = having("resource_exporter_collector_absent", 1)
        self.assertEqual(failed & absent, set())
        return families, failed, absent

    def check(self, exporter, failed=(), absent=()):
        """Twice, because a state must not depend on how often it is looked at."""
        for _ in range(2):
            _, *found = self.scrape(exporter)
            self.assertEqual(found, [set(failed), set(absent)], exporter.log())

    def check_recovery(self, exporter, file, change, collectors):
        """Makes the file whole. The log has a line for each collector's change, and no other."""
        self.write(file.path, file.text)
        self.check(exporter)
        changes = (change, "collector works again")
        expected = [(message, collector) for message in changes for collector in collectors]
        lines = exporter.log().splitlines()
        found = [m.groups() for m in map(CHANGE_OF_STATE.fullmatch, lines) if m]
        self.assertEqual(sorted(found), sorted(expected), exporter.log())

    def test_damaged_file_fails_its_readers_alone(self):
        for file in HOST:
            damages = {"nothing": b""} if not file.may_be_empty else {}
            if file.torn:
                damages |= {"a torn text": file.torn.encode(), "garbage": GARBAGE}
            with self.exporter() as exporter:
                self.check(exporter)
                for what, text in damages.items():
                    with self.subTest(what, path=file.path):
                        self.write(file.path, text)
                        self.check(exporter, failed=file.readers)
                with self.subTest("recovery", path=file.path):
                    self.check_recovery(exporter, file, "collector failed", file.readers)

    def test_garbage_is_quoted_safely(self):
        self.write("proc/loadavg", GARBAGE)
        with self.exporter() as exporter:
            self.check(exporter, failed=["loadavg"])
            log, page = exporter.log(), exporter.get("/")[2].decode("utf-8")
        for line in log.splitlines():
            self.assertRegex(line, r'^ts=\S+ level=\w+ msg="[^"]*"')
        self.assertIn("loadavg: cannot read", log)
        self.assertIn("loadavg: cannot read", page)
        self.assertNotIn("<b>", page)
        for text in (log, page):
            self.assertEqual([c for c in text if c != "\n" and not c.isprintable()], [])

    def test_truncated_file_harms_nobody_else(self):
        with self.exporter() as exporter:
            for file in HOST:
                for cut in range(0, len(file.text), 5):
                    with self.subTest(path=file.path, cut=cut):
                        self.write(file.path, file.text[:cut])
                        _, failed, absent = self.scrape(exporter)
                        self.assertLessEqual(failed, set(file.readers))
                        self.assertEqual(absent, set())
                self.write(file.path, file.text)
                self.check(exporter)

    def test_something_else_in_place_of_a_file_fails_its_readers_alone(self):
        for file in HOST:
            path = self.root / file.path
            for what, put, remove in (
                ("a FIFO", os.mkfifo, os.unlink),
                ("a directory", os.mkdir, os.rmdir),
            ):
                with self.subTest(what, path=file.path):
                    path.unlink()
                    put(path)
                    with self.exporter() as exporter:
                        self.check(exporter, failed=file.readers)
                        remove(path)
                        self.check_recovery(exporter, file, "collector failed", file.readers)

    def test_missing_file_makes_its_readers_absent(self):
        for file in HOST:
            absent = () if file.is_optional else file.readers
            with self.subTest(path=file.path):
                (self.root / file.path).unlink()
                with self.exporter() as exporter:
                    self.check(exporter, absent=absent)
                    change = "collector has no subject on this host"
                    self.check_recovery(exporter, file, change, absent)

    def test_empty_host_has_a_page(self):
        for directory in ("proc", "sys", "root"):
            shutil.rmtree(self.root / directory)
            (self.root / directory).mkdir()
        with self.exporter() as exporter:
            readers = {name for file in HOST if not file.is_optional for name in file.readers}
            self.check(exporter, absent=readers)

    def test_broken_process_is_counted_and_the_others_shown(self):
        before = 0
        with self.exporter() as exporter:
            for path, text in (("proc/2/stat", GARBAGE), ("proc/2/status", b"VmRSS:\t4 kB\n")):
                with self.subTest(path):
                    good = (self.root / path).read_bytes()
                    self.write(path, text)
                    families, failed, _ = self.scrape(exporter)
                    self.assertEqual(failed, set())
                    group = value_of(
                        families, "namedprocess_namegroup_num_procs", groupname="name"
                    )
                    self.assertEqual(group, 1)
                    unread = value_of(families, "host_process_unreadable_total", reason="malformed")
                    self.assertGreater(unread, before)
                    self.write(path, good)
                    before = value_of(
                        self.scrape(exporter)[0], "host_process_unreadable_total", reason="malformed"
                    )


if __name__ == "__main__":
    unittest.main()
