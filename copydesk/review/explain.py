"""`copydesk explain`: each raw line with its label, its fate and the evidence for it.

explain_files    records of the files asked for, judged in batches
print_document   one record on the terminal, coloured where it is one
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from copydesk.carry import last_release
from copydesk.config import Config
from copydesk.errors import UsageError
from copydesk.job import Job, Options, settle
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import load_profiles
from copydesk.single import FIELDS, Line, explain_documents, stem
from copydesk.sources import Cut, documents_of

__all__ = ["console_for_output", "explain_files", "knowledge_of", "print_document"]

BATCH: Final = 200
"""Documents judged at once: enough for the kernels, few enough that the first lines appear at once."""

GONE: Final = "no such file or folder; check the path"

PIPED: Final = 160
"""Columns where the output is no terminal."""

STYLES: Final = {"text": "default", "field": "cyan", "dropped": "red strike", "blank": "dim"}


def explain_files(options: Options, dataset: Path | None) -> tuple[str, Iterator[dict[str, Any]]]:
    """Which knowledge judges, in words, and the records (see single.explain_documents) of all files, in order.

    A file that cannot be read has a record with an `error`. Without `dataset` the project's own is used, if it has a
    release, else the knowledge shipped with copydesk, which knows no corpus.
    """
    there = tuple(path for path in options.paths if not isinstance(path, Path) or path.exists())
    lost = [
        {"id": stem(path.name), "uri": path.as_posix(), "error": GONE}
        for path in options.paths
        if isinstance(path, Path) and path not in there
    ]
    job = settle(dataclasses.replace(options, paths=there or options.paths, name=options.name or "explain"))
    told, knowledge = knowledge_of(dataset, job)
    return told, chain(lost, _records(job, knowledge))


def _records(job: Job, knowledge: Knowledge) -> Iterator[dict[str, Any]]:
    profiles = load_profiles(job.profiles)
    for one in job.refused:
        yield {"id": stem(one.uri), "uri": one.uri, "error": one.reason}
    for documents, unread in documents_of(job.files, Cut(BATCH)):
        for uri, reason in unread.select("uri", "reason").iter_rows():
            yield {"id": stem(uri), "uri": uri, "error": reason}
        yield from explain_documents(documents, knowledge, profiles)


def knowledge_of(dataset: Path | None, job: Job) -> tuple[str, Knowledge]:
    """What judges, in words, and the knowledge itself: that of the dataset or the shipped one, with the corrections."""
    told, known = _learned(dataset, job.config)
    number = job.corrections.height
    return told + (f" and {number} corrections" if number else ""), dataclasses.replace(
        known, corrections=job.corrections
    )


def _learned(dataset: Path | None, config: Config) -> tuple[str, Knowledge]:
    place = dataset
    if place is None and config.dataset.name:
        place = config.below(config.dataset.into) / config.dataset.name
    last = last_release(place) if place is not None and place.exists() else None
    if last is not None:
        return f"judged with the knowledge of {place} {last.reference.version}", last.held_knowledge
    if dataset is not None:
        raise UsageError(f"{dataset}: there is no release here; give the folder of a dataset, such as dist/NAME")
    return "judged with the shipped knowledge, which knows no corpus", Knowledge()


def print_document(record: Mapping[str, Any], console: Console) -> None:
    """A document's fields, then its lines: number, label, evidence, text; coloured by fate on a terminal."""
    console.print(Text(record["uri"], style="bold"))
    if "error" in record:
        console.print(Text(f"  quarantine: {record['error']}", style="red"))
        return
    for name in FIELDS:
        value = record["fields"][name]
        if value not in (None, [], False):
            console.print(Text(f"  {name:<13}", style="cyan").append(_shown(value), style="default"), soft_wrap=True)
    for line in record["lines"]:
        console.print(_line(line, console.width), soft_wrap=not console.is_terminal)
    console.print()


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(str(value[name]) for name in ("place", "date", "agency") if value[name])
    return "; ".join(value) if isinstance(value, list) else str(value)


def _line(line: Line, width: int) -> Text:
    head = f"{line.number:>4} {line.label:<17} {line.evidence[:26]:<26} "
    text = line.text.replace("\n", " ")
    room = max(20, width - len(head))
    shown = text if len(text) <= room else text[: room - 1] + "\u2026"
    return Text().append(head, style="dim").append(shown, style=STYLES[line.fate])


def console_for_output() -> Console:
    """A console on standard output: colours and the terminal's width there, plain and wide when piped."""
    console = Console(highlight=False, emoji=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, markup=False, width=PIPED)
