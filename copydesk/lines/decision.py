"""From evidence to a label: every line, weighed with its neighbours.

    decide      label code, evidence and confidence for each non-blank line
    weigh       the log-odds that a line is not article text: structure, neighbourhood and model added up

What is sure wins at once, in this order: a profile's rule, the document's own headline, repetition at the site, another
story's headline. For all other lines the evidence is added up in log-odds, and a line is dropped only where the sum is
above a bar: doubt keeps it. (People's corrections come after all this, and always win.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.labels import LABELS
from copydesk.lines.patterns import runs_on
from copydesk.lines.repetition import SAFE
from copydesk.lines.shape import AFTER, AMONG, BEFORE, Ints, Mask, neighbours
from copydesk.lines.structure import CODE, UNKNOWN, Frame, spaced, structure

__all__ = ["DROPPED_CODES", "EVIDENCE", "Verdict", "decide", "evidence", "weigh"]

Floats = NDArray[np.float64]
Probabilities = NDArray[np.float32]
Say = Callable[[Mask, "Ints | int", "NDArray[np.object_] | str", "float | Floats"], None]

KEPT_CODES: Final = (CODE["body"], CODE["heading"])
NEUTRAL_CODES: Final = (CODE["headline"], CODE["deck"], CODE["dateline"])
DROPPED_CODES: Final = tuple(
    code for label, code in CODE.items() if code not in (*KEPT_CODES, *NEUTRAL_CODES) and label != "blank"
)

EVIDENCE: Final = (
    "always",
    "model",
    "model, in a paragraph",
    "model, in a page full of furniture",
    "paragraph",
    "long paragraph",
    "among paragraphs",
    "after the paragraphs",
    "furniture in the document, share",
    "furniture in the document, lines",
    "furniture by build",
    "heading by build",
    "ends like a sentence",
    "runs on at its end",
    "goes on from the line before",
    "one to three words",
    "four to eight words",
    "stuck to the line before, in a spaced text",
    "spaced text",
    "known furniture before",
    "known furniture after",
    "date",
    "name",
    "model: heading",
    "model: byline",
)
_WEIGHTS: Final = (
    (1.22, 0.94, -0.16, 0.12, -0.3, -0.08, -0.81, -1.21, -0.41, 0.25, 0.59, -0.24, -0.33, -0.36, -0.13, -0.42, -0.61, -0.22)
    + (-0.96, 0.33, 0.0, 0.82, 0.14, -0.86, -0.67)
)  # fmt: skip

_BAR: Final = 1.0
_SURE: Final = {"profile": 0.98, "repeat": 0.95, "other": 0.9, "structure": 0.7, "doubt": 0.5}


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was decided of each of the n non-blank lines."""

    label: Ints
    why: NDArray[np.object_]
    sure: NDArray[np.float32]


def decide(
    at: Frame, rules: tuple[str, ...], seen: Ints, headed: Mask, site: NDArray[np.object_], model: Probabilities | None
) -> Verdict:
    """Weigh all evidence. `rules` are the profiles' evidence ids, `seen` and `headed` what the corpus knows of each line,
    `site` under what it was counted, `model` the probabilities of LABELS (n, 18), or None for rules alone.
    """
    label, why = structure(at)
    sure = np.where(label == UNKNOWN, _SURE["doubt"], _SURE["structure"]).astype(np.float32)
    why[label == UNKNOWN] = "structure:doubt"

    def say(mask: Mask, code: Ints | int, reason: NDArray[np.object_] | str, confidence: float | Floats) -> None:
        label[mask] = code if isinstance(code, int) else code[mask]
        why[mask] = reason if isinstance(reason, str) else reason[mask]
        sure[mask] = confidence if isinstance(confidence, float) else confidence[mask]

    if model is not None:
        _ask_model(at, label, model, say)
    say(label == UNKNOWN, CODE["body"], "structure:doubt", _SURE["doubt"])
    title = (at.shape.words >= 4) & (at.shape.length <= 200) & ~at.paragraph & ~at.shape.stop
    say(title & headed & ~_own_title(at), CODE["related_link"], "headline:other", _SURE["other"])
    again = (seen >= SAFE) & ~at.headline & ~at.paragraph & ((at.zone != AMONG) | (at.shape.words >= 4))
    named = np.char.add("repeat:", site.astype(str)).astype(object)
    say(again & ~np.isin(label, DROPPED_CODES), CODE["other_boilerplate"], named, _SURE["repeat"])
    table = np.array([*rules, ""], dtype=object)
    say(at.rule >= 0, at.ruled, table[at.rule], _SURE["profile"])
    return Verdict(label, why, sure)


def _own_title(at: Frame) -> Mask:
    """Lines equal to a headline of their own document, wherever they stand."""
    titles = pl.DataFrame({"doc": at.shape.doc, "key": at.shape.key}).filter(pl.Series(at.headline))
    asked = pl.DataFrame({"doc": at.shape.doc, "key": at.shape.key})
    found = asked.join(
        titles.unique().with_columns(own=pl.lit(value=True)), on=["doc", "key"], how="left", maintain_order="left"
    )
    return found["own"].fill_null(value=False).to_numpy()


def _ask_model(at: Frame, label: Ints, model: Probabilities, say: Say) -> None:
    """Drop what weighs enough as the furniture that model or build take it for; name the rest body, heading or deck."""
    weight = weigh(at, label, model)
    chance = 1 / (1 + np.exp(-weight))
    dropped = np.array(DROPPED_CODES)
    built = np.isin(label, DROPPED_CODES)
    named = np.where(built, label, dropped[model[:, dropped].argmax(axis=1)])
    drop = (weight > _BAR) & ~at.headline
    say(drop & ~built, named, "model", chance)
    keep = (weight <= _BAR) & (built | (label == UNKNOWN)) & ~at.headline
    kept = np.array((*KEPT_CODES, CODE["deck"]))
    best = kept[model[:, kept].argmax(axis=1)]
    best = np.where((best == CODE["deck"]) & (at.zone != BEFORE), CODE["body"], best)
    say(keep & ~(built & at.date), best, "model", 1 - chance)


def weigh(at: Frame, label: Ints, model: Probabilities) -> Floats:
    """Log-odds that each line is not article text; `label` is what the build says (codes, UNKNOWN)."""
    total: Floats = evidence(at, label, model) @ np.array(_WEIGHTS)
    return total


def log_odds(model: Probabilities) -> Floats:
    """What the model alone says, in log-odds of furniture against text; headline, deck and dateline count half as text."""
    drop = model[:, list(DROPPED_CODES)].sum(axis=1).astype(np.float64)
    keep = model[:, list(KEPT_CODES)].sum(axis=1) + 0.5 * model[:, list(NEUTRAL_CODES)].sum(axis=1)
    share = np.clip(drop / (drop + keep + 1e-9), 1e-3, 1 - 1e-3)
    odds: Floats = np.log(share / (1 - share))
    return odds


def evidence(at: Frame, label: Ints, model: Probabilities) -> Floats:
    """One row of EVIDENCE per line."""
    shape = at.shape
    before, after = neighbours(shape, -1), neighbours(shape, 1)
    odds = log_odds(model)
    known = np.isin(at.ruled, DROPPED_CODES)
    dirt = _share(at, odds > 0)
    columns = [
        np.ones(len(shape)),
        odds,
        odds * at.paragraph,
        odds * dirt,
        at.paragraph,
        (shape.length >= 200) & shape.stop,
        at.zone == AMONG,
        at.zone == AFTER,
        dirt,
        np.log1p(_share(at, known) * _lines(at)),
        np.isin(label, DROPPED_CODES),
        label == CODE["heading"],
        shape.stop,
        shape.open_end,
        runs_on(shape) & (at.zone == AMONG) & ~shape.stop[before],
        shape.words <= 3,
        (shape.words > 3) & (shape.words <= 8),
        spaced(at) & (shape.gap_before == 0) & (shape.gap_after != 0),
        spaced(at),
        known[before],
        known[after],
        at.date,
        at.name,
        model[:, CODE["heading"]],
        model[:, CODE["byline"]],
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _lines(at: Frame) -> Floats:
    return (at.shape.last - at.shape.first + 1).astype(np.float64)


def _share(at: Frame, mask: Mask) -> Floats:
    """The share of each line's document that the mask covers."""
    if not len(mask):
        return np.zeros(0)
    starts, inverse = np.unique(at.shape.first, return_inverse=True)
    share: Floats = (np.add.reduceat(mask.astype(np.float64), starts))[inverse] / _lines(at)
    return share
