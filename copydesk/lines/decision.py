"""From evidence to a label: every line, weighed with its neighbours.

    decide      label code, evidence name and confidence for each non-blank line

What is sure wins at once, in this order: a profile's rule, another story's headline, repetition at the site, the
document's own headline. For all other lines the evidence is added up in log-odds (`evidence.py`), and a line is
dropped only where the sum is above a bar. The bar is higher where a loss would be worse or furniture is rarer: for
long lines, and in texts that hold next to none. Then the neighbours have their say: a paragraph among kept paragraphs
stays, and so does a line that goes on in the middle of a sentence. Doubt keeps a line. At last the page is looked at as
a whole: what was kept, but stands apart from the article, goes (`apart.py`). (People's corrections come after all this,
in `desk`, and always win.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.labels import DROPPED
from copydesk.lines.apart import apart
from copydesk.lines.evidence import (
    DROPPED_CODES,
    KEPT_CODES,
    Floats,
    Probabilities,
    chance,
    dropped,
    log_odds,
    share,
    weigh,
)
from copydesk.lines.model import Weights, load
from copydesk.lines.patterns import is_post
from copydesk.lines.repetition import SAFE
from copydesk.lines.shape import AMONG, BEFORE, Ints, Mask
from copydesk.lines.structure import CODE, REASONS, UNKNOWN, Frame, after_headline, structure

__all__ = ["Known", "Verdict", "decide"]

Say = Callable[[Mask, "Ints | int", "Ints | int", "float | Floats"], None]

# The bars were set on out-of-fold predictions, as one point for all sets: as low as the article text lost on labelled
# articles (0.1 % of its characters, mostly sentences that whole pages break at links) and headings (3 of 59) allow.
_BAR: Final = 0.2
_BAR_CLEAN: Final = 0.4
"""Added in texts with next to no known furniture and with paragraphs for the most part (see `_clean`)."""
_BAR_SPACED: Final = 1.6
"""Added on top of that where blank lines part the paragraphs: what came out so cleanly was cut out by somebody
before."""
_BAR_LONG: Final = 0.5
"""Added for lines of 150 characters and more that hold or end a sentence."""
_BAR_BROKEN: Final = 0.8
"""Added for lines of 100 characters and more without a stop among paragraphs: sentences that were broken at a link."""
_BAR_BESIDE: Final = 2.0
"""Added for a paragraph beside a kept one."""
_BAR_HEADING: Final = 0.4
"""Added for what the build takes for a section heading."""
_MENU: Final = 3
"""Entries from which a run of them is a menu: two lines may be a site's name and its section."""
_BOX: Final = (4, 20), 1.0
"""Words of a title in a box of links, and what the model says of the box on average, in log-odds of furniture."""
_REPEATED: Final = (3, 150)
"""Copies in one document, and characters, from which a paragraph is an appeal that the page prints again and again."""
_SHORT: Final = 60
"""Characters: a longer line is not dropped where the model alone would keep it."""
_OPENED: Final = 30
"""Characters from which a line without a stop may be a sentence that goes on in the next line."""
_SENTENCE: Final = 60
"""Characters from which it may even where it ends in a comma, or where a link stands between it and the next."""
_SURE: Final = {"profile": 0.98, "repeat": 0.95, "other": 0.9, "structure": 0.7, "doubt": 0.5}


@dataclass(frozen=True, eq=False)
class Known:
    """What the corpus knows of each line."""

    seen: Ints
    """In how many documents of its site it was seen."""
    headed: Mask
    """Whether it is the headline of some document."""
    site: pl.Series
    """Under which site it was counted."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was decided of each of the n non-blank lines."""

    label: Ints
    why: Ints
    """Positions in `reasons`."""
    sure: NDArray[np.float32]
    reasons: list[str]
    """Names of evidence."""


_NO_FIELD: Final = tuple(CODE[label] for label in DROPPED)
"""What a line apart from the article can be: a date or a name there is not the article's."""
_OWN: Final = ("structure:doubt", "structure:menu", "structure:apart", "model", "headline:other")
_DOUBT, _MENUS, _APART, _MODEL, _OTHER = range(len(REASONS), len(REASONS) + len(_OWN))


def decide(
    at: Frame, rules: tuple[str, ...], known: Known, model: Probabilities | None, weights: Weights | None = None
) -> Verdict:
    """Weigh all evidence.

    `rules` are the profiles' evidence ids, `model` the probabilities of LABELS (n, 18) or None; `weights` take the
    place of the shipped ones of the decision.
    """
    weights = load() if weights is None else weights
    label, why = structure(at)
    silent = label == UNKNOWN
    why[silent] = _DOUBT
    sure = np.where(silent, _SURE["doubt"], _SURE["structure"]).astype(np.float32)
    verdict = Verdict(label, why, sure, [*REASONS, *_OWN, *rules])

    def say(mask: Mask, code: Ints | int, reason: Ints | int, confidence: float | Floats) -> None:
        label[mask] = code if isinstance(code, int) else code[mask]
        why[mask] = reason if isinstance(reason, int) else reason[mask]
        verdict.sure[mask] = confidence if isinstance(confidence, float) else confidence[mask]

    if model is not None:
        _ask_model(at, label, model, weights, say)
    say(label == UNKNOWN, CODE["body"], _DOUBT, _SURE["doubt"])
    _ask_corpus(at, verdict, known, say)
    say(at.rule >= 0, at.ruled, at.rule + len(REASONS) + len(_OWN), _SURE["profile"])
    if model is not None:
        far, likely = apart(at.shape, label, model, weights["apart"])
        far &= at.rule < 0
        say(far, _likeliest(model, far, _NO_FIELD), _APART, likely)
    say(_menu(at, label) & (label == CODE["section_label"]), CODE["navigation"], _MENUS, _SURE["structure"])
    return verdict


def _menu(at: Frame, label: Ints) -> Mask:
    """Lines of menus: three or more links and section names without a blank line between them, one a link at least."""
    link = label == CODE["navigation"]
    entry = link | (label == CODE["section_label"])
    before = at.shape.before
    joined = entry[before] & (before != np.arange(len(before))) & (at.shape.gap_before == 0)
    begins = entry & ~joined
    run = np.cumsum(begins) * entry
    long = np.bincount(run, minlength=1) >= _MENU
    linked = np.bincount(run, weights=link, minlength=1) > 0
    return np.asarray(entry & long[run] & linked[run])


def _ask_corpus(at: Frame, verdict: Verdict, known: Known, say: Say) -> None:
    """Drop what other documents of the site hold, and titles of other stories.

    Whole paragraphs are never dropped so.
    """
    title = known.headed & (at.shape.words >= 4) & (at.shape.length <= 200) & ~at.paragraph & ~at.shape.stop
    if title.any():
        title[_own_titles(at, np.flatnonzero(title))] = False
        say(title, CODE["related_link"], _OTHER, _SURE["other"])
    again = (known.seen >= SAFE) & ~at.headline & ~at.paragraph & (at.rule < 0)
    again &= (at.zone != AMONG) | (at.shape.words >= 4)
    # A heading such as "What happens next" comes back in many stories: among paragraphs that alone drops no heading.
    again &= (at.zone != AMONG) | (verdict.label != CODE["heading"])
    again &= ~dropped(verdict.label)
    places = known.site.filter(pl.Series(again)).to_list()
    names = {site: len(verdict.reasons) + number for number, site in enumerate(sorted(set(places)))}
    verdict.reasons.extend(f"repeat:{site}" for site in names)
    reason = np.zeros(len(again), dtype=np.int64)
    reason[again] = [names[site] for site in places]
    say(again, CODE["other_boilerplate"], reason, _SURE["repeat"])


def _own_titles(at: Frame, rows: Ints) -> Ints:
    """Those of `rows` equal to a headline of their own document, or to what a survey took for it."""
    key = at.shape.document * len(at.shape.texts) + at.shape.texts.key_of[at.shape.text_of]
    return rows[np.isin(key[rows], key[at.headline | at.titles.plain])]


def _ask_model(at: Frame, label: Ints, model: Probabilities, weights: Weights, say: Say) -> None:
    """Drop what weighs enough, as what the build or else the model takes it for.

    Name the rest body, heading or deck.
    """
    odds = log_odds(model, at.zone)
    weight = weigh(at, label, model, odds, weights["evidence"])
    likely = chance(weight)
    open_ = ~at.headline & (at.rule < 0)
    drop = (_dropped(at, label, weight, odds) | _box(at, model, odds)) & open_
    # A document of which nothing would stay is one that the model does not understand: doubt keeps it.
    drop &= share(at, open_ & ~drop) > 0
    built = dropped(label)
    unnamed = open_ & ~drop & ((built & ~at.date) | (label == UNKNOWN))
    best = _likeliest(model, drop & ~built, DROPPED_CODES)
    say(drop & ~built, best, _MODEL, likely)
    best = _likeliest(model, unnamed, (*KEPT_CODES, CODE["deck"]))
    best[(best == CODE["deck"]) & (at.zone != BEFORE)] = CODE["body"]
    say(unnamed, best, _MODEL, 1 - likely)


def _box(at: Frame, model: Probabilities, odds: Floats) -> Mask:
    """Titles stuck to one another in a text that parts its paragraphs by blank lines, which the model takes for links.

    A heading stands alone. Of 5 such lines in the labelled articles none is text; of 294 on news pages that lost their
    blank lines, where more stands together, 29.
    """
    shape, index, (fewest, most) = at.shape, np.arange(len(at.shape)), _BOX[0]
    title = ~shape.stop & ~shape.open_end & ~at.paragraph & ~at.joins & (shape.words >= fewest) & (shape.words <= most)
    title &= at.spaced & (at.zone == AMONG)
    title &= _likeliest(model, title, DROPPED_CODES) == CODE["related_link"]
    joined = title & title[shape.before] & (shape.before != index) & (shape.gap_before == 0)
    run = np.cumsum(title & ~joined) * title
    size = np.maximum(np.bincount(run), 1)
    boxed = (size >= 2) & (np.bincount(run, odds * title) / size > _BOX[1])
    return np.asarray(title & boxed[run])


def _likeliest(model: Probabilities, mask: Mask, codes: tuple[int, ...]) -> Ints:
    """Which of some labels the model takes each line of a mask for; UNKNOWN elsewhere."""
    best = np.full(len(mask), UNKNOWN, dtype=np.int64)
    rows = np.flatnonzero(mask)
    best[rows] = np.array(codes)[model[rows][:, codes].argmax(axis=1)]
    return best


def _dropped(at: Frame, label: Ints, weight: Floats, odds: Floats) -> Mask:
    """Which lines weigh more than their bar, after their neighbours have been heard."""
    shape = at.shape
    bar = _BAR + _clean(at) * (_BAR_CLEAN + _BAR_SPACED * at.spaced)
    bar += _BAR_HEADING * (label == CODE["heading"])
    bar += _BAR_LONG * ((shape.length >= 150) & (shape.stop | shape.inner_stop))
    bar += _BAR_BROKEN * ((shape.length >= 100) & ~shape.stop & (at.zone == AMONG))
    post = is_post(shape.texts)[shape.text_of] & (at.zone == AMONG)
    drop = (weight > bar) & ((odds > 0) | (shape.length < _SHORT)) & ~post
    before, after = shape.before, shape.after
    text = at.paragraph & ~drop
    beside = at.paragraph & (at.zone == AMONG)
    drop &= ~(beside & text[before] & text[after])
    drop &= ~(beside & (text[before] | text[after]) & (weight <= bar + _BAR_BESIDE))
    for _ in range(2):
        drop &= ~_pieces(at, drop)
    leads = at.joins[after] & ~at.joins & ~shape.stop & (shape.words >= 5) & after_headline(at)
    appeal = at.paragraph & (shape.copies >= _REPEATED[0]) & (shape.length >= _REPEATED[1])
    return np.asarray((drop & ~(leads & (at.zone == BEFORE))) | at.biography | at.caption | at.player | appeal)


def _pieces(at: Frame, drop: Mask) -> Mask:
    """Lines among paragraphs that are pieces of a sentence which the page breaks at its links, whatever they look like.

    A line that begins in lower case goes on from a kept one without a stop, and what stands between the two is in the
    sentence; so is what follows "the words of". With networks of three seeds, on sites unseen, 3 to 5 lines of
    the labelled articles stay that the model had dropped, all of them text, and 11 of blogs, 7 or 8 of them text.
    """
    shape, before, after = at.shape, at.shape.before, at.shape.after
    flows = ~drop & (at.rule < 0) & ~shape.stop
    long = flows & (shape.length >= _SENTENCE)
    opened = flows & (~shape.open_end & (shape.length >= _OPENED) | at.joins)
    goes_on = at.joins & (opened | long | flows & long[before])[before]
    continued = (at.joins & ~drop & (at.rule < 0))[after] & ~shape.stop
    between = continued & (long | flows & at.joins)[before]
    return np.asarray((at.zone == AMONG) & (goes_on | between | (flows & at.broken)[before] | (continued & at.broken)))


def _clean(at: Frame) -> Mask:
    """Lines of texts in which profiles know hardly a line, and of which a third or more are paragraphs."""
    known = dropped(at.ruled)
    return (share(at, known) < 0.08) & (share(at, at.paragraph) >= 0.3)
