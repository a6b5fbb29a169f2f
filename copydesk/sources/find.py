"""A source's files: each with what its path and its sidecar say of it, or a reason to refuse it.

    find_files   what is in a source
    file_uri     the uri of a path

A path never leads out of its source: a link that points elsewhere, a pipe or a device is refused with its reason.
Files and folders whose name begins with a dot are the machine's (`.DS_Store`) and not looked at; a note tells how many
of them would have been read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from copydesk.config import Source
from copydesk.errors import UsageError
from copydesk.locations import Location
from copydesk.patterns import compile_pattern
from copydesk.sources.given import bare, base, given, sidecar_of
from copydesk.sources.kinds import READ, Kind, kind_of, suffix_of
from copydesk.sources.limits import Limits
from copydesk.sources.stores import listed, read_all
from copydesk.sources.tables import Asked, Found, RawFile, Refused
from copydesk.uris import uri_of

__all__ = ["asked_of", "file_uri", "find_files"]

EXTRAS: Final = {"html": "trafilatura", "warc": "warcio"}
"""Formats whose package is an extra of ours, of the format's name."""

SAVED: Final = frozenset({"state.json", "dataset_info.json"})
"""Files of a dataset's folder that say nothing of its texts."""


def file_uri(path: Path, root: Path) -> str:
    """The uri of `path` relative to `root`: its POSIX path; see `uris` for names that are not UTF-8."""
    return uri_of(os.fsencode(path.relative_to(root).as_posix()))


def asked_of(source: Source, root: Location, limits: Limits) -> Asked:
    """How a source asks for its files to be read; raises ConfigError where its sidecar cannot be read."""
    sidecar: Location | None = None
    if source.metadata is not None:
        sidecar = root / source.metadata if isinstance(root, Path) else f"{root}/{source.metadata.as_posix()}"
    columns = source.columns.as_pairs() if source.columns else ()
    facts = [hashlib.sha256(read_all(sidecar)).hexdigest() if sidecar is not None else "", *_installed()]
    return Asked(source.pattern, sidecar, columns, source.separator, limits, " ".join(facts))


@cache
def _missing(name: str) -> str | None:
    """Why a format cannot be read here."""
    package = EXTRAS.get(name)
    lost = package is not None and find_spec(package) is None
    return f"{package} is not installed: pip install 'copydesk[{name}]'" if lost else None


def _installed() -> Iterator[str]:
    """The versions of the packages that turn pages and archives into texts."""
    for name in EXTRAS.values():
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


@dataclass(frozen=True)
class _Entry:
    """A file as it lies there: where, its uri, size and mark, or why it is not to be read."""

    path: Location
    uri: str
    size: int = 0
    modified: int = 0
    reason: str | None = None


def find_files(source: Source, root: Location, limits: Limits, below: Location | None = None) -> Found:
    """The files of a source in the folder `root`, sorted by uri, and those refused, with reasons.

    `root` may be one file, which is then all there is, or a URL. With `below`, a folder or file in `root`, only those
    there, and their uris stay relative to `root`. Datasets that copydesk wrote there are left out. Raises UsageError
    where the place is not there or cannot be listed, ConfigError where the sidecar cannot be read.
    """
    place = below or root
    asked = asked_of(source, root, limits)
    sidecar = sidecar_of(asked)
    hidden: list[str] = []
    entries = _on_disk(source, root, place, hidden) if isinstance(root, Path) else _on_store(root, place)
    found = Found([], [], [])
    for entry in sorted(entries, key=lambda one: one.uri):
        if entry.path == asked.sidecar or _is_bookkeeping(entry.uri):
            continue
        kind = kind_of(entry.uri, separated=source.separator is not None)
        reason = entry.reason or _unfit(entry, kind, limits)
        if reason is not None or kind is None:
            found.refused.append(Refused(source.name, entry.uri, reason or ""))
            continue
        said = base(source) if kind.many else given(base(source), asked, sidecar, (entry.uri,))
        found.files.append(
            RawFile(entry.path, source.name, entry.uri, entry.size, entry.modified, kind, said, source.years, asked)
        )
    found.notes.extend(_notes(source, place, found, set(sidecar) if place == root else set(), hidden))
    return found


def _is_bookkeeping(uri: str) -> bool:
    return uri.rsplit("/", 1)[-1] in SAVED


def _unfit(entry: _Entry, kind: Kind | None, limits: Limits) -> str | None:
    """Why a file is not to be read."""
    if kind is None:
        return f"its format {suffix_of(entry.uri) or '(no suffix)'!r} is not read{READ}"
    if missing := _missing(kind.format):
        return missing
    if not kind.many and entry.size > limits.document_bytes:
        return limits.too_large(entry.size)
    return None


def _notes(source: Source, place: Location, found: Found, rows: set[str], hidden: Sequence[str]) -> Iterator[str]:
    """What was said of files that are not there, and what is left out."""
    if not found.files and not found.refused:
        yield f"{place}: there is no file in it (source {source.name!r})"
    plain = [file for file in found.files if not file.kind.many]
    matcher = compile_pattern(source.pattern) if source.pattern else None
    if matcher is not None and plain and not any(matcher.fullmatch(file.uri) for file in plain):
        yield f"source {source.name!r}: no file fits the pattern {source.pattern!r}; they are read without it"
    if hidden:
        yield f"{place}: {len(hidden)} files are left out, since their names begin with a dot: {hidden[0]!r}"
    yield from _sidecar_notes(source, found, rows)


def _sidecar_notes(source: Source, found: Found, rows: set[str]) -> Iterator[str]:
    uris = {file.uri for file in found.files}
    names = Counter(bare(uri) for uri in uris)
    if not any(file.kind.many for file in found.files):
        lost = sorted(rows - uris - set(names))
        if lost:
            yield f"{source.metadata}: {len(lost)} of its rows name no file that is read, such as {lost[0]!r}"
    several = sorted(name for name in rows - uris if names[name] > 1)
    if several:
        yield (
            f"{source.metadata}: {len(several)} of its rows name several files each, such as {several[0]!r}, and hold "
            "for all of them; give paths from the source's folder instead"
        )


def _on_store(root: str, place: Location) -> Iterator[_Entry]:
    prefix = "" if place == root else str(place)[len(root) :].strip("/")
    one_file = not prefix and kind_of(root.partition("?")[0]) is not None
    for url, inner, size, mark in listed(str(place)):
        name = inner if not prefix else prefix if inner == bare(prefix) else f"{prefix}/{inner}"
        if one_file or not any(part.startswith(".") for part in name.split("/")):
            yield _Entry(url, uri_of(name.encode("utf-8", "surrogateescape")), size, mark)


def _on_disk(source: Source, root: Path, place: Location, hidden: list[str]) -> Iterator[_Entry]:
    assert isinstance(place, Path)  # noqa: S101  a place below a folder is a path
    if not place.exists():
        raise UsageError(f"{place}: no such file or folder (source {source.name!r}); check the path")
    origin = root.parent if root.is_file() else root
    inner = place.relative_to(origin).as_posix() if place != origin else ""
    if place.is_file():
        yield _inspect(place, origin, inner, place.is_symlink())
    else:
        yield from _walk(place, origin, f"{inner}/" if inner else "", hidden)


def _walk(place: Path, origin: Path, inner: str, hidden: list[str]) -> Iterator[_Entry]:
    """The files of a folder; `inner` is its place in the source, with a slash behind it."""
    try:
        entries = list(os.scandir(place))
    except OSError as error:
        reason = f"the folder cannot be listed ({error.strerror}); check its permissions"
        if place == origin:
            raise UsageError(f"{place}: {reason}") from error
        yield _Entry(place, file_uri(place, origin), reason=reason)
        return
    for entry in entries:
        name = inner + entry.name
        if entry.name.startswith("."):
            if kind_of(entry.name) is not None:
                hidden.append(uri_of(os.fsencode(name)))
        elif not entry.is_dir(follow_symlinks=False):
            yield _inspect(Path(entry.path), origin, name, entry.is_symlink())
        elif not _is_dataset(Path(entry.path)):
            yield from _walk(Path(entry.path), origin, f"{name}/", hidden)


def _is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset that copydesk wrote: what came out does not go in again."""
    return (path / "releases").is_dir() and (path / "data").is_dir() and (path / "knowledge").is_dir()


def _inspect(path: Path, origin: Path, name: str, is_link: bool) -> _Entry:  # noqa: FBT001
    """A file with its size and time or, where it is not to be read, why; `name` is its place in the source."""
    uri = uri_of(os.fsencode(name))
    try:
        if is_link and not path.resolve(strict=True).is_relative_to(origin.resolve()):
            reason = "a link that leads out of its source: copy the file in, if it is wanted"
            return _Entry(path, uri, reason=reason)
        facts = path.stat()
    except (OSError, RuntimeError) as error:
        return _Entry(path, uri, reason=f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if not stat.S_ISREG(facts.st_mode):
        reason = "neither a file nor a folder of files (a pipe, a socket, a device or a link to a folder)"
        return _Entry(path, uri, reason=reason)
    return _Entry(path, uri, facts.st_size, facts.st_mtime_ns)
