#!/usr/bin/python3
"""2,000 processes at once whose names were made to break a page: 100 of 100 scrapes are accepted by
promtool, and in both formats by Prometheus, and say of each name what it is and nothing more.

As a page has at most 200 groups, each exporter knows the names of some of them.

Environment: PROCESS_HERD, the program process_herd.
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import random
import tempfile
import unittest
from pathlib import Path

from exporter_process import ExporterProcess, wait_for
from exposition import OPENMETRICS, TEXT, parse, series_of
from peers import Prometheus, each_second, promtool
from process_herd import Herd
from prometheus_test import Proxy

NAMES = 2000
EXPORTERS = 11  # With room below 200 groups.
SCRAPES = 100
MOST_BYTES = 15
BAD = "\ufffd"
PLAIN = b"plain"
PEAK = "host_process_group_cpu_cores_peak"  # Comes with a tick.
COUNTS = "namedprocess_namegroup_num_procs"
TOKENS = (
    *(b'"} 1\nforged 1', b'"} 1\nforged', b"\nforged 1\n", b'{groupname="', b'",a="', b'"}', b" 1"),
    *(b"\n", b"\\", b"\\n", b'\\"', b'"', b"{", b"}", b",", b"=", b"#", b"\n# EOF\n", b"\n# TYPE "),
    *(b"\n# HELP ", b" gauge\n", b"up 0\n", b"le=", b"+Inf", b"NaN", b"1e999", b"__name__", b" "),
)


def bytes_from(alphabet):
    return lambda dice: bytes(dice.choices(alphabet, k=dice.randint(1, MOST_BYTES)))


def characters_from(first, last):
    """Cut wherever the 15 bytes end, within a character too."""
    return lambda dice: "".join(
        chr(dice.randint(first, last)) for _ in range(MOST_BYTES)).encode(errors="surrogatepass")


def stat_columns(dice):
    return b"%s) %s %d (%d" % (
        dice.choice((b"", b"a", b"\n", b"((")), dice.choice((b"R", b"Z 0", b"S 1 1")),
        dice.randint(0, 99), dice.randint(0, 99))


LETTERS = b"abcdefghijklmnopqrstuvwxyz"
CONTROLS = bytes([*range(1, 0x20), 0x7F])
CLASSES = (
    bytes_from(CONTROLS + LETTERS),
    bytes_from(b"\"'`\\" + b"n"),
    bytes_from(b"\n\r\t" + LETTERS[:3]),
    bytes_from(bytes(range(0x80, 0x100))),
    bytes_from(bytes(range(1, 0x100))),
    bytes_from(b"()[]{} \n0123456789RSDZ"),
    characters_from(0x80, 0x9F),
    characters_from(0xA0, 0x7FF),
    characters_from(0x2000, 0x2100),
    characters_from(0xD000, 0xE000),
    characters_from(0x1F000, 0x1FFFF),
    stat_columns,
    lambda dice: b"".join(dice.choices(TOKENS, k=3)),
)


def hostile_names():
    """Of all classes, each name once."""
    dice = random.Random(4)
    names = {make(dice)[:MOST_BYTES] for _ in range(NAMES) for make in CLASSES}
    return dice.sample(sorted(names), NAMES)


def shown(comm):
    """As a page has it: each byte that is not UTF-8 or of a control character becomes U+FFFD."""
    return "".join(
        BAD * len(c.encode(errors="surrogateescape"))
        if (ord(c) < 0x20 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 or 0xDC80 <= ord(c) < 0xDD00
        else c
        for c in comm.decode(errors="surrogateescape"))


class Batch:
    """An exporter that knows some of the names, and what it says without and with them."""

    def __init__(self, stack, number, names):
        tag = f"herd-{os.getpid()}-{number}"
        config = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "groups.yml"
        rule = {"name": "{{.Comm}}", "cmdline": [f"{tag}$"]}
        config.write_text(json.dumps({"process_names": [rule]}))
        self.exporter = stack.enter_context(ExporterProcess((
            "--collector.disable-defaults", "--collector.process",
            "--web.disable-exporter-metrics", f"--collector.process.config={config}")))
        stack.enter_context(Herd(tag, [PLAIN]))
        wait_for("the plain ones, at a tick", lambda: self.counts() == {
            "process_herd": 1, "plain": 1} and PEAK in self.families(TEXT), 20)
        self.shapes_before = shapes_of(self.families(TEXT))
        stack.enter_context(Herd(tag, names))
        self.expected = collections.Counter(map(shown, names))
        self.expected.update({"process_herd": 2, "plain": 1})

    def page(self, content_type=TEXT):
        status, headers, body = self.exporter.get(headers={"Accept": content_type})
        assert (status, headers["Content-Type"]) == (200, content_type), headers
        return body

    def families(self, content_type):
        return parse(self.page(content_type), content_type)

    def counts(self):
        """Of a page that may still change: only these lines are read."""
        lines = self.page().splitlines(keepends=True)
        part = b"".join(line for line in lines if COUNTS.encode() in line)
        return counts_of(parse(part, TEXT)) if part else {}


def counts_of(families):
    return {dict(series.labels)["groupname"]: value
            for series, value in families[COUNTS].samples.items()} if COUNTS in families else {}


def shapes_of(families):
    """Names of series with those of their labels."""
    return {(series.name, frozenset(label for label, _ in series.labels))
            for series in series_of(families)}


class HostileCrowdTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        names = hostile_names()
        stack = cls.enterClassContext(contextlib.ExitStack())
        cls.batches = [Batch(stack, number, names[number::EXPORTERS])
                       for number in range(EXPORTERS)]
        for batch in cls.batches:
            wait_for("all names", lambda: batch.counts() == batch.expected, 20, pause=0.1)
        cls.jobs = {}
        for number, batch in enumerate(cls.batches):
            text = stack.enter_context(Proxy(batch.exporter, accept=TEXT))
            cls.jobs |= {f"om{number}": f"{batch.exporter.url}/metrics", f"text{number}": text.url}
        # Meanwhile, the other tests are done.
        cls.prometheus = stack.enter_context(Prometheus(cls.configuration()))

    @classmethod
    def configuration(cls):
        """All of a page is parsed; of what we know, one family is kept, or it would be too much."""
        configuration = each_second(cls.jobs)
        configuration["global"] = {"scrape_interval": "3s", "scrape_timeout": "3s"}
        known = {name for batch in cls.batches for name, _ in batch.shapes_before} - {COUNTS}
        for job in configuration["scrape_configs"]:
            job["metric_relabel_configs"] = [{
                "source_labels": ["__name__"], "regex": "|".join(sorted(known)), "action": "drop"}]
        return configuration

    def test_each_name_is_its_group_and_no_series_is_forged(self):
        for content_type in (TEXT, OPENMETRICS):
            for batch in self.batches:
                families = batch.families(content_type)
                self.assertEqual(counts_of(families), batch.expected)
                self.assertEqual(shapes_of(families), batch.shapes_before)

    def test_promtool_accepts_each_of_100_scrapes(self):
        def findings(scrape):
            page = self.batches[scrape % EXPORTERS].page()
            code, output = promtool("check", "metrics", stdin=page)
            return code, [line for line in output.splitlines() if "'snake_case'" not in line]

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.assertEqual(collections.Counter(map(str, pool.map(findings, range(SCRAPES)))),
                             {"(0, [])": SCRAPES})

    def test_real_prometheus_accepted_every_scrape_of_both_formats(self):
        least = -(-SCRAPES // len(self.jobs))
        wait_for("enough scrapes", lambda: self.has_scraped(least), 60, self.prometheus.log, 0.5)
        failed = self.prometheus.query("min_over_time(up[10m]) != 1")
        self.assertEqual(failed, [], self.prometheus.log())
        self.assertNotRegex(self.prometheus.log(), "level=(warn|error)")
        names = set(self.prometheus.api("label/__name__/values"))
        of_scrapes = {name for name in names if name == "up" or name.startswith("scrape_")}
        self.assertEqual(names - of_scrapes, {COUNTS})
        groups = {group for batch in self.batches for group in batch.expected if group}
        self.assertEqual(set(self.prometheus.api("label/groupname/values")), groups)

    def has_scraped(self, least):
        counts = [float(result["value"][1])
                  for result in self.prometheus.query("count_over_time(up[10m])")]
        return len(counts) == len(self.jobs) and min(counts) >= least


if __name__ == "__main__":
    unittest.main()
