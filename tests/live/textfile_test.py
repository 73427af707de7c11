#!/usr/bin/python3
"""Text files beside Debian's node_exporter: the same families of the same files, and where the two
differ, that ours is the one that goes on."""

import os
import socket
import tempfile
import unittest
from pathlib import Path

from exporter_process import ExporterProcess
from exposition import TEXT, parse, value_of
from peers import NodeExporter, promtool

GOOD = {
    "plain.prom": "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 12\n",
    "bare.prom": "reboot_required 1\nnode_reboot_required{reason=\"kernel\"} 0\n",
    "mixed.prom": (
        "# a script's comment\n\nsmart{disk=\"a\",name=\"x\"} 1\ntemperature{disk=\"a\"} 35.5\n"
        "smart{disk=\"b\",name=\"C:\\\\d \\\"e\\\"\\n\"} -0.25\ntemperature{disk=\"b\"} NaN\n"
    ),
    "parts.prom": (
        "# TYPE took histogram\ntook_bucket{le=\"0.5\"} 1\ntook_bucket{le=\"+Inf\"} 2\n"
        "took_sum 1.5\ntook_count 2\n"
        "# HELP size Bytes.\n# TYPE size summary\nsize{quantile=\"0.9\"} 7\nsize_sum 9\n"
        "size_count 2\n"
    ),
    "shared_a.prom": "# HELP shared In two files.\n# TYPE shared gauge\nshared{of=\"a\"} 1\n",
    "shared_b.prom": "# HELP shared In two files.\n# TYPE shared gauge\nshared{of=\"b\"} 2\n",
    "empty.prom": "",
    "notes.txt": "not for us {\n",
    "half.prom.tmp": "half",
}
BAD = {
    "no newline": "bad 1",
    "a timestamp": "bad 1 1600000000000\n",
    "no number": "bad x\n",
    "an unknown type": "# TYPE bad thing\nbad 1\n",
    "a label without quotes": "bad{a=b} 1\n",
    "bytes": "bad{a=\"\udcff\"} 1\n",
    "markup": "<html>\n",
}
ABOUT_FILES = ("node_textfile_mtime_seconds", "node_textfile_scrape_error")


class TextfileTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in GOOD.items():
            self.write(name, text)

    def write(self, name, text):
        (self.directory / name).write_bytes(text.encode(errors="surrogateescape"))

    def exporter(self, directory=None):
        flags = ["--web.disable-exporter-metrics", "--collector.disable-defaults"]
        flags += ["--collector.textfile"]
        flags += [f"--collector.textfile.directory={directory or self.directory}"]
        return ExporterProcess(flags)

    @staticmethod
    def of_files(families):
        """What a page has of text files, and of their times and errors."""
        return {
            name: (family.type, family.help, {s: repr(v) for s, v in family.samples.items()})
            for name, family in families.items()
            if name in ABOUT_FILES or not name.startswith(("node_scrape", "resource_exporter"))
        }

    def ours(self, exporter):
        return self.of_files(parse(exporter.get()[2], TEXT))

    def theirs(self, peer):
        of_the_host = ("promhttp_",)
        alone = self.of_files(parse(peer.page(), TEXT))
        known = {*ABOUT_FILES, "node_reboot_required"}
        return {
            name: family
            for name, family in alone.items()
            if name in known or not name.startswith(("node_", *of_the_host))
        }

    def test_page_is_node_exporters(self):
        with NodeExporter(self.directory) as peer, self.exporter() as exporter:
            ours, theirs = self.ours(exporter), self.theirs(peer)
            self.assertEqual(ours.keys(), theirs.keys())
            for name, (kind, help_text, samples) in theirs.items():
                with self.subTest(name):
                    self.assertEqual(ours[name][0], kind)
                    self.assertEqual(ours[name][1], help_text)
                    self.assertEqual(canonical(ours[name][2]), canonical(samples))
            for what, text in BAD.items():
                with self.subTest(what):
                    self.write("bad.prom", text)
                    ours, theirs = self.ours(exporter), self.theirs(peer)
                    self.assertEqual(ours.keys(), theirs.keys())
                    self.assertNotIn("bad", ours)
                    for name in ABOUT_FILES:
                        self.assertEqual(ours[name][2], theirs[name][2])
                    self.assertEqual(set(ours[ABOUT_FILES[1]][2].values()), {"1.0"})
                    self.assertIn("bad.prom", exporter.log())
            self.assertNotIn("error", promtool("check", "metrics", stdin=exporter.get()[2])[1])

    def test_a_missing_directory_is_an_error_to_both(self):
        missing = self.directory / "missing"
        with NodeExporter(missing) as peer, self.exporter(missing) as exporter:
            self.assertEqual(self.ours(exporter), self.theirs(peer))
            self.assertEqual(value_of(parse(exporter.get()[2], TEXT), ABOUT_FILES[1]), 1)

    def test_what_is_no_plain_file_costs_only_itself(self):
        """Where node_exporter hangs, follows or reads on."""
        with self.exporter() as exporter:
            good = self.ours(exporter)
            self.assertEqual(set(good[ABOUT_FILES[1]][2].values()), {"0.0"})
            path = self.directory / "odd.prom"

            def bind_socket(path):
                with socket.socket(socket.AF_UNIX) as server:
                    server.bind(str(path))

            def make_giant(path):
                path.touch()
                os.truncate(path, 1 << 40)

            for what, make in (
                ("a FIFO", os.mkfifo),
                ("a link to a device", lambda path: path.symlink_to("/dev/zero")),
                ("a link to a file", lambda path: path.symlink_to("plain.prom")),
                ("a socket", bind_socket),
                ("a giant", make_giant),
            ):
                with self.subTest(what):
                    make(path)
                    found = self.ours(exporter)
                    self.assertEqual(set(found.pop(ABOUT_FILES[1])[2].values()), {"1.0"})
                    self.assertEqual(found, {n: f for n, f in good.items() if n != ABOUT_FILES[1]})
                    self.assertIn("odd.prom: ", exporter.log())
                    path.unlink()
            self.assertEqual(self.ours(exporter), good)

    def test_a_file_does_not_replace_the_hosts_families(self):
        lies = "# HELP node_load1 A lie.\n# TYPE node_load1 gauge\nnode_load1 666\n"
        self.write("lies.prom", lies)
        with ExporterProcess([f"--collector.textfile.directory={self.directory}"]) as exporter:
            families = parse(exporter.get()[2], TEXT)
        self.assertNotEqual(value_of(families, "node_load1"), 666)
        self.assertEqual(value_of(families, ABOUT_FILES[1]), 1)
        self.assertEqual(value_of(families, "jobs_total"), 12)


def canonical(samples):
    """With one spelling of bounds: theirs has 1 where ours has 1.0."""
    return {
        (series.name, frozenset((n, float(v) if n == "le" else v) for n, v in series.labels)): value
        for series, value in samples.items()
    }


if __name__ == "__main__":
    unittest.main()
