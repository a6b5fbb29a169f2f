"""TAR: each member by its path, in one pass, without a list of what went by."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import IO, BinaryIO, Final, Self, cast

from copydesk.sources.formats.members import ignored, member, refused
from copydesk.sources.limits import some_of
from copydesk.sources.records import Reading, Record, Unread
from copydesk.sources.streams import BLOCK

__all__ = ["read_tar"]

HEADER_LIMIT: Final = 1 << 20
"""Bytes of a long name or of a member's further facts, which tarfile holds in memory."""


class _Header(tarfile.TarInfo):
    """A header that is neither taken for the archive's end where it is damaged, nor read where it is huge."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """The next header; raises ReadError where it is damaged: tarfile would take it for the end."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"damaged after byte {archive.offset}: {error}") from error

    def _proc_member(self, archive: tarfile.TarFile) -> Self:
        if self.size > HEADER_LIMIT and self.type not in tarfile.REGULAR_TYPES:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


def read_tar(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of all members, in the order of the archive."""
    seen = 0
    source = cast("IO[bytes]", SimpleNamespace(read=some_of(stream)))
    with tarfile.open(fileobj=source, mode="r|", tarinfo=_Header, bufsize=BLOCK) as archive:
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # tarfile would keep all of them
            seen += 1
            reading.limits.check_entries(seen)
            if not info.isdir() and not ignored(info.name):
                yield from _member(archive, info, reading)


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, reading: Reading) -> Iterator[Record | Unread]:
    if not info.isreg():
        kind = "a link" if info.islnk() or info.issym() else "a device, a pipe or another special file"
        yield refused(info.name, f"{kind}; pack plain files")
        return
    opened = archive.extractfile(info)
    if opened is not None:
        yield from member(info.name, cast("BinaryIO", opened), reading)
