"""Tables and verdicts of the part `process` of bench/run.py."""
import statistics

from processes import (BACK_TO_BACK, FLOORS, NO_PROCESSES, ONE_SECOND_APART, PEERS, SOURCES, ours)
from report import Verdict

# Of source A, by the size of the population.
MAX_TICK_US_PER_PROCESS = {1000: 0.2, 10_000: 0.8}
MAX_SCRAPE_MS = {1000: 1, 10_000: 10}
MAX_RSS_MIB = {1000: 12, 10_000: 24}
# Of the sources that read /proc, of one process.
MAX_PROC_US = {"scrape": 35, "tick": 12}
MAX_SAMPLING_PERCENT = 0.5  # --collector.process.budget's default.
FLOOR_TEXTS = {
    "bpf-counters": "the BPF walk of a tick",
    "bpf-complete": "the BPF walk of a scrape",
    "list": "listing /proc",
    "kept-stat-statm": "stat, statm: kept descriptors",
    "opened-stat-statm": "stat, statm: opened",
    "opened-all": "stat, status, io, fd: opened",
}


class Found:
    """The rows of one population, asked for."""

    def __init__(self, result, size):
        self.rows = [row for row in result["rows"] if row["population"] == size]
        self.idle_percent = result["idle_percent"][size]
        self.idle_seconds = result["idle_seconds"]

    def best(self, step, name, mode, field="cpu_us"):
        """The least of all rounds, as noise only adds; None when it did not run."""
        values = [row[field] for row in self.rows
                  if (row["step"], row["name"], row["mode"]) == (step, name, mode)]
        return min(values) if values else None

    def each(self, step, name, mode):
        """The same in microseconds of one process."""
        values = [row["cpu_us"] / row["processes"] for row in self.rows
                  if (row["step"], row["name"], row["mode"]) == (step, name, mode)]
        return min(values) if values else None

    def times_ours(self, name):
        """CPU of a peer's scrape by that of ours from BPF: the median of ratios within a round."""
        def by_round(which):
            return {row["round"]: row["cpu_us"] for row in self.rows
                    if (row["step"], row["name"], row["mode"]) == ("scrape", which, BACK_TO_BACK)}

        peer, own = by_round(name), by_round(ours("bpf"))
        found = [peer[number] / own[number] for number in peer if number in own]
        return statistics.median(found) if found else None

    def sampling_percent(self, source):
        """Of a core, while nobody scrapes: what the daemon takes more than one without processes.

        None where the time was too short to hold three walks of a source that keeps to its budget.
        """
        tick_us = self.best("tick", ours(source), BACK_TO_BACK)
        if ours(source) not in self.idle_percent or tick_us is None:
            return None
        seconds_between_walks = tick_us / 1e6 / (MAX_SAMPLING_PERCENT / 100)
        if 3 * seconds_between_walks > self.idle_seconds:
            return None
        return self.idle_percent[ours(source)] - self.idle_percent[NO_PROCESSES]


def cell(value, width, form):
    return (format(value, form) if value is not None else "-").rjust(width)


def print_servers(found):
    print(f"  {'':32} {'us per process, scrape':>22} {'ms':>8} {'x ours':>7} "
          f"{'us per process, tick':>20} {'idle %':>7} {'RSS MiB':>7} {'body KB':>8} {'samples':>7}")
    for name in (*PEERS, *map(ours, SOURCES)):
        if found.best("scrape", name, BACK_TO_BACK) is None:
            continue
        source = name.removeprefix(ours(""))
        print(f"  {name:32}",
              cell(found.each("scrape", name, BACK_TO_BACK), 11, ".2f"),
              cell(found.each("scrape", name, ONE_SECOND_APART), 10, ".2f"),
              cell(found.best("scrape", name, BACK_TO_BACK) / 1000, 8, ".2f"),
              cell(found.times_ours(name), 7, ".1f"),
              cell(found.each("tick", name, BACK_TO_BACK), 11, ".3f"),
              cell(found.each("tick", name, ONE_SECOND_APART), 8, ".3f"),
              cell(found.sampling_percent(source), 7, ".3f"),
              cell(found.best("scrape", name, BACK_TO_BACK, "rss_kib") / 1024, 7, ".1f"),
              cell(found.best("scrape", name, BACK_TO_BACK, "body_bytes") / 1000, 8, ".0f"),
              cell(found.best("scrape", name, BACK_TO_BACK, "samples"), 7, ".0f"))


def print_floors(found):
    print(f"  {'reading alone, us per process':32} {BACK_TO_BACK:>13} {ONE_SECOND_APART:>10}   share of")
    for method, step_and_source in FLOORS.items():
        warm = found.each("reading", method, BACK_TO_BACK)
        if warm is None:
            continue
        cold = found.each("reading", method, ONE_SECOND_APART)
        shares = ""
        if step_and_source:
            step, source = step_and_source
            whole = [found.each(step, ours(source), mode) for mode in (BACK_TO_BACK,
                                                                        ONE_SECOND_APART)]
            if None not in whole:
                shares = f"{warm / whole[0]:.0%}, {cold / whole[1]:.0%} of a {step} from {source}"
        print(f"  {FLOOR_TEXTS[method]:32} {cell(warm, 13, '.3f')} {cell(cold, 10, '.3f')}   {shares}")


def print_tables(result):
    for size in result["idle_percent"]:
        found = Found(result, size)
        present = max(row["processes"] for row in found.rows)
        print(f"\n{size} sleeping processes, {present} with those of the host. CPU: the least of all "
              f"rounds;\nof two columns, {BACK_TO_BACK} and {ONE_SECOND_APART}")
        print_servers(found)
        print_floors(found)


def verdicts(result):
    made = []

    def judge(what, limit, measured):
        if measured is not None:
            made.append(Verdict(what, limit, measured))

    for size in result["idle_percent"]:
        found = Found(result, size)
        bpf = ours("bpf")
        if size in MAX_SCRAPE_MS:
            for mode in (BACK_TO_BACK, ONE_SECOND_APART):
                judge(f"bpf, {size}: us per process of a tick, {mode}",
                      MAX_TICK_US_PER_PROCESS[size], found.each("tick", bpf, mode))
            if scrape := found.best("scrape", bpf, BACK_TO_BACK):
                judge(f"bpf, {size}: ms of a scrape, {BACK_TO_BACK}", MAX_SCRAPE_MS[size],
                      scrape / 1000)
                judge(f"bpf, {size}: RSS in MiB", MAX_RSS_MIB[size],
                      found.best("scrape", bpf, BACK_TO_BACK, "rss_kib") / 1024)
        for source in ("taskstats", "proc"):
            for step, limit in MAX_PROC_US.items():
                judge(f"{source}, {size}: us per process of a {step}", limit,
                      found.each(step, ours(source), BACK_TO_BACK))
            judge(f"{source}, {size}: % of a core for samples", MAX_SAMPLING_PERCENT,
                  found.sampling_percent(source))
    return made
