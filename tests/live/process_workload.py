"""Processes of known names that together show every value of a process: each does its work once
told to and then stays as it is, until the context is left."""

import contextlib
import ctypes
import mmap
import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from child_process import Child
from exporter_process import wait_for

_HELD_BYTES = 20 << 20
_FILE_BYTES = 3 << 20
_CLONE_VFORK = 0x4000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_PR_SET_NAME = 15


def unique(what):
    """A name that no other process has, of at most 15 bytes."""
    return f"{what}-{os.getpid()}"


def _use_cpu(seconds=0.3):
    start = time.process_time()
    while time.process_time() - start < seconds:
        os.urandom(1 << 12)  # For the system's time.
        sum(range(20_000))  # For the user's.


def _hold_memory():
    memory = mmap.mmap(-1, _HELD_BYTES)
    memory.write(bytes(_HELD_BYTES))
    globals()["_held"] = memory


def _use_disk():
    """Bytes to and from storage, and faults that wait for it, where the file system has a disk."""
    with tempfile.TemporaryFile(dir=os.environ["CACHE_DIR"]) as file:
        file.write(os.urandom(_FILE_BYTES))
        for _ in range(2):
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(file.fileno(), _FILE_BYTES, prot=mmap.PROT_READ) as memory:
                memory.madvise(mmap.MADV_RANDOM)
                memory.read()


def _reap_child():
    """A child of the same group that used the disk, and is no more."""
    child = os.fork()
    if child == 0:
        try:
            _use_disk()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _switch_contexts():
    for _ in range(200):
        time.sleep(0.0005)
        os.sched_yield()


def _open_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))
    globals()["_opened"] = [os.open(os.devnull, os.O_RDONLY) for _ in range(80)]


def _start_threads():
    ready = threading.Barrier(4)

    def work():
        _use_cpu(0.3)
        ready.wait()
        threading.Event().wait()

    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    ready.wait()


def _become_nobody():
    os.setresuid(*3 * [pwd.getpwnam("nobody").pw_uid])


def _leave_zombie():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)


def _fork_leaf():
    """A child of another name, which no rule has."""
    parent = os.getpid()
    ready, is_ready = os.pipe()
    if os.fork() == 0:
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NAME, unique("leaf").encode())
        _die_with(parent)
        _use_cpu(0.1)
        os.write(is_ready, b"!")
        _sleep()
    os.read(ready, 1)


def _die_with(parent):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def _nothing():
    pass


def _sleep():
    while True:
        signal.pause()


def _spin():
    while True:
        pass


def _stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def _wait_for_vfork():
    """State D: until a child made like vfork's has ended, which it never does."""
    parent = os.getpid()
    number = _SYS_CLONE[os.uname().machine]
    # Its memory is its own, unlike vfork's, so that Python can go on in it.
    if ctypes.CDLL(None).syscall(number, _CLONE_VFORK | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        _die_with(parent)
        _sleep()


# Name: what it does, how it stays, its state then, and whether it is one process.
_KINDS = {
    "idle": (_nothing, _sleep, "S", True),
    "cpu": (_use_cpu, _sleep, "S", True),
    "memory": (_hold_memory, _sleep, "S", True),
    "disk": (_use_disk, _sleep, "S", True),
    "switches": (_switch_contexts, _sleep, "S", True),
    "files": (_open_files, _sleep, "S", True),
    "threads": (_start_threads, _sleep, "S", True),
    "nobody": (_become_nobody, _sleep, "S", True),
    "running": (_nothing, _spin, "R", True),
    "stopped": (_nothing, _stop, "T", True),
    "zombie": (_leave_zombie, _sleep, "S", False),
    "reaper": (_reap_child, _sleep, "S", False),
    "tree": (_fork_leaf, _sleep, "S", False),
    "vfork": (_nothing, _wait_for_vfork, "D", False),
}


class Workload:
    """`rules` are for process-exporter's configuration; `alone` has the pid of each group that is
    one process."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self._directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._children = {}
        self._done, self._is_done = os.pipe()
        nap, doze = (str(self._directory / unique(name)) for name in ("nap", "doze"))
        for program in (nap, doze):
            shutil.copy("/bin/sleep", program)
        self._programs = {
            f"{unique('nap')};root;1000;7.25": [nap, "1000", "7.25"],
            f"{unique('nap')};root;2000;8": [nap, "2000", "8"],
            doze: [doze, "3000"],
        }
        self.rules = [
            {"name": "{{.Comm}}", "comm": [unique(kind) for kind in _KINDS]},
            {
                "name": "{{.ExeBase}};{{.Username}};{{.Matches.first}};{{.Matches.second}}",
                "exe": [nap],
                "cmdline": [r"nap-\d+ (?P<first>\d+)", r" (?P<second>[0-9.]+)$"],
            },
            {"name": "{{.ExeFull}}", "exe": [Path(doze).name]},
        ]
        self.groups = {*map(unique, _KINDS), *self._programs}
        self.alone = {}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.push(self._stack)
            self._start()
            stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def begin(self):
        """All work is done when it returns."""
        for child in self._children.values():
            child.begin()
        missing = len(self._children)
        while missing:
            missing -= len(os.read(self._done, missing))
        for kind, child in self._children.items():
            self._wait_until(child.pid, _KINDS[kind][2])

    def _start(self):
        for kind, (work, stay, _, is_alone) in _KINDS.items():
            child = self._stack.enter_context(Child(unique(kind), self._stage(work, stay)))
            self._children[kind] = child
            self._wait_until(child.pid, "S")
            if is_alone:
                self.alone[child.comm] = child.pid
        for group, command in self._programs.items():
            program = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command])
            self._stack.callback(program.wait)
            self._stack.callback(program.kill)
            comm = Path(command[0]).name
            wait_for("its exec", lambda: psutil.Process(program.pid).name() == comm)
            self._wait_until(program.pid, "S")
            self.alone[group] = program.pid

    def _stage(self, work, stay):
        def all_of_it():
            work()
            os.write(self._is_done, b"!")
            stay()

        return all_of_it

    def _wait_until(self, pid, state):
        stat = Path(f"/proc/{pid}/stat")
        wait_for(f"{pid} in state {state}", lambda: f") {state} " in stat.read_text(), 10)
