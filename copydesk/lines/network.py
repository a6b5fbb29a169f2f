"""The network of `copydesk.lines.model` in the form that learns: forward with dropout, backward, Adam. NumPy alone.

    Batch ──► forward (keeps what backward needs) ──► loss and its slope ──► backward ──► Adam.step

A target is a set of labels any of which is right (much gold knows only that a line was dropped), so the loss of a
line is -log of the probability that the right labels have together. Training in NumPy keeps the package free of a
learning library and needs minutes on one core, since the network is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from copydesk.lines.words import Array, Index

__all__ = ["VECTORS", "Adam", "Batch", "Learner", "Parameters", "Shape", "new_parameters"]

Parameters = dict[str, Array]
VECTORS: Final = ("bag", "pair", "first", "last")


@dataclass(frozen=True)
class Shape:
    """Sizes of a network: input numbers, vocabularies, vector and hidden widths, reach of the convolutions, labels."""

    dense: int
    words: int
    pairs: int
    vector: int
    hidden: int
    dilations: tuple[int, ...]
    labels: int


@dataclass(frozen=True)
class Batch:
    """Lines of whole documents: scaled numbers, vocabulary numbers, and what is right (`right` bool, `weight`)."""

    dense: Array
    words: Index
    word_line: Index
    pairs: Index
    pair_line: Index
    first: Index
    last: Index
    doc: Index
    right: npt.NDArray[np.bool_]
    weight: Array


def new_parameters(shape: Shape, random: np.random.Generator) -> Parameters:
    """Random first values (He's rule for layers, small vectors), in a fixed order."""
    hidden, vector = shape.hidden, shape.vector
    vectors = {
        "bag": (shape.words + 1, vector),
        "pair": (shape.pairs + 1, vector),
        "first": (shape.words + 2, vector // 2),
        "last": (shape.words + 2, vector // 2),
    }
    layers = {
        "in": (shape.dense + 3 * vector, hidden),
        **{f"conv{number}": (3 * hidden, hidden) for number in range(len(shape.dilations))},
        "pool": (2 * hidden, hidden),
        "mid": (2 * hidden, hidden),
        "out": (hidden, shape.labels),
    }
    out = {name: random.normal(0, 0.1, size).astype(np.float32) for name, size in vectors.items()}
    for name, size in layers.items():
        spread = np.sqrt((2 if name in ("in", "pool", "mid") else 0.5) / size[0])
        out[f"{name}_w"] = random.normal(0, spread, size).astype(np.float32)
        out[f"{name}_b"] = np.zeros(size[1], np.float32)
    return out


class Learner:
    """One network while it learns.

    `drop` is the share of hidden values that each step leaves out, `pool_drop` the share of documents that it judges
    without their pooled values.
    """

    drop: float = 0.0
    pool_drop: float = 0.0

    def __init__(self, shape: Shape, values: Parameters, random: np.random.Generator) -> None:
        self.shape, self.values, self.random = shape, values, random

    def slopes(self, batch: Batch) -> tuple[float, Parameters]:
        """Mean loss of the batch and its derivative by each parameter."""
        kept = self._forward(batch)
        loss, slope = _loss(kept["scores"], batch)
        return loss, self._backward(batch, kept, slope)

    def _mask(self, values: Array) -> Array:
        if not self.drop:
            return np.ones_like(values)
        keep = self.random.random(values.shape, dtype=np.float32) >= self.drop
        return keep.astype(np.float32) / np.float32(1 - self.drop)

    def _layer(self, name: str, values: Array, kept: Parameters) -> Array:
        """Dense layer, cut at zero, with dropout; keeps its input and the slope of what came after."""
        scores = values @ self.values[f"{name}_w"] + self.values[f"{name}_b"]
        kept[f"{name}_in"], kept[f"{name}_slope"] = values, (scores > 0) * self._mask(scores)
        return scores * kept[f"{name}_slope"]

    def _back(self, name: str, slope: Array, kept: Parameters, out: Parameters) -> Array:
        slope = slope * kept[f"{name}_slope"]
        out[f"{name}_w"], out[f"{name}_b"] = kept[f"{name}_in"].T @ slope, slope.sum(axis=0)
        return slope @ self.values[f"{name}_w"].T

    def _forward(self, batch: Batch) -> Parameters:
        kept: Parameters = {}
        count = len(batch.doc)
        vectors = np.concatenate(
            [
                _bag(self.values["bag"][batch.words], batch.word_line, count),
                _bag(self.values["pair"][batch.pairs], batch.pair_line, count),
                self.values["first"][batch.first],
                self.values["last"][batch.last],
            ],
            axis=1,
        )
        kept["vector_mask"] = self._mask(vectors)
        values = self._layer("in", np.concatenate([batch.dense, vectors * kept["vector_mask"]], axis=1), kept)
        for number, dilation in enumerate(self.shape.dilations):
            values = values + self._layer(f"conv{number}", _around(values, batch.doc, dilation), kept)
        opens = np.flatnonzero(np.diff(batch.doc, prepend=-1))
        most = np.maximum.reduceat(values, opens, axis=0)
        kept["most"] = (values == most[batch.doc]).astype(np.float32)
        mean = np.add.reduceat(values, opens, axis=0) / _sizes(batch.doc)
        whole = self._layer("pool", np.concatenate([mean, most], axis=1), kept)
        gone = (self.random.random((len(whole), 1), dtype=np.float32) >= self.pool_drop).astype(np.float32)
        kept["pool_slope"] *= gone
        whole = whole * gone
        values = self._layer("mid", np.concatenate([values, whole[batch.doc]], axis=1), kept)
        kept["out_in"] = values
        kept["scores"] = values @ self.values["out_w"] + self.values["out_b"]
        return kept

    def _backward(self, batch: Batch, kept: Parameters, slope: Array) -> Parameters:
        out: Parameters = {"out_w": kept["out_in"].T @ slope, "out_b": slope.sum(axis=0)}
        width = self.shape.hidden
        opens = np.flatnonzero(np.diff(batch.doc, prepend=-1))
        slope = self._back("mid", slope @ self.values["out_w"].T, kept, out)
        pooled = self._back("pool", np.add.reduceat(slope[:, width:], opens, axis=0), kept, out)
        ties = np.add.reduceat(kept["most"], opens, axis=0)
        slope = slope[:, :width] + (pooled[:, :width] / _sizes(batch.doc))[batch.doc]
        slope += kept["most"] * (pooled[:, width:] / ties)[batch.doc]
        for number in reversed(range(len(self.shape.dilations))):
            around = self._back(f"conv{number}", slope, kept, out)
            slope = slope + _gather(around, batch.doc, self.shape.dilations[number])
        inputs = self._back("in", slope, kept, out)[:, self.shape.dense :] * kept["vector_mask"]
        self._vector_slopes(batch, inputs, out)
        return out

    def _vector_slopes(self, batch: Batch, slope: Array, out: Parameters) -> None:
        wide = self.shape.vector
        half = wide // 2
        bags = (("bag", batch.words, batch.word_line, 0), ("pair", batch.pairs, batch.pair_line, wide))
        for name, numbers, line, at in bags:
            size = np.sqrt(np.bincount(line, minlength=len(slope)).clip(1)).astype(np.float32)
            part = slope[:, at : at + wide] / size[:, None]
            out[name] = _scatter(part[line], numbers, len(self.values[name]))
        for name, numbers, at in (("first", batch.first, 2 * wide), ("last", batch.last, 2 * wide + half)):
            out[name] = _scatter(slope[:, at : at + half], numbers, len(self.values[name]))


def _sizes(doc: Index) -> Array:
    return np.bincount(doc).astype(np.float32)[:, None]


def _bag(vectors: Array, line: Index, count: int) -> Array:
    out = np.zeros((count, vectors.shape[1]), np.float32)
    if len(line):
        opens = np.flatnonzero(np.diff(line, prepend=-1))
        size = np.diff(opens, append=len(line)).astype(np.float32)
        out[line[opens]] = np.add.reduceat(vectors, opens, axis=0) / np.sqrt(size)[:, None]
    return out


def _scatter(slopes: Array, numbers: Index, rows: int) -> Array:
    """Sum of the slopes of each vocabulary number."""
    width = slopes.shape[1]
    at = (numbers[:, None] * width + np.arange(width)).ravel()
    return np.bincount(at, slopes.ravel(), minlength=rows * width).reshape(rows, width).astype(np.float32)


def _around(values: Array, doc: Index, dilation: int) -> Array:
    """Each line's values beside those `dilation` lines before and after it, zeros beyond the document."""
    count, width = values.shape
    out = np.zeros((count, 3 * width), np.float32)
    out[:, width : 2 * width] = values
    if dilation < count:
        same = (doc[dilation:] == doc[:-dilation])[:, None]
        out[dilation:, :width] = values[:-dilation] * same
        out[:-dilation, 2 * width :] = values[dilation:] * same
    return out


def _gather(slope: Array, doc: Index, dilation: int) -> Array:
    """The way back through `_around`."""
    width = slope.shape[1] // 3
    out = slope[:, width : 2 * width].copy()
    if dilation < len(doc):
        same = (doc[dilation:] == doc[:-dilation])[:, None]
        out[:-dilation] += slope[dilation:, :width] * same
        out[dilation:] += slope[:-dilation, 2 * width :] * same
    return out


def _loss(scores: Array, batch: Batch) -> tuple[float, Array]:
    """-log of the joint probability of the right labels, weighted mean over lines, and its slope by the scores."""
    chance = np.exp(scores - scores.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    right = chance * batch.right
    total = np.maximum(right.sum(axis=1, keepdims=True), 1e-9)
    weight = batch.weight[:, None] / np.float32(len(scores))
    return float((-np.log(total) * weight).sum()), ((chance - right / total) * weight).astype(np.float32)


class Adam:
    """Adam with decoupled weight decay and a limit on the slopes' norm; `step` takes the rate of the moment."""

    def __init__(self, values: Parameters, decay: float, limit: float = 2.0) -> None:
        self.values, self.decay, self.limit, self.count = values, decay, limit, 0
        self.mean = {name: np.zeros_like(value) for name, value in values.items()}
        self.square = {name: np.zeros_like(value) for name, value in values.items()}

    def step(self, slopes: Parameters, rate: float) -> None:
        """Change the parameters in place."""
        self.count += 1
        norm = float(np.sqrt(sum(float((slope.astype(np.float64) ** 2).sum()) for slope in slopes.values())))
        scale = np.float32(min(1.0, self.limit / max(norm, 1e-9)))
        far, near = 1 - 0.9**self.count, 1 - 0.999**self.count
        for name, value in self.values.items():
            slope = slopes[name] * scale
            self.mean[name] += np.float32(0.1) * (slope - self.mean[name])
            self.square[name] += np.float32(0.001) * (slope * slope - self.square[name])
            move = (self.mean[name] / np.float32(far)) / (np.sqrt(self.square[name] / np.float32(near)) + 1e-8)
            decay = np.float32(0 if name.endswith("_b") else self.decay)
            np.subtract(value, np.float32(rate) * (move + decay * value), out=value)
