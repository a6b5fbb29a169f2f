"""`copydesk diff` and `copydesk replay`: what changed between two releases, and the newer from the older."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from copydesk.commands.common import DONE, Commands, command
from copydesk.locations import place

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from copydesk.release.manifest import Manifest
    from copydesk.release.worddiff import Piece

__all__ = ["add"]

STYLES: Final = {"gone": "red", "come": "green", "place": "dim", "same": "default"}
FIELDS: Final = ("headline", "deck", "published_at", "authors", "section", "language")
"""Fields whose values a text diff shows beside the text."""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = command(commands, "diff", _diff, "what changed between two releases, document by document, and why")
    parser.add_argument("dataset", type=place, metavar="DIST/NAME", help="the dataset's folder, or its URL on a store")
    parser.add_argument("old", metavar="OLD", help="a release, such as 1.0.0")
    parser.add_argument("new", metavar="NEW", help="a later one")
    parser.add_argument("--json", action="store_true", help="one JSON object per document, one document a line")
    parser.add_argument("--summary", action="store_true", help="only how many, by cause, rule, site, source and month")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--text", action="store_true", help="the texts of changed articles as unified diffs")
    shown.add_argument("--words", action="store_true", help="the same word by word, [-gone-] and {+come+}")
    parser.add_argument("--patch", type=Path, metavar="FILE", help="write what `replay` makes NEW of OLD with")
    parser = command(commands, "replay", _replay, "a newer release from an older one and a patch of `diff`")
    parser.add_argument(
        "dataset", type=Path, metavar="DIST/NAME", help="the folder of a dataset with the older release"
    )
    parser.add_argument("patch", type=Path, metavar="PATCH", help="what `copydesk diff --patch` wrote")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the new folder to write to")


def _diff(asked: argparse.Namespace) -> int:
    from copydesk.release.remote.through import articles_of, reading

    asked.told = str(asked.dataset)
    with reading(asked.dataset, articles_of([asked.old, asked.new], "article", "ledger")) as asked.dataset:
        return _diff_here(asked)


def _diff_here(asked: argparse.Namespace) -> int:
    from copydesk.foreign import visible
    from copydesk.release.differences import detailed
    from copydesk.release.manifest import choose, read_manifest

    before, after = (read_manifest(asked.dataset, choose(asked.dataset, one)) for one in (asked.old, asked.new))
    if asked.patch:
        _patch(asked)
        return DONE
    found = detailed(asked.dataset, before, after)
    if asked.summary:
        _tell_summary(asked, found)
    elif asked.json:
        texts = asked.text or asked.words
        for row in _with_texts(asked, before, after, found) if texts else found.iter_rows(named=True):
            print(json.dumps(row, ensure_ascii=False))
    else:
        for row in found.iter_rows(named=True):
            print(f"{row['change']:<10} {visible(row['uri'])}  ({row['cause']}{_move(row['splits'])})")
        if asked.text or asked.words:
            _tell_texts(asked, before, after, found)
        _tell_summary(asked, found)
    return DONE


def _move(splits: Sequence[str | None]) -> str:
    """From which split to which, of whatever else changed: a document that moves is named."""
    before, after = splits
    return f"; from {before} to {after}" if before and after and before != after else ""


def _patch(asked: argparse.Namespace) -> None:
    from copydesk.release.patch import write_patch

    counts = write_patch(asked.dataset, asked.old, asked.new, asked.patch)
    told = (
        f"{counts['article']} articles whole, {counts['marks']} with other duplicates or split, "
        f"{counts['removed']} gone, the ledger of {counts['ledger']}"
    )
    print(f"{asked.patch}: {asked.patch.stat().st_size} bytes make {asked.new} of {asked.old}: {told}")


def _replay(asked: argparse.Namespace) -> int:
    from copydesk.release.patch import replay

    made = replay(asked.dataset, asked.patch, asked.into)
    told = f"release {made.version} of {made.body['name']}, {made.body['documents']} articles"
    print(f"{asked.into}: {told}; every row is that of the release")
    return DONE


def _tell_summary(asked: argparse.Namespace, found: pl.DataFrame) -> None:
    from copydesk.release.changes import count_changes
    from copydesk.release.differences import summarised

    changes, by = count_changes(found), summarised(found)
    if asked.json:
        print(json.dumps({"changes": changes, **by}, ensure_ascii=False))
        return
    for change, causes in changes.items():
        print(f"{change + ':':<12}{', '.join(f'{number} ({cause})' for cause, number in causes.items())}")
    for name, counts in (by if changes else {}).items():
        unit = "lines by rule" if name == "rule" else f"by {name}"
        if counts:
            print(f"{unit + ':':<15}{', '.join(f'{key} {number}' for key, number in counts.items())}")
    told = ", ".join(f"{sum(causes.values())} {change}" for change, causes in changes.items()) or "no document differs"
    print(f"{asked.told} {asked.old} to {asked.new}: {told}")


def _changed(
    asked: argparse.Namespace, before: Manifest, after: Manifest, found: pl.DataFrame
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows before and after of each changed article, a shard at a time."""
    from copydesk.release.sides import Side, own_shards, pairs

    first = Side(asked.dataset, own_shards(before, after, "article"))
    second = Side(asked.dataset, own_shards(after, before, "article"))
    for old, new in pairs(first, second, found.filter(change="changed")["id"], ["id", "uri", "text", *FIELDS]):
        known = {row["id"]: row for row in old.iter_rows(named=True)}
        yield from ((known[row["id"]], row) for row in new.iter_rows(named=True) if row["id"] in known)


def _pieces(asked: argparse.Namespace, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Piece]:
    """The fields that differ, then the text."""
    from copydesk.foreign import visible
    from copydesk.release.worddiff import unified, words

    found: list[Piece] = []
    for name in FIELDS:
        if old.get(name) != new.get(name):
            gone, come = (visible(str(row.get(name))) for row in (old, new))
            if asked.words:
                found += [("same", f"{name}: "), ("gone", gone), ("come", come), ("same", "\n")]
            else:
                found += [("gone", f"-{name}: {gone}\n"), ("come", f"+{name}: {come}\n")]
    if old.get("text") != new.get("text"):
        found += (words if asked.words else unified)(old.get("text") or "", new.get("text") or "")
    return found


def _with_texts(
    asked: argparse.Namespace, before: Manifest, after: Manifest, found: pl.DataFrame
) -> Iterator[dict[str, Any]]:
    """The documents with the diff of their text; those without one first."""
    import polars as pl

    yield from ({**row, "diff": ""} for row in found.filter(pl.col("change") != "changed").iter_rows(named=True))
    rows = {row["id"]: row for row in found.filter(change="changed").iter_rows(named=True)}
    for old, new in _changed(asked, before, after, found):
        yield {**rows[new["id"]], "diff": _plain(asked, _pieces(asked, old, new))}


def _plain(asked: argparse.Namespace, pieces: Sequence[Piece]) -> str:
    from copydesk.release.worddiff import marked

    return marked(pieces) if asked.words else "".join(text for _, text in pieces)


def _tell_texts(asked: argparse.Namespace, before: Manifest, after: Manifest, found: pl.DataFrame) -> None:
    """The diffs, in colours on a terminal."""
    from copydesk.foreign import visible
    from copydesk.review.terminal import console_for_output

    console = console_for_output()
    for old, new in _changed(asked, before, after, found):
        names = [visible(row["uri"]) for row in (old, new)]
        print(f"\n--- {asked.old} {names[0]}\n+++ {asked.new} {names[1]}", flush=True)
        pieces = _pieces(asked, old, new)
        if console.is_terminal:
            _coloured(console, pieces)
        else:
            print(_plain(asked, pieces), end="")
    print()


def _coloured(console: Console, pieces: Sequence[Piece]) -> None:
    from rich.text import Text

    console.print(Text.assemble(*((text, STYLES[kind]) for kind, text in pieces)), end="", soft_wrap=True)
