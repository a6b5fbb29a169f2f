"""Which line is the article's own headline.

    choose      the headline of each document and its copies, as a mask over the lines

Above the first paragraph stand menus, section names, the headline, its copies, deck, byline and date. Where one line only
could be the title, it is. Where several could, they are scored: the title's words come back in the story, it is neither a
word nor a paragraph, dates and names follow it, and pages print it twice.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.lines.shape import BEFORE, Ints, Mask, Shape, neighbours

__all__ = ["choose"]

_LENGTHS: Final = (10, 230)
"""Characters of a headline; labelled ones have 11 to 170."""
_OPENING: Final = 40
"""Candidates before the first paragraph that are looked at, counted back from it: longer heads are menus."""


def choose(shape: Shape, paragraph: Mask, zone: NDArray[np.uint8], ruled: Ints, date: Mask) -> Mask:
    """Mask of the headline of each document and of its further copies above the text; none where nothing stands there."""
    low, high = _LENGTHS
    fit = (shape.length >= low) & (shape.length <= high) & (shape.words >= 2) & (ruled < 0) & ~date & ~shape.open_end
    candidate = np.flatnonzero(fit & (zone == BEFORE) & _near_text(shape, paragraph, zone))
    if not len(candidate):
        return np.zeros(len(shape), dtype=bool)
    score = _score(shape, paragraph, ruled, date, candidate)
    order = np.lexsort((candidate, -score, shape.doc[candidate]))
    best = candidate[order]
    chosen = best[np.r_[True, shape.doc[best][1:] != shape.doc[best][:-1]]]
    return _copies(shape, zone, chosen)


def _near_text(shape: Shape, paragraph: Mask, zone: NDArray[np.uint8]) -> Mask:
    """Lines at most _OPENING places above the first paragraph, or in the first _OPENING lines where there is none."""
    index = np.arange(len(shape))
    starts, inverse = np.unique(shape.first, return_inverse=True)
    first_text = np.minimum.reduceat(np.where(zone != BEFORE, index, len(shape)), starts)[inverse]
    text_comes = first_text < len(shape)
    return np.where(text_comes, first_text - index <= _OPENING, index - shape.first < _OPENING)


def _score(shape: Shape, paragraph: Mask, ruled: Ints, date: Mask, candidate: Ints) -> NDArray[np.float64]:
    """How much each candidate looks like a title. Weights were set on the labelled articles and the metadata records."""
    alone = np.bincount(shape.doc[candidate])[shape.doc[candidate]] == 1
    one, two = neighbours(shape, 1)[candidate], neighbours(shape, 2)[candidate]
    length = shape.length[candidate]
    score = np.minimum(length, 70) / 70 * 1.5
    score -= np.where(shape.stop[candidate] & ~_asks(shape, candidate), 1.0, 0.0)
    score -= np.where(shape.words[candidate] < 4, 0.7, 0.0)
    score += np.where(date[one] | date[two] | (ruled[one] >= 0), 0.4, 0.0)
    score += np.where(_opens(shape, ruled, date)[candidate], 0.8, 0.0)
    score -= np.where(length > 140, 0.6, 0.0)
    contested = np.flatnonzero(~alone)
    if len(contested):
        score[contested] += 3.0 * _told_again(shape, paragraph, candidate[contested])
        score[contested] += 1.0 * _twice(shape, candidate[contested])
    return score


def _opens(shape: Shape, ruled: Ints, date: Mask) -> Mask:
    """The first line of each document that is neither known furniture nor a date."""
    index = np.arange(len(shape))
    starts, inverse = np.unique(shape.first, return_inverse=True)
    first = np.minimum.reduceat(np.where((ruled < 0) & ~date, index, len(shape)), starts)[inverse]
    return index == first


def _asks(shape: Shape, rows: Ints) -> Mask:
    return shape.text.gather(rows).str.contains("[?!…][\"'”’»)]*$").to_numpy()


def _twice(shape: Shape, rows: Ints) -> Mask:
    """Whether a line stands in its document again."""
    short = pl.DataFrame({"doc": shape.doc, "key": shape.key})
    return short.is_duplicated().to_numpy()[rows]


def _told_again(shape: Shape, paragraph: Mask, rows: Ints) -> NDArray[np.float64]:
    """Share of a line's words of four letters and more that the document's paragraphs hold."""
    wanted = _words(shape, rows)
    docs = np.unique(shape.doc[rows])
    text = np.flatnonzero(paragraph & np.isin(shape.doc, docs))
    rank = text - np.searchsorted(text, shape.first[text])
    told = _words(shape, text[rank < 8]).select("doc", "word").unique()
    hit = wanted.join(told.with_columns(hit=pl.lit(1.0)), on=["doc", "word"], how="left").with_columns(pl.col("hit").fill_null(0.0))
    share = hit.group_by("row").agg(pl.col("hit").mean(), pl.len())
    table = pl.DataFrame({"row": rows}).join(share, on="row", how="left", maintain_order="left")
    few = (table["len"].fill_null(0) < 2).to_numpy()
    return np.where(few, 0.3, 1.0) * table["hit"].fill_null(0.0).to_numpy()


def _words(shape: Shape, rows: Ints) -> pl.DataFrame:
    """row, doc, word: the words of four and more letters of some lines, cut to six letters so that endings do not part them."""
    text = shape.text.gather(rows).str.to_lowercase()
    frame = pl.DataFrame({"row": rows, "doc": shape.doc[rows], "word": text.str.extract_all("[\\p{L}0-9]{4,}")})
    return frame.explode("word").drop_nulls("word").with_columns(pl.col("word").str.slice(0, 6))


def _copies(shape: Shape, zone: NDArray[np.uint8], chosen: Ints) -> Mask:
    """The chosen lines and every equal line above the text, full stop or not."""
    title = pl.DataFrame({"doc": shape.doc[chosen], "key": shape.key.gather(chosen), "copy": np.ones(len(chosen), dtype=bool)})
    above = np.flatnonzero(zone == BEFORE)
    asked = pl.DataFrame({"doc": shape.doc[above], "key": shape.key.gather(above)})
    hit = asked.join(title, on=["doc", "key"], how="left", maintain_order="left")["copy"].fill_null(value=False).to_numpy()
    mask = np.zeros(len(shape), dtype=bool)
    mask[above[hit]] = True
    mask[chosen] = True
    return mask
