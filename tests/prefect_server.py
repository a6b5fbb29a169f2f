"""A Prefect server for tests: on loopback, with a database, a home and a port that no other worker of the tests has."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PATIENCE = 600
"""Seconds for the server to start, migrations and all: ten on a quiet machine."""


@contextmanager
def serving() -> Iterator[str]:
    """Run a server that flows of this process find; gives its address."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing import utilities

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utilities, "_find_available_port", port_of_this_process)
        with utilities.prefect_test_harness(server_startup_timeout=PATIENCE):
            address = PREFECT_API_URL.value()
            assert address
            yield address


def port_of_this_process() -> int:
    """A port that nobody else takes while the server starts, which is seconds after it was found to be free.

    Prefect asks the system for a free port, lets it go, and listens there much later: by then the system may have
    given it to another test. It gives none below 32768, and the number of this process sets it apart from others.
    """
    first = 10_000 + os.getpid() % 20_000
    for port in range(first, first + 100):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port from {first} on")
