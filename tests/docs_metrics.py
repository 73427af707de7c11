#!/usr/bin/python3
"""docs/metrics.md, which is made of the head below and of what the exporter says of its families.
Fails when the file is not that; with --write it makes it so.

usage: docs_metrics.py PATH/TO/resource_exporter [--write]
"""

import difflib
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/metrics.md"
HEAD = """\
# Metrics

Every metric that the exporter may have on `/metrics`, in the order of the page. Made by `./dev docs`: change the source, not
this file. `resource_exporter --list-metrics` prints the same for the version that you run.

- A host has those whose hardware and kernel files it has. What cannot be read is absent, never 0.
- Names with `node_` mean what they mean in node_exporter, `namedprocess_namegroup_` in process-exporter, `cpu_percent` and
  `virtual_memory_` in psutil. `host_` and `resource_exporter_` are ours.
- `<field>` stands for what the kernel calls it: `node_memory_Active_anon_bytes` is `Active(anon)` of `/proc/meminfo`.
- The unit is given where the name tells it. A histogram has the label `le`, too, and series that end in `_bucket`, `_sum` and
  `_count`.
- Groups of processes, and what is of them, have the labels of `--collector.process.labels`, too.
- `textfile` and `upstream` also show the metrics of the files and pages that they pass on, those of `upstream` with the label
  `upstream`. The model server's are in [model_server/README.md](../model_server/README.md#metrics).

[five-minutes.md](five-minutes.md) says what to ask of the `host_` families; [fleet.md](fleet.md), how many series they are.
"""


def document(exporter):
    return HEAD + subprocess.check_output([exporter, "--list-metrics=markdown"], text=True)


def main():
    made = document(sys.argv[1])
    if "--write" in sys.argv[2:]:
        DOCUMENT.write_text(made)
        return 0
    shown = DOCUMENT.read_text()
    lines = (text.splitlines(keepends=True) for text in (shown, made))
    sys.stdout.writelines(difflib.unified_diff(*lines, str(DOCUMENT), "./dev docs"))
    return 0 if shown == made else 1


if __name__ == "__main__":
    sys.exit(main())
