"""Which line is the article's own headline.

    choose      the headline of each document and its copies, as a mask over the lines

Above the text stand menus, section names, the headline, its copies, deck, byline and date, and pages put a search hint or a
cookie note of paragraph size among them. So every line down to the third paragraph is a candidate, and each is scored by
what surrounds it: the title's words come back in the story, dates and names follow it, pages print it twice or inside a
longer page title, it is neither a word nor a paragraph. The best of a document is its headline if it is good enough.

The weights are a logistic regression on the candidates of the labelled articles, line benchmark and metadata records
(`scripts` are not needed to use it; the features' order is the order of `_FEATURES`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.lines.shape import BEFORE, Ints, Mask, Shape, neighbours

__all__ = ["choose"]

_LENGTHS: Final = (6, 260)
"""Characters of a headline; labelled ones have 7 to 230."""
_OPENING: Final = 40
"""Lines above the first paragraph that are looked at: longer heads are menus."""
_PARAGRAPHS: Final = 2
"""Paragraphs that may stand above a headline."""

Floats = NDArray[np.float64]


def candidates(shape: Shape, paragraph: Mask, ruled: Ints, date: Mask) -> Ints:
    """Indices of the lines that could be a headline."""
    low, high = _LENGTHS
    fit = (shape.length >= low) & (shape.length <= high) & (ruled < 0) & ~date & ~paragraph
    fit &= (~shape.stop | (_before(shape, paragraph) == 0)) & (shape.last > shape.first)
    return np.flatnonzero(fit & _near_text(shape, paragraph))


def _before(shape: Shape, mask: Mask) -> Ints:
    """How many lines of the mask stand before each line in its document."""
    running = np.cumsum(mask)
    return running - mask - (running - mask)[shape.first]


def _near_text(shape: Shape, paragraph: Mask) -> Mask:
    """Lines above the third paragraph and not more than _OPENING above the first, or in the first lines of a text without."""
    index = np.arange(len(shape))
    if not len(index):
        return index > 0
    above = _before(shape, paragraph)
    starts, inverse = np.unique(shape.first, return_inverse=True)
    text = np.minimum.reduceat(np.where(paragraph, index, len(shape)), starts)[inverse]
    near = np.where(text < len(shape), text - index <= _OPENING, index - shape.first < _OPENING)
    return (above <= _PARAGRAPHS) & near


def features(shape: Shape, paragraph: Mask, ruled: Ints, date: Mask, name: Mask, rows: Ints) -> Floats:
    """One row of numbers per candidate; see the names beside them."""
    back, on, on2 = (neighbours(shape, step)[rows] for step in (-1, 1, 2))
    length, words = shape.length[rows], shape.words[rows]
    above = _before(shape, paragraph)[rows]
    text = shape.text.gather(rows)
    asks = text.str.contains("[?!…][\"'”’»)]*$").to_numpy()
    alone = np.bincount(shape.doc[rows])[shape.doc[rows]] == 1
    told = _told_again(shape, paragraph, rows)
    twice, inside, holds = _printed_again(shape, rows)
    few = np.bincount(shape.doc[rows])[shape.doc[rows]] <= _COMPACT
    opens = _opens(shape, ruled, date)[rows]
    byline = name | (ruled == _BYLINE)
    columns = [
        np.ones(len(rows)),
        np.minimum(length, 60) / 60,
        np.maximum(length - 100, 0) / 100,
        words == 1,
        words == 2,
        words == 3,
        shape.stop[rows] & ~asks,
        shape.open_end[rows],
        name[rows],
        date[on],
        date[on2] & ~date[on],
        byline[on] & (on != rows),
        byline[on2] & (on2 != rows),
        date[back] | byline[back],
        opens,
        opens & few,
        alone,
        np.minimum(told, 0.6),
        twice,
        inside,
        holds,
        text.str.contains("[|»>›/]").to_numpy(),
        above == 1,
        above >= 2,
        paragraph[on],
        (shape.length[on] > 1.3 * length) & ~paragraph[on] & (shape.length[on] > 50),
        (ruled[back] >= 0) & (back != rows),
        (shape.length[back] > length) & (back != rows) & ~paragraph[back] & (ruled[back] < 0),
        text.str.contains("[0-9]{4}|[0-9][.:][0-9]{2}").to_numpy(),
        text.str.contains("^[^A-ZÀ-ÞА-Я0-9\"'„“«‘¿¡(\\[#$€]").to_numpy()
        & ~text.str.contains("^[^a-zà-ÿа-я]*$").to_numpy(),
        np.log1p(rows - shape.first[rows]),
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


_COMPACT: Final = 4
"""Candidates up to which a document has no menu above its text, so that its first line is likely the headline."""
_BYLINE: Final = 5


def _opens(shape: Shape, ruled: Ints, date: Mask) -> Mask:
    """The first line of each document that is neither known furniture nor a date."""
    index = np.arange(len(shape))
    starts, inverse = np.unique(shape.first, return_inverse=True)
    first = np.minimum.reduceat(np.where((ruled < 0) & ~date, index, len(shape)), starts)[inverse]
    return index == first


def _printed_again(shape: Shape, rows: Ints) -> tuple[Floats, Floats, Floats]:
    """Whether a line stands in its document again, is part of a longer candidate, or has a shorter one in it."""
    docs = np.unique(shape.doc[rows])
    near = np.flatnonzero(np.isin(shape.doc, docs))
    twice = pl.DataFrame({"doc": shape.doc[near], "key": shape.key.gather(near)}).is_duplicated().to_numpy()
    again = np.zeros(len(shape), dtype=bool)
    again[near[twice]] = True
    mine = pl.DataFrame({"row": rows, "doc": shape.doc[rows], "key": shape.key.gather(rows)}).filter(
        pl.col("key").str.len_chars() >= 12
    )
    head = mine.rename({"row": "other", "key": "longer"})
    pairs = mine.join(head, on="doc").filter(
        (pl.col("row") != pl.col("other")) & (pl.col("key").str.len_chars() < pl.col("longer").str.len_chars())
    )
    pairs = pairs.filter(pl.col("longer").str.contains(pl.col("key"), literal=True))
    inside, holds = (np.isin(rows, pairs[name].unique().to_numpy()).astype(np.float64) for name in ("row", "other"))
    return again[rows].astype(np.float64), inside, holds


def _told_again(shape: Shape, paragraph: Mask, rows: Ints) -> Floats:
    """Share of a line's words of four letters and more that the document's first paragraphs hold."""
    wanted = _words(shape, rows)
    text = np.flatnonzero(paragraph & np.isin(shape.doc, np.unique(shape.doc[rows])) & (_before(shape, paragraph) < 8))
    told = _words(shape, text).select("doc", "word").unique()
    hit = wanted.join(told.with_columns(hit=pl.lit(1.0)), on=["doc", "word"], how="left").with_columns(
        pl.col("hit").fill_null(0.0)
    )
    share = hit.group_by("row").agg((pl.col("hit").sum() / (pl.len() + 1.0)).alias("share"))
    table = pl.DataFrame({"row": rows}).join(share, on="row", how="left", maintain_order="left")
    return table["share"].fill_null(0.0).to_numpy()


def _words(shape: Shape, rows: Ints) -> pl.DataFrame:
    """row, doc, word: words of four and more letters, cut to six so that endings do not part them."""
    text = shape.text.gather(rows).str.to_lowercase()
    frame = pl.DataFrame({"row": rows, "doc": shape.doc[rows], "word": text.str.extract_all("[\\p{L}0-9]{4,}")})
    return frame.explode("word").drop_nulls("word").with_columns(pl.col("word").str.slice(0, 6))


_WEIGHTS: Final = (
    (-3.276, 1.942, -2.801, -1.914, -1.915, -0.955, -1.547, -0.883, -0.88, 0.985, 1.02, -0.115, 0.267, 0.375, -0.757, 1.312)
    + (0.677, 4.552, 0.782, 1.003, -0.802, -1.111, -1.548, -1.995, 0.381, 0.342, 0.225, -1.063, -0.079, -0.921, -0.39)
)  # fmt: skip
_ENOUGH: Final = -2.0
"""Logit from which the best candidate is the headline: -2 gives .83 F1 on metadata records and .96 on articles,
cross-validated by site; -1 loses 30 headlines of 453 for 10 false ones less."""


def choose(shape: Shape, paragraph: Mask, zone: NDArray[np.uint8], ruled: Ints, date: Mask, name: Mask) -> Mask:
    """Mask of the headline of each document and of its further copies above the text; none where nothing is good enough."""
    mask = np.zeros(len(shape), dtype=bool)
    rows = candidates(shape, paragraph, ruled, date)
    if not len(rows):
        return mask
    score = features(shape, paragraph, ruled, date, name, rows) @ np.array(_WEIGHTS)
    order = np.lexsort((rows, -score, shape.doc[rows]))
    best, score = rows[order], score[order]
    top = np.r_[True, shape.doc[best][1:] != shape.doc[best][:-1]] & (score > _ENOUGH)
    return _copies(shape, zone, best[top])


def _copies(shape: Shape, zone: NDArray[np.uint8], chosen: Ints) -> Mask:
    """The chosen lines and every equal line above the text, full stop or not."""
    mask = np.zeros(len(shape), dtype=bool)
    title = pl.DataFrame(
        {"doc": shape.doc[chosen], "key": shape.key.gather(chosen), "copy": np.ones(len(chosen), dtype=bool)}
    )
    above = np.flatnonzero(zone == BEFORE)
    asked = pl.DataFrame({"doc": shape.doc[above], "key": shape.key.gather(above)})
    hit = (
        asked.join(title, on=["doc", "key"], how="left", maintain_order="left")["copy"]
        .fill_null(value=False)
        .to_numpy()
    )
    mask[above[hit]] = True
    mask[chosen] = True
    return mask
