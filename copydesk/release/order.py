"""The order of a release's rows and where its shards end: functions of the set of rows, and of nothing else.

    in_order   the order itself
    cut        where the shards end

Rows are ordered by split, day of publication (unknown last), then id: growth appends. The ledger's documents stand in
the same order.

Where a shard ends is told by a number drawn from the row's own id (content-defined chunking), so that a row put in or
taken out changes its own shard and perhaps the next, and all others stay the same files. What comes after the last such
end, the tail, is where a corpus grows: it is cut by the same rule into smaller shards, and what is left of that into
still smaller ones, so that growth rewrites little; once the rule ends a large shard there, they are joined in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["GREATEST", "LEAST", "MEAN", "SPLITS", "TAILS", "cut", "in_order"]

LEAST: Final = 1 << 20
MEAN: Final = 4 << 20
GREATEST: Final = 12 << 20
"""Bytes of a shard before compression. An increment rewrites about one shard for each place where it puts rows, and a
card names every shard of fifty versions: 4 MB is 250 files and a card of 0.8 MB for a gigabyte in fifty versions."""

TAILS: Final = (1, 8, 64)
"""The sizes are divided by these, one after the other, for what follows the last end that the one before found."""

SPLITS: Final = ("train", "validation", "test")
"""Order of the usual splits; others follow by name."""

Numbers = NDArray[Any]


def in_order(keys: pl.DataFrame) -> pl.DataFrame:
    """Rows with split, day and id in the order of a release."""
    names = [*SPLITS, *sorted(set(keys["split"].unique()) - set(SPLITS))]
    place = pl.col("split").replace_strict(names, list(range(len(names))), return_dtype=pl.UInt32)
    return keys.sort(place, "day", "id", nulls_last=True)


def cut(drawn: Sequence[int] | pl.Series, weights: Sequence[int] | pl.Series) -> list[int]:
    """Where the shards of ordered rows end (one after the last row of each), from each row's 32 drawn bits and bytes.

    A row ends its shard with a probability in proportion to its bytes once the shard has LEAST bytes; a shard that
    would pass GREATEST ends before. So shards have MEAN bytes on average, whatever the rows.
    """
    draws, sizes = np.asarray(drawn, dtype=np.float64), np.asarray(weights, dtype=np.int64)
    ends: list[int] = []
    start = 0
    for part in TAILS:
        ends += [start + end for end in _ends(draws[start:], sizes[start:], part)]
        start = ends[-1] if ends else 0
    return ends if start == len(sizes) else [*ends, len(sizes)]


def _ends(drawn: Numbers, sizes: Numbers, part: int) -> list[int]:
    """The ends that the rule finds; after the last of them it wants more rows."""
    least, mean, greatest = LEAST // part, MEAN // part, GREATEST // part
    total = np.cumsum(sizes)
    may_end = np.flatnonzero(drawn * (mean - least) < sizes * float(1 << 32))
    ends: list[int] = []
    start, before = 0, 0
    while start < len(total):
        first = int(np.searchsorted(total, before + least))
        limit = max(int(np.searchsorted(total, before + greatest, side="right")), start + 1)
        chosen = int(np.searchsorted(may_end, max(first, start)))
        end = int(may_end[chosen]) + 1 if chosen < len(may_end) else len(total) + 1
        end = min(end, limit) if limit < len(total) else end
        if end > len(total):
            break
        ends.append(end)
        start, before = end, int(total[end - 1])
    return ends
