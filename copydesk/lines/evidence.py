"""Everything that speaks for or against a line, as numbers that can be added up.

    EVIDENCE    the names of the terms, with the weight of each in log-odds
    evidence    one row of terms per line (to fit the weights);  weigh    the weighted sum of them
    log_odds    what the model alone says

The weights are a logistic regression over the labelled articles and the line benchmark, where the model's part comes
from models that had not seen the site; lines that a profile names, and headlines, took no part. Positive speaks for
furniture.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.lines.shape import AFTER, AMONG, BEFORE, Ints, Mask, reduced
from copydesk.lines.structure import CODE, Frame, run_after

__all__ = ["DROPPED_CODES", "EVIDENCE", "KEPT_CODES", "dropped", "evidence", "log_odds", "share", "weigh"]

Floats = NDArray[np.float64]
Probabilities = NDArray[np.float32]

KEPT_CODES: Final = (CODE["body"], CODE["heading"])
NEUTRAL_CODES: Final = (CODE["headline"], CODE["deck"], CODE["dateline"])
DROPPED_CODES: Final = tuple(
    code for label, code in CODE.items() if code not in {*KEPT_CODES, *NEUTRAL_CODES} and label != "blank"
)

EVIDENCE: Final = {
    "always": -0.37,
    "model": 0.59,
    "model, in a paragraph": -0.01,
    "model, in a page full of furniture": 0.14,
    "model: heading": -1.01,
    "model: byline": 0.09,
    "model: caption": -1.10,
    "model: related link": -0.15,
    "model: headline": 2.11,
    "paragraph": -0.22,
    "long paragraph": -0.19,
    "long, without a stop, among paragraphs": 0.69,
    "ends like a sentence": -0.05,
    "runs on at its end": -0.57,
    "goes on from the line before": -0.22,
    "one to three words": -0.14,
    "four to eight words": -0.30,
    "date": 0.72,
    "name": 0.15,
    "biography": 0.59,
    "furniture by build": 1.10,
    "heading by build": -0.36,
    "under a link heading": 1.02,
    "before the paragraphs": -0.01,
    "among paragraphs": -0.48,
    "after the paragraphs": 0.12,
    "after the paragraphs, how far": -0.14,
    "above the headline": 0.54,
    "above the headline, how much is": 0.52,
    "in a run of short lines, how long": 0.18,
    "stands in the document twice": 0.82,
    "stands in the document thrice": 0.53,
    "known furniture before": 0.14,
    "known furniture after": 0.07,
    "known furniture in the document": 0.18,
    "furniture in the document, share": 0.52,
    "paragraphs in the document, share": 0.49,
    "paragraphs in the document, among them": 0.33,
    "stuck to the line before, in a spaced text": -0.21,
    "spaced text": -1.42,
}


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


def log_odds(model: Probabilities) -> Floats:
    """What the model alone says, in log-odds of furniture against text.

    Headline, deck and dateline count half as text.
    """
    drop = (model @ _SHARE_OF[0]).astype(np.float64)
    keep = model @ _SHARE_OF[1]
    part = np.clip(drop / (drop + keep + 1e-9), 1e-3, 1 - 1e-3)
    odds: Floats = np.log(part / (1 - part))
    return odds


def evidence(at: Frame, label: Ints, model: Probabilities) -> Floats:
    """One row of terms per line, in the order of EVIDENCE; `label` is what the build says of each line."""
    terms = _terms(at, label, model)
    return np.column_stack([np.asarray(terms[name], dtype=np.float64) for name in EVIDENCE])


def weigh(at: Frame, label: Ints, model: Probabilities) -> Floats:
    """The weight of all terms together, for each line: above 0 it is rather furniture."""
    terms = _terms(at, label, model)
    weight = np.zeros(len(at.shape))
    for name, value in EVIDENCE.items():
        weight += value * terms[name].astype(np.float64)
    return weight


def _terms(at: Frame, label: Ints, model: Probabilities) -> Terms:
    odds = log_odds(model)
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
