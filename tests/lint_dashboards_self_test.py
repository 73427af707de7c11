"""Faults that lint_dashboards.py must find, each by the rule named beside it."""

import copy
import json

import lint_dashboards


def first(board, kind="timeseries"):
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def variable(board, name):
    return next(item for item in board["templating"]["list"] if item["name"] == name)


def put(place, **values):
    place.update(values)


def asks(expr, **more):
    """A change that makes a panel ask this."""
    return lambda board: put(first(board)["targets"][0], expr=expr, **more)


def drop_variable(name):
    def drop(board):
        board["templating"]["list"].remove(variable(board, name))

    return drop


BOTH = 'job=~"$job",instance=~"$instance"'
FORKS = f"node_forks_total{{{BOTH}}}"
COLUMN = f"last_over_time({FORKS}[$__interval])"
COLUMN_BEFORE = f"last_over_time({FORKS}[$__interval] offset $__interval)"
EDGE = f'host_cpu_busy_ratio_bucket{{{BOTH},le="0.42"}}'

FAULTS = [
    ("dashboard_model", lambda b: put(b, refresh="1m")),
    ("dashboard_model", lambda b: put(b, id=7)),
    ("dashboard_model", lambda b: put(b, uid="short")),
    ("dashboard_model", lambda b: put(b, schemaVersion=16)),
    ("unique_ids", lambda b: put(b["panels"][2], id=b["panels"][1]["id"])),
    ("unique_ids", lambda b: first(b)["targets"].append(first(b)["targets"][0])),
    ("grid", lambda b: put(b["panels"][2]["gridPos"], x=b["panels"][1]["gridPos"]["x"])),
    ("grid", lambda b: put(b["panels"][-1]["gridPos"], w=20)),
    ("declared_variables", lambda b: put(first(b)["targets"][0], legendFormat="$nobody")),
    ("declared_variables", lambda b: put(first(b), title="of ${nobody:regex}")),
    ("template_datasource", drop_variable("datasource")),
    ("template_datasource", lambda b: put(variable(b, "datasource"), label="")),
    ("template_job", drop_variable("job")),
    ("template_job", lambda b: put(variable(b, "job"), allValue=".*")),
    ("template_instance", lambda b: put(variable(b, "instance"), multi=False)),
    ("template_instance", lambda b: put(variable(b, "instance"), label="Host")),
    ("template_label_promql", lambda b: put(variable(b, "job"), query="label_values(up{, job)")),
    ("template_label_promql", lambda b: put(variable(b, "job"), query="up")),
    ("panel_datasource", lambda b: put(first(b), datasource={"type": "prometheus", "uid": "P1"})),
    ("panel_datasource", lambda b: first(b)["targets"][0].pop("datasource")),
    ("panel_title_description", lambda b: put(first(b), description="")),
    ("panel_title_description", lambda b: put(first(b, "stat"), title="")),
    ("panel_units", lambda b: first(b)["fieldConfig"]["defaults"].pop("unit")),
    ("panel_units", lambda b: put(first(b, "table")["fieldConfig"], overrides=[])),
    ("table_widths", lambda b: put(first(b, "table")["fieldConfig"], overrides=[])),
    ("table_widths", lambda b: put(first(b, "table")["fieldConfig"]["overrides"][0], matcher={})),
    ("panel_queries", lambda b: put(first(b), targets=[])),
    ("target_promql", asks(f"sum by instance (rate({FORKS}[$__rate_interval]))")),
    ("target_promql", asks(f"rate(instance:x:y20m{{{BOTH}}})")),
    ("target_rate_interval", asks(f"rate({FORKS}[5m])")),
    ("target_rate_interval", asks(f"rate({FORKS}[$__interval])")),
    ("target_rate_interval", asks(f"increase({FORKS}[$__interval])", interval="5m")),
    ("target_rate_interval", asks(f"node_load1{{{BOTH}}}")),
    ("target_rate_interval", asks(f"last_over_time({EDGE}[16m])")),
    ("target_whole_columns", asks(f"increase({FORKS}[$__interval])", interval="20m")),
    ("target_whole_columns", asks(f"sum(rate({FORKS}[20m]))", interval="20m")),
    ("target_step", asks(f"rate({FORKS}[$__rate_interval])", interval="15s")),
    ("target_step", asks(f"rate(model_requests_total{{{BOTH}}}[$__rate_interval])", interval="1s")),
    ("target_job", asks('last_over_time(node_load1{job="a",instance=~"$instance"}[16m])')),
    ("target_job", asks('job_model_version:model_skill:ratio1d{model="a"}')),
    ("target_instance", asks('last_over_time(node_load1{job=~"$job"}[16m])')),
    ("target_instance", asks('instance:host_cpu_busy_ratio:p99_20m{job=~"$job"}')),
    ("target_record", asks(f"instance:host_cpu_busy_ratio:p98_20m{{{BOTH}}}")),
]

SOUND = [
    asks(f"rate({FORKS}[$__rate_interval])"),
    asks(f"{COLUMN} - {COLUMN_BEFORE}", interval="20m"),
    asks(f"rate(model_requests_total{{{BOTH}}}[$__rate_interval])", interval="15s"),
    asks('job_model_version:model_skill:ratio1d{job=~"$job"}'),
]


def self_test():
    """Whether each fault is found, no rule is without one, and what is sound has none."""
    path = lint_dashboards.ROOT / "grafana/dashboards/fleet.json"
    good = json.loads(path.read_text())
    wrong = []
    for number, (rule, plant) in enumerate(FAULTS):
        board = copy.deepcopy(good)
        plant(board)
        if rule not in {found for found, _ in lint_dashboards.findings(board)}:
            wrong.append(f"fault {number}: {rule} does not find it")
    for number, change in enumerate(SOUND):
        board = copy.deepcopy(good)
        change(board)
        wrong += [f"sound {number}: {found}" for found in lint_dashboards.findings(board)]
    unplanted = {rule.__name__ for rule in lint_dashboards.RULES} - {rule for rule, _ in FAULTS}
    wrong += [f"no fault for {rule}" for rule in unplanted]
    print(*wrong, f"{len(FAULTS)} faults, {len(SOUND)} sound", sep="\n")
    return not wrong
