"""Where shards end: by the calendar, so that growth at the end writes little twice."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest

from copydesk.release import order


def _weekly(weeks: int, each: int, seed: int) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Drawn numbers, bytes and days of so many rows in each of some weeks, in order."""
    draw = random.Random(seed)
    first = date(2016, 2, 1)  # a Monday
    days = sorted(first + timedelta(days=7 * week + draw.randrange(7)) for week in range(weeks) for _ in range(each))
    weights = [draw.randint(1_500, 5_000) for _ in days]
    drawn = [draw.getrandbits(32) for _ in days]
    return pl.Series(drawn), pl.Series(weights), pl.Series(days)


@pytest.mark.parametrize("each", [40, 150, 2_000])
def test_weekly_growth_writes_each_row_once(each):
    """Two hundred weeks, each released when it is over: no shard that was written is written again."""
    drawn, weights, days = _weekly(200 if each < 1_000 else 30, each, each)
    written: set[tuple[int, int]] = set()
    for end in range(each, len(days) + 1, each):
        ends = order.cut(drawn[:end], weights[:end], days[:end])
        written |= set(pairwise([0, *ends]))
    total = weights.cum_sum()
    size = sum(total[end - 1] - (total[start - 1] if start else 0) for start, end in written)
    assert size < 1.05 * total[-1]


def test_nightly_growth_writes_each_row_about_twice():
    """Into its day, and into its week when that is over."""
    drawn, weights, days = _weekly(20, 150, 5)
    written: set[tuple[int, int]] = set()
    for day in sorted(set(days)):
        end = int((days <= day).sum())
        written |= set(pairwise([0, *order.cut(drawn[:end], weights[:end], days[:end])]))
    total = weights.cum_sum()
    size = sum(total[end - 1] - (total[start - 1] if start else 0) for start, end in written)
    assert size < 2.1 * total[-1]


@pytest.mark.parametrize("seed", range(5))
def test_a_row_of_another_week_leaves_the_shards_of_all_others(seed):
    """One more row in the middle: the rows of all shards but one or two are those of before."""
    drawn, weights, days = _weekly(300, 100, seed)
    at = random.Random(seed).randrange(22_000, 29_000)
    more = [pl.concat([one[:at], pl.Series([one[at]]), one[at:]]) for one in (drawn, weights, days)]
    before, after = (order.cut(*rows) for rows in ((drawn, weights, days), more))
    kept = [end for end in before if end <= at and end in after] + [
        end for end in before if end > at and end + 1 in after
    ]
    assert len(before) > 200
    assert len(kept) >= len(before) - 2


def test_long_ago_is_in_few_shards():
    """Thirty years of weeks: the last ones have a shard each, all before them a few large ones together."""
    drawn, weights, days = _weekly(1_560, 60, 3)
    ends = order.cut(drawn, weights, days)
    assert order.RECENT <= len(ends) < order.RECENT + order.BLOCK + 150
