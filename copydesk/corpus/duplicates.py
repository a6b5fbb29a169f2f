"""Duplicates: which articles are copies and near-copies of each other, and which stands for each such cluster.

    find        articles -> the same with the CLUSTERED columns
    ARTICLE     what finding needs of every article: small columns, all in memory

Texts are read only where nothing is known of them: to be sketched, and to be compared where sketches agree. Both is
kept from ingest to ingest (copydesk/corpus/memory.py), so that an ingest reads what is new and its likely copies.

The steps, each a group-by or a join over whole columns: sketches by content; groups of equal texts; candidate pairs of
groups by shared bands; verified pairs; components; clusters. A thousand equal texts are one group and cost no pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.corpus.bodies import bodies
from copydesk.corpus.clusters import clusters, components
from copydesk.corpus.memory import PAIR, Memory
from copydesk.corpus.pairs import LIKE, Pairs, candidates, similar
from copydesk.corpus.shingles import distinct
from copydesk.corpus.sketches import sketch

__all__ = ["ARTICLE", "Rows", "find"]

ARTICLE: Final = dict.fromkeys(("id", "source", "outlet", "agency", "content_sha256"), pl.String()) | {
    "published_at": pl.Datetime("us", "UTC")
}

TEXTS: Final = 2_000
"""Texts in memory at once while they are sketched."""

SHINGLES: Final = 4_000_000
"""Shingles in memory at once while pairs are verified: with their texts some 75 MB."""


@dataclass(frozen=True)
class Rows:
    """The articles of the coming release: frames to be read lazily, and their ARTICLE columns with the `frame`."""

    frames: Sequence[pl.LazyFrame]
    articles: pl.DataFrame

    @classmethod
    def of(
        cls,
        new: Sequence[pl.LazyFrame],
        kept: Sequence[pl.LazyFrame] = (),
        known: pl.DataFrame | None = None,
        without: Sequence[str] = (),
    ) -> Rows:
        """Gather the small columns of all rows but those whose id is in `without`.

        They are read, but for those of `kept` frames that are `known`: ARTICLE, and `frame`, the number among these.
        """
        frames = [*new, *kept]
        read = [
            frame.select(*ARTICLE, frame=pl.lit(number, dtype=pl.UInt32)).collect()
            for number, frame in enumerate(frames if known is None else new)
        ]
        held = [] if known is None else [known.select(*ARTICLE, frame=pl.col("frame").cast(pl.UInt32) + len(new))]
        whole = pl.concat([pl.DataFrame(schema=ARTICLE | {"frame": pl.UInt32()}), *read, *held])
        left_out = pl.Series("id", list(without), dtype=pl.String)
        return cls(frames, whole.filter(~pl.col("id").is_in(left_out.implode())))

    def texts(self, wanted: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The rows of `wanted` (frame, id) with the articles' text and headings, frame by frame."""
        for (number,), rows in wanted.group_by("frame", maintain_order=True):
            found = self.frames[int(str(number))].filter(pl.col("id").is_in(rows["id"].implode()))
            read = found.select("id", "text", "headings").collect()
            # A filtered column keeps the bytes of all rows alive; a new one has its own.
            read = read.with_columns(text=pl.Series(read["text"].to_list(), dtype=pl.String))
            yield rows.join(read, on="id", how="inner", maintain_order="left")


def find(rows: Rows, cache: Path, sketched: Sequence[Path] = ()) -> pl.DataFrame:
    """The articles with the CLUSTERED columns, in the order they came in.

    `sketched` are files of sketches that earlier stages made (content_sha256 and the columns SKETCH). `cache` is a
    folder for what the next run can use; whatever is lost of it is computed anew, with the same result.
    """
    memory = Memory.open(cache, sketched)
    _sketch(rows, memory)
    keys = memory.keep_sketches(rows.articles["content_sha256"])
    groups = _groups(keys)
    pairs = _pairs(rows, groups.filter(pl.col("shingles") > 0), keys, memory)
    groups = groups.with_columns(group=pl.Series(components(groups.height, pairs)))
    named = keys.join(groups.select("key", "check", "group"), on=["key", "check"], how="left")
    articles = rows.articles.join(
        named.select("content_sha256", "group"), on="content_sha256", how="left", maintain_order="left"
    )
    return clusters(articles).drop("group")


def _sketch(rows: Rows, memory: Memory) -> None:
    """Sketch the texts that have none, each content once."""
    for articles in rows.texts(memory.unsketched(rows.articles)):
        for some in articles.iter_slices(TEXTS):
            memory.add_sketches(some.select("content_sha256").hstack(sketch(some)))


def _groups(keys: pl.DataFrame) -> pl.DataFrame:
    """The different texts: key, check, shingles, and the row `at` where their sketch is; in the order of the keys."""
    return (
        keys.filter(pl.col("key").is_not_null())
        .group_by("key", "check")
        .agg(pl.col("shingles", "at").min())
        .sort("key", "check")
        .with_row_index("number")
    )


def _pairs(rows: Rows, groups: pl.DataFrame, keys: pl.DataFrame, memory: Memory) -> Pairs:
    """The pairs of groups that are alike, by their `number`."""
    at = groups["at"].to_numpy()
    found = candidates(groups.height, lambda name: memory.band(name)[at])
    side = groups.select("key", "check", "shingles", pl.col("number").cast(pl.Int64))
    likely = pl.concat([side[found[:, 0]], side[found[:, 1]].select(pl.all().name.suffix("_2"))], how="horizontal")
    likely = likely.with_columns(family=pl.Series(components(groups.height, found)[found[:, 0]]))
    likely = likely.sort("family", "number", "number_2").with_row_index("row")
    known = memory.similarities(likely)
    for part in _parts(likely.filter(pl.Series(np.isnan(known)))):
        known[part["row"].to_numpy()] = _compared(rows, part, keys)
    memory.keep_similarities(likely.with_columns(similarity=pl.Series(known)).select(PAIR.names()))
    alike: Pairs = likely.filter(pl.Series(known) >= LIKE).select("number", "number_2").to_numpy()
    return alike


def _parts(pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The pairs in parts of bounded size; those of a family stand together, so that most texts are read once."""
    size = (pl.col("shingles") + pl.col("shingles_2")).cum_sum() // SHINGLES
    for _, part in pairs.group_by(size, maintain_order=True):
        yield part


def _compared(rows: Rows, pairs: pl.DataFrame, keys: pl.DataFrame) -> npt.NDArray[np.float64]:
    """The similarity of pairs of groups: that of the bodies, or of the whole texts where that is greater."""
    sides = [pairs.select("key", "check"), pairs.select(key="key_2", check="check_2")]
    texts = pl.concat(rows.texts(_first(rows, pl.concat(sides).unique(), keys))).with_row_index("place")
    places = texts.select("key", "check", pl.col("place").cast(pl.Int64))
    found = [side.join(places, on=["key", "check"], how="left", maintain_order="left")["place"] for side in sides]
    numbers = np.stack([one.to_numpy() for one in found], axis=1)
    body, cut = bodies(texts)
    similarity = similar(*distinct(body), numbers)
    doubtful = np.flatnonzero((similarity < LIKE) & np.isin(numbers, cut).any(axis=1))
    wanted, again = np.unique(numbers[doubtful], return_inverse=True)
    whole = similar(*distinct(texts["text"].gather(wanted)), again.reshape(-1, 2))
    similarity[doubtful] = np.maximum(similarity[doubtful], whole)
    return similarity


def _first(rows: Rows, groups: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """An article for each group, from which its text can be read: they all have the same."""
    contents = keys.select("key", "check", "content_sha256").join(groups, on=["key", "check"], how="semi")
    articles = rows.articles.select("content_sha256", "frame", "id").join(contents, on="content_sha256")
    return articles.sort("frame", "id").unique(["key", "check"], keep="first", maintain_order=True)
