"""A Docker engine for tests: podman's service with storage, network, processes and mounts of its
own, so that it meets nobody else's containers and ports, and all of it ends with it.

Needs root, and a kernel that lets us make what containers are made of.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from container import children_of, output_of, run
from exporter_process import wait_for

# runc, because crun refuses hybrid control groups; ulimits that need no CAP_SYS_RESOURCE; locks
# that are not in a shared memory of everybody's.
_CONFIGURATION = """
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=9000:9000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
[network]
network_backend = "netavark"
network_config_dir = "{directory}/networks"
"""
# What podman keeps in /run is its own, and the processes it leaves behind have a parent.
_SCRIPT = 'set -e; mount -t tmpfs tmpfs /run; ip link set lo up; "$@"; exit'
_PROBE = """
cd /run
mkdir lower upper work merged
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
iptables --table nat --list-rules >/dev/null
"""
_CONTROL_GROUP = "resource_exporter_podman."


def _namespaces(*command, network):
    """The command in namespaces that end with this process, or with the command."""
    own = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--ipc")
    if network == "own":
        own += ("--net",)
    # Should this test be killed, so is unshare, and with its namespace all processes in it.
    unshare = ("setpriv", "--pdeathsig", "KILL", "unshare", *own)
    return (*unshare, "bash", "-c", _SCRIPT, "bash", *map(str, command))


def reason_to_skip():
    """Why there can be no containers here, or None."""
    if os.geteuid() != 0:
        return "containers need root"
    for tool in ("podman", "runc", "iptables", "docker-compose", "debootstrap", "nsenter"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    done = run(*_namespaces("bash", "-ec", _PROBE, network="own"))
    return f"no containers here: {done.stderr.strip()}" if done.returncode else None


def _control_groups():
    """Those of all our containers, in every hierarchy."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith(("cgroup ", "cgroup2 ")):
            yield from Path(mount.split()[4]).glob(f"{_CONTROL_GROUP}*")


def _remove_control_groups():
    """True when none is left."""
    for group in _control_groups():
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # Its processes are still ending.
                os.rmdir(directory)
    return not any(_control_groups())


class Podman:
    """The engine; a context manager. Images are made with the network of this host."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="resource_exporter_podman.")
        self.directory = Path(self._directory.name)
        self.cgroup_parent = f"/{_CONTROL_GROUP}{os.getpid()}"
        configuration = self.directory / "containers.conf"
        configuration.write_text(_CONFIGURATION.format(directory=self.directory))
        (self.directory / "temporary").mkdir()
        self._environment = {
            **os.environ,
            "CONTAINERS_CONF": str(configuration),
            "TMPDIR": str(self.directory / "temporary"),
            "DOCKER_HOST": f"unix://{self.directory}/socket",
        }
        self._log = tempfile.TemporaryFile("w+")
        self._service = self._leader = None

    def __enter__(self):
        _remove_control_groups()  # Of runs that were killed.
        return self

    def __exit__(self, *_):
        if self._service:
            self._service.kill()
            self._service.wait()
        self._log.close()
        wait_for("the control groups are removed", _remove_control_groups, 15.0)
        self._directory.cleanup()

    def _podman(self, *arguments):
        places = {"root": "storage", "runroot": "run", "tmpdir": "state"}
        flags = (f"--{flag}={self.directory / name}" for flag, name in places.items())
        return ("podman", *flags, *arguments)

    def _output_of(self, *command, **options):
        done = subprocess.run(list(map(str, command)), env=self._environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              **options)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}:\n{done.stdout}")
        return done.stdout

    def import_root(self, root, image):
        """Makes an image of a Debian's root directory, without what was downloaded to make it."""
        left_out = ("./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*_*", "./usr/share/doc")
        tar = ("tar", f"--directory={root}", *(f"--exclude={path}" for path in left_out), "-c", ".")
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
            podman = self._podman("import", "--quiet", "-", image)
            self._output_of(*_namespaces(*podman, network="host"), stdin=archive.stdout)
        if archive.returncode != 0:
            raise AssertionError(f"tar failed with {archive.returncode}")

    def build(self, image, *arguments):
        """Builds an image; the arguments are those of podman build."""
        podman = self._podman("build", f"--tag={image}", "--network=host", "--layers=false",
                              f"--cgroup-parent={self.cgroup_parent}", *arguments)
        self._output_of(*_namespaces(*podman, network="host"))

    def serve(self):
        """Starts the service, in a network that has nothing but a loopback device."""
        service = self._podman("system", "service", "--time=0", self._environment["DOCKER_HOST"])
        self._service = subprocess.Popen(
            _namespaces(*service, network="own"), env=self._environment, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT)
        wait_for("the service's socket", (self.directory / "socket").exists, 15.0, self.log)
        [self._leader] = children_of(self._service.pid)

    def log(self):
        """What the service has said."""
        self._log.seek(0)
        return self._log.read()

    def compose(self, *arguments):
        """The output of docker-compose with this engine."""
        return self._output_of("docker-compose", *arguments)

    def inside(self, *command):
        """The output of a command among the containers' processes, mounts and networks."""
        return output_of("nsenter", f"--target={self._leader}", "--all", *command)

    def ask(self, *arguments):
        """The words of what podman prints."""
        words = ("env", f"CONTAINERS_CONF={self._environment['CONTAINERS_CONF']}")
        return self.inside(*words, *self._podman(*arguments)).split()

    def get(self, url):
        """The body at a URL of the containers' host; None when the answer is not 200."""
        done = run("nsenter", f"--target={self._leader}", "--net",
                   "curl", "--silent", "--fail", "--globoff", "--max-time", "5", url)
        return done.stdout if done.returncode == 0 else None
