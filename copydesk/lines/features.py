"""What a line looks like, in numbers: what the model sees, for all lines of a batch at once.

    texts ──► blocks of code points ──► character classes, patterns ──► LOOKS: numbers per text    ┐
                                    └─► words ──► 64-bit word hashes                               ├─► Features
    order and blank lines ──► place in the document, repeats, topic ──► PLACES: numbers per line   ┘   (places.py)

What depends on a line's text alone is worked out once for each different text of the batch: furniture repeats. Every
count is a NumPy kernel over arrays that hold many texts (`copydesk.lines.words`). A document's numbers depend on its
own lines only, never on the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from copydesk.lines.places import (
    LOG,
    MULTIPLIER,
    PLACES,
    TOPIC_BITS,
    blank_columns,
    place_columns,
    repeat_columns,
    topic_columns,
)
from copydesk.lines.shape import Shape, used
from copydesk.lines.words import (
    AT,
    BAR,
    BRACKET,
    CJK,
    CLASS_NAMES,
    COLON,
    COMMA,
    DASH,
    DIGIT,
    LETTER,
    LOWER,
    QUOTE,
    SPACE,
    STOP,
    SYMBOL,
    UPPER,
    Array,
    Block,
    Codes,
    Index,
    Mask,
    Wide,
    are_function_words,
    blocks,
    mix,
    segments,
)

__all__ = ["LOOKS", "PLACES", "Features", "amidst", "features_of", "settled"]

_LONG_LINE: Final = 80
"""Characters from which a line with a stop in it is taken for prose (few headlines are as long and have one)."""
_LONG_RUN: Final = 7
"""Sentences in a row from which only the first and the last of them are read."""


Columns = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class Features:
    """The numbers of the N lines that want judging, with T different texts, W words and P pairs of words.

    lines          (N,) their index in the Shape; the others are left out
    looks          (len(LOOKS), T) float32, unscaled: a row per column, so that each is worked on in one go
    words          (W,) uint64 hash of each word, text by text
    word_bounds    (T + 1,) where each text's words begin
    pairs, pair_bounds    (P,), (T + 1,) the same of each two neighbouring words
    places         (len(PLACES), N) float32, unscaled
    text           (N,) number of each line's text
    doc            (N,) number of the line's document, from 0, in order
    """

    lines: Index
    looks: Array
    words: Codes
    word_bounds: Index
    pairs: Codes
    pair_bounds: Index
    places: Array
    text: Index
    doc: Index


def features_of(shape: Shape, left_out: Mask | None = None) -> Features:
    """Features of the lines of a Shape that are not `left_out`, which are those that are `settled` unless told.

    Blank lines and those left out count as places only.
    """
    prose = (shape.length >= _LONG_LINE) & (shape.stop | shape.inner_stop)
    lines = np.flatnonzero(~(settled(shape) if left_out is None else left_out))
    which, text = used(shape.text_of[lines], len(shape.texts))
    parts = [_look(block) for block in blocks(shape.texts.text.gather(which))]
    looks = _side_by_side(_sizes(shape.texts.length[which].astype(np.float64)), [part.looks for part in parts])
    counts = _joined(parts, "counts", (0,), np.int64)
    topics = _joined(parts, "topics", (0,), np.int64), _bounds(_joined(parts, "topic_counts", (0,), np.int64))
    doc = _numbered(shape.document[lines])
    columns = [
        *place_columns(shape.document, shape.length.astype(np.float64), prose, lines),
        *repeat_columns(doc, text, [_joined(parts, name, (0,), np.uint64) for name in ("whole", "opening")]),
        *topic_columns(doc, text, *topics, prose[lines]),
        *(column[lines] for column in blank_columns(shape.document, shape.rows)),
    ]
    places = _stacked(columns, len(lines))
    words, pairs = (_joined(parts, name, (0,), np.uint64) for name in ("words", "pairs"))
    return Features(lines, looks, words, _bounds(counts), pairs, _bounds(np.maximum(counts - 1, 0)), places, text, doc)


def settled(shape: Shape) -> Mask:
    """Lines that need no judging: sentences of some length with two such on either side, with one in a long run.

    Measured on the labelled sets: of 1,085 lines of the first kind in and around articles 21 are not text (readers'
    comments, mostly), of 356 in hand-labelled texts none; of the 284 and 102 more in long runs 5 and none.
    """
    return _within(shape, _LONG_RUN)


def amidst(shape: Shape) -> Mask:
    """The same with two on either side in runs of any length: what training leaves out, so that it knows long runs."""
    return _within(shape, len(shape) + 1)


def _within(shape: Shape, long_run: int) -> Mask:
    """Sentences with two on either side of them, or with one where so many stand in a row."""
    long = (shape.length >= _LONG_LINE) & shape.stop
    follows = np.zeros(len(shape) + 1, np.bool_)
    follows[1:-1] = long[1:] & long[:-1] & (shape.first[1:] == shape.first[:-1])
    first, last = np.flatnonzero(long & ~follows[:-1]), np.flatnonzero(long & ~follows[1:])
    around = np.where(last - first + 1 >= long_run, 1, 2)
    first, last = first + around, last - around
    some = first <= last
    steps = np.zeros(len(shape) + 1, np.int8)
    steps[first[some]], steps[last[some] + 1] = 1, -1
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)


def _numbered(doc: Index) -> Index:
    """Numbers from 0 for ascending numbers with gaps."""
    return np.asarray(np.cumsum(np.diff(doc, prepend=-1) > 0) - 1, np.int64)


def _stacked(columns: Columns, count: int) -> Array:
    out = np.empty((len(columns), count), np.float32)
    for number, column in enumerate(columns):
        out[number] = column
    return out


def _side_by_side(sizes: Columns, parts: list[Array]) -> Array:
    """Columns for all texts above those of parts of the texts."""
    out = np.empty((len(LOOKS), len(sizes[0])), np.float32)
    out[: len(sizes)] = sizes
    low = 0
    for part in parts:
        out[len(sizes) :, low : low + part.shape[1]] = part
        low += part.shape[1]
    return out


def _joined(parts: list[_Part], name: str, shape: tuple[int, ...], kind: Any) -> Any:
    return np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(shape, kind)


def _bounds(counts: Index) -> Index:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


def _inner(counts: Index) -> Mask:
    """Which words (but the last) are followed by another of the same text."""
    same = np.ones(int(counts.sum()), np.bool_)
    same[np.cumsum(counts)[counts > 0] - 1] = False
    return same[:-1]


# ---------------------------------------------------------------- what a text looks like


@dataclass(frozen=True)
class _Part:
    """What one block of texts gives."""

    looks: Array
    words: Codes
    counts: Index
    """How many words each text has."""
    pairs: Codes
    whole: Codes
    """A hash of all words, 0 where there are none, and of the first four."""
    opening: Codes
    topics: Index
    """Some bits of the content words' hashes."""
    topic_counts: Index


def _look(block: Block) -> _Part:
    words, at = block.words
    counts = np.diff(np.searchsorted(at, np.append(block.starts, len(block.codes))))
    bounds = _bounds(counts)
    function = are_function_words(words)
    columns = [*_shape_columns(block), *_word_columns(block, function, at, bounds), *_pattern_columns(block)]
    place = np.arange(len(words)) - np.repeat(bounds[:-1], counts)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words * (2 * place + 1).view(np.uint64))])
    opened, closed = sums[bounds[:-1]], bounds[1:]
    return _Part(
        _stacked(columns, len(counts)),
        words,
        counts,
        mix(words[:-1] * MULTIPLIER + words[1:])[_inner(counts)] if len(words) else words,
        mix(sums[closed] - opened),
        mix(sums[np.minimum(bounds[:-1] + 4, closed)] - opened),
        (words[~function] >> np.uint64(64 - TOPIC_BITS)).view(np.int64),
        np.diff(np.concatenate([[0], np.cumsum(~function)])[bounds]),
    )


def _sizes(size: Wide) -> Columns:
    return [np.log1p(size), np.minimum(size, 200) / 200, np.minimum(size, 1000) / 1000]


_FIRST: Final = (UPPER, LOWER, LETTER, CJK, DIGIT, QUOTE, BRACKET, DASH, BAR, AT, SYMBOL)
_LAST: Final = (UPPER, LOWER, LETTER, CJK, DIGIT, STOP, COMMA, COLON, QUOTE, BRACKET, DASH, BAR, SYMBOL)


def _shape_columns(block: Block) -> Columns:
    counts, ends = block.counts, block.ends - 1
    share = counts * (1 / np.maximum(counts.sum(axis=1, dtype=np.int64), 1)).astype(np.float32)[:, None]
    first, last = block.kinds[block.starts], block.kinds[ends]
    before_last = block.kinds[np.maximum(ends - 1, block.starts)]
    final = block.codes[ends]
    return [
        *share.T,
        *(first == kind for kind in _FIRST),
        *(last == kind for kind in _LAST),
        *(final == ord(mark) for mark in "?!…"),
        (last == STOP) & (before_last == STOP),
        (last == QUOTE) & (before_last == STOP),
        *(LOG[counts[:, kind]] for kind in (STOP, COMMA, QUOTE, BAR, DIGIT)),
    ]


_SHARES: Final = 6
_FIELD: Final = 10
"""Bits for each count of a text's words: it has less than 256 of them."""


def _word_columns(block: Block, function: Mask, at: Index, bounds: Index) -> Columns:
    """Counts of words by how they begin and whether they are function words, as shares; one sum counts all six."""
    start, second = block.kinds[at], block.kinds[np.minimum(at + 1, len(block.kinds) - 1)]
    marks = [
        function, start == UPPER, start == LOWER, start == DIGIT,
        (start == UPPER) & (second == UPPER), (start == LOWER) & ~function,
    ]  # fmt: skip
    packed = np.zeros(len(at), np.uint64)
    for number, mark in enumerate(marks):
        packed |= mark.astype(np.uint64) << np.uint64(_FIELD * number)
    counts = np.diff(bounds)
    sums = segments(packed, bounds)
    fields = (sums[:, None] >> (_FIELD * np.arange(_SHARES, dtype=np.uint64))) & np.uint64((1 << _FIELD) - 1)
    some = np.maximum(counts, 1).astype(np.float32)
    letters = block.counts[:, UPPER : DIGIT + 1].sum(axis=1, dtype=np.int64)
    shares = fields.astype(np.float32) / some[:, None]
    return [np.log1p(counts), letters / some / 10, LOG[fields[:, 0].astype(np.int64)], *shares.T]


def _pattern_columns(block: Block) -> Columns:
    """Whether the text holds an address, a handle, a year, a time ... ; read off what stands around their signs."""
    kinds = block.kinds
    at = np.flatnonzero((kinds == DIGIT) | (kinds == STOP) | (kinds == COLON) | (kinds == AT))
    code, kind = block.codes[at], kinds[at]
    ahead = np.minimum(at[None, :] + np.arange(1, 6)[:, None], len(kinds) - 1)
    codes, kinds_on = block.codes[ahead], kinds[ahead]
    text = _in_words(kinds_on[0])
    digits = kinds_on == DIGIT
    digit, two = kind == DIGIT, digits[1] & digits[2]
    sign = _one_of(codes, "./-")
    begun = (code == ord("1")) & (codes[0] == ord("9")) | (code == ord("2")) & (codes[0] == ord("0"))
    handle, after = code == ord("@"), _in_words(kinds[at - 1])
    late = (sign[2] & digits[3]) | (digits[2] & sign[3] & digits[4])
    dot = (code == ord(".")) & (kinds_on[0] == LOWER)
    found = [
        dot | (code == ord(":")) & (codes[0] == ord("/")),
        handle & after & text,
        handle & ~after & text,
        (code == ord("#")) & (kinds_on[0] != SPACE),
        begun & two,
        digit & _one_of(codes[0], ":.h") & two,
        digit & sign[0] & digits[1] & late,
        _one_of(code, ".!?") & (codes[0] == ord(" ")) & (kinds_on[1] != SPACE) & (kinds_on[1] != LOWER),
    ]
    *others, ended = (block.holds(at[mask]) for mask in found)
    letters = block.counts[:, UPPER:DIGIT].any(axis=1)
    alone = (block.counts[:, DIGIT] > 0) & ~letters
    return [*others, alone, ended, _opens_with_colon(block, at[code == ord(":")])]


def _in_words(kind: npt.NDArray[np.uint8]) -> Mask:
    return np.asarray((kind >= UPPER) & (kind <= DIGIT), np.bool_)


def _one_of(codes: npt.NDArray[Any], marks: str) -> Mask:
    return np.asarray(np.logical_or.reduce([codes == ord(mark) for mark in marks]), np.bool_)


def _opens_with_colon(block: Block, colons: Index) -> Mask:
    """Texts with a colon in their first word."""
    first = np.append(colons, len(block.codes))[np.searchsorted(colons, block.starts)]
    some = np.flatnonzero((first > block.starts) & (first < block.ends))
    spaces = np.flatnonzero(block.codes == ord(" "))
    space = np.append(spaces, len(block.codes))[np.searchsorted(spaces, block.starts[some])]
    out = np.zeros(len(first), np.bool_)
    out[some] = first[some] < space
    return out


LOOKS: Final = (
    "log_chars", "chars_200", "chars_1000", *(f"share_{name}" for name in CLASS_NAMES),
    *(f"first_{CLASS_NAMES[kind]}" for kind in _FIRST), *(f"last_{CLASS_NAMES[kind]}" for kind in _LAST),
    "ends_question", "ends_exclamation", "ends_ellipsis", "ends_stops", "ends_stop_quote",
    "log_stops", "log_commas", "log_quotes", "log_bars", "log_digits",
    "log_words", "word_chars", "log_function_words", "function_words", "upper_words", "lower_words", "number_words",
    "capital_words", "lower_content_words",
    "address", "mail", "handle", "hashtag", "year", "time", "date", "number_alone", "stop_inside", "opens_with_colon",
)  # fmt: skip
"""Names of the columns of `Features.looks`, in order; part of the weights' format."""
