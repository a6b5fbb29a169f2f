"""The two tables of a release, from keys in order to staged shards.

    write_articles   the articles, split by split
    write_ledger     the ledger, documents in the order of the articles; a document's rows never straddle two shards
    article_content, ledger_content   what the rows of a table say, as one hash

Only one shard's rows are in memory at a time, and of a shard that stays as it is none: where the rows that belong
together are just those of an old shard, that is the shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from copydesk.errors import ReleaseError
from copydesk.release.folder import Folder
from copydesk.release.order import cut
from copydesk.release.rows import Rows, single_rows
from copydesk.release.shards import Shard, arrow_table, parquet, read_tally, shard_of
from copydesk.release.tally import Tally, article_tally, ledger_tally
from copydesk.schema import Schema
from copydesk.text import BOOKKEEPING, MARKED

__all__ = ["CONTENT", "Written", "article_content", "ledger_content", "write_articles", "write_ledger"]

CONTENT: Final = BOOKKEEPING
"""What makes a row of the articles: its content, its names and what other documents decided."""


@dataclass
class Written:
    """What a table came to: shards by split, their tallies, staged file names, and where each document's rows are."""

    splits: dict[str, list[Shard]] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
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


def write_articles(folder: Folder, schema: Schema, rows: Rows, keys: pl.DataFrame) -> Written:
    """Stage the shards of the articles. Raises ReleaseError where a row breaks the schema."""
    parts = _parts(keys, "weight", "article")
    parts = parts.with_columns(file="article_file", row="article_row", stays=~pl.col("changed"), held=1)
    written = Written(splits={split: [] for split in parts["split"].unique(maintain_order=True)})
    for part, shard in _with_shards(folder, rows, parts):
        if shard is None:
            frame = rows.gather(part).with_columns(part.select(MARKED))
            now = _stage(folder, schema, frame, article_tally(frame), written)
        else:
            now = shard
            written.tallies.append(read_tally(folder / shard.file, article_tally))
        written.splits[part["split"][0]].append(now)
    row = pl.int_range(pl.len(), dtype=pl.UInt32).over("part")
    written.places = parts.select("id", article_file="part", article_row=row)
    return written


def write_ledger(folder: Folder, schema: Schema, rows: Rows, keys: pl.DataFrame) -> Written:
    """Stage the shards of the ledger. Raises ReleaseError where a row breaks the schema."""
    parts = _parts(keys.drop_nulls("lines"), "line_weight", "ledger")
    if not parts.height:
        raise ReleaseError("there are no ledger rows: every document is empty; give some that hold text")
    parts = parts.with_columns(file="ledger_file", row="ledger_row", stays=True, held="lines")
    written = Written(splits={"train": []})
    for part, shard in _with_shards(folder, rows, parts):
        if shard is None:
            frame = rows.gather(single_rows(part))
            now = _stage(folder, schema, frame, ledger_tally(frame, part), written)
        else:
            now = shard
            written.tallies.append(read_tally(folder / shard.file, partial(ledger_tally, documents=part)))
        written.splits["train"].append(now)
    row = (pl.col("lines").cum_sum() - pl.col("lines")).over("part")
    written.places = parts.select("id", ledger_file="part", ledger_row=row)
    return written


def _parts(keys: pl.DataFrame, weight: str, table: str) -> pl.DataFrame:
    """The documents, each with the number of the shard that it belongs to (`part`)."""
    sizes: list[int] = []
    for split in keys["split"].unique(maintain_order=True):
        some = keys.filter(pl.col("split") == split)
        sizes += np.diff(cut(some["drawn"], some[weight], some["day"], table), prepend=0).tolist()
    return keys.with_columns(
        part=pl.Series(np.repeat(np.arange(len(sizes), dtype=np.uint32), np.asarray(sizes, dtype=np.int64)))
    )


def _with_shards(folder: Folder, rows: Rows, parts: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, Shard | None]]:
    """The documents of each shard, with the old shard whose rows are just theirs.

    Those stay that are `held` rows out of one file and all of it, in its order. The order of the ledger's documents is
    another where articles moved to another split.
    """
    in_order = (pl.col("row").cast(pl.Int64).diff().fill_null(1) > 0).all()
    facts = parts.group_by("part", maintain_order=True).agg(
        pl.len(),
        pl.col("file").first(),
        pl.col("held").sum(),
        one=(pl.col("file").n_unique() == 1) & pl.col("stays").all() & in_order,
    )
    start = 0
    for _, size, file, held, one in facts.iter_rows():
        shard = rows.shard(file) if rows.reusable and one else None
        if shard is not None and shard.rows != held:
            shard = None
        if shard is not None:
            folder.check(shard.file, shard.bytes)
        yield parts[start : start + size], shard
        start += size


def _stage(folder: Folder, schema: Schema, frame: pl.DataFrame, tally: Tally, written: Written) -> Shard:
    table = arrow_table(schema, frame)
    data = parquet(schema, table, tally)
    shard = shard_of(table, data)
    written.tallies.append(tally)
    if name := folder.stage(shard.file, data):
        written.staged.append(name)
    return shard
