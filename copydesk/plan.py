"""The plan of an ingest: what it has to do, seen against the last release.

    Plan        what is to be read, what stays, and what is gone
    made_plan   the plan of a job; UsageError where a mirror run would remove too much
    raw_changes how the raw texts differ from those of the last release; dry_changes the same for a run that only looks
    stamp       what ties the cache of what was seen to a release and to all that judging depends on
    digest      16 hexadecimal digits over plain values

Documents that are new or changed are worked on. The rows of all others are the last release's, unless what judging
depends on has changed; then nothing is carried, and everything is to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from copydesk.carry import Last, last_release
from copydesk.containers import Records, numbers
from copydesk.corrections import differing
from copydesk.errors import UsageError
from copydesk.job import Job
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import load_profiles
from copydesk.outcome import Changes
from copydesk.release.folder import WORK
from copydesk.release.manifest import Reference
from copydesk.seen import RECORDS, Seen, digest, fingerprint, seen_table, sha256_of_file
from copydesk.sources import RawFile

__all__ = ["Plan", "dry_changes", "made_plan", "raw_changes", "stamp"]

SHRINK: Final = 0.05
"""Share of the articles that a mirror run may remove unasked: more is oftener a lost disk than an editor's wish."""


@dataclass(frozen=True)
class Plan:
    """What an ingest has to do, seen against the last release."""

    last: Last | None
    profiles: str
    frozen: Knowledge | None
    todo: tuple[RawFile, ...]
    same: tuple[tuple[RawFile, str | None, str | None], ...]
    records: Records
    """Of the containers that were opened, what has to be done."""
    same_records: pl.DataFrame
    """Records as they were (columns seen.RECORDS), whether their container was opened or not."""
    gone: pl.Series
    """Ids of released documents whose raw text is not among the job's."""
    carried: bool
    """Whether rows of the last release still hold as they are."""
    corrected: tuple[str, ...]
    """Ids of documents of which people say something else now, so that their rows do not hold."""

    def unchanged(self) -> pl.Series:
        """Ids of the released documents whose raw text is as it was."""
        files = [file.id for file, _, reason in self.same if reason is None and not file.kind.many]
        records = self.same_records.filter(pl.col("reason").is_null())["id"]
        return pl.concat([pl.Series("id", files, dtype=pl.String), records])

    def others(self, made: pl.Series) -> pl.Series:
        """Ids of the released documents that are not among those `made`: vanished, unchanged, or not readable now."""
        ids = self.last.keys["id"] if self.last else pl.Series(dtype=pl.String)
        return ids.filter(~ids.is_in(made.implode()))


def made_plan(job: Job, opened: Callable[[Sequence[RawFile]], Records]) -> Plan:
    """Compare the job with the last release. Raises UsageError where a mirror run would remove too much.

    `opened` gives the records of containers: of those that changed, or of all.
    """
    profiles = load_profiles(job.profiles).digest
    last = last_release(job.destination)
    known = last.knowledge(profiles, 0) if last is not None and not job.relearn else None
    plan = _compared(job, opened, last, profiles, known)
    if plan.last is None or known is None:
        return plan
    present = sum(not file.kind.many for file in job.files) + plan.records.keys.height + plan.same_records.height
    if plan.last.knowledge(profiles, present + len(plan.gone)) is None:  # the corpus has doubled: all is judged anew
        return _compared(job, opened, last, profiles, None)
    return plan


def _compared(
    job: Job, opened: Callable[[Sequence[RawFile]], Records], last: Last | None, profiles: str, frozen: Knowledge | None
) -> Plan:
    """What has to be done with that knowledge."""
    known_as = stamp(last.reference, profiles, frozen) if last and frozen else None
    seen = Seen.read(job.destination / WORK, known_as) if known_as else None
    same = tuple(seen.same(job.files, rehash=job.rehash, retry=job.retry)) if seen else ()
    known = {file.id for file, _, _ in same}
    changed = [file for file in job.files if file.id not in known]
    todo = tuple(file for file in changed if not file.kind.many)
    records, same_records = opened([file for file in changed if file.kind.many]), pl.DataFrame(schema=RECORDS)
    corrected = tuple(differing(last.corrections, job.corrections)) if last else ()
    if seen is not None:
        records, same_records = _as_before(seen, records, known, corrected)
    gone = _gone(job, last, records, same_records)
    if last is not None and job.mode == "mirror" and not job.allow_shrink:
        _guard(job, last, gone)
    work = (todo, same, records, same_records, gone["id"])
    return Plan(last, profiles, frozen, *work, carried=seen is not None, corrected=corrected)


def _as_before(seen: Seen, records: Records, known: set[str], corrected: Sequence[str]) -> tuple[Records, pl.DataFrame]:
    """The records that need work, and those that are as they were: in unopened containers, and in changed ones."""
    unopened = pl.col("file").is_in(list(known))
    there = seen.records.filter(~unopened, ~pl.col("id").is_in(list(corrected)), pl.col("digest").is_not_null())
    there = there.with_columns(number=numbers(pl.col("id")))
    records, held = records.without(there.select("digest", id="number"))
    still = there.join(held.rename({"id": "number"}), on="number", how="semi").drop("number")
    return records, pl.concat([seen.records.filter(unopened), still])


def _gone(job: Job, last: Last | None, records: Records, same_records: pl.DataFrame) -> pl.DataFrame:
    """The released documents (id, source) that are not there any more."""
    if last is None:
        return pl.DataFrame(schema={"id": pl.String, "source": pl.String})
    plain = pl.Series("id", [file.id for file in job.files if not file.kind.many], dtype=pl.String)
    ids = pl.concat([plain.to_frame(), same_records.select("id")]).select(numbers(pl.col("id")))
    there = pl.concat([ids["id"], records.keys["id"]])
    return last.documents.filter(~numbers(pl.col("id")).is_in(there.implode()))


def _guard(job: Job, last: Last, gone: pl.DataFrame) -> None:
    lost = sorted(set(last.documents["source"]) - {file.source for file in job.files})
    if lost or gone.height > SHRINK * last.documents.height:
        told = f"the whole source {lost[0]!r}" if lost else f"{gone.height} of {last.documents.height} articles"
        raise UsageError(
            f"{job.destination}: this mirror run would remove {told}; if the files are meant to be gone, "
            "run it again with --allow-shrink, else use --mode append"
        )


def stamp(newest: Reference, profiles: str, knowledge: Knowledge) -> str:
    """The name of what was seen by the ingest of a release, with what it judged by."""
    return digest([newest.sha256, fingerprint(profiles, knowledge.digest)])


def raw_changes(job: Job, plan: Plan, seen: pl.DataFrame, records: Sequence[pl.DataFrame]) -> Changes:
    """How the raw texts differ from those of the last release, those in quarantine included.

    `seen` has those of files, the tables `records` (columns id and raw_sha256) those of containers.
    """
    others = [file.id for file, _, _ in plan.same] + [file.id for file in job.files if file.kind.many]
    known = pl.Series(others, dtype=pl.String).implode()
    files = seen.filter(~pl.col("id").is_in(known)).select("id", "raw_sha256")
    unread = plan.records.unread.select("id", "raw_sha256")
    fresh = pl.concat([files, *records, unread]).unique("id", keep="first")
    before = sum(not file.kind.many for file, _, _ in plan.same) + plan.same_records.height
    if plan.last is None:
        return Changes(fresh.height, 0, 0, 0)
    both = fresh.join(plan.last.documents.select("id", before="raw_sha256"), on="id", how="inner")
    same = both.filter(pl.col("before") == pl.col("raw_sha256")).height
    return Changes(fresh.height - both.height, both.height - same, before + same, len(plan.gone))


def dry_changes(job: Job, plan: Plan) -> Changes:
    """The same for a run that only looks: it reads the files for their hashes."""
    files = seen_table(plan.todo, [(sha256_of_file(file), None) for file in plan.todo])
    return raw_changes(job, plan, files, [plan.records.hashes()])
