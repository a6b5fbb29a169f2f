"""Verifying: the similarity of pairs of texts, on the texts themselves, in parts that are tasks for any worker.

Part           pairs of texts, and where these are
parts_of       likely pairs in parts of bounded size
similarities   of the pairs of a part
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.corpus.bodies import bodies
from copydesk.corpus.pairs import LIKE, Pairs, similar
from copydesk.corpus.rows import Frame, texts
from copydesk.corpus.shingles import distinct

__all__ = ["Part", "parts_of", "similarities"]

SHINGLES: Final = 4_000_000
"""Shingles in memory at once while pairs are verified: with their texts some 75 MB."""


@dataclass(frozen=True)
class Part:
    """Pairs of places among the texts `at` (columns frame, row); `rows` are the pairs' own numbers."""

    frames: Mapping[int, Frame]
    at: pl.DataFrame
    pairs: Pairs
    rows: npt.NDArray[np.uint32]


def parts_of(pairs: pl.DataFrame, first: pl.DataFrame, frames: Sequence[Frame]) -> list[Part]:
    """The pairs (columns row, number, number_2, shingles, shingles_2) in parts, in their order.

    Those of a family stand together, so that most texts are read once. `first` tells of each number the frame and row.
    """
    size = (pl.col("shingles") + pl.col("shingles_2")).cum_sum() // SHINGLES
    return [_part(some, first, frames) for _, some in pairs.group_by(size, maintain_order=True)]


def _part(pairs: pl.DataFrame, first: pl.DataFrame, frames: Sequence[Frame]) -> Part:
    sides = [pairs[name].cast(pl.UInt32).alias("number") for name in ("number", "number_2")]
    at = first.join(pl.concat(sides).unique().to_frame(), on="number", how="semi").sort("frame", "row")
    places = at.select("number", place=pl.int_range(pl.len(), dtype=pl.Int64))
    found = [side.to_frame().join(places, on="number", how="left", maintain_order="left")["place"] for side in sides]
    needed = {number: frames[number] for number in at["frame"].unique().to_list()}
    numbers = np.stack([one.to_numpy() for one in found], axis=1)
    return Part(needed, at.select("frame", "row"), numbers, pairs["row"].to_numpy())


def similarities(part: Part) -> npt.NDArray[np.float64]:
    """The similarity of each pair: that of the bodies, or of the whole texts where that is greater."""
    read = [
        texts(part.frames[int(str(number))], some["row"])
        for (number,), some in part.at.group_by("frame", maintain_order=True)
    ]
    table = pl.concat(read)
    body, cut = bodies(table)
    similarity = similar(*distinct(body), part.pairs)
    doubtful = np.flatnonzero((similarity < LIKE) & np.isin(part.pairs, cut).any(axis=1))
    wanted, again = np.unique(part.pairs[doubtful], return_inverse=True)
    whole = similar(*distinct(table["text"].gather(wanted)), again.reshape(-1, 2))
    similarity[doubtful] = np.maximum(similarity[doubtful], whole)
    return similarity
