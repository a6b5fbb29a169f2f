"""Which legacy encoding a file that is no UTF-8 is in: one-byte code pages and East Asian ones.

    guess         the encoding of a file that is no UTF-8
    decode_line   one line in an encoding, never failing

A statistical detector (chardet) knows the languages, but not that news is seldom written in MacCyrillic. Three
observations come first. Marks that Windows programs write, and nothing else, mean cp1252. A handful of letters in an
ASCII text means cp1252 where that spells words without a capital in their midst. And where the non-ASCII letters stand
next to ASCII letters, in the same words, the script is Latin, whatever the statistics of a few bytes say.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

__all__ = ["LATIN", "OTHER", "decode_line", "detect", "guess", "western_share"]

LATIN: Final = (
    "cp1252",
    "cp1250",
    "cp1254",
    "cp1257",
    "iso8859-1",
    "iso8859-2",
    "iso8859-9",
    "iso8859-13",
    "iso8859-15",
    "iso8859-16",
    "mac-roman",
    "mac-latin2",
    "cp437",
    "cp850",
    "cp852",
    "cp1258",
)
OTHER: Final = (
    "cp1251",
    "koi8-r",
    "koi8-u",
    "iso8859-5",
    "cp866",
    "mac-cyrillic",
    "cp1253",
    "iso8859-7",
    "cp1255",
    "iso8859-8",
    "cp1256",
    "iso8859-6",
    "cp874",
    "cp932",
    "shift_jis_2004",
    "euc_jis_2004",
    "gb18030",
    "big5hkscs",
    "cp949",
    "euc_kr",
)
"""What chardet may answer: the encodings that news was written in. It knows eighty, mainframes among them."""

_MULTIBYTE: Final = frozenset(OTHER[OTHER.index("cp932") :])
_SUPERSETS: Final = {"euc_kr": "cp949"}
WESTERN: Final = ("cp1252", "iso8859-1", "iso8859-15")

_SAMPLE: Final = 1 << 16  # bytes of lines with non-ASCII in them; the detector's own models converge at 16 kB

_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_GLUED: Final = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]+|[\x80-\xff]+(?=[A-Za-z])")
_ASCII_LETTER: Final = re.compile(rb"[A-Za-z]")
_WINDOWS_MARKS: Final = b"\x80\x82\x84\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa3\xa7\xa9\xab\xad\xae\xb0\xb7\xbb"
_GLUED_SHARE: Final = 0.5  # of the non-ASCII runs touch an ASCII letter: over .8 in Latin scripts, under .1 elsewhere
_HIGH_SHARE: Final = 0.45  # non-ASCII bytes per ASCII letter: Vietnamese .3, Czech .2; East Asian text over 1
_NEAR: Final = 0.9
"""cp1252 is taken where its score is this share of the best: sentences of 15 languages in their own code pages leave it
under .84 of the best, Western ones over .96."""

# A capital within a word, or a sign there: what MacRoman and DOS letters become when read as cp1252.
_ODD_WORD: Final = re.compile(
    "[a-z][À-ÖØ-ÞŠŒŽŸ](?![A-ZÀ-Þ])|[a-z][^\\W\\d_a-zà-ÿšœžA-Z]|[A-Za-z][\u2020-\u2022\u2030-\u203a\u02c6\u02dc¡-¬®-¶¸-¿×÷‚„ƒ][a-zß-ÿ]"
)


def guess(data: bytes) -> str:
    """The most likely legacy encoding of `data` (codec name); looks at its first 64 kB of non-ASCII lines."""
    sample = _telling_lines(data).replace(b"\0", b"")  # a NUL is damage; the detector takes it for a binary file's
    high = b"".join(_HIGH.findall(sample))
    if not high.translate(None, _WINDOWS_MARKS) and _spells(sample, "cp1252"):
        return "cp1252"
    latin = _is_latin(sample)
    scores = detect(sample, LATIN if latin else LATIN + OTHER)
    found = max(scores, key=lambda encoding: scores[encoding], default="cp1252")
    if found in WESTERN or (latin and western_share(scores) >= _NEAR and _spells(sample, "cp1252")):
        return _western(sample)
    return _SUPERSETS.get(found, found)


def _telling_lines(data: bytes) -> bytes:
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if line.isascii():
            continue
        lines.append(line[: _SAMPLE - size])
        size += len(lines[-1])
        if size >= _SAMPLE:
            break
    return b"\n".join(lines)


def _is_latin(sample: bytes) -> bool:
    bare = sample.translate(None, _WINDOWS_MARKS)
    runs = _HIGH.findall(bare)
    letters = len(_ASCII_LETTER.findall(bare))
    touching = len(_GLUED.findall(bare)) >= _GLUED_SHARE * len(runs)
    return touching and sum(map(len, runs)) < _HIGH_SHARE * letters


def _spells(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    return "\ufffd" not in text and not _ODD_WORD.search(text)


def _western(sample: bytes) -> str:
    """cp1252 or iso8859-15: the bytes that Windows uses for marks, or the letters and the euro that Latin 9 put in."""
    if re.search(rb"[\x80-\x9f]", sample):
        return "cp1252"
    letters = rb"[A-Za-z][\xa6\xa8\xb4\xb8\xbc\xbd\xbe][a-z]|\xa4|\b[\xa6\xb4\xbc][a-z]"
    return "iso8859-15" if re.search(letters, sample) else "cp1252"


def detect(sample: bytes, encodings: tuple[str, ...]) -> dict[str, float]:
    """The score (0 to 1) that chardet gives each of `encodings` that can decode `sample`, best first."""
    import chardet

    found = chardet.detect_all(
        sample, prefer_superset=False, compat_names=False, include_encodings=encodings, ignore_threshold=True
    )
    return {result["encoding"]: result["confidence"] for result in found if result["encoding"]}


def western_share(scores: dict[str, float]) -> float:
    """How near, as a share, the best Western encoding comes to the best of all."""
    western = max((scores[encoding] for encoding in WESTERN if encoding in scores), default=0.0)
    return western / max(scores.values(), default=1.0)


def decode_line(line: bytes, encoding: str, *, last: bool) -> str:
    """`line` decoded; undefined bytes become U+FFFD, a character that the end of the file (`last`) cut off goes."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        if last and encoding in _MULTIBYTE:
            return codecs.getincrementaldecoder(encoding)("replace").decode(line)
        return line.decode(encoding, "replace")
