"""Text that stands apart, beyond furniture behind the article: comments, other stories, notes of the house.

    lines that stay ──► blocks (furniture of GAP lines parts two) ──► a large one, high up, is the article
                  └─► each block behind it: a row of terms ──► weight ──► goes or stays, as a whole

Line by line such text looks like an article's. What gives it away is the page: it is less than the article, far from
it, after a comment prompt. The weights are a logistic regression over the blocks of the labelled sets, with the labels
that the rest of the decision gives them on sites unseen (`copydesk.lines.fitting`). What stands above the article is
left alone: where readers wrote far more than the author, the article is what stands above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.lines.evidence import KEPT_CODES, Floats, Probabilities, chance
from copydesk.lines.shape import Ints, Mask, Shape
from copydesk.lines.structure import CODE

__all__ = ["APART", "Blocks", "apart", "blocks", "terms"]

GAP: Final = 2
"""Lines of furniture, headline or byline that part two blocks; a single one is a caption or an advert."""
_BAR: Final = 0.5
"""In log-odds; a block goes above it. Set on out-of-fold labels of the line benchmark and of the labelled articles."""
_MOST_PROMPTS: Final = 2.0
_THOUSAND: Final = 1000
"""Probabilities have three decimals: sums of thousandths are whole, so that the order of adding cannot matter."""

APART: Final = (
    "always",
    "model",
    "size beside the article",
    "how far behind the article",
    "text between, beside the article",
    "comment prompts between",
    "furniture in the document, share",
)
"""The terms of a block; their weights are `apart` in the model's file."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """The B blocks behind an article.

    first, last   (B,) index of a block's first and last line
    article       (B,) index of the last line of its document's article
    size, most    (B,) characters of the block, and of the article
    of            (n,) number of each line's block, -1 for lines of none and lines that are not keepable
    """

    first: Ints
    last: Ints
    article: Ints
    size: Ints
    most: Ints
    of: Ints


def blocks(shape: Shape, stays: Mask) -> Blocks:
    """The blocks of the lines that stay, but for each document's article and those before it.

    The article is the largest block, where the second counts for 1 / sqrt 2 of its size, the third for 1 / sqrt 3 ...:
    what stands further down may be longer, comments above all.
    """
    lines = np.flatnonzero(stays)
    if not len(lines):
        return Blocks(lines, lines, lines, lines, lines, np.full(len(shape), -1, dtype=np.int64))
    before = np.concatenate([[-1 - GAP], lines[:-1]])
    opens = np.flatnonzero((lines - before > GAP) | (before < shape.first[lines]))
    count = np.diff(opens, append=len(lines))
    first, last = lines[opens], lines[opens + count - 1]
    size = np.add.reduceat(shape.length[lines], opens)
    new = np.diff(shape.document[first], prepend=-1) > 0
    starts, own, number = np.flatnonzero(new), np.cumsum(new) - 1, np.arange(len(first))
    worth = size / np.sqrt(number - starts[own] + 1)
    best = worth == np.maximum.reduceat(worth, starts)[own]
    article = np.maximum.reduceat(np.where(best, number, -1), starts)[own]
    behind = number > article
    of = np.full(len(shape), -1, dtype=np.int64)
    of[lines] = np.repeat(np.where(behind, np.cumsum(behind) - 1, -1), count)
    return Blocks(first[behind], last[behind], last[article[behind]], size[behind], size[article[behind]], of)


def terms(shape: Shape, found: Blocks, stays: Mask, model: Probabilities) -> Floats:
    """One row per block, in the order of APART."""
    held = found.of >= 0
    likely = np.rint(model[held][:, KEPT_CODES].sum(axis=1) * _THOUSAND).astype(np.int64)
    text = np.bincount(found.of[held], likely * shape.length[held], len(found.first)) / (found.size * _THOUSAND)
    text = np.clip(text, 0.01, 0.99)
    prompts = np.rint(model[:, CODE["comment_prompt"]] * _THOUSAND).astype(np.int64)
    document = shape.document[found.first]
    share = np.bincount(shape.document, stays) / np.bincount(shape.document)
    return np.column_stack(
        [
            np.ones(len(found.first)),
            np.log(text / (1 - text)),
            np.log(found.size / found.most),
            np.log(found.first - found.article),
            _between(found, np.where(stays, shape.length, 0)) / found.most,
            np.minimum(_between(found, prompts) / _THOUSAND, _MOST_PROMPTS),
            1 - share[document],
        ]
    )


def _between(found: Blocks, values: Ints) -> Ints:
    """The sum of whole numbers over the lines between the article and each block."""
    sums: Ints = np.concatenate([[0], np.cumsum(values)])
    return sums[found.first] - sums[found.article + 1]


def apart(shape: Shape, label: Ints, model: Probabilities, weights: NDArray[np.generic]) -> tuple[Mask, Floats]:
    """Which lines stand in blocks that go, and how likely each line's block is furniture (0 where it is in none)."""
    stays = np.isin(label, KEPT_CODES)
    found = blocks(shape, stays)
    likely = np.zeros(len(shape))
    if not len(found.first):
        return np.zeros(len(shape), np.bool_), likely
    weight = np.zeros(len(found.first))
    for column, one in zip(terms(shape, found, stays, model).T, weights.astype(np.float64), strict=True):
        weight += one * column
    held = found.of >= 0
    likely[held] = chance(weight)[found.of[held]]
    return held & (likely > chance(np.array(_BAR))), likely
