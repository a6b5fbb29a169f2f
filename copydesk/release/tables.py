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
    places: list[pl.DataFrame] = field(default_factory=list)


def article_content(keys: pl.DataFrame) -> str:
    """SHA-256 over the CONTENT columns of all articles, in order, one row on a line."""
    whole = hashlib.sha256()
    for part in keys.select(CONTENT).iter_slices(10_000):
        lines = part.select(pl.struct(CONTENT).struct.json_encode()).to_series()
        whole.update("".join(f"{line}\n" for line in lines).encode())
    return whole.hexdigest()


def ledger_content(keys: pl.DataFrame) -> str:
    """SHA-256 over each document's id and the hash of its ledger rows, in order, one document on a line."""
    whole = hashlib.sha256()
    for part in keys.drop_nulls("ledger_sha256").select("id", "ledger_sha256").iter_slices(10_000):
        whole.update("".join(f"{name} {digest.hex()}\n" for name, digest in part.iter_rows()).encode())
    return whole.hexdigest()


def write_articles(folder: Folder, schema: Schema, rows: Rows, keys: pl.DataFrame) -> Written:
    """Stage the shards of the articles. Raises ReleaseError where a row breaks the schema."""
    written = Written()
    for split in keys["split"].unique(maintain_order=True):
        shards = written.splits.setdefault(split, [])
        for part in _parts(keys.filter(pl.col("split") == split), "weight", "article"):
            wanted = part.select(file="article_file", row="article_row")
            shard = None if part["changed"].any() else _reused(folder, rows, wanted, part.height)
            if shard is None:
                frame = rows.gather(wanted).with_columns(part.select(MARKED))
                shard = _stage(folder, schema, frame, article_tally(frame), written)
            else:
                written.tallies.append(read_tally(folder / shard.file, article_tally))
            number = sum(len(some) for some in written.splits.values())
            shards.append(shard)
            written.places.append(
                part.select(
                    "id",
                    article_file=pl.lit(number, pl.UInt32),
                    article_row=pl.int_range(pl.len(), dtype=pl.UInt32),
                )
            )
    return written


def write_ledger(folder: Folder, schema: Schema, rows: Rows, keys: pl.DataFrame) -> Written:
    """Stage the shards of the ledger. Raises ReleaseError where a row breaks the schema."""
    written = Written(splits={"train": []})
    told = keys.drop_nulls("lines")
    splits = (told.filter(pl.col("split") == split) for split in told["split"].unique(maintain_order=True))
    for number, part in enumerate(part for rows_of in splits for part in _parts(rows_of, "line_weight", "ledger")):
        wanted = part.select(file="ledger_file", row="ledger_row")
        shard = _reused(folder, rows, wanted, int(part["lines"].sum()))
        if shard is None:
            frame = rows.gather(single_rows(part))
            shard = _stage(folder, schema, frame, ledger_tally(frame, part), written)
        else:
            written.tallies.append(read_tally(folder / shard.file, partial(ledger_tally, documents=part)))
        written.splits["train"].append(shard)
        row = (pl.col("lines").cum_sum() - pl.col("lines")).alias("ledger_row")
        written.places.append(part.select("id", pl.lit(number, pl.UInt32).alias("ledger_file"), row))
    if not written.places:
        raise ReleaseError("there are no ledger rows: every document is empty; give some that hold text")
    return written


def _parts(rows: pl.DataFrame, weight: str, table: str) -> Iterator[pl.DataFrame]:
    start = 0
    for end in cut(rows["drawn"], rows[weight], rows["day"], table):
        yield rows[start:end]
        start = end


def _reused(folder: Folder, rows: Rows, wanted: pl.DataFrame, number: int) -> Shard | None:
    """The old shard whose rows are just those of a part: `number` rows out of it and no other file, in its order.

    The order of the ledger's documents is another where articles moved to another split.
    """
    shard = rows.shard(wanted["file"][0]) if rows.reusable and wanted["file"].n_unique() == 1 else None
    if shard is None or shard.rows != number or not wanted["row"].is_sorted():
        return None
    folder.check(shard.file, shard.bytes)
    return shard


def _stage(folder: Folder, schema: Schema, frame: pl.DataFrame, tally: Tally, written: Written) -> Shard:
    table = arrow_table(schema, frame)
    data = parquet(schema, table, tally)
    shard = shard_of(table, data)
    written.tallies.append(tally)
    if name := folder.stage(shard.file, data):
        written.staged.append(name)
    return shard
