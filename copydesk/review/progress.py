"""How far a run is: a bar per stage on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from copydesk.runner import SHOWN
from copydesk.runner import Progress as Shown

__all__ = ["Bars", "Lines", "shown_progress"]

PATIENCE: Final = 10.0
"""Seconds between two plain lines of one stage: a log that is read later wants few."""


class Lines:
    """Progress as plain lines on standard error."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._told = 0.0

    def begin(self, _stage: str, total: int, /) -> None:
        """Begin a stage of `total` items."""
        self._total, self._done, self._told = total, 0, time.monotonic()

    def advance(self, stage: str, /) -> None:
        """Tell now and then how many items are done."""
        self._done += 1
        if self._done < self._total and time.monotonic() - self._told >= PATIENCE:
            self._told = time.monotonic()
            print(f"{stage}: {self._done} of {self._total} batches", file=sys.stderr, flush=True)

    def end(self, stage: str, /) -> None:
        """Tell that the stage is done."""
        print(f"{stage}: done", file=sys.stderr, flush=True)


class Bars:
    """Progress as bars of rich, one per stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, stage: str, total: int, /) -> None:
        """Show the stage's bar."""
        self._tasks[stage] = self._bars.add_task(stage, total=total)

    def advance(self, stage: str, /) -> None:
        """Move the bar by one item."""
        self._bars.advance(self._tasks[stage])

    def end(self, stage: str, /) -> None:
        """Stop the bar's clock."""
        self._bars.stop_task(self._tasks[stage])


@contextmanager
def shown_progress() -> Iterator[Shown]:
    """A progress for this terminal or log, which runs started inside will use."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from _set(Lines())
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield from _set(Bars(bars))


def _set(progress: Shown) -> Iterator[Shown]:
    token = SHOWN.set(progress)
    try:
        yield progress
    finally:
        SHOWN.reset(token)
