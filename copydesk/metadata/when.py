"""Puts together what page, dateline, path and sidecar say of the day: the published and updated instants.

The order, from a printed date with its year, over the user's own, to the dateline's, is told in `published.py`; a
year that is not printed is taken from a full date within a day (crawl header, path, sidecar), else left open with
candidates, which decide only within the user's bounds. `Instant.text` writes an instant as it was printed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from copydesk.metadata import years
from copydesk.metadata.datelines import Dateline
from copydesk.metadata.dates import Stamp, day_of, parse_given
from copydesk.metadata.published import Candidate, Choice, near

__all__ = ["Asked", "Instant", "When", "published_iso", "whens_of"]


class Instant(NamedTuple):
    """UTC without zone, minutes east as printed (None: none printed, the clock is stored as if UTC), precision."""

    utc: dt.datetime
    offset: int | None
    precision: str

    def text(self) -> str:
        """ISO 8601 as far as printed."""
        return published_iso(self.utc, self.offset, self.precision)


class Asked(NamedTuple):
    """What the user says of a document: a date by path or sidecar, its path, bounds of the year."""

    given_date: str | None = None
    uri: str | None = None
    bounds: tuple[int | None, int | None] = (None, None)
    given_by: str = "given"
    """Who says the date: `given` is the user."""


@dataclass
class When:
    """The story's dates and how they were found; `provenance` rows are (field, value, evidence, used)."""

    published: Instant | None = None
    updated: Instant | None = None
    evidence: str | None = None
    years: tuple[tuple[int, float], ...] = ()
    provenance: list[tuple[str, str, str, bool]] = field(default_factory=list)
    open: tuple[Stamp, str] | None = None
    """A day without its year and the line it stands on, for the story to be asked of its year."""


def published_iso(instant: dt.datetime, offset: int | None, precision: str) -> str:
    """Write an instant as it was printed: `2017-01-25T14:44+03:00`, `2017-01-25T14:44`, `2017-01-25`, `2017-01`.

    `instant` is in UTC (aware or not), `offset` in minutes east of Greenwich.
    """
    local = instant.replace(tzinfo=None) + dt.timedelta(minutes=offset or 0)
    if precision in ("year", "month", "day"):
        return local.date().isoformat()[: {"year": 4, "month": 7, "day": 10}[precision]]
    written = local.isoformat(timespec="minutes" if precision == "minute" else "seconds")
    if offset is None:
        return written
    sign = "-" if offset < 0 else "+"
    return f"{written}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def _instant(stamp: Stamp, year: int | None = None) -> Instant | None:
    day = day_of(stamp._replace(day=1) if stamp.day is None else stamp, year)
    if day is None:
        return None
    clock = dt.time(stamp.hour or 0, stamp.minute or 0, stamp.second or 0)
    offset = stamp.offset if stamp.hour is not None else None
    utc = dt.datetime.combine(day, clock) - dt.timedelta(minutes=offset or 0)
    return Instant(utc, offset, stamp.precision)


def whens_of(
    choices: Sequence[Choice],
    datelines: Sequence[Dateline | None],
    asked: Sequence[Asked],
    stories: Callable[[Sequence[int]], Sequence[years.Story]],
) -> list[When]:
    """Decide for every document of a batch. `stories` is asked only of those whose year is open."""
    found = [_settled(*one) for one in zip(choices, datelines, asked, strict=True)]
    open_ = [document for document, when in enumerate(found) if when.open is not None]
    for document, story in zip(open_, stories(open_), strict=True):
        _weigh(found[document], choices[document], asked[document], story)
    for when, choice, dateline, own in zip(found, choices, datelines, asked, strict=True):
        _record(when, choice, dateline, own)
    return found


def _settled(choice: Choice, dateline: Dateline | None, asked: Asked) -> When:
    """What is known without the story."""
    found = When()
    printed = choice.published
    if printed is not None and not _overruled(choice):
        found.published = _instant(printed.stamp)
        found.evidence = f"printed:{'updated' if printed.role == 'updated' else printed.line.label}"
        given = parse_given(asked.given_date) if asked.given_date else None
        if given is not None and _sharper(given, printed.stamp) and day_of(given) == day_of(printed.stamp):
            found.published, found.evidence = _instant(given), f"{found.evidence}+{asked.given_by}"
    else:
        _without_printed(found, choice, dateline, asked)
    if choice.updated is not None and (printed is None or choice.updated is not printed):
        found.updated = _instant(choice.updated.stamp)
    return found


def _overruled(choice: Choice) -> bool:
    """A weak dated line (a teaser's at the foot) does not beat a date line without a year."""
    printed, open_year = choice.published, choice.yearless
    return bool(
        printed
        and open_year
        and open_year.line.label == "date_line"
        and printed.line.label != "date_line"
        and open_year.points > printed.points + 2
    )


def _without_printed(found: When, choice: Choice, dateline: Dateline | None, asked: Asked) -> None:
    given = parse_given(asked.given_date) if asked.given_date else None
    base, label = _yearless(choice, dateline)
    for stamp, name in _full_dates(choice, given, asked):
        day = day_of(stamp)
        if base is None or day is None:
            continue
        year = _year_near(base, day)
        if year is not None:
            sharper = stamp is given and _sharper(given, base)
            found.published = _instant(stamp) if sharper else _instant(base, year)
            found.evidence, found.years = f"{label}+{name}", ((day.year if sharper else year, 1.0),)
            return
    if given is not None:
        found.published, found.evidence = _instant(given), asked.given_by
        return
    if dateline is not None and dateline.year and dateline.month and dateline.day:
        stamp = Stamp(0, 0, dateline.year, dateline.month, dateline.day)
        found.published, found.evidence = _instant(stamp), "dateline"
    elif base is not None and base.day is not None:
        found.open = base, label
    elif choice.crawl is not None:
        found.published, found.evidence = _instant(choice.crawl.stamp), "crawl header"


def _sharper(given: Stamp, printed: Stamp) -> bool:
    """Whether what is given has a clock, and what is printed has none."""
    return given.hour is not None and printed.hour is None


LEAST_YEARLESS: Final = 2.5
"""Points a line needs for its date without a year to be the story's; a date line has them by its label."""


def _yearless(choice: Choice, dateline: Dateline | None) -> tuple[Stamp | None, str]:
    """The day without its year: of a date line, else of the dateline."""
    line = choice.yearless
    if line is not None and line.points >= LEAST_YEARLESS:
        return line.stamp, line.line.label
    if dateline is not None and dateline.month and dateline.day and not dateline.year:
        return Stamp(0, 0, None, dateline.month, dateline.day), "dateline"
    return None, ""


def _full_dates(choice: Choice, given: Stamp | None, asked: Asked) -> list[tuple[Stamp, str]]:
    found = []
    if choice.crawl is not None:
        found.append((choice.crawl.stamp, "crawl header"))
    if given is not None and given.year:
        found.append((given, asked.given_by))
    if asked.uri and (stamp := _date_in_path(asked.uri)):
        found.append((stamp, "path"))
    others = (other for other in (choice.updated, choice.published) if other is not None and other.stamp.year)
    return [*found, *((other.stamp, f"printed:{other.line.label}") for other in others)]


_PATH_DATE: Final = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})(?:([-_/.])([01]?[0-9])\2([0-3]?[0-9])|([01][0-9])([0-3][0-9]))(?![0-9])"
)
_PATH_YEAR: Final = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")


def _date_in_path(path: str) -> Stamp | None:
    found = _PATH_DATE.search(path)
    if not found:
        return None
    month, day = int(found[3] or found[5]), int(found[4] or found[6])
    stamp = Stamp(found.start(), found.end(), int(found[1]), month, day)
    return stamp if day_of(stamp) else None


def _year_near(base: Stamp, day: dt.date) -> int | None:
    """The year that puts the day within a day of `day`, also across New Year."""
    for year in (day.year, day.year - 1, day.year + 1):
        if near(day_of(base, year), day):
            return year
    return None


def _weigh(found: When, choice: Choice, asked: Asked, story: years.Story) -> None:
    """Candidates for the open year; within the user's bounds the heaviest may decide."""
    assert found.open is not None  # noqa: S101  what `whens_of` asks for
    base, label = found.open
    path_year = _PATH_YEAR.search(asked.uri) if asked.uri else None
    known = choice.crawl or choice.published or choice.updated
    evidence = years.YearEvidence(
        story.weekdays,
        base.weekday,
        label == "dateline",
        story.counts,
        known.stamp.year if known is not None else None,
        int(path_year[1]) if path_year else None,
        story.pairs,
    )
    found.years = years.candidate_years(base.month, base.day or 1, evidence, asked.bounds)
    if not found.years:
        return
    first, last = asked.bounds
    year, weight = found.years[0]
    if first is not None and last is not None and weight >= years.SURE:
        found.published = _instant(base, year)
        found.evidence = f"{label}+bounds {first}-{last}: {_because(evidence)} leaves {year} ({weight:.2f})"


def _because(evidence: years.YearEvidence) -> str:
    reasons = [
        name
        for name, value in (
            ("printed weekday", evidence.printed_weekday is not None),
            ("weekday", bool(evidence.weekdays)),
            ("years in the text", bool(evidence.counts)),
            ("path", evidence.file_year is not None),
            ("page", evidence.copyright is not None),
        )
        if value
    ]
    return ", ".join(reasons) or "nothing else"


def _record(found: When, choice: Choice, dateline: Dateline | None, asked: Asked) -> None:
    """Note every other source of a date; one that contradicts is noted as not used."""
    given = parse_given(asked.given_date) if asked.given_date else None
    chosen = found.published
    if chosen is not None and found.evidence:
        found.provenance.append(("published_at", chosen.text(), found.evidence, True))
    day = (chosen.utc + dt.timedelta(minutes=chosen.offset or 0)).date() if chosen else None
    others: list[tuple[Stamp, str]] = [(one.stamp, f"printed:{one.line.label}") for one in choice.conflicts]
    if choice.published is not None and _overruled(choice):
        others.append((choice.published.stamp, f"printed:{choice.published.line.label}"))
    others.extend((stamp, name) for stamp, name in _sources(choice.crawl, given, asked, dateline))
    if asked.given_date and given is None:  # no date, such as 31.13.2017: whoever gave it will look for it
        found.provenance.append(("published_at", asked.given_date, asked.given_by, False))
    for stamp, name in others:
        instant = _instant(stamp)
        if instant is not None and instant.utc.date() != day and name != found.evidence:
            found.provenance.append(("published_at", instant.text(), name, False))


def _sources(
    crawl: Candidate | None, given: Stamp | None, asked: Asked, dateline: Dateline | None
) -> list[tuple[Stamp, str]]:
    found = []
    if crawl is not None:
        found.append((crawl.stamp, "crawl header"))
    if given is not None and given.year:
        found.append((given, asked.given_by))
    if asked.uri and (stamp := _date_in_path(asked.uri)):
        found.append((stamp, "path"))
    if dateline is not None and dateline.year and dateline.month and dateline.day:
        found.append((Stamp(0, 0, dateline.year, dateline.month, dateline.day), "dateline"))
    return found
