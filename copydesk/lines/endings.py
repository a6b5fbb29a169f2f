"""How texts without line breaks end: where a scraper joined all lines to one, the site's furniture is its last words.

    joined      which lines are such texts
    endings     the pieces at their end that could be furniture, for the corpus to count
    sentences   what they consist of

An ending begins behind the end of a sentence, and does not end like one itself, for a last sentence that comes again
("The inquiry goes on.") is text. It holds no sentence of more than a few words either. Whether it recurs is for
`copydesk.lines.repetition` to say.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl

from copydesk.lines.shape import SHORT, Ints, Shape

__all__ = ["endings", "joined", "sentences"]

_JOINED: Final = 300
"""Characters from which a line can be a whole text; shorter ones are a line among lines."""
_SENTENCE: Final = 60
"""Characters from which what ends like a sentence is one; "Follow us." is furniture."""
_SEAM: Final = re.compile("[.!?\u2026][\"'\u2019\u201d\u00bb)]* +(?=[^ ])")
_STOP: Final = re.compile("[.!?\u2026][\"'\u2019\u201d\u00bb)]*$")
_NOTE: Final = re.compile(r"[(\[][^()\[\]]*[)\]]\.?")


def joined(shape: Shape) -> Ints:
    """The lines that are a whole text, or all of it below a headline."""
    few = shape.last - shape.first <= 1
    return np.flatnonzero(few & (shape.last == np.arange(len(shape))) & (shape.length >= _JOINED))


def sentences(shape: Shape) -> pl.DataFrame:
    """doc, text: the sentences of the texts that are one line, all of them."""
    which = joined(shape)
    rows = [
        (doc, sentence)
        for doc, text in zip(shape.doc[which].tolist(), shape.text.gather(which).to_list(), strict=True)
        for sentence in _SEAM.split(text)
    ]
    return pl.DataFrame(rows, schema={"doc": pl.Int64, "text": pl.String}, orient="row")


def endings(shape: Shape) -> pl.DataFrame:
    """Every ending of the texts that are one line: at, start, text.

    `at` is the line's index in `shape`, `start` a position in the stripped line from which on it is `text`; of one
    line, the longest ending is first. Rows are in order of lines.
    """
    which = joined(shape)
    rows = []
    for at, text in zip(which.tolist(), shape.text.gather(which).to_list(), strict=True):
        rows += [(at, start, text[start:]) for start in _starts(text)]
    return pl.DataFrame(rows, schema={"at": pl.Int64, "start": pl.Int64, "text": pl.String}, orient="row")


def _starts(text: str) -> list[int]:
    """Where the endings of a text begin, the longest first."""
    seams = [seam.end() for seam in _SEAM.finditer(text, max(0, len(text) - SHORT))]
    found: list[int] = []
    end = len(text)
    for start in reversed(seams):
        piece = text[start:end].rstrip()
        note = _NOTE.fullmatch(piece)
        if _STOP.search(piece) and not note and (end == len(text) or len(piece) >= _SENTENCE):
            break
        found.append(start)
        end = start
    return [start for start in reversed(found) if " " in text[start:]]
