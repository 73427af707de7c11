"""Many processes of given names, cheaply.

Environment: PROCESS_HERD, the program process_herd.
"""

import os
import subprocess


class Herd:
    """One for each name, and their parent; a context manager that ends them. `tag` is in all their
    command lines. Names may come later, by add(), but only before the context is entered."""

    def __init__(self, tag, names=()):
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.environ["PROCESS_HERD"], tag], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in names:
            self.add(name)

    def add(self, name):
        self._process.stdin.write(bytes([len(name)]) + name)
        self._process.stdin.flush()

    def __enter__(self):
        self._process.stdin.close()
        if self._process.stdout.readline() != b"ready\n":
            self.__exit__()
            raise AssertionError("no herd")
        return self

    def __exit__(self, *_):
        self._process.terminate()  # It waits for them: killed, it would leave that to init.
        self._process.wait()
        self._process.stdout.close()
