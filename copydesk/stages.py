"""The stages' work on one batch or on all of them: tables in files, in and out, below a run's work folder.

    unpack    containers, or a span of one, to parts of records, and what is not read of them
    read      a batch's files and records to documents, lines, survey-* and refused
    count     all surveys, a range of keys at a time, to counts
    learn     the counts to the knowledge, or the frozen one put in its place
    judge     a batch that was read to articles, ledger, their keys, and broken, and the sketches of its texts
    compare   all articles, new and kept, to marks: duplicates and splits

Each is a function of its arguments and the files they name, so that it can run in any process. A stage that is done
leaves a mark in the batch's folder and is not done again by a run that takes up where another broke off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import polars as pl

from copydesk import corpus, desk, sources
from copydesk.aligned import ranges, starts
from copydesk.carry import Last
from copydesk.config import Splits
from copydesk.corrections import EMPTY
from copydesk.knowledge import Knowledge
from copydesk.lines import glance
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.release.keys import keys_of
from copydesk.release.rows import check
from copydesk.release.writing import BESIDE
from copydesk.runner import Over
from copydesk.schema import load_schema
from copydesk.sources import DOCUMENTS, REFUSED, Cut, Files, Piece, extracted, read_batch
from copydesk.whole import mapped, put

__all__ = [
    "Batch",
    "Comparing",
    "Counting",
    "Judging",
    "Learning",
    "Unpacking",
    "compare",
    "count",
    "counting",
    "judge",
    "learn",
    "read",
    "tables",
    "unpack",
]


DAY: Final = pl.col("published_at").dt.date()


@dataclass(frozen=True)
class Unpacking:
    """Containers, or a span of one, and how large the parts may be; `keys_only` where nothing will be read of them."""

    folder: Path
    piece: Piece
    cut: Cut
    keys_only: bool


@dataclass(frozen=True)
class Batch:
    """What is read together: files, and what lies in the folder: documents (`raw`), `records` of containers."""

    folder: Path
    files: Files
    profiles: tuple[Path, ...]
    learning: bool


@dataclass(frozen=True)
class Counting:
    """The batches whose surveys are counted, which of the keys, and the folder for the counts."""

    batches: tuple[Path, ...]
    keys: corpus.Range
    folder: Path


@dataclass(frozen=True)
class Learning:
    """The batches to learn from, their counts, the digest of the profiles, and corrections.

    Or the knowledge to use instead, `frozen`: then nothing is learned.
    """

    batches: tuple[Path, ...]
    counts: tuple[Path, ...]
    folder: Path
    profiles: str
    frozen: Knowledge | None
    corrections: pl.DataFrame = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True)
class Judging:
    """A batch that was read, and the folder of the knowledge to judge it with."""

    folder: Path
    knowledge: Path
    profiles: tuple[Path, ...]


@dataclass(frozen=True)
class Comparing:
    """The batches that were judged, and what stays of the last release: together they are the coming one.

    `kept` are ids. The marks go to `marks`; `cache` is a folder for what the next ingest can use.
    """

    folders: tuple[Path, ...]
    last: Last | None
    kept: pl.Series
    marks: Path
    cache: Path
    splits: Splits | None = None
    drop: bool = False


def unpack(task: Unpacking) -> int:
    """Write the records of a piece into its folder, part by part. Gives the records unpacked now."""
    mark = task.folder / "unpacked"
    if mark.exists():
        return 0
    found = 0
    for number, (records, unread) in enumerate(sources.unpack(task.piece, task.cut)):
        _write(task.folder, f"records-{number:06}", records.drop("raw") if task.keys_only else records)
        _write(task.folder, f"unread-{number:06}", unread)
        found += records.height
    mark.touch()
    return found


def read(batch: Batch) -> int:
    """Read, decode and repair a batch; survey it where there is something to learn. Gives the documents read now."""
    mark = batch.folder / ("surveyed" if batch.learning else "read")
    if mark.exists():
        return 0
    documents, unread = _documents(batch)
    prepared = desk.prepare(documents)
    _write(batch.folder, "documents", prepared.documents)
    put(prepared.lines, batch.folder / "lines.arrow", plain=True)
    _write(batch.folder, "refused", pl.concat([unread, prepared.refused]))
    if batch.learning:
        profiles = load_profiles(batch.profiles)
        seen = desk.glance(prepared, profiles)
        corpus.keep(desk.survey(prepared, profiles, seen), batch.folder)
        for name, table in glance.tables(seen, profiles).items():
            _write(batch.folder, f"glance-{profiles.digest}-{name}", table)
    mark.touch()
    return documents.height


def _documents(batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
    tables = [read_batch(batch.files)]
    kept, records = batch.folder / "raw.arrow", batch.folder / "records.arrow"
    if kept.exists():
        tables.append((pl.read_ipc(kept).select(DOCUMENTS.names()).cast(DOCUMENTS), pl.DataFrame(schema=REFUSED)))
    if records.exists():
        tables.append(extracted(pl.read_ipc(records)))
    documents, unread = zip(*tables, strict=True)
    return pl.concat(documents), pl.concat(unread)


def counting(batches: tuple[Path, ...], place: Path, lines: int) -> list[Counting]:
    """The tasks of counting the surveys of batches, so many lines at once; each has a folder that begins as `place`."""
    found = corpus.ranges(batches, lines)
    return [Counting(batches, one, Path(f"{place}-{len(found)}-{one.number:05}")) for one in found]


def count(task: Counting) -> None:
    """Count a range of keys."""
    if task.folder.exists():
        return
    with _made(task.folder) as draft:
        corpus.count(task.batches, task.keys, draft)


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """A folder to write to that becomes this one in the end."""
    draft = folder.with_name(f"{folder.name}-{uuid4().hex}.draft")
    draft.mkdir()
    yield draft
    with suppress(OSError):  # the same task was done meanwhile by another worker, with the same files
        draft.rename(folder)


def learn(task: Learning) -> None:
    """Put the knowledge to judge with into its folder."""
    if (task.folder / "knowledge.json").exists():
        return
    knowledge = task.frozen or corpus.learn(task.counts, task.batches, task.profiles)
    task.folder.mkdir(exist_ok=True)
    replace(knowledge, corrections=task.corrections).save(task.folder)


def judge(task: Judging) -> int:
    """Judge a batch that was read. Gives the documents judged now."""
    knowledge = _knowledge(task.knowledge)
    mark = task.folder / f"judged-{knowledge.digest}"
    if mark.exists():
        return 0
    articles, ledger, count = _judged(task, knowledge)
    put(articles, task.folder / "articles.arrow", plain=True)
    put(ledger.drop(BESIDE["ledger"]), task.folder / "ledger.arrow", plain=True)
    check(load_schema("ledger"), ledger)
    _write(task.folder, "keys", keys_of(articles, ledger))
    _write(task.folder, "sketches", corpus.sketched(articles))
    mark.touch()
    return count


def _judged(task: Judging, knowledge: Knowledge) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The articles and the ledger in the order of a release, and of how many documents; these are let go.

    Writes the broken.
    """
    prepared = desk.Prepared(*(mapped(task.folder / f"{name}.arrow") for name in ("documents", "lines", "refused")))
    profiles = load_profiles(task.profiles)
    judged = desk.judge(prepared, knowledge, profiles, _seen(task.folder, prepared.lines, profiles))
    _write(task.folder, "broken", judged.refused)
    articles = judged.articles.sort(DAY, "id", nulls_last=True)
    return articles, _after(articles["id"], judged.ledger), prepared.documents.height


def _seen(folder: Path, lines: pl.DataFrame, profiles: Profiles) -> glance.Glance | None:
    """What a survey of the batch saw of its lines, if there was one with these profiles."""
    paths = {name: folder / f"glance-{profiles.digest}-{name}.arrow" for name in glance.TABLES}
    if not all(path.exists() for path in paths.values()):
        return None
    return glance.restored(lines, {name: mapped(path) for name, path in paths.items()}, profiles)


def _after(ids: pl.Series, ledger: pl.DataFrame) -> pl.DataFrame:
    """The rows of the ledger in the order of their documents, which is that of a release."""
    first = starts(ledger["id"])
    sizes = np.diff(first, append=ledger.height)
    runs = ledger["id"][first].to_frame("id").with_columns(first=pl.Series(first), size=pl.Series(sizes))
    runs = ids.to_frame("id").join(runs, on="id", how="inner", maintain_order="left")
    return ledger[ranges(runs["first"].to_numpy(), runs["size"].to_numpy())]


def compare(task: Comparing, over: Over) -> list[str]:
    """Write what the articles of the coming release, new and kept, say of each other (columns corpus.MARKS).

    Gives the splits that were asked for and that have no article. What is done side by side is mapped by `over`.
    """
    last = task.last
    marks = corpus.compare(
        tables(task.folders, "articles"),
        last.article_files if last else [],
        task.cache,
        task.marks,
        known=last.articles_known(task.kept) if last else None,
        sketches=tables(task.folders, "sketches"),
        withdrawn=[one["id"] for one in last.manifest.body["withdrawn"]] if last else [],
        splits=task.splits,
        drop=task.drop,
        over=over,
    )
    return corpus.empty(pl.concat(some.unique() for some in marks.columns("split")), task.splits)


def tables(folders: Iterable[Path], name: str) -> list[Path]:
    """The files of that table in the folders."""
    return [path for folder in folders if (path := folder / f"{name}.arrow").exists()]


@lru_cache(maxsize=1)
def _knowledge(folder: Path) -> Knowledge:
    return Knowledge.load(folder)


def _write(folder: Path, name: str, table: pl.DataFrame) -> None:
    put(table, folder / f"{name}.arrow")
