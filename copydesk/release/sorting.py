"""Keys in the order of a release, put in order out of core: in memory are some ten thousands, and of all eight bytes.

    sort_keys   keys in any order, a table at a time, to a file of them in the order of the release

They are laid down as they come and counted by split and day, which is what a release is ordered by. By these counts
they are parted into ranges of the order, large days by their ids, which are hashes; then range after range is sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.errors import ReleaseError
from copydesk.pieces import Pieces, keep, plain, read, together
from copydesk.release.marks import numbers
from copydesk.release.order import in_order
from copydesk.whole import written

__all__ = ["sort_keys"]

TOGETHER: Final = 16_000
"""Keys that are parted at once: 8 MB."""

RANGE: Final = 32_000
"""Keys of a range, of which there are up to three times as many where days are large."""

FILES: Final = 500
"""Ranges at most: each has a file that is open while keys are parted."""


def sort_keys(keys: Iterable[pl.DataFrame], schema: pl.Schema, place: Path) -> Pieces:
    """The keys (with split, day, id and uri) in the order of a release, in a file in the folder `place`.

    Raises ReleaseError where two have the same id.
    """
    counts, ids = [pl.DataFrame(schema={"split": pl.String, "day": pl.Date, "len": pl.UInt32})], []

    def counted() -> Iterator[pl.DataFrame]:
        for some in together(keys, TOGETHER):
            counts.append(some.group_by("split", "day").len())
            ids.append(numbers(some["id"]))
            yield some

    came = keep(place / "keys.came", schema, counted())
    _check_ids(came, np.concatenate([np.zeros(0, np.uint64), *ids]))
    with written(place / "keys.arrow") as draft:
        kept = keep(draft, schema, _sorted(came, _ranges(pl.concat(counts)), place))
    came.path.unlink()
    return Pieces(place / "keys.arrow", kept.ends)


def _check_ids(keys: Pieces, found: Any) -> None:
    found.sort()
    if not len(twice := found[1:][found[1:] == found[:-1]]):
        return
    alike = [some.filter(np.isin(numbers(some["id"]), twice)) for some in keys.columns("id", "uri")]
    same = pl.concat(alike).filter(pl.col("id").is_duplicated()).sort("id")
    if same.height:
        raise ReleaseError(
            f"{same['uri'][0]} and {same['uri'][1]} have the same id {same['id'][0]}; rename one of the two files"
        )


def _ranges(counts: pl.DataFrame) -> pl.DataFrame:
    """Of each split and day the range that its keys are in (`first`), or the first of the several (`parts`)."""
    days = counts.group_by("split", "day").agg(pl.col("len").cast(pl.Int64).sum())
    days = in_order(days, ("day",))
    size = max(RANGE, days["len"].sum() // FILES)
    before = pl.col("len").cum_sum() - pl.col("len")
    # A large day's parts end before the range of the next day begins.
    return days.select("split", "day", first=before // size, parts=(pl.col("len") // size).clip(1))


def _sorted(came: Pieces, ranges: pl.DataFrame, place: Path) -> Iterator[pl.DataFrame]:
    """The keys, range by range in order."""
    for path in [came.path] if 0 < came.height <= RANGE else _parted(came, ranges, place):
        yield in_order(pl.concat(read(path)))
        if path != came.path:
            path.unlink()


def _parted(came: Pieces, ranges: pl.DataFrame, place: Path) -> list[Path]:
    """The keys in a file for each range."""
    writers: dict[int, Any] = {}
    with ExitStack() as stack:
        for some in came:
            at = some.join(ranges, on=["split", "day"], how="left", nulls_equal=True, maintain_order="left")
            share = pl.Series(numbers(at["id"]) >> np.uint64(32)).cast(pl.Int64)  # of 2^32
            number = at["first"] + (share * at["parts"]) // 2**32
            for (name,), part in some.with_columns(range=number).partition_by("range", as_dict=True).items():
                table = plain(part.drop("range"))
                if name not in writers:
                    sink = stack.enter_context(pa.OSFile(str(place / f"keys-{name:05}.part"), "wb"))
                    writers[name] = stack.enter_context(pa.ipc.new_file(sink, table.schema))
                writers[name].write_table(table)
    return [place / f"keys-{name:05}.part" for name in sorted(writers)]
