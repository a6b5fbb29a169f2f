"""Containers: files that hold many documents, from what was seen of them to batches of records that need work.

    unpacked       containers' records as parts on disk, by the stage `unpack`, side by side
    Records        what is in them, by key; and what is not read
    as_batches     the records that need work, as tables of a batch in folders of their own

A container that is as it was is not opened. One that changed is read once, from its start or in spans, and its records
are written in parts; of these only the keys are looked at here, 32 bytes a record: a record whose bytes and facts are
as they were keeps its row. Two records of one name are told apart by a number, in the container's order.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import polars as pl

from copydesk import stages
from copydesk.digests import digest
from copydesk.runner import Over
from copydesk.sources import REFUSED, Cut, Names, Piece, RawFile, document_id, pieces

__all__ = ["KEYS", "UNREAD", "Records", "as_batches", "numbers", "unpacked"]

KEYS: Final = pl.Schema(
    {"id": pl.UInt64(), "digest": pl.UInt64(), "part": pl.UInt32(), "row": pl.UInt32(), "size": pl.Int64()}
)
"""A record: its id, the digest of its bytes and of all that is said of it, and where it lies."""

RENAMED: Final = pl.Schema({"part": pl.UInt32(), "row": pl.UInt32(), "id": pl.String(), "uri": pl.String()})
UNREAD: Final = pl.Schema({**REFUSED, "file": pl.String()})
"""What is not read, with the id of its container."""


def numbers(hexadecimal: pl.Expr) -> pl.Expr:
    """16 hexadecimal digits as a number: an eighth of the memory."""
    return hexadecimal.str.to_integer(base=16, dtype=pl.UInt64)


@dataclass(frozen=True)
class Records:
    """The records of the containers that were opened."""

    folders: tuple[Path, ...]
    """Where they lie."""
    parts: tuple[Path, ...]
    keys: pl.DataFrame
    renamed: pl.DataFrame
    unread: pl.DataFrame

    def without(self, same: pl.DataFrame) -> tuple[Records, pl.DataFrame]:
        """The records but those of which `same` (columns id, digest) has the id with the digest; and these ids."""
        held = self.keys.join(same, on=["id", "digest"], how="semi").select("id")
        return replace(self, keys=self.keys.join(held, on="id", how="anti", maintain_order="left")), held

    def handed_on(self) -> Records:
        """What is left to be said of them when `as_batches` is done: the folders, and what is not read."""
        return replace(NONE, folders=self.folders, unread=self.unread)

    def hashes(self) -> pl.DataFrame:
        """Columns id and raw_sha256 of the records."""
        tables = [pl.DataFrame(schema={"id": pl.String(), "raw_sha256": pl.String()})]
        for (number,), keys in self.keys.partition_by("part", as_dict=True, maintain_order=True).items():
            hashes = pl.read_ipc(self.parts[int(str(number))], columns=["raw_sha256"])[keys["row"]]
            ids = pl.Series("id", [f"{one:016x}" for one in keys["id"]], dtype=pl.String)
            tables.append(hashes.select(ids, "raw_sha256"))
        return pl.concat(tables)


NONE: Final = Records((), (), pl.DataFrame(schema=KEYS), pl.DataFrame(schema=RENAMED), pl.DataFrame(schema=UNREAD))


def unpacked(files: Sequence[RawFile], place: Path, cut: Cut, over: Over, *, keys_only: bool = False) -> Records:
    """Read containers into parts below the folder `place`; what a run that broke off left there is taken up."""
    if not files:
        return NONE
    tasks = []
    for piece in pieces(files, cut.workers):
        folder = place / f"unpacked-{digest([_held(piece), cut.documents, cut.bytes, keys_only])}"
        folder.mkdir(parents=True, exist_ok=True)
        tasks.append(stages.Unpacking(folder, piece, cut, keys_only))
    over("unpack", stages.unpack, tasks)
    folders = [task.folder for task in tasks]
    parts = tuple(_written(folders, "records"))
    unread = [pl.read_ipc(path) for path in _written(folders, "unread")]
    keys, renamed = _named_apart(_keys(parts), parts)
    return Records(
        tuple(folders), parts, keys, renamed, pl.concat(unread).unique(maintain_order=True) if unread else NONE.unread
    )


def _written(folders: Sequence[Path], name: str) -> list[Path]:
    """The numbered tables of that name, in the records' order."""
    return [path for folder in folders for path in sorted(folder.glob(f"{name}-*.arrow"))]


def _held(piece: Piece) -> list[object]:
    files = [(file.id, file.size, file.modified, file.asked.as_said, dict(file.given)) for file in piece.files]
    return [files, piece.span]


def _keys(parts: Sequence[Path]) -> pl.DataFrame:
    tables = [
        pl.read_ipc(path, columns=["id", "digest", "size"])
        .select(numbers(pl.col("id")), numbers(pl.col("digest")), part=pl.lit(number, dtype=pl.UInt32), size="size")
        .with_row_index("row")
        .select(KEYS.names())
        for number, path in enumerate(parts)
    ]
    return pl.concat(tables) if tables else NONE.keys


def _named_apart(keys: pl.DataFrame, parts: Sequence[Path]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys with new ids, and the new names, where a record of the same name stands before."""
    if keys["id"].n_unique() == keys.height:
        return keys, NONE.renamed
    names, said = Names(), lru_cache(maxsize=1)(partial(pl.read_ipc, columns=["source", "uri"]))
    rows = []
    for number, row, one in keys.select("part", "row", "id").iter_rows():
        if not names.new(one):
            source, uri = said(parts[number]).row(row)
            name = names.another(source, uri)
            rows.append((number, row, document_id(source, name), name))
    renamed = pl.DataFrame(rows, schema=RENAMED, orient="row")
    new = renamed.select("part", "row", new=numbers(pl.col("id")))
    keys = keys.join(new, on=["part", "row"], how="left", maintain_order="left")
    return keys.with_columns(id=pl.coalesce("new", "id")).select(KEYS.names()), renamed


def as_batches(records: Records, work: Path, cut: Cut, salt: object) -> Iterator[Path]:
    """Folders below `work`, each with `records.arrow`, the records of a batch; named by what they hold and `salt`.

    A folder that a run that broke off left is taken up as it is.
    """
    for start, end in cut.spans(records.keys["size"].to_list()):
        batch = records.keys[start:end]
        folder = work / f"batch-{digest([batch.select('id', 'digest').rows(), salt])}"
        if not folder.exists():
            draft = work / "batch.draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            _gathered(records, batch).write_ipc(draft / "records.arrow")
            draft.rename(folder)
        yield folder


def _gathered(records: Records, batch: pl.DataFrame) -> pl.DataFrame:
    """The rows of the parts that a batch names, under the names that they have now."""
    tables = []
    for (number,), keys in batch.partition_by("part", as_dict=True, maintain_order=True).items():
        first, end = keys["row"][0], keys["row"][-1] + 1
        rows = pl.read_ipc(records.parts[int(str(number))]).with_row_index("row")[first:end]
        if rows.height > keys.height:
            rows = rows.filter(pl.col("row").is_in(keys["row"].implode()))
        new = records.renamed.filter(pl.col("part") == number).select("row", new_id="id", new_uri="uri")
        if new.height:
            rows = rows.join(new, on="row", how="left", maintain_order="left")
            rows = rows.with_columns(id=pl.coalesce("new_id", "id"), uri=pl.coalesce("new_uri", "uri"))
            rows = rows.drop("new_id", "new_uri")
        tables.append(rows.drop("row"))
    return pl.concat(tables).rechunk()
