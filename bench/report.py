"""Turns the rows of bench/run.py into tables and verdicts."""
import statistics
from dataclasses import dataclass

BACK_TO_BACK = "back to back"
COMPRESSED = "back to back, gzip"
ONE_SECOND_APART = "1 s apart, cold caches"
THIS_HOST = "this host"
LARGE_HOST = "256 CPUs, 64 disks, 64 interfaces"
MIN_SCRAPES_FOR_P99 = 50


@dataclass(frozen=True)
class Goal:
    """Ours is to be at most `limit` times the peer's."""
    what: str
    ours: str
    peer: str
    field: str
    limit: float
    modes: tuple


@dataclass(frozen=True)
class Verdict:
    what: str
    limit: float
    measured: float

    @property
    def word(self):
        return "PASS" if self.measured <= self.limit else "MISS"


RATIO_GOALS = [
    Goal("CPU / node_exporter's", "resource_exporter", "node_exporter", "cpu_ms", 1 / 10,
         (BACK_TO_BACK, ONE_SECOND_APART)),
    Goal("RSS / node_exporter's", "resource_exporter", "node_exporter", "rss_kib", 1 / 3,
         (BACK_TO_BACK,)),
    Goal("CPU / kernel floor", "resource_exporter", "kernel_floor", "cpu_ms", 1.5,
         (BACK_TO_BACK, ONE_SECOND_APART)),
    Goal("CPU of psutil's names / Python's", "resource_exporter, psutil", "psutil_http", "cpu_ms",
         1 / 5, (BACK_TO_BACK, ONE_SECOND_APART)),
]
MAX_IDLE_PERCENT = 0.05
MAX_ENCODER_NANOSECONDS = 50
MAX_TICK_MICROSECONDS = {THIS_HOST: 150, LARGE_HOST: 1500}


def ratios(rows, mode, goal):
    """Ours / the peer's within each round: only there did both see the same machine."""
    def by_round(name):
        return {row["round"]: row[goal.field] for row in rows
                if row["mode"] == mode and row["name"] == name}

    ours, peer = by_round(goal.ours), by_round(goal.peer)
    return [ours[number] / peer[number] for number in ours if number in peer]


def verdicts(rows, idle_percent, encode, sampler):
    result = []
    for goal in RATIO_GOALS:
        for mode in goal.modes:
            if found := ratios(rows, mode, goal):
                what = f"{goal.what}, {mode}"
                result.append(Verdict(what, goal.limit, statistics.median(found)))
    for name, percent in idle_percent.items():
        if name.startswith("resource_exporter"):
            result.append(Verdict(f"idle CPU, % of a core, {name}", MAX_IDLE_PERCENT, percent))
    if encode:
        nanoseconds = encode["text_encoder_ns"]
        result.append(Verdict("encoder, ns per sample", MAX_ENCODER_NANOSECONDS, nanoseconds))
    for host, modes in sampler.items():
        for mode, found in modes.items():
            what = f"sampler, us per tick, {host}, {mode.partition(',')[0]}"
            result.append(Verdict(what, MAX_TICK_MICROSECONDS[host], found["cpu_us"]))
    return result


def with_range(values):
    return f"{statistics.median(values):.3f} [{min(values):.3f}..{max(values):.3f}]"


def print_row(name, rows, calls):
    def column(field, width, form, scale=1.0):
        values = [row[field] for row in rows if field in row]
        text = format(statistics.median(values) * scale, form) if values else "-"
        return text.rjust(width)

    def count(what, width):
        return (format(calls[what], ".0f") if what in calls else "-").rjust(width)

    has_p99 = rows[0].get("scrapes", 0) >= MIN_SCRAPES_FOR_P99
    print(f"  {name:26} {with_range([row['cpu_ms'] for row in rows]):>24}",
          column("p50_ms", 7, ".3f"), column("p99_ms" if has_p99 else "none", 7, ".3f"),
          column("rss_kib", 7, ".1f", 1 / 1024), column("body_bytes", 7, ".0f"),
          column("wire_bytes", 7, ".0f"), column("samples", 7, ".0f"),
          count("syscalls", 8), count("preads", 6))


def print_table(mode, rows, calls):
    rows = [row for row in rows if row["mode"] == mode]
    if not rows:
        return
    print(f"\n{mode}: medians over {1 + max(row['round'] for row in rows)} rounds [min..max]")
    print(f"  {'':26} {'CPU ms per scrape':>24}  p50 ms  p99 ms RSS MiB  body B  sent B samples "
          "syscalls preads")
    for name in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == name]
        print_row(name, mine, calls.get(name, mine[0]))


def print_idle(idle_percent, seconds):
    if idle_percent:
        print(f"\nidle for {seconds} s, % of one core")
        for name, percent in idle_percent.items():
            print(f"  {name:28} {percent:.4f}")


def print_encode(encode):
    if encode:
        print(f"\ntext of a page of {encode['samples']} samples, ns per sample")
        for name, nanoseconds in encode.items():
            if name.endswith("_ns"):
                print(f"  {name.removesuffix('_ns'):36} {nanoseconds:7.1f}")


def print_sampler(sampler):
    if sampler:
        what = "a tick of the sampler, CPU microseconds"
        print(f"\n{what:62} {'tick':>8} {'reading':>8} {'share':>6}")
    for host, modes in sampler.items():
        for mode, found in modes.items():
            share = found["floor_us"] / found["cpu_us"]
            print(f"  {host + ', ' + mode:60} {found['cpu_us']:8.1f} {found['floor_us']:8.1f} "
                  f"{share:6.0%}")


def print_verdicts(found):
    print(f"\n{'goal':62} {'at most':>8} {'measured':>9}")
    for verdict in found:
        print(f"  {verdict.what:60} {verdict.limit:8.3f} {verdict.measured:9.3f}  {verdict.word}")
