#!/usr/bin/python3
"""The model server: right predictions and metrics, and nothing that clients send harms it."""

import collections
import json
import os
import subprocess
import tempfile
import unittest

import numpy as np
from exposition import value_of
from model_server_bad_input import BAD, BAD_FRAMING, GOOD, raw, without_refusals
from model_server_process import JSON, MODELS, ModelServerProcess

MOST_GROWTH_KIB = 16 << 10
REQUESTS = 10_000
OF_CURL = 1_000
WINDOW = 50
TOLERANCE = 1e-9
CELL = {"model": "bts", "version": "1"}


def recorded():
    """(inputs, outputs) that torch gave when the model was made."""
    with open(f"{MODELS}/bts/vectors.json", encoding="utf-8") as file:
        vectors = json.load(file)
    return [v["input"] for v in vectors], [v["output"] for v in vectors]


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
        sums = [value("model_input_value_signed_sum_total", sign=s) for s in ("positive", "negative")]
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
                self.assertEqual(set(json.loads(answer)), {"error", "field", "reason"})
                if status == 413 and len(body) > 1 << 18:
                    self.assertIn("--web.max-body", json.loads(answer)["error"])
        for wanted, field, reason, request in BAD_FRAMING:
            with self.subTest(request):
                status, answer = raw(server, request)
                problem = json.loads(answer)
                self.assertEqual(
                    (status, problem["field"], problem["reason"]), (wanted, field, reason)
                )

    def _check_counts(self, page, rounds):
        reasons = ("json", "shape", "type", "nonfinite", "too_large", "framing")
        counts = {
            reason: value_of(page, "model_input_rejected_total", **CELL, reason=reason)
            for reason in reasons
        }
        self.assertEqual(sum(counts.values()), rounds * (len(BAD) + len(BAD_FRAMING)))
        self.assertTrue(all(counts.values()), counts)
        refused = [
            value_of(page, "model_requests_total", **CELL, api=api, result="bad_request")
            for api in ("seed", "v2")
        ]
        self.assertEqual(sum(refused), sum(counts.values()))


if __name__ == "__main__":
    unittest.main()
