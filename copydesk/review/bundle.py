"""The page's data: small, in pieces that the page unpacks one by one, and the same bytes for the same documents.

    meta      what the page needs at once: names, labels, fields, figures
    index     a column per fact of the documents shown, for the list and its filters
    chunks    documents with their lines, CHUNK at a time

Pieces are JSON, compressed (deflate, no header, so no date and no system in it), as base64.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from copydesk.fields import FIELD_KINDS, FIELDS
from copydesk.labels import FATE_OF, LABELS
from copydesk.lines.profiles import Profiles
from copydesk.review.collect import DOUBT, Pair, Shown
from copydesk.schema import load_schema
from copydesk.single import fields_of
from copydesk.text import before_repair, span_texts

__all__ = ["chunks", "documents_of", "index", "meta", "pack"]

CHUNK: Final = 50
"""Documents unpacked together: 50 of 45 lines are a quarter of a megabyte of JSON and take some 10 ms."""

CODES: Final = {label: number for number, label in enumerate(LABELS)}

Document = dict[str, Any]


def pack(value: Any) -> str:
    """A piece: JSON, deflated, in base64."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()


def meta(shown: Shown, profiles: Profiles, documents: Sequence[Document]) -> dict[str, Any]:
    """What the page needs at once."""
    label = next(column for column in load_schema("ledger").fields if column.name == "label")
    meanings = dict(zip(label.allowed, label.meanings, strict=True))
    used = {span[2] for one in documents for span in one["lines"]}
    reasons = {
        rule.evidence: rule.reason.strip()
        for profile in profiles.profiles
        for rule in profile.rules
        if rule.evidence in used
    }
    return {
        "name": shown.name,
        "version": shown.version,
        "since": shown.since,
        "told": shown.told,
        "labels": [{"label": one, "fate": FATE_OF[one], "meaning": meanings.get(one, "")} for one in LABELS],
        "fields": FIELD_KINDS,
        "reasons": dict(sorted(reasons.items())),
        "figures": shown.figures,
        "shown": len(documents),
        "doubt": DOUBT,
        "chunk": CHUNK,
    }


def index(shown: Shown, documents: Sequence[Document]) -> dict[str, list[Any]]:
    """Columns over the documents shown, in their order."""
    facts = {row["id"]: row for row in shown.order.iter_rows(named=True)}
    same = ("id", "uri", "source", "site", "outlet", "headline")
    return {
        **{name: [one[name] for one in documents] for name in same},
        **{name: [facts[one["id"]][name] for one in documents] for name in ("least", "doubtful", "kept", "dropped")},
        "date": [(one["fields"].get("published_at") or "")[:10] for one in documents],
        "labels": [sum(1 << code for code in {span[1] for span in one["lines"]}) for one in documents],
        "evidence": [sorted({span[2].partition(":")[0] for span in one["lines"]} - {"blank"}) for one in documents],
        "change": [": ".join(shown.changes.get(one["id"], ())) or None for one in documents],
    }


def chunks(documents: Sequence[Document]) -> Iterator[str]:
    """The documents in pieces; what stands in the index is left out."""
    known = ("source", "site", "outlet", "uri", "headline")
    for start in range(0, len(documents), CHUNK):
        yield pack([{k: v for k, v in one.items() if k not in known} for one in documents[start : start + CHUNK]])


def documents_of(shown: Shown) -> list[Document]:
    """The documents of the page with fields, provenance and lines, in the order of `shown.order`."""
    found = {one["id"]: one for pair in shown.pairs for one in _documents(pair)}
    return [found[key] for key in shown.order["id"]]


def _documents(pair: Pair) -> Iterator[Document]:
    articles, ledger = pair
    lines = _lines(ledger, dict(articles.select("id", "encoding").iter_rows()))
    for row in articles.iter_rows(named=True):
        same = ("id", "uri", "source", "site", "outlet", "headline", "raw_sha256", "encoding", "repairs")
        values = fields_of(row)
        yield {
            **{name: row[name] for name in same},
            "fields": {name: values[name] for name in FIELDS if values[name] not in (None, [], False)},
            "provenance": [[one[key] for key in ("field", "value", "evidence", "used")] for one in row["provenance"]],
            "lines": lines.get(row["id"], []),
        }


def _lines(ledger: pl.DataFrame, encodings: Mapping[str, str]) -> dict[str, list[list[Any]]]:
    """Id to spans: line, label's number, evidence, confidence in thousandths, text, and how it stood where repaired."""
    told = ledger.select(
        "id",
        "line",
        pl.col("label").cast(pl.String),
        "evidence",
        sure=(pl.col("confidence") * 1000).round().cast(pl.Int32),
        text=span_texts(ledger),
        before=before_repair(ledger, encodings),
    )
    found: dict[str, list[list[Any]]] = {}
    for key, line, label, evidence, sure, text, before in told.iter_rows():
        span = [line, CODES[label], evidence, sure, text]
        found.setdefault(key, []).append([*span, before] if before is not None else span)
    return found
