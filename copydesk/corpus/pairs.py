"""Pairs: which texts share 70 % of their shingles, found by sketches and verified on the sets themselves.

    candidates   sketches -> pairs of rows that may be alike
    similar      pairs of shingle sets -> their Jaccard similarity

Candidates are the rows that share a band, and whose sketches agree in half of their places: a pair at 0.7 agrees in 90
of 128 (standard deviation 5), so that 64 loses none of them and spares most work on the others. A band that many rows
share (templates of weather and market reports) gives each row its next neighbours only, in the order of the next
bands, which puts the most alike side by side: the work stays linear, and such rows meet in other bands again.

One band is in memory at a time. Everything is a function of the set of sketches: rows come ordered by `key`, `check`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.corpus.shingles import BITS, U64, Places
from copydesk.corpus.sketches import BANDS, agreement

__all__ = ["LIKE", "candidates", "similar"]

LIKE: Final = 0.7
"""Jaccard similarity from which two texts are copies of each other: up to one word in 26 changed, or a quarter cut."""

AGREE: Final = 64
"""Equal places, of 128, from which a pair is verified."""

WINDOW: Final = 16
"""Rows of a band that are all compared with each other are at most one more than this."""

CHAIN: Final = 3
"""Neighbours that a row of a larger band is compared with."""

AT_ONCE: Final = 200_000
MOST: Final = 1 << (64 - BITS)
"""Hashes, and pairs, that are compared at once."""

Pairs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]


def candidates(count: int, band: Callable[[str], U64]) -> Pairs:
    """Pairs of row numbers (two columns, the lesser first, sorted) among `count` rows; `band` reads a column."""
    found = np.zeros(0, dtype=np.int64)
    this = band(BANDS[0])
    for name in (*BANDS[1:], BANDS[0]):
        following = band(name)
        found = np.union1d(found, _sharing(this, following, count))
        this = following
    pairs = np.stack(np.divmod(found, max(count, 1)), axis=1)
    agreeing = np.zeros(len(pairs), dtype=np.int64)
    for name in BANDS:
        column = band(name)
        agreeing += agreement(column[pairs[:, 0]], column[pairs[:, 1]])
    return pairs[agreeing >= AGREE]


def _sharing(this: U64, following: U64, count: int) -> Ints:
    """The pairs of rows with the same value in a band, each as one number, lesser row * count + greater row."""
    rows = pl.DataFrame({"this": this, "following": following}).with_row_index("row")
    rows = rows.filter(pl.col("this").is_duplicated()).sort("this", "following", "row")
    row, value = rows["row"].cast(pl.Int64).to_numpy(), rows["this"].to_numpy()
    many = rows.select(pl.len().over("this") > WINDOW + 1).to_series().to_numpy()
    found = [np.zeros(0, dtype=np.int64)]
    for step in range(1, WINDOW + 1):
        same = value[step:] == value[:-step]
        if step > CHAIN:
            same &= ~many[step:]
        if not same.any():
            break
        pair = np.sort(np.stack([row[:-step][same], row[step:][same]]), axis=0)
        found.append(pair[0] * count + pair[1])
    return np.concatenate(found)


def similar(hashes: U64, ends: Places, pairs: Pairs) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of pairs of sets; these as shingles.distinct gives them."""
    sizes = np.diff(ends, prepend=0)
    weight = np.cumsum(sizes[pairs].sum(axis=1))
    found = [np.zeros(0)]
    start = 0
    while start < len(pairs):
        before = weight[start - 1] if start else 0
        end = min(start + MOST, max(start + 1, int(np.searchsorted(weight, before + AT_ONCE, side="right"))))
        found.append(_similar(hashes, ends, sizes, pairs[start:end]))
        start = end
    return np.concatenate(found)


def _similar(hashes: U64, ends: Places, sizes: Ints, pairs: Pairs) -> npt.NDArray[np.float64]:
    """A set holds a hash once: what stands twice under a pair's number is in both."""
    keyed = np.concatenate([_gathered(hashes, ends, sizes, pairs[:, side]) for side in (0, 1)])
    keyed.sort()
    twice = keyed[1:][keyed[1:] == keyed[:-1]]
    shared = np.bincount((twice >> np.uint64(BITS)).astype(np.intp), minlength=len(pairs))
    similarity: npt.NDArray[np.float64] = shared / np.maximum(sizes[pairs].sum(axis=1) - shared, 1)
    return similarity


def _gathered(hashes: U64, ends: Places, sizes: Ints, wanted: Ints) -> U64:
    """The sets of these numbers, each with its place among them in the upper bits."""
    size = sizes[wanted]
    jump = (ends - sizes)[wanted] - (np.cumsum(size) - size)
    place = np.repeat(np.arange(len(wanted), dtype=np.uint64), size)
    keyed: U64 = place << np.uint64(BITS) | hashes[np.arange(size.sum()) + np.repeat(jump, size)]
    return keyed
