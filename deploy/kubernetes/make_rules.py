#!/usr/bin/python3
"""Prints rules/*.yml as objects of the Prometheus Operator, comments included:

    deploy/kubernetes/make_rules.py >deploy/kubernetes/prometheus_rules.yaml
"""

import re
from pathlib import Path

_RULES = Path(__file__).resolve().parents[2] / "rules"
_OBJECT = """\
---
# Made of rules/{file} by make_rules.py.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: resource-exporter-{name}
  labels:
    app.kubernetes.io/name: resource-exporter
spec:
{spec}"""


def objects():
    """The text of all of them."""
    return "".join(_object(path) for path in sorted(_RULES.glob("*.yml")))


def _object(path):
    spec = re.sub("^(?=.)", "  ", path.read_text(), flags=re.MULTILINE)
    return _OBJECT.format(file=path.name, name=path.stem.replace(".", "-"), spec=spec)


if __name__ == "__main__":
    print(objects(), end="")
