"""The shape of lines: what a line looks like, in columns, before anybody asks what it says.

    Shape       the non-blank lines of a batch with their measures, and where each document begins and ends
    measure     line table -> Shape
    normalise   text as profiles and keys see it: lower case, plain quotes, single spaces
    zones       where each line stands: before the first paragraph, among the paragraphs, after the last

All later evidence works on these columns, so that a line's text is scanned once and blank lines never.
Character classes are written out in ASCII (`[0-9]`, not the shorthand): the engine is forty times faster on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = [
    "AFTER",
    "AMONG",
    "BEFORE",
    "INVISIBLE",
    "SHORT",
    "Ints",
    "Mask",
    "Shape",
    "measure",
    "neighbours",
    "normalise",
    "reduced",
    "zones",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BEFORE: Final = 1
AMONG: Final = 2
AFTER: Final = 4
"""Zones of a document, as bits: before the first paragraph, from the first to the last, after the last."""

SHORT: Final = 400
"""Characters: longer lines are never furniture by wording. Cookie notices and licence notes end below it; of the
labelled furniture lines above it all but biographies and appeals (left to the model) are reader comments."""

PARAGRAPH: Final = 80
"""Characters from which a line that ends like a sentence counts as a paragraph. 60 takes in captions, 120 misses
the one-sentence paragraphs of agencies and tabloids."""

INVISIBLE: Final = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\ufeff\u200b\u200e\u200f\u00ad"
)
"""White space and marks without ink: a line of nothing else is blank."""

_QUOTES: Final = {
    "\u2018": "'",
    "\u2019": "'",
    "\u02bc": "'",
    "`": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u00a0": " ",
    "\u202f": " ",
    "\u3000": " ",
    "\u200b": "",
    "\ufeff": "",
    "\u00ad": "",
    "\u200e": "",
    "\u200f": "",
    "\t": " ",
    "\n": " ",
}
_EDGE: Final = (
    " -\u2013\u2014\u2022\u00b7*\u00bb\u00ab\u203a\u2039>|:.\u2026!#\u2192\u2190\u25b6\u25ba\u25aa\u25a0\u25cf+[]"
)
"""What a literal is stripped of on both sides: bullets, arrows, colons, dots."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Measures of the n non-blank lines of a batch, in (document, line) order; all arrays have length n."""

    rows: Ints
    """Position in the line table."""
    doc: Ints
    text: pl.Series
    """Stripped of white space and invisible characters."""
    low: pl.Series
    """`normalise`d text; null for lines longer than SHORT."""
    key: pl.Series
    """`low` without bullets and closing marks: what literals are compared with."""
    length: Ints
    words: Ints
    stop: Mask
    """Ends like a sentence: . ! ? and their kin, quotes and brackets after it allowed."""
    open_end: Mask
    """Ends in a comma, colon, semicolon or dash: the text runs on."""
    inner_stop: Mask
    """Holds a sentence end before its end."""
    gap_before: Ints
    gap_after: Ints
    """Blank lines between this line and its neighbours; -1 at the edge of a document."""
    first: Ints
    last: Ints
    """Index (into these arrays) of the first and last non-blank line of the line's document."""

    @cached_property
    def starts(self) -> Ints:
        """Index of the first line of each document that has one."""
        return np.flatnonzero(self.first == np.arange(len(self.first)))

    @cached_property
    def which(self) -> Ints:
        """For each line the position of its document in `starts`."""
        counted: Ints = np.cumsum(self.first == np.arange(len(self.first))) - 1
        return counted

    def __len__(self) -> int:
        """How many non-blank lines."""
        return len(self.rows)


def normalise(text: pl.Series) -> pl.Series:
    """Lower-case text with straight quotes and single spaces, stripped. Same length as `text`, nulls kept."""
    low = text.str.replace_many(list(_QUOTES), list(_QUOTES.values())).str.to_lowercase()
    double = low.str.contains("  ", literal=True).fill_null(value=False)
    if double.any():
        frame = pl.DataFrame({"low": low, "double": double})
        collapsed = pl.col("low").str.replace_all("[ ][ ]+", " ")
        low = frame.select(pl.when("double").then(collapsed).otherwise("low").alias("low")).to_series()
    return low.str.strip_chars()


def bare(low: pl.Series) -> pl.Series:
    """Normalised text without bullets before it and colons, dots, arrows behind it."""
    return low.str.strip_chars(_EDGE)


def measure(lines: pl.DataFrame) -> Shape:
    """Measure the non-blank lines of a line table (columns doc, line, text; ordered by them)."""
    frame = lines.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.col("doc").cast(pl.Int64),
        pl.col("text").str.strip_chars(INVISIBLE).alias("text"),
    ).filter(pl.col("text") != "")
    frame = frame.with_columns(
        pl.col("text").str.len_chars().cast(pl.Int64).alias("length"),
        (pl.col("text").str.count_matches(" ", literal=True).cast(pl.Int64) + 1).alias("words"),
        pl.col("text").str.tail(4).alias("tail"),
    ).with_columns(
        pl.col("tail")
        .str.contains("[.!?\u2026\u3002\uff01\uff1f\u0964\u06d4\u061f][\"'\u201d\u2019\u00bb)\\]\u300d ]*$")
        .alias("stop"),
        pl.col("tail").str.contains("[,:;\u2013\u2014\u060c-][\"'\u201d\u2019\u00bb]?$").alias("open_end"),
        pl.col("text").str.contains("[.!?\u2026\u3002\u0964\u06d4][\"'\u201d\u2019\u00bb)]* ").alias("inner_stop"),
        pl.when(pl.col("length") <= SHORT).then("text").alias("short"),
    )
    low = normalise(frame["short"])
    rows, doc = frame["row"].to_numpy(), frame["doc"].to_numpy()
    before, after, first, last = _neighbourhood(rows, doc)
    return Shape(
        rows=rows,
        doc=doc,
        text=frame["text"],
        low=low,
        key=bare(low),
        length=frame["length"].to_numpy(),
        words=frame["words"].to_numpy(),
        stop=frame["stop"].to_numpy(),
        open_end=frame["open_end"].to_numpy(),
        inner_stop=frame["inner_stop"].to_numpy(),
        gap_before=before,
        gap_after=after,
        first=first,
        last=last,
    )


def _neighbourhood(rows: Ints, doc: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Blank lines before and after each line, and the ends of its document (as indices)."""
    n = len(rows)
    index = np.arange(n)
    new = np.ones(n, dtype=bool)
    new[1:] = doc[1:] != doc[:-1]
    final = np.ones(n, dtype=bool)
    final[:-1] = new[1:]
    before = np.full(n, -1, dtype=np.int64)
    before[1:] = np.where(new[1:], -1, rows[1:] - rows[:-1] - 1)
    after = np.full(n, -1, dtype=np.int64)
    after[:-1] = before[1:]
    first = np.maximum.accumulate(np.where(new, index, 0)) if n else index
    last = np.minimum.accumulate(np.where(final, index, n)[::-1])[::-1] if n else index
    return before, after, first, last


def neighbours(shape: Shape, step: int) -> Ints:
    """Index of the line `step` places on (or back) in the same document; the line itself where there is none."""
    index = np.arange(len(shape))
    other = index + step
    inside = (other >= shape.first) & (other <= shape.last)
    return np.where(inside, other, index)


def paragraphs(shape: Shape, furniture: Mask) -> Mask:
    """Lines that are surely running text: long, ending like sentences, and not known as furniture.

    In a text without any, its sentences of half the length are taken for them.
    """
    long = (shape.length >= PARAGRAPH) & shape.stop
    longer = (shape.length >= 2 * PARAGRAPH) & shape.inner_stop
    found = (long | longer | (shape.length >= SHORT)) & ~furniture
    bare_text = ~reduced(shape, found, np.logical_or)
    sentence = (shape.length >= PARAGRAPH // 2) & shape.stop & ~furniture
    return np.asarray(found | (bare_text & sentence))


def zones(shape: Shape, paragraph: Mask) -> NDArray[np.uint8]:
    """The zone of each line; a document without a paragraph is all BEFORE."""
    index = np.arange(len(shape))
    n = len(shape)
    start = reduced(shape, np.where(paragraph, index, n), np.minimum)
    end = reduced(shape, np.where(paragraph, index, -1), np.maximum)
    zone = np.full(n, AMONG, dtype=np.uint8)
    zone[index < start] = BEFORE
    zone[(index > end) & (end >= 0)] = AFTER
    return zone


def reduced(shape: Shape, values: NDArray[Any], ufunc: np.ufunc) -> NDArray[Any]:
    """`ufunc` reduced over each document, given back to each of its lines."""
    if not len(values):
        return values
    found: NDArray[Any] = ufunc.reduceat(values, shape.starts)[shape.which]
    return found
