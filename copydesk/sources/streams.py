"""Streams of bytes: compressions undone as they are read, and lines cut out of them, in bounded memory.

    unpacked    a compressed stream, undone, metered, and buffered
    lines       the lines of a stream, one over the limit as its length only
    spooled     a stream copied to where it can be sought in

gzip comes from zlib, bzip2 and xz from Python's own modules, Zstandard from Arrow's codec. All take files of several
frames, as parallel packers write them. xz and zstd may ask for as much memory as the packer had: 256 MB are given.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Protocol, cast

from copydesk.sources.limits import Counted, Limits, Metered

__all__ = ["BLOCK", "lines", "spooled", "unpacked"]

BLOCK: Final = 1 << 20
XZ_MEMORY: Final = 1 << 28
IN_MEMORY: Final = 1 << 24
"""Bytes of a member that are held in memory before a temporary file is made for it."""


class _Decompressor(Protocol):
    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Give at most so many bytes."""


class _Frames(io.RawIOBase):
    """The content of one frame after the other, until the stream ends."""

    def __init__(self, stream: BinaryIO, begin: Callable[[], _Decompressor]) -> None:
        super().__init__()
        self._stream = stream
        self._begin = begin
        self._frame = begin()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer; raises EOFError where the stream ends within a frame."""
        while True:
            if self._frame.eof:
                rest = self._frame.unused_data.lstrip(b"\0") or self._stream.read(BLOCK).lstrip(b"\0")
                if not rest:
                    return 0
                self._frame = self._begin()
            else:
                rest = self._stream.read(BLOCK) if self._frame.needs_input else b""
                if not rest and self._frame.needs_input:
                    raise EOFError("the compressed data ends too early")
            data = self._frame.decompress(rest, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)


def unpacked(stream: BinaryIO, compression: str | None, limits: Limits) -> BinaryIO:
    """The content of a stream, read as it is asked for; reading raises OverLimitError, and what the codec raises."""
    if compression is None:
        return stream
    counted = Counted(stream)
    source = cast("BinaryIO", io.BufferedReader(counted, BLOCK))
    metered = Metered(_undone(source, compression), limits, lambda: counted.count)
    return cast("BinaryIO", io.BufferedReader(metered, BLOCK))


def _undone(stream: BinaryIO, compression: str) -> BinaryIO:
    match compression:
        case "gz":
            return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
        case "bz2":
            return cast("BinaryIO", io.BufferedReader(_Frames(stream, cast("Any", bz2.BZ2Decompressor)), BLOCK))
        case "xz":
            return cast("BinaryIO", io.BufferedReader(_Frames(stream, _xz), BLOCK))
    import pyarrow as pa  # heavy: late

    return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(cast("Any", stream), mode="r"), "zstd"))


def _xz() -> _Decompressor:
    return cast("_Decompressor", lzma.LZMADecompressor(memlimit=XZ_MEMORY))


def lines(stream: BinaryIO, limit: int) -> Iterator[bytes | int]:
    """The lines of a stream with their ends; of one longer than `limit` bytes only its length."""
    while line := stream.readline(limit + 1):
        if len(line) <= limit:
            yield line
            continue
        length = len(line)
        while line and not line.endswith(b"\n"):
            line = stream.readline(BLOCK)
            length += len(line)
        yield length


def spooled(stream: BinaryIO) -> BinaryIO:
    """A copy of the rest of a stream that can be sought in: in memory, or in a temporary file where it is large."""
    copy = cast("BinaryIO", tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 -- the reader closes it
    try:
        while block := stream.read(BLOCK):
            copy.write(block)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy
