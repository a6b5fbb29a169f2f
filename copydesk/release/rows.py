"""Rows: where those of the coming release are, and how they get from there into a shard.

    Batch   the files of rows that are new: articles and ledger, side by side
    Kept    the rows of the last release that stay as they are
    Rows    all of one table: old shards first, then the batches' files, by number
    check   rows against their schema

Nothing is read until it is asked for. A batch's Arrow file is memory-mapped, and the pages that a gathering has touched
are let go of before the next; an old shard is read when a row of it is gathered, and a few of them stay: what is
gathered in the release's order comes shard by shard.
"""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from copydesk.errors import ReleaseError
from copydesk.release.keys import keys_of
from copydesk.release.manifest import Manifest
from copydesk.release.shards import Shard
from copydesk.schema import Schema

__all__ = ["Batch", "Kept", "Rows", "all_keys", "check", "check_batch", "single_rows"]

HELD: Final = 3
"""Old shards that stay in memory: rows for one new shard come from its own predecessor and perhaps its neighbours."""

OPEN: Final = 200
"""Batch files that stay mapped: a process may have a thousand files open, often no more."""


@dataclass(frozen=True)
class Batch:
    """Arrow IPC files of article rows, of the ledger rows of the same documents, and perhaps of their keys."""

    articles: Path
    ledger: Path
    keys: Path | None = None


@dataclass(frozen=True)
class Kept:
    """The last release, the keys of all its documents, and the ids of those whose rows stay."""

    manifest: Manifest
    keys: pl.DataFrame
    ids: pl.Series


class Rows:
    """The rows of one table: those in old shards and those in batch files."""

    def __init__(self, folder: Path, shards: Sequence[Shard], batches: Sequence[Path], *, reusable: bool) -> None:
        self.folder = folder
        self.reusable = reusable
        self.shards = tuple(shards)
        self.batches = tuple(batches)
        self._open: OrderedDict[int, pl.DataFrame] = OrderedDict()
        self._pages: dict[int, mmap.mmap] = {}
        self._read: OrderedDict[int, pl.DataFrame] = OrderedDict()

    def shard(self, file: int) -> Shard | None:
        """The old shard of that number; None where it is a batch's file."""
        return self.shards[file] if file < len(self.shards) else None

    def gather(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Whole rows, in the order of `rows` (columns file, row)."""
        self._let_go()
        wanted = rows.select("file", "row").with_row_index("place")
        parts, places = [], []
        for (number,), some in wanted.group_by("file", maintain_order=True):
            parts.append(self._frame(int(str(number)))[some["row"]])
            places.append(some["place"])
        if len(parts) == 1:
            return parts[0]
        back = pl.concat(places).arg_sort()
        return pl.concat(parts, how="vertical_relaxed")[back]

    def _frame(self, number: int) -> pl.DataFrame:
        shard = self.shard(number)
        held, most = (self._open, OPEN) if shard is None else (self._read, HELD)
        if number in held:
            held.move_to_end(number)
        elif shard is None:
            held[number], self._pages[number] = _mapped(self.batches[number - len(self.shards)])
        else:
            held[number] = _read(self.folder / shard.file)
        if len(held) > most:
            self._pages.pop(held.popitem(last=False)[0], None)
        return held[number]

    def _let_go(self) -> None:
        """Take the mapped pages out of this process; what is asked for again comes from the system's cache."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for pages in self._pages.values():
                pages.madvise(mmap.MADV_DONTNEED)


def _mapped(path: Path) -> tuple[pl.DataFrame, mmap.mmap]:
    """The rows of an Arrow file, and the pages that they lie in."""
    try:
        with path.open("rb") as file:
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        table = pa.ipc.open_file(pa.py_buffer(pages)).read_all()
        return pl.DataFrame(pl.from_arrow(table, rechunk=False)), pages
    except (OSError, ValueError, pa.ArrowInvalid, pl.exceptions.PolarsError) as error:
        raise ReleaseError(f"{path}: cannot be read as an Arrow file ({error}); run the ingest again") from error


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReleaseError(f"{path}: cannot be read ({error}); run copydesk verify, then restore the file") from error


def all_keys(batches: Sequence[Batch], kept: Kept | None) -> pl.DataFrame:
    """The keys of new and kept rows; files are numbered as in `Rows`: first the old shards, then the batches'."""
    first = {table: len(kept.manifest.shards(table)) if kept else 0 for table in ("article", "ledger")}
    parts = [kept.keys.filter(pl.col("id").is_in(kept.ids.implode()))] if kept else []
    for number, batch in enumerate(batches):
        keys = pl.read_ipc(batch.keys) if batch.keys else keys_of(_mapped(batch.articles)[0], _mapped(batch.ledger)[0])
        places = (pl.lit(first[table] + number, pl.UInt32).alias(f"{table}_file") for table in first)
        parts.append(keys.with_columns(*places))
    if not any(part.height for part in parts):
        raise ReleaseError("there are no articles to release: every document is in quarantine; see its reasons")
    return pl.concat(parts)


def check_batch(batch: Batch, schemas: Mapping[str, Schema]) -> None:
    """Raise ReleaseError where a row of a batch breaks its schema; one that comes with keys was checked before."""
    if batch.keys is None:
        check(schemas["article"], _mapped(batch.articles)[0])
        check(schemas["ledger"], _mapped(batch.ledger)[0])


def check(schema: Schema, rows: pl.DataFrame) -> None:
    """Raise ReleaseError where a row breaks the schema: such rows belong into quarantine."""
    _, faults = schema.validate(schema.conform(rows))
    if faults.height:
        row, name, reason = faults.row(0)
        raise ReleaseError(
            f"{rows['uri'][row]}: {name} {reason} (schema {schema.name}); "
            "this is an error of copydesk, such rows belong into quarantine: report it"
        )


def single_rows(runs: pl.DataFrame) -> pl.DataFrame:
    """The runs of documents' ledger rows as single rows (columns file, row), in order."""
    numbers = pl.int_ranges(pl.col("ledger_row"), pl.col("ledger_row") + pl.col("lines"), dtype=pl.UInt32)
    return runs.select(file="ledger_file", row=numbers).explode("row")
