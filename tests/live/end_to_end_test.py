#!/usr/bin/python3
"""All that is shipped, running together: every rule and every panel works on the real pages; what a
host and a model suffer from arrives at those who are told, each as its alerts and no other; and
while nothing happens nobody is told. Time runs in fast motion.

Environment:
  RESOURCE_EXPORTER, MODEL_SERVER, MODEL_CLIENT  the programs
  SOURCE_DIR                                     the top of the repository
"""

import contextlib
import os
import time
import unittest

import yaml
from alert_watch import AlertWatch
from exporter_process import wait_for
from injuries import (
    available_bytes,
    cpu_burn,
    error_exit,
    has_pressure,
    memory_pressure,
    memory_spike,
    oom_kill,
    small_memory_group,
    usable_cpus,
)
from scaled_time import FACTOR, durations_in, shortened_seconds
from shown_boards import ShownBoards, queries_without_data
from whole_system import SOURCE, WholeSystem, stations

SCRAPE_SECONDS = shortened_seconds("5m")
RANGE_SECONDS = shortened_seconds("20m")  # What almost every alert looks back.
CHANGE_SECONDS = RANGE_SECONDS + 2 * SCRAPE_SECONDS  # Until one fires, or ends.
DRIFT_SECONDS = shortened_seconds("30m") + 2 * SCRAPE_SECONDS  # Its `for`.

MOST_SPIKE_BYTES = 1 << 30
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
# A service is what has run for 86400 s, which no fast motion shortens: on a host that is up for so
# long one may end meanwhile.
PERHAPS_AFTER_A_DAY = {"ProcessGroupGone": "digest"}
DAY_SECONDS = 86400
LONGEST_RUN_SECONDS = 600
OF_SERVER = ("ModelTargetDown", "ModelClientCutOff", "ModelClientFailing", "ModelRelayBroken")

# Panels that show what was done, after which their highest value is over 0; by the alert of it.
SHOWN = {
    "Everything waits: memory and I/O": "HostMemoryPressure",
    "Killed for memory": "ProcessOomKilled",
    "OOM kills": "HostOomKill",
    "The client's failures": "ModelClientFailing",
}
SHOWN_OF_EXITS = {"Ended with an error or by a signal"}


class EndToEndTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = cls.enterClassContext(WholeSystem())
        cls.prometheus = cls.system.prometheus
        cls.system.wait_until_scraped()
        cls.system.follow_a_series()
        cls.boards = ShownBoards(cls.prometheus)
        cls.exit_source = cls.system.exit_source()

    def test_each_injury_is_told_and_a_quiet_system_tells_nothing(self):
        self.watch = AlertWatch(self, self.system)
        self.wanted = {*TOLD, *KEPT_BACK}  # The alerts that have fired, by the end,
        self.perhaps = set(PERHAPS.items())  # and those that may have; with whom they are told.
        if time.clock_gettime(time.CLOCK_BOOTTIME) > DAY_SECONDS - LONGEST_RUN_SECONDS:
            self.perhaps |= set(PERHAPS_AFTER_A_DAY.items())
            self.watch.may_begin_or_end(*PERHAPS_AFTER_A_DAY)
        self.take_memory_for_a_moment()
        self.assertLessEqual(self.told("firing"), self.perhaps)
        self.let_the_input_drift()
        self.give_more_work_than_cpus()
        self.watch.wait_until_they_fire("ModelInputDrift", seconds=DRIFT_SECONDS)
        self.have_the_model_server_away()
        self.stop_and_start_the_exporter()
        self.watch.stay_as_it_is(2 * SCRAPE_SECONDS)
        self.check_record_of_alerts()
        self.check_who_was_told()
        self.check_what_is_shown()

    @contextlib.contextmanager
    def step(self, name, *alerts):
        """What may fail, or be skipped, by itself. Where it fails nothing is known of its alerts;
        where it is skipped they do not fire. They may end while other things are done."""
        with self.subTest(name):
            try:
                yield
            except BaseException as error:
                self.wanted -= set(alerts)
                if not isinstance(error, unittest.SkipTest):
                    self.perhaps |= {(alert, TOLD[alert]) for alert in alerts}
                    self.watch.may_begin_or_end(*alerts)
                raise
            self.watch.may_begin_or_end(*alerts)

    def take_memory_for_a_moment(self):
        """Between two scrapes, as is a process that fails. Enough is left, so nobody is told, but
        it is seen."""
        def untouched():
            """As much as is left only in a spike; None where there was less already."""
            limit = available_bytes() - spike / 2
            return limit if self.least_memory(2 * SCRAPE_SECONDS) > limit else None

        spike = min(MOST_SPIKE_BYTES, available_bytes() // 4)
        limit = wait_for("memory that others leave alone", untouched, CHANGE_SECONDS, pause=1.0)
        begin = time.monotonic()
        memory_spike(spike, SPIKE_SECONDS)
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
        with self.step("more work than CPUs", "HostCpuSaturated"):
            if usable_cpus() < os.cpu_count():
                self.skipTest(f"NOT TESTED: this may use {usable_cpus():g} CPUs of all")
            with cpu_burn():
                self.watch.wait_until_they_fire("HostCpuSaturated", seconds=CHANGE_SECONDS)
            self.watch.wait_until_they_end("HostCpuSaturated", seconds=CHANGE_SECONDS)

    def have_the_model_server_away(self):
        """So long that nothing is known of its input any more. Meanwhile memory is short."""
        self.watch.may_begin_or_end("ModelInputDrift", *OF_SERVER)
        with self.system.server.stopped(), small_memory_group() as group:
            self.watch.wait_until_they_fire("ModelTargetDown", seconds=SCRAPE_SECONDS)
            self.have_a_process_killed(group)
            # The client's pauses are not in fast motion: soon it fails too seldom to judge by.
            self.watch.wait_until_they_fire(
                "ModelClientCutOff", "ModelClientFailing", seconds=CHANGE_SECONDS
            )
            self.watch.may_begin_or_end("ModelClientFailing")
            self.give_more_work_than_memory(group)
            self.watch.wait_until_they_fire("ModelRelayBroken", seconds=CHANGE_SECONDS)
            told = {alert for alert, _ in self.told("firing")}
            self.assertEqual(told & set(KEPT_BACK), set())
        self.system.client.restart()  # For its pauses.
        self.watch.wait_until_they_end(
            "ModelTargetDown", "ModelClientCutOff", "ModelRelayBroken", seconds=CHANGE_SECONDS
        )

    def have_a_process_killed(self, group):
        alerts = {"HostOomKill", "ProcessOomKilled"}
        if self.exit_source != "bpf":  # Others cannot tell such a kill from any other.
            alerts.remove("ProcessOomKilled")
            self.wanted.remove("ProcessOomKilled")
        with self.step("a process killed for memory", *alerts):
            self.check_group(group)
            oom_kill(group)
            self.watch.wait_until_they_fire(*alerts, seconds=CHANGE_SECONDS)

    def give_more_work_than_memory(self, group):
        with self.step("more work than memory", "HostMemoryPressure"):
            if not has_pressure():
                self.skipTest("NOT TESTED: this kernel has no /proc/pressure/memory")
            self.check_group(group)
            with memory_pressure(group):
                self.watch.wait_until_they_fire("HostMemoryPressure", seconds=CHANGE_SECONDS)

    def check_group(self, group):
        if not group:
            self.skipTest("NOT TESTED: no memory control group can be made")

    def stop_and_start_the_exporter(self):
        with self.system.exporter.stopped():
            self.watch.wait_until_they_fire("HostExporterDown", seconds=CHANGE_SECONDS)
        self.watch.wait_until_they_end("HostExporterDown", seconds=3 * SCRAPE_SECONDS)
        self.watch.wait_until_they_end(
            "HostMemoryPressure", "ModelClientFailing", seconds=CHANGE_SECONDS
        )

    def check_record_of_alerts(self):
        """Prometheus keeps what it evaluated: a short alert between two of our looks is there."""
        # An hour, and not of the fast motion: the whole run.
        seen = self.prometheus.query('max_over_time(ALERTS{alertstate="firing"}[1h])')
        found = {series["metric"]["alertname"] for series in seen}
        known = {alert for alert, _ in self.perhaps} | self.watch.amiss
        self.assertEqual(found - known, self.wanted - known)

    def check_who_was_told(self):
        def is_all_told():
            return self.told("firing") >= wanted

        sure = self.wanted & set(TOLD) - self.watch.amiss
        wanted = {(alert, TOLD[alert]) for alert in sure}
        details = lambda: self.system.receiver.told
        wait_for("the last message", is_all_told, CHANGE_SECONDS, details)
        told = {one for one in self.told("firing") if one[0] not in self.watch.amiss}
        self.assertEqual(told - set(KEPT_BACK.items()) - self.perhaps, wanted)
        ended = {alert for alert, _ in self.told("resolved")}
        early = {"HostCpuSaturated", "ModelTargetDown"}  # Time enough to tell of their end, too.
        self.assertGreaterEqual(ended, early & sure)

    def told(self, status):
        """(alert, receiver) of each message."""
        return {
            (one.alert, one.receiver) for one in self.system.receiver.told if one.status == status
        }

    def check_what_is_shown(self):
        shown = {panel for panel, alert in SHOWN.items() if alert in self.wanted}
        if self.exit_source != "parents":
            shown |= SHOWN_OF_EXITS
        found = [(query, value) for query, value in self.boards.answers() if query.panel in shown]
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
                query for query, value in self.boards.answers()
                if value is None and (query.panel, query.name) not in untold
            ]

        untold = queries_without_data(has_pressure(), self.exit_source)
        self.assertLessEqual(untold, {(query.panel, query.name) for query, _ in self.boards.answers()})
        details = lambda: "\n".join(map(str, empty()))
        wait_for("data in each panel", lambda: not empty(), CHANGE_SECONDS, details, pause=1.0)

    def test_variables_of_dashboards_have_values(self):
        for dashboard in self.boards.dashboards():
            self.assertEqual(dashboard.unknown, [], dashboard.title)

    def rules(self):
        """(interval of its group, rule) of each."""
        groups = self.prometheus.api("rules")["groups"]
        return [(group["interval"], rule) for group in groups for rule in group["rules"]]


if __name__ == "__main__":
    unittest.main()
