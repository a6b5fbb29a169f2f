"""Shingles: each text as the set of its runs of five words, as 64-bit hashes, whole batches of texts at once.

    shingle     texts -> Shingled: the hashes of all texts in one array, in pieces of bounded size
    distinct    the same, each hash once per text and sorted: the sets themselves

A word is a run of letters, marks and digits, casefolded; in scripts that put no spaces between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) each character counts as one. What stands between words does not count: two
copies with other quotation marks or line breaks are the same. Format characters (soft hyphens, joiners) are left out.

How: characters become random 64-bit numbers, a word's first one plus a constant; running sums of these times the
powers of an odd number give the hash of any run of words as one difference (a polynomial hash modulo 2^64, without
its position), which is then mixed. So a text costs a few passes over arrays, and no Python object per word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["BITS", "WORDS", "Shingled", "distinct", "pieces", "shingle"]

WORDS: Final = 5
"""Words of a shingle: runs of five are rarely shared by stories that were written apart."""

PIECE: Final = 80_000
"""Characters that are worked on at once: the arrays of a piece stay in the processor's cache."""

BITS: Final = 44
"""Bits of a shingle's hash in a set; the other 20 number the set while many are sorted at once. In a pair of texts of
10,000 words one in 100,000 has two different shingles of one hash, which changes its similarity by 0.0001."""

UNSPACED: Final = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How Unicode's names of the letters of scripts without spaces begin (Korean puts spaces)."""

TABLE: Final = 0x20000
"""Code points with an entry of their own; above are Chinese characters, and nothing else that is a letter."""

HAN_ABOVE: Final = range(0x20000, 0x40000)

BASE: Final = np.uint64(0x9E3779B97F4A7C15 - 2)
"""The odd number: 3 modulo 8, so that its powers, and their differences, are as far from 0 as they can be."""

FIRST: Final = np.uint64(0xD6E8FEB86659FD93)
"""What the first character of a word has more."""

_OTHER, _INSIDE, _ALONE, _RARE = 0, 1, 2, 3

U64 = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Shingled:
    """Shingle hashes of some texts, text after text; where each one's end, and how many words it has."""

    hashes: U64
    ends: Places
    words: Places

    @property
    def counts(self) -> Places:
        """Shingles of each text; 0 where it has fewer than five words."""
        return np.diff(self.ends, prepend=0)


@dataclass(frozen=True)
class _Tables:
    """What each code point is, and its number."""

    kind: npt.NDArray[np.uint8]
    number: U64
    rare: tuple[str, ...]
    folded: tuple[str, ...]


def mixed(values: U64) -> U64:
    """Every bit of the result depends on every bit of the value (the finish of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """The tables, made once from Python's own Unicode data."""
    kind = np.zeros(TABLE, dtype=np.uint8)
    folded = np.arange(TABLE, dtype=np.uint64)
    rare: dict[str, str] = {}
    for point, char in enumerate(map(chr, range(TABLE))):
        category = unicodedata.category(char)
        if category == "Cf":
            rare[char] = ""
        elif category[0] in "LMN":
            fold = char.casefold()
            if len(fold) > 1:
                rare[char] = fold
            folded[point] = ord(fold[0])
            alone = category == "Lo" and unicodedata.name(char, "").startswith(UNSPACED)
            kind[point] = _ALONE if alone else _INSIDE
    kind[[ord(char) for char in rare]] = _RARE
    return _Tables(kind, mixed(folded * np.uint64(0x9E3779B97F4A7C15)), tuple(rare), tuple(rare.values()))


@lru_cache(maxsize=1)
def _powers(size: int) -> tuple[U64, U64]:
    """Powers of BASE and of its inverse, from 0 on."""
    inverse = np.uint64(pow(int(BASE), -1, 1 << 64))
    up, down = (np.full(size, factor, dtype=np.uint64) for factor in (BASE, inverse))
    up[0] = down[0] = 1
    return np.cumprod(up), np.cumprod(down)


def shingle(texts: pl.Series) -> Iterator[Shingled]:
    """The shingles of texts (no nulls), a piece of consecutive texts at a time."""
    for piece in pieces(texts):
        yield _shingled(piece)


def pieces(texts: pl.Series) -> Iterator[pl.Series]:
    """The texts, cut so that a piece has about PIECE bytes, or one text."""
    total = texts.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    start = 0
    while start < len(texts):
        before = int(total[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(total, before + PIECE, side="right")))
        yield texts[start:end]
        start = end


def _shingled(texts: pl.Series) -> Shingled:
    kinds, units, lengths = _units(texts)
    inside = np.flatnonzero(kinds != _OTHER)
    word = kinds == _INSIDE
    first = kinds == _ALONE
    first |= word
    first[1:] &= ~(word[1:] & word[:-1])
    number = _numbers(units.take(inside))
    begins = np.append(np.flatnonzero(first.take(inside)), len(inside))  # of words, among the characters that count
    number[begins[:-1]] += FIRST
    words = np.diff(np.searchsorted(begins[:-1], np.searchsorted(inside, np.cumsum(lengths))), prepend=0)
    up, down = _powers(max(1 << 18, 1 << len(inside).bit_length()))
    number *= up[: len(number)]
    sums = np.empty(len(number) + 1, dtype=np.uint64)
    sums[0] = 0
    np.cumsum(number, out=sums[1:])
    return _runs(sums, begins, down, words)


def _runs(sums: U64, begins: Places, down: U64, words: Places) -> Shingled:
    """The hashes of all runs of WORDS words that lie within one text."""
    counts = np.maximum(words - (WORDS - 1), 0)
    if len(begins) <= WORDS:
        return Shingled(np.zeros(0, np.uint64), np.cumsum(counts), words)
    start = begins[:-WORDS]
    hashes = (sums.take(begins[WORDS:]) - sums.take(start)) * down.take(start)
    within = np.ones(len(hashes), dtype=bool)
    ends = np.cumsum(words)
    for back in range(1, WORDS):
        last = ends[words >= back] - back
        within[last[last < len(hashes)]] = False
    return Shingled(mixed(hashes[within]), np.cumsum(counts), words)


def _units(texts: pl.Series) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32], Places]:
    """The kinds and code points of the texts' characters, a break after each text, and their lengths with it."""
    table = _tables()
    given = texts.to_list()
    units = np.frombuffer("\n".join([*given, ""]).encode("utf-32-le"), np.uint32)
    kinds = table.kind.take(units, mode="clip")
    if units.max() >= TABLE:
        high = units >= TABLE
        kinds[high] = np.where(np.isin(units[high], HAN_ABOVE), _ALONE, _OTHER)
    if kinds.max() == _RARE:
        return _units(texts.str.replace_many(list(table.rare), list(table.folded)))
    return kinds, units, np.fromiter(map(len, given), dtype=np.intp, count=len(given)) + 1


def _numbers(units: npt.NDArray[np.uint32]) -> U64:
    numbers = _tables().number.take(units, mode="clip")
    if len(units) and units.max() >= TABLE:
        high = units >= TABLE
        numbers[high] = mixed(units[high] * np.uint64(0x9E3779B97F4A7C15))
    return numbers


def distinct(texts: pl.Series) -> tuple[U64, Places]:
    """The shingle sets of texts: sorted hashes of BITS bits, one set after the other, and where each set ends."""
    hashes, sizes = [np.zeros(0, np.uint64)], [np.zeros(0, np.intp)]
    for some in shingle(texts):
        text = np.repeat(np.arange(len(some.words), dtype=np.uint64), some.counts)
        keyed = text << np.uint64(BITS) | some.hashes >> np.uint64(64 - BITS)
        keyed.sort()
        keyed = np.append(keyed[:1], keyed[1:][keyed[1:] != keyed[:-1]])
        hashes.append(keyed & np.uint64((1 << BITS) - 1))
        sizes.append(np.bincount((keyed >> np.uint64(BITS)).astype(np.intp), minlength=len(some.words)))
    return np.concatenate(hashes), np.cumsum(np.concatenate(sizes))
