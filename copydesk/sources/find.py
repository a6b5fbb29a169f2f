"""A source's files: each with what its path and its sidecar say of it, or a reason to refuse it.

    find_files   what is in a source: Found
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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from copydesk.config import Source
from copydesk.errors import UsageError
from copydesk.locations import Location
from copydesk.patterns import compile_pattern
from copydesk.sources.files import FILES, Files, Place
from copydesk.sources.given import bare, base, sidecar_bytes, sidecar_of
from copydesk.sources.kinds import READ, Kind, Kinds, kind_of, suffix_of
from copydesk.sources.limits import Limits
from copydesk.sources.stores import listed
from copydesk.sources.tables import Asked, Refused
from copydesk.uris import uri_of

__all__ = ["Found", "asked_of", "file_uri", "find_files"]

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
    facts = [hashlib.sha256(sidecar_bytes(sidecar)).hexdigest() if sidecar is not None else "", *_installed()]
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
class Found:
    """What is in a source: files to read, files refused, and what a person should know."""

    files: Files
    refused: list[Refused]
    notes: list[str]


class _Entry(NamedTuple):
    """A file as it lies there: its uri, size and mark, its URL on a store, or why it is not to be read."""

    uri: str
    size: int = 0
    modified: int = 0
    url: str | None = None
    reason: str | None = None


def find_files(source: Source, root: Location, limits: Limits, below: Location | None = None) -> Found:
    """The files of a source in the folder `root`, sorted by uri, and those refused, with reasons.

    `root` may be one file, which is then all there is, or a URL. With `below`, a folder or file in `root`, only those
    there, and their uris stay relative to `root`. Datasets that copydesk wrote there are left out. Raises UsageError
    where the place is not there or cannot be listed, ConfigError where the sidecar cannot be read.
    """
    place = below or root
    asked = asked_of(source, root, limits)
    hidden: list[str] = []
    if isinstance(root, Path):
        origin = root.parent if root.is_file() else root
        entries: Iterable[_Entry] = _on_disk(source, origin, place, hidden)
        about = Place(source.name, origin, base(source), source.years, asked)
    else:
        entries = _on_store(root, place)
        about = Place(source.name, None, base(source), source.years, asked)
    files, refused = _sorted_out(about, sorted(entries))
    sidecar = sidecar_of(asked)
    notes = _notes(source, place, files, set(sidecar) if place == root else set(), hidden)
    return Found(files, refused, [*_nothing(source, place, files, refused), *notes])


def _sorted_out(about: Place, entries: Sequence[_Entry]) -> tuple[Files, list[Refused]]:
    """The files to be read, and those that are not."""
    kinds = Kinds(separated=about.asked.separator is not None)
    own = _sidecar_uri(about)
    refused, found, read = [], [], []
    for entry in entries:
        if entry.uri == own or (about.asked.sidecar is not None and entry.url == about.asked.sidecar):
            continue
        kind = kinds.of(entry.uri)
        if kind is not None and kind.format == "json" and _is_bookkeeping(entry.uri):
            continue
        reason = entry.reason or _unfit(entry, kind, about.asked.limits)
        if reason is not None or kind is None:
            refused.append(Refused(about.source, entry.uri, reason or ""))
        else:
            found.append(entry)
            read.append(kind)
    many = [kind.many for kind in read]
    columns = {
        "source": pl.repeat(about.source, len(found), eager=True, dtype=pl.String),
        "uri": [entry.uri for entry in found],
        "size": [entry.size for entry in found],
        "modified": [entry.modified for entry in found],
        "many": many,
        "given": about.digests([entry.uri for entry in found], [kind.many or kind.format == "html" for kind in read]),
        "place": pl.repeat(0, len(found), eager=True, dtype=pl.UInt32),
        "url": [entry.url for entry in found],
    }
    return Files(pl.DataFrame(columns, schema=FILES), (about,)), refused


def _sidecar_uri(about: Place) -> str | None:
    """The uri that the sidecar would have as a file of its source."""
    sidecar = about.asked.sidecar
    if about.root is None or not isinstance(sidecar, Path) or not sidecar.is_relative_to(about.root):
        return None
    return file_uri(sidecar, about.root)


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


def _nothing(source: Source, place: Location, files: Files, refused: Sequence[Refused]) -> Iterator[str]:
    if not files and not refused:
        yield f"{place}: there is no file in it (source {source.name!r})"


def _notes(source: Source, place: Location, files: Files, rows: set[str], hidden: Sequence[str]) -> Iterator[str]:
    """What was said of files that are not there, and what is left out."""
    plain = files.table.filter(~pl.col("many"))["uri"]
    matcher = compile_pattern(source.pattern) if source.pattern else None
    if matcher is not None and len(plain) and not any(matcher.fullmatch(uri) for uri in plain):
        yield f"source {source.name!r}: no file fits the pattern {source.pattern!r}; they are read without it"
    if hidden:
        yield f"{place}: {len(hidden)} files are left out, since their names begin with a dot: {hidden[0]!r}"
    if rows:
        yield from _sidecar_notes(source, files, rows)


def _sidecar_notes(source: Source, files: Files, rows: set[str]) -> Iterator[str]:
    uris = set(files.table["uri"])
    names = Counter(bare(uri) for uri in uris)
    if not files.table["many"].any():
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
            yield _Entry(uri_of(name.encode("utf-8", "surrogateescape")), size, mark, url)


def _on_disk(source: Source, origin: Path, place: Location, hidden: list[str]) -> list[_Entry]:
    assert isinstance(place, Path)  # noqa: S101  a place below a folder is a path
    if not place.exists():
        raise UsageError(f"{place}: no such file or folder (source {source.name!r}); check the path")
    inner = place.relative_to(origin).as_posix() if place != origin else ""
    if place.is_file():
        return [_inspect(place, origin, inner, place.is_symlink())]
    return _walk(place, origin, f"{inner}/" if inner else "", hidden)


def _walk(place: Path, origin: Path, inner: str, hidden: list[str]) -> list[_Entry]:
    """The files of a folder; `inner` is its place in the source, with a slash behind it."""
    try:
        entries = list(os.scandir(place))
    except OSError as error:
        reason = f"the folder cannot be listed ({error.strerror}); check its permissions"
        if place == origin:
            raise UsageError(f"{place}: {reason}") from error
        return [_Entry(file_uri(place, origin), reason=reason)]
    found = []
    for entry in entries:
        name = inner + entry.name
        if entry.name.startswith("."):
            if kind_of(entry.name) is not None:
                hidden.append(uri_of(os.fsencode(name)))
        elif not entry.is_dir(follow_symlinks=False):
            found.append(_inspect(entry, origin, name, entry.is_symlink()))
        elif not _is_dataset(Path(entry.path)):
            found += _walk(Path(entry.path), origin, f"{name}/", hidden)
    return found


def _is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset that copydesk wrote: what came out does not go in again."""
    return (path / "releases").is_dir() and (path / "data").is_dir() and (path / "knowledge").is_dir()


def _inspect(path: Path | os.DirEntry[str], origin: Path, name: str, is_link: bool) -> _Entry:  # noqa: FBT001
    """A file with its size and time or, where it is not to be read, why; `name` is its place in the source."""
    uri = uri_of(os.fsencode(name))
    try:
        if is_link and not Path(path).resolve(strict=True).is_relative_to(origin.resolve()):
            reason = "a link that leads out of its source: copy the file in, if it is wanted"
            return _Entry(uri, reason=reason)
        facts = path.stat()
    except (OSError, RuntimeError) as error:
        return _Entry(uri, reason=f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if not stat.S_ISREG(facts.st_mode):
        reason = "neither a file nor a folder of files (a pipe, a socket, a device or a link to a folder)"
        return _Entry(uri, reason=reason)
    return _Entry(uri, facts.st_size, facts.st_mtime_ns)
