"""The order of the stages, from raw files to a release: unpack, read, count, learn, judge, compare, write, release.

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
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl

from copydesk import pieces, sightings, stages
from copydesk.carry import Last, last_release
from copydesk.containers import as_batches, unpacked
from copydesk.corrections import digest_of
from copydesk.digests import digest
from copydesk.errors import ConfigError, ReleaseError
from copydesk.estimate import estimate, read_audit
from copydesk.job import Job
from copydesk.knowledge import Knowledge
from copydesk.outcome import Changes, Outcome
from copydesk.plan import Plan, dry_changes, made_plan, raw_changes, stamp
from copydesk.release.commit import Result, write_release
from copydesk.release.facts import Facts
from copydesk.release.figures import fresh
from copydesk.release.folder import WORK, Folder
from copydesk.release.manifest import Reference
from copydesk.release.marks import Marks
from copydesk.release.quarantine import quarantine_lines
from copydesk.release.remote.through import through_store
from copydesk.release.renewal import is_stale
from copydesk.release.rows import Batch
from copydesk.runner import Over, sparing
from copydesk.seen import Seen, fingerprint, moved_sources
from copydesk.sources import DOCUMENTS, Cut, Files, given_row, remembered
from copydesk.standing import standing

__all__ = ["ingest"]

EMPTY: Final = "the split {!r} would have no article, so the release has no such split: see [splits] in copydesk.toml"


@through_store
def ingest(job: Job, over: Over) -> Outcome:
    """Carry out a job: what was released, or that nothing changed. Raises ReleaseError, ConfigError, UsageError."""
    over = sparing(over)
    _audit(job)  # what is wrong with it is said before the work, not after
    if job.dry_run:
        with TemporaryDirectory(prefix="copydesk-") as place:
            plan = made_plan(job, lambda files: unpacked(files, Path(place), _most(job), over, keys_only=True))
            return _outcome(job, plan, dry_changes(plan))
    with ExitStack() as stack:
        folder = cache(lambda: stack.enter_context(Folder(job.destination).opened()))
        plan = made_plan(job, lambda files: unpacked(files, folder().subfolder(WORK), _most(job), over))
        if not _unchanged(job, plan):
            work = _work(job, plan, folder())
            batches = _batches(job, plan, work)
            plan = plan.handed_on()
            return _carried_out(job, plan, batches, work, over)
        if plan.records.folders:
            sightings.remember(job, plan)
        _clear(job.destination / WORK, folder)
        changes = raw_changes(plan, [])
        return _outcome(job, plan, changes, refused=sightings.refused(job, plan, []).rows())


def _clear(work: Path, locked: Callable[[], Folder]) -> None:
    """Throw away what a run that broke off after its commit has left, unless somebody is at work there."""
    if left := [*work.glob("run-*")]:
        with suppress(ReleaseError):
            locked()
            for one in left:
                shutil.rmtree(one, ignore_errors=True)


def _most(job: Job) -> Cut:
    limits = job.config.ingest
    return Cut(limits.batch_documents, limits.batch_bytes, job.workers)


def _carried_out(job: Job, plan: Plan, batches: list[stages.Batch], work: Path, over: Over) -> Outcome:
    """Do what the plan says, in the folder `work`, and release it; `batches` are what it says is to be read."""
    read, folders = _read(job, plan, batches, work, over)
    held = digest([one.name for one in folders])
    knowledge = work / ("knowledge" if plan.frozen else f"knowledge-{held}")
    counting = [] if plan.frozen else stages.counting(tuple(folders), work / f"counts-{held}", job.lines)
    over("count", stages.count, counting)
    learned = tuple(folders), tuple(one.folder for one in counting)
    learning = stages.Learning(*learned, knowledge, plan.profiles, plan.frozen, job.corrections)
    over("learn", stages.learn, [learning])
    judged = over("judge", stages.judge, [stages.Judging(one, knowledge, job.profiles) for one in folders])
    kept = _kept(job, plan, folders)
    files = work / "marks.arrow", work.parent / "corpus"
    comparing = stages.Comparing(tuple(folders), plan.last, kept, *files, job.config.splits, job.drop)
    empty = stages.compare(comparing, over)
    refused = sightings.refused(job, plan, folders)
    changes = sightings.remembered(plan, folders, refused, work)
    arrived = fresh(stages.tables(folders, "articles"), plan.last.documents if plan.last else None)
    result = _release(_Releasing(job, plan, tuple(folders), knowledge, refused, kept, comparing.marks, work), over)
    for place in (work, *plan.records.folders):
        shutil.rmtree(place, ignore_errors=True)
    worked = (read, sum(judged))
    outcome = _outcome(job, plan, changes, refused=refused.rows(), result=result, worked=worked)
    return replace(outcome, arrived=arrived, notes=(*outcome.notes, *map(EMPTY.format, empty)))


def _read(job: Job, plan: Plan, batches: list[stages.Batch], work: Path, over: Over) -> tuple[int, list[Path]]:
    """Read what has to be read: how many documents that were now, and the folders of all batches."""
    read = over("read", stages.read, batches)
    if again := _again(job, plan, work, _read_ids(batches)):
        read += over("read", stages.read, again)
    return sum(read), [batch.folder for batch in (*batches, *again)]


def _unchanged(job: Job, plan: Plan) -> bool:
    """Whether there is nothing to do: no file to read, none to drop, and the card would say the same."""
    if plan.last is None or not plan.carried or plan.todo:
        return False
    if job.mode == "mirror" and plan.others(plan.unchanged()).len():
        return False
    if plan.records.keys.height or is_stale(job.destination):
        return False
    if len(plan.corrected) and _listed(plan.others(plan.unchanged()), plan.corrected).len():
        return False
    body = plan.last.manifest.body
    quarantine = quarantine_lines(sightings.refused(job, plan, []))
    same_quarantine = (hashlib.sha256(quarantine).hexdigest() if quarantine else None) == body["quarantine"]["sha256"]
    facts = _facts(job, plan.profiles)
    same_splits = body["digests"].get("splits") == facts.digests.get("splits")
    return bool(same_quarantine and same_splits and body["description"] == facts.told)


def _work(job: Job, plan: Plan, folder: Folder) -> Path:
    """The run's work folder, named by what the work depends on; those of other runs are thrown away."""
    limits = job.config.ingest
    base = plan.last.reference.sha256 if plan.last else None
    frozen = plan.frozen.digest if plan.frozen else None
    made_by = fingerprint(plan.profiles, frozen or "to be learned")
    said = digest_of(job.corrections)
    name = f"run-{digest([base, made_by, job.mode, limits.batch_documents, limits.batch_bytes, said])}"
    place = folder.subfolder(WORK)
    for other in place.glob("run-*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)
    (place / name).mkdir(exist_ok=True)
    return place / name


def _batches(job: Job, plan: Plan, work: Path) -> list[stages.Batch]:
    """What is to be read, cut into batches, each in a folder named by what it holds."""
    learning = plan.frozen is None
    batches = []
    for start, end in _most(job).spans(plan.todo.table["size"].to_list()):
        files = plan.todo[start:end]
        held = files.table.select("id", "size", "modified", "given")
        folder = work / f"batch-{digest([held.rows(), learning])}"
        folder.mkdir(exist_ok=True)
        batches.append(stages.Batch(folder, files, job.profiles, learning))
    records = as_batches(plan.records, work, _most(job), learning)
    return batches + [stages.Batch(folder, Files(), job.profiles, learning) for folder in records]


def _again(job: Job, plan: Plan, work: Path, made: pl.Series) -> list[stages.Batch]:
    """Batches of released documents that are judged again out of the ledger.

    Their rows do not hold any more, and no file gives them: it vanished, or cannot be read now.
    """
    if plan.last is None or job.mode == "mirror":
        return []
    ids = plan.others(pl.concat([made, plan.unchanged()]))
    ids = _listed(ids, plan.corrected) if plan.carried else ids
    learning, batches = plan.frozen is None, []
    for some in (ids[start:end] for start, end in _most(job).spans([0] * ids.len())):
        folder = work / f"again-{digest([some.to_list(), learning])}"
        folder.mkdir(exist_ok=True)
        if not (folder / "raw.arrow").exists():
            draft = folder / "raw.draft"
            _vanished(job, plan.last, some).write_ipc(draft)
            draft.replace(folder / "raw.arrow")
        batches.append(stages.Batch(folder, Files(), job.profiles, learning))
    return batches


def _kept(job: Job, plan: Plan, folders: Sequence[Path]) -> pl.Series:
    """Ids of the documents whose rows are the last release's: in append mode all that no batch made anew.

    So an article stays where its file vanished, and where the file is there and can no longer be read; a mirror run
    lets both go.
    """
    if not plan.carried:
        return pl.Series("id", [], dtype=pl.String)
    if job.mode == "mirror":
        return plan.unchanged()
    return plan.others(_ids(stages.tables(folders, "keys")))


def _read_ids(batches: Sequence[stages.Batch]) -> pl.Series:
    return _ids(stages.tables([batch.folder for batch in batches], "documents"))


def _ids(paths: Sequence[Path]) -> pl.Series:
    parts = [pl.scan_ipc(path).select("id").collect()["id"] for path in paths]
    return pl.concat([pl.Series("id", [], dtype=pl.String), *parts])


def _listed(ids: pl.Series, some: Sequence[str]) -> pl.Series:
    return ids.filter(ids.is_in(list(some)))


def _vanished(job: Job, last: Last, gone: pl.Series) -> pl.DataFrame:
    """The documents whose files are gone, out of the ledger.

    What path and settings say of them is said today; what their columns, page or sidecar said is in their articles.
    """
    told = pl.concat([part.select("id", "provenance", "extra", "url").collect() for part in last.articles(gone)])
    facts = last.documents.join(last.raw(gone), on="id", how="inner").join(told, on="id", how="inner").sort("id")
    sources = {source.name: source for source in job.config.source}
    rows = [
        given_row(sources.get(row["source"]), row["source"], row["uri"], row["raw"], remembered(row))
        for row in facts.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=DOCUMENTS, orient="row")


@dataclass(frozen=True)
class _Releasing:
    """All that a release is made from."""

    job: Job
    plan: Plan
    folders: tuple[Path, ...]
    knowledge: Path
    refused: pl.DataFrame
    kept: pl.Series
    marks: Path
    seen: Path
    """The folder with the draft of what was seen."""


def _release(task: _Releasing, over: Over) -> Result:
    """Write the next release from what lies in the batches' folders and what stays of the last one."""
    batches = [Batch(*(folder / f"{name}.arrow" for name in ("articles", "ledger", "keys"))) for folder in task.folders]
    shards = task.marks.parent / "shards"
    shards.mkdir(exist_ok=True)
    marks, last = Marks.of(pieces.read(task.marks)), task.plan.last
    if task.refused.height and not len(marks.articles):
        uri, reason = task.refused.select("uri", "reason").row(0)
        more = f" (and {task.refused.height - 1} more)" if task.refused.height > 1 else ""
        raise ReleaseError(f"no document could be read, so there is nothing to release: {uri}: {reason}{more}")
    knowledge, work = Knowledge.load(task.knowledge), task.job.destination / WORK
    stamps: list[str] = []

    def remember(newest: Reference) -> None:
        stamps.append(stamp(newest, knowledge.profiles, knowledge))
        Seen.keep(task.seen, work, stamps[-1])

    result = write_release(
        task.job.destination,
        batches,
        task.refused,
        knowledge,
        _facts(task.job, knowledge.profiles),
        base=last.reference if last else None,
        kept=last.kept(task.kept) if last else None,
        marks=marks,
        remember=remember,
        over=over,
        place=shards,
        most=task.job.gathered,
    )
    Seen.prune(work, stamps[-1])
    return result


def _facts(job: Job, profiles: str) -> Facts:
    about = job.config.dataset
    digests = {"profiles": profiles}
    if job.config.splits or job.drop:
        digests["splits"] = digest([job.config.splits.model_dump_json() if job.config.splits else None, job.drop])
    return Facts(
        job.name, about.title, about.description, about.license, digests, about.authors, about.url, _audit(job)
    )


def _audit(job: Job) -> dict[str, Any] | None:
    """What the configured audit says; raises ConfigError where it is another dataset's or nothing in it is in order."""
    if job.config.dataset.audit is None:
        return None
    path = job.config.below(job.config.dataset.audit)
    found = estimate(read_audit(path))
    if found["dataset"] != job.name:
        raise ConfigError(f"{path}: is an audit of {found['dataset']!r}, not of {job.name!r}; take audit = ... out")
    return found


def _outcome(
    job: Job,
    plan: Plan,
    changes: Changes,
    *,
    refused: Sequence[tuple[str, ...]] = (),
    result: Result | None = None,
    worked: tuple[int, int] = (0, 0),
) -> Outcome:
    now = last_release(job.destination) if job.corrections.height else None
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
        labels=result.labels if result else (),
        notes=(
            *job.notes,
            *(standing(now, job.corrections) if now else ()),
            *moved_sources(job.destination / WORK, job.files, remember=result is not None),
        ),
    )
