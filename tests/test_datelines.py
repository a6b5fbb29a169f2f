"""Datelines: tables of invented cases in agencies' forms, properties, known failures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.metadata import parse_dateline
from copydesk.metadata.datelines import Dateline, Place

DATA = Path(__file__).parent / "data"


def _rows(name: str) -> list[list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def _written(found: Dateline | None) -> tuple[str, str, str, str] | None:
    if found is None:
        return None
    places = "; ".join(place.city + (f"/{place.region}" if place.region else "") for place in found.places)
    date = f"{found.month}-{found.day}-{found.year or ''}" if found.month else ""
    return places, date, found.agency or "", found.prefix.replace(" ", "·")


@pytest.mark.parametrize("row", _rows("datelines.tsv"), ids=lambda row: row[0][:40])
def test_forms_of_agencies(row: list[str]) -> None:
    """Every form in the table gives its places, date, agency and the exact prefix."""
    opening, *expected = row
    assert _written(parse_dateline(opening)) == tuple(expected)


@pytest.mark.parametrize("opening", [row[0] for row in _rows("not_datelines.tsv")])
def test_sentences_are_no_datelines(opening: str) -> None:
    """Openings that only look like datelines give None."""
    assert parse_dateline(opening) is None


@pytest.mark.xfail(strict=True, reason="known failure: see docs/metadata.md")
@pytest.mark.parametrize("row", _rows("datelines_missed.tsv"), ids=lambda row: row[0][:40])
def test_known_failures(row: list[str]) -> None:
    """Forms that the grammar does not read yet."""
    opening, places, date = row
    found = parse_dateline(opening)
    if not places:
        assert found is None
    else:
        assert found is not None
        assert found.places[0].city == places
        assert date in ("", f"{found.month}-{found.day}")


@pytest.mark.parametrize(
    ("opening", "place", "date"),
    [
        ("SOCHI /Krasnodar Region/, September 22. /TASS/. The", "SOCHI /Krasnodar Region/", "September 22"),
        ("Rostock (Germany) (AFP) – The", "Rostock (Germany)", None),
        ("MOSCOW, September 22./TASS/. The", "MOSCOW", "September 22"),
        ("Донецк, 4 июл — ДАН. Свыше", "Донецк", "4 июл"),
        ("LONDON, Oct. 2 (Reuters) - Shares", "LONDON", "Oct. 2"),
    ],
)
def test_place_and_date_stay_as_written(opening: str, place: str, date: str | None) -> None:
    """`place` and `date_written` repeat the text's own words."""
    found = parse_dateline(opening)
    assert found is not None
    assert (found.place, found.date_written) == (place, date)


def test_asdict_has_the_published_shape() -> None:
    """`asdict` gives places, date or None, agency and prefix, nothing else."""
    found = parse_dateline("OSLO, May 3 (Reuters) - Norway's")
    assert found is not None
    assert found.asdict() == {
        "places": [{"city": "OSLO", "region": None}],
        "date": {"month": 5, "day": 3, "year": None},
        "agency": "Reuters",
        "prefix": "OSLO, May 3 (Reuters) - ",
    }
    assert Dateline((Place("OSLO"),)).asdict()["date"] is None


_CITIES = st.sampled_from(
    ["OSLO", "NEW YORK", "Rio de Janeiro", "ST. LOUIS", "МОСКВА", "AL-FASHER", "Frankfurt am Main"]
)
_DATES = st.sampled_from(
    ["", "May 3", "Sept. 22", "3 mai", "29 июня", "11 may", "31 dez 2008", "5 October 2020", "OCT 5"]
)
_AGENCIES = st.sampled_from(["(Reuters) - ", "(AFP) – ", "/TASS/. ", "(Xinhua) -- ", "(EFE).- ", "(dpa) - "])


@given(city=_CITIES, second=st.none() | _CITIES, date=_DATES, agency=_AGENCIES)
def test_composed_datelines_are_read(city: str, second: str | None, date: str, agency: str) -> None:
    """Any city, date and agency put together come back as they were put in."""
    places = city if second is None else f"{city}/{second}"
    prefix = places + (f", {date}" if date else "") + (". " if agency[0] == "/" else " ") + agency
    found = parse_dateline(prefix + "The government said")
    assert found is not None
    assert [place.city for place in found.places] == [city, *([second] if second else [])]
    assert found.prefix == prefix
    assert found.agency == agency.strip(" ().-–/")
    assert (found.month is None) == (not date)


@settings(max_examples=300)
@given(
    st.text(max_size=120)
    | st.from_regex(r"[A-Z]{3,9}(, [A-Z][a-z]+)?( \([A-Za-z]+\))? ?[-:–/]? ?.{0,40}", fullmatch=True)
)
def test_the_prefix_is_a_prefix(opening: str) -> None:
    """Whatever the text, nothing is raised and the prefix to cut is the text's own beginning."""
    found = parse_dateline(opening)
    assert found is None or (opening.startswith(found.prefix) and found.prefix)


@pytest.mark.parametrize("unit", ["a", "A", "Ab ", "A/", "A, ", "é", "я", "(", "Aa-", "न", "A. "])
def test_long_nonsense_takes_linear_time(unit: str) -> None:
    """Ten thousand repetitions of anything are settled at once: no expression backtracks without end."""
    start = time.process_time()
    parse_dateline(unit * 10_000)
    assert time.process_time() - start < 1
