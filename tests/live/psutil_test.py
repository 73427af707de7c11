#!/usr/bin/python3
"""cpu_percent, virtual_memory_free and virtual_memory_percent beside Python's psutil.

On a frozen /proc, which both read, they must agree exactly; on this host as far as it holds still.
"""

import random
import tempfile
import time
import unittest
from pathlib import Path

import psutil

from exporter_process import ExporterProcess, wait_for
from exposition import TEXT, parse, value_of

NAMES = ("cpu_percent", "virtual_memory_free", "virtual_memory_percent")
ONLY_PSUTIL = ("--collector.disable-defaults", "--collector.psutil")


def scrape(exporter):
    """The three values; None for what is absent."""
    status, headers, body = exporter.get()
    assert status == 200, status
    families = parse(body, headers["Content-Type"])
    return [value_of(families, name) for name in NAMES]


def is_ready(exporter):
    """True once the collectors have had their first tick."""
    return exporter.get("/-/ready")[0] == 200


class FrozenHostTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.proc = Path(directory.name)
        self.stat_lines = Path("/proc/stat").read_text().splitlines(keepends=True)[1:]
        self.write_cpu_ticks([1000] * 10)
        self.write_memory(total=1000, free=100, available=500)
        self.addCleanup(setattr, psutil, "PROCFS_PATH", psutil.PROCFS_PATH)
        psutil.PROCFS_PATH = directory.name

    def write_cpu_ticks(self, ticks):
        line = f"cpu  {' '.join(map(str, ticks))}\n"
        (self.proc / "stat").write_text(line + "".join(self.stat_lines))

    def write_memory(self, total, free, available):
        fields = {"MemTotal": total, "MemFree": free, "MemAvailable": available}
        fields |= dict.fromkeys(("Buffers", "Cached", "Active", "Inactive", "Shmem", "Slab"), 1)
        lines = (f"{name + ':':15} {value} kB\n" for name, value in fields.items())
        (self.proc / "meminfo").write_text("".join(lines))

    def exporter(self):
        """With one tick, the first: all later readings are measured from it."""
        flags = (*ONLY_PSUTIL, f"--path.procfs={self.proc}", "--sample-interval=1h", "--window=1h")
        exporter = self.enterContext(ExporterProcess(flags))
        wait_for("the first tick", lambda: is_ready(exporter))
        return exporter

    def test_memory_is_psutils(self):
        # A container may see the host's MemAvailable, which is more than its own MemTotal.
        cases = [(1000, 0, 0), (1000, 1000, 1000), (1000, 100, 2000), (32, 10, 31)]
        shuffle = random.Random(1)
        cases += [sorted(shuffle.choices(range(1, 2**31), k=3), reverse=True) for _ in range(50)]
        exporter = self.exporter()
        for total, free, available in cases:
            with self.subTest(total=total, free=free, available=available):
                self.write_memory(total, free, available)
                expected = psutil.virtual_memory()
                self.assertEqual(scrape(exporter)[1:], [expected.free, expected.percent])

    def test_cpu_is_psutils(self):
        before = [1000] * 10
        exporter = self.exporter()
        # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice
        for what, passed, percent in (
            ("idle", (0, 0, 0, 500, 0, 0, 0, 0, 0, 0), 0.0),
            ("busy", (500, 0, 0, 0, 0, 0, 0, 0, 0, 0), 100.0),
            ("all modes", (11, 7, 5, 60, 1, 2, 3, 13, 0, 0), 40.2),
            ("waiting for I/O is idle", (10, 0, 0, 10, 20, 0, 0, 0, 0, 0), 25.0),
            ("stolen time is busy", (0, 0, 0, 30, 0, 0, 0, 10, 0, 0), 25.0),
            ("guests are in user and nice already", (20, 10, 0, 90, 0, 0, 0, 0, 20, 10), 25.0),
            ("iowait steps back", (10, 0, 0, 30, -5, 0, 0, 0, 0, 0), 25.0),
            ("a third", (1, 0, 0, 2, 0, 0, 0, 0, 0, 0), 33.3),
            ("two thirds", (2, 0, 0, 1, 0, 0, 0, 0, 0, 0), 66.7),
            ("less than is shown", (1, 0, 0, 9999, 0, 0, 0, 0, 0, 0), 0.0),
        ):
            with self.subTest(what):
                self.write_cpu_ticks(before)
                psutil.cpu_percent()
                self.write_cpu_ticks([ticks + more for ticks, more in zip(before, passed)])
                self.assertEqual((scrape(exporter)[0], psutil.cpu_percent()), (percent, percent))

    def test_cpu_is_absent_while_no_time_has_passed(self):
        exporter = self.exporter()
        self.assertEqual(scrape(exporter)[0], None)
        self.write_cpu_ticks([1000, 0, 0, 1000, 0, 0, 0, 0, 0, 0])
        self.assertEqual(scrape(exporter)[0], None)
        self.write_cpu_ticks([2000] + [1000] * 9)
        self.assertEqual(scrape(exporter)[0], 100.0)

    def test_nothing_is_there_without_meminfo(self):
        (self.proc / "meminfo").unlink()
        self.assertEqual(scrape(self.exporter()), [None, None, None])


class LiveHostTest(unittest.TestCase):
    def test_memory_is_between_two_readings_of_psutil(self):
        exporter = self.enterContext(ExporterProcess(ONLY_PSUTIL))

        def readings():
            before = psutil.virtual_memory()
            _, free, percent = scrape(exporter)
            after = psutil.virtual_memory()
            return ((before.free, free, after.free), (before.percent, percent, after.percent))

        def are_between():
            return all(
                min(before, after) <= ours <= max(before, after)
                for before, ours, after in readings()
            )

        # Memory may go up and down again between two readings, but not each time.
        wait_for(
            "values between psutil's, five times in a row",
            lambda: all(are_between() for _ in range(5)),
            details=lambda: f"psutil, exporter, psutil: {readings()}",
        )

    def test_cpu_is_psutils_over_the_same_time(self):
        starts = [psutil.cpu_times()]
        exporter = self.enterContext(ExporterProcess((*ONLY_PSUTIL, "--window=1h")))
        wait_for("the first tick", lambda: is_ready(exporter))
        starts.append(psutil.cpu_times())  # The first tick was between the two.
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:  # One CPU is busy with this loop.
            pass
        ours = scrape(exporter)[0]
        end = psutil.cpu_times()
        expected = [busy_percent(start, end) for start in starts]
        self.assertGreaterEqual(ours, min(expected) - 2)
        self.assertLessEqual(ours, max(expected) + 2)
        self.assertGreater(ours, 80 / psutil.cpu_count())
        self.assertEqual(ours, round(ours, 1))


def busy_percent(start, end):
    """As psutil.cpu_percent() has it, between two readings."""
    passed = {name: max(0, getattr(end, name) - getattr(start, name)) for name in end._fields}
    total = sum(passed.values()) - passed["guest"] - passed["guest_nice"]
    return 100 * (total - passed["idle"] - passed["iowait"]) / total


if __name__ == "__main__":
    unittest.main()
