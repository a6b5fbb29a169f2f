"""What both archives share: a member's name as a part of a uri, what is skipped or refused, members within members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from copydesk.errors import DocumentError
from copydesk.sources.kinds import READ, kind_of, suffix_of
from copydesk.sources.records import Reading, Record, Unread, records
from copydesk.uris import uri_of

__all__ = ["ignored", "member", "refused"]

DRIVE: Final = re.compile(r"[A-Za-z]:")


def ignored(name: str) -> bool:
    """Whether a member is the machine's: a part of its path begins with a dot, or it is macOS's shadow of a file."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def refused(name: str, reason: str) -> Unread:
    """A member that is not read."""
    return Unread(_uri(name), reason)


def _uri(name: str) -> str:
    return uri_of(name.encode("utf-8", "surrogateescape").replace(b"\0", b"%00"))


def member(name: str, stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of a member, named `member` or `member#record`; raises OverLimitError where it is nested too deep."""
    name = re.sub(r"^(\./)+", "", name)
    parts = name.split("/")
    if (
        name.startswith("/")
        or "\\" in name
        or "\0" in name
        or DRIVE.match(name)
        or any(part in ("", ".", "..") for part in parts)
    ):
        yield refused(name, "its path leads out of the archive; pack it again with plain relative paths")
        return
    kind = kind_of(name, separated=reading.separator is not None)
    if kind is None:
        yield refused(name, f"its format {suffix_of(name) or '(no suffix)'!r} is not read{READ}")
        return
    uri = _uri(name)
    try:
        inner = reading.deeper() if kind.many else reading
    except DocumentError as error:
        yield Unread(uri, str(error))
        return
    for one in records(stream, kind, inner):
        full = uri if one.name is None else f"{uri}#{one.name}"
        if isinstance(one, Unread):
            yield Unread(full, one.reason)
        else:
            yield Record(full, one.data, one.said, one.page)
