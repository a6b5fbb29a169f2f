"""Where raw files lie: a folder of this machine, or a store that fsspec reaches (`s3://`, `https://`, `hf://`).

    listed      the files below a URL, with size and mark
    opened      a file's bytes as a stream
    read_all    a file's bytes, at most so many

A URL's mark is a digest of its ETag, or of the other facts that change with its content: size and mark alone tell that
a file is as it was, without opening it. The libraries behind a store are loaded when the first URL is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from copydesk.errors import UsageError
from copydesk.locations import Location

__all__ = ["UNMARKED", "listed", "opened", "read_all"]

MARKS: Final = ("ETag", "etag", "blob_id", "sha256", "mtime", "LastModified", "last_modified", "modified")
"""What stores call the facts that change with a file's content, the surest first."""

UNMARKED: Final = -1
"""The mark of a file of which the store tells nothing that changes with its content: it is always read again."""

EXTRAS: Final = {"s3": "s3", "s3a": "s3"}
"""Stores whose library is an extra of ours."""


def _files(url: str) -> tuple[Any, str]:
    """The file system of a URL and its path there; raises UsageError where no library reaches it."""
    import fsspec

    try:
        files, path = fsspec.url_to_fs(url)
    except ImportError as error:
        extra = EXTRAS.get(url.partition("://")[0].lower())
        remedy = f"pip install 'copydesk[{extra}]'" if extra else "install the library that the message names"
        raise UsageError(f"{url}: the library for it is not installed ({error}); {remedy}") from error
    except (ValueError, OSError) as error:
        raise UsageError(f"{url}: cannot be reached: {error}") from error
    return files, path


def listed(url: str) -> Iterator[tuple[str, str, int, int]]:
    """(URL, name relative to `url`, size, mark) of the files below a URL, sorted; a file gives itself, by its name.

    Raises UsageError where there is nothing, or it cannot be listed.
    """
    files, path = _files(url)
    files.invalidate_cache()  # what an earlier run in this process listed may be old
    try:
        found = {path: files.info(path)} if files.isfile(path) else files.find(path, detail=True)
    except Exception as error:
        # What a store's library raises is its own affair.
        raise UsageError(f"{url}: cannot be listed ({_told(error)}); check the address and your credentials") from error
    if not found:
        raise UsageError(f"{url}: there is no such file or folder; check the address")
    for name in sorted(found):
        facts = found[name]
        if facts.get("type", "file") != "file":
            continue
        inner = name.removeprefix(path).strip("/") or name.rstrip("/").rsplit("/", 1)[-1]
        yield files.unstrip_protocol(name), inner.partition("?")[0], _size(facts), _mark(facts)


def _size(facts: dict[str, Any]) -> int:
    """A file's size; -1 where the store does not tell it."""
    return int(facts["size"]) if isinstance(facts.get("size"), int | float) else -1


def _mark(facts: dict[str, Any]) -> int:
    said = next((facts[name] for name in MARKS if facts.get(name)), None)
    if said is None:
        return UNMARKED
    return int.from_bytes(hashlib.sha256(json.dumps(str(said)).encode()).digest()[:7], "big")


def opened(location: Location) -> BinaryIO:
    """A file as a stream of bytes; raises OSError where it cannot be opened."""
    if isinstance(location, Path):
        return location.open("rb")
    files, path = _files(location)
    try:
        return cast("BinaryIO", files.open(path, "rb"))
    except OSError:
        raise
    except Exception as error:
        # Botocore's and aiohttp's errors are no OSErrors.
        raise OSError(_told(error)) from error


def read_all(location: Location, limit: int | None = None) -> bytes:
    """A file's bytes, at most `limit` of them; raises OSError."""
    with opened(location) as stream:
        return stream.read() if limit is None else stream.read(limit)


def _told(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
