"""A Prefect server of our own on loopback, where none is configured: started, watched, started again, stopped.

    answers   whether a server answers at an address
    owned     a server on a port for as long as a block runs; one that answers there already is used and left running

It keeps its database in PREFECT_HOME, so that schedules and what happened outlast it. Runs, logs and artifacts older
than RETENTION are deleted, so that the database does not grow for ever. Leases are kept in files: in memory, as is the
default, a restart forgets who holds the one place there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from copydesk.errors import CopydeskError

__all__ = ["answers", "owned"]

RETENTION: Final = 30 * 24 * 3600
"""Seconds that Prefect keeps what happened."""

SETTINGS: Final = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(RETENTION),
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",  # at the default of 10 s, a busy machine finds the database locked
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}
PATIENCE: Final = 240.0
"""Seconds until a server has to answer: the first start makes its database, which takes long on a busy machine."""


def answers(address: str, seconds: float = 5.0) -> bool:
    """Whether a Prefect API answers at an address such as http://127.0.0.1:4200/api."""
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=seconds) as answer:  # noqa: S310 -- checked
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code in {401, 403}  # it is there and wants to know who asks
    except (OSError, ValueError):
        return False


@contextmanager
def owned(port: int) -> Iterator[str]:
    """The address of a server on a loopback port. Raises CopydeskError where it does not come up."""
    address = f"http://127.0.0.1:{port}/api"
    if answers(address):
        yield address
        return
    server = _Server(port)
    try:
        server.wait_for(address)
        yield address
    finally:
        server.stop()


class _Server:
    """A server's process and the thread that starts it again when it ends."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api"
        self._command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self._stopping = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="copydesk-server", daemon=True)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        # Its pages ask port 4200 unless they are told another address.
        surroundings = {**SETTINGS, "PREFECT_SERVER_UI_API_URL": self._address, **os.environ, "PYTHONSAFEPATH": "1"}
        return subprocess.Popen(self._command, stdout=subprocess.DEVNULL, env=surroundings)  # noqa: S603 -- our own

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._process.wait()
            if not self._stopping.wait(2.0):
                print("copydesk schedule: the Prefect server ended; starting it again", file=sys.stderr, flush=True)  # noqa: T201
                self._process = self._start()

    def wait_for(self, address: str) -> None:
        end = time.monotonic() + PATIENCE
        while not answers(address, 2.0):
            if time.monotonic() > end:
                raise CopydeskError(
                    f"{address}: the Prefect server did not come up in {PATIENCE:.0f} s; "
                    "see the lines above, free the port or choose another with --port"
                )
            time.sleep(0.5)

    def stop(self) -> None:
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
