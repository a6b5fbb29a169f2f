"""The shape of lines: what a line looks like, in columns, before anybody asks what it says.

    Shape       the non-blank lines of a batch with their measures, and where each document begins and ends
    Texts       the different texts among them: what a text shows is looked at once, however often it stands there
    measure     line table -> Shape;  placed: the same where its texts have been measured before
    normalise   text as profiles and keys see it: lower case, plain quotes, single spaces
    zones       where each line stands: before the first paragraph, among the paragraphs, after the last

All later evidence works on these columns, so that a line's text is scanned once and blank lines never.
Character classes are written out in ASCII (`[0-9]`, not the shorthand): the engine is forty times faster on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    "Texts",
    "measure",
    "neighbours",
    "normalise",
    "placed",
    "ranges",
    "recall",
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
class Texts:
    """Measures of the m different texts of a batch; those of plain ASCII come first."""

    text: pl.Series
    """Stripped of white space and invisible characters."""
    low: pl.Series
    """`normalise`d text; null for texts longer than SHORT."""
    key: pl.Series
    """`low` without bullets and closing marks: what literals are compared with."""
    length: Ints
    words: Ints
    stop: Mask
    asks: Mask
    open_end: Mask
    inner_stop: Mask
    """Told of texts of PARAGRAPH characters and more that do not end with one; nobody asks it of others."""
    told: dict[str, Mask] = field(default_factory=dict)
    """What `copydesk.lines.patterns` found, by the name of the question: each is asked once."""
    ruled: dict[str, list[tuple[int, Ints, bool]]] = field(default_factory=dict)
    """What the rules for every site name, by the digest of their profiles: rule, texts, and `profiles._Hits.weak`."""

    @cached_property
    def key_of(self) -> Ints:
        """A number for each text; texts with one key (long ones: of the same wording) have the same."""
        long = self.key.is_null()
        short = (~long).to_numpy()
        found = np.empty(len(self.text), dtype=np.int64)
        found[short] = _coded(self.key.drop_nulls())
        found[~short] = found[short].max(initial=-1) + 1 + _coded(self.text.filter(long))
        return found

    def __len__(self) -> int:
        """How many texts."""
        return len(self.text)


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


def normalise(text: pl.Series) -> pl.Series:
    """Lower-case text with straight quotes and single spaces, stripped. Same length as `text`, nulls kept."""
    return _lowered(text).str.strip_chars()


def _lowered(text: pl.Series) -> pl.Series:
    """The same but for the stripping, which a text without INVISIBLE characters on its edges does not need."""
    some = (text.str.len_bytes() != text.str.len_chars()) | text.str.contains("[`\t\n]")
    odd = np.flatnonzero(some.fill_null(value=False).to_numpy())
    plain = text.gather(odd).str.replace_many(list(_QUOTES), list(_QUOTES.values()))
    low = text.clone().scatter(odd, plain) if len(odd) else text
    low = low.str.to_lowercase()
    double = np.flatnonzero(low.str.contains("  ", literal=True).fill_null(value=False).to_numpy())
    return low.scatter(double, low.gather(double).str.replace_all("[ ][ ]+", " ")) if len(double) else low


def bare(low: pl.Series) -> pl.Series:
    """Normalised text without bullets before it and colons, dots, arrows behind it."""
    return low.str.strip_chars(_EDGE)


def measure(lines: pl.DataFrame) -> Shape:
    """Measure the non-blank lines of a line table (columns doc, line, text; ordered by them)."""
    stripped = lines["text"].fill_null("").str.strip_chars(INVISIBLE)
    rows = np.flatnonzero((stripped.str.len_bytes() > 0).to_numpy())
    texts, text_of = _different(stripped.gather(rows))
    return placed(lines, rows, _measured(texts), text_of)


def placed(lines: pl.DataFrame, rows: Ints, texts: Texts, text_of: Ints) -> Shape:
    """The Shape of the lines at `rows` of a line table, the others being blank, with what is known of their texts."""
    doc = lines["doc"].to_numpy()[rows].astype(np.int64)
    before, after, first, last = _neighbourhood(rows, doc)
    return Shape(rows, doc, texts, text_of, before, after, first, last)


def _coded(texts: pl.Series) -> Ints:
    """A number for each different text, from 0."""
    array: Any = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    return _codes(array.dictionary_encode()).astype(np.int64)


def _codes(coded: Any) -> NDArray[np.int32]:
    """The indices of a dictionary array without nulls; the array's own way to NumPy would load pandas."""
    return np.frombuffer(coded.indices.buffers()[1], dtype=np.int32, count=len(coded)) if len(coded) else _NONE


_NONE: Final = np.empty(0, dtype=np.int32)


_REPEATED: Final = 120
"""Bytes: longer lines are seldom the same, and to look for those that are would cost more than it saves."""


def _different(text: pl.Series) -> tuple[pl.Series, Ints]:
    """The different texts, those of plain ASCII first, and which of them each line is; long lines have each its own."""
    long = (text.str.len_bytes() > _REPEATED).to_numpy()
    short = np.flatnonzero(~long)
    coded: Any = text.gather(short).to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    texts = pl.Series("text", pl.from_arrow(coded.dictionary), dtype=pl.String)
    text_of = np.empty(len(text), dtype=np.int64)
    text_of[short] = _codes(coded)
    text_of[long] = np.arange(len(texts), len(texts) + int(long.sum()))
    texts = texts.append(text.filter(pl.Series(long))).rechunk()
    wide = (texts.str.len_chars() != texts.str.len_bytes()).to_numpy()
    order = np.argsort(wide, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return texts.gather(order), place[text_of]


def _measured(texts: pl.Series) -> Texts:
    tail = pl.col("text").str.tail(4)
    frame = texts.to_frame("text").select(
        "text",
        pl.col("text").str.len_chars().cast(pl.Int64).alias("length"),
        tail.str.contains("[.!?\u2026\u3002\uff01\uff1f\u0964\u06d4\u061f][\"'\u201d\u2019\u00bb)\\]\u300d ]*$").alias(
            "stop"
        ),
        tail.str.contains("[?!\u2026][\"'\u201d\u2019\u00bb)]*$").alias("asks"),
        tail.str.contains("[,:;\u2013\u2014\u060c-][\"'\u201d\u2019\u00bb]?$").alias("open_end"),
    )
    low = _lowered(frame.select(pl.when(pl.col("length") <= SHORT).then("text")).to_series())
    length, stop, asks, open_end = (frame[name].to_numpy() for name in frame.columns[1:])
    asked = np.flatnonzero((length >= PARAGRAPH) & ~stop)
    inner = np.zeros(len(texts), dtype=bool)
    inner[asked] = texts.gather(asked).str.contains(_INNER_STOP).to_numpy()
    return Texts(texts, low, bare(low), length, _spaces(texts) + 1, stop, asks, open_end, inner)


_INNER_STOP: Final = "[.!?\u2026\u3002\u0964\u06d4][\"'\u201d\u2019\u00bb)]* "


def _spaces(texts: pl.Series) -> Ints:
    """How many spaces each text has: bits of all texts' bytes, counted 64 at once, five times as fast as in each."""
    array: Any = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    if not len(array):
        return np.zeros(0, dtype=np.int64)
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    bits = np.packbits(np.frombuffer(data, dtype=np.uint8)[: ends[-1]] == ord(" "), bitorder="little")
    words = np.zeros(len(bits) // 8 + 1, dtype="<u8")
    words.view(np.uint8)[: len(bits)] = bits
    before = np.concatenate([[0], np.cumsum(np.bitwise_count(words), dtype=np.int64)])
    below = (np.uint64(1) << (ends & 63).astype(np.uint64)) - np.uint64(1)
    at = ends >> 6
    return np.asarray(np.diff(before[at] + np.bitwise_count(words[at] & below)), np.int64)


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
    sizes = bounds[chosen + 1] - bounds[chosen]
    first = bounds[chosen] - (np.cumsum(sizes) - sizes)
    return np.asarray(np.arange(int(sizes.sum())) + np.repeat(first, sizes), np.int64)


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
