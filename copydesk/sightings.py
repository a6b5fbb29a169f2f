"""What an ingest saw: what it refused, and what the next one can tell from it without reading.

refused      all that is in quarantine, with the reasons
remembered   what was seen by an ingest that releases, into a draft that is kept at its commit
remember     what was seen where nothing is to be released
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import chain
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
    paths = _held_back(folders)
    known = pl.DataFrame(found, schema=REFUSED, orient="row")
    told = [table.filter(pl.col("reason").is_not_null()) for table in (plan.files, plan.same_records)]
    tables = [known, *told, plan.records.unread, *(pl.read_ipc(path) for path in paths)]
    return pl.concat([table.select(REFUSED.names()) for table in tables]).sort("source", "uri")


def remembered(plan: Plan, folders: Sequence[Path], held_back: pl.DataFrame, work: Path) -> Changes:
    """Write what was seen into the work folder; gives how the raw texts differ from those of the last release."""
    of_files, of_records = _parted(folders)
    files = _seen(plan, of_files, held_back)
    Seen.draft(work, [files], _seen_records(plan, folders))
    read_now = files.join(plan.todo.table.select("id"), on="id", how="semi").select("id", "raw_sha256")
    held = (pl.read_ipc(path, columns=["id", "raw_sha256"]) for path in _held_back(of_records))
    return raw_changes(plan, chain([read_now], _hashes(of_records), held))


def _parted(folders: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The batches of files, and those of records."""
    parts: tuple[list[Path], list[Path]] = [], []
    for one in folders:
        parts[(one / "records.arrow").exists()].append(one)
    return parts


def _held_back(folders: Sequence[Path]) -> list[Path]:
    """The tables of what is in quarantine: what no document came of, and what broke the schema."""
    return [path for name in ("refused", "broken") for path in stages.tables(folders, name)]


def _hashes(folders: Sequence[Path]) -> Iterator[pl.DataFrame]:
    return (pl.read_ipc(path, columns=["id", "raw_sha256"]) for path in stages.tables(folders, "documents"))


def remember(job: Job, plan: Plan) -> None:
    """Keep what was seen where nothing is to be released: containers that were opened and hold what they held."""
    if plan.last is None or plan.frozen is None:
        return
    known_as = stamp(plan.last.reference, plan.profiles, plan.frozen)
    seen = Seen(_seen(plan, [], refused(job, plan, [])), pl.concat(_seen_records(plan, [])))
    seen.write(job.destination / WORK, known_as)
    for folder in plan.records.folders:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(plan: Plan, folders: Sequence[Path], held_back: pl.DataFrame) -> pl.DataFrame:
    """What this ingest saw of the job's files (columns SEEN); `folders` are the batches of files."""
    told = held_back.select("id", "raw_sha256", "reason").unique("id", keep="last", maintain_order=True)
    hashes = pl.concat([pl.DataFrame(schema={"id": pl.String, "raw_sha256": pl.String}), *_hashes(folders)]).unique(
        "id"
    )
    found = hashes.join(told, on="id", how="full", suffix="_told", coalesce=True).select(
        "id", sha=pl.when(pl.col("reason").is_null()).then("raw_sha256").otherwise("raw_sha256_told"), why="reason"
    )
    new = ~pl.col("same") & ~pl.col("many")
    return plan.files.join(found, on="id", how="left", maintain_order="left").with_columns(
        raw_sha256=pl.when(new).then("sha").otherwise("raw_sha256"), reason=pl.when(new).then("why").otherwise("reason")
    )


def _seen_records(plan: Plan, folders: Sequence[Path]) -> Iterator[pl.DataFrame]:
    """What this ingest saw of the records of containers (columns seen.RECORDS), a table at a time."""
    told = pl.concat([pl.DataFrame(schema=REFUSED), *map(pl.read_ipc, _held_back(folders))]).unique("id")
    yield plan.same_records
    for path in stages.tables(folders, "records"):
        fresh = pl.read_ipc(path, columns=["id", "file", "digest"]).with_columns(numbers(pl.col("digest")))
        yield fresh.join(told, on="id", how="left").select(RECORDS.names()).cast(RECORDS)
    unread = plan.records.unread.with_columns(digest=pl.lit(None, dtype=pl.UInt64))
    yield unread.select(RECORDS.names()).cast(RECORDS)
