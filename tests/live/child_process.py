"""A child process with a name and a work of its own, for the live tests of processes."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def cpu_of(usage):
    """Seconds of user and system time together, of a struct rusage."""
    return usage.ru_utime + usage.ru_stime


class Child:
    """A child process of a name of its own that does `work` once told to; ended at the latest when
    the context is left. What `work` returns is its exit code."""

    def __init__(self, comm, work):
        self.comm = comm
        self._usage = None
        libc = ctypes.CDLL(None)
        told, self._tell = os.pipe()
        self._named, is_named = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            # No way back into the test.
            try:
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                libc.prctl(_PR_SET_NAME, ctypes.c_char_p(comm.encode()), 0, 0, 0)
                os.close(self._tell)
                os.write(is_named, b"!")
                os.read(told, 1)
                os._exit(work() or 0)
            finally:
                os._exit(99)
        os.close(told)
        os.close(is_named)
        os.read(self._named, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._usage is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._tell)
        os.close(self._named)

    def begin(self):
        os.write(self._tell, b"!")

    def finish(self):
        """Begins, and waits for the end: (exit code as subprocess has it, CPU seconds used)."""
        self.begin()
        _, status, self._usage = os.wait4(self.pid, 0)
        return os.waitstatus_to_exitcode(status), cpu_of(self._usage)
