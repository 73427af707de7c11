#!/usr/bin/python3
"""prometheus.yml and alertmanager.yml: valid as they are, with each example in them in force, and
with all; and each alert of rules/ reaches the receiver that is meant for it.

Debian's Prometheus knows no Kubernetes. Pods come from a file there, with the labels that Kubernetes
would give them.
"""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from commented_examples import names, with_examples

ROOT = Path(__file__).resolve().parent.parent
PROMETHEUS = (ROOT / "prometheus.yml").read_text()
ALERTMANAGER = (ROOT / "alertmanager.yml").read_text()
ALERTS = [
    rule
    for path in sorted((ROOT / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
RECEIVERS = {"critical": "on_call", "warning": "team", "info": "digest"}
HOSTS_FILE = "hosts/example.yml"
OF_KUBERNETES = "    kubernetes_sd_configs:\n      - role: pod\n"
OF_PODS_FILE = "    file_sd_configs:\n      - files: [pods.json]\n"


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout or done.stderr


def variants(text):
    """(what, the text so)."""
    found = names(text)
    yield "as it is", text
    for name in found:
        yield name, with_examples(text, [name])
    # Of one key, which must not be there twice.
    yield "all", with_examples(text, [name for name in found if name != "kubernetes"])


def pod(node, port, name="resource-exporter"):
    """As Kubernetes' discovery describes one of its containers' ports."""
    about = {"label_app_kubernetes_io_name": name, "container_port_name": port, "node_name": node}
    labels = {f"__meta_kubernetes_pod_{key}": value for key, value in about.items()}
    return {"targets": [f"10.0.0.1:{8888 if port == 'metrics' else 1}"], "labels": labels}


def without_kubernetes(text):
    return text.replace(OF_KUBERNETES, OF_PODS_FILE)


class ConfigsTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        """The file, and beside it all that it names."""
        (self.directory / "rules").symlink_to(ROOT / "rules")
        files = re.findall(r"^\s*\w+_file: (\S+)", text, re.MULTILINE)
        for file in (*files, HOSTS_FILE):
            (self.directory / file).parent.mkdir(exist_ok=True)
            (self.directory / file).touch()
        hosts = re.search(r"# (\[\{targets: .*)", PROMETHEUS)  # What is said to be in such a file.
        (self.directory / HOSTS_FILE).write_text(hosts[1])
        pods = [pod("n1", "metrics"), pod("n1", "debug"), pod("n2", "metrics", "something-else")]
        (self.directory / "pods.json").write_text(json.dumps(pods))
        (self.directory / name).write_text(text)
        return str(self.directory / name)

    def check(self, name, text, *command):
        self.assertGreater(len(names(text)), 1)
        for what, variant in variants(text):
            with self.subTest(what):
                self.setUp()
                self.assertEqual(variant != text, what != "as it is")
                code, output = tool(*command, self.write(name, without_kubernetes(variant)))
                self.assertEqual(code, 0, output)
                self.assertNotIn("WARNING", output)

    def test_prometheus_takes_its_configuration_and_each_example(self):
        self.check("prometheus.yml", PROMETHEUS, "promtool", "check", "config")

    def test_of_kubernetes_pods_the_exporters_are_taken_under_their_nodes_names(self):
        text = with_examples(PROMETHEUS, ["kubernetes"])
        self.assertIn(OF_KUBERNETES, text)
        static = "    static_configs:\n      - targets: [localhost:8888]\n"
        self.assertIn(static, text)
        path = self.write("prometheus.yml", without_kubernetes(text).replace(static, ""))
        command = ("promtool", "check", "service-discovery", "--timeout=1s", path)
        code, output = tool(*command, "Resource_monitoring")
        self.assertEqual(code, 0, output)
        found = [target["labels"] for target in json.loads(output) if target["labels"]]
        self.assertEqual([(one["instance"], one["__address__"]) for one in found],
                         [("n1", "10.0.0.1:8888")])

    def test_alertmanager_takes_its_configuration_and_each_example(self):
        self.check("alertmanager.yml", ALERTMANAGER, "amtool", "check-config")

    def test_what_promtool_would_find_it_finds_in_an_example(self):
        broken = with_examples(PROMETHEUS, ["files"]).replace("file_sd_configs", "file_sd_config")
        code, output = tool("promtool", "check", "config", self.write("prometheus.yml", broken))
        self.assertEqual(code, 1, output)

    def test_each_alert_reaches_the_receiver_of_its_severity(self):
        config = self.write("alertmanager.yml", ALERTMANAGER)
        self.assertGreater(len(ALERTS), 20)
        for alert in ALERTS:
            name, severity = alert["alert"], alert["labels"]["severity"]
            receiver = RECEIVERS[severity]
            code, output = tool(
                *("amtool", "config", "routes", "test", f"--config.file={config}"),
                *(f"--verify.receivers={receiver}", f"alertname={name}", f"severity={severity}"),
            )
            self.assertEqual((code, output.strip()), (0, receiver), name)

    def test_inhibition_names_alerts_that_exist(self):
        known = {alert["alert"] for alert in ALERTS}
        rules = yaml.safe_load(ALERTMANAGER)["inhibit_rules"]
        matchers = [m for rule in rules for m in rule["source_matchers"] + rule["target_matchers"]]
        matchers += [m for route in yaml.safe_load(ALERTMANAGER)["route"]["routes"]
                     for m in route["matchers"]]
        for matcher in matchers:
            label, pattern = re.fullmatch(r'(\w+)!?=~?"(.*)"', matcher).groups()
            if label == "alertname":
                for part in pattern.split("|"):
                    self.assertTrue(any(re.fullmatch(part, name) for name in known), matcher)


if __name__ == "__main__":
    unittest.main()
