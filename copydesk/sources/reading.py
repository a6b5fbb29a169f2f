"""Files to tables of documents.

    read_batch    files of one document each, as DOCUMENTS, and what cannot be read, as REFUSED
    given_row     a row of DOCUMENTS for raw bytes whose file is gone
    pieces        the files of many documents cut into pieces of work: small ones together, large plain ones in spans
    unpack        a piece's records as tables of at most so many documents and bytes (RECORDS), and what is refused
    extracted     records as DOCUMENTS, pages turned into their article's lines
    documents_of  all of it for any files, as one stream: what `explain` and drafting want

The bytes of a page are turned into text when its batch is read, not when its container is unpacked: that takes the time
of fifty texts, and batches are read side by side.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import polars as pl

from copydesk.config import Source
from copydesk.digests import digest
from copydesk.errors import DocumentError
from copydesk.sources.cuts import Cut
from copydesk.sources.files import Files
from copydesk.sources.given import base, given, sidecar_of
from copydesk.sources.kinds import Kind
from copydesk.sources.names import Names, as_number
from copydesk.sources.plain import plain_rows
from copydesk.sources.records import Reading, Record, Unread, records, told
from copydesk.sources.stores import opened
from copydesk.sources.tables import (
    DOCUMENTS,
    REFUSED,
    Asked,
    RawFile,
    document_id,
    refused_row,
    row,
    table_of,
)
from copydesk.uris import file_and_record

__all__ = [
    "RECORDS",
    "Piece",
    "documents_of",
    "extracted",
    "given_row",
    "pieces",
    "read_batch",
    "unpack",
]

RECORDS: Final = pl.Schema(
    {
        **DOCUMENTS,
        "page": pl.Boolean(),
        "file": pl.String(),
        "digest": pl.String(),
        "size": pl.Int64(),
    }
)
"""Documents out of containers. `raw` is the record's bytes as they were found, a page's before its article is taken
out of it; `digest` is over these bytes and all that is said of the record, `file` is the container's id."""

SPAN: Final = 64_000_000
"""Bytes of a plain JSON lines or Parquet file that are a piece of work."""

SHARES: Final = 4
"""Pieces that each worker should have: they are not alike."""

LEAST: Final = 4_000_000
"""What a piece has at least for that: half a second's work."""


@dataclass(frozen=True)
class Piece:
    """Containers, or a span of one, that are unpacked together."""

    files: tuple[RawFile, ...]
    span: tuple[int, int] | None = None
    first: int = 1


def read_batch(files: Sequence[RawFile]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The files of a batch, each a document, as a table DOCUMENTS, and those that cannot be read as a table REFUSED."""
    rows: list[tuple[object, ...]] = []
    refused: list[tuple[str | None, ...]] = []
    ready = plain_rows(files) if isinstance(files, Files) else [None] * len(files)
    for number, done in enumerate(ready):
        if done is not None:
            rows.append(done)
            continue
        file = files[number]
        one = _alone(file)
        if isinstance(one, Unread):
            refused.append(refused_row(file.source, file.uri, one.reason))
            continue
        try:
            rows.append(_document(file, one))
        except DocumentError as error:
            refused.append(refused_row(file.source, file.uri, str(error), hashlib.sha256(one.data).hexdigest()))
    return table_of(rows, DOCUMENTS), table_of(refused, REFUSED)


def _alone(file: RawFile) -> Record | Unread:
    """The one record of a file."""
    try:
        with opened(file.path) as stream:
            return next(records(stream, file.kind, Reading(file.asked.limits)))
    except Exception as error:  # noqa: BLE001 -- a store's library raises its own
        return Unread(None, f"cannot be read: {getattr(error, 'strerror', None) or told(error)}")


def _document(file: RawFile, record: Record) -> tuple[object, ...]:
    """A row of DOCUMENTS; raises DocumentError where a page has no article."""
    if not record.page:
        return row(file.source, file.uri, file.given, file.years, record.data)
    raw, said = _article(record.data)
    return row(file.source, file.uri, _over(said, file.given), file.years, raw)


def _article(page: bytes) -> tuple[bytes, dict[str, Any]]:
    """A page's article as the bytes of its text, and what the page says of itself; raises DocumentError."""
    from copydesk.sources.formats.html import article

    try:
        text, said = article(page)
    except DocumentError:
        raise
    except Exception as error:
        # A page can be broken in more ways than the extractor's authors met.
        raise DocumentError(f"the extractor failed on the page: {told(error)}") from error
    return text.encode("utf-8", "replace"), said


def _over(said: Mapping[str, Any], better: Mapping[str, Any]) -> dict[str, Any]:
    """What a page says, under what is said of it: `better` wins."""
    by = {name: evidence for name, evidence in said.get("given_by", {}).items() if name not in better}
    return {**said, **better, **({"given_by": by} if by else {"given_by": None})}


def given_row(
    source: Source | None, name: str, uri: str, raw: bytes, said: Mapping[str, Any] | None = None
) -> tuple[object, ...]:
    """A row of DOCUMENTS for raw bytes whose file is gone, with what path and configuration say of it.

    `said` is what its columns, its page or its sidecar said of it (see given.remembered); `source` is None where the
    configuration no longer has a source of that `name`.
    """
    if source is None:
        return row(name, uri, said or {}, None, raw)
    names = (uri, *(part for part in reversed(file_and_record(uri)) if part))
    today = given(base(source), Asked(source.pattern), {}, names)
    return row(name, uri, {**(said or {}), **today}, source.years, raw)


def _names(uri: str, record: str | None = None) -> tuple[str, ...]:
    """What a document may be meant by: its uri, its path in an archive, and its archive."""
    return (uri,) if record is None else (uri, record, uri.removesuffix(f"#{record}"))


# Files of many documents


def pieces(files: Sequence[RawFile], workers: int = 1, size: int = SPAN) -> Iterator[Piece]:
    """Pieces of work, in the files' order: small files together, a large plain JSON lines or Parquet file in spans.

    Few files are cut into smaller pieces, so that there is work for several workers.
    """
    if workers > 1:
        size = min(size, max(sum(one.size for one in files) // (SHARES * workers), LEAST))
    together: list[RawFile] = []
    for file in files:
        spans = list(_spans(file, size)) if file.size > size else []
        if spans or sum(one.size for one in together) + file.size > size:
            if together:
                yield Piece(tuple(together))
            together = []
        if spans:
            yield from (Piece((file,), (start, stop), first) for start, stop, first in spans)
        else:
            together.append(file)
    if together:
        yield Piece(tuple(together))


def _spans(file: RawFile, size: int) -> Iterator[tuple[int, int, int]]:
    """(start, stop, number of the first record) of a file's spans; none where it can only be read from its start."""
    if file.kind not in (Kind("jsonl", many=True), Kind("parquet", many=True)):
        return
    with suppress(Exception), opened(file.path) as stream:  # what is wrong with it is said when it is read
        if file.kind.format == "jsonl":
            from copydesk.sources.formats.jsonl import spans

            yield from spans(stream, size)
        else:
            yield from _group_spans(stream, size)


def _group_spans(stream: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    from copydesk.sources.formats.parquet import groups

    start, held, first = 0, 0, 1
    found = groups(stream)
    for group, bytes_, number in found:
        if held and held + bytes_ > size:
            yield start, group, first
            start, held, first = group, 0, number
        held += bytes_
    if found:
        yield start, len(found), first


def unpack(piece: Piece, cut: Cut) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The records of a piece as tables RECORDS of at most `cut`, with what is refused as tables REFUSED plus `file`."""
    rows: list[tuple[object, ...]] = []
    refused: list[tuple[str | None, ...]] = []
    size = 0
    for file in piece.files:
        sidecar = sidecar_of(file.asked)
        for one in _records(file, piece):
            if isinstance(one, Unread):
                uri = file.uri if one.name is None else f"{file.uri}#{one.name}"
                refused.append((*refused_row(file.source, uri, one.reason), file.id))
                if len(refused) < cut.documents:
                    continue
            else:
                if rows and size + len(one.data) > cut.bytes:
                    yield _tables(rows, refused)
                    rows, refused, size = [], [], 0
                rows.append(_record_row(file, one, sidecar))
                size += len(one.data)
            if len(rows) >= cut.documents or len(refused) >= cut.documents:
                yield _tables(rows, refused)
                rows, refused, size = [], [], 0
    if rows or refused:
        yield _tables(rows, refused)


def _tables(rows: list[tuple[object, ...]], refused: list[tuple[str | None, ...]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return table_of(rows, RECORDS), table_of(refused, pl.Schema({**REFUSED, "file": pl.String()}))


def _records(file: RawFile, piece: Piece) -> Iterator[Record | Unread]:
    """The records of a container, or of the span that is asked for; one that holds none is Unread."""
    reading = Reading(file.asked.limits, file.asked.columns, file.asked.separator, span=piece.span, first=piece.first)
    try:
        with opened(file.path) as stream:
            found = records(stream, file.kind, reading)
            first = next(found, None)
            if first is not None:
                yield first
            elif piece.span is None:
                yield Unread(None, "holds no text; see docs/sources.md for what is looked for in its format")
            yield from found
    except Exception as error:  # noqa: BLE001 -- a store's library raises its own
        yield Unread(None, f"cannot be read: {getattr(error, 'strerror', None) or told(error)}")


def _record_row(file: RawFile, record: Record, sidecar: Mapping[str, Mapping[str, str]]) -> tuple[object, ...]:
    name = record.name or "1"
    uri = f"{file.uri}#{name}"
    said = given(file.given, file.asked, sidecar, _names(uri, name), record.said)
    told = row(file.source, uri, said, file.years, record.data)
    return (*told, record.page, file.id, digest([dict(said), file.years, told[-2]]), len(record.data))


def extracted(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records as DOCUMENTS, pages turned into their article's lines; pages without one as REFUSED."""
    pages = table.filter(pl.col("page"))
    if not pages.height:
        return table.select(DOCUMENTS.names()).cast(DOCUMENTS), pl.DataFrame(schema=REFUSED)
    rows: list[tuple[object, ...]] = []
    refused: list[tuple[str | None, ...]] = []
    for values in table.select([*DOCUMENTS.names(), "page"]).iter_rows(named=True):
        page = values.pop("page")
        try:
            rows.append(_page_row(values) if page else tuple(values.values()))
        except DocumentError as error:
            refused.append((values["id"], values["uri"], values["source"], values["raw_sha256"], str(error)))
    return table_of(rows, DOCUMENTS), table_of(refused, REFUSED)


def _page_row(values: dict[str, Any]) -> tuple[object, ...]:
    """A page's row with its article in place of its bytes; its own metadata fills what nobody else says."""
    raw, said = _article(values["raw"])
    by = said.pop("given_by", {})
    used = {}
    for name, value in said.items():
        column = name if name in values else f"given_{name}"
        if values.get(column) is None:
            values[column] = value
            used[name] = by.get(name)
    values["given_by"] = json.dumps(used, sort_keys=True) if used else None
    values["raw"], values["raw_sha256"] = raw, hashlib.sha256(raw).hexdigest()
    return tuple(values.values())


def documents_of(files: Iterable[RawFile], cut: Cut) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The documents of files of any kind, in their order, as tables DOCUMENTS with what is refused as REFUSED."""
    batch: list[RawFile] = []
    for file in files:
        if not file.kind.many:
            batch.append(file)
            if len(batch) < cut.documents:
                continue
        if batch:
            yield read_batch(batch)
            batch = []
        if file.kind.many:
            names = Names()
            for table, unread in unpack(Piece((file,)), cut):
                documents, pageless = extracted(_told_apart(table, names))
                yield documents, pl.concat([unread.select(REFUSED.names()), pageless])
    if batch:
        yield read_batch(batch)


def _told_apart(table: pl.DataFrame, names: Names) -> pl.DataFrame:
    """The next records of a container, named as an ingest names them."""
    rows = table.select("source", "uri", "id").iter_rows()
    uris = [uri if names.new(as_number(name)) else names.another(source, uri) for source, uri, name in rows]
    if uris == table["uri"].to_list():
        return table
    ids = [document_id(source, uri) for source, uri in zip(table["source"], uris, strict=True)]
    return table.with_columns(id=pl.Series(ids, dtype=pl.String), uri=pl.Series(uris, dtype=pl.String))
