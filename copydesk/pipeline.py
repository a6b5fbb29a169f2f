"""The order of the stages, from raw files to a release: read, learn, judge, compare, release.

`ingest` carries a `Job` out: it finds what has to be done, and takes `over`, which maps a stage's work over its
batches: plain workers, or Prefect's tasks (flows/). What passes between stages lies in files of a work folder below the
destination, so that memory holds batches and never the corpus. A run that broke off leaves its folder, and the next run
of the same work takes up its finished batches.

What is worked on: documents that are new or changed. The rows of all others are the last release's, unless what judging
depends on has changed (knowledge, profiles, code, schemas); then everything is judged again, vanished documents from
the raw bytes in the ledger.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from copydesk import stages
from copydesk.carry import Last, last_release
from copydesk.corrections import differing, digest_of
from copydesk.errors import ReleaseError, UsageError
from copydesk.job import Job
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import load_profiles
from copydesk.outcome import Changes, Outcome
from copydesk.release.commit import Result, write_release
from copydesk.release.facts import Facts
from copydesk.release.figures import fresh
from copydesk.release.folder import WORK, Folder
from copydesk.release.quarantine import quarantine_lines
from copydesk.runner import Over
from copydesk.seen import SEEN, Seen, fingerprint, given_digest, moved_sources, sha256_of_file
from copydesk.sources import DOCUMENTS, REFUSED, RawFile, document_id, given_row
from copydesk.standing import standing

__all__ = ["ingest"]

SHRINK: Final = 0.05
"""Share of the articles that a mirror run may remove unasked: more is oftener a lost disk than an editor's wish."""


@dataclass(frozen=True)
class _Plan:
    """What an ingest has to do, seen against the last release."""

    last: Last | None
    profiles: str
    frozen: Knowledge | None
    todo: tuple[RawFile, ...]
    same: tuple[tuple[RawFile, str | None, str | None], ...]
    gone: pl.Series
    """Ids of released documents whose raw file is not among the job's."""
    carried: bool
    """Whether rows of the last release still hold as they are."""
    corrected: pl.Series
    """Those of `gone` of which people say something else now, so that their rows do not hold."""

    def kept(self, mode: str) -> list[str]:
        """Ids of the documents whose rows or raw bytes come from the last release."""
        stayed = [file.id for file, _, reason in self.same if reason is None]
        still = self.gone.filter(~self.gone.is_in(self.corrected.implode()))
        return stayed + (still.to_list() if mode == "append" else [])

    def again(self, mode: str) -> pl.Series:
        """Ids of the vanished documents that are judged again, from the raw bytes in the ledger."""
        return (self.corrected if self.carried else self.gone) if mode == "append" else self.gone.clear()


def ingest(job: Job, over: Over) -> Outcome:
    """Carry out a job: what was released, or that nothing changed. Raises ReleaseError, ConfigError, UsageError."""
    plan = _plan(job)
    if job.dry_run:
        return _outcome(job, plan, _dry_changes(plan))
    if _unchanged(job, plan):
        same = Changes(0, 0, len(plan.same), len(plan.gone))
        return _outcome(job, plan, same, refused=_refused(job, plan, []).rows())
    with Folder(job.destination).opened() as folder:
        work = _work(job, plan, folder)
        batches = _batches(job, plan, work)
        read = over("read", stages.read, batches)
        knowledge = work / "-".join(
            ["knowledge", *([] if plan.frozen else [_digest([one.folder.name for one in batches])])]
        )
        folders = [batch.folder for batch in batches]
        learning = stages.Learning(tuple(folders), knowledge, plan.profiles, plan.frozen, job.corrections)
        over("learn", stages.learn, [learning])
        judged = over("judge", stages.judge, [stages.Judging(one, knowledge, job.profiles) for one in folders])
        kept = pl.Series("id", plan.kept(job.mode) if plan.carried else [], dtype=pl.String)
        kept.to_frame().write_ipc(work / "kept.arrow")
        cache = work.parent / "corpus"
        comparing = stages.Comparing(tuple(folders), plan.last, work / "kept.arrow", work / "marks.arrow", cache)
        over("compare", stages.compare, [comparing])
        if plan.last and kept.len():
            folders.append(_emptied(work / "kept"))
            plan.last.keep(kept, folders[-1])
        refused = _refused(job, plan, folders)
        arrived = fresh(stages.tables([one.folder for one in batches], "articles"), _held(plan))
        releasing = _Releasing(job, plan.last, tuple(folders), knowledge, refused, comparing.marks)
        (result,) = over("release", _release, [releasing])
        seen = _seen(job, plan, folders)
        _remember(job, folder, Knowledge.load(knowledge), seen)
        shutil.rmtree(work, ignore_errors=True)
        worked = (sum(read), sum(judged))
        outcome = _outcome(job, plan, _changes(plan, seen), refused=refused.rows(), result=result, worked=worked)
        return replace(outcome, arrived=arrived)


def _held(plan: _Plan) -> pl.DataFrame | None:
    return plan.last.documents if plan.last else None


def _plan(job: Job) -> _Plan:
    """Compare the job with the last release. Raises UsageError where a mirror run would remove too much."""
    profiles = load_profiles(job.profiles).digest
    last = last_release(job.destination)
    if last is None:
        none = pl.Series(dtype=pl.String)
        return _Plan(None, profiles, None, job.files, (), none, carried=False, corrected=none)
    ids = pl.Series([file.id for file in job.files], dtype=pl.String)
    gone = last.documents.filter(~pl.col("id").is_in(ids.implode()))
    if job.mode == "mirror" and not job.allow_shrink:
        _guard(job, last, gone)
    frozen = None if job.relearn else last.knowledge(profiles, len(job.files) + len(gone))
    stamp = _stamp(last, profiles, frozen) if frozen else None
    seen = Seen.read(job.destination / WORK, stamp) if stamp else None
    same = seen.same(job.files, rehash=job.rehash) if seen else []
    known = {file.id for file, _, _ in same}
    todo = tuple(file for file in job.files if file.id not in known)
    corrected = gone["id"].filter(gone["id"].is_in(differing(last.corrections, job.corrections)))
    return _Plan(last, profiles, frozen, todo, tuple(same), gone["id"], carried=seen is not None, corrected=corrected)


def _guard(job: Job, last: Last, gone: pl.DataFrame) -> None:
    lost = sorted(set(last.documents["source"]) - {file.source for file in job.files})
    if lost or gone.height > SHRINK * last.documents.height:
        told = f"the whole source {lost[0]!r}" if lost else f"{gone.height} of {last.documents.height} articles"
        raise UsageError(
            f"{job.destination}: this mirror run would remove {told}; if the files are meant to be gone, "
            "run it again with --allow-shrink, else use --mode append"
        )


def _stamp(last: Last, profiles: str, knowledge: Knowledge) -> str:
    return _digest([last.reference.sha256, fingerprint(profiles, knowledge.digest)])


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _unchanged(job: Job, plan: _Plan) -> bool:
    """Whether there is nothing to do: no file to read, none to drop, and the card would say the same."""
    if plan.last is None or not plan.carried or plan.todo or (len(plan.gone) and job.mode == "mirror"):
        return False
    if len(plan.again(job.mode)):
        return False
    body = plan.last.manifest.body
    quarantine = quarantine_lines(_refused(job, plan, []))
    same_quarantine = (hashlib.sha256(quarantine).hexdigest() if quarantine else None) == body["quarantine"]["sha256"]
    return bool(same_quarantine and body["description"] == _facts(job, plan.profiles).told)


def _work(job: Job, plan: _Plan, folder: Folder) -> Path:
    """The run's work folder, named by what the work depends on; those of other runs are thrown away."""
    limits = job.config.ingest
    base = plan.last.reference.sha256 if plan.last else None
    frozen = plan.frozen.digest if plan.frozen else None
    made_by = fingerprint(plan.profiles, frozen or "to be learned")
    said = digest_of(job.corrections)
    name = f"run-{_digest([base, made_by, job.mode, limits.batch_documents, limits.batch_bytes, said])}"
    place = folder.subfolder(WORK)
    for other in place.glob("run-*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)
    (place / name).mkdir(exist_ok=True)
    return place / name


def _emptied(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def _batches(job: Job, plan: _Plan, work: Path) -> list[stages.Batch]:
    """What is to be read, cut into batches, each in a folder named by what it holds."""
    learning = plan.frozen is None
    batches = []
    for files in _cut(job, plan.todo):
        held = [(file.id, file.size, file.modified, given_digest(file)) for file in files]
        folder = work / f"batch-{_digest([held, learning])}"
        folder.mkdir(exist_ok=True)
        batches.append(stages.Batch(folder, files, job.profiles, learning))
    again = plan.again(job.mode)
    if plan.last and len(again):
        folder = _emptied(work / f"gone-{_digest([again.to_list(), learning])}")
        _vanished(job, plan.last, again).write_ipc(folder / "raw.arrow")
        batches.append(stages.Batch(folder, (), job.profiles, learning))
    return batches


def _vanished(job: Job, last: Last, gone: pl.Series) -> pl.DataFrame:
    """The documents whose files are gone, out of the ledger, with what path and settings say of them today."""
    facts = last.documents.join(last.raw(gone), on="id", how="inner").sort("id")
    sources = {source.name: source for source in job.config.source}
    rows = [
        given_row(sources.get(source), source, uri, raw)
        for source, uri, raw in facts.select("source", "uri", "raw").iter_rows()
    ]
    return pl.DataFrame(rows, schema=DOCUMENTS, orient="row")


def _cut(job: Job, files: Sequence[RawFile]) -> Iterator[tuple[RawFile, ...]]:
    """The files in batches of at most so many documents and bytes."""
    limits = job.config.ingest
    batch: list[RawFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == limits.batch_documents or size + file.size > limits.batch_bytes):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield tuple(batch)


@dataclass(frozen=True)
class _Releasing:
    """All that a release is made from."""

    job: Job
    last: Last | None
    folders: tuple[Path, ...]
    knowledge: Path
    refused: pl.DataFrame
    marks: Path


def _release(task: _Releasing) -> Result:
    """Write the next release from what lies in the batches' folders."""
    articles = stages.tables(task.folders, "articles")
    if task.refused.height and not any(pl.scan_ipc(path).head(1).collect().height for path in articles):
        uri, reason = task.refused.select("uri", "reason").row(0)
        more = f" (and {task.refused.height - 1} more)" if task.refused.height > 1 else ""
        raise ReleaseError(f"no document could be read, so there is nothing to release: {uri}: {reason}{more}")
    knowledge = Knowledge.load(task.knowledge)
    return write_release(
        task.job.destination,
        articles,
        stages.tables(task.folders, "ledger"),
        task.refused,
        knowledge,
        _facts(task.job, knowledge.profiles),
        base=task.last.reference if task.last else None,
        marks=pl.read_ipc(task.marks),
    )


def _facts(job: Job, profiles: str) -> Facts:
    about = job.config.dataset
    return Facts(job.name, about.title, about.description, about.license, {"profiles": profiles})


def _refused(job: Job, plan: _Plan, folders: Sequence[Path]) -> pl.DataFrame:
    """All that is in quarantine, with the reasons, sorted."""
    found: list[tuple[str | None, ...]] = [
        (document_id(one.source, one.uri), one.uri, one.source, None, one.reason) for one in job.refused
    ]
    found += [(file.id, file.uri, file.source, sha, reason) for file, sha, reason in plan.same if reason is not None]
    paths = [*stages.tables(folders, "refused"), *stages.tables(folders, "broken")]
    known = pl.DataFrame(found, schema=REFUSED, orient="row")
    return pl.concat([known, *(pl.read_ipc(path) for path in paths)]).sort("source", "uri")


def _seen(job: Job, plan: _Plan, folders: Sequence[Path]) -> pl.DataFrame:
    """What this ingest saw of the job's files (columns SEEN)."""
    paths = stages.tables(folders, "documents")
    hashes = {key: sha for path in paths for key, sha in pl.read_ipc(path).select("id", "raw_sha256").iter_rows()}
    refused = _refused(job, plan, folders).select("id", "raw_sha256", "reason")
    reasons = {key: (sha, reason) for key, sha, reason in refused.iter_rows()}
    before = {file.id: (sha, reason) for file, sha, reason in plan.same}
    rows = [
        (file.id, file.source, file.uri, file.size, file.modified, given_digest(file))
        + (before.get(file.id) or reasons.get(file.id) or (hashes.get(file.id), None))
        for file in job.files
    ]
    return pl.DataFrame(rows, schema=SEEN, orient="row")


def _remember(job: Job, folder: Folder, knowledge: Knowledge, seen: pl.DataFrame) -> None:
    """Keep what was seen for the next ingest, bound to the release that now is the newest."""
    last = last_release(job.destination)
    if last is not None:
        Seen.write(folder.subfolder(WORK), _stamp(last, knowledge.profiles, knowledge), seen)


def _changes(plan: _Plan, seen: pl.DataFrame) -> Changes:
    """How the raw files differ from those of the last release, those in quarantine included."""
    fresh = seen.filter(~pl.col("id").is_in([file.id for file, _, _ in plan.same]))
    if plan.last is None:
        return Changes(fresh.height, 0, 0, 0)
    both = fresh.join(plan.last.documents.select("id", before="raw_sha256"), on="id", how="inner")
    same = both.filter(pl.col("before") == pl.col("raw_sha256")).height
    return Changes(fresh.height - both.height, both.height - same, len(plan.same) + same, len(plan.gone))


def _dry_changes(plan: _Plan) -> Changes:
    """The same for a run that only looks: it reads the files for their hashes."""
    rows = [
        (file.id, file.source, file.uri, file.size, file.modified, "", sha256_of_file(file.path), None)
        for file in plan.todo
    ]
    return _changes(plan, pl.DataFrame(rows, schema=SEEN, orient="row"))


def _outcome(
    job: Job,
    plan: _Plan,
    changes: Changes,
    *,
    refused: Sequence[tuple[str, ...]] = (),
    result: Result | None = None,
    worked: tuple[int, int] = (0, 0),
) -> Outcome:
    now = last_release(job.destination)
    return Outcome(
        name=job.name,
        folder=job.destination,
        version=result.version if result else None,
        base=plan.last.reference.version if plan.last else None,
        cause=result.cause if result else None,
        dry_run=job.dry_run,
        changes=changes,
        mode=job.mode,
        learned=plan.frozen is None,
        read=worked[0],
        judged=worked[1],
        documents=result.documents if result else plan.last.documents.height if plan.last else 0,
        refused=tuple((row[1], row[4]) for row in refused),
        labels=tuple(now.manifest.body["ledger"]["by_label"]) if now and result else (),
        notes=(
            *job.notes,
            *(standing(now, job.corrections) if now else ()),
            *moved_sources(job.destination / WORK, job.files, remember=result is not None),
        ),
    )
