"""Characters that the repair policy treats alike, as sets and tables, without any decision.

    SPACES       become one U+0020 in runs                        LINE_BREAKS  become line feeds
    INVISIBLE    removed before mojibake is looked for             SOFT_HYPHEN  removed after it (it is half of "Ã­")
    JOINERS      ZWNJ and ZWJ: removed where no script or emoji needs them (`drop_joiners`)
    WIDTHS       full-width letters and digits, half-width katakana (`fix_widths`)

The sets are written as the inside of a regular-expression class that Python's `re` and the engine of Polars read
alike, so that the column path and the line path cannot drift apart.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = [
    "INVISIBLE",
    "JOINERS",
    "LINE_BREAKS",
    "SOFT_HYPHEN",
    "SPACES",
    "TERMINAL",
    "WIDTHS",
    "compose",
    "drop_joiners",
    "fix_widths",
    "join_surrogates",
]

SPACES: Final = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""All of Unicode's space separators (category Zs) and the tab."""

LINE_BREAKS: Final = "\n\v\f\r\u2028\u2029"

INVISIBLE: Final = (
    "\\x00-\\x08\\x0e-\\x1f\\x7f"  # C0 controls that end no line, DEL
    "\u200b\u2060\ufeff"  # zero-width space, word joiner, byte-order mark
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # bidi marks and controls
    "\u206a-\u206f\ufff9-\ufffc"  # deprecated format controls, annotations, object replacement (as ftfy does)
)

SOFT_HYPHEN: Final = "\u00ad"
JOINERS: Final = "\u200c\u200d"

TERMINAL: Final = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B])"
"""Terminal sequences (ECMA-48): CSI, OSC and the choice of a character set. A lone ESC falls under INVISIBLE."""

WIDTHS: Final = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff61-\uff9f"
"""Full-width digits and Latin letters; half-width katakana with its own punctuation. Other full-width forms stay."""

_WIDTHS_RUN: Final = re.compile(f"[{WIDTHS}]+")

# Scripts whose spelling uses ZWNJ or ZWJ: Arabic and its kin, Indic to Khmer, Mongolian, Arabic presentation forms.
_JOINING: Final = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefe\U00010a00-\U00011fff]"
)
_PICTURE: Final = re.compile(
    "[\u00a9\u00ae\u203c-\u27bf\u2934-\u2b55\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
_JOINER_RUN: Final = re.compile(f"[{JOINERS}]+")

_LONG: Final = 1000  # characters: below, no run of marks is long enough to matter
_MARKS: Final = 128  # in a row: ornament ("Zalgo") has tens, no language more than five
_LONG_RUN: Final = re.compile(rb"\x01{%d,}" % _MARKS)

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def _wanted_joiner(run: re.Match[str]) -> str:
    text = run.string
    before, after = text[max(run.start() - 1, 0) : run.start()], text[run.end() : run.end() + 1]
    if _JOINING.match(before) or _JOINING.match(after):
        return run.group()
    if "\u200d" in run.group() and _PICTURE.match(before) and _PICTURE.match(after):
        return "\u200d"
    return ""


def drop_joiners(text: str) -> str:
    """Remove ZWNJ and ZWJ unless a neighbour's script spells with them, or the ZWJ joins two pictures."""
    return _JOINER_RUN.sub(_wanted_joiner, text)


def compose(text: str) -> str:
    """`text` in NFC, in linear time: a run of marks is composed and ordered only up to its 128th.

    Ordering a run of marks takes the square of its length, and a hostile file may be nothing but marks.
    """
    if len(text) <= _LONG or text.isascii():
        return unicodedata.normalize("NFC", text)
    marks = bytes(map(bool, map(unicodedata.combining, text)))
    parts: list[str] = []
    start = 0
    for run in _LONG_RUN.finditer(marks):
        parts += [
            unicodedata.normalize("NFC", text[start : run.start() + _MARKS]),
            text[run.start() + _MARKS : run.end()],
        ]
        start = run.end()
    return "".join([*parts, unicodedata.normalize("NFC", text[start:])])


def fix_widths(text: str) -> str:
    """Full-width Latin letters and digits to ASCII, half-width katakana to full width with its sound marks joined."""
    return _WIDTHS_RUN.sub(lambda run: unicodedata.normalize("NFKC", run.group()), text)


def join_surrogates(text: str) -> str:
    """Join surrogate pairs; a lone surrogate becomes U+FFFD. Afterwards the text can be encoded as UTF-8."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
