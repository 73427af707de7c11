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
OF_ALL = {"model", "version"}  # Labels that the text gives to all of the server's but two.


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
        own = {"input_variance", "input_window_size"}
        for name in set(page) - own:
            self.assertLessEqual(OF_ALL, page[name], name)
        self.assertEqual({name: labels - OF_ALL for name, labels in page.items()}, tables()[0])
        self.assertEqual({name: page[name] for name in own}, {name: set() for name in own})

    def test_the_client(self):
        with ModelClient(["--server=http://127.0.0.1:9/prediction"]) as client:
            self.assertEqual(shown(client.get("/metrics")[2]), tables()[1])


if __name__ == "__main__":
    unittest.main()
