#!/usr/bin/python3
"""What panels show of known series, by promtool: nothing of what a page tells is lost between two
columns."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/live"))
from grafana_queries import Dashboard  # pylint: disable=wrong-import-position

HOST = 'job="Resource_monitoring",instance="a"'
VALUES = {"job": "Resource_monitoring", "instance": "a", "model": "m", "version": "1"}


def series(metric, values, labels=""):
    return {"series": f"{metric}{{{HOST}{labels and ','}{labels}}}", "values": values}


def asked(name, panel, index=0):
    """A query of the panel, as Grafana asks when the dashboard is opened."""
    path = ROOT / "grafana/dashboards" / f"{name}.json"
    board = Dashboard(path, lambda label, _: [VALUES.get(label, label)])
    return [query.expression for query in board.queries() if query.panel == panel][index]


class PanelsTest(unittest.TestCase):
    def expect(self, expression, given, wanted):
        """`wanted`: what the answers add up to, by the time of asking. A scrape is every 5 minutes,
        from 0 on."""
        cases = [
            {"expr": f"sum({expression})", "eval_time": time, "exp_samples": [
                {"labels": "{}", "value": value}] if value is not None else []}
            for time, value in wanted.items()
        ]
        test = {"interval": "5m", "input_series": given, "promql_expr_test": cases}
        with tempfile.NamedTemporaryFile("w", suffix=".test.yml") as file:
            yaml.safe_dump({"rule_files": [], "tests": [test]}, file)
            file.flush()
            done = subprocess.run(
                ["promtool", "test", "rules", file.name],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )
        self.assertEqual(done.returncode, 0, f"{expression}\n{done.stdout}")

    def test_columns_hold_all_that_was_counted(self):
        """300 seconds a scrape; the one at 65m fails, the exporter begins anew before 95m."""
        given = [series("host_cpu_busy_ratio_bucket", "0+300x12 stale 4200+300x4 120+300x8",
                        'le="+Inf"')]
        columns = {"27m": 1200, "47m": 1200, "67m": 900, "87m": 1500, "107m": 720, "127m": 1200}
        self.expect(asked("node", "Every second of the CPUs"), given, {"7m": None, **columns})

    def test_a_kill_between_two_columns_is_in_one(self):
        given = [series("host_oom_kills_total", "0+0x8 1+0x20")]
        self.expect(asked("node", "OOM kills", 1), given, {"42m": 0, "62m": 1, "82m": 0})

    def test_what_a_relayed_model_was_asked_between_two_columns_is_in_one(self):
        given = [series("model_input_value_bucket", "0+0x8 50+0x20",
                        'model="m",version="1",le="+Inf"')]
        self.expect(asked("model_server", "Every input value"), given, {"42m": 0, "62m": 50})


if __name__ == "__main__":
    unittest.main()
