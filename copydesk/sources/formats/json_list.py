"""JSON files: a list of objects, objects one after the other, one object, or an object with one list of them.

A list is read object by object, in a window that grows to the limit of a document, so that its length does not matter.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from copydesk.errors import DocumentError
from copydesk.sources.formats.jsonl import Objects, as_utf8
from copydesk.sources.limits import OverLimitError
from copydesk.sources.records import Reading, Record, Unread

__all__ = ["read_json"]

WINDOW: Final = 1 << 16
BLANK: Final = " \t\r\n"


def read_json(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of a JSON file, numbered from 1."""
    objects = Objects(reading)
    number = 0
    for value in _values(stream, reading.limits.document_bytes):
        for one in _listed(value):
            number += 1
            yield objects.record(one, number)
    if not number:
        raise DocumentError("holds no object")


def _listed(value: object) -> list[Any]:
    """The objects in an object's only list of objects, else the value itself."""
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list) and part and isinstance(part[0], dict)]
        if len(lists) == 1 and not any(isinstance(part, str) and len(part) > 200 for part in value.values()):
            return lists[0]
    return [value]


class _Window:
    """The part of the file that is looked at."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._limit = limit
        self._read = json.JSONDecoder().raw_decode
        self.text = ""
        self.ended = False

    def more(self) -> None:
        """Double the window; raises OverLimitError."""
        if len(self.text) > self._limit:
            raise OverLimitError(f"a value of over {self._limit} bytes; raise max_document_bytes under [ingest]")
        data = self._stream.read(max(WINDOW, len(self.text)))
        self.ended = not data
        self.text += self._decoder.decode(data, final=self.ended)

    def skip(self, what: str) -> str:
        """Drop what stands before the next value and give its first character; none at the end."""
        while True:
            self.text = self.text.lstrip(what)
            if self.text or self.ended:
                return self.text[:1]
            self.more()

    def value(self) -> Any:
        """Take the next value; raises ValueError where there is none."""
        while True:
            try:
                found, end = self._read(self.text)
            except ValueError:
                if self.ended:
                    raise
            else:
                if end < len(self.text) or self.ended:  # a number may go on
                    self.text = self.text[end:]
                    return found
            self.more()


def _values(stream: BinaryIO, limit: int) -> Iterator[Any]:
    window = _Window(as_utf8(stream), limit)
    in_list = window.skip(BLANK) == "["
    if in_list:
        window.text = window.text[1:]
    try:
        while (mark := window.skip(BLANK + ",")) and not (in_list and mark == "]"):
            yield window.value()
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"is no JSON from here on: {' '.join(str(error).split())[:120]}") from error
    if in_list and not mark:
        raise DocumentError("the list is cut off")
