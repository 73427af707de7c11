#!/usr/bin/python3
"""Refuses dashboards that Grafana would show wrong, or empty, without a word. Its rules are those
of Grafana's own dashboard-linter, for a scrape every 5 minutes, and some that it has not.

Prints `file: rule: what` for each finding and exits with 1 when there is one. With --self-test it
plants a fault for each rule and checks that this rule finds it.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from lint_rules import OF_COUNTERS, check_expression, selectors
from promql import read, seconds
from table_widths import table_widths

ROOT = Path(__file__).resolve().parent.parent
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
MODEL_STEP = "15s"  # The interval of the job BTS_model.
OF_MODEL = re.compile(r"model_\w+|input_\w+|request_processing_seconds\w*|my_progressed_requests")
LABEL_VALUES = re.compile(r"label_values\((?P<family>.+), (?P<label>\w+)\)")
VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
WINDOWS = re.compile(r"\$__(rate_interval|interval|range)\b")


def panels(dashboard):
    """Those that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard):
    """(panel's title, target) of each query."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel.get("title", ""), target


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def nodes_of(expr):
    """The selectors in it; none where it is no PromQL, which another rule tells."""
    try:
        return list(selectors(read(expr)))
    except ValueError:
        return []


def dashboard_model(dashboard):
    expected = {"id": None, "refresh": "5m", "time": {"from": "now-24h", "to": "now"}}
    for key, value in expected.items():
        if dashboard.get(key) != value:
            yield f"{key} is {dashboard.get(key)!r}, not {value!r}"
    if not 39 <= dashboard.get("schemaVersion", 0) <= 41:
        yield "schemaVersion is none of 39 to 41"
    if not re.fullmatch(r"[\w-]{8,40}", dashboard.get("uid", "")):
        yield "uid has not 8 to 40 characters of a-z, 0-9, _ and -"


def unique_ids(dashboard):
    ids = [panel.get("id") for panel in dashboard["panels"]]
    for number in set(ids):
        if ids.count(number) > 1 or not number:
            yield f"id {number}: twice, or none"
    for panel in panels(dashboard):
        names = [target["refId"] for target in panel.get("targets", [])]
        if len(names) != len(set(names)):
            yield f"{panel['title']}: two queries have one refId"


def grid(dashboard):
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] < 0 or place["w"] < 1 or place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']}: not within {COLUMNS} columns"
        columns = range(place["x"], place["x"] + place["w"])
        for cell in itertools.product(columns, range(place["y"], place["y"] + place["h"])):
            if taken.setdefault(cell, panel["title"]) != panel["title"]:
                yield f"{panel['title']}: lies over {taken[cell]}"
                break


def template_datasource(dashboard):
    variable = variables(dashboard).get("datasource", {})
    if (variable.get("type"), variable.get("query")) != ("datasource", "prometheus"):
        yield "no variable `datasource` of the type datasource, for prometheus"
    if variable.get("label") != "Data source":
        yield "the variable `datasource` is not labelled Data source"


def template(dashboard, name):
    variable = variables(dashboard).get(name)
    if not variable:
        yield f"no variable `{name}`"
        return
    expected = {"type": "query", "datasource": DATASOURCE, "label": name.title(), "multi": True}
    for key, value in {**expected, "allValue": ".+"}.items():
        if variable.get(key) != value:
            yield f"{key} of `{name}` is {variable.get(key)!r}, not {value!r}"


def template_job(dashboard):
    yield from template(dashboard, "job")


def template_instance(dashboard):
    yield from template(dashboard, "instance")


def template_label_promql(dashboard):
    for name, variable in variables(dashboard).items():
        if variable["type"] != "query":
            continue
        asked = LABEL_VALUES.fullmatch(str(variable["query"]))
        try:
            if not asked or len(read(asked["family"])) != 1:
                yield f"`{name}` is not label_values(SELECTOR, LABEL)"
        except ValueError as error:
            yield f"`{name}`: {error}"


def declared_variables(dashboard):
    declared = set(variables(dashboard))
    for found in VARIABLE.finditer(json.dumps(dashboard)):
        name = found[1] or found[2]
        if not name.startswith("__") and name not in declared:
            yield f"${name} is not declared"


def panel_datasource(dashboard):
    for panel in panels(dashboard):
        for place in (panel, *panel.get("targets", [])):
            if place.get("datasource") != DATASOURCE:
                yield f"{panel['title']}: its data source is not ${{datasource}}"


def panel_title_description(dashboard):
    for panel in panels(dashboard):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} has no title, or no description"


def panel_units(dashboard):
    for panel in panels(dashboard):
        unit = panel["fieldConfig"]["defaults"].get("unit")
        if not unit:
            yield f"{panel['title']}: no unit"
        if panel["type"] == "table" and not any(
            setting["id"] == "unit"
            for override in panel["fieldConfig"]["overrides"]
            for setting in override["properties"]
        ):
            yield f"{panel['title']}: no column has a unit"


def panel_queries(dashboard):
    for panel in panels(dashboard):
        if not panel.get("targets"):
            yield f"{panel['title']}: no queries"


def target_promql(dashboard):
    """promtool is the judge: each query as a rule."""
    asked = list(targets(dashboard))
    rules = [
        {"record": f"query:{number}", "expr": WINDOWS.sub("20m", target["expr"])}
        for number, (_, target) in enumerate(asked)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        done = subprocess.run(
            ["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False
        )
    for number, error in re.findall(r'rule \d+, "query:(\d+)": (.*)', done.stdout + done.stderr):
        yield f"{asked[int(number)][0]}: {error}"
    if done.returncode and "query:" not in done.stdout + done.stderr:
        yield done.stderr


def target_rate_interval(dashboard):
    for title, target in targets(dashboard):
        expr, step = target["expr"], target.get("interval")
        if step and step != MODEL_STEP:
            expr = re.sub(r"\$__interval\b", step, expr)
        for finding in check_expression(expr):
            yield f"{title}: {finding}"


def target_whole_columns(dashboard):
    """Ranges as long as the step meet at an instant: what grew between the last scrape of one and
    the first of the next is in neither, and what is seen is stretched instead."""
    for title, target in targets(dashboard):
        for selector in nodes_of(target["expr"]):
            if selector.function in OF_COUNTERS and selector.window in (
                "$__interval", "${__interval}", target.get("interval")
            ):
                yield f"{title}: {selector.function} over one step alone loses what is between two"


def target_step(dashboard):
    """A step of 15 s is for what is scraped so often, and for nothing else."""
    for title, target in targets(dashboard):
        often = target.get("interval") is not None and seconds(target["interval"]) < 300
        for selector in nodes_of(target["expr"]):
            slow = not OF_MODEL.fullmatch(selector.metric)
            if often and (slow or target["interval"] != MODEL_STEP):
                yield f"{title}: {selector.metric} is not scraped every {target['interval']}"


def levels(selector, label):
    """Whether a series has the label: a recorded one says so by its level."""
    return ":" not in selector.metric or label in selector.metric.split(":")[0].split("_") or (
        label == "job" and selector.metric.startswith("instance")
    )


def target_matcher(dashboard, label):
    for title, target in targets(dashboard):
        for selector in nodes_of(target["expr"]):
            wanted = (label, "=~", f"${label}")
            if levels(selector, label) and wanted not in selector.matchers:
                yield f'{title}: {selector.metric} without {label}=~"${label}"'


def target_job(dashboard):
    yield from target_matcher(dashboard, "job")


def target_instance(dashboard):
    yield from target_matcher(dashboard, "instance")


def target_record(dashboard):
    known = {
        rule.get("record")
        for path in (ROOT / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    }
    for title, target in targets(dashboard):
        for selector in nodes_of(target["expr"]):
            if ":" in selector.metric and selector.metric not in known:
                yield f"{title}: no rule records {selector.metric}"


RULES = [
    *(dashboard_model, unique_ids, grid, declared_variables),
    *(template_datasource, template_job, template_instance, template_label_promql),
    *(panel_datasource, panel_title_description, panel_units, panel_queries, table_widths),
    *(target_promql, target_rate_interval, target_whole_columns, target_step),
    *(target_job, target_instance, target_record),
]


def findings(dashboard):
    """(rule, what) for each fault."""
    return [(rule.__name__, what) for rule in RULES for what in rule(dashboard)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="check the checker")
    if parser.parse_args().self_test:
        from lint_dashboards_self_test import self_test

        return 0 if self_test() else 1

    paths = sorted((ROOT / "grafana/dashboards").glob("*.json"))
    dashboards = {path: json.loads(path.read_text()) for path in paths}
    found = [(path, *what) for path, board in dashboards.items() for what in findings(board)]
    uids = [board.get("uid") for board in dashboards.values()]
    if len(set(uids)) != len(uids) or not uids:
        found.append((paths, "dashboard_model", f"no dashboards, or two of one uid: {uids}"))
    for path, rule, what in found:
        print(f"{path}: {rule}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
