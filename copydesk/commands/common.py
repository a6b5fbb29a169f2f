"""What all commands share: how one is added to the parser, and the exit codes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Final

__all__ = ["DONE", "FAILED", "STRICT_FAILED", "Commands", "command", "settle_prefect"]

DONE: Final = 0
STRICT_FAILED: Final = 1
FAILED: Final = 3

Commands = argparse._SubParsersAction  # noqa: SLF001 -- argparse has no public name for it


PREFECT_DEFAULTS: Final = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s is too short on a busy machine
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the server gets its logs, the terminal ours
}
EPHEMERAL_DEFAULTS: Final = {
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",  # or it ends with 150 lines of cancelled tasks
}


def settle_prefect() -> str:
    """Set Prefect's defaults for a command, before flows are imported; which server it will use, in words."""
    for name, value in PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    if not address:
        for name, value in EPHEMERAL_DEFAULTS.items():
            os.environ.setdefault(name, value)
    return f"on {address}" if address else "on an ephemeral server"


def command(
    commands: Commands[argparse.ArgumentParser], name: str, run: Callable[[argparse.Namespace], int], told: str
) -> argparse.ArgumentParser:
    """Add a command: `run` carries it out and gives the exit code, `told` is its help."""
    parser = commands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
    parser.set_defaults(run=run)
    return parser
