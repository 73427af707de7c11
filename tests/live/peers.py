"""Debian's own programs that the live tests set beside the exporter: node_exporter,
process-exporter, Prometheus, Alertmanager and promtool. Each listens on a free port of 127.0.0.1
and is a context manager that stops it."""

import contextlib
import json
import os
import random
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from exporter_process import wait_for

_START_SECONDS = 30.0  # On a host that is busy building.


def free_port():
    """A port that nobody listens on at the moment, and that the kernel gives to nobody who asks for
    just any: another test may."""
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    lowest, highest = map(int, text.split())
    ports = [*range(10_000, lowest), *range(highest + 1, 1 << 16)] or [0]
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.choice(ports)))
            return probe.getsockname()[1]


def _fetch(url, headers=None):
    """(headers, body) of a GET that must be answered with 200."""
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.headers, response.read()


def promtool(*arguments, stdin=b""):
    """(exit code, output and errors) of promtool."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class _Server:
    """A program that serves HTTP; ready when it answers 200 on `ready_path`."""

    def __init__(self, command, port, ready_path):
        self.url = f"http://127.0.0.1:{port}"
        self._ready_url = self.url + ready_path
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            # Should this test be killed, so is the program.
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self):
        try:
            wait_for("an answer", self._is_ready, _START_SECONDS, self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def log(self):
        """What it has written so far."""
        # pread: the program shares the file's offset.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def _is_ready(self):
        if self._process.poll() is not None:
            raise AssertionError(f"exited with {self._process.returncode}\n{self.log()}")
        try:
            _fetch(self._ready_url)
        except (OSError, urllib.error.URLError):
            return False
        return True


class NodeExporter(_Server):
    """node_exporter with the collectors that we have as well, without metrics about itself."""

    COLLECTORS = (
        *("cpu", "diskstats", "filefd", "loadavg", "meminfo", "netdev", "os", "pressure", "stat"),
        *("textfile", "time", "uname", "vmstat"),
    )

    def __init__(self, textfile_directory=""):
        port = free_port()
        command = [
            "prometheus-node-exporter",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.disable-exporter-metrics",
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in self.COLLECTORS),
            f"--collector.textfile.directory={textfile_directory}",
        ]
        super().__init__(command, port, "/")

    def page(self):
        return _fetch(f"{self.url}/metrics")[1]


class ProcessExporter(_Server):
    """process-exporter with a configuration file and all that it can show; without one, with a
    group for each name of a process, and nothing of single threads or smaps."""

    _A_GROUP_PER_NAME = {"process_names": [{"name": "{{.Comm}}", "cmdline": [".+"]}]}

    def __init__(self, config=None):
        self._directory = tempfile.TemporaryDirectory()
        port = free_port()
        flags = []
        if config is None:
            config = Path(self._directory.name) / "groups.yml"
            config.write_text(json.dumps(self._A_GROUP_PER_NAME))  # JSON is YAML, too.
            flags = ["-threads=false", "-gather-smaps=false"]
        command = [
            "prometheus-process-exporter",
            f"-config.path={config}",
            f"-web.listen-address=127.0.0.1:{port}",
            *flags,
        ]
        super().__init__(command, port, "/metrics")

    def __exit__(self, *_):
        super().__exit__()
        self._directory.cleanup()

    def page(self):
        """What it says of processes and of reading them; what is of the program holds a summary."""
        lines = _fetch(f"{self.url}/metrics")[1].splitlines(keepends=True)
        return b"".join(line for line in lines if b"namedprocess_" in line)


class Prometheus(_Server):
    """Prometheus with a configuration (a mapping, as prometheus.yml has it) and more flags. It
    knows the samples of `history`, an OpenMetrics text with times, when there is one."""

    def __init__(self, configuration, *flags, port=None, history=None):
        self._directory = tempfile.TemporaryDirectory()
        port = port or free_port()
        directory = Path(self._directory.name)
        config = directory / "prometheus.yml"
        config.write_text(json.dumps(configuration))  # JSON is YAML, too.
        if history is not None:
            self._store(history, directory)
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            *flags,
        ]
        super().__init__(command, port, "/-/ready")

    @staticmethod
    def _store(history, directory):
        (directory / "history").write_text(history)
        create = ("tsdb", "create-blocks-from", "openmetrics")
        code, output = promtool(*create, directory / "history", directory / "data")
        assert code == 0, output

    def __exit__(self, *_):
        super().__exit__()
        self._directory.cleanup()

    def api(self, path, **parameters):
        """The data of an answer below /api/v1/."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        return json.loads(_fetch(url)[1])["data"]

    def query(self, expression, at=None):
        """The result of an instant query: now, or at a time in seconds since 1970."""
        time = {"time": at} if at is not None else {}
        return self.api("query", query=expression, **time)["result"]

    def query_range(self, expression, start, end, step):
        """The result of a range query; times are in seconds since 1970."""
        return self.api("query_range", query=expression, start=start, end=end, step=step)["result"]


class Alertmanager(_Server):
    """Alertmanager with a configuration (a mapping, as alertmanager.yml has it)."""

    def __init__(self, configuration):
        self._directory = tempfile.TemporaryDirectory()
        port = free_port()
        config = Path(self._directory.name) / "alertmanager.yml"
        config.write_text(json.dumps(configuration))  # JSON is YAML, too.
        command = [
            "prometheus-alertmanager",
            f"--config.file={config}",
            f"--storage.path={self._directory.name}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        super().__init__(command, port, "/-/ready")

    def __exit__(self, *_):
        super().__exit__()
        self._directory.cleanup()

    def api(self, path):
        """What is below /api/v2/."""
        return json.loads(_fetch(f"{self.url}/api/v2/{path}")[1])


def each_second(jobs):
    """A configuration that scrapes every second the URLs in `jobs`: name of the job -> URL."""

    def job(name, url):
        target = urllib.parse.urlsplit(url)
        return {
            "job_name": name,
            "metrics_path": target.path,
            "static_configs": [{"targets": [target.netloc]}],
        }

    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [job(name, url) for name, url in jobs.items()],
    }
