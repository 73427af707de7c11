#!/usr/bin/python3
"""Runs the PromQL of the documents in docs/ that have a tests/docs/NAME.series.yml: each ```promql
block must be right at a 5-minute scrape (lint_rules.py), and give an answer for the host of that
file; the value that the document shows behind an arrow must be that answer, to its last digit. The
table of bucket edges in five-minutes.md must be that of the exporter.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from lint_rules import EDGES, check_expression

ROOT = Path(__file__).resolve().parent.parent
SERIES = ROOT / "tests/docs"
EDGES_DOCUMENT = ROOT / "docs/five-minutes.md"
LAST_SCRAPE = "70m"


def queries(text):
    """(query, the value shown or None) of each block."""
    for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL):
        shown = re.search(r"#\s*→\s*(\S+)", block)
        yield block, shown[1] if shown else None


def edge_rows():
    """The lines that the document must have, one for each set of edges."""
    names = {}
    for name, edges in EDGES.items():
        names.setdefault(tuple(edges), []).append(f"`{name}`")
    return [f"| {', '.join(names[edges])} | {', '.join(edges)} |" for edges in names]


def case(query, shown):
    """A case of promtool's, true when the query has the value shown, or any."""
    if shown is None:
        check = f"count((\n{query}\n)) > bool 0"
    else:
        digits = len(shown.partition(".")[2])
        check = f"sum(abs((\n{query}\n) - {shown})) <= bool {0.5 * 10**-digits}"
    sample = {"labels": "{}", "value": 1}
    return {"expr": check, "eval_time": LAST_SCRAPE, "exp_samples": [sample]}


def run(found, series):
    """The exit code of promtool, which prints what is wrong."""
    test = {
        "rule_files": [str(path) for path in sorted((ROOT / "rules").glob("*.recording.yml"))],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "5m",
                "input_series": yaml.safe_load(series.read_text()),
                "promql_expr_test": [case(*query) for query in found],
            }
        ],
    }
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "document.test.yml"
        path.write_text(yaml.safe_dump(test))
        return subprocess.run(["promtool", "test", "rules", path], check=False).returncode


def check(series):
    """What is wrong with the document of that file; promtool prints for itself."""
    document = ROOT / "docs" / series.name.replace(".series.yml", ".md")
    found = list(queries(document.read_text()))
    findings = [
        f"{document}: {finding}, in:\n{query}"
        for query, _ in found
        for finding in check_expression(query)
    ]
    if not found:
        findings.append(f"no ```promql block in {document}")
    if not findings and run(found, series):
        findings.append(f"{document}: promtool says why")
    return findings


def main():
    lines = EDGES_DOCUMENT.read_text().splitlines()
    findings = [f"no line in {EDGES_DOCUMENT}:\n{row}" for row in edge_rows() if row not in lines]
    for series in sorted(SERIES.glob("*.series.yml")):
        findings += check(series)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
