"""One document at a time: `clean` and `explain`, by the judge of an ingest, with the shipped knowledge if no other.

clean              bytes or a string to an Article
explain            bytes or a string to what `copydesk explain --json` prints
explain_documents  the same for a table of documents, judged as one batch
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from copydesk.decoding import as_raw
from copydesk.desk import Judged, judge, prepare
from copydesk.errors import DocumentError
from copydesk.fields import FIELDS
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.metadata import published_iso
from copydesk.sources import DOCUMENTS, document_id
from copydesk.text import before_repair, span_texts
from copydesk.uris import file_and_record

__all__ = ["FIELDS", "Article", "Line", "clean", "explain", "explain_documents", "fields_of", "public", "stem"]


@dataclass(frozen=True)
class Line:
    """A raw line, or a span of one: what it says after repair, what it is, what became of it, and why."""

    number: int
    text: str
    label: str
    fate: str
    evidence: str
    confidence: float
    before: str | None = None
    """What it said before repair; None where that is the text."""


@dataclass(frozen=True)
class Article:
    """A cleaned document. Unknown fields are None or empty; times are ISO 8601 with the offset as written."""

    headline: str | None
    deck: str | None
    text: str
    dateline: dict[str, Any] | None
    published_at: str | None
    updated_at: str | None
    authors: tuple[str, ...]
    section: str | None
    topics: tuple[str, ...]
    persons: tuple[str, ...]
    truncated: bool
    language: str | None
    outlet: str | None
    site: str | None
    encoding: str
    repairs: tuple[str, ...]
    lines: tuple[Line, ...]


def clean(data: bytes | str, *, uri: str = "text.txt", knowledge: Knowledge | None = None) -> Article:
    """The article in a raw text; raises DocumentError where the bytes cannot be read or nothing fits the schema."""
    record = _explained_one(data, uri, knowledge)
    fields = record["fields"]
    lists = {name: tuple(fields[name]) for name in ("authors", "topics", "persons")}
    return Article(
        **{**fields, **lists},
        text=record["text"],
        encoding=record["encoding"],
        repairs=tuple(record["repairs"]),
        lines=tuple(record["lines"]),
    )


def explain(data: bytes | str, *, uri: str = "text.txt", knowledge: Knowledge | None = None) -> dict[str, Any]:
    """What `copydesk explain --json` prints of a document; raises DocumentError where it cannot be read."""
    return public(_explained_one(data, uri, knowledge))


def public(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a record that is the contract of `explain --json`."""
    names = (
        ("id", "uri", "error") if "error" in record else ("id", "uri", "labels", "fate", "evidence", "text", "fields")
    )
    return {name: record[name] for name in names}


def _explained_one(data: bytes | str, uri: str, knowledge: Knowledge | None) -> dict[str, Any]:
    raw = as_raw(data)
    documents = pl.DataFrame(
        [
            {
                "id": document_id("", uri),
                "uri": uri,
                "source": "text",
                "raw_sha256": hashlib.sha256(raw).hexdigest(),
                "raw": raw,
            }
        ],
        schema=DOCUMENTS,
    )
    (record,) = explain_documents(documents, knowledge or Knowledge(), _shipped())
    if "error" in record:
        raise DocumentError(f"{uri}: {record['error']}")
    return record


@cache
def _shipped() -> Profiles:
    return load_profiles()


def explain_documents(documents: pl.DataFrame, knowledge: Knowledge, profiles: Profiles) -> Iterator[dict[str, Any]]:
    """A record per document (columns sources.DOCUMENTS), in their order: see `public` for the contract's part of it."""
    prepared = prepare(documents)
    judged = judge(prepared, knowledge, profiles)
    reasons = dict(pl.concat([prepared.refused, judged.refused]).select("id", "reason").iter_rows())
    articles = {row["id"]: row for row in judged.articles.iter_rows(named=True)}
    ledgers = _ledgers(judged)
    for key, uri in documents.select("id", "uri").iter_rows():
        if key in articles:
            yield _record(articles[key], ledgers.get(key, []))
        else:
            yield {"id": stem(uri), "uri": uri, "error": reasons.get(key, "it was not judged; report this")}


def _ledgers(judged: Judged) -> dict[str, list[dict[str, Any]]]:
    ledger, encodings = judged.ledger, dict(judged.articles.select("id", "encoding").iter_rows())
    names = ("id", "line", "label", "fate", "evidence", "confidence")
    rows = ledger.select(*names, text=span_texts(ledger), before=before_repair(ledger, encodings))
    return {str(key): part.to_dicts() for (key,), part in rows.group_by("id", maintain_order=True)}


def _record(article: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lines = _largest(spans)
    return {
        "id": stem(article["uri"]),
        "uri": article["uri"],
        "labels": [line["label"] for line in lines],
        "fate": [line["fate"] for line in lines],
        "evidence": [line["evidence"] for line in lines],
        "text": article["text"],
        "fields": fields_of(article),
        "encoding": article["encoding"],
        "repairs": article["repairs"],
        "provenance": article["provenance"],
        "lines": [
            Line(*(span[name] for name in ("line", "text", "label", "fate", "evidence", "confidence", "before")))
            for span in spans
        ],
    }


def _largest(spans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One span per raw line: a split line counts by its largest."""
    lines: dict[int, Mapping[str, Any]] = {}
    for span in spans:
        if span["line"] not in lines or len(span["text"]) > len(lines[span["line"]]["text"]):
            lines[span["line"]] = span
    return list(lines.values())


def fields_of(article: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an article row, in their order, times as ISO 8601 with the offset as written."""
    times = {
        "published_at": _iso(article["published_at"], article["published_offset"], article["published_precision"]),
        "updated_at": _iso(article["updated_at"], None, "second"),
    }
    return {name: times[name] if name in times else article[name] for name in FIELDS}


def _iso(instant: Any, offset: int | None, precision: str | None) -> str | None:
    return None if instant is None else published_iso(instant, offset, precision or "day")


def stem(uri: str) -> str:
    """A file's name without folder and suffix, with `#record` in a container."""
    file, record = file_and_record(uri)
    name = file.rsplit("/", 1)[-1]
    return (name.rsplit(".", 1)[0] or name) + ("" if record is None else f"#{record}")
