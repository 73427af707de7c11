#!/usr/bin/python3
"""The model server: its endpoints and models, and what it does when there is too much to do."""

import collections
import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from exporter_process import wait_for
from exposition import value_of
from model_server_bad_input import GOOD, without_refusals
from model_server_process import FORM, INFER, JSON, MODELS, ModelServerProcess, form, inference

SQUARE = os.path.join(os.environ["SOURCE_DIR"], "tests", "fixtures", "models", "square")
CELL = {"model": "bts", "version": "1"}


class InterfaceTest(unittest.TestCase):
    def test_endpoints(self):
        with ModelServerProcess() as server:
            for path, status, content_type, body in (
                ("/health", 200, "text/plain; charset=utf-8", b"live"),
                ("/v2/health/live", 200, JSON, b'{"live":true}'),
                ("/v2/health/ready", 200, JSON, b'{"ready":true}'),
                ("/v2/models/bts/ready", 200, JSON, b'{"ready":true}'),
                ("/v2/models/bts/versions/1/ready", 200, JSON, b'{"ready":true}'),
                ("/prediction", 405, JSON, None),
                (INFER, 405, JSON, None),
                ("/", 404, JSON, None),
                ("/v2/models/other", 404, JSON, None),
                ("/v2/models/bts/versions/2/infer", 404, JSON, None),
            ):
                with self.subTest(path):
                    found = server.get(path)
                    self.assertEqual((found[0], found[1]["Content-Type"]), (status, content_type))
                    if body is not None:
                        self.assertEqual(found[2], body)
            self.assertEqual(server.request("POST", "/metrics")[0], 405)
            self.assertEqual(json.loads(server.get("/v2")[2])["name"], "model_server")
            for path in ("/v2/models/bts", "/v2/models/bts/versions/1"):
                model = json.loads(server.get(path)[2])
                self.assertEqual(
                    (model["name"], model["versions"], model["platform"]),
                    ("bts", ["1"], "onnx_opencv"),
                )
                tensor = {"name": "input", "datatype": "FP32", "shape": [-1, 6, 1]}
                self.assertEqual(model["inputs"], [tensor])

    def test_the_page_passes_promtool(self):
        with ModelServerProcess() as server:
            for _ in range(2):
                page = server.get("/metrics")[2]
                subprocess.run(["promtool", "check", "metrics"], input=page, check=True, timeout=20)
                server.predict(GOOD)

    def test_the_exporter_links_none_of_it(self):
        for program, is_linked in (("RESOURCE_EXPORTER", False), ("MODEL_SERVER", True)):
            libraries = subprocess.run(
                ["ldd", os.environ[program]], check=True, capture_output=True, timeout=20
            )
            self.assertEqual(b"opencv" in libraries.stdout, is_linked, program)

    def test_a_v2_answer(self):
        with ModelServerProcess() as server:
            body = inference([[0.1] * 6, [0.2] * 6], id="a-7")
            answer = server.post("/v2/models/bts/versions/1/infer", body)
            output = answer["outputs"][0]
            self.assertEqual((answer["model_name"], answer["model_version"]), ("bts", "1"))
            self.assertEqual(answer["id"], "a-7")
            self.assertEqual((output["name"], output["shape"]), ("output", [2, 1]))

    def test_any_model_with_a_manifest(self):
        labels = {"model": "square", "version": "7.1"}
        with ModelServerProcess([f"--model={SQUARE}"]) as server:
            self.assertEqual(server.predict([[[1, 3], [0, 0]]]), 9)
            before = without_refusals(server.page())
            # Finite input, but no finite output: an error of ours that took the network's time, and
            # is in nothing that is told of inputs and outputs.
            status, _, answer = server.request(
                "POST", "/prediction", {"Content-Type": FORM}, body=form([[[1, 3e38], [0, 0]]])
            )
            self.assertEqual((status, "not finite" in answer.decode()), (500, True))
            page = server.page()
            errors = value_of(page, "model_requests_total", **labels, api="seed", result="error")
            self.assertEqual(errors, 1)
            changed = {
                series.name
                for series, value in without_refusals(page).items()
                if before[series] != value
            }
            of_requests = ("model_request", "model_queue_", "model_compute_", "model_executions_")
            others = {name for name in changed if not name.startswith(of_requests)}
            self.assertEqual(others, {"model_inferences_total"})

    def test_another_model_is_loaded_while_it_serves(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/model"
            shutil.copytree(f"{MODELS}/bts", path)
            with ModelServerProcess([f"--model={path}"]) as server:
                server.predict(GOOD)
                os.truncate(f"{path}/model.onnx", 5000)
                os.kill(server.pid, signal.SIGHUP)
                wait_for("a failure", lambda: self._load_failures(server), details=server.log)
                self.assertIn("SHA-256 differs", server.log())
                server.predict(GOOD)
                self.assertEqual(value_of(server.page(), "input_window_size"), 2)

                for name in ("model.onnx", "manifest.json"):
                    shutil.copy(f"{SQUARE}/{name}", path)
                os.kill(server.pid, signal.SIGHUP)
                wait_for("the model", lambda: server.get("/v2/models/square")[0] == 200)
                self.assertEqual(server.predict([[[1, 3], [0, 0]]]), 9)
                self.assertEqual(server.get("/v2/models/bts")[0], 404)
                page = server.page()
                self.assertEqual(value_of(page, "input_window_size"), 1)
                [info] = page["model_info"].samples
                self.assertIn(("model", "square"), info.labels)

    @staticmethod
    def _load_failures(server):
        return value_of(server.page(), "model_load_failures_total")

    def test_what_cannot_be_served_is_a_line_and_exit_code_1(self):
        with tempfile.TemporaryDirectory() as folder:
            for what, damage in (
                ("nothing there", lambda path: shutil.rmtree(path)),
                ("no model", lambda path: os.remove(f"{path}/model.onnx")),
                ("no manifest", lambda path: os.remove(f"{path}/manifest.json")),
                ("half a manifest", lambda path: os.truncate(f"{path}/manifest.json", 100)),
                ("half a model", lambda path: os.truncate(f"{path}/model.onnx", 5000)),
                ("another model", lambda path: shutil.copy(f"{SQUARE}/model.onnx", path)),
                ("another manifest", lambda path: shutil.copy(f"{SQUARE}/manifest.json", path)),
            ):
                path = f"{folder}/{what}"
                shutil.copytree(f"{MODELS}/bts", path)
                damage(path)
                with self.subTest(what):
                    self._check_refusal([f"--model={path}"])
        self._check_refusal([f"--model={MODELS}/bts", "--web.listen-address=nowhere"])
        self._check_refusal(["--deadline=5"])
        self._check_refusal(["--workers=0"])

    def _check_refusal(self, args):
        done = subprocess.run(
            [os.environ["MODEL_SERVER"], *args], capture_output=True, timeout=20, check=False
        )
        self.assertEqual(done.returncode, 1, args)
        self.assertRegex(done.stderr.decode(), r"\Amodel_server: [^\n]+\n\Z")


class LoadTest(unittest.TestCase):
    def test_what_is_too_much_is_refused_at_once(self):
        rows = [[0.1] * 6] * 1000
        with ModelServerProcess(["--workers=1", "--queue=2", "--deadline=30s"]) as server:
            with concurrent.futures.ThreadPoolExecutor(16) as clients:
                statuses = list(clients.map(lambda _: self._infer(server, rows), range(64)))
            counted = collections.Counter(statuses)
            self.assertEqual(set(counted), {200, 503})
            page = server.page()
            for status, result in ((200, "success"), (503, "overload")):
                value = value_of(page, "model_requests_total", **CELL, api="v2", result=result)
                self.assertEqual(value, counted[status])
            self.assertEqual(value_of(page, "model_executions_total", **CELL), counted[200])
            self.assertEqual(value_of(page, "model_inferences_total", **CELL), 1000 * counted[200])
            self.assertEqual(value_of(page, "model_requests_in_flight", **CELL), 0)
            # Refusals take microseconds, and must not make it look fast.
            timed = value_of(page, "model_request_duration_seconds_count", **CELL)
            self.assertEqual(timed, counted[200])

    def test_what_is_late_is_given_up(self):
        with ModelServerProcess(["--deadline=1ms", "--workers=1"]) as server:
            self.assertEqual(self._infer(server, [[0.1] * 6] * 1000), 503)
            wait_for(
                "the worker",
                lambda: value_of(server.page(), "model_queue_duration_seconds_count", **CELL),
            )
            page = server.page()
            self.assertEqual(
                value_of(page, "model_requests_total", **CELL, api="v2", result="overload"), 1
            )
            self.assertEqual(value_of(page, "model_request_duration_seconds_count", **CELL), 1)
            rows = value_of(page, "model_inferences_total", **CELL)
            self.assertLess(rows, 1000)
            executions = value_of(page, "model_executions_total", **CELL)
            self.assertEqual(executions, 1 if rows else 0)

    def test_the_page_is_served_while_the_workers_are_busy(self):
        rows = [[0.1] * 6] * 1000
        with ModelServerProcess(["--workers=1", "--deadline=600s"]) as server:
            with concurrent.futures.ThreadPoolExecutor(8) as clients:
                busy = [clients.submit(self._infer, server, rows) for _ in range(8)]
                seen = wait_for(
                    "requests in flight",
                    lambda: value_of(server.page(), "model_requests_in_flight", **CELL),
                )
                self.assertGreater(seen, 0)
                self.assertEqual({future.result() for future in busy}, {200})

    def test_requests_under_way_are_answered_when_it_stops(self):
        rows = [[0.1] * 6] * 100  # done long before the 2.5 s that requests have then
        with ModelServerProcess(["--workers=1", "--deadline=20s"]) as server:
            with concurrent.futures.ThreadPoolExecutor(4) as clients:
                busy = [clients.submit(self._infer, server, rows) for _ in range(4)]
                wait_for(
                    "all in flight",
                    lambda: value_of(server.page(), "model_requests_in_flight", **CELL)
                    + sum(future.done() for future in busy) == len(busy),
                )
                self.assertEqual(server.stop(seconds=30), 0)
                self.assertEqual({future.result() for future in busy}, {200})

    @staticmethod
    def _infer(server, rows):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        try:
            connection.request("POST", INFER, inference(rows), {"Content-Type": JSON})
            return connection.getresponse().status
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
