"""The draft of a release: its tables, counted and staged, from keys. Nothing that a reader sees is touched.

ordered        the keys of the coming release, checked and marked, in its order
write_tables   shards of both tables, and what of a manifest hangs on them
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk import whole
from copydesk.errors import ReleaseError
from copydesk.pieces import Pieces, keep
from copydesk.release.folder import Folder
from copydesk.release.keys import KEYS
from copydesk.release.marks import Marks
from copydesk.release.rows import Opened, Rows
from copydesk.release.shards import told
from copydesk.release.sorting import sort_keys
from copydesk.release.tables import (
    CONTENT,
    DIGESTS,
    Written,
    article_content,
    laid_out,
    ledger_content,
    placed,
    tasks,
    written,
)
from copydesk.release.tally import COPIED, article_counts, examples, ledger_counts, reprints
from copydesk.release.writing import BESIDE, GATHERED, Made, Writing, write_shards
from copydesk.runner import Over, plainly
from copydesk.schema import Schema

__all__ = ["Tables", "ordered", "write_tables"]

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()

ORDERED: Final = pl.Schema({**KEYS, "day": pl.Date(), "changed": pl.Boolean()})

LISTS: Final = 64
"""What is mapped over workers at most, about, where there are more tasks: enough for many to end together."""


@dataclass(frozen=True)
class Tables:
    """Both tables: the parts of a manifest's body that hang on them, files that wait, and the keys with new places.

    The keys are in a file beside those that wait.
    """

    body: dict[str, Any]
    staged: dict[str, Path]
    keys: Pieces


def ordered(
    keys: Iterable[pl.DataFrame], place: Path, *, withdrawn: Sequence[str] = (), marks: Marks | None = None
) -> Pieces:
    """The keys of all articles but the withdrawn, with their marks, in the order of the release: a file in `place`.

    The column `changed` tells the articles whose row is another than where it is taken from. Raises ReleaseError on a
    repeated id, on an article without ledger rows, or where there are none.
    """
    found = sort_keys((_checked(some, withdrawn, marks) for some in keys), ORDERED, place)
    if not found.height:
        raise ReleaseError("there are no articles to release: every document is in quarantine; see its reasons")
    return found


def _checked(keys: pl.DataFrame, withdrawn: Sequence[str], marks: Marks | None) -> pl.DataFrame:
    keys = keys.filter(~pl.col("id").is_in(list(withdrawn))).with_columns(day=pl.col("published_at").dt.date())
    bare = keys.filter((pl.col("raw_sha256") != EMPTY_SHA256) & pl.col("lines").is_null())
    if bare.height:
        raise ReleaseError(f"{bare['uri'][0]}: the article has no ledger rows; this is an error of copydesk, report it")
    return keys.with_columns(changed=False) if marks is None else marks.given(keys)


def write_tables(  # noqa: PLR0913 -- what is written, and by whom
    folder: Folder,
    schemas: Mapping[str, Schema],
    rows: Mapping[str, Rows],
    keys: Pieces,
    *,
    over: Over = plainly,
    place: Path | None = None,
    most: int = GATHERED,
) -> Tables:
    """Hold the shards of both tables ready, from ordered keys. Raises ReleaseError where a row breaks its schema.

    `over` maps the writing of shards over its tasks, each of which gathers `most` bytes of rows; their files go to
    `place`, where what was done already is not done again.
    """
    place = place or folder.stage_folder()
    layouts = [laid_out(folder, schemas[name], rows[name], keys) for name in ("article", "ledger")]
    writing = [tasks(folder.path, layout, place, most) for layout in layouts]
    made = (one for some in over("write", _write, _together(writing, rows)) for one in some)
    drawn = {
        layout.schema.name: written(folder, layout, [(task, next(made)) for task in some])
        for layout, some in zip(layouts, writing, strict=True)
    }
    articles, ledger = drawn["article"], drawn["ledger"]
    body = {
        "documents": keys.height,
        "content": {
            "article": article_content(keys.columns(*CONTENT)),
            "ledger": ledger_content(keys.columns(*DIGESTS)),
        },
        "counts": {**article_counts(articles.tallies), "reprints": reprints(keys.columns(*COPIED))},
        "ledger": ledger_counts(ledger.tallies),
        "examples": examples(ledger.tallies),
        "tables": {name: _table(schemas[name], one) for name, one in drawn.items()},
    }
    with whole.written(place / "keys-placed.arrow") as draft:
        kept = keep(draft, KEYS, placed(keys, *layouts))
    return Tables(body, articles.staged | ledger.staged, Pieces(place / "keys-placed.arrow", kept.ends))


def _together(writing: Sequence[list[Writing]], rows: Mapping[str, Rows]) -> list[list[Writing]]:
    """The tasks of the tables, some of one table together where there are many: they open each batch once."""
    if len(rows["article"].batches) <= 1:
        return [[task for some in writing for task in some]]  # for so little no worker process is started
    size = max(1, sum(map(len, writing)) // LISTS)
    return [some[at : at + size] for some in writing for at in range(0, len(some), size)]


def _write(tasks: list[Writing]) -> list[list[Made]]:
    opened = {task.schema.name: Opened(len(tasks) > 1, BESIDE[task.schema.name]) for task in tasks}
    return [write_shards(task, opened[task.schema.name]) for task in tasks]


def _table(schema: Schema, written: Written) -> dict[str, Any]:
    return {
        "schema": schema.digest,
        "columns": schema.columns,
        "features": schema.features(),
        "splits": [{"name": name, "shards": told(shards)} for name, shards in written.splits.items()],
    }
