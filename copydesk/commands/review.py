"""`copydesk review`: the review page of a release, or of raw files judged now."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from copydesk.commands.common import DONE, Commands, command
from copydesk.errors import UsageError
from copydesk.locations import place

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "review", _review, "the review page: raw beside clean, to look at and to put right")
    add = parser.add_argument
    add(
        "what",
        nargs="*",
        metavar="VERSION | PATH",
        help="a release of the dataset, a dataset's folder, or raw files to judge now (default: the newest release)",
    )
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)")
    add("--dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder (default: that of copydesk.toml)")
    add("--since", metavar="VERSION", help="mark what changed since this release (default: the one before)")
    add("--most", type=int, default=5_000, metavar="N", help="the N least certain documents (default: 5000)")
    add("--years", metavar="A..B", help="raw files were published in these years")
    add("--out", type=Path, metavar="FILE", help="the page to write (default: DIST/NAME/review/VERSION.html)")


def _review(asked: argparse.Namespace) -> int:
    from copydesk.review.asked import reviewed

    if asked.most < 1:
        raise UsageError(f"--most {asked.most}: show at least one document")
    versions = [one for one in asked.what if re.fullmatch(r"\d+\.\d+\.\d+", one) and not Path(one).exists()]
    paths = tuple(place(one) for one in asked.what if one not in versions)
    if len(versions) > 1 or (versions and len(paths) > 1):
        raise UsageError(f"{' '.join(asked.what)}: one release at a time, or raw files; a page shows one thing")
    page, told = reviewed(
        paths,
        versions[0] if versions else None,
        dataset=asked.dataset,
        config=asked.config,
        since=asked.since,
        most=asked.most,
        years=asked.years,
        out=asked.out,
    )
    print(f"{page}: {told}; open it in a browser")
    return DONE
