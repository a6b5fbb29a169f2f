"""Arrow files, as `datasets` saves them (`save_to_disk`), in the stream and the file form: a row is a record.

The folder's `state.json` and `dataset_info.json` say nothing of the texts; find.py leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from copydesk.sources.columns import choose
from copydesk.sources.formats.parquet import rows, wanted
from copydesk.sources.limits import OverLimitError
from copydesk.sources.records import Reading, Record, Unread
from copydesk.sources.streams import spooled

__all__ = ["read_arrow"]

MAGIC: Final = b"ARROW1"
BATCH_LIMIT: Final = 1 << 30
"""Bytes of a record batch; `datasets` writes a thousand rows a batch."""


class _Bounded:
    """A file of which no read asks for more than there is: a damaged length must not reserve the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False
        self._size = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Read; raises OverLimitError where a batch is too large."""
        left = self._size - self._file.tell()
        size = left if size < 0 else min(size, left)
        if size > BATCH_LIMIT:
            raise OverLimitError(f"a batch of over {BATCH_LIMIT} bytes; save it with fewer rows a batch")
        return self._file.read(size)

    def seek(self, at: int, whence: int = 0) -> int:
        """Move."""
        return self._file.seek(at, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is not."""
        return False

    def size(self) -> int:
        """Its bytes."""
        return self._size

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """The owner closes the file."""
        self.closed = True


def read_arrow(stream: BinaryIO, reading: Reading) -> Iterator[Record | Unread]:
    """The records of an Arrow file, numbered from 1."""
    with stream if stream.seekable() else spooled(stream) as file:
        bounded = _Bounded(file)
        number = reading.first
        for batch in _batches(bounded):
            reading.limits.check_columns(len(batch.schema.names))
            chosen = choose(batch.schema.names, reading.columns)
            yield from rows(batch.select(wanted(batch.schema, chosen)), chosen, reading, number)
            number += batch.num_rows


def _batches(file: _Bounded) -> Iterator[Any]:
    import pyarrow as pa

    source: Any = pa.PythonFile(cast("Any", file), mode="r")
    if file.read(len(MAGIC)) == MAGIC:
        opened = pa.ipc.open_file(source)
        for at in range(opened.num_record_batches):
            batch = opened.get_batch(at)
            batch.validate()
            yield batch
        return
    file.seek(0)
    for batch in pa.ipc.open_stream(source):
        batch.validate()
        yield batch
