"""Dates and times as printed: `January 25, 14:44 UTC+3`, `27.02.2026. 06:20h`, `2017年1月25日`, `6. November 2023`.

`find_dates` reads a line into `Stamp`s: only what is written, so a year that is not there is None, never the
clock's. Months are looked up in a table of many languages; a number of four digits is a year only beside a month.
The order of day and month in `03/04/2020` follows, in turn: a number over 12, the stop (`3.4.2020` is day first), the
order that other dates of the page show, `am`/`pm` or the language (English: month first); `ambiguous` says that it
was a choice.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from copydesk.metadata import tables
from copydesk.metadata.zones import ZONE, zone_minutes

__all__ = ["Stamp", "day_of", "find_dates", "parse_given"]


class Stamp(NamedTuple):
    """A date as written in a line, at characters `start` to `end`; what is not written is None."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    offset: int | None = None
    """Minutes east of Greenwich; None where no zone is written."""
    weekday: int | None = None
    ambiguous: bool = False

    @property
    def precision(self) -> str:
        """`year` never comes alone: `month`, `day`, `minute` or `second`."""
        if self.day is None:
            return "month"
        if self.hour is None:
            return "day"
        return "minute" if self.second is None else "second"


_WORD: Final = rf"[^\W\d_]{tables.LETTERS}"
_AT_WORD: Final = r"(?<![^\W\d_])"
"""Only where a word begins: what the end of a word matches, the whole word matches, too, so nothing is lost."""
_YEAR: Final = r"(?:1[89][0-9]{2}|20[0-9]{2}(?=[0-9]{1,2}[. /])|20[0-9]{2}(?![0-9]))"
_NOT_IN_NUMBER: Final = r"(?<![0-9])(?<![0-9][.,/:])"

_YEAR_FIRST: Final = re.compile(
    rf"{_NOT_IN_NUMBER}((?:19|20)[0-9]{{2}})(?:([-/.])\s?([0-9]{{1,2}})\2\s?([0-9]{{1,2}})|\s?[年년]\s?([0-9]{{1,2}})\s?[月월]\s?([0-9]{{1,2}})\s?[日일]?)(?![0-9])"
)
_COMPACT: Final = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-2][0-9]|3[01])(?![0-9])")
_NUMERIC: Final = re.compile(
    rf"{_NOT_IN_NUMBER}([0-9]{{1,2}})([./-])\s?([0-9]{{1,2}})\2\s?({_YEAR}|[0-9]{{2}}(?![0-9:]))"
)
_MONTH_DAY: Final = re.compile(
    rf"{_AT_WORD}({_WORD})\.?\s?([0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9:])(?:,?\s*(?:del?\s)?({_YEAR}))?"
)
_DAY_MONTH: Final = re.compile(
    rf"{_NOT_IN_NUMBER}([0-9]{{1,2}})(?:st|nd|rd|th|er|º|ª|-го|a)?[\s.\u00a0-]{{0,3}}(?:(?:de|of|d’|d'|ta’)\s?(?=[^\W\d_]{{3}}))?"
    rf"({_WORD}(?:\s(?:الأول|الثاني))?)[.,]?(?:[\s\u00a0-]{{0,2}}(?:del?\s)?({_YEAR}))?"
)
_YEAR_MONTH_DAY: Final = re.compile(rf"(?<![0-9])({_YEAR})[.,]?\s(?:m\.\s)?({_WORD})\s([0-9]{{1,2}})(?![0-9])")
_VIETNAMESE: Final = re.compile(r"([0-9]{1,2})\stháng\s([0-9]{1,2})(?:,|\snăm|/)?\s?((?:19|20)[0-9]{2})?")
_MONTH_YEAR: Final = re.compile(rf"{_AT_WORD}({_WORD})\.?,?\s(?:de\s)?({_YEAR})")

_CLOCK: Final = (
    r"([0-2]?[0-9])(?:\s?[:.hH時点시]\s?([0-5][0-9])(?![0-9])"
    r"(?::([0-5][0-9]))?(?:\.[0-9]{1,6})?\s?([aApP]\.?[mM]\.?(?![a-z]))?|\s?([aApP]\.?[mM]\.?(?![a-z])))"
)
_TIME_AFTER: Final = re.compile(
    rf"[\s.,;|•·@(/\u00a0–—-]{{0,4}}(?:T|at|um|às|as|a las|à|alle(?: ore)?|ore|kl\.?|klo|o godz\.|om|o|в|pukul|"
    rf"saat|u|ob|v)?:?\s{{0,2}}{_CLOCK}(?:\s?(?:h|hs|hrs|Uhr|น|分|분)\.?(?![^\W\d_]))?"
)
_TIME_BEFORE: Final = re.compile(rf"(?<![0-9]){_CLOCK}(?:\s?(?:h|Uhr)\b\.?)?")
_BETWEEN: Final = re.compile(r"[\s,|•·–—-]{0,4}(?:on|am|,|den|le|el|del|em|il)?\s{0,2}")
_WEEKDAY_BEFORE: Final = re.compile(rf"{_AT_WORD}({_WORD}(?:-feira)?)\.?,?\s(?:den\s|the\s|le\s)?$")


_LONGEST: Final = 8_000
"""Characters of a line that are read: each date looks at its neighbours, so that a megabyte of dates must not."""


def find_dates(line: str, language: str | None = None, *, month_first: bool | None = None) -> tuple[Stamp, ...]:
    """Read all dates of a line, in order. `month_first`: what other dates of the page show of `03/04/2020`."""
    # English is what is assumed of an unknown language: one entry of the cache for both
    return _find_dates(line[:_LONGEST], None if language == "en" else language, month_first)


@functools.lru_cache(maxsize=1 << 15)  # furniture recurs; a function of its arguments alone
def _find_dates(line: str, language: str | None, month_first: bool | None) -> tuple[Stamp, ...]:  # noqa: FBT001
    if not _FIGURE.search(line):
        return ()
    one = _at_once(line, language)
    return (one,) if one else _by_grammar(line, language, month_first=month_first)


def _by_grammar(line: str, language: str | None, *, month_first: bool | None) -> tuple[Stamp, ...]:
    found = _apart(
        [
            *(_read_year_first(line) if _YEAR_FIRST_LIKE.search(line) else ()),
            *_read_named(line, language),
            *(_read_numeric(line, language, month_first=month_first) if _NUMERIC_LIKE.search(line) else ()),
        ]
    )
    found = sorted((_with_weekday(line, stamp) for stamp in found), key=_START)
    timed: list[Stamp] = []
    for stamp in found:
        timed.append(_with_time(line, stamp, found, timed[-1].end if timed else 0))
    return tuple(timed)


_AT_ONCE: Final = re.compile(
    r"([A-Z][a-z]{2,8}) ([0-9]{1,2})(?:, ((?:19|20)[0-9]{2}))?, ([0-2]?[0-9]):([0-5][0-9])"
    r"(?: (?:UTC|GMT)[+-][0-9]{1,2})?"
)


def _at_once(line: str, language: str | None) -> Stamp | None:
    """The commonest date line, `January 25, 14:44 UTC+3`, in one step; None leaves it to the grammar."""
    found = _AT_ONCE.fullmatch(line)
    if not found or int(found[4]) > 23:
        return None
    stamp = _stamp(found, found[3], tables.months(language).get(tables.key(found[1])), found[2])
    if not stamp:
        return None
    zone = ZONE.match(line, found.end(5))
    offset = zone_minutes(zone, day_of(stamp, 2000)) if zone else None
    return Stamp(0, len(line), stamp.year, stamp.month, stamp.day, int(found[4]), int(found[5]), None, offset)


_YEAR_FIRST_LIKE: Final = re.compile("(?:19|20)[0-9][0-9](?:[-/.]|\\s?[年년])")
_NUMERIC_LIKE: Final = re.compile("[0-9][./-]\\s?[0-9]")
"""Quick tests: the forms themselves look around at every figure."""
_START: Final = operator.itemgetter(0)


def _apart(stamps: list[Stamp]) -> list[Stamp]:
    """The stamps that overlap none before them; months alone only where there is no day."""
    if len(stamps) > 1:
        found: list[Stamp] = []
        for stamp in stamps:
            if not any(stamp[0] < other[1] and other[0] < stamp[1] for other in found):
                found.append(stamp)
        stamps = found
        if any(stamp.day for stamp in stamps):
            stamps = [stamp for stamp in stamps if stamp.day]
    return stamps


def day_of(stamp: Stamp, year: int | None = None) -> dt.date | None:
    """Return the calendar day of a stamp, `year` for the missing one; None where it is not a day (30 February)."""
    year = stamp.year if stamp.year is not None else year
    if year is None or stamp.day is None:
        return None
    return _calendar_day(year, stamp.month, stamp.day)


def _calendar_day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def parse_given(value: str) -> Stamp | None:
    """Read a date from a path or sidecar: `2017-01-25`, `20170125`, `2017/01/25 14:44`, or any form a line may have."""
    if compact := _COMPACT.search(value):
        year, month, day = map(int, compact.groups())
        if _calendar_day(year, month, day):
            stamp = Stamp(compact.start(), compact.end(), year, month, day)
            return _with_time(value, stamp, [stamp], 0)
    stamps = [stamp for stamp in find_dates(value.replace("_", "-")) if stamp.year]
    return stamps[0] if stamps else None


# The forms


def _stamp(found: re.Match[str], year: str | None, month: int | None, day: str | None) -> Stamp | None:
    if not month or not 1 <= month <= 12:
        return None
    number = int(day) if day is not None else None
    if number is not None and not 1 <= number <= 28 and not _calendar_day(int(year) if year else 2000, month, number):
        return None
    start, end = found.span()
    return Stamp(start, end, int(year) if year else None, month, number)


_FIGURE: Final = re.compile("[0-9]")


def _names_century(line: str) -> bool:
    """Whether a year of four digits can stand in the line: the forms with a year first or last need one."""
    return "20" in line or "19" in line or "18" in line


def _read_year_first(line: str) -> list[Stamp]:
    stamps = []
    for found in _YEAR_FIRST.finditer(line):
        year, _, month, day, east_month, east_day = found.groups()
        stamps.append(_stamp(found, year, int(month or east_month), day or east_day))
    return [stamp for stamp in stamps if stamp]


_ASCII_WORD: Final = re.compile("[a-z]+")


def _names_no_month(line: str) -> bool:
    """Whether no word is a month's, where that is quickly seen: most lines with a figure are prose."""
    return line.isascii() and tables.months().keys().isdisjoint(_ASCII_WORD.findall(line.lower()))


def _read_named(line: str, language: str | None) -> list[Stamp]:
    if len(line) > 60 and _names_no_month(line):
        return []
    months = tables.months(language)
    stamps: list[Stamp | None] = []

    def month(word: str) -> int | None:
        return months.get(tables.key(word))

    with_year = _names_century(line)
    if with_year:
        stamps.extend(_stamp(found, found[1], month(found[2]), found[3]) for found in _YEAR_MONTH_DAY.finditer(line))
    if "tháng" in line:
        stamps.extend(_stamp(found, found[3], int(found[2]), found[1]) for found in _VIETNAMESE.finditer(line))
    by_day = [_stamp(found, found[3], month(found[2]), found[1]) for found in _all(_DAY_MONTH, line)]
    by_month = [_stamp(found, found[3], month(found[1]), found[2]) for found in _all(_MONTH_DAY, line)]
    full = [stamp for stamp in (*by_day, *by_month) if stamp]
    if len(full) > 1:
        full.sort(key=lambda stamp: (stamp.year is None, stamp.start))
    stamps.extend(full)
    if with_year and not full:  # a month alone counts for nothing beside a day
        stamps.extend(_stamp(found, found[2], month(found[1]), None) for found in _all(_MONTH_YEAR, line))
    return [stamp for stamp in stamps if stamp]


def _all(pattern: re.Pattern[str], line: str) -> list[re.Match[str]]:
    """All matches, also those that begin inside a match that proves to be none (`bis 10 Uhr 3. Mai`)."""
    found, at = [], 0
    while match := pattern.search(line, at):
        found.append(match)
        at = match.end(1)
    return found


def _read_numeric(line: str, language: str | None, *, month_first: bool | None) -> list[Stamp]:
    stamps = []
    for found in _NUMERIC.finditer(line):
        first, sign, second, year = found.groups()
        ambiguous = int(first) <= 12 and int(second) <= 12 and first != second and sign != "."
        swapped = int(second) > 12 or (
            ambiguous and (month_first if month_first is not None else _american(line, language, sign))
        )
        month, day = (first, second) if swapped else (second, first)
        stamp = _stamp(found, _four_digits(year), int(month), day)
        if stamp and (len(year) == 4 or sign != "-"):
            stamps.append(stamp._replace(ambiguous=True) if ambiguous and month_first is None else stamp)
    return stamps


def _four_digits(year: str) -> str:
    """Two digits as POSIX reads them: 69 to 99 are of the last century."""
    if len(year) == 4:
        return year
    return ("19" if int(year) >= 69 else "20") + year


_AMERICAN: Final = re.compile(r"[0-9]\s?[ap]\.?m|\b[ECMP][SD]?T\b", re.IGNORECASE)


def _american(line: str, language: str | None, sign: str) -> bool:
    if sign != "/":
        return False
    return bool(_AMERICAN.search(line)) or language in ("en", None)


# The time and the weekday beside


def _with_time(line: str, stamp: Stamp, others: Sequence[Stamp], earlier: int) -> Stamp:
    """Read the clock after the date, else before it but not before `earlier`, where another date's ends."""
    if stamp.day is None:
        return stamp
    limit = len(line)
    if len(others) > 1:
        limit = min((other.start for other in others if other.start > stamp.start), default=limit)
    found = _TIME_AFTER.match(line, stamp.end)
    if found and found.end() <= limit and _is_clock(found):
        return _timed(line, stamp, found, min(stamp.start, found.start()), max(stamp.end, found.end()))
    for found in _TIME_BEFORE.finditer(line, earlier, stamp.start):
        zone = ZONE.match(line, found.end())
        between = _BETWEEN.match(line, zone.end() if zone else found.end())
        rest = line[between.end() : stamp.start] if between else ""
        if _is_clock(found) and not rest:
            return _timed(line, stamp, found, found.start(), stamp.end)
    return stamp


def _is_clock(found: re.Match[str]) -> bool:
    return int(found[1]) <= 23


def _timed(line: str, stamp: Stamp, found: re.Match[str], start: int, end: int) -> Stamp:
    hour, minute, second, half, bare_half = found.groups()
    number = int(hour)
    twelve = (half or bare_half or "").lower()
    if twelve.startswith("p") and number < 12:
        number += 12
    elif twelve.startswith("a") and number == 12:
        number = 0
    zone = ZONE.match(line, found.end())
    offset = zone_minutes(zone, day_of(stamp, 2000)) if zone else None
    if zone and found.start() >= stamp.end:
        end = max(end, zone.end())
    _, _, year, month, day, *_, weekday, ambiguous = stamp
    return Stamp(
        start,
        end,
        year,
        month,
        day,
        number,
        int(minute or 0),
        int(second) if second else None,
        offset,
        weekday,
        ambiguous,
    )


def _with_weekday(line: str, stamp: Stamp) -> Stamp:
    before = _WEEKDAY_BEFORE.search(line, 0, stamp.start) if stamp.start else None
    if not before:
        return stamp
    word = tables.key(before[1])
    number = tables.weekdays().get(word)
    return stamp if number is None else stamp._replace(weekday=number, start=before.start(1))
