#!/usr/bin/python3
"""No recorded series has a hole: six hours in which scrapes come late, one fails and what is scraped
restarts once, at Prometheus' default look-back of 5 minutes. promtool evaluates all recording rules
each minute over the series of real pages: the exporter's, of the host in tests/fixtures/small-host,
the model server's and its client's.

Environment: RESOURCE_EXPORTER, MODEL_SERVER, MODEL_CLIENT, SOURCE_DIR.
"""

import json
import os
import random
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import yaml
from exporter_process import ExporterProcess, wait_for
from exposition import TEXT, Family, Series, parse, value_of
from model_client_process import ModelClient
from model_server_process import ModelServerProcess
from peers import promtool

SOURCE = Path(os.environ["SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests"))
from promql import Subquery, read  # pylint: disable=wrong-import-position

RULE_FILES = sorted((SOURCE / "rules").glob("*.recording.yml"))
HOST = SOURCE / "tests/fixtures/small-host"
MINUTES = 360
STEP = 15  # Seconds; a scrape comes on time or as much too late.
STEPS = MINUTES * 60 // STEP + 1
FIRST_VALUE_S = 700  # Two scrapes, the second late, and one evaluation.

# What a page has only where BPF or taskstats tell of exits.
OF_A_SHELL = frozenset({("groupname", "sh"), ("reason", "normal")})
OF_EXITS = {
    Series("host_process_exits_lost_total", frozenset()): 1.0,
    Series("host_process_exited_total", OF_A_SHELL): 9.0,
}
# A rule that is wrong at our interval, which this test must find.
PLANTED = "instance:planted:last16m"
PLANTED_RULE = {"record": PLANTED, "expr": 'node_load1{job="Resource_monitoring"}'}


def groups():
    return [group for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"]]


def names_in(nodes):
    for node in nodes:
        yield from names_in(node.inner) if isinstance(node, Subquery) else [node.metric]


def names_in_rules():
    """Of all metrics that the rules read."""
    rules = [rule for group in groups() for rule in group["rules"]] + [PLANTED_RULE]
    return {name for rule in rules for name in names_in(read(rule["expr"]))}


class Job:
    """When a job scrapes, and how a series looks then."""

    def __init__(self, name, begin, every, late, failed, restart):
        """In steps; a share `late` of the scrapes is late by one; the others are two of them."""
        self.name = name
        chance = random.Random(1)
        self._times = [i + (chance.random() < late) for i in range(begin, STEPS - 1, every)]
        self._failed, self._restart = failed, restart

    def values(self, per_step):
        """Of a counter that grows so much; of a gauge where it is a function of the step."""
        scraped, words, blank = dict.fromkeys(self._times), [], 0
        for index, step in enumerate(self._times):
            scraped[step] = "stale" if index == self._failed else self._value(step, per_step)
        for step in range(STEPS):
            if step not in scraped:
                blank += 1
                continue
            words += [f"_x{blank}"] if blank else []
            words.append(scraped[step])
            blank = 0
        return " ".join(words)

    def _value(self, step, per_step):
        if callable(per_step):
            return repr(per_step(step))
        restart = self._times[self._restart]
        return repr(per_step * (step - restart + 1 if step >= restart else step - self._times[0]))


HOST_JOB = Job("Resource_monitoring", begin=0, every=20, late=0.3, failed=30, restart=50)
MODEL_JOB = Job("BTS_model", begin=0, every=1, late=0, failed=200, restart=300)


def growth(family, series, value):
    """As Job.values takes it: cumulative series grow by what is on the page, at least once a step
    where nothing has been counted yet; gauges stay, but for the clock."""
    if family.type == "counter":
        return value or 1.0
    if family.type == "histogram":
        return value
    if series.name == "node_time_seconds":
        return lambda step: float(step * STEP)
    return lambda step: value


def input_series(job, instance, page, wanted):
    for family in page.values():
        for series, value in family.samples.items():
            if series.name in wanted:
                labels = {"job": job.name, "instance": instance, **dict(series.labels)}
                text = ",".join(f"{key}={json.dumps(val)}" for key, val in labels.items())
                values = job.values(growth(family, series, value))
                yield {"series": f"{series.name}{{{text}}}", "values": values}


def work_on(host):
    """Each mode of each CPU of this fixture gets a tick more, few enough to be believed."""
    stat = host / "proc/stat"
    more = re.sub(r"^(cpu.*?) (.*)", lambda line: " ".join(
        [line[1], *(str(int(ticks) + 1) for ticks in line[2].split())]
    ), stat.read_text(), flags=re.MULTILINE)
    stat.write_text(more)  # In place: the exporter has it open.


def host_page():
    with tempfile.TemporaryDirectory() as directory:
        host = Path(directory) / "host"
        shutil.copytree(HOST, host, symlinks=True)
        args = [f"--path.{tree}={host}/{name}"
                for tree, name in (("procfs", "proc"), ("sysfs", "sys"), ("rootfs", "root"))]
        args += ["--collector.process.source=proc", "--sample-interval=100ms", "--window=1m"]
        with ExporterProcess(args) as exporter:
            def page():
                work_on(host)
                found = parse(exporter.get()[2], TEXT)
                return found if "host_cpu_busy_ratio_peak" in found else None

            page = wait_for("samples of a busy host", page, 30, pause=0.1)
    exits = {series.name: Family("counter", "", {series: value})
             for series, value in OF_EXITS.items()}
    return {**page, **exits}


def model_pages():
    """The server's and the client's."""
    with ModelServerProcess() as server:
        address = f"--server={server.url}/prediction"
        with ModelClient([address, "--rate=200"]) as client:
            def pages():
                found = [parse(process.get()[2], TEXT) for process in (server, client)]
                return found if value_of(found[1], "my_progressed_requests") > 100 else None

            return wait_for("100 predictions", pages)


def holes(name):
    """True (1) for each series that is not there in one of the minutes after its first value."""
    first = f"min_over_time(timestamp({name})[{MINUTES}m:1m])"
    return (f"count(({MINUTES * 60} - {first}) / 60 + 1"
            f" - count_over_time({name}[{MINUTES}m:1m]) > 0.5) or vector(0)")


def check(name, expression, value):
    """The value, under a label that says of what, so that promtool's message does."""
    wanted = {"labels": f'{{rule="{name}"}}', "value": value}
    return {"expr": f'label_replace({expression}, "rule", "{name}", "", "")',
            "eval_time": f"{MINUTES}m", "exp_samples": [wanted]}


def checks(name):
    first = f"min_over_time(timestamp({name})[{MINUTES}m:1m])"
    yield check(f"{name} exists", f"count({name}) > bool 0", 1)
    yield check(f"{name} begins soon", f"max({first}) <= bool {FIRST_VALUE_S}", 1)
    yield check(f"{name} has no hole", holes(name), 0)


class GapsTest(unittest.TestCase):
    def run_promtool(self, inputs, expressions):
        with tempfile.TemporaryDirectory() as directory:
            planted = Path(directory) / "planted.yml"
            group = {"name": "planted", "interval": "1m", "rules": [PLANTED_RULE]}
            planted.write_text(json.dumps({"groups": [group]}))
            test = {
                "rule_files": [*map(str, RULE_FILES), str(planted)],
                "evaluation_interval": "1m",
                "group_eval_order": [group["name"] for group in groups()],
                "tests": [{"interval": f"{STEP}s", "input_series": inputs,
                           "promql_expr_test": expressions}],
            }
            path = Path(directory) / "gaps.test.yml"
            path.write_text(json.dumps(test))
            return promtool("test", "rules", path)

    @unittest.skipUnless(os.access(os.environ["MODEL_SERVER"], os.X_OK),
                         "GAPS NOT TESTED: the model server is not built")
    def test_every_recorded_series_is_there_each_minute(self):
        wanted = names_in_rules()
        server, client = model_pages()
        inputs = [*input_series(HOST_JOB, "host:8888", host_page(), wanted),
                  *input_series(MODEL_JOB, "host:8080", server, wanted),
                  *input_series(MODEL_JOB, "host:8000", client, wanted)]
        records = [rule["record"] for group in groups() for rule in group["rules"]]
        self.assertGreater(len(records), 70)
        expressions = [one for name in records for one in checks(name)]
        # Late scrapes and the failed one, each time until the next.
        expressions.append(check(f"{PLANTED} has holes", f"({holes(PLANTED)}) > bool 0", 1))

        code, output = self.run_promtool(inputs, expressions)
        self.assertEqual(code, 0, "\n".join(re.findall(r"exp: (.*)\n", output)) or output)


if __name__ == "__main__":
    unittest.main()
