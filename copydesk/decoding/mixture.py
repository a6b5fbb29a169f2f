"""Files that mix encodings: most lines are UTF-8, the others are each read by itself.

Such files come from pasting, appending and templates: a paragraph in cp1252 under an UTF-8 headline. The lines that
are UTF-8 show the language of the file, letter by letter with its frequency; a line in another encoding is read in the
one whose letters are the most usual ones there. So a line reads as French in a French file and as Russian in a
Russian one, by itself: what its neighbours suffered does not matter. A line in which UTF-8 outweighs a few stray bytes
is mended byte by byte.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.decoding.legacy import decode_line, guess

__all__ = ["Mixture"]

_SEQUENCE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SEQUENCE_OR_STRAY: Final = re.compile(
    b"(?:" + _SEQUENCE.pattern + rb")+|(?P<stray>[\x80-\xff]+?(?=[\xc2-\xf4][\x80-\xbf]|[\x00-\x7f]|$))"
)
_HIGH: Final = re.compile(rb"[\x80-\xff]+")

_ONE_BYTE: Final = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "cp1255",
    "cp1256",
    "cp874",
    "koi8-r",
    "koi8-u",
    "iso8859-2",
    "iso8859-5",
    "iso8859-6",
    "iso8859-7",
    "iso8859-13",
    "iso8859-15",
    "iso8859-16",
    "mac-roman",
    "mac-cyrillic",
    "cp866",
    "cp850",
    "cp437",
    "cp852",
)
_MANY_BYTES: Final = ("cp932", "gb18030", "big5hkscs", "euc_jp", "cp949")

# What a character unseen in the UTF-8 lines counts for: a letter may well occur, a sign seldom, a control never.
_UNSEEN_LETTER: Final = 0.1
_UNSEEN_SIGN: Final = 0.02
_UNSEEN_CONTROL: Final = 1e-9
_USUAL_MARKS: Final = frozenset("\u00a0“”‘’„«»‹›…–—¡¿·°§€£№©®™")
_OTHER_CASE: Final = 0.2  # of its frequency, where the letter was seen in the other case
_KNOWN_SHARE: Final = 0.34  # of a line's letters must be known, or the file's alphabet does not apply to the line
_UTF8_SHARE: Final = 0.34  # bytes of UTF-8 per stray byte; legacy files have under .1 by chance, mixed ones over 1


class Mixture:
    """The lines of a file that are not UTF-8, `bad`, beside the characters of those that are, counted in `good`."""

    def __init__(self, bad: list[bytes], good: Counter[str]) -> None:
        self._bad = bad
        self._good = good
        self._total = good.total()
        self.used: list[str] = []

    def trusts_utf8(self) -> bool:
        """Whether the lines that are UTF-8 are too many to be so by chance."""
        utf8 = sum(len(character.encode()) * count for character, count in self._good.items())
        return utf8 > 0 and utf8 >= _UTF8_SHARE * sum(map(_strays, self._bad))

    def read(self, line: bytes) -> str:
        """The text of a line that is not UTF-8; `used` names the encodings so far."""
        if len(_SEQUENCE.findall(line)) > _strays(line):
            self._use("cp1252")
            return _SEQUENCE_OR_STRAY.sub(_mend, line).decode("utf-8", "replace")
        encoding = self._best(line)
        self._use(encoding)
        return decode_line(line, encoding, last=False)

    def _use(self, encoding: str) -> None:
        if encoding not in self.used:
            self.used.append(encoding)

    def _best(self, line: bytes) -> str:
        fits = self._fits_one_byte(line)
        if max(self._good) >= "\u2e80":
            fits |= {encoding: fit for encoding in _MANY_BYTES if (fit := self._fit(line, encoding)) is not None}
        return max(fits, key=lambda encoding: fits[encoding], default="") or self._common

    def _fits_one_byte(self, line: bytes) -> dict[str, float]:
        counts = np.bincount(np.frombuffer(line, np.uint8), minlength=256)[128:]
        weights, known = self._tables
        fits = weights @ counts / counts.sum()
        enough = known @ counts >= _KNOWN_SHARE * counts.sum()
        return {encoding: float(fits[n]) for n, encoding in enumerate(_ONE_BYTE) if enough[n]}

    @cached_property
    def _tables(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Per encoding and byte from 0x80: the log frequency of its character in the UTF-8 lines; whether known."""
        pages = [bytes(range(128, 256)).decode(encoding, "replace") for encoding in _ONE_BYTE]
        weights = np.array([[self._weight(character) for character in page] for page in pages])
        return weights, np.array([[self._known(character) for character in page] for page in pages])

    def _fit(self, line: bytes, encoding: str) -> float | None:
        try:
            characters = [character for character in line.decode(encoding) if character > "\x7f"]
        except UnicodeDecodeError:
            return None
        if sum(map(self._known, characters)) < _KNOWN_SHARE * len(characters):
            return None
        # Per byte, as for the one-byte encodings: two bytes that are explained by one character weigh as two.
        return sum(map(self._weight, characters)) / len(characters)

    def _known(self, character: str) -> bool:
        return character in self._good or character.swapcase() in self._good

    def _weight(self, character: str) -> float:
        usual = character.isalpha() or character in _USUAL_MARKS
        unseen = _UNSEEN_LETTER if usual else _UNSEEN_SIGN if character.isprintable() else _UNSEEN_CONTROL
        seen = self._good[character] + _OTHER_CASE * self._good[character.swapcase()] * character.isalpha()
        return float(np.log((seen + unseen) / (self._total + 1)))

    @cached_property
    def _common(self) -> str:
        return guess(b"\n".join(self._bad))


def _strays(line: bytes) -> int:
    """How many non-ASCII bytes belong to no UTF-8 character."""
    return sum(map(len, _HIGH.findall(_SEQUENCE.sub(b"", line))))


def _mend(match: re.Match[bytes]) -> bytes:
    """UTF-8 stays; a single stray byte is a cp1252 character; more are a character that lost its end: U+FFFD."""
    stray = match["stray"]
    if stray is None:
        return match.group()
    text = stray.decode("cp1252", "replace") if len(stray) == 1 else "\ufffd"
    return text.encode()
