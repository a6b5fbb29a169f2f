"""What passes from the raw files to the desk: files found, the table of documents, and what is refused.

    RawFile, Refused             what is in a source
    DOCUMENTS, REFUSED           the tables of a batch
    row, refused_row             a row of them; table_of: rows as a table
    facts                        what is said of a document, in such a row
    document_id                  the id of a uri

A document is named by source and uri. A file that holds one text is a document by its own uri; a file that holds many,
a *container*, has documents `uri#record`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from copydesk.locations import Location
from copydesk.sources.kinds import Kind
from copydesk.sources.limits import Limits

__all__ = [
    "DOCUMENTS",
    "GIVEN",
    "REFUSED",
    "Asked",
    "RawFile",
    "Refused",
    "document_id",
    "facts",
    "refused_row",
    "row",
    "table_of",
]

DOCUMENTS: Final = pl.Schema(
    {
        "id": pl.String(),
        "uri": pl.String(),
        "source": pl.String(),
        "site": pl.String(),
        "outlet": pl.String(),
        "url": pl.String(),
        "given_date": pl.String(),
        "given_headline": pl.String(),
        "given_section": pl.String(),
        "given_authors": pl.String(),
        "given_by": pl.String(),
        "extra": pl.String(),
        "years_from": pl.Int16(),
        "years_to": pl.Int16(),
        "raw_sha256": pl.String(),
        "raw": pl.Binary(),
    }
)
"""`given_by` is JSON, {field: evidence}, for what neither a person nor a column says but the page's own metadata."""

REFUSED: Final = pl.Schema(
    {
        "id": pl.String(),
        "uri": pl.String(),
        "source": pl.String(),
        "raw_sha256": pl.String(),
        "reason": pl.String(),
    }
)
GIVEN: Final = ("site", "outlet", "url", "date", "headline", "section", "authors")
"""What can be said of a document, in the order of the columns of DOCUMENTS; all else goes into `extra`."""


@dataclass(frozen=True)
class Asked:
    """How a source asks for its files to be read."""

    pattern: str | None = None
    sidecar: Location | None = None
    columns: tuple[tuple[str, str], ...] = ()
    """(what, the column that holds it); what is not named is guessed."""
    separator: str | None = None
    limits: Limits = Limits()  # noqa: RUF009 -- frozen
    facts: str = ""
    """What else the records depend on: the sidecar's content, the versions of the extras that are installed."""

    @property
    def as_said(self) -> dict[str, object]:
        """All that may change what the records of a container are."""
        return {**asdict(self), "sidecar": None}


@dataclass(frozen=True)
class RawFile:
    """One raw file: where it is, how it is named in the release, and what path and sidecar say of it."""

    path: Location
    source: str
    uri: str
    size: int
    modified: int
    """The file's time in nanoseconds, on a store a digest of its tag: a hint that it may have changed, nothing else."""
    kind: Kind = Kind("text")  # noqa: RUF009 -- frozen
    given: Mapping[str, str] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    asked: Asked = Asked()

    @cached_property
    def id(self) -> str:
        """The id of the file as a document; of a container, the name it is remembered by."""
        return document_id(self.source, self.uri)


@dataclass(frozen=True)
class Refused:
    """A file that is not read, with the reason."""

    source: str
    uri: str
    reason: str


def document_id(source: str, uri: str) -> str:
    """16 hexadecimal digits, stable for a source and a uri: 64 bits, one collision expected in 6 billion documents."""
    return hashlib.sha256(f"{source}\0{uri}".encode()).hexdigest()[:16]


def row(
    source: str, uri: str, given: Mapping[str, Any], years: tuple[int, int] | None, raw: bytes
) -> tuple[object, ...]:
    """A row of DOCUMENTS. `given` may hold `given_by`, a mapping, beside the names of GIVEN and others."""
    return (document_id(source, uri), uri, source, *facts(given, years), hashlib.sha256(raw).hexdigest(), raw)


def facts(given: Mapping[str, Any], years: tuple[int, int] | None) -> tuple[object, ...]:
    """What stands of a document between its source and its hash in a row of DOCUMENTS."""
    rest = dict(given)
    said_by = rest.pop("given_by", None)
    known = [clean(rest.pop(name, None)) for name in GIVEN]
    return (*known, as_json(said_by), as_json(rest), *(years or (None, None)))


def table_of(rows: Sequence[tuple[object, ...]], schema: pl.Schema) -> pl.DataFrame:
    """Rows as a table, made column by column."""
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame([pl.Series(name, values, dtype=kind) for (name, kind), values in columns])


def refused_row(source: str, uri: str, reason: str, sha256: str | None = None) -> tuple[str | None, ...]:
    """A row of REFUSED."""
    return (document_id(source, uri), uri, source, sha256, clean(reason))


def as_json(values: Mapping[str, Any] | None) -> str | None:
    """Sorted JSON, null where there is nothing."""
    return clean(json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)) if values else None


def clean(value: object) -> str | None:
    """A string that can be written as UTF-8: half a surrogate pair, which JSON can hold, becomes a question mark."""
    return None if value is None else str(value).encode("utf-8", "replace").decode("utf-8")
