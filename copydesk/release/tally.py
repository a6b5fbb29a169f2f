"""The tally: what a manifest counts and a card tells, added up shard by shard.

    ArticleTally   documents by source, language, site, split, year, month and encoding; each source's size and span;
                   lengths, duplicates, quality, figures
    LedgerTally    spans and bytes by label and fate, also of each source, what evidence dropped them, and a few short
                   examples of those
    reprints       copies of a text that another outlet had first

Shards come in the order of the release and are functions of its rows, so every number here is one as well.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.labels import DROPPED, FATES, LABELS
from copydesk.release.figures import UNKNOWN, Figures, figures
from copydesk.text import span_texts

__all__ = ["BY", "WORDS", "ArticleTally", "LedgerTally", "reprints"]

EXAMPLE_LENGTH: Final = 80
EXAMPLES: Final = 3
BY: Final = ("source", "language", "site", "split", "year", "month", "encoding")

WORDS: Final = tuple(round(2 ** (step / 2)) for step in range(33))
"""Least words of each class of length, two to an octave; the class before the first is that of empty texts."""

CANDIDATES: Final = 200
"""Texts per label that stay in the running for an example between shards; bounds the memory, not the counts."""


class ArticleTally:
    """Counts over articles."""

    def __init__(self) -> None:
        self.documents = 0
        self.by: dict[str, Counter[str]] = {name: Counter() for name in BY}
        self.sources: dict[str, dict[str, Any]] = {}
        self.words: Counter[int] = Counter()
        self.sums: Counter[str] = Counter()
        self.quality: dict[str, list[float]] = {}
        self.first: str | None = None
        self.last: str | None = None
        self.clusters: set[str] = set()
        self.figures: dict[str, Figures] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """Add the articles of one shard."""
        self.documents += frame.height
        days = frame["published_at"].drop_nulls()
        at = pl.col("published_at").dt
        frame = frame.with_columns(year=at.year().cast(pl.String), month=at.strftime("%Y-%m"))
        for name, counter in self.by.items():
            counts = frame.select(pl.col(name).fill_null(UNKNOWN)).to_series().value_counts()
            counter.update(dict(counts.iter_rows()))
        if days.len():
            ends = days.dt.strftime("%Y-%m-%d")
            self.first = min(filter(None, (self.first, str(ends.min()))))
            self.last = max(filter(None, (self.last, str(ends.max()))))
        self.sums.update(
            undated=frame["published_at"].null_count(),
            truncated=int(frame["truncated"].sum()),
            repaired=int((frame["repairs"].list.len() > 0).sum()),
            duplicates=frame["duplicate_of"].drop_nulls().len(),
            without_headline=frame["headline"].null_count(),
            empty=int((frame["text"] == "").sum()),
            **{name: int(frame["counts"].struct.field(name).sum()) for name in ("chars", "words", "sentences")},
        )
        self.clusters.update(frame["duplicate_cluster"].drop_nulls())
        self._add_sources(frame)
        self._add_words(frame["counts"].struct.field("words"))
        self._add_quality(frame["quality"])
        for source, found in figures(frame).items():
            self.figures[source] = self.figures.get(source, Figures()) + found

    def _add_sources(self, frame: pl.DataFrame) -> None:
        day = pl.col("published_at").dt.strftime("%Y-%m-%d")
        found = frame.group_by("source").agg(
            documents=pl.len(),
            words=pl.col("counts").struct.field("words").cast(pl.Int64).sum(),
            undated=pl.col("published_at").null_count(),
            duplicates=pl.col("duplicate_of").count(),
            first_day=day.min(),
            last_day=day.max(),
        )
        for row in found.iter_rows(named=True):
            name = str(row.pop("source"))
            self.sources[name] = _added(self.sources.get(name, {}), row)

    def _add_words(self, words: pl.Series) -> None:
        """Articles by class of length: the least words of the class, 0 for none."""
        places = np.searchsorted(WORDS, words.to_numpy(), side="right")
        numbers, counts = np.unique(places, return_counts=True)
        self.words.update({WORDS[n - 1] if n else 0: int(c) for n, c in zip(numbers, counts, strict=True)})

    def _add_quality(self, quality: pl.Series) -> None:
        """Sums in 64 bits by NumPy, one after the other: the same on every machine and number of threads."""
        for part in quality.struct.fields:
            values = quality.struct.field(part).drop_nulls().cast(pl.Float64).to_numpy()
            total = self.quality.setdefault(part, [0.0, 0])
            total[0] += float(values.sum())
            total[1] += len(values)

    def counts(self) -> dict[str, Any]:
        """The counts, sorted by key, as a manifest holds them."""
        return {
            "documents": self.documents,
            "first_day": self.first,
            "last_day": self.last,
            "duplicate_clusters": len(self.clusters),
            **dict(sorted(self.sums.items())),
            **{f"by_{name}": dict(sorted(counter.items())) for name, counter in self.by.items()},
            "by_words": {str(least): number for least, number in sorted(self.words.items())},
            "sources": dict(sorted(self.sources.items())),
            "figures": {source: found.counts() for source, found in sorted(self.figures.items())},
            "quality_means": {name: round(s / n, 4) for name, (s, n) in sorted(self.quality.items()) if n},
        }


class LedgerTally:
    """Counts over the ledger."""

    def __init__(self) -> None:
        self.spans: Counter[tuple[str, str, str]] = Counter()
        self.bytes: Counter[tuple[str, str, str]] = Counter()
        self.evidence: Counter[str] = Counter()
        self.texts: dict[str, Counter[str]] = {label: Counter() for label in DROPPED}

    def add(self, frame: pl.DataFrame, documents: pl.DataFrame) -> None:
        """Add the rows of one shard; `documents` says the source of each of its documents, and may hold others."""
        known = frame.select("id", "label", "fate", bytes=pl.col("raw").bin.size()).join(
            documents.select("id", "source"), on="id", how="left"
        )
        counts = known.group_by("source", "label", "fate").agg(spans=pl.len(), bytes=pl.col("bytes").sum())
        for source, label, fate, spans, size in counts.iter_rows():
            self.spans[source, label, fate] += spans
            self.bytes[source, label, fate] += size
        dropped = frame.filter(pl.col("fate") == "dropped")
        kinds = dropped["evidence"].str.extract(r"^([^:]*)").value_counts()
        self.evidence.update(dict(kinds.iter_rows()))
        texts = dropped.select("label", text=span_texts(dropped).str.replace_all(r"[ \t\r\n]+", " ").str.strip_chars())
        seen = texts.filter(pl.col("text").str.len_chars().is_between(2, 400)).group_by("label", "text").len()
        for label, text, number in seen.sort("label", "len", "text", descending=[False, True, False]).iter_rows():
            self.texts.setdefault(label, Counter())[text] += number
        for label, counter in self.texts.items():
            self.texts[label] = Counter(dict(_first(counter, CANDIDATES)))

    def counts(self) -> dict[str, Any]:
        """The counts in the order of the labels, as a manifest holds them."""
        return {
            "spans": sum(self.spans.values()),
            "bytes": sum(self.bytes.values()),
            "by_fate": {fate: sum(n for key, n in self.spans.items() if key[2] == fate) for fate in FATES},
            "dropped_by_evidence": dict(sorted(self.evidence.items())),
            "by_label": self._rows(),
            "by_source": {source: self._rows(source) for source in sorted({key[0] for key in self.spans})},
        }

    def _rows(self, source: str | None = None) -> list[dict[str, Any]]:
        """Spans and bytes of each label and fate, of one source or of all, in the order of the labels."""
        order = {name: number for number, name in enumerate((*LABELS, *FATES))}
        sums: dict[tuple[str, str], list[int]] = {}
        for key, spans in self.spans.items():
            if source in (None, key[0]):
                found = sums.setdefault(key[1:], [0, 0])
                found[0] += spans
                found[1] += self.bytes[key]
        return [
            {"label": label, "fate": fate, "spans": spans, "bytes": size}
            for (label, fate), (spans, size) in sorted(sums.items(), key=lambda one: [order.get(n, 99) for n in one[0]])
        ]

    def examples(self) -> dict[str, list[str]]:
        """The most frequent short texts of each dropped label."""
        return {
            label: [_short(text) for text, _ in _first(counter, EXAMPLES)]
            for label, counter in sorted(self.texts.items())
            if counter
        }


def _added(before: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Two parts of a source's facts: numbers added up, the earlier first day, the later last day."""
    ends = {"first_day": min, "last_day": max}
    known = {key: [one for one in (before.get(key), value) if one is not None] for key, value in more.items()}
    return {key: ends.get(key, sum)(values) if values else None for key, values in known.items()}


def reprints(articles: pl.DataFrame) -> int:
    """How many copies stand under another outlet than the earliest of their cluster; a source is an outlet without one.

    `articles` has id, source, outlet and duplicate_of of all articles.
    """
    outlet = pl.coalesce("outlet", "source")
    firsts = articles.select(duplicate_of="id", first=outlet)
    copies = articles.select("duplicate_of", outlet=outlet).drop_nulls("duplicate_of").join(firsts, on="duplicate_of")
    return int((copies["outlet"] != copies["first"]).sum())


def _first(counter: Counter[str], number: int) -> list[tuple[str, int]]:
    """The most frequent, then the shortest, then in alphabetical order."""
    return sorted(counter.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))[:number]


def _short(text: str) -> str:
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1].rstrip() + "…"
