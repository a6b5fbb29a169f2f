"""The date inside a dateline: `September 22`, `Oct.18`, `11 may`, `31 dez 2008`, `29 июня`.

Anchored at a position, day and month in either order, the year only where it is written. Which word is a month is
looked up (`tables.months`), never guessed, so `Boeing 747` is no date.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from copydesk.metadata import tables

__all__ = ["WrittenDate", "match_date"]

_WORD: Final = rf"[^\W\d_]{tables.LETTERS}?"
_YEAR: Final = r"(?:[12][0-9]{3})"
_BARE_WORD: Final = re.compile(_WORD)
_WEEKDAY: Final = re.compile(rf"({_WORD})\.?,?\s+", re.UNICODE)
_MONTH_DAY: Final = re.compile(
    rf"({_WORD})\.?\s?([0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9])(?:(?:,\s*|\s+|\.\s*)({_YEAR})(?![0-9]))?", re.UNICODE
)
_DAY_MONTH: Final = re.compile(
    rf"([0-9]{{1,2}})(?:st|nd|rd|th|er|º|\.|-го)?\s?(?:(?:de|of)\s+|d['’])?({_WORD}(?:\s(?:الأول|الثاني))?)\.?"
    rf"(?:(?:,\s*|\s+(?:del?\s+)?)({_YEAR})(?![0-9]))?",
    re.UNICODE,
)
_YEAR_MONTH_DAY: Final = re.compile(rf"({_YEAR})\.?\s+({_WORD})\s+([0-9]{{1,2}})\.?", re.UNICODE)
_FIGURES: Final = frozenset("0123456789")
_NUMERIC: Final = re.compile(rf"([0-9]{{1,2}})\.\s?([0-9]{{1,2}})\.\s?({_YEAR})?")


class WrittenDate(NamedTuple):
    """A date as far as it is written, and where it stands."""

    month: int
    day: int
    year: int | None
    start: int
    end: int


def match_date(text: str, at: int) -> WrittenDate | None:
    """Read a date that begins at `at`, a weekday before it allowed (`Monday, Sept. 22`)."""
    word = _BARE_WORD.match(text, at)
    if word is None:
        return _by_number(text, at)
    if tables.key(word[0]) not in _names_of_days():
        return None
    weekday = _WEEKDAY.match(text, at)
    if weekday and tables.key(weekday[1]) in tables.weekdays():
        found = _bare_date(text, weekday.end())
        if found:
            return found
    return _bare_date(text, at)


@functools.cache
def _names_of_days() -> frozenset[str]:
    """What a date that begins with a word begins with."""
    return frozenset(tables.months()) | frozenset(tables.weekdays())


def _bare_date(text: str, at: int) -> WrittenDate | None:
    if found := _MONTH_DAY.match(text, at):
        return _checked(tables.months().get(tables.key(found[1])), found[2], found[3], found)
    return _by_number(text, at)


def _by_number(text: str, at: int) -> WrittenDate | None:
    """A date that begins with a figure."""
    if text[at : at + 1] not in _FIGURES:
        return None
    months = tables.months()
    if found := _YEAR_MONTH_DAY.match(text, at):
        return _checked(months.get(tables.key(found[2])), found[3], found[1], found)
    if found := _NUMERIC.match(text, at):
        return _checked(int(found[2]), found[1], found[3], found)
    if found := _DAY_MONTH.match(text, at):
        return _checked(months.get(tables.key(found[2])), found[1], found[3], found)
    return None


def _checked(month: int | None, day: str, year: str | None, found: re.Match[str]) -> WrittenDate | None:
    if not month or not 1 <= month <= 12 or not 1 <= int(day) <= 31:
        return None
    return WrittenDate(month, int(day), int(year) if year else None, found.start(), found.end())
