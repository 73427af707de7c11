"""The exporters that bench/run.py compares: to start, to stop, and to look at from outside."""
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLLECTORS = ("cpu", "stat", "meminfo", "loadavg", "vmstat", "pressure", "filefd", "uname", "os",
              "time", "netdev", "diskstats")
ONLY = ["--collector.disable-defaults"]
# Below the kernel's range for outgoing connections: no client takes a port that was just free.
PORTS = range(27100, 27200)
HERE = Path(__file__).resolve().parent
PSUTIL_SERVER = str(HERE / "psutil_http.py")
PSUTIL_PROCESSES_SERVER = str(HERE / "psutil_processes.py")
START_SECONDS = 15
CPUCLOCK_SCHED = 2


class CannotRun(Exception):
    """Something that the benchmark needs is missing or fails."""


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise CannotRun(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


class Server:
    """A running exporter. It leads a session, by which the processes it forks are found."""

    def __init__(self, name, command):
        self.name = name
        self.port = free_port()
        self.errors = tempfile.TemporaryFile()
        command = [part.format(port=self.port) for part in command]
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.errors,
                                            start_new_session=True)
        except OSError as error:
            raise CannotRun(f"{command[0]}: {error.strerror}") from error

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.errors.seek(0)
        last_words = self.errors.read().decode(errors="replace")[-500:]
        raise CannotRun(f"{self.name} does not answer on port {self.port}: {last_words}")

    def pids(self):
        """The server first, then what it has forked."""
        own = self.process.pid
        everybody = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
        return [own] + [pid for pid in everybody if pid != own and session_of(pid) == own]

    def cpu_seconds(self):
        # What clock_getcpuclockid(3) computes; Python has it only for threads.
        return sum(time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) for pid in self.pids())

    def kernel_files(self):
        """The files below /proc and /sys that the server keeps open, each once."""
        paths = set()
        for pid in self.pids():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    path = os.readlink(link)
                    is_file = stat.S_ISREG(os.stat(link).st_mode)
                except OSError:  # A connection that has just been closed.
                    continue
                if is_file and path.startswith(("/proc/", "/sys/")):
                    paths.add(path.replace(f"/proc/{pid}/", "/proc/self/"))
        return sorted(paths)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def session_of(pid):
    """None when the process has ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return None
    return int(after_name.split()[3])


def python_with_psutil():
    for python in ("/usr/bin/python3", sys.executable):
        attempt = [python, "-c", "import psutil"]
        if subprocess.run(attempt, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    raise CannotRun("Python's psutil is not installed (Debian: python3-psutil)")


def installed(name):
    path = shutil.which(f"prometheus-{name.replace('_', '-')}") or shutil.which(name)
    if not path:
        raise CannotRun(f"{name} is not installed (Debian: prometheus-{name.replace('_', '-')})")
    return path


def node_exporter():
    return installed("node_exporter")


def process_exporter(*flags):
    return [installed("process-exporter"), f"-config.path={HERE / 'process_exporter.yml'}",
            "-web.listen-address=127.0.0.1:{port}", *flags]


def commands(binary):
    """Name -> what makes the command; the names are those of the report."""
    address = "--web.listen-address=127.0.0.1:{port}"
    same = ONLY + [f"--collector.{name}" for name in COLLECTORS]
    return {
        "node_exporter": lambda: [node_exporter(), address, *same],
        "resource_exporter": lambda: [binary, address, *same],
        "resource_exporter, defaults": lambda: [binary, address],
        "psutil_http": lambda: [python_with_psutil(), PSUTIL_SERVER, "{port}"],
        "resource_exporter, psutil": lambda: [
            binary, address, *ONLY, "--collector.psutil", "--web.disable-exporter-metrics"],
        **process_commands(binary, address),
    }


def process_commands(binary, address):
    result = {
        "process-exporter": process_exporter,
        # Without what ours leaves out, too: single threads, and smaps.
        "process-exporter, bare": lambda: process_exporter("-threads=false", "-gather-smaps=false"),
        "psutil, every process": lambda: [python_with_psutil(), PSUTIL_PROCESSES_SERVER, "{port}"],
        "resource_exporter, no processes": lambda: [binary, address, *ONLY, "--collector.time"],
    }
    for source in ("bpf", "taskstats", "proc"):
        result[f"resource_exporter, {source}"] = lambda source=source: [
            binary, address, *ONLY, "--collector.process", f"--collector.process.source={source}"]
    return result
