#!/usr/bin/python3
"""Groups of processes beside process-exporter, with its own configuration file, and beside psutil.

Whatever process-exporter shows must be on our page, with the same type, the same series and the
same values, whichever way processes are seen; there is no list of what is compared, but one of what
is not. Of counters the growth is compared: no program knows all of what was before it.
"""

import contextlib
import json
import os
import tempfile
import time
import unittest
from pathlib import Path
from typing import NamedTuple

import psutil

from bracketing import is_between, lasting
from exporter_process import wait_for
from exposition import TEXT, Series, parse, series_of
from peers import ProcessExporter
from process_differences import MISSING, OTHERWISE, SOURCES, has_exact_statm, rss_error_bytes
from process_page import Page, start_exporter
from process_workload import Workload, unique

OUR_FLAGS = ()
# They grow only on a file system that has a disk.
OF_STORAGE = (
    "namedprocess_namegroup_major_page_faults_total",
    "namedprocess_namegroup_read_bytes_total",
    "namedprocess_namegroup_write_bytes_total",
)
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
# Each program splits the exact sum of both modes in a ratio that the kernel is still learning.
MODES_SECONDS = 0.05
ROUNDS = 20
STATES = {"R": "Running", "S": "Sleeping", "D": "Waiting", "Z": "Zombie"}
EVERY_STATE = (*STATES.values(), "Other")


class Reading(NamedTuple):
    """What each says, Series -> value, in the order in which they were asked."""

    psutil_before: dict
    ours_before: dict
    theirs: dict
    ours_after: dict
    psutil_after: dict


def told_by_psutil(group, pid):
    """The series of a group that is this process alone."""
    process = psutil.Process(pid)
    with process.oneshot():
        times, memory, io = process.cpu_times(), process.memory_full_info(), process.io_counters()
        threads = [psutil.Process(thread.id).num_ctx_switches() for thread in process.threads()]
        letter = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        values = {
            ("num_procs",): 1,
            ("num_threads",): process.num_threads(),
            ("cpu_seconds_total", "mode", "user"): times.user,
            ("cpu_seconds_total", "mode", "system"): times.system,
            ("memory_bytes", "memtype", "resident"): memory.rss,
            ("memory_bytes", "memtype", "virtual"): memory.vms,
            ("memory_bytes", "memtype", "swapped"): memory.swap,
            ("open_filedesc",): process.num_fds(),
            ("read_bytes_total",): io.read_bytes,
            ("write_bytes_total",): io.write_bytes,
            ("context_switches_total", "ctxswitchtype", "voluntary"):
                sum(switches.voluntary for switches in threads),
            ("context_switches_total", "ctxswitchtype", "nonvoluntary"):
                sum(switches.involuntary for switches in threads),
            ("oldest_start_time_seconds",): process.create_time(),
        }
    with contextlib.suppress(psutil.AccessDenied):  # CAP_SYS_RESOURCE, for a process of another.
        values["worst_fd_ratio",] = values["open_filedesc",] / process.rlimit(
            psutil.RLIMIT_NOFILE)[0]
    values |= {("states", "state", state): STATES.get(letter, "Other") == state
               for state in EVERY_STATE}
    return {
        Series(f"namedprocess_namegroup_{name}", frozenset({("groupname", group), *([label] if any(
            label) else [])})): value
        for (name, *label), value in values.items() for label in [tuple(label)]}


class World:
    """All of them at work beside the same processes, which have done all that they do."""

    def __init__(self, stack):
        self.workload = Workload()
        config = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "groups.yml"
        config.write_text(json.dumps({"process_names": self.workload.rules}))  # JSON is YAML, too.
        flags = (f"--collector.process.config={config}", *OUR_FLAGS)
        self.exporters, self.refused = {}, {}
        for source in SOURCES:
            try:
                self.exporters[source] = stack.enter_context(start_exporter(source, *flags))
            except unittest.SkipTest as skip:
                self.refused[source] = skip
        self._peer = stack.enter_context(ProcessExporter(config))
        stack.enter_context(self.workload)
        self.their_families()  # From here on it knows the groups.
        # It has starts to a second, and counts of what seems older only what it uses from then on.
        from_now_on = time.monotonic() + 1
        for source in self.exporters:
            wait_for("all groups", lambda: self.workload.groups <= groups_of(
                self.our_samples(source)))  # pylint: disable=cell-var-from-loop
        self.first = {source: self.read(source) for source in self.exporters}
        wait_for("a later second", lambda: time.monotonic() > from_now_on)
        self.workload.begin()

    def their_families(self):
        return parse(self._peer.page(), TEXT)

    def our_samples(self, source):
        return series_of(Page(self.exporters[source]).families)

    def psutil_samples(self):
        samples = {}
        for group, pid in self.workload.alone.items():
            samples |= told_by_psutil(group, pid)
        return samples

    def read(self, source):
        return Reading(
            self.psutil_samples(),
            self.our_samples(source),
            series_of(self.their_families()),
            self.our_samples(source),
            self.psutil_samples(),
        )


def setUpModule():
    stack = unittest.enterModuleContext(contextlib.ExitStack())
    Peers.world = World(stack)


class Peers:
    """The tests; a subclass says the source."""

    source = None
    world = None

    def setUp(self):
        if self.source in self.world.refused:
            raise self.world.refused[self.source]
        self.workload = self.world.workload
        self.first = self.world.first[self.source]

    def read(self):
        return self.world.read(self.source)

    @classmethod
    def is_served(cls, series):
        return not any(cls.source in missing.sources and missing.has(series)
                       for missing in MISSING)

    def test_families_and_series_are_process_exporters(self):
        theirs = self.world.their_families()
        ours = Page(self.world.exporters[self.source]).families
        self.assertEqual(groups_of(series_of(theirs)), self.workload.groups)
        for name, family in theirs.items():
            served = {series for series in family.samples if self.is_served(series)}
            self.assertEqual(set(ours[name].samples) if name in ours else set(), served)
            if served:
                self.assertEqual(ours[name].type, family.type, name)

    def test_all_that_is_listed_as_missing_is(self):
        theirs = series_of(self.world.their_families())
        ours = self.world.our_samples(self.source)
        for missing in MISSING:
            if self.source in missing.sources:
                self.assertTrue(any(map(missing.has, theirs)), missing)
                self.assertFalse(any(map(missing.has, ours)), missing)

    def test_values_are_process_exporters(self):
        def slack(series):
            processes = self.first.theirs[
                Series("namedprocess_namegroup_num_procs", groupname_of(series))]
            if ("memtype", "resident") in series.labels:
                return 2 * processes * rss_error_bytes()
            if series.name.endswith("_oldest_start_time_seconds"):
                return 1  # They have full seconds.
            return MODES_SECONDS if series.name.endswith("cpu_seconds_total") else 0

        grown = set()

        def find_differences():
            last = self.read()
            found = {}
            for series in filter(self.is_comparable, last.theirs):
                bounds = (last.ours_before, last.ours_after)
                if not series.name.endswith("_total"):
                    found |= difference(series, last.theirs, bounds, slack(series))
                    continue
                growth = last.theirs[series] - self.first.theirs[series]
                grown.update([series.name] if growth > 0 else [])
                self.assert_grew(series, growth, last, slack(series))
            return found

        self.assertEqual(lasting(find_differences, ROUNDS), "")
        counters = {series.name for series in self.first.theirs
                    if self.is_served(series) and series.name.endswith("_total")}
        self.assertLessEqual(counters - grown, set(OF_STORAGE))

    def is_comparable(self, series):
        return (groupname_of(series) and self.is_served(series) and not any(
                    self.source in other.sources and other.has(series) for other in OTHERWISE))

    def assert_grew(self, series, growth, last, slack):
        """By what ours grew: each of their readings was between two of ours."""
        low = last.ours_before[series] - self.first.ours_after[series]
        high = last.ours_after[series] - self.first.ours_before[series]
        self.assertLessEqual(low, growth + slack, series)
        self.assertGreaterEqual(high, growth - slack, series)

    def test_values_are_psutils(self):
        def slack(series):
            if ("memtype", "resident") in series.labels and not has_exact_statm():
                return 2 * rss_error_bytes()
            return MODES_SECONDS if series.name.endswith("cpu_seconds_total") else 0

        def find_differences():
            last = self.read()
            found = {}
            for series in filter(self.is_comparable, last.psutil_before):
                if not series.name.endswith("_total"):
                    bounds = (last.psutil_before, last.psutil_after)
                    found |= difference(series, last.ours_before, bounds, slack(series))
                    continue
                growth = last.ours_before[series] - self.first.ours_before[series]
                low = last.psutil_before[series] - self.first.psutil_after[series]
                high = last.psutil_after[series] - self.first.psutil_before[series]
                self.assertLessEqual(low, growth + slack(series), series)
                self.assertGreaterEqual(high, growth - slack(series), series)
            return found

        self.assertEqual(lasting(find_differences, ROUNDS), "")

    def test_cpu_time_is_psutils_to_a_tick(self):
        last = self.read()

        def cpu_seconds(samples, group):
            return sum(value for series, value in samples.items()
                       if series.name == "namedprocess_namegroup_cpu_seconds_total"
                       and ("groupname", group) in series.labels)

        for group in self.workload.alone:
            before, ours, after = (cpu_seconds(samples, group) for samples in (
                last.psutil_before, last.ours_before, last.psutil_after))
            first = cpu_seconds(self.first.ours_before, group)
            self.assertGreaterEqual(
                ours - first,
                before - cpu_seconds(self.first.psutil_after, group) - 2 * TICK_SECONDS, group)
            self.assertLessEqual(
                ours - first,
                after - cpu_seconds(self.first.psutil_before, group) + 2 * TICK_SECONDS, group)
        self.assertGreater(cpu_seconds(last.ours_after, unique("cpu")), 0.25)


def groups_of(samples):
    return {dict(series.labels).get("groupname") for series in samples
            if series.name == "namedprocess_namegroup_num_procs"}


def groupname_of(series):
    return frozenset(label for label in series.labels if label[0] == "groupname")


def difference(series, samples, bounds, slack):
    """Series -> why, where the value is not within the bounds."""
    value, (low, high) = samples.get(series), (bound.get(series) for bound in bounds)
    if None not in (low, value, high) and is_between(low, value, high, slack):
        return {}
    return {series: f"{series} is {value}, not {low} to {high}"}


class BpfTest(Peers, unittest.TestCase):
    source = "bpf"


class TaskstatsTest(Peers, unittest.TestCase):
    source = "taskstats"


class ProcTest(Peers, unittest.TestCase):
    source = "proc"


if __name__ == "__main__":
    unittest.main()
