"""What clients can do to the exporter over the network: nothing to it, and nothing to the others."""

import contextlib
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import time
import unittest

from exporter_process import ExporterProcess, wait_for

HONEST = "127.0.0.2"
QUIET_CPU_SECONDS = 0.02  # Within a second; sampling takes a millisecond.
GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
SMUGGLED = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


def with_fields(*fields, line=b"GET /metrics HTTP/1.1", host=b"Host: a\r\n"):
    """A request with these fields."""
    return line + b"\r\n" + host + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


def with_line(line):
    """A request with this first line."""
    return with_fields(line=line)


# What other servers may read differently, by the status that refuses it.
MALFORMED = {
    400: [
        with_line(b"GET  /metrics HTTP/1.1"),
        with_line(b"GET /metrics  HTTP/1.1"),
        with_line(b"GET /metrics HTTP/1.1 "),
        with_line(b" GET /metrics HTTP/1.1"),
        with_line(b"GET\t/metrics\tHTTP/1.1"),
        with_line(b"GET /met rics HTTP/1.1"),
        with_line(b"GET /metrics"),
        with_line(b"GET /metrics HTTP/0.9"),
        with_line(b"GET /metrics HTTP/1.2"),
        with_line(b"GET /metrics HTTP/2.0"),
        with_line(b"GET /metrics HTTP/11"),
        with_line(b"GET /metrics http/1.1"),
        with_line(b"GET /metrics FTP/1.1"),
        with_line(b"/metrics HTTP/1.1"),
        with_line(b"G@T /metrics HTTP/1.1"),
        with_line(b"G\xc3\x89T /metrics HTTP/1.1"),
        with_line(b"GET metrics HTTP/1.1"),
        with_line(b"GET ../metrics HTTP/1.1"),
        with_line(b"GET ?collect[]=cpu HTTP/1.1"),
        with_line(b"GET http://a/metrics HTTP/1.1"),
        with_line(b"OPTIONS * HTTP/1.1"),
        with_line(b"CONNECT a:80 HTTP/1.1"),
        with_line(b"GET /metrics\0 HTTP/1.1"),
        with_line(b"GET /metrics\r HTTP/1.1"),
        with_fields(host=b""),
        with_fields(b"Host: a"),
        with_fields(b"host: b"),
        with_fields(host=b"Host : a\r\n"),
        with_fields(host=b" Host: a\r\n"),
        with_fields(host=b"Host: a\r\n folded\r\n"),
        with_fields(b"A: b", b"\tfolded"),
        with_fields(b"no colon"),
        with_fields(b": nameless"),
        with_fields(b"A B: c"),
        with_fields(b"A\0: b"),
        with_fields(b"A: \0"),
        with_fields(b"A: \x01"),
        with_fields(b"A: \x7f"),
        with_fields(b"A: b\rC: d"),
        with_fields(b"A: b\nC: d"),
        with_fields(b"Transfer-Encoding: chunked"),
        with_fields(b"Transfer-Encoding: identity"),
        with_fields(b"Transfer-Encoding: \x0bchunked"),
        with_fields(b"Transfer-Encoding: chunked", line=b"GET /metrics HTTP/1.0"),
        with_fields(b"Transfer-Encoding: x", b"Content-Length: 5"),
        with_fields(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        with_fields(b"Content-Length : 5"),
        with_fields(b"Content-Length: 5", b"Content-Length: 6"),
        with_fields(b"Content-Length: 0", b"Content-Length: 0"),
        with_fields(b"Content-Length: -1"),
        with_fields(b"Content-Length: +5"),
        with_fields(b"Content-Length: 0x5"),
        with_fields(b"Content-Length: 5;"),
        with_fields(b"Content-Length: 99999999999999999999"),
        GET.replace(b"\r\n", b"\n"),
        GET.replace(b"\r\n", b"\r"),
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
    413: [
        with_fields(b"Content-Length: 5"),
        with_fields(b"Content-Length: 00"),
        with_fields(b"Content-Length: 5", line=b"POST /metrics HTTP/1.1"),
        with_fields(b"Content-Length: 18446744073709551615"),
    ],
    414: [with_line(b"GET /" + b"a" * 2048 + b" HTTP/1.1")],
    431: [
        with_fields(*[b"A: b"] * 64),
        with_fields(b"A: " + b"b" * 8192),
        with_line(b"GET /" + b"a" * 900_000 + b" HTTP/1.1"),
        with_line(b"GET /metrics?" + b"collect[]=cpu&" * 60_000 + b" HTTP/1.1"),
    ],
}


def connect(exporter, source="127.0.0.1", receive_buffer_bytes=None):
    """A connection from `source`."""
    client = socket.socket()
    client.settimeout(10)
    if receive_buffer_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    client.bind((source, 0))
    client.connect(("127.0.0.1", exporter.port))
    return client


def read_to_end(client):
    """All that comes until the exporter closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def read_reply(client):
    """(status, body) of one reply with a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += receive(client)
    header, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"\r\nContent-Length: (\d+)", header).group(1))
    while len(body) < length:
        body += receive(client)
    return int(header.split()[1]), body


def receive(client):
    """The next bytes; fails at the end of the connection."""
    chunk = client.recv(65536)
    if not chunk:
        raise AssertionError("closed in the middle of a reply")
    return chunk


def failed_collectors(page):
    """The collectors that this page says have failed."""
    values = re.findall(
        r'^node_scrape_collector_success\{collector="(.+)"\} (\d)', page.decode(), re.MULTILINE
    )
    assert values, page
    return {name for name, value in values if value != "1"}


class HttpAbuseTest(unittest.TestCase):
    """Each with an exporter of its own."""

    def start(self, *args, **kwargs):
        """An exporter that has been scraped once."""
        exporter = self.enterContext(ExporterProcess(*args, **kwargs))
        self.assertEqual(exporter.get()[0], 200)
        return exporter

    def connect_all(self, exporter, count, network, per_source=50):
        """`count` connections from the addresses 127.0.<network>.1 and up."""
        return [
            self.enterContext(connect(exporter, f"127.0.{network}.{1 + i // per_source}"))
            for i in range(count)
        ]

    def test_malformed_requests_are_refused_and_nothing_behind_them_is_served(self):
        exporter = self.start()
        for status, requests in MALFORMED.items():
            for request in requests:
                with self.subTest(request=request[:80]), connect(exporter) as client:
                    client.sendall(request + SMUGGLED)
                    reply = read_to_end(client)
                    self.assertTrue(reply.startswith(b"HTTP/1.1 %d " % status), reply)
                    self.assertIn(b"\r\nConnection: close\r\n", reply)
                    self.assertEqual(reply.count(b"HTTP/1.1 "), 1, reply)
        self.assertEqual(exporter.get()[0], 200)
        self.assertEqual(len(exporter.log().splitlines()), 2, exporter.log())  # of its start

    def test_slow_clients_are_closed_and_an_honest_one_is_always_served(self):
        exporter = self.start()
        start = time.monotonic()
        slow = self.connect_all(exporter, 120, network=1)
        readers = [
            self.enterContext(connect(exporter, "127.0.2.1", receive_buffer_bytes=1024))
            for _ in range(30)
        ]
        for client in readers:
            client.sendall(GET * 150)  # more than the kernel buffers for it

        closed_after = {}
        with selectors.DefaultSelector() as selector:
            for client in slow:
                selector.register(client, selectors.EVENT_READ)
            while time.monotonic() - start < 11:
                for key, _ in selector.select(timeout=0.1):
                    selector.unregister(key.fileobj)
                    closed_after[key.fileobj] = time.monotonic() - start
                for client in slow:
                    if client not in closed_after:
                        with contextlib.suppress(OSError):
                            client.send(b"G")
                self.assertEqual(exporter.get(source=HONEST)[0], 200)
        self.assertEqual(len(closed_after), len(slow))
        self.assertGreater(min(closed_after.values()), 4.5)
        self.assertLess(max(closed_after.values()), 6)

        _, _, page = exporter.get(source=HONEST)
        late = re.search(rb'\{event="deadline_passed"\} (\d+)', page)
        self.assertEqual(int(late.group(1)), len(slow) + len(readers))

    def test_stop_answers_what_has_come_and_closes_the_idle(self):
        exporter = self.start()
        idle = self.connect_all(exporter, 200, network=1)
        scrapers = self.connect_all(exporter, 10, network=2)
        for client in idle[::2] + scrapers:  # every other one has had a reply
            client.sendall(SMUGGLED)
            self.assertEqual(read_reply(client)[0], 200)
        for client in scrapers:
            client.sendall(GET)
        start = time.monotonic()
        os.kill(exporter.pid, signal.SIGTERM)
        for client in scrapers:
            status, body = read_reply(client)
            self.assertEqual(status, 200)
            self.assertIn(b"\nnode_", body)
            self.assertEqual(client.recv(1), b"")
            client.close()
        self.assertEqual(exporter.wait(), 0)
        self.assertLess(time.monotonic() - start, 2)
        for client in idle:
            self.assertEqual(read_to_end(client), b"")

    def test_without_descriptors_it_waits_and_is_whole_again_afterwards(self):
        limit = (64, 64)
        exporter = self.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))
        failed_before = failed_collectors(exporter.get()[2])
        clients = self.connect_all(exporter, 100, network=1, per_source=5)

        # A loop over accept() never has a quiet second: it takes all of a core.
        quiet_since, used_then = time.monotonic(), exporter.cpu_seconds()

        def is_quiet():
            nonlocal quiet_since, used_then
            used = exporter.cpu_seconds()
            if used - used_then > QUIET_CPU_SECONDS:
                quiet_since, used_then = time.monotonic(), used
            return time.monotonic() - quiet_since >= 1

        wait_for("a second of hardly any work", is_quiet, seconds=10)

        for client in clients:
            client.close()

        def is_whole():
            with contextlib.suppress(OSError):
                status, _, page = exporter.get()
                return status == 200 and failed_collectors(page) <= failed_before
            return False

        wait_for("every collector to work again", is_whole, seconds=1)

    def test_a_port_in_use_is_one_clear_line(self):
        exporter = self.start()
        address = f"127.0.0.1:{exporter.port}"
        line = self.only_line_of_failure(f"--web.listen-address={address}")
        self.assertIn(address, line)
        self.assertIn("in use", line)

    def test_text_that_is_no_address_is_one_clear_line(self):
        line = self.only_line_of_failure("--web.listen-address=localhost")
        self.assertIn("'localhost' is not host:port", line)

    def only_line_of_failure(self, *args):
        """What an exporter says that does not start."""
        command = [os.environ["RESOURCE_EXPORTER"], *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        (line,) = done.stderr.splitlines()
        return line


if __name__ == "__main__":
    unittest.main()
