"""A site profile proposed from documents without labels: what recurs in a site's pages, as rules a person edits.

    propose     lines and documents of one site -> the text of a profile (TOML), which `load_profiles` reads

Looked for, each among what the ones before it left over:

    lines       whole lines that come back                                   -> literals, one rule per place and label
    counters    lines that are the same but for numbers, then also for       -> "^page [0-9]+ of [0-9]+$"
                months and days
    leads       what stands before a colon, bar or arrow, titles after it    -> "^see the story: "
    openings    the first or last words of lines above or below the text     -> "^told by ", "of the lantern$"

A proposal must be safe before it is complete. A rule is left out where it matches a single line that the judge keeps as
text with confidence; recurring lines among paragraphs that look like section headings ("What we know") are only named
in a comment; near copies of a document count once. Nothing here depends on the order of the documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.errors import UsageError
from copydesk.knowledge import Knowledge
from copydesk.labels import KEPT
from copydesk.lines import label_lines
from copydesk.lines.drafts import WORD, Draft, guess, write
from copydesk.lines.model import predict
from copydesk.lines.patterns import _DAYS as DAYS
from copydesk.lines.patterns import _MONTHS as MONTHS
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.lines.repetition import SAFE, learn, sketch, survey
from copydesk.lines.shape import AFTER, AMONG, BEFORE, SHORT, Shape, measure
from copydesk.lines.sites import counting_key, find_sites, per_line, printed_domain
from copydesk.lines.structure import frame

__all__ = ["propose"]

CONFIDENT: Final = 0.9
"""Confidence from which a kept line may not be matched by a rule; paragraphs never may. On invented sites the leads of
link boxes in mid-story are proposed for 11 to 13 of 13 kinds with 0.9, for 6 to 8 with 0.8 and for none with 0.7, where
the judge takes them for headings; drafts for 33 real outlets took no labelled text with 0.9."""

SHARE: Final = 0.3
"""Share of the documents that an opening of two words must have; longer ones say enough by themselves."""

_NAMED: Final = f"(^|[ ,.])(?:{MONTHS}|{DAYS})($|[ ,.])"
_LEAD: Final = "^([^:|>»·]{2,40}?(?: ?[:|>»]+| [-–—·/~]))[ ]"


def propose(
    lines: pl.DataFrame,
    documents: pl.DataFrame,
    knowledge: Knowledge | None = None,
    profiles: Profiles | None = None,
    *,
    site: str | None = None,
) -> str:
    """Propose a profile for the documents of a site, as TOML that `load_profiles` accepts.

    `lines` has doc, line, text, ordered; `documents` has doc and id, and may have uri, site, outlet, source. `site` is
    the key under which the site's documents are counted (sites.counting_key); without it all documents are taken to be
    of one site. Without `knowledge` that of these documents is learned, as an ingest would.

    Raises UsageError where there are too few documents to say that anything recurs.
    """
    profiles = profiles or load_profiles()
    placed = documents.with_columns(site=find_sites(lines, documents, profiles, knowledge))
    key = counting_key(placed, placed["site"])
    name = site or (key[0] if key.n_unique() == 1 else "draft")
    if site is not None:
        placed = placed.filter(key == site)
    if placed.height < SAFE:
        raise UsageError(
            f"{name}: {placed.height} documents; a profile is proposed from at least {SAFE} of one site, better 20"
        )
    own = lines.join(
        placed.select(pl.col("doc").cast(lines.schema["doc"])), on="doc", how="semi", maintain_order="left"
    )
    table = _table(own, placed, knowledge, profiles)
    drafts, left, recurring = _drafts(table)
    marks = recurring.with_columns(recurs=pl.lit(value=True)).unique()
    table = table.join(marks, on=["doc", "line"], how="left", maintain_order="left")
    table = table.with_columns(pl.col("recurs").fill_null(value=False))
    return write(name, table, drafts, left, taken=name in {profile.id for profile in profiles.profiles})


def _table(
    lines: pl.DataFrame, documents: pl.DataFrame, knowledge: Knowledge | None, profiles: Profiles
) -> pl.DataFrame:
    """One row per non-blank line with all that is asked of it; `plainly` is the label without the corpus' word."""
    shape = measure(lines)
    at = frame(shape, per_line(shape, documents, documents["site"].cast(pl.String)), profiles)
    known = knowledge or _learned(lines, documents, profiles)
    model = predict(shape)
    alone = replace(known, repeated=Knowledge().repeated, headlines=Knowledge().headlines)
    judged, plainly = (_judged(label_lines(lines, documents, one, profiles, model)) for one in (known, alone))
    where = documents["uri"] if "uri" in documents.columns else documents["id"]
    rows = pl.DataFrame(
        {
            "doc": shape.doc,
            "where": per_line(shape, documents, where.cast(pl.String)),
            "id": per_line(shape, documents, documents["id"].cast(pl.String)),
            "line": lines["line"].gather(shape.rows),
            "text": shape.text,
            "low": shape.low,
            "key": shape.key,
            "words": shape.words,
            "length": shape.length,
            "zone": at.zone,
            "paragraph": at.paragraph,
            "stop": shape.stop,
            "known": at.rule >= 0,
            "domain": printed_domain(shape.low),
            "edge": _edge(shape),
        }
    )
    rows = rows.join(judged, on=["doc", "line"], how="left", maintain_order="left")
    rows = rows.join(
        plainly.select("doc", "line", plainly="label"), on=["doc", "line"], how="left", maintain_order="left"
    )
    rows = rows.join(sketch(shape, at.paragraph), on="doc", how="left", maintain_order="left")
    return rows.with_columns(
        kept=pl.col("label").is_in(KEPT), sure=pl.col("paragraph") | (pl.col("confidence") >= CONFIDENT)
    ).sort("where", "id", "line")


def _learned(lines: pl.DataFrame, documents: pl.DataFrame, profiles: Profiles) -> Knowledge:
    tables: dict[str, Any] = learn([survey(lines, documents, profiles)])
    return Knowledge(**tables)


def _judged(spans: pl.DataFrame) -> pl.DataFrame:
    """doc, line, label, confidence: of a cut line its largest span."""
    whole = spans.with_columns(size=pl.col("end") - pl.col("start")).sort(
        "doc", "line", "size", descending=[False, False, True], maintain_order=True
    )
    one = whole.unique(["doc", "line"], keep="first", maintain_order=True)
    return one.select(pl.col("doc").cast(pl.Int64), "line", pl.col("label").cast(pl.String), "confidence")


def _edge(shape: Shape) -> pl.Series:
    """Lines that stand where `find_sites` looks for markers: the first twelve or the last six."""
    index = np.arange(len(shape))
    return pl.Series((index - shape.first < 12) | (shape.last - index < 6))


@dataclass(frozen=True)
class _Found:
    """A candidate: which rows of the table (mask) it would name, and how."""

    kind: str
    pattern: str
    """A literal for lines, else an expression."""
    rows: pl.DataFrame


def _drafts(table: pl.DataFrame) -> tuple[list[Draft], list[str], pl.DataFrame]:
    """The rules that are safe, a word on each that is not, and doc and line of all that recurs."""
    rest = table.filter(
        ~pl.col("known") & ~pl.col("paragraph") & (pl.col("length") <= SHORT) & (pl.col("key") != "")
        & ~pl.col("text").str.contains("[\\\\\\p{Cc}]")
    )  # fmt: skip
    drafts, left, gone = [], [], []
    for find in (_lines, _counters, _dates, _leads, _openings):
        for found in find(rest, table["doc"].n_unique()):
            draft, objection = _settled(found, table)
            if draft is None:
                left.append(objection)
            else:
                drafts.append(draft)
            gone.append(found.rows.select("doc", "line"))
            rest = rest.join(gone[-1], on=["doc", "line"], how="anti", maintain_order="left")
    return drafts, left, pl.concat(gone) if gone else table.select("doc", "line").clear()


def _documents(rows: pl.DataFrame) -> int:
    """How many documents hold the rows, near copies counted once."""
    return min(rows[name].n_unique() for name in "abc")


def _groups(rows: pl.DataFrame, by: str, least: int) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each value of `by` that at least so many documents hold, the most frequent first."""
    counted = (
        rows.filter(pl.col(by).is_not_null())
        .group_by(by)
        .agg(documents=pl.min_horizontal(*(pl.col(name).n_unique() for name in "abc")))
    )
    several = counted.filter(pl.col("documents") >= least).sort("documents", by, descending=[True, False])
    parts = rows.join(several.select(by), on=by, how="semi", maintain_order="left").partition_by(
        by, as_dict=True, maintain_order=True
    )
    for value in several[by].to_list():
        yield value, parts[(value,)]


def _lines(rest: pl.DataFrame, _: int) -> Iterator[_Found]:
    for key, rows in _groups(rest, "key", SAFE):
        yield _Found("lines", key, rows)


def _counters(rest: pl.DataFrame, _: int) -> Iterator[_Found]:
    yield from _masked(rest, pl.col("low"))


def _dates(rest: pl.DataFrame, _: int) -> Iterator[_Found]:
    once = pl.col("low").str.replace_all(_NAMED, "${1}\u0001${2}")
    yield from _masked(rest, once.str.replace_all(_NAMED, "${1}\u0001${2}"))  # neighbours share the space between them


def _masked(rest: pl.DataFrame, low: pl.Expr) -> Iterator[_Found]:
    """Lines that are the same when their numbers are read as one, and whatever `low` stands in for."""
    digits = rest.filter(pl.col("low").str.contains("[0-9]"))
    masked = digits.with_columns(mask=low.str.replace_all("[0-9]+", "\u0002"))
    for mask, rows in _groups(masked, "mask", SAFE):
        if rows["low"].n_unique() > 1 and mask.strip("\u0001\u0002 .,:/-"):
            yield _Found("counters", _expression(mask), rows)


def _expression(mask: str) -> str:
    return "^" + pl.escape_regex(mask).replace("\u0001", WORD).replace("\u0002", "[0-9]+") + "$"


def _leads(rest: pl.DataFrame, _: int) -> Iterator[_Found]:
    led = rest.with_columns(lead=pl.col("low").str.extract(_LEAD)).filter(pl.col("lead").str.count_matches(" ") <= 5)
    for lead, rows in _groups(led, "lead", SAFE):
        if rows["low"].n_unique() >= SAFE:
            yield _Found("leads", f"^{pl.escape_regex(lead)} ", rows)


def _openings(rest: pl.DataFrame, documents: int) -> Iterator[_Found]:
    """First or last words that lines above or below the text share, as many words as nearly all of the lines share."""
    around = rest.filter((pl.col("zone") != AMONG) & ~pl.col("stop") & (pl.col("words") >= 3))
    taken: set[tuple[int, int]] = set()
    for back in (False, True):
        split = around.with_columns(word=pl.col("low").str.split(" "))
        split = split.with_columns(word=pl.col("word").list.reverse() if back else pl.col("word"))
        split = split.with_columns(pair=pl.col("word").list.head(2).list.join(" "))
        for _, rows in _groups(split, "pair", SAFE + 1):
            shared = _shared(rows["word"].to_list())
            matched = rows.filter(pl.col("word").list.head(len(shared)).list.join(" ") == " ".join(shared))
            fresh = not taken & set(matched.select("doc", "line").iter_rows())
            enough = len(shared) > 2 or _documents(matched) >= SHARE * documents
            if fresh and enough and matched["low"].n_unique() >= SAFE:
                taken |= set(matched.select("doc", "line").iter_rows())
                phrase = pl.escape_regex(" ".join(reversed(shared) if back else shared))
                yield _Found("openings", f" {phrase}$" if back else f"^{phrase} ", matched.drop("word", "pair"))


def _shared(words: list[list[str]]) -> list[str]:
    """The first words that nine in ten of the lines share, at least two, one word of each line left over."""
    shared = words[0][:2]
    while True:
        nexts = [one[len(shared)] for one in words if len(one) > len(shared) + 1 and one[: len(shared)] == shared]
        best = min(set(nexts), key=lambda word: (-nexts.count(word), word)) if nexts else ""
        if not nexts or nexts.count(best) < 0.9 * len(words):
            return shared
        shared = [*shared, best]


def _settled(found: _Found, table: pl.DataFrame) -> tuple[Draft | None, str]:
    """The rule that a candidate makes; or None and why not."""
    zone = _zone(found.rows)
    counts: list[int] = found.rows["words"].to_list()
    words = (min(counts), max(counts) + (max(counts) + 1) // 2) if found.kind in ("leads", "openings") else None
    hit = pl.col("key") == found.pattern if found.kind == "lines" else pl.col("low").str.contains(found.pattern)
    if words:
        hit = hit & pl.col("words").is_between(*words)
    matched = table.filter(hit & ((pl.col("zone") & zone) > 0))
    told = f"{found.pattern!r}, {_documents(found.rows)} documents, such as {found.rows['text'][0][:80]!r}"
    if not matched.height:
        return None, f"{told}: nothing left to match"
    text = matched.filter("kept", "sure")
    if text.height:
        row = text.row(0, named=True)
        return None, f"{told}: would match text, {row['where']} line {row['line']}: {row['text'][:80]!r}"
    if _heads_sections(found, matched):
        return None, f"{told}: stands among the paragraphs like a section heading"
    if found.kind in ("leads", "openings") and (matched["label"] == "headline").mean() > 0.2:  # type: ignore[operator]
        return None, f"{told}: opens headlines"
    label, reason = guess(found.kind, matched, zone, table["doc"].n_unique())
    return Draft(found.kind, found.pattern, zone, words, label, reason, _documents(matched), matched), ""


def _zone(rows: pl.DataFrame) -> int:
    """The zones in which a tenth of the rows or more stand, as bits."""
    bits = 0
    for zone in (BEFORE, AMONG, AFTER):
        if rows.filter(pl.col("zone") == zone).height >= 0.1 * rows.height:
            bits |= zone
    return bits


def _heads_sections(found: _Found, matched: pl.DataFrame) -> bool:
    """Whether a line that recurs among the paragraphs is text to the judge, unless the corpus told it otherwise."""
    among = matched.filter(pl.col("zone") == AMONG)
    text = among.filter(pl.col("plainly").is_in(KEPT))
    return found.kind in ("lines", "counters") and text.height >= 0.5 * among.height > 0
