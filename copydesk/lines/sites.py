"""Which site a document's layout is of: the key that profiles and counts hang on.

    find_sites      the site of each document: the user's mapping, a printed domain, a profile's marks (`shown_sites`),
                    what the corpus showed (`learned_sites`), else unknown
    printed_domain  the domain a document prints in its own frame (address line, licence note)
    counting_key    the key under which lines are counted: the site, or what stands in for it

A site is a layout family, not a publisher: a profile's id where a profile knows it, else the domain.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from copydesk.expressions import contains, kept
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import Ints, Shape, measure, normalise

__all__ = ["counting_key", "find_sites", "learned_sites", "per_line", "printed_domain", "shown_sites"]

_FRAME: Final = 6
"""Non-blank lines at either end in which an address or a licence note is looked for: pages print them first or last."""
_OPENING: Final = 12
"""Non-blank lines in which an agency's dateline or a crawl header may stand: after menu, title, deck and byline."""

_ADDRESS: Final = "^https?://(?:www\\.)?([a-z0-9-]+(?:\\.[a-z0-9-]+)+)/[^ ]*$"
_LICENCE: Final = (
    "^(?:copyright|©|\\(c\\)|all rights reserved).{0,60}?[ (]"
    "((?:[a-z0-9-]+\\.)+(?:com|org|net|info|co\\.uk|eu|[a-z]{2}))[ ,.)]*.{0,30}$"
)


def find_sites(
    lines: pl.DataFrame, documents: pl.DataFrame, profiles: Profiles, knowledge: Knowledge | None = None
) -> pl.Series:
    """The site of each document, null where nothing tells; a String series in the order of `documents`.

    `lines` needs doc, line, text; `documents` doc, and may have site (the user's mapping, which wins) and id.
    """
    shown = shown_sites(measure(lines), documents, profiles)
    return shown if knowledge is None else learned_sites(shown, documents, knowledge)


def shown_sites(shape: Shape, documents: pl.DataFrame, profiles: Profiles) -> pl.Series:
    """The same without what the corpus showed: what the user says, or what the page tells by itself."""
    found = documents.select(pl.col("doc").cast(pl.Int64)).join(_by_domain(shape, profiles), on="doc", how="left")
    found = found.join(_by_profile(shape, profiles), on="doc", how="left", maintain_order="left")
    candidates = ["printed", "profiled"]
    if "site" in documents.columns:
        found = found.with_columns(documents["site"].cast(pl.String).alias("given"))
        candidates.insert(0, "given")
    return found.select(pl.coalesce(candidates).alias("site")).to_series()


def learned_sites(shown: pl.Series, documents: pl.DataFrame, knowledge: Knowledge) -> pl.Series:
    """The sites shown, and where there is none what the corpus showed of the document (`id`)."""
    if not knowledge.sites.height or "id" not in documents.columns:
        return shown
    known = knowledge.sites.unique("id", keep="first", maintain_order=True).rename({"site": "learned"})
    found = pl.DataFrame({"id": documents["id"], "site": shown}).join(known, on="id", how="left", maintain_order="left")
    return found.select(pl.coalesce("site", "learned").alias("site")).to_series()


def _edges(shape: Shape, opening: int) -> Ints:
    """The first `opening` and the last _FRAME lines of each document."""
    index = np.arange(len(shape))
    return np.flatnonzero((index - shape.first < opening) | (shape.last - index < _FRAME))


def printed_domain(low: pl.Series) -> pl.Series:
    """The domain in a normalised address line or licence note, else null."""
    address, licence = (kept(expression, low.str.extract) for expression in (_ADDRESS, _LICENCE))
    return address.fill_null(licence)


def _by_domain(shape: Shape, profiles: Profiles) -> pl.DataFrame:
    """doc, printed: the first domain in a document's frame, as the profile that claims it or as itself."""
    rows = _edges(shape, _FRAME)
    rows = rows[shape.text.gather(rows).str.head(1).is_in(_INITIALS).to_numpy()]
    low = normalise(shape.text.gather(rows).str.slice(0, 300))
    noted = contains(low, "^(?:http|copyright|©|\\(c\\)|all )")
    domain = printed_domain(low.filter(noted))
    site = domain.replace(list(profiles.domains), list(profiles.domains.values())) if profiles.domains else domain
    found = pl.DataFrame({"doc": shape.doc[rows[noted]], "printed": site}, schema=_PRINTED).drop_nulls("printed")
    return found.unique("doc", keep="first", maintain_order=True)


_PRINTED: Final = {"doc": pl.Int64(), "printed": pl.String()}
_INITIALS: Final = list("hHcC©(aA")
"""With which address lines and licence notes begin."""


def _by_profile(shape: Shape, profiles: Profiles) -> pl.DataFrame:
    """doc, profiled: the first profile whose marker line or dateline the document shows."""
    rows = _edges(shape, _OPENING)
    key, start = shape.texts.key.gather(shape.text_of[rows]), shape.text.gather(rows).str.slice(0, 120)
    marked = [pl.DataFrame(schema=_PROFILED)]
    for profile in profiles.profiles:
        tests = [key.is_in(list(profile.markers)).fill_null(value=False)] if profile.markers else []
        tests += [start.str.contains(mark, literal=True) for mark in profile.dateline]
        for test in tests:
            if test.any():
                docs = np.unique(shape.doc[rows[test.to_numpy()]])
                marked.append(pl.DataFrame({"doc": docs, "profiled": [profile.id] * len(docs)}, schema=_PROFILED))
    return pl.concat(marked).unique("doc", keep="first", maintain_order=True)


_PROFILED: Final = {"doc": pl.Int64(), "profiled": pl.String()}


def counting_key(documents: pl.DataFrame, site: pl.Series) -> pl.Series:
    """Under what a document's lines are counted: its site; else its outlet; else its source.

    The stand-ins are marked (`outlet:`, `source:`), so that they are never taken for a site and may be trusted less.
    """
    columns = [site.alias("site")]
    frame = documents.with_columns(columns)
    options: list[pl.Expr] = [pl.col("site")]
    if "outlet" in documents.columns:
        options.append(pl.format("outlet:{}", pl.col("outlet").cast(pl.String)))
    if "source" in documents.columns:
        options.append(pl.format("source:{}", pl.col("source").cast(pl.String)))
    return frame.select(pl.coalesce(options).alias("key")).to_series().fill_null("source:")


def per_line(shape: Shape, documents: pl.DataFrame, values: pl.Series) -> pl.Series:
    """A document's value on each of its non-blank lines."""
    table = pl.DataFrame({"doc": documents["doc"].cast(pl.Int64), "value": values})
    return pl.DataFrame({"doc": shape.doc}).join(table, on="doc", how="left", maintain_order="left")["value"]
