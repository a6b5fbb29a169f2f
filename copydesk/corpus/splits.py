"""Splits: in which of train, validation and test each article stands; copies never stand apart.

    assign   articles with their clusters -> the column `split`; Assigning: some of them at a time
    empty    the splits that were asked for and have no article

A cluster stands where its earliest article stands, whatever the rule: so what is in test was not in train before.

    hash     by the hash of the cluster's name (its earliest article's id): an article stays where it is while it keeps
             its cluster, whatever else comes or goes
    time     by the day of the earliest article: from given dates on, or the last so many percent of the dated articles
    source   by the source of the earliest article

Undated articles are in train, and so is all that no rule names. Without rules everything is in train.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import polars as pl
from xxhash import xxh3_64_intdigest

from copydesk.config import Splits
from copydesk.text import DUPLICATES

__all__ = ["Assigning", "assign", "empty"]

DAY: Final = pl.col("published_at").dt.date()
TRAIN: Final = "train"
LATER: Final = ("validation", "test")
"""The splits beside train, in the order of time."""


def assign(articles: pl.DataFrame, rules: Splits | None, *, drop: bool = False) -> pl.DataFrame:
    """The articles (id, source, published_at, duplicate_cluster, duplicate_of) with the column `split`.

    With `drop` the copies are in a split of their own, and of each cluster only the earliest is in the others.
    """
    return Assigning.of(rules, lambda: [articles], articles).assign(articles, drop=drop)


@dataclass(frozen=True)
class Assigning:
    """Rules, and what they ask of other articles: of the first of each cluster source and day, and dates."""

    rules: Splits | None
    firsts: pl.DataFrame
    dates: Mapping[str, date]

    @classmethod
    def of(cls, rules: Splits | None, tables: Callable[[], Iterable[pl.DataFrame]], copies: pl.DataFrame) -> Self:
        """For articles in tables (published_at), of which those of clusters are `copies` (id, source, published_at)."""
        firsts = copies.select(duplicate_cluster="id", source_first="source", day_first=DAY)
        dates: Mapping[str, date] = {}
        if rules is not None and rules.by == "time":
            dates = rules.dates or _cuts(tables(), rules.parts)
        return cls(rules, firsts, dates)

    def assign(self, articles: pl.DataFrame, *, drop: bool = False) -> pl.DataFrame:
        """As `assign`, of some of the articles."""
        marked = articles.with_columns(self._split(articles).alias("split"))
        if not drop:
            return marked
        copy = pl.col("duplicate_of").is_not_null()
        return marked.with_columns(split=pl.when(copy).then(pl.lit(DUPLICATES)).otherwise("split"))

    def _split(self, articles: pl.DataFrame) -> pl.Series:
        if self.rules is None:
            return pl.Series([TRAIN]).new_from_index(0, articles.height)
        own = articles.select("source", day=DAY, duplicate_cluster=pl.coalesce("duplicate_cluster", "id"))
        leading = own.join(self.firsts, on="duplicate_cluster", how="left", maintain_order="left")
        in_cluster = articles["duplicate_cluster"].is_not_null()
        first = pl.when(in_cluster)
        match self.rules.by:
            case "hash":
                return _by_hash(leading["duplicate_cluster"], self.rules.parts)
            case "time":
                days = leading.select(first.then("day_first").otherwise("day")).to_series()
                return _by_day(days, self.dates)
            case "source":
                named = {source: split for split, sources in self.rules.sources.items() for source in sources}
                sources = leading.select(first.then("source_first").otherwise("source")).to_series()
                return sources.replace_strict(named, default=TRAIN, return_dtype=pl.String)


def empty(articles: pl.DataFrame, rules: Splits | None) -> list[str]:
    """The splits that the rules ask for and that no article is in: a release has none that is empty."""
    asked = (TRAIN, *rules.asked) if rules else ()
    return [name for name in asked if name not in articles["split"]]


def _by_hash(names: pl.Series, shares: Mapping[str, float]) -> pl.Series:
    """A name's hash as a fraction of 1: test below its share, then validation, then train.

    So an article leaves test only where the share of test is lowered.
    """
    unique = names.unique()
    place = pl.Series([xxh3_64_intdigest(name.encode()) / 2**64 for name in unique], dtype=pl.Float64)
    split, start = pl.lit(TRAIN), sum(shares.get(name, 0.0) for name in LATER)
    for name in LATER:
        split = pl.when(pl.col("place") < start).then(pl.lit(name)).otherwise(split)
        start -= shares.get(name, 0.0)
    known = pl.DataFrame({"name": unique, "place": place}).select("name", split=split)
    return names.replace_strict(known["name"], known["split"], return_dtype=pl.String)


def _by_day(days: pl.Series, dates: Mapping[str, date]) -> pl.Series:
    split = pl.lit(TRAIN)
    for name in LATER:
        if name in dates:
            split = pl.when(pl.col("day") >= dates[name]).then(pl.lit(name)).otherwise(split)
    return days.to_frame("day").select(split=split).to_series()


def _cuts(tables: Iterable[pl.DataFrame], shares: Mapping[str, float]) -> dict[str, date]:
    """The days from which the later splits have at most their shares of the dated articles; a day is never cut."""
    counted = pl.concat(some.select(day=DAY).drop_nulls().group_by("day").len() for some in tables)
    days = counted.group_by("day").agg(pl.col("len").sum()).sort("day")
    after = days.with_columns(left=pl.col("len").cum_sum(reverse=True))
    total, share, dates = int(days["len"].sum()), 0.0, {}
    for name in reversed(LATER):
        share += shares.get(name, 0.0)
        fits = after.filter(pl.col("left") <= share * total)
        if shares.get(name) and fits.height:
            dates[name] = fits["day"][0]
    return dates
