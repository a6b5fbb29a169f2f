"""Arrow files in pieces: tables that are written and read a piece at a time, so that memory never holds them whole.

    Pieces     such a file, and where each of its pieces ends
    keep       write tables to one
    read       the pieces of a file, of which some columns are read
    together   small tables as larger ones

Files are read and not mapped: the pages of a mapped file count as memory for as long as it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa

__all__ = ["Pieces", "keep", "plain", "read", "together"]

Span = tuple[int, int]


@dataclass(frozen=True)
class Pieces:
    """A table in a file. `ends` are the numbers of rows up to and with each piece."""

    path: Path
    ends: tuple[int, ...]

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.ends[-1] if self.ends else 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return read(self.path)

    def columns(self, *columns: str) -> Iterator[pl.DataFrame]:
        """These columns, a piece at a time."""
        return read(self.path, columns)

    def table(self, *columns: str) -> pl.DataFrame:
        """These columns of all rows, for which there should be memory."""
        return pl.concat(self.columns(*columns), rechunk=True)

    def rows(self, spans: Sequence[Span], *columns: str) -> pl.DataFrame:
        """These columns of stretches of rows, each from a number to before another; other pieces are not read."""
        wanted: dict[int, list[Span]] = {}
        for number, (first, end) in enumerate(pairwise((0, *self.ends))):
            inside = [(max(a, first) - first, min(b, end) - first) for a, b in spans if a < end and b > first]
            if inside:
                wanted[number] = inside
        found = zip(wanted.values(), read(self.path, columns, list(wanted)), strict=True)
        parts = [piece[a:b] for inside, piece in found for a, b in inside]
        return pl.concat(parts or [next(self.columns(*columns)).clear()])


def read(
    path: Path, columns: Sequence[str] | None = None, which: Sequence[int] | None = None
) -> Iterator[pl.DataFrame]:
    """The pieces of an Arrow file, or those of some numbers; only the columns asked for are read."""
    with pa.OSFile(str(path), "rb") as source:
        file = pa.ipc.open_file(source)
        if columns is not None:
            fields = [file.schema.get_field_index(name) for name in columns]
            file = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=fields))
        for number in range(file.num_record_batches) if which is None else which:
            table = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([file.get_batch(number)])))
            yield table if columns is None else table.select(columns)


def keep(
    path: Path, schema: pl.Schema, tables: Iterable[pl.DataFrame], compression: Literal["zstd"] | None = None
) -> Pieces:
    """Write tables of that schema to an Arrow file, a piece each."""
    ends, form = [0], plain(pl.DataFrame(schema=schema)).schema
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, form, options=options) as out:
        for table in tables:
            if table.height:
                out.write_table(plain(table.select(schema.names()).cast(schema)))
                ends.append(ends[-1] + table.height)
        if len(ends) == 1:  # so that there is always a piece, which has the columns
            out.write_batch(pa.RecordBatch.from_arrays([pa.nulls(0, one.type) for one in form], schema=form))
            ends.append(0)
    return Pieces(path, tuple(ends[1:]))


def plain(table: pl.DataFrame) -> Any:
    """The table as Arrow's, in one chunk, with texts end to end."""
    return table.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def together(tables: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows in tables of at least so many, the last aside."""
    held: list[pl.DataFrame] = []
    for table in tables:
        held.append(table)
        if sum(one.height for one in held) >= rows:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)
