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
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from copydesk import pieces
from copydesk.release.facts import code_digest, made_with
from copydesk.schema import load_schema
from copydesk.sources import FILES, UNMARKED, Files, Kind, RawFile, read_all, with_ids

__all__ = ["RECORDS", "SAME", "SEEN", "Seen", "fingerprint", "moved_sources", "sha256_of_file"]

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
"""`size`, `modified` and `given` as in sources.FILES."""


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


TABLES: Final = (SEEN, RECORDS)
DRAFT: Final = "draft"
TOGETHER: Final = 50_000
"""Rows that are compressed together."""
FOUND: Final = {"same": pl.Boolean(), "raw_sha256": pl.String(), "reason": pl.String()}
SAME: Final = pl.Schema({"id": pl.String(), **FILES, **FOUND})
"""Files of a job, seen against what was seen before."""


def fingerprint(profiles: str, knowledge: str) -> str:
    """16 hexadecimal digits over the digests of code, schemas, profiles and knowledge, and the libraries' versions."""
    made = [f"{name} {version}" for name, version in sorted(made_with().items())]
    parts = (code_digest(), load_schema("article").digest, load_schema("ledger").digest, profiles, knowledge, *made)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def moved_sources(folder: Path, files: Files, *, remember: bool) -> list[str]:
    """A note for each source that was read from another place by the last ingest into this `.work` folder.

    Sources are told apart by name, so files of the same uri replace the articles of the other place.
    """
    firsts = files.table.unique("source", keep="first", maintain_order=True)
    now = {file.source: _root(file) for file in replace(files, table=firsts)}
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


@dataclass(frozen=True)
class Seen:
    """The files that the ingest of a release saw (columns SEEN), and the `records` of containers (columns RECORDS)."""

    files: pl.DataFrame
    records: pl.DataFrame

    @classmethod
    def read(cls, folder: Path, stamp: str) -> Seen | None:
        """The cache of that stamp in a `.work` folder; None where there is none, or it is damaged."""
        try:
            tables = (pl.read_ipc(path) for path in _places(folder, stamp))
            return cls(*(one.select(schema.names()).cast(schema) for one, schema in zip(tables, TABLES, strict=True)))
        except (OSError, pl.exceptions.PolarsError):
            return None

    @staticmethod
    def draft(folder: Path, files: Iterable[pl.DataFrame], records: Iterable[pl.DataFrame]) -> None:
        """Write what comes table by table into a folder, from where `keep` takes it when it is time."""
        for path, tables, schema in zip(_places(folder, DRAFT), (files, records), TABLES, strict=True):
            pieces.keep(path, schema, pieces.together(tables, TOGETHER), compression="zstd")

    @staticmethod
    def keep(drafts: Path, folder: Path, stamp: str) -> None:
        """Keep what `draft` wrote into the folder `drafts` under that stamp, beside what has other stamps."""
        for draft, path in zip(_places(drafts, DRAFT), _places(folder, stamp), strict=True):
            draft.replace(path)

    def write(self, folder: Path, stamp: str) -> None:
        """Keep the tables under that stamp, beside those of other stamps."""
        self.draft(folder, [self.files], [self.records])
        self.keep(folder, folder, stamp)

    @staticmethod
    def prune(folder: Path, stamp: str) -> None:
        """Throw away the caches of all other stamps."""
        for other in folder.glob("seen-*.arrow"):
            if other not in _places(folder, stamp):
                other.unlink(missing_ok=True)

    def same(self, files: Files, *, rehash: bool, retry: bool = False) -> pl.DataFrame:
        """The files with their `id`, and of those that are as they were (`same`) the hash and the reason of refusal.

        A file is as it was if size and time are, or else its bytes; with `rehash` only its bytes count. One that could
        not be opened is tried again where it can be by now; with `retry`, all that was refused, so every container too.
        """
        before = self.files.rename({name: f"{name}_before" for name in ("size", "modified", "given")})
        known = with_ids(files.table, before).with_row_index("row")
        table = known.with_columns(same=(pl.col("given") == pl.col("given_before")).fill_null(value=False))
        table = self._tried_again(table, files, retry=retry)
        held = (pl.col("size") == pl.col("size_before")) & (pl.col("modified") == pl.col("modified_before"))
        unopened = held & (pl.col("modified") != UNMARKED) & (not rehash)
        doubtful = table.filter(pl.col("same") & ~unopened)
        rows = zip(replace(files, table=doubtful), doubtful.select("row", "raw_sha256").iter_rows(), strict=True)
        changed = [row for file, (row, sha) in rows if sha is None or sha != sha256_of_file(file)]
        same = pl.col("same") & ~pl.col("row").is_in(changed)
        told = {name: pl.when("same").then(name) for name in ("raw_sha256", "reason")}
        return table.with_columns(same=same).with_columns(**told).select(SAME.names()).cast(SAME)

    def _tried_again(self, table: pl.DataFrame, files: Files, *, retry: bool) -> pl.DataFrame:
        """The table, where a file is not as it was if its reason may not hold any more."""
        again = pl.lit(retry) & (pl.col("reason").is_not_null() | pl.col("many"))
        store, held_back = pl.col("url").is_not_null(), pl.col("reason").str.starts_with(UNOPENED)
        shut = table.filter(pl.col("raw_sha256").is_null() & held_back & ~store)
        opens = [file.id for file in replace(files, table=shut) if os.access(file.path, os.R_OK)]
        again |= pl.col("id").is_in(opens) | (store & held_back & pl.col("raw_sha256").is_null())
        itself = self.records.filter(pl.col("id") == pl.col("file"), pl.col("digest").is_null())
        broken = itself.select("id", broken="reason")
        joined = table.join(broken, on="id", how="left", maintain_order="left")
        again |= pl.col("broken").is_not_null() & (store | pl.col("broken").str.starts_with(UNOPENED))
        return joined.with_columns(same=pl.col("same") & ~again.fill_null(value=False)).drop("broken")


def _places(folder: Path, stamp: str) -> tuple[Path, Path]:
    return folder / f"seen-{stamp}.arrow", folder / f"seen-{stamp}-records.arrow"


def sha256_of_file(file: RawFile) -> str | None:
    """64 hexadecimal digits over the bytes of a text; None where it cannot be read, or the file is no plain text."""
    if file.kind != Kind("text"):
        return None
    try:
        return hashlib.sha256(read_all(file.path)).hexdigest()
    except OSError:
        return None
