"""Dates and times as printed: a table of invented lines, zones, properties."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.metadata import published_iso
from copydesk.metadata.dates import Stamp, find_dates, parse_given
from copydesk.metadata.zones import ZONE, zone_minutes

DATA = Path(__file__).parent / "data"


def _rows() -> list[list[str]]:
    lines = (DATA / "dates.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def _written(stamp: Stamp) -> str:
    year = f"{stamp.year:04d}" if stamp.year else "-"
    text = f"{year}-{stamp.month:02d}" + (f"-{stamp.day:02d}" if stamp.day else "")
    if stamp.hour is not None:
        text += f"T{stamp.hour:02d}:{stamp.minute:02d}" + (f":{stamp.second:02d}" if stamp.second is not None else "")
        if stamp.offset is not None:
            sign, size = ("-" if stamp.offset < 0 else "+"), abs(stamp.offset)
            text += f"{sign}{size // 60:02d}:{size % 60:02d}"
    return text


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"{row[1]} {row[0][:40]}")
def test_dates_as_printed(row: list[str]) -> None:
    """A line's dates come out with what is written and nothing more."""
    line, language, expected = row
    assert ";".join(_written(stamp) for stamp in find_dates(line, language)) == expected


@given(
    day=st.dates(dt.date(1995, 1, 1), dt.date(2030, 12, 31)),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    hours_east=st.integers(-12, 14),
    zone=st.sampled_from(["UTC{:+d}", "GMT{:+d}", "UTC {:+d}", "{:+03d}00", "{:+03d}:00", "GMT{:+03d}:00"]),
)
def test_signs_of_zones_are_kept(day: dt.date, hour: int, minute: int, hours_east: int, zone: str) -> None:
    """`UTC+3` is three hours east, whatever the form."""
    line = f"{day:%B} {day.day}, {day.year}, {hour:02d}:{minute:02d} {zone.format(hours_east)}"
    (stamp,) = find_dates(line, "en")
    assert stamp.offset == hours_east * 60
    assert (stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute) == (
        day.year,
        day.month,
        day.day,
        hour,
        minute,
    )


@pytest.mark.parametrize(
    ("name", "day", "minutes"),
    [
        ("ET", dt.date(2020, 7, 1), -240),
        ("ET", dt.date(2020, 1, 1), -300),
        ("ET", dt.date(2006, 3, 20), -300),
        ("ET", dt.date(2007, 3, 20), -240),
        ("PT", dt.date(2020, 11, 1), -480),
        ("PT", dt.date(2020, 10, 31), -420),
        ("MSK", None, 180),
        ("IST", None, 330),
        ("UTC+25", None, None),
    ],
)
def test_named_zones(name: str, day: dt.date | None, minutes: int | None) -> None:
    """Names give their offset; American ones follow daylight saving time by its rule, not by the machine's tables."""
    found = ZONE.match(" " + name)
    assert found is not None
    assert zone_minutes(found, day) == minutes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2017-01-25", "2017-01-25"),
        ("20170125_slug", "2017-01-25"),
        ("2017/01/25 14:44", "2017-01-25T14:44"),
        ("2017_01_25", "2017-01-25"),
    ],
)
def test_dates_of_paths(value: str, expected: str) -> None:
    """Dates of paths and sidecars may be compact."""
    stamp = parse_given(value)
    assert stamp is not None
    assert _written(stamp) == expected


@given(
    instant=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2035, 1, 1)),  # noqa: DTZ001
    offset=st.none() | st.integers(-14 * 4, 14 * 4).map(lambda quarter: quarter * 15),
)
def test_instants_print_and_read_back(instant: dt.datetime, offset: int | None) -> None:
    """`published_iso` writes what `fromisoformat` reads as the same instant."""
    instant = instant.replace(microsecond=0)
    read = dt.datetime.fromisoformat(published_iso(instant, offset, "second"))
    assert read.utcoffset() == (None if offset is None else dt.timedelta(minutes=offset))
    assert read.replace(tzinfo=None) - dt.timedelta(minutes=offset or 0) == instant


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No line raises; positions lie inside the line."""
    for stamp in find_dates(text):
        assert 0 <= stamp.start < stamp.end <= len(text)


@pytest.mark.parametrize("unit", ["1", "1.", "1 ", "a", "a ", "1/", "5 May ", "年1", "12:"])
def test_long_nonsense_takes_no_time(unit: str) -> None:
    """A long line of anything is settled quickly."""
    start = time.process_time()
    find_dates(unit * 300)
    assert time.process_time() - start < 2
