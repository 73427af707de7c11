#!/usr/bin/python3
"""Refuses rules that are wrong at our scrape intervals, though promtool finds them valid.

Prints `file:line: rule: what` for each finding and exits with 1 when there is one. With --self-test
it plants every kind of fault and checks that each one is found.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from promql import Subquery, read, seconds
from series_notation import STALE, changes, expand, goes_back
from signal_edges import check_le, edges


@dataclass(frozen=True)
class Ranges:
    """The shortest that are right for a job, in seconds."""

    counter: int  # Four scrapes: two samples are in it when one failed and the next is late.
    gauge: int  # Three scrapes.
    up: int  # `up` has a sample also when the scrape fails.


JOB = "Resource_monitoring"  # Every 5 minutes.
MODEL_JOB = "BTS_model"  # Every 15 seconds.
EITHER_JOB = f"{MODEL_JOB}|{JOB}"  # What the model server says, fetched or relayed.
FIVE_MINUTES = Ranges(counter=20 * 60, gauge=16 * 60, up=11 * 60)
FIFTEEN_SECONDS = Ranges(counter=60, gauge=60, up=60)
RANGES = {
    ("=", JOB): FIVE_MINUTES,
    ("=", MODEL_JOB): FIFTEEN_SECONDS,
    ("=~", EITHER_JOB): FIVE_MINUTES,
}
EDGES = edges()  # Of each histogram, which a `le` must be one of.
FOR_S = 10 * 60  # A shorter `for` sees one new sample or two, and a failed scrape begins it anew.

OF_COUNTERS = {"rate", "increase", "irate", "resets"}
OF_ANY = {"delta", "idelta", "deriv", "predict_linear", "holt_winters", "changes"}
OVER_TIME = re.compile(r"(avg|min|max|sum|count|quantile|stddev|stdvar|last|present|absent)_over_time")
ALSO_OF_COUNTERS = re.compile(r"(last|count|present|absent)_over_time")  # What means something there.
# The last has the name that its users know.
COUNTER = re.compile(
    r".*_(total|count|sum|bucket)|node_(vmstat|netstat|intr)_.*|my_progressed_requests"
)
# Grafana's: at least four scrapes of the data source, and what the reader chose.
VARIABLES = {"$__rate_interval", "${__rate_interval}", "$__range", "${__range}"}

ALERT = re.compile(r"(Host|Process|Model|Gpu|Exporter)([A-Z][a-z0-9]+)+")
RECORD = re.compile(r"(instance|job)(_[a-z]+)*:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*?(\d+[mhd])")
GROUP = re.compile(r"[a-z][a-z0-9_]*")
SEVERITIES = ("critical", "warning", "info")


def check_window(what, window, least, why):
    if window in VARIABLES:
        return None
    length = seconds(window)
    if length is None:
        return f"{what}[{window}]: a range that may be shorter than four scrapes"
    if length < least:
        return f"{what}[{window}]: {why} need at least {least // 60}m"
    return None


def check_range(selector, least):
    metric, function, window = selector.metric, selector.function or "", selector.window
    if function in OF_COUNTERS | OF_ANY:
        if function in OF_COUNTERS and not COUNTER.fullmatch(metric):
            yield f"{function}({metric}): not a counter by its name"
        yield check_window(metric, window, least.counter, f"{function} and the like")
    elif OVER_TIME.fullmatch(function):
        if COUNTER.fullmatch(metric) and not ALSO_OF_COUNTERS.fullmatch(function):
            yield f"{function}({metric}): means nothing for a counter"
        yield check_window(metric, window, least.up if metric == "up" else least.gauge, "gauges")
    else:
        yield f"{metric}[{window}] in {function or 'no function'}: unknown to this lint"


def check_selector(selector, around=None):
    """`around`: the subquery that it is in."""
    metric = selector.metric
    if not metric:
        yield "a selector needs one metric's name"
        return
    if ":" in metric or metric in ("ALERTS", "ALERTS_FOR_STATE"):
        return  # Comes every minute.
    jobs = [(operator, value) for label, operator, value in selector.matchers if label == "job"]
    if not jobs:
        yield f'{metric}: say job="{JOB}", or another'
    elif jobs[0][0] == "=" and jobs[0] not in RANGES and not jobs[0][1].startswith("$"):
        return  # Scraped at an interval of its own.
    elif jobs[0] not in RANGES and not jobs[0][1].startswith("$"):
        yield f'{metric}: select by job="{JOB}" alone, or by job=~"{EITHER_JOB}"'
    yield from check_le(selector, EDGES)
    if selector.window is not None:
        if around and (selector.function, selector.window) == ("last_over_time", around.step):
            return  # Step by step it sees each page once; a failed scrape has none.
        yield from check_range(selector, RANGES.get(jobs[0], FIVE_MINUTES) if jobs else FIVE_MINUTES)
    elif around and around.function == "last_over_time":
        return  # The newest value of a time at which there was one.
    elif COUNTER.fullmatch(metric):
        yield f"{metric}: read a counter by rate or increase, or last_over_time({metric}[16m])"
    else:
        yield f"{metric}: a failed scrape is a hole; read a gauge by last_over_time({metric}[16m])"


def check_expression(text):
    """What is wrong with a PromQL expression over one of our jobs."""
    try:
        nodes = read(text)
    except ValueError as error:
        return [str(error)]
    nodes, findings = [(node, None) for node in nodes], []
    while nodes:
        node, around = nodes.pop()
        if isinstance(node, Subquery):
            nodes.extend((inner, node) for inner in node.inner)
            findings.append(check_window("subquery", node.window, FIVE_MINUTES.counter, "subqueries"))
        else:
            findings.extend(check_selector(node, around))
    return [finding for finding in findings if finding]


def check_alert(rule):
    if not ALERT.fullmatch(rule["alert"]):
        yield "name an alert HostSomethingWrong: its subject, then CamelCase"
    pending = str(rule.get("for", "0s"))
    length = 0 if pending == "0" else seconds(pending)
    if length is None or 0 < length <= FOR_S:
        yield f"for: {pending} is neither 0 nor over {FOR_S // 60}m"
    if (rule.get("labels") or {}).get("severity") not in SEVERITIES:
        yield f"severity is one of {', '.join(SEVERITIES)}"
    annotations = rule.get("annotations") or {}
    for key in ("summary", "description"):
        if not str(annotations.get(key) or "").strip():
            yield f"{key} is missing"
    if "$value" not in str(annotations.get("description") or "$value"):
        yield "description does not give the value"


def selectors(nodes):
    for node in nodes:
        yield from selectors(node.inner) if isinstance(node, Subquery) else [node]


def check_record(rule):
    name = RECORD.fullmatch(rule["record"])
    if not name:
        yield "name a record level:metric:operation and window, such as instance:host_a:mean20m"
        return
    try:
        ranges = [s for s in selectors(read(str(rule["expr"]))) if s.window and ":" not in s.metric]
    except ValueError:
        return  # Told elsewhere.
    # Where counters have a range, a gauge beside them only lends its newest value.
    of_counters = [s for s in ranges if s.function in OF_COUNTERS]
    for selector in of_counters or ranges:
        if seconds(selector.window) != seconds(name[3]):
            yield f"{selector.metric}[{selector.window}] in a record named {name[3]}"


class _Loader(yaml.SafeLoader):
    """Mappings know the line that they begin at."""

    def construct_mapping(self, node, deep=False):
        return super().construct_mapping(node, deep) | {"__line__": node.start_mark.line + 1}


def check_rules(text):
    """Yields (line, name, finding) for a rule file's text."""
    seen = set()
    for group in yaml.load(text, _Loader)["groups"]:
        name, line = group["name"], group["__line__"]
        if not GROUP.fullmatch(name):
            yield line, name, "name a group in snake_case"
        if seconds(str(group.get("interval", ""))) != 60:
            yield line, name, "a group needs interval: 1m, or its series have holes"
        for rule in group["rules"]:
            name, line = rule.get("alert") or rule["record"], rule["__line__"]
            if name in seen:
                yield line, name, "defined twice"
            seen.add(name)
            check = check_alert if "alert" in rule else check_record
            for finding in (*check(rule), *check_expression(str(rule["expr"]))):
                yield line, name, finding


def check_series(text):
    """Yields a finding for each series of a unit test that no page would have."""
    for test in yaml.safe_load(text)["tests"]:
        for given in test.get("input_series", []):
            for selector in read(given["series"]):
                yield from check_le(selector, EDGES)


def happens(test):
    """What a unit test has its alerts survive: yields "a scrape fails", "a process restarts"."""
    for given in test.get("input_series", []):
        name, values = read(given["series"])[0].metric, expand(str(given["values"]))
        if STALE in values or (name == "up" and 0 in values):
            yield "a scrape fails"
        if changes(values) if name == "process_start_time_seconds" else (
            COUNTER.fullmatch(name) and goes_back(values)
        ):
            yield "a process restarts"


def check_tests(rules, tests):
    """Yields (line, name, finding) for rules that no unit test (texts) fires, or looks at."""
    asked = dict.fromkeys(("fires", "does not fire", "a scrape fails", "a process restarts"), ())
    for text in tests:
        for test in yaml.safe_load(text)["tests"]:
            survived = set(happens(test))
            for case in test.get("alert_rule_test", []):
                fires = bool(case.get("exp_alerts"))
                for what in {"fires", *survived} if fires else {"does not fire"}:
                    asked[what] = {*asked[what], case["alertname"]}
    for group in yaml.load(rules, _Loader)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                for what, names in asked.items():
                    if rule["alert"] not in names:
                        what = what if "fire" in what else f"fires and {what}"
                        yield rule["__line__"], rule["alert"], f"no unit test in which it {what}"
            elif not any(re.search(rf"(?<![\w:]){rule['record']}(?![\w:])", text) for text in tests):
                yield rule["__line__"], rule["record"], "no unit test looks at it"


def violations(root):
    """Yields (file, line, name, finding) for the rules below `root`, and their tests' series."""
    paths = sorted((root / "tests/rules").glob("*.test.yml"))
    tests = [path.read_text() for path in paths]
    for path, text in zip(paths, tests, strict=True):
        for finding in check_series(text):
            yield str(path.relative_to(root)), 1, "input_series", finding
    for path in sorted((root / "rules").glob("*.yml")):
        text = path.read_text()
        for line, name, finding in (*check_rules(text), *check_tests(text, tests)):
            yield str(path.relative_to(root)), line, name, finding


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="check the checker")
    if parser.parse_args().self_test:
        from lint_rules_self_test import self_test

        return 0 if self_test() else 1

    found = list(violations(Path(__file__).resolve().parent.parent))
    for path, line, name, finding in found:
        print(f"{path}:{line}: {name}: {finding}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
