"""What Grafana asks Prometheus to show a dashboard (its classic JSON), with variables and intervals
put in as Grafana does. It refuses what it does not know, lest something is asked otherwise here."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from promql import seconds  # pylint: disable=wrong-import-position

_POINTS = 1000  # Of a panel that says no number itself: about its pixels.
# An interval below the first number of milliseconds becomes the second.
_ROUNDED_MS = (
    (7500, 5000), (12500, 10000), (17500, 15000), (25000, 20000), (45000, 30000), (90000, 60000),
    (210000, 120000), (450000, 300000), (750000, 600000), (1050000, 900000), (1500000, 1200000),
    (2700000, 1800000), (5400000, 3600000), (9000000, 7200000), (16200000, 10800000),
)
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_LABEL_VALUES = re.compile(r"label_values\((?:(.*),\s*)?(\w+)\)", re.DOTALL)
_ALL = "$__all"


class Query(NamedTuple):
    panel: str
    name: str  # Of the query in the panel.
    expression: str
    step_seconds: float
    is_instant: bool

    def __str__(self):
        return f"{self.panel}, {self.name}: {self.expression}"


class Dashboard:
    """One file, and what its variables are set to when it is opened. `labels_of(label, selector)`
    are the values that Prometheus has; `scrape` is the interval in the data source's settings."""

    def __init__(self, path, labels_of, scrape="5m"):
        self._json = json.loads(path.read_text())
        self.title = self._json["title"]
        self._labels_of = labels_of
        self._scrape = scrape
        self.range_seconds = self._range(self._json["time"])
        self.variables = {}  # Name -> the text put in its place.
        self.unknown = []  # Variables for which Prometheus has no value.
        for variable in self._json["templating"]["list"]:
            self._set(variable)

    def queries(self):
        for panel in self.panels():
            for target in panel.get("targets", []):
                yield self._query(panel, target)

    def panels(self, panels=None):
        """Those in rows, too."""
        for panel in self._json["panels"] if panels is None else panels:
            yield panel
            yield from self.panels(panel.get("panels", []))

    @staticmethod
    def _range(time):
        begin = re.fullmatch(r"now-(\w+)", time["from"])
        if not begin or time["to"] != "now":
            raise ValueError(f"a range that this does not know: {time}")
        return seconds(begin[1])

    def _set(self, variable):
        name = variable["name"]
        if variable["type"] == "datasource":
            self.variables[name] = None  # Stands beside queries, never in one.
            return
        query = _LABEL_VALUES.fullmatch(variable["query"])
        if variable["type"] != "query" or variable.get("regex") or not query:
            raise ValueError(f"a variable that this does not know: {variable}")
        selector = self._put_in(query[1], self.variables) if query[1] else None
        values = sorted(self._labels_of(query[2], selector))
        if not values:
            self.unknown.append(name)
        self.variables[name] = self._chosen(variable, values)

    @staticmethod
    def _chosen(variable, values):
        current = variable.get("current", {}).get("value")
        if current and current not in (_ALL, [_ALL]):
            raise ValueError(f"{variable['name']} comes with a value that hosts may not have")
        if current or variable.get("includeAll"):
            if variable.get("allValue"):
                return variable["allValue"]
            chosen = values
        else:
            chosen = values[:1]
        escaped = [_escaped(value) for value in chosen]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    def _query(self, panel, target):
        least = target.get("interval") or panel.get("interval")
        least_ms = seconds(least or self._scrape) * 1000
        points = panel.get("maxDataPoints") or _POINTS
        interval_ms = max(_rounded_ms(self.range_seconds * 1000 / points), least_ms)
        intervals = {
            "__interval": f"{interval_ms / 1000:.0f}s",
            "__rate_interval": f"{max(interval_ms + least_ms, 4 * least_ms) / 1000:.0f}s",
            "__range": f"{self.range_seconds:.0f}s",
        }
        if target["instant"] == target["range"]:
            raise ValueError(f"{panel['title']}: neither an instant nor a range, or both")
        return Query(
            panel["title"],
            target["refId"],
            self._put_in(target["expr"], {**self.variables, **intervals}),
            interval_ms / 1000,
            target["instant"],
        )

    @staticmethod
    def _put_in(text, values):
        def value(found):
            put = values.get(found[1] or found[2])
            if put is None:
                raise ValueError(f"no variable of a query: {found[0]} in {text}")
            return put

        return _VARIABLE.sub(value, text)


def _escaped(value):
    """As Grafana writes a value into a string that is a regular expression."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def _rounded_ms(interval_ms):
    for below, rounded in _ROUNDED_MS:
        if interval_ms < below:
            return rounded
    raise ValueError(f"an interval that this does not know: {interval_ms} ms")
