#!/usr/bin/python3
"""The tables of metrics in model_server/README.md, against the pages of the model server and of its
client: each names all that is on its page, with its labels, and nothing else."""

import os
import re
import unittest
from pathlib import Path

from exposition import TEXT, parse
from model_client_process import ModelClient
from model_server_bad_input import GOOD
from model_server_process import ModelServerProcess

README = (Path(os.environ["SOURCE_DIR"]) / "model_server/README.md").read_text()
SECTION = re.search(r"\n## Metrics\n(.*?)\n## ", README, re.DOTALL)[1]
OF_ALL = {"model", "version"}  # Labels that the text gives to all of the server's but these.
OF_PROCESS = {"input_variance", "input_window_size", "model_load_failures_total",
              "model_http_events_total"}  # fmt: skip


def tables():
    """Of the server and of the client: name -> labels."""
    found = []
    for table in re.findall(r"\n((?:\|.*\n)+)", SECTION + "\n"):
        cells = "".join(line.split("|")[1] for line in table.splitlines()[2:])
        names = re.findall(r"`(\w+)(?:\{([\w,]+)\})?`", cells)
        found.append({name: set(filter(None, labels.split(","))) for name, labels in names})
    return found


def shown(page):
    """Of a page: name -> labels, but for a histogram's bounds."""
    return {
        name: {label for series in family.samples for label, _ in series.labels} - {"le"}
        for name, family in parse(page, TEXT).items()
    }


class ModelPagesTest(unittest.TestCase):
    maxDiff = None

    def test_the_server(self):
        with ModelServerProcess() as server:
            server.predict(GOOD)
            page = shown(server.get("/metrics")[2])
        for name in set(page) - OF_PROCESS:
            self.assertLessEqual(OF_ALL, page[name], name)
        for name in OF_PROCESS:
            self.assertEqual(OF_ALL & page[name], set(), name)
        self.assertEqual({name: labels - OF_ALL for name, labels in page.items()}, tables()[0])

    def test_the_client(self):
        with ModelClient(["--server=http://127.0.0.1:9/prediction"]) as client:
            self.assertEqual(shown(client.get("/metrics")[2]), tables()[1])


if __name__ == "__main__":
    unittest.main()
