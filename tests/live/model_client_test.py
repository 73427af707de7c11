#!/usr/bin/python3
"""The load client as users run it, against a server of this test's own that does what it is told.
Last the real model server, where it is built.

Environment:
  MODEL_CLIENT  the program
  MODEL_SERVER  the server
  SOURCE_DIR    the top of the repository, for its model
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import unittest

from exporter_process import wait_for
from exposition import TEXT, Series, parse, series_of
from held_file import HeldFile
from model_client_process import ModelClient, with_hosts
from model_server_process import INFER, ModelServerProcess
from peers import free_port, promtool
from prediction_server import Handler, Server


class AskingTest(unittest.TestCase):
    def test_asks_as_the_first_client_of_its_kind_did(self):
        server = self.enterContext(Server())
        self.enterContext(ModelClient([f"--server={server.url}", "--rate=200"]))
        wait_for("20 requests", lambda: len(server.asked) >= 20)
        values = []
        for asked in server.asked[:20]:
            self.assertEqual(asked.path, "/prediction")
            self.assertEqual(asked.headers["Content-Type"], "application/x-www-form-urlencoded")
            ((row,),) = asked.inputs()
            self.assertEqual(len(row), 6)
            values += row
        self.assertTrue(all(-1 <= value <= 1 for value in values), values)
        self.assertEqual(len(set(values)), len(values))

    def test_same_seed_asks_the_same(self):
        def first(seed):
            with Server() as server:
                with ModelClient([f"--server={server.url}", f"--seed={seed}", "--rate=200"]):
                    wait_for("3 requests", lambda: len(server.asked) >= 3)
                return [asked.inputs() for asked in server.asked[:3]]

        self.assertEqual(first(7), first(7))
        self.assertNotEqual(first(7), first(8))

    def test_replays_a_series_over_and_over(self):
        file = self.enterContext(tempfile.NamedTemporaryFile("w"))
        file.write("time,load,other\n" + "".join(f"{i},{i / 4},0\n" for i in range(5)))
        file.flush()
        server = self.enterContext(Server())
        self.enterContext(ModelClient([
            f"--server={server.url}", "--rate=200", f"--replay={file.name}",
            "--replay-column=load", "--input-size=4"]))
        wait_for("5 requests", lambda: len(server.asked) >= 5)
        odd, even = [[[0, 0.25, 0.5, 0.75]]], [[[0.25, 0.5, 0.75, 1]]]
        self.assertEqual([a.inputs() for a in server.asked[:5]], [odd, even, odd, even, odd])

    def test_default_rate_is_one_in_ten_seconds(self):
        server = self.enterContext(Server())
        client = self.enterContext(ModelClient([f"--server={server.url}"]))
        wait_for("a request", lambda: client.metric("my_progressed_requests") == 1)
        pause = wait_for("a pause", lambda: client.metric("model_client_pause_seconds"))
        self.assertTrue(0 < pause <= 10, pause)
        self.assertEqual(len(server.asked), 1)

    def test_rate_is_kept(self):
        server = self.enterContext(Server())
        begin = time.monotonic()
        self.enterContext(ModelClient([f"--server={server.url}", "--rate=50"]))
        wait_for("51 requests", lambda: len(server.asked) >= 51)
        self.assertGreaterEqual(time.monotonic() - begin, 1.0)


class PageTest(unittest.TestCase):
    def test_page_counts_every_request(self):
        server = self.enterContext(Server())
        client = self.enterContext(ModelClient([f"--server={server.url}", "--rate=0.02"]))
        wait_for("a request", lambda: client.metric("my_progressed_requests"))
        self.assertEqual(client.metric("my_progressed_requests"), 1)
        self.assertEqual(client.metric("request_processing_seconds_count"), 1)
        seconds = client.metric("request_processing_seconds_sum")
        self.assertTrue(0 < seconds < 5, seconds)
        self.assertEqual(client.metric("model_client_last_prediction"), 0.25)
        when = client.metric("model_client_last_prediction_timestamp_seconds")
        self.assertAlmostEqual(when, time.time(), delta=60)
        self.assertEqual(client.failures(), {})

    def test_prometheus_has_nothing_to_remark(self):
        server = self.enterContext(Server())
        client = self.enterContext(ModelClient([f"--server={server.url}"]))
        wait_for("a request", lambda: client.metric("my_progressed_requests"))
        status, headers, body = client.get()
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(promtool("check", "metrics", stdin=body), (0, ""))

    def test_other_paths_and_methods(self):
        client = self.enterContext(ModelClient([f"--server=http://127.0.0.1:{free_port()}/"]))
        self.assertEqual(client.get("/-/healthy")[0], 200)
        self.assertEqual(client.get("/")[0], 200)
        self.assertEqual(client.get("/nothing")[0], 404)
        self.assertEqual(client.get("/metrics?x=1")[0], 200)
        status, headers, body = client.request("HEAD", "/metrics")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        status, headers, _ = client.request("DELETE", "/metrics")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))


class TroubleTest(unittest.TestCase):
    def first_failure(self, answer):
        """What is counted when the server answers so, and for how many requests durations are."""
        with Server(answer) as server:
            deadline = 1 if answer is Handler.hang else 30
            args = [f"--server={server.url}", f"--deadline={deadline}", "--rate=0.1"]
            with ModelClient(args) as client:
                failures = wait_for("a failure", client.failures)
                self.assertEqual(client.metric("model_client_consecutive_failures"), 1)
                self.assertEqual(client.metric("my_progressed_requests"), 0)
                self.assertIsNone(client.metric("model_client_last_prediction"))
                return failures, client.metric("request_processing_seconds_count")

    def test_each_trouble_has_its_reason(self):
        def says(status, body=b"{}"):
            return lambda handler: handler.say(status, body)

        for what, answer, reason in [
            ("a full queue", says(503), "overloaded"),
            ("an input that it does not like", says(400), "refused"),
            ("no such path", says(404), "refused"),
            ("a fault", says(500), "server_error"),
            ("a redirect", says(302), "server_error"),
            ("no prediction", says(200), "malformed"),
            ("no number", says(200, b'{"prediction_result": "nan"}'), "malformed"),
            ("nothing", Handler.hang, "deadline"),
            ("no HTTP", Handler.say_garbage, "malformed"),
            ("half an answer", Handler.say_half, "disconnected"),
        ]:
            with self.subTest(what):
                self.assertEqual(self.first_failure(answer), ({reason: 1}, 1))

    def test_time_until_a_request_was_given_up_is_a_duration(self):
        server = self.enterContext(Server(Handler.hang))
        client = self.enterContext(ModelClient([f"--server={server.url}", "--deadline=1"]))
        wait_for("a failure", client.failures)
        seconds = client.metric("request_processing_seconds_sum")
        self.assertTrue(1 <= seconds < 5, seconds)

    def test_server_that_is_away_and_comes(self):
        port = free_port()
        url = f"http://127.0.0.1:{port}/prediction"
        client = self.enterContext(ModelClient([f"--server={url}", "--rate=1000"]))
        wait_for("two failures", lambda: client.failures().get("unreachable", 0) >= 2)
        self.assertEqual(client.metric("request_processing_seconds_count"), 0)  # None was sent.
        with Server(port=port):
            wait_for("a prediction", lambda: client.metric("my_progressed_requests"), 15)
            self.assertEqual(client.metric("model_client_consecutive_failures"), 0)
            self.assertEqual(set(client.failures()), {"unreachable"})
            # Seconds apart from the first on, though a thousand a second were asked for.
            self.assertLess(client.failures()["unreachable"], 6)
        wait_for("it is away again", lambda: client.log().count("no prediction") == 2, 10, client.log)
        self.assertEqual(client.log().count("predictions come again"), 1)
        self.assertTrue(client.is_running())

    def test_name_without_an_address(self):
        client = self.enterContext(ModelClient(["--server=http://nowhere.invalid/prediction"]))
        # Where no name server answers at all, it is late.
        reasons = ({"unresolved": 1}, {"deadline": 1})
        self.assertIn(wait_for("a failure", client.failures, 10), reasons)

    def test_stops_amid_a_request(self):
        server = self.enterContext(Server(Handler.hang))
        client = self.enterContext(ModelClient([f"--server={server.url}", "--deadline=60"]))
        wait_for("a request", lambda: server.asked)
        self.assertEqual(client.stop(2.0), 0)

    def test_stops_amid_a_look_up(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "hosts")
        with open(path, "x", encoding="utf-8"):
            pass
        under = with_hosts(path)
        hosts = self.enterContext(HeldFile(path))  # As a name server that does not answer.
        client = self.enterContext(ModelClient(["--server=http://a.test/prediction"], under=under))
        wait_for("a look-up", lambda: hosts.is_awaited)
        self.assertEqual(client.stop(2.0), 0)
        self.assertIn("stopping", client.log())

    def test_what_keeps_it_from_starting_is_one_line(self):
        with contextlib.ExitStack() as stack:
            taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            short = stack.enter_context(tempfile.NamedTemporaryFile("w"))
            short.write("1\n2\n")
            short.flush()
            for args, part in [
                (["--replay=/nonexistent.csv"], "cannot read /nonexistent.csv"),
                (["--replay=/"], "cannot read /"),
                ([f"--replay={short.name}"], "2 values"),
                ([f"--replay={short.name}", "--replay-column=x"], "line 1: no column named x"),
                ([f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"], "cannot listen"),
                (["--web.listen-address=nonsense"], "nonsense"),
                (["--server=nonsense"], "nonsense"),
                ([f"--replay={short.name}", "--series=a"], "--series needs"),
                (["--rate=0"], "--rate"),
            ]:
                with self.subTest(args):
                    done = subprocess.run([os.environ["MODEL_CLIENT"], *args], timeout=10,
                                          capture_output=True, text=True, check=False)
                    self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                    self.assertIn(part, done.stderr)


@unittest.skipUnless(os.access(os.environ["MODEL_SERVER"], os.X_OK), "the model server is not built")
class RealServerTest(unittest.TestCase):
    def test_server_answers_every_request(self):
        server = self.enterContext(ModelServerProcess())
        args = [f"--server={server.url}/prediction", "--rate=200"]
        client = self.enterContext(ModelClient(args))
        wait_for("200 predictions", lambda: client.metric("my_progressed_requests") >= 200)
        self.assertEqual(client.failures(), {})
        progressed = client.metric("my_progressed_requests")
        self.assertEqual(client.stop(), 0)
        page = series_of(parse(server.get()[2], TEXT))
        answered = {dict(series.labels)["result"]: value for series, value in page.items()
                    if series.name == "model_requests_total" and ("api", "seed") in series.labels}
        self.assertGreaterEqual(answered.pop("success"), progressed)
        self.assertEqual(set(answered.values()), {0})
        # 300 values spread evenly over -1..1.
        variance = next(v for series, v in page.items() if series.name == "input_variance")
        self.assertAlmostEqual(variance, 1 / 3, delta=0.1)

    def test_named_series_is_compared_with_persistence(self):
        file = self.enterContext(tempfile.NamedTemporaryFile("w"))
        file.write("".join(f"{i / 100}\n" for i in range(50)))
        file.flush()
        server = self.enterContext(ModelServerProcess())
        client = self.enterContext(ModelClient([
            f"--server={server.url}{INFER}", "--rate=200", f"--replay={file.name}",
            "--series=a ramp"]))
        wait_for("100 predictions", lambda: client.metric("my_progressed_requests") >= 100)
        self.assertEqual(client.failures(), {})
        self.assertEqual(client.stop(), 0)
        page = series_of(parse(server.get()[2], TEXT))
        value = {series.name: value for series, value in page.items()}
        asked = page[Series("model_requests_total", frozenset({
            "model": "bts", "version": "1", "api": "v2", "result": "success"}.items()))]
        # All but the first input, and those with which the series begins anew: 45 inputs are in it.
        self.assertEqual(value["model_prediction_errors_total"], asked - 1 - (asked - 1) // 45)
        # A step of the ramp is what comes of predicting no change.
        squares = value["model_baseline_error_squared_sum_total"]
        self.assertAlmostEqual(squares, value["model_prediction_errors_total"] * 0.01**2, places=9)
        self.assertGreater(value["model_prediction_error_squared_sum_total"], 0)

    def test_server_that_restarts_is_asked_again(self):
        server = self.enterContext(ModelServerProcess())
        client = self.enterContext(ModelClient([f"--server={server.url}/prediction", "--rate=100"]))
        wait_for("a prediction", lambda: client.metric("my_progressed_requests"))
        self.assertEqual(server.stop(), 0)
        wait_for("a failure", client.failures)
        before = client.metric("my_progressed_requests")
        self.enterContext(ModelServerProcess(listen=f"127.0.0.1:{server.port}"))
        wait_for("another", lambda: client.metric("my_progressed_requests") > before, 10, client.log)


if __name__ == "__main__":
    unittest.main()
