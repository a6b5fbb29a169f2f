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
from numpy.typing import NDArray

from copydesk.corpus.clusters import clusters, components
from copydesk.corpus.memory import KEYS, PAIR, Memory
from copydesk.corpus.pairs import LIKE, Ints, Pairs, agree, agreeing, share, sharing
from copydesk.corpus.rows import CONTENT, PLACE, Rows, content_of, texts
from copydesk.corpus.sketches import sketch
from copydesk.corpus.verifying import Part, parts_of, similarities
from copydesk.pieces import keep, read
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
    found, unknown = memory.sketched(contents)
    if len(unknown):
        _sketch(rows, contents[unknown], memory)
        found, _ = memory.sketched(contents)
    del contents
    kept = np.unique(found)
    groups, number = _groups(memory.keep_sketches(kept))
    put(groups, place / "groups.arrow")
    numbers = number.gather(np.searchsorted(kept, found))
    del found, kept, groups, number
    keep(place / "articles.arrow", NUMBERED, _numbered(rows, numbers))


def _contents(rows: Rows) -> Iterator[pl.DataFrame]:
    for some in rows.small("content_sha256"):
        yield some.select(*content_of(), "frame", "row")


def _sketch(rows: Rows, unknown: pl.DataFrame, memory: Memory) -> None:
    """Sketch texts (columns CONTENT, frame, row), frame by frame."""
    for (number,), some in unknown.group_by("frame", maintain_order=True):
        for part in some.iter_slices(TEXTS):
            read = texts(rows.frames[int(str(number))], part["row"])
            memory.add_sketches(part.select(CONTENT.names()).hstack(sketch(read)))


def _groups(sketches: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The different texts in the order of their keys, those without shingles last; and the number of each sketch's."""
    there = np.flatnonzero(sketches["key"].is_not_null().to_numpy())
    key, check, shingles = (sketches[name].gather(there).to_numpy() for name in KEYS)
    order = np.lexsort((check, key))
    key, check, shingles = key[order], check[order], shingles[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (check[1:] != check[:-1])
    start = np.flatnonzero(new)
    least = np.minimum.reduceat(shingles, start) if len(start) else shingles
    last = np.argsort(least == 0, kind="stable")  # what has shingles first
    at = pl.Series("at", there[order[start]], dtype=pl.UInt32)
    groups = pl.DataFrame({"key": key[start], "check": check[start], "shingles": least}).hstack([at])[last]
    place = np.empty(len(last), dtype=np.int64)
    place[last] = np.arange(len(last))
    number = pl.Series("number", [None], dtype=pl.UInt32).new_from_index(0, sketches.height)
    return groups, number.scatter(there[order], pl.Series(place[np.cumsum(new) - 1], dtype=pl.UInt32))


def _numbered(rows: Rows, numbers: pl.Series) -> Iterator[pl.DataFrame]:
    """The columns NUMBERED of all articles, frame by frame; `numbers` are those of their groups."""
    start = 0
    for some in rows.small(*SMALL):
        yield some.with_columns(numbers[start : start + some.height].alias("number")).select(NUMBERED.names())
        start += some.height


def find(rows: Rows, memory: Memory, place: Path, over: Over) -> pl.DataFrame:
    """The articles of clusters, with the CLUSTERED columns, from what `gather` wrote into the folder `place`."""
    count = pl.scan_ipc(place / "groups.arrow").select((pl.col("shingles") > 0).sum()).collect().item()
    pairs = _pairs(rows, count, memory, place, over)
    groups = pl.scan_ipc(place / "groups.arrow").select(pl.len()).collect().item()
    return clusters(_several(place / "articles.arrow", components(groups, pairs))).drop("group")


def _several(articles: Path, group: Ints) -> pl.DataFrame:
    """The articles whose `group` has several, with the `index` of each among all articles."""
    count = np.zeros(len(group), dtype=np.int64)
    for some in read(articles, ["number"]):
        np.add.at(count, group[some["number"].drop_nulls().to_numpy()], 1)
    found = _chosen(articles, count[group] > 1)
    return found.with_columns(group=pl.Series(group[found["number"].to_numpy()], dtype=pl.Int64))


def _chosen(articles: Path, wanted: NDArray[np.bool_]) -> pl.DataFrame:
    """The articles whose `number` is wanted, with the `index` of each among all articles."""
    found, start = [pl.DataFrame(schema={"index": pl.Int64, **NUMBERED})], 0
    known = np.append(wanted, [False])  # for those without a number, or with one behind all that are asked for
    for some in read(articles):
        rows = np.flatnonzero(known[some["number"].fill_null(len(wanted)).clip(upper_bound=len(wanted)).to_numpy()])
        found.append(some[rows].insert_column(0, pl.Series("index", rows + start, dtype=pl.Int64)))
        start += some.height
    return pl.concat(found)


def _pairs(rows: Rows, count: int, memory: Memory, place: Path, over: Over) -> Pairs:
    """The pairs of groups that are alike, by their numbers."""
    groups = place / "groups.arrow"
    tasks = sharing(memory.main, groups, count, place)
    agreed = agreeing(tasks, over("pairs", share, tasks), count, place)
    over("agree", agree, agreed)
    likely = _likely(groups, [task.into for task in agreed])
    known = memory.similarities(likely)
    unknown = likely.filter(pl.Series(np.isnan(known)))
    parts = _parts(rows, unknown, count, place)
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


def _parts(rows: Rows, pairs: pl.DataFrame, groups: int, place: Path) -> list[Part]:
    """The pairs in parts of bounded size, with where the texts of each can be read."""
    wanted = np.zeros(groups, dtype=np.bool_)
    wanted[pairs.select("number", "number_2").to_numpy()] = True
    articles = _chosen(place / "articles.arrow", wanted).select("number", "frame", "row")
    first = articles.unique("number", keep="first", maintain_order=True)
    return parts_of(pairs, first, rows.frames)
