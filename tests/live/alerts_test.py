#!/usr/bin/python3
"""The shipped rules, in a real Prometheus, against a host that is made to suffer: each injury fires
its alert and no other, and while the host is quiet nothing fires. Time runs in fast motion.

Environment: SOURCE_DIR, the top of the repository.
"""

import contextlib
import multiprocessing
import os
import tempfile
import time
import unittest
from pathlib import Path

import yaml
from exporter_process import ExporterProcess, wait_for
from peers import Prometheus
from scaled_time import FACTOR, durations_in, in_fast_motion, shortened, shortened_seconds

SOURCE = Path(os.environ["SOURCE_DIR"])
RULE_FILES = sorted((SOURCE / "rules").glob("*.yml"))
JOB = "Resource_monitoring"

SCRAPE_SECONDS = shortened_seconds("5m")
RANGE_SECONDS = shortened_seconds("20m")  # What almost every alert looks back.
FIRE_SECONDS = RANGE_SECONDS + 2 * SCRAPE_SECONDS
CLEAR_SECONDS = RANGE_SECONDS + 2 * SCRAPE_SECONDS
INJURY_SECONDS = 60.0  # Should this test be killed, it ends by itself.

LIMIT_BYTES = 16 << 20
CHUNK_BYTES = 1 << 20
FILE_CHUNKS = 64
LIMIT_FILES = ("memory.limit_in_bytes", "memory.max")  # Of control groups v1 and v2.


def load_rules():
    return {path.name: yaml.safe_load(path.read_text()) for path in RULE_FILES}


def configuration(directory, port):
    """The shipped prometheus.yml in fast motion, its rules too, with our exporter as the host."""
    config = in_fast_motion(yaml.safe_load((SOURCE / "prometheus.yml").read_text()))
    for name, rules in load_rules().items():
        (directory / name).write_text(yaml.safe_dump(in_fast_motion(rules)))
    config["rule_files"] = [f"{directory}/*.yml"]
    jobs = [job for job in config["scrape_configs"] if job["job_name"] == JOB]
    jobs[0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    return {**config, "scrape_configs": jobs, "alerting": {}}


def start_exporter(port=0):
    args = [f"--window={shortened('5m')}", f"--sample-interval={shortened('1s')}"]
    return ExporterProcess(args, listen=f"127.0.0.1:{port}")


@contextlib.contextmanager
def running(work, *args, processes=1):
    """`work` in processes of its own, until the block ends."""
    workers = [multiprocessing.Process(target=work, args=args) for _ in range(processes)]
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            if worker.pid:
                worker.kill()
                worker.join()


def spin():
    end = time.monotonic() + INJURY_SECONDS
    while time.monotonic() < end:
        pass


def overwrite(path, group):
    """Writes a file that does not fit into the group's memory, again and again: each new page has
    to wait until an old one is on disk."""
    (group / "cgroup.procs").write_text("0")
    chunk = bytes(CHUNK_BYTES)
    end = time.monotonic() + INJURY_SECONDS
    with open(path, "wb", buffering=0) as file:
        while time.monotonic() < end:
            for number in range(FILE_CHUNKS):
                os.pwrite(file.fileno(), chunk, number * CHUNK_BYTES)


def remove_group(path):
    def is_gone():
        with contextlib.suppress(OSError):  # Busy: its last process has not quite left.
            path.rmdir()
        return not path.exists()

    wait_for("the control group's end", is_gone)


@contextlib.contextmanager
def small_memory_group():
    """A control group of LIMIT_BYTES of memory; None where this host lets us make none."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if not filesystem.startswith(("cgroup ", "cgroup2 ")):
            continue
        path = Path(mount.split()[4]) / f"resource_exporter_alerts_test.{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            for limit in LIMIT_FILES:
                if (path / limit).exists():
                    (path / limit).write_text(str(LIMIT_BYTES))
                    yield path
                    return
        finally:
            remove_group(path)
    yield None


def has_memory_pressure():
    try:
        return bool(Path("/proc/pressure/memory").read_text())
    except OSError:
        return False


class AlertsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.exporters = cls.enterClassContext(contextlib.ExitStack())
        cls.exporter = cls.exporters.enter_context(start_exporter())
        cls.prometheus = cls.enterClassContext(
            Prometheus(
                configuration(directory, cls.exporter.port),
                # Its default; longer, and what a failed scrape tears would be hidden.
                f"--query.lookback-delta={shortened('5m')}",
            )
        )

    def test_each_injury_fires_its_alert_and_a_quiet_host_none(self):
        self.stay_quiet(RANGE_SECONDS + SCRAPE_SECONDS)
        self.give_more_work_than_cpus()
        with self.subTest("memory"):  # Where it cannot be tested, the rest can.
            self.give_more_work_than_memory()
        self.stop_and_start_the_exporter()
        self.stay_quiet(RANGE_SECONDS)
        self.check_record_of_alerts()

    def give_more_work_than_cpus(self):
        with running(spin, processes=2 * os.cpu_count()):
            self.wait_for_change(set(), {"HostCpuSaturated"}, FIRE_SECONDS)
        self.wait_for_change({"HostCpuSaturated"}, set(), CLEAR_SECONDS)
        # It may have ended just below the threshold, where the next injury could lift it again.
        self.stay_quiet(2 * SCRAPE_SECONDS)

    def give_more_work_than_memory(self):
        if not has_memory_pressure():
            self.skipTest("MEMORY PRESSURE NOT TESTED: this kernel has no /proc/pressure/memory")
        with contextlib.ExitStack() as stack:
            # Not /tmp, which may be in memory: without swap that cannot be taken back.
            file = stack.enter_context(tempfile.NamedTemporaryFile(dir="/var/tmp"))
            group = stack.enter_context(small_memory_group())
            if not group:
                self.skipTest("MEMORY PRESSURE NOT TESTED: no memory control group can be made")
            with running(overwrite, file.name, group):
                self.wait_for_change(set(), {"HostMemoryPressure"}, FIRE_SECONDS)
        self.wait_for_change({"HostMemoryPressure"}, set(), CLEAR_SECONDS)

    def stop_and_start_the_exporter(self):
        port = self.exporter.port
        self.assertEqual(self.exporter.stop(), 0)
        self.wait_for_change(set(), {"HostExporterDown"}, FIRE_SECONDS)
        self.exporters.close()
        type(self).exporter = self.exporters.enter_context(start_exporter(port))
        self.wait_for_change({"HostExporterDown"}, set(), 2 * SCRAPE_SECONDS)

    def check_record_of_alerts(self):
        """Prometheus keeps what it evaluated: a short alert between two of our looks is there."""
        # An hour, and not of the fast motion: the whole run.
        seen = self.prometheus.query('max_over_time(ALERTS{alertstate="firing"}[1h])')
        wanted = {"HostCpuSaturated", "HostMemoryPressure", "HostExporterDown"}
        self.assertLessEqual({series["metric"]["alertname"] for series in seen}, wanted)

    def test_every_rule_works_on_the_real_page(self):
        wait_for("an evaluation of each rule", self.have_all_run, FIRE_SECONDS, pause=0.1)
        faults = {
            rule["name"]: rule.get("lastError", rule["health"])
            for rule in self.rules()
            if rule["health"] != "ok" or rule.get("lastError")
        }
        self.assertEqual(faults, {})

    def test_no_duration_of_the_rules_runs_at_its_old_speed(self):
        """As Prometheus itself understood them: it prints expressions anew."""
        found = [
            (rule["name"], durations_in(rule["query"]), rule.get("duration", 0), interval)
            for interval, rule in self.rules_with_interval()
        ]
        wanted = [
            (
                rule.get("alert") or rule["record"],
                [round(seconds / FACTOR, 3) for seconds in durations_in(rule["expr"])],
                shortened_seconds(rule["for"]) if "for" in rule else 0,
                shortened_seconds(group["interval"]),
            )
            for rules in load_rules().values()
            for group in rules["groups"]
            for rule in group["rules"]
        ]
        self.assertCountEqual(found, wanted)
        self.assertTrue(any(durations for _, durations, *_ in found))

    def rules_with_interval(self):
        groups = self.prometheus.api("rules")["groups"]
        return [(group["interval"], rule) for group in groups for rule in group["rules"]]

    def rules(self):
        return [rule for _, rule in self.rules_with_interval()]

    def have_all_run(self):
        ups = self.prometheus.query(f"count_over_time(up{{job='{JOB}'}}[1h])")
        is_scraped = ups and float(ups[0]["value"][1]) >= 2
        return is_scraped and all(rule["health"] != "unknown" for rule in self.rules())

    def alerts(self):
        """The names of those that fire. HostExporterAbsent is pending before the first scrape."""
        found = self.prometheus.api("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    def wait_for_change(self, before, after, seconds):
        """Waits until exactly the alerts `after` are there; until then it must be `before`."""

        def has_changed():
            found = self.alerts()
            self.assertIn(found, (before, after), self.load())
            return found == after

        what = f"{before or 'no alert'} becomes {after or 'no alert'}"
        begin = time.monotonic()
        wait_for(what, has_changed, seconds, self.load, pause=0.1)
        print(f"{time.monotonic() - begin:5.1f} s until {what}", flush=True)

    def stay_quiet(self, seconds):
        end = time.monotonic() + seconds

        def is_over():
            self.assertEqual(self.alerts(), set(), self.load())
            return time.monotonic() >= end

        wait_for("the end of a quiet time", is_over, seconds + 10, pause=0.1)
        print(f"{seconds:5.1f} s without an alert", flush=True)

    def load(self):
        """What the rules stand on, to judge a failure by: other work on the host shows here."""
        names = "instance:host_(cpu_busy_seconds|tasks_blocked|seconds_sampled).*20m"
        series = self.prometheus.query(f"{{__name__=~'{names}|.*host_pressure_ratio:mean20m'}}")
        lines = [f"{one['metric']} {one['value'][1]}" for one in series]
        return "\n".join([f"load {Path('/proc/loadavg').read_text()}", *lines])


if __name__ == "__main__":
    unittest.main()
