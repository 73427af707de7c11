#!/usr/bin/python3
"""Measures what resource_exporter costs, its peers, and the kernel itself: see bench/README.md.

All servers stay up; each round asks them in turn, and ratios are taken within a round. Everything
started here is stopped here. The exit code says whether everything could run, not whether the goals
were met.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.dont_write_bytecode = True
import measure
import models
import process_report
import processes
import report
import sampled_hosts
from servers import CannotRun, Server, commands, node_exporter, python_with_psutil

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PARTS = ("host", "psutil", "idle", "encode", "sampler")
PARTS = (*DEFAULT_PARTS, "process", "model")
SERVERS_OF_PART = {
    "host": ("node_exporter", "resource_exporter"),
    "psutil": ("psutil_http", "resource_exporter, psutil"),
    "idle": ("node_exporter", "resource_exporter", "resource_exporter, defaults"),
    "encode": (),
    "sampler": (),
    "process": (),  # It has its own, for each population.
    "model": (),  # It has its own, which are no exporters.
}


@dataclass(frozen=True)
class Plan:
    rounds: int
    scrapes: int
    gap_rounds: int
    gap_scrapes: int
    idle_seconds: int
    encode_repetitions: int
    sampler_ticks: int
    sampler_gap_ticks: int


FULL = Plan(rounds=7, scrapes=100, gap_rounds=4, gap_scrapes=5, idle_seconds=60,
            encode_repetitions=7, sampler_ticks=1000, sampler_gap_ticks=20)
QUICK = Plan(rounds=3, scrapes=60, gap_rounds=2, gap_scrapes=2, idle_seconds=20,
             encode_repetitions=3, sampler_ticks=300, sampler_gap_ticks=5)


class Bench:
    def __init__(self, programs, plan, servers):
        self.programs = programs
        self.plan = plan
        self.servers = servers  # name -> Server
        self.floor_paths = []
        self.rows = []  # one per round, mode and name
        self.noise = []
        self.calls = {}

    def warm_up(self):
        for server in self.servers.values():
            self.programs.scrape(server, 3)
        if "resource_exporter" in self.servers:
            self.floor_paths = self.servers["resource_exporter"].kernel_files()

    def compare(self, parts):
        for number in range(self.plan.rounds):
            self.note_noise(f"round {number + 1} of {self.plan.rounds}")
            for part in parts:
                self._round(part, report.BACK_TO_BACK, number, scrapes=self.plan.scrapes)
            if "host" in parts:
                self._round("host", report.COMPRESSED, number, scrapes=self.plan.scrapes // 2,
                            gzip=True)
        for number in range(self.plan.gap_rounds):
            self.note_noise(f"slow round {number + 1} of {self.plan.gap_rounds}")
            for part in parts:
                self._round(part, report.ONE_SECOND_APART, number, scrapes=self.plan.gap_scrapes,
                            gap_ms=1000, warm_up=1)
        for part in parts:
            for name in SERVERS_OF_PART[part]:
                server = self.servers[name]
                self.calls[name] = measure.system_calls_per_scrape(self.programs, server)

    def note_noise(self, what):
        share = measure.machine_busy_share()
        self.noise.append({"before": what, "busy_share": share})
        progress(f"{what}, machine {share:.0%} busy before it")

    def _round(self, part, mode, number, *, scrapes, gap_ms=0, **how):
        for name in SERVERS_OF_PART[part]:
            row = self.programs.scrape(self.servers[name], scrapes, gap_ms=gap_ms, **how)
            self.rows.append({"mode": mode, "round": number, "name": name, **row})
        if part == "host" and mode != report.COMPRESSED and self.floor_paths:
            row = self.programs.kernel_floor(self.floor_paths, scrapes, gap_ms=gap_ms)
            self.rows.append({"mode": mode, "round": number, "name": "kernel_floor", **row})


def progress(text):
    print(text, file=sys.stderr, flush=True)


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def host_description(binary, names):
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    text = {"kernel": platform.release(),
            "CPU": f"{os.cpu_count()} x {model[1] if model else platform.machine()}"}
    if any(name.startswith("resource_exporter") for name in names):
        text["resource_exporter"] = first_line(binary, "--version").partition(" ")[2]
    if "node_exporter" in names:
        text["node_exporter"] = first_line(node_exporter(), "--version").partition(" ")[2]
    if "psutil_http" in names:
        program = "import sys, psutil; print(psutil.__version__, 'on Python', sys.version)"
        text["psutil"] = first_line(python_with_psutil(), "-c", program).partition(" (")[0]
    return text


def start_servers(stack, binary, names):
    available = commands(binary)
    servers = {}
    for name in names:
        servers[name] = Server(name, available[name]())
        stack.callback(servers[name].stop)
        servers[name].wait_until_ready()
    return servers


def measure_sampler(programs, plan):
    """Host -> mode -> microseconds, for this host and for a large one."""
    with sampled_hosts.large_host() as large:
        result = {}
        for host, procfs, max_devices in ((report.THIS_HOST, "/proc", 32),
                                          (report.LARGE_HOST, large, 64)):
            paths = sampled_hosts.floor_paths(procfs)
            progress(f"sampler, {host}")
            result[host] = {
                report.BACK_TO_BACK: programs.sample(procfs, paths, plan.sampler_ticks,
                                                     max_devices),
                report.ONE_SECOND_APART: programs.sample(procfs, paths, plan.sampler_gap_ticks,
                                                         max_devices, gap_ms=1000),
            }
        return result


def process_plan(arguments):
    plan = processes.QUICK if arguments.quick else processes.FULL
    return replace(plan, populations=tuple(arguments.processes or plan.populations))


def run(arguments, plan):
    parts = [*arguments.parts, *(arguments.only or [])] or DEFAULT_PARTS
    names = list(dict.fromkeys(name for part in parts for name in SERVERS_OF_PART[part]))
    if not os.access(arguments.binary, os.X_OK):
        raise CannotRun(f"no {arguments.binary}: run ./dev bench")
    programs = measure.Programs(arguments.programs or Path(arguments.binary).parent / "bench")
    result = {"host": host_description(arguments.binary, names), "encode": {}, "sampler": {},
              "idle_percent": {}}
    for key, value in result["host"].items():
        print(f"{key}: {value}")
    if "encode" in parts:
        progress("encoders")
        result["encode"] = programs.encode(plan.encode_repetitions, milliseconds=100)
    if "sampler" in parts:
        result["sampler"] = measure_sampler(programs, plan)
    if "process" in parts:
        result["process"] = processes.run(programs, arguments.binary, process_plan(arguments),
                                          progress)
    if "model" in parts:
        result["model"] = models.run(programs, arguments.binary,
                                     models.QUICK if arguments.quick else models.FULL, progress)
    with contextlib.ExitStack() as stack:
        bench = Bench(programs, plan, start_servers(stack, arguments.binary, names))
        bench.warm_up()
        if "idle" in parts:
            bench.note_noise(f"{plan.idle_seconds} s of idleness")
            idle = [bench.servers[name] for name in SERVERS_OF_PART["idle"]]
            result["idle_percent"] = measure.idle_cpu_percent(idle, plan.idle_seconds)
        if compared := [part for part in ("host", "psutil") if part in parts]:
            bench.compare(compared)
    return {**result, "noise": bench.noise, "kernel_files": bench.floor_paths,
            "system_calls": bench.calls, "rows": bench.rows}


def print_result(result, plan):
    busy = [f"{entry['busy_share']:.0%}" for entry in result["noise"]]
    if busy:
        print(f"machine busy before the idle time and each round: {' '.join(busy)}")
    for mode in (report.BACK_TO_BACK, report.COMPRESSED, report.ONE_SECOND_APART):
        report.print_table(mode, result["rows"], result["system_calls"])
    report.print_idle(result["idle_percent"], plan.idle_seconds)
    report.print_encode(result["encode"])
    report.print_sampler(result["sampler"])
    found = report.verdicts(result["rows"], result["idle_percent"], result["encode"],
                            result["sampler"])
    if "process" in result:
        process_report.print_tables(result["process"])
        found += process_report.verdicts(result["process"])
    if "model" in result:
        models.print_table(result["model"])
        found += models.verdicts(result["model"])
    report.print_verdicts(found)
    result["verdicts"] = [{**asdict(verdict), "word": verdict.word} for verdict in found]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help=f"of {', '.join(PARTS)}; all but process and model when none is given")
    parser.add_argument("--quick", action="store_true", help="under a minute, with wider noise")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART",
                        help="the same; may be repeated")
    parser.add_argument("--processes", action="append", type=int, metavar="N",
                        help="size of a population of the part process; may be repeated")
    parser.add_argument("--binary", default=str(ROOT / "build/release/resource_exporter"),
                        help="the daemon (%(default)s)")
    parser.add_argument("--programs", help="folder of scrape_client (bench/ beside the daemon)")
    parser.add_argument("--json", metavar="FILE", help="save every row")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    return arguments


def main():
    arguments = parse_arguments()
    plan = QUICK if arguments.quick else FULL
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        result = run(arguments, plan)
    except CannotRun as error:
        progress(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    print_result(result, plan)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
