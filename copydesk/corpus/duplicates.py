"""Duplicates: which articles are copies and near-copies of each other, and which stands for each such cluster.

    gather      rows -> files of what comparing needs of each article and of each different text
    find        these -> the articles of clusters, with the CLUSTERED columns

Texts are read only where nothing is known of them: to be sketched, and to be compared where sketches agree. Both is
kept from ingest to ingest (copydesk/corpus/memory.py), so that an ingest reads what is new and its likely copies.

The steps, each a group-by or a join over whole columns: sketches by content; groups of equal texts; candidate pairs of
groups by shared bands; verified pairs; components; clusters. A thousand equal texts are one group and cost no pair.
Pairs are found, and texts compared, by ranges and parts that are tasks for any worker (`over`); what is in one place is
the small columns, a frame at a time, and the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from copydesk.corpus.clusters import clusters, components
from copydesk.corpus.memory import PAIR, Memory
from copydesk.corpus.pairs import LIKE, Ints, Pairs, agree, agreeing, share, sharing
from copydesk.corpus.rows import CONTENT, PLACE, Rows, content_of, texts
from copydesk.corpus.sketches import sketch
from copydesk.corpus.verifying import Part, parts_of, similarities
from copydesk.runner import Over
from copydesk.whole import put

__all__ = ["find", "gather"]

TEXTS: Final = 2_000
"""Texts in memory at once while they are sketched."""

SMALL: Final = ("id", "source", "outlet", "agency", "published_at")

NUMBERED: Final = pl.Schema(
    {
        **dict.fromkeys(("id", "source", "outlet", "agency"), pl.String()),
        "published_at": pl.Datetime("us", "UTC"),
        **dict.fromkeys(("frame", "row", "number"), pl.UInt32()),
    }
)
"""The file `articles`: one row an article, `number` that of its group, null where there is no text."""


def gather(rows: Rows, memory: Memory, place: Path) -> None:
    """Sketch what has no sketch; write the files `articles` (NUMBERED) and `groups` into the folder `place`.

    A group is a text, however many articles have it: key, check, shingles, and the row `at` of its sketch in the
    memory; its number is its row. Texts without shingles come last and are compared with no other.
    """
    contents = pl.concat([pl.DataFrame(schema={**CONTENT, **PLACE}), *_contents(rows)])
    _sketch(rows, memory.unsketched(contents), memory)
    kept = memory.keep_sketches(contents.select(CONTENT.names()))
    groups = _groups(kept)
    put(groups.drop("number"), place / "groups.arrow")
    both = ["key", "check"]
    numbers = kept.select(*CONTENT, *both).join(groups.select(*both, "number"), on=both, how="left")
    del kept, groups
    numbered = contents.join(numbers.drop(both), on=CONTENT.names(), how="left", maintain_order="left")["number"]
    del contents, numbers
    _write(place / "articles.arrow", _numbered(rows, numbered))


def _contents(rows: Rows) -> Iterator[pl.DataFrame]:
    for some in rows.small("content_sha256"):
        yield some.select(*content_of(), "frame", "row")


def _sketch(rows: Rows, unknown: pl.DataFrame, memory: Memory) -> None:
    """Sketch texts (columns CONTENT, frame, row), frame by frame."""
    for (number,), some in unknown.group_by("frame", maintain_order=True):
        for part in some.iter_slices(TEXTS):
            read = texts(rows.frames[int(str(number))], part["row"])
            memory.add_sketches(part.select(CONTENT.names()).hstack(sketch(read)))


def _groups(keys: pl.DataFrame) -> pl.DataFrame:
    """The different texts in the order of their keys, those without shingles behind the others."""
    return (
        keys.filter(pl.col("key").is_not_null())
        .group_by("key", "check")
        .agg(pl.col("shingles", "at").min())
        .sort(pl.col("shingles") == 0, "key", "check")
        .with_row_index("number")
    )


def _numbered(rows: Rows, numbers: pl.Series) -> Iterator[pl.DataFrame]:
    """The columns NUMBERED of all articles, frame by frame; `numbers` are those of their groups."""
    start = 0
    for some in rows.small(*SMALL):
        yield some.with_columns(numbers[start : start + some.height].alias("number")).select(NUMBERED.names())
        start += some.height


def _write(path: Path, tables: Iterator[pl.DataFrame]) -> None:
    """Write an Arrow file of these tables, of which one is in memory at a time."""
    form = pl.DataFrame(schema=NUMBERED).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, form) as out:
        for table in tables:
            out.write_table(table.cast(NUMBERED).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()))


def find(rows: Rows, memory: Memory, place: Path, over: Over) -> pl.DataFrame:
    """The articles of clusters, with the CLUSTERED columns, from what `gather` wrote into the folder `place`."""
    count = pl.scan_ipc(place / "groups.arrow").select((pl.col("shingles") > 0).sum()).collect().item()
    pairs = _pairs(rows, count, memory, place, over)
    groups = pl.scan_ipc(place / "groups.arrow").select(pl.len()).collect().item()
    return clusters(_several(place / "articles.arrow", components(groups, pairs))).drop("group")


def _several(articles: Path, group: Ints) -> pl.DataFrame:
    """The articles whose `group` has several."""
    numbers = pl.read_ipc(articles, columns=["number"])["number"]
    several = np.flatnonzero(np.bincount(group[numbers.drop_nulls().to_numpy()], minlength=len(group)) > 1)
    wanted = pl.Series("number", np.flatnonzero(np.isin(group, several)), dtype=pl.UInt32)
    found = pl.scan_ipc(articles).filter(pl.col("number").is_in(wanted.implode())).collect()
    return found.with_columns(group=pl.Series(group[found["number"].to_numpy()]))


def _pairs(rows: Rows, count: int, memory: Memory, place: Path, over: Over) -> Pairs:
    """The pairs of groups that are alike, by their numbers."""
    groups = place / "groups.arrow"
    tasks = sharing(memory.main, groups, count, place)
    agreed = agreeing(tasks, over("pairs", share, tasks), count, place)
    over("agree", agree, agreed)
    likely = _likely(groups, [task.into for task in agreed])
    known = memory.similarities(likely)
    unknown = likely.filter(pl.Series(np.isnan(known)))
    parts = _parts(rows, unknown, place)
    for part, found in zip(parts, over("alike", similarities, parts), strict=True):
        known[part.rows] = found
    memory.keep_similarities(likely.with_columns(similarity=pl.Series(known)).select(PAIR.names()))
    alike: Pairs = likely.filter(pl.Series(known) >= LIKE).select("number", "number_2").to_numpy()
    return alike


def _likely(groups: Path, files: list[Path]) -> pl.DataFrame:
    """The pairs that may be alike, with key, check and shingles of both; those of a family stand together."""
    found = pl.concat([pl.DataFrame(schema={"row": pl.Int64, "row_2": pl.Int64}), *map(pl.read_ipc, files)])
    pairs: Pairs = found.to_numpy()
    side = pl.read_ipc(groups, columns=["key", "check", "shingles"]).with_row_index("number")
    side = side.with_columns(pl.col("number").cast(pl.Int64))
    likely = pl.concat([side[pairs[:, 0]], side[pairs[:, 1]].select(pl.all().name.suffix("_2"))], how="horizontal")
    likely = likely.with_columns(family=pl.Series(components(side.height, pairs)[pairs[:, 0]]))
    return likely.sort("family", "number", "number_2").with_row_index("row")


def _parts(rows: Rows, pairs: pl.DataFrame, place: Path) -> list[Part]:
    """The pairs in parts of bounded size, with where the texts of each can be read."""
    wanted = pl.concat([pairs["number"], pairs["number_2"]]).unique().cast(pl.UInt32)
    articles = pl.scan_ipc(place / "articles.arrow").filter(pl.col("number").is_in(wanted.implode()))
    first = articles.select("number", "frame", "row").collect().unique("number", keep="first", maintain_order=True)
    return parts_of(pairs, first, rows.frames)
