#!/usr/bin/python3
"""docs/fleet.md: what it says that each thing of a host costs in series, against a page, and its
configurations, by promtool."""

import collections
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from exporter_process import ExporterProcess, wait_for
from exposition import TEXT, parse, series_of
from process_page import start_exporter

DOCUMENT = (Path(os.environ["SOURCE_DIR"]) / "docs/fleet.md").read_text()
COSTS = dict(re.findall(r"^\| ([A-Za-z ]+) \| (\d+) \| ", DOCUMENT, re.MULTILINE))
PEAK_OF_GROUPS = "host_process_group_cpu_cores_peak"
UDEV = re.compile(r"node_disk_(filesystem|device_mapper|ata)_.*")  # What only some disks have.


def counts(series, label, family):
    """Series of the families that match, by the value of the label."""
    found = collections.Counter()
    for each in series:
        value = dict(each.labels).get(label)
        if value is not None and re.match(family, each.name) and not UDEV.fullmatch(each.name):
            found[value] += 1
    return found


def page_with(exporter, *peaks):
    """None before the second tick: there is nothing yet to be the highest."""
    page = parse(exporter.get()[2], TEXT)
    return page if all(peak in page for peak in peaks) else None


class FiguresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        exporter = cls.enterClassContext(ExporterProcess())
        page = wait_for("a page with peaks", lambda: page_with(
            exporter, "host_cpu_busy_ratio_peak", PEAK_OF_GROUPS), seconds=15)
        cls.series = series_of(page)

    def cost(self, thing):
        return int(COSTS[thing])

    def test_a_cpu(self):
        self.assertEqual(set(counts(self.series, "cpu", "node_cpu_").values()), {self.cost("CPU")})

    def check_devices(self, family, shown, cost):
        """Those with signals are not virtual, and cost what is said."""
        real = counts(self.series, "device", shown)
        if not real:
            self.skipTest(f"this host has none with {shown}")
        found = counts(self.series, "device", family)
        self.assertEqual({found[device] for device in real}, {cost})

    def test_a_disk(self):
        self.check_devices("(node|host)_disk_", "host_disk_", self.cost("disk"))

    def test_a_network_device(self):
        self.check_devices("(node|host)_network_", "host_network_", self.cost("network device"))

    def check_group(self, source, fewer):
        exporter = self.enterContext(start_exporter(source))
        page = wait_for("a peak", lambda: page_with(exporter, PEAK_OF_GROUPS), seconds=15)
        found = counts(series_of(page), "groupname", "").values()
        self.assertEqual(max(found), self.cost("group of processes") - int(fewer))

    def test_a_group_by_bpf(self):
        self.check_group("bpf", 0)

    def test_a_group_by_taskstats(self):
        self.check_group("taskstats", re.search(r"(\d+) fewer with taskstats", DOCUMENT)[1])

    def test_a_group_by_proc(self):
        self.check_group("proc", re.search(r" (\d+) without either", DOCUMENT)[1])

    def test_a_host(self):
        parts = (("cpu", "node_cpu_"), ("device", ""), ("groupname", ""))
        shared = sum(sum(counts(self.series, *part).values()) for part in parts)
        # Kernels differ in what they tell of memory, hosts in how many processes are at their top.
        self.assertAlmostEqual(len(self.series) - shared, self.cost("host"), delta=60)


class ConfigurationTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        found = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
        self.hosts, self.shard = map(yaml.safe_load, found)
        (self.directory / "hosts").mkdir()
        (self.directory / "hosts/room.yml").write_text(yaml.safe_dump(self.hosts))

    def promtool(self, configuration, *arguments):
        path = self.directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(configuration))
        done = subprocess.run(["promtool", "check", arguments[0], path, *arguments[1:]],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def kept(self, shard):
        """(instance, rack) of the targets that this one of the three scrapes."""
        job = self.shard["scrape_configs"][0]
        job["relabel_configs"][1]["regex"] = str(shard)
        out = self.promtool(self.shard, "service-discovery", job["job_name"], "--timeout=1s")
        return [(found["labels"]["__address__"], found["labels"]["rack"])
                for found in json.loads(out) if found["labels"]]

    def test_it_is_a_configuration(self):
        self.promtool(self.shard, "config")

    def test_each_host_has_one_shard_and_the_labels_of_its_file(self):
        of_shards = [self.kept(shard) for shard in range(3)]
        expected = [(target, group["labels"]["rack"])
                    for group in self.hosts for target in group["targets"]]
        self.assertEqual(sorted(sum(of_shards, [])), sorted(expected))


if __name__ == "__main__":
    unittest.main()
