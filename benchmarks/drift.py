"""Drift: how often it is reported where there is none, and how soon where there is, on generated histories.

python benchmarks/drift.py [HISTORIES]

Each history is a source's: an archive first, then 20 steps as its kind has them, then a step in which the site has
changed its pages. A false report is one in the 20; a step is caught where the change is reported in that step or in one
of the two after it, since a source of few documents is judged on several steps' together.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from copydesk.drift import Step, judge
from copydesk.release.figures import STEPS, Figures

Chance = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """A kind of source: documents a step, and what they are like."""

    name: str
    daily: float
    archive: int = 400
    dropped: float = 0.4
    spread: float = 0.1
    desks: float = 0.0
    """How much the mean share of dropped lines differs between steps (a day's desk, its sections)."""
    words: float = 350.0
    words_spread: float = 0.6
    words_desks: float = 0.0
    french: float = 0.0
    """Share of documents in the second language; `turns`: it comes by whole steps."""
    turns: bool = False
    undated: float = 0.02
    old_dropped: float | None = None
    """The archive's share of dropped lines, where it had other pages."""
    weekends: bool = False


KINDS: Final = (
    Kind("a daily of 40", 40),
    Kind("a daily of 400", 400, 4000),
    Kind("a weekly of 5", 5, 100),
    Kind("pages all alike", 40, spread=0.005, undated=0.0),
    Kind("long and short", 40, words_spread=1.3, spread=0.25),
    Kind("desks that take turns", 40, desks=0.08, words_desks=0.3),
    Kind("two languages", 40, french=0.3),
    Kind("two languages by turns", 40, french=0.3, turns=True),
    Kind("an archive of other pages", 40, old_dropped=0.3),
    Kind("quiet weekends", 60, weekends=True, desks=0.04),
    Kind("half undated", 30, undated=0.5),
)


def documents(kind: Kind, chance: Chance, number: int, share: float, words: float, french: float) -> Figures:
    """The figures of so many documents of a source."""
    lines = chance.integers(8, 60, number)
    rate = np.clip(chance.normal(share, kind.spread, number), 0, 1)
    dropped = np.minimum(chance.binomial(lines, rate), lines)
    thousandths = (dropped * 1000 + lines // 2) // lines
    length = np.searchsorted(STEPS, chance.lognormal(np.log(words), kind.words_spread, number), side="right")
    other = int(chance.binomial(number, french))
    return Figures(
        documents=number,
        lines=int(lines.sum()),
        dropped=int(dropped.sum()),
        share=int(thousandths.sum()),
        share_squares=int((thousandths**2).sum()),
        length=int(length.sum()),
        length_squares=int((length**2).sum()),
        undated=int(chance.binomial(number, kind.undated)),
        languages={"en": number - other, "fr": other},
    )


def step(kind: Kind, chance: Chance, number: int, *, archive: bool = False) -> Figures:
    """One step's documents: the archive, or a day's."""
    count = kind.archive if archive else int(chance.poisson(kind.daily))
    if kind.weekends and not archive and number % 7 in {5, 6}:
        count = int(chance.poisson(3))
    share = kind.old_dropped if archive and kind.old_dropped is not None else kind.dropped
    if not archive:
        share += chance.normal(0, kind.desks)
    words = kind.words * np.exp(chance.normal(0, kind.words_desks))
    french = kind.french if not kind.turns or archive else float(chance.random() < kind.french)
    return documents(kind, chance, count, share, words, french)


CHANGES: Final[dict[str, Callable[[Kind], Kind]]] = {
    "furniture unknown: dropped x 1/4": lambda kind: replace(kind, dropped=kind.dropped / 4),
    "dropped - 15 points": lambda kind: replace(kind, dropped=kind.dropped - 0.15),
    "dropped + 30 points": lambda kind: replace(kind, dropped=kind.dropped + 0.3),
    "texts x 1/3": lambda kind: replace(kind, words=kind.words / 3),
    "another language": lambda kind: replace(kind, french=1 - kind.french, turns=False),
    "no dates": lambda kind: replace(kind, undated=1.0),
    "ten times as many": lambda kind: replace(kind, daily=kind.daily * 10, weekends=False),
    "a twentieth": lambda kind: replace(kind, daily=kind.daily / 20),
}


def history(kind: Kind, seed: int) -> tuple[Counter[str], list[Step], Figures, Chance]:
    """Twenty steps: what was falsely reported in them, and where they lead."""
    chance = np.random.default_rng(seed)
    past = [Step({"s": step(kind, chance, 0, archive=True)}, comparable=False)]
    whole = past[0].added["s"]
    false: Counter[str] = Counter()
    for number in range(20):
        now = step(kind, chance, number)
        whole += now
        false.update(found.measure for found in judge({"s": now}, {"s": whole}, past))
        past.append(Step({"s": now}, comparable=True))
    return false, past, whole, chance


def caught(kind: Kind, change: Callable[[Kind], Kind], seed: int) -> int | None:
    """The step after the change (0, 1 or 2) in which it is reported; None where it is not."""
    _, past, whole, chance = history(kind, seed)
    changed = change(kind)
    for late in range(3):
        now = step(changed, chance, late)
        whole += now
        if judge({"s": now}, {"s": whole}, past):
            return late
        past.append(Step({"s": now}, comparable=True))
    return None


def main() -> None:
    """Print both tables."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"false reports in {number} histories of 20 steps")
    for kind in KINDS:
        false = [history(kind, seed)[0] for seed in range(number)]
        total: Counter[str] = sum(false, Counter())
        print(f"  {kind.name:28} {sum(map(bool, false)):4} histories  {dict(total) or ''}")
    print(f"\nchanges reported at once / within three steps, of {number // 4} histories")
    for name, change in CHANGES.items():
        print(f"  {name}")
        for kind in KINDS:
            late = [caught(kind, change, 10_000 + seed) for seed in range(number // 4)]
            print(f"    {kind.name:28} {late.count(0):4} / {sum(one is not None for one in late)}")


if __name__ == "__main__":
    main()
