"""`copydesk explain`: line by line what was taken for what, and why."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from copydesk.commands.common import DONE, Commands, command
from copydesk.errors import UsageError
from copydesk.locations import place

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "explain", _explain, "line by line: label, fate and evidence")
    parser.add_argument("paths", nargs="+", type=place, metavar="PATH", help="raw files, folders or URLs")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)"
    )
    parser.add_argument(
        "--dataset",
        type=place,
        metavar="DIR",
        help="judge with the knowledge of this dataset's newest release: its folder, or its URL on a store",
    )
    parser.add_argument("--years", metavar="A..B", help="the documents were published in these years")
    parser.add_argument(
        "--only",
        choices=["text", "field", "dropped", "doubtful", "repaired"],
        help="only lines of this fate, lines in doubt, or lines that were repaired",
    )
    parser.add_argument("--diff", action="store_true", help="show what repairs changed, above what it became")
    parser.add_argument("--json", action="store_true", help="one JSON object per document, one document a line")


def _explain(asked: argparse.Namespace) -> int:
    from copydesk.job import Options
    from copydesk.release.remote.through import knowledge, reading
    from copydesk.review.explain import explain_files
    from copydesk.review.terminal import Look, console_for_output, print_document
    from copydesk.single import public

    if asked.json and (asked.only or asked.diff):
        raise UsageError("--only and --diff are for the terminal; --json has every line")

    options = Options(paths=tuple(asked.paths), config=asked.config, years=asked.years)
    with reading(asked.dataset, knowledge) as dataset:
        told, records = explain_files(options, dataset)
        told = told.replace(str(dataset), str(asked.dataset))  # of a dataset on a store: its URL
        print(f"copydesk explain: {told}", file=sys.stderr, flush=True)
        console = console_for_output()
        for record in records:
            if asked.json:
                print(json.dumps(public(record), ensure_ascii=False))
            else:
                print_document(record, console, Look(asked.only, asked.diff))
    return DONE
