#!/usr/bin/python3
"""Runs the PromQL of docs/five-minutes.md: each ```promql block must be right at a 5-minute scrape
(lint_rules.py), and give an answer for the host of tests/docs/five-minutes.series.yml; the value
that the document shows behind an arrow must be that answer, to its last digit. Its table of bucket
edges must be that of the exporter.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from lint_rules import EDGES, check_expression

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/five-minutes.md"
SERIES = ROOT / "tests/docs/five-minutes.series.yml"
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


def run(found):
    """The exit code of promtool, which prints what is wrong."""
    test = {
        "rule_files": [str(path) for path in sorted((ROOT / "rules").glob("*.recording.yml"))],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "5m",
                "input_series": yaml.safe_load(SERIES.read_text()),
                "promql_expr_test": [case(*query) for query in found],
            }
        ],
    }
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "document.test.yml"
        path.write_text(yaml.safe_dump(test))
        return subprocess.run(["promtool", "test", "rules", path], check=False).returncode


def main():
    text = DOCUMENT.read_text()
    found = list(queries(text))
    findings = [f"{finding}, in:\n{query}" for query, _ in found for finding in check_expression(query)]
    findings += [f"no line in {DOCUMENT}:\n{row}" for row in edge_rows() if row not in text.splitlines()]
    if not found:
        findings.append(f"no ```promql block in {DOCUMENT}")
    for finding in findings:
        print(finding)
    return 1 if findings or run(found) else 0


if __name__ == "__main__":
    sys.exit(main())
