"""Metadata of a batch: one row of fields per document, from its labelled lines.

`extract` asks each reader for its field and notes in `provenance` where a value came from; a source that says
otherwise is noted with `used` false. What the page does not say is null or an empty list, never a guess.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.metadata import bylines, endings, headlines, language, outlets, tags
from copydesk.metadata.datelines import Dateline, Place, parse_dateline
from copydesk.metadata.pages import Page, column, pages_of
from copydesk.metadata.published import candidates, choose
from copydesk.metadata.quality import QUALITY_TYPE, quality
from copydesk.metadata.when import Asked, Story, When, when_of

__all__ = ["SCHEMA", "extract"]

_DATELINE: Final = pl.Struct(
    {
        "place": pl.String(),
        "date": pl.String(),
        "places": pl.List(pl.String()),
        "month": pl.Int8(),
        "day": pl.Int8(),
        "year": pl.Int16(),
        "agency": pl.String(),
    }
)
_DATELINE_NAMES: Final = [field.name for field in _DATELINE.fields]
_PROVENANCE: Final = pl.Struct(
    {"field": pl.String(), "value": pl.String(), "evidence": pl.String(), "used": pl.Boolean()}
)
_YEARS: Final = pl.Struct({"year": pl.Int16(), "weight": pl.Float32()})
_LISTS: Final = ("authors", "topics", "persons", "notices")
_INSTANTS: Final = ("published_at", "updated_at")
_NESTED: Final = {"candidate_years": _YEARS, "provenance": _PROVENANCE}
_INSTANT: Final = pl.Datetime("us", "UTC")
_NAMES: Final = pl.List(pl.String())

SCHEMA: Final[dict[str, pl.DataType]] = {
    "doc": pl.UInt32(),
    "headline": pl.String(),
    "deck": pl.String(),
    "dateline": _DATELINE,
    "dateline_end": pl.Int32(),
    "published_at": _INSTANT,
    "published_offset": pl.Int16(),
    "published_precision": pl.String(),
    "published_evidence": pl.String(),
    "candidate_years": pl.List(_YEARS),
    "updated_at": _INSTANT,
    "authors": _NAMES,
    "section": pl.String(),
    "topics": _NAMES,
    "persons": _NAMES,
    "outlet": pl.String(),
    "agency": pl.String(),
    "url": pl.String(),
    "language": pl.String(),
    "language_score": pl.Float32(),
    "script": pl.String(),
    "truncated": pl.Boolean(),
    "notices": _NAMES,
    "provenance": pl.List(_PROVENANCE),
}


def extract(spans: pl.DataFrame, documents: pl.DataFrame, knowledge: Knowledge) -> pl.DataFrame:
    """Read the metadata of every document: one row per row of `documents`, in its order.

    `spans`: doc, text, label, ordered by document and line. `documents`: doc, and where they are known uri,
    outlet, url, given_date, given_headline, given_section, given_authors, given_by, years_from, years_to,
    profile_outlet.
    Columns of the result: `SCHEMA`, then `quality`. Lists are never null.
    """
    vocabulary = dict(knowledge.tags.select("tag", "documents").iter_rows())
    with _without_collecting():
        table = _fields(spans, documents, vocabulary)
    return table.join(_quality(spans), on="doc", how="left", maintain_order="left")


def _fields(spans: pl.DataFrame, documents: pl.DataFrame, vocabulary: Mapping[str, int]) -> pl.DataFrame:
    """The columns of `SCHEMA`; what they were made from is gone when the cycle collector starts again."""
    pages = pages_of(spans, documents)
    rows = [_row(page, given, vocabulary) for page, given in zip(pages, _given(documents), strict=True)]
    doc = documents.get_column("doc").cast(pl.UInt32)
    names = [name for name in SCHEMA if name != "doc"]
    columns = zip(*rows, strict=True) if rows else [() for _ in names]
    return pl.DataFrame([doc, *(_column(name, values) for name, values in zip(names, columns, strict=True))])


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    if name in _LISTS:
        return _name_column(name, values)
    if name in _INSTANTS:
        return _instant_column(name, values)
    if name == "dateline":
        return _dateline_column(values)
    if name in _NESTED:
        return _nested_column(name, _NESTED[name], values)
    return pl.Series(name, values, dtype=SCHEMA[name])


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the cycle collector off: a batch makes a hundred thousand small lists and no cycle, a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _instant_column(name: str, instants: Sequence[int | None]) -> pl.Series:
    """Microseconds since 1970 as instants."""
    return pl.Series(name, instants, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _name_column(name: str, lists: Sequence[Sequence[str]]) -> pl.Series:
    """A column of lists of strings."""
    return _listed(name, pl.Series([one for names in lists for one in names], dtype=pl.String), lists)


def _nested_column(name: str, kind: pl.Struct, lists: Sequence[Sequence[tuple[Any, ...]]]) -> pl.Series:
    """A column of lists of structs, from lists of tuples."""
    flat = [entry for entries in lists for entry in entries]
    columns = [
        pl.Series(field.name, [entry[at] for entry in flat], dtype=field.dtype) for at, field in enumerate(kind.fields)
    ]
    return _listed(name, pl.DataFrame(columns).to_struct(), lists)


def _listed(name: str, values: pl.Series, lists: Sequence[Sequence[Any]]) -> pl.Series:
    """Cut flat values into the lists they came from: by offsets, many times quicker than list by list."""
    import pyarrow as pa  # heavy: late

    ends = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    offsets = pa.Array.from_buffers(
        pa.int64(), len(ends), [None, pa.py_buffer(ends.tobytes())]
    )  # pa.array would load pandas
    array: Any = pa.LargeListArray.from_arrays(offsets, values.to_arrow())  # type: ignore[call-overload]
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)  # noqa: S101  an array, not a table
    return series.alias(name)


def _dateline_column(datelines: Sequence[Dateline | None]) -> pl.Series:
    """The datelines as a column of structs, null where there is none."""
    found = [dateline or Dateline() for dateline in datelines]
    columns: dict[str, list[Any]] = {
        "place": [one.place for one in found],
        "date": [one.date_written for one in found],
        "month": [one.month for one in found],
        "day": [one.day for one in found],
        "year": [one.year for one in found],
        "agency": [one.agency for one in found],
    }
    plain = [
        pl.Series(field.name, columns[field.name], dtype=field.dtype)
        for field in _DATELINE.fields
        if field.name in columns
    ]
    places = _name_column("places", [[place.city for place in one.places] for one in found])
    has = pl.Series("has", [one is not None for one in datelines], dtype=pl.Boolean)
    table = pl.DataFrame([has, places, *plain])
    return table.select(dateline=pl.when(pl.col("has")).then(pl.struct(_DATELINE_NAMES))).to_series()


def _quality(spans: pl.DataFrame) -> pl.DataFrame:
    kept = spans.filter(pl.col("label").is_in(("body", "heading"))).select("doc", "text")
    return quality(kept) if kept.height else pl.DataFrame(schema={"doc": pl.UInt32(), "quality": QUALITY_TYPE})


@dataclass(frozen=True)
class _Given:
    """What the user says of one document, or its page of itself; `by` says of which fields the page does, and where."""

    asked: Asked
    headline: str | None
    section: str | None
    authors: str | None
    outlet: str | None
    url: str | None
    profile_outlet: str | None
    by: Mapping[str, str]

    def evidence(self, field: str) -> str:
        """Who says it: `given` is the user."""
        return self.by.get(field, "given")


def _given(documents: pl.DataFrame) -> list[_Given]:
    names = (
        "given_date",
        "uri",
        "years_from",
        "years_to",
        "given_headline",
        "given_section",
        "given_authors",
        "outlet",
        "url",
        "profile_outlet",
        "given_by",
    )
    found = []
    for date, uri, first, last, headline, section, authors, outlet, url, profile, said_by in zip(
        *(column(documents, name) for name in names), strict=True
    ):
        by = json.loads(said_by) if said_by else {}
        asked = Asked(date, uri, (first, last), by.get("date", "given"))
        found.append(_Given(asked, headline, section, authors, outlet, url, profile, by))
    return found


# One document


def _row(page: Page, given: _Given, vocabulary: Mapping[str, int]) -> tuple[Any, ...]:
    """The values of the columns of `SCHEMA` after `doc`, in its order."""
    tongue = language.detect(page.longest, page.longer)
    code = tongue[0] if tongue else None
    title = headlines.headline_of(page.labelled("headline"))
    dateline, end = _dateline(page)
    when = _when(page, dateline, given, code)
    credited = bylines.credits_of(page.credits, page.dates, page.head, page.body)
    section = tags.section_of(page.sections, page.head, title)
    topics, persons = tags.tags_of(page.tags, page.body, vocabulary, page.in_article)
    authors = bylines.authors_of(credited)
    outlet = _outlet(page, given, dateline)
    provenance = when.provenance
    headline = _chosen("headline", title, given.headline, given.evidence("headline"), provenance)
    authors = authors or _given_list(given.authors, given.evidence("authors"), provenance)
    named = _chosen("section", section[0] if section else None, given.section, given.evidence("section"), provenance)
    if outlet:
        provenance.append(("outlet", outlet[0], outlet[1], True))
    published, updated = when.published, when.updated
    return (
        headline,
        headlines.deck_of(page.labelled("deck")),
        dateline,
        end,
        _microseconds(published.utc) if published else None,
        published.offset if published else None,
        published.precision if published else None,
        when.evidence if published else None,
        when.years,
        _microseconds(updated.utc) if updated else None,
        authors,
        named,
        topics,
        persons,
        outlet[0] if outlet else None,
        _agency(dateline, credited),
        given.url or outlets.address_of(page.prints),
        code,
        tongue[1] if tongue else None,
        language.script_of(page.longest[:200]) if page.longest else None,
        page.cut_off,
        _notices(page),
        provenance,
    )


def _chosen(
    field: str, printed: str | None, given: str | None, by: str, provenance: list[tuple[str, str, str, bool]]
) -> str | None:
    """What is printed, else what was given, as `by` says; the other is noted where it differs."""
    if printed is not None:
        provenance.append((field, printed, "printed", True))
    if given:
        differs = printed is not None and printed.casefold() != given.casefold()
        if printed is None or differs:
            provenance.append((field, given, by, printed is None))
    return printed if printed is not None else given or None


def _given_list(given: str | None, by: str, provenance: list[tuple[str, str, str, bool]]) -> list[str]:
    names = [name.strip() for name in re.split(r"[;,|]", given) if name.strip()] if given else []
    if names:
        provenance.append(("authors", "; ".join(names), by, True))
    return names


_LEAD: Final = " \t\u00a0\ufeff\u200b"


def _dateline(page: Page) -> tuple[Dateline | None, int | None]:
    """Read the dateline and where it ends in the first paragraph; one on its own line ends nowhere."""
    if page.dateline_line is not None:
        text = page.dateline_line.strip(_LEAD)
        return parse_dateline(text + " X") or parse_dateline(text.rstrip(" .:-–—") + " -- X") or _only_place(text), None
    found = parse_dateline(page.opening) if page.may_be_dateline else None
    if found:
        lead = len(page.opening) - len(page.opening.lstrip())
        return found, page.above + len(found.prefix) - lead
    later = (parse_dateline(text) for text in page.later_openings)
    return next((one for one in later if one and (one.agency or one.month or one.places[0].city.isupper())), None), None


def _only_place(text: str) -> Dateline:
    name = text.rstrip(" .:-–—,")
    return Dateline((Place(name),), prefix=text, place=name)


def _when(page: Page, dateline: Dateline | None, given: _Given, code: str | None) -> When:
    choice = choose(candidates(page.dates, page.head, page.body, code))
    return when_of(choice, dateline, given.asked, Story(page.opening if page.may_name_weekday else "", page.years))


_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001  both sides are UTC without zone


def _microseconds(instant: dt.datetime) -> int:
    return (instant - _EPOCH) // dt.timedelta(microseconds=1)


def _outlet(page: Page, given: _Given, dateline: Dateline | None) -> tuple[str, str] | None:
    if given.outlet:
        return given.outlet, given.evidence("outlet")
    if given.profile_outlet:
        return given.profile_outlet, "profile"
    return outlets.printed_outlet(page.prints, dateline)


def _agency(dateline: Dateline | None, credited: Sequence[bylines.Credit]) -> str | None:
    if dateline is not None and dateline.agency:
        return outlets.agency_name(dateline.agency)
    others = [outlets.agency_name(name) for credit in credited for name in credit.others]
    known = [name for name in others if bylines.is_known_agency(name)]
    return known[0] if known else None


_NOTICE: Final = re.compile(endings.NOTICE)


def _notices(page: Page) -> list[str]:
    kinds: list[str] = []
    for line in page.notices:
        if _NOTICE.match(line.text) and line.label not in ("headline", "related_link", "date_line", "byline"):
            kind = endings.notice_kind(line.text)
            if kind not in kinds:
                kinds.append(kind)
    return kinds
