"""Parquet: a row is a record. Row groups are read one after the other, in small batches of rows.

Strings are read as dictionaries, as they are stored: a page that names one long value a million times stays small.

    read_parquet    the records of a file, or of a span of its row groups
    groups          (row group, its bytes, number of its first row) of a file
    rows            a batch of rows to records; arrow.py uses it, too
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from copydesk.sources.columns import Chosen, choose
from copydesk.sources.records import Reading, Record, Unread
from copydesk.sources.streams import spooled

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["groups", "read_parquet", "rows", "wanted"]

ROWS: Final = 256
"""Rows made into Python objects at once."""

BATCH_BYTES: Final = 8_000_000
BUFFER: Final = 1 << 20


def read_parquet(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of a Parquet file, numbered from 1."""
    import pyarrow.parquet as pq

    with stream if stream.seekable() else spooled(stream) as file:
        parquet = pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
        schema = parquet.schema_arrow
        reading.limits.check_columns(parquet.metadata.num_columns)
        chosen = choose(schema.names, reading.columns)
        names = wanted(schema, chosen)
        strings = [name for name in names if _is_text(schema.field(name).type)]
        file.seek(0)
        parquet = pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False, read_dictionary=strings)
        number = reading.first
        for group in range(*(reading.span or (0, parquet.num_row_groups))):
            size = _rows_at_once(parquet.metadata.row_group(group))
            for batch in parquet.iter_batches(size, row_groups=[group], columns=names, use_threads=False):
                yield from rows(batch, chosen, reading, number)
                number += batch.num_rows


def groups(stream: BinaryIO) -> list[tuple[int, int, int]]:
    """(row group, its bytes, number of its first row from 1) of a file."""
    import pyarrow.parquet as pq

    metadata = pq.ParquetFile(stream).metadata
    found, number = [], 1
    for group in range(metadata.num_row_groups):
        facts = metadata.row_group(group)
        found.append((group, facts.total_byte_size, number))
        number += facts.num_rows
    return found


def _rows_at_once(group: Any) -> int:
    each = max(1, group.total_byte_size // max(1, group.num_rows))
    return int(max(1, min(ROWS, BATCH_BYTES // each)))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def wanted(schema: pa.Schema, chosen: Chosen) -> list[str]:
    """The columns to read: all but those that hold pictures, sounds and other bytes."""
    taken = {chosen.body, chosen.id, *chosen.known.values()}
    return [name for name in schema.names if name in taken or not _holds_bytes(schema.field(name).type)]


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    inner = [kind.field(at).type for at in range(kind.num_fields)] if pa.types.is_nested(kind) else []
    return any(_holds_bytes(one) for one in inner)


def rows(batch: Any, chosen: Chosen, reading: Reading, first: int) -> Iterator[Record | Unread]:
    """The rows of a record batch as records, numbered from `first`."""
    for start in range(0, batch.num_rows, ROWS):
        for at, values in enumerate(batch.slice(start, ROWS).to_pylist(), first + start):
            record = chosen.record(values, at)
            if isinstance(record, Record) and len(record.data) > reading.limits.document_bytes:
                record = Unread(record.name, reading.limits.too_large(len(record.data)))
            yield record
