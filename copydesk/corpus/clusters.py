"""Clusters: texts that are joined by pairs, directly or through others, and which of them stands for all.

components   pairs of rows -> the least row that each row is joined to
clusters     articles with the group of each -> the duplicate_* columns
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from copydesk.corpus.pairs import Ints, Pairs

__all__ = ["CLUSTERED", "clusters", "components"]

CLUSTERED: Final = ("duplicate_cluster", "duplicate_of", "duplicate_outlet", "duplicate_agency")
"""Columns that say what an article is a copy of; the schema of articles says what they mean."""


def components(count: int, pairs: Pairs) -> Ints:
    """For each of `count` rows the least one that pairs join it to: itself where none does.

    Each round joins every pair's trees at their roots and then flattens all trees, which halves the trees at least.
    """
    root = np.arange(count, dtype=np.int64)
    while True:
        ends = root[pairs]
        apart = ends[:, 0] != ends[:, 1]
        if not apart.any():
            return root
        pairs, ends = pairs[apart], ends[apart]
        np.minimum.at(root, ends.max(axis=1), ends.min(axis=1))
        while not np.array_equal(flat := root[root], root):
            root = flat


def clusters(articles: pl.DataFrame) -> pl.DataFrame:
    """The articles (id, published_at, outlet, agency, group) with the CLUSTERED columns.

    Articles of one `group` are copies; null is in none. The earliest by date, then id, stands for the others; one
    without a date comes after those with one. Its outlet printed the text first, as far as this set knows; the agency
    is the first that one of the cluster credits, in the same order.
    """
    order = ["published_at", "id"]
    several = pl.col("group").is_not_null() & (pl.len().over("group") > 1)
    found = (
        articles.filter(several)
        .group_by("group")
        .agg(
            duplicate_cluster=pl.col("id").sort_by(order, nulls_last=True).first(),
            duplicate_outlet=pl.col("outlet").sort_by(order, nulls_last=True).first(),
            duplicate_agency=pl.col("agency").sort_by(order, nulls_last=True).drop_nulls().first(),
        )
    )
    cluster = pl.col("duplicate_cluster")
    return articles.join(found, on="group", how="left", maintain_order="left").with_columns(
        duplicate_of=pl.when(pl.col("id") != cluster).then(cluster)
    )
