"""Generated stories of known date: header forms, zones, languages, the year printed, in the path, or hidden.

A few hundred by default, 5,000 under the soak marker. The stories follow the wires' convention that the first
weekday named is the dateline's day; how often real ones do is told in docs/metadata.md.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from copydesk.knowledge import Knowledge
from copydesk.labels import LABEL_TYPE
from copydesk.metadata import extract

_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),  # noqa: SIM905
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),  # noqa: SIM905
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),  # noqa: SIM905
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),  # noqa: SIM905
}
_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),  # noqa: SIM905
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),  # noqa: SIM905
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),  # noqa: SIM905
    "es": "lunes martes miércoles jueves viernes sábado domingo".split(),  # noqa: SIM905
    "ru": "понедельник вторник среду четверг пятницу субботу воскресенье".split(),  # noqa: SIM905
}
_SAID = {
    "en": "The minister told reporters on {w} that the harbour would open again after the storm, and thanked "
    "the crews.",
    "de": "Der Minister sagte am {w} vor Journalisten, dass der Hafen nach dem Sturm wieder öffnen werde, "
    "und dankte allen.",
    "fr": "Le ministre a déclaré {w} à la presse que le port rouvrirait après la tempête et a remercié les "
    "équipes du pays.",
    "es": "El ministro dijo el {w} a la prensa que el puerto volvería a abrir después de la tormenta y "
    "agradeció a todos.",
    "ru": "Министр сообщил журналистам, что порт снова откроется после шторма, и поблагодарил всех спасателей в {w}.",
}
_ZONES = {"": None, " UTC+3": 180, " GMT": 0, " GMT-05:00": -300, " +0530": 330, " EST": -300, " MSK": 180}


@dataclass(frozen=True)
class Story:
    """A generated document with the day it must give."""

    lines: tuple[tuple[str, str], ...]
    day: dt.date
    hour: int | None
    offset: int | None
    year_hidden: bool
    uri: str
    bounds: tuple[int, int] | None = None


def _header(language: str, day: dt.date, clock: str, form: int) -> str:
    month, weekday = _MONTHS[language][day.month - 1], _WEEKDAYS[language][day.weekday()]
    forms = {
        0: f"{day.day} {month} {day.year}{clock}",
        1: f"{weekday}, {day.day} {month} {day.year}{clock}",
        2: f"{day:%Y-%m-%d}{clock}",
        3: f"{day:%d.%m.%Y}{clock}",
        4: f"{day.day}. {month} {day.year}{clock}",
        5: f"{month} {day.day}, {day.year}{clock}",
    }
    return forms[form]


def _story(seed: int) -> Story:
    pick = random.Random(seed)
    language = pick.choice(list(_MONTHS))
    day = dt.date(2004, 1, 1) + dt.timedelta(days=pick.randrange(365 * 18))
    said = _SAID[language].format(w=_WEEKDAYS[language][day.weekday()])
    clock, hour, offset = "", None, None
    if pick.random() < 0.5:
        zone = pick.choice(list(_ZONES))
        hour, offset = pick.randrange(24), _ZONES[zone]
        clock = f", {hour:02d}:{pick.randrange(60):02d}{zone}"
    hidden = pick.random() < 0.4
    if hidden:
        month = _MONTHS["en"][day.month - 1]
        lines = [
            ("headline", "Harbour to open again"),
            ("body", f"OSLO, {month} {day.day}. /TASS/. {_SAID['en'].format(w=_WEEKDAYS['en'][day.weekday()])}"),
        ]
        kind = pick.randrange(3)
        uri = f"{day:%Y-%m-%d}_harbour.txt" if kind == 1 else "harbour.txt"
        if kind == 2:
            lines.insert(0, ("navigation", f" date {day:%Y-%m-%d} Back to Main page"))
        bounds = (first := day.year - pick.randrange(4), first + 3) if kind == 0 else None
        return Story(tuple(lines), day, None, None, kind == 0, uri, bounds)
    lines = [
        ("headline", "Harbour to open again"),
        ("date_line", _header(language, day, clock, pick.randrange(6))),
        ("body", said),
    ]
    return Story(tuple(lines), day, hour, offset, False, "harbour.txt")


def _extract(stories: list[Story], *, bounds: bool) -> list[dict[str, Any]]:
    rows = [(doc, text, label) for doc, story in enumerate(stories) for label, text in story.lines]
    spans = pl.DataFrame(rows, schema={"doc": pl.UInt32, "text": pl.String, "label": LABEL_TYPE}, orient="row")
    limits = [story.bounds if bounds and story.bounds else (None, None) for story in stories]
    documents = pl.DataFrame(
        {
            "doc": pl.Series(range(len(stories)), dtype=pl.UInt32),
            "uri": [story.uri for story in stories],
            "years_from": pl.Series([limit[0] for limit in limits], dtype=pl.Int16),
            "years_to": pl.Series([limit[1] for limit in limits], dtype=pl.Int16),
        }
    )
    return list(extract(spans, documents, Knowledge()).iter_rows(named=True))


def _check(count: int) -> None:
    stories = [_story(seed) for seed in range(count)]
    rows = _extract(stories, bounds=False)
    shown = [(story, row) for story, row in zip(stories, rows, strict=True) if not story.year_hidden]
    right = sum(_local_day(row) == story.day for story, row in shown)
    assert right >= 0.99 * len(shown)
    assert all(row["published_offset"] == story.offset for story, row in shown if story.hour is not None)
    hidden = [(story, row) for story, row in zip(stories, rows, strict=True) if story.year_hidden]
    assert all(row["published_at"] is None for _, row in hidden), "no bounds, no guess"
    assert _brier(hidden) < 0.9
    _check_bounds(stories)


def _check_bounds(stories: list[Story]) -> None:
    bounded = [story for story in stories if story.bounds]
    rows = _extract(bounded, bounds=True)
    resolved = [(story, row) for story, row in zip(bounded, rows, strict=True) if row["published_at"] is not None]
    assert len(resolved) >= 0.8 * len(bounded)
    assert sum(_local_day(row) == story.day for story, row in resolved) >= 0.99 * len(resolved)
    assert all("bounds" in row["published_evidence"] for _, row in resolved)


def _local_day(row: dict[str, Any]) -> dt.date | None:
    if row["published_at"] is None:
        return None
    local: dt.datetime = row["published_at"] + dt.timedelta(minutes=row["published_offset"] or 0)
    return local.date()


def _brier(pairs: list[tuple[Story, dict[str, Any]]]) -> float:
    """Mean squared distance of the years' weights from the truth: 1 for silence, .98 for 41 equal guesses."""
    total = 0.0
    for story, row in pairs:
        weights = {entry["year"]: entry["weight"] for entry in row["candidate_years"]}
        total += (1 - weights.pop(story.day.year, 0.0)) ** 2 + sum(weight**2 for weight in weights.values())
    return total / max(len(pairs), 1)


def test_generated_stories_keep_their_day() -> None:
    """Printed, crawled and path years give the day; hidden ones stay open; bounds decide most, rightly."""
    _check(400)


@pytest.mark.soak
def test_five_thousand_generated_stories() -> None:
    """The same on 5,000 stories."""
    _check(5_000)
