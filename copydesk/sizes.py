"""How long texts are: characters, words and sentences, counted in the bytes of all texts at once.

A word is a run without blanks or line feeds. A sentence ends with a sign of `_ENDS`, perhaps closed by quotation marks
or brackets, before a blank, a line feed or the end of the text; a text has at least one. Regular expressions, which
stop at every word, take four times as long.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.aligned import end_to_end, stretches

__all__ = ["sizes"]

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_ENDS: Final = ".!?\u2026\u3002\u061f\u06d4\u0964"
_CLOSERS: Final = "\"'\u2019\u201d\u00bb)]"
_LEAD: Final = 0xC2
"""The least byte that begins a character of more than one."""


_PIECE: Final = 1 << 20
"""Bytes of texts that are looked at together: a dozen arrays as long as a batch's bytes take half as much again."""


def sizes(texts: pl.Series) -> pl.DataFrame:
    """Columns chars, words and sentences, a row for each text; no text is null."""
    return pl.concat([_sized(texts[some]) for some in stretches(texts, _PIECE)] or [_sized(texts)])


def _sized(texts: pl.Series) -> pl.DataFrame:
    whole, bounds = end_to_end(texts)
    ends = np.bincount(_of_text(_sentence_ends(whole, bounds), bounds), minlength=len(texts))
    return pl.DataFrame(
        {
            "chars": texts.str.len_chars(),
            "words": pl.Series(_words(whole, bounds), dtype=pl.UInt32),
            "sentences": pl.Series(np.where(np.diff(bounds) > 0, np.maximum(ends, 1), 0), dtype=pl.UInt32),
        }
    )


def _words(whole: Bytes, bounds: Places) -> list[int]:
    """How many words each text has: places that are no gap after one, or at the start of a text."""
    gap = (whole == ord(" ")) | (whole == ord("\n"))
    begins = ~gap
    begins[1:] &= gap[:-1]
    starts = bounds[:-1][np.diff(bounds) > 0]
    begins[starts] = ~gap[starts]
    return [int(np.count_nonzero(begins[start:end])) for start, end in pairwise(bounds.tolist())]


def _sentence_ends(whole: Bytes, bounds: Places) -> Places:
    """The places of the last sign of each sentence's end, and of what closes it."""
    signs = (whole == ord(".")) | (whole == ord("!")) | (whole == ord("?"))
    leads = np.flatnonzero(whole >= _LEAD)
    after = np.concatenate([np.flatnonzero(signs) + 1, _behind(whole, leads, _ENDS)])
    last = [np.zeros(0, np.int64)]
    limit = np.zeros(len(whole) + 1, dtype=np.bool_)
    limit[bounds] = True
    while len(after):
        inside = ~limit[after]
        last.append(after[~inside] - 1)
        after = after[inside]
        there = whole[after]
        gap = (there == ord(" ")) | (there == ord("\n"))
        last.append(after[gap] - 1)
        after = after[~gap]
        after = _behind(whole, after, _CLOSERS)
    return np.concatenate(last)


def _behind(whole: Bytes, places: Places, signs: str) -> Places:
    """The places behind those of the characters at `places` that are among the signs."""
    found = [np.zeros(0, np.int64)]
    for sign in signs:
        code = sign.encode()
        here = places
        for at, byte in enumerate(code):
            here = here[whole.take(here + at, mode="clip") == byte]
        found.append(here + len(code))
    return np.concatenate(found)


def _of_text(places: Places, bounds: Places) -> Places:
    """The number of the text in which each place lies."""
    found: Places = np.searchsorted(bounds, places, side="right") - 1
    return found
