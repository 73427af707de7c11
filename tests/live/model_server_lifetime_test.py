#!/usr/bin/python3
"""The model server from its start to its end: loading, loading anew, and stopping."""

import concurrent.futures
import json
import os
import resource
import shutil
import signal
import socket
import tempfile
import threading
import unittest

from exporter_process import STOP_SECONDS, wait_for
from exposition import value_of
from held_file import HeldFile
from model_server_bad_input import GOOD
from model_server_process import FORM, INFER, JSON, MODELS, ModelServerProcess, form, inference
from peers import free_port

CELL = {"model": "bts", "version": "1"}
READY = "/v2/health/ready"
# More than any test takes; a second SIGTERM ends it.
LONG_DRAIN = "--drain-time=60s"


class ModelFolder(tempfile.TemporaryDirectory):
    """A copy of the model that a test may change; its path is the context's value."""

    def __enter__(self):
        path = os.path.join(super().__enter__(), "model")
        shutil.copytree(f"{MODELS}/bts", path)
        return path


class LoadingServer(ModelServerProcess):
    """One that answers on a known port while it loads its model, before it says where."""

    def __init__(self, args):
        self._known_port = free_port()
        super().__init__([*args, f"--web.listen-address=127.0.0.1:{self._known_port}"])

    def _find_port(self):
        with socket.socket() as probe:
            is_open = probe.connect_ex(("127.0.0.1", self._known_port)) == 0
        return self._known_port if is_open else super()._find_port()


def predict(server):
    """(status, headers, body) of a prediction."""
    return server.request("POST", "/prediction", {"Content-Type": FORM}, body=form(GOOD))


def ready(server):
    """The status of the readiness check, which is the same for the server and for the model."""
    status = server.get(READY)[0]
    assert server.get("/v2/models/bts/ready")[0] == status
    return status


def gauge(server):
    """model_ready on the page."""
    return value_of(server.page(), "model_ready", **CELL)


def succeeded(server):
    """How many forms were answered."""
    return value_of(
        server.page(), "model_requests_total", **CELL, api="seed", result="success"
    )


class StartTest(unittest.TestCase):
    def test_it_is_live_and_not_ready_while_it_loads(self):
        with ModelFolder() as path, HeldFile(f"{path}/model.onnx") as held:
            with LoadingServer([f"--model={path}", "--deadline=1s"]) as server:
                wait_for("the loader", lambda: held.is_awaited)
                self.assertEqual((server.get("/health")[0], ready(server)), (200, 503))
                self.assertEqual(server.get(READY)[1]["Retry-After"], "1")
                self.assertEqual(gauge(server), 0)
                status, headers, _ = predict(server)
                self.assertEqual((status, headers["Retry-After"]), (503, "1"))
                held.release()
                wait_for("the model", lambda: server.get(READY)[0] == 200)
                self.assertEqual(gauge(server), 1)
                self.assertEqual(predict(server)[0], 200)
                page = server.page()
                self.assertEqual(value_of(page, "model_requests_in_flight", **CELL), 0)
                self.assertEqual(succeeded(server), 1)

    def test_a_request_waits_for_the_model(self):
        with ModelFolder() as path, HeldFile(f"{path}/model.onnx") as held:
            with LoadingServer([f"--model={path}", "--deadline=30s"]) as server:
                with concurrent.futures.ThreadPoolExecutor(1) as client:
                    answer = client.submit(predict, server)
                    wait_for(
                        "the request",
                        lambda: value_of(server.page(), "model_requests_in_flight", **CELL),
                    )
                    held.release()
                    self.assertEqual(answer.result()[0], 200)

    def test_it_stops_while_it_loads(self):
        with ModelFolder() as path, HeldFile(f"{path}/model.onnx") as held:
            with LoadingServer([f"--model={path}"]) as server:
                wait_for("the loader", lambda: held.is_awaited)
                wait_for("a line", lambda: 'msg="still loading"' in server.log(), seconds=20)
                self.assertEqual(server.stop(), 0)


class StopTest(unittest.TestCase):
    def test_it_answers_and_is_not_ready_before_it_stops(self):
        with ModelServerProcess([LONG_DRAIN]) as server:
            self.assertEqual((ready(server), gauge(server)), (200, 1))
            os.kill(server.pid, signal.SIGTERM)
            wait_for("not ready", lambda: server.get(READY)[0] == 503)
            self.assertEqual((ready(server), gauge(server)), (503, 0))
            self.assertEqual((server.get("/health")[0], predict(server)[0]), (200, 200))
            self.assertEqual(server.stop(), 0)

    def test_it_stops_in_the_time_that_its_unit_has(self):
        with ModelServerProcess(["--drain-time=2s"]) as server:  # the default
            self.assertEqual(server.stop(STOP_SECONDS), 0)

    def test_requests_that_take_long_do_not_keep_it(self):
        rows = inference([[0.1] * 6] * 1000)
        head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Type: {JSON}\r\n"
        request = f"{head}Content-Length: {len(rows)}\r\n\r\n".encode() + rows
        with ModelServerProcess(["--workers=1", "--deadline=600s"]) as server:
            clients = []
            try:
                for _ in range(200):
                    clients.append(socket.create_connection(("127.0.0.1", server.port), 10))
                    clients[-1].sendall(request)
                self.assertEqual(server.stop(STOP_SECONDS), 0)
            finally:
                for client in clients:
                    client.close()


class ReloadTest(unittest.TestCase):
    @staticmethod
    def change(path, window):
        """Another manifest of the same name and version."""
        with open(f"{path}/manifest.json", encoding="utf-8") as file:
            manifest = json.load(file)
        manifest["psi_threshold"] = {window: 0.5}
        with open(f"{path}/new", "w", encoding="utf-8") as file:
            json.dump(manifest, file)
        os.replace(f"{path}/new", f"{path}/manifest.json")

    @staticmethod
    def reload(server, event):
        """Has it load the folder, and waits for what it says of that."""
        before = server.log().count(event)
        os.kill(server.pid, signal.SIGHUP)
        wait_for(event, lambda: server.log().count(event) > before, details=server.log)

    def test_what_is_the_same_is_not_loaded(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}"]) as server:
            server.predict(GOOD)
            before = server.get("/metrics")[2]
            self.reload(server, "msg=unchanged")
            self.assertEqual(server.get("/metrics")[2], before)

    def test_failures_and_requests_are_counted_on(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}"]) as server:
            server.predict(GOOD)
            os.rename(f"{path}/model.onnx", f"{path}/away")
            self.reload(server, 'msg="reload failed"')
            os.rename(f"{path}/away", f"{path}/model.onnx")
            self.change(path, "7d")
            self.reload(server, "msg=reloaded")
            server.predict(GOOD)
            page = server.page()
            self.assertEqual(value_of(page, "model_load_failures_total"), 1)
            self.assertEqual(succeeded(server), 2)
            # What is of the inputs begins anew: the bins may be others.
            self.assertEqual(value_of(page, "input_window_size"), 1)
            [threshold] = page["model_reference_psi_threshold"].samples
            self.assertIn(("window", "7d"), threshold.labels)

    def test_a_bad_path_in_the_log_is_one_line(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}"]) as server:
            os.rename(f"{path}/manifest.json", f"{path}/away")
            with open(f"{path}/manifest.json", "w", encoding="utf-8") as file:
                file.write('{"name": "a\\nb", "version": "level=info forged"}')
            self.reload(server, 'msg="reload failed"')
            self.assertNotIn("\nb", server.log())
            self.assertRegex(server.log(), r'msg="reload failed" problem="[^\n]+"\n')

    def test_every_request_is_answered_while_models_are_replaced(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}"]) as server:
            is_over = threading.Event()

            def ask():
                statuses = []
                while not is_over.is_set():
                    statuses.append(predict(server)[0])
                return statuses

            with concurrent.futures.ThreadPoolExecutor(4) as clients:
                asking = [clients.submit(ask) for _ in range(4)]
                try:
                    for day in range(1, 11):
                        self.change(path, f"{day}d")
                        self.reload(server, "msg=reloaded")
                finally:
                    is_over.set()
                statuses = [status for one in asking for status in one.result()]
            self.assertEqual(set(statuses), {200})
            self.assertEqual(succeeded(server), len(statuses))
            page = server.page()
            self.assertEqual(value_of(page, "model_requests_in_flight", **CELL), 0)
            self.assertEqual(value_of(page, "model_executions_total", **CELL), len(statuses))

    def test_it_stops_while_it_loads_anew(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}"]) as server:
            with HeldFile(f"{path}/model.onnx") as held:
                os.kill(server.pid, signal.SIGHUP)
                wait_for("the loader", lambda: held.is_awaited)
                self.assertEqual((ready(server), predict(server)[0]), (200, 200))
                self.assertEqual(server.stop(), 0)

    def test_a_model_that_comes_too_late_does_not_make_it_ready(self):
        with ModelFolder() as path, ModelServerProcess([f"--model={path}", LONG_DRAIN]) as server:
            self.change(path, "7d")
            with HeldFile(f"{path}/model.onnx") as held:
                os.kill(server.pid, signal.SIGHUP)
                wait_for("the loader", lambda: held.is_awaited)
                os.kill(server.pid, signal.SIGTERM)
                wait_for("not ready", lambda: server.get(READY)[0] == 503)
            wait_for("the model", lambda: "msg=reloaded" in server.log())
            self.assertEqual((ready(server), gauge(server)), (503, 0))
            self.assertEqual(server.stop(), 0)


class FailureTest(unittest.TestCase):
    def test_a_request_without_memory_is_an_error_and_the_next_is_answered(self):
        # As JSON it takes more than ten times its size.
        large = b'{"inputs":[' + b"1," * 120_000 + b"1]}"
        with ModelServerProcess() as server:
            for _ in range(2):  # what the body itself takes is there
                status = server.request("POST", INFER, {"Content-Type": "a/b"}, body=large)[0]
                self.assertEqual(status, 415)
            with open(f"/proc/{server.pid}/statm", encoding="ascii") as statm:
                size = int(statm.read().split()[0]) * resource.getpagesize()
            most = resource.prlimit(server.pid, resource.RLIMIT_AS)[1]
            resource.prlimit(server.pid, resource.RLIMIT_AS, (size + (1 << 20), most))
            status, headers, body = server.request(
                "POST", INFER, {"Content-Type": JSON}, body=large
            )
            self.assertEqual((status, headers["Content-Type"]), (500, JSON), server.log())
            self.assertIn("error", json.loads(body))
            page = server.page()
            self.assertEqual(value_of(page, "model_requests_in_flight", **CELL), 0)
            errors = value_of(page, "model_requests_total", **CELL, api="v2", result="error")
            self.assertEqual(errors, 1)
            server.predict(GOOD)

    def test_connections_that_are_turned_away_are_counted(self):
        with ModelServerProcess(["--web.max-connections=4"]) as server:  # two from one address
            with socket.create_connection(("127.0.0.1", server.port)), socket.create_connection(
                ("127.0.0.1", server.port)
            ):
                wait_for("a refusal", lambda: self.status(server) != 200)
            wait_for("an answer", lambda: self.status(server) == 200)
            events = value_of(server.page(), "model_http_events_total", event="connection_refused")
            self.assertGreaterEqual(events, 1)
            self.assertRegex(server.log(), "msg=limits connections=4 connections_per_source=2")

    @staticmethod
    def status(server):
        """Of a connection that may be turned away before the request is read: None then."""
        try:
            return server.get("/health")[0]
        except OSError:
            return None


if __name__ == "__main__":
    unittest.main()
