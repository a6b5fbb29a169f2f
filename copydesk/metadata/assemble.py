"""Metadata of a batch: one row of fields per document, from its labelled lines.

`extract` asks each reader for its field, only where a document has lines for it, and notes in `provenance` where a
value came from; a source that says otherwise is noted with `used` false. What the page does not say is null or an
empty list, never a guess.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.metadata import bylines, endings, headlines, language, outlets, tags
from copydesk.metadata.columns import SCHEMA, column_of
from copydesk.metadata.datelines import Dateline, Place, parse_dateline
from copydesk.metadata.given import Given, Note
from copydesk.metadata.layout import Layout, layout_of
from copydesk.metadata.pages import Pages, pages_of
from copydesk.metadata.published import Choice, candidates, choose
from copydesk.metadata.quality import QUALITY_TYPE, quality
from copydesk.metadata.stories import Openings, cut_off, longest, openings_of, phrases_of, stories_of
from copydesk.metadata.when import When, whens_of

__all__ = ["SCHEMA", "extract"]

Fields = dict[str, Sequence[Any]]


def extract(spans: pl.DataFrame, documents: pl.DataFrame, knowledge: Knowledge) -> pl.DataFrame:
    """Read the metadata of every document: one row per row of `documents`, in its order.

    `spans`: doc, text, label, ordered by document and line. `documents`: doc, and where they are known uri,
    outlet, url, given_date, given_headline, given_section, given_authors, given_by, years_from, years_to,
    profile_outlet.
    Columns of the result: `SCHEMA`, then `quality`. Lists are never null.
    """
    vocabulary = dict(knowledge.tags.select("tag", "documents").iter_rows())
    signals = _quality(spans)
    with _without_collecting():
        table = _table(layout_of(spans, documents), documents, vocabulary)
    return table.join(signals, on="doc", how="left", maintain_order="left")


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


def _quality(spans: pl.DataFrame) -> pl.DataFrame:
    kept = spans.filter(pl.col("label").is_in(("body", "heading"))).select("doc", "text")
    return quality(kept) if kept.height else pl.DataFrame(schema={"doc": pl.UInt32(), "quality": QUALITY_TYPE})


def _table(layout: Layout, documents: pl.DataFrame, vocabulary: Mapping[str, int]) -> pl.DataFrame:
    """The columns of `SCHEMA`; what they were made from is gone when the cycle collector starts again."""
    doc = documents.get_column("doc").cast(pl.UInt32)
    fields = _fields(layout, Given(documents), vocabulary)
    return pl.DataFrame([doc, *(column_of(name, fields[name]) for name in SCHEMA if name != "doc")])


def _fields(layout: Layout, given: Given, vocabulary: Mapping[str, int]) -> Fields:
    """A value per document for each column of `SCHEMA` after `doc`."""
    pages, openings = pages_of(layout), openings_of(layout)
    tongues = _tongues(layout)
    read = [_dateline(openings, document) for document in range(layout.documents)]
    datelines = [dateline for dateline, _ in read]
    whens = _whens(layout, pages, openings, datelines, given, tongues["language"])
    notes = [when.provenance for when in whens]
    headline = [headlines.headline_of(copies) if copies else None for copies in pages.headlines]
    credited = _credited(pages)
    sections = _sections(pages, headline)  # by the printed headline
    headline = given.choose("headline", headline, notes)
    authors = given.fill([bylines.authors_of(found) if found else [] for found in credited], notes)
    section = given.choose("section", sections, notes)
    return {
        "headline": headline,
        "deck": [headlines.deck_of(lines) if lines else None for lines in pages.decks],
        "dateline": datelines,
        "dateline_end": [end for _, end in read],
        "authors": authors,
        "section": section,
        "outlet": _outlets(pages, datelines, given, notes),
        "agency": [_agency(dateline, found) for dateline, found in zip(datelines, credited, strict=True)],
        "url": _addresses(pages, given),
        "truncated": cut_off(layout),
        "notices": [endings.notices_in(lines) if lines else () for lines in pages.notices],
        "provenance": notes,
        **_tags(layout, pages, vocabulary),
        **tongues,
        **_when_columns(whens),
    }


def _tongues(layout: Layout) -> Fields:
    lines, longer = longest(layout)
    found = language.detect_all(lines, longer)
    return {
        "language": [tongue[0] if tongue else None for tongue in found],
        "language_score": [tongue[1] if tongue else None for tongue in found],
        "script": [language.script_of(line[:200]) if line else None for line in lines],
    }


# Dateline and dates

_LEAD: Final = " \t\u00a0\ufeff\u200b"


def _dateline(openings: Openings, document: int) -> tuple[Dateline | None, int | None]:
    """Read the dateline and where it ends in the first paragraph; one on its own line ends nowhere."""
    line = openings.alone[document]
    if line is not None:
        text = line.strip(_LEAD)
        return parse_dateline(text + " X") or parse_dateline(text.rstrip(" .:-–—") + " -- X") or _only_place(text), None
    if openings.sieved[document]:
        opening = openings.first[document]
        found = parse_dateline(opening)
        if found:
            lead = len(opening) - len(opening.lstrip())
            return found, openings.above[document] + len(found.prefix) - lead
    for text in openings.later[document]:
        found = parse_dateline(text)
        if found and (found.agency or found.month or found.places[0].city.isupper()):
            return found, None
    return None, None


def _only_place(text: str) -> Dateline:
    name = text.rstrip(" .:-–—,")
    return Dateline((Place(name),), prefix=text, place=name)


_NO_CHOICE: Final = Choice()


def _whens(
    layout: Layout,
    pages: Pages,
    openings: Openings,
    datelines: Sequence[Dateline | None],
    given: Given,
    codes: Sequence[str | None],
) -> list[When]:
    choices = [
        choose(candidates(lines, head, body, code)) if lines else _NO_CHOICE
        for lines, head, body, code in zip(pages.dates, pages.head, pages.body, codes, strict=True)
    ]
    return whens_of(choices, datelines, given.asked(), lambda open_: stories_of(layout, openings.first, open_))


_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001  both sides are UTC without zone
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def _when_columns(whens: Sequence[When]) -> Fields:
    published = [when.published for when in whens]
    updated = [when.updated for when in whens]
    return {
        "published_at": [(one.utc - _EPOCH) // _MICROSECOND if one else None for one in published],
        "published_offset": [one.offset if one else None for one in published],
        "published_precision": [one.precision if one else None for one in published],
        "published_evidence": [when.evidence if when.published else None for when in whens],
        "candidate_years": [when.years for when in whens],
        "updated_at": [(one.utc - _EPOCH) // _MICROSECOND if one else None for one in updated],
    }


# Names and places


def _credited(pages: Pages) -> list[list[bylines.Credit]]:
    return [
        bylines.credits_of(lines, dated, head, body) if lines else []
        for lines, dated, head, body in zip(pages.credits, pages.dates, pages.head, pages.body, strict=True)
    ]


def _sections(pages: Pages, titles: Sequence[str | None]) -> list[str | None]:
    return [
        tags.section_of(lines, head, title) if lines else None
        for lines, head, title in zip(pages.sections, pages.head, titles, strict=True)
    ]


def _tags(layout: Layout, pages: Pages, vocabulary: Mapping[str, int]) -> Fields:
    topics: list[Sequence[str]] = [()] * layout.documents
    persons = list(topics)
    asked = [document for document, lines in enumerate(pages.tags) if lines]
    phrases = phrases_of(layout, asked)
    for document in asked:
        found = tags.tags_of(pages.tags[document], pages.body[document], vocabulary, phrases.of(document))
        topics[document], persons[document] = found
    return {"topics": topics, "persons": persons}


def _outlets(
    pages: Pages, datelines: Sequence[Dateline | None], given: Given, notes: Sequence[list[Note]]
) -> list[str | None]:
    """The user's word, the profile's, then what the page prints."""
    found: list[str | None] = []
    told = zip(given.column("outlet"), given.column("profile_outlet"), pages.prints, datelines, strict=True)
    for document, (own, profile, prints, dateline) in enumerate(told):
        outlet: tuple[str, str] | None
        if own:
            outlet = own, given.evidence(document, "outlet")
        elif profile:
            outlet = profile, "profile"
        else:
            outlet = outlets.printed_outlet(prints, dateline) if prints or dateline else None
        if outlet:
            notes[document].append(("outlet", *outlet, True))
        found.append(outlet[0] if outlet else None)
    return found


def _agency(dateline: Dateline | None, credited: Sequence[bylines.Credit]) -> str | None:
    if dateline is not None and dateline.agency:
        return outlets.agency_name(dateline.agency)
    for credit in credited:
        for name in map(outlets.agency_name, credit.others):
            if bylines.is_known_agency(name):
                return name
    return None


def _addresses(pages: Pages, given: Given) -> list[str | None]:
    return [
        url or (outlets.address_of(lines) if lines else None)
        for url, lines in zip(given.column("url"), pages.prints, strict=True)
    ]
