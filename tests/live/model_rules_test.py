#!/usr/bin/python3
"""The model's rules, in a real Prometheus, on the pages of servers that get different inputs: what
they record is numpy's for all these inputs together, a healthy day raises no alert, and then inputs
of another kind do. Time runs in fast motion.

Environment:
  MODEL_SERVER  the binary of the model server
  SOURCE_DIR    the top of the repository
"""

import json
import os
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import yaml
from exporter_process import wait_for
from model_server_process import MODELS, ModelServerProcess
from peers import Prometheus
from scaled_time import file_in_fast_motion, shortened, shortened_seconds

SOURCE = Path(os.environ["SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "model_server" / "train"))
import reference  # pylint: disable=wrong-import-position
import series  # pylint: disable=wrong-import-position

FACTOR = 1500  # A day is 57.6 s.
JOB = "BTS_model"
# Its own 15 s would be 10 ms. The rules are for everything up to the exporter's 5m.
SCRAPE_INTERVAL = shortened("2m", FACTOR)
FOR_SECONDS = shortened_seconds("30m", FACTOR)
# What has passed of a day when the day's inputs are all sent. The alert looks at days that began 18
# hours ago, and at nothing older than 24: between the two it sees this day, and all of it.
DAY_SECONDS = 0.85 * shortened_seconds("1d", FACTOR)
# Pages have 16 digits; what is added up from them is as good as numpy's but for the last few.
TOLERANCE = 1e-9
DRIFT = 8 / series.DIVISOR  # Eight users more in every cell.
PER_REQUEST = 1000


def configuration(directory, servers):
    """The shipped prometheus.yml in fast motion with the model's rules, and these as the model."""
    config = file_in_fast_motion(SOURCE / "prometheus.yml", FACTOR)
    config.pop("alerting", None)
    for path in (SOURCE / "rules").glob("model.*.yml"):
        (directory / path.name).write_text(yaml.safe_dump(file_in_fast_motion(path, FACTOR)))
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == JOB]
    job["scrape_interval"] = job["scrape_timeout"] = SCRAPE_INTERVAL
    job["static_configs"] = [{"targets": [server.name for server in servers]}]
    return {**config, "rule_files": [f"{directory}/*.yml"], "scrape_configs": [job]}


class Server:
    """A model server at an address of its own, and what it was asked in all its lives."""

    def __init__(self):
        self._process = ModelServerProcess().__enter__()
        self.name = f"127.0.0.1:{self._process.port}"
        self.asked = []  # Arrays of inputs, one a row.
        self.counted = 0  # The values that it should show.

    def end(self):
        self._process.__exit__()

    def ask(self, rows):
        for begin in range(0, len(rows), PER_REQUEST):
            self._process.infer(rows[begin : begin + PER_REQUEST].tolist())
        self.asked.append(rows)
        self.counted += rows.size

    def restart(self):
        assert self._process.stop() == 0
        self.end()
        self._process = ModelServerProcess(listen=self.name).__enter__()
        self.counted = 0

    def reload(self):
        """Begins to count anew, without an end."""
        self.signal("HUP")
        wait_for("a model anew", lambda: "msg=reloaded" in self._process.log())
        self.counted = 0

    def signal(self, name):
        os.kill(self._process.pid, signal.Signals[f"SIG{name}"])


def expected(servers, scrapes):
    """What a range should say that has seen all of these servers' inputs in so many scrapes.

    increase() stretches what it saw to the ends of its range: by nothing before a counter that was
    0, and by half of the pause between two scrapes after a last one that is longer ago. So it makes
    all counters greater by one factor, which matters only beside the half value in the index.
    """
    values = np.concatenate([rows for server in servers for rows in server.asked]).ravel()
    counts = reference.bin_counts(values)
    manifest = json.loads(Path(MODELS, "bts", "manifest.json").read_text())
    reference_counts = np.array(manifest["reference"]["counts"])
    distances = np.abs(
        np.cumsum(counts) / counts.sum() - np.cumsum(reference_counts) / reference_counts.sum()
    )
    stretch = 1 + 0.5 / (scrapes - 1)
    return {
        "input_value:mean": values.mean(),
        "input_value:variance": values.var(),
        "input_ks:max": distances.max(),
        "input_wasserstein:sum": distances.sum() * np.diff(manifest["reference"]["edges"]).mean(),
        "input_psi:sum": reference.psi(counts * stretch, reference_counts),
    }


class ModelRulesTest(unittest.TestCase):
    def setUp(self):
        self.busy, self.quiet = self.servers = [Server(), Server()]
        # It has the same model, and shows the reference while no other can be scraped.
        self.unasked = Server()
        for server in (*self.servers, self.unasked):
            self.addCleanup(server.end)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.prometheus = self.enterContext(
            Prometheus(
                configuration(directory, [*self.servers, self.unasked]),
                f"--query.lookback-delta={shortened('16m', FACTOR)}",
            )
        )
        # Prometheus looks for targets every five seconds.
        self.wait_until_scraped(*self.servers, self.unasked, seconds=20)

    def test_the_rules_say_what_numpy_says_and_tell_a_healthy_day_from_drift(self):
        self.send_an_hour()
        self.check("1h")
        self.send_a_healthy_day()
        self.check("1d")
        self.assertEqual(self.prometheus.query(self.alerts("[1h]", "count_over_time")), [])
        self.send_drift()

    def send_an_hour(self):
        """High values to one, and some low ones to the other, in no time."""
        rows = series.windows_of(series.values_of(series.counts_of(seed=100, days=1)))
        self.busy.ask(rows[:140])
        self.quiet.ask(rows[180:240])

    def send_a_healthy_day(self):
        """Each cell's latest values every five minutes; one server has thrice as many cells."""
        days = [series.values_of(series.counts_of(seed, days=1)) for seed in range(16)]
        steps = np.stack([series.windows_of(day) for day in days], axis=1)
        begin = time.monotonic()
        for step, rows in enumerate(steps):
            if step == 120:
                self.wait_until_scraped(self.quiet)
                self.quiet.restart()
                self.wait_until_scraped(self.quiet)
            if step == 200:
                self.wait_until_scraped(self.busy)
                self.busy.reload()
                self.wait_until_scraped(self.busy)
            self.busy.ask(rows[:12])
            self.quiet.ask(rows[12:])
            time.sleep(max(0, begin + (step + 1) / len(steps) * DAY_SECONDS - time.monotonic()))

    def send_drift(self):
        begin = time.monotonic()
        for server in self.servers:
            server.ask(np.concatenate(server.asked) + DRIFT)
        [alert] = wait_for(
            "ModelInputDrift", lambda: self.prometheus.query(self.alerts(state="firing")),
            FOR_SECONDS + 10, self.prometheus.log,
        )  # fmt: skip
        seconds = time.monotonic() - begin
        print(f"ModelInputDrift after {seconds:.1f} s", flush=True)
        self.assertGreaterEqual(seconds, FOR_SECONDS)
        labels = {name: alert["metric"][name] for name in ("job", "model", "version", "severity")}
        self.assertEqual(
            labels, {"job": JOB, "model": "bts", "version": "1", "severity": "warning"}
        )

    def check(self, window):
        """Compares what the rules recorded over this window with numpy."""
        self.wait_until_scraped(*self.servers)
        scrapes = self.stop_after_equal_scrapes()
        at = wait_for("a record", lambda: self.time_of_record(window), 10, self.prometheus.log)
        first = min(self.scrapes(server)[0][0] for server in self.servers)
        print(f"{scrapes} scrapes, {at - first:.2f} s after the first", flush=True)
        for name, value in expected(self.servers, scrapes).items():
            found = self.prometheus.query(f"job_model_version:model_{name}{window}", at=at)
            with self.subTest(name, window=window):
                [labels] = [one["metric"] for one in found]
                self.assertEqual((labels["model"], labels["version"]), ("bts", "1"))
                self.assertAlmostEqual(float(found[0]["value"][1]) / value, 1, delta=TOLERANCE)
            print(f"{name}{window} {found[0]['value'][1]}, numpy {value:.16g}", flush=True)
        for server in self.servers:
            server.signal("CONT")

    def stop_after_equal_scrapes(self):
        """Stops the servers so that each was scraped equally often; returns how often.

        Scraped more often, a server's counters would be stretched less, and weigh less in the sums.
        """
        for server in self.servers:
            server.signal("STOP")
        while True:
            for server in self.servers:
                wait_for("a scrape that fails", lambda s=server: self.latest("up", s) == 0)
            counts = [len(self.scrapes(server)) for server in self.servers]
            if counts[0] == counts[1]:
                return counts[0]
            fewer = self.servers[int(np.argmin(counts))]
            fewer.signal("CONT")
            wait_for(
                "more scrapes",
                lambda s=fewer, wanted=max(counts): len(self.scrapes(s)) >= wanted,
            )
            fewer.signal("STOP")

    def time_of_record(self, window):
        """When the rules were evaluated over a range that begins before the first scrape, and ends
        well after the last; None if that is still to come."""
        records = self.prometheus.query(f"job_model_version:model_input_psi:sum{window}[1h]")
        if not records:
            return None
        at = records[0]["values"][-1][0]
        for server in self.servers:
            times = [when for when, _ in self.scrapes(server)]
            pause = (times[-1] - times[0]) / (len(times) - 1)
            self.assertLess(at - shortened_seconds(window, FACTOR), times[0], "too late")
            if at - times[-1] <= 1.1 * pause:
                return None
        return at

    def wait_until_scraped(self, *servers, seconds=5):
        """Until Prometheus has all that they counted; 0 from those that have just begun."""
        for server in servers:
            wait_for(
                f"a scrape of {server.counted} values of {server.name}",
                lambda s=server: self.latest("model_input_value_count", s) == s.counted,
                seconds,
                self.prometheus.log,
            )

    def latest(self, name, server):
        found = self.prometheus.query(f'{name}{{instance="{server.name}"}}')
        return float(found[0]["value"][1]) if found else None

    def scrapes(self, server):
        """(time, values counted) of each so far: the range is no scaled one."""
        found = self.prometheus.query(f'model_input_value_count{{instance="{server.name}"}}[1h]')
        return found[0]["values"] if found else []

    @staticmethod
    def alerts(window="", function="", state="firing|pending"):
        return f'{function}(ALERTS{{alertname="ModelInputDrift",alertstate=~"{state}"}}{window})'


if __name__ == "__main__":
    unittest.main()
