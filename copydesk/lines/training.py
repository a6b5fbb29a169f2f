"""How the shipped weights are made: `copydesk model train GOLD...` gives them again, byte for byte.

    gold files ──► read_gold ──► features ──► Examples ──► fit (vocabulary, network, Adam) ──┬─► weights.npz
                                     └─► cross_validate ──► fitting: weights of the decision ─┘

`cross_validate` learns without one fifth of the sites at a time and predicts those: the figures of the model card, and
what the decision's weights are fitted to. Everything that was tuned stands in `Settings`. The same bytes come out on
the same NumPy, BLAS and kind of processor; set OMP_NUM_THREADS=1, or sums are added up in another order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.errors import UsageError
from copydesk.labels import LABELS
from copydesk.lines.features import LOOKS, PLACES, Features, amidst, features_of
from copydesk.lines.fitting import fit_decision
from copydesk.lines.gold import read_gold
from copydesk.lines.model import SLOTS, Scaling, Vocabulary, Weights, predict
from copydesk.lines.network import VECTORS, Adam, Batch, Learner, Parameters, Shape, new_parameters
from copydesk.lines.profiles import load_profiles
from copydesk.lines.shape import measure, ranges
from copydesk.lines.words import Array, Codes, Index

__all__ = ["Examples", "Settings", "cross_validate", "examples_of", "fit", "fold_of", "save", "train"]

_OUTPUTS: Final = len(LABELS) - 1
_BLANKS: Final = 3
"""The last columns of the features tell of blank lines."""
_STEPPED: Final = {
    "looks": (
        "log_chars", "share_space", "share_upper", "share_lower", "share_digit", "word_chars", "log_words",
        "function_words", "upper_words", "lower_words", "log_stops", "log_commas",
    ),
    "places": (
        "number", "number_from_end", "place", "chars_before", "log_lines", "log_prose", "prose_share", "of_longest",
        "prose_before", "prose_after", "since_prose", "until_prose", "topic", "topic_strength",
    ),
}  # fmt: skip
"""Columns that enter in steps as well: log loss on whole pages of unseen sites fell from .137 to .114 with them."""


_NAMES: Final = {"looks": LOOKS, "places": PLACES}


@dataclass(frozen=True)
class Settings:
    """What was tuned, by five-fold cross-validation over sites."""

    epochs: int = 8
    batch: int = 24
    rate: float = 3e-3
    decay: float = 0.01
    hidden: int = 96
    vector: int = 16
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16)
    drop: float = 0.3
    pool_drop: float = 0.5
    """Share of documents that a step judges without their mean and maximum, which know too well which page it is."""
    words: int = 8000
    pairs: int = 6000
    least_sites: int = 6
    steps: int = 6
    forget_word: float = 0.15
    """Share of words that a step takes for unknown; and of documents, for a language that was never seen."""
    unspace: float = 0.35
    """Share of documents with blank lines that lose them for a step."""
    space: float = 0.2
    """Share of documents without blank lines that get one between all lines."""
    length_weight: float = 0.01
    document_power: float = 0.5
    seed: int = 0
    sources: dict[str, float] = field(
        default_factory=lambda: {"articles": 3.0, "metadata": 0.4, "wcxb": 0.5},
    )
    """Weight of a document by its source, 1 for the others."""


@dataclass(frozen=True)
class Examples:
    """Gold lines that are not blank: features, right labels, weight; each document's site and first line.

    `rows` is each line's row in the gold table.
    """

    features: Features
    rows: Index
    right: npt.NDArray[np.bool_]
    weight: Array
    sites: npt.NDArray[np.object_]
    starts: Index


def fold_of(site: str, folds: int = 5) -> int:
    """The part of the data that a site's documents are held out with."""
    return int(hashlib.sha256(site.encode()).hexdigest(), 16) % folds


def examples_of(gold: pl.DataFrame, settings: Settings) -> Examples:
    """Features and targets of a table as `read_gold` gives it."""
    shape = measure(gold)
    features = features_of(shape, amidst(shape))
    rows = shape.rows[features.lines]
    lines = gold[rows]
    starts = np.searchsorted(features.doc, np.arange(features.doc.max(initial=-1) + 2))
    right = ((lines["right"].to_numpy()[:, None] >> np.arange(_OUTPUTS)) & 1).astype(bool)
    weight = _weights(lines, right, features.doc, settings)
    return Examples(features, rows, right, weight, lines["site"].to_numpy()[starts[:-1]], starts)


def _weights(lines: pl.DataFrame, right: npt.NDArray[np.bool_], doc: Index, settings: Settings) -> Array:
    """Long lines count for more, since losing text is the worst error; a document by the root of what it holds."""
    size = np.minimum(lines["text"].str.len_chars().to_numpy(), 500).astype(np.float64)
    weight = (0.5 + settings.length_weight * size) * right.any(axis=1)
    source = [settings.sources.get(kind, settings.sources.get(group, 1.0)) for kind, group in _sources(lines)]
    weight *= np.array(source) / np.maximum(np.bincount(doc, weight)[doc], 1) ** settings.document_power
    return np.asarray(weight / weight.mean(), np.float32)


def _sources(lines: pl.DataFrame) -> list[tuple[str, str]]:
    return list(zip(lines["kind"].to_list(), lines["group"].to_list(), strict=True))


def _vocabulary(told: tuple[Codes, Index], texts: Index, sites: Index, most: int, least: int) -> Codes:
    """The codes that stand in the most sites (at least `least`), the more frequent of those that share low bits.

    `told` are the codes of each text; `texts` and `sites` say of each line its text and its site.
    """
    codes, bounds = told
    site = np.repeat(sites, np.diff(bounds)[texts])
    kinds, which = np.unique(codes[ranges(bounds, texts)], return_inverse=True)
    count = int(sites.max()) + 1
    spread = np.bincount(np.unique(which * count + site) // count, minlength=len(kinds))
    order = np.argsort(-spread, kind="stable")
    order = order[spread[order] >= least]
    low = kinds[order] & np.uint64((1 << SLOTS) - 1)
    order = order[np.sort(np.unique(low, return_index=True)[1])][:most]
    return np.sort(kinds[order])


class _Batches:
    """Cuts batches of documents out of the examples and blurs them: what a step must not rely on is taken away."""

    def __init__(self, examples: Examples, words: Codes, pairs: Codes, scaling: Weights, settings: Settings) -> None:
        features = examples.features
        self.examples, self.settings = examples, settings
        self.looks = np.ascontiguousarray(Scaling(scaling, "looks")(features.looks).T)
        self.places = np.ascontiguousarray(Scaling(scaling, "places")(features.places).T)
        self.spaced = features.places[-1] > 0
        self.words = Vocabulary(words).look_up(features.words)
        self.pairs = Vocabulary(pairs).look_up(features.pairs)
        bounds = features.word_bounds
        some = bounds[1:] > bounds[:-1]
        self.first, self.last = (np.full(len(some), len(words) + 1) for _ in range(2))
        self.first[some], self.last[some] = self.words[bounds[:-1][some]], self.words[bounds[1:][some] - 1]

    def cut(self, documents: Index, random: np.random.Generator) -> Batch:
        """The batch of these documents, blurred."""
        starts, features = self.examples.starts, self.examples.features
        rows = ranges(starts, documents)
        texts = features.text[rows]
        doc = np.repeat(np.arange(len(documents)), np.diff(starts)[documents])
        lines = np.arange(len(rows))
        words, pairs = ranges(features.word_bounds, texts), ranges(features.pair_bounds, texts)
        word_line = np.repeat(lines, np.diff(features.word_bounds)[texts])
        pair_line = np.repeat(lines, np.diff(features.pair_bounds)[texts])
        foreign = random.random(len(documents)) < self.settings.forget_word
        places = self._placed(self.places[rows], documents, doc, random)
        return Batch(
            np.concatenate([self.looks[texts], places], axis=1),
            self._forget(self.words[words], foreign[doc[word_line]], random),
            word_line,
            self._forget(self.pairs[pairs], foreign[doc[pair_line]], random),
            pair_line,
            self._forget(self.first[texts], foreign[doc], random),
            self._forget(self.last[texts], foreign[doc], random),
            doc,
            self.examples.right[rows] | ~self.examples.right[rows].any(axis=1, keepdims=True),
            self.examples.weight[rows],
        )

    def _forget(self, numbers: Index, foreign: npt.NDArray[np.bool_], random: np.random.Generator) -> Index:
        gone = foreign | (random.random(len(numbers)) < self.settings.forget_word)
        return np.where(gone, 0, numbers)

    def _placed(self, places: Array, documents: Index, doc: Index, random: np.random.Generator) -> Array:
        """Blank lines are dropped from some documents that have them, and set between all lines of others."""
        spaced = self.spaced[self.examples.starts[documents]]
        dice = random.random(len(documents))
        columns = slice(len(PLACES) - _BLANKS, len(PLACES))
        places[(spaced & (dice < self.settings.unspace))[doc], columns] = 0
        places[(~spaced & (dice < self.settings.space))[doc], columns] = np.array([2 / 3, 2 / 3, 2], np.float32)
        return places


def _rates(steps: int, most: float) -> Array:
    """Up to the highest rate in the first 15 % of the steps, then down to nothing along a cosine."""
    at = np.arange(steps) / max(steps - 1, 1)
    down = 0.5 * (1 + np.cos(np.pi * np.clip((at - 0.15) / 0.85, 0, 1)))
    return np.asarray(most * np.where(at < 0.15, 0.05 + 0.95 * at / 0.15, down), np.float32)


def fit(examples: Examples, chosen: npt.NDArray[np.bool_], settings: Settings) -> Weights:
    """Weights learnt from the chosen documents (bool, one per document)."""
    random = np.random.default_rng(settings.seed)
    features = examples.features
    sites = np.unique(examples.sites.astype(str), return_inverse=True)[1]
    lines = np.flatnonzero(chosen[features.doc])
    texts, line_site = features.text[lines], sites[features.doc[lines]]
    words = _vocabulary((features.words, features.word_bounds), texts, line_site, settings.words, settings.least_sites)
    pairs = _vocabulary(
        (features.pairs, features.pair_bounds), texts, line_site, settings.pairs, settings.least_sites + 2
    )
    looks = _scaling(features.looks[:, texts].T, "looks", settings.steps)
    places = _scaling(features.places[:, lines].T, "places", settings.steps)
    places["places_mean"][-_BLANKS:], places["places_scale"][-_BLANKS:] = 0, 2
    scaling = {**looks, **places}
    shape = Shape(
        len(LOOKS)
        + len(PLACES)
        + sum(scaling[f"{name}_edges"].size - len(scaling[f"{name}_edges"]) for name in _STEPPED),
        len(words),
        len(pairs),
        settings.vector,
        settings.hidden,
        settings.dilations,
        _OUTPUTS,
    )
    learner = Learner(shape, new_parameters(shape, random), random)
    learner.drop, learner.pool_drop = settings.drop, settings.pool_drop
    batches = _Batches(examples, words, pairs, scaling, settings)
    _learn(learner, batches, np.flatnonzero(chosen), settings, random)
    facts = {"words": words, "pairs": pairs, **scaling, "dilations": np.array(settings.dilations, np.int16)}
    return {**facts, **_small(learner.values)}


def _scaling(values: Array, which: str, steps: int) -> dict[str, npt.NDArray[np.generic]]:
    """Mean and scale of each column; for those with many values, edges of steps at even shares of the lines."""
    mean, spread = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    stepped, edges = [], []
    for column in map(_NAMES[which].index, _STEPPED[which]):
        own = values[:, column]
        for sample in (own[own > own.min()], np.unique(own)):
            cuts = np.unique(np.quantile(sample, np.linspace(0.01, 0.99, steps + 1))) if len(sample) else sample
            if len(cuts) == steps + 1:
                stepped.append(column)
                edges.append(cuts)
                break
    return {
        f"{which}_mean": mean.astype(np.float32),
        f"{which}_scale": (1 / (spread + 1e-3)).astype(np.float32),
        f"{which}_stepped": np.array(stepped, np.int16),
        f"{which}_edges": np.array(edges, np.float32).reshape(-1, steps + 1),
    }


def _learn(
    learner: Learner, batches: _Batches, documents: Index, settings: Settings, random: np.random.Generator
) -> None:
    per_epoch = -(-len(documents) // settings.batch)
    rates = _rates(settings.epochs * per_epoch, settings.rate)
    adam = Adam(learner.values, settings.decay)
    for epoch in range(settings.epochs):
        order = random.permutation(documents)
        for number in range(per_epoch):
            batch = batches.cut(order[number * settings.batch : (number + 1) * settings.batch], random)
            _, slopes = learner.slopes(batch)
            adam.step(slopes, float(rates[epoch * per_epoch + number]))


def _small(values: Parameters) -> dict[str, npt.NDArray[np.generic]]:
    """Layers as half floats, vectors as whole numbers from -127 to 127 with one step per table."""
    out: dict[str, npt.NDArray[np.generic]] = {}
    for name, value in values.items():
        if name in VECTORS:
            step = np.float32(np.abs(value).max() / 127)
            out[name], out[f"{name}_step"] = np.round(value / step).astype(np.int8), np.array(step)
        else:
            out[name] = value.astype(np.float16)
    return out


def save(weights: Weights, out: Path) -> None:
    """Write the weights; equal weights give equal bytes."""
    with out.open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]


def train(gold: Sequence[Path], out: Path, settings: Settings | None = None) -> None:
    """Learn from gold files (the formats of `copydesk.lines.gold`) and write the weights to `out`.

    Raises UsageError where there is nothing to learn from.
    """
    settings = settings or Settings()
    lines = read_gold(gold)
    if lines.height == 0:
        raise UsageError(
            f"no gold lines in {', '.join(map(str, gold)) or 'no file at all'}; name at least one gold file"
        )
    examples = examples_of(lines, settings)
    weights = fit(examples, np.ones(len(examples.sites), bool), settings)
    decision = fit_decision(lines, cross_validate(lines, settings), load_profiles())
    save({**weights, **decision}, out)


def cross_validate(gold: pl.DataFrame, settings: Settings, folds: int = 5, only: Sequence[int] | None = None) -> Array:
    """Probabilities of each gold line by a model that has seen no document of its site: (lines, len(LABELS))."""
    examples = examples_of(gold, settings)
    fold = np.array([fold_of(site, folds) for site in examples.sites])
    line_fold = gold["site"].replace_strict({site: fold_of(site, folds) for site in gold["site"].unique()}).to_numpy()
    out = np.full((gold.height, len(LABELS)), np.nan, np.float32)
    for held_out in sorted(set(line_fold.tolist())) if only is None else only:
        rest = fold != held_out
        weights = fit(examples, rest if rest.any() else ~rest, settings)
        rows = np.flatnonzero(line_fold == held_out)
        out[rows] = 0
        out[rows, -1] = 1
        shape = measure(gold[rows])
        out[rows[shape.rows]] = predict(shape, weights, amidst(shape))
    return out
