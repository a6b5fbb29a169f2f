"""Tables in one order, put side by side: what a join or group-by finds out by hashing stands in its place already.

beside    a left join of tables that nearly always have the same rows
places    where values stand in a column of different ones
starts    where the runs of equal values of a column begin
spliced   rows of one table in the place of some of another's
ranges    runs of rows as the numbers of their rows
stretches runs of rows that hold so many bytes, to be worked on one after the other
listed    a column cut into lists
end_to_end    the bytes of a column
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Places", "beside", "end_to_end", "listed", "places", "ranges", "spliced", "starts", "stretches"]

Places = NDArray[np.int64]


def beside(left: pl.DataFrame, right: pl.DataFrame, on: str = "doc") -> pl.DataFrame:
    """`left` with the columns of `right`, whose values of `on` are different; null where it has no such row."""
    if left[on].equals(right[on]):
        return left.hstack(right.drop(on))
    return left.join(right, on=on, how="left", maintain_order="left")


def places(values: pl.Series, among: pl.Series) -> Places:
    """Where each of some numbers stands in a column that holds all of them, each once."""
    wanted, there = values.to_numpy(), among.to_numpy()
    if len(there) and there[0] == 0 and there[-1] == len(there) - 1 and (np.diff(there.astype(np.int64)) == 1).all():
        return wanted.astype(np.int64)
    order = np.argsort(there, kind="stable")
    found: Places = order[np.searchsorted(there, wanted, sorter=order)]
    return found


def starts(*columns: pl.Series) -> Places:
    """The rows in which one of the columns has another value than in the row before, the first included."""
    if not len(columns[0]):
        return np.zeros(0, dtype=np.int64)
    new: Any = np.zeros(len(columns[0]), dtype=np.bool_)
    new[0] = True
    for column in columns:
        new[1:] |= (column[1:] != column[:-1]).to_numpy()
    found: Places = np.flatnonzero(new)
    return found


def spliced(table: pl.DataFrame, rows: Places, others: pl.DataFrame) -> pl.DataFrame:
    """`table` with `others`, of the same columns, in the place of its `rows`; no text is copied."""
    if not len(rows):
        return table
    source = np.arange(table.height, dtype=np.int64)
    source[rows] = table.height + np.arange(len(rows), dtype=np.int64)
    return pl.concat([table, others])[source]


def ranges(first: Places, sizes: Places) -> Places:
    """The numbers of the rows of runs that begin at `first`, run after run."""
    ends = np.cumsum(sizes)
    count = int(ends[-1]) if len(ends) else 0
    found: Places = np.arange(count, dtype=np.int64) + np.repeat(first - (ends - sizes), sizes)
    return found


def stretches(texts: pl.Series, most: int) -> Iterator[slice]:
    """Runs of rows whose texts (no nulls), with one byte behind each, have at most so many bytes, or that are one row.

    What is worked out of the bytes of a few texts stays in the processor's cache; of a whole batch each array is new
    memory, which costs more than the work.
    """
    ends = np.cumsum(texts.str.len_bytes().to_numpy().astype(np.int64) + 1)
    first = 0
    while first < len(ends):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield slice(first, last)
        first = last


def listed(name: str, values: pl.Series, ends: Places) -> pl.Series:
    """Flat values as a column of lists that end there (`ends` begins with 0): many times quicker than list by list."""
    import pyarrow as pa  # heavy: late

    buffer = pa.py_buffer(np.ascontiguousarray(ends, dtype=np.int64).data)
    offsets = pa.Array.from_buffers(pa.int64(), len(ends), [None, buffer])  # pa.array would load pandas
    array: Any = pa.LargeListArray.from_arrays(offsets, values.to_arrow())  # type: ignore[call-overload]
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)  # noqa: S101  an array, not a table
    return series.alias(name)


def end_to_end(values: pl.Series) -> tuple[NDArray[np.uint8], Places]:
    """The bytes of a column of texts or bytes, end to end, and where each value begins and the last one ends.

    Without nulls. One copy of the bytes, if any.
    """
    array = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    if not len(array):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    buffers: Any = array.buffers()
    _, offset_buffer, data_buffer = buffers
    offsets = np.frombuffer(offset_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]] if data_buffer else np.zeros(0, np.uint8)
    return data, offsets - offsets[0]
