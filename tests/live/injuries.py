"""What a host suffers from, for the live tests of alerts: work that CPUs or memory cannot keep up
with, and a process that the kernel kills for its memory."""

import contextlib
import multiprocessing
import os
import re
import signal
import tempfile
import sys
import time
from pathlib import Path

from exporter_process import wait_for

_LONGEST_SECONDS = 60.0  # Should the test be killed, an injury ends by itself.
_END_SECONDS = 10.0
_SPINS = 1_000_000
_LIMIT_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_FILE_CHUNKS = 64
_LIMIT_FILES = ("memory.limit_in_bytes", "memory.max")  # Of control groups v1 and v2.


@contextlib.contextmanager
def _running(work, *args, processes=1):
    """`work` in processes of its own, until the block ends. They end by themselves: many that are
    killed are an injury of their own."""
    over = multiprocessing.Event()
    workers = [multiprocessing.Process(target=work, args=(over, *args)) for _ in range(processes)]
    try:
        for worker in workers:
            worker.start()
        yield workers
    finally:
        over.set()
        for worker in workers:
            if worker.pid:
                worker.join(_END_SECONDS)
                worker.kill()
                worker.join()


def cpu_burn():
    """More work than CPUs, until the block ends."""
    return _running(_spin, processes=2 * os.cpu_count())


@contextlib.contextmanager
def memory_pressure(group):
    """In that group everything waits for memory, until the block ends."""
    # Not /tmp, which may be in memory: without swap that cannot be taken back.
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        with _running(_overwrite, file.name, group):
            yield


def memory_spike(size_bytes, seconds):
    """That much memory is in use for so long."""
    with _running(_hold, size_bytes, seconds) as [worker]:
        worker.join(_LONGEST_SECONDS)
        assert worker.exitcode == 0, worker.exitcode


def error_exit():
    """One process that ends as it should not; of the group of this program."""
    process = multiprocessing.Process(target=sys.exit, args=(1,))
    process.start()
    process.join(_END_SECONDS)
    assert process.exitcode == 1


def oom_kill(group):
    """Has a process of that group killed by the kernel for want of memory."""
    with _running(_allocate, group) as [worker]:
        worker.join(_LONGEST_SECONDS)
        assert worker.exitcode == -signal.SIGKILL, worker.exitcode


@contextlib.contextmanager
def small_memory_group():
    """A control group of little memory; None where this host lets us make none."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if not filesystem.startswith(("cgroup ", "cgroup2 ")):
            continue
        path = Path(mount.split()[4]) / f"resource_exporter_test.{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            for limit in _LIMIT_FILES:
                if (path / limit).exists():
                    (path / limit).write_text(str(_LIMIT_BYTES))
                    yield path
                    return
        finally:
            _remove(path)
    yield None


def available_bytes():
    """Memory that programs could have, of /proc/meminfo."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return int(found[1]) << 10


def has_memory_pressure():
    """Whether the kernel tells how long was waited for memory."""
    try:
        return bool(Path("/proc/pressure/memory").read_text())
    except OSError:
        return False


def _spin(over):
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end and not over.is_set():
        for _ in range(_SPINS):  # To ask is to wait for a lock.
            pass


def _overwrite(over, path, group):
    """Writes a file that does not fit into the group's memory, again and again: each new page has
    to wait until an old one is on disk."""
    _enter(group)
    chunk = bytes(_CHUNK_BYTES)
    end = time.monotonic() + _LONGEST_SECONDS
    with open(path, "wb", buffering=0) as file:
        while time.monotonic() < end and not over.is_set():
            for number in range(_FILE_CHUNKS):
                os.pwrite(file.fileno(), chunk, number * _CHUNK_BYTES)


def _hold(_over, size_bytes, seconds):
    held = b"x" * size_bytes
    time.sleep(seconds)  # As long as memory is to be in use.
    del held


def _allocate(_over, group):
    _enter(group)
    swap = group / "memory.swap.max"  # Of v2; else what does not fit could go there.
    if swap.exists():
        swap.write_text("0")
    held = []
    while len(held) * _CHUNK_BYTES < 64 * _LIMIT_BYTES:
        held.append(b"x" * _CHUNK_BYTES)


def _enter(group):
    (group / "cgroup.procs").write_text("0")


def _remove(path):
    def is_gone():
        with contextlib.suppress(OSError):  # Busy: its last process has not quite left.
            path.rmdir()
        return not path.exists()

    wait_for("the control group's end", is_gone)
