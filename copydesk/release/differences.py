"""Differences: what of each document differs between two releases, in which columns and by which rules.

    changes_entry   what a manifest says of its changes; first_entry: where it is the first
    detailed     the documents that differ (see changes), with site, month, splits, columns and rules
    summarised   how many of them by source, site and month, and how many lines by rule

A rule is the evidence id of a ledger row. A line is counted where it is not labelled as before: once for the rule that
said so before, once for the one that says so now. Lines are told apart by their bytes, so a line that only moved within
its document is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.release.changes import RAW_FILE, count_changes, differing_documents
from copydesk.release.manifest import Manifest
from copydesk.release.sides import Side, own_shards, pairs, read_shard
from copydesk.text import BOOKKEEPING

__all__ = ["DETAILS", "changes_entry", "detailed", "details", "first_entry", "summarised"]

JUDGED: Final = ("raw", "label", "fate", "evidence")
RULE: Final = pl.Struct({"rule": pl.String(), "before": pl.Int64(), "after": pl.Int64()})
DETAILS: Final = pl.Schema(
    {
        **dict.fromkeys(("id", "uri", "source", "change", "cause", "site", "month"), pl.String()),
        "splits": pl.List(pl.String()),
        "columns": pl.List(pl.String()),
        "rules": pl.List(RULE),
    }
)
"""`splits` are those before and after, null where there is none; `rules` say of how many lines a rule spoke that are
not labelled so on the other side."""

MOST: Final = 12
"""Names that a summary lists by number; the others are added up as OTHERS."""

OTHERS: Final = "(others)"


def detailed(dataset: Path, before: Manifest, after: Manifest) -> pl.DataFrame:
    """The documents that differ between two releases of a dataset (DETAILS); sorted by change, source, uri and id."""
    return details(dataset, before, after, differing_documents(dataset, before, after))


def details(dataset: Path, before: Manifest, after: Manifest, found: pl.DataFrame) -> pl.DataFrame:
    """The same of the documents `found` to differ."""
    both = found.filter(pl.col("change").is_in(["changed", "relabelled"]))["id"]
    facts = _facts(dataset, before, after, found)
    columns = _joined(_columns(dataset, before, after, both), {"id": pl.String(), "columns": pl.List(pl.String())})
    rules = _joined(_rules(dataset, before, after, both), {"id": pl.String(), "rules": pl.List(RULE)})
    for part in (facts, columns, rules):
        found = found.join(part, on="id", how="left", maintain_order="left")
    return found.with_columns(pl.col("columns", "rules").fill_null([])).select(list(DETAILS)).cast(DETAILS)


def _joined(parts: Iterator[pl.DataFrame], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _facts(dataset: Path, before: Manifest, after: Manifest, found: pl.DataFrame) -> pl.DataFrame:
    """Site and month of each document, as the newer release has them, and its splits."""
    held = (found.filter(pl.col("change") != absent)["id"] for absent in ("added", "removed"))
    sides = zip(((before, after), (after, before)), held, strict=True)
    old, new = (_placed(dataset, *pair, ids) for pair, ids in sides)
    whole = old.join(new, on="id", how="full", coalesce=True, suffix="_new")
    here = pl.col("split_new").is_not_null()
    newer = (pl.when(here).then(pl.col(f"{name}_new")).otherwise(name).alias(name) for name in ("site", "month"))
    return whole.select("id", *newer, splits=pl.concat_list("split", "split_new"))


def _placed(dataset: Path, manifest: Manifest, other: Manifest, ids: pl.Series) -> pl.DataFrame:
    """Columns id, site, month and split of the documents in one release."""
    wanted = ["id", "site", "published_at", "split"]
    parts = [read_shard(dataset / shard.file, wanted, ids) for shard in own_shards(manifest, other, "article")]
    there = pl.concat([pl.DataFrame(schema={"id": pl.String()}), *(part.select("id") for part in parts)])
    missing = pl.DataFrame({"id": ids}).join(there, on="id", how="anti")
    shared = {shard.file for shard in other.shards("article")}
    if missing.height:  # the articles of those relabelled may stand in a shard of both releases
        files = [shard.file for shard in manifest.shards("article") if shard.file in shared]
        parts += [read_shard(dataset / file, wanted, missing["id"]) for file in files]
    month = pl.col("published_at").dt.strftime("%Y-%m")
    empty = pl.DataFrame(schema=dict.fromkeys(("id", "site", "month", "split"), pl.String()))
    return pl.concat([empty, *(part.select("id", "site", month.alias("month"), "split") for part in parts)])


def _columns(dataset: Path, before: Manifest, after: Manifest, ids: pl.Series) -> Iterator[pl.DataFrame]:
    """The columns whose values differ, of each document."""
    sides = [Side(dataset, own_shards(*two, "article")) for two in ((before, after), (after, before))]
    for old, new in pairs(sides[0], sides[1], ids):
        names = [name for name in new.columns if name not in BOOKKEEPING]
        joined = _plain(new, names).join(_plain(old, names), on="id", how="inner", suffix="_old")
        differing = [
            pl.when(pl.col(name).ne_missing(pl.col(f"{name}_old"))).then(pl.lit(name)).alias(name) for name in names
        ]
        yield joined.select("id", columns=pl.concat_list(differing).list.drop_nulls())


def _plain(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Each value as JSON, so that lists and structs are compared by what they say; a missing column is null."""
    held = [name for name in names if name in rows.columns]
    absent = {name: pl.lit(None, dtype=pl.String) for name in names if name not in rows.columns}
    return rows.select("id", *(pl.struct(name).struct.json_encode().alias(name) for name in held), **absent)


def _rules(dataset: Path, before: Manifest, after: Manifest, ids: pl.Series) -> Iterator[pl.DataFrame]:
    """The rules whose lines differ, of each document; nothing where a ledger was not published."""
    if not all("ledger" in one.body["tables"] for one in (before, after)):
        return
    sides = [Side(dataset, own_shards(*two, "ledger")) for two in ((before, after), (after, before))]
    for old, new in pairs(sides[0], sides[1], ids, ["id", "line", "span", *JUDGED]):
        judged = [name for name in JUDGED if name in new.columns and name in old.columns]
        keys = ["id", *judged, "copy"]
        numbered = [rows.with_columns(copy=pl.int_range(pl.len()).over("id", *judged)) for rows in (old, new)]
        lost = numbered[0].join(numbered[1], on=keys, how="anti")
        gained = numbered[1].join(numbered[0], on=keys, how="anti")
        spoken = pl.concat(
            part.group_by("id", rule="evidence").agg(
                before=pl.lit(sign == "before").sum() * pl.len(), after=pl.lit(sign == "after").sum() * pl.len()
            )
            for part, sign in ((lost, "before"), (gained, "after"))
        )
        summed = spoken.group_by("id", "rule").agg(pl.col("before", "after").cast(pl.Int64).sum()).sort("id", "rule")
        yield summed.group_by("id", maintain_order=True).agg(rules=pl.struct("rule", "before", "after"))


def summarised(details: pl.DataFrame) -> dict[str, dict[str, int]]:
    """{"source" | "site" | "month": {name: documents}, "rule": {evidence id: lines}}, the most frequent of each.

    A rule's lines are those that it spoke of before or speaks of now, and that the other release has otherwise.
    """
    found = {
        name: _most(Counter(dict(details[name].fill_null("(unknown)").value_counts().iter_rows())))
        for name in ("source", "site", "month")
    }
    lines = details.select(pl.col("rules").explode()).drop_nulls().unnest("rules")
    counted = lines.group_by("rule").agg(lines=(pl.col("before") + pl.col("after")).sum())
    return {**found, "rule": _most(Counter(dict(counted.iter_rows())))}


def first_entry(documents: int) -> dict[str, Any]:
    """The entries of a first release: all its documents are new."""
    return {"changes": {"added": {RAW_FILE: documents}}}


def changes_entry(dataset: Path, before: Manifest | None, after: Manifest, found: pl.DataFrame) -> dict[str, Any]:
    """The entries `changes` and `changed` of a manifest whose files are in their places.

    `changes` counts by change and cause, `changed` is the summary of the documents `found` to differ; a first release
    has the former only.
    """
    counted = {"changes": count_changes(found)}
    if before is None:
        return counted
    return {**counted, "changed": summarised(details(dataset, before, after, found))}


def _most(counts: Counter[str]) -> dict[str, int]:
    pairs_ = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(number for _, number in pairs_[MOST:])
    return {**dict(pairs_[:MOST]), **({OTHERS: rest} if rest else {})}
