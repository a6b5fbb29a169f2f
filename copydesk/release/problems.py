"""Problem: one thing that is not as a release says.

Apart from verify and audit, which both name problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Problem"]

SHOWN: Final = 120


@dataclass(frozen=True, order=True)
class Problem:
    """`file` is relative to the dataset; `what` of it; the values as text."""

    file: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}: expected {_short(self.expected)}, found {_short(self.found)}"


def _short(value: str) -> str:
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
