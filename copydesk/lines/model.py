"""A small trained model: how likely each label is for each line, from the line's looks and its neighbours'.

    features ──► scaled numbers ─────────────────┐
    words, pairs of words, first and last word   ├─► dense layer ─► 1-D convolutions over the document's lines
             ──► sums of learnt vectors ─────────┘        ─► with the document's mean and maximum ─► labels

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
import polars as pl

from copydesk.labels import LABELS
from copydesk.lines.features import Features, features_of
from copydesk.lines.words import Array, Codes, Index

__all__ = ["DECIMALS", "LIMIT", "SLOTS", "Weights", "load", "numbers", "predict"]

DECIMALS: Final = 3
_BLOCK: Final = 256
_CHUNK: Final = 4096
"""Lines worked on together (a long document may exceed it): of 2,048 to whole batches, 4,096 is the fastest."""
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


def predict(lines: pl.DataFrame, weights: Weights | None = None) -> Array:
    """Probabilities of shape (number of lines, len(LABELS)), float32, columns in the order of LABELS.

    `lines` has doc (integer), line and text (str), ordered by (doc, line), whole documents. A blank line is `blank`
    with probability 1, any other line with 0. A document's probabilities depend on its own lines only.
    """
    net = _shipped() if weights is None else _Net(weights)
    out = np.zeros((lines.height, len(LABELS)), np.float32)
    out[:, LABELS.index("blank")] = 1
    for start, part in _chunks(lines.select("doc", "text")):
        features = features_of(part)
        if len(features.rows):
            out[start + features.rows] = np.round(net(features), DECIMALS)
    return out


def _chunks(lines: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut between documents, about every `_CHUNK` lines."""
    doc = lines["doc"].to_numpy()
    opens = np.append(np.flatnonzero(np.diff(doc)) + 1, len(doc))
    start = 0
    while start < len(doc):
        at = np.searchsorted(opens, min(start + _CHUNK, len(doc)))
        stop = int(opens[at])
        yield start, lines.slice(start, stop - start)
        start = stop


class Vocabulary:
    """Numbers of word hashes, by a table over their low bits. Two words never share those; training sees to that."""

    def __init__(self, codes: Codes) -> None:
        self.codes = np.concatenate([np.zeros(1, np.uint64), codes.astype(np.uint64)])
        self.slots = np.zeros(1 << SLOTS, np.int64)
        self.slots[codes & _LOW] = np.arange(1, len(codes) + 1)

    def look_up(self, codes: Codes) -> Index:
        """Number (from 1, in the order given) of each code, 0 for a code that is not known."""
        at = self.slots[codes & _LOW]
        return np.where(self.codes[at] == codes, at, 0)


def numbers(dense: Array, weights: Weights) -> Array:
    """The columns scaled, and those with `edges` once more in steps: how far a value has come through each step.

    A line's length or place matters in ranges; steps let one dense layer tell them apart (piecewise linear encoding,
    Gorishniy et al. 2022). `edges` is (columns in `stepped`, steps + 1), increasing.
    """
    mean, scale = weights["mean"].astype(np.float32), weights["scale"].astype(np.float32)
    edges = weights["edges"].astype(np.float32)
    slope = 1 / np.diff(edges, axis=1)
    count, columns = dense.shape
    out = np.empty((count, columns + slope.size), np.float32)
    scaled, steps = out[:, :columns], np.empty((count, *slope.shape), np.float32)
    np.multiply(dense - mean, scale, out=scaled)
    np.clip(scaled, -LIMIT, LIMIT, out=scaled)
    np.multiply(dense[:, weights["stepped"], None], slope, out=steps)
    np.subtract(steps, edges[:, :-1] * slope, out=steps)
    np.clip(steps.reshape(count, -1), 0, 1, out=out[:, columns:])
    return out


def _times(values: Array, matrix: Array) -> Array:
    """Matrix product in blocks of `_BLOCK` rows, the last one filled up with zeros."""
    out = np.empty((len(values), matrix.shape[1]), np.float32)
    whole = len(values) // _BLOCK * _BLOCK
    for start in range(0, whole, _BLOCK):
        np.matmul(values[start : start + _BLOCK], matrix, out=out[start : start + _BLOCK])
    if whole < len(values):
        padded = np.zeros((_BLOCK, values.shape[1]), np.float32)
        padded[: len(values) - whole] = values[whole:]
        out[whole:] = (padded @ matrix)[: len(values) - whole]
    return out


def _packed(vectors: npt.NDArray[np.generic]) -> Codes:
    """Four numbers in one: -128 to 127 as 0 to 255 in 16 bits each, so that one sum adds four (5 times as fast).

    A line is read by at most 224 characters, so by 224 words, and 224 times 255 still fits into 16 bits.
    """
    return np.ascontiguousarray((vectors.astype(np.int16) + 128).astype("<u2")).view("<u8")


class _Net:
    """The network, ready to run."""

    def __init__(self, weights: Weights) -> None:
        self.words = Vocabulary(weights["words"].astype(np.uint64))
        self.pairs = Vocabulary(weights["pairs"].astype(np.uint64))
        self.vectors = {name: weights[name] for name in ("bag", "pair", "first", "last")}
        self.packed = {name: _packed(self.vectors[name]) for name in ("bag", "pair")}
        self.steps = {name: np.float32(weights[f"{name}_step"]) for name in self.vectors}
        self.dilations = [int(dilation) for dilation in weights["dilations"]]
        self.scaling = {name: weights[name] for name in ("mean", "scale", "stepped", "edges")}
        rest = {name for name in weights if name.endswith(("_w", "_b"))}
        self.layers = {name: np.ascontiguousarray(weights[name], np.float32) for name in sorted(rest)}
        for number in range(len(self.dilations)):
            name = f"conv{number}_w"
            self.layers[name] = np.concatenate(np.split(self.layers[name], 3), axis=1)

    def _dense(self, values: Array, name: str) -> Array:
        return _times(values, self.layers[f"{name}_w"]) + self.layers[f"{name}_b"]

    def _bag(self, name: str, numbers: Index, line: Index, count: int) -> Array:
        """Sum of the vectors of a line's words, over the square root of their number."""
        out = np.zeros((count, self.vectors[name].shape[1]), np.float32)
        if len(line):
            opens = np.flatnonzero(np.diff(line, prepend=-1))
            sums = np.add.reduceat(self.packed[name].take(numbers, axis=0), opens, axis=0).view(np.uint16)
            size = np.diff(opens, append=len(line)).astype(np.float32)[:, None]
            out[line[opens]] = (sums.astype(np.float32) - 128 * size) * (self.steps[name] / np.sqrt(size))
        return out

    def _end(self, name: str, numbers: Index, at: Index) -> Array:
        """The vector of a line's first or last word; lines without words have a vector of their own, the last."""
        vectors = self.vectors[name]
        if len(numbers) == 0:
            numbers = np.zeros(1, np.int64)
        number = np.where(at >= 0, numbers[at], len(vectors) - 1)
        return vectors[number].astype(np.float32) * self.steps[name]

    def _inputs(self, features: Features) -> Array:
        count = len(features.rows)
        words = self.words.look_up(features.words)
        pairs = self.pairs.look_up(features.pairs)
        parts = [
            numbers(features.dense, self.scaling),
            self._bag("bag", words, features.word_line, count),
            self._bag("pair", pairs, features.pair_line, count),
            self._end("first", words, features.first),
            self._end("last", words, features.last),
        ]
        return np.concatenate(parts, axis=1)

    def _convolve(self, values: Array, doc: Index, number: int) -> Array:
        """What a line gives to itself and to the lines `dilation` after and before it, added up where it arrives."""
        width, dilation = values.shape[1], self.dilations[number]
        given = _times(values, self.layers[f"conv{number}_w"])
        out = given[:, width : 2 * width] + self.layers[f"conv{number}_b"]
        if dilation < len(doc):
            apart = np.flatnonzero(doc[dilation:] != doc[:-dilation])
            given[apart, :width] = 0
            given[apart + dilation, 2 * width :] = 0
            out[dilation:] += given[:-dilation, :width]
            out[:-dilation] += given[dilation:, 2 * width :]
        return out

    def __call__(self, features: Features) -> Array:
        doc = features.doc
        values = np.maximum(self._dense(self._inputs(features), "in"), 0)
        for number in range(len(self.dilations)):
            change = self._convolve(values, doc, number)
            values += np.maximum(change, 0, out=change)
        opens = np.flatnonzero(np.diff(doc, prepend=-1))
        size = np.diff(opens, append=len(doc)).astype(np.float32)[:, None]
        mean = np.add.reduceat(values, opens, axis=0) / size
        pooled = np.concatenate([mean, np.maximum.reduceat(values, opens, axis=0)], axis=1)
        whole = np.maximum(self._dense(pooled, "pool"), 0)
        values = np.maximum(self._dense(np.concatenate([values, whole[doc]], axis=1), "mid"), 0)
        scores = self._dense(values, "out")
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        return np.concatenate([scores, np.zeros((len(doc), 1), np.float32)], axis=1)


@functools.lru_cache(maxsize=1)
def _shipped() -> _Net:
    return _Net(load())
