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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
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
from copydesk.release.keys import bound
from copydesk.release.manifest import Reference
from copydesk.seen import RECORDS, SAME, Seen, fingerprint, sha256_of_file
from copydesk.sources import Files, with_ids

__all__ = ["Plan", "dry_changes", "made_plan", "raw_changes", "stamp"]

SHRINK: Final = 0.05
"""Share of the articles that a mirror run may remove unasked: more is oftener a lost disk than an editor's wish."""


@dataclass(frozen=True)
class Plan:
    """What an ingest has to do, seen against the last release."""

    last: Last | None
    profiles: str
    frozen: Knowledge | None
    files: pl.DataFrame
    """The job's files (columns seen.SAME): which of them are as they were, and what is known of those."""
    todo: Files
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
        files = self.files.filter(pl.col("same") & pl.col("reason").is_null() & ~pl.col("many"))["id"]
        records = self.same_records.filter(pl.col("reason").is_null())["id"]
        return pl.concat([files, records])

    def handed_on(self) -> Plan:
        """The same without the records' keys: these are in batches now, and would be in memory to the end."""
        return replace(self, records=self.records.handed_on())

    def others(self, made: pl.Series) -> pl.Series:
        """Ids of the released documents that are not among those `made`: vanished, unchanged, or not readable now."""
        ids = self.last.keys["id"] if self.last else pl.Series(dtype=pl.String)
        return ids.filter(~ids.is_in(made.implode()))


def made_plan(job: Job, opened: Callable[[Files], Records]) -> Plan:
    """Compare the job with the last release. Raises UsageError where a mirror run would remove too much.

    `opened` gives the records of containers: of those that changed, or of all.
    """
    profiles = load_profiles(job.profiles).digest
    last = last_release(job.destination)
    known = last.knowledge(profiles, 0) if last is not None and not job.relearn else None
    plan = _compared(job, opened, last, profiles, known)
    if plan.last is None or known is None:
        return plan
    read = pl.col("reason").is_null()  # what is known to be no text is no part of a corpus that could have grown
    plain = plan.files.filter(~pl.col("many"), read).height
    present = plain + plan.records.keys.height + plan.same_records.filter(read).height
    if plan.last.knowledge(profiles, present + len(plan.gone)) is None:  # the corpus has doubled: all is judged anew
        return _compared(job, opened, last, profiles, None)
    return plan


def _compared(
    job: Job, opened: Callable[[Files], Records], last: Last | None, profiles: str, frozen: Knowledge | None
) -> Plan:
    """What has to be done with that knowledge."""
    known_as = stamp(last.reference, profiles, frozen) if last and frozen else None
    seen = Seen.read(job.destination / WORK, known_as) if known_as else None
    files = seen.same(job.files, rehash=job.rehash, retry=job.retry) if seen else _unknown(job.files)
    changed = replace(job.files, table=files.filter(~pl.col("same")))
    todo, opening = changed.filter(~pl.col("many")), changed.filter(pl.col("many"))
    records, same_records = opened(opening), pl.DataFrame(schema=RECORDS)
    corrected = tuple(differing(last.corrections, job.corrections)) if last else ()
    if seen is not None:
        records, same_records = _as_before(seen, records, files.filter("same")["id"], corrected)
    gone = _gone(last, files, records, same_records)
    if last is not None and job.mode == "mirror" and not job.allow_shrink:
        _guard(job, last, gone)
    work = (files, todo, records, same_records, gone["id"])
    return Plan(last, profiles, frozen, *work, carried=seen is not None, corrected=corrected)


def _unknown(files: Files) -> pl.DataFrame:
    """Files of which nothing is known (columns seen.SAME)."""
    known = pl.DataFrame(schema={"source": pl.String, "uri": pl.String, "id": pl.String})
    told = {"same": pl.lit(value=False), "raw_sha256": pl.lit(None, pl.String), "reason": pl.lit(None, pl.String)}
    return with_ids(files.table, known).with_columns(**told).select(SAME.names()).cast(SAME)


def _as_before(
    seen: Seen, records: Records, known: pl.Series, corrected: Sequence[str]
) -> tuple[Records, pl.DataFrame]:
    """The records that need work, and those that are as they were: in unopened containers, and in changed ones."""
    if not seen.records.height:
        return records, seen.records
    unopened = pl.col("file").is_in(known.implode())
    there = seen.records.filter(~unopened, ~pl.col("id").is_in(list(corrected)), pl.col("digest").is_not_null())
    there = there.with_columns(number=numbers(pl.col("id")))
    records, held = records.without(there.select("digest", id="number"))
    still = there.join(held.rename({"id": "number"}), on="number", how="semi").drop("number")
    return records, pl.concat([seen.records.filter(unopened), still])


def _gone(last: Last | None, files: pl.DataFrame, records: Records, same_records: pl.DataFrame) -> pl.DataFrame:
    """The released documents (id, source) that are not there any more."""
    if last is None:
        return pl.DataFrame(schema={"id": pl.String, "source": pl.String})
    plain = files.filter(~pl.col("many")).select("id")
    there = pl.concat([plain, same_records.select("id")])
    left = last.documents.select("id", "source").join(there, on="id", how="anti", maintain_order="left")
    if not records.keys.height:
        return left
    return left.filter(~numbers(pl.col("id")).is_in(records.keys["id"].implode()))


def _guard(job: Job, last: Last, gone: pl.DataFrame) -> None:
    lost = sorted(set(last.documents["source"].unique()) - set(job.files.sources))
    if lost or gone.height > SHRINK * last.documents.height:
        told = f"the whole source {lost[0]!r}" if lost else f"{gone.height} of {last.documents.height} articles"
        raise UsageError(
            f"{job.destination}: this mirror run would remove {told}; if the files are meant to be gone, "
            "run it again with --allow-shrink, else use --mode append"
        )


def stamp(newest: Reference, profiles: str, knowledge: Knowledge) -> str:
    """The name of what was seen by the ingest of a release, with what it judged by."""
    return f"{bound(newest)}-{fingerprint(profiles, knowledge.digest)}"


def raw_changes(plan: Plan, fresh: Iterable[pl.DataFrame]) -> Changes:
    """How the raw texts differ from those of the last release, those in quarantine included.

    `fresh` are tables (columns id and raw_sha256) of the documents that were read.
    """
    tables = chain(fresh, [plan.records.unread.select("id", "raw_sha256")])
    if plan.last is None:
        ids = pl.concat(table.select(numbers(pl.col("id"))) for table in tables)
        return Changes(ids["id"].n_unique(), 0, 0, 0)
    found = pl.concat(tables).unique("id", keep="first")
    before = plan.files.filter(pl.col("same") & ~pl.col("many")).height + plan.same_records.height
    both = found.join(plan.last.documents.select("id", before="raw_sha256"), on="id", how="inner")
    same = both.filter(pl.col("before") == pl.col("raw_sha256")).height
    return Changes(found.height - both.height, both.height - same, before + same, len(plan.gone))


def dry_changes(plan: Plan) -> Changes:
    """The same for a run that only looks: it reads the files for their hashes."""
    hashes = pl.Series([sha256_of_file(file) for file in plan.todo], dtype=pl.String)
    return raw_changes(plan, [plan.todo.table.select("id", raw_sha256=hashes), plan.records.hashes()])
