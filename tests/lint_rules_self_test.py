"""Faults for lint_rules.py to find, and what it must leave alone."""

import tempfile
from pathlib import Path

from lint_rules import check_expression, check_rules, check_tests, violations
from signal_edges import read_edges

GOOD_EXPRESSIONS = [
    'rate(a_total{job="Resource_monitoring"}[20m])',
    'sum by (job) (increase(a_total{job="Resource_monitoring",b=~"[5m] rate(x[1m])"}[1h])) # x[1m]',
    'last_over_time(a{job="Resource_monitoring"}[16m])',
    'last_over_time({__name__="a",job=\'Resource_monitoring\'}[16m] offset 1h) > bool 3e2',
    'count(last_over_time(a_seconds_total{job="Resource_monitoring"}[16m])) without (cpu)',
    'max_over_time(up{job="Resource_monitoring"}[11m]) == 0',
    "instance:a:mean20m > on (job, instance) group_left () instance:b:mean20m",
    "max_over_time(instance:a:last16m[5m]) and ALERTS",
    'last_over_time((a{job="Resource_monitoring"} - instance:a:b)[20m:1m])',
    "max_over_time((instance:a:last16m and instance:b:last16m)[1d:1m])",
    'sum_over_time(sum(last_over_time(a_total{job="Resource_monitoring"}[5m]))[1h:5m])',
    'histogram_quantile(0.9, rate(a_bucket{job="Resource_monitoring"}[1h30m]))',
    'rate(model_requests_total{job="model_server"}[1m]) > model_queue{job="model_server"}',
    'rate(a_total{job="$job"}[$__rate_interval])',
    'rate(a_total{job="BTS_model"}[1m]) > max_over_time(a{job="BTS_model"}[1m])',
    'max_over_time(up{job="BTS_model"}[1m]) == 0',
    'rate(a_total{job=~"BTS_model|Resource_monitoring"}[20m])',
    'last_over_time(a{job=~"BTS_model|Resource_monitoring"}[16m])',
    'delta(a{job="Resource_monitoring"}[20m] @ end()) - -0x1F + Inf',
    'rate(host_cpu_busy_ratio_bucket{job="Resource_monitoring",le="0.85"}[20m])',
    'rate(host_pressure_ratio_bucket{job="Resource_monitoring",le="+Inf"}[20m])',
]

BAD_EXPRESSIONS = [
    ('rate(a_total{job="Resource_monitoring"}[19m59s])', "at least 20m"),
    ('increase(a_total{job="Resource_monitoring"}[5m])', "at least 20m"),
    ('delta(a{job="Resource_monitoring"}[15m])', "at least 20m"),
    ('RATE(a_total{job="Resource_monitoring"}[5m])', "at least 20m"),
    ('rate((a_total{job="Resource_monitoring"}[5m]))', "at least 20m"),
    ('rate(\n a_total # [20m]\n {job="Resource_monitoring"}\n [1m]\n)', "at least 20m"),
    ('histogram_quantile(0.9, sum by (le) (rate(a_bucket{job="Resource_monitoring"}[5m])))', "20m"),
    ('rate(a_total{job="Resource_monitoring"}[$__interval])', "may be shorter"),
    ('rate(a{job="Resource_monitoring"}[20m])', "not a counter"),
    ('max_over_time(a_total{job="Resource_monitoring"}[20m])', "means nothing"),
    ('a{job="Resource_monitoring"} > 1', "a failed scrape is a hole"),
    ('max by (job) (a{job="Resource_monitoring"})', "a failed scrape is a hole"),
    ('{__name__="a",job="Resource_monitoring"}', "a failed scrape is a hole"),
    ('{job="Resource_monitoring"}', "one metric's name"),
    ('{__name__=~"a|b",job="Resource_monitoring"}', "one metric's name"),
    ('a_total{job="Resource_monitoring"}', "by rate or increase"),
    ('up{job="Resource_monitoring"} == 0', "a failed scrape is a hole"),
    ('max_over_time(up{job="Resource_monitoring"}[10m]) == 0', "at least 11m"),
    ('max_over_time(a{job="Resource_monitoring"}[11m])', "at least 16m"),
    ('max_over_time(a{job="Resource_monitoring"}[1h:1m])', "a failed scrape is a hole"),
    ('last_over_time(a{job="Resource_monitoring"}[16m:1m])', "at least 20m"),
    ('avg_over_time((instance:a:b + a{job="Resource_monitoring"})[1h:1m])', "a failed scrape"),
    ('max_over_time(rate(a_total{job="Resource_monitoring"}[20m])[5m:1m])', "subqueries need"),
    ('sum_over_time(last_over_time(a_total{job="Resource_monitoring"}[5m])[1h:1m])', "at least 16m"),
    ('sum_over_time(increase(a_total{job="Resource_monitoring"}[5m])[1h:5m])', "at least 20m"),
    ("rate(a_total[20m])", "say job="),
    ('rate(a_total{job=~"Resource.*"}[20m])', "alone"),
    ('rate(a_total{job!="x"}[20m])', "alone"),
    ('rate(a_total{job="BTS_model"}[45s])', "at least 1m"),
    ('last_over_time(a{job="BTS_model"}[30s])', "at least 1m"),
    ('max_over_time(up{job="BTS_model"}[30s]) == 0', "at least 1m"),
    ('a{job="BTS_model"} > 1', "a failed scrape is a hole"),
    ('rate(a_total{job=~"BTS_model|Resource_monitoring"}[1m])', "at least 20m"),
    ('last_over_time(a{job=~"BTS_model|Resource_monitoring"}[1m])', "at least 16m"),
    ('rate(a_total{job=~"BTS_model"}[20m])', "alone"),
    ('mad_over_time(a{job="Resource_monitoring"}[20m])', "unknown to this lint"),
    ('a{job="Resource_monitoring"}[20m]', "unknown to this lint"),
    ('rate(host_disk_busy_ratio_bucket{job="Resource_monitoring",le="0.85"}[20m])', "no edge le="),
    ('rate(host_cpu_steal_ratio_bucket{job="Resource_monitoring",le="0.85"}[20m])', "no edge le="),
    ('rate(host_cpu_busy_ratio_bucket{job="Resource_monitoring",le="1"}[20m])', "no edge le="),
    ('rate(host_cpu_busy_ratio_bucket{job="Resource_monitoring",le=~"0.9"}[20m])', "one edge"),
    ('rate(host_forks_per_second_bucket{job="Resource_monitoring",le="1.0"}[20m])', "no histogram"),
    ("sum(instance:a:b", "the end where ) belongs"),
    ("instance:a:b)", ") where the end belongs"),
    ("sum(instance:a:b}", "} where ) belongs"),
    ("instance:a:b ~ 1", "no token"),
    ("instance:a:b{c}", "without a string"),
    ("rate(instance:a:b[20m", "a range without an end"),
    ("rate(instance:a:b[x])", "no range"),
    ("[5m]", "a range without a selector"),
]

GOOD_RULES = """\
groups:
  - name: host_good
    interval: 1m
    rules:
      - record: instance_device:host_a:mean20m
        expr: |
          rate(b_total{job="Resource_monitoring"}[20m])
            / last_over_time(a{job="Resource_monitoring"}[16m])
      - record: instance:host_b_peak:max16m
        expr: max_over_time(b{job="Resource_monitoring"}[16m])
      - alert: HostGoodAlert
        expr: instance_device:host_a:mean20m > 1
        for: 11m
        labels: {severity: warning}
        annotations: {summary: It is bad., description: "It is {{ $value }}."}
"""

# (text of GOOD_RULES, what stands there instead, part of the finding)
BAD_RULES = [
    ("[16m]", "[5m]", "at least 16m"),
    ("for: 11m", "for: 5m", "neither 0 nor over 10m"),
    ("for: 11m", "for: 1s", "neither 0 nor over 10m"),
    ("for: 11m", "for: 10m", "neither 0 nor over 10m"),
    ("for: 11m", "for: soon", "neither 0 nor over 10m"),
    ("{severity: warning}", "{}", "severity is one of"),
    ("{severity: warning}", "", "severity is one of"),
    ("{severity: warning}", "{severity: page}", "severity is one of"),
    ("summary: It is bad., ", "", "summary is missing"),
    ("summary: It is bad.", "summary: ", "summary is missing"),
    (', description: "It is {{ $value }}."', "", "description is missing"),
    ("{{ $value }}", "bad", "does not give the value"),
    ("HostGoodAlert", "host_good_alert", "CamelCase"),
    ("HostGoodAlert", "GoodAlert", "CamelCase"),
    ("record: instance_device:host_a:mean20m", "record: host_a_mean", "level:metric:operation"),
    ("record: instance_device:host_a:mean20m", "record: device:host_a:mean20m", "level:metric"),
    ("host_a:mean20m", "host_a:mean", "level:metric:operation"),
    ("[20m]", "[1h]", "[1h] in a record named 20m"),
    ("max_over_time(b{job=\"Resource_monitoring\"}[16m])", "max_over_time(b[20m])", "named 16m"),
    ("name: host_good", "name: Host good", "snake_case"),
    ("interval: 1m", "interval: 5m", "interval: 1m"),
    ("    interval: 1m\n", "", "interval: 1m"),
    ("alert: HostGoodAlert", "alert: HostGoodAlert\n        expr: 1\n      - alert: HostGoodAlert", "twice"),
]

GOOD_TEST = """\
tests:
  - input_series:
      - {series: b_total, values: 0+1x3 stale 5 0+1x3}
    alert_rule_test:
      - {alertname: HostGoodAlert, exp_alerts: []}
      - {alertname: HostGoodAlert, exp_alerts: [{exp_labels: {}}]}
    promql_expr_test:
      - {expr: "instance_device:host_a:mean20m and instance:host_b_peak:max16m"}
"""

BAD_TESTS = [
    ("stale 5 0", "4 5 0", "a scrape fails"),
    ("5 0+1x3", "5+1x3", "a process restarts"),
    ("b_total", "b", "a process restarts"),
    ("exp_alerts: [{exp_labels: {}}]", "exp_alerts: []", "in which it fires"),
    ("exp_alerts: []", "exp_alerts: [{exp_labels: {}}]", "in which it does not fire"),
    ("host_a:mean20m", "host_a:mean20m_or_so", "no unit test looks at it"),
]


TABLE = """\
constexpr std::array kFineEdges = {0.05, 1.0,
                                   1e5, 1e6, 12.5e6};
Signal{{"a_ratio", "A share, "
        "of two lines.", histogram_and_peak, kFineEdges, a}},
Signal{"b", "No histogram.", peak, {}, b},
"""
TABLE_EDGES = {"host_a_ratio": ["0.05", "1.0", "100000.0", "1e+06", "1.25e+07"]}

# (text of TABLE, what stands there instead)
BAD_TABLES = [("histogram_and_peak, kFineEdges", "histogram_and_peak, kOther"), ("{{", "{{1, ")]


def bad_table(old, new):
    try:
        return [] if read_edges(TABLE.replace(old, new, 1)) else ["refused"]
    except ValueError:
        return ["refused"]


def of_tree(rules, test):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "rules").mkdir()
        (root / "rules/a.yml").write_text(rules)
        (root / "tests/rules").mkdir(parents=True)
        if test:
            (root / "tests/rules/a.test.yml").write_text(test)
        return [f"{path}:{line}: {finding}" for path, line, _, finding in violations(root)]


def self_test():
    """True when exactly the planted faults are found."""
    wrong = []

    def expect(what, findings, part):
        findings = list(findings)
        if part is None and findings:
            wrong.append(f"unexpected, in {what}: {findings}")
        if part is not None and not any(part in finding for finding in findings):
            wrong.append(f"missed, in {what}: {part}; found {findings}")

    def changed(text, old, new):
        assert old in text, old
        return text.replace(old, new, 1)

    def of_rules(text):
        return [finding for _, _, finding in check_rules(text)]

    def of_tests(text):
        return [finding for _, _, finding in check_tests(GOOD_RULES, [text])]

    for text in GOOD_EXPRESSIONS:
        expect(text, check_expression(text), None)
    for text, part in BAD_EXPRESSIONS:
        expect(text, check_expression(text), part)
    expect("the good rules", of_rules(GOOD_RULES), None)
    for old, new, part in BAD_RULES:
        expect(f"{old!r} -> {new!r}", of_rules(changed(GOOD_RULES, old, new)), part)
    expect("the good test", of_tests(GOOD_TEST), None)
    for old, new, part in BAD_TESTS:
        expect(f"{old!r} -> {new!r}", of_tests(changed(GOOD_TEST, old, new)), part)

    expect("a good tree", of_tree(GOOD_RULES, GOOD_TEST), None)
    expect("a bad rule in a tree", of_tree(changed(GOOD_RULES, "16m", "5m"), GOOD_TEST), "at least 16m")
    expect("a tree without tests", of_tree(GOOD_RULES, None), "no unit test")

    expect("edges", [] if read_edges(TABLE) == TABLE_EDGES else [read_edges(TABLE)], None)
    for old, new in BAD_TABLES:
        expect(f"edges with {old!r} -> {new!r}", bad_table(old, new), "refused")

    for line in wrong:
        print(f"self-test: {line}")
    return not wrong
