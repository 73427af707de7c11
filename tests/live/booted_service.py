"""One of our services under a real systemd, in a container that all tests of a class share.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  CACHE_DIR          where the container's root is kept between runs
"""

import os
import tempfile
import unittest
from pathlib import Path

from container import Container, debian_root, output_of, reason_to_skip, run
from exporter_process import wait_for


def verify(*units, binary):
    """Exit code and words of systemd-analyze verify of units whose program is not installed."""
    # A key that systemd does not know gives a line on stderr, but exit code 0.
    with tempfile.TemporaryDirectory() as directory:
        copies = [Path(directory) / unit.name for unit in units]
        for unit, copy in zip(units, copies, strict=True):
            copy.write_text(unit.read_text().replace(f"/usr/bin/{binary.name}", str(binary)))
        done = run("systemd-analyze", "verify", *copies)
    return done.returncode, done.stdout + done.stderr


class BootedService(unittest.TestCase):
    """What `cmake --install` installs, in a container that has booted; SERVICE is enabled."""

    SERVICE = ""

    @classmethod
    def setUpClass(cls):
        if reason := reason_to_skip():
            raise unittest.SkipTest(reason)
        binary = Path(os.environ["RESOURCE_EXPORTER"]).resolve()
        stage = tempfile.TemporaryDirectory()
        cls.addClassCleanup(stage.cleanup)
        install = ("cmake", "--install", binary.parent, "--prefix", "/usr")
        output_of("env", f"DESTDIR={stage.name}", *install)
        files = {
            file: f"/{file.relative_to(stage.name)}"
            for file in Path(stage.name).rglob("*")
            if file.is_file()
        }
        cls.container = Container(debian_root(Path(os.environ["CACHE_DIR"]), binary), files)
        cls.addClassCleanup(cls.container.stop)
        cls.container.boot()
        cls.systemctl("enable", cls.SERVICE)

    @classmethod
    def systemctl(cls, *arguments):
        return cls.container.run("systemctl", "--quiet", *arguments)

    def show(self, name):
        """A property of the service; a number as int."""
        value = self.systemctl("show", "--value", f"--property={name}", self.SERVICE).strip()
        return int(value) if value.isdigit() else value

    def signal(self, name):
        self.systemctl("kill", "--kill-who=main", f"--signal={name}", self.SERVICE)

    def is_replaced(self, pid):
        return self.show("ActiveState") == "active" and self.show("MainPID") not in (0, pid)

    def wait_for(self, what, condition):
        def journal():
            return self.container.run("journalctl", "--no-pager", "--lines=40")

        return wait_for(what, condition, 15.0, journal)

    def write(self, path, text):
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.container.run("sh", "-c", script, "sh", path, text)

    def restart_with(self, path, text):
        """Restarts the service with a file that is there until the end of the test."""

        def remove():
            self.container.run("rm", path)
            self.systemctl("daemon-reload")

        self.write(path, text)
        self.addCleanup(remove)
        self.systemctl("daemon-reload")
        self.systemctl("restart", self.SERVICE)
