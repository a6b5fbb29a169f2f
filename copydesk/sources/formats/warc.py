"""Web archives: each successful response that is a page or a plain text, by its record ID; also extracted texts (WET).

Requests, metadata, redirects, errors, pictures and scripts are no news and go by without a word.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any, BinaryIO, Final, cast

from copydesk.sources.columns import record_name
from copydesk.sources.limits import OverLimitError
from copydesk.sources.records import Reading, Record, Unread, extra, told, whole

__all__ = ["read_warc"]

PAGES: Final = ("text/html", "application/xhtml+xml")
TEXTS: Final = ("text/plain",)
HEADERS: Final = 16_000_000
"""Bytes between records in which their headers must stand."""


class _Guarded(io.RawIOBase):
    """A stream that gives only so much while headers are read: the reader holds a header line in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.left: int | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer; raises OverLimitError."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise OverLimitError(f"headers of over {HEADERS} bytes: it is no WARC from here on")
        return len(data)


def read_warc(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The pages and texts of a WARC file."""
    extra("warcio", "warc")
    logging.getLogger("warcio").setLevel(logging.ERROR)  # it warns of spaces in addresses
    from warcio.archiveiterator import ArchiveIterator

    guarded = _Guarded(stream)
    archive = ArchiveIterator(io.BufferedReader(guarded, 1 << 16), arc2warc=True)
    while True:
        guarded.left = HEADERS
        record = next(archive, None)
        guarded.left = None
        if record is None:
            return
        found = _record(record, reading)
        if found is not None:
            yield found
        damage = _left_behind(archive, record)
        if damage:
            yield Unread(None, f"after record {_name(record)}: {damage}")


def _left_behind(archive: Any, record: Any) -> str | None:
    """Go to the end of a record; says what is wrong there, where something is."""
    errors = archive.err_count
    with redirect_stderr(io.StringIO()):  # where the reader says it
        archive.read_to_end(record)
    if archive.err_count > errors:
        return "its length is wrong; what stands there is left out, up to the next record"
    return "the archive ends within it" if getattr(record.raw_stream, "limit", 0) > 0 else None


def _name(record: Any) -> str:
    return record_name((record.rec_headers.get_header("WARC-Record-ID") or "").strip("<>").removeprefix("urn:uuid:"), 0)


def _record(record: Any, reading: Reading) -> Record | Unread | None:
    kind = _content_type(record)
    if kind not in PAGES + TEXTS:
        return None
    headers = record.rec_headers
    name = _name(record)
    said = {"url": headers.get_header("WARC-Target-URI"), "warc_date": headers.get_header("WARC-Date")}
    try:
        data = whole(cast("BinaryIO", record.content_stream()), reading.limits)
    except OverLimitError as error:
        return Unread(name, str(error))
    except Exception as error:  # noqa: BLE001 -- a damaged body must not end the archive
        return Unread(name, f"its body cannot be read: {told(error)}")
    return Record(name, data, {key: value for key, value in said.items() if value}, page=kind in PAGES)


def _content_type(record: Any) -> str | None:
    """The media type of a record that holds what a reader saw; None of all others."""
    match record.rec_type:
        case "response" if record.http_headers is not None and record.http_headers.get_statuscode() == "200":
            said = record.http_headers.get_header("Content-Type")
        case "conversion" | "resource":
            said = record.rec_headers.get_header("Content-Type")
        case _:
            return None
    return (said or "").partition(";")[0].strip().lower() or None
