#!/usr/bin/python3
"""20,000 short processes between two scrapes, beside 1,000 that sleep: what each source of processes
tells of them is set beside what the kernel told their parents. process-exporter watches, too.

Environment: ACCOUNTED_STORM, the program accounted_storm; CACHE_DIR, a directory on a disk.
"""

import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from exporter_process import wait_for
from exposition import TEXT, parse, value_of
from peers import ProcessExporter
from process_page import Page, start_exporter

CHILDREN = 20_000
SLEEPERS = 1000
SOURCES = ("bpf", "taskstats", "proc")
SETTLE_SECONDS = 45.0
REASONS = ("normal", "error", "signal")
COLUMNS = ("exited", "started", "cpu_seconds", "read_bytes", "write_bytes", "unattributed")


def busy_seconds():
    """What the host's CPUs spent on processes so far: user, nice and system of /proc/stat."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


class Storm:
    """The program: its processes are there, and the storm is to begin."""

    def __init__(self, stack):
        self.tag = f"s{os.getpid()}"
        directory = os.environ["CACHE_DIR"]
        os.makedirs(directory, exist_ok=True)
        file = stack(tempfile.NamedTemporaryFile(dir=directory))
        self._process = stack(subprocess.Popen(
            [os.environ["ACCOUNTED_STORM"], self.tag, str(CHILDREN), str(SLEEPERS), file.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert self._process.stdout.readline() == b"ready\n"

    def run(self):
        """What the parents know in the end, of each: see the program."""
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Seen:
    """What one page has more than one before it."""

    def __init__(self, before, after):
        self._before = before
        self._after = after

    def of(self, name, **labels):
        return (self._after.of(name, **labels) or 0) - (self._before.of(name, **labels) or 0)

    def exits(self, group):
        return {reason: self.of("host_process_exited_total", groupname=group, reason=reason)
                for reason in REASONS}

    def sum(self, name, parents, **labels):
        """Of the children. One that was seen before it had its name is its parent's until then, so
        the parents' are in the sum."""
        return sum(self.of(name, groupname=parent[which], **labels)
                   for parent in parents for which in ("group", "parent"))

    def started(self, parents):
        return self.sum("host_process_started_total", parents)

    def exited(self, parents):
        return sum(sum(self.exits(parent["group"]).values()) for parent in parents)

    def cpu_seconds(self, parents):
        """Of the children alone."""
        return sum(self.sum("namedprocess_namegroup_cpu_seconds_total", parents, mode=mode)
                   for mode in ("user", "system")) - sum(
                       parent["own_cpu_seconds"] for parent in parents)

    def read_bytes(self, parents):
        return self.sum("namedprocess_namegroup_read_bytes_total", parents)

    def write_bytes(self, parents):
        return self.sum("namedprocess_namegroup_write_bytes_total", parents)

    def unattributed(self, _parents):
        return self.of("host_process_unattributed_cpu_seconds_total")

    def lost(self):
        return self.of("host_process_exits_lost_total")


class PeerPage:
    """process-exporter's page, asked as ours is."""

    def __init__(self, families):
        self._families = families

    def of(self, name, **labels):
        return value_of(self._families, name, **labels)


class Peer:
    """process-exporter; without a page where it dies, as it does of names of other processes."""

    def __init__(self, stack):
        try:
            self._server = stack(ProcessExporter())
        except AssertionError as error:
            print(f"no process-exporter: {error}")
            self._server = None

    def page(self):
        if self._server is None:
            return None
        try:
            return PeerPage(parse(self._server.page(), TEXT))
        except OSError as error:
            print(f"no page of process-exporter: {error}\n{self._server.log()}")
            return None


class StormTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        peer = Peer(cls.enterClassContext)
        storm = Storm(cls.enterClassContext)
        cls.exporters, cls.refusals, before = {}, {}, {}
        for source in SOURCES:
            try:
                cls.exporters[source] = cls.enterClassContext(start_exporter(source))
            except (AssertionError, unittest.SkipTest) as refusal:
                cls.refusals[source] = refusal
        peer_before = peer.page()
        busy_before = busy_seconds()
        cls.before = {source: Page(exporter) for source, exporter in cls.exporters.items()}
        began = time.monotonic()
        cls.parents = storm.run()
        cls.seconds = time.monotonic() - began
        cls.wait_until_told()
        cls.busy_seconds = busy_seconds() - busy_before
        cls.seen = {source: Seen(cls.before[source], Page(exporter))
                    for source, exporter in cls.exporters.items()}
        peer_after = peer.page()
        cls.peer = peer_before and peer_after and Seen(peer_before, peer_after)
        cls.print_all()

    @classmethod
    def wait_until_told(cls):
        """Until all exits are on all pages, and two samples more: what was counted twice would
        show. Without exits being told, only these."""
        def is_told(source):
            seen = Seen(cls.before[source], Page(cls.exporters[source]))
            return seen.exited(cls.parents) + seen.lost() >= CHILDREN

        deadline = time.monotonic() + SETTLE_SECONDS
        for source in set(cls.exporters) - {"proc"}:
            while not is_told(source) and time.monotonic() < deadline:
                time.sleep(0.2)
        settled = time.monotonic() + 2.0
        wait_for("two samples more", lambda: time.monotonic() > settled, pause=0.1)

    @classmethod
    def print_all(cls):
        truth = [CHILDREN, CHILDREN, *(sum(parent[key] for parent in cls.parents) for key in (
            "cpu_seconds", "read_bytes", "write_bytes"))]
        rows = {"parents": truth}
        peers = {"process-exporter": cls.peer} if cls.peer else {}
        for source, seen in {**cls.seen, **peers}.items():
            rows[source] = [getattr(seen, column)(cls.parents) for column in COLUMNS]
        print(f"\n{CHILDREN} processes in {cls.seconds:.1f} s; "
              f"the host was busy for {cls.busy_seconds:.2f} s")
        for name, values in {"": COLUMNS, **rows}.items():
            cells = (f"{value:.3f}" if isinstance(value, float) and value % 1 else str(value)
                     for value in values)
            print(f"{name:18}", *(f"{cell:>14}" for cell in cells))

    def seen_by(self, source):
        if source in self.refusals:
            raise self.refusals[source]
        return self.seen[source]

    def assert_cpu(self, seen, parents, share):
        used = sum(parent["cpu_seconds"] for parent in parents)
        self.assertAlmostEqual(seen.cpu_seconds(parents), used, delta=share * used)

    def test_bpf_tells_exactly_what_each_parent_knows(self):
        seen = self.seen_by("bpf")
        for parent in self.parents:
            with self.subTest(parent["parent"]):
                self.assertEqual(parent["children"], CHILDREN / len(self.parents))
                self.assert_counts(seen, parent, 0)
                for kind in ("read_bytes", "write_bytes"):
                    self.assertEqual(getattr(seen, kind)([parent]), parent[kind], kind)
                self.assert_cpu(seen, [parent], 0.01)
        self.assertEqual(seen.lost(), 0)
        self.assertLess(seen.unattributed(self.parents), 0.01 * self.busy_seconds)

    def assert_counts(self, seen, parent, lost):
        """`lost` of the exits may be missing, and none may be twice."""
        exits = seen.exits(parent["group"])
        for reason in REASONS:
            self.assertLessEqual(exits[reason], parent[reason], reason)
        for count in (sum(exits.values()), seen.started([parent])):
            self.assertLessEqual(count, parent["children"])
            self.assertGreaterEqual(count, parent["children"] - lost)

    def test_taskstats_tells_all_or_how_many_were_dropped(self):
        seen = self.seen_by("taskstats")
        for parent in self.parents:
            with self.subTest(parent["parent"]):
                self.assert_counts(seen, parent, seen.lost())
        if seen.lost() == 0:
            used = sum(parent["cpu_seconds"] for parent in self.parents)
            # A record is of before the memory is given back, which is much of so short a life.
            self.assertLess(seen.cpu_seconds(self.parents), 1.01 * used)
            self.assertGreater(seen.cpu_seconds(self.parents), 0.7 * used)

    def test_proc_tells_the_cpu_time_by_way_of_the_parents(self):
        seen = self.seen_by("proc")
        self.assert_cpu(seen, self.parents, 0.05)
        used = sum(parent["cpu_seconds"] for parent in self.parents)
        self.assertGreater(seen.cpu_seconds(self.parents) + seen.unattributed(self.parents),
                           0.95 * used)


if __name__ == "__main__":
    unittest.main()
