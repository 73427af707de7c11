#!/usr/bin/python3
"""Threads and proportional memory of groups beside what process-exporter tells of them."""

import ctypes
import json
import mmap
import os
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

from child_process import Child
from exporter_process import wait_for
from exposition import TEXT, parse
from peers import ProcessExporter
from process_page import start_exporter

FLAGS = (
    "--collector.process.threads=true",
    "--collector.process.smaps=true",
)
PREFIX = "namedprocess_namegroup_"
THREADS = {"loader": 3, "spinner": 1}
SPIN_SECONDS = 0.3
HELD_BYTES = 20 << 20
MEMORY_SLACK_BYTES = 4 << 20
TICK_SECONDS = 0.02  # Of a clock that counts 10 ms, a beginning and an end.
_PR_SET_NAME = 15


def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class ThreadedChild:
    """A child with THREADS beside its main one, and one more of the name "ender". All sleep; told
    to work, the spinner and the ender do, and told to end, the ender does."""

    def __init__(self):
        self._gates = {name: os.pipe() for name in ("spinner", "ender", "end", "never")}
        self._child = Child(f"threads-{os.getpid()}", self._live)
        self.comm = self._child.comm

    def __enter__(self):
        self._child.__enter__()
        self._child.begin()
        self.wait_for_sleep(len(self._names()) + 1)
        return self

    def __exit__(self, *_):
        self._child.__exit__()
        for ends in self._gates.values():
            for end in ends:
                os.close(end)

    def work(self):
        for name in ("spinner", "ender"):
            self._open(name)
        wait_for("their work", lambda: all(
            self._cpu_seconds(name) >= SPIN_SECONDS - TICK_SECONDS
            for name in ("spinner", "ender")), 20.0)
        self.wait_for_sleep(len(self._names()) + 1)

    def end_one(self):
        self._open("end")
        self.wait_for_sleep(len(self._names()))

    def wait_for_sleep(self, threads):
        def stats():
            return [path.read_text() for path in self._tasks()]

        wait_for(f"{threads} threads asleep",
                 lambda: len(stats()) == threads and all(") S " in stat for stat in stats()), 20.0)

    @staticmethod
    def _names():
        return [name for name, count in THREADS.items() for _ in range(count)] + ["ender"]

    def _live(self):
        with mmap.mmap(-1, HELD_BYTES) as memory:
            memory.write(bytes(HELD_BYTES))
            for name in self._names():
                threading.Thread(target=self._run, args=(name,), daemon=True).start()
            signal.pause()

    def _run(self, name):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)
        self._pass(name if name in self._gates else "never")
        spin(SPIN_SECONDS)
        self._pass("end" if name == "ender" else "never")

    def _open(self, gate):
        os.write(self._gates[gate][1], b"!")

    def _pass(self, gate):
        os.read(self._gates[gate][0], 1)

    def _tasks(self):
        return Path(f"/proc/{self._child.pid}/task").glob("*/stat")

    def _cpu_seconds(self, name):
        for path in self._tasks():
            text = path.read_text()
            if f"({name})" in text:
                user, system = text.rpartition(")")[2].split()[11:13]
                return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        raise AssertionError(f"no thread {name}")


class Told:
    """What a page tells of the group."""

    def __init__(self, page, comm):
        self._families = parse(page, TEXT)
        self.samples = {
            (name.removeprefix(PREFIX), key.labels - {("groupname", comm)}): value
            for name, family in self._families.items()
            for key, value in family.samples.items() if ("groupname", comm) in key.labels
        }

    def kind(self, family):
        return self._families[PREFIX + family].type

    def of(self, family, **labels):
        return self.samples.get((family, frozenset(labels.items())))

    def of_threads(self):
        """The samples of single threads."""
        return {key: value for key, value in self.samples.items()
                if key[0].startswith("thread_")}


class ProcessDetailsTest(unittest.TestCase):
    def start(self, source):
        exporter = self.enterContext(start_exporter(source, *FLAGS))
        return lambda: Told(exporter.get()[2], self.child.comm)

    def setUp(self):
        self.child = self.enterContext(ThreadedChild())
        self.ours = {source: self.start(source) for source in ("auto", "proc")}
        # Only this one, as a name that is no UTF-8 ends it.
        config = Path(self.enterContext(tempfile.TemporaryDirectory())) / "groups.yml"
        config.write_text(json.dumps(
            {"process_names": [{"name": "{{.Comm}}", "comm": [self.child.comm]}]}))
        peer = self.enterContext(ProcessExporter(config))
        self.theirs = lambda: Told(peer.page(), self.child.comm)

    def test_threads_are_process_exporters(self):
        pages = (*self.ours.values(), self.theirs)
        first = [page() for page in pages]
        self.child.work()
        before = [page() for page in self.ours.values()]
        theirs = self.theirs()
        for source, start, earlier, page in zip(self.ours, first, before, self.ours.values()):
            with self.subTest(source):
                self.assert_like_peer(start, (earlier, page()), first[-1], theirs)

    def assert_like_peer(self, our_first, ours, their_first, theirs):
        expected = theirs.of_threads()
        self.assertEqual(set(ours[1].of_threads()), set(expected))
        self.assertEqual({dict(labels)["threadname"] for _, labels in expected},
                         {*THREADS, "ender", self.child.comm})
        for key, value in expected.items():
            kind = theirs.kind(key[0])
            self.assertEqual(ours[1].kind(key[0]), kind)
            is_counter = kind == "counter"
            low, high = (page.samples[key] - is_counter * our_first.samples[key] for page in ours)
            growth = value - is_counter * their_first.samples[key]
            slack = TICK_SECONDS if key[0] == "thread_cpu_seconds_total" else 0
            self.assertLessEqual(low, growth + slack, key)
            self.assertGreaterEqual(high, growth - slack, key)
        # Theirs has the main thread twice.
        self.assertEqual(self.wait_channels(ours[1]), len(THREADS) + 4)
        self.assertEqual(self.wait_channels(theirs), len(THREADS) + 5)

    @staticmethod
    def wait_channels(told):
        return sum(value for (family, _), value in told.samples.items()
                   if family == "threads_wchan")

    def test_what_threads_used_is_theirs_and_stays_when_they_end(self):
        for page in self.ours.values():
            page()
        self.child.work()
        for source, page in self.ours.items():
            with self.subTest(source):
                told = page()
                self.assertEqual(told.of("thread_count", threadname="loader"), THREADS["loader"])
                for name, seconds in (("spinner", SPIN_SECONDS), ("ender", SPIN_SECONDS),
                                      ("loader", 0)):
                    self.assertAlmostEqual(self.cpu_seconds(told, name), seconds,
                                           delta=0.1 * SPIN_SECONDS, msg=name)
        used = {source: self.cpu_seconds(page(), "ender") for source, page in self.ours.items()}
        self.child.end_one()
        for source, page in self.ours.items():
            with self.subTest(source):
                told = page()
                self.assertEqual(told.of("thread_count", threadname="ender"), 0)
                self.assertGreaterEqual(self.cpu_seconds(told, "ender"), used[source])
                self.assertEqual(told.of("thread_count", threadname="spinner"), 1)

    @staticmethod
    def cpu_seconds(told, name):
        return sum(told.of("thread_cpu_seconds_total", threadname=name, mode=mode)
                   for mode in ("user", "system"))

    def test_proportional_memory_is_process_exporters(self):
        for source, page in self.ours.items():
            for memtype, least in (("proportionalResident", HELD_BYTES),
                                   ("proportionalSwapped", 0)):
                with self.subTest(source, memtype=memtype):
                    # The first page need not wait until everybody's is read.
                    wait_for("its memory", lambda told=page, kind=memtype: (
                        told().of("memory_bytes", memtype=kind) is not None), 20.0, pause=0.1)
                    # What is shared with others changes as they come and go.
                    ours, theirs, after = (told().of("memory_bytes", memtype=memtype)
                                           for told in (page, self.theirs, page))
                    self.assertGreaterEqual(ours, least)
                    self.assertGreaterEqual(theirs, min(ours, after) - MEMORY_SLACK_BYTES)
                    self.assertLessEqual(theirs, max(ours, after) + MEMORY_SLACK_BYTES)


if __name__ == "__main__":
    unittest.main()
