"""JSON lines: an object on a line is a record, named by its id or the number of its line.

read_jsonl      the records of a stream, or of the lines that begin in a span of its bytes
as_utf8         a stream without its mark, recoded where the mark says UTF-16 or UTF-32
Objects         objects to records: which keys hold what is decided once for each set of keys
spans           a plain file cut into spans of bytes with the numbers of their first lines
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from copydesk.errors import DocumentError
from copydesk.sources.columns import Chosen, choose
from copydesk.sources.limits import Counted
from copydesk.sources.records import Reading, Record, Unread
from copydesk.sources.streams import BLOCK, lines

__all__ = ["Objects", "as_utf8", "decoded", "read_jsonl", "spans"]

MARKS: Final = (
    (codecs.BOM_UTF8, None),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
REMEMBERED: Final = 1_000
"""Sets of keys whose columns are remembered."""


class _Recoded(io.RawIOBase):
    """A stream in another encoding as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        while not self._rest:
            data = self._stream.read(BLOCK)
            self._rest = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if not data and not self._rest:
                return 0
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def as_utf8(stream: BinaryIO) -> BinaryIO:
    """The stream without a byte order mark, as UTF-8 where the mark says that it is UTF-16 or UTF-32."""
    buffered = io.BufferedReader(Counted(stream), BLOCK)
    start = buffered.peek(4)[:4]
    for mark, encoding in MARKS:
        if start.startswith(mark):
            buffered.read(len(mark))
            plain = cast("BinaryIO", buffered)
            return plain if encoding is None else cast("BinaryIO", io.BufferedReader(_Recoded(plain, encoding), BLOCK))
    return cast("BinaryIO", buffered)


def decoded(data: bytes) -> str:
    """Bytes of JSON as text; those that are no UTF-8 stand as surrogates and become themselves again."""
    return data.decode("utf-8", "surrogateescape")


class Objects:
    """Objects to records."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._chosen: dict[tuple[str, ...], Chosen] = {}

    def record(self, value: object, number: int) -> Record | Unread:
        """One object; a string is a text of its own."""
        if isinstance(value, str) and value:
            value = {"text": value}
        if not isinstance(value, dict):
            return Unread(str(number), "is no object with the text among its keys")
        try:
            record = self._columns(tuple(value)).record(value, number)
        except DocumentError as error:
            return Unread(str(number), str(error))
        if isinstance(record, Record):
            self._reading.limits.check_document(len(record.data))
        return record

    def _columns(self, keys: tuple[str, ...]) -> Chosen:
        if keys not in self._chosen:
            self._reading.limits.check_columns(len(keys))
            if len(self._chosen) >= REMEMBERED:
                self._chosen.clear()
            self._chosen[keys] = choose(keys, self._reading.columns)
        return self._chosen[keys]


def read_jsonl(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """A record for each line that is not blank; one that is no JSON is Unread and stops no other."""
    objects = Objects(reading)
    for number, line in enumerate(_asked(stream, reading), reading.first):
        if isinstance(line, int):
            yield Unread(str(number), reading.limits.too_large(line))
        elif line.strip():
            yield _parsed(objects, line, number)


def _parsed(objects: Objects, line: bytes, number: int) -> Record | Unread:
    try:
        return objects.record(json.loads(decoded(line)), number)
    except (ValueError, RecursionError) as error:
        return Unread(str(number), f"is no JSON: {' '.join(str(error).split())[:120]}")


def _asked(stream: BinaryIO, reading: Reading) -> Iterator[bytes | int]:
    """The lines of the stream, or those that begin in its span."""
    limit = reading.limits.document_bytes
    if reading.span is None:
        yield from lines(as_utf8(stream), limit)
        return
    start, stop = reading.span
    stream.seek(start)
    yield from lines(cast("BinaryIO", io.BufferedReader(_Until(stream, stop - start), BLOCK)), limit)


class _Until(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, stream: BinaryIO, left: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = left

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        data = self._stream.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


def spans(stream: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """(start, stop, number of the first line) of spans of about `size` bytes that end with a line.

    A stream that begins with a mark of another encoding is one span.
    """
    start = at = 0
    number = first = 1
    head = stream.read(4)
    if any(head.startswith(mark) for mark, _ in MARKS):
        return
    stream.seek(0)
    while block := stream.read(BLOCK):
        end = block.rfind(b"\n")
        if end >= 0 and at + end + 1 - start >= size:
            whole_lines = block[: end + 1].count(b"\n")
            yield start, at + end + 1, first
            number += whole_lines
            start, first = at + end + 1, number
            number += block.count(b"\n", end + 1)
        else:
            number += block.count(b"\n")
        at += len(block)
    if at > start:
        yield start, at, first
