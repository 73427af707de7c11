#!/usr/bin/python3
"""deploy/kubernetes as kubectl renders it: each object against the types of its API, and beside the
files that it repeats.

Environment: SOURCE_DIR, the top of the repository, where ./dev has installed the node modules.
"""

import copy
import functools
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

SOURCE = Path(os.environ["SOURCE_DIR"])
KUBERNETES = SOURCE / "deploy/kubernetes"
sys.path.insert(0, str(KUBERNETES))
import make_rules  # pylint: disable=wrong-import-position

KUBECTL_APPLY_LIMIT_BYTES = 262144  # Of all annotations; the last applied object is one.


@functools.cache
def rendered():
    """Every object: what kubectl apply -k would send."""
    command = ["kubectl", "kustomize", KUBERNETES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:  # Newer ones also have a remark on `bases`, which older ones need.
        raise AssertionError(done.stderr)
    return list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))


def objects(kind):
    """The objects of a kind by name."""
    return {item["metadata"]["name"]: item for item in rendered() if item["kind"] == kind}


def wrong_of(*items):
    """What is wrong with these objects, by the types of their API."""
    command = ["/usr/bin/node", SOURCE / "tests/kubernetes/validate.mjs"]
    done = subprocess.run(command, input=json.dumps(items), capture_output=True, text=True,
                          check=False)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


class TypesTest(unittest.TestCase):
    def test_every_object_has_the_types_of_its_api(self):
        self.assertEqual({item["kind"] for item in rendered()},
                         {"ConfigMap", "DaemonSet", "Deployment", "PodMonitor", "PrometheusRule",
                          "Service"})
        self.assertEqual(wrong_of(*rendered()), "")

    def test_a_wrong_type_and_an_unknown_key_would_be_found(self):
        for kind, path, wrong in (
            ("DaemonSet", ("spec", "template", "spec", "hostpid"), True),
            ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "timeout"), "30s"),
            ("DaemonSet", ("spec", "template", "spec", "hostPID"), "yes"),
            ("Deployment", ("spec", "template", "spec", "containers", 0, "ports", 0,
                            "containerPort"), "http"),
            ("Service", ("spec", "ports", 0, "port"), "8080"),
            ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "five minutes"),
            ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "for"), 0),
            ("ConfigMap", ("data",), "a string"),
        ):
            item = copy.deepcopy(next(iter(objects(kind).values())))
            place = item
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = wrong
            with self.subTest(kind, path=path):
                self.assertIn(path[-1], wrong_of(item))


class CopiesTest(unittest.TestCase):
    """What the objects repeat is what the files of Prometheus and Grafana say."""

    def test_the_rules_are_those_of_today(self):
        committed = (KUBERNETES / "prometheus_rules.yaml").read_text()
        self.assertEqual(committed, make_rules.objects(),
                         "deploy/kubernetes/make_rules.py >deploy/kubernetes/prometheus_rules.yaml")
        groups = [yaml.safe_load(path.read_text())["groups"]
                  for path in sorted((SOURCE / "rules").glob("*.yml"))]
        self.assertEqual([item["spec"]["groups"] for item in objects("PrometheusRule").values()],
                         groups)

    def test_every_dashboard_is_there_and_small_enough(self):
        dashboards = {path.name: json.loads(path.read_text())
                      for path in (SOURCE / "grafana/dashboards").glob("*.json")}
        found = {}
        for item in objects("ConfigMap").values():
            self.assertLess(len(json.dumps(item)), KUBECTL_APPLY_LIMIT_BYTES)
            self.assertEqual(item["metadata"]["labels"], {"grafana_dashboard": "1"})
            found.update((name, json.loads(text)) for name, text in item["data"].items())
        self.assertEqual(found, dashboards, "list them in grafana/kustomization.yaml")

    def test_the_pace_and_the_names_of_the_jobs_are_those_of_prometheus_yml(self):
        configuration = yaml.safe_load((SOURCE / "prometheus.yml").read_text())
        jobs = {job["job_name"]: (job["scrape_interval"], job.get("scrape_timeout"))
                for job in configuration["scrape_configs"]}
        monitors = objects("PodMonitor")
        self.assertEqual(len(monitors), 2)
        for monitor in monitors.values():
            [endpoint] = monitor["spec"]["podMetricsEndpoints"]
            [job] = [rule["replacement"] for rule in endpoint["relabelings"]
                     if rule.get("targetLabel") == "job"]
            self.assertEqual((endpoint["interval"], endpoint.get("scrapeTimeout")), jobs[job])

    def test_monitors_ask_for_ports_and_pods_that_there_are(self):
        pods = [item["spec"]["template"] for kind in ("DaemonSet", "Deployment")
                for item in objects(kind).values()]
        for monitor in objects("PodMonitor").values():
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            [pod] = [pod for pod in pods if wanted <= pod["metadata"]["labels"].items()]
            ports = [port["name"] for container in pod["spec"]["containers"]
                     for port in container["ports"]]
            self.assertEqual([endpoint["port"] for endpoint in
                              monitor["spec"]["podMetricsEndpoints"]], ports)


if __name__ == "__main__":
    unittest.main()
