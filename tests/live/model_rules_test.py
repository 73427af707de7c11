#!/usr/bin/python3
"""The model's rules, in a real Prometheus, on the pages of servers that get different inputs: what
they record is numpy's for all these inputs together, a healthy day raises no alert, and then inputs
of another kind do. Time runs in fast motion.

Environment:
  MODEL_SERVER  the binary of the model server
  SOURCE_DIR    the top of the repository
"""

import itertools
import json
import os
import shutil
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

JOB = "BTS_model"
FACTORS = {"1h": 250, "1d": 1500}  # An hour takes 14.4 s, a day 57.6 s.
# Of the job's own 15s little would be left; the rules are for all up to 5m.
SCRAPE_INTERVALS = {"1h": "2m", "1d": "5m"}
FOR_SECONDS = shortened_seconds("30m", FACTORS["1d"])
# In which a day's inputs are sent. Less, so that the range still has all of it when it is checked.
DAY_SECONDS = 0.8 * shortened_seconds("1d", FACTORS["1d"])
PARTS = 72  # Of a day, which are sent one by one.
# From its beginning until the alert judges what a model is asked: it looks at 23 of its hours.
UNJUDGED_SECONDS = shortened_seconds("24h", FACTORS["1d"])
# Pages have 16 digits; what is added up from them is as good as numpy's but for the last few.
TOLERANCE = 1e-9
DRIFT = 8 / series.DIVISOR  # Eight users more in every cell.
PER_REQUEST = 200
FLAGS = ["--deadline=10s"]  # On a busy machine a request may take long.


def configuration(directory, servers, window):
    """The shipped prometheus.yml in fast motion with the model's rules, and these as the model."""
    factor = FACTORS[window]
    config = file_in_fast_motion(SOURCE / "prometheus.yml", factor)
    config.pop("alerting", None)
    for path in (SOURCE / "rules").glob("model.*.yml"):
        (directory / path.name).write_text(yaml.safe_dump(file_in_fast_motion(path, factor)))
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == JOB]
    job["scrape_interval"] = job["scrape_timeout"] = shortened(SCRAPE_INTERVALS[window], factor)
    job["static_configs"] = [{"targets": [server.name for server in servers]}]
    return {**config, "rule_files": [f"{directory}/*.yml"], "scrape_configs": [job]}


class Server:
    """A model server at an address of its own, and what it was asked in all its lives."""

    def __init__(self):
        # pylint: disable-next=consider-using-with
        self._folder = tempfile.TemporaryDirectory()
        self._model = Path(shutil.copytree(f"{MODELS}/bts", f"{self._folder.name}/bts"))
        self._flags = [*FLAGS, f"--model={self._model}"]
        self._process = ModelServerProcess(self._flags).__enter__()
        self.name = f"127.0.0.1:{self._process.port}"
        self.asked = []  # Arrays of inputs, one a row.
        self.counted = 0  # The values that it should show.

    def end(self):
        self._process.__exit__()
        self._folder.cleanup()

    def ask(self, rows):
        for begin in range(0, len(rows), PER_REQUEST):
            self._process.infer(rows[begin : begin + PER_REQUEST].tolist())
        self.asked.append(rows)
        self.counted += rows.size

    def restart(self):
        assert self._process.stop() == 0
        self._process.__exit__()
        self._process = ModelServerProcess(self._flags, listen=self.name).__enter__()
        self.counted = 0

    def reload(self):
        """Begins to count its inputs anew, without an end: it has another threshold, for a week."""
        path = self._model / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["psi_threshold"]["7d"] = 1
        path.write_text(json.dumps(manifest), encoding="utf-8")
        self.signal("HUP")
        wait_for("a model anew", lambda: "msg=reloaded" in self._process.log())
        self.counted = 0

    def signal(self, name):
        os.kill(self._process.pid, signal.Signals[f"SIG{name}"])


def expected(servers, stretches):
    """What the rules should say of all inputs of these servers.

    increase() stretches what it saw of a server to the ends of its range, all counters alike. Where
    servers are stretched unequally, their inputs weigh so; and what is stretched leaves less weight
    to the half value that the index adds to each bin.
    """
    values = [np.concatenate(server.asked).ravel() for server in servers]
    weights = np.repeat(stretches, [one.size for one in values])
    mean = np.average(np.concatenate(values), weights=weights)
    squares = (np.concatenate(values) - mean) ** 2
    counts = sum(reference.bin_counts(one) * weight for one, weight in zip(values, stretches))
    manifest = json.loads(Path(MODELS, "bts", "manifest.json").read_text())
    reference_counts = np.array(manifest["reference"]["counts"])
    distances = np.abs(
        np.cumsum(counts) / counts.sum() - np.cumsum(reference_counts) / reference_counts.sum()
    )
    return {
        "input_value:mean": mean,
        "input_value:variance": np.average(squares, weights=weights),
        "input_ks:max": distances.max(),
        "input_wasserstein:sum": distances.sum() * np.diff(manifest["reference"]["edges"]).mean(),
        "input_psi:sum": reference.psi(counts, reference_counts),
    }


class ModelRulesTest(unittest.TestCase):
    def start(self, window):
        self.busy, self.quiet = self.servers = [Server(), Server()]
        # It has the same model, and shows the reference while no other can be scraped.
        self.unasked = Server()
        for server in (*self.servers, self.unasked):
            self.addCleanup(server.end)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.prometheus = self.enterContext(
            Prometheus(
                configuration(directory, [*self.servers, self.unasked], window),
                f"--query.lookback-delta={shortened('16m', FACTORS[window])}",
            )
        )
        # Prometheus looks for targets every five seconds.
        self.wait_until_scraped(*self.servers, self.unasked)

    def test_an_hour_is_what_numpy_says(self):
        self.start("1h")
        self.send_an_hour()
        self.check("1h")

    def test_a_day_is_what_numpy_says_and_healthy_until_drift_comes(self):
        self.start("1d")
        self.send_a_healthy_day()
        self.check("1d")
        self.send_healthy_hours()
        self.assertEqual(self.prometheus.query(self.alerts("[1h]", "count_over_time")), [])
        self.send_drift()

    def send_an_hour(self):
        """High values to one, and some low ones to the other, all at once."""
        rows = series.windows_of(series.values_of(series.counts_of(seed=100, days=1)))
        self.busy.ask(rows[:140])
        self.quiet.ask(rows[180:240])

    def send_a_day(self, more=0):
        """Each cell's latest values of all parts of a day, or more users; one server has thrice as
        many cells. Yields the number of a part when it is due."""
        days = [series.values_of(series.counts_of(seed, days=1)) for seed in range(16)]
        cells = np.stack([series.windows_of(day) for day in days]) + more
        begin = time.monotonic()
        for number, part in enumerate(np.array_split(cells, PARTS, axis=1)):
            time.sleep(max(0, begin + number / PARTS * DAY_SECONDS - time.monotonic()))
            yield number
            self.busy.ask(np.concatenate(part[:12]))
            self.quiet.ask(np.concatenate(part[12:]))

    def send_a_healthy_day(self):
        self.begin = time.monotonic()
        for number in self.send_a_day():
            if number == 30:
                self.wait_until_scraped(self.quiet)
                self.quiet.restart()
                self.wait_until_scraped(self.quiet)
            if number == 50:
                self.wait_until_scraped(self.busy)
                self.busy.reload()
                self.wait_until_scraped(self.busy)

    def send_healthy_hours(self):
        """Until the alert would have come."""
        for _ in self.send_a_day():
            if time.monotonic() > self.begin + UNJUDGED_SECONDS + 2 * FOR_SECONDS:
                return

    def send_drift(self):
        begin = time.monotonic()
        parts = itertools.chain(self.send_a_day(DRIFT), self.send_a_day(DRIFT))
        fires = any(self.prometheus.query(self.alerts(state="firing")) for _ in parts)
        self.assertTrue(fires, self.prometheus.log())
        print(f"ModelInputDrift after {time.monotonic() - begin:.1f} s", flush=True)
        [pending] = self.prometheus.query(self.alerts("[1h]", state="pending"))
        [firing] = self.prometheus.query(self.alerts("[1h]", state="firing"))
        waited = firing["values"][0][0] - pending["values"][0][0]
        self.assertGreaterEqual(waited, FOR_SECONDS - 0.001)  # Milliseconds are cut off.
        labels = {name: firing["metric"][name] for name in ("job", "model", "version", "severity")}
        self.assertEqual(
            labels, {"job": JOB, "model": "bts", "version": "1", "severity": "warning"}
        )

    def check(self, window):
        """Compares what the rules recorded over this window with numpy."""
        self.wait_until_scraped(*self.servers)
        stretches = self.stop_scrapes()
        at = self.wait_for("a record", lambda: self.time_of_record(window))
        print(f"\n{window}: counters are stretched by {stretches}", flush=True)
        for name, value in expected(self.servers, stretches).items():
            found = self.prometheus.query(f"job_model_version:model_{name}{window}", at=at)
            with self.subTest(name, window=window):
                [labels] = [one["metric"] for one in found]
                self.assertEqual((labels["model"], labels["version"]), ("bts", "1"))
                self.assertAlmostEqual(float(found[0]["value"][1]) / value, 1, delta=TOLERANCE)
            print(f"{name}{window} {found[0]['value'][1]}, numpy {value:.16g}", flush=True)
        for server in self.servers:
            server.signal("CONT")

    def stop_scrapes(self):
        """Lets servers answer no more; returns how increase() stretches the counters of each, over
        a range that begins before the first scrape and ends more than a scrape after the last: by
        nothing before a counter that was 0, and by half of the mean pause after the last scrape.
        """
        for server in self.servers:
            server.signal("STOP")
        for server in self.servers:
            self.wait_for("a scrape that fails", lambda s=server: self.latest("up", s) == 0)
        return [1 + 0.5 / (len(self.scrapes(server)) - 1) for server in self.servers]

    def time_of_record(self, window):
        """When the rules were evaluated over a range that begins before the first scrape, and ends
        well after the last; None if that is still to come."""
        range_seconds = shortened_seconds(window, FACTORS[window])
        earliest, latest = 0, float("inf")
        for server in self.servers:
            times = [when for when, _ in self.scrapes(server)]
            pause = (times[-1] - times[0]) / (len(times) - 1)
            earliest = max(earliest, times[-1] + 2 * pause)
            latest = min(latest, times[0] + range_seconds)
        records = self.prometheus.query(f"job_model_version:model_input_psi:sum{window}[1h]")
        times = [when for when, _ in records[0]["values"]] if records else [0]
        self.assertLess(earliest, latest, "too slow: the range has lost the first scrape")
        return next((when for when in times if earliest < when < latest), None)

    def wait_until_scraped(self, *servers):
        """Until Prometheus has all that they counted; 0 from those that have just begun."""
        for server in servers:
            self.wait_for(
                f"a scrape of {server.counted} values of {server.name}",
                lambda s=server: self.latest("model_input_value_count", s) == s.counted,
            )

    def wait_for(self, what, condition):
        # It evaluates rules 25 times a second: not too many questions.
        return wait_for(what, condition, 30, self.prometheus.log, pause=0.05)

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
