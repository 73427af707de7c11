#!/usr/bin/python3
"""Alerts on their way from a real Prometheus to a real Alertmanager, by prometheus.yml and
alertmanager.yml as they are shipped: which ones make one message, and which ones nobody is told of.

Environment: SOURCE_DIR, the top of the repository.
"""

import os
import tempfile
import unittest
from pathlib import Path

import yaml
from exporter_process import wait_for
from peers import Alertmanager, Prometheus

SOURCE = Path(os.environ["SOURCE_DIR"])
HOST_JOB = "Resource_monitoring"
RUNBOOKS = "https://git.example.org/"

# (name, severity, other labels) of all that fires.
FIRING = [
    # a is away, with the model server on it.
    ("HostExporterDown", "critical", {"job": HOST_JOB, "instance": "a:8888"}),
    ("HostMemoryLow", "warning", {"job": HOST_JOB, "instance": "a:8888"}),
    ("ModelRelayBroken", "warning", {"job": HOST_JOB, "instance": "a:8888"}),
    ("ModelTargetDown", "critical", {"job": "BTS_model", "instance": "a:8080"}),
    ("ModelNotReady", "critical", {"job": "BTS_model", "instance": "a:8080", "model": "m"}),
    # b is away; of its model server it is only known that it is not ready.
    ("HostExporterDown", "critical", {"job": HOST_JOB, "instance": "b:8888"}),
    ("ModelNotReady", "critical", {"job": "BTS_model", "instance": "b:8080", "model": "m"}),
    # c thrashes, which is one message; its client is away, its server is not.
    ("HostMemoryPressure", "critical", {"job": HOST_JOB, "instance": "c:8888"}),
    ("HostMemoryLow", "warning", {"job": HOST_JOB, "instance": "c:8888"}),
    ("HostOomKill", "warning", {"job": HOST_JOB, "instance": "c:8888"}),
    ("HostDiskSaturated", "warning", {"job": HOST_JOB, "instance": "c:8888", "device": "sda"}),
    ("ModelTargetDown", "critical", {"job": "BTS_model", "instance": "c:8000"}),
    ("ModelLoadFailed", "warning", {"job": "BTS_model", "instance": "c:8080", "model": "m"}),
    # The same of one model, and the slow one alone of another.
    ("ModelErrorBudgetBurnsFast", "critical", {"job": "BTS_model", "model": "m", "version": "1"}),
    ("ModelErrorBudgetBurnsSlowly", "warning", {"job": "BTS_model", "model": "m", "version": "1"}),
    ("ModelErrorBudgetBurnsSlowly", "warning", {"job": "BTS_model", "model": "m", "version": "2"}),
    # An instance by a name, without a port.
    ("HostRecordIncomplete", "info", {"job": HOST_JOB, "instance": "node-1"}),
    ("HostRecordIncomplete", "info", {"job": HOST_JOB, "instance": "node-2"}),
]
UNTOLD = {
    ("HostMemoryLow", "a:8888"),
    ("ModelRelayBroken", "a:8888"),
    ("ModelTargetDown", "a:8080"),
    ("ModelNotReady", "a:8080"),
    ("HostMemoryLow", "c:8888"),
    ("ModelErrorBudgetBurnsSlowly", "1"),
}
# Receiver, and what is in one message.
MESSAGES = [
    ("on_call", {("HostExporterDown", "a:8888"), ("HostExporterDown", "b:8888")}),
    ("on_call", {("ModelTargetDown", "c:8000")}),
    ("on_call", {("ModelNotReady", "b:8080")}),
    ("on_call", {("HostMemoryPressure", "c:8888")}),
    ("team", {("HostOomKill", "c:8888"), ("HostDiskSaturated", "c:8888")}),
    ("team", {("ModelLoadFailed", "c:8080")}),
    ("on_call", {("ModelErrorBudgetBurnsFast", "1")}),
    ("team", {("ModelErrorBudgetBurnsSlowly", "2")}),
    ("digest", {("HostRecordIncomplete", "node-1"), ("HostRecordIncomplete", "node-2")}),
]


def short(alert):
    labels = alert["labels"]
    return labels["alertname"], labels.get("instance") or labels["version"]


def always_firing():
    """Rules that fire at once, with the annotation that ours have."""
    return [
        {
            "alert": name,
            "expr": "vector(1)",
            "labels": {"severity": severity, **labels},
            "annotations": {
                "runbook_url": f"{{{{ $externalLabels.runbooks }}}}docs/alerts.md#{name.lower()}"
            },
        }
        for name, severity, labels in FIRING
    ]


class FiringTestCase(unittest.TestCase):
    """All of FIRING is in Alertmanager."""

    @classmethod
    def setUpClass(cls):
        manager = Alertmanager(yaml.safe_load((SOURCE / "alertmanager.yml").read_text()))
        cls.manager = cls.enterClassContext(manager)
        # Prometheus may find Alertmanager only after it has sent first.
        resend = "--rules.alert.resend-delay=1s"
        prometheus = cls.enterClassContext(Prometheus(cls.configuration(), resend))
        wait_for("all alerts", cls.have_all_come, 60, prometheus.log, 0.1)

    @classmethod
    def configuration(cls):
        """The shipped one, with these alerts and addresses; and nothing is scraped."""
        config = yaml.safe_load((SOURCE / "prometheus.yml").read_text())
        rules = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "rules.yml"
        group = {"name": "always", "interval": "1s", "rules": always_firing()}
        rules.write_text(yaml.safe_dump({"groups": [group]}))
        target = cls.manager.url.removeprefix("http://")
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [target]}]}]
        config["global"]["external_labels"] = {"runbooks": RUNBOOKS}
        return {**config, "rule_files": [str(rules)], "scrape_configs": []}

    @classmethod
    def have_all_come(cls):
        """All are there, and whether anyone is told has been decided for each."""
        alerts = cls.manager.api("alerts")
        states = [alert["status"]["state"] for alert in alerts]
        return len(alerts) == len(FIRING) and "unprocessed" not in states

    def check_untold(self, expected):
        def untold():
            alerts = self.manager.api("alerts")
            return {short(alert) for alert in alerts if alert["status"]["inhibitedBy"]}

        wait_for("inhibition", lambda: untold() == expected, 30, lambda: str(untold()), 0.1)


class AlertmanagerTest(FiringTestCase):
    def test_nobody_is_told_of_what_follows_from_something_worse(self):
        self.check_untold(UNTOLD)

    def test_what_has_one_cause_is_one_message(self):
        def messages():
            groups = self.manager.api("alerts/groups?inhibited=false")
            found = [(g["receiver"]["name"], set(map(short, g["alerts"]))) for g in groups]
            return sorted(((name, sorted(alerts)) for name, alerts in found if alerts))

        wanted = sorted((name, sorted(alerts)) for name, alerts in MESSAGES)
        wait_for("messages", lambda: messages() == wanted, 30, lambda: str(messages()), 0.1)

    def test_links_to_the_runbook_begin_where_the_external_label_says(self):
        for alert in self.manager.api("alerts"):
            link = f"{RUNBOOKS}docs/alerts.md#{alert['labels']['alertname'].lower()}"
            self.assertEqual(alert["annotations"]["runbook_url"], link)
            self.assertNotIn("runbooks", alert["labels"])


class AlertsWithoutHostTest(FiringTestCase):
    """From a Prometheus that has not our alert_relabel_configs, such as the Operator's."""

    @classmethod
    def configuration(cls):
        config = super().configuration()
        del config["alerting"]["alert_relabel_configs"]
        return config

    def test_a_host_that_is_away_hides_no_model_server_of_another(self):
        self.check_untold(UNTOLD - {("ModelTargetDown", "a:8080")})


if __name__ == "__main__":
    unittest.main()
