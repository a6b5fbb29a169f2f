"""The order of a release's rows and where its shards end: functions of the set of rows, and of nothing else.

    read_articles, read_ledger   the key columns of the batch files: what to sort by, and how heavy a row is
    in_order                     the order itself
    cut                          where the shards end

Batches come as Arrow IPC files, read through memory maps; only keys are held in memory (about 200 bytes a document).
Rows are ordered by split, day of publication (unknown last), then id: growth appends. The ledger's documents stand in
the same order.

Where a shard ends is told by the hash of the row's own id (content-defined chunking), so that a row put in or taken out
changes its own shard and perhaps the next, and all others stay the same files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.errors import ReleaseError
from copydesk.text import MARKED

__all__ = [
    "GREATEST",
    "LEAST",
    "MEAN",
    "SPLITS",
    "Batches",
    "cut",
    "in_order",
    "read_articles",
    "read_ledger",
]

LEAST: Final = 1 << 20
MEAN: Final = 4 << 20
GREATEST: Final = 12 << 20
"""Bytes of a shard before compression. An increment rewrites about one shard for each place where it puts rows, and a
card names every shard of fifty versions: 4 MB is 250 files and a card of 0.8 MB for a gigabyte in fifty versions."""

ARTICLE_ROW: Final = 800
LEDGER_ROW: Final = 80
"""Bytes that a row takes beside its text: measured on generated stories, rounded. Only the sizes hang on them."""

SPLITS: Final = ("train", "validation", "test")
"""Order of the usual splits; others follow by name."""

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


class Batches:
    """Arrow IPC files as frames that stay on disk: uncompressed files are memory-mapped and cost no memory."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(sorted(paths))
        self.frames = [self._opened(path) for path in self.paths]

    @staticmethod
    def _opened(path: Path) -> pl.DataFrame:
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            return pl.DataFrame(pl.from_arrow(table, rechunk=False))
        except (OSError, pa.ArrowInvalid, pl.exceptions.PolarsError) as error:
            raise ReleaseError(f"{path}: cannot be read as an Arrow file ({error}); run the ingest again") from error

    def keys(self, columns: Sequence[pl.Expr]) -> pl.DataFrame:
        """Some columns of all rows, with `file` and `row` to find them again."""
        parts = [
            frame.select(
                pl.lit(number, dtype=pl.UInt32).alias("file"),
                pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
                *columns,
            )
            for number, frame in enumerate(self.frames)
        ]
        if not parts:
            raise ReleaseError("there are no rows to release: every document is in quarantine, or none was read")
        return pl.concat(parts, how="vertical_relaxed")

    def gather(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Whole rows, in the order of `rows` (file, row)."""
        wanted = rows.select("file", "row").with_row_index("place")
        parts, places = [], []
        for (number,), some in wanted.group_by("file", maintain_order=True):
            parts.append(self.frames[int(str(number))][some["row"]])
            places.append(some["place"])
        if len(parts) == 1:
            return parts[0]
        back = pl.concat(places).arg_sort()
        return pl.concat(parts, how="vertical_relaxed")[back]


def read_articles(batches: Batches, withdrawn: Sequence[str] = (), marks: pl.DataFrame | None = None) -> pl.DataFrame:
    """The keys of all articles but the withdrawn, marked as `marks` say (id and MARKED), in the order of the release.

    Raises ReleaseError on a repeated id or where there are none.
    """
    keys = batches.keys(
        [
            *(
                pl.col(name).cast(pl.String)
                for name in ("id", "uri", "source", "outlet", "raw_sha256", "content_sha256")
            ),
            *(pl.col(name).cast(pl.String) for name in MARKED),
            pl.col("published_at").dt.date().alias("day"),
            (pl.col("text").str.len_bytes() + ARTICLE_ROW).cast(pl.Int64).alias("weight"),
        ]
    )
    keys = keys.filter(~pl.col("id").is_in(list(withdrawn)))
    if not keys.height:
        raise ReleaseError("there are no articles to release: every document is in quarantine; see its reasons")
    twice = keys.filter(pl.col("id").is_duplicated()).sort("id")
    if twice.height:
        raise ReleaseError(
            f"{twice['uri'][0]} and {twice['uri'][1]} have the same id {twice['id'][0]}; rename one of the two files"
        )
    if marks is not None:
        keys = keys.drop(MARKED).join(marks.select("id", *MARKED), on="id", how="left", maintain_order="left")
        bare = keys.filter(pl.col("split").is_null())
        if bare.height:
            raise ReleaseError(f"{bare['uri'][0]}: has no mark; this is an error of copydesk, report it")
    return in_order(keys).with_row_index("rank")


def in_order(keys: pl.DataFrame) -> pl.DataFrame:
    """Rows with split, day and id in the order of a release."""
    names = [*SPLITS, *sorted(set(keys["split"].unique()) - set(SPLITS))]
    place = pl.col("split").replace_strict(names, list(range(len(names))), return_dtype=pl.UInt32)
    return keys.sort(place, "day", "id", nulls_last=True)


def read_ledger(batches: Batches, articles: pl.DataFrame) -> pl.DataFrame:
    """The runs of ledger rows (file, row, length) of all articles, in the articles' order; others are left out.

    Raises ReleaseError where an article that is not empty has no ledger rows.
    """
    size = pl.col("raw").bin.size() + pl.col("text").str.len_bytes().fill_null(0) + LEDGER_ROW
    keys = batches.keys([pl.col("id"), pl.col("line"), pl.col("span"), size.cast(pl.Int64).alias("weight")])
    runs = (
        keys.with_columns(run=pl.struct("file", "id").rle_id())
        .group_by("run", maintain_order=True)
        .agg(pl.col("file", "row", "id", "line", "span").first(), pl.col("weight").sum(), length=pl.len())
        .join(articles.select("id", "rank", "source"), on="id", how="inner")
        .sort("rank", "line", "span")
    )
    bare = articles.filter(pl.col("raw_sha256") != EMPTY_SHA256).join(runs, on="id", how="anti")
    if bare.height:
        raise ReleaseError(f"{bare['uri'][0]}: the article has no ledger rows; this is an error of copydesk, report it")
    return runs


def cut(ids: Sequence[str], weights: Sequence[int]) -> list[int]:
    """Where the shards of ordered rows end (one after the last row of each), from each row's id and bytes.

    A row ends its shard with a probability in proportion to its bytes, drawn from SHA-256 of its id, once the shard has
    LEAST bytes; a shard that would pass GREATEST ends before. So shards have MEAN bytes on average, whatever the rows.
    """
    total = np.cumsum(np.asarray(weights, dtype=np.int64))
    drawn = np.array(
        [int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") for name in ids], dtype=np.float64
    )
    may_end = np.flatnonzero(drawn * (MEAN - LEAST) < np.diff(total, prepend=0) * float(1 << 32))
    ends: list[int] = []
    start, before = 0, 0
    while start < len(total):
        least = int(np.searchsorted(total, before + LEAST))
        greatest = max(int(np.searchsorted(total, before + GREATEST, side="right")), start + 1)
        chosen = int(np.searchsorted(may_end, max(least, start)))
        end = min(int(may_end[chosen]) + 1 if chosen < len(may_end) else len(total), greatest, len(total))
        ends.append(end)
        start, before = end, int(total[end - 1])
    return ends
