"""From the table of spans to the few lines per document that metadata is read from.

Whole batches at once: every non-blank span gets its rank in the document; lines near head and foot, and all lines
with a label of their own, are sorted by cheap expressions into what they may hold (`Use`), and only those reach a
reader. What the article's text is asked for (the opening, the end, the longest lines) is cut out here too; the text
itself is only sliced where a reader needs it (`Page.article`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.metadata import bylines, endings, tables, tags
from copydesk.metadata.published import Line
from copydesk.metadata.years import weekday_like, year_counts

__all__ = ["Page", "column", "pages_of"]

HEAD: Final = 15
"""Non-blank lines from the top that may hold metadata; 97 % of printed dates of 292 pages stand within."""
AROUND: Final = 8
"""The same after the headline, where menus come first."""
FOOT: Final = 14
"""The same from the end."""
LONGEST_LINE: Final = 260
"""Bytes; longer lines are text, except for a date at their very beginning."""

_OWN: Final = ("headline", "deck", "dateline", "byline", "date_line", "section_label", "tags")
_KEPT: Final = ("body", "heading")

DATE, CREDIT, SECTION, TAGS, NOTICE, PRINT, TITLE = 1, 2, 4, 8, 16, 32, 64


@dataclass
class Page:
    """One document's view for the readers. Ranks count its non-blank spans from 0."""

    head: int = 0
    body: tuple[int, int] = (0, -1)
    opening: str = ""
    """The first 400 characters of the first body paragraph."""
    may_be_dateline: bool = False
    may_name_weekday: bool = False
    above: int = 0
    """Characters of the article's text before that paragraph: headings and the breaks after them."""
    later_openings: list[str] = field(default_factory=list)
    """Other early paragraphs that may begin with one: teasers and captions come before the story on some pages."""
    dateline_line: str | None = None
    cut_off: bool = False
    longest: str | None = None
    """The first 400 characters of the longest line of deck and text."""
    longer: Callable[[], list[str]] = list
    """The same of the four longest, cut out when asked for."""
    in_article: Callable[[str], bool] = bool
    """Whether headline, deck or text has these words as one phrase, in whatever case."""
    years: tuple[tuple[int, int], ...] = ()
    """(year, times) of the years that they name."""
    dates: list[Line] = field(default_factory=list)
    credits: list[Line] = field(default_factory=list)
    sections: list[Line] = field(default_factory=list)
    tags: list[Line] = field(default_factory=list)
    notices: list[Line] = field(default_factory=list)
    prints: list[Line] = field(default_factory=list)
    titles: list[Line] = field(default_factory=list)

    def labelled(self, label: str) -> list[str]:
        """Texts of the headline or deck lines, in order."""
        return [text for _, own, text in self.titles if own == label]


def pages_of(spans: pl.DataFrame, documents: pl.DataFrame) -> list[Page]:
    """One `Page` per row of `documents` (in its order); a document without spans gets an empty one."""
    numbers = documents.get_column("doc").to_list()
    lines = spans.select("doc", "text", "label").filter(pl.col("label") != "blank")
    if lines.is_empty():
        return [Page() for _ in numbers]
    lines, bounds = _ranked(lines)
    pages = _facts(lines, bounds)
    for number, rank, label, text, use in _near(lines).iter_rows():
        page, line = pages[number], Line(rank, label, text)
        for group in _groups(use):
            getattr(page, group).append(line)
    return [pages.get(number) or Page() for number in numbers]


_GROUPS: Final = ("dates", "credits", "sections", "tags", "notices", "prints", "titles")


@functools.cache
def _groups(use: int) -> tuple[str, ...]:
    """The lists of a `Page` that a line with these bits belongs to."""
    return tuple(group for position, group in enumerate(_GROUPS) if use >> position & 1)


def _ranked(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add rank and count, and the ranks of headline and text; these last also as a table, one row per document."""
    doc = lines.get_column("doc").to_numpy()
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]])
    sizes = np.diff(np.r_[starts, len(doc)])
    rank = np.arange(len(doc), dtype=np.int64) - np.repeat(starts, sizes)
    label = lines.get_column("label")
    names = label.dtype.categories.to_list() if isinstance(label.dtype, pl.Enum) else []
    code = label.to_physical().to_numpy()
    body, heading, headline = (code == names.index(name) for name in ("body", "heading", "headline"))
    far = np.int64(1 << 30)
    first_body = np.minimum.reduceat(np.where(body, rank, far), starts)
    last_body = np.maximum.reduceat(np.where(body, rank, -1), starts)
    last_kept = np.maximum.reduceat(np.where(body | heading, rank, -1), starts)
    first_body = np.where(first_body == far, sizes, first_body)
    last_body = np.where(last_body < 0, sizes - 1, last_body)
    above = headline & (rank <= np.repeat(first_body, sizes))
    nearest = np.maximum.reduceat(np.where(above, rank, -1), starts)  # to the text: lists of news name it before
    group = above & (rank >= np.repeat(nearest, sizes) - AROUND)
    head = np.minimum.reduceat(np.where(group, rank, far), starts)
    head = np.where(head == far, -1, head)
    first_head = np.minimum.reduceat(np.where(headline, rank, far), starts)
    head = np.where(head < 0, np.where(first_head == far, np.maximum(first_body - 3, 0), first_head), head)
    each = {"count": sizes, "head": head, "first": first_body, "last": last_body, "last_kept": last_kept}
    columns = [pl.Series(name, np.repeat(values, sizes), dtype=pl.Int32) for name, values in each.items()]
    bounds = pl.DataFrame({"doc": doc[starts], **each})
    return lines.with_columns(pl.Series("rank", rank, dtype=pl.Int32), *columns), bounds


def _near(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines near head and foot with what they may hold: doc, rank, label, text, use."""
    rank, head, text, label = pl.col("rank"), pl.col("head"), pl.col("text"), pl.col("label")
    zone = (rank < HEAD) | (rank >= pl.col("count") - FOOT)
    zone |= (rank >= head - AROUND) & (rank <= head + AROUND)
    zone |= (rank >= pl.col("first") - AROUND) & (rank <= pl.col("first"))
    size = text.str.len_bytes()
    own = label.is_in(_OWN)
    text_like = label.is_in(_KEPT) & (size > 100)
    opens = (rank <= pl.col("first")) & text.str.contains(r"^[^A-Za-z]{0,3}(?:[0-9]|[A-Za-z]{3,9}\.? [0-9])")
    notice = label.is_in(_KEPT) & text.str.contains(_NOTICE_START)
    near = lines.lazy().filter(own | (zone & ((size <= LONGEST_LINE) & ~text_like | opens | notice))).collect()
    return _with_use(near)


_NOTICE_START: Final = (
    r"^[^A-Za-z]{0,3}(?:[CcUu][Oop][Rrd]|[Ee][Dd]|This|An e|A pr|Retr|Clar"
    r"|Err|Korr|Richt|Hinweis|Anm|Rect|Pr|Fe|Nota|Уто|Исп|Опр)"
)
_DATE_LIKE: Final = (
    r"(?:19|20)[0-9]{2}|[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2}|[0-9][:.hH][0-5][0-9]|[0-9] ?[月월]|tháng"
)


def _with_use(near: pl.DataFrame) -> pl.DataFrame:
    rank, head, text, label = pl.col("rank"), pl.col("head"), pl.col("text"), pl.col("label")
    near = near.with_columns(size=text.str.len_bytes(), date=_dates(near))
    size, date = pl.col("size"), pl.col("date")
    quiet = ~label.is_in(("headline", "heading", "body", "caption", "copyright"))
    around = (rank >= head - 3) & (rank <= head + AROUND)
    short = size <= 90
    name = around & short & (quiet | (label == "body")) & text.str.contains(_NAME_LIKE)
    credit = (
        label.is_in(("byline", "date_line"))
        | name
        | (around & short & quiet & date)
        | (quiet | (size <= 100)) & text.str.contains(bylines.CREDIT_START)
    ) & (size <= 400)
    above = (rank >= head - 3) & (rank < head) & (size <= 120) & label.is_in(tags.ABOVE_HEADLINE)
    head_of_tags = (label == "tags") | (~label.is_in(_KEPT) | (size < 60)) & text.str.contains(tags.HEAD_START)
    uses = near.select(
        "rank",
        context=size <= 40,
        date=date | (label == "date_line"),
        credit=credit,
        section=(label == "section_label") | above,
        tags=head_of_tags,
        listed=short & ~label.is_in((*tags.NOT_IN_GROUP, "headline", "deck")) & (rank > pl.col("last")),
        notice=text.str.contains(_NOTICE_START) & ~label.is_in(("headline", "related_link", "date_line", "byline")),
        prints=text.str.contains("©|opyright|https?://") & ~label.is_in(_KEPT),
        title=label.is_in(("headline", "deck")),
    )
    doc = near.get_column("doc").to_numpy()
    date_bits = uses.get_column("date").to_numpy()
    before = np.r_[date_bits[1:] & (doc[1:] == doc[:-1]), False] & uses.get_column("context").to_numpy()
    use = np.where(date_bits | before, DATE, 0)
    for name_of, bit in (
        ("credit", CREDIT),
        ("section", SECTION),
        ("notice", NOTICE),
        ("prints", PRINT),
        ("title", TITLE),
    ):
        use |= np.where(uses.get_column(name_of).to_numpy(), bit, 0)
    use |= np.where(_tag_group(uses, doc), TAGS, 0)
    table = near.select("doc", "rank", label.cast(pl.String), "text").with_columns(use=pl.Series(use.astype(np.int16)))
    return table.filter(pl.col("use") > 0)


_NAME_LIKE: Final = (
    r"^(?:\p{Lu}[^\s,|]*"
    r"(?:,? (?:\p{Lu}[^\s,|]*|d[aeiou]s?|del|van|von|der|den|bin|al|el|la|le|zu|y|e|and|und|en|&|@\S+)){1,6}"
    r"(?: [a-z]+)?\s?(?:[,|@/(•·–—-].*)?|\p{Lo}+(?: \p{Lo}+){1,4})$"
)
_TAG_REACH: Final = 25


def _tag_group(uses: pl.DataFrame, doc: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A tag heading or tag line, and the short lines within reach that follow it without a gap."""
    head, rank = uses.get_column("tags").to_numpy(), uses.get_column("rank").to_numpy()
    index = np.arange(len(doc))
    follows = np.r_[False, (doc[1:] == doc[:-1]) & (rank[1:] == rank[:-1] + 1)]
    last = np.maximum.accumulate(np.where(head, index, -1))
    last_gap = np.maximum.accumulate(np.where(follows & uses.get_column("listed").to_numpy(), -1, index))
    group: np.ndarray[Any, Any] = head | ((last >= last_gap) & (index - last <= _TAG_REACH))
    return group


def _dates(near: pl.DataFrame) -> pl.Series:
    """Whether a line may hold a date: a digit, and the shape of a date or a month's name."""
    text = near.get_column("text")
    found, digit = text.str.contains(_DATE_LIKE), text.str.contains("[0-9]")
    open_ = (digit & ~found).arg_true()  # names of months are dear to look for
    named = text.gather(open_).str.contains_any(_month_names(), ascii_case_insensitive=True)
    return (found & digit).scatter(open_.filter(named), values=True)


@functools.cache
def _month_names() -> list[str]:
    return sorted(name for name in tables.months() if len(name) > 2 or not name.isascii())


def _facts(lines: pl.DataFrame, bounds: pl.DataFrame) -> dict[int, Page]:
    text, label, rank = pl.col("text"), pl.col("label"), pl.col("rank")
    firsts = lines.filter((label == "body") & (rank == pl.col("first"))).select("doc", opening=text.str.slice(0, 400))
    sieved = pl.col("opening").str.contains(_DATELINE_FIRST)
    named = pl.col("opening").str.to_lowercase().str.contains(weekday_like())
    openings = _by_document(firsts.with_columns(sieved=sieved, named=named))
    headings = lines.filter((label == "heading") & (rank < pl.col("first")))
    height = (text.str.strip_chars().str.len_chars() + PARAGRAPH_BREAK).sum()
    above = _by_document(headings.group_by("doc", maintain_order=True).agg(height))
    early = label.is_in(("body", "deck")) & (rank != pl.col("first")) & (rank <= pl.col("first") + DATELINE_REACH)
    teasers = lines.filter(early).filter(text.str.contains(_DATELINE_LATER))
    later = _by_document(teasers.group_by("doc", maintain_order=True).agg(text.str.slice(0, 400).head(3)))
    datelines = lines.filter(label == "dateline")
    alone = _by_document(datelines.group_by("doc", maintain_order=True).agg(text.first()))
    cut_off = _cut_off(lines)
    kept = lines.filter(label.is_in((*_KEPT, "headline", "deck"))).select("doc", "text")
    articles, years, longest = _articles(kept), year_counts(kept), _longest(lines)
    pages = {}
    for number, _, head, first, last, _ in bounds.iter_rows():
        (opening, may_be, named), (line, longer) = openings.get(number, ("", False, False)), longest(number)
        pages[number] = Page(
            head=head,
            body=(first, last),
            opening=opening,
            may_be_dateline=may_be,
            may_name_weekday=named,
            above=above.get(number, (0,))[0],
            later_openings=later[number][0] if number in later else [],
            dateline_line=alone[number][0] if number in alone else None,
            cut_off=number in cut_off,
            longest=line,
            longer=longer,
            in_article=articles.get(number, bool),
            years=years.get(number, ()),
        )
    return pages


def _by_document(table: pl.DataFrame) -> dict[int, tuple[Any, ...]]:
    """The rest of each row by its first column, the document."""
    return {row[0]: row[1:] for row in table.iter_rows()}


def _cut_off(lines: pl.DataFrame) -> set[int]:
    """Documents that stop short: with a heading that nothing follows, or by their end."""
    text, body, rank, kept = pl.col("text"), pl.col("label") == "body", pl.col("rank"), pl.col("last_kept")
    last = lines.filter(body & (rank == pl.col("last")))
    on_heading = last.filter(kept > pl.col("last"))
    behind = lines.filter((rank > kept) & (rank <= kept + 2)).select("doc", text=text.str.slice(0, 100))
    doubtful = {
        *last.filter(endings.may_be_truncated(text, after=False)).get_column("doc"),
        *behind.filter(endings.may_be_truncated(text, after=True)).get_column("doc"),
    }
    if not doubtful:
        return set(on_heading.get_column("doc"))
    is_doubtful = pl.col("doc").is_in(sorted(doubtful))
    ends = lines.filter(body & is_doubtful).group_by("doc", maintain_order=True).agg(text.tail(4))
    after = dict(behind.filter(is_doubtful).group_by("doc", maintain_order=True).agg("text").iter_rows())
    short = {number for number, end in ends.iter_rows() if endings.is_truncated(end, after.get(number, ()))}
    return short.union(on_heading.get_column("doc"))


PARAGRAPH_BREAK: Final = 2
"""Characters between two paragraphs of the article's text: a blank line."""

DATELINE_REACH: Final = 10
"""Lines after the first text line within which the story's own first paragraph stands; 39 of 42 within 8."""

_DATELINE_FIRST: Final = (
    r"^[^\p{L}\p{N}(\[【（/]{0,6}(?:\p{Lu}[\p{Lu}.'’-]+[ ,/.(:—–-]|[(\[【（/]|\p{L}{3,10}\.? [0-9]{1,2}[, ]|"
    r"[0-9]{1,2}\.? \p{L}|By |"
    r"\p{L}[^!?]{1,70}?(?: [-–—]{1,2} |--|—|\.-|\.—|\)|: |/|, ?\p{L}+\.? [0-9]|[,.]? [0-9]{1,2}\.? \p{L}|"
    r"[月월][0-9])|\p{Lo}{2})"
)
"""A wide sieve: what may begin with a dateline. The grammar decides."""

_DATELINE_LATER: Final = (
    r"^[^\p{L}(]{0,3}(?:\p{Lu}[\p{Lu}.’'-]+[ ,/]?[^.!?]{0,60}(?:[-–—:(/]|\.-)"
    r"|\p{Lu}[^.!?]{1,50}\([^)]{2,30}\)\s?(?:[-–—.:]|\.-))"
)


class _Article:
    """The text of one document, as a stretch of the batch's bytes: it is looked at where a reader asks for a phrase."""

    __slots__ = ("_bytes", "_end", "_lowered", "_start")

    def __init__(self, whole: memoryview, start: int, end: int) -> None:
        self._bytes, self._start, self._end = whole, start, end
        self._lowered: bytes | None = None

    def __call__(self, words: str) -> bool:
        if self._lowered is None:
            self._lowered = bytes(self._bytes[self._start : self._end]).lower()
        if words.isascii():
            return words.lower().encode() in self._lowered
        return words.casefold() in self._lowered.decode(errors="replace").casefold()


def _articles(lines: pl.DataFrame) -> dict[int, _Article]:
    """The text of each document from its lines (doc, text)."""
    if lines.is_empty():
        return {}
    doc, text = lines.get_column("doc").to_numpy(), lines.get_column("text")
    array: Any = text.to_arrow(compat_level=pl.CompatLevel.oldest())  # bytes end to end, with 64-bit offsets
    _, offsets, whole = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset :]
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]])
    bounds = ends[np.r_[starts, len(doc)]].tolist()
    view = memoryview(whole) if whole is not None else memoryview(b"")
    return {
        number: _Article(view, start, end)
        for number, start, end in zip(doc[starts].tolist(), bounds, bounds[1:], strict=False)
    }


def _longest(lines: pl.DataFrame) -> Callable[[int], tuple[str | None, Callable[[], list[str]]]]:
    """For each document its longest line of deck and text, and a function that gives the four longest."""
    counts = pl.col("label").is_in((*_KEPT, "deck"))
    sized = lines.select("doc", size=pl.when(counts).then(pl.col("text").str.len_bytes()).otherwise(0))
    doc, size = sized.get_column("doc").to_numpy(), sized.get_column("size").to_numpy().astype(np.int64)
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]])
    ends = np.r_[starts[1:], len(doc)]
    place = np.arange(len(doc), dtype=np.int64)
    most = np.maximum.reduceat(size * len(doc) + (len(doc) - 1 - place), starts)  # the first of equals
    first = len(doc) - 1 - most % len(doc)
    text = lines.get_column("text")
    longest = text.gather(first).str.slice(0, 400)
    bounds = zip(longest, starts.tolist(), ends.tolist(), strict=True)
    entries = dict(zip(doc[starts].tolist(), bounds, strict=True))

    def cut(start: int, end: int) -> list[str]:
        four = start + np.argsort(-size[start:end], kind="stable")[:4]
        found: list[str] = text.gather(four).str.slice(0, 400).to_list()
        return found

    def of(number: int) -> tuple[str | None, Callable[[], list[str]]]:
        line, start, end = entries[number]
        return line, functools.partial(cut, start, end)

    return of


def column(documents: pl.DataFrame, name: str) -> Sequence[Any]:
    """Values of a column of `documents`, or Nones where it has no such column."""
    return documents.get_column(name).to_list() if name in documents.columns else [None] * documents.height
