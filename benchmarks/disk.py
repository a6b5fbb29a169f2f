"""What many releases of a growing corpus write, reckoned from where shards end: `python benchmarks/disk.py`.

No release is made: each step asks the rule of `copydesk/release/order.py` where the shards of what is there by now end,
and adds up the rows of those that were not there before. Printed is how often a row is written on average, with the
articles' shards of the last release, for a corpus of so many stories a week that is released in several ways. The real
thing, with manifests, card and all, is `pytest -s -m soak tests/test_many_releases.py`.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from copydesk.release import order

MONDAY: Final = 16_440
"""A Monday of 2015, in days since 1970."""


class Way(NamedTuple):
    """How a corpus is released: every so many days, so many times, from a day of the week on."""

    name: str
    every: int
    times: int
    behind: int = 0
    """Days after Sunday on which it is released."""
    sundays: bool = True
    late: float = 0.0
    """Share of the stories that come up to two weeks after their day."""


WAYS: Final = (
    Way("200 weeks, each when it is over", 7, 200),
    Way("200 weeks, each on Wednesday", 7, 200, behind=3),
    Way("200 weeks, nothing on Sundays", 7, 200, sundays=False),
    Way("200 weeks, 2 % of the stories late", 7, 200, late=0.02),
    Way("400 weeks, each when it is over", 7, 400),
    Way("200 nights", 1, 200),
)


def main() -> None:
    """Print the table."""
    each = (10, 25, 100, 400)
    print(f"{'stories a week':36}" + "".join(f"{number:>14}" for number in each))
    for way in WAYS:
        found = (written(way, number) for number in each)
        print(f"{way.name:36}" + "".join(f"{times:8.2f} ({shards:3})" for times, shards in found))


def written(way: Way, each: int) -> tuple[float, int]:
    """How often a row is written on average, and the shards of the last release."""
    draw = np.random.default_rng(each)
    days = way.every * way.times
    day = np.sort(draw.integers(0, days, each * days // 7)) + MONDAY
    if not way.sundays:
        day -= (day - MONDAY) % 7 == 6
    comes = day + np.where(draw.random(len(day)) < way.late, draw.integers(1, 15, len(day)), 0)
    weight, drawn = draw.integers(1_650, 4_950, len(day)), draw.integers(0, 1 << 32, len(day))
    seen: set[tuple[int, int, int]] = set()
    total, shards = 0, 0
    for step in range(way.times):
        there = np.flatnonzero(comes < MONDAY + way.behind + (step + 1) * way.every)
        dates = pl.Series(day[there]).cast(pl.Int32).cast(pl.Date)
        ends = order.cut(pl.Series(drawn[there]), pl.Series(weight[there]), dates)
        for start, end in pairwise([0, *ends]):
            shard = (int(there[start]), int(there[end - 1]), end - start)
            total += 0 if shard in seen else int(weight[there[start:end]].sum())
            seen.add(shard)
        shards = len(ends)
    return total / int(weight.sum()), shards


if __name__ == "__main__":
    main()
