"""All that the repository ships, running together in fast motion: exporter, model server, its
client, Prometheus and Alertmanager with prometheus.yml, rules/ and alertmanager.yml. Only addresses
and receivers are replaced, and time is."""

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from alert_receiver import AlertReceiver
from exporter_process import ExporterProcess, wait_for
from exposition import parse, series_of
from model_client_process import ModelClient
from model_server_process import ModelServerProcess
from peers import Alertmanager, Prometheus, free_port
from scaled_time import (
    FACTOR,
    exporter_flags,
    file_in_fast_motion,
    prometheus_flags,
    shortened_seconds,
    write_rules,
)

SOURCE = Path(os.environ["SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "model_server" / "train"))
import series  # pylint: disable=wrong-import-position

JOB = "Resource_monitoring"
MODEL_JOB = "BTS_model"
_STATIONS = 10
_BATCH = 100
_FOLLOWED = 50
_DEFAULT_RATE = 0.1  # Requests per second of model_client.
# A day's input is judged once the model was asked all day: a page for each hour shows that of every
# hour, also of the first, before which there are two.
_HOURS_BEFORE = 25


def stations(more_users=0):
    """A day of each of some stations that are like those the model was trained with, or have more
    users."""
    days = [series.values_of(series.counts_of(seed, 1) + more_users) for seed in range(_STATIONS)]
    return np.concatenate(days)


class Restartable:
    """A program that can be stopped, and started again on the same port."""

    def __init__(self, make, stack):
        self._make = make
        self._running = contextlib.ExitStack()
        stack.callback(self._stop_at_once)
        self.port = free_port()
        self._start()

    @contextlib.contextmanager
    def stopped(self):
        """Asks it to end, as its service would. After the block it runs again, come what may."""
        try:
            assert self.process.stop() == 0, self.process.log()
            yield
        finally:
            self._stop_at_once()
            self._start()

    def restart(self):
        with self.stopped():
            pass

    def _start(self):
        self.process = self._running.enter_context(self._make(f"127.0.0.1:{self.port}"))

    def _stop_at_once(self):
        self._running.close()


class WholeSystem:
    """A context manager. What Prometheus knows of the day before are the model server's own pages,
    moved back: nobody waits that long, even in fast motion."""

    def __init__(self):
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start(self, stack):
        self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.receiver = stack.enter_context(AlertReceiver())
        self.server = Restartable(lambda address: ModelServerProcess(listen=address), stack)
        history = self._yesterday()
        self.client = Restartable(self._client, stack)
        self.exporter = Restartable(self._exporter, stack)
        config = file_in_fast_motion(SOURCE / "alertmanager.yml")
        self.alertmanager = stack.enter_context(
            Alertmanager(self.receiver.instead_of_all(config))
        )
        port = free_port()
        self.prometheus = stack.enter_context(
            Prometheus(
                self._configuration(port), *prometheus_flags(), port=port, history=history
            )
        )

    def _client(self, address):
        server = f"--server=http://127.0.0.1:{self.server.port}/prediction"
        flags = [server, f"--rate={_DEFAULT_RATE * FACTOR}", f"--replay={SOURCE}/model_server/models/bts/series.csv"]
        return ModelClient(flags, listen=address)

    def _exporter(self, address):
        upstreams = {"model_server": self.server.port, "model_client": self.client.port}
        flags = [
            f"--collector.upstream={name}=http://127.0.0.1:{port}/metrics"
            for name, port in upstreams.items()
        ]
        return ExporterProcess([*exporter_flags(), *flags], listen=address)

    def _configuration(self, port):
        """prometheus.yml with the addresses that it has here; each must be one that we know."""
        config = file_in_fast_motion(SOURCE / "prometheus.yml")
        write_rules(SOURCE / "rules", self._directory)
        assert config["rule_files"] == ["rules/*.yml"]
        config["rule_files"] = [f"{self._directory}/*.yml"]
        ours = {
            "localhost:8888": self.exporter.port,
            "localhost:8080": self.server.port,
            "localhost:8000": self.client.port,
            "localhost:9090": port,
            "localhost:9093": urlsplit(self.alertmanager.url).port,
        }
        for job in (*config["scrape_configs"], *config["alerting"]["alertmanagers"]):
            for group in job["static_configs"]:
                group["targets"] = [f"127.0.0.1:{ours[target]}" for target in group["targets"]]
        return config

    def _yesterday(self):
        """OpenMetrics text of a page for each hour of the day before, in which it was asked about a
        day of all stations."""
        samples = []
        parts = np.array_split(series.windows_of(stations()), _HOURS_BEFORE)
        for age, rows in zip(range(_HOURS_BEFORE, 0, -1), parts):
            self._ask(rows)
            when = time.time() - shortened_seconds(f"{age}h")
            page = series_of(self.server.process.page())
            samples += [(self._stored_as(one), when, value) for one, value in page.items()]
        samples.sort()  # A family must be in one place, a series in the order of time.
        return "".join(f"{name} {value} {when:.3f}\n" for name, when, value in samples) + "# EOF\n"

    def ask(self, values):
        """Asks the model about each run of values."""
        self._ask(series.windows_of(values))

    def _ask(self, rows):
        for begin in range(0, len(rows), _BATCH):
            self.server.process.infer(rows[begin : begin + _BATCH].tolist())

    def follow_a_series(self):
        """Asks as one who says which series it is, so that forecasts are compared with it."""
        for row in series.windows_of(stations()[:_FOLLOWED]).tolist():
            self.server.process.infer([row], parameters={"series": "a cell"})

    def _stored_as(self, one):
        """What Prometheus makes of a series of the page."""
        target = {"job": MODEL_JOB, "instance": f"127.0.0.1:{self.server.port}"}
        labels = {**dict(one.labels), **target}
        pairs = ",".join(f'{name}="{text}"' for name, text in labels.items())
        return f"{one.name}{{{pairs}}}"

    def wait_until_scraped(self):
        """All targets, the hosts twice."""
        def is_scraped():
            ups = self.prometheus.query("count_over_time(up[1h])")
            hosts = [float(up["value"][1]) for up in ups if up["metric"]["job"] == JOB]
            return hosts and min(hosts) >= 2 and {up["metric"]["job"] for up in ups} >= {MODEL_JOB}

        wait_for("scrapes", is_scraped, 30, self.prometheus.log, pause=0.1)

    def exit_source(self):
        """How the exporter says that it knows of processes that end."""
        status, headers, body = self.exporter.process.get()
        assert status == 200, status
        page = series_of(parse(body, headers["Content-Type"]))
        [source] = [
            dict(one.labels)["source"]
            for one, value in page.items()
            if one.name == "host_process_exit_source" and value == 1
        ]
        return source
