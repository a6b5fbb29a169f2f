"""The journal: what each run of an ingest came to, so that one can say how a dataset stands without Prefect.

    Run       one run: when, what came of it, what each source brought, what has drifted
    write     add a run's line
    read      the last runs, oldest first

JSON lines in `.work/runs.jsonl` below the dataset: never published, and no release depends on it; without it, only the
memory of runs is lost. It has the clock's times, which no release has. It is cut to the last KEPT runs, so that it does
not grow for ever.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from copydesk.release.folder import WORK

__all__ = ["Run", "now", "read", "write"]

NAME: Final = "runs.jsonl"
KEPT: Final = 500
SPARE: Final = 100
"""Lines over KEPT before the file is cut, so that it is not written anew at every run."""


@dataclass(frozen=True)
class Run:
    """One run. `result` is released, unchanged, failed or interrupted; times are UTC in ISO 8601."""

    began: str
    ended: str
    result: str
    version: str | None = None
    learned: bool = False
    error: str | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    arrived: Mapping[str, int] = field(default_factory=dict)
    quarantine: int = 0
    grown: int = 0
    drift: tuple[Mapping[str, Any], ...] = ()

    @property
    def good(self) -> bool:
        """Whether the dataset was brought up to date."""
        return self.result in {"released", "unchanged"}


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(dataset: Path, run: Run) -> None:
    """Add a run, where the dataset's work folder is there; a disk that refuses it does not spoil the run."""
    path = dataset / WORK / NAME
    if not path.parent.is_dir():
        return
    with contextlib.suppress(OSError):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > KEPT + SPARE:
            draft = path.with_suffix(".draft")
            draft.write_text("\n".join(lines[-KEPT:]) + "\n", encoding="utf-8")
            draft.replace(path)


def read(dataset: Path) -> list[Run]:
    """The runs that are remembered, oldest first; a line that a crash cut short is passed over."""
    try:
        lines = (dataset / WORK / NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    known = {one.name for one in fields(Run)}
    runs = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            runs.append(Run(**{key: value for key, value in json.loads(line).items() if key in known}))
    return runs
