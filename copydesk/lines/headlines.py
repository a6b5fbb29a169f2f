"""Which line is the article's own headline.

    choose      the headline of each document and its copies, as masks over the lines
    candidates, features, said    the lines that are weighed, and what is weighed

Above the text stand menus, section names, the headline, its copies, deck, byline and date, and pages put a search
hint or a cookie note of paragraph size among them. So every line down to the third paragraph is a candidate, and each
is scored by what surrounds it: the title's words come back in the story, dates and names follow it, pages print it
twice or inside a longer page title, it is neither a word nor a paragraph. The best of a document is its headline if
it is good enough.

The weights are a logistic regression on the candidates of the labelled articles, line benchmark and metadata records,
one without and one with what the line model says of them (see `copydesk.lines.fitting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains, kept
from copydesk.labels import LABELS
from copydesk.lines.model import Weights, load
from copydesk.lines.shape import BEFORE, Ints, Mask, Shape, neighbours, recall, reduced

__all__ = ["MODEL_TERMS", "TERMS", "Place", "Titles", "candidates", "choose", "features", "said"]

_LENGTHS: Final = (6, 260)
"""Characters of a headline; labelled ones have 7 to 230."""
_OPENING: Final = 40
"""Lines above the first paragraph that are looked at: longer heads are menus."""
_PARAGRAPHS: Final = 2
"""Paragraphs that may stand above a headline."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Place:
    """Where lines stand: their measures, which are paragraphs, and their zones."""

    shape: Shape
    paragraph: Mask
    zone: NDArray[np.uint8]

    @cached_property
    def before(self) -> Ints:
        """How many paragraphs stand before each line in its document."""
        above: Ints = np.cumsum(self.paragraph) - self.paragraph
        return above - above[self.shape.first]


def candidates(place: Place, ruled: Ints, date: Mask) -> Ints:
    """Indices of the lines that could be a headline."""
    shape, paragraph = place.shape, place.paragraph
    low, high = _LENGTHS
    fit = (shape.length >= low) & (shape.length <= high) & (ruled < 0) & ~date & ~paragraph
    fit &= (~shape.stop | (place.before == 0)) & (shape.last > shape.first)
    return np.flatnonzero(fit & _near_text(place) & ~_after_deck(shape, ruled))


def _after_deck(shape: Shape, ruled: Ints) -> Mask:
    """Lines below one that a profile knows for a deck: the headline would stand above it."""
    deck = ruled == LABELS.index("deck")
    seen = np.cumsum(deck) - deck
    return np.asarray(seen > seen[shape.first]) if len(seen) else deck


def _near_text(place: Place) -> Mask:
    """Lines above the third paragraph and at most _OPENING above the first; without one the first _OPENING lines."""
    shape, paragraph = place.shape, place.paragraph
    index = np.arange(len(shape))
    if not len(index):
        return index > 0
    above = place.before
    text = reduced(shape, np.where(paragraph, index, len(shape)), np.minimum)
    near = np.where(text < len(shape), text - index <= _OPENING, index - shape.first < _OPENING)
    return (above <= _PARAGRAPHS) & near


TERMS: Final = (
    "always", "length up to 60", "length over 100", "one word", "two words", "three words", "ends like a sentence",
    "runs on at its end", "a name", "a date follows", "a date follows the next line", "a byline follows",
    "a byline follows the next line", "stands below date or byline", "opens the text", "opens a text without a menu",
    "the only candidate", "told again in the text", "printed twice", "part of a longer candidate",
    "holds a shorter candidate", "has a bar or arrow", "below one paragraph", "below more", "above a paragraph",
    "above a longer line", "below known furniture", "below a longer line", "a year or a time",
    "begins in lower case", "how far down",
)  # fmt: skip
"""What speaks for and against a line as the headline; the weights are `headline_plain` in the model's file."""
MODEL_TERMS: Final = (*TERMS, "model: headline", "model: link, menu or section", "model: deck", "model: text")
"""The same where a model has read the lines; the weights are `headline_model`."""


def features(place: Place, ruled: Ints, date: Mask, name: Mask, rows: Ints) -> Floats:
    """One row of TERMS per candidate."""
    shape, paragraph = place.shape, place.paragraph
    back, on, on2 = (step[rows] for step in (shape.before, shape.after, neighbours(shape, 2)))
    length, words = shape.length[rows], shape.words[rows]
    above = place.before[rows]
    text = shape.text.gather(rows)
    asks = shape.asks[rows]
    alone = np.bincount(shape.doc[rows])[shape.doc[rows]] == 1
    near = np.flatnonzero(paragraph & (place.before < _TOLD))
    (told,) = recall(shape, "told", (rows, near), lambda: (_told_again(shape, rows, near),))
    inside, holds = recall(shape, "printed", (rows,), lambda: _printed_again(shape, rows))
    few = np.bincount(shape.doc[rows])[shape.doc[rows]] <= _COMPACT
    opens = _opens(shape, ruled, date)[rows]
    byline = name | (ruled == _BYLINE)
    columns = [
        np.ones(len(rows)),
        np.minimum(length, 60) / 60,
        np.maximum(length - 100, 0) / 100,
        words == 1,
        words == 2,
        words == 3,
        shape.stop[rows] & ~asks,
        shape.open_end[rows],
        name[rows],
        date[on],
        date[on2] & ~date[on],
        byline[on] & (on != rows),
        byline[on2] & (on2 != rows),
        date[back] | byline[back],
        opens,
        opens & few,
        alone,
        np.minimum(told, 0.6),
        shape.copies[rows] > 1,
        inside,
        holds,
        contains(text, "[|»>›/]"),
        above == 1,
        above >= 2,
        paragraph[on],
        (shape.length[on] > 1.3 * length) & ~paragraph[on] & (shape.length[on] > 50),
        (ruled[back] >= 0) & (back != rows),
        (shape.length[back] > length) & (back != rows) & ~paragraph[back] & (ruled[back] < 0),
        contains(text, "[0-9]{4}|[0-9][.:][0-9]{2}"),
        contains(text, "^[^A-ZÀ-ÞА-Я0-9\"'„“«‘¿¡(\\[#$€]") & ~contains(text, "^[^a-zà-ÿа-я]*$"),
        np.log1p(rows - shape.first[rows]),
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


_TOLD: Final = 4
_OPENS: Final = 400
"""Paragraphs, and characters of each, in which a title's words are looked for: the news is told at the top."""
_COMPACT: Final = 4
"""Candidates up to which a document has no menu above its text, so that its first line is likely the headline."""
_BYLINE: Final = 5


def _opens(shape: Shape, ruled: Ints, date: Mask) -> Mask:
    """The first line of each document that is neither known furniture nor a date."""
    index = np.arange(len(shape))
    first = reduced(shape, np.where((ruled < 0) & ~date, index, len(shape)), np.minimum)
    return np.asarray(index == first)


_PARTED: Final = "[|»>›/·–—:-]"
"""What parts a headline from the site's name in a page title."""


def _printed_again(shape: Shape, rows: Ints) -> tuple[Mask, Mask]:
    """Whether a line is part of a longer candidate, or has a shorter one in it."""
    mine = pl.DataFrame({"row": rows, "doc": shape.doc[rows], "key": shape.key.gather(rows)})
    mine = mine.with_columns(size=pl.col("key").str.len_bytes()).filter(pl.col("size") >= 12)
    longer = mine.filter(pl.col("key").str.contains(_PARTED)).rename({"row": "other", "key": "longer", "size": "whole"})
    pairs = mine.join(longer, on="doc").filter(pl.col("size") < pl.col("whole"))
    pairs = pairs.filter(pl.col("longer").str.contains(pl.col("key"), literal=True))
    inside, holds = (np.isin(rows, pairs[name].unique().to_numpy()) for name in ("row", "other"))
    return inside, holds


def _told_again(shape: Shape, rows: Ints, near: Ints) -> Floats:
    """Share of a line's longer words that the document's first paragraphs, `near`, hold."""
    text = pl.DataFrame({"doc": shape.doc[near], "told": shape.text.gather(near).str.head(_OPENS)})
    text = text.group_by("doc", maintain_order=True).agg(pl.col("told").str.join(" ").str.to_lowercase())
    words = _words(shape, rows).join(text, on="doc", how="left", maintain_order="left")
    hit = words.select(
        "row", pl.col("told").str.contains(pl.col("word"), literal=True).fill_null(value=False).alias("hit")
    )
    share = hit.group_by("row").agg((pl.col("hit").sum() / (pl.len() + 1.0)).alias("share"))
    table = pl.DataFrame({"row": rows}).join(share, on="row", how="left", maintain_order="left")
    return table["share"].fill_null(0.0).to_numpy()


def _words(shape: Shape, rows: Ints) -> pl.DataFrame:
    """row, doc, word: words of four and more letters, cut to six so that endings do not part them."""
    low = shape.text.gather(rows).str.to_lowercase()
    words = kept("[\\p{L}0-9]{4,}", low.str.extract_all)
    frame = pl.DataFrame({"row": rows, "doc": shape.doc[rows], "word": words}).explode("word").drop_nulls("word")
    return frame.with_columns(pl.col("word").str.head(6))


_ENOUGH: Final = -2.5
"""Logit from which the best candidate is the headline. -2.5 gives .86 F1 on metadata records (.83 without the model)
and .92 on articles, cross-validated by site; -1 loses 20 headlines of 453 for 8 false ones less."""


@dataclass(frozen=True, eq=False)
class Titles:
    """Two masks over the lines: the headlines, and what would be taken for them without a model."""

    headline: Mask
    plain: Mask
    """What a survey, which asks no model, takes for the headlines: the corpus knows a document by these."""


def choose(
    place: Place,
    ruled: Ints,
    date: Mask,
    name: Mask,
    model: NDArray[np.float32] | None,
    weights: Weights | None = None,
) -> Titles:
    """The headline of each document with its further copies above the text; none where nothing is good enough.

    `weights` take the place of the shipped ones.
    """
    weights = weights or load()
    rows = candidates(place, ruled, date)
    if not len(rows):
        nothing = np.zeros(len(place.shape), dtype=bool)
        return Titles(nothing, nothing)
    terms = features(place, ruled, date, name, rows)
    plain = _best(place, rows, terms @ weights["headline_plain"].astype(np.float64))
    if model is None:
        return Titles(plain, plain)
    score = np.column_stack([terms, said(model[rows])]) @ weights["headline_model"].astype(np.float64)
    return Titles(_best(place, rows, score), plain)


def said(model: NDArray[np.float32]) -> Floats:
    """What the model says of the candidates: the last four of MODEL_TERMS."""
    codes = {label: code for code, label in enumerate(LABELS)}
    others = [codes[label] for label in ("related_link", "navigation", "section_label")]
    text = model[:, [codes["body"], codes["heading"]]].sum(axis=1)
    terms = [_logit(model[:, codes["headline"]]), _logit(model[:, others].sum(axis=1)), model[:, codes["deck"]], text]
    return np.column_stack(terms).astype(np.float64)


def _logit(chance: NDArray[np.float32]) -> Floats:
    held = np.clip(chance.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: Floats = np.log(held / (1 - held))
    return odds


def _best(place: Place, rows: Ints, score: Floats) -> Mask:
    """The best candidate of each document, if it is good enough, and its copies."""
    shape = place.shape
    order = np.lexsort((rows, -score, shape.doc[rows]))
    best, score = rows[order], score[order]
    top = np.r_[True, shape.doc[best][1:] != shape.doc[best][:-1]] & (score > _ENOUGH)
    return _copies(place, best[top])


def _copies(place: Place, chosen: Ints) -> Mask:
    """The chosen lines and every equal line above the second paragraph, full stop or not."""
    shape = place.shape
    title = np.full(len(shape.starts), -1)
    title[shape.document[chosen]] = shape.texts.key_of[shape.text_of[chosen]]
    above = (place.zone == BEFORE) | (place.before <= 1)
    mask = above & (shape.texts.key_of[shape.text_of] == title[shape.document])
    mask[chosen] = True
    return np.asarray(mask)
