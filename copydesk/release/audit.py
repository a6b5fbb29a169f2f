"""The audit: what the rows of one release mean, recomputed from the rows themselves.

    audit   schema, order, content hashes, counts, and the ledger against the articles

Files whose hashes hold can only be wrong if they were written wrong; this finds that, and a release forged with its
hashes. Documents are read in pieces; only keys are held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
from copydesk.release.changes import differing_documents
from copydesk.release.copies import copy_problems
from copydesk.release.differences import changes_entry
from copydesk.release.folder import KNOWLEDGE, sha256_of
from copydesk.release.keys import ledger_keys
from copydesk.release.manifest import Manifest, choose, read_manifest
from copydesk.release.order import in_order
from copydesk.release.problems import Problem
from copydesk.release.quarantine import quarantine_facts
from copydesk.release.reading import Piece, raw_of, read_pieces
from copydesk.release.shards import NAME, Shard, read_tally
from copydesk.release.tables import CONTENT, article_content, ledger_content
from copydesk.release.tally import (
    Tally,
    article_counts,
    article_tally,
    examples,
    ledger_counts,
    ledger_tally,
    reprints,
)
from copydesk.release.variant_audit import audit_variant
from copydesk.release.variants import holds_raw, recipe_of, schema_of
from copydesk.schema.fields import type_name
from copydesk.text import compose_texts, content_hashes, span_texts

__all__ = ["audit"]

COLUMNS = ("id", "uri", "raw_sha256", "text", "headings", "counts")


def audit(dataset: Path, manifest: Manifest) -> list[Problem]:
    """The problems of one release whose files' hashes hold; see the module."""
    try:
        if other := list(_columns_problems(manifest)):
            return other
        if not holds_raw(manifest.body):
            return [
                *_shards_problems(dataset, manifest),
                *audit_variant(dataset, manifest),
                *_quarantine_problems(dataset, manifest),
                *(_knowledge_problems(dataset, manifest) if manifest.body["knowledge"]["files"] else []),
            ]
        keys = _keys(dataset, manifest)
        return [
            *_article_problems(dataset, manifest, keys),
            *_ledger_problems(dataset, manifest, keys),
            *(
                problem
                for piece in read_pieces(dataset, manifest, COLUMNS)
                for problem in _piece_problems(manifest, piece)
            ),
            *_quarantine_problems(dataset, manifest),
            *(_knowledge_problems(dataset, manifest) if manifest.body["knowledge"]["files"] else []),
            *_changes_problems(dataset, manifest),
        ]
    except ReleaseError as error:
        return [Problem(manifest.file, "the release as a whole", "one that can be read", str(error))]


def _columns_problems(manifest: Manifest) -> Iterator[Problem]:
    """The columns that the tables lack: without them the numbers cannot be recomputed, which is no pass."""
    recipe = recipe_of(manifest.body)
    for table, told in manifest.body["tables"].items():
        lacking = sorted({field.name for field in schema_of(table, recipe).fields} - told["columns"].keys())
        if lacking:
            remedy = "verify it with that one, or make a release of today's columns with `copydesk ingest --relearn`"
            what = f"columns of its {table} table, which another copydesk wrote: {remedy}"
            yield Problem(manifest.file, what, ", ".join(lacking), "none of these")


def _keys(dataset: Path, manifest: Manifest) -> pl.DataFrame:
    """What names and orders the rows of all articles."""
    paths = [dataset / shard.file for shard in manifest.shards("article")]
    columns = [*CONTENT, "outlet", "agency", "published_at"]
    return pl.read_parquet(paths, columns=columns).with_columns(day=pl.col("published_at").dt.date())


def _article_problems(dataset: Path, manifest: Manifest, whole: pl.DataFrame) -> Iterator[Problem]:
    tallies = []
    for split, shards in manifest.splits("article").items():
        for shard in shards:
            yield from _shard_problems(dataset, manifest, "article", shard)
            frame = pl.read_parquet(dataset / shard.file)
            tallies.append(article_tally(frame))
            yield from _tally_problems(dataset, shard, tallies[-1])
            yield from _row_problems(shard, split, frame)
    counts = {**article_counts(tallies), "reprints": reprints([whole])}
    yield from _compared(manifest, "documents", manifest.body["documents"], whole.height)
    yield from _compared(manifest, "counts", manifest.body["counts"], counts)
    yield from _compared(
        manifest, "content of the articles", manifest.body["content"]["article"], article_content([whole])
    )
    for one in manifest.body["withdrawn"]:
        if one["id"] in whole["id"]:
            yield Problem(manifest.file, f"the withdrawn document {one['id']}", "in no release", "in the articles")
    yield from copy_problems(manifest.file, whole)
    if not in_order(whole)["id"].equals(whole["id"]):
        yield Problem(manifest.file, "order of the articles", "by split, day and id", "another")


def _row_problems(shard: Shard, split: str, frame: pl.DataFrame) -> Iterator[Problem]:
    told = content_hashes(frame)
    for row in frame.with_columns(told=told).filter(pl.col("content_sha256") != pl.col("told")).iter_rows(named=True):
        yield Problem(shard.file, f"content_sha256 of {row['uri']}", row["content_sha256"], row["told"])
    for name in frame["split"].unique().sort():
        if name != split:
            yield Problem(shard.file, "split of its rows", split, name)


def _ledger_problems(dataset: Path, manifest: Manifest, whole: pl.DataFrame) -> Iterator[Problem]:
    tallies, keys = [], []
    for shard in manifest.shards("ledger"):
        yield from _shard_problems(dataset, manifest, "ledger", shard)
        frame = pl.read_parquet(dataset / shard.file)
        tallies.append(ledger_tally(frame, whole))
        yield from _tally_problems(dataset, shard, tallies[-1])
        keys.append(ledger_keys(frame))
    yield from _compared(manifest, "counts of the ledger", manifest.body["ledger"], ledger_counts(tallies))
    yield from _compared(manifest, "examples", manifest.body["examples"], examples(tallies))
    told = pl.concat(keys)
    if not whole.filter(pl.col("id").is_in(told["id"].implode()))["id"].equals(told["id"]):
        yield Problem(manifest.file, "order of the ledger's documents", "that of the articles", "another")
    content = ledger_content([told])
    yield from _compared(manifest, "content of the ledger", manifest.body["content"]["ledger"], content)


def _shards_problems(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    for table in manifest.body["tables"]:
        for shard in manifest.shards(table):
            yield from _shard_problems(dataset, manifest, table, shard)


def _shard_problems(dataset: Path, manifest: Manifest, table: str, shard: Shard) -> Iterator[Problem]:
    """Name, size, rows and columns of a shard, from its footer."""
    path = dataset / shard.file
    stem = shard.file.rsplit("/", 1)[-1].removesuffix(".parquet")
    if len(stem) < NAME or not shard.sha256.startswith(stem):
        yield Problem(shard.file, "its name", f"data/{shard.sha256[:NAME]}.parquet", shard.file)
    footer = pq.ParquetFile(path)
    facts = (shard.bytes, shard.rows, manifest.body["tables"][table]["columns"])
    found = (
        path.stat().st_size,
        footer.metadata.num_rows,
        {one.name: type_name(one.type) for one in footer.schema_arrow},
    )
    for what, expected, seen in zip(("bytes", "rows", "columns"), facts, found, strict=True):
        if expected != seen:
            yield Problem(shard.file, what, str(expected), str(seen))


def _tally_problems(dataset: Path, shard: Shard, tally: Tally) -> Iterator[Problem]:
    """What the footer of a shard counts against its rows."""
    told = read_tally(dataset / shard.file, lambda _: tally)
    if told != json.loads(json.dumps(tally)):
        yield Problem(shard.file, "the tally in its footer", json.dumps(tally), json.dumps(told))


def _compared(manifest: Manifest, what: str, expected: Any, found: Any) -> Iterator[Problem]:
    """Problems by key, so that the number that is wrong is named."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            yield from _compared(manifest, f"{what}.{key}", expected.get(key), found.get(key))
    elif expected != found:
        yield Problem(manifest.file, what, json.dumps(expected), json.dumps(found))


def _piece_problems(manifest: Manifest, piece: Piece) -> Iterator[Problem]:
    """The ledger's bytes and text against the articles."""
    raw = {name: sha256_of(data) for name, data in raw_of(piece.ledger)}
    spans = piece.ledger.select("line", "label", "fate", doc="id").with_columns(text=span_texts(piece.ledger))
    fates = piece.ledger.group_by("id").agg(
        (pl.col("fate") == fate).sum().cast(pl.Int32).alias(f"lines_{fate}")
        for fate in ("text", "field", "dropped", "blank")
    )
    texts = compose_texts(spans).rename({"doc": "id", "text": "told", "headings": "told_headings"})
    joined = piece.articles.join(texts, on="id", how="left", maintain_order="left").join(fates, on="id", how="left")
    for row in joined.iter_rows(named=True):
        found = {
            "SHA-256 of the raw bytes": (row["raw_sha256"], raw.get(row["id"], sha256_of(b""))),
            "text from the ledger": (row["text"], row["told"] or ""),
            "headings from the ledger": (row["headings"], row["told_headings"] or []),
            **{f"counts.{name}": (row["counts"][name], row[name] or 0) for name in fates.columns[1:]},
        }
        for what, (expected, told) in found.items():
            if expected != told:
                yield Problem(manifest.file, f"{what} of {row['uri']}", repr(expected), repr(told))
    for uri in sorted(_gaps(piece.ledger)):
        yield Problem(manifest.file, f"byte places of {uri} in the ledger", "spans that tile the raw file", "gaps")


def _gaps(ledger: pl.DataFrame) -> set[str]:
    """The documents whose spans do not follow each other from byte 0, or whose lines and spans are not in order."""
    first = pl.col("id") != pl.col("id").shift().fill_null("")
    before = pl.when(first).then(0).otherwise(pl.col("end").shift())
    line = pl.col("line") - pl.when(first).then(0).otherwise(pl.col("line").shift())
    span = pl.when(line == 0).then(pl.col("span").shift() + 1).otherwise(0)
    size = pl.col("raw").bin.size().cast(pl.Int64)
    sound = (
        (pl.col("start") == before)
        & (pl.col("end") - pl.col("start") == size)
        & line.is_in([0, 1])
        & (pl.col("span") == span)
    )
    return set(ledger.filter(~sound)["uri"])


def _quarantine_problems(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    entry = manifest.body["quarantine"]
    lines = (dataset / entry["file"]).read_bytes() if entry["file"] else b""
    yield from _compared(manifest, "quarantine", entry, quarantine_facts(lines))


def _knowledge_problems(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    """The knowledge's tables against the digest that the release was judged with."""
    entry = manifest.body["knowledge"]
    found = Knowledge.load(dataset / KNOWLEDGE / entry["digest"])
    yield from _compared(manifest, "knowledge.digest", entry["digest"], found.digest)
    yield from _compared(manifest, "knowledge.documents", entry["documents"], found.documents)


def _changes_problems(dataset: Path, manifest: Manifest) -> Iterator[Problem]:
    """What the manifest, and so CHANGELOG.md, says of its changes, against the rows of both releases."""
    if manifest.body["base"] is None:
        return
    try:
        base = read_manifest(dataset, choose(dataset, manifest.body["base"]))
        if not holds_raw(base.body):
            return
        found = changes_entry(dataset, base, manifest, differing_documents(dataset, base, manifest))
    except ReleaseError:
        return  # a file of the base is damaged: its hash tells
    for key, counts in found.items():
        yield from _compared(manifest, key, manifest.body.get(key), counts)
