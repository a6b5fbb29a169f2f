"""Memory that is given back: settings of the allocators, which read them from the environment when they are loaded.

What a stage has freed is of no use to the next, and counts. Polars' allocator gives it back when it is called again,
so never while its process waits, unless it has a thread for that; Arrow's own keeps much of it for good, and glibc what
lies below something that is still in use. (Polars' told to give back at once takes a tenth of all CPU for it.)

And memory that nobody need look through: `seldom` has the cycle collector of a process of our own look seldom.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import MutableMapping
from functools import cache
from typing import Any, Final

__all__ = ["POLARS", "SETTINGS", "given_back", "prefer", "seldom", "unmapped"]

SETTINGS: Final = {
    **({"_RJEM_MALLOC_CONF": "background_thread:true"} if sys.platform == "linux" else {}),
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": "4194304",
    "MALLOC_TRIM_THRESHOLD_": "4194304",
}
"""The first is Polars' (jemalloc, with threads on Linux), the last two are glibc's, read when a process starts. With
16 MB for 4 a batch's columns are not new pages each time, which saves 1 % of all CPU, and of a million documents the
numbers stay: 300 MB more."""

POLARS: Final = "dirty_decay_ms:500,muzzy_decay_ms:1000"
"""What Polars leaves in the environment of a process that imports it: nobody's wish. What it finds there it appends."""


def prefer(environment: MutableMapping[str, str]) -> None:
    """Put the settings into an environment that does not say otherwise."""
    if environment.get("_RJEM_MALLOC_CONF") == POLARS:
        del environment["_RJEM_MALLOC_CONF"]
    for name, value in SETTINGS.items():
        environment.setdefault(name, value)


SELDOM: Final = (50_000, 20, 20)
"""New objects between two looks of the cycle collector, and looks between two longer ones. A batch makes lists and
tuples by the ten thousand and no cycle: at Python's own 700 each part of it is looked through, for nothing."""


@cache
def seldom() -> None:
    """Have the cycle collector look seldom, and at the process's end not at all.

    The end would look twice through all that imports have made, 200,000 objects, .15 s of CPU: Python looks at no
    object that is frozen. For the processes of our own, never for one that calls us.
    """
    gc.set_threshold(*SELDOM)
    atexit.register(gc.freeze)


def given_back() -> None:
    """Have glibc give back what lies free amid what is in use; it takes a millisecond. Elsewhere nothing is done."""
    if (trim := _library("malloc_trim")) is not None:
        trim(0)


def unmapped(pages: Any) -> None:
    """Have Linux unmap what this process saw of a mapped file, an Arrow buffer; who looks again sees the same."""
    if (advise := _library("madvise")) is not None:
        import mmap
        from ctypes import c_size_t, c_void_p

        advise(c_void_p(pages.address), c_size_t(pages.size), mmap.MADV_DONTNEED)


@cache
def _library(name: str) -> Any:
    import ctypes

    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
