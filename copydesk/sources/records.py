"""Records: what a reader takes out of a stream, and the readers by format.

    Record      a text or page, its name in its container, and what the container says of it
    Unread      a record that cannot be read, or (without a name) the file or the rest of it, with the reason
    Reading     how to read: limits, columns, separator, and how deep in containers we are
    records     the records of a stream of that kind

A reader is a generator over a stream. Whatever a damaged file makes it raise ends that file, with the reason, and
nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, BinaryIO, Final, Self

from copydesk.errors import DocumentError
from copydesk.sources.kinds import Kind
from copydesk.sources.limits import Limits, OverLimitError
from copydesk.sources.streams import unpacked

__all__ = ["Reader", "Reading", "Record", "Unread", "extra", "records", "told", "whole"]


@dataclass(frozen=True, slots=True)
class Record:
    """A document in a file. `name` is None where it is the file itself; `page` where the bytes are HTML."""

    name: str | None
    data: bytes
    said: Mapping[str, Any] = field(default_factory=dict)
    page: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """What is not read: a record by its name, else the file or its rest."""

    name: str | None
    reason: str


@dataclass(frozen=True)
class Reading:
    """How a stream is to be read.

    `span` is the part that is asked for: bytes of JSON lines, row groups of Parquet; `first` is the number of its
    first record.
    """

    limits: Limits = Limits()  # noqa: RUF009 -- frozen
    columns: tuple[tuple[str, str], ...] = ()
    separator: str | None = None
    depth: int = 0
    span: tuple[int, int] | None = None
    first: int = 1

    def deeper(self) -> Self:
        """The same for a member; raises OverLimitError where containers are nested too deep."""
        if self.depth >= self.limits.nesting:
            raise OverLimitError(
                f"containers in containers deeper than {self.limits.nesting}; raise max_nesting under [ingest]"
            )
        return replace(self, depth=self.depth + 1, span=None, first=1)


Reader = Callable[[BinaryIO, Reading], Iterator[Record | Unread]]

BLOCK: Final = 1 << 16

READERS: Final = {
    "text": "text",
    "html": "text",
    "jsonl": "jsonl",
    "json": "json_list",
    "csv": "csv_rows",
    "tsv": "csv_rows",
    "parquet": "parquet",
    "arrow": "arrow",
    "warc": "warc",
    "zip": "zipped",
    "tar": "tarred",
}
"""The module of copydesk.sources.formats that reads a format, by its function `read_FORMAT`."""


def records(stream: BinaryIO, kind: Kind, reading: Reading) -> Iterator[Record | Unread]:
    """The records of a stream, those that cannot be read as Unread; raises nothing."""
    try:
        module = importlib.import_module(f"copydesk.sources.formats.{READERS[kind.format]}")
        reader: Reader = getattr(module, f"read_{kind.format}")
        yield from reader(unpacked(stream, kind.compression, reading.limits), reading)
    except DocumentError as error:
        yield Unread(None, str(error))
    except Exception as error:  # noqa: BLE001 -- a damaged file makes libraries raise all kinds of errors
        yield Unread(None, f"cannot be read as {kind.format}: {told(error)}")


def whole(stream: BinaryIO, limits: Limits) -> bytes:
    """All bytes of a stream; raises OverLimitError where they are too many."""
    parts = []
    size = 0
    while part := stream.read(BLOCK):  # asked for as much as the limit allows, Python would get memory for all of it
        parts.append(part)
        size += len(part)
        if size > limits.document_bytes:
            raise OverLimitError(
                f"over the limit of {limits.document_bytes} bytes; raise max_document_bytes under [ingest]"
            )
    return b"".join(parts)


def extra(module: str, name: str) -> ModuleType:
    """A module that an extra of ours brings; raises DocumentError naming the extra where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DocumentError(f"{module} is not installed: pip install 'copydesk[{name}]'") from error


def told(error: BaseException) -> str:
    """An error of a library in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
