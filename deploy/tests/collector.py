"""A receiver of OTLP over HTTP, which keeps the spans of traces."""

import collections
import http.server
import threading
from typing import NamedTuple


class Span(NamedTuple):
    trace: str
    id: str
    parent: str
    name: str


def fields(message: bytes) -> dict[int, list]:
    """The values of a message of protobuf by the numbers of its fields."""
    found, at = collections.defaultdict(list), 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return message[at - size:at]

    def number() -> int:
        value = shift = 0
        while True:
            byte = take(1)[0]
            value, shift = value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        read = {0: number, 1: lambda: take(8), 2: lambda: take(number()), 5: lambda: take(4)}[key & 7]
        found[key >> 3].append(read())
    return found


def spans(export: bytes) -> list[Span]:
    """The numbers are those of opentelemetry/proto/trace/v1/trace.proto."""
    return [
        Span(span[1][0].hex(), span[2][0].hex(), b"".join(span[4]).hex(), span[5][0].decode())
        for resource in fields(export)[1] for scope in fields(resource)[2] for span in map(fields, fields(scope)[2])
    ]


class Collector:
    def __init__(self):
        self.spans: list[Span] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                # One change of the list for each export: the test reads it at the same time.
                self.spans += spans(handler.rfile.read(int(handler.headers["content-length"])))
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
