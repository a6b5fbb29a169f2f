"""How far a run is, how fast, and how long it still takes: a bar per stage on a terminal, plain lines elsewhere."""

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
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from copydesk.runner import SHOWN
from copydesk.runner import Progress as Shown

__all__ = ["Bars", "Lines", "bars_on", "duration", "rate", "shown_progress"]

PATIENCE: Final = 10.0
"""Seconds between two plain lines of one stage: a log that is read later wants few."""


def rate(speed: float) -> str:
    """Batches in a second, or the time of one: `2.5 batches/s`, `40 s/batch`."""
    return f"{speed:.1f} batches/s" if speed >= 1 else f"{duration(1 / speed)}/batch"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class _Rate(ProgressColumn):
    """The speed of a stage."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate(speed) if speed else "", style="progress.data.speed")


class Lines:
    """Progress as plain lines on standard error."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._told = self._begun = time.monotonic()

    def begin(self, _stage: str, total: int, /) -> None:
        """Begin a stage of `total` items."""
        self._total, self._done = total, 0
        self._told = self._begun = time.monotonic()

    def advance(self, stage: str, /) -> None:
        """Tell now and then how many items are done."""
        self._done += 1
        if self._done < self._total and time.monotonic() - self._told >= PATIENCE:
            self._told = time.monotonic()
            spent = time.monotonic() - self._begun
            left = duration(spent / self._done * (self._total - self._done))
            told = f"{stage}: {self._done} of {self._total} batches, {rate(self._done / spent)}, {left} left"
            print(told, file=sys.stderr, flush=True)

    def end(self, stage: str, /) -> None:
        """Tell that the stage is done, and how long it took."""
        print(f"{stage}: done in {duration(time.monotonic() - self._begun)}", file=sys.stderr, flush=True)


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
    with bars_on(console) as bars:
        yield from _set(Bars(bars))


def bars_on(console: Console) -> Progress:
    """Bars of stages with count, rate, and time left, at the end time spent."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
    )


def _set(progress: Shown) -> Iterator[Shown]:
    token = SHOWN.set(progress)
    try:
        yield progress
    finally:
        SHOWN.reset(token)
