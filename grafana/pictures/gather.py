#!/usr/bin/python3
"""Runs the exporter, the model server, its client and Prometheus in fast motion, and writes what
the panels of grafana/dashboards show then: a JSON file for each, its queries answered."""

import argparse
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/live"), str(ROOT / "model_server/train")]
for program in ("resource_exporter", "model_server", "model_client"):
    os.environ.setdefault(program.upper(), str(ROOT / f"build/release/{program}"))
os.environ.setdefault("SOURCE_DIR", str(ROOT))

# pylint: disable=wrong-import-position
from exporter_process import ExporterProcess
from model_server_process import ModelServerProcess
from peers import Prometheus
from promql import seconds as in_seconds, tokens
from scaled_time import FACTOR, exporter_flags, in_fast_motion, shortened
import workload

POINTS = 300  # What a panel asks for at most.
LEAST_STEP = 300.0
# One machine, watched three times; the last one goes away before the end.
HOSTS = ("alpha", "beta", "gamma")
GONE_AFTER = 0.9
ALL = ".+"
PICKED = {"node": "alpha:8888", "processes": "alpha:8888"}  # As their pickers begin with one host.


class ClientProcess(ExporterProcess):
    PROGRAM = "MODEL_CLIENT"


def in_milliseconds(duration_seconds):
    """A duration of the picture as one of the clock."""
    return f"{max(1, round(duration_seconds * 1000 / FACTOR))}ms"


def substituted(expr, instance, step, least_step, shown):
    """As Grafana does it, all picked but for the instance; its durations scaled."""
    values = {
        "__rate_interval": max(step + least_step, 4 * least_step),
        "__interval": step,
        "__range": shown,
    }
    expr = re.sub(r"\$(__\w+)", lambda found: f"{round(values[found[1]] * 1000)}ms", expr)
    expr = expr.replace("$instance", instance)
    expr = re.sub(r"\$(job|group|model|version)\b", ALL, expr)
    return " ".join(
        in_milliseconds(in_seconds(text)) if kind == "duration" else text
        for kind, text in tokens(expr)
    )


def answer(prometheus, target, instance, begin, end):
    """What Prometheus says to a panel's query about the time between the two, on the clock."""
    shown = (end - begin) * FACTOR
    least_step = in_seconds(target.get("interval", "")) or LEAST_STEP
    step = max(least_step, shown / POINTS)
    query = substituted(target["expr"], instance, step, least_step, shown)
    if target["instant"]:
        return prometheus.query(query, at=end)
    scaled = step / FACTOR
    start = begin - begin % scaled
    return prometheus.api("query_range", query=query, start=start, end=end, step=scaled)["result"]


def answers(prometheus, dashboard, instance, begin, end):
    """The dashboard, with a `result` in each of its targets."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            target["result"] = answer(prometheus, target, instance, begin, end)
            if not target["result"]:
                print(f"nothing: {panel['title']}: {target['expr']}", file=sys.stderr)
    return {"begin": begin, "end": end, "factor": FACTOR, "dashboard": dashboard}


def configuration(directory, targets):
    """The shipped one in fast motion, asking `targets`: job -> {instance: port}."""
    config = in_fast_motion(yaml.safe_load((ROOT / "prometheus.yml").read_text()))
    for path in (ROOT / "rules").glob("*.yml"):
        rules = in_fast_motion(yaml.safe_load(path.read_text()))
        (directory / path.name).write_text(yaml.safe_dump(rules))
    config["rule_files"] = [f"{directory}/*.yml"]
    config.pop("alerting", None)
    config["scrape_configs"] = [
        {**job, "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance}}
            for instance, port in targets[job["job_name"]].items()
        ]}
        for job in config["scrape_configs"] if job["job_name"] in targets
    ]
    return config


@contextlib.contextmanager
def everything(seconds):
    """A Prometheus that watches all of it; on one machine, so its hosts are alike."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hosts = {name: stack.enter_context(ExporterProcess(exporter_flags())) for name in HOSTS}
        model = stack.enter_context(ModelServerProcess())
        client = stack.enter_context(
            ClientProcess([f"--server=http://127.0.0.1:{model.port}/prediction", "--rate=5"])
        )
        targets = {
            "Resource_monitoring": {f"{name}:8888": host.port for name, host in hosts.items()},
            "BTS_model": {"alpha:8080": model.port, "alpha:8000": client.port},
        }
        lookback = f"--query.lookback-delta={shortened('16m')}"
        prometheus = stack.enter_context(Prometheus(configuration(directory, targets), lookback))
        stack.enter_context(workload.running(model.port, seconds))
        yield prometheus, hosts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--hours", type=float, default=8)
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    seconds = arguments.hours * 3600 / FACTOR
    with everything(seconds) as (prometheus, hosts):
        print(f"gathering for {seconds:.0f} s", file=sys.stderr)
        time.sleep(seconds * GONE_AFTER)
        hosts[HOSTS[-1]].stop()
        time.sleep(seconds * (1 - GONE_AFTER))
        end = time.time()
        for path in sorted((ROOT / "grafana/dashboards").glob("*.json")):
            dashboard, instance = json.loads(path.read_text()), PICKED.get(path.stem, ALL)
            shown = answers(prometheus, dashboard, instance, end - seconds, end)
            (arguments.directory / path.name).write_text(json.dumps(shown))


if __name__ == "__main__":
    main()
