"""Plain texts of a folder, one a file: nearly all of most corpora, so they are read with no work beside their bytes.

    plain_rows   files to rows of DOCUMENTS, None for each that is read as any other file is

A file is opened, read once and closed: it was inspected when it was found, and a read of one byte more than its size
that gives just its size has all of it. Whatever else happens (an error, another size, a page, a store) is left to the
readers of all formats, which know what to say of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Final

from copydesk.sources.files import Files, Place
from copydesk.sources.given import given, sidecar_of
from copydesk.sources.kinds import Kind, Kinds
from copydesk.sources.tables import document_id, facts
from copydesk.uris import name_of

__all__ = ["plain_rows"]

TEXT: Final = Kind("text")


def plain_rows(files: Files) -> list[tuple[object, ...] | None]:
    """Rows of DOCUMENTS, in the files' order; None for a file that is no plain text of a folder, or gave trouble."""
    table = files.table
    ids = table["id"] if "id" in table.columns else map(document_id, table["source"], table["uri"])
    readers = [_reader(place) for place in files.places]
    values: Iterable[tuple[str, str, int, int]] = zip(ids, table["uri"], table["size"], table["place"], strict=True)
    return [readers[place](ident, uri, size) for ident, uri, size, place in values]


_Reader = Callable[[str, str, int], tuple[object, ...] | None]


def _reader(place: Place) -> _Reader:
    """What reads the files of a place."""
    if place.root is None:
        return lambda ident, uri, size: None  # noqa: ARG005 -- a store's files have their own way
    kinds = Kinds(separated=place.asked.separator is not None)
    asked = place.asked
    same = None if asked.pattern or asked.sidecar else _told(place, "")  # what is said of all files alike
    folder, most = os.fspath(place.root) + "/", asked.limits.document_bytes

    def read(ident: str, uri: str, size: int) -> tuple[object, ...] | None:
        if kinds.of(uri) != TEXT or size > most:
            return None
        plain = uri.isascii() and "%" not in uri and "#" not in uri
        data = _bytes(folder + (uri if plain else os.fsdecode(name_of(uri))), size)
        if data is None:
            return None
        return (ident, uri, place.source, *(same or _told(place, uri)), hashlib.sha256(data).hexdigest(), data)

    return read


def _told(place: Place, uri: str) -> tuple[object, ...]:
    return facts(given(place.said, place.asked, sidecar_of(place.asked), (uri,)), place.years)


def _bytes(path: str, size: int) -> bytes | None:
    """All bytes of a file, if they are as many as was said."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        data = os.read(file, size + 1)
    except OSError:
        return None
    finally:
        os.close(file)
    return data if len(data) == size else None
