"""Comma- and tab-separated values with a header line; a row is a record.

Delimiters and quotes are ASCII in every encoding that such files come in, so the rows are cut as bytes (as Latin-1),
and the text of a cell is that cell's own bytes: the decoder judges it as it judges a file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

from copydesk.errors import DocumentError
from copydesk.sources.columns import Chosen, choose
from copydesk.sources.formats.jsonl import as_utf8
from copydesk.sources.limits import Limits, OverLimitError
from copydesk.sources.records import Reading, Record, Unread
from copydesk.sources.streams import lines

__all__ = ["read_csv", "read_tsv"]

DELIMITERS: Final = ",;\t|"


def read_tsv(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """Tab-separated rows, numbered from 1 after the header."""
    yield from _rows(stream, reading, "\t")


def read_csv(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """Rows, numbered from 1 after the header, with the delimiter that gives the header a column for the text."""
    yield from _rows(stream, reading, DELIMITERS)


class _Lines:
    """The lines as the csv module wants them; raises OverLimitError at one that is too long."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._lines = lines(as_utf8(stream), limits.document_bytes)
        self._limits = limits

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if isinstance(line, int):
                self._limits.check_document(line)
                continue
            yield line.decode("latin-1")


def _rows(stream: BinaryIO, reading: Reading, delimiters: str) -> Iterator[Record | Unread]:
    limits = reading.limits
    csv.field_size_limit(limits.document_bytes)
    source = iter(_Lines(stream, limits))
    head = next((line for line in source if line.strip()), "")
    names, delimiter = _header(head, delimiters, reading)
    chosen = choose(names, reading.columns)
    rows = csv.reader(source, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" in str(error):
                told = f"row {number}: a cell of over {limits.document_bytes} bytes: a quote is not closed"
                raise OverLimitError(told) from error
            yield Unread(str(number), f"is no row: {error}")
            continue
        if row:
            yield _record(row, names, chosen, number)


def _header(line: str, delimiters: str, reading: Reading) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter."""
    found = []
    for delimiter in delimiters:
        reading.limits.check_columns(line.count(delimiter) + 1)
        try:
            names = [_text(name).strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
            choose(names, reading.columns)
        except (csv.Error, DocumentError):
            names = []
        found.append((len(names), -delimiters.index(delimiter), names, delimiter))
    _, _, names, delimiter = max(found)
    if not names:
        delimiter = max(delimiters, key=line.count)
        names = [_text(name).strip().strip('"') for name in line.split(delimiter)]
    return names, delimiter


def _record(row: list[str], names: list[str], chosen: Chosen, number: int) -> Record | Unread:
    if len(row) > len(names):
        return Unread(
            str(number), f"{len(row)} cells where the header has {len(names)}; quote cells that hold delimiters"
        )
    values: dict[str, object] = {
        name: cell.encode("latin-1", "replace") if name == chosen.body else _text(cell)
        for name, cell in zip(names, row, strict=False)
    }
    return chosen.record(values, number)


def _text(cell: str) -> str:
    """A cell other than the text."""
    data = cell.encode("latin-1", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
