"""Limits that protect the run and the machine from what is in a file; [ingest] in copydesk.toml sets them.

Limits      the numbers
Counted     a stream that knows how much was read from it
Metered     a stream of unpacked bytes that stops at the limits of size and ratio
OverLimitError   raised there; its text is the reason for quarantine
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from copydesk.errors import DocumentError

if TYPE_CHECKING:
    from copydesk.config import Ingest

__all__ = ["Counted", "Limits", "Metered", "OverLimitError", "some_of"]

RATIO_FROM: Final = 10_000_000
"""Unpacked bytes from which the ratio is looked at: a small file of one repeated line harms nobody."""


class OverLimitError(DocumentError):
    """A file or record is over a limit; the text names the limit and the key that raises it."""


def some_of(stream: BinaryIO) -> Callable[[int], bytes]:
    """Reads what is there, at most so many bytes: so what stands before a damaged place is read before it is told."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read


@dataclass(frozen=True)
class Limits:
    """What is read at most."""

    document_bytes: int = 20_000_000
    unpacked_bytes: int = 200_000_000_000
    ratio: int = 250
    entries: int = 1_000_000
    nesting: int = 3
    columns: int = 1_000

    @classmethod
    def of(cls, ingest: Ingest) -> Self:
        """The limits that copydesk.toml sets."""
        return cls(
            ingest.max_document_bytes,
            ingest.max_unpacked_bytes,
            ingest.max_ratio,
            ingest.max_entries,
            ingest.max_nesting,
            ingest.max_columns,
        )

    def too_large(self, size: int) -> str:
        """Why a document of that size is not read."""
        return f"{size} bytes, over the limit of {self.document_bytes}; raise max_document_bytes under [ingest]"

    def check_document(self, size: int) -> None:
        """Raise OverLimitError where a document is too large."""
        if size > self.document_bytes:
            raise OverLimitError(self.too_large(size))

    def check_columns(self, number: int) -> None:
        """Raise OverLimitError where a table is too wide."""
        if number > self.columns:
            raise OverLimitError(
                f"{number} columns, over the limit of {self.columns}; raise max_columns under [ingest]"
            )

    def check_entries(self, number: int) -> None:
        """Raise OverLimitError where an archive has too many members."""
        if number > self.entries:
            raise OverLimitError(f"over {self.entries} entries; raise max_entries under [ingest], or split it")


class Counted(io.RawIOBase):
    """A stream that knows how much was read from it: `count`."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._read = some_of(stream)
        self.count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class Metered(Counted):
    """A stream that raises OverLimitError at the limits of size and ratio.

    `packed` tells how many packed bytes were used up so far; without it only the size counts.
    """

    def __init__(self, stream: BinaryIO, limits: Limits, packed: Callable[[], int] | None = None) -> None:
        super().__init__(stream)
        self._limits = limits
        self._packed = packed

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer; raises OverLimitError."""
        number = super().readinto(buffer)
        self._check()
        return number

    def _check(self) -> None:
        limits = self._limits
        if self.count > limits.unpacked_bytes:
            raise OverLimitError(
                f"unpacks to over {limits.unpacked_bytes} bytes; if it is sound, raise max_unpacked_bytes"
            )
        if self._packed is not None and self.count > RATIO_FROM and self.count > limits.ratio * max(1, self._packed()):
            raise OverLimitError(f"unpacks to over {limits.ratio} times its size; if it is sound, raise max_ratio")
