#!/usr/bin/python3
"""Process names, which any local user chooses, must neither break the page nor add to it."""

import ctypes
import os
import signal
import unittest
from typing import NamedTuple

from exporter_process import ExporterProcess, wait_for
from exposition import OPENMETRICS, TEXT, parse, series_of, value_of
from peers import Prometheus, each_second, promtool

GROUP_FAMILY = "namedprocess_namegroup_num_procs"
BAD = "\ufffd"  # What a byte becomes that is not UTF-8, and a control character.


class Name(NamedTuple):
    what: str
    comm: bytes  # At most 15.
    shown: str  # Its groupname, unescaped.


NAMES = (
    Name("empty", b"", ""),
    Name("a newline", b"new\nline", "new\nline"),
    Name("a quote", b'quo"te', 'quo"te'),
    Name("a backslash", b"back\\slash", "back\\slash"),
    Name("a backslash at the end", b"end\\", "end\\"),
    Name("an escaped newline", b"esc\\nnl", "esc\\nnl"),
    Name("braces", b"{}", "{}"),
    Name("the columns after the name", b") R 1 (", ") R 1 ("),
    Name("more of them", b"a) R 1 2 3 4 5", "a) R 1 2 3 4 5"),
    Name("another series", b'"} 1\nup{a="', '"} 1\nup{a="'),
    Name("another sample", b"\ncpu_percent 7\n", "\ncpu_percent 7\n"),
    Name("another family", b"\n# TYPE x gauge", "\n# TYPE x gauge"),
    Name("the end of the page", b"\n# EOF\n", "\n# EOF\n"),
    Name("a stray byte", b"bad\xffbyte", f"bad{BAD}byte"),
    Name("a character cut short", "ßßßßßßßß".encode()[:15], f"ßßßßßßß{BAD}"),
    Name("an emoji cut short", "cut in 2: 😀😀".encode()[:15], f"cut in 2: 😀{BAD}"),
    Name("a surrogate", b"\xed\xa0\x80", 3 * BAD),
    Name("an overlong slash", b"\xc0\xaf", 2 * BAD),
    Name("a terminal's commands", b"\x1b[31m\x07\x7f", f"{BAD}[31m{2 * BAD}"),
    Name("a carriage return", b"car\rriage", f"car{BAD}riage"),
    Name("a C1 control character", "c1\u0085".encode(), f"c1{2 * BAD}"),
    Name("a line separator", "sep\u2028sep".encode(), "sep\u2028sep"),
    Name("writing from the right", "rtl\u202e".encode(), "rtl\u202e"),
    Name("a tab", b"tab\ttab", "tab\ttab"),
    Name("blanks", b"   ", "   "),
    Name("markup", b"<script>&amp;", "<script>&amp;"),
)
# Look the same after repair, and so must be one group: a series twice costs the whole page.
TWINS = (b"twin\xfe", b"twin\xff")
TWINS_SHOWN = f"twin{BAD}"


class NamedProcess:
    """A child process that has given itself a name and waits; a context manager that ends it."""

    _PR_SET_PDEATHSIG = 1
    _PR_SET_NAME = 15

    def __init__(self, comm):
        libc = ctypes.CDLL(None, use_errno=True)
        ready, is_ready = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            # Only system calls here, and no way back into the test.
            try:
                libc.prctl(self._PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                libc.prctl(self._PR_SET_NAME, ctypes.c_char_p(comm), 0, 0, 0)
                os.write(is_ready, b"!")
                signal.pause()
            finally:
                os._exit(1)
        os.close(is_ready)
        os.read(ready, 1)
        os.close(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


class HostileNamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = cls.enterClassContext(ExporterProcess())
        # What counts requests is on the page since the first, rates since the second sample.
        wait_for("the second sample", lambda: "cpu_percent" in cls.page(TEXT), 10, cls.exporter.log)
        cls.families_before = set(cls.page(TEXT))
        for comm in (*(name.comm for name in NAMES), *TWINS):
            cls.enterClassContext(NamedProcess(comm))

    @classmethod
    def page(cls, content_type):
        _, headers, body = cls.exporter.get(headers={"Accept": content_type})
        assert headers["Content-Type"] == content_type, headers
        return parse(body, content_type)

    def test_each_name_is_one_group(self):
        for content_type in (TEXT, OPENMETRICS):
            families = self.page(content_type)
            for name in NAMES:
                with self.subTest(name.what, content_type=content_type):
                    self.assertEqual(value_of(families, GROUP_FAMILY, groupname=name.shown), 1)

    def test_names_that_look_the_same_are_one_group(self):
        self.assertEqual(value_of(self.page(TEXT), GROUP_FAMILY, groupname=TWINS_SHOWN), 2)

    def test_no_family_and_no_label_is_added(self):
        families = self.page(TEXT)
        # Those that need a tick or a busy process may come at any time.
        added = {name for name in families if not name.startswith(("host_process_", "host_top_"))}
        self.assertLessEqual(added, self.families_before)
        for name in ("cpu_percent", "node_load1"):
            self.assertEqual(len(families[name].samples), 1)
        for series in series_of(families):
            labels = {label for label, _ in series.labels}
            if series.name.startswith("namedprocess_"):
                self.assertIn("groupname", labels)
                allowed = {"groupname", "mode", "memtype", "state", "ctxswitchtype"}
                self.assertLessEqual(labels, allowed)
            elif series.name.startswith("host_process_"):
                self.assertLessEqual(labels, {"groupname", "reason", "le", "source"})
            else:
                self.assertNotIn("groupname", labels)

    def test_page_holds_no_control_characters(self):
        allowed = {ord("\t"), ord("\n")}
        for content_type in (TEXT, OPENMETRICS):
            page = self.exporter.get(headers={"Accept": content_type})[2].decode()
            control = {ord(c) for c in page if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0}
            self.assertLessEqual(control, allowed)

    def test_promtool_reads_the_page(self):
        _, output = promtool("check", "metrics", stdin=self.exporter.get()[2])
        findings = [line for line in output.splitlines() if "'snake_case'" not in line]
        self.assertEqual(findings, [])

    def test_prometheus_takes_the_page(self):
        with Prometheus(each_second({"hostile": f"{self.exporter.url}/metrics"})) as prometheus:
            wait_for("a scrape", lambda: prometheus.query("up"), 30, prometheus.log)
            self.assertEqual(prometheus.query("up")[0]["value"][1], "1", prometheus.log())
            counts = {
                result["metric"].get("groupname", ""): result["value"][1]
                for result in prometheus.query(GROUP_FAMILY)
            }
            for name in NAMES:
                self.assertEqual(counts.get(name.shown), "1", name)
            self.assertEqual(counts.get(TWINS_SHOWN), "2")


if __name__ == "__main__":
    unittest.main()
