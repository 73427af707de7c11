#!/usr/bin/python3
"""The exporter's command line and its HTTP endpoints, as people and scripts meet them."""

import gzip
import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from exporter_process import ExporterProcess
from exposition import OPENMETRICS, TEXT, parse, value_of

BINARY = os.environ["RESOURCE_EXPORTER"]


def run(*flags):
    """(exit code, stdout, stderr) of a run that must end by itself."""
    done = subprocess.run(
        [BINARY, *flags], capture_output=True, text=True, timeout=10, check=False
    )
    return done.returncode, done.stdout, done.stderr


def listed_collectors(state=""):
    """Their names; those that are on or off where `state` says so."""
    lines = run("--list-collectors")[1].splitlines()
    return [line.split()[0] for line in lines if f" ({state}" in line]


class CommandLineTest(unittest.TestCase):
    def assert_refused(self, *flags, reason):
        code, out, err = run(*flags)
        self.assertEqual((code, out, err.count("\n"), err[-1:]), (1, "", 1, "\n"), err)
        self.assertTrue(err.startswith("resource_exporter: "), err)
        self.assertIn(reason, err)

    def config(self, text):
        file = self.enterContext(tempfile.NamedTemporaryFile("w", suffix=".toml"))
        file.write(text)
        file.flush()
        return f"--config.file={file.name}"

    def test_mistakes_exit_with_1_and_one_line_that_names_them(self):
        for flag, reason in (
            ("--no-such-flag", "--no-such-flag"),
            ("--collector.nosuch", "--collector.nosuch"),
            ("--collector.cpu=maybe", "--collector.cpu"),
            ("argument", "argument"),
            ("--window", "--window"),
            ("--window=five", "'five'"),
            ("--window=0s", "'0s'"),
            ("--window=500ms", "--sample-interval"),
            ("--sample-interval=-1s", "'-1s'"),
            ("--log.level=loud", "loud"),
            ("--log.format=xml", "xml"),
            ("--web.telemetry-path=metrics", "'metrics'"),
            ("--web.telemetry-path=/-/ready", "'/-/ready'"),
            ("--web.max-connections=0", "--web.max-connections"),
            ("--web.listen-address=nowhere", "'nowhere'"),
            ("--web.listen-address=127.0.0.1:65536", "127.0.0.1:65536"),
            ("--web.listen-address=192.0.2.1:80", "192.0.2.1:80"),  # Nobody's: RFC 5737.
            ("--path.procfs=/no/such/directory", "--path.procfs"),
            ("--path.sysfs=/no/such/directory", "--path.sysfs"),
            ("--path.rootfs=/no/such/directory", "--path.rootfs"),
            ("--config.file=/no/such/file", "/no/such/file"),
            ("--collector.process.config=/no/such/file", "/no/such/file"),
            ("--collector.upstream", "--collector.upstream"),
            ("--collector.upstream=model_server", "'model_server'"),
            ("--collector.upstream=a=https://localhost/", "'a=https://localhost/'"),
        ):
            with self.subTest(flag):
                self.assert_refused(flag, reason=reason)

    def test_port_in_use_is_a_mistake(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_refused(f"--web.listen-address={address}", reason=address)

    def test_questions_are_answered_on_stdout(self):
        for flag, first, lines in (
            ("--version", "resource_exporter", 1),
            ("--list-collectors", "psutil (on): ", len(listed_collectors())),
        ):
            with self.subTest(flag):
                code, out, err = run(flag)
                self.assertEqual((code, err, out.count("\n")), (0, "", lines))
                self.assertTrue(out.startswith(first), out)

    def test_help_names_every_collector(self):
        code, out, err = run("--help")
        self.assertEqual((code, err), (0, ""))
        for name in listed_collectors():
            for flag in ("collector", "no-collector"):
                self.assertRegex(out, rf"--{flag}\.{name}\b")

    def test_config_file_holds_flags(self):
        config = self.config(
            'web.listen-address = ["127.0.0.1:0"]\n'
            'web.telemetry-path = "/numbers"\n'
            "collector.cpu = false\n"
            'window = "10m"\n'
        )
        with ExporterProcess([config], listen=None) as exporter:
            status, headers, body = exporter.get("/numbers")
            self.assertEqual(status, 200)
            families = parse(body, headers["Content-Type"])
            self.assertNotIn("node_cpu_seconds_total", families)
            self.assertIn("node_load1", families)

    def test_command_line_overrides_config_file(self):
        config = self.config('collector.cpu = false\nweb.telemetry-path = "/numbers"\n')
        flags = [config, "--collector.cpu", "--web.telemetry-path=/pages"]
        with ExporterProcess(flags) as exporter:
            status, headers, body = exporter.get("/pages")
            self.assertEqual(status, 200)
            self.assertIn("node_cpu_seconds_total", parse(body, headers["Content-Type"]))

    def test_mistakes_in_the_config_file_are_refused(self):
        for text, reason in (
            ("no.such = 1\n", "no.such"),
            ("collector.nosuch = true\n", "collector.nosuch"),
            ('window = "five"\n', "'five'"),
            ("web.max-connections = 1\n", "--web.max-connections"),
            ("collector.cpu = maybe\n", "maybe"),
        ):
            with self.subTest(text):
                self.assert_refused(self.config(text), reason=reason)


class HttpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exporter = cls.enterClassContext(ExporterProcess(["--no-collector.vmstat"]))

    def families(self, query=""):
        status, headers, body = self.exporter.get(f"/metrics{query}")
        self.assertEqual(status, 200, body)
        return parse(body, headers["Content-Type"])

    def run_collectors(self, query=""):
        samples = self.families(query)["node_scrape_collector_success"].samples
        return [dict(series.labels)["collector"] for series in samples]

    def test_collect_and_exclude_choose_collectors(self):
        enabled = [name for name in listed_collectors("on") if name != "vmstat"]
        for query, expected in (
            ("", enabled),
            ("?", enabled),
            ("?unknown=1", enabled),
            ("?collect[]=loadavg", ["loadavg"]),
            ("?collect%5B%5D=loadavg", ["loadavg"]),
            ("?collect[]=loadavg&collect[]=cpu&collect[]=cpu", ["cpu", "loadavg"]),
            ("?exclude[]=loadavg", [name for name in enabled if name != "loadavg"]),
            ("?" + "&".join(f"exclude[]={name}" for name in enabled), []),
        ):
            with self.subTest(query):
                self.assertEqual(self.run_collectors(query), expected)

    def test_only_what_was_chosen_is_on_the_page(self):
        ours = ("node_", "namedprocess_", "host_", "cpu_", "virtual_")
        names = [name for name in self.families("?collect[]=loadavg") if name.startswith(ours)]
        scrape = ["node_scrape_collector_duration_seconds", "node_scrape_collector_success"]
        self.assertEqual(names, ["node_load1", "node_load5", "node_load15", *scrape])
        self.assertNotIn("node_load1", self.families("?exclude[]=loadavg"))

    def test_wrong_choices_are_refused(self):
        for query in (
            "?collect[]=nosuch",
            "?collect[]=vmstat",  # Not enabled.
            "?collect[]=",
            "?collect[]=cpu&collect[]=nosuch",
            "?exclude[]=nosuch",
            "?collect[]=cpu&exclude[]=loadavg",
            "?collect[]=%zz",
        ):
            with self.subTest(query):
                status, headers, body = self.exporter.get(f"/metrics{query}")
                self.assertEqual((status, headers.get_content_type()), (400, "text/plain"))
                self.assertTrue(body.endswith(b".\n"), body)

    def test_unknown_paths_are_not_found(self):
        for path in ("/metric", "/metrics/", "/Metrics", "/-/", "/..", "/%6Detrics", "//"):
            with self.subTest(path):
                self.assertEqual(self.exporter.get(path)[0], 404)

    def test_other_methods_are_not_allowed(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            for path in ("/metrics", "/", "/-/healthy"):
                with self.subTest(method, path=path):
                    status, headers, _ = self.exporter.request(method, path)
                    self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_head_is_get_without_the_body(self):
        for path in ("/metrics", "/", "/-/healthy", "/-/ready", "/nothing"):
            with self.subTest(path):
                got, got_headers, _ = self.exporter.get(path)
                status, headers, body = self.exporter.request("HEAD", path)
                self.assertEqual((status, body), (got, b""))
                self.assertEqual(headers["Content-Type"], got_headers["Content-Type"])

    def test_format_is_the_one_preferred(self):
        for accept, expected in (
            (None, TEXT),
            ("*/*", TEXT),
            ("text/html", TEXT),
            ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4", TEXT),
            ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", OPENMETRICS),
            ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", TEXT),
        ):
            with self.subTest(accept):
                headers = {"Accept": accept} if accept else {}
                _, headers, body = self.exporter.get(headers=headers)
                self.assertEqual(headers["Content-Type"], expected)
                self.assertIn("Accept", headers["Vary"])
                parse(body, expected)

    def test_gzip_is_for_those_who_take_it(self):
        for accept, expected in (
            ("gzip", "gzip"),
            ("gzip, deflate, br", "gzip"),
            ("*", "gzip"),
            (None, None),
            ("identity", None),
            ("gzip;q=0", None),
            ("zstd", None),
        ):
            with self.subTest(accept):
                headers = {"Accept-Encoding": accept} if accept else {}
                _, headers, body = self.exporter.get(headers=headers)
                self.assertEqual(headers["Content-Encoding"], expected)
                families = parse(gzip.decompress(body) if expected else body, TEXT)
                self.assertEqual(value_of(families, "node_filefd_maximum"), self.filefd_maximum())

    def filefd_maximum(self):
        return float(Path("/proc/sys/fs/file-nr").read_text().split()[2])

    def test_landing_page_lists_collectors_and_links(self):
        status, headers, body = self.exporter.get("/")
        page = body.decode()
        self.assertEqual((status, headers.get_content_type()), (200, "text/html"))
        for path in ("/metrics", "/-/healthy", "/-/ready"):
            self.assertIn(f'href="{path}"', page)
            self.assertEqual(self.exporter.get(path)[0], 200)
        for name in listed_collectors():
            is_on = name != "vmstat" and name in listed_collectors("on")
            self.assertEqual(f"<td>{name}</td>" in page, is_on, name)

    def test_telemetry_path_moves_the_page(self):
        with ExporterProcess(["--web.telemetry-path=/a/b"]) as exporter:
            self.assertEqual(exporter.get("/a/b")[0], 200)
            self.assertEqual(exporter.get("/metrics")[0], 404)
            self.assertIn(b'href="/a/b"', exporter.get("/")[2])


if __name__ == "__main__":
    unittest.main()
