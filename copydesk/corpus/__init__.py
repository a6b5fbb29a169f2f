"""Corpus-wide steps: group-bys and joins over the batches' files, out of core, the only place that sees all documents.

    keep         a batch's survey, as files                                            learning.py
    ranges       parts of all keys; count: the counts of one; learn: these to the knowledge
    sketched     articles of a batch to what comparing needs of their texts            shingles.py, sketches.py
    compare      what other articles decide of each: duplicates and split, as marks    duplicates.py, splits.py
    empty        the splits that were asked for and that marks leave empty
    MARKS        the columns of marks

Results are functions of the set of documents: no step looks at the order or the size of batches. The steps are
group-bys, joins and windows over tables, a range of keys at a time, and what works on a range is a task for `over`:
local processes do it, or those of a cluster.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from copydesk import pieces
from copydesk.config import Splits
from copydesk.corpus.clusters import CLUSTERED
from copydesk.corpus.duplicates import find, gather
from copydesk.corpus.learning import Range, count, keep, learn, ranges
from copydesk.corpus.memory import SKETCHED, Memory
from copydesk.corpus.rows import Frame, Rows, content_of
from copydesk.corpus.sketches import sketch
from copydesk.corpus.splits import Assigning, empty
from copydesk.pieces import Pieces, read
from copydesk.runner import Over, plainly
from copydesk.whole import written

__all__ = ["MARKS", "Range", "compare", "count", "empty", "keep", "learn", "ranges", "sketched"]

MARKS: Final = pl.Schema(dict.fromkeys(("id", *CLUSTERED, "split"), pl.String()))
"""What the set of articles says of each one: the release writes these columns over the article's own."""


def sketched(articles: pl.DataFrame) -> pl.DataFrame:
    """The sketches of a batch of articles, as `compare` takes them."""
    return articles.select(*content_of()).hstack(sketch(articles)).cast(SKETCHED)


def compare(  # noqa: PLR0913 -- what there is, and what is asked
    new: Sequence[Frame],
    kept: Sequence[Frame],
    cache: Path,
    into: Path,
    *,
    known: pl.DataFrame | None = None,
    sketches: Sequence[Path] = (),
    withdrawn: Sequence[str] = (),
    splits: Splits | None = None,
    drop: bool = False,
    over: Over = plainly,
) -> Pieces:
    """The marks (MARKS) of all articles of the coming release but the withdrawn: duplicates, and the split.

    They are written to the file `into`, in the order of the frames.

    `new` and `kept` have rows of the article schema, frame by frame: the new batches', and those of the last release,
    of which some may stay as they are: then `known` has small columns of these, which else are read (rows.Rows). Texts
    are read only of articles of which nothing is known, from files of sketches (`sketches`) or from an earlier run
    (`cache`, a folder that may be lost at any time). With `drop` copies are in the split text.DUPLICATES. What is done
    side by side is mapped by `over`.
    """
    place = cache / "compared"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    rows, memory = Rows(tuple(new), tuple(kept), known, tuple(withdrawn)), Memory.open(cache, sketches)
    over("compare", _gathered, [(rows, memory, place)])
    copies = find(rows, memory, place, over)
    (marks,) = over("mark", _marked, [(place / "articles.arrow", into, copies, splits, drop)])
    shutil.rmtree(place)
    return marks


def _gathered(task: tuple[Rows, Memory, Path]) -> None:
    gather(*task)


def _marked(task: tuple[Path, Path, pl.DataFrame, Splits | None, bool]) -> Pieces:
    """The marks, from what was gathered and the articles of clusters."""
    articles, into, copies, splits, drop = task
    with written(into) as draft:
        kept = pieces.keep(draft, MARKS, _marks(articles, copies, splits, drop=drop))
    return Pieces(into, kept.ends)


def _marks(articles: Path, copies: pl.DataFrame, splits: Splits | None, *, drop: bool) -> Iterator[pl.DataFrame]:
    """The marks, a piece of the articles at a time."""
    rule = Assigning.of(splits, lambda: read(articles, ["published_at"]), copies)
    index, start = copies["index"].to_numpy(), 0
    clustered = copies.select(CLUSTERED)
    clustered = pl.concat([clustered, clustered.clear(1)])  # the last for those that are in none
    for some in read(articles, ["id", "source", "published_at"]):
        first, end = np.searchsorted(index, (start, start + some.height))
        place = np.full(some.height, copies.height)
        place[index[first:end] - start] = np.arange(first, end)
        yield rule.assign(some.hstack(clustered[place]), drop=drop)
        start += some.height
