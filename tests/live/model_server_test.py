#!/usr/bin/python3
"""The model server: right predictions and metrics, and nothing that clients send harms it."""

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import numpy as np
from exporter_process import wait_for
from exposition import series_of, value_of
from model_server_process import (
    FORM,
    INFER,
    JSON,
    MODELS,
    ModelServerProcess,
    form,
    inference,
)

SQUARE = os.path.join(os.environ["SOURCE_DIR"], "tests", "fixtures", "models", "square")
MOST_GROWTH_KIB = 16 << 10
REQUESTS = 10_000
OF_CURL = 1_000
WINDOW = 50
TOLERANCE = 1e-9
GOOD = [[[0.1, -0.2, 0.3, 0.0, 0.5, 0.6]]]
CELL = {"model": "bts", "version": "1"}


def recorded():
    """(inputs, outputs) that torch gave when the model was made."""
    with open(f"{MODELS}/bts/vectors.json", encoding="utf-8") as file:
        vectors = json.load(file)
    return [v["input"] for v in vectors], [v["output"] for v in vectors]


def bad_predictions():
    """(what, content type, body, status) of requests to /prediction that are refused."""
    for what, inputs, status in (
        ("too few values", [[[1, 2, 3, 4, 5]]], 400),
        ("too many values", [[[1, 2, 3, 4, 5, 6, 7]]], 400),
        ("no values", [[[]]], 400),
        ("flat values", [1, 2, 3, 4, 5, 6], 400),
        ("two inputs", [[[1, 2, 3, 4, 5, 6]], [[1, 2, 3, 4, 5, 6]]], 400),
        ("ragged values", [[[1], [2], [3], [4], [5], [6, 7]]], 400),
        ("a string", [[[1, 2, 3, 4, 5, "6"]]], 400),
        ("null", [[[1, 2, 3, 4, 5, None]]], 400),
        ("a boolean", [[[True, 2, 3, 4, 5, 6]]], 400),
        ("an object", [[[1, 2, 3, 4, 5, {}]]], 400),
        ("an object in place of lists", {}, 400),
        ("NaN", [[[1, 2, 3, 4, 5, float("nan")]]], 400),
        ("infinity", [[[1, 2, 3, 4, 5, float("inf")]]], 400),
        ("too large for a float", [[[1, 2, 3, 4, 5, 1e39]]], 400),
    ):
        yield f"{what} in a form", FORM, form(inputs), status
        yield f"{what} in JSON", JSON, json.dumps({"inputs": inputs}).encode(), status
    yield "too large for a double", JSON, b'{"inputs":[[[1,2,3,4,5,1e999]]]}', 400
    yield "a form without the field", FORM, b"input=1", 400
    yield "the field twice", FORM, form(GOOD) + b"&" + form(GOOD), 400
    yield "a broken escape", FORM, b"inputs=%5", 400
    yield "bytes that are no text", JSON, b'{"inputs":"\xff\xfe"}', 400
    yield "no body", JSON, b"", 400
    yield "half of a body", JSON, b'{"inputs":[[[1,2,3', 400
    yield "deep JSON", JSON, b'{"inputs":' + b"[" * 100_000, 400
    yield "deep objects", JSON, b'{"a":' * 20_000, 400
    yield "many fields", FORM, b"a=1&" * 1000 + form(GOOD), 400
    yield "many numbers", JSON, b'{"inputs":[' + b"1," * 100_000 + b"1]}", 400
    yield "a body over the limit", JSON, b'{"inputs":[' + b"1," * 200_000 + b"1]}", 413
    yield "another type", "text/plain", json.dumps({"inputs": GOOD}).encode(), 415
    yield "several parts", "multipart/form-data; boundary=x", b"--x--\r\n", 415
    yield "pickled bytes", "application/octet-stream", b"\x80\x04K\x01.", 415


def bad_inferences():
    """The same, to the v2 interface."""

    def with_tensor(**members):
        tensor = {"name": "input", "shape": [1, 6, 1], "datatype": "FP32", "data": [0] * 6}
        return json.dumps({"inputs": [{**tensor, **members}]}).encode()

    for what, body, status in (
        ("another name", with_tensor(name="x"), 400),
        ("another datatype", with_tensor(datatype="BYTES"), 400),
        ("a shape of another model", with_tensor(shape=[1, 7, 1]), 400),
        ("no rows", with_tensor(shape=[0, 6, 1], data=[]), 400),
        ("rows that are not there", with_tensor(shape=[2, 6, 1]), 400),
        ("more rows than anybody has", with_tensor(shape=[2**62, 6, 1]), 413),
        ("a shape that overflows", with_tensor(shape=[2**64 - 1, 6, 1]), 413),
        ("a shape of strings", with_tensor(shape=["1", "6", "1"]), 400),
        ("no data", with_tensor(data=None), 400),
        ("infinite data", with_tensor(data=[0, 0, 0, 0, 0, 1e39]), 400),
        ("an id that is no string", inference([[0] * 6], id=7), 400),
        ("an id without an end", inference([[0] * 6], id="x" * 10_000), 413),
        ("two inputs", json.dumps({"inputs": [{}, {}]}).encode(), 400),
        ("an output that there is not", inference([[0] * 6], outputs=[{"name": "x"}]), 400),
    ):
        yield what, JSON, body, status
    yield "a form", FORM, form(GOOD), 415


BAD = [
    *(("/prediction", *case) for case in bad_predictions()),
    *((INFER, *case) for case in bad_inferences()),
]


def raw(server, request):
    """The status of the answer to bytes that no client library sends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := client.recv(65536):
                received += chunk
    return int(received.split()[1])


RAW_POST = b"POST /prediction HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
BAD_FRAMING = [
    (411, RAW_POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, RAW_POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}"),
    (400, RAW_POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    (400, RAW_POST + b"Content-Length: -2\r\n\r\n{}"),
    (400, RAW_POST + b"Content-Length: 0x2\r\n\r\n{}"),
    (413, RAW_POST + b"Content-Length: 18446744073709551615\r\n\r\n{}"),
    (400, RAW_POST + b"Content-Length: 18446744073709551616\r\n\r\n{}"),
]


def without_refusals(page):
    """All series but those that count refused requests."""
    refusals = ("model_input_rejected_total",)
    return {
        series: value
        for series, value in series_of(page).items()
        if series.name not in refusals and ("result", "bad_request") not in series.labels
    }


class PredictionsTest(unittest.TestCase):
    def test_predictions_are_those_of_torch(self):
        inputs, outputs = recorded()
        with ModelServerProcess() as server:
            np.testing.assert_allclose(server.infer(inputs), outputs, rtol=0, atol=1e-5)
            for row, output in zip(inputs, outputs):
                prediction = server.predict([[[value] for value in row]])
                self.assertAlmostEqual(prediction, output, delta=1e-5)

    def test_every_request_is_answered_and_the_gauge_is_numpys_variance(self):
        random = np.random.default_rng(1)
        latest = collections.deque(maxlen=WINDOW)
        checked = {1, 5, 49, 50, 51, 99, 100, 101, *range(1000, REQUESTS + 1, 1000)}
        with ModelServerProcess() as server:
            self.assertNotIn("input_variance", server.page())
            rows = random.uniform(-1, 1, (REQUESTS, 6)) * random.choice([1, 100], (REQUESTS, 1))
            self._send_by_curl(server, rows[:OF_CURL])
            latest.extend(rows[:OF_CURL])
            self._check(server, latest)
            for count, row in enumerate(rows[OF_CURL:], 1):
                if count % 2:
                    server.predict([[row.tolist()]] if count % 4 == 1 else [row[:, None].tolist()])
                else:
                    server.infer([row.tolist()])
                latest.append(row)
                if count in checked:
                    self._check(server, latest)
            self._check(server, latest)
            page = server.page()
            requests = [
                value_of(page, "model_requests_total", **CELL, api=api, result="success")
                for api in ("seed", "v2")
            ]
            self.assertEqual(sum(requests), REQUESTS)
            self.assertGreater(min(requests), REQUESTS / 3)
            self._check_moments(page, rows)

    def test_the_gauge_from_the_first_request_on(self):
        random = np.random.default_rng(2)
        latest = collections.deque(maxlen=WINDOW)
        with ModelServerProcess() as server:
            for _ in range(2 * WINDOW + 1):
                # Of a batch the first row counts.
                rows = random.normal(5, 0.1, (3, 6))
                server.infer(rows.tolist())
                latest.append(rows[0])
                self._check(server, latest)

    def test_errors_are_compared_with_persistence_by_series(self):
        random = np.random.default_rng(3)
        walks = random.normal(0, 0.1, (2, 60)).cumsum(axis=1)
        model, persistence = [], []
        with ModelServerProcess() as server:
            last = [None, None]
            for step in range(60 - 6):
                for station, values in enumerate(walks):
                    row = values[step : step + 6].tolist()
                    [prediction] = server.infer([row], parameters={"series": str(station)})
                    if last[station] is not None:
                        model.append(last[station] - row[-1])
                        persistence.append(row[-2] - row[-1])
                    last[station] = prediction
            page = server.page()
        self.assertEqual(value_of(page, "model_prediction_errors_total", **CELL), len(model))
        for name, errors in (("prediction", model), ("baseline", persistence)):
            total = value_of(page, f"model_{name}_error_squared_sum_total", **CELL)
            self.assertAlmostEqual(total, np.sum(np.square(errors)), delta=1e-6)

    def _send_by_curl(self, server, rows):
        """All of them by one curl, in both ways of /prediction."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config")
            with open(path, "w", encoding="utf-8") as config:
                for count, row in enumerate(rows):
                    inputs = json.dumps([row[:, None].tolist()])
                    config.write("next\n" if count else "")
                    config.write(f'url = "{server.url}/prediction"\nsilent\nfail\nnoproxy = "*"\n')
                    config.write('write-out = "\\n"\n')
                    if count % 2:
                        config.write(f'data-urlencode = "inputs={inputs}"\n')
                    else:
                        config.write(f'json = "{{\\"inputs\\": {inputs}}}"\n')
            done = subprocess.run(["curl", "-K", path], check=True, capture_output=True, timeout=60)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), len(rows))
        for answer in answers:
            self.assertIsInstance(answer["prediction_result"], str)
            float(answer["prediction_result"])

    def _check(self, server, latest):
        page = server.page()
        self.assertEqual(value_of(page, "input_window_size"), len(latest))
        expected = np.var(np.array(latest))
        self.assertAlmostEqual(
            value_of(page, "input_variance") / expected, 1, delta=TOLERANCE, msg=len(latest)
        )

    def _check_moments(self, page, rows):
        def value(name, **labels):
            return value_of(page, name, **CELL, **labels)

        self.assertEqual(value("model_input_value_count"), rows.size)
        sums = [value("model_input_value_sum_total", sign=s) for s in ("positive", "negative")]
        np.testing.assert_allclose(sums, [rows[rows > 0].sum(), -rows[rows < 0].sum()])
        squares = value("model_input_value_squared_sum_total")
        np.testing.assert_allclose(squares, np.sum(rows**2))
        with open(f"{MODELS}/bts/manifest.json", encoding="utf-8") as file:
            reference = json.load(file)["reference"]
        bounds = [-np.inf, *reference["edges"], np.inf]
        bins = [value("model_input_bin_total", bin=str(i)) for i in range(len(bounds) - 1)]
        self.assertEqual(bins, np.histogram(rows, bounds)[0].tolist())
        outside = np.sum((rows < reference["min"]) | (rows > reference["max"]))
        self.assertEqual(value("model_input_out_of_reference_total"), outside)
        self.assertEqual(value("model_input_step_count"), 5 * len(rows))


class BadInputTest(unittest.TestCase):
    def test_bad_input_is_refused_and_changes_nothing_else(self):
        self.assertGreaterEqual(len(BAD) + len(BAD_FRAMING), 40)
        with ModelServerProcess() as server:
            for _ in range(WINDOW):
                server.predict(GOOD)
            before = server.page()
            self._send_all(server)  # buffers grow to the size of the largest once
            resident_kib = server.resident_kib()
            for _ in range(10):
                self._send_all(server)
            self.assertLess(server.resident_kib() - resident_kib, MOST_GROWTH_KIB)
            after = server.page()
            self.assertEqual(without_refusals(after), without_refusals(before))
            self._check_counts(after, 11)
            server.predict(GOOD)

    def test_memory_from_the_start(self):
        with ModelServerProcess() as server:
            server.predict(GOOD)
            resident_kib = server.resident_kib()
            for _ in range(3):
                self._send_all(server)
            self.assertLess(server.resident_kib() - resident_kib, MOST_GROWTH_KIB)

    def _send_all(self, server):
        for path, what, content_type, body, wanted in BAD:
            with self.subTest(what, path=path):
                headers = {"Content-Type": content_type}
                status, fields, answer = server.request("POST", path, headers, body=body)
                self.assertEqual(status, wanted, answer)
                self.assertEqual(fields["Content-Type"], JSON)
                if status == 413 and len(body) > 1 << 18:
                    self.assertIn("--web.max-body", json.loads(answer)["error"])
                else:
                    self.assertEqual(set(json.loads(answer)), {"error", "field", "reason"})
        for wanted, request in BAD_FRAMING:
            with self.subTest(request):
                self.assertEqual(raw(server, request), wanted)

    def _check_counts(self, page, rounds):
        reasons = ("json", "shape", "type", "nonfinite", "too_large")
        counts = {
            reason: value_of(page, "model_input_rejected_total", **CELL, reason=reason)
            for reason in reasons
        }
        # Of the framing only what is known to be for the model: the chunked and the huge one.
        self.assertEqual(sum(counts.values()), rounds * (len(BAD) + 2))
        self.assertTrue(all(counts.values()), counts)
        refused = [
            value_of(page, "model_requests_total", **CELL, api=api, result="bad_request")
            for api in ("seed", "v2")
        ]
        self.assertEqual(sum(refused), sum(counts.values()))


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
            # Finite input, but no finite output: an error of ours that leaves no trace but a count.
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
            self.assertLessEqual(
                {name for name in changed if not name.startswith("model_request")}, set()
            )

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
        return value_of(server.page(), "model_load_failures_total", **CELL)

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
        with ModelServerProcess(["--workers=1", "--queue=2"]) as server:
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

    def test_what_is_late_is_given_up(self):
        with ModelServerProcess(["--deadline=1ms", "--workers=1"]) as server:
            self.assertEqual(self._infer(server, [[0.1] * 6] * 1000), 503)
            page = server.page()
            self.assertEqual(
                value_of(page, "model_requests_total", **CELL, api="v2", result="overload"), 1
            )
            self.assertEqual(value_of(page, "model_inferences_total", **CELL), 0)

    def test_the_page_is_served_while_the_workers_are_busy(self):
        rows = [[0.1] * 6] * 1000
        with ModelServerProcess(["--workers=1", "--deadline=10s"]) as server:
            with concurrent.futures.ThreadPoolExecutor(8) as clients:
                busy = [clients.submit(self._infer, server, rows) for _ in range(8)]
                seen = wait_for(
                    "requests in flight",
                    lambda: value_of(server.page(), "model_requests_in_flight", **CELL),
                )
                self.assertGreater(seen, 0)
                self.assertEqual({future.result() for future in busy}, {200})

    def test_requests_under_way_are_answered_when_it_stops(self):
        rows = [[0.1] * 6] * 1000
        with ModelServerProcess(["--workers=1", "--deadline=20s"]) as server:
            with concurrent.futures.ThreadPoolExecutor(4) as clients:
                busy = [clients.submit(self._infer, server, rows) for _ in range(4)]
                wait_for(
                    "all in flight",
                    lambda: any(future.done() for future in busy)
                    or value_of(server.page(), "model_requests_in_flight", **CELL) == len(busy),
                )
                self.assertEqual(server.stop(seconds=30), 0)
                self.assertEqual({future.result() for future in busy}, {200})

    @staticmethod
    def _infer(server, rows):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        try:
            connection.request("POST", INFER, inference(rows), {"Content-Type": JSON})
            return connection.getresponse().status
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
