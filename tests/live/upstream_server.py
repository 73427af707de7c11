"""Upstreams for the live tests of relayed pages: good ones, and some that nobody should trust.

    with Upstream(b"a 1\\n") as upstream:
        ExporterProcess([f"--collector.upstream=name={upstream.url}"])

Each listens on a free port of 127.0.0.1 and is a context manager that stops it.
"""

import socket
import threading

from local_server import Handler, LocalServer

TEXT = "text/plain; version=0.0.4; charset=utf-8"

# Names of the host's and of Prometheus' own, and one that is nobody's.
LIES = b"""\
node_load1 666
cpu_percent 666
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 666
process_resident_memory_bytes 666
resource_exporter_build_info 666
node_scrape_collector_success{collector="cpu"} 666
up 0
honest 1
"""


class Upstream(LocalServer):
    """Serves `page`, which may be changed, also in chunks. The first answer waits for `first`."""

    def __init__(self, page=b"", content_type=TEXT, chunk_bytes=None):
        super().__init__(_PageHandler)
        self.page = page
        self.content_type = content_type
        self.chunk_bytes = chunk_bytes
        self.first = threading.Event()
        self.first.set()
        self.requests = 0
        self.answered = 0
        self.url += "/metrics"


class _PageHandler(Handler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests += 1
        page = self.server.page.replace(b"@requests@", str(self.server.requests).encode())
        if self.server.requests == 1:
            self.server.first.wait(30)
        try:
            self._answer(page)
        finally:
            self.server.answered += 1

    def _answer(self, page):
        self.send_response(200)
        self.send_header("Content-Type", self.server.content_type)
        size = self.server.chunk_bytes
        if size is None:
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(page), size):
            chunk = page[at : at + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")


class RawUpstream:
    """Accepts, and sends each client what the generator `pieces` gives, whatever it asked for."""

    def __init__(self, pieces):
        self._pieces = pieces
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._is_stopped = threading.Event()
        self._clients = []
        self._thread = threading.Thread(target=self._accept)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/metrics"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for client in self._clients:
            client.join()
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            client = threading.Thread(target=self._serve, args=(connection,))
            client.start()
            self._clients.append(client)

    def _serve(self, connection):
        with connection:
            try:
                connection.recv(65536)
                for piece in self._pieces(self._is_stopped):
                    if self._is_stopped.is_set():
                        return
                    connection.sendall(piece)
            except OSError:
                return


HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"


def silent(stopped):
    """Accepts and never answers."""
    yield from ()
    stopped.wait()


def half_silent(stopped):
    """Promises more than it sends, and does not close."""
    yield HEADER + b"Content-Length: 1000000\r\n\r\nslow 1\n"
    stopped.wait()


def dribbling(stopped):
    """Sends for ever, byte by byte."""
    yield HEADER + b"\r\n"
    while not stopped.wait(0.02):
        yield b"#"


def huge(_):
    """100 MB of a page that is right in itself."""
    yield HEADER + b"\r\n"
    for block in range(1000):
        yield b"".join(b'huge{n="%d_%d"} 1\n' % (block, line) for line in range(5000))


def lying_about_its_length(_):
    yield HEADER + b"Content-Length: 104857600\r\n\r\nlying 1\n"


def huge_header(_):
    yield b"HTTP/1.1 200 OK\r\n"
    for _ in range(100_000):
        yield b"X-Field: " + b"x" * 1000 + b"\r\n"


def garbage(_):
    yield bytes(range(256)) * 100


def garbage_page(_):
    body = bytes(range(256)) * 100
    yield HEADER + b"Content-Length: %d\r\n\r\n" % len(body) + body


def cut_page(_):
    body = b"cut 1\ncut_off 12"
    yield HEADER + b"Content-Length: %d\r\n\r\n" % len(body) + body
