"""The part `process` of bench/run.py: exporters of processes beside populations of sleeping ones.

For each population all servers are up, and asked in turn. What only reads the kernel is measured in
the same minute, so that its share can be told.
"""
import contextlib
import os
import subprocess
from dataclasses import dataclass

import measure
from servers import CannotRun, Server, commands

BACK_TO_BACK = "back to back"
ONE_SECOND_APART = "1 s apart"
GAP_MS = {BACK_TO_BACK: 0, ONE_SECOND_APART: 1000}
SOURCES = ("bpf", "taskstats", "proc")
PEERS = ("process-exporter", "process-exporter, bare", "psutil, every process")
NO_PROCESSES = "resource_exporter, no processes"
# What reads only, and what of ours has to read as much: (step, source).
FLOORS = {
    "bpf-counters": ("tick", "bpf"),
    "bpf-complete": ("scrape", "bpf"),
    "list": None,
    "kept-stat-statm": None,
    "opened-stat-statm": ("tick", "proc"),
    "opened-all": ("scrape", "proc"),
}
NAMES = 100
# So that every tick walks, whatever a walk costs.
ENDLESS_BUDGET = "process.budget=100%"


def ours(source):
    return f"resource_exporter, {source}"


@dataclass(frozen=True)
class ProcessPlan:
    populations: tuple
    rounds: int
    idle_seconds: int
    walks: int  # By BPF, in each round; a tenth or fewer where a walk is dear.
    gaps: int


FULL = ProcessPlan(populations=(100, 1000, 10_000), rounds=3, idle_seconds=30, walks=30, gaps=7)
QUICK = ProcessPlan(populations=(100, 1000), rounds=3, idle_seconds=5, walks=10, gaps=3)


@contextlib.contextmanager
def population(programs, size):
    command = [str(programs.folder / "population"), "--processes", str(size), "--names", str(NAMES)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "ready\n":
            raise CannotRun(f"no population of {size} processes: see above")
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def count_processes():
    return sum(entry.isdigit() for entry in os.listdir("/proc"))


class ProcessBench:
    """The measurements of one population."""

    def __init__(self, programs, plan, size, servers):
        self.programs = programs
        self.plan = plan
        self.size = size
        self.servers = servers  # name -> Server
        self.rows = []
        self.idle_percent = {}

    def measure(self):
        for server in self.servers.values():
            self.programs.scrape(server, 1, warm_up=1)
        for number in range(self.plan.rounds):
            self._compare(BACK_TO_BACK, number)
        self._compare(ONE_SECOND_APART, 0)
        idle = [self.servers[name] for name in (NO_PROCESSES, *map(ours, SOURCES))
                if name in self.servers]
        self.idle_percent = measure.idle_cpu_percent(idle, self.plan.idle_seconds)

    def _compare(self, mode, number):
        for name, server in self.servers.items():
            if name != NO_PROCESSES:
                row = self.programs.scrape(server, self._count(mode, name),
                                           gap_ms=GAP_MS[mode], warm_up=3 * int("bpf" in name))
                self._add(mode, number, "scrape", name, row["cpu_ms"] * 1000, row)
        for source in SOURCES:
            if ours(source) in self.servers:
                row = self.programs.step("process", "tick", self._count(mode, ours(source)),
                                         [f"process.source={source}", ENDLESS_BUDGET],
                                         gap_ms=GAP_MS[mode])
                self._add(mode, number, "tick", ours(source), self._best(mode, row), row)
        for method in FLOORS:
            with contextlib.suppress(CannotRun):  # Said already, of the source.
                row = self.programs.process_floor(method, self._count(mode, method),
                                                  gap_ms=GAP_MS[mode])
                self._add(mode, number, "reading", method, self._best(mode, row), row)

    def _count(self, mode, name):
        """How often to repeat what walks over all processes: what is dear, less often."""
        if mode == ONE_SECOND_APART:
            return self.plan.gaps if "bpf" in name else 1
        if "bpf" in name:
            return self.plan.walks
        return max(self.plan.walks * 100 // max(self.size, 1000), 1)

    @staticmethod
    def _best(mode, row):
        # Noise only adds; but the caches of a gap are a matter of luck.
        return row["cpu_us_min"] if mode == BACK_TO_BACK else row["cpu_us"]

    def _add(self, mode, number, step, name, cpu_us, row):
        processes = row.get("processes") or count_processes()
        self.rows.append({"population": self.size, "mode": mode, "round": number, "step": step,
                          "name": name, **row, "processes": processes, "cpu_us": cpu_us})


def start(stack, binary):
    """Those that work here; what does not is said."""
    available = commands(binary)
    servers, missing = {}, {}
    for name in (*PEERS, NO_PROCESSES, *map(ours, SOURCES)):
        try:
            server = Server(name, available[name]())
            stack.callback(server.stop)
            server.wait_until_ready()
            servers[name] = server
        except CannotRun as error:
            missing[name] = str(error)
    if NO_PROCESSES not in servers:
        raise CannotRun(missing[NO_PROCESSES])
    return servers, missing


def run(programs, binary, plan, say):
    """Everything that was measured, as bench/process_report.py takes it."""
    result = {"rows": [], "idle_percent": {}, "idle_seconds": plan.idle_seconds, "missing": {},
              "noise": []}
    for size in plan.populations:
        share = measure.machine_busy_share()
        result["noise"].append(share)
        say(f"{size} processes, machine {share:.0%} busy before them")
        with population(programs, size), contextlib.ExitStack() as stack:
            servers, missing = start(stack, binary)
            for name, reason in missing.items():
                say(f"{name} is left out: {reason}")
            bench = ProcessBench(programs, plan, size, servers)
            bench.measure()
        result["rows"] += bench.rows
        result["idle_percent"][size] = bench.idle_percent
        result["missing"] |= missing
    return result
