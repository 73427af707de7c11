"""The part `model` of bench/run.py: model_server beside what tutorials show, a Flask application.

Both serve the same weights, and say the same before they are measured. Both stay up; each round loads
them in turn with 1, 8 and 64 connections, and ratios are taken within a round.
"""
import contextlib
import http.client
import json
import os
import random
import statistics
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from report import Verdict, with_range
from servers import HERE, CannotRun, Server

OURS, PEER = "model_server", "flask"
CONNECTIONS = (1, 8, 64)
UNDER_LOAD = 64
COMPARED_INPUTS = 50
TOLERANCE = 1e-5
MODEL = HERE.parent / "model_server/models/bts"
# At most this share of the peer's. Throughput the other way round: a tenth of its time per request.
MAX_TIME_SHARE = 1 / 10
MAX_P99_SHARE = 1 / 5
MAX_RSS_SHARE = 1 / 2


@dataclass(frozen=True)
class ModelPlan:
    rounds: int
    seconds: float  # For each server and number of connections.


FULL = ModelPlan(rounds=5, seconds=4)
QUICK = ModelPlan(rounds=2, seconds=1.5)


def python_with_flask():
    python = "/usr/bin/python3"
    attempt = [python, "-c", "import flask, numpy"]
    if subprocess.run(attempt, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise CannotRun("Flask and numpy are not installed (Debian: python3-flask, python3-numpy)")
    return python


def commands(binary):
    binary = Path(binary).parent / "model_server"
    if not os.access(binary, os.X_OK):
        raise CannotRun(f"no {binary}: build it, with OpenCV installed")
    return {
        OURS: [str(binary), f"--model={MODEL}", "--web.listen-address=127.0.0.1:{port}"],
        PEER: [python_with_flask(), str(HERE / "flask_model.py"), "{port}", str(MODEL)],
    }


def prediction(server, values):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        form = urllib.parse.urlencode({"inputs": json.dumps([[[value] for value in values]])})
        connection.request("POST", "/prediction", form,
                           {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        body = response.read()
    if response.status != 200:
        raise CannotRun(f"{server.name} answers {response.status}: {body[:200]}")
    return float(json.loads(body)["prediction_result"])


def check_that_they_agree(servers, size):
    """Who computes something else is no peer."""
    numbers = random.Random(1)
    for _ in range(COMPARED_INPUTS):
        values = [numbers.uniform(-1, 1) for _ in range(size)]
        ours, peer = (prediction(servers[name], values) for name in (OURS, PEER))
        if abs(ours - peer) > TOLERANCE:
            raise CannotRun(f"{OURS} predicts {ours}, {PEER} {peer}, of {values}")


def run(programs, binary, plan, note):
    size = 1
    for dimension in json.loads((MODEL / "manifest.json").read_text())["input"]["shape"]:
        size *= dimension
    rows = []
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, command in commands(binary).items():
            servers[name] = Server(name, command)
            stack.callback(servers[name].stop)
            servers[name].wait_until_ready()
        check_that_they_agree(servers, size)
        for number in range(plan.rounds):
            for connections in CONNECTIONS:
                note(f"model, round {number + 1} of {plan.rounds}, {connections} connections")
                for name, server in servers.items():
                    row = programs.predict(server, connections, plan.seconds, size)
                    rows.append({"name": name, "round": number, **row})
    return rows


def of(rows, name, connections):
    """The rows of a server, by round."""
    return {row["round"]: row for row in rows
            if row["name"] == name and row["connections"] == connections}


def shares(rows, connections, field):
    """Ours / the peer's, within each round: only there did both see the same machine."""
    ours, peer = of(rows, OURS, connections), of(rows, PEER, connections)
    return [ours[number][field] / peer[number][field] for number in ours]


def verdicts(rows):
    result = []
    for connections in CONNECTIONS:
        times = [1 / share for share in shares(rows, connections, "requests_per_second")]
        what = f"model: time per request / Flask's, {connections} connections"
        result.append(Verdict(what, MAX_TIME_SHARE, statistics.median(times)))
    p99 = statistics.median(shares(rows, UNDER_LOAD, "p99_ms"))
    result.append(Verdict(f"model: p99 / Flask's, {UNDER_LOAD} connections", MAX_P99_SHARE, p99))
    rss = statistics.median(shares(rows, UNDER_LOAD, "rss_kib"))
    result.append(Verdict(f"model: RSS / Flask's, {UNDER_LOAD} connections", MAX_RSS_SHARE, rss))
    return result


def print_table(rows):
    print(f"\npredictions: medians over {1 + max(row['round'] for row in rows)} rounds [min..max]")
    print(f"  {'':24} {'requests per second':>30}  p50 ms   p99 ms  CPU us RSS MiB")
    for connections in CONNECTIONS:
        for name in (OURS, PEER):
            mine = list(of(rows, name, connections).values())

            def median(field, scale=1.0):
                return statistics.median(row[field] for row in mine) * scale

            print(f"  {f'{name}, {connections} connections':24}",
                  f"{with_range([row['requests_per_second'] for row in mine]):>30}",
                  f"{median('p50_ms'):7.3f} {median('p99_ms'):8.3f} {median('cpu_us'):7.1f}",
                  f"{median('rss_kib', 1 / 1024):7.1f}")
        faster = statistics.median(shares(rows, connections, "requests_per_second"))
        print(f"  {f'as many, {connections} connections':24} {f'{faster:.1f} times':>30}",
              f"{statistics.median(shares(rows, connections, 'p50_ms')):7.3f}",
              f"{statistics.median(shares(rows, connections, 'p99_ms')):8.3f}",
              f"{statistics.median(shares(rows, connections, 'cpu_us')):7.3f}",
              f"{statistics.median(shares(rows, connections, 'rss_kib')):7.3f}")
