#!/usr/bin/python3
"""The parser of pages: what it reads from valid ones, and that it refuses each planted fault."""

import math
import unittest

from exposition import OPENMETRICS, TEXT, Family, Refused, Series, canonical, parse, value_of

TEXT_PAGE = r'''# HELP cpu_percent Busy \\ share,\nin "percent".
# TYPE cpu_percent gauge
cpu_percent 12.5
# HELP node_forks_total Forks.
# TYPE node_forks_total counter
node_forks_total 1e+06
# HELP node_vmstat_pgfault Faults.
# TYPE node_vmstat_pgfault untyped
node_vmstat_pgfault 7
# HELP odd Label values.
# TYPE odd gauge
odd{a="} 1",b="a\\b\"c\nd"} NaN
odd{a=",b=",b=""} -Inf
odd{a="é<U+2028>"} +Inf
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{disk="a",le="0.5"} 1
wait_seconds_bucket{disk="a",le="+Inf"} 3
wait_seconds_sum{disk="a"} 4.25
wait_seconds_count{disk="a"} 3
wait_seconds_bucket{disk="b",le="+Inf"} 0
wait_seconds_sum{disk="b"} 0
wait_seconds_count{disk="b"} 0
'''.replace("<U+2028>", "\u2028")

OPENMETRICS_PAGE = r'''# TYPE node_forks counter
# HELP node_forks \"Forks\".
node_forks_total 1e+06
# TYPE cpu_percent gauge
# HELP cpu_percent Busy share.
cpu_percent 12.5
# TYPE wait_seconds histogram
# HELP wait_seconds Waits.
wait_seconds_bucket{disk="a",le="0.5"} 1
wait_seconds_bucket{disk="a",le="+Inf"} 3
wait_seconds_sum{disk="a"} 4.25
wait_seconds_count{disk="a"} 3
# EOF
'''

BUCKET = 'wait_seconds_bucket{disk="a"'
COUNT = 'wait_seconds_count{disk="a"} 3\n'
OTHER = 'wait_seconds_bucket{disk="b",le="+Inf"} 0\n'
TYPE = "# TYPE wait_seconds histogram\n"
HELP = "# HELP wait_seconds Waits.\n"

# What it is; what stands on the page; what is put in its place.
FAULTS_OF_BOTH = (
    ("a comment", "# TYPE cpu", "# cpu\n# TYPE cpu"),
    ("an empty line", "# TYPE cpu", "\n# TYPE cpu"),
    ("a second blank", "# TYPE cpu", "#  TYPE cpu"),
    ("a byte order mark", "# TYPE cpu", "\ufeff# TYPE cpu"),
    ("no TYPE", "# TYPE cpu_percent gauge\n", ""),
    ("no HELP", HELP, ""),
    ("a second HELP", HELP, 2 * HELP),
    ("no such type", "gauge", "gauge2"),
    ("an escape that does not exist", "Waits.", r"Waits\t."),
    ("a backslash at the end", "Waits.", "Waits.\\"),
    ("another family's sample", "wait_seconds_sum", "cpu_percent"),
    ("a sample of no family", "cpu_percent 12.5", "cpu_percents 12.5"),
    ("a suffix of another type", "wait_seconds_sum", "wait_seconds_total"),
    ("no value", " 12.5", ""),
    ("a timestamp", " 12.5", " 12.5 1700000000"),
    ("a value that is no number", " 12.5", " 12,5"),
    ("not-a-number in another spelling", " 12.5", " Nan"),
    ("a hexadecimal value", " 12.5", " 0x10"),
    ("digits of another script", " 12.5", " \u0661"),
    ("a blank at the end", " 12.5", " 12.5 "),
    ("a carriage return", " 12.5", " 12.5\r"),
    ("a name that begins with a digit", "cpu_percent", "1cpu_percent"),
    ("a name with a dash", "cpu_percent", "cpu-percent"),
    ("a counter below 0", " 1e+06", " -1"),
    ("a counter that is not a number", " 1e+06", " NaN"),
    ("le outside a bucket", "percent 12.5", 'percent{le="0.5"} 12.5'),
    ("a bucket without le", '{disk="a",le="0.5"}', '{disk="a"}'),
    ("no +Inf", '{disk="a",le="+Inf"}', '{disk="a",le="9.0"}'),
    ("a bound that is no number", '"+Inf"', '"inf"'),
    ("a bound that is not-a-number", '"0.5"', '"NaN"'),
    ("bounds that do not ascend", ',le="0.5"} 1\n', ',le="0.5"} 1\n' + BUCKET + ',le="0.25"} 1\n'),
    ("a bound in two spellings", ',le="0.5"} 1\n', ',le="0.5"} 1\n' + BUCKET + ',le=".5"} 1\n'),
    ("a count other than that of +Inf", 'count{disk="a"} 3', 'count{disk="a"} 2'),
    ("no sum", 'wait_seconds_sum{disk="a"} 4.25\n', ""),
    ("no count", COUNT, ""),
    ("buckets that are not cumulative", ',le="+Inf"} 3', ',le="+Inf"} 0'),
    ("half an observation", ',le="0.5"} 1', ',le="0.5"} 0.5'),
    ("an unescaped quote", 'disk="a"', 'disk="a"b"'),
    ("an unescaped backslash", 'disk="a"', r'disk="a\b"'),
    ("an unescaped newline", 'disk="a"', 'disk="a\nb"'),
    ("no quotes", 'disk="a"', "disk=a"),
    ("no comma", 'disk="a",', 'disk="a"'),
    ("a comma too many", 'disk="a"', 'disk="a",'),
    ("a label twice", 'disk="a"', 'disk="a",disk="a"'),
    ("a label name with a dash", 'disk="a"', 'di-sk="a"'),
    ("a reserved label name", 'disk="a"', '__disk="a"'),
    ("a series twice", "cpu_percent 12.5", "cpu_percent 12.5\ncpu_percent 12.5"),
    ("twice, but for an empty label", "percent 12.5", 'percent{a=""} 12.5\ncpu_percent 12.5'),
)
FAULTS_OF_TEXT = (
    ("OpenMetrics' end", 'count{disk="b"} 0\n', 'count{disk="b"} 0\n# EOF\n'),
    ("no newline at the end", 'count{disk="b"} 0\n', 'count{disk="b"} 0'),
    ("OpenMetrics' type", "untyped", "unknown"),
    ("an escaped quote in HELP", '"percent"', r"\"percent\""),
    ("TYPE after a sample", "pgfault 7", "pgfault 7\n# TYPE node_vmstat_pgfault gauge"),
    ("a family twice", "node_vmstat_pgfault", "cpu_percent"),
    ("a family in two pieces", "pgfault 7", "pgfault 7\ncpu_percent 1"),
    ("a name of a histogram's samples", "cpu_percent", "wait_seconds_sum"),
    ("a series twice, labels in another order", 'odd{a="é', 'odd{b="",a=",b="} 1\nodd{a="é'),
    ("a bucket twice", OTHER, OTHER + OTHER),
    ("two histograms mixed", COUNT + OTHER, OTHER + COUNT),
)
FAULTS_OF_OPENMETRICS = (
    ("no end", "# EOF\n", ""),
    ("text after the end", "# EOF\n", "# EOF\nup 1\n"),
    ("two ends", "# EOF\n", "# EOF\n# EOF\n"),
    ("an end without newline", "# EOF\n", "# EOF"),
    ("a counter named like its samples", " node_forks", " node_forks_total"),
    ("a counter's sample without suffix", "_total ", " "),
    ("a gauge named like a counter's sample", "cpu_percent", "node_forks_total"),
    ("HELP before TYPE", TYPE + HELP, HELP + TYPE),
    ("the other format's type", "gauge", "untyped"),
    ("an unescaped quote in HELP", r"\"Forks\"", '"Forks"'),
    ("a bound without a point", 'le="0.5"} 1', 'le="5e-01"} 1'),
)


class ExpositionTest(unittest.TestCase):
    def test_reads_a_text_page(self):
        families = parse(TEXT_PAGE.encode(), TEXT)
        self.assertEqual(
            [(name, family.type) for name, family in families.items()],
            [
                ("cpu_percent", "gauge"),
                ("node_forks_total", "counter"),
                ("node_vmstat_pgfault", "untyped"),
                ("odd", "gauge"),
                ("wait_seconds", "histogram"),
            ],
        )
        self.assertEqual(families["cpu_percent"].help, 'Busy \\ share,\nin "percent".')
        self.assertEqual(value_of(families, "cpu_percent"), 12.5)
        self.assertEqual(value_of(families, "node_forks_total"), 1e6)
        self.assertTrue(math.isnan(value_of(families, "odd", a="} 1", b='a\\b"c\nd')))
        self.assertEqual(value_of(families, "odd", a=",b=", b=""), -math.inf)
        self.assertEqual(value_of(families, "odd", a="é\u2028"), math.inf)
        self.assertEqual(value_of(families, "wait_seconds_bucket", disk="a", le="0.5"), 1)
        self.assertIsNone(value_of(families, "odd"))
        self.assertEqual(len(families["wait_seconds"].samples), 7)

    def test_reads_an_openmetrics_page(self):
        families = parse(OPENMETRICS_PAGE.encode(), OPENMETRICS)
        sample = Series("node_forks_total", frozenset())
        self.assertEqual(families["node_forks"], Family("counter", '"Forks".', {sample: 1e6}))
        self.assertEqual(list(families), ["node_forks", "cpu_percent", "wait_seconds"])

    def test_refuses_each_fault(self):
        tables = (
            (TEXT, TEXT_PAGE, FAULTS_OF_BOTH + FAULTS_OF_TEXT),
            (OPENMETRICS, OPENMETRICS_PAGE, FAULTS_OF_BOTH + FAULTS_OF_OPENMETRICS),
        )
        for content_type, page, faults in tables:
            for what, old, new in faults:
                with self.subTest(what, content_type=content_type):
                    self.assertIn(old, page)
                    with self.assertRaises(Refused):
                        parse(page.replace(old, new).encode(), content_type)

    def test_refuses_bytes_that_are_not_utf8(self):
        page = TEXT_PAGE.encode()
        for what, sequence in (
            ("a stray byte", b"\xff"),
            ("a sequence cut short", b"\xe2\x80"),
            ("a surrogate", b"\xed\xa0\x80"),
            ("an overlong slash", b"\xc0\xaf"),
        ):
            with self.subTest(what), self.assertRaisesRegex(Refused, "can't decode"):
                parse(page.replace("é".encode(), sequence), TEXT)

    def test_refuses_any_truncation(self):
        for content_type, page in ((TEXT, TEXT_PAGE), (OPENMETRICS, OPENMETRICS_PAGE)):
            body = page.encode()
            for cut in range(len(body)):
                # Complete lines may be a page of 0.0.4: it has no end that could be missing.
                if content_type == OPENMETRICS or body[cut - 1 : cut] != b"\n":
                    with self.subTest(content_type, cut=cut), self.assertRaises(Refused):
                        parse(body[:cut], content_type)

    def test_refuses_other_formats(self):
        for content_type in ("text/plain", "text/html; charset=utf-8", ""):
            with self.subTest(content_type), self.assertRaisesRegex(Refused, "no such format"):
                parse(TEXT_PAGE.encode(), content_type)

    def test_canonical_bounds(self):
        for bound, text in (
            (0.0, "0.0"),
            (1.0, "1.0"),
            (2.5, "2.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.00025, "0.00025"),
            (100000.0, "100000.0"),
            (1e6, "1e+06"),
            (2.5e10, "2.5e+10"),
            (math.inf, "+Inf"),
        ):
            with self.subTest(text):
                self.assertEqual(canonical(bound), text)


if __name__ == "__main__":
    unittest.main()
