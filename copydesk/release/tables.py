"""The two tables of a release, from keys in order to shards.

    laid_out         which documents' rows make which shard, and which old shards stay
    tasks            the shards that are to be written, as tasks (release/writing.py)
    written          what became of the tasks, as a manifest needs it
    placed           the keys, with the places that their rows have now
    article_content, ledger_content   what the rows of a table say, as one hash

A document's ledger rows never straddle two shards. Of a shard that stays as it is no row is read: where the rows that
belong together are just those of an old shard, that is the shard. Keys are in a file; of all of them at once, a few
numbers are in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.errors import ReleaseError
from copydesk.pieces import Pieces
from copydesk.release.folder import Folder
from copydesk.release.order import cut
from copydesk.release.rows import Rows
from copydesk.release.shards import Shard, read_tally
from copydesk.release.tally import Tally, article_tally, ledger_tally
from copydesk.release.writing import Made, Part, Writing, waiting
from copydesk.schema import Schema
from copydesk.text import BOOKKEEPING

__all__ = [
    "CONTENT",
    "DIGESTS",
    "Layout",
    "Written",
    "article_content",
    "laid_out",
    "ledger_content",
    "placed",
    "tasks",
    "written",
]

CONTENT: Final = BOOKKEEPING
"""What makes a row of the articles: its content, its names and what other documents decided."""

DIGESTS: Final = ("id", "ledger_sha256")

TASKS: Final = 6
"""Tasks of a table at least, where it is not small: enough for a few workers to end together."""

SMALL: Final = 8_000_000
"""Bytes of rows that a task has at least, where a shard does not fill it: each looks into every batch, and counts for
all its shards at once, which takes 12 ms whatever it writes."""

WEIGHT: Final = {"article": "weight", "ledger": "line_weight"}

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """How a table is cut into shards: where each ends among the keys, its split, its bytes; and the old ones that stay.

    Of the ledger, documents without rows are within shards as well.
    """

    schema: Schema
    rows: Rows
    keys: Pieces
    ends: Ints
    splits: tuple[str, ...]
    weights: tuple[int, ...]
    stay: Mapping[int, Shard]

    @property
    def parts(self) -> list[Part]:
        """The shards: number, and the first of its keys and the one behind its last."""
        first = [0, *self.ends.tolist()]
        return [Part(number, *span) for number, span in enumerate(pairwise(first))]


@dataclass
class Written:
    """What a table came to: shards by split, their tallies, and staged files."""

    splits: dict[str, list[Shard]] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    staged: dict[str, Path] = field(default_factory=dict)


def article_content(keys: Iterable[pl.DataFrame]) -> str:
    """SHA-256 over the CONTENT columns of all articles, in order, one row on a line."""
    return _digest(keys, pl.struct(CONTENT).struct.json_encode())


def ledger_content(keys: Iterable[pl.DataFrame]) -> str:
    """SHA-256 over the columns DIGESTS of all documents with ledger rows, in order, one document on a line."""
    line = pl.concat_str("id", pl.lit(" "), pl.col("ledger_sha256").bin.encode("hex"))
    return _digest((some.drop_nulls("ledger_sha256") for some in keys), line)


def _digest(tables: Iterable[pl.DataFrame], line: pl.Expr) -> str:
    """SHA-256 over a text of each row, a line end behind each."""
    whole = hashlib.sha256()
    for table in tables:
        for part in table.iter_slices(10_000):
            whole.update((part.select(line.str.join("\n")).item() + "\n").encode())
    return whole.hexdigest()


def laid_out(folder: Folder, schema: Schema, rows: Rows, keys: Pieces) -> Layout:
    """Cut the ordered keys into shards. Raises ReleaseError where an old shard is damaged, or nothing has ledger rows.

    An article stays in its old shard unless it is `changed`; of the ledger no row hangs on other documents.
    """
    weight = WEIGHT[schema.name]
    held = keys.table("drawn", "day", weight)
    there = np.flatnonzero(held[weight].is_not_null().to_numpy())
    if not len(there):
        raise ReleaseError("there are no ledger rows: every document is empty; give some that hold text")
    held = held.drop_nulls(weight)
    ends: list[int] = []
    splits: list[str] = []
    for split, until in _splits(keys):
        start, end = ends[-1] if ends else 0, int(np.searchsorted(there, until))
        some = held[start:end]
        ends += [start + one for one in cut(some["drawn"], some[weight], some["day"], schema.name)]
        splits += [split] * (len(ends) - len(splits))
    starts = np.array([0, *ends[:-1]])
    weights = np.add.reduceat(held[weight].to_numpy(), starts).tolist()
    stay = dict(_staying(folder, schema.name, rows, keys, starts))
    return Layout(schema, rows, keys, there[np.array(ends) - 1] + 1, tuple(splits), tuple(weights), stay)


def _splits(keys: Pieces) -> list[tuple[str, int]]:
    """The splits in order, each with the number of the key behind its last."""
    runs: dict[str, int] = {}
    for some in keys.columns("split"):
        for split, size in some["split"].rle().struct.unnest().select("value", "len").iter_rows():
            runs[split] = runs.get(split, 0) + size
    return list(zip(runs, np.cumsum(list(runs.values())).tolist(), strict=True))


def _staying(folder: Folder, table: str, rows: Rows, keys: Pieces, starts: Ints) -> Iterator[tuple[int, Shard]]:
    """The shards that stay, by number: those whose rows are out of one old shard, all of it, and in its order.

    The order of the ledger's documents is another where articles moved to another split.
    """
    if not (rows.reusable and rows.shards):
        return
    named = [f"{table}_file", f"{table}_row"]
    held = keys.table(*named, "lines", "changed").drop_nulls(named)
    file, row = (held[name].to_numpy().astype(np.int64) for name in named)
    lines = held["lines"].to_numpy() if table == "ledger" else np.ones(held.height, np.int64)
    later = np.diff(row, prepend=-1) > 0
    later[starts] = True
    one = np.logical_and.reduceat(later & ~held["changed"].to_numpy() if table == "article" else later, starts)
    one &= np.minimum.reduceat(file, starts) == np.maximum.reduceat(file, starts)
    sizes = np.add.reduceat(lines, starts, dtype=np.int64)
    for part in np.flatnonzero(one).tolist():
        shard = rows.shard(int(file[starts[part]]))
        if shard is not None and shard.rows == sizes[part]:
            folder.check(shard.file, shard.bytes)
            yield part, shard


def tasks(dataset: Path, layout: Layout, place: Path, most: int) -> list[Writing]:
    """The shards that are to be written to the folder `place`, some together: rows of so many bytes, or one shard."""
    left = [part for part in layout.parts if part.number not in layout.stay]
    most = min(most, max(SMALL, sum(layout.weights[part.number] for part in left) // TASKS))
    found: list[list[Part]] = []
    size = most
    for part in left:
        weight = layout.weights[part.number]
        if size + weight > most:
            found.append([])
            size = 0
        size += weight
        found[-1].append(part)
    return [Writing(dataset, place, layout.schema, layout.rows, layout.keys, tuple(some)) for some in found]


def written(folder: Folder, layout: Layout, done: Sequence[tuple[Writing, Sequence[Made]]]) -> Written:
    """What a table came to: the shards that stay, and what the tasks made."""
    ledger, table = layout.schema.name == "ledger", Written()
    new = {part.number: (task, one) for task, made in done for part, one in zip(task.parts, made, strict=True)}
    for part, split in zip(layout.parts, layout.splits, strict=True):
        if part.number in new:
            task, (shard, tally) = new[part.number]
            if not folder.has(shard.file, shard.bytes):
                table.staged[shard.file] = waiting(task.folder, shard)
        else:
            shard = layout.stay[part.number]
            count = partial(_ledger_tally, keys=layout.keys, part=part) if ledger else article_tally
            tally = read_tally(folder / shard.file, count)
        table.splits.setdefault("train" if ledger else split, []).append(shard)
        table.tallies.append(tally)
    return table


def _ledger_tally(frame: pl.DataFrame, keys: Pieces, part: Part) -> Tally:
    return ledger_tally(frame, keys.rows([part[1:]], "id", "source"))


def placed(keys: Pieces, articles: Layout, ledger: Layout) -> Iterator[pl.DataFrame]:
    """The keys, each with where its rows are in the shards of these layouts."""
    number = 0
    lines = keys.table("lines")["lines"].fill_null(0).to_numpy()
    before = np.cumsum(lines, dtype=np.int64) - lines  # rows of the ledger
    for some in keys:
        at = np.arange(number, number + some.height)
        file, first = _part(articles, at)
        line_file, line_first = _part(ledger, at)
        rows = {
            "article_file": file,
            "article_row": at - first,
            "ledger_file": line_file,
            "ledger_row": before[at] - before[line_first],
        }
        new = [pl.Series(name, values, dtype=pl.Int64) for name, values in rows.items()]
        there = pl.col("lines").is_not_null()
        yield some.with_columns(new).with_columns(
            pl.when(there).then(name).alias(name) for name in ("ledger_file", "ledger_row")
        )
        number += some.height


def _part(layout: Layout, at: Ints) -> tuple[Ints, Ints]:
    """The number of the shard of these keys, and the first of the keys that are in it; the last for those behind."""
    part: Any = np.searchsorted(layout.ends, at, side="right").clip(max=len(layout.ends) - 1)
    return part, np.concatenate([[0], layout.ends])[part]
