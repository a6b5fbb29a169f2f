"""The audit of a published variant of a release: what its rows mean, recomputed as far as they are there.

    audit_variant   order, counts, copies and hashes of the tables that were published, and the one against the other

See audit for a whole release. What was not published cannot be recomputed: without raw bytes there is no raw hash,
without text no content hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.release.copies import copy_problems
from copydesk.release.manifest import Manifest
from copydesk.release.order import in_order
from copydesk.release.problems import Problem
from copydesk.release.reading import Piece, read_pieces
from copydesk.release.tables import CONTENT, article_content
from copydesk.release.variants import RowDigest, recipe_of
from copydesk.text import compose_texts, content_hashes

__all__ = ["audit_variant"]


def audit_variant(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    """The problems of one published release whose files' hashes hold."""
    yield from _articles(dataset, manifest)
    if "ledger" in manifest.body["tables"]:
        yield from _ledger(dataset, manifest)
        for piece in read_pieces(dataset, manifest):
            yield from _piece(manifest, piece)


def _frames(dataset: Path, manifest: Manifest, table: str) -> Iterator[tuple[str, str, pl.DataFrame]]:
    for split, shards in manifest.splits(table).items():
        for shard in shards:
            yield split, shard.file, pl.read_parquet(dataset / shard.file)


def _articles(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    keys = []
    for split, file, frame in _frames(dataset, manifest, "article"):
        facts = ("language", "outlet", "agency", "published_at")
        keys.append(frame.select(*CONTENT, *facts, day=pl.col("published_at").dt.date()))
        if "text" in frame.columns:
            told = content_hashes(frame)
            wrong = frame.with_columns(told=told).filter(pl.col("content_sha256") != pl.col("told"))
            for row in wrong.iter_rows(named=True):
                yield Problem(file, f"content_sha256 of {row['uri']}", row["content_sha256"], row["told"])
        for name in frame["split"].unique().sort():
            if name != split:
                yield Problem(file, "split of its rows", split, name)
    whole = pl.concat(keys)
    body, counts = manifest.body, manifest.body["counts"]
    yield from _compared(manifest, "documents", body["documents"], whole.height)
    yield from _compared(manifest, "content of the articles", body["content"]["article"], article_content([whole]))
    for name in ("source", "split"):
        found = dict(whole[name].value_counts().sort(name).iter_rows())
        yield from _compared(manifest, f"counts.by_{name}", counts[f"by_{name}"], found)
    yield from copy_problems(manifest.file, whole)
    if not in_order(whole)["id"].equals(whole["id"]):
        yield Problem(manifest.file, "order of the articles", "by split, day and id", "another")
    for one in body["withdrawn"]:
        if one["id"] in whole["id"]:
            yield Problem(manifest.file, f"the withdrawn document {one['id']}", "in no release", "in the articles")


def _ledger(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    sums: dict[str, list[int]] = {}
    digest = RowDigest()
    for _, _, frame in _frames(dataset, manifest, "ledger"):
        digest.update(frame)
        size = (pl.col("end") - pl.col("start")).sum().alias("bytes")
        for label, fate, spans, taken in frame.group_by("label", "fate").agg(pl.len(), size).iter_rows():
            found = sums.setdefault(f"{label} {fate}", [0, 0])
            found[0] += spans
            found[1] += taken
    told = {
        f"{row['label']} {row['fate']}": [row["spans"], row["bytes"]] for row in manifest.body["ledger"]["by_label"]
    }
    yield from _compared(manifest, "content of the ledger", manifest.body["content"]["ledger"], digest.hexdigest())
    yield from _compared(manifest, "spans and bytes of the ledger", told, dict(sorted(sums.items())))


def _piece(manifest: Manifest, piece: Piece) -> Iterator[Problem]:
    """The ledger's fates, and its text where it is there, against the articles."""
    names = ("text", "field", "dropped", "blank")
    fates = piece.ledger.group_by("id").agg((pl.col("fate") == name).sum().alias(f"lines_{name}") for name in names)
    joined = piece.articles.join(fates, on="id", how="left")
    if recipe_of(manifest.body).text:
        spans = piece.ledger.select("line", "label", "fate", "text", doc="id")
        texts = compose_texts(spans).rename({"doc": "id", "text": "told", "headings": "told_headings"})
        joined = joined.join(texts, on="id", how="left")
    for row in joined.iter_rows(named=True):
        pairs: dict[str, tuple[Any, Any]] = {
            f"counts.{name}": (row["counts"][name], row[name] or 0) for name in fates.columns[1:]
        }
        if "told" in row:
            pairs["text from the ledger"] = (row["text"], row["told"] or "")
            pairs["headings from the ledger"] = (row["headings"], row["told_headings"] or [])
        for what, (expected, found) in pairs.items():
            if expected != found:
                yield Problem(manifest.file, f"{what} of {row['uri']}", repr(expected), repr(found))


def _compared(manifest: Manifest, what: str, expected: Any, found: Any) -> Iterator[Problem]:
    if expected != found:
        yield Problem(manifest.file, what, str(expected), str(found))
