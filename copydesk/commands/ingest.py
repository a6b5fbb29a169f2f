"""`copydesk ingest`: raw files to a released dataset, as a Prefect flow or by plain calls."""

from __future__ import annotations

import argparse

from copydesk.commands.common import DONE, STRICT_FAILED, Commands, command
from copydesk.commands.running import add_options, ingest_as_flow, ingest_plainly, options_of

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "ingest", _ingest, "raw files to a released dataset")
    add_options(parser)
    add = parser.add_argument
    add("--relearn", action="store_true", help="learn the knowledge anew and judge everything with it")
    add("--rehash", action="store_true", help="open every file: a change that left size and time alone is found, too")
    add("--allow-shrink", action="store_true", help="let a mirror run remove over 5 %% of the articles, or a source")
    add("--dry-run", action="store_true", help="say what would happen and write nothing")
    add("--strict", action="store_true", help="exit with 1 where a document is in quarantine that nobody waived")
    add("--no-prefect", action="store_true", help="run the same stages by plain calls, without Prefect")


def _ingest(asked: argparse.Namespace) -> int:
    options = options_of(asked)
    outcome = ingest_plainly(options) if asked.no_prefect else ingest_as_flow(options)
    print(outcome.summary())
    return STRICT_FAILED if asked.strict and outcome.needs_someone else DONE
