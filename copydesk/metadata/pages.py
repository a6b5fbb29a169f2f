"""From a batch's lines to the few that metadata is read from: for each field the lines that may hold it.

Lines near head and foot, and all lines with a label of their own, are tested by `sieves`, each different line once, and
sorted by what they may hold; only those become objects. The rest is one list per field with an entry per document.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.expressions import contains
from copydesk.labels import LABELS
from copydesk.metadata import bylines, endings, sieves, tags
from copydesk.metadata.layout import AROUND, Bools, Ints, Layout, runs
from copydesk.metadata.published import Line

__all__ = ["Pages", "pages_of"]

HEAD: Final = 15
"""Non-blank lines from the top that may hold metadata; 97 % of printed dates of 292 pages stand within."""
FOOT: Final = 14
"""The same from the end."""
LONGEST_LINE: Final = 260
"""Bytes; longer lines are text, except for a date at their very beginning."""

Lines = list[Sequence[Line]]

_OWN: Final = ("headline", "deck", "dateline", "byline", "date_line", "section_label", "tags")
_KEPT: Final = ("body", "heading")


@dataclass(frozen=True)
class Pages:
    """What the readers of single documents see; every list has one entry per document."""

    head: list[int]
    """Rank of the headline; ranks count non-blank spans from 0."""
    body: list[tuple[int, int]]
    """Ranks of the first and last line of text."""
    headlines: list[Sequence[str]]
    decks: list[Sequence[str]]
    dates: Lines
    credits: Lines
    sections: Lines
    tags: Lines
    prints: Lines
    """Lines with a copyright mark or an address."""
    notices: list[Sequence[str]]


def pages_of(layout: Layout) -> Pages:
    """Sort the lines of a batch by what they may hold."""
    near = _near(layout)
    uses = _Uses(layout, near)
    lines = uses.lines()
    texts = {name: near[layout.labelled(name)[near]] for name in ("headline", "deck")}
    notices = near[uses.notice()]
    return Pages(
        head=layout.of_documents(layout.head, 0),
        body=list(zip(layout.of_documents(layout.first, 0), layout.of_documents(layout.last, -1), strict=True)),
        headlines=_texts(layout, texts["headline"]),
        decks=_texts(layout, texts["deck"]),
        notices=_texts(layout, notices),
        **lines,
    )


def _texts(layout: Layout, rows: Ints) -> list[Sequence[str]]:
    return runs(layout.documents, layout.at[rows], layout.text.gather(rows).to_list())


def _near(layout: Layout) -> Ints:
    """The lines near head and foot that are no long text, and those with a label of their own."""
    rank, kept = layout.rank, layout.labelled(*_KEPT)
    zone = (rank < HEAD) | (rank >= layout.count - FOOT) | (np.abs(rank - layout.head) <= AROUND)
    zone |= (rank >= layout.first - AROUND) & (rank <= layout.first)
    size = layout.text.str.len_bytes().to_numpy()
    long = (size > LONGEST_LINE) | (kept & (size > 100))
    own = layout.labelled(*_OWN)
    near = own | (zone & ~long)
    doubtful = np.flatnonzero(zone & long & ~own)
    text = layout.text.gather(doubtful)
    opens = (rank <= layout.first)[doubtful] & contains(text, sieves.OPENS)
    notice = kept[doubtful] & contains(text, sieves.NOTICE_START)
    near[doubtful[opens | notice]] = True
    return np.flatnonzero(near)


class _Uses:
    """What each of the lines `near` may hold."""

    def __init__(self, layout: Layout, near: Ints) -> None:
        self.layout, self.near = layout, near
        self.at, self.rank = layout.at[near], layout.rank[near]
        self.texts = layout.text.gather(near)
        encoded: Any = self.texts.to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
        self.different = pl.Series(encoded.dictionary, dtype=pl.String)
        self.which = pl.Series(encoded.indices).to_numpy()
        self.size = self.different.str.len_bytes().to_numpy()[self.which]
        self._looks_dated = sieves.looks_dated(self.different)
        self.dated = self.each(self._looks_dated)

    def each(self, found: Bools) -> Bools:
        """What was found of the different lines, for every line."""
        every: Bools = found[self.which]
        return every

    def has(self, pattern: str) -> Bools:
        """Whether a regular expression is found in the lines."""
        return self.each(contains(self.different, pattern))

    def where(self, asked: Callable[[str], bool], found: Bools) -> Bools:
        """Those of the lines `found` whose text passes a reader's own test; each different one is asked once."""
        which = np.unique(self.which[found])
        passed = np.zeros(len(self.different), dtype=np.bool_)
        passed[which] = list(map(asked, self.different.gather(which).to_list()))
        both: Bools = found & passed[self.which]
        return both

    def labelled(self, *labels: str) -> Bools:
        """Which lines have one of these labels."""
        return self.layout.labelled(*labels)[self.near]

    def lines(self) -> dict[str, Lines]:
        """The lines of each field that is read line by line."""
        masks = {
            "dates": self.dates(),
            "credits": self.credits(),
            "sections": self.sections(),
            "tags": self.tags(),
            "prints": self.prints(),
        }
        used = np.flatnonzero(np.logical_or.reduce(list(masks.values())))
        labels = [LABELS[code] for code in self.layout.label[self.near[used]].tolist()]
        made = list(map(Line, self.rank[used].tolist(), labels, self.texts.gather(used).to_list()))
        found = {}
        for name, mask in masks.items():
            rows = mask[used]
            own = list(itertools.compress(made, rows.tolist()))
            found[name] = runs(self.layout.documents, self.at[used[rows]], own)
        return found

    def dates(self) -> Bools:
        """Lines that may hold a date, and the line before each: its words may say which date it is.

        The line before is looked for among all that look dated, since that is what the reader counts as before.
        """
        date_line = self.labelled("date_line")
        named = self.dated | date_line
        listed = named | (_next(named & _as_before(self.at)) & (self.size <= 40))
        place = np.flatnonzero(listed)
        sure = (self.may_hold_date() | date_line)[place]
        found = np.zeros(len(listed), dtype=np.bool_)
        found[place[sure | _next(sure & _as_before(self.at[place]))]] = True
        return found

    def may_hold_date(self) -> Bools:
        """The surer of the two tests for dates, asked only where the quicker one does not refuse."""
        found = self._looks_dated.copy()
        found[found] = sieves.may_hold_date(self.different.filter(pl.Series(found)))
        return self.each(found)

    def credits(self) -> Bools:
        """Lines that may say who wrote it."""
        quiet = ~self.labelled("headline", "heading", "body", "caption", "copyright")
        head = self.layout.head[self.near]
        close = (self.rank >= head - 3) & (self.rank <= head + AROUND) & (self.size <= 90)
        name = close & (quiet | self.labelled("body")) & self.has(sieves.NAME_LIKE)
        word = (quiet | (self.size <= 100)) & self.has(sieves.CREDIT_START)
        found = self.labelled("byline", "date_line") | name | (close & quiet & self.dated) | word
        return self.where(bylines.may_credit, found & (self.size <= 400))

    def sections(self) -> Bools:
        """Section labels, and what stands just above the headline, where it may name a section."""
        head = self.layout.head[self.near]
        above = (self.rank >= head - 3) & (self.rank < head) & self.labelled(*tags.ABOVE_HEADLINE)
        found = self.labelled("section_label") | (above & (self.size <= 120))
        return self.where(tags.may_name_section, found)

    def tags(self) -> Bools:
        """Tag headings and tag lines, and the short lines within reach that follow one without a gap."""
        short = ~self.labelled("body", "heading") | (self.size < 60)
        head = self.labelled("tags") | (short & self.has(sieves.TAGS_START))
        barred = self.labelled(*tags.NOT_IN_GROUP, "headline", "deck")
        listed = (self.size <= 90) & ~barred & (self.rank > self.layout.last[self.near])
        index = np.arange(len(head))
        follows = _as_before(self.at) & _as_before(self.rank - index)
        last = np.maximum.accumulate(np.where(head, index, -1))
        last_gap = np.maximum.accumulate(np.where(follows & listed, -1, index))
        group: Bools = head | ((last >= last_gap) & (index - last <= _TAG_REACH))
        return group

    def prints(self) -> Bools:
        """Lines with a copyright mark or an address, outside the text."""
        return self.has("©|opyright|https?://") & ~self.labelled(*_KEPT)

    def notice(self) -> Bools:
        """Lines that may be a notice of the newsroom."""
        barred = self.labelled("headline", "related_link", "date_line", "byline")
        return self.has(sieves.NOTICE_START) & self.has(endings.MAY_BE_NOTICE) & ~barred


_TAG_REACH: Final = 25


def _next(flags: Bools) -> Bools:
    """What holds of the line after each."""
    after: Bools = np.r_[flags[1:], False][: len(flags)]
    return after


def _as_before(values: Ints) -> Bools:
    """Whether each value is that of the line before."""
    same: Bools = np.r_[False, values[1:] == values[:-1]][: len(values)]
    return same
