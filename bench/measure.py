"""The measurements of bench/run.py: plain numbers. bench/report.py says what they mean."""
import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from servers import CannotRun

FLOOR_REPETITIONS = 3
SCRAPES_UNDER_STRACE = 10
NOISE_WINDOW_SECONDS = 0.3


class Programs:
    """The C++ programs of this folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("scrape_client", "kernel_floor", "encode", "sampler", "population",
                     "process_floor", "prediction_load"):
            if not (self.folder / name).exists():
                raise CannotRun(f"no {self.folder / name}: build the target bench_programs")

    def _run(self, name, *arguments):
        command = [str(self.folder / name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotRun(f"{' '.join(command)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def scrape(self, server, scrapes, *, gap_ms=0, gzip=False, warm_up=3):
        pids = [f"--pid={pid}" for pid in server.pids()]
        compression = ["--gzip"] if gzip else []
        return self._run("scrape_client", *pids, "--port", server.port, "--scrapes", scrapes,
                         "--gap-ms", gap_ms, "--warm-up", warm_up, *compression)

    def predict(self, server, connections, seconds, input_size):
        pids = [f"--pid={pid}" for pid in server.pids()]
        return self._run("prediction_load", *pids, "--port", server.port, "--connections",
                         connections, "--seconds", seconds, "--input-size", input_size)

    def kernel_floor(self, paths, passes, *, gap_ms=0):
        repetitions, passes_each = (passes, 1) if gap_ms else (FLOOR_REPETITIONS, passes)
        result = self._run("kernel_floor", "--passes", passes_each, "--repetitions", repetitions,
                           "--gap-ms", gap_ms, *paths)
        # With gaps each repetition is one pass: the mean of them is what the client says, too.
        cpu_us = result["cpu_us_mean"] if gap_ms else result["cpu_us"]
        return {"cpu_ms": cpu_us / 1000, "body_bytes": result["bytes"], "preads": result["preads"]}

    def sample(self, procfs, floor_paths, ticks, max_devices, *, gap_ms=0):
        """A tick of the sampler, and the part of it that is reading: medians, in microseconds."""
        tick = self._run("sampler", "--procfs", procfs, "--ticks", ticks, "--gap-ms", gap_ms,
                         "--set", f"signals.max-devices={max_devices}")
        repetitions, passes = (ticks, 1) if gap_ms else (FLOOR_REPETITIONS, ticks)
        floor = self._run("kernel_floor", "--passes", passes, "--repetitions", repetitions,
                          "--gap-ms", gap_ms, *floor_paths)
        return {"cpu_us": tick["cpu_us"], "cpu_us_max": tick["cpu_us_max"],
                "floor_us": floor["cpu_us"]}

    def step(self, collector, step, count, settings, *, gap_ms=0):
        """A step of a collector alone, in microseconds."""
        options = [part for setting in settings for part in ("--set", setting)]
        return self._run("sampler", "--collector", collector, "--step", step, "--ticks", count,
                         "--gap-ms", gap_ms, *options)

    def process_floor(self, method, passes, *, gap_ms=0):
        repetitions, passes = (passes, 1) if gap_ms else (FLOOR_REPETITIONS, passes)
        return self._run("process_floor", method, "--passes", passes, "--repetitions", repetitions,
                         "--gap-ms", gap_ms)

    def encode(self, repetitions, milliseconds):
        return self._run("encode", "--repetitions", repetitions, "--milliseconds", milliseconds)


def machine_busy_share():
    """The share of all CPUs that is in use, by whomever, over a short time."""
    def ticks():
        total_line = Path("/proc/stat").read_text().partition("\n")[0]
        columns = [int(word) for word in total_line.split()[1:9]]
        return sum(columns), columns[3] + columns[4]

    total_before, idle_before = ticks()
    time.sleep(NOISE_WINDOW_SECONDS)
    total_after, idle_after = ticks()
    elapsed = total_after - total_before
    return 1 - (idle_after - idle_before) / elapsed if elapsed else 0.0


def idle_cpu_percent(servers, seconds):
    """Server name -> share of one core that it takes while nobody scrapes, all at the same time."""
    before = {server.name: (time.monotonic(), server.cpu_seconds()) for server in servers}
    time.sleep(seconds)
    percent = {}
    for server in servers:
        since, cpu_seconds = before[server.name]
        elapsed = time.monotonic() - since
        percent[server.name] = 100 * (server.cpu_seconds() - cpu_seconds) / elapsed
    return percent


def system_calls_per_scrape(programs, server):
    """System calls and preads of one scrape; empty where strace is missing or may not attach."""
    if not shutil.which("strace"):
        return {}
    pids = server.pids()
    with tempfile.NamedTemporaryFile("r") as table:
        command = ["strace", "-c", "-f", "-U", "calls,name", "-o", table.name]
        command += [f"--attach={pid}" for pid in pids]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            attached = sum("attached" in tracer.stderr.readline() for _ in pids)
            if attached == len(pids):
                programs.scrape(server, SCRAPES_UNDER_STRACE, warm_up=0)
        finally:
            tracer.send_signal(signal.SIGINT)  # It detaches, and writes the table.
            tracer.communicate()
        if attached != len(pids):
            return {}
        found = re.findall(r"^\s*(\d+)\s+(\w+)$", table.read(), re.MULTILINE)
    calls = {name: int(count) / SCRAPES_UNDER_STRACE for count, name in found}
    return {"syscalls": calls["total"], "preads": calls.get("pread64", 0)}
