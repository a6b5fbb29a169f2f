"""Quarantine: the documents that could not be read or break the schema, each with its reason.

    quarantine_lines   a table of refused documents to the bytes of a JSON lines file
    quarantine_facts   what the manifest says of them

A document in quarantine is not in the release and stops no other; nothing is skipped in silence.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

import polars as pl

from copydesk.release.folder import QUARANTINE, sha256_of

__all__ = ["quarantine_facts", "quarantine_lines"]

REASONS: Final = 20
"""Kinds of reasons that a manifest counts; the file has all."""


def quarantine_lines(refused: pl.DataFrame) -> bytes:
    """One JSON object (id, raw_sha256, reason, source, uri) on a line, sorted by source and uri; no rows, no bytes."""
    rows = refused.select("id", "raw_sha256", "reason", "source", "uri").unique().sort("source", "uri", "reason")
    return "".join(
        json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows.iter_rows(named=True)
    ).encode()


def quarantine_facts(lines: bytes) -> dict[str, Any]:
    """The manifest's entry: how many documents, the file and its hash, and how often each kind of reason."""
    digest = sha256_of(lines) if lines else None
    reasons = Counter(_kind(json.loads(line)["reason"]) for line in lines.splitlines())
    first = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:REASONS]
    return {
        "documents": sum(reasons.values()),
        "file": f"{QUARANTINE}/{digest[:32]}.jsonl" if digest else None,
        "sha256": digest,
        "reasons": dict(first),
    }


def _kind(reason: str) -> str:
    """A reason without the numbers that differ between documents."""
    return re.sub(r"[0-9]+", "N", reason)[:120]
