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

SHINGLES: Final = 8_000_000
"""Shingles in memory at once while pairs are verified: with their texts some 150 MB."""


@dataclass(frozen=True)
class Rows:
    """The articles of the coming release: frames to be read lazily, and their ARTICLE columns with the `frame`."""

    frames: Sequence[pl.LazyFrame]
    articles: pl.DataFrame

    @classmethod
    def of(cls, frames: Sequence[pl.LazyFrame], without: Sequence[str] = ()) -> Rows:
        """Read the small columns of all rows but those whose id is in `without`."""
        left_out = pl.Series("id", list(without), dtype=pl.String)
        parts = [
            frame.select(*ARTICLE, frame=pl.lit(number, dtype=pl.UInt32))
            .filter(~pl.col("id").is_in(left_out.implode()))
            .collect()
            for number, frame in enumerate(frames)
        ]
        return cls(frames, pl.concat(parts) if parts else pl.DataFrame(schema=ARTICLE | {"frame": pl.UInt32()}))

    def texts(self, wanted: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
        """The texts of articles (frame, id), some at a time, with their rows of `wanted`."""
        for (number,), rows in wanted.group_by("frame", maintain_order=True):
            ids = rows["id"]
            found = self.frames[int(str(number))].filter(pl.col("id").is_in(ids.implode())).select("id", "text")
            both = rows.join(found.collect(), on="id", how="left", maintain_order="left")
            yield both.drop("text"), both["text"].fill_null("")


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
    missing = memory.unsketched(rows.articles)
    for wanted, texts in rows.texts(missing):
        for start in range(0, wanted.height, TEXTS):
            part = slice(start, start + TEXTS)
            memory.add_sketches(wanted[part].select("content_sha256").hstack(sketch(texts[part])))


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
    """The similarity of pairs of groups, each text read from the first article that has it."""
    sides = [pairs.select(pl.col("key", "check")), pairs.select(key="key_2", check="check_2")]
    wanted = pl.concat(sides).unique().join(keys.select("key", "check", "content_sha256"), on=["key", "check"])
    first = rows.articles.select("content_sha256", "frame", "id").join(wanted, on="content_sha256").sort("frame", "id")
    first = first.unique(["key", "check"], keep="first", maintain_order=True)
    hashes, ends, order = [], [], []
    for texts, text in rows.texts(first):
        found = distinct(text)
        hashes.append(found[0])
        ends.append(found[1] + sum(map(len, hashes[:-1])))
        order.append(texts.select("key", "check"))
    places = pl.concat(order).with_row_index("place", offset=0).with_columns(pl.col("place").cast(pl.Int64))
    numbers = [side.join(places, on=["key", "check"], how="left", maintain_order="left")["place"] for side in sides]
    return similar(np.concatenate(hashes), np.concatenate(ends), np.stack([one.to_numpy() for one in numbers], axis=1))
