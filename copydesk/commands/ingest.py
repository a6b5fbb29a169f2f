"""`copydesk ingest`: raw files to a released dataset, as a Prefect flow or by plain calls."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from copydesk.commands.common import DONE, STRICT_FAILED, Commands, command, settle_prefect
from copydesk.locations import place

if TYPE_CHECKING:
    from copydesk.job import Options
    from copydesk.outcome import Outcome

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "ingest", _ingest, "raw files to a released dataset")
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        type=place,
        metavar="PATH",
        help="raw files, folders or URLs (default: the sources of copydesk.toml)",
    )
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if there is one)")
    add("--name", help="the dataset's name (default: that of copydesk.toml, else the one PATH's folder name)")
    add("--into", type=Path, metavar="DIR", help="where datasets are kept (default: dist)")
    add("--workers", type=int, metavar="N", help="worker processes (default: 2)")
    add(
        "--mode",
        choices=["append", "mirror"],
        default="append",
        help="append: the article of a vanished file stays; mirror: it goes (default: append)",
    )
    add("--years", metavar="A..B", help="the documents were published in these years: decides dates without a year")
    add("--relearn", action="store_true", help="learn the knowledge anew and judge everything with it")
    add("--rehash", action="store_true", help="open every file: a change that left size and time alone is found, too")
    add("--allow-shrink", action="store_true", help="let a mirror run remove over 5 %% of the articles, or a source")
    add("--dry-run", action="store_true", help="say what would happen and write nothing")
    add("--strict", action="store_true", help="exit with 1 where a document went to quarantine")
    add("--no-prefect", action="store_true", help="run the same stages by plain calls, without Prefect")


def _ingest(asked: argparse.Namespace) -> int:
    from copydesk.job import Options

    options = Options(
        paths=tuple(asked.paths),
        config=asked.config,
        name=asked.name,
        into=asked.into,
        workers=asked.workers,
        mode=asked.mode,
        years=asked.years,
        relearn=asked.relearn,
        rehash=asked.rehash,
        allow_shrink=asked.allow_shrink,
        dry_run=asked.dry_run,
    )
    outcome = _ingest_plainly(options) if asked.no_prefect else _ingest_as_flow(options)
    print(outcome.summary())
    return STRICT_FAILED if asked.strict and outcome.refused else DONE


def _ingest_plainly(options: Options) -> Outcome:
    from copydesk.job import settle
    from copydesk.pipeline import ingest
    from copydesk.review.progress import shown_progress
    from copydesk.runner import Workers

    print("copydesk ingest: plain calls, without Prefect", flush=True)
    job = settle(options)
    with shown_progress() as progress, Workers(job.workers, progress) as pool:
        return ingest(job, pool)


def _ingest_as_flow(options: Options) -> Outcome:
    print(f"copydesk ingest: Prefect flow, {settle_prefect()}", flush=True)
    from copydesk.job import settle
    from copydesk.review.progress import shown_progress
    from flows.ingest import ingest_flow

    settle(options)  # what is wrong with the request is said before a server is started
    with shown_progress():
        outcome: Outcome = ingest_flow(**options.as_parameters())
    return outcome
