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

    def test_a_group_of_one_page_is_in_the_time_shown_each_time(self):
        """A command that fails each hour, after which its group is there for two pages."""
        given = [
            series("node_scrape_collector_success", "1+0x19 0 1+0x300", 'collector="process"'),
            series("host_process_exited_total", " ".join(["_x5 1 1 stale _x4"] * 24),
                   'groupname="cron",reason="error"'),
            # Long ago; one, that the failed scrape at 100m does not tell; after a restart of the
            # exporter, which costs no more than what came before it: two.
            series("host_process_exited_total", "70+0x18 _ stale 71+0x20 0 1 2+0x300",
                   'groupname="service",reason="signal"'),
        ]
        self.expect(asked("processes", "Ended with an error or by a signal"), given, {"24h": 27})

    def test_what_nobody_looked_at_is_not_counted_anew(self):
        """No page has groups from 100m to 145m; at 205m the exporter restarts, and all is new."""
        given = [
            series("node_scrape_collector_success", "1+0x19 0+0x9 1+0x300", 'collector="process"'),
            series("host_process_exited_total", "50+0x19 stale _x9 60+0x10 2+0x300",
                   'groupname="a",reason="error"'),
            series("host_process_exited_total", "_x41 3+0x300", 'groupname="b",reason="error"'),
        ]
        self.expect(asked("processes", "Ended with an error or by a signal"), given, {"24h": 5})

    def test_a_group_of_one_page_has_its_rate(self):
        """900 s of CPU time in 20 minutes, and 1200 ends, beside one that is busy all the time."""
        given = [
            series("node_scrape_collector_success", "1+0x300", 'collector="process"'),
            series("process_start_time_seconds", "100+0x300"),
            series("node_time_seconds", "1700000000+300x300"),
            series("namedprocess_namegroup_cpu_seconds_total", "_x100 900 900 stale",
                   'groupname="burst",mode="user"'),
            series("namedprocess_namegroup_cpu_seconds_total", "0+75x300",
                   'groupname="steady",mode="user"'),
            series("host_process_exited_total", "_x100 1200 1200 stale",
                   'groupname="burst",reason="error"'),
        ]
        rates = {"499m": 0.25, "503m": 1, "519m": 1, "521m": 0.25}
        self.expect(asked("processes", "CPU"), given, rates)
        ends = {"499m": None, "503m": 1, "519m": 1, "521m": None}
        for panel in "Exits by reason", "Exits that were no success":
            self.expect(asked("processes", panel), given, ends)


if __name__ == "__main__":
    unittest.main()
