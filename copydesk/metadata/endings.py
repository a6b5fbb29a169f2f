"""Whether an article stops short, and what it says of itself: corrections, updates, editor's notes.

A text counts as truncated where it ends on a heading with nothing under it, on an ellipsis in brackets or an open
end, in the middle of a sentence, in a quotation that never closes, or before a line that sends the reader elsewhere
for the rest. Each sign is narrow: of 117 hand-labelled texts five are truncated, and a false alarm costs more than a
miss.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains
from copydesk.metadata import tables

__all__ = ["MAY_BE_NOTICE", "NOTICE", "is_truncated", "may_be_truncated", "notice_kind", "notices_in"]

_OPEN_END: Final = re.compile(
    r"(?:\[\s?(?:\.{3}|…|\+\d+ chars?|more)\s?\]|\((?:\.{3}|…|more|mehr|continued)\)|[^.\W](?:\.{3}|…))\s*$",
    re.IGNORECASE,
)
_ELSEWHERE: Final = re.compile(
    r"^\W*(?:continue reading|keep reading|read the (?:rest|full|entire|whole|complete)|read (?:more|rest|"
    r"full) (?:at|on|here:)|to (?:read|continue) (?:the (?:rest|full)|reading)|"
    r"click here (?:to|for) (?:read|the full|the rest)|story continues|subscribe to (?:read|continue)|"
    r"this (?:story|article) continues|full (?:story|article) (?:at|on|here)|"
    r"weiterlesen(?: (?:auf|bei|mit))|den (?:ganzen|vollständigen) artikel|lire la suite|lisez la suite|"
    r"seguir leyendo|leer (?:la nota|el artículo) complet|"
    r"continua(?: a leggere| lendo)|leia (?:a íntegra|o (?:texto|artigo) completo)|читать (?:далее|полностью|"
    r"продолжение)|читайте полностью|czytaj dalej)",
    re.IGNORECASE,
)
_ENDS: Final = tuple(".!?…。！？।॥؟\"'”’»›)]}:;*“")
_FUNCTION: Final = tables.words(
    "the a an of to and in on at by for with from that which who whose or but as is was are were be been has "
    "have had its their his her this "
    "der die das und oder mit von zu im am in dass ein eine einen einem für auf el la los las de del y o que "
    "en con por para un una le les des et "
    "ou du au aux dans avec pour sur il lo gli di e a da in con per su che o os as do da em no na com um uma "
    "и в на с по о от для что не"
)


def is_truncated(texts: Sequence[str], after: Sequence[str]) -> bool:
    """Judge the end: `texts` are the last paragraphs, the very last at the end; `after` the lines behind the text."""
    if not texts:
        return False
    last = texts[-1].rstrip()
    if _OPEN_END.search(last) or any(_ELSEWHERE.match(line) for line in after[:2]):
        return True
    return _open_quotation(last) or _mid_sentence(last, texts[:-1])


_PLAIN_END: Final = r"[^.…][.!?][\"”]?[ \t\u{a0}]*$"
_UNCLOSED: Final = r"^(?:“[^”]*|«[^»]*|\"[^\"]*(?:\"[^\"]*\"[^\"]*)*)$"
_SENDS_ON: Final = (
    r"(?i)^[^\p{L}\p{N}_]*(?:cont|keep |read (?:the|more|rest|full)|to (?:re|co)|click|story c|"
    r"this (?:st|art)|full (?:st|art)|subscribe to|weiter|den |lire|lisez|seguir|leer|"
    r"leia|чит|czyt)"
)


def may_be_truncated(last: pl.Series, *, after: bool) -> NDArray[np.bool_]:
    """A wide sieve over columns: the last paragraphs, or the lines `after` a text, that `is_truncated` must see."""
    if after:
        return contains(last, _SENDS_ON)
    return ~contains(last, _PLAIN_END) | contains(last, _UNCLOSED)


def _open_quotation(last: str) -> bool:
    """The last paragraph begins with a quotation, or has one after its last full stop, that never closes."""
    if last[:1] == '"' and last.count('"') % 2:
        return last[-1:] != '"'
    if last[:1] == "“" and "”" not in last and "“" not in last[1:] and '"' not in last[-2:]:
        return True
    return last[:1] == "«" and "»" not in last


def _mid_sentence(last: str, before: Sequence[str]) -> bool:
    if not last or last.endswith(_ENDS):
        return False
    ended = [text.rstrip().endswith(_ENDS) for text in before if len(text) > 60]
    if len(ended) < 2 or sum(ended) < 0.8 * len(ended) or len(last) < 60:
        return False
    word = last.rsplit(maxsplit=1)[-1]
    if last[-1] in ",-–—(" or word.casefold() in _FUNCTION:
        return True
    return len(last) > 120 and word.isalpha() and word.islower() and last[:1].isupper() and _sentence_before(last)


def _sentence_before(last: str) -> bool:
    """A paragraph with a full stop inside and none at its end was cut."""
    return bool(re.search(r"[.!?]\s+[^\W\d_]", last))


NOTICE: Final = (
    r"(?i)^[\W_]{0,3}(?:corrections?\b|clarification|erratum|errata|retraction|editor['’]?s['’]? note|"
    r"update[:,]|updated?\s?[:(]|"
    r"this (?:story|article|post|piece|report) (?:has been|was) (?:updated|corrected|amended|changed|revised)|"
    r"an earlier version|"
    r"a previous version|korrektur|richtigstellung|hinweis der redaktion|anmerkung der redaktion|"
    r"in einer früheren version|"
    r"rectificatif|précision|fe de erratas|rectificación|nota del editor|nota da redação|errata|correção|correzione|"
    r"уточнение|исправление|опровержение)"
)
MAY_BE_NOTICE: Final = NOTICE.replace(r"[\W_]", "(?s:.)").replace(r"\b", "").replace(r"\s", r"[\s\x1c-\x1f]")
"""The same for columns (Polars' regular expressions), a little wider: the two do not agree which signs are letters."""

_KINDS: Final = (
    ("retraction", re.compile(r"retract|опровержение", re.IGNORECASE)),
    ("clarification", re.compile(r"clarif|précision|уточнение", re.IGNORECASE)),
    (
        "correction",
        re.compile(
            r"correct|korrekt|richtigst|rectific|errat|(?:earlier|previous|früheren) version|corre[çz]|amended|исправл",
            re.IGNORECASE,
        ),
    ),
    ("update", re.compile(r"updat|revised|changed", re.IGNORECASE)),
)


_NOTICE: Final = re.compile(NOTICE)


def notices_in(lines: Sequence[str]) -> list[str]:
    """The kinds of notices among `lines`, each once: see `notice_kind`."""
    return list(dict.fromkeys(notice_kind(line) for line in lines if _NOTICE.match(line)))


def notice_kind(line: str) -> str:
    """Kind of a line that `NOTICE` matched: `correction`, `clarification`, `retraction`, `update` or `editors_note`."""
    head = line[:120]
    return next((kind for kind, pattern in _KINDS if pattern.search(head)), "editors_note")
