"""Datelines: `UNITED NATIONS, September 22. /TASS/. ` at the head of a story, read by a grammar.

    dateline := [outer] [byline] ( places [date] [agency] | agency [places [date]] | date [agency] ) separator
    places   := place [region] { ("/" | "and") place [region] }
    region   := ", " words | " /words/" | " (words)"

`parse_dateline` reads the opening of a story; what was read is then weighed (`_is_dateline`), because the same
shapes open sentences that are none: `SINGAPORE Press Holdings`, `DEAR ABBY:`, `TACOMA RAINIERS - The Rainiers`.
A date or an agency proves a place; a place alone must be in capitals or be known (`tables.cities`), with a separator.
The forms are those of Reuters, AP, AFP, TASS, Interfax, RIA, Sputnik, Xinhua, EFE, dpa, ANSA, Anadolu, Yonhap,
Kyodo, PTI, UPI and the press-release wires; East Asian forms are in `dateline_east`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from copydesk.metadata import tables
from copydesk.metadata.dateline_dates import WrittenDate, match_date
from copydesk.metadata.dateline_words import (
    SEPARATOR,
    agency_in_line,
    bracketed_agency,
    read_places,
    split_byline,
)

__all__ = ["Dateline", "Place", "parse_dateline"]

LONGEST: Final = 400
"""Characters of an opening that are looked at; the longest prefix seen in 478 datelines had 91."""


@dataclass(frozen=True)
class Place:
    """A city and, as written, the region, state or country after it."""

    city: str
    region: str | None = None


@dataclass(frozen=True)
class Dateline:
    """What a dateline says. `prefix` is the exact string to cut; `place` and `date_written` are as written."""

    places: tuple[Place, ...] = ()
    month: int | None = None
    day: int | None = None
    year: int | None = None
    agency: str | None = None
    prefix: str = ""
    place: str | None = None
    date_written: str | None = None
    byline: str | None = None

    def asdict(self) -> dict[str, Any]:
        """Return `{"places": [{"city", "region"}], "date": {"month", "day", "year"} or None, "agency", "prefix"}`."""
        date = {"month": self.month, "day": self.day, "year": self.year} if self.month else None
        places = [{"city": place.city, "region": place.region} for place in self.places]
        return {"places": places, "date": date, "agency": self.agency, "prefix": self.prefix}


class _Reading(NamedTuple):
    """A dateline while it is read: where the cursor stands and what gives it away."""

    text: str
    at: int
    places: tuple[Place, ...] = ()
    span: tuple[int, int] = (0, 0)
    capitals: bool = False
    known: bool = False
    region_known: bool = False
    date: WrittenDate | None = None
    agency: str | None = None
    agency_known: bool = False
    separator: str = ""


def parse_dateline(opening: str) -> Dateline | None:
    """Read the dateline at the head of `opening` (the first 400 characters count), or return None.

    The forms were collected from agencies' own texts; the scores by outlet are in docs/metadata.md.
    """
    text = opening[:LONGEST]
    if found := _wire(text):
        return found
    lead = len(text) - len(text.lstrip(" \t\u00a0\ufeff\u200b*"))
    return _read(text, lead) or _read_east(text, lead)


# The commonest form, its parts read by the grammar once for all days

_WIRE: Final = re.compile(
    r"([A-Z]{2,}(?:[ '-][A-Z]{2,}){0,3}(?:, [A-Z][a-z]+(?: [A-Z][a-z]+)?)?), "
    r"((?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Aug|Sept|Sep|Oct|Nov|Dec)\.?) ([0-9]{1,2})(?:, ([12][0-9]{3}))?"
    r"(\.? (?:/[A-Z][A-Za-z .&-]{1,28}/|\([A-Z][A-Za-z .&-]{1,28}\))\.?(?: [-–—]{1,2})? )(?=[\"“„«(]*[A-Z0-9])"
)
"""`MOSCOW, January 25. /TASS/. The`, `KABUL, Afghanistan, Oct. 2, 2016 (Reuters) - A`: closed by an agency in signs, so
that the grammar looks at nothing behind it but whether a sentence opens."""


def _wire(text: str) -> Dateline | None:
    """Read a dateline of that form; None leaves it to the grammar."""
    found = _WIRE.match(text)
    if not found:
        return None
    place, month, day, year, tail = found.groups()
    known = _of_place(place, tail)
    if known is None or not 1 <= int(day) <= 31:
        return None
    return Dateline(
        known.places,
        tables.months()[tables.key(month)],
        int(day),
        int(year) if year else None,
        known.agency,
        found[0],
        known.place,
        text[found.start(2) : found.start(5)],
    )


@functools.lru_cache(maxsize=1 << 14)  # places and agencies recur, with other days; a function of its arguments alone
def _of_place(place: str, tail: str) -> Dateline | None:
    """What the grammar reads of the form on some day, None where that is not place, date and agency."""
    opening = f"{place}, January 1{tail}"
    found = _read(opening + "X", 0)
    whole = found is not None and found.prefix == opening and found.place == place and found.byline is None
    return found if whole and found is not None and found.date_written and found.agency else None


def _read_east(text: str, at: int) -> Dateline | None:
    from copydesk.metadata.dateline_east import read_east  # it makes datelines, too

    return read_east(text, at)


def _read(text: str, at: int) -> Dateline | None:
    byline, start = split_byline(text, at)
    for read in (_located, _dated, _agency_first, _after_rubric):
        reading = read(text, start)
        if reading and (byline is None or reading.places):
            return _dateline(reading, byline)
    return None


def _dateline(reading: _Reading, byline: str | None) -> Dateline:
    date, (start, end) = reading.date, reading.span
    return Dateline(
        places=reading.places,
        month=date.month if date else None,
        day=date.day if date else None,
        year=date.year if date else None,
        agency=reading.agency,
        prefix=reading.text[: reading.at],
        place=reading.text[start:end].strip() if end else None,
        date_written=reading.text[date.start : date.end].rstrip(" .,") if date else None,
        byline=byline,
    )


# The three ways to begin


def _located(text: str, at: int) -> _Reading | None:
    """Places first: `KABUL, Afghanistan, Oct. 2 (Xinhua) -- `."""
    found = read_places(text, at)
    if not found:
        return None
    places = tuple(Place(city, region) for city, region in found.places)
    reading = _Reading(
        text, found.end, places, (at, found.end), found.capitals, found.known, region_known=found.region_known
    )
    dated = _with_date(reading)
    for start in (dated, reading) if dated is not reading else (reading,):
        whole = _with_agency(start)
        for ending in (whole, reading) if whole is not start and start is reading else (whole,):
            read = _finish(ending)
            if _is_dateline(read):
                return read
    return None


def _dated(text: str, at: int) -> _Reading | None:
    """A date first and no place: `Jan. 19 (UPI) -- `, `November 17, 2004 - `."""
    date = match_date(text, at)
    if not date:
        return None
    reading = _finish(_with_agency(_Reading(text, date.end, date=date)))
    proven = reading.separator == "dash" or (reading.agency and (reading.agency_known or reading.separator))
    return reading if proven and _rest_opens(reading) and not _only_this_line(reading) else None


def _agency_first(text: str, at: int) -> _Reading | None:
    """The agency first: `(CNN) -- `, `(ANSA) - ROME, JUL 11 - `, `AP - `, `Canadian Press - HALIFAX (CP) - `."""
    found = bracketed_agency(text, at) or agency_in_line(text, at)
    if not found:
        return None
    reading = _finish(_Reading(text, found.end, agency=found.name, agency_known=found.known))
    alone = found.known and (found.bracketed or reading.separator == "dash")
    inner = _located(text, reading.at) if reading.separator or found.bracketed else None
    if inner and (inner.separator or inner.agency) and (alone or inner.date or inner.agency):
        return inner._replace(agency=inner.agency or found.name)
    if not alone and not (found.bracketed and found.name.isupper() and reading.separator == "dash"):
        return None
    return reading if _rest_opens(reading) and (found.bracketed or reading.separator == "dash") else None


_RUBRIC: Final = re.compile(r"(?:[A-Z][A-Za-z]*[: ]{1,2}){1,4}(?:&?gt;|>|:|(?<=:))\s*")


def _after_rubric(text: str, at: int) -> _Reading | None:
    """A rubric of the feed before a dated dateline: `World News: Islamabad, Nov 9 : `."""
    rubric = _RUBRIC.match(text, at)
    reading = _located(text, rubric.end()) if rubric else None
    return reading if reading and reading.date else None


# What follows the places


_BEFORE_DATE: Final = re.compile(r"\s*[,.]?\s*(?:[-–—]\s|\()?")
_AFTER_DATE: Final = re.compile(r"\.?,\s([^\W\d_]+)(?=\s?[(–—-])|\)")


_SLASH: Final = re.compile(r"\s*/\s*")


def _with_date(reading: _Reading) -> _Reading:
    if reading.date:
        return reading
    gap = _BEFORE_DATE.match(reading.text, reading.at)
    date = match_date(reading.text, gap.end() if gap else reading.at)
    if not date:
        return reading
    after = _AFTER_DATE.match(reading.text, date.end)
    closed = after and (after[1] is None or tables.key(after[1]) in tables.weekdays())
    return reading._replace(at=after.end() if after and closed else date.end, date=date)


def _with_agency(reading: _Reading) -> _Reading:
    after_date = reading.date is not None
    found = bracketed_agency(reading.text, reading.at, after_date=after_date) or agency_in_line(
        reading.text, reading.at, after_date=after_date
    )
    if not found:
        return reading
    date = reading.date
    if found.date and not date:
        date = found.date
    reading = reading._replace(at=found.end, agency=found.name, agency_known=found.known, date=date)
    if not date and reading.text[found.end - 1] == "/":
        reading = _with_date(reading._replace(at=found.end))
        slash = _SLASH.match(reading.text, reading.at) if reading.date else None
        return reading._replace(at=slash.end(), separator="dash") if slash else reading
    return reading


def _finish(reading: _Reading) -> _Reading:
    """Read the separator."""
    if reading.separator:
        return reading
    found = SEPARATOR.match(reading.text, reading.at)
    if not found or not found[0]:
        return reading
    sign = found[0]
    kind = "none" if not sign.strip() else "colon" if sign.strip(" \u00a0") in (":", "：", ".:") else "dash"
    if sign.strip() in (".", "。", ","):
        kind = "dot" if sign.strip() != "," else "comma"
    elif sign.strip() == "-" and sign == "-" and not reading.date and not reading.agency:
        kind = "hyphen"
    return reading._replace(at=found.end(), separator="" if kind == "none" else kind)


# Is it one?


_OPENS: Final = re.compile(r"""["'“”„«‘’(\[¿¡<#*…@$€£]*[^\W_]""")
_BARE_NEXT: Final = re.compile(r"\s([^\W\d_]+)[ ,]\s*([^\W\d_]+|of\b)?")


def _rest_opens(reading: _Reading) -> bool:
    """What follows begins as a sentence begins: not in small letters."""
    rest = _OPENS.match(reading.text, reading.at)
    return bool(rest) and not rest[0][-1].islower() if rest else False


_CLOCK_OR_NAME: Final = re.compile(r"[0-9]{1,2}[:.h][0-9]{2}|[Bb]y\b|[0-9]+ ")


def _only_this_line(reading: _Reading) -> bool:
    """A date before a time or a name is the line of a date, not a dateline."""
    return bool(_CLOCK_OR_NAME.match(reading.text, reading.at))


def _is_dateline(reading: _Reading) -> bool:
    city = reading.places[0].city
    if tables.key(city) in tables.not_places() or not _rest_opens(reading):
        return False
    if reading.agency and reading.date:
        return bool(reading.separator) or reading.agency_known
    if reading.agency:
        return _agency_proves(reading)
    if reading.date:
        sure = reading.capitals or reading.known or reading.region_known
        apart = "," in reading.text[reading.span[1] : reading.date.start]
        return (reading.separator in ("dash", "colon") and (sure or apart)) or (reading.separator == "dot" and sure)
    return _place_alone(reading)


def _agency_proves(reading: _Reading) -> bool:
    if reading.agency_known:
        return True
    if not reading.separator or reading.separator == "comma":
        return False
    return reading.capitals or reading.known or reading.region_known


def _place_alone(reading: _Reading) -> bool:
    city, sign = reading.places[0].city, reading.separator
    if sign in ("", "comma", "dot", "hyphen"):
        return sign == "" and _bare_capitals(reading)
    words = city.split()
    if reading.known or reading.region_known:
        return reading.capitals or not _TWO_PLACES.match(reading.text, reading.at)
    if reading.text[reading.span[1] :].startswith((".-", ".—")) and len(words) <= 4:
        return True
    if not reading.capitals or _is_heading(reading) or tables.key(words[-1]) in tables.not_places():
        return False
    if sign == "colon":
        return len(words) == 1 and len(city) > 4
    return len(words) <= 4 and (len(city) > 4 or len(words) > 1)


_TWO_PLACES: Final = re.compile(r"[^\W\d_]+\s?:")


def _bare_capitals(reading: _Reading) -> bool:
    """`BAGHDAD Iraq promised`: a known city in capitals, then a word, then one in small letters."""
    follows = _BARE_NEXT.match(reading.text, reading.at - 1)
    return (
        reading.capitals
        and reading.known
        and not reading.places[0].region
        and bool(follows and follows[2] and follows[1][0].isupper() and follows[2].islower())
    )


def _is_heading(reading: _Reading) -> bool:
    """`TACOMA RAINIERS - The Rainiers`: the last word comes again as a name with its article."""
    last = reading.places[0].city.split()[-1]
    return f"the {last}".casefold() in reading.text[reading.at : reading.at + 60].casefold()
