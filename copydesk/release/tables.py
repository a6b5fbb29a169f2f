"""The two tables of a release, from keys in order to staged shards.

    write_articles   the articles, split by split
    write_ledger     the ledger, documents in the order of the articles; a document's rows never straddle two shards
    article_content  what the rows of the articles say, as one hash

Only one shard's rows are in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from copydesk.errors import ReleaseError
from copydesk.release.folder import Folder
from copydesk.release.order import Batches, cut
from copydesk.release.shards import RowDigest, Shard, arrow_table, parquet, shard_of
from copydesk.release.tally import ArticleTally, LedgerTally, reprints
from copydesk.schema import Schema
from copydesk.text import BOOKKEEPING, MARKED

__all__ = ["CONTENT", "Written", "article_content", "write_articles", "write_ledger"]

CONTENT: Final = BOOKKEEPING
"""What makes a row of the articles: its content, its names and what other documents decided."""


@dataclass
class Written:
    """What a table came to: shards by split, staged file names, counts, examples, and the hash of what it says."""

    splits: dict[str, list[Shard]] = field(default_factory=dict)
    staged: list[str | None] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    content: str = ""


def article_content(keys: pl.DataFrame) -> str:
    """SHA-256 over the CONTENT columns of all articles, in order, one row on a line."""
    whole = hashlib.sha256()
    for part in keys.select(CONTENT).iter_slices(10_000):
        lines = part.select(pl.struct(CONTENT).struct.json_encode()).to_series()
        whole.update("".join(f"{line}\n" for line in lines).encode())
    return whole.hexdigest()


def write_articles(folder: Folder, schema: Schema, batches: Batches, keys: pl.DataFrame) -> Written:
    """Stage the shards of the articles. Raises ReleaseError where a row breaks the schema."""
    written, tally = Written(content=article_content(keys)), ArticleTally()
    for split in keys["split"].unique(maintain_order=True):
        rows = keys.filter(pl.col("split") == split)
        shards = written.splits.setdefault(split, [])
        for part in _parts(rows):
            frame = _checked(schema, batches.gather(part).with_columns(part.select(MARKED)))
            tally.add(frame)
            _stage(folder, schema, frame, shards, written)
    written.counts = {**tally.counts(), "reprints": reprints(keys)}
    return written


def write_ledger(folder: Folder, schema: Schema, batches: Batches, runs: pl.DataFrame) -> Written:
    """Stage the shards of the ledger. Raises ReleaseError where a row breaks the schema."""
    written, tally = Written(splits={"train": []}), LedgerTally()
    digest = RowDigest(tuple(schema.polars))
    documents = runs.group_by("rank", maintain_order=True).agg(pl.col("id").first(), pl.col("weight").sum())
    for part in _parts(documents):
        some = runs.filter(pl.col("rank").is_between(part["rank"][0], part["rank"][-1]))
        frame = _checked(schema, batches.gather(_rows(some)))
        tally.add(frame, some.select("id", "source").unique())
        digest.update(_stage(folder, schema, frame, written.splits["train"], written))
    if not written.splits["train"]:
        raise ReleaseError("there are no ledger rows: every document is empty; give some that hold text")
    written.counts, written.examples, written.content = tally.counts(), tally.examples(), digest.hexdigest()
    return written


def _parts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    start = 0
    for end in cut(rows["id"].to_list(), rows["weight"].to_list()):
        yield rows[start:end]
        start = end


def _rows(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs (file, row, length) to single rows (file, row)."""
    numbers = pl.int_ranges(pl.col("row"), pl.col("row") + pl.col("length"), dtype=pl.UInt32)
    return runs.select("file", row=numbers).explode("row")


def _checked(schema: Schema, frame: pl.DataFrame) -> pl.DataFrame:
    frame = schema.conform(frame)
    _, faults = schema.validate(frame)
    if faults.height:
        row, name, reason = faults.row(0)
        raise ReleaseError(
            f"{frame['uri'][row]}: {name} {reason} (schema {schema.name}); "
            "this is an error of copydesk, such rows belong into quarantine: report it"
        )
    return frame


def _stage(folder: Folder, schema: Schema, frame: pl.DataFrame, shards: list[Shard], written: Written) -> Any:
    table = arrow_table(schema, frame)
    data = parquet(schema, table)
    shard = shard_of(table, data)
    shards.append(shard)
    written.staged.append(folder.stage(shard.file, data))
    return table
