"""File names and uris: how a name that is not UTF-8 is written in a release, and how it is read back.

    uri_of, name_of    a file name as a uri, and back
    file_and_record    the two parts of the uri of a container's record
    path_of            where `restore` puts a document

A name is its own uri, unless it is not UTF-8, or reads like a record of a container (`wire.zip#a.txt`), or would,
once or more often percent-decoded, be so: then it comes percent-encoded. So every name has one uri, every uri one
name, and ordinary names stay readable. A record's uri is that of its container, `#`, and its own name there.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

__all__ = ["file_and_record", "name_of", "path_of", "uri_of"]

RECORD: Final = re.compile(
    rb"\.(?:(?:txt|jsonl|ndjson|json|csv|tsv|parquet|arrow|warc|zip|tar)(?:\.(?:gz|bz2|xz|zstd?))?|tgz|tbz2?|txz|tzst)#",
    re.IGNORECASE,
)
"""Where a container's name ends and a record's begins."""

LONGEST: Final = 255
"""Bytes of a part of a path: NAME_MAX of Linux's file systems."""


def uri_of(name: bytes) -> str:
    """The uri of a file name (a relative POSIX path)."""
    if name.isascii() and b"%" not in name and b"#" not in name:
        return name.decode("ascii")  # nearly all names, and an ingest looks at all of them
    return quote_from_bytes(name, safe="/ ") if _needs_quoting(name) else name.decode("utf-8")


def name_of(uri: str) -> bytes:
    """The file name that a uri was made of."""
    name = unquote_to_bytes(uri)
    return name if _needs_quoting(name) else uri.encode("utf-8", "surrogateescape")


def file_and_record(uri: str) -> tuple[str, str | None]:
    """The uri of a document's file, and the name of its record there; None where the file is the document."""
    name = uri.encode("utf-8", "surrogateescape")
    found = RECORD.search(name)
    if found is None:
        return uri, None
    file, record = name[: found.end() - 1], name[found.end() :]
    return file.decode("utf-8", "surrogateescape"), record.decode("utf-8", "surrogateescape")


def path_of(uri: str) -> bytes:
    """The path at which a document is restored: the name of its file; a record's own name as its uri has it.

    An id may be an address or climb: only its uri's percent signs make it one part of a path. A part that is longer
    than file systems take is cut and ends with its hash.
    """
    file, record = file_and_record(uri)
    path = name_of(file)
    if record is not None:
        path += b"#" + record.encode("utf-8", "surrogateescape")
    return b"/".join(_short(part) for part in path.split(b"/"))


def _short(part: bytes) -> bytes:
    """A part of a path in at most LONGEST bytes."""
    if len(part) <= LONGEST:
        return part
    kept = part[: LONGEST - 17].decode("utf-8", "ignore").encode()
    return kept + b"~" + sha256(part).hexdigest()[:16].encode()


def _needs_quoting(name: bytes) -> bool:
    while True:
        if RECORD.search(name):
            return True
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            return True
        shorter = unquote_to_bytes(name)
        if shorter == name:
            return False
        name = shorter
