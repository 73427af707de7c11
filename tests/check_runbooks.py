#!/usr/bin/python3
"""docs/alerts.md has a section for each alert of rules/, none for another, each with the same parts;
and each alert links to its own."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/alerts.md"
PARTS = ["Means", "Matters", "Look", "Do", "Silence"]
LINK = "{{ $externalLabels.runbooks }}" + DOCUMENT + "#"


def sections(text):
    """(name, what stands below it) of each alert."""
    parts = re.split(r"^### (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2]))


def findings(alerts, text):
    described = sections(text)
    names = [name for name, _ in described]
    for alert in alerts:
        name, link = alert["alert"], alert["annotations"].get("runbook_url")
        if names.count(name) != 1:
            yield f"{name}: {names.count(name)} sections in {DOCUMENT}"
        if link != LINK + name.lower():  # As GitHub, GitLab and others make anchors of headings.
            yield f"{name}: runbook_url is {link}"
    for name, body in described:
        if name not in [alert["alert"] for alert in alerts]:
            yield f"{name}: no such alert"
        body = body.partition("\n## ")[0]
        if re.findall(r"\*\*(\w+)\*\*", body) != PARTS:
            yield f"{name}: says not {', '.join(PARTS)}, in this order"
        for other in re.findall(r"\b(?:Host|Process|Exporter|Model)(?:[A-Z][a-z]+){2,}\b", body):
            if other not in names:
                yield f"{name}: speaks of {other}, which is none"


def self_test():
    """True when planted faults are found."""
    good = {"alert": "HostA", "annotations": {"runbook_url": LINK + "hosta"}}
    text = "## x\n### HostA\n" + " ".join(f"**{part}** it." for part in PARTS) + "\n"
    planted = [
        ([good], text.replace("HostA", "HostB")),
        ([good], text.replace("**Do**", "Do")),
        ([good], text + "See HostNoSuchAlert.\n"),
        ([good], text + text),
        ([{"alert": "HostA", "annotations": {}}], text),
    ]
    return not list(findings([good], text)) and all(list(findings(*one)) for one in planted)


def main():
    if not self_test():
        print("self-test: a planted fault was not found")
        return 1
    files = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "rules").glob("*.yml"))]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]
    found = list(findings(alerts, (ROOT / DOCUMENT).read_text()))
    for finding in found:
        print(finding)
    return 1 if found or not alerts else 0


if __name__ == "__main__":
    sys.exit(main())
