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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.digests import digest
from copydesk.release.folder import Folder, explained
from copydesk.release.rows import Rows, single_rows
from copydesk.release.shards import Shard, arrow_table, parquet, shard_of
from copydesk.release.tally import Tally, article_tallies, ledger_tallies
from copydesk.schema import Schema
from copydesk.text import MARKED
from copydesk.whole import written

__all__ = ["GATHERED", "Made", "Writing", "waiting", "write_shards"]

GATHERED: Final = 12_000_000
"""Bytes of rows that a task gathers at most, unless memory is short or one shard is more. It takes eight times that;
each task opens every batch, 30 µs a document at a million of them and 5 up to a hundred thousand."""

Made = tuple[Shard, Tally]


@dataclass(frozen=True)
class Writing:
    """Shards of a dataset that are to be written, to the folder in which they wait.

    `documents` are theirs, in order: `part` (the number of the shard), `file` and `row` (where the first of its rows
    is), and of articles text.MARKED, of the ledger `lines` (how many rows) and `source`.
    """

    dataset: Path
    folder: Path
    schema: Schema
    rows: Rows
    documents: pl.DataFrame

    @property
    def parts(self) -> list[int]:
        """The numbers of the shards."""
        return self.documents["part"].unique(maintain_order=True).to_list()

    @property
    def told(self) -> Path:
        """The file that says what the shards came to; named by all that they are made from."""
        documents = hashlib.sha256(self.documents.write_ipc(None).getbuffer()).hexdigest()
        files = [one.file for one in self.rows.shards], [str(path) for path in self.rows.batches]
        return self.folder / f"told-{digest([self.schema.name, self.schema.digest, *files, documents])}.json"


def waiting(folder: Path, shard: Shard) -> Path:
    """Where the file of a shard waits for the commit."""
    return folder / shard.file.replace("/", "-")


def write_shards(task: Writing) -> list[Made]:
    """Write the shards; gives what each came to. Raises ReleaseError where a row breaks the schema."""
    told = task.told
    if (done := _done(task, told)) is not None:
        return done
    tallies, sizes, whole = _gathered(task)
    made, start = [], 0
    for size, tally in zip(sizes, tallies, strict=True):
        made.append((_written(task, whole.slice(start, size), tally), tally))
        start += size
    _put(told, json.dumps([[asdict(shard), tally] for shard, tally in made]).encode())
    return made


def _done(task: Writing, told: Path) -> list[Made] | None:
    """What the task came to, where its files are waiting, or in their places already."""
    if not told.exists():
        return None
    made = [(Shard(**facts), tally) for facts, tally in json.loads(told.read_bytes())]
    there = all(waiting(task.folder, one).exists() or (task.dataset / one.file).exists() for one, _ in made)
    return made if there else None


def _gathered(task: Writing) -> tuple[list[Tally], list[int], pa.Table]:
    """The tallies of all its shards, how many rows each has, and these, one after the other."""
    documents = task.documents
    shards = documents.group_by("part", maintain_order=True)
    if task.schema.name == "article":
        sizes = shards.len()["len"].to_list()
        frame = task.rows.gather(documents).with_columns(documents.select(MARKED))
        return article_tallies(frame, sizes), sizes, arrow_table(task.schema, frame)
    sizes = shards.agg(pl.col("lines").sum())["lines"].to_list()
    frame = task.rows.gather(single_rows(documents))
    sources = documents["source"].gather(np.repeat(np.arange(documents.height), documents["lines"]))
    return ledger_tallies(frame, sources, sizes), sizes, arrow_table(task.schema, frame)


def _written(task: Writing, rows: pa.Table, tally: Tally) -> Shard:
    data = parquet(task.schema, rows, tally)
    shard = shard_of(rows, data)
    if not (task.dataset / shard.file).exists():
        _put(waiting(task.folder, shard), data)
    return shard


def _put(path: Path, data: bytes) -> None:
    with explained(path), written(path) as draft:
        Folder.write(draft, data)
