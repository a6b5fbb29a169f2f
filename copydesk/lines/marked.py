"""A profile proposed from corrections: what people marked as furniture, as rules for the lines that are like it.

    propose_marked   lines and documents of a site, and what people said -> the text of a profile (TOML)

A marked line that stands in two documents or more becomes a literal; of marked lines that only share what stands before
a colon, bar or arrow, that lead becomes an expression. Label and reason are the people's. What would name text that the
judge is sure of, or a line that somebody marked as text, is left out and said so; so is a line that stands only once,
for which the correction is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from copydesk.errors import UsageError
from copydesk.labels import KEPT
from copydesk.lines.drafts import Draft, write
from copydesk.lines.profiles import Profiles
from copydesk.lines.propose import _LEAD, _documents, _Found, _settled, _table, _zone
from copydesk.lines.sites import counting_key, find_sites

__all__ = ["propose_marked"]

FEWEST = 2
"""Documents that a line or a lead must stand in: a rule for one document is a correction."""


def propose_marked(
    lines: pl.DataFrame, documents: pl.DataFrame, said: pl.DataFrame, profiles: Profiles, *, site: str | None = None
) -> str:
    """Propose a profile for the site whose lines people marked; `said` has id, line, label, who.

    `lines` and `documents` are as for `propose.propose`. Raises UsageError where no line is marked as furniture there,
    or lines of several sites are and `site` names none.
    """
    placed = documents.with_columns(site=find_sites(lines, documents, profiles))
    key = counting_key(placed, placed["site"])
    wrong = said.filter(~pl.col("label").is_in(KEPT))
    marked = sorted(set(key.filter(placed["id"].is_in(wrong["id"].implode())).to_list()))
    if not marked or (site is not None and site not in marked):
        there = f"there are marks for {', '.join(marked)}" if marked else "mark some in the review page"
        where = f"the site {site!r}" if site else "these documents"
        raise UsageError(f"no line of {where} is marked as furniture; {there}")
    if site is None and len(marked) > 1:
        raise UsageError(f"the corrections are of several sites: {', '.join(marked)}; name one with --site")
    name = site or marked[0]
    own = placed.filter(key == name)
    doc = own.select(pl.col("doc").cast(lines.schema["doc"]))
    table = _table(lines.join(doc, on="doc", how="semi", maintain_order="left"), own, None, profiles)
    table = _with_marks(table, said)
    drafts, left = [], []
    for draft, objection in _drafts(table):
        if draft is None:
            left.append(objection)
        else:
            drafts.append(draft)
    recurs = pl.any_horizontal(pl.lit(value=False), *(_named(draft) for draft in drafts))
    return write(
        name, table.with_columns(recurs=recurs), drafts, left, taken=name in {one.id for one in profiles.profiles}
    )


def _named(draft: Draft) -> pl.Expr:
    return pl.struct("doc", "line").is_in(draft.rows.select(pl.struct("doc", "line")).to_series().implode())


def _with_marks(table: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The table with `said` and `who`; a line marked as text is text for sure, one marked as furniture is not kept."""
    marks = said.select("id", pl.col("line").cast(table.schema["line"]), said="label", who="who")
    joined = table.join(marks, on=["id", "line"], how="left", maintain_order="left")
    text = pl.col("said").is_in(KEPT)
    return joined.with_columns(
        kept=pl.coalesce(text, pl.col("kept")), sure=pl.when(text).then(statement=True).otherwise(pl.col("sure"))
    )


def _drafts(table: pl.DataFrame) -> Iterator[tuple[Draft | None, str]]:
    """The rules that the marks make, literals before leads, with the objection where there is one."""
    marked = table.filter(pl.col("said").is_not_null() & ~pl.col("said").is_in(KEPT) & (pl.col("key") != ""))
    alone = []
    for key in sorted(set(marked["key"])):
        rows = table.filter(pl.col("key") == key)
        if _documents(rows) < FEWEST:
            alone.append(key)
        else:
            yield _judged(_Found("lines", key, rows), table, marked.filter(pl.col("key") == key))
    single = marked.filter(pl.col("key").is_in(alone)).with_columns(lead=pl.col("low").str.extract(_LEAD))
    led = table.with_columns(lead=pl.col("low").str.extract(_LEAD))
    for lead in sorted(set(single["lead"].drop_nulls())):
        rows, marks = (one.filter(pl.col("lead") == lead) for one in (led, single))
        if _documents(rows) >= FEWEST:
            single = single.filter(pl.col("lead").ne_missing(lead))
            yield _judged(_Found("leads", f"^{pl.escape_regex(lead)} ", rows), table, marks)
    for text in single["text"]:
        yield None, f"{text[:80]!r}: stands in one document; the correction is enough"


def _judged(found: _Found, table: pl.DataFrame, marks: pl.DataFrame) -> tuple[Draft | None, str]:
    """The rule with the label and the names of the people, or None and why not."""
    draft, objection = _settled(found, table)
    if draft is None:
        return None, objection
    counted = marks["said"].value_counts(sort=True).sort("count", "said", descending=[True, False])
    who = ", ".join(sorted(set(marks["who"])))
    reason = f"Marked by {who} in {marks.height} line{'' if marks.height == 1 else 's'}."
    return replace(draft, label=counted["said"][0], reason=reason, zone=_zone(found.rows)), ""
