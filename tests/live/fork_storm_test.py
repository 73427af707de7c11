#!/usr/bin/python3
"""As many short processes as the machine gives, with pids that come again all the time: whatever
moment a page is of, no counter has gone back, and nothing is under a name that is not its own.

Each kind of process does what no other kind does, so that a mix-up shows; see its source.

Environment: FORK_STORM, the program fork_storm; CACHE_DIR, a directory on a disk.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from child_process import Child
from exporter_process import wait_for
from exposition import parse
from process_page import REASONS, start_exporter

SAMPLES = 1_000_000
SCRAPED_SECONDS = 30.0  # At most.
UNSCRAPED_SECONDS = 2.0  # Longer than the exporter's ring has room for.
SHORT_SECONDS = 4.0
TOLD_SECONDS = 45.0  # What found the exporter's ring full is told after 25.
IDLE_GROUPS = 100  # Names that only add samples.
PID_MAX = Path("/proc/sys/kernel/pid_max")
LOW_PID_MAX = 16_384  # Each comes again every second, and there is room for all that run.
REASON_OF_END = {0: "normal", 3: "error", 5: "error", -9: "signal"}
# In the parent's memory a child has no faults but those it makes, and perhaps a few for what no
# child needed before. With memory of its own it copies some pages, too.
FEW_FAULTS = 50
MOST_COPIED_PAGES = 100
SAMPLE = re.compile(rb"^([a-z_]+(?:\{.*\})?) (\S+)$", re.MULTILINE)
NAME = re.compile(rb'(?:groupname|comm)="([^"]*)"')


@contextlib.contextmanager
def few_pids():
    """Lowers the host's largest pid, and puts it back even when this process is killed."""
    before = PID_MAX.read_text()
    script = f"read _; echo {before.strip()} > {PID_MAX}"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE,
                          start_new_session=True) as guard:
        try:
            with contextlib.suppress(OSError):  # Then with the pids there are.
                PID_MAX.write_text(str(LOW_PID_MAX))
            yield int(PID_MAX.read_text())
        finally:
            guard.stdin.close()
    assert PID_MAX.read_text() == before


class ForkStorm:
    """The program: from now on it makes processes."""

    def __init__(self, stack, tag):
        directory = os.environ["CACHE_DIR"]
        os.makedirs(directory, exist_ok=True)
        file = stack(tempfile.NamedTemporaryFile(dir=directory))
        self._process = stack(subprocess.Popen(
            [os.environ["FORK_STORM"], tag, file.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        self.kinds = json.loads(self._process.stdout.readline())
        self.began = time.monotonic()

    def finish(self):
        """What there was of each kind."""
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        parents = json.loads(self._process.stdout.readline())
        self.seconds = time.monotonic() - self.began
        return parents


class Watcher:
    """Scrapes on and on, and compares each sample of a counter with the one before it."""

    def __init__(self, exporter, tag):
        self._exporter = exporter
        self.tag = tag
        self._counters = ()
        self.values = {}
        self.pages = 0
        self.samples = 0
        self.errors = []
        self.names = set()  # With the tag.

    def scrape(self):
        _, headers, body = self._exporter.get()
        if not self.pages:
            families = parse(body, headers["Content-Type"])
            self._counters = tuple(name.encode() for name, family in families.items()
                                   if family.type in ("counter", "histogram"))
        before, self.values = self.values, {
            series: float(value) for series, value in SAMPLE.findall(body)}
        self.pages += 1
        self.samples += len(self.values)
        for series, value in before.items():
            if series.startswith(self._counters) and not self.values.get(series, -1) >= value:
                self.errors.append(f"{series}: {value}, then {self.values.get(series)}")
        self.names |= {NAME.search(series)[1].decode() for series in self.values
                       if self.tag.encode() in series}

    def of(self, name, group, more=""):
        """None while there is no such series."""
        return self.values.get(f'{name}{{groupname="{group}"{more}}}'.encode())

    def exits(self, group):
        return {reason: self.of("host_process_exited_total", group, f',reason="{reason}"') or 0
                for reason in REASONS}

    def value(self, name):
        return self.values[name.encode()]


class ForkStormTest(unittest.TestCase):
    maxDiff = None
    def setUp(self):
        self.pids = self.enterContext(few_pids())

    def start(self, source):
        exporter = self.enterContext(start_exporter(source))
        tag = f"f{os.getpid()}"
        for number in range(IDLE_GROUPS):
            self.enterContext(Child(f"{tag}-i{number}", signal.pause))
        storm = ForkStorm(self.enterContext, tag)
        return storm, Watcher(exporter, tag)

    def check_kinds(self, watcher, kinds):
        """What is on this page of each kind is what its processes do, and nothing else."""
        for kind in kinds:
            group = kind["group"]
            exits = watcher.exits(group)
            ended = exits.pop(REASON_OF_END[kind["end"]])
            if any(exits.values()):
                watcher.errors.append(f"{group} ended by {exits}")
            for name, each, few, most_more in (
                    ("namedprocess_namegroup_minor_page_faults_total", kind["faults_each"],
                     FEW_FAULTS, 0 if kind["shares_memory"] else MOST_COPIED_PAGES),
                    ("namedprocess_namegroup_read_bytes_total", kind["bytes_each"], 0, 0)):
                value = watcher.of(name, group) or 0
                # A child that was seen before it had its name started under its parent's.
                started = sum(watcher.of("host_process_started_total", name_then) or 0
                              for name_then in (group, kind["parent"]))
                most = started * (each + most_more) + few
                if not ended * each <= value <= (most if each or most_more else few):
                    watcher.errors.append(
                        f"{name} of {group}: {value}, {started} started and {ended} ended")

    def finish(self, watcher, storm):
        """The last page, with all exits on it, or those that were lost."""
        parents = storm.finish()
        made = sum(parent["children"] for parent in parents)

        def is_told():
            watcher.scrape()
            told = sum(sum(watcher.exits(parent["group"]).values()) for parent in parents)
            return told + watcher.value("host_process_exits_lost_total") >= made

        rate = made / storm.seconds
        print(f"\n{made} processes in {storm.seconds:.1f} s: {rate:.0f}/s, each pid "
              f"{made / self.pids:.1f} times; {watcher.samples} samples of {watcher.pages} pages")
        with contextlib.suppress(AssertionError):  # The numbers say more.
            wait_for("all exits", is_told, TOLD_SECONDS, pause=0.2)
        settled = time.monotonic() + 2.0
        wait_for("two samples more", lambda: time.monotonic() > settled, pause=0.1)
        watcher.scrape()
        return parents

    def check_exits(self, watcher, parents, lost):
        for parent in parents:
            with self.subTest(parent["group"]):
                ended = watcher.exits(parent["group"])[REASON_OF_END[parent["end"]]]
                self.assertLessEqual(ended, parent["children"])
                self.assertGreaterEqual(ended + lost, parent["children"])

    def check_use(self, watcher, parents):
        """A child that was seen before it had its name is its parent's until then."""
        for parent in parents:
            with self.subTest(parent["group"]):
                groups = (parent["group"], parent["parent"])
                started = sum(watcher.of("host_process_started_total", group) or 0
                              for group in groups) - 1
                cpu_seconds = sum(watcher.of("namedprocess_namegroup_cpu_seconds_total", group,
                                             f',mode="{mode}"') or 0
                                  for group in groups for mode in ("user", "system"))
                self.assertEqual(started, parent["children"])
                unseen = watcher.value("host_process_exits_unseen_total") / parent["children"]
                self.assertAlmostEqual(
                    cpu_seconds - parent["own_cpu_seconds"], parent["cpu_seconds"],
                    delta=(0.01 + unseen) * parent["cpu_seconds"] + 0.005)

    def check_names(self, watcher, parents):
        # Else the host has too many names for these to have groups of their own.
        self.assertEqual(watcher.value("host_process_crowded_out_total"), 0)
        known = {parent[which] for parent in parents for which in ("group", "parent")}
        idle = {f"{watcher.tag}-i{number}" for number in range(IDLE_GROUPS)}
        self.assertLessEqual(watcher.names, known | idle)

    def scrape(self, watcher, kinds, seconds):
        end = time.monotonic() + seconds
        while watcher.samples < SAMPLES and time.monotonic() < end:
            watcher.scrape()
            self.check_kinds(watcher, kinds)

    def test_no_counter_goes_back_and_no_name_is_wrong(self):
        storm, watcher = self.start("bpf")
        # What finds no room in the ring is not to be scraped away.
        scraped_from = time.monotonic() + UNSCRAPED_SECONDS
        wait_for("a full ring", lambda: time.monotonic() > scraped_from)
        self.scrape(watcher, storm.kinds, SCRAPED_SECONDS)
        parents = self.finish(watcher, storm)
        self.check_names(watcher, parents)
        self.assertEqual(watcher.errors, [])
        self.assertGreaterEqual(watcher.samples, SAMPLES)
        self.assertEqual(watcher.value("host_process_exits_lost_total"), 0)
        self.check_exits(watcher, parents, 0)
        self.check_use(watcher, parents)

    def test_taskstats_loses_none_that_it_does_not_count(self):
        storm, watcher = self.start("taskstats")
        # Its records tell the start of a process to a second, in which a pid comes more than once:
        # what one used may be taken for what another did, but each end is one.
        self.scrape(watcher, (), SHORT_SECONDS)
        parents = self.finish(watcher, storm)
        self.check_names(watcher, parents)
        self.assertEqual(watcher.errors, [])
        self.check_exits(watcher, parents, watcher.value("host_process_exits_lost_total"))


if __name__ == "__main__":
    unittest.main()
