"""The tally: what a manifest counts and a card tells, shard by shard, and added up.

    article_tally    one shard's documents by source, language, site, split, year, month and encoding; each source's
                     size and span; lengths, duplicates, quality, figures
    ledger_tally     one shard's spans and bytes by label and fate and source, what evidence dropped them, its examples
    article_tallies, ledger_tallies   the same of many shards at once
    article_counts, ledger_counts, examples   the sums over the tallies of all shards, as a manifest holds them
    reprints         copies of a text that another outlet had first

A tally is plain JSON and stands in the footer of its shard, so that a shard that stays as it is need not be read to be
counted. Every number is whole, so the sums do not depend on the order of the shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.labels import DROPPED, FATES, LABELS
from copydesk.release.figures import UNKNOWN, Figures, figures_by
from copydesk.text import FLOAT_STEPS, span_texts

__all__ = [
    "ARTICLE",
    "COPIED",
    "LEDGER",
    "WORDS",
    "Tally",
    "article_counts",
    "article_tallies",
    "article_tally",
    "examples",
    "ledger_counts",
    "ledger_tallies",
    "ledger_tally",
    "reprints",
]

Tally = Mapping[str, Any]

GROUPS: Final = ("source", "language", "site", "split", "year", "month", "encoding")
WORDS: Final = tuple(round(2 ** (step / 2)) for step in range(33))
"""Least words of each class of length, two to an octave; the class before the first is that of empty texts."""

EXAMPLE_LENGTH: Final = 80
EXAMPLES: Final = 3
CANDIDATES: Final = 5
"""Texts of a label that one shard proposes as examples: the furniture of a site is among the first of every shard."""


ARTICLE: Final = (
    *("source", "language", "site", "split", "published_at", "encoding", "truncated", "repairs", "headline", "text"),
    *("duplicate_of", "duplicate_cluster", "counts", "quality"),
)
LEDGER: Final = ("label", "fate", "evidence", "raw", "text")
"""Columns that are counted."""
COPIED: Final = ("id", "source", "outlet", "duplicate_of", "duplicate_cluster")


def article_tally(frame: pl.DataFrame) -> Tally:
    """What one shard of articles adds."""
    return article_tallies(frame, [frame.height])[0]


def article_tallies(frame: pl.DataFrame, sizes: Sequence[int]) -> list[Tally]:
    """The same of the shards that lie one after the other in `frame`, of so many rows: counted in one go."""
    at = pl.col("published_at").dt
    days = {"year": at.year().cast(pl.String), "month": at.strftime("%Y-%m"), "day": at.strftime("%Y-%m-%d")}
    frame = frame.with_columns(_numbered(sizes), **days)
    parts = [part.name for part in frame.schema["quality"].fields]  # type: ignore[attr-defined]
    steps = {f"{name} {part}": one for part in parts for name, one in _steps(part)}
    sums = frame.group_by("part", maintain_order=True).agg(**_SUMS, **steps).to_dicts()
    counted = {name: _counted(frame, name, len(sizes)) for name in GROUPS}
    words, sources, known = _classes(frame, len(sizes)), _sources(frame, len(sizes)), figures_by(frame, "part")
    return [
        {
            "documents": size,
            "sums": {name: found[name] for name in _SUMS},
            "by": {name: counted[name][number] for name in GROUPS},
            "words": words[number],
            "sources": sources[number],
            "quality": {part: [found[f"steps {part}"], found[f"number {part}"]] for part in parts},
            "figures": {source: one.counts() for source, one in sorted(known[number].items())},
        }
        for number, (size, found) in enumerate(zip(sizes, sums, strict=True))
    ]


def _numbered(sizes: Sequence[int]) -> pl.Series:
    """The number of each row's shard."""
    return pl.Series("part", np.repeat(np.arange(len(sizes), dtype=np.uint32), np.asarray(sizes, dtype=np.int64)))


_SUMS: Final = {
    "undated": pl.col("published_at").null_count(),
    "truncated": pl.col("truncated").sum(),
    "repaired": (pl.col("repairs").list.len() > 0).sum(),
    "duplicates": pl.col("duplicate_of").count(),
    # the one that stands for a cluster is the one of its articles that is no duplicate of another
    "duplicate_clusters": (pl.col("duplicate_of").is_null() & pl.col("duplicate_cluster").is_not_null()).sum(),
    "without_headline": pl.col("headline").null_count(),
    "empty": (pl.col("text") == "").sum(),
    **{name: pl.col("counts").struct.field(name).cast(pl.Int64).sum() for name in ("chars", "words", "sentences")},
}


def _steps(part: str) -> list[tuple[str, pl.Expr]]:
    """Of a quality signal: its sum in millionths, and how many there are."""
    value = pl.col("quality").struct.field(part)
    steps = (value.cast(pl.Float64) * FLOAT_STEPS).round().cast(pl.Int64).sum()
    return [("steps", steps), ("number", value.count())]


def _sources(frame: pl.DataFrame, shards: int) -> list[dict[str, Any]]:
    """Of each shard: facts by source."""
    facts = frame.group_by("part", "source").agg(
        documents=pl.len(),
        words=pl.col("counts").struct.field("words").cast(pl.Int64).sum(),
        undated=pl.col("published_at").null_count(),
        duplicates=pl.col("duplicate_of").count(),
        first_day=pl.col("day").min(),
        last_day=pl.col("day").max(),
    )
    found: list[dict[str, Any]] = [{} for _ in range(shards)]
    for row in facts.sort("part", "source").iter_rows(named=True):
        found[row.pop("part")][str(row.pop("source"))] = row
    return found


def _classes(frame: pl.DataFrame, shards: int) -> list[dict[str, int]]:
    """Of each shard: articles by class of length, the least words of the class, 0 for none."""
    place = np.searchsorted(WORDS, frame["counts"].struct.field("words").to_numpy(), side="right")
    least = pl.Series("words", [0, *WORDS], dtype=pl.Int64).gather(place).cast(pl.String)
    return _counted(frame.select("part", least), "words", shards)


def _counted(frame: pl.DataFrame, name: str, shards: int) -> list[dict[str, int]]:
    """Of each shard: rows by what they say in that column."""
    value = pl.col(name).cast(pl.String).fill_null(UNKNOWN)
    found: list[dict[str, int]] = [{} for _ in range(shards)]
    for part, said, rows in frame.group_by("part", value).len().sort("part", name).iter_rows():
        found[part][said] = rows
    return found


def article_counts(tallies: Sequence[Tally]) -> dict[str, Any]:
    """The counts over all shards."""
    quality: dict[str, list[int]] = {}
    for name, (steps, number) in (pair for one in tallies for pair in one["quality"].items()):
        before = quality.get(name, [0, 0])
        quality[name] = [before[0] + steps, before[1] + number]
    sources: dict[str, dict[str, Any]] = {}
    for name, facts in (pair for one in tallies for pair in one["sources"].items()):
        sources[name] = _joined(sources.get(name, {}), facts)
    known: dict[str, Figures] = {}
    for name, facts in (pair for one in tallies for pair in one["figures"].items()):
        known[name] = known.get(name, Figures()) + Figures.read(facts)
    words = _added(one["words"] for one in tallies)
    return {
        "documents": sum(one["documents"] for one in tallies),
        "first_day": min((one["first_day"] for one in sources.values() if one["first_day"]), default=None),
        "last_day": max((one["last_day"] for one in sources.values() if one["last_day"]), default=None),
        **_added(one["sums"] for one in tallies),
        **{f"by_{name}": _added(one["by"][name] for one in tallies) for name in GROUPS},
        "by_words": {least: words[least] for least in sorted(words, key=int)},
        "sources": dict(sorted(sources.items())),
        "figures": {source: found.counts() for source, found in sorted(known.items())},
        "quality_means": {name: round(s / n / FLOAT_STEPS, 4) for name, (s, n) in sorted(quality.items()) if n},
    }


def _joined(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two parts of a source's facts: numbers added up, the earlier first day, the later last day."""
    ends = {"first_day": min, "last_day": max}
    known = {key: [one for one in (before.get(key), value) if one is not None] for key, value in more.items()}
    return {key: ends.get(key, sum)(values) if values else None for key, values in known.items()}


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    whole: Counter[str] = Counter()
    for part in parts:
        whole.update(part)
    return dict(sorted(whole.items()))


def ledger_tally(frame: pl.DataFrame, documents: pl.DataFrame) -> Tally:
    """What one shard of the ledger adds; `documents` says the source of each of its documents, and may hold others."""
    known = frame.select("id").join(documents.select("id", "source"), on="id", how="left", maintain_order="left")
    return ledger_tallies(frame, known["source"], [frame.height])[0]


def ledger_tallies(frame: pl.DataFrame, sources: pl.Series, sizes: Sequence[int]) -> list[Tally]:
    """The same of the shards that lie one after the other in `frame`, of so many rows; `sources` are the rows'."""
    # What comes again is grouped first, so that texts are cut and looked through once: furniture is most of them.
    label, size = ["part", "source", "label", "fate"], pl.col("raw").bin.size()
    known = frame.select(*LEDGER, _numbered(sizes), sources.alias("source"))
    counts = known.select(*label, bytes=size).group_by(label).agg(spans=pl.len(), bytes=pl.col("bytes").sum())
    dropped = known.filter(pl.col("fate") == "dropped")
    rule = pl.col("evidence").str.extract(r"^([^:]*)")
    rules = dropped.group_by("part", "evidence").len().group_by("part", rule).agg(pl.col("len").sum())
    found: list[dict[str, Any]] = [
        {"spans": [], "evidence": {}, "texts": one} for one in _candidates(dropped, len(sizes))
    ]
    for part, *row in counts.with_columns(pl.col(label[1:]).cast(pl.String)).sort(label).iter_rows():
        found[part]["spans"].append(row)
    for part, name, rows in rules.sort("part", "evidence").iter_rows():
        found[part]["evidence"][name] = rows
    return [*found]


def _candidates(dropped: pl.DataFrame, shards: int) -> list[dict[str, dict[str, int]]]:
    """Of each shard, for each label, its most frequent short texts, cut to what is shown."""
    raw = dropped.group_by("part", "label", "raw", "text").len("spans")
    texts = raw.select("part", "label", "spans", text=_on_one_line(span_texts(raw).str.strip_chars()))
    texts = texts.with_columns(size=pl.col("text").str.len_chars()).filter(pl.col("size").is_between(2, 400))
    seen = texts.group_by("part", "label", "text").agg(pl.col("spans").sum(), pl.col("size").first())
    # Of texts as frequent as the last that could be chosen the shortest are: so few are put in order by what they say.
    last = pl.col("spans").top_k(CANDIDATES).min().over("part", "label")
    seen = seen.filter(pl.col("spans") >= last).with_columns(pl.col("label").cast(pl.String))
    first = seen.sort("part", "label", -pl.col("spans").cast(pl.Int64), "size", "text")
    found: list[dict[str, dict[str, int]]] = [{} for _ in range(shards)]
    best = first.group_by("part", "label", maintain_order=True).head(CANDIDATES)
    for part, label, one, spans in best.select("part", "label", "text", "spans").iter_rows():
        of_label = found[part].setdefault(label, {})
        of_label[_short(one)] = of_label.get(_short(one), 0) + spans
    return found


def _on_one_line(texts: pl.Series) -> pl.Series:
    """The texts, a space in the place of each run of blanks and line ends: in few of them is anything else."""
    odd = np.flatnonzero(texts.str.contains(r"[\t\r\n]|  ").to_numpy())
    return texts.scatter(odd, texts.gather(odd).str.replace_all(r"[ \t\r\n]+", " ")) if len(odd) else texts


def ledger_counts(tallies: Sequence[Tally]) -> dict[str, Any]:
    """The counts over all shards, in the order of the labels."""
    rows = [row for one in tallies for row in one["spans"]]
    by_label = _by_label(rows)
    return {
        "spans": sum(row["spans"] for row in by_label),
        "bytes": sum(row["bytes"] for row in by_label),
        "by_fate": {fate: sum(row["spans"] for row in by_label if row["fate"] == fate) for fate in FATES},
        "dropped_by_evidence": _added(one["evidence"] for one in tallies),
        "by_label": by_label,
        "by_source": {
            name: _by_label([row for row in rows if row[0] == name]) for name in sorted({row[0] for row in rows})
        },
    }


def _by_label(rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Spans and bytes of each label and fate, in the order of the labels."""
    order = {name: number for number, name in enumerate((*LABELS, *FATES))}
    sums: dict[tuple[str, str], list[int]] = {}
    for _, label, fate, spans, size in rows:
        found = sums.setdefault((label, fate), [0, 0])
        found[0] += spans
        found[1] += size
    return [
        {"label": label, "fate": fate, "spans": spans, "bytes": size}
        for (label, fate), (spans, size) in sorted(sums.items(), key=lambda one: [order.get(n, 99) for n in one[0]])
    ]


def examples(tallies: Sequence[Tally]) -> dict[str, list[str]]:
    """The most frequent of the shards' texts for each dropped label; then the shortest, then by alphabet."""
    found = {}
    for label in sorted({*DROPPED, *(label for one in tallies for label in one["texts"])}):
        texts = _added(one["texts"].get(label, {}) for one in tallies)
        first = sorted(texts.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))[:EXAMPLES]
        if first:
            found[label] = [text for text, _ in first]
    return found


def reprints(articles: Iterable[pl.DataFrame]) -> int:
    """How many copies stand under another outlet than the earliest of their cluster; a source is an outlet without one.

    `articles` are tables with the columns COPIED.
    """
    outlet = pl.coalesce("outlet", "source").alias("outlet")
    alike = pl.col("duplicate_cluster").is_not_null()
    known = pl.concat(some.filter(alike).select("id", "duplicate_of", outlet) for some in articles)
    firsts = known.select(duplicate_of="id", first="outlet")
    copies = known.drop_nulls("duplicate_of").join(firsts, on="duplicate_of")
    return int((copies["outlet"] != copies["first"]).sum())


def _short(text: str) -> str:
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1].rstrip() + "…"
