"""What an ingest saw: what it refused, and what the next one can tell from it without reading.

refused      all that is in quarantine, with the reasons
remembered   what was seen by an ingest that releases, into a draft that is kept at its commit
remember     what was seen where nothing is to be released
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from copydesk import stages
from copydesk.containers import numbers
from copydesk.job import Job
from copydesk.outcome import Changes
from copydesk.plan import Plan, raw_changes, stamp
from copydesk.release.folder import WORK
from copydesk.seen import RECORDS, Seen
from copydesk.sources import REFUSED, document_id

__all__ = ["refused", "remember", "remembered"]


def refused(job: Job, plan: Plan, folders: Sequence[Path]) -> pl.DataFrame:
    """All that is in quarantine, with the reasons, sorted."""
    found: list[tuple[str | None, ...]] = [
        (document_id(one.source, one.uri), one.uri, one.source, None, one.reason) for one in job.refused
    ]
    paths = [*stages.tables(folders, "refused"), *stages.tables(folders, "broken")]
    known = pl.DataFrame(found, schema=REFUSED, orient="row")
    told = [table.filter(pl.col("reason").is_not_null()) for table in (plan.files, plan.same_records)]
    tables = [known, *told, plan.records.unread, *(pl.read_ipc(path) for path in paths)]
    return pl.concat([table.select(REFUSED.names()) for table in tables]).sort("source", "uri")


def remembered(plan: Plan, folders: Sequence[Path], held_back: pl.DataFrame, work: Path) -> Changes:
    """Write what was seen into the work folder; gives how the raw texts differ from those of the last release."""
    seen = Seen(_seen(plan, folders, held_back), _seen_records(plan, folders))
    seen.draft(work)
    paths = stages.tables([one for one in folders if (one / "records.arrow").exists()], "documents")
    hashes = [pl.read_ipc(path, columns=["id", "raw_sha256"]) for path in paths]
    read_now = seen.files.join(plan.todo.table.select("id"), on="id", how="semi").select("id", "raw_sha256")
    return raw_changes(plan, [read_now, *hashes])


def remember(job: Job, plan: Plan) -> None:
    """Keep what was seen where nothing is to be released: containers that were opened and hold what they held."""
    if plan.last is None or plan.frozen is None:
        return
    known_as = stamp(plan.last.reference, plan.profiles, plan.frozen)
    seen = Seen(_seen(plan, [], refused(job, plan, [])), _seen_records(plan, []))
    seen.write(job.destination / WORK, known_as)
    for folder in plan.records.folders:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(plan: Plan, folders: Sequence[Path], held_back: pl.DataFrame) -> pl.DataFrame:
    """What this ingest saw of the job's files (columns SEEN)."""
    read = [pl.read_ipc(path, columns=["id", "raw_sha256"]) for path in stages.tables(folders, "documents")]
    told = held_back.select("id", "raw_sha256", "reason").unique("id", keep="last", maintain_order=True)
    hashes = pl.concat([pl.DataFrame(schema={"id": pl.String, "raw_sha256": pl.String}), *read]).unique("id")
    found = hashes.join(told, on="id", how="full", suffix="_told", coalesce=True).select(
        "id", sha=pl.when(pl.col("reason").is_null()).then("raw_sha256").otherwise("raw_sha256_told"), why="reason"
    )
    new = ~pl.col("same") & ~pl.col("many")
    return plan.files.join(found, on="id", how="left", maintain_order="left").with_columns(
        raw_sha256=pl.when(new).then("sha").otherwise("raw_sha256"), reason=pl.when(new).then("why").otherwise("reason")
    )


def _seen_records(plan: Plan, folders: Sequence[Path]) -> pl.DataFrame:
    """What this ingest saw of the records of containers (columns seen.RECORDS)."""
    paths = [path for folder in folders if (path := folder / "records.arrow").exists()]
    held_back = [pl.read_ipc(path) for name in ("refused", "broken") for path in stages.tables(folders, name)]
    told = pl.concat([pl.DataFrame(schema=REFUSED), *held_back]).unique("id")
    fresh = [
        pl.read_ipc(path, columns=["id", "file", "digest"])
        .with_columns(numbers(pl.col("digest")))
        .join(told, on="id", how="left")
        for path in paths
    ]
    unread = plan.records.unread.with_columns(digest=pl.lit(None, dtype=pl.UInt64))
    tables = [table.select(RECORDS.names()).cast(RECORDS) for table in (*fresh, unread)]
    return pl.concat([plan.same_records, *tables])
