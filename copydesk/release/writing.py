"""Writing shards: a task for each stretch of a table, a function of its arguments and the files they name.

    Writing        some shards that stand one after the other: whose rows, and where these are
    write_shards   their rows to Parquet files, each with its tally; what was done already is not done again
    waiting        where the file of a shard waits for the commit

So it can run in any process, in any order, and again: files are named by their content, and `told-*.json`, which says
what the shards came to, comes last. A task's rows are gathered in one go, so that of every batch a stretch is read, and
are cut into shards as Arrow tables, without a copy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.aligned import Places, ranges
from copydesk.digests import digest
from copydesk.frugal import given_back
from copydesk.pieces import Pieces
from copydesk.release.folder import Folder, explained
from copydesk.release.rows import Opened, Rows
from copydesk.release.shards import ROW_GROUP, Shard, arrow_table, parquet
from copydesk.release.tally import ARTICLE, LEDGER, Tally, article_tallies, ledger_tallies
from copydesk.schema import Schema
from copydesk.text import MARKED
from copydesk.whole import written

__all__ = ["BESIDE", "GATHERED", "Made", "Part", "Writing", "waiting", "write_shards"]

GATHERED: Final = 24_000_000
"""Bytes of rows that a task gathers at most, unless memory is short or one shard is more: each opens every batch."""

STEP: Final = 2
"""Row groups that are turned into Arrow's types at once: of that there are several copies, of what is gathered one."""

PLACES: Final = {
    "article": ("article_file", "article_row", *MARKED),
    "ledger": ("ledger_file", "ledger_row", "lines", "source", "id", "uri"),
}
"""What of the keys says where a table's rows are, and what else of them is needed."""

BESIDE: Final = {"article": MARKED, "ledger": ("id", "uri")}
"""Columns that the rows have from the keys. Of a ledger they are a third of its bytes, which a batch leaves out."""

Made = tuple[Shard, Tally]


class Part(NamedTuple):
    """A shard: its number, and the first of its keys and the one behind its last."""

    number: int
    first: int
    end: int


@dataclass(frozen=True)
class Writing:
    """Shards of a dataset that are to be written, to the folder in which they wait.

    `keys` are those of all documents, in the order of the release, in which `parts` are stretches.
    """

    dataset: Path
    folder: Path
    schema: Schema
    rows: Rows
    keys: Pieces
    parts: tuple[Part, ...]

    def documents(self) -> pl.DataFrame:
        """The documents whose rows these are, in order.

        `part` (the number of the shard), `file`, `row` (where the first of its rows is) and `lines` (how many they
        are), and BESIDE, and of the ledger the `source`.
        """
        file, row, *others = PLACES[self.schema.name]
        found = self.keys.rows([(first, end) for _, first, end in self.parts], file, row, *others)
        numbers, firsts, ends = zip(*self.parts, strict=True)
        part = np.repeat(np.array(numbers, dtype=np.uint32), np.subtract(ends, firsts))
        found = found.rename({file: "file", row: "row"}).with_columns(part=pl.Series(part))
        if self.schema.name == "article":
            return found.with_columns(lines=pl.lit(1, pl.UInt32))
        return found.drop_nulls("lines")

    def told(self, documents: pl.DataFrame) -> Path:
        """The file that says what the shards came to; named by all that they are made from."""
        said = hashlib.sha256(documents.write_ipc(None).getbuffer()).hexdigest()
        files = [one.file for one in self.rows.shards], [str(path) for path in self.rows.batches]
        return self.folder / f"told-{digest([self.schema.name, self.schema.digest, *files, said])}.json"


def waiting(folder: Path, shard: Shard) -> Path:
    """Where the file of a shard waits for the commit."""
    return folder / shard.file.replace("/", "-")


def write_shards(task: Writing, opened: Opened) -> list[Made]:
    """Write the shards; gives what each came to. Raises ReleaseError where a row breaks the schema."""
    documents = task.documents()
    told = task.told(documents)
    if (done := _done(task, told)) is not None:
        return done
    try:
        made = _made(task, _gathered(task, documents, opened))
    finally:
        given_back()
    _put(told, json.dumps([[asdict(shard), tally] for shard, tally in made]).encode())
    return made


def _made(task: Writing, rows: _Gathered) -> list[Made]:
    given_back()  # what gathering took beside the rows: as much again
    tallies = rows.tallies()
    return [(_written(task, tables, tally), tally) for tables, tally in zip(rows.tables(), tallies, strict=True)]


def _done(task: Writing, told: Path) -> list[Made] | None:
    """What the task came to, where its files are waiting, or in their places already."""
    if not told.exists():
        return None
    made = [(Shard(**facts), tally) for facts, tally in json.loads(told.read_bytes())]
    there = all(waiting(task.folder, one).exists() or (task.dataset / one.file).exists() for one, _ in made)
    return made if there else None


@dataclass(frozen=True)
class _Gathered:
    """The rows of a task's shards: somewhere in `frame`, in the order `at`, so many in each shard.

    `documents` are theirs, `of` the number of the document of each row: of it are the columns BESIDE.
    """

    schema: Schema
    frame: pl.DataFrame
    at: Places
    sizes: Sequence[int]
    documents: pl.DataFrame
    of: Places

    def tallies(self) -> list[Tally]:
        """What each shard counts, from the columns that are needed for it alone."""
        if self.schema.name == "article":
            own = [name for name in ARTICLE if name not in MARKED]
            return article_tallies(self.frame.select(own)[self.at].with_columns(self._beside()), self.sizes)
        sources = self.documents["source"].cast(pl.Categorical).gather(self.of)
        return ledger_tallies(self.frame.select(LEDGER)[self.at], sources, self.sizes)

    def tables(self) -> Iterator[Iterator[pa.Table]]:
        """The rows of each shard in their types, a part at a time: small shards together, a large one in steps."""
        most, start = STEP * ROW_GROUP[self.schema.name], 0
        for sizes in _together(self.sizes, most):
            size = sum(sizes)
            steps = [(first, min(first + most, start + size)) for first in range(start, start + size, most)]
            if len(steps) == 1:
                table = self._table(*steps[0])
                yield from (iter([table.slice(first, one)]) for first, one in zip(_starts(sizes), sizes, strict=True))
            else:
                yield (self._table(*step) for step in steps)
            start += size

    def _table(self, start: int, end: int) -> pa.Table:
        rows = self.frame[self.at[start:end]].with_columns(self._beside(start, end))
        return arrow_table(self.schema, rows)

    def _beside(self, start: int = 0, end: int | None = None) -> pl.DataFrame:
        return self.documents.select(BESIDE[self.schema.name])[self.of[start:end]]


def _together(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Sizes one after the other, some together as long as their sum is at most so much."""
    some: list[int] = []
    for size in sizes:
        if some and sum(some) + size > most:
            yield some
            some = []
        some.append(size)
    yield some


def _starts(sizes: Sequence[int]) -> list[int]:
    return [0, *accumulate(sizes)][:-1]


def _gathered(task: Writing, documents: pl.DataFrame, opened: Opened) -> _Gathered:
    frame, at = task.rows.gather(documents, opened)
    sizes = documents.group_by("part", maintain_order=True).agg(pl.col("lines").sum())["lines"].to_list()
    lines = documents["lines"].to_numpy().astype(np.int64)
    of = np.repeat(np.arange(documents.height), lines)
    return _Gathered(task.schema, frame, ranges(at, lines), sizes, documents, of)


def _written(task: Writing, tables: Iterator[pa.Table], tally: Tally) -> Shard:
    shard, data = parquet(task.schema, tables, tally)
    if not (task.dataset / shard.file).exists():
        _put(waiting(task.folder, shard), data)
    return shard


def _put(path: Path, data: bytes | memoryview) -> None:
    with explained(path), written(path) as draft:
        Folder.write(draft, data)
