"""Furniture run into a line of text: where to cut, only where the seam is plain to see.

    cuts        the pieces of the few lines that hold more than one thing

Scrapers lose line breaks: an agency's desk note ends up behind the last sentence, a date and an author around a text
that is all in one line, a teaser behind a paragraph, a heading before it. A seam is trusted only where wording and
punctuation say the same: the sentence before it has ended, and what follows has the form of that piece and nothing
after it.

Every seam is one expression that is tried on all lines of text at once; Python looks only at the lines that match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from copydesk.expressions import contains
from copydesk.lines.shape import Ints, Mask, Shape
from copydesk.lines.structure import CODE

__all__ = ["Cut", "cuts"]

Piece = tuple[int, int, int, str]
"""(start, end, label code, evidence) in characters of the stripped line."""
Pieces = list[Piece]
"""Those of one line; of a Cut, in order, tiling it."""


@dataclass(frozen=True)
class Cut:
    """The pieces of the line at index `at` of the Shape."""

    at: int
    pieces: Pieces


@dataclass(frozen=True)
class _Seam:
    name: str
    label: str
    find: str
    """Expression for the engine: which lines to look at."""
    part: str
    """Expression for Python: group 1 is the piece."""
    alone: bool = False
    """Only in texts that are one line."""


_MONTH: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct"
    "|Nov|Dec|Ocak|Şubat|Mart|Nisan|Mayıs|Haziran|Temmuz|Ağustos|Eylül|Ekim|Kasım|Aralık|enero|febrero|marzo|abril|mayo|junio|julio"
    "|agosto|septiembre|octubre|noviembre|diciembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro"
)
_DAY: Final = f"(?:[0-9]{{1,2}}\\.? (?:de )?(?:{_MONTH})(?: de)?,? [0-9]{{4}}|(?:{_MONTH}) [0-9]{{1,2}},? [0-9]{{4}})"
_CLOCK: Final = (
    "(?:,? (?:[A-ZŞÇÖÜİ][a-zşçğıöü]+ )?(?:[0-9]{1,2}[:.][0-9]{2}|[0-9]{4})(?: (?:UTC|GMT)(?:[+-][0-9]{1,2})?)?)?"
)
_NAMES: Final = "[A-ZÀ-Þ][A-Za-zÀ-ÿ'-]+(?: [A-ZÀ-Þ]\\.)?(?: [A-ZÀ-Þ][A-Za-zÀ-ÿ'-]+){1,2}"
_END: Final = "[.!?…][\"'”’»)]*"
_TEASER: Final = (
    "READ MORE|Read more|Read More|READ ALSO|Read also|Also read|Also Read|ALSO READ|RELATED|Related|SEE ALSO|See also"
    "|See Also|DON'T MISS|Don't miss|MORE|Must read|Must Read|Читайте также|Lesen Sie auch|Lee también|Leia também"
    "|Leggi anche|Lire aussi"
)
_APPEAL: Final = (
    "To get more stories from|For more stories like this|For the latest (?:news|stories)|Subscribe to our|Follow us on"
    "|Sign up (?:to|for) (?:our|the|a)|Like us on|Join us on|Get the latest"
    "|Click here to (?:subscribe|sign up|get|read)"
)
_WRITTEN: Final = "(?:Additional )?(?:Reporting|Writing|Editing|Compiled|Translated)(?: and (?:writing|editing))? by"
_DESK: Final = "(?:Reporting|Writing|Editing|Compiled) by "
_DOMAIN: Final = "/[a-z0-9-]+\\.(?:com|org|net|info)$"
_OPENINGS: Final = f"{_DESK}|(?:{_TEASER}): |(?:{_APPEAL}) "
"""What pieces at ends begin with, but for domains: words are found at once, where an expression that hangs on the end
walks back through every line's last sentence."""
_TAIL: Final = 260
_CAP: Final = "[A-ZÀ-ÞŞÇĞİÖÜ\"“'‘]"
_STATED: Final = f"(?:Giriş|Güncelleme|Published|Updated|Posted): ?{_DAY}"

_SEAMS: Final = (
    _Seam(
        "desk-note",
        "byline",
        f"{_DESK}[^.!?]*[)]?\\.?$",
        f"{_END} ?([(\\[]{_WRITTEN} [^()]{{3,250}}[)\\]]\\.?)$",
    ),
    _Seam(
        "desk-note-plain",
        "byline",
        "Editing by [^.!?]*$",
        f"{_END} ?((?:Additional )?(?:Reporting|Writing) by [^.!?]{{3,200}}Editing by [^.!?]{{3,80}})$",
    ),
    _Seam(
        "domain",
        "other_boilerplate",
        _DOMAIN,
        f"{_END}[A-Za-z ]{{0,40}}(/[a-z0-9-]+\\.(?:com|org|net|info))$",
    ),
    _Seam("teaser", "related_link", f"(?:{_TEASER}): [^.]*$", f"{_END} ?((?:{_TEASER}): [^.!?]{{10,200}})$"),
    _Seam("appeal", "share_prompt", f"(?:{_APPEAL}) [^.]*[.!]?$", f"{_END} ?((?:{_APPEAL}) [^.!?]{{10,200}}[.!]?)$"),
    _Seam("opening-date", "date_line", f"^{_DAY}", f"^({_DAY}{_CLOCK}) (?={_CAP})", alone=True),
    _Seam("stated-date", "date_line", _STATED, f"((?:{_STATED}{_CLOCK} ?)+)", alone=True),
    _Seam("closing-name", "byline", f'[.!?"”] {_NAMES}$', f'[.!?]["”]? ({_NAMES})$', alone=True),
)
_HEADING: Final = "^([A-Z][A-Za-z0-9'’“”‘,:& -]{10,90}[a-z)0-9?])([A-Z][a-z]+,? )"
_STARTERS: Final = (
    "In|On|At|The|A|An|As|He|She|It|They|We|You|I|But|And|During|When|While|After|Before|For|If|This|That|These|There|According"
    "|Since|Some|Many|Most|One|Two|With|By|To|From|His|Her|Its|Their|Although|Despite|However|Earlier|Last|Under|Meanwhile|What"
)
"""Words that open sentences: a capital inside a word is a seam only before one of them (a brand has no The in it)."""
_INSIDE: Final = re.compile("[A-Z](?<=[a-z][a-z][a-z?].)")
_OPENS: Final = re.compile(f"(?:{_STARTERS}),? [A-Za-z0-9]")
_CAMEL: Final = re.compile(
    "(?:Mac|Mc|Fitz|De|Di|La|Le|Van|You|Face|Linked|Pay|Tik|What|Whats|Sky|Air|Micro|Star|Auto|Bit|Black|Snap)$"
)


def cuts(shape: Shape, label: Ints, recurring: Sequence[tuple[int, int, str]] = ()) -> list[Cut]:
    """The lines among those labelled body that fall into pieces, in order.

    `recurring` are endings that the corpus knows as a site's furniture: line, start and site.
    """
    body = label == CODE["body"]
    alone = body & (shape.first == shape.last)
    pieces: dict[int, Pieces] = {}
    candidates = {
        True: np.flatnonzero(alone & (shape.length >= 60)),
        False: _ending(shape, body & (shape.length >= 60)),
    }
    for seam in _SEAMS:
        rows = candidates[seam.alone]
        for at in rows[_holds(shape, rows, seam.find)].tolist():
            _add(pieces, at, str(shape.text[at]), seam)
    for at, start, site in recurring:
        if body[at]:
            _set(pieces, at, (start, int(shape.length[at]), CODE["other_boilerplate"], f"repeat:{site}"))
    for at in _glued_headings(shape, body):
        _split_heading(pieces, at, str(shape.text[at]))
    return [Cut(at, _tiled(pieces[at], int(shape.length[at]))) for at in sorted(pieces)]


def _ending(shape: Shape, body: Mask) -> Ints:
    """The lines of text, one-line texts or not, whose end looks like any of the pieces that stand at ends."""
    asked = np.zeros(len(shape.texts), dtype=bool)
    asked[shape.text_of[body]] = True
    which = np.flatnonzero(asked)
    tail = shape.texts.text.gather(which).str.tail(_TAIL)
    some = contains(tail, _OPENINGS) | contains(tail, _DOMAIN)
    ends = "|".join(f"(?:{seam.find})" for seam in _SEAMS if not seam.alone)
    asked[which] = False
    asked[which[some]] = contains(tail.filter(pl.Series(some)), ends)
    return np.flatnonzero(body & asked[shape.text_of])


def _holds(shape: Shape, rows: Ints, find: str) -> Mask:
    """Which of these lines match.

    Line ends are read off the tail, line starts off the head, so that no long line is scanned.
    """
    if not len(rows):
        return np.zeros(0, dtype=bool)
    text = shape.text.gather(rows)
    if find.endswith("$"):
        text = text.str.tail(_TAIL)
    elif find.startswith("^"):
        text = text.str.head(120)
    return contains(text, find)


def _add(pieces: dict[int, Pieces], at: int, text: str, seam: _Seam) -> None:
    found = re.search(seam.part, text)
    if not found:
        return
    _set(pieces, at, (*found.span(1), CODE[seam.label], f"structure:glued-{seam.name}"))


def _set(pieces: dict[int, Pieces], at: int, piece: Piece) -> None:
    """Add a piece to those of its line, unless it lies over one of them."""
    if all(piece[1] <= low or piece[0] >= high for low, high, _, _ in pieces.get(at, ())):
        pieces.setdefault(at, []).append(piece)


def _glued_headings(shape: Shape, body: Mask) -> list[int]:
    rows = np.flatnonzero(body & (shape.length >= 100))
    hit: list[int] = rows[contains(shape.text.gather(rows).str.head(130), _HEADING)].tolist()
    return hit


def _split_heading(pieces: dict[int, Pieces], at: int, text: str) -> None:
    """Cut before the first capital inside a word, if what stands before it is written like a title."""
    inside = (seam.start() for seam in _INSIDE.finditer(text, 0, 110))
    end = next((start for start in inside if _OPENS.match(text, start, 110)), 0)
    title = text[:end]
    words = title.split()
    if len(words) < 3 or re.search("[.!;]", title) or _CAMEL.search(words[-1]) or at in pieces:
        return
    capital = sum(word[0].isupper() for word in words if len(word) > 3)
    if capital >= 0.8 * sum(len(word) > 3 for word in words):
        pieces[at] = [(0, end, CODE["heading"], "structure:glued-heading")]


def _tiled(pieces: Pieces, length: int) -> Pieces:
    """Fill the room between the pieces with body; a piece takes the blanks around it."""
    out: Pieces = []
    at = 0
    for start, end, code, why in sorted(pieces):
        if start > at:
            out.append((at, start, CODE["body"], "structure:glued-rest"))
        out.append((start, end, code, why))
        at = end
    if at < length:
        out.append((at, length, CODE["body"], "structure:glued-rest"))
    return out
