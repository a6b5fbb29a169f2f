"""The two tables of a release, from keys in order to shards.

    laid_out         which documents' rows make which shard, and which old shards stay
    tasks            the shards that are to be written, as tasks (release/writing.py)
    written          what became of the tasks, as a manifest needs it
    article_content, ledger_content   what the rows of a table say, as one hash

A document's ledger rows never straddle two shards. Of a shard that stays as it is no row is read: where the rows that
belong together are just those of an old shard, that is the shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from copydesk.errors import ReleaseError
from copydesk.release.folder import Folder
from copydesk.release.order import cut
from copydesk.release.rows import Rows
from copydesk.release.shards import Shard, read_tally
from copydesk.release.tally import Tally, article_tally, ledger_tally
from copydesk.release.writing import Made, Writing, waiting
from copydesk.schema import Schema
from copydesk.text import BOOKKEEPING, MARKED

__all__ = ["CONTENT", "Layout", "Written", "article_content", "laid_out", "ledger_content", "tasks", "written"]

CONTENT: Final = BOOKKEEPING
"""What makes a row of the articles: its content, its names and what other documents decided."""

TASKS: Final = 16
"""Tasks of a table at least, where it is not small: enough for the workers of a machine to end together."""

SMALL: Final = 4_000_000
"""Bytes of rows that a task has at least, where a shard does not fill it: each looks into every batch."""

PLACES: Final = {
    "article": {"weight": "weight", "file": "article_file", "row": "article_row"},
    "ledger": {"weight": "line_weight", "file": "ledger_file", "row": "ledger_row"},
}
"""What is called otherwise in the keys of each table."""


@dataclass(frozen=True)
class Layout:
    """A table's documents in order, `part` being the number of their shard, and of these the old ones that stay."""

    schema: Schema
    rows: Rows
    documents: pl.DataFrame
    stay: Mapping[int, Shard]


@dataclass
class Written:
    """What a table came to: shards by split, their tallies, staged files, and where each document's rows are."""

    splits: dict[str, list[Shard]] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    staged: dict[str, Path] = field(default_factory=dict)
    places: pl.DataFrame = field(default_factory=pl.DataFrame)


def article_content(keys: pl.DataFrame) -> str:
    """SHA-256 over the CONTENT columns of all articles, in order, one row on a line."""
    return _digest(keys, pl.struct(CONTENT).struct.json_encode())


def ledger_content(keys: pl.DataFrame) -> str:
    """SHA-256 over each document's id and the hash of its ledger rows, in order, one document on a line."""
    line = pl.concat_str("id", pl.lit(" "), pl.col("ledger_sha256").bin.encode("hex"))
    return _digest(keys.drop_nulls("ledger_sha256"), line)


def _digest(rows: pl.DataFrame, line: pl.Expr) -> str:
    """SHA-256 over a text of each row, a line end behind each."""
    whole = hashlib.sha256()
    for part in rows.iter_slices(10_000):
        whole.update((part.select(line.str.join("\n")).item() + "\n").encode())
    return whole.hexdigest()


def laid_out(folder: Folder, schema: Schema, rows: Rows, keys: pl.DataFrame) -> Layout:
    """Cut the ordered keys into shards. Raises ReleaseError where an old shard is damaged, or nothing has ledger rows.

    An article stays in its old shard unless it is `changed`; of the ledger no row hangs on other documents.
    """
    named, facts = PLACES[schema.name], ("id", "source", "day", "drawn")
    if schema.name == "article":
        held = keys.select(*facts, *MARKED, **named, lines=pl.lit(1, pl.UInt32), stays=~pl.col("changed"))
    else:
        held = keys.select(*facts, "split", "lines", **named, stays=pl.lit(value=True)).drop_nulls("lines")
        if not held.height:
            raise ReleaseError("there are no ledger rows: every document is empty; give some that hold text")
    held = _parts(held, schema.name)
    return Layout(schema, rows, held.drop("day", "drawn", "stays"), dict(_staying(folder, rows, held)))


def _parts(keys: pl.DataFrame, table: str) -> pl.DataFrame:
    """The documents, each with the number of the shard that it belongs to (`part`)."""
    sizes: list[int] = []
    for split in keys["split"].unique(maintain_order=True):
        some = keys.select("split", "drawn", "weight", "day").filter(pl.col("split") == split)
        sizes += np.diff(cut(some["drawn"], some["weight"], some["day"], table), prepend=0).tolist()
    return keys.with_columns(
        part=pl.Series(np.repeat(np.arange(len(sizes), dtype=np.uint32), np.asarray(sizes, dtype=np.int64)))
    )


def _staying(folder: Folder, rows: Rows, parts: pl.DataFrame) -> Iterator[tuple[int, Shard]]:
    """The shards that stay, by number: those whose rows are out of one old shard, all of it, and in its order.

    The order of the ledger's documents is another where articles moved to another split.
    """
    if not (rows.reusable and rows.shards):
        return
    in_order = (pl.col("row").cast(pl.Int64).diff().fill_null(1) > 0).all()
    one = (pl.col("file").n_unique() == 1) & pl.col("stays").all() & in_order
    facts = parts.group_by("part", maintain_order=True).agg(pl.col("file").first(), pl.col("lines").sum(), one=one)
    for part, file, lines, _ in facts.filter("one").iter_rows():
        shard = rows.shard(file)
        if shard is not None and shard.rows == lines:
            folder.check(shard.file, shard.bytes)
            yield part, shard


def tasks(dataset: Path, layout: Layout, place: Path, most: int) -> list[Writing]:
    """The shards that are to be written to the folder `place`, some together: rows of so many bytes, or one shard."""
    left = layout.documents.filter(~pl.col("part").is_in(list(layout.stay)))
    weights = left.group_by("part", maintain_order=True).agg(pl.col("weight").sum(), pl.len())
    most = min(most, max(SMALL, int(weights["weight"].sum()) // TASKS))
    columns = ("source", *MARKED) if layout.schema.name == "article" else ("source", "lines")
    documents = left.select("part", "file", "row", *columns)
    sizes: list[int] = []
    size = most
    for weight, number in weights.select("weight", "len").iter_rows():
        if size + weight > most:
            sizes.append(0)
            size = 0
        size, sizes[-1] = size + weight, sizes[-1] + number
    ends = np.cumsum(sizes).tolist()
    slices = (documents.slice(end - number, number) for end, number in zip(ends, sizes, strict=True))
    return [Writing(dataset, place, layout.schema, layout.rows, some) for some in slices]


def written(folder: Folder, layout: Layout, done: Sequence[tuple[Writing, Sequence[Made]]]) -> Written:
    """What a table came to: the shards that stay, and what the tasks made."""
    ledger, table = layout.schema.name == "ledger", Written()
    new = {part: (task, one) for task, made in done for part, one in zip(task.parts, made, strict=True)}
    parts = layout.documents.group_by("part", maintain_order=True).agg(pl.col("split").first())
    for part, split in parts.iter_rows():
        if part in new:
            task, (shard, tally) = new[part]
            if not folder.has(shard.file, shard.bytes):
                table.staged[shard.file] = waiting(task.folder, shard)
        else:
            shard = layout.stay[part]
            of_ledger = partial(ledger_tally, documents=layout.documents)
            tally = read_tally(folder / shard.file, of_ledger if ledger else article_tally)
        table.splits.setdefault("train" if ledger else split, []).append(shard)
        table.tallies.append(tally)
    row = (pl.col("lines").cum_sum() - pl.col("lines")).over("part")
    names = {PLACES[layout.schema.name]["file"]: pl.col("part"), PLACES[layout.schema.name]["row"]: row}
    table.places = layout.documents.select("id", **names)
    return table
