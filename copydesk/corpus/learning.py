"""Learning: the surveys of all batches to the knowledge that judging needs.

    keep      a batch's survey as Parquet files, sorted by key
    Range     some of the keys: what is counted at once;  ranges: so many that each has about `rows` lines
    count     a range of all batches' surveys -> its rows of the knowledge's tables
    learn     the counts of all ranges -> the knowledge

Lines, headlines and tags are counted a range of keys at a time, so that memory holds a range and never the corpus, and
ranges can be counted side by side. A reader skips the row groups of other ranges. Keys are hashes, so that ranges are
alike in size, whatever the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from xxhash import xxh64_intdigest

from copydesk.knowledge import TABLES, Knowledge
from copydesk.lines.repetition import COUNTED, counted, ordered

__all__ = ["Range", "count", "keep", "learn", "ranges"]

GROUP: Final = 4_096
"""Rows of a row group, the least that is read: a batch of 2,000 documents has some fifteen groups of lines."""


@dataclass(frozen=True)
class Range:
    """One of `of` equal parts of all 64-bit keys."""

    number: int
    of: int

    def holds(self, column: str = "key") -> pl.Expr:
        """Whether the value of a column lies in it."""
        first, end = (number * 2**64 // self.of for number in (self.number, self.number + 1))
        return pl.col(column).is_between(pl.lit(first, dtype=pl.UInt64), pl.lit(end - 1, dtype=pl.UInt64))


def keep(survey: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """Write a batch's survey into its folder."""
    for name in COUNTED.values():
        frame = survey[name]
        if "key" not in frame.columns:
            frame = frame.with_columns(key=_hashed(frame["tag"]))
        path = folder / f"survey-{name}.parquet"
        frame.sort("key", "a").write_parquet(path, compression="lz4", row_group_size=GROUP)


def _hashed(text: pl.Series) -> pl.Series:
    return pl.Series([xxh64_intdigest(one.encode()) for one in text], dtype=pl.UInt64)


def ranges(folders: Sequence[Path], rows: int) -> list[Range]:
    """The ranges to count the surveys in these folders by: none where there is no folder."""
    parts = (pl.scan_parquet(folder / "survey-lines.parquet").select(pl.len()).collect().item() for folder in folders)
    of = max(1, -(-sum(parts) // rows)) if folders else 0
    return [Range(number, of) for number in range(of)]


def count(folders: Sequence[Path], some: Range, into: Path) -> None:
    """Count a range of the surveys in these folders: a file for each table, in the folder `into`."""
    for name, surveyed in COUNTED.items():
        whole = pl.scan_parquet([folder / f"survey-{surveyed}.parquet" for folder in folders])
        found = counted(name, whole.filter(some.holds()).collect().lazy()).cast(pl.Schema(TABLES[name])).collect()
        found.write_parquet(into / f"{name}.parquet", compression="lz4")


def learn(counts: Sequence[Path], folders: Sequence[Path], profiles: str) -> Knowledge:
    """The knowledge that the counts in the folders `counts` add up to.

    `folders` are the batches' that were counted; `profiles` is the digest of those in force.
    """
    tables = {name: _scanned([one / f"{name}.parquet" for one in counts], TABLES[name]) for name in COUNTED}
    documents = sum(pl.scan_ipc(folder / "documents.arrow").select(pl.len()).collect().item() for folder in folders)
    return Knowledge(**ordered(tables), profiles=profiles, documents=documents)


def _scanned(paths: Sequence[Path], schema: pl.Schema) -> pl.LazyFrame:
    return pl.scan_parquet(list(paths)) if paths else pl.LazyFrame(schema=schema)
