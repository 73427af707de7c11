"""A file that others have to wait for: what a slow disk or an absent server does to a reader."""

import fcntl
import os
import signal


class HeldFile:
    """Keeps every process that opens the file waiting in open(2), by a lease (fcntl(2)), until the
    context ends; the kernel gives up after /proc/sys/fs/lease-break-time, 45 s. One at a time, in
    the main thread.
    """

    def __init__(self, path):
        self._path = path
        self._file = None
        self.is_awaited = False  # Somebody waits in open(2).

    def __enter__(self):
        signal.signal(signal.SIGIO, self._on_open)
        self._file = os.open(self._path, os.O_RDONLY)
        fcntl.fcntl(self._file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        return self

    def __exit__(self, *_):
        self.release()

    def release(self):
        """Lets them go on."""
        if self._file is None:
            return
        os.close(self._file)  # The lease ends with it.
        self._file = None
        signal.signal(signal.SIGIO, signal.SIG_IGN)

    def _on_open(self, *_):
        self.is_awaited = True
