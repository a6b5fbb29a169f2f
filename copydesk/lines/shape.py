"""The shape of lines: what a line looks like, in columns, before anybody asks what it says.

    Shape       the non-blank lines of a batch with their measures, and where each document begins and ends
    measure     line table -> Shape;  placed: the same where its texts have been measured before
    recall      what was found of the same lines when it was asked before
    zones       where each line stands: before the first paragraph, among the paragraphs, after the last

All later evidence works on these columns, so that a line's text is scanned once (`copydesk.lines.texts`) and blank
lines never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk import aligned
from copydesk.lines.texts import INVISIBLE, PARAGRAPH, SHORT, Ints, Mask, Texts, different, measured, normalise

__all__ = [
    "AFTER",
    "AMONG",
    "BEFORE",
    "INVISIBLE",
    "SHORT",
    "Ints",
    "Mask",
    "Shape",
    "Texts",
    "measure",
    "neighbours",
    "normalise",
    "placed",
    "ranges",
    "recall",
    "reduced",
    "used",
    "zones",
]

BEFORE: Final = 1
AMONG: Final = 2
AFTER: Final = 4
"""Zones of a document, as bits: before the first paragraph, from the first to the last, after the last."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Measures of the n non-blank lines of a batch, in (document, line) order; all arrays have length n."""

    rows: Ints
    """Position in the line table."""
    doc: Ints
    texts: Texts
    text_of: Ints
    """Which of the texts each line is."""
    gap_before: Ints
    gap_after: Ints
    """Blank lines between this line and its neighbours; -1 at the edge of a document."""
    first: Ints
    last: Ints
    """Index (into these arrays) of the first and last non-blank line of the line's document."""
    recalled: dict[str, tuple[tuple[Ints, ...], tuple[NDArray[Any], ...]]] = field(default_factory=dict)
    """What was found of lines together, and of which ones (`recall`)."""

    @cached_property
    def text(self) -> pl.Series:
        """Each line's text."""
        return self.texts.text.gather(self.text_of)

    @cached_property
    def low(self) -> pl.Series:
        """Each line's `normalise`d text; null for lines longer than SHORT."""
        return self.texts.low.gather(self.text_of)

    @cached_property
    def key(self) -> pl.Series:
        """`low` without bullets and closing marks."""
        return self.texts.key.gather(self.text_of)

    @cached_property
    def length(self) -> Ints:
        """Characters."""
        return self.texts.length[self.text_of]

    @cached_property
    def words(self) -> Ints:
        """Spaces and one."""
        return self.texts.words[self.text_of]

    @cached_property
    def stop(self) -> Mask:
        """Ends like a sentence: . ! ? and their kin, quotes and brackets after it allowed."""
        return self.texts.stop[self.text_of]

    @cached_property
    def asks(self) -> Mask:
        """Ends with a question or exclamation mark or dots, as titles may."""
        return self.texts.asks[self.text_of]

    @cached_property
    def open_end(self) -> Mask:
        """Ends in a comma, colon, semicolon or dash: the text runs on."""
        return self.texts.open_end[self.text_of]

    @cached_property
    def inner_stop(self) -> Mask:
        """Holds a sentence end before its end (see `Texts`)."""
        return self.texts.inner_stop[self.text_of]

    @cached_property
    def starts(self) -> Ints:
        """Index of the first line of each document that has one."""
        return np.flatnonzero(self.first == np.arange(len(self.first)))

    @cached_property
    def document(self) -> Ints:
        """For each line the position of its document in `starts`."""
        counted: Ints = np.cumsum(self.first == np.arange(len(self.first))) - 1
        return counted

    @cached_property
    def copies(self) -> Ints:
        """How often each line stands in its document, whatever bullets and marks are around it."""
        key = self.document * len(self.texts) + self.texts.key_of[self.text_of]
        order = np.argsort(key, kind="stable")
        opens = np.flatnonzero(np.diff(key[order], prepend=-1))
        times = np.diff(opens, append=len(key))
        found = np.empty(len(key), dtype=np.int64)
        found[order] = np.repeat(times, times)
        return found

    @cached_property
    def before(self) -> Ints:
        """Index of the line before in the same document; the line itself where there is none."""
        return neighbours(self, -1)

    @cached_property
    def after(self) -> Ints:
        """Index of the line after in the same document; the line itself where there is none."""
        return neighbours(self, 1)

    def __len__(self) -> int:
        """How many non-blank lines."""
        return len(self.rows)


def measure(lines: pl.DataFrame) -> Shape:
    """Measure the non-blank lines of a line table (columns doc, line, text; ordered by them)."""
    stripped = lines["text"].fill_null("").str.strip_chars(INVISIBLE)
    rows = np.flatnonzero((stripped.str.len_bytes() > 0).to_numpy())
    texts, text_of = different(stripped.gather(rows))
    return placed(lines, rows, measured(texts), text_of)


def placed(lines: pl.DataFrame, rows: Ints, texts: Texts, text_of: Ints) -> Shape:
    """The Shape of the lines at `rows` of a line table, the others being blank, with what is known of their texts."""
    doc = lines["doc"].to_numpy()[rows].astype(np.int64)
    before, after, first, last = _neighbourhood(rows, doc)
    return Shape(rows, doc, texts, text_of, before, after, first, last)


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


def ranges(bounds: Ints, chosen: Ints) -> Ints:
    """All numbers from bounds[c] up to bounds[c + 1], for each chosen c."""
    return aligned.ranges(bounds[chosen], bounds[chosen + 1] - bounds[chosen])


def used(text: Ints, count: int) -> tuple[Ints, Ints]:
    """Which of so many texts are there, and the texts by their position in that."""
    there = np.zeros(count, dtype=bool)
    there[text] = True
    place = np.cumsum(there) - 1
    return np.flatnonzero(there), place[text]


def recall(shape: Shape, name: str, asked: tuple[Ints, ...], find: Callable[[], tuple[NDArray[Any], ...]]) -> Any:
    """What was found of these lines when it was asked before, else what is found now."""
    before, answer = shape.recalled.get(name, ((), ()))
    if len(before) != len(asked) or not all(map(np.array_equal, before, asked)):
        answer = find()
        shape.recalled[name] = asked, answer
    return answer


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
    found: NDArray[Any] = ufunc.reduceat(values, shape.starts)[shape.document]
    return found
