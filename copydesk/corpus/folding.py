"""Folding: texts as bytes of which only the words are left, so that texts that differ in nothing else are the same.

    folded    texts -> the UTF-8 of their words in small letters, all else as zeros, end to end; where each begins

A word is a run of letters, marks and digits, casefolded; in scripts that put no spaces between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) each character is one. Format characters (soft hyphens, joiners) are left out.

How: bytes are exchanged for bytes. So go ASCII, all letters of two bytes and those of three that have no other case.
Texts with anything else (`ß`, which becomes two letters, soft hyphens, Chinese) are spelled anew from their characters.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.aligned import Places, end_to_end

__all__ = ["folded"]

Bytes = npt.NDArray[np.uint8]

UNSPACED: Final = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How Unicode's names of the letters of scripts without spaces begin (Korean puts spaces)."""

TABLE: Final = 0x20000
HAN_UNTIL: Final = 0x40000
"""Code points with an entry of their own; above are Chinese characters, and nothing else that is a letter."""

_OTHER, _INSIDE, _ALONE, _RARE = 0, 1, 2, 3

_SMALL: Final = string.ascii_lowercase.encode()
_ASCII: Final = bytes(byte if byte > 0x7F or chr(byte).isalnum() else 0 for byte in range(256)).translate(
    bytes.maketrans(_SMALL.upper(), _SMALL)
)
"""What becomes of each byte by itself."""

_TWO, _THREE, _FOUR = 0xC0, 0xE0, 0xF0
"""The least bytes that begin characters of two, three and four."""


@dataclass(frozen=True)
class _Tables:
    """What each code point is, and becomes in small letters; what the rare ones become, and a test for these."""

    kind: Bytes
    small: npt.NDArray[np.uint32]
    rare: dict[int, str]
    has_rare: re.Pattern[str]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """The tables, made once from Python's own Unicode data."""
    kind = np.zeros(TABLE, dtype=np.uint8)
    small = np.arange(TABLE, dtype=np.uint32)
    rare: dict[int, str] = {}
    for point, char in enumerate(map(chr, range(TABLE))):
        category = unicodedata.category(char)
        if category == "Cf":
            rare[point] = ""
        elif category[0] in "LMN":
            fold = char.casefold()
            if len(fold) > 1:
                rare[point] = fold
            small[point] = ord(fold[0])
            alone = category == "Lo" and unicodedata.name(char, "").startswith(UNSPACED)
            kind[point] = _ALONE if alone else _INSIDE
    kind[list(rare)] = _RARE
    return _Tables(kind, small, rare, re.compile(f"[{''.join(map(chr, rare))}]"))


def folded(texts: pl.Series) -> tuple[Bytes, Places]:
    """The bytes of the texts' words (no text is null), a zero behind each text, and where the texts begin and end."""
    given, bounds = end_to_end(texts + "\n")
    data = np.frombuffer(bytearray(given).translate(_ASCII), np.uint8)
    rare = _exchanged(data)
    if not len(rare):
        return data, bounds
    rows = np.unique(np.searchsorted(bounds, rare, side="right") - 1)
    return _replaced(data, bounds, rows, list(_spelled(texts.gather(rows).to_list())))


def _exchanged(data: Bytes) -> Places:
    """Fold the characters of more than a byte in their places. Gives the places of those for which that is too rare."""
    leads = np.flatnonzero(data >= _TWO)
    lead, table = data[leads], _tables()
    rare = [leads[lead >= _FOUR]]
    for size, places in ((2, leads[lead < _THREE]), (3, leads[(lead >= _THREE) & (lead < _FOUR)])):
        point = _points(data, places, size)
        kind = table.kind[point]
        gap = places[kind == _OTHER]
        for byte in range(size):
            data[gap + byte] = 0
        rest = np.flatnonzero(kind != _OTHER)
        at, point = places[rest], point[rest]
        small = table.small[point]
        fits = (kind[rest] == _INSIDE) & ((small == point) | (size == 2) & (small > 0x7F) & (small < 0x800))
        rare.append(at[~fits])
        changed = fits & (small != point)
        data[at[changed]] = 0xC0 | small[changed] >> 6
        data[at[changed] + 1] = 0x80 | small[changed] & 0x3F
    return np.concatenate(rare)


def _points(data: Bytes, places: Places, size: int) -> npt.NDArray[np.uint32]:
    """The code points of the characters of so many bytes that begin there."""
    found = (data[places] & (0xFF >> size + 1)).astype(np.uint32)
    for at in range(1, size):
        found = (found << 6 | data[places + at] & 0x3F).astype(np.uint32, copy=False)
    return found


def _replaced(data: Bytes, bounds: Places, rows: Places, texts: Sequence[bytes]) -> tuple[Bytes, Places]:
    """The same with other texts in some rows."""
    sizes = np.diff(bounds)
    sizes[rows] = [len(text) for text in texts]
    whole, end = bytearray(), 0
    for row, text in zip(rows.tolist(), texts, strict=True):
        whole += data[end : bounds[row]].tobytes() + text
        end = bounds[row + 1]
    whole += data[end:].tobytes()
    return np.frombuffer(whole, np.uint8), np.cumsum([0, *sizes.tolist()])


def _spelled(texts: Sequence[str]) -> Iterator[bytes]:
    """The same from the texts' characters, a zero behind each text."""
    table = _tables()
    given = [f"{text.translate(table.rare) if table.has_rare.search(text) else text}\n" for text in texts]
    units = np.frombuffer("".join(given).encode("utf-32-le"), np.uint32)
    kind = table.kind.take(units, mode="clip")
    high = units >= TABLE
    kind[high] = np.where(units[high] < HAN_UNTIL, _ALONE, _OTHER)
    small = np.where(high, units, table.small.take(units, mode="clip"))
    alone = kind == _ALONE
    ends = np.cumsum(np.where(alone, 3, 1))  # a character that is a word has zeros about it
    room = np.zeros(int(ends[-1]), dtype="<u4")
    room[ends - 1 - alone] = np.where(kind == _OTHER, 0, small)
    whole = room.tobytes().decode("utf-32-le")
    cuts = ends[np.cumsum([len(text) for text in given]) - 1].tolist()
    return (whole[start:end].encode() for start, end in pairwise([0, *cuts]))
