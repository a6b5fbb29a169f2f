"""Invented sites: what repetition adds with every further page of a site, and what a drafted profile adds to that."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.corpora import Corpus, Text
from benchmarks.invented import SITES, Layout, pages
from copydesk.evaluation.report import table
from copydesk.knowledge import Knowledge
from copydesk.labels import KEPT
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.lines.propose import propose

__all__ = ["growth"]

JUDGED: Final = 5
"""Pages of each site that are judged; they are among those that the knowledge is learned from, as in an ingest."""

HEAD: Final = (
    "",
    "furniture lines",
    "left",
    "of it in mid-story",
    "decided by the corpus",
    "paragraphs lost",
    "headings lost",
    "recurring headings lost",
)
ROWS: Final = (
    ("no corpus", 0, False),
    ("5 pages", 5, False),
    ("20 pages", 20, False),
    ("50 pages", 50, False),
    ("20 pages, profile drafted from them", 20, True),
)


def growth() -> None:
    """Print the table: the same five pages of each site, judged with the knowledge of more and more pages."""
    rows = [[name, *figures(count, drafted=drafted)] for name, count, drafted in ROWS]
    print(f"\ninvented sites: {len(SITES)}; {JUDGED} pages of each, judged with the knowledge of\n")
    print(table(HEAD, rows))


def figures(count: int, *, drafted: bool) -> list[Any]:
    """Lines left and lost over all sites when `count` pages of each are known."""
    lines = pl.concat([judged(site, count, drafted=drafted) for site in SITES])
    furniture, text = lines.filter(~pl.col("stays")), lines.filter("stays")
    left = furniture.filter("kept")
    heading, again = text.filter(pl.col("length") < 60), text.filter("again")
    return [
        furniture.height,
        left.height,
        left.filter("mid").height,
        furniture.filter(pl.col("evidence").str.contains("^(repeat|headline:other)")).height,
        *(
            f"{part.filter(~pl.col('kept')).height} of {part.height}"
            for part in (text.filter(pl.col("length") >= 60), heading, again)
        ),
    ]


def judged(site: Layout, count: int, *, drafted: bool) -> pl.DataFrame:
    """The judged pages' lines: the truth (stays), ours (kept), the evidence, and what sort of line it is."""
    made = list(pages(site, max(count, JUDGED)))
    profiles = load_profiles()
    corpus = Corpus.of([Text(one.id, one.text.encode()) for one in made], profiles, site.name)
    if drafted:
        corpus = replace(corpus, documents=corpus.documents.with_columns(site=pl.lit(site.name)))
        profiles = with_draft(corpus, profiles)
    knowledge = corpus.knowledge(profiles) if count else Knowledge()
    truth = {one.id: one.stays for one in made[:JUDGED]}
    parts = corpus.judged(knowledge, profiles, set(truth))
    lines = pl.concat(
        [parts[key].with_columns(stays=pl.Series(stays, dtype=pl.Boolean)) for key, stays in truth.items()]
    )
    paragraph = pl.col("text").str.len_chars() >= 100
    seen = paragraph.cum_sum().over("doc")
    return lines.select(
        "stays",
        "evidence",
        kept=pl.col("label").is_in([*KEPT, "headline", "deck", "dateline"]),
        length=pl.col("text").str.len_chars(),
        mid=(seen > 0) & (seen < paragraph.sum().over("doc")),
        again=pl.col("text").is_in(list(site.headings)),
    )


def with_draft(corpus: Corpus, profiles: Profiles) -> Profiles:
    """The profiles and the one drafted from the corpus, as it stands, edited by nobody."""
    draft = propose(corpus.prepared.lines, corpus.documents, None, profiles)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "draft.toml").write_text(draft, encoding="utf-8")
        return load_profiles([Path(folder)])
