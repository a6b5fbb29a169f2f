"""Legacy text read as cp1252: "Ïðåçèäåíò" for "Президент", "bêdzie" for "będzie", saved as UTF-8 since.

Nothing is lost in it: cp1252 back to bytes, the right encoding forth. What has to be known is that it happened, and
which encoding is right, and here a wrong guess would harm a sound line. So a line is looked at only where it holds
what no Western spelling does (`MISREAD`), and changed only where the detector finds the Western reading far behind
another one (`_FAR`): a Polish line in cp1250 leaves cp1252 half the score, a French or Icelandic one a tenth above.

Two families. In another script whole words consist of the upper half of cp1252; the Latin ones keep ASCII letters
between signs and accents that do not go together.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from copydesk.decoding.legacy import OTHER, detect, western_share

__all__ = ["MISREAD", "c1_characters", "register_sloppy_codecs", "undo_misread"]

_UPPER: Final = "\u00a1-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2020-\u2022\u2030\u2122"
_SCRIPT: Final = f"[{_UPPER}]{{3}}"

_SIGNS: Final = "[A-Za-z][¹³¿£¥¾º][a-z]|[a-z][¹³¿](?:[^0-9]|$)|[ ¿„(][¿º][a-z]"
"""Signs within and before words: Polish, Slovak, Romanian. "1º" and "m³ " are no such."""

# Letters that no Western spelling has together: one of the first, one of the second, none of the third in a line.
_TOGETHER: Final = (
    ("ø", "ìùýšžèï", ""),  # Czech
    ("ì", "ýšž", ""),
    ("è", "šžý", ""),  # Slovak, Slovenian, Croatian
    ("æ", "šžð", "áíóúþö"),  # not Icelandic
    ("õû", "áíóú", "ãçâêàôÃÇ"),  # Hungarian, not Portuguese
    ("þ", "ã", ""),  # Romanian
    ("ðþý", "", "áéíóúæ"),  # Turkish, not Icelandic
    ("ðþ", "àèëøçîû", ""),  # Lithuanian, Latvian
)


def _pattern(one: str, other: str, none: str) -> str:
    rest = f"[^{none}]*" if none else "(?s:.)*"
    both = f"(?:[{one}]{rest}[{other}]|[{other}]{rest}[{one}])" if other else f"[{one}]"
    return f"^{rest}{both}{rest}$" if none else both


MISREAD: Final = "|".join([_SCRIPT, _SIGNS, *(_pattern(*letters) for letters in _TOGETHER)])
"""What a misread line must hold, for the engine of Polars; `_is_suspect` for a single line, in linear time too."""

_LOCAL: Final = re.compile(f"{_SCRIPT}|{_SIGNS}")


def _is_suspect(line: str) -> bool:
    if _LOCAL.search(line):
        return True
    letters = set(line)
    return any(
        not letters.isdisjoint(one) and not (other and letters.isdisjoint(other)) and letters.isdisjoint(none)
        for one, other, none in _TOGETHER
    )


_WORD: Final = re.compile(f"(?<![A-Za-z{_UPPER}])[{_UPPER}]{{3,}}(?![A-Za-z{_UPPER}])")

_LATIN_READINGS: Final = ("cp1250", "cp1254", "cp1257", "iso8859-2")
_SCRIPT_READINGS: Final = tuple(
    encoding
    for encoding in OTHER
    if encoding not in {"cp932", "shift_jis_2004", "big5hkscs", "euc_kr", "iso8859-8"}  # ASCII within words; twins
)
_UNDEFINED: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # in cp1252: then Latin-1 is the Western reading

_ENOUGH: Final = 4  # non-ASCII bytes; with fewer the detector's scores mean little
_FAR: Final = 0.7  # the Western reading must score below this share of the best (see `western_share`)
_SAMPLE: Final = 4096  # bytes of a long line that the detector is shown
_NO_LETTERS: Final = re.compile("[\x80-\x9f\ue000-\uf8ff]")  # what a wrong reading gives: controls, private use
_LETTERS: Final = re.compile(f"[A-Za-z{_UPPER}]")


@cache
def register_sloppy_codecs() -> None:
    """Make the codecs "sloppy-windows-1252" and so on known: ftfy's, which leave no byte undefined."""
    from ftfy import bad_codecs

    bad_codecs.ok()


def undo_misread(line: str) -> str | None:
    """`line` as it was before it was read as cp1252, or None where that did not happen or is not sure."""
    data = _bytes(line)
    if data is None or b"\x1a" in data or _is_utf8(data) or not _is_suspect(line):
        return None
    undone = _decoded(data, _best(data, _SCRIPT_READINGS if _in_other_script(line) else _LATIN_READINGS))
    return None if undone == line else undone


def _bytes(line: str) -> bytes | None:
    register_sloppy_codecs()
    try:
        return line.encode("sloppy-windows-1252")
    except UnicodeEncodeError:
        pass
    try:
        return line.translate(c1_characters()).encode("sloppy-windows-1252")
    except UnicodeEncodeError:
        return None


@cache
def c1_characters() -> dict[int, str]:
    """C1 code points to the cp1252 characters of the same bytes (where cp1252 has one), for `str.translate`."""
    register_sloppy_codecs()
    return {code: bytes([code]).decode("sloppy-windows-1252") for code in range(0x80, 0xA0)}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _in_other_script(line: str) -> bool:
    words = sum(map(len, _WORD.findall(line)))
    return words >= _ENOUGH and words >= 0.5 * len(_LETTERS.findall(line))


def _best(data: bytes, readings: tuple[str, ...]) -> str | None:
    sample = data[:_SAMPLE]
    if sum(byte > 0x7F for byte in sample) < _ENOUGH:
        return None
    western = ("cp1252", "iso8859-1") if _UNDEFINED.search(sample) else ("cp1252",)
    scores = detect(sample, (*western, *readings))
    if not scores or western_share(scores) >= _FAR:
        return None
    return max(scores, key=lambda encoding: scores[encoding])


def _decoded(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _NO_LETTERS.search(text) else text
