"""Regular expressions that are compiled once in a process, not once in a batch.

    contains   which texts an expression matches
    kept       the same for any other method of a column's texts

Polars compiles an expression when it is asked, and keeps the last 32 of the thread that asked. A batch is asked some
120, so that each was forgotten before it came again: to compile a long alternation takes as long as to try it on
ten thousand lines (all rules of the shipped profiles: 18 ms; to hand it to a thread: 0.02 ms). So an expression of any
size has a thread here that is asked a few others besides, and remembers it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["contains", "kept"]

_ROOM: Final = 30
"""Expressions of a thread: Polars keeps 32 (its `regex_cache.rs`)."""
_THREADS: Final = 8
"""Threads at most, since what is compiled takes memory. A user's profiles may have more expressions than these keep;
then a thread has more than it remembers, and compiles some again."""

_NUMBERS: Final = count()


@cache
def _keeper(_expression: str) -> ThreadPoolExecutor:
    """The thread that keeps an expression."""
    return _thread(next(_NUMBERS) // _ROOM % _THREADS)


@cache
def _thread(_number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "expressions")


def _forget() -> None:
    _keeper.cache_clear()
    _thread.cache_clear()


os.register_at_fork(after_in_child=_forget)  # a forked process has none of its parent's threads


def kept(expression: str, ask: Callable[..., pl.Series], *more: Any) -> pl.Series:
    """What `ask`, a method of `Series.str`, answers to an expression (and to what else it takes)."""
    return _keeper(expression).submit(ask, expression, *more).result()


def contains(texts: pl.Series, expression: str) -> NDArray[np.bool_]:
    """Which texts an expression matches: one answer for each, False for null."""
    found = kept(expression, texts.str.contains)
    return (found.fill_null(value=False) if found.null_count() else found).to_numpy()
