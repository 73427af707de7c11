#!/usr/bin/python3
"""Groups of processes beside what the kernel tells the parent of them.

What lives between two scrapes must be counted once, with all it used, wherever BPF tells of it.
"""

import mmap
import os
import pwd
import resource
import shutil
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

from child_process import Child, cpu_of
from exporter_process import wait_for
from injuries import small_memory_group
from process_herd import Herd
from process_page import Page, start_exporter

POLL_SECONDS = 15.0
SHORT_PROCESSES = 2000
BUSY_PROCESSES = 200
MEMORY_BYTES = 500 << 20
HOLD_SECONDS = 0.1
BURN_SECONDS = 0.5
# Of a script: its processes have the script's name.
BUSY_SCRIPT = "#!/bin/sh\ni=0\nwhile [ $i -lt 4000 ]; do i=$((i + 1)); done\n"


def unique(what):
    return f"{what}-{os.getpid()}"  # within the 15 characters of a comm


def spin(seconds=BURN_SECONDS):
    while time.process_time() < seconds:
        pass


def grow_for_a_moment():
    with mmap.mmap(-1, MEMORY_BYTES) as memory:
        for page in range(0, MEMORY_BYTES, mmap.PAGESIZE):
            memory[page] = 1
        time.sleep(HOLD_SECONDS)


class ProcessTest(unittest.TestCase):
    def start(self, source="bpf"):
        """An exporter that knows all that runs now; skips where the kernel lacks the source."""
        return self.enterContext(start_exporter(source))

    def wait_for_page(self, exporter, what, condition):
        """The first page that `condition` is true of."""
        last = None

        def find():
            nonlocal last
            last = Page(exporter)
            return last if condition(last) else None

        def details():
            return "\n".join(
                f"{key} {value}" for name, family in last.families.items()
                for key, value in family.samples.items()
                if value and name.startswith(("host_process_", "namedprocess_namegroup_num_p"))
                and (f"-{os.getpid()}" in str(key)
                     or dict(key.labels).get("groupname", "other") == "other"))

        return wait_for(what, find, POLL_SECONDS, details, pause=0.1)

    def wait_for_exits(self, exporter, group, count):
        page = self.wait_for_page(exporter, f"{count} exits of {group}",
                                  lambda page: sum(page.exits(group).values()) >= count)
        self.assertEqual(page.of("host_process_exits_lost_total"), 0)
        return page

    def settled_page(self, exporter):
        """A page of two samples later: what was counted twice would show."""
        walks = Page(exporter).of("host_process_walks_total")
        time_of_samples = time.monotonic() + 2.0
        return self.wait_for_page(exporter, "two samples more", lambda page: (
            time.monotonic() >= time_of_samples
            and page.of("host_process_walks_total") > walks + 2))

    def storm_programs(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        short, busy = (directory / kind / unique("storm") for kind in ("short", "busy"))
        for program in (short, busy):
            program.parent.mkdir()
        shutil.copy("/bin/true", short)
        busy.write_text(BUSY_SCRIPT)
        busy.chmod(0o755)
        programs = [short] * SHORT_PROCESSES
        step = SHORT_PROCESSES // BUSY_PROCESSES
        for number in range(BUSY_PROCESSES):
            programs.insert(number * (step + 1), busy)
        return programs

    def test_a_storm_between_two_scrapes_is_counted_exactly(self):
        programs = self.storm_programs()
        reported, report = os.pipe()

        def storm():
            before = resource.getrusage(resource.RUSAGE_SELF)
            for program in programs:
                child = os.posix_spawn(program, [program.name], {})
                os.waitpid(child, 0)
            used = [cpu_of(resource.getrusage(whose))
                    for whose in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
            os.write(report, f"{used[0]} {used[1] - cpu_of(before)}".encode())
            signal.pause()

        exporter = self.start()
        parent = self.enterContext(Child(unique("parent"), storm))
        groups = (unique("storm"), parent.comm)
        before = self.wait_for_page(exporter, "the parent", lambda page: page.of(
            "namedprocess_namegroup_num_procs", groupname=parent.comm))
        parent.begin()
        of_children, of_parent = map(float, os.read(reported, 100).split())
        os.close(reported)
        os.close(report)

        # A child that a sample saw before its exec is of its parent's name until the next one.
        def grown(page, value):
            return sum(value(page, group) - value(before, group) for group in groups)

        def exits(page, group):
            return sum(page.exits(group).values())

        self.wait_for_page(exporter, "all exits",
                           lambda page: grown(page, exits) >= len(programs))
        after = self.settled_page(exporter)
        for value in (exits, Page.started):
            self.assertEqual(grown(after, value), len(programs))
        self.assertLessEqual(exits(after, parent.comm), 10)
        self.assertEqual(after.exits(groups[0])["normal"], exits(after, groups[0]))
        self.assertEqual(after.of("host_process_exits_lost_total"), 0)
        lacking = 0.01 + after.of("host_process_exits_unseen_total") / len(programs)
        self.assertAlmostEqual(grown(after, Page.cpu_seconds) - of_parent, of_children,
                               delta=lacking * of_children + 0.001)

    def test_memory_held_for_a_moment_is_a_peak(self):
        exporter = self.start()
        with Child(unique("memory"), grow_for_a_moment) as child:
            self.assertEqual(child.finish()[0], 0)
            page = self.wait_for_exits(exporter, child.comm, 1)
        for seen in (page, Page(exporter)):
            peak = seen.of("host_process_group_memory_peak_bytes", groupname=child.comm)
            self.assertGreaterEqual(peak, MEMORY_BYTES)
            self.assertLess(peak, MEMORY_BYTES * 1.1)

    def test_exits_are_told_apart(self):
        exporter = self.start()
        name = unique("reason")
        for work in (lambda: 0, lambda: 3, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            with Child(name, work) as child:
                child.finish()
        page = self.wait_for_exits(exporter, name, 3)
        self.assertEqual(page.exits(name), {"normal": 1, "error": 1, "signal": 1, "oom": 0})

    def test_a_victim_of_the_oom_killer_is_told_apart(self):
        group = self.enterContext(small_memory_group())
        if group is None:
            self.skipTest("no memory control group can be made here")
        exporter = self.start()

        def outgrow():
            (group / "cgroup.procs").write_text("0")
            grow_for_a_moment()

        with Child(unique("oom"), outgrow) as child:
            self.assertEqual(child.finish()[0], -signal.SIGKILL)
        page = self.wait_for_exits(exporter, child.comm, 1)
        self.assertEqual(page.exits(child.comm), {"normal": 0, "error": 0, "signal": 0, "oom": 1})

    def test_a_process_that_is_gone_is_at_the_top(self):
        exporter = self.start()
        with Child(unique("top"), spin) as child:
            _, used = child.finish()
        page = self.wait_for_exits(exporter, child.comm, 1)
        samples = page.families["host_top_process_cpu_seconds"].samples
        found = {dict(series.labels)["user"]: value for series, value in samples.items()
                 if {("pid", str(child.pid)), ("comm", child.comm)} <= series.labels}
        self.assertEqual(list(found), [pwd.getpwuid(os.getuid()).pw_name])
        self.assertAlmostEqual(*found.values(), used, delta=0.02 * used)

    def test_who_is_born_while_it_starts_is_there_once(self):
        herd, is_started = Herd(unique("born")), threading.Event()
        names = [0]

        def add_names():
            while not is_started.wait(0.0002):
                herd.add(unique("born").encode())
                names[0] += 1

        adding = threading.Thread(target=add_names)
        adding.start()
        try:
            exporter = self.start()
        finally:
            is_started.set()
            adding.join()
            self.enterContext(herd)
        page = self.wait_for_page(exporter, "all", lambda page: page.of(
            "namedprocess_namegroup_num_procs", groupname=unique("born")) >= names[0])
        self.assertEqual(
            page.of("namedprocess_namegroup_num_procs", groupname=unique("born")), names[0])

    def test_without_bpf_the_same_groups_have_no_exits(self):
        exporters = [self.start(source) for source in ("proc", "bpf")]
        with Child(unique("proc"), signal.pause) as child:
            pages = [Page(exporter) for exporter in exporters]
        page = pages[0]
        for name in ("num_procs", "num_threads"):
            values = [page.of(f"namedprocess_namegroup_{name}", groupname=child.comm)
                      for page in pages]
            self.assertEqual(values, [1, 1], name)
        self.assertEqual(page.of("host_process_exit_source", source="parents"), 1)
        self.assertEqual(pages[1].of("host_process_exit_source", source="bpf"), 1)
        self.assertNotIn("host_process_exited_total", page.families)
        self.assertNotIn("host_process_exits_lost_total", page.families)


if __name__ == "__main__":
    unittest.main()
