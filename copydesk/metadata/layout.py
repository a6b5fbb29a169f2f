"""A batch's lines as arrays: which document each belongs to, its rank there, and where headline and text stand.

Everything here is NumPy over the whole batch, one entry per non-blank span in the order of the table; `Layout` is
what `pages` and `stories` select from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import polars as pl

from copydesk.labels import LABELS

__all__ = ["AROUND", "Layout", "layout_of", "runs", "spread"]

AROUND: Final = 8
"""Non-blank lines around the headline, where menus come first, that may hold metadata."""

_FAR: Final = 1 << 30

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Layout:
    """The lines, and for each its document and what ranks matter there; ranks count non-blank spans from 0."""

    documents: int
    """How many documents the batch has, those without lines included."""
    present: Ints
    """The places of the documents that have lines, in the order of the lines."""
    starts: Ints
    """The first line of each of these."""
    text: pl.Series
    label: np.ndarray[Any, np.dtype[np.integer[Any]]]
    """Codes of the labels: places in `LABELS`."""
    at: Ints
    """The place of each line's document."""
    rank: Ints
    count: Ints
    """Lines of the document."""
    head: Ints
    """Rank of the headline."""
    first: Ints
    last: Ints
    """Ranks of the first and last line of text (body)."""
    kept: Ints
    """Rank of the last line of text or heading."""

    def labelled(self, *labels: str) -> Bools:
        """Which lines have one of these labels."""
        wanted = np.zeros(len(LABELS), dtype=np.bool_)
        wanted[[LABELS.index(label) for label in labels]] = True
        found: Bools = wanted[self.label]
        return found

    def of_documents(self, column: Ints, default: int) -> list[int]:
        """One of the ranks, once per document; `default` for those without lines."""
        values = np.full(self.documents, default, dtype=np.int64)
        values[self.present] = column[self.starts]
        found: list[int] = values.tolist()
        return found


def layout_of(spans: pl.DataFrame, documents: pl.DataFrame) -> Layout:
    """Lay out the non-blank spans of `documents`."""
    lines = spans.select("doc", "text", "label").filter(pl.col("label") != "blank")
    doc = lines.get_column("doc").to_numpy()
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]]) if len(doc) else np.zeros(0, dtype=np.int64)
    present = _places(doc[starts], documents.get_column("doc").to_numpy())
    sizes = np.diff(np.r_[starts, len(doc)])
    label = lines.get_column("label").to_physical().to_numpy()
    rank = np.arange(len(doc), dtype=np.int64) - np.repeat(starts, sizes)
    columns = [np.repeat(values, sizes) for values in (sizes, *_ranks(label, rank, starts, sizes))]
    at = np.repeat(present, sizes)
    return Layout(documents.height, present, starts, lines.get_column("text"), label, at, rank, *columns)


def _places(numbers: Ints, documents: Ints) -> Ints:
    """Where each of `numbers` stands in `documents`."""
    order = np.argsort(documents, kind="stable")
    found: Ints = order[np.searchsorted(documents, numbers, sorter=order)]
    return found


def _ranks(label: Any, rank: Ints, starts: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Per document with lines: the ranks of its headline, of first and last text, of the last text or heading."""
    if not len(rank):
        return (sizes, sizes, sizes, sizes)
    body, heading, headline = (label == LABELS.index(name) for name in ("body", "heading", "headline"))
    first = np.minimum.reduceat(np.where(body, rank, _FAR), starts)
    last = np.maximum.reduceat(np.where(body, rank, -1), starts)
    kept = np.maximum.reduceat(np.where(body | heading, rank, -1), starts)
    first = np.where(first == _FAR, sizes, first)
    last = np.where(last < 0, sizes - 1, last)
    return _head(headline, rank, starts, sizes, first), first, last, kept


def _head(headline: Bools, rank: Ints, starts: Ints, sizes: Ints, first: Ints) -> Ints:
    """The first headline of those that stand together above the text, nearest to it: lists of news name it before."""
    above = headline & (rank <= np.repeat(first, sizes))
    nearest = np.maximum.reduceat(np.where(above, rank, -1), starts)
    group = above & (rank >= np.repeat(nearest, sizes) - AROUND)
    head = np.minimum.reduceat(np.where(group, rank, _FAR), starts)
    anywhere = np.minimum.reduceat(np.where(headline, rank, _FAR), starts)
    found: Ints = np.where(head < _FAR, head, np.where(anywhere < _FAR, anywhere, np.maximum(first - 3, 0)))
    return found


def spread(count: int, places: Ints, items: Iterable[Item], default: Item) -> list[Item]:
    """A list with one entry per document: `items` at their places, `default` at the others."""
    found = [default] * count
    for place, item in zip(places.tolist(), items, strict=True):
        found[place] = item
    return found


def runs(count: int, places: Ints, items: Sequence[Item]) -> list[Sequence[Item]]:
    """One sequence per document: the items that stand at its place, which stand together."""
    found: list[Sequence[Item]] = [()] * count
    if len(places):
        starts = np.flatnonzero(np.r_[True, places[1:] != places[:-1]])
        ends = np.r_[starts[1:], len(places)].tolist()
        for place, start, end in zip(places[starts].tolist(), starts.tolist(), ends, strict=True):
            found[place] = items[start:end]
    return found
