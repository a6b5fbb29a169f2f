"""Rows: where those of the coming release are, and how they get from there into a shard.

    Batch   the files of rows that are new: articles and ledger, side by side
    Kept    the rows of the last release that stay as they are
    Rows    all of one table: old shards first, then the batches' files, by number
    Opened  batches' files that are opened once for all that a task gathers
    check   rows against their schema

Nothing is read until it is asked for, and nothing stays: of a batch's Arrow file, which is memory-mapped, the rows are
copied, since mapped pages count as memory, and with each page that is touched come those around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.aligned import Places
from copydesk.errors import ReleaseError
from copydesk.frugal import unmapped
from copydesk.release.keys import keys_of
from copydesk.release.manifest import Manifest
from copydesk.release.shards import Shard
from copydesk.schema import Schema

__all__ = ["Batch", "Kept", "Opened", "Rows", "all_keys", "check", "check_batch"]

TOGETHER: Final = 8
"""Batches' files of which stretches are copied at once: so many are mapped, and of each what the system maps around the
pages that are touched, 3 MB of articles and 7 of a ledger, however short the stretch."""

HELD: Final = 500
"""Files that stay open at most: what is known of where the columns lie takes 10 to 40 kB each."""


@dataclass(frozen=True)
class Batch:
    """Arrow IPC files of article rows, of the ledger rows of the same documents, and perhaps of their keys.

    With keys the ledger needs no columns that these have too (writing.BESIDE).
    """

    articles: Path
    ledger: Path
    keys: Path | None = None


@dataclass(frozen=True)
class Kept:
    """The last release, the keys of all its documents, and the ids of those whose rows stay."""

    manifest: Manifest
    keys: pl.DataFrame
    ids: pl.Series


@dataclass(frozen=True)
class Opened:
    """Batches' files that stay open for all that is gathered one after the other; without `lasting` they do not.

    To open one costs as much as to copy a stretch of it. No page of them stays mapped. Of columns `without` nothing is
    read.
    """

    lasting: bool = False
    without: tuple[str, ...] = ()
    held: dict[Path, tuple[pa.Buffer, pa.Table]] = field(default_factory=dict)

    def copied(self, spans: Sequence[tuple[Path, int, int]]) -> pa.Table:
        """Stretches of files, each from a row on so many: copies in one chunk."""
        files = [self._file(path) for path, _, _ in spans]
        stretches = [table.slice(*span) for (_, table), (_, *span) in zip(files, spans, strict=True)]
        found = pa.concat_tables(stretches).combine_chunks()
        for pages, _ in files:
            unmapped(pages)
        return found

    def _file(self, path: Path) -> tuple[pa.Buffer, pa.Table]:
        found = self.held.get(path) or _mapped(path, self.without)
        if self.lasting and len(self.held) < HELD:
            self.held[path] = found
        return found


@dataclass(frozen=True)
class Rows:
    """Where the rows of one table are: in old shards, and in batch files, whose numbers follow those of the shards.

    Old shards are `reusable` where this code and these libraries would write the same bytes.
    """

    folder: Path
    shards: tuple[Shard, ...]
    batches: tuple[Path, ...]
    reusable: bool

    def shard(self, file: int) -> Shard | None:
        """The old shard of that number; None where it is a batch's file."""
        return self.shards[file] if file < len(self.shards) else None

    def gather(self, runs: pl.DataFrame, opened: Opened | None = None) -> tuple[pl.DataFrame, Places]:
        """Rows, and where among them each of these runs begins (columns file, row and lines: so many from that row on).

        Of each file the stretch is read that the runs lie in. A batch's rows stand in the order of a release, so a
        stretch holds little else.
        """
        first, end = pl.col("row").min(), (pl.col("row") + pl.col("lines")).max()
        spans = runs.group_by("file").agg(first=first, size=end - first).sort("file")
        old, new = (spans.filter((pl.col("file") < len(self.shards)) == stays) for stays in (True, False))
        opened = opened or Opened()
        kept = [(self.folder / self.shards[file].file, *span) for file, *span in old.iter_rows()]
        parts = [_read(path, first, size, opened.without) for path, first, size in kept]
        stretches = [(self.batches[file - len(self.shards)], *span) for file, *span in new.iter_rows()]
        together = [stretches[at : at + TOGETHER] for at in range(0, len(stretches), TOGETHER)]
        if copies := [opened.copied(some) for some in together]:
            parts.append(pl.DataFrame(pl.from_arrow(pa.concat_tables(copies), rechunk=False)))
        file, row, size = (one.to_numpy().astype(np.int64) for one in (runs["file"], runs["row"], spans["size"]))
        base = np.cumsum(size) - size - spans["first"].to_numpy()
        at: Places = base[np.searchsorted(spans["file"].to_numpy(), file)] + row
        return pl.concat(parts, how="vertical_relaxed").rechunk(), at


def _mapped(path: Path, without: Sequence[str] = ()) -> tuple[pa.Buffer, pa.Table]:
    """The pages of an Arrow file, and the table that lies in them; the file itself is closed again."""
    try:
        with pa.memory_map(str(path)) as file:
            pages = file.read_buffer()
            table = pa.ipc.open_file(pages).read_all()
            return pages, table.drop_columns([name for name in without if name in table.column_names])
    except (OSError, pa.ArrowInvalid) as error:
        raise ReleaseError(f"{path}: cannot be read as an Arrow file ({error}); run the ingest again") from error


def _frame(path: Path) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(_mapped(path)[1], rechunk=False))


def _read(path: Path, start: int, size: int, without: Sequence[str]) -> pl.DataFrame:
    try:
        return pl.scan_parquet(path).slice(start, size).drop(without, strict=False).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReleaseError(f"{path}: cannot be read ({error}); run copydesk verify, then restore the file") from error


def all_keys(batches: Sequence[Batch], kept: Kept | None) -> Iterator[pl.DataFrame]:
    """The keys of new and kept rows, a table at a time; files are numbered as in `Rows`: old shards, then batches'."""
    first = {table: len(kept.manifest.shards(table)) if kept else 0 for table in ("article", "ledger")}
    if kept:
        yield from kept.keys.filter(pl.col("id").is_in(kept.ids.implode())).iter_slices()
    for number, batch in enumerate(batches):
        keys = pl.read_ipc(batch.keys) if batch.keys else keys_of(_frame(batch.articles), _frame(batch.ledger))
        yield keys.with_columns(pl.lit(first[table] + number, pl.UInt32).alias(f"{table}_file") for table in first)


def check_batch(batch: Batch, schemas: Mapping[str, Schema]) -> None:
    """Raise ReleaseError where a row of a batch breaks its schema; one that comes with keys was checked before."""
    if batch.keys is None:
        check(schemas["article"], _frame(batch.articles))
        check(schemas["ledger"], _frame(batch.ledger))


def check(schema: Schema, rows: pl.DataFrame) -> None:
    """Raise ReleaseError where a row breaks the schema: such rows belong into quarantine."""
    _, faults = schema.validate(schema.conform(rows))
    if faults.height:
        row, name, reason = faults.row(0)
        raise ReleaseError(
            f"{rows['uri'][row]}: {name} {reason} (schema {schema.name}); "
            "this is an error of copydesk, such rows belong into quarantine: report it"
        )
