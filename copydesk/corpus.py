"""Corpus-wide steps: group-bys and joins over the batches' files, out of core, the only place that sees all documents.

    learn        surveys of all batches to the knowledge
    compare      exact duplicates among all articles: which row stands for which

Results are functions of the set of documents: no step looks at the order or the size of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.lines import repetition

__all__ = ["compare", "keys", "learn", "mark"]


def learn(folders: Sequence[Path], profiles: str) -> Knowledge:
    """The knowledge that the surveys in the batches' folders add up to; `profiles` is the digest of those in force."""
    surveys = ({name: pl.read_ipc(folder / f"survey-{name}.arrow") for name in repetition.SURVEY} for folder in folders)
    documents = sum(pl.scan_ipc(folder / "documents.arrow").select(pl.len()).collect().item() for folder in folders)
    return Knowledge(**repetition.learn(surveys), profiles=profiles, documents=documents)


def keys(articles: pl.LazyFrame) -> pl.LazyFrame:
    """What comparing needs of articles: id, published_at, and the text, white space apart; empty ones are left out."""
    text = pl.col("text").str.replace_all("[ \t\n]+", " ").str.strip_chars(" ")
    return articles.select("id", "published_at", text=text).filter(pl.col("text") != "")


def compare(keys: pl.LazyFrame) -> pl.DataFrame:
    """Marks (id, duplicate_cluster, duplicate_of) of the articles that share their text; the others are left out.

    The earliest by date, then id, stands for the others; an article without a date comes after those with one.
    """
    first = pl.col("id").sort_by("published_at", "id", nulls_last=True).first().over("text")
    cluster = pl.col("duplicate_cluster")
    return (
        keys.filter(pl.len().over("text") > 1)
        .select("id", duplicate_cluster=first)
        .with_columns(duplicate_of=pl.when(pl.col("id") != cluster).then(cluster))
        .sort("id")
        .collect()
    )


def mark(articles: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """The articles with their duplicate columns as `marks` say."""
    names = ["duplicate_cluster", "duplicate_of"]
    return articles.drop(names).join(marks, on="id", how="left", maintain_order="left").select(articles.columns)
