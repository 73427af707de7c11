#!/usr/bin/python3
"""What --list-metrics says, against pages: each family of a page is listed as it is there, and each
listed one is on a page of this host or of the fixture's."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import NamedTuple

from exporter_process import ExporterProcess, wait_for
from exposition import TEXT, Series, parse

BINARY = os.environ["RESOURCE_EXPORTER"]
GOLDEN = Path(os.environ["SOURCE_DIR"]) / "tests/fixtures/small-host.prom"
LINE = re.compile(
    r"  (?P<name>[\w<>]+)(?:\{(?P<labels>[\w,]+)\})? "
    r"\((?P<type>\w+)(?:, (?P<unit>[\w ]+))?(?:; only (?P<condition>[^)]+))?\): (?P<help>.+)"
)
RULES = """
process_names:
  - name: "{{.Comm}}"
    cmdline: [".+"]
"""
# What shows all that flags can add. Nobody answers at the upstream: what is said of it is enough.
ALL_FLAGS = (
    "--collector.process.threads=true",
    "--collector.process.smaps=true",
    "--collector.upstream=nobody=http://127.0.0.1:9/metrics",
)


class Listed(NamedTuple):
    name: re.Pattern
    type: str
    help: re.Pattern
    labels: frozenset
    condition: str


def pattern(text):
    """<field> stands for what the kernel calls it."""
    return re.compile(".+".join(map(re.escape, text.split("<field>"))))


def listed():
    """The families of --list-metrics by name."""
    out = subprocess.run([BINARY, "--list-metrics"], capture_output=True, text=True, check=True)
    found = {}
    for line in out.stdout.splitlines():
        if not line.startswith("  "):
            continue
        match = LINE.fullmatch(line)
        assert match, line
        labels = frozenset(match["labels"].split(",") if match["labels"] else ())
        assert match["name"] not in found, line
        found[match["name"]] = Listed(
            pattern(match["name"]), match["type"], pattern(match["help"]), labels,
            match["condition"] or "",
        )
    return found


def find(families, name):
    """The listed name that is, or stands for, that of a page."""
    if name in families:
        return name
    return next((each for each, listed in families.items() if listed.name.fullmatch(name)), None)


def label_names(family):
    """Of all samples; a histogram's bounds are understood."""
    names = {label for series in family.samples for label, _ in series.labels}
    return names - {"le"} if family.type == "histogram" else names


class MetricListTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.families = listed()
        cls.seen = set()

    def check_page(self, body):
        """Takes what the page has off what is still to be seen; returns the page."""
        page = parse(body, TEXT)
        for name, family in page.items():
            with self.subTest(name):
                known = find(self.families, name)
                self.assertIsNotNone(known, "on a page and not listed")
                self.seen.add(known)
                entry = self.families[known]
                self.assertEqual(family.type, entry.type)
                self.assertRegex(family.help, f"^{entry.help.pattern}$")
                if family.samples:
                    self.assertEqual(label_names(family), entry.labels)
        return page

    def excused(self, page):
        """Conditions that this host cannot fulfil: what the kernel does not let its user have."""
        source = next(
            dict(series.labels)["source"]
            for series, value in page["host_process_exit_source"].samples.items()
            if value == 1
        )
        return {
            "bpf": (),
            "taskstats": ("with BPF",),
            "parents": ("with BPF", "with BPF or taskstats"),
        }[source]

    def test_pages_hold_what_is_listed_and_nothing_else(self):
        self.check_page(GOLDEN.read_bytes())
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "rules.yml").write_text(RULES)
        (directory / "empty.prom").write_text("")
        flags = [
            *ALL_FLAGS,
            f"--collector.process.config={directory / 'rules.yml'}",
            f"--collector.textfile.directory={directory}",
        ]
        with (
            ExporterProcess(flags) as exporter,
            ExporterProcess(["--collector.process.source=proc"]) as without_bpf,
        ):
            def missing():
                page = self.check_page(exporter.get()[2])
                self.check_page(without_bpf.get()[2])
                excused = self.excused(page)
                return [
                    name
                    for name, entry in self.families.items()
                    if name not in self.seen and entry.condition not in excused
                ]

            # A list of the busiest wants a second in which somebody was.
            wait_for("every family", lambda: not missing(), seconds=20, details=missing,
                     pause=0.2)

    def test_every_option_is_where_it_is_said_to_be(self):
        """Without the flags that a condition names, its families are not there."""
        with ExporterProcess() as exporter:
            page = parse(exporter.get()[2], TEXT)
        for name, entry in self.families.items():
            if "--" in entry.condition:
                self.assertNotIn(name, page)

    def test_every_collector_has_a_list(self):
        """In the order of --list-collectors; each is on as that says."""
        def headings(flag):
            out = subprocess.run([BINARY, flag], capture_output=True, text=True, check=True).stdout
            return [line for line in out.splitlines() if not line.startswith(" ")]

        collectors = headings("--list-collectors")
        self.assertEqual(headings("--list-metrics")[: len(collectors)], collectors)

    def test_it_is_the_same_with_other_flags(self):
        plain = subprocess.check_output([BINARY, "--list-metrics"])
        for flag in ("--no-collector.cpu", "--path.procfs=/nowhere", "--list-metrics=text"):
            self.assertEqual(subprocess.check_output([BINARY, flag, "--list-metrics"]), plain)


if __name__ == "__main__":
    unittest.main()
