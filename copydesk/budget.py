"""The ceiling of memory: how many workers and how large the batches may be, for an ingest to stay below it.

    Budget    workers, documents and bytes of a batch, lines counted and bytes of rows gathered at once
    within    the largest budget within a ceiling; UsageError where there is none

None of them changes a release, so memory is traded for time alone. What was measured (PSS, pages of two kilobytes): a
worker takes 110 MB before it has work, and 30 times the raw bytes of a batch while it judges one, in 20 to 30 kB for
each of many short documents; the process of the run takes 150 MB, some 170 bytes for each document while it compares
and releases, and 150 bytes for each line that it counts at once; of rows that are gathered there is one copy, and
several of the few that are written next. The figures here are rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from copydesk.config import Ingest
from copydesk.errors import UsageError
from copydesk.release.writing import GATHERED

__all__ = ["GATHERED", "LINES", "Budget", "within"]

LINES: Final = 1_000_000
"""Lines counted at once, unless memory is short."""

MB: Final = 1_000_000
RUN: Final = 400 * MB
"""What the process of the run takes, up to a million documents."""
WORKER: Final = 130 * MB
"""What a worker takes without work."""
BATCH_BYTES: Final = 45
"""Bytes of memory for each raw byte of a batch."""
BATCH_DOCUMENT: Final = 80_000
"""Bytes of memory for each document of a batch of short ones."""
COUNTED_LINE: Final = 200
LEAST: Final = 25 * MB
"""What a worker has to have for a batch: below, the overhead of batches is more than their work."""


@dataclass(frozen=True)
class Budget:
    """What the work is cut into; the workers are processes beside that of the run, 1 for none."""

    workers: int
    documents: int
    bytes: int
    lines: int = LINES
    gathered: int = GATHERED

    def applied(self, limits: Ingest) -> Ingest:
        """The settings with what the budget says of them."""
        update = {"workers": self.workers, "batch_documents": self.documents, "batch_bytes": self.bytes}
        return limits.model_copy(update=update)


def within(ceiling: int | None, asked: Budget) -> Budget:
    """The part of what is asked for that fits: smaller batches first, then fewer workers.

    Raises UsageError where one worker does not fit. A single document larger than a batch is a batch of its own.
    """
    if ceiling is None:
        return asked
    for workers in range(asked.workers, 0, -1):
        processes = workers if workers > 1 else 0  # one worker is the process of the run itself
        share = (ceiling - RUN - WORKER * processes) // workers
        if share >= LEAST:
            return replace(
                asked,
                workers=workers,
                documents=min(asked.documents, max(1, share // BATCH_DOCUMENT)),
                bytes=min(asked.bytes, share // BATCH_BYTES),
                lines=min(asked.lines, share // COUNTED_LINE),
                gathered=min(asked.gathered, share // 8),
            )
    least = (RUN + LEAST) // MB
    raise UsageError(
        f"--memory of {ceiling:,} bytes: an ingest takes {least}MB at least; give it that, or leave it out"
    )
