"""Raw files to documents.

    find_files   a source's files, each with what its path and its sidecar say of it, or a reason to refuse it
    read_batch   the bytes of a batch of files, as a table, with those that cannot be read apart

A path never leads out of its source: a link that points elsewhere, a pipe or a device is refused with its reason.
Files whose name begins with a dot are the machine's (`.DS_Store`) and not looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.config import Source
from copydesk.errors import ConfigError, UsageError
from copydesk.patterns import DAY, compile_pattern
from copydesk.uris import uri_of

__all__ = [
    "DOCUMENTS",
    "REFUSED",
    "Found",
    "RawFile",
    "Refused",
    "document_id",
    "file_uri",
    "find_files",
    "given_row",
    "read_batch",
    "read_sidecar",
]

SUFFIXES: Final = frozenset({".txt"})
FILE_COLUMNS: Final = ("file", "filename", "file_name", "path", "uri")
"""Names of the sidecar's column that names the file, in order of preference."""

DOCUMENTS: Final = pl.Schema(
    {
        "id": pl.String(),
        "uri": pl.String(),
        "source": pl.String(),
        "site": pl.String(),
        "outlet": pl.String(),
        "url": pl.String(),
        "given_date": pl.String(),
        "given_headline": pl.String(),
        "given_section": pl.String(),
        "given_authors": pl.String(),
        "extra": pl.String(),
        "years_from": pl.Int16(),
        "years_to": pl.Int16(),
        "raw_sha256": pl.String(),
        "raw": pl.Binary(),
    }
)
REFUSED: Final = pl.Schema(
    {
        "id": pl.String(),
        "uri": pl.String(),
        "source": pl.String(),
        "raw_sha256": pl.String(),
        "reason": pl.String(),
    }
)


@dataclass(frozen=True)
class RawFile:
    """One raw file: where it is, how it is named in the release, and what path and sidecar say of it."""

    path: Path
    source: str
    uri: str
    size: int
    modified: int
    """The file's time in nanoseconds: a hint that it may have changed, and nothing else."""
    given: Mapping[str, str] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    corrections: str = ""
    """Digest of what people corrected in its documents."""

    @property
    def id(self) -> str:
        """The document's id."""
        return document_id(self.source, self.uri)


@dataclass(frozen=True)
class Found:
    """What is in a source: files to read, files refused, and what a person should know."""

    files: list[RawFile]
    refused: list[Refused]
    notes: list[str]


@dataclass(frozen=True)
class Refused:
    """A file that is not read, with the reason."""

    source: str
    uri: str
    reason: str


def document_id(source: str, uri: str) -> str:
    """16 hexadecimal digits, stable for a source and a uri: 64 bits, one collision expected in 6 billion documents."""
    return hashlib.sha256(f"{source}\0{uri}".encode()).hexdigest()[:16]


def file_uri(path: Path, root: Path) -> str:
    """The uri of `path` relative to `root`: its POSIX path; see `uris` for names that are not UTF-8."""
    return uri_of(os.fsencode(path.relative_to(root).as_posix()))


def _day(value: str) -> str | None:
    """`2017-01-25`, `20170125` or `2017_01_25` as an ISO day; None where there is no such day."""
    digits = re.sub(r"[^0-9]", "", value)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return None


def read_sidecar(path: Path) -> dict[str, dict[str, str]]:
    """A CSV file of facts by file: {file name or uri: {column: value}}; empty cells are left out.

    Raises ConfigError where it cannot be read or no column names the file.
    """
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{path}: the sidecar cannot be read as CSV: {error}") from error
    key = next((name for name in FILE_COLUMNS if name in table.columns), None)
    if key is None:
        raise ConfigError(
            f"{path}: no column names the file (found: {', '.join(table.columns)}); call one of them 'file'"
        )
    rows = {}
    for row in table.iter_rows(named=True):
        name = row.pop(key)
        if name in rows:
            raise ConfigError(f"{path}: the file {name!r} stands in two rows; keep one")
        if name:
            rows[name] = {column: value.strip() for column, value in row.items() if value and value.strip()}
    return rows


def find_files(source: Source, root: Path, *, max_bytes: int, below: Path | None = None) -> Found:
    """The files of a source in the folder `root`, sorted by uri, and those refused, with reasons.

    `root` may be one file, which is then all there is. With `below`, a folder or file in `root`, only those there, and
    their uris stay relative to `root`. Datasets that copydesk wrote there are left out. Raises UsageError where the
    place is not there or cannot be listed.
    """
    place = below or root
    if not place.exists():
        raise UsageError(f"{place}: no such file or folder (source {source.name!r}); check the path")
    matcher = compile_pattern(source.pattern) if source.pattern else None
    sidecar = read_sidecar(root / source.metadata) if source.metadata is not None else {}
    base = root.parent if root.is_file() else root
    found = Found([], [], [])
    for path in sorted(_walk(place, source.name, base, found.refused), key=lambda one: file_uri(one, base)):
        uri = file_uri(path, base)
        if source.metadata is not None and path == root / source.metadata:
            continue
        facts, reason = _inspect(path, base, max_bytes)
        if reason is not None:
            found.refused.append(Refused(source.name, uri, reason))
            continue
        given = _given(source, uri, matcher, sidecar)
        found.files.append(RawFile(path, source.name, uri, facts[0], facts[1], given, source.years))
    found.notes.extend(_notes(source, place, found, matcher, set(sidecar) if place == root else set()))
    return found


def _notes(source: Source, place: Path, found: Found, matcher: re.Pattern[str] | None, rows: set[str]) -> Iterator[str]:
    """What was said of files that are not there."""
    if not found.files and not found.refused:
        yield f"{place}: there is no file in it (source {source.name!r})"
    elif matcher is not None and not any(matcher.fullmatch(file.uri) for file in found.files):
        yield f"source {source.name!r}: no file fits the pattern {source.pattern!r}; they are read without it"
    names = {name for file in found.files for name in (file.uri, file.uri.rsplit("/", 1)[-1])}
    lost = sorted(rows - names)
    if lost:
        yield f"{source.metadata}: {len(lost)} of its rows name no file that is read, such as {lost[0]!r}"


def _walk(place: Path, source: str, base: Path, refused: list[Refused]) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    try:
        entries = list(os.scandir(place))
    except OSError as error:
        reason = f"the folder cannot be listed ({error.strerror}); check its permissions"
        if place == base:
            raise UsageError(f"{place}: {reason}") from error
        refused.append(Refused(source, file_uri(place, base), reason))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif not _is_dataset(path):
            yield from _walk(path, source, base, refused)


def _is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset that copydesk wrote: what came out does not go in again."""
    return (path / "releases").is_dir() and (path / "data").is_dir() and (path / "knowledge").is_dir()


UNKNOWN: Final = (0, 0)


def _inspect(path: Path, base: Path, max_bytes: int) -> tuple[tuple[int, int], str | None]:
    """The size and time of a file and, where it is not to be read, why."""
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(base.resolve()):
            return UNKNOWN, "a link that leads out of its source: copy the file in, if it is wanted"
        facts = path.stat()
    except (OSError, RuntimeError) as error:
        return UNKNOWN, f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if not stat.S_ISREG(facts.st_mode):
        return UNKNOWN, "neither a file nor a folder of files (a pipe, a socket, a device or a link to a folder)"
    if path.suffix.lower() not in SUFFIXES:
        return UNKNOWN, f"its format {path.suffix or '(no suffix)'!r} is not read; give it as .txt"
    if facts.st_size > max_bytes:
        return UNKNOWN, f"{facts.st_size} bytes, over the limit of {max_bytes}; raise max_document_bytes under [ingest]"
    return (facts.st_size, facts.st_mtime_ns), None


def _given(
    source: Source, uri: str, matcher: re.Pattern[str] | None, sidecar: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """What configuration, path and sidecar say of a document; the more particular wins."""
    given = {name: value for name, value in (("site", source.site), ("outlet", source.outlet)) if value}
    if matcher is not None and (found := matcher.fullmatch(uri)):
        given |= found.groupdict()
    given |= sidecar.get(uri) or sidecar.get(uri.rsplit("/", 1)[-1]) or {}
    if "date" in given and re.fullmatch(DAY, given["date"]):
        given["date"] = _day(given["date"]) or given["date"]
    return given


def read_batch(files: Sequence[RawFile]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The files of a batch as a table DOCUMENTS, and those that cannot be read as a table REFUSED."""
    rows: list[tuple[object, ...]] = []
    refused: list[tuple[object, ...]] = []
    for file in files:
        try:
            raw = file.path.read_bytes()
        except OSError as error:
            refused.append((file.id, file.uri, file.source, None, f"cannot be read: {error.strerror or error}"))
            continue
        rows.append(_row(file.source, file.uri, file.given, file.years, raw))
    return (
        pl.DataFrame(rows, schema=DOCUMENTS, orient="row"),
        pl.DataFrame(refused, schema=REFUSED, orient="row"),
    )


def given_row(source: Source | None, name: str, uri: str, raw: bytes) -> tuple[object, ...]:
    """A row of DOCUMENTS for raw bytes whose file is gone, with what path and configuration say of it.

    `source` is None where the configuration no longer has a source of that `name`.
    """
    if source is None:
        return _row(name, uri, {}, None, raw)
    matcher = compile_pattern(source.pattern) if source.pattern else None
    return _row(name, uri, _given(source, uri, matcher, {}), source.years, raw)


def _row(
    source: str, uri: str, given: Mapping[str, str], years: tuple[int, int] | None, raw: bytes
) -> tuple[object, ...]:
    rest = dict(given)
    known = [rest.pop(field, None) for field in ("site", "outlet", "url", "date", "headline", "section", "authors")]
    extra = json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None
    said = (*known, extra, *(years or (None, None)))
    return (document_id(source, uri), uri, source, *said, hashlib.sha256(raw).hexdigest(), raw)
