"""Corpus-wide steps: group-bys and joins over the batches' files, out of core, the only place that sees all documents.

    learn        surveys of all batches to the knowledge
    compare      what other articles decide of each: duplicates and split, as marks
    MARKS        the columns of marks

Results are functions of the set of documents: no step looks at the order or the size of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
import xxhash

from copydesk.knowledge import Knowledge
from copydesk.lines import repetition

__all__ = ["MARKS", "compare", "learn"]

MARKS: Final = pl.Schema(
    {"id": pl.String(), "duplicate_cluster": pl.String(), "duplicate_of": pl.String(), "split": pl.String()}
)
"""What the set of articles says of each one: the release writes these columns over the article's own."""


def learn(folders: Sequence[Path], profiles: str) -> Knowledge:
    """The knowledge that the surveys in the batches' folders add up to; `profiles` is the digest of those in force."""
    surveys = ({name: pl.read_ipc(folder / f"survey-{name}.arrow") for name in repetition.SURVEY} for folder in folders)
    documents = sum(pl.scan_ipc(folder / "documents.arrow").select(pl.len()).collect().item() for folder in folders)
    return Knowledge(**repetition.learn(surveys), profiles=profiles, documents=documents)


def compare(new: Sequence[pl.LazyFrame], kept: Sequence[pl.LazyFrame], cache: Path) -> pl.DataFrame:
    """The marks (MARKS, by id) of all articles of the coming release: exact duplicates, and the split.

    `new` and `kept` are rows of the article schema, frame by frame: the new batches', and the last release's that stay
    as they are. They are lazy: of kept rows only the columns asked for are read, so ask for `text` only where nothing
    is known of a row (its `content_sha256`) from an earlier run. `cache` is a folder that lasts from one ingest to the
    next and may be lost at any time.

    The earliest article by date, then id, stands for the others; one without a date comes after those with one.
    """
    del cache
    keys = pl.concat([_keys(articles) for articles in (*new, *kept)])
    first = pl.col("id").sort_by("published_at", "id", nulls_last=True).first().over("text")
    cluster = pl.when(pl.col("text").is_not_null() & (pl.len().over("text") > 1)).then(first)
    return (
        keys.with_columns(duplicate_cluster=cluster)
        .with_columns(
            duplicate_of=pl.when(pl.col("id") != pl.col("duplicate_cluster")).then("duplicate_cluster"),
            split=pl.lit("train"),
        )
        .select(MARKS.names())
        .cast(MARKS)
        .sort("id")
    )


def _keys(articles: pl.LazyFrame) -> pl.DataFrame:
    """Columns id, published_at, and 128 bits of the text, white space apart, null where there is none."""
    text = pl.col("text").str.replace_all("[ \t\n]+", " ").str.strip_chars(" ")
    rows = articles.select("id", "published_at", text=text).collect()
    digests = [xxhash.xxh3_128_digest(one.encode()) if one else None for one in rows["text"]]
    return rows.with_columns(text=pl.Series(digests, dtype=pl.Binary))
