"""The exporter as users run it, for the live tests: started, scraped and stopped.

    with ExporterProcess(["--collector.disable-defaults", "--collector.cpu"]) as exporter:
        status, headers, body = exporter.get("/metrics")

The program is $RESOURCE_EXPORTER.
"""

import http.client
import os
import re
import signal
import subprocess
import tempfile
import time

START_SECONDS = 30.0  # On a host that is busy building.
STOP_SECONDS = 5.0
_LISTENING = re.compile(r'msg="?listening"? address=(\S+):(\d+)$', re.MULTILINE)


def wait_for(what, condition, seconds=5.0, details=lambda: "", pause=0.01):
    """The first true value of condition(); fails, with details(), when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause)
    raise AssertionError(f"not within {seconds:g} s: {what}\n{details()}")


class ExporterProcess:
    """One running exporter; a context manager that has stopped it at the end, come what may.

    It listens where `args` say, else on `listen`: a free port of 127.0.0.1, or with None what a
    configuration file says. `env` adds to the environment, `preexec` runs in the child before the
    program does. `under` is a command that runs the program in its own place.
    """

    PROGRAM = "RESOURCE_EXPORTER"  # What the environment calls it.

    def __init__(self, args=(), env=None, preexec=None, listen="127.0.0.1:0", under=()):
        args = list(map(str, args))
        if listen and not any(arg.startswith("--web.listen-address") for arg in args):
            args.append(f"--web.listen-address={listen}")
        self.port = None
        self._log = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [*under, os.environ[self.PROGRAM], *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            env={**os.environ, **(env or {})},
            preexec_fn=preexec,
        )

    def __enter__(self):
        try:
            self.port = int(wait_for("listening", self._find_port, START_SECONDS, self.log))
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        self._log.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path="/metrics", headers=None, source="127.0.0.1", timeout=10.0):
        """(status, headers, body) of a GET on a connection of its own, from address `source`."""
        return self.request("GET", path, headers, source, timeout)

    def request(
        self, method, path, headers=None, source="127.0.0.1", timeout=10.0, body=None
    ):  # pylint: disable=too-many-arguments
        """The same with any method."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=timeout, source_address=(source, 0)
        )
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def log(self):
        """What the exporter has written to stderr so far."""
        # pread: the child shares the file's offset.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def is_running(self):
        return self._process.poll() is None

    def cpu_seconds(self):
        """User and system time that the process has used so far, to the nanosecond."""
        process_clock = (~self.pid << 3) | 2  # what clock_getcpuclockid(3) makes of a pid
        return time.clock_gettime(process_clock)

    def stop(self, seconds=STOP_SECONDS):
        """Asks it to end with SIGTERM and returns its exit code; fails when it takes longer."""
        if self.is_running():
            os.kill(self.pid, signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=STOP_SECONDS):
        """The exit code of an exporter that ends on its own; fails when it takes longer."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still running after {seconds:g} s\n{self.log()}") from error

    def kill(self):
        """Ends it at once; nothing happens when it has ended."""
        self._process.kill()
        self._process.wait()

    def _find_port(self):
        if not self.is_running():
            raise AssertionError(f"exited with {self._process.returncode}\n{self.log()}")
        found = _LISTENING.search(self.log())
        return found and found.group(2)
