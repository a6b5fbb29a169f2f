"""What a line may hold, by cheap tests over columns: the readers see only the lines that pass.

Each test is wide: what it refuses, the reader would have found nothing in (tests/test_metadata_sieves.py holds them to
that). They are asked once for each different line of a batch, since furniture recurs.
"""

from __future__ import annotations

import functools
import re
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains
from copydesk.metadata import tables

__all__ = [
    "CREDIT_START",
    "DATELINE_FIRST",
    "DATELINE_LATER",
    "NAME_LIKE",
    "NOTICE_START",
    "OPENS",
    "TAGS_START",
    "looks_dated",
    "may_begin_later",
    "may_hold_date",
    "may_pair_weekday",
    "weekday_like",
]

Bools = NDArray[np.bool_]

NOTICE_START: Final = (
    r"^[^A-Za-z]{0,3}(?:[CcUu][Oop][Rrd]|[Ee][Dd]|This|An e|A pr|Retr|Clar"
    r"|Err|Korr|Richt|Hinweis|Anm|Rect|Pr|Fe|Nota|Уто|Исп|Опр)"
)
"""How a notice of the newsroom begins, roughly: such lines near head and foot are looked at though they are long."""

OPENS: Final = r"^[^A-Za-z]{0,3}(?:[0-9]|[A-Za-z]{3,9}\.? [0-9])"
"""A date at the very beginning."""

NAME_LIKE: Final = (
    r"^(?:\p{Lu}[^\s,|]*"
    r"(?:,? (?:\p{Lu}[^\s,|]*|d[aeiou]s?|del|van|von|der|den|bin|al|el|la|le|zu|y|e|and|und|en|&|@\S+)){1,6}"
    r"(?: [a-z]+)?\s?(?:[,|@/(•·–—-].*)?|\p{Lo}+(?: \p{Lo}+){1,4})$"
)
"""A few capitalised words, perhaps with more behind a sign."""

CREDIT_START: Final = (
    r"^[^\p{L}]{0,4}(?:[Bb][Yy]|[VvPp][Oo][Nn r]|[Pp]or|[Pp]ar|[Dd]i\b|[Dd]oor|[Aa]v|[Aa]f|[AaАа][UuВв][TtТт]|"
    r"[Ww]ritten|[Ww]ords|[Ss]tory|[Tt]e[kx]|"
    r"[Pp]osted|[Rr]eport|[Aa]rti|[Ee]ine?\b|[Gg]e[ps]|[Vv]er|[Ee]rst|[Rr]ed|[Ee]sc|[Pp]ubl|[ÉéRr][cé][rd]|"
    r"[Aa] cura|[Ss]cri|[Ss]kre|[Nn]ap|[Oo]pra|"
    r"[Тт]ек|[Yy]az|[Hh]ab|[Oo]leh|[Pp]enulis|[Dd]itulis|[Ss]zer|[Íí]rta|[Kk]irj|[Uu]pr|[Dd]urch|[Aa]naly|작성|文|記者|作者)"
)
"""How a line with a credit word begins."""

TAGS_START: Final = (
    r"(?i)^[^\p{L}]{0,4}(?:article |story |related )?(?:tag|topic|key|hasht|filed|them|schlag|stichw|mehr zu|etiq|"
    r"tema|tóp|pala|mots|sujet|argom|parole|tref|"
    r"тег|тем|мет|ключ|тэг|słowa|štít|témat|címk|emner|nyck|this article|more on|in this|kateg|categ|"
    r"posted in|kata|الوسوم|标签|タグ|person|people|"
    r"pesso|перс|osoby|kişi)"
)
"""How the heading of a list of tags begins."""

DATELINE_FIRST: Final = (
    r"^[^\p{L}\p{N}(\[【（/]{0,6}(?:\p{Lu}[\p{Lu}.'’-]+[ ,/.(:—–-]|[(\[【（/]|\p{L}{3,10}\.? [0-9]{1,2}[, ]|"
    r"[0-9]{1,2}\.? \p{L}|By |"
    r"\p{L}[^!?]{1,70}?(?: [-–—]{1,2} |--|—|\.-|\.—|\)|: |/|, ?\p{L}+\.? [0-9]|[,.]? [0-9]{1,2}\.? \p{L}|"
    r"[月월][0-9])|\p{Lo}{2})"
)
"""What may begin with a dateline."""

DATELINE_LATER: Final = (
    r"^[^\p{L}(]{0,3}(?:\p{Lu}[\p{Lu}.’'-]+[ ,/]?[^.!?]{0,60}(?:[-–—:(/]|\.-)"
    r"|\p{Lu}[^.!?]{1,50}\([^)]{2,30}\)\s?(?:[-–—.:]|\.-))"
)
"""A later paragraph that begins with one so clearly that it is looked at: a test of its own, not only a sieve."""


def may_begin_later(text: pl.Series) -> Bools:
    """Whether `DATELINE_LATER` may hold, many times quicker: capitals first, or a bracket not far behind."""
    bracket = (text.str.find("(", literal=True) <= _BRACKET_WITHIN).fill_null(value=False)
    found = contains(text, r"^[^\p{L}(]{0,3}\p{Lu}[\p{Lu}.’'-]")
    found |= bracket.to_numpy()
    return found


_BRACKET_WITHIN: Final = 4 * 54
"""Bytes: the expression looks through 54 characters for it."""


@functools.cache
def weekday_like() -> str:
    """A regular expression for a text in small letters that may name a weekday in full."""
    names = sorted(name for name in tables.weekdays() if 5 <= len(name) <= 12)
    return "|".join(map(re.escape, names))


_DATED: Final = (
    r"(?:19|20)[0-9]{2}|[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2}|[0-9][:.hH][0-5][0-9]|[0-9] ?[月월]|tháng"
)


def looks_dated(text: pl.Series) -> Bools:
    """Whether lines look dated: a digit, and the shape of a date, a year, a clock, or a month's name."""
    found, digit = contains(text, _DATED), contains(text, "[0-9]")
    open_ = np.flatnonzero(digit & ~found)  # names of months are dear to look for
    named = text.gather(open_).str.contains_any(_month_names(), ascii_case_insensitive=True)
    found &= digit
    found[open_] = named.to_numpy()
    return found


@functools.cache
def _month_names() -> list[str]:
    return sorted(name for name in tables.months() if len(name) > 2 or not name.isascii())


_PLAIN: Final = r"^[\x00-\x7f\u{a0}\u{2010}-\u{2027}\u{a3}\u{20ac}\u{a9}\u{ae}\u{b7}]*$"
"""No letters but ASCII ones: texts for which `_dates` knows the months. Others pass wherever they have a figure."""


def may_hold_date(text: pl.Series) -> Bools:
    """Whether `find_dates` may find something, in any language: a month beside a figure, or figures with two signs."""
    return contains(text, "[0-9]") & (contains(text.str.to_lowercase(), _dates()) | ~contains(text, _PLAIN))


_SPACE: Final = r"[\s\x1c-\x1f]"
"""What Python calls a space."""


@functools.cache
def _dates() -> str:
    """For small letters: an expression that minds no case is seven times as slow."""
    months = "|".join(sorted(name for name in tables.months() if name.isascii() and name.isalpha()))
    month_first = rf"(?:{months})\.?,?{_SPACE}?(?:de{_SPACE})?[0-9]"
    day_first = rf"[0-9](?:st|nd|rd|th|er|a)?[\s\x1c-\x1f.-]{{0,3}}(?:(?:de|of|d’|d'|ta’){_SPACE}?)?(?:{months})"
    return rf"{month_first}|{day_first}|[0-9][./-]{_SPACE}?[0-9]{{1,2}}[./-]{_SPACE}?[0-9]"


def may_pair_weekday(text: pl.Series) -> Bools:
    """Whether `find_dates` may find a date without year that a weekday, however short, stands before."""
    return contains(text.str.to_lowercase(), _pairs()) | ~contains(text, _PLAIN)


@functools.cache
def _pairs() -> str:
    weekdays = "|".join(sorted(re.escape(name) for name in tables.weekdays() if name.isascii() and " " not in name))
    return rf"(?:{weekdays})\.?,?{_SPACE}(?:(?:den|the|le){_SPACE})?(?:[a-z]+\.?{_SPACE}?)?[0-9]"
