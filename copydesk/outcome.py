"""What an ingest came to, in words: for the terminal, and as Markdown for Prefect's run report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from copydesk.drift import Finding
from copydesk.foreign import visible
from copydesk.release.figures import Figures
from copydesk.release.markdown import counted

__all__ = ["ADVICE", "Changes", "Outcome"]

ADVICE: Final = (
    "the site may have changed its pages: look at a new document with `copydesk explain`, correct the site's profile "
    "if it has one, then run `copydesk ingest --relearn`"
)

SHOWN: Final = 20
"""Reasons listed; the quarantine file has all."""


@dataclass(frozen=True)
class Changes:
    """How the raw files differ from those of the last release."""

    new: int
    changed: int
    same: int
    gone: int

    def __str__(self) -> str:
        return f"{self.new} new, {self.changed} changed, {self.same} as before, {self.gone} gone"


@dataclass(frozen=True)
class Outcome:
    """The end of a run. `version` is None where nothing was released: nothing changed, or it was a dry run."""

    name: str
    folder: Path
    """The dataset's folder; of one on a store, its working copy."""
    version: str | None
    base: str | None
    cause: str | None
    dry_run: bool
    changes: Changes
    mode: str
    learned: bool
    read: int
    judged: int
    """Documents read and judged in this run; the others' rows are the last release's, or a broken-off run's."""
    documents: int
    refused: tuple[tuple[str, str], ...]
    labels: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    store: str | None = None
    """The URL of a dataset that lies on a store."""
    arrived: Mapping[str, Figures] = field(default_factory=dict)
    """What was new or changed in this run, by source."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """How the sources stand in the newest release, a row for each."""
    drift: tuple[Finding, ...] = ()
    grown: tuple[tuple[str, str], ...] = ()
    """Documents that are in quarantine now and were not before, uri and reason."""
    waived: int = 0
    """Of those in quarantine, how many a person has waived."""

    @property
    def needs_someone(self) -> bool:
        """Whether a person should look: what is in quarantine is not all waived."""
        return len(self.refused) > self.waived

    def pushed(self, url: str, told: str) -> Outcome:
        """The outcome of a run on a store: what was sent, and where the working copy is."""
        return replace(self, store=url, notes=(*self.notes, f"{url}: {told}; the working copy is {self.folder}"))

    @property
    def headline(self) -> str:
        """One line: what was released."""
        if self.dry_run:
            return f"{self.name}: a dry run, nothing was written: {self.changes} ({self.mode})"
        if self.version is None:
            return f"{self.name}: nothing changed since {self.base}: no new release"
        told = counted(self.documents, "article")
        return f"{self.name} {self.version} ({self.cause}): {told} in {self.store or self.folder}"

    def summary(self) -> str:
        """A few plain lines for the terminal, with nothing in them that it would obey: names of files are foreign."""
        lines = [self.headline]
        if not self.dry_run:
            learned = "learned" if self.learned else "of the last release"
            lines.append(f"raw files: {self.changes}; {self.judged} judged, with the knowledge {learned}")
        if self.labels:
            dropped = sum(row["spans"] for row in self.labels if row["fate"] == "dropped")
            total = sum(row["spans"] for row in self.labels if row["fate"] != "blank")
            lines.append(f"ledger: {dropped:,} of {counted(total, 'line')} dropped, each with its evidence")
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"DRIFT: {one}" for one in self.drift]
        if self.drift:
            lines.append(f"DRIFT: {ADVICE}")
        lines += [f"quarantine: {uri}: {reason}" for uri, reason in self.refused[:SHOWN]]
        if len(self.refused) > SHOWN:
            lines.append(f"quarantine: and {len(self.refused) - SHOWN} more, see {self.folder}/quarantine")
        if self.version is not None:
            lines.append(f'load it: datasets.load_dataset("{self.folder}")')
        return "\n".join(map(visible, lines))

    def report(self) -> str:
        """The run report as Markdown."""
        parts = [f"# {self.headline}", f"Raw files: {self.changes}; {self.judged} judged."]
        if self.labels:
            rows = "\n".join(f"| {row['label']} | {row['fate']} | {row['spans']} |" for row in self.labels)
            parts.append(f"| label | fate | lines |\n|---|---|---:|\n{rows}")
        if self.drift:
            told = "\n".join(f"- {_code(str(one))}" for one in self.drift)
            parts.append(f"## Drift\n\n{told}\n\n{ADVICE}")
        parts += [f"Note: {_code(note)}" for note in self.notes]
        if self.refused:
            listed = "\n".join(f"- `{_code(uri)}`: {_code(reason)}" for uri, reason in self.refused[:SHOWN])
            waived = f", {self.waived} of them waived" if self.waived else ""
            parts.append(f"## Quarantine: {len(self.refused)}{waived}\n\n{listed}")
        return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return text.replace("`", "'").replace("<", "&lt;").replace("\n", " ")
