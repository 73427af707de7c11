#!/usr/bin/python3
"""A minute with three bursts in it, each shorter than 3 s, as seen by scrapers that come at its ends.

The bursts must be in the page with their size and second; scrapers at any interval must come to the
same totals; and all samples together must say the same as the kernel's own counters. What
node_exporter tells of the same minute is printed beside it.
"""

import mmap
import multiprocessing
import os
import sys
import time
import unittest
from contextlib import ExitStack
from pathlib import Path

from exporter_process import ExporterProcess, wait_for
from exposition import TEXT, parse, value_of
from peers import NodeExporter

SPAN_SECONDS = 60
CPU_SECONDS = 1.5
MEMORY_SECONDS = 2.0
MEMORY_BYTES = 300 << 20
DISK_SECONDS = 2.0
STEADY_SECONDS = 12.0
STEADY_SHARE = 0.5  # of one CPU: no second of it is above 90 %, with one CPU only, too
SLACK_SECONDS = 1.5  # within which a peak must be dated
CPU_SECOND, MEMORY_SECOND, DISK_SECOND, STEADY_SECOND = 10, 20, 30, 40  # of the minute
CACHE = Path(os.environ.get("CACHE_DIR", "."))


def wait_until(moment):
    wait_for("the time to come", lambda: time.time() >= moment, seconds=SPAN_SECONDS + 30)


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def work_now_and_then(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spin(STEADY_SHARE / 10)
        wait_until(time.time() + (1 - STEADY_SHARE) / 10)


def hold_memory(seconds):
    with mmap.mmap(-1, MEMORY_BYTES) as memory:
        for page in range(0, MEMORY_BYTES, mmap.PAGESIZE):
            memory[page] = 1
        wait_until(time.time() + seconds)


def write_disk(seconds):
    """Past the page cache, which would put the work off."""
    path = CACHE / "burst"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT | os.O_SYNC)
    try:
        with mmap.mmap(-1, 1 << 20) as block:  # aligned, as O_DIRECT wants it
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                os.pwrite(file, block, 0)
    finally:
        os.close(file)
        path.unlink()


def disk_of(path):
    """The whole disk that holds `path`; None where it is on no device, as on tmpfs or overlayfs."""
    number = os.stat(path).st_dev
    link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not link.exists():
        return None
    device = link.resolve()
    return device.parent.name if (device / "partition").exists() else device.name


def burst(work, seconds, processes=1):
    """Does `work` in processes of its own; when it began and ended."""
    begin = time.time()
    workers = [multiprocessing.Process(target=work, args=(seconds,)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not any(worker.exitcode for worker in workers)
    return begin, time.time()


class Page:
    def __init__(self, exporter):
        self.time = time.time()
        status, headers, body = exporter.get()
        assert status == 200, status
        self.families = parse(body, headers["Content-Type"])

    def __getitem__(self, name):
        return value_of(self.families, name)

    def of(self, name, **labels):
        return value_of(self.families, name, **labels)

    def seconds_above(self, signal, bound, **labels):
        """Samples above `bound`, an edge of the histogram, since the exporter started."""
        below = self.of(f"{signal}_bucket", **labels, le=bound)
        return self.of(f"{signal}_count", **labels) - below

    def cpu_seconds(self):
        """(all, busy) of the kernel's counters."""
        modes = ("user", "nice", "system", "irq", "softirq", "steal", "idle", "iowait")
        spent = {mode: 0.0 for mode in modes}
        for cpu in range(os.cpu_count()):
            for mode in modes:
                spent[mode] += self.of("node_cpu_seconds_total", cpu=str(cpu), mode=mode)
        total = sum(spent.values())
        return total, total - spent["idle"] - spent["iowait"]


class Scraper:
    """Comes every `interval` seconds and adds up what it sees. The scrape numbered `lost` fails."""

    def __init__(self, first, interval, lost=None):
        self.interval, self.lost = interval, lost
        self.total = 0.0
        self._last = first
        self._next = first.time + interval
        self._number = 0

    def come(self, exporter):
        if time.time() < self._next:
            return
        self._next += self.interval
        self._number += 1
        if self._number != self.lost:
            self.see(Page(exporter))

    def see(self, page):
        """As Prometheus does: a value below the last one is what came since a reset."""
        last, now = (seen.seconds_above("host_cpu_busy_ratio", "0.9")
                     for seen in (self._last, page))
        self.total += now - last if now >= last else now
        self._last = page


class MinuteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.sync()  # or what a build left to be written is the larger burst
        stack = ExitStack()
        cls.addClassCleanup(stack.close)
        cls.exporter = stack.enter_context(ExporterProcess(["--window=2m"]))
        cls.peer = stack.enter_context(NodeExporter())
        CACHE.mkdir(parents=True, exist_ok=True)
        cls.disk = disk_of(CACHE)
        wait_for("two samples", lambda: Page(cls.exporter)["host_seconds_sampled_total"] >= 2)
        cls.peer_before = parse(cls.peer.page(), TEXT)
        cls.before = Page(cls.exporter)
        cls.scrapers = [Scraper(cls.before, 7), Scraper(cls.before, 11, lost=1),
                        Scraper(cls.before, SPAN_SECONDS)]
        cls.live_through_the_minute()
        cls.after = Page(cls.exporter)
        for scraper in cls.scrapers:
            scraper.see(cls.after)
        cls.peer_after = parse(cls.peer.page(), TEXT)
        cls.print_peer()

    @classmethod
    def live_through_the_minute(cls):
        """The CPU burst begins with a sample, so that one is full for sure."""
        start = cls.before["host_tasks_runnable_peak_timestamp_seconds"] % 1
        start += int(cls.before.time)
        cls.wait(start + CPU_SECOND)
        cls.cpu_burst = burst(spin, CPU_SECONDS, processes=os.cpu_count())
        cls.wait(start + MEMORY_SECOND)
        cls.available_before = Page(cls.exporter)["node_memory_MemAvailable_bytes"]
        cls.memory_burst = burst(hold_memory, MEMORY_SECONDS)
        cls.wait(start + DISK_SECOND)
        cls.disk_burst = burst(write_disk, DISK_SECONDS) if cls.disk else None
        cls.wait(start + STEADY_SECOND)
        burst(work_now_and_then, STEADY_SECONDS)  # no burst: only something for the sums to be about
        cls.wait(cls.before.time + SPAN_SECONDS)

    @classmethod
    def wait(cls, moment):
        def is_time():
            for scraper in cls.scrapers:
                scraper.come(cls.exporter)
            return time.time() >= moment

        wait_for("the time to come", is_time, seconds=SPAN_SECONDS + 30)

    @classmethod
    def print_peer(cls):
        def grown(name, **labels):
            return value_of(cls.peer_after, name, **labels) - value_of(cls.peer_before, name,
                                                                       **labels)

        idle = sum(grown("node_cpu_seconds_total", cpu=str(cpu), mode="idle")
                   for cpu in range(os.cpu_count()))
        cls.peer_busy = 1 - idle / SPAN_SECONDS / os.cpu_count()
        print(f"the same minute by node_exporter: CPUs {cls.peer_busy:.0%} busy", end="",
              file=sys.stderr)
        if cls.disk:
            busy = grown("node_disk_io_time_seconds_total", device=cls.disk) / SPAN_SECONDS
            print(f", {cls.disk} {busy:.0%} busy", end="", file=sys.stderr)
        for page, when in ((cls.peer_before, "before"), (cls.peer_after, "after")):
            available = value_of(page, "node_memory_MemAvailable_bytes") / 2**20
            print(f", {available:.0f} MiB available {when}", end="", file=sys.stderr)
        print(file=sys.stderr)

    def assert_dated(self, name, span, **labels):
        begin, end = span
        when = self.after.of(f"{name}_timestamp_seconds", **labels)
        self.assertGreaterEqual(when, begin - SLACK_SECONDS, name)
        self.assertLessEqual(when, end + SLACK_SECONDS, name)

    def grown(self, name, **labels):
        return self.after.of(name, **labels) - self.before.of(name, **labels)

    def test_the_cpu_burst_shows_with_its_second(self):
        self.assertGreaterEqual(self.after["host_cpu_busy_ratio_peak"], 0.95)
        self.assert_dated("host_cpu_busy_ratio_peak", self.cpu_burst)
        above = [page.seconds_above("host_cpu_busy_ratio", "0.95")
                 for page in (self.before, self.after)]
        self.assertIn(above[1] - above[0], (1, 2))
        self.assertLess(self.peer_busy, 0.5, "node_exporter's mean over the minute")

    def test_the_memory_spike_shows_with_its_second(self):
        lowest = self.after["host_memory_available_bytes_lowest"]
        self.assertLess(lowest, self.available_before - 0.8 * MEMORY_BYTES)
        self.assert_dated("host_memory_available_bytes_lowest", self.memory_burst)
        self.assert_dated("host_memory_used_ratio_peak", self.memory_burst)

    def test_the_disk_burst_shows_with_its_second(self):
        if not self.disk:
            self.skipTest(f"no disk of its own below {CACHE}")
        disk = {"device": self.disk}
        self.assertGreaterEqual(self.after.of("host_disk_busy_ratio_peak", **disk), 0.5)
        self.assertGreater(self.after.of("host_disk_written_bytes_per_second_peak", **disk), 1 << 20)
        self.assert_dated("host_disk_written_bytes_per_second_peak", self.disk_burst, **disk)
        above = [page.seconds_above("host_disk_busy_ratio", "0.5", **disk)
                 for page in (self.before, self.after)]
        self.assertGreaterEqual(above[1] - above[0], 1)

    def test_scrapers_at_any_interval_count_the_same(self):
        totals = {scraper.interval: scraper.total for scraper in self.scrapers}
        self.assertEqual(len(set(totals.values())), 1, totals)
        self.assertIn(self.scrapers[0].total, (1, 2))

    def test_every_second_is_sampled_or_missed(self):
        sampled = self.grown("host_seconds_sampled_total")
        missed = self.grown("host_seconds_missed_total")
        self.assertEqual(self.grown("host_cpu_busy_ratio_count"), sampled)
        self.assertEqual(self.grown("host_memory_used_ratio_count"), sampled)
        elapsed = self.after.time - self.before.time
        self.assertAlmostEqual(sampled + missed, elapsed, delta=1.0)

    def test_the_samples_add_up_to_what_the_kernel_counted(self):
        total, busy = (after - before for after, before in
                       zip(self.after.cpu_seconds(), self.before.cpu_seconds()))
        mean = self.grown("host_cpu_busy_ratio_sum") / self.grown("host_cpu_busy_ratio_count")
        # The samples end up to a second before the page: 1 % of the share, and 1 s of an idle host.
        self.assertAlmostEqual(mean, busy / total, delta=0.01 * busy / total + 0.05 / SPAN_SECONDS)

    def test_the_sampler_tells_its_own_cost(self):
        self.assertGreater(self.grown("resource_exporter_sampler_cpu_seconds_total"), 0)


if __name__ == "__main__":
    unittest.main()
