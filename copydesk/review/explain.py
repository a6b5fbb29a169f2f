"""`copydesk explain`: each raw line with its label, its fate and the evidence for it.

explain_files    records of the files asked for, judged in batches
knowledge_of     what judges them
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from copydesk.carry import last_release, wanted_release
from copydesk.config import Config
from copydesk.job import Job, Options, settle
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import load_profiles
from copydesk.release.remote.through import dataset_folder
from copydesk.single import explain_documents, stem
from copydesk.sources import Cut, documents_of

__all__ = ["explain_files", "knowledge_of"]

BATCH: Final = 200
"""Documents judged at once: enough for the kernels, few enough that the first lines appear at once."""

GONE: Final = "no such file or folder; check the path"


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
    said = f" and {number} correction{'' if number == 1 else 's'}" if number else ""
    return told + said, dataclasses.replace(known, corrections=job.corrections)


def _learned(dataset: Path | None, config: Config) -> tuple[str, Knowledge]:
    name = config.dataset.name
    last = wanted_release(dataset) if dataset else last_release(dataset_folder(config, name)) if name else None
    if last is not None:
        return f"judged with the knowledge of {last.folder} {last.reference.version}", last.held_knowledge
    return "judged with the shipped knowledge, which knows no corpus", Knowledge()
