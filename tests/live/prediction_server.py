"""A server in place of the model server, which answers as it is told."""

import json
import threading
import urllib.parse
from typing import NamedTuple

import local_server

GOOD = json.dumps({"prediction_result": "0.25"}).encode()


class Asked(NamedTuple):
    path: str
    headers: dict
    body: bytes

    def inputs(self):
        return json.loads(urllib.parse.parse_qs(self.body.decode(), strict_parsing=True)["inputs"][0])


class Server(local_server.LocalServer):
    """Keeps what it is asked, and answers by `answer(handler)`."""

    def __init__(self, answer=None, port=0):
        super().__init__(Handler, port)
        self.answer = answer or (lambda handler: handler.say(200, GOOD))
        self.asked = []
        self.over = threading.Event()
        self.url += "/prediction"

    def __exit__(self, *error):
        self.over.set()
        super().__exit__(*error)


class Handler(local_server.Handler):
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
