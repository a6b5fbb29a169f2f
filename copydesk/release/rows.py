"""Rows: where those of the coming release are, and how they get from there into a shard.

    Batch   the files of rows that are new: articles and ledger, side by side
    Kept    the rows of the last release that stay as they are
    Rows    all of one table: old shards first, then the batches' files, by number
    check   rows against their schema

Nothing is read until it is asked for, and nothing stays: of a batch's Arrow file, which is memory-mapped, the pages
that the rows lie in, and of old shards, one after the other, the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from copydesk.errors import ReleaseError
from copydesk.release.keys import keys_of
from copydesk.release.manifest import Manifest
from copydesk.release.shards import Shard
from copydesk.schema import Schema

__all__ = ["Batch", "Kept", "Rows", "all_keys", "check", "check_batch", "single_rows"]


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

    def gather(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Whole rows, in the order of `rows` (columns file, row)."""
        wanted = rows.select("file", "row").with_row_index("place")
        old = wanted.filter(pl.col("file") < len(self.shards))
        parts, places = [], []
        for (number,), some in old.group_by("file", maintain_order=True):
            parts.append(_read(self.folder / self.shards[int(str(number))].file)[some["row"]])
            places.append(some["place"])
        new = wanted.filter(pl.col("file") >= len(self.shards))
        if new.height:
            parts.append(self._of_batches(new))
            places.append(new["place"])
        if len(parts) == 1:
            return parts[0]
        return pl.concat(parts, how="vertical_relaxed")[pl.concat(places).arg_sort()]

    def _of_batches(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows out of batches' files: of each file the stretch that they lie in, and of the stretches the rows.

        A batch's rows stand in the order of a release, so a stretch holds little else, and only its pages are read.
        """
        first, last = pl.col("row").min(), pl.col("row").max()
        spans = rows.group_by("file").agg(first=first, size=last - first + 1).sort("file")
        spans = spans.with_columns(base=pl.col("size").cum_sum() - pl.col("size"))
        paths = [self.batches[file - len(self.shards)] for file in spans["file"]]
        stretches = zip(paths, spans["first"], spans["size"], strict=True)
        whole = pa.concat_tables(_mapped(path).slice(start, size) for path, start, size in stretches)
        at = rows.join(spans, on="file", how="left", maintain_order="left")
        return pl.DataFrame(pl.from_arrow(whole.combine_chunks()))[at["row"] - at["first"] + at["base"]]


def _mapped(path: Path) -> pa.Table:
    """The rows of an Arrow file, as the pages that they lie in; the file itself is closed again."""
    try:
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise ReleaseError(f"{path}: cannot be read as an Arrow file ({error}); run the ingest again") from error


def _frame(path: Path) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(_mapped(path), rechunk=False))


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
        keys = pl.read_ipc(batch.keys) if batch.keys else keys_of(_frame(batch.articles), _frame(batch.ledger))
        places = (pl.lit(first[table] + number, pl.UInt32).alias(f"{table}_file") for table in first)
        parts.append(keys.with_columns(*places))
    if not any(part.height for part in parts):
        raise ReleaseError("there are no articles to release: every document is in quarantine; see its reasons")
    return pl.concat(parts)


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


def single_rows(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs of rows (columns file, row and lines: from that row on so many) as single rows (columns file, row)."""
    numbers = pl.int_ranges(pl.col("row"), pl.col("row") + pl.col("lines"), dtype=pl.UInt32)
    return runs.select("file", row=numbers).explode("row")
