"""Plain texts: one document a file, or many stories with a line between them that the source's `separator` matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from copydesk.errors import DocumentError
from copydesk.sources.limits import Limits
from copydesk.sources.records import Reading, Record, Unread, whole
from copydesk.sources.streams import lines

__all__ = ["read_html", "read_text"]

WIDE: Final = (b"\xff\xfe", b"\xfe\xff")


def read_html(stream: BinaryIO, reading: Reading) -> Iterator[Record]:
    """One page."""
    yield Record(None, whole(stream, reading.limits), page=True)


def read_text(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """One text, or the stories between separators, numbered from 1; the separators belong to none."""
    if reading.separator is None:
        yield Record(None, whole(stream, reading.limits))
    else:
        yield from _stories(stream, re.compile(reading.separator.encode()), reading.limits)


def _stories(stream: BinaryIO, separator: re.Pattern[bytes], limits: Limits) -> Iterator[Record | Unread]:
    story: list[bytes] = []
    size = number = 0
    for line in lines(stream, limits.document_bytes):
        if number == 0 and not story and isinstance(line, bytes) and line.startswith(WIDE):
            raise DocumentError("UTF-16 cannot be cut by a separator; save it as UTF-8")
        if isinstance(line, bytes) and separator.fullmatch(line.rstrip(b"\r\n")):
            number += 1
            yield from _story(number, story, size, limits)
            story, size = [], 0
            continue
        size += line if isinstance(line, int) else len(line)
        if isinstance(line, bytes) and size <= limits.document_bytes:
            story.append(line)
    yield from _story(number + 1, story, size, limits)


def _story(number: int, story: list[bytes], size: int, limits: Limits) -> Iterator[Record | Unread]:
    if size > limits.document_bytes:
        yield Unread(str(number), limits.too_large(size))
    elif any(line.strip() for line in story):
        yield Record(str(number), b"".join(story))
