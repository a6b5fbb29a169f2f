"""Shards: rows as Parquet bytes whose name is their hash.

Shard         what a manifest says of one; told and read_told: of many
parquet       rows, a part at a time, to a shard and its bytes, the same for the same rows and library versions
read_tally    what a shard counts, from its footer
arrow_table   rows to the Arrow table of their schema, in one chunk
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copydesk.errors import ReleaseError
from copydesk.release.folder import DATA, sha256_of
from copydesk.release.tally import Tally
from copydesk.schema import Schema

__all__ = [
    "NAME",
    "ROW_GROUP",
    "TALLY",
    "Shard",
    "arrow_table",
    "parquet",
    "read_tally",
    "read_told",
    "told",
]

TALLY: Final = "copydesk.tally"
"""The key of the tally in a footer."""

ROW_GROUP: Final = {"article": 1_000, "ledger": 20_000}
"""Rows that are decoded together: 2 to 4 MB each, so that streaming stays small and pages can be skipped."""

NAME: Final = 16
"""Digits of the hash that name a file: 64 bits, one chance in 40 million that two of a million files want the same name
(which is then refused). The card repeats the names for every version."""

ZSTD_LEVEL: Final = 3
"""13.0 MB in 0.28 CPU s; level 9 gave 12.4 in 1.2, level 19 11.3 in 28, snappy 20.0."""

DICTIONARY: Final = ("label", "fate", "evidence")
"""Columns of few values. Looking for values that come again costs time, and in other columns gains nothing: with these
alone a ledger is 6 % smaller and written in 83 % of the time, an article shard 2 % smaller in 78 %. Differences in the
place of numbers and names (DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY) make a ledger 1 % smaller at most and cost 0 to 12 %
more time."""

STATISTICS: Final = ("id", "source", "site", "outlet", "published_at", "language", "split", "line", "label", "fate")
"""Columns whose least and greatest value a reader may filter by. Of all columns, with Arrow's own copy of the schema,
they would take 23 kB a shard, as much as thirty stories."""


@dataclass(frozen=True)
class Shard:
    """One Parquet file: its name below the dataset's folder, its hash and sizes (`arrow_bytes`: in memory)."""

    file: str
    sha256: str
    bytes: int
    rows: int
    arrow_bytes: int


def told(shards: Sequence[Shard]) -> dict[str, list[Any]]:
    """Shards as a manifest holds them: their facts by name, each a list; hundreds of them, in hundreds of manifests."""
    return {one.name: [getattr(shard, one.name) for shard in shards] for one in fields(Shard)}


def read_told(held: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> list[Shard]:
    """The same out of a manifest; the first copydesk wrote a mapping a shard."""
    if isinstance(held, Mapping):
        return [Shard(*facts) for facts in zip(*(held[one.name] for one in fields(Shard)), strict=True)]
    return [Shard(**facts) for facts in held]


def arrow_table(schema: Schema, frame: pl.DataFrame) -> pa.Table:
    """The rows in the types of their schema, in one chunk (the bytes of a Parquet file hang on the chunks)."""
    table = schema.conform(frame).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(schema.arrow).combine_chunks().replace_schema_metadata(None)


def parquet(schema: Schema, tables: Iterable[pa.Table], tally: Tally | None = None) -> tuple[Shard, memoryview]:
    """A shard, its bytes: zstd, fixed row groups, statistics and dictionaries of a few columns, the tally at the end.

    Its rows come in tables of one chunk each, all but the last of whole row groups: they are let go of one by one.
    """
    sink, rows, bits = pa.BufferOutputStream(), 0, np.zeros(1, dtype=np.int64)
    settings: Any = {"compression": "zstd", "compression_level": ZSTD_LEVEL, "write_page_index": True}
    settings |= {"write_statistics": list(STATISTICS), "store_schema": False, "use_dictionary": list(DICTIONARY)}
    with pq.ParquetWriter(sink, schema.arrow, **settings) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROW_GROUP[schema.name])
            rows, bits = rows + table.num_rows, bits + _bits(table)
        if tally is not None:
            writer.add_key_value_metadata({TALLY: json.dumps(tally, sort_keys=True, ensure_ascii=False)})
    data = memoryview(sink.getvalue())
    digest = sha256_of(data)
    size = int(((bits + 7) // 8).sum())
    return Shard(f"{DATA}/{digest[:NAME]}.parquet", digest, len(data), rows, size), data


def read_tally(path: Path, count: Callable[[pl.DataFrame], Tally]) -> Tally:
    """The tally in a shard's footer; in one of another making, `count` of its rows. Raises ReleaseError."""
    try:
        held = (pq.read_metadata(path).metadata or {}).get(TALLY.encode())
        tally: Tally = count(pl.read_parquet(path)) if held is None else json.loads(held)
    except (OSError, pa.ArrowInvalid, ValueError, pl.exceptions.PolarsError) as error:
        raise ReleaseError(f"{path}: cannot be read ({error}); run copydesk verify, then restore the file") from error
    return tally


def _bits(table: pa.Table) -> Any:
    """What each column takes in memory, without masks of nulls and padding, which hang on how the rows came together.

    In bits, of every column of values within: so tables can be added up.
    """
    return np.array([size for column in table.columns for chunk in column.chunks for size in _sizes(chunk)])


def _sizes(array: Any) -> Iterator[int]:
    kind = array.type
    if pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _sizes(part)
    elif pa.types.is_list(kind):
        yield 32 * len(array)
        yield from _sizes(array.flatten())
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield 32 * len(array) + 8 * _text_bytes(array)
    else:
        yield len(array) * int(kind.bit_width)


def _text_bytes(array: Any) -> int:
    """The bytes of all texts; of a shard there are many columns, and mostly none of their texts is null, or all are."""
    if array.null_count == len(array):
        return 0
    if array.null_count:
        return int(pc.sum(pc.binary_length(array)).as_py())
    ends = np.frombuffer(array.buffers()[1], np.int32)
    return int(ends[array.offset + len(array)] - ends[array.offset])
