"""ZIP: each member by its path.

The list of members is held in memory, a kilobyte each, so its length is limited first.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO, Final, cast

from copydesk.sources.formats.members import ignored, member, refused
from copydesk.sources.limits import Limits, Metered, OverLimitError
from copydesk.sources.records import Reading, Record, Unread, told
from copydesk.sources.streams import BLOCK, spooled

__all__ = ["read_zip"]

LONG_ENTRY: Final = 250
"""Bytes that an entry of the list of members seldom has: 46, a name, a few fields."""


def read_zip(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of all members, in the order of the archive's list."""
    limits, total = reading.limits, 0
    with stream if stream.seekable() else spooled(stream) as file:
        _check_list(file, limits)
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if info.is_dir() or ignored(info.filename):
                    continue
                total += yield from _member(archive, info, reading)
                if total > limits.unpacked_bytes:
                    raise OverLimitError(f"unpacks to over {limits.unpacked_bytes} bytes; raise max_unpacked_bytes")


def _check_list(file: BinaryIO, limits: Limits) -> None:
    """Raise OverLimitError where the list of members is too long to be held; raises BadZipFile where there is none."""
    end: Any = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001 -- ZipFile reads the list whole
    if end is None:
        raise zipfile.BadZipFile("no list of members: it is no ZIP, or cut off")
    size, entries = end[5], end[4]
    limits.check_entries(max(entries, size // LONG_ENTRY))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, reading: Reading) -> Generator[Record | Unread, None, int]:
    """The records of one member; returns the bytes it was unpacked to."""
    name, metered = info.filename, None
    if stat.S_ISLNK(info.external_attr >> 16):
        yield refused(name, "a link; pack the file that it leads to")
        return 0
    try:
        with archive.open(info) as opened:
            metered = Metered(cast("BinaryIO", opened), reading.limits, lambda: info.compress_size)
            yield from member(name, cast("BinaryIO", io.BufferedReader(metered, BLOCK)), reading)
    except Exception as error:  # noqa: BLE001 -- a damaged or locked member must not end the archive
        yield refused(name, f"cannot be unpacked: {told(error)}")
    return metered.count if metered is not None else 0
