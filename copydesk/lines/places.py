"""Where a line stands in its document, in numbers, and what comes again there.

    place_columns    number and share of lines, characters and prose before and after it
    repeat_columns   how often its words, or the first of them, stand elsewhere in the document
    topic_columns    how many of its words the document's prose holds
    blank_columns    blank lines around it

A document's numbers depend on its own lines only, never on the batch.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from copydesk.lines.shape import ranges
from copydesk.lines.words import Array, Codes, Index, Mask, Wide

__all__ = [
    "LOG", "MULTIPLIER", "PLACES", "TOPIC_BITS", "blank_columns", "place_columns", "repeat_columns", "topic_columns",
]  # fmt: skip

Columns = list[npt.NDArray[Any]]
MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
TOPIC_BITS: Final = 12
_STRETCH: Final = 1024
"""Lines whose topics are looked at together: their tables fit into a core's cache."""
LOG: Final = np.log1p(np.arange(256)).astype(np.float32)


def _opens(doc: Index) -> Index:
    return np.flatnonzero(np.diff(doc, prepend=-1))


def _spread(doc: Index, values: Wide) -> Wide:
    """The sum of `values` over each document, at each of its lines."""
    return np.asarray(np.bincount(doc, values)[doc], np.float64) if len(doc) else values


def _running(values: Wide, start: Index, lines: Index) -> Wide:
    """The sum of `values` (whole numbers, so that the order of adding cannot matter) from `start` up to each line."""
    before = np.cumsum(values) - values
    return np.asarray(before[lines] - before[start], np.float64)


def _steps(first: Index, last: Index, marked: Mask, lines: Index) -> tuple[Index, Index]:
    """How many lines back, and on, the nearest other marked line of the document is from each of the `lines`.

    99 where there is none; `first` and `last` are those of each of the lines' documents.
    """
    far = len(marked) + 99
    places = np.concatenate([[-far], np.flatnonzero(marked), [far]])
    seen = np.cumsum(marked)[lines]
    before, after = places.take(seen - marked[lines]), places.take(seen + 1)
    return np.where(before >= first, lines - before, 99), np.where(after <= last, after - lines, 99)


def _log(numbers: Index) -> Wide:
    """log(1 + n) of small numbers: looked up."""
    return np.log1p(np.arange(numbers.max(initial=0) + 1)).take(numbers)


def place_columns(doc: Index, size: Wide, prose: Mask, lines: Index) -> Columns:
    """Number and share of lines, characters (`size`) and prose before and after each of the `lines` of documents."""
    opens = _opens(doc)
    lengths = np.diff(opens, append=len(doc))
    own, mass = doc[lines], size * prose
    start, count = opens[own], lengths[own]
    chars, all_prose, prose_lines = (np.add.reduceat(each, opens) for each in (size, mass, prose.astype(np.float64)))
    longest, number = np.maximum.reduceat(size, opens), lines - start
    prose_before = _running(mass, start, lines)
    prose_after = all_prose[own] - prose_before - mass[lines]
    some = np.maximum(all_prose, 1)[own]
    since, until = _steps(start, start + count - 1, prose, lines)
    return [
        _log(number), _log(count - 1 - number), number / count, _running(size, start, lines) / chars[own],
        _log(lengths)[own], np.log1p(chars)[own], np.log1p(all_prose)[own], (all_prose / chars)[own],
        size[lines] / longest[own], prose_before / some, prose_after / some, np.log1p(prose_before),
        np.log1p(prose_after), prose[lines], _log(since), _log(until), (prose_lines / lengths)[own],
    ]  # fmt: skip


def repeat_columns(doc: Index, text: Index, hashes: list[Codes]) -> Columns:
    """How often, and on which side, the same words or the same first four words stand elsewhere in the document."""
    out: Columns = []
    for told in hashes:
        key = (told ^ MULTIPLIER)[text] * (doc.astype(np.uint64) * np.uint64(2) + np.uint64(1))
        worth = (told != 0)[text]
        out += [column * worth for column in _copies(key)]
    return out


def _copies(key: Codes) -> Columns:
    """Log of how often each key is there, whether it was there before, and whether it comes again."""
    number = np.arange(len(key))
    out: Columns = [np.zeros(len(key), np.float32), np.zeros(len(key), np.bool_), np.zeros(len(key), np.bool_)]
    order = np.argsort(key)
    ordered = key[order]
    twin = np.flatnonzero(ordered[1:] == ordered[:-1])
    several = np.unique(np.concatenate([twin, twin + 1]))
    if not len(several):
        return out
    rows, keys = order[several], ordered[several]
    group = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    times = np.diff(group, append=len(keys))
    out[0][rows] = np.repeat(np.log(times), times)
    out[1][rows] = np.repeat(np.minimum.reduceat(rows, group), times) < number[rows]
    out[2][rows] = np.repeat(np.maximum.reduceat(rows, group), times) > number[rows]
    return out


def topic_columns(doc: Index, text: Index, slots: Index, bounds: Index, prose: Mask) -> Columns:
    """How many of a line's content words stand in the document's other prose lines (by some bits of their hashes)."""
    out = np.zeros((3, len(doc)), np.float32)
    cuts = _stretches(doc, _STRETCH)
    most = max((int(doc[high - 1] - doc[low]) + 1 for low, high in cuts), default=0)
    table = np.zeros(most << TOPIC_BITS, np.int32)
    for low, high in cuts:
        out[:, low:high] = _topics(doc[low:high] - doc[low], text[low:high], slots, bounds, prose[low:high], table)
    return list(out)


def _topics(doc: Index, text: Index, slots: Index, bounds: Index, prose: Mask, table: npt.NDArray[np.int32]) -> Array:
    """The same for some documents; `table`, a place for each of their slots, is all zeros, and so it is left."""
    count = bounds[text + 1] - bounds[text]
    line = np.repeat(np.arange(len(text)), count)
    slot = slots.take(ranges(bounds, text)) + (doc << TOPIC_BITS).take(line)
    own = prose.take(line)
    told = slot[own]
    np.add.at(table, told, np.int32(1))
    found = np.minimum(table.take(slot) - own, 255)
    table[told] = 0
    some = np.maximum(count, 1)
    known = np.bincount(line, found > 0, len(text)) / some
    return np.stack([known, np.bincount(line, LOG.take(found), len(text)) / some, count > 1], dtype=np.float32)


def blank_columns(doc: Index, rows: Index) -> Columns:
    """Blank lines before and after (3 and more count alike), and how many of the document's lines have one before."""
    opens = np.diff(doc, prepend=-1) > 0
    gap = np.minimum(np.diff(rows, prepend=-1) - 1, 3)
    gap[opens] = 0
    after = np.append(gap[1:], 0)
    share = _spread(doc, (gap > 0).astype(np.float64)) / np.maximum(_spread(doc, (~opens).astype(np.float64)), 1)
    return [gap / 3, after[: len(gap)] / 3, share]


def _stretches(doc: Index, size: int) -> list[tuple[int, int]]:
    """Where to part the lines: between documents, about every `size` lines."""
    opens = np.append(_opens(doc), len(doc))
    cuts = np.unique(opens[np.searchsorted(opens, np.append(np.arange(0, len(doc), size), len(doc)))])
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


PLACES: Final = (
    "number", "number_from_end", "place", "chars_before", "log_lines", "log_all_chars", "log_prose", "prose_share",
    "of_longest", "prose_before", "prose_after", "log_prose_before", "log_prose_after", "is_prose",
    "since_prose", "until_prose", "prose_lines",
    "repeats", "stood_before", "comes_again", "opening_repeats", "opening_stood_before", "opening_comes_again",
    "topic", "topic_strength", "topic_known",
    "blank_before", "blank_after", "blank_share",
)  # fmt: skip
"""Names of the columns of `Features.places`, in order; part of the weights' format."""
