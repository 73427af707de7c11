#!/usr/bin/python3
"""Pages of other programs on the exporter's: all that a good upstream says, and nothing that a bad
one does to the host's page.

Environment: SOURCE_DIR, the top of the repository.
"""

import concurrent.futures
import contextlib
import os
import time
import unittest
from pathlib import Path

import upstream_server
import yaml
from exporter_process import ExporterProcess, wait_for
from exposition import OPENMETRICS, TEXT, parse, series_of, value_of
from peers import Prometheus, each_second, free_port, promtool
from upstream_server import LIES, RawUpstream, Upstream

IN_TIME_SECONDS = 3.0  # Half a second for the upstream, on a host that may be busy.
SOON_COMPLETE = "--sample-interval=50ms"  # Some families come with the second sample only.
MAX_GROWTH_BYTES = 32 << 20  # 2 MiB of a page, in several shapes, and not 100 MB.

GOOD = b"""\
# HELP model_requests_total Requests by result.
# TYPE model_requests_total counter
model_requests_total{api="seed",result="success"} 12
model_requests_total{api="v2",result="success"} 0
# HELP input_variance Variance of the latest inputs.
# TYPE input_variance gauge
input_variance 0.3275829801330301
# HELP model_compute_duration_seconds Time of the model alone.
# TYPE model_compute_duration_seconds histogram
model_compute_duration_seconds_bucket{model="bts",le="2.5e-05"} 1
model_compute_duration_seconds_bucket{model="bts",le="1"} 3
model_compute_duration_seconds_bucket{model="bts",le="+Inf"} 4
model_compute_duration_seconds_sum{model="bts"} 7.25
model_compute_duration_seconds_count{model="bts"} 4
# TYPE load_summary summary
load_summary{quantile="0.5"} NaN
load_summary_sum 0
load_summary_count 0
untyped_thing{path="C:\\\\a \\"b\\"\\n\xc3\xa4"} -1e-9
"""
GOOD_FAMILIES = {
    "model_requests_total",
    "input_variance",
    "model_compute_duration_seconds",
    "load_summary",
    "untyped_thing",
}
OF_UPSTREAMS = "resource_exporter_upstream_"
BAD = {
    "accepts and never answers": (upstream_server.silent, "timeout"),
    "promises more than it sends": (upstream_server.half_silent, "timeout"),
    "sends byte by byte": (upstream_server.dribbling, "timeout"),
    "sends 100 MB": (upstream_server.huge, "too_large"),
    "lies about its length": (upstream_server.lying_about_its_length, "too_large"),
    "sends a header of 100 MB": (upstream_server.huge_header, "too_large"),
    "sends garbage": (upstream_server.garbage, "protocol"),
    "sends a page of garbage": (upstream_server.garbage_page, "syntax"),
    "sends a page that is cut": (upstream_server.cut_page, "truncated"),
}


def exporter_of(**upstreams):
    """An exporter that passes on pages: name -> URL."""
    flags = [f"--collector.upstream={name}={url}" for name, url in upstreams.items()]
    return ExporterProcess([SOON_COMPLETE, *flags])


def page_of(exporter, content_type=TEXT):
    """(families, seconds that the answer took)."""
    begin = time.monotonic()
    status, headers, body = exporter.get(headers={"Accept": content_type})
    seconds = time.monotonic() - begin
    if (status, headers["Content-Type"]) != (200, content_type):
        raise AssertionError(f"{status} {headers['Content-Type']}")
    return parse(body, content_type), seconds


def of_the_host(families):
    """name -> (type, HELP) of all but what is said about upstreams and by them."""
    return {
        name: (family.type, family.help)
        for name, family in families.items()
        if not name.startswith(OF_UPSTREAMS) and not is_relayed(family)
    }


def is_relayed(family):
    return any("upstream" in dict(series.labels) for series in family.samples)


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


class BadUpstreamTest(unittest.TestCase):
    def check(self, url, reason, names=()):
        """The host's page is the same with the upstream, and in time; returns the families."""
        with (
            ExporterProcess([SOON_COMPLETE]) as alone,
            exporter_of(bad=url, good=self.good.url) as exporter,
        ):
            wait_for("all families of the host", lambda: self.is_complete(alone, exporter), 30)
            before = resident_bytes(exporter.pid)
            for _ in range(5):
                families, seconds = page_of(exporter)
                self.assertLess(seconds, IN_TIME_SECONDS)
            wait_for("the same families", lambda: self.is_complete(alone, exporter), 30)
            self.assertLess(resident_bytes(exporter.pid) - before, MAX_GROWTH_BYTES)
            relayed = {name for name, family in families.items() if is_relayed(family)}
            own = {name for name in relayed if name.startswith(OF_UPSTREAMS)}
            self.assertEqual(relayed - own, {"good", *names})
            self.assertEqual(value_of(families, f"{OF_UPSTREAMS}up", upstream="good"), 1)
            rejected = value_of(
                families, f"{OF_UPSTREAMS}rejected_total", upstream="bad", reason=reason
            )
            self.assertGreaterEqual(rejected, 5, families[f"{OF_UPSTREAMS}rejected_total"])
            success = families["node_scrape_collector_success"].samples
            self.assertEqual([series for series, value in success.items() if not value], [])
            self.assertIn("bad: ", exporter.log())
            self.assertIn("bad: ", exporter.get("/")[2].decode())
            return families

    @staticmethod
    def is_complete(alone, exporter):
        """Some families come with what happens on the host."""
        ours, families = of_the_host(page_of(alone)[0]), of_the_host(page_of(exporter)[0])
        return "host_cpu_busy_ratio_peak" in ours and ours == families

    def setUp(self):
        self.good = self.enterContext(Upstream(b"good 1\n"))

    def test_stopped(self):
        with Upstream() as upstream:
            url = upstream.url
        families = self.check(url, "unreachable")
        self.assertEqual(value_of(families, f"{OF_UPSTREAMS}up", upstream="bad"), 0)

    def check_hostile(self, pieces, reason):
        with RawUpstream(pieces) as upstream:
            families = self.check(upstream.url, reason)
        self.assertEqual(value_of(families, f"{OF_UPSTREAMS}up", upstream="bad"), 0)

    def test_hostile(self):
        with concurrent.futures.ThreadPoolExecutor(3) as threads:  # All of them mostly wait.
            checks = {what: threads.submit(self.check_hostile, *kind) for what, kind in BAD.items()}
            for what, check in checks.items():
                with self.subTest(what):
                    check.result()

    def test_lies_are_refused_one_by_one(self):
        with Upstream(LIES) as upstream:
            families = self.check(upstream.url, "reserved", names=["honest"])
        self.assertEqual(value_of(families, f"{OF_UPSTREAMS}up", upstream="bad"), 1)
        self.assertNotIn(666, series_of(families).values())

    def test_lies_are_refused_while_the_host_is_silent(self):
        with Upstream(LIES) as upstream:
            flags = ["--collector.disable-defaults", f"--collector.upstream=bad={upstream.url}"]
            with ExporterProcess([*flags, "--web.disable-exporter-metrics"]) as exporter:
                for content_type in (TEXT, OPENMETRICS):
                    families, _ = page_of(exporter, content_type)
                    relayed = {name for name, family in families.items() if is_relayed(family)}
                    relayed = {name for name in relayed if not name.startswith(OF_UPSTREAMS)}
                    self.assertEqual(relayed, {"honest"})

    def test_sampling_goes_on_while_nobody_answers(self):
        flags = ["--sample-interval=20ms", "--collector.upstream.timeout=2000"]
        with RawUpstream(upstream_server.silent) as upstream:
            with ExporterProcess([*flags, f"--collector.upstream=bad={upstream.url}"]) as exporter:
                sampled = [value_of(page_of(exporter)[0], "host_seconds_sampled_total")
                           for _ in range(2)]
        # Of a hundred beats in two seconds; none would be there were they to wait for the answer.
        self.assertGreater((sampled[1] - sampled[0]) / 0.02, 20)

    def test_exporter_that_relays_itself_does_not_ask_for_ever(self):
        address = f"127.0.0.1:{free_port()}"
        flags = [f"--collector.upstream=self=http://{address}/metrics"]
        with ExporterProcess(flags, listen=address) as exporter:
            # Its own page would have to be there before it is made.
            self.assertEqual(value_of(page_of(exporter)[0], f"{OF_UPSTREAMS}up", upstream="self"), 0)
            seen = [0]

            def is_at_rest():
                """Whether there was no pass but that of the last look, which asks nobody."""
                page = parse(exporter.get("/metrics?collect[]=loadavg")[2], TEXT)
                seen.append(value_of(page, "resource_exporter_pass_duration_seconds_count"))
                return seen[-1] == seen[-2] + 1

            # Between two looks there is time for two that wait for an answer.
            wait_for("an end of the asking", is_at_rest, 20, exporter.log, pause=1.2)

    def test_late_answer_is_of_no_later_page(self):
        with Upstream(b"asked @requests@\n") as upstream:
            upstream.first.clear()
            with exporter_of(slow=upstream.url) as exporter:
                families, _ = page_of(exporter)
                self.assertNotIn("asked", families)
                for number in (2, 3, 4):
                    families, _ = page_of(exporter)
                    self.assertEqual(value_of(families, "asked", upstream="slow"), number)
                    upstream.first.set()
                    wait_for("the late answer", lambda: upstream.answered == number)


class GoodUpstreamTest(unittest.TestCase):
    def check_relayed(self, upstream, wanted):
        with exporter_of(model_server=upstream.url) as exporter:
            families, _ = page_of(exporter)
            relayed = {
                name: family
                for name, family in families.items()
                if is_relayed(family) and not name.startswith(OF_UPSTREAMS)
            }
            self.assertEqual(relayed.keys(), wanted)
            self.assertEqual(value_of(families, f"{OF_UPSTREAMS}up", upstream="model_server"), 1)
            rejected = families[f"{OF_UPSTREAMS}rejected_total"].samples.values()
            self.assertEqual(set(rejected), {0})
            return families, exporter.get()[2], page_of(exporter, OPENMETRICS)[0]

    def test_every_family_is_there_and_promtool_accepts_the_page(self):
        with Upstream(GOOD) as upstream:
            families, page, openmetrics = self.check_relayed(upstream, GOOD_FAMILIES)
        labels = {"api": "seed", "result": "success", "upstream": "model_server"}
        self.assertEqual(value_of(families, "model_requests_total", **labels), 12)
        variance = value_of(families, "input_variance", upstream="model_server")
        self.assertEqual(variance, 0.3275829801330301)
        text = 'C:\\a "b"\n\xe4'
        thing = value_of(families, "untyped_thing", path=text, upstream="model_server")
        self.assertEqual(thing, -1e-9)
        bucket = {"model": "bts", "le": "1.0", "upstream": "model_server"}
        name = "model_compute_duration_seconds"
        self.assertEqual(value_of(families, f"{name}_bucket", **bucket), 3)
        self.assertEqual(families[name].help, "Time of the model alone.")
        self.assertEqual(openmetrics["model_requests"].type, "counter")
        self.assertEqual(openmetrics["load_summary"].type, "summary")
        self.assertNotIn("error", promtool("check", "metrics", stdin=page)[1].lower())

    def test_chunks_and_openmetrics(self):
        with Upstream(GOOD, chunk_bytes=7) as upstream:
            self.check_relayed(upstream, GOOD_FAMILIES)
        page = b"# TYPE jobs counter\njobs_total 5\njobs_created 1.5e9\n# EOF\n"
        with Upstream(page, OPENMETRICS) as upstream:
            families, _, _ = self.check_relayed(upstream, {"jobs_total"})
        self.assertEqual(value_of(families, "jobs_total", upstream="model_server"), 5)

    def test_two_instances_share_families(self):
        with Upstream(GOOD) as one, Upstream(GOOD.replace(b"0.3275", b"0.4")) as two:
            with exporter_of(one=one.url, two=two.url) as exporter:
                families, _ = page_of(exporter)
                page_of(exporter, OPENMETRICS)
        for name, value in (("one", 0.3275829801330301), ("two", 0.4829801330301)):
            self.assertEqual(value_of(families, "input_variance", upstream=name), value)

    def test_prometheus_stores_relayed_families_once(self):
        config = Path(os.environ["SOURCE_DIR"]) / "prometheus.yml"
        shipped = yaml.safe_load(config.read_text(encoding="utf-8"))["scrape_configs"]
        relabel = next(job for job in shipped if job["job_name"] == "Resource_monitoring")
        with contextlib.ExitStack() as stack:
            upstream = stack.enter_context(Upstream(GOOD))
            exporter = stack.enter_context(exporter_of(model_server=upstream.url))
            url = f"{exporter.url}/metrics"
            jobs = each_second({"all": url, "once": url, "BTS_model": upstream.url})
            by_name = {job["job_name"]: job for job in jobs["scrape_configs"]}
            by_name["once"]["metric_relabel_configs"] = relabel["metric_relabel_configs"]
            prometheus = stack.enter_context(Prometheus(jobs))

            def stored(job):
                result = prometheus.query(f"{{job='{job}'}}")
                return {sample["metric"]["__name__"] for sample in result}

            wait_for("scrapes", lambda: all(map(stored, by_name)), 30, prometheus.log)
            ups = prometheus.query("up")
            self.assertEqual({sample["value"][1] for sample in ups}, {"1"}, prometheus.log())
            relayed = stored("all") - stored("once")
            added = {"up", *(name for name in stored("BTS_model") if name.startswith("scrape_"))}
            self.assertEqual(relayed, stored("BTS_model") - added)
            self.assertIn("input_variance", relayed)
            self.assertIn(f"{OF_UPSTREAMS}up", stored("once"))
            labels = prometheus.query(f"{OF_UPSTREAMS}up{{job='once'}}")[0]["metric"].keys()
            self.assertEqual(labels, {"__name__", "job", "instance", "upstream"})
            log = prometheus.log().splitlines()
            self.assertEqual([line for line in log if "level=info" not in line], [])


if __name__ == "__main__":
    unittest.main()
