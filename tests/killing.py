"""The death of a program at a moment that a test chooses: when a server that it talks to gets a certain request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import count

__all__ = ["Death", "dying"]

Death = Callable[[str], None]
"""Takes a request, `PUT /path`, before or after it is answered; several threads of a server may call it at once."""


def dying(
    command: Sequence[str],
    environment: Mapping[str, str],
    at: tuple[Callable[[str], bool], int],
    watched: Callable[[Death], None],
) -> int:
    """Run a program and kill it with SIGKILL at the nth request of a kind; its exit code.

    `watched` tells the server whom to call: it is called before the program starts, so that no request is missed.
    """
    kind, number = at
    numbers, started = count(1), Future[subprocess.Popen[bytes]]()

    def kill(told: str) -> None:
        if kind(told) and next(numbers) == number:  # counted and looked at in one step, or two threads miss it
            started.result().kill()
            started.result().wait()

    watched(kill)
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        started.set_result(process)
    return process.returncode
