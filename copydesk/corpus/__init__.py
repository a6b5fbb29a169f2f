"""Corpus-wide steps: group-bys and joins over the batches' files, out of core, the only place that sees all documents.

    keep         a batch's survey, as files                                            learning.py
    ranges       parts of all keys; count: the counts of one; learn: these to the knowledge
    sketched     articles of a batch to what comparing needs of their texts            shingles.py, sketches.py
    compare      what other articles decide of each: duplicates and split, as marks    duplicates.py, splits.py
    empty        the splits that were asked for and that marks leave empty
    MARKS        the columns of marks

Results are functions of the set of documents: no step looks at the order or the size of batches. The steps are
group-bys, joins and windows over tables, so that an engine that runs these over many machines could run them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.config import Splits
from copydesk.corpus.clusters import CLUSTERED
from copydesk.corpus.duplicates import Rows, find
from copydesk.corpus.learning import Range, count, keep, learn, ranges
from copydesk.corpus.memory import SKETCHED
from copydesk.corpus.sketches import sketch
from copydesk.corpus.splits import assign, empty

__all__ = ["MARKS", "Range", "compare", "count", "empty", "keep", "learn", "ranges", "sketched"]

MARKS: Final = pl.Schema(dict.fromkeys(("id", *CLUSTERED, "split"), pl.String()))
"""What the set of articles says of each one: the release writes these columns over the article's own."""


def sketched(articles: pl.DataFrame) -> pl.DataFrame:
    """The sketches of a batch of articles, as `compare` takes them."""
    return articles.select("content_sha256").hstack(sketch(articles)).cast(SKETCHED)


def compare(  # noqa: PLR0913 -- what there is, and what is asked
    new: Sequence[pl.LazyFrame],
    kept: Sequence[pl.LazyFrame],
    cache: Path,
    *,
    known: pl.DataFrame | None = None,
    sketches: Sequence[Path] = (),
    withdrawn: Sequence[str] = (),
    splits: Splits | None = None,
    drop: bool = False,
) -> pl.DataFrame:
    """The marks (MARKS, by id) of all articles of the coming release but the withdrawn: duplicates, and the split.

    `new` and `kept` are rows of the article schema, frame by frame: the new batches', and the last release's that stay
    as they are; `known` has small columns of the kept ones (duplicates.ARTICLE; `frame`, the number among these), that
    else are read. They are lazy: texts are read only of articles of which nothing is known, from files of sketches
    (`sketches`) or from an earlier run (`cache`, a folder that may be lost at any time). With `drop` copies are in the
    split text.DUPLICATES.
    """
    rows = Rows.of(new, kept, known, withdrawn)
    marked = assign(find(rows, cache, sketches), splits, drop=drop)
    return marked.select(MARKS.names()).cast(MARKS).sort("id")
