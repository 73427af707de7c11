"""What the dashboards of the repository show of a Prometheus in fast motion."""

import math
import os
import time
import urllib.error
from pathlib import Path

from grafana_queries import Dashboard
from scaled_time import FACTOR, shortened_expression

_DIRECTORY = Path(os.environ["SOURCE_DIR"]) / "grafana" / "dashboards"
# (panel, name) of queries about what not each kernel tells: pressure, ends of processes, and what
# only BPF sees.
_OF_PRESSURE = {
    ("Everything waits: memory and I/O", "A"),
    ("Hosts", "G"),
    ("Hosts", "H"),
    ("Stalled on memory", "A"),
    ("The worst second of waiting", "A"),
    ("The worst second of waiting", "B"),
    ("Time spent waiting", "A"),
    ("Time spent waiting", "B"),
}
_OF_EXITS = {
    ("Ended with an error or by a signal", "A"),
    ("Exits by reason", "A"),
    ("Exits that were no success", "A"),
    ("Killed for memory", "A"),
}
_OF_BPF = {("Waiting for a CPU", "A")}


def _highest(series):
    """The highest number in them; None where there is none."""
    values = [float(value) for one in series for _, value in one.get("values", [one.get("value")])]
    return max((value for value in values if not math.isnan(value)), default=None)


def queries_without_data(has_pressure, exit_source):
    """(panel, name) of those about what this kernel does not tell."""
    return {
        *(_OF_PRESSURE if not has_pressure else ()),
        *(_OF_EXITS if exit_source == "parents" else ()),
        *(_OF_BPF if exit_source != "bpf" else ()),
    }


class ShownBoards:
    def __init__(self, prometheus):
        self._prometheus = prometheus

    def dashboards(self):
        for path in sorted(_DIRECTORY.glob("*.json")):
            yield Dashboard(path, self._labels_of)

    def answers(self):
        """(query, highest value that Prometheus has for it) of all panels."""
        now = time.time()
        return [
            (query, _highest(self._answer(query, now, dashboard.range_seconds / FACTOR)))
            for dashboard in self.dashboards()
            for query in dashboard.queries()
        ]

    def _labels_of(self, label, selector):
        match = {"match[]": selector} if selector else {}
        return self._prometheus.api(f"label/{label}/values", **match)

    def _answer(self, query, now, range_seconds):
        expression = shortened_expression(query.expression)
        try:
            if query.is_instant:
                return self._prometheus.query(expression, at=now)
            return self._prometheus.query_range(
                expression, now - range_seconds, now, query.step_seconds / FACTOR
            )
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}\n{error.read().decode()}") from error
