"""`copydesk init`: a new project folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from copydesk.commands.common import DONE, Commands, command

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "init", _init, "a new project folder; nothing that is there is overwritten")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="the folder (default: this one)"
    )


def _init(asked: argparse.Namespace) -> int:
    from copydesk.project import start

    written, kept = start(asked.folder)
    for path in written:
        print(f"written: {path}")
    for path in kept:
        print(f"kept as it is: {path}")
    where = "" if asked.folder == Path() else f"cd {asked.folder}, "
    print(f"next: {where}put raw .txt files into raw/, run `copydesk ingest`")
    return DONE
