"""How the weights of the decision are fitted: what speaks for a headline, and what for furniture.

    fit_decision    gold lines, with probabilities of models that had not seen their sites -> the four lists of weights

All are logistic regressions: over the candidates of `headlines` (with and without the model), the terms of `evidence`,
and the blocks of `apart` that the others leave standing. The probabilities must be out-of-fold
(`training.cross_validate`): a model is surer of what it has learnt from, and would be trusted too far. Lines that a
profile names, headlines and lines `amidst` others take no part in the regression of `evidence`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.labels import DROPPED, FIELD, KEPT, LABELS
from copydesk.lines import headlines
from copydesk.lines.apart import APART, blocks, terms
from copydesk.lines.decision import Known, decide
from copydesk.lines.evidence import KEPT_CODES, chance, evidence
from copydesk.lines.features import amidst
from copydesk.lines.gold import bits
from copydesk.lines.headlines import Place, candidates
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import Ints, Mask, Shape, measure
from copydesk.lines.sites import find_sites, per_line
from copydesk.lines.structure import Frame, frame, structure

__all__ = ["fit_decision", "logistic"]

Floats = NDArray[np.float64]

_ARTICLES: Final = 6.0
_BLOGS: Final = 0.4
"""Weight of a document of the hand-labelled articles, and of the blogs and guides (wcxb), 1 for the others: few
articles stand against many pages, and they are the kind of text that must not lose a sentence."""
_RIDGE: Final = 1e-4
_RIDGE_BLOCKS: Final = 3e-3
"""Pull to zero: blocks are a hundred times fewer than lines."""
_LONG_BLOCK, _SHORT_ARTICLE = 2000, 300
"""Characters beyond and below which size does not count in a block's weight."""
_STEPS: Final = 40


def fit_decision(gold: pl.DataFrame, told: NDArray[np.float32], profiles: Profiles) -> dict[str, Floats]:
    """Weights by name, as `weights.npz` holds them; `told` has a row per line of `gold` (see gold.read_gold)."""
    shape = measure(gold)
    lines, model = gold[shape.rows], told[shape.rows]
    documents = gold.select("doc", "id").unique("doc", keep="first", maintain_order=True)
    site = per_line(shape, documents, find_sites(gold, documents, profiles))
    start = {"headline_plain": np.zeros(len(headlines.TERMS)), "headline_model": np.zeros(len(headlines.MODEL_TERMS))}
    at = frame(shape, site, profiles, model, start)
    titles = _fit_titles(at, lines, model)
    at = frame(shape, site, profiles, model, titles)
    fitted = {**titles, "evidence": _fit_evidence(at, lines, model)}
    return {**fitted, "apart": _fit_apart(at, lines, model, fitted, profiles)}


def _fit_titles(at: Frame, lines: pl.DataFrame, model: NDArray[np.float32]) -> dict[str, Floats]:
    """Weights of a headline's terms, without and with the model's word."""
    rows = candidates(Place(at.shape, at.paragraph, at.zone), at.ruled, at.date)
    right = lines["right"].to_numpy()
    title = right == bits(["headline"])
    document = at.shape.document
    asked = (lines["kind"] == "articles").to_numpy()
    asked |= np.bincount(document, title)[document] > 0
    share = np.sqrt(np.maximum(np.bincount(document[rows], minlength=int(document.max()) + 1), 1))
    weight = (asked & (right != 0))[rows] / share[document[rows]] * np.where(_blogs(lines), _BLOGS, 1.0)[rows]
    terms = headlines.features(Place(at.shape, at.paragraph, at.zone), at.ruled, at.date, at.name, rows)
    both = np.column_stack([terms, headlines.said(model[rows])])
    goal = title[rows].astype(np.float64)
    return {"headline_plain": logistic(terms, goal, weight), "headline_model": logistic(both, goal, weight)}


def _fit_evidence(at: Frame, lines: pl.DataFrame, model: NDArray[np.float32]) -> Floats:
    label, _ = structure(at)
    kept, dropped = _known(lines["right"].cast(pl.Int64).to_numpy())
    judged = (lines["kind"] != "metadata").to_numpy()
    use = (kept | dropped) & judged & (at.ruled < 0) & ~at.headline & ~amidst(at.shape)
    weight = _weights(at.shape, lines, use)
    return logistic(evidence(at, label, model), dropped.astype(np.float64), weight)


def _fit_apart(
    at: Frame, lines: pl.DataFrame, model: NDArray[np.float32], fitted: dict[str, Floats], profiles: Profiles
) -> Floats:
    """A block counts by the root of its size beside its document's text, which is what leaving it in spoils."""
    shape, n = at.shape, len(at.shape)
    nothing = Known(np.zeros(n, np.int64), np.zeros(n, np.bool_), pl.Series([""] * n))
    label = decide(at, profiles.evidence, nothing, model, {**fitted, "apart": np.zeros(len(APART))}).label
    stays = np.isin(label, KEPT_CODES)
    found = blocks(shape, stays)
    kept, dropped = (mask * shape.length for mask in _known(lines["right"].cast(pl.Int64).to_numpy()))
    held, count = found.of >= 0, len(found.first)
    text, furniture = (np.bincount(found.of[held], size[held], count) for size in (kept, dropped))
    whole = np.bincount(shape.document, kept)[shape.document[found.first]]
    weight = np.sqrt(np.minimum(found.size, _LONG_BLOCK) / np.maximum(whole, _SHORT_ARTICLE))
    weight *= (
        _kinds(lines)[found.first] * (text + furniture > 0) * (lines["kind"] != "metadata").to_numpy()[found.first]
    )
    goal = furniture / np.maximum(text + furniture, 1)
    return logistic(terms(shape, found, stays, model), goal, weight, _RIDGE_BLOCKS)


def _known(right: Ints) -> tuple[Mask, Mask]:
    """Lines that are surely kept, and surely dropped (a title may be among what they can be)."""
    keep, drop = bits(KEPT), bits([label for label in LABELS if label in {*DROPPED, *FIELD}])
    sure = bits([*DROPPED, *(label for label in FIELD if label not in ("deck", "dateline", "headline"))])
    some = right > 0
    return some & (right & ~keep == 0), some & (right & ~drop == 0) & (right & sure != 0)


def _weights(shape: Shape, lines: pl.DataFrame, use: Mask) -> Floats:
    """A long line weighs more; a document by the root of what it holds."""
    weight = np.where(use, 0.5 + 0.01 * np.minimum(shape.length, 500), 0.0)
    whole = np.bincount(shape.document, weight)[shape.document]
    return np.asarray(weight / np.sqrt(np.maximum(whole, 1)) * _kinds(lines), np.float64)


def _kinds(lines: pl.DataFrame) -> Floats:
    return np.where((lines["kind"] == "articles").to_numpy(), _ARTICLES, np.where(_blogs(lines), _BLOGS, 1.0))


def _blogs(lines: pl.DataFrame) -> Mask:
    return (lines["group"] == "wcxb").to_numpy()


def logistic(terms: Floats, goal: Floats, weight: Floats, pull: float = _RIDGE) -> Floats:
    """Weights of a logistic regression by Newton's method, with a slight pull to zero; three decimals."""
    used = weight > 0
    terms, goal, weight = terms[used], goal[used], weight[used]
    ridge = pull * max(float(weight.sum()), 1.0)
    out = np.zeros(terms.shape[1])
    for _ in range(_STEPS):
        likely = chance(terms @ out)
        slope = terms.T @ (weight * (likely - goal)) + ridge * out
        bend = (terms * (weight * likely * (1 - likely))[:, None]).T @ terms + ridge * np.eye(len(out))
        out -= np.linalg.solve(bend, slope)
    return np.asarray(np.round(out, 3), np.float64)
