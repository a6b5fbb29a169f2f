"""The order of a release's rows and where its shards end: functions of the set of rows, and of nothing else.

    in_order   the order itself; of all keys in sorting.py
    cut        where the shards end

Rows are ordered by split, day of publication (unknown last), then id: growth appends. The ledger's documents stand in
the same order.

Where a shard ends hangs on the rows alone, and on few of them, so that a row put in or taken out changes its own shard
and perhaps the next, and all others stay the same files. What is dated is cut by the calendar: a shard is a week. Until
its Sunday has come, the last week is cut into days. So who ingests a week at a time writes each row once, and who
ingests every night twice. Weeks with little in them are joined (four, sixteen, and so on, counted from a fixed Monday,
as long as together they stay small); a week that is large is cut into days, and a large day by a number drawn from each
row's own id (content-defined chunking). By that number are also cut the undated rows, which grow anywhere, and what is
of long ago, which would be many files: all but the last three to five years of weeks.

Each release holds whole files, so a file that spans several steps of growth is written several times: with n shards, r
equal steps of growth write every row at least 2 - n/r times on average. Few files or little disk: one cannot have both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["GREATEST", "LEAST", "MEAN", "SHARE", "SPLITS", "cut", "in_order"]

LEAST: Final = 1 << 18
MEAN: Final = 1 << 20
GREATEST: Final = 3 << 20
"""Bytes of a shard before compression, at the beginning; one that is cut by the calendar has no least."""

SHARE: Final = {"article": 48, "ledger": 96}
"""Further on, the mean size of a shard is this part of all that stands before it, so that the number of shards that are
cut by the rows' numbers grows with the logarithm of the corpus only."""

LARGEST: Final = 32
"""What the sizes are multiplied by at most: a shard is held in memory whole."""

TAIL: Final = 16
"""What follows the last end that the rows' numbers tell is cut into shards of this part of the size."""

JOINED: Final = 4
"""Weeks that together stay below this part of LEAST (64 kB) are one shard: smaller files are mostly footer."""

RECENT: Final = 192
"""Shards of the calendar after which a block of weeks is of long ago."""

BLOCK: Final = 64
"""Weeks that become of long ago together."""

SUNDAY: Final = 6

SPLITS: Final = ("train", "validation", "test")
"""Order of the usual splits; others follow by name."""

Numbers = NDArray[Any]


def in_order(rows: pl.DataFrame, by: Sequence[str] = ("day", "id")) -> pl.DataFrame:
    """Rows with split, day and id in the order of a release."""
    names = [*SPLITS, *sorted(set(rows["split"].unique()) - set(SPLITS))]
    place = pl.col("split").replace_strict(names, list(range(len(names))), return_dtype=pl.UInt32)
    return rows.sort(place, *by, nulls_last=True)


def cut(
    drawn: Sequence[int] | pl.Series,
    weights: Sequence[int] | pl.Series,
    days: pl.Series | None = None,
    table: str = "article",
) -> list[int]:
    """Where the shards of a split's ordered rows end: one after the last row of each.

    Of each row its 32 drawn bits, its bytes and its day (null last; without days it is as if all were null).
    """
    weight = np.asarray(weights, dtype=np.int64)
    draws, total = np.asarray(drawn, dtype=np.float64), np.cumsum(weight)
    if not len(weight) or total[-1] <= LEAST // JOINED:
        return [len(weight)] if len(weight) else []
    rows = _Rows(draws, weight, _sizes(total - weight, table))
    dated = 0 if days is None else len(days) - days.null_count()
    ends = []
    if days is not None and dated:
        ends = _by_calendar(rows, days[:dated].cast(pl.Int32).to_numpy().astype(np.int64))
    return ends + [dated + end for end in by_hash(rows.of(dated, len(weight)))]


@dataclass(frozen=True)
class _Rows:
    """Of each row the number drawn, the bytes, and what sizes are multiplied by there."""

    drawn: Numbers
    weight: Numbers
    size: Numbers

    def of(self, start: int, end: int) -> _Rows:
        """Those of them from `start` to before `end`."""
        return _Rows(self.drawn[start:end], self.weight[start:end], self.size[start:end])


def _sizes(before: Numbers, table: str) -> Numbers:
    steps = np.floor(before * 16 / (SHARE[table] * MEAN)) / 16  # steps: growth moves few
    return np.clip(steps, 1.0, LARGEST)


def _by_calendar(rows: _Rows, day: Numbers) -> list[int]:
    """Where the shards of dated rows end."""
    week = (day + 3) // 7  # the first of January 1970 was a Thursday
    parts = _units(week, rows.weight)
    old = _of_long_ago(parts, week)
    ends = by_hash(rows.of(0, old), tail=False)
    for start, end in pairwise([old, *(one for one in parts if one > old)]):
        open_week = end == len(day) and (day[-1] + 3) % 7 != SUNDAY
        one_week = week[start] == week[end - 1]
        if one_week and (open_week or _is_large(rows, start, end)) and rows.weight[start:end].sum() > LEAST // JOINED:
            ends += _by_day(rows, day, start, end)
        else:
            ends.append(end)
    return ends


def _units(week: Numbers, weight: Numbers) -> list[int]:
    """Where the units of the calendar end: weeks, those with little in them joined."""
    starts = np.flatnonzero(np.diff(week, prepend=-(1 << 40)))
    weeks, sums = week[starts], np.add.reduceat(weight, starts)
    named = weeks * 8
    for power in range(1, 8):
        node = weeks // 4**power
        first = np.flatnonzero(np.diff(node, prepend=-(1 << 40)))
        small = np.repeat(np.add.reduceat(sums, first) <= LEAST // JOINED, np.diff(first, append=len(node)))
        named[small] = node[small] * 8 + power
    changes = np.flatnonzero(np.diff(named)) + 1
    return [*(int(starts[one]) for one in changes), len(week)]


def _of_long_ago(parts: Sequence[int], week: Numbers) -> int:
    """Where what is of long ago ends: with the last block of weeks after which there are RECENT units."""
    if len(parts) <= RECENT:
        return 0
    block = week[np.asarray(parts) - 1] // BLOCK
    past = int(np.searchsorted(block, block[-RECENT]))  # the units before that one's block
    return parts[past - 1] if past else 0


def _is_large(rows: _Rows, start: int, end: int) -> bool:
    return bool(rows.weight[start:end].sum() > GREATEST * rows.size[start])


def _by_day(rows: _Rows, day: Numbers, start: int, end: int) -> list[int]:
    """Where the shards of a week end that is cut into days."""
    found = []
    for first, last in pairwise([start, *(start + 1 + np.flatnonzero(np.diff(day[start:end]))).tolist(), end]):
        large = _is_large(rows, first, last)
        found += [first + one for one in by_hash(rows.of(first, last), tail=False)] if large else [last]
    return found


def by_hash(rows: _Rows, *, tail: bool = True) -> list[int]:
    """Where the shards of rows end by the numbers drawn.

    A row ends its shard with a probability in proportion to its bytes once the shard has the least size; a shard that
    would pass the greatest ends before. So shards have the mean size on average, whatever the rows. With `tail`, what
    follows the last such end is cut into smaller ones: so growth there rewrites little.
    """
    ends = _ends(rows)
    start = ends[-1] if ends else 0
    if tail:
        rest = rows.of(start, len(rows.weight))
        ends += [start + end for end in _ends(replace(rest, size=rest.size / TAIL))]
    return ends if (ends[-1] if ends else 0) == len(rows.weight) else [*ends, len(rows.weight)]


def _ends(rows: _Rows) -> list[int]:
    """The ends that the rule finds; after the last it wants more."""
    total = np.cumsum(rows.weight)
    may_end = np.flatnonzero(rows.drawn * rows.size * (MEAN - LEAST) < rows.weight * float(1 << 32))
    ends: list[int] = []
    start, before = 0, 0
    while start < len(total):
        first = int(np.searchsorted(total, before + LEAST * rows.size[start]))
        limit = max(int(np.searchsorted(total, before + GREATEST * rows.size[start], side="right")), start + 1)
        chosen = int(np.searchsorted(may_end, max(first, start)))
        end = int(may_end[chosen]) + 1 if chosen < len(may_end) else len(total) + 1
        end = min(end, limit) if limit < len(total) else end
        if end > len(total):
            break
        ends.append(end)
        start, before = end, int(total[end - 1])
    return ends
