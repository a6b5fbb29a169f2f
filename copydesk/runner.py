"""How a stage is mapped over its batches: in this process, in a few long-lived ones, or in those of a cluster.

The pipeline knows only `Over`, a function of a stage's name, the work and its items. The flows give one that makes
each item a Prefect task; it hands the work to the same `Workers`. Those of a cluster are copydesk/cluster.py's.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from types import ModuleType, TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from copydesk.frugal import SETTINGS, given_back, prefer, seldom

__all__ = ["LOCAL", "SHOWN", "Over", "Progress", "Quiet", "Workers", "plainly", "sparing"]

Item = TypeVar("Item")
Result = TypeVar("Result")


LOCAL: Final = "local"
"""The runner that is this machine; any other is the address of a scheduler."""


class Over(Protocol):
    """Maps a stage's work over its items and gives the results in the items' order."""

    def __call__(self, stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        """Apply `work`, a function of a module, to each item; raises what the first failing item raised."""
        ...


def plainly(_stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
    """One item after the other, in this process."""
    return [work(item) for item in items]


def sparing(over: Over) -> Over:
    """The same, in a process that gives back, before the workers work and after, what its own steps have freed."""

    def sparingly(stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        given_back()
        results = over(stage, work, items)
        given_back()
        return results

    return sparingly


class Progress(Protocol):
    """Where a run says how far it is."""

    def begin(self, stage: str, total: int, /) -> None:
        """Tell that a stage of `total` items begins."""

    def advance(self, stage: str, /) -> None:
        """Tell that one more item of the stage is done."""

    def end(self, stage: str, /) -> None:
        """Tell that the stage is done."""


class Quiet:
    """A progress that says nothing."""

    def begin(self, _stage: str, _total: int, /) -> None:
        """Say nothing."""

    def advance(self, _stage: str, /) -> None:
        """Say nothing."""

    def end(self, _stage: str, /) -> None:
        """Say nothing."""


MANY: Final = 50
"""Items of a stage after which local workers end, and the next stage has new ones: 100 MB each is what they do not give
back after judging so much. To start one takes .7 CPU seconds, which are nothing beside fifty batches."""

QUIET: Final = Quiet()
SHOWN: Final[ContextVar[Progress]] = ContextVar("progress", default=QUIET)
"""The progress of whoever started the run: a flow's parameters are its form in Prefect's UI and cannot hold one."""


class Workers(AbstractContextManager["Workers"]):
    """Worker processes, started at the first stage that has more than one item for them; they live for many stages.

    They are spawned, not forked: Polars' and Arrow's threads do not survive a fork. Each takes its share of the
    processors, so that the kernels of two workers do not fight over them. `started` starts others, such as a cluster's.
    """

    def __init__(
        self, number: int, progress: Progress | None = None, started: Callable[[], Executor] | None = None
    ) -> None:
        self.number = number
        self.progress: Progress = progress or Quiet()
        self._started = started or partial(_spawned, number)
        self._pool: Executor | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        """Apply the work to all items: in this process where there is one item or one worker."""
        self.progress.begin(stage, len(items))
        try:
            if self._alone(len(items)):
                results = [self._told(stage, work(item)) for item in items]
            else:
                futures = [self.submit(work, item) for item in items]
                self._watch(stage, futures)
                results = [future.result() for future in futures]
            self.done(len(items))
            return results
        finally:
            self.progress.end(stage)

    def done(self, items: int) -> None:
        """Tell that a stage of so many items is done: after MANY the processes end, and with them what they hold.

        Those of a cluster are not ours to end.
        """
        if self.number and items > MANY:
            self._end()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def some(self, work: Callable[[Item], Result], items: Sequence[Item], *, of: int) -> list[Result]:
        """Apply the work to some of `of` items and wait for them: what a thread that supervises them calls."""
        if self._alone(of):
            return [work(item) for item in items]
        futures = [self.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def _alone(self, items: int) -> bool:
        """Whether this process does a stage of so many items itself.

        Those of a cluster are looked for even then: who names one wants to hear that it is not there, not that the
        first ingest went well because it was small.
        """
        if items and not self.number:
            self._ready()
        return self.number == 1 or items <= 1

    def _ready(self) -> Executor:
        """The worker processes, started now if they are not."""
        with self._starting:
            if self._pool is None:
                self._pool = self._started()
            return self._pool

    def submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Hand one item to the worker processes."""
        return self._ready().submit(work, item)

    def _told(self, stage: str, result: Result) -> Result:
        self.progress.advance(stage)
        return result

    def _watch(self, stage: str, futures: Sequence[Future[Any]]) -> None:
        for future in as_completed(futures):
            if future.exception() is not None:
                for other in futures:
                    other.cancel()
                future.result()
            self.progress.advance(stage)


def _spawned(number: int) -> ProcessPoolExecutor:
    """A pool of processes that see their share of the processors and are frugal: so says their environment."""
    share = str(max(1, (os.cpu_count() or 1) // number))
    before = {name: os.environ.get(name) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", *SETTINGS)}
    os.environ.update({"POLARS_MAX_THREADS": share, "OMP_NUM_THREADS": share})
    prefer(os.environ)
    try:
        pool = ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"), initializer=seldom)
        with _no_main():
            started = [pool.submit(os.getpid) for _ in range(number)]
        for one in started:
            one.result()  # spawned now, while the environment is set
        return pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _no_main() -> Iterator[None]:
    """Processes spawned meanwhile do not run the program's main script, as they would to find functions in it.

    No work of ours is defined there. So a script that calls an ingest needs no `if __name__ == "__main__"`, and one
    that came through a pipe, which is no file, can call it too.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
