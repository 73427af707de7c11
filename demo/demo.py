#!/usr/bin/python3
"""Runs all that the repository ships on this machine, until Ctrl-C: exporter, model server, its
client, Prometheus and Alertmanager, with prometheus.yml, rules/ and alertmanager.yml. `./dev demo`
builds it and calls this. What they write is gone at the end.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml

SOURCE = Path(__file__).resolve().parent.parent
MODEL = SOURCE / "model_server/models/bts"
sys.path.insert(0, str(SOURCE / "tests/live"))
from scaled_time import (  # pylint: disable=wrong-import-position
    exporter_flags,
    file_in_fast_motion,
    shortened,
    write_rules,
)

FAST = 20  # Times; an hour is three minutes then, and a page four times a minute.
START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOG_LINES = 5  # The last ones, of a program that ended.
REQUESTS_PER_SECOND = 0.1  # The client's default.


@dataclass(frozen=True)
class Program:
    name: str
    port: int
    ready: str  # The path that is answered with 200 once it is ready.
    page: str  # What a person looks at.
    command: tuple


class Trouble(Exception):
    """Told in one line."""


def configured(directory, factor):
    """Where prometheus.yml and alertmanager.yml are: the shipped ones, or copies in fast motion."""
    if factor == 1:
        return SOURCE
    (directory / "rules").mkdir()
    write_rules(SOURCE / "rules", directory / "rules", factor)
    for name in ("prometheus.yml", "alertmanager.yml"):
        content = file_in_fast_motion(SOURCE / name, factor)
        (directory / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return directory


def programs(directory, factor):
    binaries = SOURCE / "build/release"
    configuration = configured(directory, factor)
    upstreams = [
        f"--collector.upstream={name}=http://127.0.0.1:{port}/metrics"
        for name, port in (("model_server", 8080), ("model_client", 8000))
    ]
    listen = "--web.listen-address=127.0.0.1:"
    return [
        Program("model server", 8080, "/health", "/metrics", (
            binaries / "model_server", f"{listen}8080",
            f"--model={MODEL}")),
        Program("load client", 8000, "/-/healthy", "/metrics", (
            binaries / "model_client", f"{listen}8000", f"--rate={REQUESTS_PER_SECOND * factor}",
            f"--replay={MODEL}/series.csv")),
        Program("exporter", 8888, "/-/healthy", "/metrics", (
            binaries / "resource_exporter", f"{listen}8888", *exporter_flags(factor), *upstreams)),
        Program("Alertmanager", 9093, "/-/ready", "/", (
            "prometheus-alertmanager", f"{listen}9093", "--cluster.listen-address=",
            f"--config.file={configuration}/alertmanager.yml",
            f"--storage.path={directory}/alertmanager")),
        Program("Prometheus", 9090, "/-/ready", "/", (
            "prometheus", f"{listen}9090", f"--config.file={configuration}/prometheus.yml",
            f"--query.lookback-delta={shortened('16m', factor)}",
            f"--storage.tsdb.path={directory}/prometheus")),
    ]


def check_that_port_is_free(program):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", program.port))
        except OSError:
            raise Trouble(f"port {program.port}, for the {program.name}, is taken") from None


class Running:
    """A program that runs; a context manager that stops it."""

    def __init__(self, program, directory):
        self.program = program
        self._log = directory / f"{program.port}.log"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                # Should this script be killed, so is the program.
                ["setpriv", "--pdeathsig", "TERM", *map(str, program.command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for us; we stop them one after the other.
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_ready(self):
        url = f"http://127.0.0.1:{self.program.port}{self.program.ready}"
        # Not by a proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self.trouble()
            with contextlib.suppress(OSError, urllib.error.URLError):
                opener.open(url, timeout=5).close()
                return
            time.sleep(0.05)  # Between two looks.
        raise Trouble(f"the {self.program.name} does not answer")

    def trouble(self):
        """Why it ended, as far as its log tells."""
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return Trouble("\n".join([f"the {self.program.name} ended:", *lines]))


def say_where(found, factor):
    for program in found:
        print(f"{program.name + ':':14} http://localhost:{program.port}{program.page}")
    if factor == 1:
        print("The host is scraped every 5 minutes, for the first time within 5 minutes.")
    else:
        print(f"Time runs {factor} times as fast: 5 minutes are {300 // factor} seconds.")
    print("Ctrl-C to stop", flush=True)


def run(factor):
    """Until one of the programs ends, which none should."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo.")))
        found = programs(directory, factor)
        for program in found:
            check_that_port_is_free(program)
        running = [stack.enter_context(Running(program, directory)) for program in found]
        # No signal may cut off what is stopped here.
        stack.callback(lambda: [signal.signal(number, signal.SIG_IGN) for number in SIGNALS])
        for one in running:
            one.wait_until_ready()
        say_where(found, factor)
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        raise next(one.trouble() for one in running if one.process.pid == ended)


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument(
        "--fast", action="store_true", help=f"let time run {FAST} times as fast, alerts included"
    )
    factor = FAST if parser.parse_args().fast else 1
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        run(factor)
    except Trouble as trouble:
        sys.exit(f"demo: {trouble}")


if __name__ == "__main__":
    main()
