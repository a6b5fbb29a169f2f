"""What the commands share that run an ingest: its options, and the two ways of running it."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from copydesk.commands.common import settle_prefect
from copydesk.locations import place

if TYPE_CHECKING:
    from copydesk.job import Options
    from copydesk.outcome import Outcome

__all__ = ["add_options", "find_our_flows", "ingest_as_flow", "ingest_plainly", "options_of"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked of an ingest, whoever runs it and when."""
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
    add(
        "--into",
        type=place,
        metavar="DIR",
        help="where datasets are kept: a folder, or a URL such as s3://bucket/prefix (default: dist)",
    )
    add("--workers", type=int, metavar="N", help="worker processes (default: 2)")
    add(
        "--runner",
        metavar="WHERE",
        help="local, or the address of a Dask scheduler whose workers do the work, such as tcp://10.0.0.1:8786 "
        "(default: local)",
    )
    add(
        "--memory",
        metavar="SIZE",
        help="the most memory that the run and its workers take together, as 1.5GB: first batches become smaller, "
        "then there are fewer workers",
    )
    add(
        "--mode",
        choices=["append", "mirror"],
        default="append",
        help="append: the article of a vanished file stays; mirror: it goes (default: append)",
    )
    add("--years", metavar="A..B", help="the documents were published in these years: decides dates without a year")
    add(
        "--duplicates",
        choices=["mark", "drop"],
        help="copies and near-copies: say what they are copies of, or leave them out of the splits as well "
        "(default: as copydesk.toml says, else mark)",
    )


def options_of(asked: argparse.Namespace) -> Options:
    """The options that were asked for; those that a command does not have are as they are by default."""
    from dataclasses import fields

    from copydesk.job import Options

    found = {one.name: getattr(asked, one.name) for one in fields(Options) if hasattr(asked, one.name)}
    return Options(**{**found, "paths": tuple(asked.paths)})


def ingest_plainly(options: Options) -> Outcome:
    """Run the stages by plain calls."""
    from copydesk.cluster import workers
    from copydesk.job import settle
    from copydesk.operation import operate
    from copydesk.review.progress import shown_progress

    print("copydesk ingest: plain calls, without Prefect", flush=True)
    job = settle(options)
    with shown_progress() as progress, workers(job, progress) as pool:
        return operate(job, pool)


def ingest_as_flow(options: Options) -> Outcome:
    """Run the flow, on the configured server or an ephemeral one."""
    print(f"copydesk ingest: Prefect flow, {settle_prefect()}", flush=True)
    from copydesk.job import settle
    from copydesk.review.progress import shown_progress

    find_our_flows()
    from flows.ingest import ingest_flow

    settle(options)  # what is wrong with the request is said before a server is started
    with shown_progress():
        outcome: Outcome = ingest_flow(**options.as_parameters())
    return outcome


def find_our_flows() -> None:
    """See that `flows` is ours: with `python -m copydesk`, a package of that name in the current folder is not."""
    import copydesk

    place = Path(copydesk.__file__).resolve().parent.parent
    spec = find_spec("flows")
    if spec is None or not spec.origin or Path(spec.origin).resolve().parent.parent != place:
        sys.path.insert(0, str(place))
        sys.modules.pop("flows", None)
