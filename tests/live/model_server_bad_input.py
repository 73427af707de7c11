"""Requests that the model server has to refuse, and what of its page they may change."""

import contextlib
import json
import socket

from exposition import series_of
from model_server_process import FORM, INFER, JSON, form, inference

GOOD = [[[0.1, -0.2, 0.3, 0.0, 0.5, 0.6]]]


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
    """(status, body) of the answer to bytes that no client library sends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := client.recv(65536):
                received += chunk
    return int(received.split()[1]), received.partition(b"\r\n\r\n")[2]


RAW_POST = b"POST /prediction HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
# (status, field, reason, request): what is wrong before the body is looked at.
BAD_FRAMING = [
    (status, field, reason, RAW_POST + header.encode() + b"\r\n\r\n{}")
    for status, field, reason, header in (
        (411, "Transfer-Encoding", "framing", "Transfer-Encoding: chunked"),
        (400, "Content-Length", "framing", "Transfer-Encoding: chunked\r\nContent-Length: 2"),
        (400, "Content-Length", "framing", "Content-Length: 2\r\nContent-Length: 3"),
        (400, "Content-Length", "framing", "Content-Length: -2"),
        (400, "Content-Length", "framing", "Content-Length: 0x2"),
        (400, "Content-Length", "framing", "Content-Length: 100"),
        (413, "Content-Length", "too_large", "Content-Length: 18446744073709551615"),
        (400, "Content-Length", "framing", "Content-Length: 18446744073709551616"),
        (400, "Host", "framing", "Host: b\r\nContent-Length: 2"),
        (400, "header", "framing", "Content-Length: 2\r\nA: \x01"),
        (431, "header", "framing", "A: b\r\n" * 100 + "Content-Length: 2"),
        (415, "Content-Encoding", "type", "Content-Encoding: gzip\r\nContent-Length: 2"),
    )
] + [
    (status, "target", "framing", RAW_POST.replace(b"/prediction", target) + b"\r\n")
    for status, target in (
        (400, b"/prediction?a=%zz"),
        (400, INFER.encode() + b"?" + b"a&" * 100),
        (414, b"/prediction?" + b"a" * 4000),
    )
]


def without_refusals(page):
    """All series but those that count refused requests."""
    refusals = ("model_input_rejected_total", "model_http_events_total")
    return {
        series: value
        for series, value in series_of(page).items()
        if series.name not in refusals and ("result", "bad_request") not in series.labels
    }
