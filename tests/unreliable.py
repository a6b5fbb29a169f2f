"""A line to a server that breaks as lines do: a proxy on loopback that fails, loses answers, or calls back.

`unreliable` runs one in front of an HTTP server. A test says which requests fail before they arrive, which arrive and
are answered by an error all the same, and what happens at a request, such as the death of the client.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.loopback import listening

__all__ = ["Line", "unreliable"]

Rule = Callable[[int, str], bool]
ERROR = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate</Message></Error>"


class Line:
    """The proxy: its address, what it saw, and what is to go wrong. Rules take a request's number and `PUT /path`."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.address = ""
        self.requests: list[str] = []
        self.failed = 0
        self.lock = threading.Lock()
        self.be_reliable()

    def be_reliable(self) -> None:
        """Nothing goes wrong any longer."""
        self.fail: Rule = lambda _number, _told: False
        self.lose_answer: Rule = lambda _number, _told: False
        self.before: Callable[[str], Any] = lambda _told: None
        self.after: Callable[[str], Any] = lambda _told: None


@contextmanager
def unreliable(server: str) -> Iterator[Line]:
    """Run a proxy in front of a server."""
    line = Line(server)
    with listening(_Handler, line) as line.address:
        yield line


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Line

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        line = self.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = f"{self.command} {urlsplit(self.path).path}"
        with line.lock:
            line.requests.append(told)
            number = len(line.requests)
        line.before(told)
        if line.fail(number, told):
            self._refuse()
            return
        host = urlsplit(line.server).netloc
        server = http.client.HTTPConnection(host, timeout=600)
        server.request(self.command, self.path, body, {**dict(self.headers), "Host": host})
        answer = server.getresponse()
        data = answer.read()
        server.close()
        line.after(told)
        if line.lose_answer(number, told):
            self._refuse()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "server", "date"}:
                self.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 -- the names of the base class

    def _refuse(self) -> None:
        with self.state.lock:
            self.state.failed += 1
        self.send_response(503)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(0 if self.command == "HEAD" else len(ERROR)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(ERROR)
