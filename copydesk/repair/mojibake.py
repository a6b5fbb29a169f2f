"""Undoing mojibake in one line of text: bytes that were decoded with the wrong encoding and saved again.

Three kinds, in this order:

    misread   legacy bytes (cp1251, koi8-r, cp1250 ...) that were read as cp1252: `copydesk.repair.misread`
    whole     UTF-8 read as a one-byte encoding, where the whole line reads back as UTF-8: `undo_whole`
    ftfy      the rest: mixtures, lost bytes, two and three layers, C1 code points: ftfy, with `CONFIG`

`undo_whole` is there because ftfy first asks whether a line looks bad, and its rules do not know all that the
encodings of Central Europe, Russia and DOS make of UTF-8 ("zrĂłb" passes for a word). A line all of whose non-ASCII
characters stand, in one encoding, for correct UTF-8 spelling letters and quotation marks of news is no accident.

`bad_pattern`, `whole_pattern` and `WORN` ask the same questions in the engine of Polars: where they do not match,
nothing here changes a line (the tests prove it on generated damage), so the line never reaches Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from copydesk.repair.misread import c1_characters, register_sloppy_codecs, undo_misread

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

__all__ = [
    "PLAIN",
    "PLAIN_DAMAGE",
    "SETTLED",
    "WORN",
    "bad_pattern",
    "is_settled",
    "undo",
    "undo_whole",
    "whole_pattern",
]

LAYERS: Final = (
    "sloppy-windows-1252",
    "sloppy-windows-1250",
    "iso8859-2",
    "sloppy-windows-1254",
    "sloppy-windows-1257",
    "sloppy-windows-1251",
    "sloppy-windows-1253",
    "macroman",
    "cp437",
    "cp850",
    "cp852",
    "koi8-r",
    "cp866",
    "mac-cyrillic",
    "sloppy-windows-1255",
    "cp1256",
)
"""Encodings that UTF-8 is commonly misread in. The names beginning with "sloppy" are ftfy's: no byte undefined."""

# What such a line may spell: Latin letters with marks, typographic marks, Greek, Cyrillic, Hebrew, Arabic. Not the
# rarer letters that an accent and a quotation mark happen to make.
_SPELLED: Final = re.compile(
    "[\u0000-\u007f\u00a0-\u017f\u0218-\u021b\u0386-\u03ce\u0401-\u045f\u0490\u0491\u05d0-\u05ea\u060c-\u06d5"
    "\u2010-\u203a\u20ac\u2116\u2122]*"
)
_NON_ASCII: Final = re.compile("[^\x00-\x7f]+")
_INSIDE_WORD: Final = re.compile("[a-z][^\x00-\x7f]{2}[a-z]")
_MANY: Final = 4  # characters of one line that read back as UTF-8: no chance string of the news corpora has three

WORN: Final = "\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06"
"""Ligatures and digraphs that ftfy spells out."""

_WORN: Final = re.compile(f"[{WORN}]")

SETTLED: Final = " -~\u00a0‘’“”–—…"
"""Characters of lines that hold no damage: no encoding of `LAYERS` begins a character of UTF-8 with one and goes
on with another, and none of ftfy's rules is made of them (the tests say so). What is undone mostly ends here."""

_SETTLED: Final = re.compile(f"[{SETTLED}]*")

PLAIN: Final = {"â€˜": "‘", "â€™": "’", "â€œ": "“", "â€\x9d": "”", "â€“": "–", "â€”": "—", "â€¦": "…", "Â\xa0": "\xa0"}
"""Nearly all damage of English pages: quotation marks, dashes, ellipses, NBSP, in UTF-8 read as cp1252."""

PLAIN_DAMAGE: Final = f"^[ -~]*(?:(?:{'|'.join(PLAIN)})[ -~]*)+$"
"""A line with this damage and no other, for Polars and Python. If it has the two characters `â€`, all that `undo_whole`
and ftfy do to it is to read it back (the tests say so), and ftfy takes 0.1 ms to be sure."""

_PLAIN_DAMAGE: Final = re.compile(f"(?=.*â€){PLAIN_DAMAGE}")

_LAYERS_DEEP: Final = 5  # of damage upon damage; three have been seen

_C1: Final = re.compile("[\x80-\x9f]")
_UTF8_OR_C1: Final = re.compile(
    "[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|(?P<c1>[\x80-\x9f])"
)

_SEGMENT: Final = 1_000_000  # ftfy's own bound on what it looks at in one piece


@cache
def _config() -> TextFixerConfig:
    import ftfy

    return ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=False, fix_character_width=False)


def is_settled(text: str) -> bool:
    """Whether nothing here changes a text, and no pass of repair but that of the spaces."""
    return _SETTLED.fullmatch(text) is not None


def undo(text: str) -> tuple[str, list[str]]:
    """`text` (its lines are looked at one by one) without mojibake, and the kinds of repair."""
    kinds: list[str] = []
    fixed = [_undo_line(line, kinds) for line in text.split("\n")]
    return "\n".join(fixed), kinds


def _undo_line(line: str, kinds: list[str]) -> str:
    if len(line) > _SEGMENT:
        return "".join(_undo_line(line[at : at + _SEGMENT], kinds) for at in range(0, len(line), _SEGMENT))
    if line.isascii() or is_settled(line):
        return line
    if _PLAIN_DAMAGE.fullmatch(line):
        kinds.append("mojibake")
        return _read_back(line, LAYERS[0]) or line
    line = _name_stray_c1(line, kinds)
    for layer in range(_LAYERS_DEEP):
        read_back = _read_back_all(line, kinds)
        if is_settled(read_back):
            return read_back
        if layer and read_back == line:
            break  # ftfy has had its say on this, and repeats itself until nothing changes
        fixed = _ftfy(read_back, kinds)
        if fixed == line or is_settled(fixed):
            return fixed
        line = fixed
    return line


def _read_back_all(line: str, kinds: list[str]) -> str:
    for undoing in (undo_misread, undo_whole):
        undone = undoing(line)
        if undone is not None:
            kinds.append("mojibake")
            line = undone
    return line


def _name_stray_c1(line: str, kinds: list[str]) -> str:
    """C1 code points that are no part of UTF-8 to their cp1252 characters, in a line of Western letters.

    Before ftfy, which takes an accent, a closing quotation mark and a space (once byte A0) for one far-off letter.
    """
    if not _C1.search(line) or not _is_western(_C1.sub("", line)):
        return line
    named = _UTF8_OR_C1.sub(
        lambda match: match.group().translate(c1_characters()) if match["c1"] else match.group(), line
    )
    if named != line:
        kinds.append("c1")
    return named


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _ftfy(line: str, kinds: list[str]) -> str:
    """The repairs that ftfy's `fix_text` would make with `_config`, without those that are passes of our own."""
    from ftfy import fix_encoding_and_explain
    from ftfy.chardata import LIGATURES
    from ftfy.fixes import fix_c1_controls

    while True:
        fixed, steps = fix_encoding_and_explain(line, _config())
        if fixed != line:  # ftfy counts a lost byte that it finds and cannot restore as a step
            kinds += [
                "c1" if detail in _C1_STEPS else "mojibake" for action, detail in steps or () if action != "encode"
            ]
        named = fix_c1_controls(fixed)
        spelled = named.translate(LIGATURES) if _WORN.search(named) else named
        kinds += ["c1"] * (named != fixed) + ["ligatures"] * (spelled != named)
        if spelled == fixed:
            return fixed
        line = spelled


_C1_STEPS: Final = {"fix_c1_controls", "windows-1252"}


def undo_whole(line: str) -> str | None:
    """`line` read back as UTF-8 where all of it can be, in one of `LAYERS`, and spells something; else None."""
    first = _NON_ASCII.search(line)
    layers = _layers_of().get(first.group()[0], ()) if first else ()
    if not layers or "\ufffd" in line:  # which the sloppy codecs would write as a control
        return None
    runs = "\n".join(_NON_ASCII.findall(line))
    readings = ((encoding, _read_back(runs, encoding)) for encoding in layers)
    best = None
    for encoding, undone in readings:
        if _spells(undone, line):
            best = best or encoding
            if _own(undone, encoding):
                best = encoding
                break
    return _read_back(line, best) if best else None


@cache
def _layers_of() -> dict[str, tuple[str, ...]]:
    """For each character that can begin misread UTF-8, the encodings in which it does."""
    register_sloppy_codecs()
    begins = {encoding: bytes(range(0xC2, 0xF5)).decode(encoding, "ignore") for encoding in LAYERS}
    return {
        character: tuple(encoding for encoding in LAYERS if character in begins[encoding])
        for character in "".join(begins.values())
    }


def _spells(undone: str | None, line: str) -> bool:
    if undone is None or not _SPELLED.fullmatch(undone):
        return False
    return len(undone) - undone.count("\n") >= _MANY or _INSIDE_WORD.search(line) is not None


def _own(undone: str | None, encoding: str) -> bool:
    """Whether the encoding that misread a text could have written it: cp1250 is used where there is no å."""
    try:
        return undone is not None and undone.encode(encoding) is not None
    except UnicodeEncodeError:
        return False


def _read_back(text: str, encoding: str) -> str | None:
    register_sloppy_codecs()
    try:
        return text.encode(encoding).decode("utf-8")
    except UnicodeError:
        return None


@cache
def whole_pattern() -> str:
    """A line that is UTF-8 from end to end when encoded in one of `LAYERS`; for `re` and Polars alike."""
    register_sloppy_codecs()
    return "^(?:" + "|".join(_utf8_as(encoding) for encoding in LAYERS) + ")$"


def _utf8_as(encoding: str) -> str:
    def those(first: int, last: int) -> str:
        return "[" + bytes(range(first, last + 1)).decode(encoding) + "]"

    follow = those(0x80, 0xBF)
    two, three = those(0xC2, 0xDF) + follow, those(0xE0, 0xEF) + follow + follow
    return f"(?:[\x00-\x7f]|{two}|{three})*(?:{two}|{three})[\x00-\x7f]*"


@cache
def bad_pattern() -> str:
    """The rule of ftfy for what looks like mojibake, in the syntax of Polars, matching at least all that ftfy's does.

    Taken from the installed ftfy, so that a new version's rules are followed: white space and comments outside of
    classes go, those for space and word, whose meaning differs a little between the engines, become "any character".
    """
    from ftfy.badness import BADNESS_RE

    return "".join(_translated(BADNESS_RE.pattern))


_TOKEN: Final = re.compile(
    r"\[(?P<set>(?:\\.|[^\]])+)\]|\\(?P<any>[sw])|\\.|#[^\n]*(?P<gap>)|(?P<space>\s+)|.", re.DOTALL
)


def _translated(pattern: str) -> Iterator[str]:
    for token in _TOKEN.finditer(pattern):
        if token["set"] is not None:
            yield "[" + re.sub("([&~[])", r"\\\1", token["set"]) + "]"
        elif token["any"]:
            yield "(?s:.)"
        elif token["gap"] is None and token["space"] is None:
            yield token.group()
