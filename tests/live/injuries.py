"""What a host suffers from, for the live tests of alerts: work that CPUs or memory cannot keep up
with, and a process that the kernel kills for its memory."""

import contextlib
import itertools
import mmap
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
_LEAST = 19
_LIMIT_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_FILE_BYTES = 64 << 20
_VIEWS = 4
_WORK_SECONDS = 0.04
_REST_SECONDS = 0.06
# Of control groups v1 and v2.
_LIMIT_FILES = ("memory.limit_in_bytes", "memory.max")
_NO_SWAP_FILES = ("memory.swappiness", "memory.swap.max")
_QUOTA_FILES = ("cpu.cfs_quota_us", "cpu.max")


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


def usable_cpus():
    """How many CPUs this process and its children can keep busy: fewer than all where an affinity
    or the quota of a control group says so."""
    quotas = (_quota(directory) for directory in _own_groups())
    return min([len(os.sched_getaffinity(0)), *(quota for quota in quotas if quota)])


@contextlib.contextmanager
def memory_pressure(group):
    """In that group everything waits for memory, on each CPU, until the block ends. The wait is the
    kernel's own search for memory, which is one whatever else there is to run: a wait for a disk
    would count only while its CPU has nothing to do."""
    cpus = os.sched_getaffinity(0)
    _limit(group, len(cpus) * _LIMIT_BYTES)
    with contextlib.ExitStack() as stack:
        for cpu in cpus:
            stack.enter_context(_running(_outgrow_cache, group, cpu))
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
    for hierarchy in _hierarchies():
        path = hierarchy / f"resource_exporter_test.{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            if _limit(path, _LIMIT_BYTES):
                yield path
                return
        finally:
            _remove(path)
    yield None


def available_bytes():
    """Memory that programs could have, of /proc/meminfo."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return int(found[1]) << 10


def has_pressure():
    """Whether the kernel tells how long was waited for memory, CPUs and I/O."""
    try:
        return bool(Path("/proc/pressure/memory").read_text())
    except OSError:
        return False


def _spin(over):
    os.nice(_LEAST)  # Those who look at it have work to do, too.
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end and not over.is_set():
        for _ in range(_SPINS):  # To ask is to wait for a lock.
            pass


def _outgrow_cache(over, group, cpu):
    """Looks at each page of a file that does not fit into the group's memory, again and again: for
    a new one an old one has to go. It rests in between, lest CPUs are what is short."""
    os.sched_setaffinity(0, {cpu})
    _enter(group)
    # Not /tmp, which may be in memory: without swap that cannot be taken back.
    with tempfile.TemporaryFile(dir="/var/tmp", buffering=0) as file:
        file.truncate(_FILE_BYTES)  # One hole, so no disk has a part in this.
        # A page that is seen in several places is hardly dearer to get, but to take back.
        views = [mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) for _ in range(_VIEWS)]
        begins = itertools.cycle(range(0, _FILE_BYTES, _CHUNK_BYTES))
        end = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < end and not over.wait(_REST_SECONDS):
            rest = time.process_time() + _WORK_SECONDS
            while time.process_time() < rest:
                begin = next(begins)
                for view in views:
                    view[begin : begin + _CHUNK_BYTES : mmap.PAGESIZE]  # pylint: disable=W0104


def _hold(_over, size_bytes, seconds):
    held = b"x" * size_bytes
    time.sleep(seconds)  # As long as memory is to be in use.
    del held


def _allocate(_over, group):
    _enter(group)
    _write_one(group, _NO_SWAP_FILES, 0)  # Else what does not fit could go there.
    held = []
    while len(held) * _CHUNK_BYTES < 64 * _LIMIT_BYTES:
        held.append(b"x" * _CHUNK_BYTES)


def _enter(group):
    (group / "cgroup.procs").write_text("0")


def _limit(group, size_bytes):
    """Whether such a group can have a limit of memory; then it has."""
    return _write_one(group, _LIMIT_FILES, size_bytes)


def _write_one(group, names, value):
    """Into the file that there is of those; whether there is one."""
    for name in names:
        if (group / name).exists():
            (group / name).write_text(str(value))
            return True
    return False


def _hierarchies():
    """Where control groups are mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith(("cgroup ", "cgroup2 ")):
            yield Path(mount.split()[4])


def _own_groups():
    """Directories of the control groups that this process is in, and of those around them."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    inside = {line.split(":", 2)[2].strip("/") for line in lines}
    return {
        directory
        for hierarchy in _hierarchies()
        for path in inside
        # In a container the path may be the host's, and the mount is the group itself.
        for directory in (hierarchy, hierarchy / path, *(hierarchy / path).parents)
        if directory.is_relative_to(hierarchy) and directory.is_dir()
    }


def _quota(group):
    """CPUs that it may use; None where all."""
    for name in _QUOTA_FILES:
        if not (group / name).exists():
            continue
        quota, *period = (group / name).read_text().split()
        period = period or [(group / "cpu.cfs_period_us").read_text()]
        return float(quota) / float(period[0]) if quota not in ("max", "-1") else None
    return None


def _remove(path):
    def is_gone():
        with contextlib.suppress(OSError):  # Busy: its last process has not quite left.
            path.rmdir()
        return not path.exists()

    wait_for("the control group's end", is_gone)
