"""What configuration, path and sidecar say of a document, beside its bytes.

    read_sidecar    a CSV file of facts by file or record
    given           all that is said of a document; the more particular wins
    remembered      what was said of a document whose file is gone, out of its article

The order, the last wins: the source's `site` and `outlet`, the pattern of its path, the record's own columns or the
page's metadata, the sidecar. A sidecar's row names a document by its uri, by its path in an archive, or by the bare
name of a file, where that is the name of one file only.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

import polars as pl

from copydesk.config import Source
from copydesk.errors import ConfigError
from copydesk.locations import Location
from copydesk.patterns import DAY, compile_pattern
from copydesk.sources.stores import read_all
from copydesk.sources.tables import Asked

__all__ = [
    "FILE_COLUMNS",
    "bare",
    "base",
    "given",
    "read_sidecar",
    "remembered",
    "sidecar_bytes",
    "sidecar_of",
    "sidecar_row",
]

FILE_COLUMNS: Final = ("file", "filename", "file_name", "path", "uri")
"""Names of the sidecar's column that names the file, in order of preference."""

FIELDS: Final = {
    "headline": "headline",
    "authors": "authors",
    "section": "section",
    "outlet": "outlet",
    "published_at": "date",
}
"""Fields of the provenance, and what they are called where they are given."""

WHO: Final = frozenset({"given", "json-ld", "opengraph", "html"})

Sidecar = Mapping[str, Mapping[str, str]]


def sidecar_bytes(path: Location) -> bytes:
    """A sidecar's bytes; raises ConfigError where they cannot be read."""
    try:
        return read_all(path)
    except OSError as error:
        told = error.strerror or error
        raise ConfigError(f"{path}: the sidecar cannot be read ({told}); check `metadata` of its [[source]]") from error


def read_sidecar(path: Location) -> dict[str, dict[str, str]]:
    """A CSV file of facts by file: {file name or uri: {column: value}}; empty cells are left out.

    Raises ConfigError where it cannot be read or no column names the file.
    """
    try:
        table = pl.read_csv(io.BytesIO(sidecar_bytes(path)), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        told = str(error).partition("\n\n")[0].replace("\n", " ")  # what follows is advice about Polars
        raise ConfigError(f"{path}: the sidecar cannot be read as CSV: {told}; save it as UTF-8 with commas") from error
    key = next((name for name in FILE_COLUMNS if name in table.columns), None)
    if key is None:
        raise ConfigError(
            f"{path}: no column names the file (found: {', '.join(table.columns)}); call one of them 'file'"
        )
    rows = {}
    for row in table.iter_rows(named=True):
        name = row.pop(key)
        if name in rows:
            raise ConfigError(f"{path}: the file {name!r} stands in two rows; keep one")
        if name:
            rows[name] = {column: value.strip() for column, value in row.items() if value and value.strip()}
    return rows


@lru_cache(maxsize=8)
def sidecar_of(asked: Asked) -> Sidecar:
    """The sidecar that a source asks for, read once in a process."""
    return read_sidecar(asked.sidecar) if asked.sidecar is not None else {}


def base(source: Source) -> dict[str, str]:
    """What the configuration says of all documents of a source."""
    return {name: value for name, value in (("site", source.site), ("outlet", source.outlet)) if value}


def bare(uri: str) -> str:
    """The name of a file without its folders, of a member without its archive."""
    return uri.rsplit("/", 1)[-1].rsplit("#", 1)[-1]


def given(
    said: Mapping[str, str], asked: Asked, sidecar: Sidecar, names: Iterable[str], own: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All that is said of a document: `said` of its source, its path, its `own` fields, its row of the sidecar.

    `names` are those that it may be meant by, the fullest first; a pattern is tried on a member's own path before it.
    """
    names = tuple(names)
    found: dict[str, Any] = dict(said)
    if asked.pattern:
        matcher = compile_pattern(asked.pattern)
        match = next((match for name in (*names[1:], names[0]) if (match := matcher.fullmatch(name))), None)
        found |= match.groupdict() if match else {}
    found |= own or {}
    _win(found, sidecar_row(sidecar, names))
    if isinstance(found.get("date"), str) and re.fullmatch(DAY, found["date"]):
        found["date"] = _day(found["date"]) or found["date"]
    return found


def sidecar_row(sidecar: Sidecar, names: Sequence[str]) -> Mapping[str, str]:
    """What a sidecar says of a document of these names."""
    return next((sidecar[name] for name in (*names, bare(names[0])) if name in sidecar), {})


def remembered(article: Mapping[str, Any]) -> dict[str, Any]:
    """What a record's columns, a page or a sidecar said of a document, as its article (provenance, extra, url) tells.

    A person's word is `given`, a page's is named by where it stands; what was said and made no difference is not told.
    """
    found: dict[str, Any] = json.loads(article["extra"]) if article["extra"] else {}
    by: dict[str, str] = {}
    for entry in article["provenance"] or ():
        name, evidence = FIELDS.get(entry["field"]), entry["evidence"].rpartition("+")[2]
        if name is None or evidence not in WHO or name in found:
            continue
        found[name] = entry["value"]
        if evidence != "given":
            by[name] = evidence
    if article["url"]:
        found["url"] = article["url"]
    return {**found, "given_by": by} if by else found


def _win(found: dict[str, Any], row: Mapping[str, str]) -> None:
    """Put a person's facts in the place of others; what they replace is no longer said by a page."""
    found |= row
    by = found.get("given_by")
    if by:
        found["given_by"] = {name: evidence for name, evidence in by.items() if name not in row}


@lru_cache(maxsize=4096)
def _day(value: str) -> str | None:
    """`2017-01-25`, `20170125` or `2017_01_25` as an ISO day; None where there is no such day."""
    digits = re.sub(r"[^0-9]", "", value)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return None
