"""Shards: rows as Parquet bytes whose name is their hash.

Shard         what a manifest says of one
parquet       rows to bytes, the same for the same rows and library versions
arrow_table   rows to the Arrow table of their schema, in one chunk
RowDigest     what a table says, whatever its shards and its compression
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copydesk.release.folder import DATA, sha256_of
from copydesk.schema import Schema

__all__ = ["RowDigest", "Shard", "arrow_bytes", "arrow_table", "parquet", "shard_of"]

ROW_GROUP: Final = {"article": 1_000, "ledger": 20_000}
"""Rows that are decoded together: 2 to 4 MB each, so that streaming stays small and pages can be skipped."""

ZSTD_LEVEL: Final = 3
"""13.0 MB in 0.28 CPU s; level 9 gave 12.4 in 1.2, level 19 11.3 in 28, snappy 20.0."""


@dataclass(frozen=True)
class Shard:
    """One Parquet file: its name below the dataset's folder, its hash and sizes (`arrow_bytes`: in memory)."""

    file: str
    sha256: str
    bytes: int
    rows: int
    arrow_bytes: int


def arrow_table(schema: Schema, frame: pl.DataFrame) -> pa.Table:
    """The rows in the types of their schema, in one chunk (the bytes of a Parquet file hang on the chunks)."""
    table = schema.conform(frame).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(schema.arrow).combine_chunks().replace_schema_metadata(None)


def parquet(schema: Schema, table: pa.Table) -> bytes:
    """Parquet bytes: zstd, page index, fixed row groups, no foreign metadata."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        row_group_size=ROW_GROUP[schema.name],
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        write_page_index=True,
        write_statistics=True,
    )
    return bytes(sink.getvalue())


def shard_of(table: pa.Table, data: bytes) -> Shard:
    """The manifest's entry for a table and its Parquet bytes."""
    digest = sha256_of(data)
    return Shard(f"{DATA}/{digest[:32]}.parquet", digest, len(data), table.num_rows, arrow_bytes(table))


def arrow_bytes(table: pa.Table) -> int:
    """What the rows take in memory, without masks of nulls and padding, which hang on how the rows came together."""
    return sum(_bytes(chunk) for column in table.columns for chunk in column.chunks)


def _bytes(array: Any) -> int:
    kind = array.type
    if pa.types.is_struct(kind):
        return sum(_bytes(part) for part in array.flatten())
    if pa.types.is_list(kind):
        return 4 * len(array) + _bytes(array.flatten())
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return 4 * len(array) + (pc.sum(_lengths(array)).as_py() or 0)
    return (len(array) * int(kind.bit_width) + 7) // 8


class RowDigest:
    """SHA-256 over a flat table, column by column, however it is cut into pieces.

    A number enters as its little-endian bytes, a text or bytes as its length (32 bits, -1 for null) and its bytes.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = {name: (hashlib.sha256(), hashlib.sha256()) for name in columns}

    def update(self, table: pa.Table) -> None:
        """Add the rows of a table that has the columns."""
        for name, (sizes, values) in self._columns.items():
            for chunk in table[name].chunks:
                if pa.types.is_string(chunk.type) or pa.types.is_binary(chunk.type):
                    lengths = pl.Series(pl.from_arrow(_lengths(chunk))).fill_null(-1).to_numpy()
                    sizes.update(np.ascontiguousarray(lengths, dtype="<i4").tobytes())
                    values.update(_joined(chunk))
                else:
                    values.update(np.ascontiguousarray(pl.Series(pl.from_arrow(chunk)).to_numpy()).tobytes())

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        whole = hashlib.sha256()
        for name, (sizes, values) in self._columns.items():
            whole.update(f"{name} {sizes.hexdigest()} {values.hexdigest()}\n".encode())
        return whole.hexdigest()


def _lengths(chunk: Any) -> Any:
    return pc.binary_length(chunk)


def _joined(chunk: Any) -> memoryview:
    """The bytes of a string or binary array, one after the other, nulls as nothing, without copying."""
    full = chunk.drop_null()  # pc.fill_null would import pandas, for a third of a second
    _, offsets, data = full.buffers()
    if not len(full) or data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int32)
    return memoryview(data)[ends[full.offset] : ends[full.offset + len(full)]]
