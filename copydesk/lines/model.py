"""A small trained model: how likely each label is for each line, from the line's looks and its neighbours'.

    looks, words, pairs of words, first and last word ──► dense layer, once per different text ─┐
    place in the document ──────────────────────────────► dense layer, per line ────────────────┴─► sum
         ─► 1-D convolutions over the document's lines ─► with the document's mean and maximum ─► labels

Only what the text shows goes in: no site, no language, no file name. At run time it is NumPy alone. The weights
(`weights.npz`) come from `copydesk.lines.training`; how good they are is told in docs/model-card.md.

A document's answer must not depend on the documents around it. Sums over words are sums of whole numbers, and
matrices are multiplied in blocks of one fixed size, since BLAS picks its kernels, and so its rounding, by the size;
what could be left is rounded away (`DECIMALS`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from copydesk.labels import LABELS
from copydesk.lines.features import LOOKS, PLACES, Features, features_of
from copydesk.lines.shape import Shape
from copydesk.lines.sheets import Sheet, across, sheets, times
from copydesk.lines.words import Array, Codes, Index, Mask

__all__ = ["DECIMALS", "LIMIT", "SLOTS", "Scaling", "Weights", "load", "predict"]

DECIMALS: Final = 3
_CHUNK: Final = 1024
"""Lines or texts worked on together (a long document may exceed it): what is made of them fits into a core's cache."""
_TOGETHER: Final = 16
"""Rows to which a bias is added in one go: short rows are slow ones, one by one."""
SLOTS: Final = 17
_LOW: Final = np.uint64((1 << SLOTS) - 1)
LIMIT: Final = 5.0
"""Scaled numbers are cut off here, in training too: pages outside of all experience must not blow up."""

Weights = Mapping[str, npt.NDArray[np.generic]]


@functools.lru_cache(maxsize=1)
def load() -> Weights:
    """The shipped weights."""
    with (files("copydesk") / "lines" / "weights.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name] for name in stored.files}


def predict(shape: Shape, weights: Weights | None = None, left_out: Mask | None = None) -> Array:
    """Probabilities of shape (lines that are not blank, len(LABELS)), float32, columns in the order of LABELS.

    `blank` is 0. Settled lines (see `features.settled`), or those `left_out`, are body. A document's probabilities
    depend on its own lines only.
    """
    net = _shipped() if weights is None else _Net(weights)
    out = np.zeros((len(shape), len(LABELS)), np.float32)
    out[:, LABELS.index("body")] = 1
    features = features_of(shape, left_out)
    for lines, told in net(features):
        out[features.lines[lines], :-1] = np.round(told, DECIMALS)
    return out


class Vocabulary:
    """Numbers of word hashes, by a table over their low bits. Two words never share those; training sees to that."""

    def __init__(self, codes: Codes) -> None:
        self.codes = np.concatenate([np.zeros(1, np.uint64), codes.astype(np.uint64)])
        self.slots = np.zeros(1 << SLOTS, np.min_scalar_type(len(codes)))
        self.slots[codes & _LOW] = np.arange(1, len(codes) + 1)

    def look_up(self, codes: Codes) -> Index:
        """Number (from 1, in the order given) of each code, 0 for a code that is not known."""
        at = self.slots.take((codes & _LOW).astype(np.intp)).astype(np.int64)
        at *= self.codes.take(at) == codes
        return at


class Scaling:
    """The columns (a row each) scaled, and some once more in steps: how far a value has come through each step.

    `which` names the scaling: "looks" or "places". A line's length or place matters in ranges; steps let one dense
    layer tell them apart (piecewise linear encoding, Gorishniy et al. 2022). `edges` is (columns in `stepped`,
    steps + 1), increasing.
    """

    def __init__(self, weights: Weights, which: str) -> None:
        self.mean, self.scale, edges = (
            weights[f"{which}_{name}"].astype(np.float32)[..., None] for name in ("mean", "scale", "edges")
        )
        self.slope = 1 / np.diff(edges, axis=1)
        self.start = edges[:, :-1] * self.slope
        self.stepped = weights[f"{which}_stepped"].astype(np.intp)

    def __call__(self, values: Array) -> Array:
        """What the first layer reads: a row per column and per step."""
        columns, count = values.shape
        stepped, steps = self.slope.shape[:2]
        out = np.empty((columns + stepped * steps, count), np.float32)
        scaled = out[:columns]
        np.subtract(values, self.mean, out=scaled)
        scaled *= self.scale
        np.clip(scaled, -LIMIT, LIMIT, out=scaled)
        through = out[columns:].reshape(stepped, steps, count)
        np.multiply(values.take(self.stepped, axis=0)[:, None], self.slope, out=through)
        through -= self.start
        np.clip(through, 0, 1, out=through)
        return out


def _packed(vectors: npt.NDArray[np.generic]) -> Codes:
    """Four numbers in one: -128 to 127 as 0 to 255 in 16 bits each, so that one sum adds four (5 times as fast).

    A line is read by less than 256 characters, so by less than 256 words, and so many times 255 still fit into 16 bits.
    """
    return np.ascontiguousarray((vectors.astype(np.int16) + 128).astype("<u2")).view("<u8")


class _Net:
    """The network, ready to run."""

    def __init__(self, weights: Weights) -> None:
        self.scaled = {name: Scaling(weights, name) for name in ("looks", "places")}
        self.words = Vocabulary(weights["words"].astype(np.uint64))
        self.pairs = Vocabulary(weights["pairs"].astype(np.uint64))
        self.vectors = {name: weights[name] for name in ("bag", "pair", "first", "last")}
        self.packed = {name: _packed(self.vectors[name]) for name in ("bag", "pair")}
        self.steps = {name: np.float32(weights[f"{name}_step"]) for name in self.vectors}
        self.dilations = [int(dilation) for dilation in weights["dilations"]]
        rest = {name for name in weights if name.endswith(("_w", "_b"))}
        self.layers = {name: np.ascontiguousarray(weights[name], np.float32) for name in sorted(rest)}
        self.biases = {name: np.tile(self.layers[name], _TOGETHER) for name in rest if name.endswith("_b")}
        looks = len(LOOKS) + weights["looks_edges"].size - len(weights["looks_edges"])
        places = len(PLACES) + weights["places_edges"].size - len(weights["places_edges"])
        whole = self.layers["in_w"]
        self.layers["place_w"] = whole[looks : looks + places]
        self.layers["look_w"], self.layers["word_w"] = whole[:looks], whole[looks + places :]
        self.taps = [np.split(self.layers[f"conv{number}_w"], 3) for number in range(len(self.dilations))]
        self.layers["line_w"], self.layers["whole_w"] = np.split(self.layers["mid_w"], 2)

    def _bag(self, name: str, numbers: Index, bounds: Index) -> Array:
        """Sum of the vectors of a text's words, over the square root of their number."""
        size = np.diff(bounds)
        out = np.zeros((len(size), self.vectors[name].shape[1]), np.float32)
        if len(numbers):
            some = size > 0
            sums = np.add.reduceat(self.packed[name].take(numbers, axis=0), bounds[:-1][some], axis=0).view(np.uint16)
            count = size[some].astype(np.float32)[:, None]
            out[some] = (sums.astype(np.float32) - 128 * count) * (self.steps[name] / np.sqrt(count))
        return out

    def _end(self, name: str, numbers: Index, at: Index, some: npt.NDArray[np.bool_]) -> Array:
        """The vector of a text's first or last word; texts without words have a vector of their own, the last."""
        vectors = self.vectors[name]
        number = np.full(len(at), len(vectors) - 1)
        number[some] = numbers[at[some]]
        return np.asarray(vectors[number].astype(np.float32) * self.steps[name], np.float32)

    def _looks(self, features: Features) -> Array:
        """What each text gives to the first layer."""
        out = np.empty((features.looks.shape[1], self.layers["look_w"].shape[1]), np.float32)
        for low in range(0, len(out), _CHUNK):
            high = min(low + _CHUNK, len(out))
            part, partners = features.word_bounds[low : high + 1], features.pair_bounds[low : high + 1]
            own = self.words.look_up(features.words[part[0] : part[-1]])
            joint = self.pairs.look_up(features.pairs[partners[0] : partners[-1]])
            part, partners = part - part[0], partners - partners[0]
            some = part[1:] > part[:-1]
            vectors = [
                self._bag("bag", own, part),
                self._bag("pair", joint, partners),
                self._end("first", own, part[:-1], some),
                self._end("last", own, part[1:] - 1, some),
            ]
            out[low:high] = across(self.scaled["looks"](features.looks[:, low:high]), self.layers["look_w"])
            out[low:high] += times(np.concatenate(vectors, axis=1), self.layers["word_w"])
        return out

    def __call__(self, features: Features) -> Iterator[tuple[Index, Array]]:
        """Lines and their probabilities, `blank` left out; all lines in some order."""
        looks = self._looks(features)
        for sheet in sheets(features.doc, _CHUNK):
            places = features.places.take(sheet.lines, axis=1)
            values = across(self.scaled["places"](places), self.layers["place_w"])
            values += looks.take(features.text[sheet.lines], axis=0)
            told = self._read(values, sheet)
            yield (sheet.lines[sheet.rows], told[sheet.rows]) if len(sheet.empty) else (sheet.lines, told)

    def _read(self, values: Array, sheet: Sheet) -> Array:
        """From the first layer's sums to probabilities."""
        self._shift(values, "in_b")
        np.maximum(values, 0, out=values)
        values[sheet.empty] = 0
        self._convolve(values, sheet)
        documents = values.reshape(-1, len(sheet.sizes), values.shape[1])
        mean = documents.sum(axis=0) / sheet.sizes.astype(np.float32)[:, None]
        whole = times(np.concatenate([mean, documents.max(axis=0)], axis=1), self.layers["pool_w"])
        whole += self.layers["pool_b"]
        whole = times(np.maximum(whole, 0, out=whole), self.layers["whole_w"])
        whole += self.layers["mid_b"]
        values = times(values, self.layers["line_w"])
        values.reshape(documents.shape)[:] += whole
        scores = times(np.maximum(values, 0, out=values), self.layers["out_w"])
        scores += self.layers["out_b"]
        scores -= np.ascontiguousarray(scores.T).max(axis=0)[:, None]  # a short axis is a slow one
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _shift(self, values: Array, name: str) -> None:
        """Add a bias to each row."""
        bias = self.biases[name]
        whole = len(values) // _TOGETHER * _TOGETHER
        values[:whole].reshape(-1, len(bias))[:] += bias
        values[whole:] += bias[: values.shape[1]]

    def _convolve(self, values: Array, sheet: Sheet) -> None:
        """Add to each line what it and the lines `dilation` before and after it give, layer by layer."""
        change, given = np.empty_like(values), np.empty_like(values)
        for number, (dilation, (before, own, after)) in enumerate(zip(self.dilations, self.taps, strict=True)):
            times(values, own, change)
            self._shift(change, f"conv{number}_b")
            apart = dilation * len(sheet.sizes)
            if apart < len(values):
                part = given[apart:]
                change[apart:] += times(values[:-apart], before, part)
                change[:-apart] += times(values[apart:], after, part)
            change += values
            np.maximum(values, change, out=values)  # a change below zero is none
            if len(sheet.empty):
                values[sheet.empty] = 0


@functools.lru_cache(maxsize=1)
def _shipped() -> _Net:
    return _Net(load())
