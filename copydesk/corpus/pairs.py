"""Pairs: which texts share 70 % of their shingles, found by sketches and verified on the sets themselves.

    sharing, Sharing      tasks: some bands, a range of their values -> pairs of rows that share one
    agreeing, Agreeing    tasks: a range of these pairs -> those whose sketches agree, which may be alike
    similar               pairs of shingle sets -> their Jaccard similarity

Candidates are the rows that share a band, and whose sketches agree in half of their places: a pair at 0.7 agrees in 90
of 128 (standard deviation 5), so that 64 loses none of them and spares most work on the others. A band that many rows
share (templates of weather and market reports) gives each row its next neighbours only, in the order of the next
bands, which puts the most alike side by side: the work stays linear, and such rows meet in other bands again.

Rows that share a band lie in one range of its values, so ranges are worked on side by side and give what the whole
would; how many there are changes nothing. Rows come ordered by `key`, `check`: everything is a function of the set of
sketches. A task holds one band of all sketches, and of its range three numbers a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.corpus.learning import Range
from copydesk.corpus.memory import band
from copydesk.corpus.shingles import BITS, U64, Places
from copydesk.corpus.sketches import BANDS, agreement
from copydesk.whole import put

__all__ = ["LIKE", "Agreeing", "Sharing", "agree", "agreeing", "share", "sharing", "similar"]

LIKE: Final = 0.7
"""Jaccard similarity from which two texts are copies of each other: up to one word in 26 changed, or a quarter cut."""

AGREE: Final = 64
"""Equal places, of 128, from which a pair is verified."""

WINDOW: Final = 16
"""Rows of a band that are all compared with each other are at most one more than this."""

CHAIN: Final = 3
"""Neighbours that a row of a larger band is compared with."""

ROWS: Final = 250_000
"""Rows of a range of a band's values: with their neighbours some 25 MB."""

LOOKED_AT: Final = 8_000_000
"""Values of bands that a task looks at, a second's work; less is not worth a task of its own."""

PAIRS: Final = 2_000_000
"""Pairs whose sketches are compared in one task."""

AT_ONCE: Final = 200_000
MOST: Final = 1 << (64 - BITS)
"""Hashes, and pairs, that are compared at once."""

Pairs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sharing:
    """Sketches, which of their rows, some bands, and a range of their values.

    The rows are the first `count` of the file `rows`, whose column `at` is where their sketch is.
    """

    sketches: Path
    rows: Path
    count: int
    bands: tuple[int, ...]
    values: Range
    into: Path


def sharing(sketches: Path, rows: Path, count: int, place: Path) -> list[Sharing]:
    """The tasks of finding the pairs among `count` rows that share a band; each has a file in the folder `place`."""
    several = max(1, min(len(BANDS), LOOKED_AT // max(1, min(count, ROWS))))
    of = max(1, -(-count // ROWS))
    bands = [tuple(range(first, min(first + several, len(BANDS)))) for first in range(0, len(BANDS), several)]
    parts = [(some, Range(number, of)) for some in bands for number in range(of)] if count > 1 else []
    return [
        Sharing(sketches, rows, count, *part, place / f"shared-{number:05}.arrow") for number, part in enumerate(parts)
    ]


def share(task: Sharing) -> int:
    """Write the pairs, each as one number, lesser row * count + greater row, sorted; gives how many they are."""
    at = _places(task)
    found, following = np.zeros(0, dtype=np.int64), band(task.sketches, BANDS[task.bands[0]])[at]
    for number in task.bands:
        this, following = following, band(task.sketches, BANDS[(number + 1) % len(BANDS)])[at]
        found = np.union1d(found, _sharing(this, following, task.values))
    put(pl.DataFrame({"pair": found}, schema={"pair": pl.Int64}), task.into)
    return len(found)


def _places(task: Sharing | Agreeing) -> npt.NDArray[np.uint32]:
    at: npt.NDArray[np.uint32] = pl.read_ipc(task.rows, columns=["at"])["at"][: task.count].to_numpy()
    return at


@dataclass(frozen=True)
class Agreeing:
    """Sketches, which of their rows, the files of pairs that share a band, and the least and first too great pair."""

    sketches: Path
    rows: Path
    count: int
    shared: tuple[Path, ...]
    first: int
    end: int
    into: Path


def agreeing(tasks: Sequence[Sharing], found: Sequence[int], count: int, place: Path) -> list[Agreeing]:
    """The tasks of seeing which of the pairs `found` by these tasks agree; each has a file in the folder `place`."""
    of = -(-sum(found) // PAIRS)
    ends = [number * count * count // max(1, of) for number in range(of + 1)]
    shared = tuple(task.into for task, some in zip(tasks, found, strict=True) if some)
    return [
        Agreeing(tasks[0].sketches, tasks[0].rows, count, shared, first, end, place / f"likely-{number:05}.arrow")
        for number, (first, end) in enumerate(pairwise(ends))
    ]


def agree(task: Agreeing) -> None:
    """Write the pairs (columns row, row_2, the lesser first, sorted) whose sketches agree."""
    at = _places(task)
    wanted = pl.col("pair").is_between(task.first, task.end, closed="left")
    numbers = [pl.scan_ipc(path).filter(wanted).collect()["pair"].to_numpy() for path in task.shared]
    pairs = np.stack(np.divmod(np.unique(np.concatenate(numbers)), max(task.count, 1)), axis=1)
    same = np.zeros(len(pairs), dtype=np.int64)
    for name in BANDS:
        column = band(task.sketches, name)
        same += agreement(column[at[pairs[:, 0]]], column[at[pairs[:, 1]]])
    pairs = pairs[same >= AGREE]
    put(pl.DataFrame({"row": pairs[:, 0], "row_2": pairs[:, 1]}), task.into)


def _sharing(this: U64, following: U64, values: Range) -> Ints:
    """The pairs of rows with the same value in a band, in that range, each as one number."""
    count = len(this)
    rows = pl.DataFrame({"this": this, "following": following}).with_row_index("row")
    rows = rows.lazy().filter(values.holds("this")).filter(pl.col("this").is_duplicated()).collect()
    rows = rows.sort("this", "following", "row")
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
