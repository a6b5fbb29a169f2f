"""An HTTP server of a test's own: on a free port of loopback, in a thread, gone with the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["listening"]


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], state: object) -> Iterator[str]:
    """Serve with a handler, whose requests see `state` as an attribute; gives the server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), {"state": state}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
