#!/usr/bin/python3
"""The page as Prometheus takes it: all of it, in both formats, with nothing to remark.

Environment: SOURCE_DIR, the top of the repository.
"""

import gzip
import http.client
import os
import unittest
from pathlib import Path
from typing import NamedTuple

from exporter_process import ExporterProcess, wait_for
from exposition import OPENMETRICS, TEXT, Series, parse, series_of
from local_server import Handler, LocalServer
from peers import NodeExporter, Prometheus, each_second, promtool

SCRAPES = 2


class Exchange(NamedTuple):
    request: http.client.HTTPMessage  # The headers, as they came.
    response: http.client.HTTPMessage
    body: bytes  # Decompressed.


class Proxy(LocalServer):
    """Hands requests on to the exporter and keeps what it saw.

    `accept` replaces the client's own Accept header.
    """

    def __init__(self, exporter, accept=None):
        super().__init__(_ProxyHandler)
        self.exporter = exporter
        self.accept = accept
        self.exchanges = []
        self.url += "/metrics"


class _ProxyHandler(Handler):
    def do_GET(self):
        headers = dict(self.headers)
        if self.server.accept:
            headers["Accept"] = self.server.accept
        status, response, body = self.server.exporter.get(self.path, headers)
        self.send_response_only(status)
        for name, value in response.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if response["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.exchanges.append(Exchange(self.headers, response, body))


class ScrapeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        exporter = cls.enterClassContext(ExporterProcess())
        cls.proxies = {
            OPENMETRICS: cls.enterClassContext(Proxy(exporter)),
            TEXT: cls.enterClassContext(Proxy(exporter, accept=TEXT)),
        }
        jobs = {content_type: proxy.url for content_type, proxy in cls.proxies.items()}
        cls.prometheus = cls.enterClassContext(Prometheus(each_second(jobs)))
        wait_for("scrapes", cls.have_all_scraped, 30, cls.prometheus.log)

    @classmethod
    def have_all_scraped(cls):
        return all(len(cls.values_over_time("up", job)) >= SCRAPES for job in cls.proxies)

    @classmethod
    def values_over_time(cls, name, job):
        """(time, value) of each scrape so far."""
        result = cls.prometheus.query(f"{name}{{job='{job}'}}[10m]")
        return [(time, float(value)) for time, value in result[0]["values"]] if result else []

    def test_all_scrapes_succeed(self):
        for job in self.proxies:
            ups = [value for _, value in self.values_over_time("up", job)]
            self.assertEqual(ups, [1.0] * len(ups), job)

    def test_formats_and_compression_are_those_asked_for(self):
        for content_type, proxy in self.proxies.items():
            for request, response, _ in proxy.exchanges:
                self.assertEqual(request["Accept-Encoding"], "gzip")
                self.assertEqual(response["Content-Encoding"], "gzip")
                self.assertEqual(response["Content-Type"], content_type)
                self.assertIn("application/openmetrics-text", request["Accept"])

    def test_each_scrape_takes_every_sample(self):
        for content_type, proxy in self.proxies.items():
            scraped = self.values_over_time("scrape_samples_scraped", content_type)
            for (_, count), exchange in zip(scraped, proxy.exchanges):
                page = series_of(parse(exchange.body, content_type))
                self.assertEqual(count, len(page), content_type)

    def test_prometheus_gives_back_what_the_page_said(self):
        for content_type, proxy in self.proxies.items():
            with self.subTest(content_type):
                times = [time for time, _ in self.values_over_time("up", content_type)]
                exchange = proxy.exchanges[len(times) - 1]
                page = {
                    # To Prometheus an empty label is none.
                    Series(series.name, frozenset(pair for pair in series.labels if pair[1])): value
                    for series, value in series_of(parse(exchange.body, content_type)).items()
                }
                stored = self.stored(content_type, times[-1])
                self.assertEqual(set(page.items()) ^ set(stored.items()), set())

    def stored(self, job, time):
        """The samples of a scrape as Prometheus kept them, without what it adds itself."""
        stored = {}
        for result in self.prometheus.query(f"{{job='{job}'}}", at=time):
            labels = result["metric"]
            name = labels.pop("__name__")
            if name != "up" and not name.startswith("scrape_"):
                del labels["job"], labels["instance"]
                stored[Series(name, frozenset(labels.items()))] = float(result["value"][1])
        return stored

    def test_prometheus_logs_no_complaint(self):
        log = self.prometheus.log().splitlines()
        self.assertEqual([line for line in log if "level=info" not in line], [])


class PromtoolTest(unittest.TestCase):
    def test_metrics_are_clean_but_for_names_that_peers_fixed(self):
        exporter = self.enterContext(ExporterProcess())
        peer = self.enterContext(NodeExporter())

        def findings(page):
            return set(promtool("check", "metrics", stdin=page)[1].splitlines())

        ours, fixed = findings(exporter.get()[2]), findings(peer.page())
        self.assertTrue(any("node_memory_MemFree_bytes" in line for line in fixed), fixed)
        self.assertEqual(ours - fixed, set())

    def test_prometheus_yml_is_valid(self):
        config = Path(os.environ["SOURCE_DIR"]) / "prometheus.yml"
        code, output = promtool("check", "config", config)
        self.assertEqual(code, 0, output)
        self.assertNotIn("WARNING", output)


if __name__ == "__main__":
    unittest.main()
