"""What the build of a document says about its lines.

    Frame       where things stand: paragraphs, zones, dates, names, what the profiles named
    frame       Shape and profile matches -> Frame
    structure   Frame -> a label and a reason per line, where the build tells one

A news text has an order: section, headline, deck, byline and date (in any order), dateline, paragraphs with headings
between them, then tags and furniture. Each reader below knows one part of that order and works on masks over all
lines of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.labels import LABELS
from copydesk.lines.headlines import Place, Titles, choose
from copydesk.lines.model import Weights
from copydesk.lines.patterns import breaks_off, is_biography, is_date, is_long_caption, is_name, runs_on
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import AMONG, BEFORE, Ints, Mask, Shape, paragraphs, reduced, zones

__all__ = ["CODE", "REASONS", "UNKNOWN", "Frame", "after_headline", "frame", "run_after", "structure"]

CODE: Final = {label: code for code, label in enumerate(LABELS)}
UNKNOWN: Final = -1

_FURNITURE: Final = [
    CODE[label] for label in LABELS if label not in ("body", "heading", "headline", "deck", "dateline", "blank")
]

HEADING_LENGTH: Final = 120
"""Characters; the longest labelled section heading has 104."""
DECK_LENGTH: Final = 320
"""Characters; labelled decks reach 250, agencies' summaries a little more."""
_TAG_WORDS: Final = 12


@dataclass(frozen=True, eq=False)
class Frame:
    """Where things stand in the n non-blank lines of a batch."""

    shape: Shape
    rule: Ints
    """Profile rule of each line, or -1."""
    ruled: Ints
    """Label code that the profile rule gives, or UNKNOWN."""
    paragraph: Mask
    zone: NDArray[np.uint8]
    date: Mask
    name: Mask
    joins: Mask
    """Begins in lower case, as what goes on from the line before does."""
    broken: Mask
    """Ends in a word that no sentence ends in."""
    titles: Titles
    biography: Mask
    caption: Mask
    """Long captions."""

    @cached_property
    def spaced(self) -> Mask:
        """Lines of documents whose paragraphs are parted by blank lines."""
        gapped = reduced(self.shape, (self.paragraph & (self.shape.gap_before > 0)).astype(np.int64), np.add)
        total = reduced(self.shape, self.paragraph.astype(np.int64), np.add)
        return np.asarray((2 * gapped >= total) & (total > 1))

    @cached_property
    def player(self) -> Mask:
        """Below the text's beginning, what stands both before and after a line of known furniture: a video's title.

        Of 18 such lines in the labelled sets none is text.
        """
        shape, found = self.shape, np.zeros(len(self.shape), dtype=bool)
        key = shape.texts.key_of[shape.text_of]
        button = np.flatnonzero(np.isin(self.ruled, _FURNITURE) & (self.zone != BEFORE))
        above, below = shape.before[button], shape.after[button]
        same = (key[above] == key[below]) & (above < button) & (below > button)
        found[above[same]] = found[below[same]] = True
        return np.asarray(found & (self.rule < 0) & ~self.paragraph & (shape.words >= 3) & (self.zone != BEFORE))

    @property
    def headline(self) -> Mask:
        """The article's own headline and its copies."""
        return self.titles.headline


def frame(
    shape: Shape,
    site: pl.Series,
    profiles: Profiles,
    model: NDArray[np.float32] | None = None,
    weights: Weights | None = None,
) -> Frame:
    """Find the paragraphs, zones, dates, names and headline; `site` is the site of each line's document.

    `weights` take the place of the shipped ones for the headline.
    """
    labels = np.array([CODE[rule.label] for rule in profiles.rules] + [UNKNOWN], dtype=np.int64)
    matches, texts, of = profiles.match(shape, site), shape.texts, shape.text_of
    rule, date, joins = matches.anywhere(), is_date(texts)[of], runs_on(texts)[of]
    paragraph = paragraphs(shape, (rule >= 0) | date)
    zone = zones(shape, paragraph)
    local = matches.within(zone)
    rule = np.where(local >= 0, local, rule)
    rule[(shape.words == 1) & (zone == AMONG) & joins] = -1  # a word of a sentence that was broken at a link
    ruled = labels[rule]
    name = is_name(texts)[of]
    titles = choose(Place(shape, paragraph, zone), ruled, date, name, model, weights)
    caption = is_long_caption(texts)[of]
    biography, broken = is_biography(shape), breaks_off(texts)[of]
    return Frame(shape, rule, ruled, paragraph, zone, date, name, joins, broken, titles, biography, caption)


def structure(at: Frame, last: str = "") -> tuple[Ints, Ints]:
    """Label codes (UNKNOWN where the build is silent) and positions in REASONS, one of each per line.

    Lines are read for the parts of `_READERS` down to the `last`, else for all.
    """
    label = np.full(len(at.shape), UNKNOWN, dtype=np.int64)
    why = np.zeros(len(at.shape), dtype=np.int64)
    for number, (name, what, read) in enumerate(_READERS, 1):
        fresh = read(at) & (label == UNKNOWN)
        label[fresh] = CODE[what]
        why[fresh] = number
        if name == last:
            break
    return label, why


def _bylines(at: Frame) -> Mask:
    """A name beside a date, a byline cue or the headline, outside the paragraphs."""
    before, after = at.shape.before, at.shape.after
    cue = at.date | (at.ruled == CODE["byline"])
    beside = cue[before] | cue[after]
    return np.asarray(at.name & beside & (at.zone == BEFORE) & ~at.headline & after_headline(at))


def after_headline(at: Frame) -> Mask:
    """Lines after the first copy of the document's headline."""
    before: Ints = np.cumsum(at.headline) - at.headline
    return np.asarray((before > before[at.shape.first]) & ~at.headline)


def _sections(at: Frame) -> Mask:
    """One to four capitalised words between headline and date line."""
    after = at.shape.after
    small = (at.shape.words <= 4) & (at.shape.length <= 40) & ~at.shape.stop & ~at.name
    return np.asarray(small & at.date[after] & ~at.date & after_headline(at) & (at.zone == BEFORE))


def _tags(at: Frame) -> Mask:
    """Short lines in a run that a tag heading opens, after the paragraphs."""
    small = (
        (at.shape.words <= _TAG_WORDS)
        & ~at.shape.stop
        & ~at.paragraph
        & ((at.ruled == UNKNOWN) | (at.ruled == CODE["tags"]))
    )
    return run_after(at, (at.ruled == CODE["tags"]) & (at.shape.words <= 3), small & (at.zone != BEFORE))


def _linked(at: Frame) -> Mask:
    """Title-like lines stuck to the heading of a link box, in texts that part their paragraphs by blank lines."""
    opener = at.ruled == CODE["related_link"]
    title = (
        (at.shape.words >= 4)
        & (at.shape.length <= 200)
        & ~at.shape.stop
        & ~at.paragraph
        & (at.ruled == UNKNOWN)
        & ~at.headline
    )
    tight = (at.shape.gap_before == 0) & at.spaced
    return run_after(at, opener, title & tight)


def run_after(at: Frame, opener: Mask, member: Mask) -> Mask:
    """Lines of unbroken runs of members that begin right after an opener in the same document."""
    before = at.shape.before
    index = np.arange(len(at.shape))
    starts = member & ~opener & opener[before] & (before != index)
    follows = member & ~opener
    last_break = (
        np.maximum.accumulate(np.where(~follows | (at.shape.first == index), index, -1)) if len(index) else index
    )
    last_start = np.maximum.accumulate(np.where(starts, index, -1)) if len(index) else index
    return follows & (last_start >= 0) & (last_start >= last_break)


def _decks(at: Frame) -> Mask:
    """The one line between headline and text that no dateline opens; without a full stop, or before byline or date."""
    before, after = at.shape.before, at.shape.after
    below = after_headline(at) | (at.ruled[before] == CODE["deck"])
    upper = (at.zone == BEFORE) & below & (at.ruled == UNKNOWN) & ~at.date & ~at.name
    sized = (at.shape.length >= 20) & (at.shape.length <= DECK_LENGTH) & ~at.joins
    near = at.headline[before] | at.date[before] | (at.ruled[before] >= 0)
    ahead = (
        at.paragraph[after]
        | at.date[after]
        | (at.ruled[after] == CODE["byline"])
        | (at.ruled[after] == CODE["caption"])
    )
    return np.asarray(upper & sized & near & ahead & ~at.shape.open_end)


def _headings(at: Frame) -> Mask:
    """Short lines between paragraphs that end like titles and have text after them."""
    after = at.shape.after
    short = (at.shape.length <= HEADING_LENGTH) & ~at.shape.open_end & ~at.joins & (at.shape.words <= 16)
    stop = at.shape.stop & ~at.shape.asks
    return np.asarray(short & ~stop & (at.zone == AMONG) & at.paragraph[after] & (at.ruled == UNKNOWN) & ~at.date)


_READERS: Final[tuple[tuple[str, str, Callable[[Frame], Mask]], ...]] = (
    ("headline", "headline", lambda at: at.headline),
    ("date", "date_line", lambda at: at.date & (at.zone != AMONG)),
    ("byline", "byline", _bylines),
    ("biography", "byline", lambda at: at.biography),
    ("caption", "caption", lambda at: at.caption),
    ("section", "section_label", _sections),
    ("player", "related_link", lambda at: at.player),
    ("tag-footer", "tags", _tags),
    ("link-box", "related_link", _linked),
    ("deck", "deck", _decks),
    ("paragraph", "body", lambda at: at.paragraph),
    ("heading", "heading", _headings),
)
"""Name, label and lines of each part of a text, the surer ones first."""
REASONS: Final = ("", *(f"structure:{name}" for name, _, _ in _READERS))
