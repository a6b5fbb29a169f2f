"""Two releases side by side: the rows of the documents that differ, read from the shards that they do not share.

    Sides    one table of two releases
    pairs    the rows of some documents on both sides, a few shards at a time

A shard's name is its content, so what both releases name is the same in both and is never read. Of the others only the
rows asked for are kept, and of the older side only a few shards are held at once: rows stand in much the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.errors import VerifyError
from copydesk.release.manifest import Manifest
from copydesk.release.shards import Shard

__all__ = ["Side", "own_shards", "pairs", "read_shard"]

HELD: Final = 4


def own_shards(manifest: Manifest, other: Manifest | None, table: str) -> tuple[Shard, ...]:
    """The shards of a table that the other release does not have; all where there is no other."""
    shared = {shard.file for shard in other.shards(table)} if other else set()
    return tuple(shard for shard in manifest.shards(table) if shard.file not in shared)


def read_shard(path: Path, columns: Sequence[str] | None, ids: pl.Series | None = None) -> pl.DataFrame:
    """Some columns of a shard (None: all; those it does not have are left out), and only the rows of `ids`."""
    try:
        rows = pl.scan_parquet(path)
        if ids is not None:
            rows = rows.filter(pl.col("id").is_in(ids.implode()))
        held = rows.collect_schema().names()
        return rows.select(held if columns is None else [name for name in columns if name in held]).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise VerifyError(f"{path}: cannot be read ({error}); run copydesk verify") from error


@dataclass(frozen=True)
class Side:
    """One table of one release, as far as the other release does not share it."""

    dataset: Path
    shards: tuple[Shard, ...]

    def places(self, ids: pl.Series) -> pl.DataFrame:
        """Columns id and shard (its number) of the documents."""
        parts = [
            read_shard(self.dataset / shard.file, ["id"], ids).unique().with_columns(shard=pl.lit(number, pl.UInt32))
            for number, shard in enumerate(self.shards)
        ]
        return pl.concat([pl.DataFrame(schema={"id": pl.String(), "shard": pl.UInt32()}), *parts])


def pairs(
    before: Side, after: Side, ids: pl.Series, columns: Sequence[str] | None = None
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """(rows before, rows after) of the documents, for each shard of the newer side that holds some."""
    old, new = before.places(ids), after.places(ids)

    @lru_cache(maxsize=HELD)
    def held(number: int) -> pl.DataFrame:
        return read_shard(before.dataset / before.shards[number].file, columns, ids)

    for number, shard in enumerate(after.shards):
        some = new.filter(shard=number)["id"]
        if some.len():
            numbers = old.filter(pl.col("id").is_in(some.implode()))["shard"].unique().sort()
            found = [held(place).filter(pl.col("id").is_in(some.implode())) for place in numbers]
            later = read_shard(after.dataset / shard.file, columns, some)
            yield (pl.concat(found) if found else later.clear()), later
