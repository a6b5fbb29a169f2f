"""Everything that speaks for or against a line, as numbers that can be added up.

    EVIDENCE    the names of the terms
    evidence    one row of terms per line (to fit the weights);  weigh    the weighted sum of them
    chance      the probability that such a sum means
    log_odds    what the model alone says

The weights, in log-odds, are a logistic regression over the labelled articles and the line benchmark, where the model's
part comes from models that had not seen the site (`copydesk.lines.fitting`). Positive speaks for furniture.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.lines.shape import AFTER, AMONG, BEFORE, Ints, Mask, reduced
from copydesk.lines.structure import CODE, Frame, run_after

__all__ = ["DROPPED_CODES", "EVIDENCE", "KEPT_CODES", "chance", "dropped", "evidence", "log_odds", "share", "weigh"]

Floats = NDArray[np.float64]
Probabilities = NDArray[np.float32]

KEPT_CODES: Final = (CODE["body"], CODE["heading"])
NEUTRAL_CODES: Final = (CODE["headline"], CODE["deck"], CODE["dateline"])
DROPPED_CODES: Final = tuple(
    code for label, code in CODE.items() if code not in {*KEPT_CODES, *NEUTRAL_CODES} and label != "blank"
)

EVIDENCE: Final = (
    "always",
    "model",
    "model, in a paragraph",
    "model, in a page full of furniture",
    "model: heading",
    "model: byline",
    "model: caption",
    "model: related link",
    "model: headline",
    "paragraph",
    "long paragraph",
    "long, without a stop, among paragraphs",
    "ends like a sentence",
    "runs on at its end",
    "ends in the middle of a sentence",
    "goes on from the line before",
    "one to three words",
    "four to eight words",
    "date",
    "name",
    "biography",
    "furniture by build",
    "heading by build",
    "under a link heading",
    "before the paragraphs",
    "among paragraphs",
    "after the paragraphs",
    "after the paragraphs, how far",
    "above the headline",
    "above the headline, how much is",
    "in a run of short lines, how long",
    "stands in the document twice",
    "stands in the document thrice",
    "known furniture before",
    "known furniture after",
    "known furniture in the document",
    "furniture in the document, share",
    "paragraphs in the document, share",
    "paragraphs in the document, among them",
    "stuck to the line before, in a spaced text",
    "spaced text",
)
"""The terms; their weights are `evidence` in the model's file."""


_IS_DROPPED: Final = np.isin(np.arange(len(CODE) + 1), DROPPED_CODES)
"""By label code; the last stands for UNKNOWN, which is -1."""


_SHARE_OF: Final = np.array(
    [
        [code in DROPPED_CODES for code in range(len(CODE))],
        [(code in KEPT_CODES) + 0.5 * (code in NEUTRAL_CODES) for code in range(len(CODE))],
    ],
    dtype=np.float32,
)
"""How much of each label's probability counts for furniture, and for text."""


def dropped(label: Ints) -> Mask:
    """Which of these label codes are furniture."""
    return _IS_DROPPED[label]


def log_odds(model: Probabilities, zone: NDArray[np.uint8]) -> Floats:
    """What the model alone says, in log-odds of furniture against text.

    Headline, deck and dateline count half as text, but a headline below the text's beginning, which is another
    story's or a heading, not at all.
    """
    drop = (model @ _SHARE_OF[0]).astype(np.float64)
    keep = model @ _SHARE_OF[1] - 0.5 * model[:, CODE["headline"]] * (zone != BEFORE)
    part = np.clip(drop / (drop + keep + 1e-9), 1e-3, 1 - 1e-3)
    odds: Floats = np.log(part / (1 - part))
    return odds


def evidence(at: Frame, label: Ints, model: Probabilities) -> Floats:
    """One row of terms per line, in the order of EVIDENCE; `label` is what the build says of each line."""
    terms = _terms(at, label, model, log_odds(model, at.zone))
    return np.column_stack([np.asarray(terms[name], dtype=np.float64) for name in EVIDENCE])


def weigh(at: Frame, label: Ints, model: Probabilities, odds: Floats, weights: NDArray[np.generic]) -> Floats:
    """The weight of all terms together, for each line: above 0 it is rather furniture; `odds` are the `log_odds`."""
    terms = _terms(at, label, model, odds)
    weight = np.zeros(len(at.shape))
    for name, value in zip(EVIDENCE, weights.astype(np.float64), strict=True):
        weight += value * terms[name]
    return weight


def chance(weight: Floats) -> Floats:
    """The probability of log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(weight, -30, 30))))


def _terms(at: Frame, label: Ints, model: Probabilities, odds: Floats) -> Terms:
    furniture = share(at, odds > 0)
    return {
        "always": np.ones(len(at.shape)),
        **_said(at, model, odds, furniture),
        **_seen(at),
        **_built(at, label),
        **_placed(at),
        **_surrounded(at, furniture),
    }


Terms = dict[str, NDArray[np.generic]]


def _said(at: Frame, model: Probabilities, odds: Floats, furniture: Floats) -> Terms:
    return {
        "model": odds,
        "model, in a paragraph": odds * at.paragraph,
        "model, in a page full of furniture": odds * furniture,
        "model: heading": model[:, CODE["heading"]],
        "model: byline": model[:, CODE["byline"]],
        "model: caption": model[:, CODE["caption"]],
        "model: related link": model[:, CODE["related_link"]],
        "model: headline": model[:, CODE["headline"]],
    }


def _seen(at: Frame) -> Terms:
    shape = at.shape
    before = shape.before
    return {
        "paragraph": at.paragraph,
        "long paragraph": (shape.length >= 200) & shape.stop,
        "long, without a stop, among paragraphs": (shape.length >= 60)
        & ~shape.stop
        & ~at.paragraph
        & (at.zone == AMONG),
        "ends like a sentence": shape.stop,
        "runs on at its end": shape.open_end,
        "ends in the middle of a sentence": at.broken & (at.zone == AMONG),
        "goes on from the line before": at.joins & ~shape.stop[before] & (shape.words[before] >= 2),
        "one to three words": shape.words <= 3,
        "four to eight words": (shape.words > 3) & (shape.words <= 8),
        "date": at.date,
        "name": at.name,
        "biography": at.biography,
    }


def _built(at: Frame, label: Ints) -> Terms:
    shape = at.shape
    title = ~shape.stop & ~at.paragraph & (shape.words >= 3) & ~at.headline
    return {
        "furniture by build": dropped(label),
        "heading by build": label == CODE["heading"],
        "under a link heading": run_after(at, at.ruled == CODE["related_link"], title),
        "stuck to the line before, in a spaced text": at.spaced & (shape.gap_before == 0) & (shape.gap_after != 0),
        "spaced text": at.spaced,
    }


def _placed(at: Frame) -> Terms:
    shape = at.shape
    index = np.arange(len(shape))
    far = len(shape) + 1
    title = reduced(at.shape, np.where(at.headline, index, far), np.minimum)
    last = reduced(at.shape, np.where(at.paragraph, index, -1), np.maximum)
    above = (title < far) & (index < title)
    return {
        "before the paragraphs": at.zone == BEFORE,
        "among paragraphs": at.zone == AMONG,
        "after the paragraphs": at.zone == AFTER,
        "after the paragraphs, how far": np.log1p(np.where((last >= 0) & (index > last), index - last, 0)),
        "above the headline": above,
        "above the headline, how much is": np.log1p(np.where(above, title - shape.first, 0)),
        "in a run of short lines, how long": np.log1p(_runs(at)),
    }


def _runs(at: Frame) -> Ints:
    """Length of the unbroken run of lines of six words at most that each line is part of; 0 for others."""
    shape = at.shape
    small = (shape.words <= 6) & ~shape.stop & ~at.paragraph
    starts = np.ones(len(shape), dtype=bool)
    starts[1:] = ~small[1:] | ~small[:-1] | (shape.first[1:] != shape.first[:-1])
    run = np.cumsum(starts) - 1
    length: Ints = np.bincount(run)[run] * small
    return length


def _surrounded(at: Frame, furniture: Floats) -> Terms:
    shape = at.shape
    before, after = shape.before, shape.after
    known = dropped(at.ruled)
    copies = shape.copies
    paragraphs = share(at, at.paragraph)
    return {
        "stands in the document twice": copies == 2,
        "stands in the document thrice": copies >= 3,
        "known furniture before": known[before],
        "known furniture after": known[after],
        "known furniture in the document": np.log1p(share(at, known) * (shape.last - shape.first + 1)),
        "furniture in the document, share": furniture,
        "paragraphs in the document, share": paragraphs,
        "paragraphs in the document, among them": paragraphs * (at.zone == AMONG),
    }


def share(at: Frame, mask: Mask) -> Floats:
    """The share of its document's lines that a mask covers, for each line."""
    total = reduced(at.shape, mask.astype(np.float64), np.add)
    part: Floats = total / (at.shape.last - at.shape.first + 1)
    return part
