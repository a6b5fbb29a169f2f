"""The tally: what a manifest counts and a card tells, added up shard by shard.

    ArticleTally   documents by source, language, site, split and year, sizes, duplicates, quality
    LedgerTally    spans and bytes by label and fate, what evidence dropped them, and a few short examples of those

Shards come in the order of the release and are functions of its rows, so every number here is one as well.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import polars as pl

from copydesk.labels import DROPPED, FATES, LABELS
from copydesk.text import span_texts

__all__ = ["ArticleTally", "LedgerTally"]

UNKNOWN: Final = "(unknown)"
EXAMPLE_LENGTH: Final = 80
EXAMPLES: Final = 3
CANDIDATES: Final = 200
"""Texts per label that stay in the running for an example between shards; bounds the memory, not the counts."""


class ArticleTally:
    """Counts over articles."""

    def __init__(self) -> None:
        self.documents = 0
        self.by: dict[str, Counter[str]] = {name: Counter() for name in ("source", "language", "site", "split", "year")}
        self.sums: Counter[str] = Counter()
        self.quality: dict[str, list[float]] = {}
        self.first: str | None = None
        self.last: str | None = None
        self.clusters: set[str] = set()

    def add(self, frame: pl.DataFrame) -> None:
        """Add the articles of one shard."""
        self.documents += frame.height
        days = frame["published_at"].drop_nulls()
        frame = frame.with_columns(year=pl.col("published_at").dt.year().cast(pl.String))
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
        self._add_quality(frame["quality"])

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
            "quality_means": {name: round(s / n, 4) for name, (s, n) in sorted(self.quality.items()) if n},
        }


class LedgerTally:
    """Counts over the ledger."""

    def __init__(self) -> None:
        self.spans: Counter[tuple[str, str]] = Counter()
        self.bytes: Counter[tuple[str, str]] = Counter()
        self.evidence: Counter[str] = Counter()
        self.texts: dict[str, Counter[str]] = {label: Counter() for label in DROPPED}

    def add(self, frame: pl.DataFrame) -> None:
        """Add the rows of one shard."""
        counts = frame.group_by("label", "fate").agg(spans=pl.len(), bytes=pl.col("raw").bin.size().sum())
        for label, fate, spans, size in counts.iter_rows():
            self.spans[label, fate] += spans
            self.bytes[label, fate] += size
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
        order = {name: number for number, name in enumerate((*LABELS, *FATES))}
        pairs = sorted(self.spans, key=lambda pair: (order.get(pair[0], 99), order.get(pair[1], 99)))
        return {
            "spans": sum(self.spans.values()),
            "bytes": sum(self.bytes.values()),
            "by_fate": {fate: sum(n for pair, n in self.spans.items() if pair[1] == fate) for fate in FATES},
            "dropped_by_evidence": dict(sorted(self.evidence.items())),
            "by_label": [
                {"label": label, "fate": fate, "spans": self.spans[label, fate], "bytes": self.bytes[label, fate]}
                for label, fate in pairs
            ],
        }

    def examples(self) -> dict[str, list[str]]:
        """The most frequent short texts of each dropped label."""
        return {
            label: [_short(text) for text, _ in _first(counter, EXAMPLES)]
            for label, counter in sorted(self.texts.items())
            if counter
        }


def _first(counter: Counter[str], number: int) -> list[tuple[str, int]]:
    """The most frequent, then the shortest, then in alphabetical order."""
    return sorted(counter.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))[:number]


def _short(text: str) -> str:
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1].rstrip() + "…"
