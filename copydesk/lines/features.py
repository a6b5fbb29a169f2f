"""What a line looks like, in numbers: the columns that the model sees, for all lines of a batch at once.

    lines ──► one buffer of code points ──► character classes ──► counts per line   ┐
                                        └─► words ──► 64-bit word hashes            ├─► Features
    order and blank lines ──► place in the document, repeats, topic                 ┘

Every count is a NumPy kernel over one array that holds all texts of the batch (`copydesk.lines.words`).
A document's numbers depend on its own lines only, never on the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.lines.words import (
    AT,
    BAR,
    BRACKET,
    CJK,
    CLASS_NAMES,
    CLASSES,
    COLON,
    COMMA,
    DASH,
    DIGIT,
    HEAD,
    LETTER,
    LOWER,
    QUOTE,
    STOP,
    SYMBOL,
    UPPER,
    Array,
    Characters,
    Codes,
    Index,
    Wide,
    are_function_words,
    characters_of,
    mix,
    words_in,
)

__all__ = ["DENSE", "Features", "features_of"]

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_TOPIC_BITS: Final = 13
_LONG_LINE: Final = 80
"""Characters from which a line with a stop in it is taken for prose (few headlines are as long and have one)."""


@dataclass(frozen=True)
class Features:
    """The numbers of N lines (blank ones left out) that hold W words and P pairs of words.

    dense          (N, len(DENSE)) float32, unscaled
    words, word_line    (W,) uint64 hash and int64 line of each word, in order
    pairs, pair_line    (P,) the same of each two neighbouring words
    first, last    (N,) index into `words` of a line's first and last word, -1 where it has none
    doc            (N,) number of the line's document, from 0, in order
    rows           (N,) row of the line in the table that was given
    """

    dense: Array
    words: Codes
    word_line: Index
    pairs: Codes
    pair_line: Index
    first: Index
    last: Index
    doc: Index
    rows: Index


def features_of(lines: pl.DataFrame) -> Features:
    """Features of the lines that are not blank.

    `lines` has doc (integer), line and text (str), ordered by (doc, line). A line is blank if nothing but white
    space is in it; blank lines count only as "so many blank lines before this one".
    """
    text = lines["text"].fill_null("").str.strip_chars()
    filled = (text.str.len_bytes() > 0).to_numpy()
    rows = np.flatnonzero(filled)
    given = lines["doc"].to_numpy()[rows].astype(np.int64)
    opens = np.ones(len(rows), bool)
    opens[1:] = given[1:] != given[:-1]
    doc = np.cumsum(opens) - 1
    if len(rows) == 0:
        return _nothing()
    text = text.filter(pl.Series(filled))
    buffer = characters_of(text)
    hashes, at = words_in(buffer)
    word_line = buffer.line[at].astype(np.int64)
    bounds = np.searchsorted(word_line, np.arange(len(rows) + 1))
    counts = np.diff(bounds)
    first = np.where(counts > 0, bounds[:-1], -1)
    last = np.where(counts > 0, bounds[1:] - 1, -1)
    same = word_line[1:] == word_line[:-1]
    pairs = mix(hashes[:-1] * _MULTIPLIER + hashes[1:])[same]
    kinds = np.bincount(buffer.line.astype(np.int64) * CLASSES + buffer.kinds, minlength=len(rows) * CLASSES)
    shape = _Shape(text, buffer, kinds.reshape(-1, CLASSES), hashes, at, word_line, counts)
    size = text.str.len_chars().to_numpy().astype(np.float64)
    prose = (size >= _LONG_LINE) & (shape.kinds[:, STOP] > 0)
    columns = [
        *_shape_columns(shape, size),
        *_word_columns(shape),
        *_pattern_columns(text),
        *_place_columns(doc, size, prose),
        *_repeat_columns(doc, shape),
        *_topic_columns(doc, shape, prose),
        *_blank_columns(doc, rows),
    ]
    dense = np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
    return Features(dense, hashes, word_line, pairs, word_line[1:][same], first, last, doc, rows)


def _nothing() -> Features:
    none, codes = np.zeros(0, np.int64), np.zeros(0, np.uint64)
    dense = np.zeros((0, len(DENSE)), np.float32)
    return Features(dense, codes, none, codes, none, none, none, none, none)


@dataclass(frozen=True)
class _Shape:
    text: pl.Series
    buffer: Characters
    kinds: Index
    hashes: Codes
    at: Index
    word_line: Index
    words: Index


def _per_line(shape: _Shape, values: npt.NDArray[np.generic]) -> Wide:
    """Sum of a value per word over each line."""
    return np.asarray(np.bincount(shape.word_line, values.astype(np.float64), len(shape.words)), np.float64)


_FIRST: Final = (UPPER, LOWER, LETTER, CJK, DIGIT, QUOTE, BRACKET, DASH, BAR, AT, SYMBOL)
_LAST: Final = (UPPER, LOWER, LETTER, CJK, DIGIT, STOP, COMMA, COLON, QUOTE, BRACKET, DASH, BAR, SYMBOL)


def _shape_columns(shape: _Shape, size: Wide) -> list[npt.NDArray[np.generic]]:
    buffer = shape.buffer
    ends = np.append(buffer.starts[1:], len(buffer.codes))[: len(buffer.starts)] - 2
    total = np.maximum(shape.kinds.sum(axis=1), 1)
    first, last = buffer.kinds[buffer.starts], buffer.kinds[ends]
    before_last = buffer.kinds[np.maximum(ends - 1, buffer.starts)]
    last_code = buffer.codes[ends]
    out: list[npt.NDArray[np.generic]] = [np.log1p(size), np.minimum(size, 200) / 200, np.minimum(size, 1000) / 1000]
    out += [shape.kinds[:, kind] / total for kind in range(CLASSES)]
    out += [first == kind for kind in _FIRST] + [last == kind for kind in _LAST]
    out += [last_code == ord(mark) for mark in "?!…"]
    out += [(last == STOP) & (before_last == STOP), (last == QUOTE) & (before_last == STOP)]
    out += [np.log1p(shape.kinds[:, kind]) for kind in (STOP, COMMA, QUOTE, BAR, DIGIT)]
    return out


def _word_columns(shape: _Shape) -> list[npt.NDArray[np.generic]]:
    kinds = shape.buffer.kinds
    start = kinds[shape.at]
    second = kinds[np.minimum(shape.at + 1, len(kinds) - 1)]
    function = are_function_words(shape.hashes)
    words = np.maximum(shape.words, 1)
    letters = shape.kinds[:, UPPER : DIGIT + 1].sum(axis=1)
    functions = _per_line(shape, function)
    shares = [
        functions,
        _per_line(shape, start == UPPER),
        _per_line(shape, start == LOWER),
        _per_line(shape, start == DIGIT),
        _per_line(shape, (start == UPPER) & (second == UPPER)),
        _per_line(shape, (start == LOWER) & ~function),
    ]
    return [np.log1p(shape.words), letters / words / 10, np.log1p(functions), *(share / words for share in shares)]


_PATTERNS: Final = (
    r"(?i)https?:|www\.|\.com\b",
    r"[A-Za-z0-9]@[A-Za-z0-9]",
    r"(^|[ (])@[A-Za-z0-9_]",
    r"#[^ #]",
    r"(19|20)[0-9][0-9]",
    r"[0-9]{1,2}[:.h][0-9]{2}",
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}",
    r"^[^A-Za-z0-9]*[0-9]+[^A-Za-z0-9]*$",
    r"[.!?] +[^a-z ]",
    r"^[^ ]+:",
)


def _pattern_columns(text: pl.Series) -> list[npt.NDArray[np.generic]]:
    head = pl.col("text").str.head(HEAD)
    found = text.to_frame("text").select(head).select(pl.col("text").str.contains(p).alias(p) for p in _PATTERNS)
    return [found[pattern].to_numpy() for pattern in _PATTERNS]


def _spread(doc: Index, values: Wide) -> Wide:
    """The sum of `values` over each document, at each of its lines."""
    return np.asarray(np.bincount(doc, values)[doc], np.float64) if len(doc) else values


def _running(doc: Index, values: Wide) -> Wide:
    """The sum of `values` (whole numbers, so that the order of adding cannot matter) over the lines before."""
    before = np.cumsum(values) - values
    return before - before[np.searchsorted(doc, doc)]


def _steps_since(doc: Index, marked: npt.NDArray[np.bool_]) -> Wide:
    """Lines since the last marked line of the document, 99 where there is none; a marked line looks further back."""
    number = np.arange(len(doc))
    seen = np.maximum.accumulate(np.where(marked, number, -1))
    seen = np.concatenate([[-1], seen[:-1]])
    return np.where(seen >= np.searchsorted(doc, doc), number - seen, 99.0)


def _place_columns(doc: Index, size: Wide, prose: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.generic]]:
    count = _spread(doc, np.ones(len(doc)))
    number = _running(doc, np.ones(len(doc)))
    chars, mass = _spread(doc, size), size * prose
    all_prose, prose_before = _spread(doc, mass), _running(doc, mass)
    prose_after = all_prose - prose_before - mass
    longest = np.maximum.reduceat(size, np.flatnonzero(np.diff(doc, prepend=-1)))[doc] if len(doc) else size
    back = np.flip(_steps_since(np.flip(doc.max(initial=0) - doc), np.flip(prose)))
    some = np.maximum(all_prose, 1)
    return [
        np.log1p(number), np.log1p(count - 1 - number), number / count, _running(doc, size) / chars,
        np.log1p(count), np.log1p(chars), np.log1p(all_prose), all_prose / chars, size / longest,
        prose_before / some, prose_after / some, np.log1p(prose_before), np.log1p(prose_after), prose,
        np.log1p(_steps_since(doc, prose)), np.log1p(back), _spread(doc, prose.astype(np.float64)) / count,
    ]  # fmt: skip


def _repeat_columns(doc: Index, shape: _Shape) -> list[npt.NDArray[np.generic]]:
    """How often, and on which side, the same words or the same first four words stand elsewhere in the document."""
    place = np.arange(len(shape.hashes)) - np.repeat(np.cumsum(shape.words) - shape.words, shape.words)
    spread = mix(shape.hashes + place.astype(np.uint64) * _MULTIPLIER)
    out: list[npt.NDArray[np.generic]] = []
    for values in (spread, np.where(place < 4, spread, np.uint64(0))):
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values)])
        bounds = np.concatenate([[0], np.cumsum(shape.words)])
        key = mix(sums[bounds[1:]] - sums[bounds[:-1]] + doc.astype(np.uint64) * _MULTIPLIER)
        _, opening, which, times = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        number = np.arange(len(doc))
        final = np.zeros(len(opening), np.int64)
        final[which] = number
        worth = shape.words > 0
        out += [np.log(times[which]) * worth, (opening[which] < number) & worth, (final[which] > number) & worth]
    return out


def _topic_columns(doc: Index, shape: _Shape, prose: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.generic]]:
    """How many of a line's content words stand in the document's other prose lines (by 13 bits of their hashes)."""
    content = ~are_function_words(shape.hashes)
    slot = (doc[shape.word_line] << _TOPIC_BITS) + (shape.hashes >> np.uint64(64 - _TOPIC_BITS)).astype(np.int64)
    own = prose[shape.word_line] & content
    table = np.bincount(slot[own], minlength=(int(doc.max(initial=-1)) + 1) << _TOPIC_BITS)
    found = np.maximum(table[slot] - own, 0) * content
    words = np.maximum(_per_line(shape, content), 1)
    return [_per_line(shape, found > 0) / words, _per_line(shape, np.log1p(found)) / words, words > 1]


def _blank_columns(doc: Index, rows: Index) -> list[npt.NDArray[np.generic]]:
    """Blank lines before and after (3 and more count alike), and how many of the document's lines have one before."""
    opens = np.diff(doc, prepend=-1) > 0
    gap = np.minimum(np.diff(rows, prepend=-1) - 1, 3)
    gap[opens] = 0
    after = np.append(gap[1:], 0)
    share = _spread(doc, (gap > 0).astype(np.float64)) / np.maximum(_spread(doc, (~opens).astype(np.float64)), 1)
    return [gap / 3, after / 3, share]


_FIRST_NAMES: Final = tuple(f"first_{CLASS_NAMES[kind]}" for kind in _FIRST)
_LAST_NAMES: Final = tuple(f"last_{CLASS_NAMES[kind]}" for kind in _LAST)
DENSE: Final = (
    "log_chars", "chars_200", "chars_1000", *(f"share_{name}" for name in CLASS_NAMES), *_FIRST_NAMES, *_LAST_NAMES,
    "ends_question", "ends_exclamation", "ends_ellipsis", "ends_stops", "ends_stop_quote",
    "log_stops", "log_commas", "log_quotes", "log_bars", "log_digits",
    "log_words", "word_chars", "log_function_words", "function_words", "upper_words", "lower_words", "number_words",
    "capital_words", "lower_content_words",
    "url", "mail", "handle", "hashtag", "year", "time", "date", "number_alone", "stop_inside", "opens_with_colon",
    "number", "number_from_end", "place", "chars_before", "log_lines", "log_all_chars", "log_prose", "prose_share",
    "of_longest", "prose_before", "prose_after", "log_prose_before", "log_prose_after", "is_prose",
    "since_prose", "until_prose", "prose_lines",
    "repeats", "stood_before", "comes_again", "opening_repeats", "opening_stood_before", "opening_comes_again",
    "topic", "topic_strength", "topic_known",
    "blank_before", "blank_after", "blank_share",
)  # fmt: skip
"""Names of the columns of `Features.dense`, in order; part of the weights' format."""
