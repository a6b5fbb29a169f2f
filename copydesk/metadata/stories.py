"""What metadata asks of the article's own text: its opening, its end, its longest lines, phrases and years in it.

Columns for all documents of a batch where every document is asked; where only some are (phrases, years), a function of
the documents in question.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.aligned import end_to_end
from copydesk.expressions import contains
from copydesk.metadata import endings, sieves
from copydesk.metadata.layout import Ints, Layout, runs, spread
from copydesk.metadata.years import Story, story_weekdays, written_pairs, year_counts

__all__ = ["PARAGRAPH_BREAK", "Openings", "Phrases", "cut_off", "longest", "openings_of", "phrases_of", "stories_of"]

PARAGRAPH_BREAK: Final = 2
"""Characters between two paragraphs of the article's text: a blank line."""

DATELINE_REACH: Final = 10
"""Lines after the first text line within which the story's own first paragraph stands; 39 of 42 within 8."""

OPENING: Final = 400
"""Characters of a line that are read as its opening."""


@dataclass(frozen=True)
class Openings:
    """Where a dateline may stand, one entry per document."""

    first: list[str]
    """The opening of the first text line; empty where there is none."""
    sieved: list[bool]
    """Whether it may begin with a dateline."""
    above: list[int]
    """Characters of the article's text before that line: headings and the breaks after them."""
    later: list[Sequence[str]]
    """Other early paragraphs that may begin with one: teasers and captions come before the story on some pages."""
    alone: list[str | None]
    """A line labelled as a dateline."""


def openings_of(layout: Layout) -> Openings:
    """Cut out the openings of a batch."""
    count, body = layout.documents, layout.labelled("body")
    firsts = np.flatnonzero(body & (layout.rank == layout.first))
    opening = layout.text.gather(firsts).str.slice(0, OPENING)
    at = layout.at[firsts]
    alone = np.flatnonzero(layout.labelled("dateline"))[::-1]  # the first of a document's is put down last
    return Openings(
        first=spread(count, at, opening.to_list(), ""),
        sieved=spread(count, at, contains(opening, sieves.DATELINE_FIRST).tolist(), default=False),
        above=_above(layout),
        later=_later(layout),
        alone=spread(count, layout.at[alone], layout.text.gather(alone).to_list(), None),
    )


def _above(layout: Layout) -> list[int]:
    headings = np.flatnonzero(layout.labelled("heading") & (layout.rank < layout.first))
    height = layout.text.gather(headings).str.strip_chars().str.len_chars().to_numpy() + PARAGRAPH_BREAK
    found: list[int] = np.bincount(layout.at[headings], height, layout.documents).astype(np.int64).tolist()
    return found


def _later(layout: Layout) -> list[Sequence[str]]:
    behind = layout.rank - layout.first
    early = np.flatnonzero(layout.labelled("body", "deck") & (behind != 0) & (behind <= DATELINE_REACH))
    early = early[sieves.may_begin_later(layout.text.gather(early))]
    early = early[contains(layout.text.gather(early), sieves.DATELINE_LATER)]
    texts = layout.text.gather(early).str.slice(0, OPENING).to_list()
    return [found[:3] for found in runs(layout.documents, layout.at[early], texts)]


def cut_off(layout: Layout) -> list[bool]:
    """Which documents stop short: with a heading that nothing follows, or by their end."""
    body, kept = layout.labelled("body"), layout.kept
    last = np.flatnonzero(body & (layout.rank == layout.last))
    behind = np.flatnonzero((layout.rank > kept) & (layout.rank <= kept + 2))
    after = layout.text.gather(behind).str.slice(0, 100)
    ends = endings.may_be_truncated(layout.text.gather(last), after=False)
    doubtful = np.zeros(layout.documents, dtype=np.bool_)
    doubtful[layout.at[last[ends]]] = True
    doubtful[layout.at[behind[endings.may_be_truncated(after, after=True)]]] = True
    found = np.zeros(layout.documents, dtype=np.bool_)
    found[layout.at[last[kept[last] > layout.last[last]]]] = True
    if doubtful.any():
        found |= _is_cut_off(layout, np.flatnonzero(body & doubtful[layout.at]), behind[doubtful[layout.at[behind]]])
    flags: list[bool] = found.tolist()
    return flags


def _is_cut_off(layout: Layout, body: Ints, behind: Ints) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Ask of each document its last lines of text and what stands behind them."""
    texts = runs(layout.documents, layout.at[body], layout.text.gather(body).to_list())
    after = runs(layout.documents, layout.at[behind], layout.text.gather(behind).str.slice(0, 100).to_list())
    judged = [bool(end) and endings.is_truncated(end[-4:], lines) for end, lines in zip(texts, after, strict=True)]
    return np.array(judged, dtype=np.bool_)


def longest(layout: Layout) -> tuple[list[str | None], Callable[[int], list[str]]]:
    """The longest line of deck and text per document, and a function that gives the four longest of one document."""
    counts = layout.labelled("body", "heading", "deck")
    size = np.where(counts, layout.text.str.len_bytes().to_numpy().astype(np.int64), 0)
    total = len(size)
    place = np.arange(total, dtype=np.int64)
    most = np.maximum.reduceat(size * total + (total - 1 - place), layout.starts) if total else place
    first = total - 1 - most % total if total else place  # the first of equals
    ends = np.r_[layout.starts[1:], total]
    row = {document: at for at, document in enumerate(layout.present.tolist())}

    def four(document: int) -> list[str]:
        at = row[document]
        start, end = layout.starts[at], ends[at]
        found: list[str] = layout.text.gather(start + np.argsort(-size[start:end], kind="stable")[:4]).to_list()
        return [line[:OPENING] for line in found]

    lines = layout.text.gather(first).str.slice(0, OPENING)
    return spread(layout.documents, layout.present, lines.to_list(), None), four


class Phrases:
    """Texts in small letters as one stretch of bytes: each document is looked at where a reader asks for a phrase."""

    def __init__(self, lowered: bytes, bounds: dict[int, tuple[int, int]]) -> None:
        self._lowered, self._bounds = lowered, bounds

    def of(self, document: int) -> Callable[[str], bool]:
        """A function that tells whether the document's text has these words as one phrase, in whatever case."""
        return functools.partial(self._has, *self._bounds.get(document, (0, 0)))

    def _has(self, start: int, end: int, words: str) -> bool:
        if words.isascii():
            return self._lowered.find(words.lower().encode(), start, end) >= 0
        return words.casefold() in self._lowered[start:end].decode(errors="replace").casefold()


def phrases_of(layout: Layout, documents: Sequence[int]) -> Phrases:
    """The texts of `documents`: headline, deck, headings and paragraphs."""
    told = _told(layout, documents)
    if not len(told):
        return Phrases(b"", {})
    whole, ends = end_to_end(layout.text.gather(told))
    at = layout.at[told]
    first = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
    bounds = itertools.pairwise(ends[np.r_[first, len(told)]].tolist())
    return Phrases(whole.tobytes().lower(), dict(zip(at[first].tolist(), bounds, strict=True)))


def _told(layout: Layout, documents: Sequence[int]) -> Ints:
    """The lines of headline, deck and text of some documents."""
    asked = np.zeros(layout.documents, dtype=np.bool_)
    asked[list(documents)] = True
    return np.flatnonzero(layout.labelled("body", "heading", "headline", "deck") & asked[layout.at])


def stories_of(layout: Layout, openings: Sequence[str], documents: Sequence[int]) -> list[Story]:
    """What the stories of `documents` say of their year."""
    lines = _told(layout, documents)
    counts = year_counts(pl.DataFrame({"doc": layout.at[lines], "text": layout.text.gather(lines)}))
    days = _weekdays(documents, [openings[document] for document in documents])
    return [Story(*days.get(document, ((), ())), counts.get(document, ())) for document in documents]


_Days = tuple[tuple[int, ...], tuple[tuple[int, int, int], ...]]


def _weekdays(documents: Sequence[int], openings: Sequence[str]) -> dict[int, _Days]:
    """The weekdays of those openings that name some, and the dates written beside one."""
    text = pl.Series(openings, dtype=pl.String)
    named = np.flatnonzero(contains(text.str.to_lowercase(), sieves.weekday_like())).tolist()
    text = text.gather(named)
    paired = sieves.may_pair_weekday(text)
    found: dict[int, _Days] = {}
    for at, opening, may_pair in zip(named, text, paired, strict=True):
        if weekdays := story_weekdays(opening):
            found[documents[at]] = weekdays, written_pairs(opening) if may_pair else ()
    return found
