"""Figures of a source: what its documents are like, as whole numbers that can be added up and taken away.

    Figures    counts, and sums with squares, over some documents of one source
    figures    a table of articles to the figures of each of its sources; figures_by: of each of its parts
    fresh      the same over the articles in files that a release does not hold, or holds otherwise

A manifest holds those of all documents of each source (`counts.figures`). They are sums of whole numbers, so that they
depend on no order, no batch and no machine; a mean and its spread come from a sum and a sum of squares. What a source
brought between two releases is the difference of their figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl

__all__ = ["UNKNOWN", "Figures", "figures", "figures_by", "fresh"]

UNKNOWN: Final = "(unknown)"
STEPS: Final = np.ceil(2 ** (np.arange(1, 97) / 4)).astype(np.int64)
"""Lengths are counted in quarter octaves of words: 0 for none, then one more for each factor of 2^(1/4), up to 2^24."""
COLUMNS: Final = ("source", "language", "headline", "published_at", "counts")


@dataclass(frozen=True)
class Figures:
    """Sums over some documents of one source."""

    documents: int = 0
    words: int = 0
    lines: int = 0
    """Spans of raw lines that are not blank."""
    dropped: int = 0
    """Those of them that were left out."""
    share: int = 0
    share_squares: int = 0
    """Of each document, the thousandths of its lines that were left out."""
    length: int = 0
    length_squares: int = 0
    """Of each document, the length of its text in quarter octaves of words."""
    undated: int = 0
    without_headline: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Figures as a manifest holds them; a number that it lacks is 0."""
        return cls(**{one.name: body[one.name] for one in fields(cls) if one.name in body})

    def counts(self) -> dict[str, Any]:
        """As a manifest holds them."""
        return {**vars(self), "languages": {key: n for key, n in sorted(self.languages.items()) if n}}

    def __add__(self, other: Figures) -> Figures:
        return self._with(other, 1)

    def __sub__(self, other: Figures) -> Figures:
        return self._with(other, -1)

    def _with(self, other: Figures, sign: int) -> Figures:
        names = self.languages.keys() | other.languages.keys()
        languages = {key: self.languages.get(key, 0) + sign * other.languages.get(key, 0) for key in names}
        numbers = {
            one.name: getattr(self, one.name) + sign * getattr(other, one.name)
            for one in fields(self)
            if one.name != "languages"
        }
        return Figures(**numbers, languages=languages)


def figures(articles: pl.DataFrame) -> dict[str, Figures]:
    """The figures of each source in a table with the columns source, language, headline, published_at and counts."""
    return figures_by(articles.with_columns(part=pl.lit(0)), "part").get(0, {})


def figures_by(articles: pl.DataFrame, part: str) -> dict[int, dict[str, Figures]]:
    """The same for each value of a column of whole numbers."""
    counts = articles["counts"].struct.unnest()
    lines = counts["lines_text"] + counts["lines_field"] + counts["lines_dropped"]
    # A division of whole numbers: the same thousandths on every machine.
    share = (counts["lines_dropped"].cast(pl.Int64) * 1000 + lines // 2) // lines.clip(1)
    length = np.searchsorted(STEPS, counts["words"].to_numpy(), side="right")
    table = articles.select(
        "source",
        pl.col("language").fill_null(UNKNOWN),
        part=pl.col(part),
        words=counts["words"].cast(pl.Int64),
        lines=lines.cast(pl.Int64),
        dropped=counts["lines_dropped"].cast(pl.Int64),
        share=share,
        length=pl.Series(length, dtype=pl.Int64),
        undated=articles["published_at"].is_null().cast(pl.Int64),
        without_headline=articles["headline"].is_null().cast(pl.Int64),
    )
    sums = table.group_by("part", "source").agg(
        pl.len().alias("documents"),
        pl.exclude("part", "source", "language").sum(),
        share_squares=(pl.col("share") ** 2).sum(),
        length_squares=(pl.col("length") ** 2).sum(),
    )
    languages: dict[tuple[int, str], Counter[str]] = {}
    for number, source, language, rows in table.group_by("part", "source", "language").len().iter_rows():
        languages.setdefault((number, source), Counter())[language] = rows
    found: dict[int, dict[str, Figures]] = {}
    for row in sums.to_dicts():
        number, source = row.pop("part"), row.pop("source")
        numbers = {name: int(value) for name, value in row.items()}
        found.setdefault(number, {})[source] = Figures(**numbers, languages=languages[number, source])
    return found


def fresh(paths: Iterable[Path], held: pl.DataFrame | None) -> dict[str, Figures]:
    """Figures of the articles in Arrow IPC files, but for those in `held` (columns id and raw_sha256)."""
    found: dict[str, Figures] = {}
    for path in paths:
        articles = pl.read_ipc(path, columns=["id", "raw_sha256", *COLUMNS])
        if held is not None:
            articles = articles.join(held.select("id", "raw_sha256"), on=["id", "raw_sha256"], how="anti")
        for source, one in figures(articles).items():
            found[source] = found.get(source, Figures()) + one
    return dict(sorted(found.items()))
