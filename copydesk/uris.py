"""File names and uris: how a name that is not UTF-8 is written in a release, and how it is read back.

A name is its own uri, unless it is not UTF-8, or would, once or more often percent-decoded, not be: then it comes
percent-encoded. So every name has one uri, every uri one name, and ordinary names stay readable.
"""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes

__all__ = ["name_of", "uri_of"]


def uri_of(name: bytes) -> str:
    """The uri of a file name (a relative POSIX path)."""
    return quote_from_bytes(name, safe="/ ") if _needs_quoting(name) else name.decode("utf-8")


def name_of(uri: str) -> bytes:
    """The file name that a uri was made of."""
    name = unquote_to_bytes(uri)
    return name if _needs_quoting(name) else uri.encode("utf-8", "surrogateescape")


def _needs_quoting(name: bytes) -> bool:
    while True:
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            return True
        shorter = unquote_to_bytes(name)
        if shorter == name:
            return False
        name = shorter
