"""Shingles: each text as the set of its runs of five words, as 64-bit hashes, whole batches of texts at once.

    shingle     texts -> Shingled: the hashes of all texts in one array, in pieces of bounded size
    distinct    the same, each hash once per text and sorted: the sets themselves

What a word is says copydesk/corpus/folding.py. What stands between words does not count: two copies with other
quotation marks or line breaks are the same.

How: a word's bytes are taken as numbers of 64 bits, mostly one, and mixed. Running sums of these times the powers of
an odd number give the hash of any run of words as one difference (a polynomial hash modulo 2^64, without its position),
which is then mixed. So a text costs a few passes over arrays, and no Python object per word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.aligned import stretches
from copydesk.corpus.folding import folded

__all__ = ["BITS", "WORDS", "Shingled", "distinct", "mixed", "shingle"]

WORDS: Final = 5
"""Words of a shingle: runs of five are rarely shared by stories that were written apart."""

PIECE: Final = 300_000
"""Bytes of texts that are worked on at once, from folding on: the arrays of a piece stay in the processor's cache, and
are no new memory each time. With 120,000 or 1,000,000 it takes a sixth longer."""

BITS: Final = 44
"""Bits of a shingle's hash in a set; the other 20 number the set while many are sorted at once. In a pair of texts of
10,000 words one in 100,000 has two different shingles of one hash, which changes its similarity by 0.0001."""

BASE: Final = np.uint64(0x9E3779B97F4A7C15 - 2)
"""The odd number: 3 modulo 8, so that its powers, and their differences, are as far from 0 as they can be."""

ROOM: Final = 1 << 17
"""Powers that are kept at least."""

EIGHT: Final = 8
MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(EIGHT + 1)], dtype=np.uint64)
"""The bits of so many bytes."""

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


def mixed(values: U64) -> U64:
    """Every bit of the result depends on every bit of the value (the finish of splitmix64)."""
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


@lru_cache(maxsize=1)
def _powers(size: int) -> tuple[U64, U64]:
    """Powers of BASE and of its inverse, from 0 on."""
    inverse = np.uint64(pow(int(BASE), -1, 1 << 64))
    up, down = (np.full(size, factor, dtype=np.uint64) for factor in (BASE, inverse))
    up[0] = down[0] = 1
    return np.cumprod(up), np.cumprod(down)


def shingle(texts: pl.Series) -> Iterator[Shingled]:
    """The shingles of texts (no nulls), a piece of consecutive texts at a time."""
    for some in stretches(texts, PIECE):
        yield _shingled(*folded(texts[some]))


def _shingled(data: npt.NDArray[np.uint8], bounds: Places) -> Shingled:
    """The shingles of texts whose words are the runs of bytes that are not 0; behind each text is a 0."""
    inside = np.zeros(len(data) + 1, dtype=np.bool_)
    np.not_equal(data, 0, out=inside[1:])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    begins = edges[::2].copy()
    sizes = edges[1::2] - begins
    words = np.diff(np.searchsorted(begins, bounds))
    return _runs(_words(data, begins, sizes), words)


def _words(data: npt.NDArray[np.uint8], begins: Places, sizes: Places) -> U64:
    """The hashes of words: of eight bytes after the other, as numbers."""
    eights = np.zeros(len(data) // EIGHT + 2, dtype="<u8")
    eights.view(np.uint8)[: len(data)] = data
    hashes = mixed(_eight(eights, begins, sizes))
    longer = np.flatnonzero(sizes > EIGHT)
    done = EIGHT
    while len(longer):
        rest = sizes[longer] - done
        hashes[longer] = mixed(hashes[longer] ^ _eight(eights, begins[longer] + done, rest))
        longer, done = longer[rest > EIGHT], done + EIGHT
    return hashes


def _eight(eights: U64, places: Places, sizes: Places) -> U64:
    """The bytes at these places as numbers, so many, at most eight, of bytes that `eights` has by eights."""
    at, shift = places >> 3, (places & 7).view(np.uint64) << np.uint64(3)
    found: U64 = eights.take(at) >> shift
    found |= (eights.take(at + 1) << np.uint64(1)) << (np.uint64(63) - shift)
    found &= MASKS.take(sizes, mode="clip")
    return found


def _runs(word: U64, words: Places) -> Shingled:
    """The hashes of all runs of WORDS words that lie within one text."""
    counts = np.maximum(words - (WORDS - 1), 0)
    if len(word) < WORDS:
        return Shingled(np.zeros(0, np.uint64), np.cumsum(counts), words)
    up, down = _powers(max(ROOM, 1 << len(word).bit_length()))
    sums = np.zeros(len(word) + 1, dtype=np.uint64)
    np.cumsum(word * up[: len(word)], out=sums[1:])
    hashes = (sums[WORDS:] - sums[:-WORDS]) * down[: len(word) - WORDS + 1]
    within = np.ones(len(hashes), dtype=np.bool_)
    ends = np.cumsum(words)
    for back in range(1, WORDS):
        last = ends[words >= back] - back
        within[last[last < len(hashes)]] = False
    return Shingled(mixed(hashes[within]), np.cumsum(counts), words)


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
