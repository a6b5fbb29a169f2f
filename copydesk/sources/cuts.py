"""How the work is cut into batches: as large as is asked for, alike, and so many that no worker is idle for long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Cut"]

LEAST: Final = 3
"""A batch that is made smaller for the workers' sake has at least a third of what it may hold: of fewer documents, the
start of a worker takes as long as their work."""


@dataclass(frozen=True)
class Cut:
    """How much a table of documents holds at most, and how many workers there are for all tables."""

    documents: int = 4_000
    bytes: int = 32_000_000
    workers: int = 1

    def spans(self, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Where batches of documents of so many bytes start and end, in order; a larger document is a batch of its own.

        The fewest that hold no more than they may, made up to the next multiple of the workers, and alike: ten thousand
        documents for two workers are four times 2,500, and not twice 4,000 and 2,000.
        """
        counted = [min(one, self.bytes) for one in sizes]
        whole, number = sum(counted), self.number(len(sizes), sum(counted))
        weights = counted if whole * self.documents > len(sizes) * self.bytes else [1] * len(sizes)
        left, start, held, size = sum(weights), 0, 0, 0
        for end, (one, weight) in enumerate(zip(sizes, weights, strict=True)):
            full = end - start == self.documents or size + one > self.bytes or held * number >= left
            if end > start and full:
                yield start, end
                start, left, number, held, size = end, left - held, max(1, number - 1), 0, 0
            held, size = held + weight, size + one
        if sizes:
            yield start, len(sizes)

    def number(self, documents: int, size: int) -> int:
        """How many batches so many documents of so many bytes should be."""
        fewest = max(-(-documents // self.documents), -(-size // self.bytes))
        most = min(documents, max(LEAST * documents // self.documents, LEAST * size // self.bytes))
        return max(fewest, min(-(-fewest // self.workers) * self.workers, most))
