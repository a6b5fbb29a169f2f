"""The draft of a release: its tables, counted and staged, from keys. Nothing that a reader sees is touched.

ordered        the keys of the coming release, checked and marked, in its order
write_tables   shards of both tables, and what of a manifest hangs on them
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.errors import ReleaseError
from copydesk.release.folder import Folder
from copydesk.release.order import in_order
from copydesk.release.rows import Rows
from copydesk.release.shards import told
from copydesk.release.tables import Written, article_content, laid_out, ledger_content, tasks, written
from copydesk.release.tally import article_counts, examples, ledger_counts, reprints
from copydesk.release.writing import GATHERED, Made, Writing, write_shards
from copydesk.runner import Over, plainly
from copydesk.schema import Schema
from copydesk.text import MARKED

__all__ = ["Tables", "ordered", "write_tables"]

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Tables:
    """Both tables: the parts of a manifest's body that hang on them, files that wait, and the keys with new places."""

    body: dict[str, Any]
    staged: dict[str, Path]
    keys: pl.DataFrame


def ordered(
    keys: pl.DataFrame, withdrawn: Sequence[str] = (), marks: pl.DataFrame | pl.LazyFrame | None = None
) -> pl.DataFrame:
    """The keys of all articles but the withdrawn, marked as `marks` say (id and MARKED), in the order of the release.

    The column `changed` tells the articles whose row is another than where it is taken from. Raises ReleaseError on a
    repeated id, on an article without ledger rows, or where there are none.
    """
    keys = keys.filter(~pl.col("id").is_in(list(withdrawn)))
    if not keys.height:
        raise ReleaseError("there are no articles to release: every document is in quarantine; see its reasons")
    twice = keys.filter(pl.col("id").is_duplicated()).sort("id")
    if twice.height:
        raise ReleaseError(
            f"{twice['uri'][0]} and {twice['uri'][1]} have the same id {twice['id'][0]}; rename one of the two files"
        )
    bare = keys.filter((pl.col("raw_sha256") != EMPTY_SHA256) & pl.col("lines").is_null())
    if bare.height:
        raise ReleaseError(f"{bare['uri'][0]}: the article has no ledger rows; this is an error of copydesk, report it")
    handed_over = [_marked(keys.with_columns(day=pl.col("published_at").dt.date()), marks)]
    del keys  # so that each column can go as soon as it is in order
    return in_order(handed_over.pop())


def _marked(keys: pl.DataFrame, marks: pl.DataFrame | pl.LazyFrame | None) -> pl.DataFrame:
    if marks is None:
        return keys.with_columns(changed=False)
    marks = marks.lazy().collect()
    places = marks.select("id").with_row_index("at")
    at = keys.select("id").join(places, on="id", how="left", maintain_order="left")["at"]
    if (bare := at.is_null().arg_true()).len():
        raise ReleaseError(f"{keys['uri'][bare[0]]}: has no mark; this is an error of copydesk, report it")
    new = [marks[name].gather(at) for name in MARKED]  # beside the keys, which are shared and not copied
    changed = pl.any_horizontal(pl.col(one.name).ne_missing(pl.lit(one)) for one in new)
    return keys.with_columns(changed.alias("changed")).with_columns(new)


def write_tables(  # noqa: PLR0913 -- what is written, and by whom
    folder: Folder,
    schemas: Mapping[str, Schema],
    rows: Mapping[str, Rows],
    keys: pl.DataFrame,
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
    every = [task for some in writing for task in some]
    # What came in one batch is written as one task: for so little no worker process is started.
    together = [every] if len(rows["article"].batches) <= 1 else [[task] for task in every]
    made = (one for some in over("write", _write, together) for one in some)
    drawn = {
        layout.schema.name: written(folder, layout, [(task, next(made)) for task in some])
        for layout, some in zip(layouts, writing, strict=True)
    }
    articles, ledger = drawn["article"], drawn["ledger"]
    body = {
        "documents": keys.height,
        "content": {"article": article_content(keys), "ledger": ledger_content(keys)},
        "counts": {**article_counts(articles.tallies), "reprints": reprints(keys)},
        "ledger": ledger_counts(ledger.tallies),
        "examples": examples(ledger.tallies),
        "tables": {name: _table(schemas[name], one) for name, one in drawn.items()},
    }
    return Tables(body, articles.staged | ledger.staged, _placed(keys, articles, ledger))


def _write(tasks: list[Writing]) -> list[list[Made]]:
    return [write_shards(task) for task in tasks]


def _placed(keys: pl.DataFrame, articles: Written, ledger: Written) -> pl.DataFrame:
    places = articles.places.join(ledger.places, on="id", how="left", maintain_order="left")
    held = [name for name in places.columns if name != "id"]
    return keys.drop(held).join(places, on="id", how="left", maintain_order="left")


def _table(schema: Schema, written: Written) -> dict[str, Any]:
    return {
        "schema": schema.digest,
        "columns": schema.columns,
        "features": schema.features(),
        "splits": [{"name": name, "shards": told(shards)} for name, shards in written.splits.items()],
    }
