"""The cheap tests over columns refuse nothing that a reader would find something in; shortcuts read as the grammar."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copydesk.metadata import bylines, datelines, dates, endings, sieves, tables, tags
from copydesk.metadata.dates import find_dates
from copydesk.metadata.published import Line
from copydesk.metadata.years import written_pairs

_MONTHS = sorted(tables.months())
_WEEKDAYS = sorted(tables.weekdays())
_FIGURES = st.one_of(
    st.integers(0, 99).map(str),
    st.integers(1890, 2040).map(str),
    st.sampled_from(["05", "1st", "22nd", "3er", "7º", "5-го"]),
)
_CASES = st.sampled_from([str, str.upper, str.title, str.capitalize])
_NAMES = st.builds(lambda name, case: case(name), st.sampled_from([*_MONTHS, *_WEEKDAYS, "May", "Sept", "Oct"]), _CASES)
_SIGNS = st.sampled_from(
    [
        " ",
        " ",
        " ",
        ". ",
        ", ",
        ".",
        "-",
        "/",
        ":",
        " de ",
        " of ",
        "\u00a0",
        "\x1c",
        "  ",
        "’",
        "年",
        "月",
        "日",
        " d'",
        " m. ",
    ]
)
_WORDS = st.sampled_from(
    ["Updated", "Harbour", "Straße", "пятницу", "“Ports”", "den", "the", "a", "10:15", "UTC+3", "tháng"]
)
_PARTS = st.one_of(_FIGURES, _FIGURES, _NAMES, _NAMES, _WORDS, st.text(max_size=3))
_LINES = st.lists(st.tuples(_PARTS, _SIGNS), max_size=7).map(lambda pairs: "".join(part + sign for part, sign in pairs))
_SOME = st.lists(st.one_of(_LINES, st.text(max_size=30)), min_size=1, max_size=20)


def _refused(lines: list[str], passed: Iterable[bool]) -> list[str]:
    return [line for line, does in zip(lines, passed, strict=True) if not does]


@settings(max_examples=150)
@given(_SOME, st.sampled_from([None, "de", "pl", "hr"]))
@example(["5 MAYIS 2020", "7º maio", "2020年5月6日", "20\u00a0Mai", "12/05/20", "May5", "5May"], None)
def test_a_line_refused_for_dates_has_none(lines: list[str], language: str | None) -> None:
    """Where the test for dates says no, the date grammar finds nothing, whatever the language."""
    for line in _refused(lines, sieves.may_hold_date(pl.Series(lines))):
        assert find_dates(line, language) == ()


@settings(max_examples=150)
@given(_SOME)
@example(["on Monday, January 23", "le lundi 5 mai", "SUN May 3", "segunda-feira, 5 de maio"])
def test_an_opening_refused_for_pairs_has_none(openings: list[str]) -> None:
    """Where the test for weekdays beside dates says no, no date without year has a weekday."""
    for opening in _refused(openings, sieves.may_pair_weekday(pl.Series(openings))):
        assert written_pairs(opening) == ()


def test_every_written_form_passes_for_a_date() -> None:
    """Every ending of a day's number, sign and small word beside a month: refused only where no date is found."""
    months = ["May", "SEPTEMBER", "janv.", *_MONTHS[::60]]
    ends, signs, words = (
        ["", "st", "nd", "rd", "th", "er", "º", "ª", "-го", "a"],
        ["", " ", ".", "-", ". "],
        ["", "de ", "of ", "d’", "d'", "ta’"],
    )
    day_first = [
        f"3{end}{sign}{word}{month}" for end, sign, word, month in itertools.product(ends, signs, words, months)
    ]
    gaps = ["", " ", ".", ". ", ", ", ",", " de ", ", de ", "\x1c"]
    month_first = [f"{month}{gap}{number}" for month, gap, number in itertools.product(months, gaps, ["3", "2017"])]
    numbers = [
        sign.join(parts) for sign in ["-", "/", ".", ". ", "/ "] for parts in (("3", "5", "17"), ("2017", "3", "5"))
    ]
    lines = pl.Series([*day_first, *month_first, *numbers, "2017年5月3日", "3 tháng 5", "2017, May 3", "2017 m. May 3"])
    passed = sieves.may_hold_date(lines)
    assert passed.sum() > len(lines) / 2
    assert [line for line in _refused(lines.to_list(), passed) if find_dates(line)] == []


def test_the_test_for_dates_refuses_prose() -> None:
    """Lines with figures, years or months that are no dates are refused: it is no test that passes everything."""
    prose = [
        "Copyright 2023.",
        "It may rise to 20 percent",
        "US$300 million in March",
        "at 5.30 per share",
        "in 1996/97",
    ]
    assert not sieves.may_hold_date(pl.Series(prose)).any()


_PLACES = st.sampled_from(
    [
        "LONDON",
        "NEW DELHI",
        "MARCH",
        "MONDAY",
        "BY JANE DOE",
        "WASHINGTON DC",
        "AP",
        "DEAR ABBY",
        "COTE D'IVOIRE",
        "OF THE",
        "KABUL, Afghanistan",
        "PORTLAND, Maine",
        "AAA, Xyz",
        "AAA, May Day",
        "NORTHPORT, New York",
        "X",
        "McMURDO",
    ]
)
_DATES = st.builds(
    lambda month, day, year: f"{month} {day}{year}",
    st.sampled_from(["January", "May", "August", "December", "Jan.", "Mar", "Sept.", "Sep", "Oct.", "Dec", "May."]),
    st.integers(0, 34),
    st.sampled_from(["", ", 2017", ", 1999", ", 3017", " 2017"]),
)
_TAILS = st.sampled_from(
    [
        ". /TASS/. ",
        " (Reuters) - ",
        " (AP) — ",
        " /PRNewswire/ -- ",
        " (Texas) - ",
        " (The New York Times) ",
        " /Foo/ ",
        " (X) ",
        " /Leningrad Region/. ",
        " (U.S.) - ",
        ". /TASS / - ",
        " - ",
        ". ",
        " (Los Angeles) -- ",
        " (CBS-AP). ",
    ]
)
_RESTS = st.sampled_from(
    [
        "The council met",
        "the council",
        "“We met”",
        "(AP) - The",
        "AP - The",
        "/TASS/ The",
        "REUTERS - A",
        "2020 was",
        "10 ",
        "",
    ]
)


@settings(max_examples=500)
@given(_PLACES, _DATES, _TAILS, _RESTS)
def test_the_form_read_at_once_is_read_as_by_the_grammar(place: str, date: str, tail: str, rest: str) -> None:
    """The commonest form of a dateline, read from its parts, gives what the grammar gives for the whole."""
    opening = f"{place}, {date}{tail}{rest}"
    assert datelines._wire(opening) in (None, datelines._read(opening, 0))


def test_the_commonest_form_is_read_at_once() -> None:
    """Place, date and an agency in signs: with and without region, year and full stops."""
    openings = [
        "LONDON, May 3. /TASS/. The",
        "KABUL, Afghanistan, Oct. 2, 2016 (Reuters) - “We",
        "NEW DELHI, Dec 5 (AP) — A",
    ]
    found = [datelines._wire(opening) for opening in openings]
    assert [(one.place, one.date_written, one.agency) for one in found if one] == [
        ("LONDON", "May 3", "TASS"),
        ("KABUL, Afghanistan", "Oct. 2, 2016", "Reuters"),
        ("NEW DELHI", "Dec 5", "AP"),
    ]


@settings(max_examples=150)
@given(_PLACES, _DATES, _TAILS, _RESTS)
def test_an_opening_refused_for_datelines_has_none(place: str, date: str, tail: str, rest: str) -> None:
    """Where the test for datelines says no, the grammar reads none."""
    openings = [f"{place}, {date}{tail}{rest}", f"{place}{tail}{rest}", f"{date}{tail}{rest}", f"{tail.strip()} {rest}"]
    for opening in _refused(openings, pl.Series(openings).str.contains(sieves.DATELINE_FIRST)):
        assert datelines.parse_dateline(opening) is None


@settings(max_examples=150)
@given(
    st.lists(
        st.from_regex(r"\A[“( ]{0,3}[A-ZÀ-Ý][A-Z.’' -]{0,4}[a-z( ]{0,60}[(/:. —-]{0,3}[^)]{0,4}\)?[-–—.: ]{0,3}\Z"),
        min_size=1,
    )
)
def test_the_quick_test_for_later_datelines_refuses_no_more_than_the_full_one(lines: list[str]) -> None:
    """What the full expression finds, the quick one before it lets through."""
    for line in _refused(lines, sieves.may_begin_later(pl.Series(lines))):
        assert not pl.Series([line]).str.contains(sieves.DATELINE_LATER).item()


_DATE_LINES = st.builds(
    "{} {}{}, {}:{}{}".format,
    st.sampled_from(["January", "May", "Mai", "Sept", "February", "MARCH", "Harbour", "Mar"]),
    st.integers(0, 32),
    st.sampled_from(["", ", 2017", ", 1899", " 2017"]),
    st.integers(0, 25),
    st.sampled_from(["00", "5", "59", "60", "07"]),
    st.sampled_from(["", " UTC+3", " GMT-11", " UTC+99", "h", " EST", " UTC+3 Updated", " UTC+"]),
)


@settings(max_examples=500)
@given(_DATE_LINES, st.sampled_from([None, "de", "es"]))
def test_the_date_line_read_at_once_is_read_as_by_the_grammar(line: str, language: str | None) -> None:
    """The commonest date line gives the same in one step as in many."""
    found = dates._at_once(line, language)
    assert found is None or (found,) == dates._by_grammar(line, language, month_first=None)


_CREDITS = st.lists(
    st.sampled_from(
        [
            "By",
            "von",
            "Jane Doe",
            "JANE DOE",
            "Reuters",
            "staff writer",
            "May 5, 2020",
            "and",
            "10:15",
            "the harbour",
            "a long line of prose that names nobody",
            "Redaktion",
            "@jane",
            "Автор:",
            "AP Auto Writer",
            "2017",
            "Photo:",
        ]
    ),
    max_size=4,
)


@settings(max_examples=300)
@given(
    _CREDITS, st.sampled_from([" ", ", ", " | ", " - "]), st.sampled_from(["byline", "navigation"]), st.integers(0, 12)
)
def test_a_line_refused_for_credits_credits_nobody(parts: list[str], sign: str, label: str, rank: int) -> None:
    """A line that may credit nobody credits nobody wherever it stands, and beside whatever date."""
    line = Line(rank, label, sign.join(parts))
    dated = [Line(rank + 1, "date_line", "May 5, 2020")]
    assert bylines.may_credit(line.text) or bylines.credits_of([line], dated, 2, (4, 9)) == []


@settings(max_examples=150)
@given(st.from_regex(endings.NOTICE), st.text(max_size=5))
def test_every_notice_passes(notice: str, rest: str) -> None:
    """What is matched as a notice, the test over columns lets through."""
    assert (
        not re.match(endings.NOTICE, notice + rest)
        or pl.Series([notice + rest]).str.contains(endings.MAY_BE_NOTICE).item()
    )


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(["Home", "World", "Menu", "Coast & Sea", "5 May", "A long line of words", "x" * 50, "!"]),
        max_size=4,
    ),
    st.sampled_from([" > ", "/", " | ", " "]),
    st.sampled_from(["section_label", "navigation"]),
    st.sampled_from([None, "A long line of words and more", "Home"]),
)
def test_a_line_refused_for_sections_names_none(parts: list[str], sign: str, label: str, headline: str | None) -> None:
    """A line that may name no section names none under any headline."""
    line = Line(0, label, sign.join(parts))
    assert tags.may_name_section(line.text) or tags.section_of([line], 1, headline) is None
