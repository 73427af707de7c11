"""The hosts that bench/run.py lets the sampler tick on: this one, and a large one made of files."""
import contextlib
import tempfile
from pathlib import Path

CPUS, DISKS, INTERFACES = 256, 64, 64
FILES = ("stat", "meminfo", "vmstat", "pressure/cpu", "pressure/memory", "pressure/io",
         "diskstats", "net/dev")


def floor_paths(procfs):
    """What the sampler reads below `procfs`, as far as this kernel has it."""
    def is_readable(path):
        try:
            return bool(path.read_bytes())
        except OSError:
            return False

    return [str(path) for path in (Path(procfs) / name for name in FILES) if is_readable(path)]


def _stat():
    columns = "68011842 4230 2051170 1023145200 277330 0 198440 30110 0 0"
    lines = ["cpu  " + columns] + [f"cpu{number} {columns}" for number in range(CPUS)]
    lines += ["intr 1682644030" + " 0 17 4211" * 1000, "ctxt 30114779000", "btime 1699887311",
              "processes 126483300", "procs_running 31", "procs_blocked 1",
              "softirq 80226114 5 24107730 11203 4511209 1512083 0 48126 21900442 0 28135316"]
    return lines


def _diskstats():
    numbers = "8840172 12 1810467296 1433209 2260457 91347 722149776 3920814 0 1805004 5354024"
    return [f" 259 {number:7} nvme{number}n1 {numbers} 0 0 0 0 0 0" for number in range(DISKS)]


def _net_dev():
    numbers = "9223372036854 8214993041 3 17 1 2 0 904417 1099511627776 611029384 4 5 6 7 8 0"
    return ["Inter-|   Receive    |  Transmit", " face |bytes packets|bytes packets",
            *(f"enp{number}s0: {numbers}" for number in range(INTERFACES))]


@contextlib.contextmanager
def large_host():
    """The path of a folder like /proc of a host with many CPUs, disks and network devices."""
    with tempfile.TemporaryDirectory(prefix="resource_exporter.") as folder:
        procfs = Path(folder)
        made = {"stat": _stat(), "diskstats": _diskstats(), "net/dev": _net_dev()}
        for name, lines in made.items():
            (procfs / name).parent.mkdir(exist_ok=True)
            (procfs / name).write_text("\n".join(lines) + "\n")
        (procfs / "pressure").mkdir()
        for name in ("meminfo", "vmstat", "pressure/cpu", "pressure/memory", "pressure/io"):
            with contextlib.suppress(OSError):
                (procfs / name).write_text((Path("/proc") / name).read_text())
        yield folder
