"""A server in place of the model server, which answers as it is told."""

import http.server
import json
import threading
import urllib.parse
from typing import NamedTuple

GOOD = json.dumps({"prediction_result": "0.25"}).encode()


class Asked(NamedTuple):
    path: str
    headers: dict
    body: bytes

    def inputs(self):
        return json.loads(urllib.parse.parse_qs(self.body.decode(), strict_parsing=True)["inputs"][0])


class Server(http.server.ThreadingHTTPServer):
    """Keeps what it is asked, and answers by `answer(handler)`; a context manager."""

    daemon_threads = True

    def __init__(self, answer=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.answer = answer or (lambda handler: handler.say(200, GOOD))
        self.asked = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/prediction"

    def handle_error(self, request, client_address):
        """A client that is stopped amid an answer is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(Asked(self.path, dict(self.headers), body))
        self.server.answer(self)

    def say(self, status, body, content_type="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self):
        self.server.over.wait()

    def say_garbage(self):
        self.wfile.write(b"I am no HTTP server\r\n\r\n")

    def say_half(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def log_message(self, *_):
        pass
