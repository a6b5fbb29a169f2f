"""From the table of spans to the few lines per document that metadata is read from.

Whole batches at once: every non-blank span gets its rank in the document; lines near head and foot, and all lines
with a label of their own, become `Page.lines`. What the article's text is asked for (the opening, the end, the longest
lines) is cut out here too; the text itself is only sliced where a reader needs it (`Page.article`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.metadata.published import Line

__all__ = ["Page", "pages_of"]

HEAD: Final = 15
"""Non-blank lines from the top that may hold metadata; 97 % of printed dates of 292 pages stand within."""
AROUND: Final = 8
"""The same after the headline, where menus come first."""
FOOT: Final = 14
"""The same from the end."""
LONGEST_LINE: Final = 260
"""Longer lines are text, except for a date at their very beginning."""

_OWN: Final = ("headline", "deck", "dateline", "byline", "date_line", "section_label", "tags")
_KEPT: Final = ("body", "heading")


@dataclass
class Page:
    """One document's view for the readers. Ranks count its non-blank spans from 0."""

    lines: list[Line] = field(default_factory=list)
    head: int = 0
    body: tuple[int, int] = (0, -1)
    count: int = 0
    opening: str = ""
    """The first 400 characters of the first body paragraph."""
    dateline_line: str | None = None
    end: list[str] = field(default_factory=list)
    """The last paragraphs, the very last at the end."""
    heading_last: bool = False
    after: list[str] = field(default_factory=list)
    longest: list[str] = field(default_factory=list)
    article: Callable[[], str] = lambda: ""

    def labelled(self, label: str) -> list[str]:
        """Texts of the lines with a label, in order."""
        return [line.text for line in self.lines if line.label == label]


def pages_of(spans: pl.DataFrame, documents: pl.DataFrame) -> list[Page]:
    """One `Page` per row of `documents` (in its order); a document without spans gets an empty one."""
    numbers = documents.get_column("doc").to_list()
    pages = {number: Page() for number in numbers}
    lines = spans.select("doc", "text", "label").filter(pl.col("label") != "blank")
    if lines.is_empty():
        return [pages[number] for number in numbers]
    lines = _ranked(lines)
    for number, page in _facts(lines).items():
        if number in pages:
            pages[number] = page
    for number, rank, label, text in _near(lines).iter_rows():
        if number in pages:
            pages[number].lines.append(Line(rank, label, text))
    return [pages[number] for number in numbers]


def _ranked(lines: pl.DataFrame) -> pl.DataFrame:
    """Add rank, count and length, and per document the ranks of headline and text."""
    doc = lines.get_column("doc").to_numpy()
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]])
    sizes = np.diff(np.r_[starts, len(doc)])
    rank = np.arange(len(doc), dtype=np.int64) - np.repeat(starts, sizes)
    code = lines.get_column("label").cast(pl.String).to_numpy()
    body, heading, headline = code == "body", code == "heading", code == "headline"
    far = np.int64(1 << 40)
    first_body = np.minimum.reduceat(np.where(body, rank, far), starts)
    last_body = np.maximum.reduceat(np.where(body, rank, -1), starts)
    last_kept = np.maximum.reduceat(np.where(body | heading, rank, -1), starts)
    first_head = np.minimum.reduceat(np.where(headline, rank, far), starts)
    first_body = np.where(first_body == far, sizes, first_body)
    last_body = np.where(last_body < 0, sizes - 1, last_body)
    head = np.where(first_head == far, np.maximum(first_body - 3, 0), first_head)
    head = np.where(first_head == far, np.minimum(head, first_body), head)
    each = {
        "rank": rank,
        "count": np.repeat(sizes, sizes),
        "head": np.repeat(head, sizes),
        "first": np.repeat(first_body, sizes),
        "last": np.repeat(last_body, sizes),
        "last_kept": np.repeat(last_kept, sizes),
    }
    return lines.with_columns(**{name: pl.Series(name, values, dtype=pl.Int32) for name, values in each.items()})


def _near(lines: pl.DataFrame) -> pl.DataFrame:
    rank, head = pl.col("rank"), pl.col("head")
    zone = (rank < HEAD) | ((rank >= head - AROUND) & (rank <= head + AROUND)) | (rank >= pl.col("count") - FOOT)
    own = pl.col("label").is_in(_OWN)
    short = pl.col("text").str.len_bytes() <= LONGEST_LINE
    starts_with_date = (rank <= pl.col("first")) & pl.col("text").str.slice(0, 12).str.contains("[0-9]")
    text = pl.col("text")
    return lines.filter(own | (zone & (short | starts_with_date))).select(
        "doc", "rank", pl.col("label").cast(pl.String), text
    )


def _facts(lines: pl.DataFrame) -> dict[int, Page]:
    rank, text = pl.col("rank"), pl.col("text")
    body = pl.col("label") == "body"
    kept = pl.col("label").is_in(_KEPT)
    table = lines.group_by("doc", maintain_order=True).agg(
        pl.col("head", "first", "last", "count", "last_kept").first(),
        opening=text.filter(body).first().str.slice(0, 400),
        dateline=text.filter(pl.col("label") == "dateline").first(),
        end=text.filter(body).tail(6),
        after=text.filter(rank > pl.col("last_kept")).head(3).str.slice(0, 100),
        longest=text.filter(kept | (pl.col("label") == "deck"))
        .top_k_by(text.filter(kept | (pl.col("label") == "deck")).str.len_bytes(), 4)
        .str.slice(0, 400),
    )
    slices = _article_slices(lines)
    pages = {}
    for row in table.iter_rows():
        number, head, first, last, count, last_kept, opening, dateline, end, after, longest = row
        pages[number] = Page(
            [],
            head,
            (first, last),
            count,
            opening or "",
            dateline,
            end,
            last_kept > last,
            after,
            longest,
            slices(number),
        )
    return pages


def _article_slices(lines: pl.DataFrame) -> Callable[[int], Callable[[], str]]:
    """For each document a function that joins its kept text when asked."""
    kept = lines.filter(pl.col("label").is_in((*_KEPT, "headline", "deck"))).select("doc", "text")
    doc, text = kept.get_column("doc").to_numpy(), kept.get_column("text")

    def of(number: int) -> Callable[[], str]:
        def article() -> str:
            start, end = np.searchsorted(doc, [number, number + 1])
            return "\n".join(text[int(start) : int(end)].to_list())

        return article

    return of


def column(documents: pl.DataFrame, name: str) -> Sequence[Any]:
    """Values of a column of `documents`, or Nones where it has no such column."""
    return documents.get_column(name).to_list() if name in documents.columns else [None] * documents.height
