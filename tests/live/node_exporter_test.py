#!/usr/bin/python3
"""The page beside that of Debian's node_exporter, and its two formats beside each other.

Whatever node_exporter shows must be on our page, with the same type, the same series and the same
values, between two readings of the other's; there is no list of what is compared.
"""

import unittest

from bracketing import differing_samples, lasting
from exporter_process import ExporterProcess
from exposition import OPENMETRICS, TEXT, parse
from peers import NodeExporter

# Of node_exporter about itself, and of each exporter about its own collectors.
NOT_OF_THE_HOST = (
    "node_exporter_build_info",
    "node_scrape_collector_duration_seconds",
    "node_scrape_collector_success",
)
# What Debian 12's node_exporter, 1.5.0, lacks.
ONLY_OURS = (
    "node_pressure_irq_stalled_seconds_total",  # Since its 1.9, where the kernel has the file.
)


class PageTest(unittest.TestCase):
    def setUp(self):
        self.exporter = self.enterContext(ExporterProcess())

    def page(self, content_type=TEXT):
        status, headers, body = self.exporter.get(headers={"Accept": content_type})
        self.assertEqual((status, headers["Content-Type"]), (200, content_type))
        return parse(body, content_type)


class NodeExporterTest(PageTest):
    def test_page_is_node_exporters(self):
        peer = self.enterContext(NodeExporter())

        def of_the_host(families):
            return {
                name: family
                for name, family in families.items()
                if name.startswith("node_") and name not in NOT_OF_THE_HOST
            }

        def find_differences():
            before = of_the_host(parse(peer.page(), TEXT))
            ours = of_the_host(self.page())
            after = of_the_host(parse(peer.page(), TEXT))
            found = {}
            for name in before.keys() | ours.keys():
                if name not in ours:
                    found[name] = f"{name} is missing"
                elif name not in before:
                    if name not in ONLY_OURS:
                        found[name] = f"{name} is not node_exporter's"
                elif ours[name].type != before[name].type:
                    found[name] = f"{name} is {ours[name].type}, not {before[name].type}"
                elif name in after:
                    samples = (page[name].samples for page in (before, ours, after))
                    found |= differing_samples(*samples)
            return found

        self.assertEqual(lasting(find_differences), "")


class FormatsTest(PageTest):
    def test_openmetrics_has_what_text_has(self):
        def find_differences():
            before = self.page()
            ours = self.page(OPENMETRICS)
            after = self.page()
            found = {}
            for name, (kind, help_text, samples) in before.items():
                # OpenMetrics names the family of a counter without the suffix of its samples.
                shown = name.removesuffix("_total") if kind == "counter" else name
                wanted = ("unknown" if kind == "untyped" else kind, help_text)
                if shown not in ours or ours[shown][:2] != wanted:
                    found[name] = f"{name}: {ours.get(shown, ())[:2]}, not {wanted}"
                elif name in after:
                    found |= differing_samples(samples, ours[shown].samples, after[name].samples)
            if len(ours) != len(before):
                found["number"] = f"{len(before)} families as text, {len(ours)} as OpenMetrics"
            return found

        self.assertEqual(lasting(find_differences), "")


if __name__ == "__main__":
    unittest.main()
