"""What all commands share: how one is added to the parser, and the exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

__all__ = ["DONE", "FAILED", "STRICT_FAILED", "Commands", "command"]

DONE: Final = 0
STRICT_FAILED: Final = 1
FAILED: Final = 3

Commands = argparse._SubParsersAction  # noqa: SLF001 -- argparse has no public name for it


def command(
    commands: Commands[argparse.ArgumentParser], name: str, run: Callable[[argparse.Namespace], int], told: str
) -> argparse.ArgumentParser:
    """Add a command: `run` carries it out and gives the exit code, `told` is its help."""
    parser = commands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
    parser.set_defaults(run=run)
    return parser
