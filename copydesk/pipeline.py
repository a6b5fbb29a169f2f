"""The order of the stages, from raw files to a release: read, learn, judge, compare, release.

`ingest` carries a `Job` out. It takes `over`, which maps a stage's work over its batches: plain workers, or Prefect's
tasks (flows/). What passes between stages lies in files of a work folder below the destination, so that memory holds
batches and never the corpus. Each batch has a folder there:

    read      documents, lines, survey-*, refused
    learn     -> knowledge/, beside the batches
    judge     articles, ledger, keys, broken
    compare   -> marks, beside the batches
    release   -> the dataset
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import polars as pl

from copydesk import corpus
from copydesk.carry import Last, last_release
from copydesk.desk import Prepared, judge, prepare, survey
from copydesk.errors import ReleaseError, UsageError
from copydesk.job import Job
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.outcome import Changes, Outcome
from copydesk.release.commit import Result, write_release
from copydesk.release.facts import Facts
from copydesk.release.folder import WORK, Folder
from copydesk.runner import Over
from copydesk.sources import REFUSED, RawFile, document_id, read_batch

__all__ = ["ingest"]


SHRINK: Final = 0.05
"""Share of the articles that a mirror run may remove unasked: more is oftener a lost disk than an editor's wish."""


@dataclass(frozen=True)
class _Batch:
    """A batch's work: its folder, its files, and what to judge it with."""

    folder: Path
    files: tuple[RawFile, ...]
    profiles: tuple[Path, ...]
    learning: bool


def ingest(job: Job, over: Over) -> Outcome:
    """Carry out a job: what was released, or that nothing changed. Raises ReleaseError, ConfigError, UsageError."""
    profiles = load_profiles(job.profiles)
    last = last_release(job.destination)
    changes, gone = _changes(job, last)
    if job.dry_run:
        return _outcome(job, last, changes, learned=False)
    with Folder(job.destination).opened() as folder, _work(folder) as work:
        frozen = last.knowledge(profiles.digest, len(job.files)) if last and not job.relearn else None
        batches = [
            _Batch(_made(work / f"batch-{number:05}"), files, job.profiles, learning=frozen is None)
            for number, files in enumerate(_cut(job))
        ]
        over("read", _read, batches)
        over("learn", partial(_learn, profiles.digest, frozen), [work])
        over("judge", _judge, batches)
        if last and job.mode == "append":
            last.keep(gone, _made(work / "batch-kept"))
        over("compare", _compare, [work])
        (result,) = over("release", partial(_release, job, last), [work])
        return _outcome(job, last, changes, learned=frozen is None, result=result, refused=_refused(job, work))


def _changes(job: Job, last: Last | None) -> tuple[Changes, pl.Series]:
    """How the raw files differ from the last release, and the ids of those gone. Raises UsageError if too many are."""
    now = pl.DataFrame(
        {"id": [file.id for file in job.files], "sha256": [_hash(file) for file in job.files] if last else None},
        schema={"id": pl.String, "sha256": pl.String},
    )
    if last is None:
        return Changes(now.height, 0, 0, 0), now["id"].clear()
    gone = last.documents.join(now, on="id", how="anti")
    both = last.documents.join(now, on="id", how="inner")
    same = both.filter(pl.col("raw_sha256") == pl.col("sha256")).height
    changes = Changes(now.height - both.height, both.height - same, same, gone.height)
    if job.mode == "mirror" and not job.allow_shrink:
        _guard(job, last, gone)
    return changes, gone["id"]


def _hash(file: RawFile) -> str | None:
    try:
        return hashlib.sha256(file.path.read_bytes()).hexdigest()
    except OSError:
        return None


def _guard(job: Job, last: Last, gone: pl.DataFrame) -> None:
    lost = sorted(set(last.documents["source"]) - {file.source for file in job.files})
    if lost or gone.height > SHRINK * last.documents.height:
        told = f"the whole source {lost[0]!r}" if lost else f"{gone.height} of {last.documents.height} articles"
        raise UsageError(
            f"{job.destination}: this mirror run would remove {told}; if the files are meant to be gone, "
            "run it again with --allow-shrink, else use --mode append"
        )


def _cut(job: Job) -> Iterator[tuple[RawFile, ...]]:
    """The files in batches of at most so many documents and bytes."""
    limits = job.config.ingest
    batch: list[RawFile] = []
    size = 0
    for file in job.files:
        if batch and (len(batch) == limits.batch_documents or size + file.size > limits.batch_bytes):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(file)
        size += file.size
    yield tuple(batch)


@contextmanager
def _work(folder: Folder) -> Iterator[Path]:
    """An empty folder for what passes between the stages, gone when the run ends."""
    path = folder.subfolder(WORK) / "run"
    shutil.rmtree(path, ignore_errors=True)
    try:
        yield _made(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _read(batch: _Batch) -> None:
    """Read, decode and repair a batch; survey it where the knowledge is to be learned."""
    documents, unread = read_batch(batch.files)
    prepared = prepare(documents)
    _write(batch.folder, "documents", prepared.documents)
    _write(batch.folder, "lines", prepared.lines)
    _write(batch.folder, "refused", pl.concat([unread, prepared.refused]))
    if batch.learning:
        for name, table in survey(prepared, _profiles(batch.profiles)).items():
            _write(batch.folder, f"survey-{name}", table)


def _judge(batch: _Batch) -> None:
    """Judge a batch that was read."""
    tables = {name: pl.read_ipc(batch.folder / f"{name}.arrow") for name in ("documents", "lines", "refused")}
    knowledge = _knowledge(batch.folder.parent / "knowledge")
    judged = judge(Prepared(**tables), knowledge, _profiles(batch.profiles))
    _write(batch.folder, "articles", judged.articles)
    _write(batch.folder, "ledger", judged.ledger)
    _write(batch.folder, "broken", judged.refused)


def _learn(profiles: str, frozen: Knowledge | None, work: Path) -> None:
    """Put the knowledge to judge with beside the batches: the last release's, or what the surveys add up to."""
    knowledge = frozen or corpus.learn(sorted(work.glob("batch-*")), profiles)
    knowledge.save(_made(work / "knowledge"))


def _compare(work: Path) -> None:
    """Find the duplicates among all articles and mark them."""
    paths = sorted(work.glob("batch-*/articles.arrow"))
    marks = corpus.compare(pl.concat([corpus.keys(pl.scan_ipc(path)) for path in paths]))
    for path in paths:
        articles = pl.read_ipc(path)
        marked = corpus.mark(articles, marks)
        if not marked.equals(articles):
            _write(path.parent, "articles", marked)


def _release(job: Job, last: Last | None, work: Path) -> Result:
    """Write the next release from what lies in the work folder."""
    refused = _refused(job, work)
    if refused.height and not any(
        pl.scan_ipc(path).head(1).collect().height for path in work.glob("batch-*/articles.arrow")
    ):
        uri, reason = refused.select("uri", "reason").row(0)
        more = f" (and {refused.height - 1} more)" if refused.height > 1 else ""
        raise ReleaseError(f"no document could be read, so there is nothing to release: {uri}: {reason}{more}")
    knowledge = Knowledge.load(work / "knowledge")
    about = job.config.dataset
    return write_release(
        job.destination,
        sorted(work.glob("batch-*/articles.arrow")),
        sorted(work.glob("batch-*/ledger.arrow")),
        refused,
        knowledge,
        Facts(job.name, about.title, about.description, about.license, {"profiles": knowledge.profiles}),
        base=last.reference if last else None,
    )


def _refused(job: Job, work: Path) -> pl.DataFrame:
    """All that went to quarantine, with the reasons, sorted."""
    found = [(document_id(one.source, one.uri), one.uri, one.source, None, one.reason) for one in job.refused]
    tables = [
        pl.read_ipc(path) for name in ("refused", "broken") for path in sorted(work.glob(f"batch-*/{name}.arrow"))
    ]
    return pl.concat([pl.DataFrame(found, schema=REFUSED, orient="row"), *tables]).sort("source", "uri")


def _outcome(
    job: Job,
    last: Last | None,
    changes: Changes,
    *,
    learned: bool,
    result: Result | None = None,
    refused: pl.DataFrame | None = None,
) -> Outcome:
    now = last_release(job.destination)
    return Outcome(
        name=job.name,
        folder=job.destination,
        version=result.version if result else None,
        base=last.reference.version if last else None,
        cause=result.cause if result else None,
        dry_run=job.dry_run,
        changes=changes,
        mode=job.mode,
        learned=learned,
        documents=result.documents if result else 0,
        refused=tuple(refused.select("uri", "reason").iter_rows()) if refused is not None else (),
        labels=tuple(now.manifest.body["ledger"]["by_label"]) if now and result else (),
    )


@lru_cache(maxsize=1)
def _knowledge(folder: Path) -> Knowledge:
    return Knowledge.load(folder)


@lru_cache(maxsize=1)
def _profiles(folders: tuple[Path, ...]) -> Profiles:
    return load_profiles(folders)


def _write(folder: Path, name: str, table: pl.DataFrame) -> None:
    table.rechunk().write_ipc(folder / f"{name}.arrow")
