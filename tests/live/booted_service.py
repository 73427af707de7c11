"""One of our services under a real systemd, in a container that all tests of a class share.

Environment:
  RESOURCE_EXPORTER  the binary, in the build directory of the release preset
  CACHE_DIR          where the container's root is kept between runs
"""

import os
import tempfile
import unittest
from pathlib import Path

from container import Container, debian_root, libraries_of, output_of, reason_to_skip, run
from exporter_process import wait_for

BINARY = Path(os.environ["RESOURCE_EXPORTER"]).resolve()


def verify(*units, binary):
    """Exit code and words of systemd-analyze verify of units whose program is not installed."""
    # A key that systemd does not know gives a line on stderr, but exit code 0.
    with tempfile.TemporaryDirectory() as directory:
        copies = [Path(directory) / unit.name for unit in units]
        for unit, copy in zip(units, copies, strict=True):
            copy.write_text(unit.read_text().replace(f"/usr/bin/{binary.name}", str(binary)))
        done = run("systemd-analyze", "verify", *copies)
    return done.returncode, done.stdout + done.stderr


class BootedContainer(unittest.TestCase):
    """A container that has booted, with the files that `files_in` names."""

    # Programs whose libraries are lent to the container where it lacks them: OpenCV's packages are
    # many and large.
    LENT_LIBRARIES_OF = ()

    @classmethod
    def setUpClass(cls):
        if reason := reason_to_skip():
            raise unittest.SkipTest(reason)
        root = debian_root(Path(os.environ["CACHE_DIR"]), BINARY)
        stage = cls.enterClassContext(tempfile.TemporaryDirectory())
        files = cls.files_in(Path(stage))
        for program in cls.LENT_LIBRARIES_OF:
            for library in libraries_of(program):
                if not os.path.lexists(f"{root}{library}"):
                    files[os.path.realpath(library)] = library
        cls.container = Container(root, files)
        cls.addClassCleanup(cls.container.stop)
        cls.container.boot()

    @classmethod
    def files_in(cls, stage):
        """Files to be seen in the container: their path here, which may be below `stage`, an empty
        directory, -> their path there."""
        raise NotImplementedError

    @classmethod
    def systemctl(cls, *arguments):
        return cls.container.run("systemctl", "--quiet", *arguments)

    def wait_for(self, what, condition):
        def journal():
            return self.container.run("journalctl", "--no-pager", "--lines=40")

        return wait_for(what, condition, 15.0, journal)

    def write(self, path, text):
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.container.run("sh", "-c", script, "sh", path, text)


class BootedService(BootedContainer):
    """What `cmake --install` installs, in a container that has booted; SERVICE is enabled."""

    SERVICE = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.systemctl("enable", cls.SERVICE)

    @classmethod
    def files_in(cls, stage):
        install = ("cmake", "--install", BINARY.parent, "--prefix", "/usr")
        output_of("env", f"DESTDIR={stage}", *install)
        return {file: f"/{file.relative_to(stage)}" for file in stage.rglob("*") if file.is_file()}

    def show(self, name):
        """A property of the service; a number as int."""
        value = self.systemctl("show", "--value", f"--property={name}", self.SERVICE).strip()
        return int(value) if value.isdigit() else value

    def signal(self, name):
        self.systemctl("kill", "--kill-who=main", f"--signal={name}", self.SERVICE)

    def is_replaced(self, pid):
        return self.show("ActiveState") == "active" and self.show("MainPID") not in (0, pid)

    def restart_with(self, path, text):
        """Restarts the service with a file that is there until the end of the test."""

        def remove():
            self.container.run("rm", path)
            self.systemctl("daemon-reload")

        self.write(path, text)
        self.addCleanup(remove)
        self.systemctl("daemon-reload")
        self.systemctl("restart", self.SERVICE)
