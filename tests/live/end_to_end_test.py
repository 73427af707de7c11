#!/usr/bin/python3
"""All that is shipped, running together: every rule and every panel works on the real pages; what a
host and a model suffer from arrives at those who are told, each as its alerts and no other; and
while nothing happens nobody is told. Time runs in fast motion.

Environment:
  RESOURCE_EXPORTER, MODEL_SERVER, MODEL_CLIENT  the programs
  SOURCE_DIR                                     the top of the repository
"""

import math
import time
import unittest
import urllib.error

import yaml
from alert_watch import AlertWatch
from exporter_process import wait_for
from grafana_queries import Dashboard
from injuries import (
    available_bytes,
    cpu_burn,
    error_exit,
    has_pressure,
    memory_pressure,
    memory_spike,
    oom_kill,
    small_memory_group,
)
from scaled_time import FACTOR, durations_in, shortened_expression, shortened_seconds
from whole_system import SOURCE, WholeSystem, stations

SCRAPE_SECONDS = shortened_seconds("5m")
RANGE_SECONDS = shortened_seconds("20m")  # What almost every alert looks back.
CHANGE_SECONDS = RANGE_SECONDS + 2 * SCRAPE_SECONDS  # Until one fires, or ends.
DRIFT_SECONDS = shortened_seconds("30m") + 2 * SCRAPE_SECONDS  # Its `for`.

SPIKE_BYTES = 1 << 30
SPIKE_SECONDS = shortened_seconds("20s")

# What is told, by receiver.
TOLD = {
    "HostCpuSaturated": "team",
    "HostExporterDown": "on_call",
    "HostMemoryPressure": "on_call",
    "HostOomKill": "team",
    "ModelClientCutOff": "on_call",
    "ModelInputDrift": "team",
    "ModelTargetDown": "on_call",
    "ProcessOomKilled": "team",
}
# What is kept back, because it follows from something that is told. It may outlast that.
KEPT_BACK = {"ModelClientFailing": "team", "ModelRelayBroken": "team"}
# Where work waits for CPUs, requests may.
PERHAPS = {"ModelQueueSaturated": "team"}
OF_MEMORY = ("HostMemoryPressure", "HostOomKill", "ProcessOomKilled")
OF_SERVER = ("ModelTargetDown", "ModelClientCutOff", "ModelClientFailing", "ModelRelayBroken")


# Panels that show what was done: after it their highest value is over 0.
SHOWN = {
    "Ended with an error or by a signal",
    "Everything waits: memory and I/O",
    "Killed for memory",
    "OOM kills",
    "The client's failures",
}
SHOWN_OF_MEMORY = {"Everything waits: memory and I/O", "Killed for memory", "OOM kills"}
# Panels of what does not happen here.
WITHOUT_DATA = set()


def highest(series):
    """The highest number in them; None where there is none."""
    values = [float(value) for one in series for _, value in one.get("values", [one.get("value")])]
    return max((value for value in values if not math.isnan(value)), default=None)


class EndToEndTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = cls.enterClassContext(WholeSystem())
        cls.prometheus = cls.system.prometheus
        cls.system.wait_until_scraped()
        cls.system.follow_a_series()

    def test_each_injury_is_told_and_a_quiet_system_tells_nothing(self):
        self.watch = AlertWatch(self, self.system)
        self.take_memory_for_a_moment()
        self.assertEqual(self.system.receiver.told, set())
        self.let_the_input_drift()
        self.give_more_work_than_cpus()
        self.watch.wait_until_they_fire("ModelInputDrift", seconds=DRIFT_SECONDS)
        self.have_the_model_server_away()
        self.stop_and_start_the_exporter()
        self.watch.stay_as_it_is(2 * SCRAPE_SECONDS)
        self.check_record_of_alerts()
        self.check_who_was_told()
        self.check_what_is_shown()

    def take_memory_for_a_moment(self):
        """Between two scrapes, as is a process that fails. Enough is left, so nobody is told, but it is seen."""
        limit = available_bytes() - SPIKE_BYTES / 2
        self.assertGreater(self.least_memory(SCRAPE_SECONDS), limit)
        begin = time.monotonic()
        memory_spike(SPIKE_BYTES, SPIKE_SECONDS)
        error_exit()  # Of one nobody is told, either.
        self.watch.stay_as_it_is(RANGE_SECONDS)
        self.assertLess(self.least_memory(time.monotonic() - begin), limit)

    def least_memory(self, seconds):
        """In the pages of that many seconds; each tells of two windows."""
        lowest = f"min_over_time(host_memory_available_bytes_lowest[{round(1000 * seconds)}ms])"
        [found] = self.prometheus.query(f"min({lowest})")
        return float(found["value"][1])

    def let_the_input_drift(self):
        """Half as many users again. The alert waits for half an hour, others meanwhile."""
        for _ in range(2):
            self.system.ask(stations(more_users=6))
        self.watch.may_begin_or_end("ModelInputDrift")

    def give_more_work_than_cpus(self):
        self.watch.may_begin_or_end(*PERHAPS)
        with cpu_burn():
            self.watch.wait_until_they_fire("HostCpuSaturated", seconds=CHANGE_SECONDS)
        self.watch.wait_until_they_end("HostCpuSaturated", seconds=CHANGE_SECONDS)

    def have_the_model_server_away(self):
        """So long that nothing is known of its input any more. Meanwhile memory is short."""
        self.watch.may_begin_or_end("ModelInputDrift", *OF_SERVER)
        self.system.server.stop()
        self.watch.wait_until_they_fire("ModelTargetDown", seconds=SCRAPE_SECONDS)
        self.tested_memory = False
        with self.subTest("memory"):  # Where it cannot be tested, the rest can.
            self.give_more_work_than_memory()
            self.tested_memory = True
        self.watch.wait_until_they_fire(*OF_SERVER, seconds=CHANGE_SECONDS)
        self.assertEqual({one.alert for one in self.system.receiver.told} & set(KEPT_BACK), set())
        self.system.server.start()
        self.system.client.stop()  # Its pauses are not in fast motion.
        self.system.client.start()
        self.watch.may_begin_or_end("ModelClientFailing")
        self.watch.wait_until_they_end(
            "ModelTargetDown", "ModelClientCutOff", "ModelRelayBroken", seconds=CHANGE_SECONDS
        )

    def give_more_work_than_memory(self):
        """What it makes fire ends while other things are done."""
        if not has_pressure():
            self.skipTest("MEMORY NOT TESTED: this kernel has no /proc/pressure/memory")
        with small_memory_group() as group:
            if not group:
                self.skipTest("MEMORY NOT TESTED: no memory control group can be made")
            oom_kill(group)
            self.watch.wait_until_they_fire(
                "HostOomKill", "ProcessOomKilled", seconds=CHANGE_SECONDS
            )
            with memory_pressure(group):
                self.watch.wait_until_they_fire("HostMemoryPressure", seconds=CHANGE_SECONDS)
        self.watch.may_begin_or_end(*OF_MEMORY)

    def stop_and_start_the_exporter(self):
        self.system.exporter.stop()
        self.watch.wait_until_they_fire("HostExporterDown", seconds=CHANGE_SECONDS)
        self.system.exporter.start()
        self.watch.wait_until_they_end("HostExporterDown", seconds=2 * SCRAPE_SECONDS)
        self.watch.wait_until_they_end(
            "HostMemoryPressure", "ModelClientFailing", seconds=CHANGE_SECONDS
        )

    def wanted(self):
        """The alerts that have fired, by the end."""
        of_memory = () if self.tested_memory else OF_MEMORY
        return {*TOLD, *KEPT_BACK} - set(of_memory)

    def check_record_of_alerts(self):
        """Prometheus keeps what it evaluated: a short alert between two of our looks is there."""
        # An hour, and not of the fast motion: the whole run.
        seen = self.prometheus.query('max_over_time(ALERTS{alertstate="firing"}[1h])')
        found = {series["metric"]["alertname"] for series in seen}
        self.assertEqual(found - set(PERHAPS), self.wanted())

    def check_who_was_told(self):
        def firing():
            return {(one.alert, one.receiver) for one in told if one.status == "firing"}

        told = self.system.receiver.told
        wanted = {(alert, TOLD[alert]) for alert in self.wanted() & set(TOLD)}
        wait_for("the last message", lambda: firing() >= wanted, CHANGE_SECONDS, lambda: told)
        self.assertEqual(firing() - set(KEPT_BACK.items()) - set(PERHAPS.items()), wanted)
        ended = {one.alert for one in told if one.status == "resolved"}
        self.assertGreaterEqual(ended, {"HostCpuSaturated", "ModelTargetDown"})

    def check_what_is_shown(self):
        shown = SHOWN - (set() if self.tested_memory else SHOWN_OF_MEMORY)
        found = [(query, value) for query, value in self.answers() if query.panel in shown]
        self.assertEqual({query.panel for query, _ in found}, shown)
        self.assertEqual([query for query, value in found if not value or value <= 0], [])

    def test_every_rule_works_on_the_real_page(self):
        wait_for("an evaluation of each rule", self.have_all_run, CHANGE_SECONDS, pause=0.1)
        faults = {
            rule["name"]: rule.get("lastError", rule["health"])
            for _, rule in self.rules()
            if rule["health"] != "ok" or rule.get("lastError")
        }
        self.assertEqual(faults, {})

    def have_all_run(self):
        return all(rule["health"] != "unknown" for _, rule in self.rules())

    def test_no_duration_of_the_rules_runs_at_its_old_speed(self):
        """As Prometheus itself understood them: it prints expressions anew."""
        found = [
            (rule["name"], durations_in(rule["query"]), rule.get("duration", 0), interval)
            for interval, rule in self.rules()
        ]
        wanted = [
            (
                rule.get("alert") or rule["record"],
                [round(seconds / FACTOR, 3) for seconds in durations_in(rule["expr"])],
                shortened_seconds(rule["for"]) if "for" in rule else 0,
                shortened_seconds(group["interval"]),
            )
            for path in (SOURCE / "rules").glob("*.yml")
            for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]
        ]
        self.assertCountEqual(found, wanted)
        self.assertTrue(any(durations for _, durations, *_ in found))

    def test_panels_have_data(self):
        """Each query of each, also where other tests have made nothing happen."""
        def empty():
            return [
                query for query, value in self.answers()
                if value is None and query.panel not in WITHOUT_DATA
            ]

        self.assertLessEqual(WITHOUT_DATA, {query.panel for query, _ in self.answers()})
        details = lambda: "\n".join(map(str, empty()))
        wait_for("data in each panel", lambda: not empty(), CHANGE_SECONDS, details, pause=1.0)

    def test_variables_of_dashboards_have_values(self):
        for dashboard in self.dashboards():
            self.assertEqual(dashboard.unknown, [], dashboard.title)

    def dashboards(self):
        def labels_of(label, selector):
            match = {"match[]": selector} if selector else {}
            return self.prometheus.api(f"label/{label}/values", **match)

        for path in sorted((SOURCE / "grafana" / "dashboards").glob("*.json")):
            yield Dashboard(path, labels_of)

    def answers(self):
        """(query, highest value that Prometheus has for it) of all panels."""
        now = time.time()
        return [
            (query, highest(self.answer(query, now, dashboard.range_seconds / FACTOR)))
            for dashboard in self.dashboards()
            for query in dashboard.queries()
        ]

    def answer(self, query, now, range_seconds):
        expression = shortened_expression(query.expression)
        try:
            if query.is_instant:
                return self.prometheus.query(expression, at=now)
            return self.prometheus.query_range(
                expression, now - range_seconds, now, query.step_seconds / FACTOR
            )
        except urllib.error.HTTPError as error:
            self.fail(f"{query}\n{error.read().decode()}")

    def rules(self):
        """(interval of its group, rule) of each."""
        groups = self.prometheus.api("rules")["groups"]
        return [(group["interval"], rule) for group in groups for rule in group["rules"]]


if __name__ == "__main__":
    unittest.main()
