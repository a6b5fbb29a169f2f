"""From evidence to a label: every line, weighed with its neighbours.

    decide      label code, evidence and confidence for each non-blank line

In this order, and the first that is sure enough wins: a person's correction, a profile's rule, repetition in the site,
somebody else's headline, the build of the document, the model. A line is dropped only on enough evidence: doubt keeps it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.labels import LABELS
from copydesk.lines.shape import AMONG, Ints, Mask
from copydesk.lines.structure import CODE, UNKNOWN, Frame, structure

__all__ = ["Verdict", "decide"]

Verdict = tuple[Ints, NDArray[np.object_], NDArray[np.float32]]

_CONFIDENCE: Final = {"profile": 0.98, "repeat": 0.95, "other": 0.9, "structure": 0.7, "doubt": 0.5}


def decide(at: Frame, rules: tuple[str, ...], seen: Ints, headed: Mask, site: NDArray[np.object_], safe: int) -> Verdict:
    """Weigh all evidence; `rules` are the profiles' evidence ids, `seen` and `headed` what the corpus knows."""
    label, why = structure(at)
    doubt = label == UNKNOWN
    sure = np.where(doubt, _CONFIDENCE["doubt"], _CONFIDENCE["structure"]).astype(np.float32)
    why[doubt] = "structure:doubt"
    label[doubt] = CODE["body"]

    def say(mask: Mask, code: Ints | int, evidence: NDArray[np.object_] | str, confidence: float) -> None:
        label[mask] = code if isinstance(code, int) else code[mask]
        why[mask] = evidence if isinstance(evidence, str) else evidence[mask]
        sure[mask] = confidence

    title = (at.shape.words >= 4) & (at.shape.length <= 200) & ~at.paragraph & ~at.headline
    say(title & headed & ~at.shape.stop, CODE["related_link"], "headline:other", _CONFIDENCE["other"])
    repeated = (seen >= safe) & ~at.headline & ~at.paragraph & ((at.zone != AMONG) | (at.shape.words >= 4))
    named = np.char.add("repeat:", site.astype(str)).astype(object)
    say(repeated & ~np.isin(label, _FURNITURE), CODE["other_boilerplate"], named, _CONFIDENCE["repeat"])
    table = np.array([*rules, ""], dtype=object)
    say(at.rule >= 0, at.ruled, table[at.rule], _CONFIDENCE["profile"])
    return label, why, sure


_FURNITURE: Final = [CODE[name] for name in LABELS if name not in ("body", "heading", "headline", "deck", "dateline", "blank")]
