"""The order of a release's rows and where its shards end: functions of the set of rows, and of nothing else.

    in_order   the order itself
    cut        where the shards end

Rows are ordered by split, day of publication (unknown last), then id: growth appends. The ledger's documents stand in
the same order.

Where a shard ends is told by a number drawn from the row's own id (content-defined chunking), so that a row put in or
taken out changes its own shard and perhaps the next, and all others stay the same files. What comes after the last such
end, the tail, is where a corpus grows: it is cut by the same rule into smaller shards, so that growth rewrites little;
once the rule ends a large shard there, they are joined in it. So a row is written about twice in the life of a dataset
that grows at its end. Fewer times would take more shards: with n of them, r equal steps of growth write every row at
least 2 - n/r times on average, since a shard that spans several steps holds rows that were in another one before.

The card names every shard of the articles of fifty versions, which bounds their number; it names those of one ledger,
which therefore has more and smaller ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["GREATEST", "LEAST", "MEAN", "SHARE", "SPLITS", "TAIL", "cut", "in_order"]

LEAST: Final = 1 << 18
MEAN: Final = 1 << 20
GREATEST: Final = 3 << 20
"""Bytes of a shard of the articles before compression, at the beginning; those of the ledger have a quarter."""

SHARE: Final = {"article": 48, "ledger": 96}
"""Further on, the mean size of a shard is this part of all that stands before it, so that the number of shards grows
with the logarithm of the corpus only: some 80 for the articles of 80 MB, 140 of 350 MB, 250 of 3.5 GB."""

LARGEST: Final = 32
"""What the sizes are multiplied by at most: a shard is held in memory whole."""

TAIL: Final = {"article": 16, "ledger": 4}
"""The sizes are divided by this in the tail: 64 kB both, for smaller files are mostly footer."""

SPLITS: Final = ("train", "validation", "test")
"""Order of the usual splits; others follow by name."""

Numbers = NDArray[Any]


def in_order(keys: pl.DataFrame) -> pl.DataFrame:
    """Rows with split, day and id in the order of a release."""
    names = [*SPLITS, *sorted(set(keys["split"].unique()) - set(SPLITS))]
    place = pl.col("split").replace_strict(names, list(range(len(names))), return_dtype=pl.UInt32)
    return keys.sort(place, "day", "id", nulls_last=True)


def cut(drawn: Sequence[int] | pl.Series, weights: Sequence[int] | pl.Series, table: str = "article") -> list[int]:
    """Where the shards of ordered rows end (one after the last row of each), from each row's 32 drawn bits and bytes.

    A row ends its shard with a probability in proportion to its bytes once the shard has the least size; a shard that
    would pass the greatest ends before. So shards have the mean size on average, whatever the rows.
    """
    draws, weight = np.asarray(drawn, dtype=np.float64), np.asarray(weights, dtype=np.int64)
    base = 1.0 if table == "article" else 0.25
    before = np.cumsum(weight) - weight
    size = np.clip(np.floor(before * 16 / (SHARE[table] * MEAN)) / 16, base, base * LARGEST)  # steps: growth moves few
    ends = _ends(draws, weight, size)
    start = ends[-1] if ends else 0
    ends += [start + end for end in _ends(draws[start:], weight[start:], size[start:] / TAIL[table])]
    return ends if (ends[-1] if ends else 0) == len(weight) else [*ends, len(weight)]


def _ends(drawn: Numbers, weight: Numbers, size: Numbers) -> list[int]:
    """The ends that the rule finds, the sizes being multiplied by `size` at each row; after the last it wants more."""
    total = np.cumsum(weight)
    may_end = np.flatnonzero(drawn * size * (MEAN - LEAST) < weight * float(1 << 32))
    ends: list[int] = []
    start, before = 0, 0
    while start < len(total):
        first = int(np.searchsorted(total, before + LEAST * size[start]))
        limit = max(int(np.searchsorted(total, before + GREATEST * size[start], side="right")), start + 1)
        chosen = int(np.searchsorted(may_end, max(first, start)))
        end = int(may_end[chosen]) + 1 if chosen < len(may_end) else len(total) + 1
        end = min(end, limit) if limit < len(total) else end
        if end > len(total):
            break
        ends.append(end)
        start, before = end, int(total[end - 1])
    return ends
