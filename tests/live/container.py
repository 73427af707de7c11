"""A Debian 12 of its own, booted with systemd, for tests that need more than one process.

Needs root. systemd-nspawn boots a minimal root directory that debootstrap made and a build tree
keeps; what a test writes there is forgotten at the end.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from exporter_process import wait_for


def run(*command):
    """Runs a command to its end, and keeps its output as text."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def output_of(*command):
    """The standard output of a command that must succeed."""
    done = run(*command)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def reason_to_skip():
    """Why no container can be booted here, or None."""
    if os.geteuid() != 0:
        return "booting a container needs root"
    for tool in ("systemd-nspawn", "debootstrap", "setpriv", "nsenter", "curl"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    if run("unshare", "--mount", "true").returncode != 0:
        return "not allowed to make namespaces (no CAP_SYS_ADMIN)"
    if not systemd_hierarchies():
        return "no control groups are mounted"
    return None


def package_of(library):
    """The Debian package of a shared library, whichever side of the /usr merge dpkg knows it by."""
    path = os.path.realpath(library).removeprefix("/usr")
    found = run("dpkg-query", "--search", path, f"/usr{path}")
    if not found.stdout:
        raise AssertionError(f"{library} belongs to no package: {found.stderr}")
    return found.stdout.partition(":")[0]


def libraries_of(binary):
    """The paths of the shared libraries that a program loads."""
    return re.findall(r"=> (/\S+)", output_of("ldd", binary))


def debian_root(cache, binary):
    """A root directory below `cache` of a Debian that can run `binary`; made when it is missing."""
    packages = {"dbus", "systemd", "systemd-sysv", *map(package_of, libraries_of(binary))}
    include = ",".join(sorted(packages))

    root, partial = cache / "debian_root", cache / "debian_root.partial"
    contents = Path("etc/made_with_packages")
    with contextlib.suppress(FileNotFoundError):
        if (root / contents).read_text() == include:
            return root
    for stale in (root, partial):
        shutil.rmtree(stale, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    # In a mount namespace: what debootstrap mounts is gone with it, even when it is killed.
    debootstrap = ("unshare", "--mount", "debootstrap", "--variant=minbase")
    output_of(*debootstrap, f"--include={include}", "bookworm", partial)
    (partial / contents).write_text(include)
    return partial.rename(root)


def systemd_hierarchies():
    """Our directory in each control group hierarchy that systemd uses: v2, and v1's named one."""
    mounts = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith("cgroup2 "):
            mounts[""] = mount.split()[4]
        elif filesystem.startswith("cgroup ") and "name=systemd" in filesystem:
            mounts["name=systemd"] = mount.split()[4]
    groups = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    return [Path(mounts[name] + path) for _, name, path in groups if name in mounts]


class ControlGroup:
    """A group of our own: systemd-nspawn leaves groups behind, and here they are found again."""

    PREFIX = "resource_exporter_test."

    def __init__(self):
        parents = systemd_hierarchies()
        for parent in parents:
            for stale in parent.glob(f"{self.PREFIX}*"):  # Of runs that were killed.
                self._remove(stale)
        self.paths = [parent / f"{self.PREFIX}{os.getpid()}" for parent in parents]
        for path in self.paths:
            path.mkdir()

    def enter(self):
        """Moves the calling process into the group."""
        for path in self.paths:
            (path / "cgroup.procs").write_text("0")

    def remove(self):
        """Removes what can be; True when nothing is left."""
        return all([self._remove(path) for path in self.paths])

    @staticmethod
    def _remove(path):
        for directory, _, _ in os.walk(path, topdown=False):
            with contextlib.suppress(OSError):  # Busy: a process is still in it.
                os.rmdir(directory)
        return not path.exists()


def children_of(pid):
    """The process ids of the children of a process with one thread."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class Container:
    """A Debian that boots; `files` maps paths of this machine to where they appear in it."""

    def __init__(self, root, files):
        self._console = tempfile.TemporaryFile("w+")
        self._group = ControlGroup()
        self._leader = None  # The process id, on this machine, of the container's systemd.
        command = [
            # Should this test be killed, so is unshare, and with its namespace all processes in it.
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("systemd-nspawn", "--boot", f"--directory={root}", "--volatile=overlay"),
            *("--private-network", "--register=no", "--keep-unit", "--console=pipe"),
            *(f"--bind-ro={path}:{target}" for path, target in files.items()),
        ]
        self._unshare = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=subprocess.STDOUT,
            preexec_fn=self._group.enter,
        )

    def boot(self):
        """Waits until systemd has started everything."""
        wait_for("the container has booted", self._is_booted, 60.0, self._console_text)

    def run(self, *command):
        """The output of a command in the container."""
        return output_of(*self._inside("--all"), *command)

    def get(self, url, *flags):
        """The body at a URL of the container's network; None when the answer is not 200."""
        curl = ("curl", "--silent", "--fail", "--max-time", "5", *flags)
        done = run(*self._inside("--net"), *curl, url)
        return done.stdout if done.returncode == 0 else None

    def stop(self):
        """Powers off, or kills; then removes what is left of it on this machine."""
        if self._leader:
            run(*self._inside("--all"), "systemctl", "poweroff")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._unshare.wait(15)
        self._unshare.kill()
        self._unshare.wait()
        self._console.close()
        wait_for("the control groups are removed", self._group.remove, 15.0)

    def _is_booted(self):
        if self._unshare.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended early:\n{self._console_text()}")
        for nspawn in children_of(self._unshare.pid):
            for self._leader in children_of(nspawn):
                state = run(*self._inside("--all"), "systemctl", "is-system-running").stdout
                return state.strip() in ("running", "degraded")
        return False

    def _inside(self, namespaces):
        return ("nsenter", f"--target={self._leader}", namespaces)

    def _console_text(self):
        self._console.seek(0)
        return self._console.read()
