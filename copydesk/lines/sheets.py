"""Documents side by side: where the network's convolutions need no look at where a document begins or ends.

    sheets    documents of nearly one length together: row `p * D + j` of a sheet is line p of its j-th document
    times     matrix product in blocks of one fixed size;  across: the same for values with a row per column

The line `d` places on then stands `d * D` rows on, for all documents of a sheet at once, and lines without such a
neighbour are the sheet's last rows: what they would give is never reckoned. Rows behind the end of a shorter document
are kept at zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from copydesk.lines.words import Array, Index

__all__ = ["Sheet", "across", "sheets", "times"]

_BLOCK: Final = 64
_STEP: Final = 16
"""Documents of a sheet, or some times as many: their lines then often are whole blocks."""


@dataclass(frozen=True)
class Sheet:
    """Lines of D documents, of which the longest has L: L times D rows.

    lines    (L * D,) the line in each row; any line where there is none
    rows     the rows that hold a line
    empty    the others
    sizes    (D,) how many lines each document has
    """

    lines: Index
    rows: Index
    empty: Index
    sizes: Index


def sheets(doc: Index, size: int) -> Iterator[Sheet]:
    """All lines, in sheets of about `size` rows (a longer document is a sheet); `doc` is each line's document."""
    opens = np.flatnonzero(np.diff(doc, prepend=-1))
    lengths = np.diff(opens, append=len(doc))
    order = np.argsort(lengths, kind="stable")
    lengths, opens = lengths[order], opens[order]
    low = 0
    while low < len(order):
        alike = int(np.searchsorted(lengths, lengths[low] + lengths[low] // 8, side="right"))
        count = max(1, size // int(lengths[low]))
        high = min(alike, low + (count // _STEP * _STEP or count))
        yield _sheet(opens[low:high], lengths[low:high])
        low = high


def _sheet(opens: Index, sizes: Index) -> Sheet:
    place = np.arange(int(sizes[-1]))[:, None]
    there = (place < sizes).ravel()
    lines = np.where(there, (opens + place).ravel(), opens[0])
    return Sheet(lines, np.flatnonzero(there), np.flatnonzero(~there), sizes)


def times(values: Array, matrix: Array, out: Array | None = None) -> Array:
    """Matrix product in blocks of `_BLOCK` rows; the last block reaches back, or is filled up with zeros."""
    count, width = values.shape
    out = np.empty((count, matrix.shape[1]), np.float32) if out is None else out
    whole = count // _BLOCK * _BLOCK
    np.matmul(values[:whole].reshape(-1, _BLOCK, width), matrix, out=out[:whole].reshape(-1, _BLOCK, len(matrix.T)))
    if _BLOCK < count > whole:
        np.matmul(values[-_BLOCK:], matrix, out=out[-_BLOCK:])
    elif whole < count:
        padded = np.zeros((_BLOCK, width), np.float32)
        padded[:count] = values
        out[:] = (padded @ matrix)[:count]
    return out


def across(values: Array, matrix: Array) -> Array:
    """The same for values with a row per column; `times` of their transpose would take other kernels of BLAS."""
    width, count = values.shape
    out = np.empty((count, matrix.shape[1]), np.float32)
    whole = count // _BLOCK * _BLOCK
    blocks: npt.NDArray[np.float32] = values[:, :whole].reshape(width, -1, _BLOCK).transpose(1, 2, 0)
    np.matmul(blocks, matrix, out=out[:whole].reshape(-1, _BLOCK, len(matrix.T)))
    if _BLOCK < count > whole:
        np.matmul(values[:, -_BLOCK:].T, matrix, out=out[-_BLOCK:])
    elif whole < count:
        padded = np.zeros((width, _BLOCK), np.float32)
        padded[:, :count] = values
        out[:] = (padded.T @ matrix)[:count]
    return out
