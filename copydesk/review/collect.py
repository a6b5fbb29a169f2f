"""What the review page shows, out of a release or out of raw files judged now.

    Shown           articles and ledgers of the documents shown, and figures over all there are
    from_release    a release, the least certain documents first
    from_files      raw files, judged with the project's knowledge

A document is as certain as its least certain line; blank lines, and those that a person judged, are certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.desk import judge, prepare
from copydesk.errors import UsageError
from copydesk.job import Job
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles
from copydesk.release.changes import compare
from copydesk.release.manifest import Manifest, choose, read_manifest
from copydesk.release.reading import read_pieces
from copydesk.sources import Cut, documents_of

__all__ = ["DOUBT", "Pair", "Shown", "from_files", "from_release"]

DOUBT: Final = 0.7
"""Lines under this confidence count as doubtful: what profiles, repetition and structure say is as sure or surer."""

BATCH: Final = 500
ARTICLE: Final = [
    "id", "uri", "source", "site", "outlet", "raw_sha256", "encoding", "repairs", "headline", "deck", "dateline",
    "published_at", "published_offset", "published_precision", "updated_at", "authors", "section", "topics", "persons",
    "truncated", "language", "provenance",
]  # fmt: skip
LEDGER: Final = ["id", "line", "span", "raw", "text", "label", "fate", "evidence", "confidence"]

Pair = tuple[pl.DataFrame, pl.DataFrame]
"""Some articles (ARTICLE) and their ledger rows (LEDGER), in the same order."""


@dataclass(frozen=True)
class Shown:
    """What a page is made from."""

    name: str
    version: str | None
    told: str
    """Where it comes from, in words."""
    order: pl.DataFrame
    """id, least (confidence), doubtful (lines), kept, dropped (spans) of the documents shown, least certain first."""
    pairs: list[Pair]
    figures: Mapping[str, Any]
    """Over all documents: `documents`, and counts by label, evidence, confidence, source and year."""
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Id to change and cause since the release `since`."""
    since: str | None = None


def from_release(
    dataset: Path,
    version: str | None = None,
    *,
    since: str | None = None,
    most: int = 5_000,
    only: Sequence[str] | None = None,
) -> Shown:
    """The `most` least certain documents of a release (None: the newest).

    `since` is the release to compare with, by default the one before; `only` names ids to choose among. Raises
    ReleaseError where there is none such.
    """
    manifest = read_manifest(dataset, choose(dataset, version))
    since = since or manifest.body["base"]
    ledger = pl.scan_parquet([dataset / shard.file for shard in manifest.shards("ledger")])
    articles = pl.scan_parquet([dataset / shard.file for shard in manifest.shards("article")])
    order = _order(articles.select("id"), ledger)
    order = (order if only is None else order.filter(pl.col("id").is_in(only))).head(most)
    name = str(manifest.body["name"])
    told = f"release {manifest.version} of {name}, content {manifest.body['content']['ledger'][:12]}"
    return Shown(
        name,
        manifest.version,
        told,
        order,
        _released(dataset, manifest, order),
        _figures(articles, ledger),
        _changes(dataset, since, manifest.version) if since else {},
        since,
    )


def _released(dataset: Path, manifest: Manifest, order: pl.DataFrame) -> list[Pair]:
    ids = order["id"].implode()
    pairs = []
    for piece in read_pieces(dataset, manifest, ARTICLE, LEDGER):
        articles, ledger = (table.filter(pl.col("id").is_in(ids)) for table in (piece.articles, piece.ledger))
        if articles.height:
            pairs.append((articles, ledger))
    return pairs


def _changes(dataset: Path, since: str, version: str) -> dict[str, tuple[str, str]]:
    found = compare(dataset, since, version).filter(pl.col("change") != "removed")
    return {key: (change, cause) for key, change, cause in found.select("id", "change", "cause").iter_rows()}


def from_files(job: Job, knowledge: Knowledge, profiles: Profiles, told: str, *, most: int = 5_000) -> Shown:
    """The `most` least certain of a job's documents, judged now; those that cannot be read are left out.

    Raises UsageError where none can be read.
    """
    pairs: list[Pair] = []
    for documents, _ in documents_of(job.files, Cut(BATCH)):
        judged = judge(prepare(documents), knowledge, profiles)
        pairs.append((judged.articles.select(ARTICLE), judged.ledger.select(LEDGER)))
    if not any(articles.height for articles, _ in pairs):
        raise UsageError(f"{job.name}: none of the files can be read; copydesk explain says why")
    articles, ledger = (pl.concat([pair[at] for pair in pairs]).lazy() for at in (0, 1))
    order = _order(articles.select("id"), ledger).head(most)
    kept = [(_among(articles, order), _among(ledger, order)) for articles, ledger in pairs]
    return Shown(job.name, None, told, order, kept, _figures(articles, ledger))


def _among(table: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("id").is_in(order["id"].implode()))


def _order(ids: pl.LazyFrame, ledger: pl.LazyFrame) -> pl.DataFrame:
    """The documents, least certain first."""
    label = pl.col("label").cast(pl.String)
    sure = pl.when(label != "blank").then(pl.col("confidence")).otherwise(1.0)
    counted = ledger.group_by("id").agg(
        least=sure.min().cast(pl.Float64).round(4),
        doubtful=(sure.cast(pl.Float64).round(4) < DOUBT).sum(),
        kept=(pl.col("fate").cast(pl.String) == "text").sum(),
        dropped=(pl.col("fate").cast(pl.String) == "dropped").sum(),
    )
    joined = ids.join(counted, on="id", how="left")
    filled = joined.with_columns(pl.col("least").fill_null(1.0), pl.col("doubtful", "kept", "dropped").fill_null(0))
    return filled.sort("least", "doubtful", "id", descending=[False, True, False]).collect(engine="streaming")


def _figures(articles: pl.LazyFrame, ledger: pl.LazyFrame) -> dict[str, Any]:
    lines = ledger.select(
        pl.col("label").cast(pl.String),
        pl.col("fate").cast(pl.String),
        family=pl.col("evidence").str.extract("^([^:]+)"),
        bin=(pl.col("confidence") * 20).floor().clip(0, 19).cast(pl.Int32),
    ).filter(pl.col("label") != "blank")
    counted = lines.group_by("label", "fate", "family", "bin").len().collect(engine="streaming")
    documents = articles.group_by("source", year=pl.col("published_at").dt.year()).len().collect(engine="streaming")
    return {
        "documents": int(documents["len"].sum()),
        "label": _counts(counted, "label"),
        "evidence": _counts(counted, "family"),
        "dropped": _counts(counted.filter(fate="dropped"), "family"),
        "bins": _counts(counted, "bin"),
        "source": _counts(documents, "source"),
        "year": _counts(documents.with_columns(pl.col("year").cast(pl.String).fill_null("unknown")), "year"),
    }


def _counts(table: pl.DataFrame, name: str) -> dict[str, int]:
    totals = table.group_by(name).agg(pl.col("len").sum()).sort("len", name, descending=[True, False])
    return {str(key): number for key, number in totals.iter_rows()}
