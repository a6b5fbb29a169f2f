"""The year that a date line leaves out: candidates with weights, and when one of them is sure enough.

`MOSCOW, November 14.` could be of any year. What speaks for one: the weekday that the first sentences name (a story
dated the 14th says `on Tuesday` of that day, seldom of the day before), the years that the page prints (the story's
own is the most frequent on 83 % of 626 dated pages and the latest on 80 %), a copyright year (it is not before the
story), a year in the file's name, the user's bounds. Each is a likelihood per year; their product, normed, are the
weights. Never the clock: without evidence all years weigh the same.

A weight decides only within bounds that the user gave, and only at `SURE`.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import operator
import re
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from copydesk.metadata import tables
from copydesk.metadata.dates import find_dates

__all__ = [
    "EARLIEST",
    "LATEST",
    "SURE",
    "Story",
    "YearEvidence",
    "candidate_years",
    "story_weekdays",
    "written_pairs",
    "year_counts",
]

EARLIEST: Final = 1995
LATEST: Final = 2035
"""Years considered where the user gives no bounds: news pages begin with the web; the end is no clock but a limit."""

SURE: Final = 0.92
"""A weight that decides, and only within the user's bounds. Set so that a wire dateline with a weekday is decided
within four years where nothing speaks against it; the price, the stories that name the day before, is told in
docs/metadata.md."""

_SAME_DAY_WIRE: Final = (0.92, 0.035, 0.01, 0.005, 0.01, 0.005, 0.015)
"""How often a story's first weekday is its dateline's day, the day before, two days before ... (mod 7; the last is the
day after). Of 23 wire datelines with a known year 21 named the same day, 1 the day before; smoothed."""

_SAME_DAY_PAGE: Final = (0.50, 0.19, 0.07, 0.08, 0.05, 0.04, 0.07)
"""The same for a page's printed date, where the story is often told a day later: 84 pages, 42 and 16 of them."""

_MOST: Final = 8
_LEAST_WEIGHT: Final = 0.01


class YearEvidence(NamedTuple):
    """What a page shows of its year."""

    weekdays: tuple[int, ...] = ()
    """The first three weekdays (Monday 0) the story names, in order; its printed one counts as certain."""
    printed_weekday: int | None = None
    wire: bool = False
    """Whether the date is a dateline's."""
    counts: tuple[tuple[int, int], ...] = ()
    """(year, times) of the years on the page."""
    copyright: int | None = None
    file_year: int | None = None
    pairs: tuple[tuple[int, int, int], ...] = ()
    """(month, day, weekday) triples written in the text: `on Monday, January 23`."""


class Story(NamedTuple):
    """What the text speaks for a year with: see the fields of these names in `YearEvidence`."""

    weekdays: tuple[int, ...] = ()
    pairs: tuple[tuple[int, int, int], ...] = ()
    counts: tuple[tuple[int, int], ...] = ()


YEAR_LIKE: Final = "(?:19|20)[0-9]{2}"
"""What a line with a year holds, for a first sieve."""

_WITH_NEIGHBOURS: Final = rf"[0-9.,$€£/-]?{YEAR_LIKE}(?:[.,]?[0-9])?"
"""A year with what would make it part of a longer number; a year alone has four characters."""


def year_counts(lines: pl.DataFrame) -> dict[int, tuple[tuple[int, int], ...]]:
    """How often each year 1995 to 2035 stands in each document's lines (doc, text), sorted."""
    found = lines.filter(pl.col("text").str.contains(YEAR_LIKE))
    named = found.select("doc", year=pl.col("text").str.extract_all(_WITH_NEIGHBOURS)).explode("year")
    years = named.filter(pl.col("year").str.len_bytes() == 4).select("doc", pl.col("year").cast(pl.Int16))
    known = years.filter(pl.col("year").is_between(EARLIEST, LATEST))
    if known.is_empty():
        return {}
    both = known.get_column("doc").to_numpy().astype(np.int64) << 16 | known.get_column("year").to_numpy()
    named_years, times = np.unique(both, return_counts=True)
    documents = named_years >> 16
    starts = np.flatnonzero(np.r_[True, documents[1:] != documents[:-1]]).tolist()
    pairs = list(zip((named_years & 0xFFFF).tolist(), times.tolist(), strict=True))
    bounds = itertools.pairwise([*starts, len(pairs)])
    return {doc: tuple(pairs[at:end]) for doc, (at, end) in zip(documents[starts].tolist(), bounds, strict=True)}


_WORD: Final = re.compile(r"[^\W\d_]{5,12}")


def story_weekdays(opening: str) -> tuple[int, ...]:
    """The first three weekdays named in the first sentences (full names only: `Sun` and `Mar` are other things)."""
    weekdays = tables.weekdays()
    found = map(weekdays.get, _WORD.findall(opening.casefold()))
    return tuple(number for number in found if number is not None)[:3]


_PAIR: Final = re.compile(r"[^\W\d_]{3,}[,.]? (?:[^\W\d_]{3,}\.? [0-9]{1,2}|[0-9]{1,2}\.? [^\W\d_]{3,})")


def written_pairs(text: str, language: str | None = None) -> tuple[tuple[int, int, int], ...]:
    """Return dates without year that the text writes with their weekday: `on Monday, January 23`."""
    if not _PAIR.search(text):
        return ()
    stamps = find_dates(text, language)
    return tuple(
        (stamp.month, stamp.day, stamp.weekday)
        for stamp in stamps
        if stamp.weekday is not None and stamp.day is not None and stamp.year is None
    )


@functools.lru_cache(maxsize=1 << 14)  # a day, a weekday and a year recur; a function of its arguments alone
def candidate_years(
    month: int, day: int, evidence: YearEvidence, bounds: tuple[int | None, int | None]
) -> tuple[tuple[int, float], ...]:
    """Weigh the years of a date without one, the heaviest first; weights sum to at most 1 (rare years are cut).

    `bounds` are the user's first and last year, None where not given.
    """
    first, last = bounds[0] or EARLIEST, bounds[1] or LATEST
    by_weekday = _weekday_weights(evidence.printed_weekday, evidence.weekdays, wire=evidence.wire)
    weights = list(map(by_weekday.__getitem__, _calendar(first, last, month, day)))
    years = range(first, last + 1)
    if evidence.counts:
        weights = list(map(operator.mul, weights, _count_weights(first, last, evidence.counts)))
    if evidence.pairs or evidence.copyright is not None or evidence.file_year is not None:
        weights = [weight * _weight(year, month, evidence) for weight, year in zip(weights, years, strict=True)]
    total = sum(weights)
    if not total:
        return ()
    least = total * _LEAST_WEIGHT
    ranked = sorted([(-weight, year) for weight, year in zip(weights, years, strict=True) if weight >= least])
    return tuple((year, -weight / total) for weight, year in ranked[:_MOST])


@functools.lru_cache(maxsize=1 << 15)
def _weekday(year: int, month: int, day: int) -> int | None:
    try:
        return dt.date(year, month, day).weekday()
    except ValueError:
        return None


def _weight(year: int, month: int, evidence: YearEvidence) -> float:
    weight = 1.0
    for pair in evidence.pairs:
        weight *= _pair_weight(year, month, pair)
    if evidence.copyright is not None:
        behind = evidence.copyright - year
        weight *= 0.02 if behind < 0 else 1.0 if behind == 0 else max(0.1, 0.5 - 0.05 * behind)
    if evidence.file_year is not None:
        weight *= 1.0 if year == evidence.file_year else 0.05 if year == evidence.file_year - 1 else 0.005
    return weight


@functools.lru_cache(maxsize=1 << 12)
def _calendar(first: int, last: int, month: int, day: int) -> tuple[int, ...]:
    """The weekday of a day in each of the years, `_NO_DAY` where a year has it not."""
    weekdays = (_weekday(year, month, day) for year in range(first, last + 1))
    return tuple(_NO_DAY if weekday is None else weekday for weekday in weekdays)


_NO_DAY: Final = 7


@functools.lru_cache(maxsize=1 << 12)
def _weekday_weights(printed: int | None, named: tuple[int, ...], *, wire: bool) -> tuple[float, ...]:
    """How well each weekday (Monday 0) of the date fits the weekdays named; a day that is none does not."""
    if printed is not None:
        return (*(1.0 if weekday == printed else 0.002 for weekday in range(7)), 0.0)
    likelihoods = _SAME_DAY_WIRE if wire else _SAME_DAY_PAGE
    weights = []
    for weekday in range(7):
        weight = 1.0
        for index, other in enumerate(named):
            likelihood = likelihoods[(weekday - other) % 7]
            weight *= likelihood if index == 0 else (likelihood + 1 / 7) / 2
        weights.append(weight)
    return (*weights, 0.0)


def _pair_weight(year: int, month: int, pair: tuple[int, int, int]) -> float:
    """A weekday written with its date holds for the year next to the story's: January in a December story is later."""
    apart = pair[0] - month
    pair_year = year + (1 if apart < -6 else -1 if apart > 6 else 0)
    weekday = _weekday(pair_year, pair[0], pair[1])
    return 0.1 if weekday is None else 1.0 if weekday == pair[2] else 0.03


@functools.lru_cache(maxsize=1 << 12)
def _count_weights(first: int, last: int, counts: tuple[tuple[int, int], ...]) -> list[float]:
    """The story's year is the most frequent (83 %) and the latest (80 %) of those printed, rarely an earlier one."""
    latest, most = counts[-1][0], max([times for _, times in counts])
    weights = list(_unnamed_weights(first, last, latest))
    for year, times in counts:
        if first <= year <= last:
            weights[year - first] = (1.0 + times / most) * (0.12 if year < latest else 1.5)
    return weights


@functools.lru_cache(maxsize=1 << 12)
def _unnamed_weights(first: int, last: int, latest: int) -> tuple[float, ...]:
    """What each year weighs that the text does not name; `latest` is the latest named."""
    return tuple(
        0.15 * (0.12 if year < latest else 1.5 if year == latest else 0.9 if year == latest + 1 else 0.6)
        for year in range(first, last + 1)
    )
