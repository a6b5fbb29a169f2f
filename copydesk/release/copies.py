"""Copies: what a release says of duplicates and splits, held against itself.

copy_problems   clusters across splits, wrong representatives, names of articles that are not there
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from copydesk.corpus.clusters import CLUSTERED, clusters
from copydesk.release.problems import Problem
from copydesk.text import DUPLICATES

__all__ = ["copy_problems"]


def copy_problems(file: str, articles: pl.DataFrame) -> Iterator[Problem]:
    """The problems of a release's articles (id, uri, published_at, outlet, agency, split and the duplicate columns).

    Articles of one cluster name the earliest of it, which is there; a cluster has two articles at least, one split, and
    one outlet and agency. Whether texts are alike is not asked here: that is what comparing does, with all texts.
    """
    told = articles.filter(pl.any_horizontal(pl.col(CLUSTERED).is_not_null()))
    wanted = clusters(told.with_columns(group="duplicate_cluster").drop(CLUSTERED))
    both = told.join(wanted.select("id", *CLUSTERED), on="id", suffix="_wanted", maintain_order="left")
    for name in CLUSTERED[1:]:
        wrong = both.filter(pl.col(name).ne_missing(pl.col(f"{name}_wanted")))
        for uri, found, expected in wrong.select("uri", name, f"{name}_wanted").iter_rows():
            yield Problem(file, f"{name} of {uri}", str(expected), str(found))
    alone = both.filter(pl.col("duplicate_cluster_wanted").is_null() & pl.col("duplicate_cluster").is_not_null())
    for uri, cluster in alone.select("uri", "duplicate_cluster").iter_rows():
        yield Problem(file, f"cluster {cluster} of {uri}", "two articles at least", "one")
    lost = articles.filter((pl.col("split") == DUPLICATES) & pl.col("duplicate_of").is_null())
    for uri in lost["uri"]:
        yield Problem(file, f"split of {uri}", "that of its story", f"{DUPLICATES}, and it is no copy")
    told = told.filter(pl.col("split") != DUPLICATES)
    apart = told.drop_nulls("duplicate_cluster").group_by("duplicate_cluster").agg(pl.col("split").unique().sort())
    for cluster, splits in apart.filter(pl.col("split").list.len() > 1).sort("duplicate_cluster").iter_rows():
        yield Problem(file, f"cluster {cluster}", "copies in one split", f"in {', '.join(splits)}")
