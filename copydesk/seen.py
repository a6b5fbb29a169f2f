"""What the last ingest saw of the raw files, so that the next one opens only what may have changed.

A cache below `.work/`, never published: without it everything is read and judged again, with the same result. It is
bound by its name to a release and to all that judging depends on; another release, code, profile or knowledge, and it
is not even looked at.

    fingerprint   what rows depend on beside their document
    Seen          size, time, path facts and hash of each file, and why it was refused, if it was; of a container,
                  which records it holds, each with the digest of its bytes and of all that is said of it
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.release.facts import code_digest, made_with
from copydesk.schema import load_schema
from copydesk.sources import UNMARKED, Asked, Kind, RawFile, read_all

__all__ = [
    "RECORDS",
    "SEEN",
    "Seen",
    "digest",
    "fingerprint",
    "given_digest",
    "moved_sources",
    "seen_table",
    "sha256_of_file",
]

SEEN: Final = pl.Schema(
    {
        "id": pl.String(),
        "source": pl.String(),
        "uri": pl.String(),
        "size": pl.Int64(),
        "modified": pl.Int64(),
        "given": pl.String(),
        "raw_sha256": pl.String(),
        "reason": pl.String(),
    }
)
"""`modified` is the file's time in nanoseconds, `given` the digest of what path, sidecar and settings say of it."""


UNOPENED: Final = "cannot be read: "
"""How the reason of a file that could not be opened begins: it is tried again. On a store, so is a container that broke
off, since the line may have."""

RECORDS: Final = pl.Schema(
    {
        "id": pl.String(),
        "file": pl.String(),
        "digest": pl.UInt64(),
        "source": pl.String(),
        "uri": pl.String(),
        "raw_sha256": pl.String(),
        "reason": pl.String(),
    }
)
"""Records of containers; source, uri, raw_sha256 and reason stand with those in quarantine, the release has the others.
A container that cannot be read to its end has a row of its own, without a digest."""


def digest(parts: Sequence[object]) -> str:
    """16 hexadecimal digits over plain values, as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def fingerprint(profiles: str, knowledge: str) -> str:
    """16 hexadecimal digits over the digests of code, schemas, profiles and knowledge, and the libraries' versions."""
    made = [f"{name} {version}" for name, version in sorted(made_with().items())]
    parts = (code_digest(), load_schema("article").digest, load_schema("ledger").digest, profiles, knowledge, *made)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def given_digest(file: RawFile) -> str:
    """16 hexadecimal digits over all that is said of a file beside its bytes; of a container also how it is read."""
    how = file.asked if file.kind.many or file.kind.format == "html" else None
    return _said(tuple(file.given.items()), file.years, file.corrections, how)


@lru_cache(maxsize=4096)
def _said(
    given: tuple[tuple[str, str], ...], years: tuple[int, int] | None, corrections: str, how: Asked | None
) -> str:
    said = json.dumps([dict(given), years, corrections, how and how.as_said], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def moved_sources(folder: Path, files: Sequence[RawFile], *, remember: bool) -> list[str]:
    """A note for each source that was read from another place by the last ingest into this `.work` folder.

    Sources are told apart by name, so files of the same uri replace the articles of the other place.
    """
    first = {file.source: file for file in reversed(files)}
    now = {name: _root(file) for name, file in first.items()}
    try:
        before = json.loads((folder / "roots.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    if remember:
        (folder / "roots.json").write_text(json.dumps({**before, **now}), encoding="utf-8")
    return [
        f"source {name!r} was read from {before[name]} before, and from {place} now: files of the same name replace "
        "those articles; if these are others, give --name, or name the sources in copydesk.toml"
        for name, place in sorted(now.items())
        if before.get(name, place) != place
    ]


def _root(file: RawFile) -> str:
    """The folder that a file's uri is relative to."""
    if isinstance(file.path, Path):
        return str(file.path.resolve().parents[file.uri.count("/")])
    return file.path.rsplit("/", file.uri.count("/") + 1)[0]


def seen_table(files: Sequence[RawFile], found: Sequence[tuple[str | None, str | None]]) -> pl.DataFrame:
    """The table SEEN of files, with the hash of each and the reason that it was refused for, if it was."""
    columns = {
        "id": [file.id for file in files],
        "source": [file.source for file in files],
        "uri": [file.uri for file in files],
        "size": [file.size for file in files],
        "modified": [file.modified for file in files],
        "given": [given_digest(file) for file in files],
        "raw_sha256": [one[0] for one in found],
        "reason": [one[1] for one in found],
    }
    return pl.DataFrame(columns, schema=SEEN)


@dataclass(frozen=True)
class Seen:
    """The files that the ingest of a release saw, by id, and the `records` of containers (columns RECORDS)."""

    rows: Mapping[str, tuple[int, int, str, str | None, str | None]]
    records: pl.DataFrame

    @classmethod
    def read(cls, folder: Path, stamp: str) -> Seen | None:
        """The cache of that stamp in a `.work` folder; None where there is none, or it is damaged."""
        try:
            table = pl.read_ipc(folder / f"seen-{stamp}.arrow")
            facts = (table[name].to_list() for name in ("size", "modified", "given", "raw_sha256", "reason"))
            rows = dict(zip(table["id"].to_list(), zip(*facts, strict=True), strict=True))
            return cls(rows, pl.read_ipc(folder / f"seen-{stamp}-records.arrow").select(RECORDS.names()).cast(RECORDS))
        except (OSError, pl.exceptions.PolarsError):
            return None

    @staticmethod
    def write(folder: Path, stamp: str, table: pl.DataFrame, records: pl.DataFrame) -> None:
        """Keep the tables (columns SEEN and RECORDS) under that stamp, beside those of other stamps."""
        draft = folder / "seen.draft"
        for name, one, schema in ((f"{stamp}-records", records, RECORDS), (stamp, table, SEEN)):
            one.select(schema.names()).cast(schema).write_ipc(draft)
            draft.replace(folder / f"seen-{name}.arrow")

    @staticmethod
    def prune(folder: Path, stamp: str) -> None:
        """Throw away the caches of all other stamps."""
        for other in folder.glob("seen-*.arrow"):
            if other.name not in (f"seen-{stamp}.arrow", f"seen-{stamp}-records.arrow"):
                other.unlink(missing_ok=True)

    def same(
        self, files: Iterable[RawFile], *, rehash: bool, retry: bool = False
    ) -> list[tuple[RawFile, str | None, str | None]]:
        """The files that are as they were, with their hash and the reason they were refused for, if they were.

        A file is as it was if size and time are, or else its bytes; with `rehash` only its bytes count. One that could
        not be opened is tried again where it can be by now; with `retry`, all that was refused, so every container too.
        """
        found = []
        broken = self._broken()
        for file in files:
            row = self.rows.get(file.id)
            if row is None or row[2] != given_digest(file) or _opens(row, file):
                continue
            if file.id in broken and (not isinstance(file.path, Path) or broken[file.id].startswith(UNOPENED)):
                continue
            if retry and (row[4] is not None or file.kind.many):
                continue
            unopened = not rehash and file.modified != UNMARKED and (file.size, file.modified) == row[:2]
            if unopened or (row[3] is not None and row[3] == sha256_of_file(file)):
                found.append((file, row[3], row[4]))
        return found

    def _broken(self) -> dict[str, str]:
        """Containers that could not be read to their end, with the reason."""
        itself = pl.col("id") == pl.col("file")
        return dict(self.records.filter(itself & pl.col("digest").is_null()).select("file", "reason").iter_rows())


def _opens(row: tuple[int, int, str, str | None, str | None], file: RawFile) -> bool:
    """Whether a file that could not be opened can be now; on a store, only opening it tells."""
    held_back = row[3] is None and row[4] is not None and row[4].startswith(UNOPENED)
    return held_back and (not isinstance(file.path, Path) or os.access(file.path, os.R_OK))


def sha256_of_file(file: RawFile) -> str | None:
    """64 hexadecimal digits over the bytes of a text; None where it cannot be read, or the file is no plain text."""
    if file.kind != Kind("text"):
        return None
    try:
        return hashlib.sha256(read_all(file.path)).hexdigest()
    except OSError:
        return None
