"""Changes: how two releases differ, document by document, and why.

    compare            the documents that differ between two releases of a dataset; differing_documents the same
                       of two manifests
    compare_keys       the same from the key columns of both
    count_changes      how many of each, as a manifest holds them
    render_changelog   CHANGELOG.md, a function of the manifests

A document that differs has one cause: its raw file changed; or a person corrected it; or it was judged anew and came
out otherwise, because of what the manifests' digests say is different (knowledge, profiles, model, code), or else
because of what the user's paths and sidecars say of it; or only other documents made it a duplicate, or moved it to
another split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.corrections import differing
from copydesk.release.corrections import read_corrections
from copydesk.release.keys import ledger_keys
from copydesk.release.manifest import Manifest, choose, read_manifest
from copydesk.release.markdown import by_number, code, number
from copydesk.release.sides import own_shards, read_shard
from copydesk.text import MARKED

__all__ = [
    "KEYS",
    "LEDGER",
    "compare",
    "compare_keys",
    "count_changes",
    "differing_documents",
    "read_keys",
    "reasons",
    "render_changelog",
    "resplit",
]

KEYS: Final = ("id", "uri", "source", "raw_sha256", "content_sha256", *MARKED)
LEDGER: Final = "ledger_sha256"
RAW_FILE: Final = "raw file"
CORRECTION: Final = "correction"
CORPUS_CAUSE: Final = "other documents"
GIVEN: Final = "paths and sidecars"
SPLITS: Final = "splits"

CAUSES: Final = {
    "first": "The first release.",
    "schema": "The schema changed: programs that read it may need a change too.",
    "rows": "Rows changed.",
    "description": "Only the description or the quarantine changed; all rows are as before.",
}


def compare(dataset: Path, old: str, new: str) -> pl.DataFrame:
    """The documents that differ: id, uri, source, change, cause; sorted.

    A change is one of added, removed, changed, relabelled (the ledger alone differs), moved (to another split) and
    regrouped (with other duplicates). Raises ReleaseError where there is no such release.
    """
    before, after = (read_manifest(dataset, choose(dataset, version)) for version in (old, new))
    return differing_documents(dataset, before, after)


def differing_documents(dataset: Path, before: Manifest, after: Manifest) -> pl.DataFrame:
    """The same of two manifests whose files lie in the dataset's folder."""
    corrected = differing(read_corrections(dataset, before.body), read_corrections(dataset, after.body))
    keys = [read_keys(dataset, *pair) for pair in ((before, after), (after, before))]
    made = reasons(before.body, after.body)
    return compare_keys(keys[0], keys[1], made, corrected, resplit(before.body, after.body))


def read_keys(dataset: Path, manifest: Manifest, other: Manifest | None = None) -> pl.DataFrame:
    """The KEYS of a release's articles and LEDGER, the hash of their ledger rows.

    With `other`, only of documents in shards that the other release does not have: all others are the same in both.
    """
    shards = {table: own_shards(manifest, other, table) for table in ("article", "ledger")}
    hashes = [ledger_keys(read_shard(dataset / shard.file, None)).select("id", LEDGER) for shard in shards["ledger"]]
    ledger = pl.concat([pl.DataFrame(schema={"id": pl.String(), LEDGER: pl.Binary()}), *hashes])
    parts = [read_shard(dataset / shard.file, KEYS) for shard in shards["article"]]
    found = pl.concat([pl.DataFrame(schema=dict.fromkeys(KEYS, pl.String())), *parts], how="diagonal_relaxed")
    missing = ledger.filter(~pl.col("id").is_in(found["id"].implode()))["id"]
    if missing.len():  # only their ledger rows are in shards of this release alone
        rest = [read_shard(dataset / shard.file, KEYS, missing) for shard in manifest.shards("article")]
        found = pl.concat([found, *rest], how="diagonal_relaxed")
    return found.join(ledger, on="id", how="left", maintain_order="left")


def reasons(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What of the makings of two manifest bodies differs, in words."""
    made = {"knowledge": [body["knowledge"]["digest"] for body in (old, new)]}
    for name in sorted((old["digests"].keys() | new["digests"].keys()) - {SPLITS}):
        made[name] = [body["digests"].get(name) for body in (old, new)]
    differing = [name for name, (before, after) in made.items() if before != after]
    return ", ".join(differing) or GIVEN


def resplit(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why articles moved between the releases of two manifest bodies: the rules of the splits, or other documents."""
    before, after = (body["digests"].get(SPLITS) for body in (old, new))
    return SPLITS if before != after else CORPUS_CAUSE


def compare_keys(
    old: pl.DataFrame,
    new: pl.DataFrame,
    judged_anew: str,
    corrected: Sequence[str] = (),
    moved_by: str = CORPUS_CAUSE,
) -> pl.DataFrame:
    """As `compare`, from the KEYS of both, and LEDGER where both have it.

    `judged_anew` is the cause where the raw file is the same, unless the document is among those `corrected` otherwise;
    `moved_by` that of a move to another split.
    """
    columns = ("id", "uri", "source", "change", "cause")
    both = old.join(new, on="id", how="inner", suffix="_new")
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in KEYS if name != "id"}
    change = (
        pl.when(differs["content_sha256"] | differs["raw_sha256"] | differs["uri"] | differs["source"])
        .then(pl.lit("changed"))
        .when(pl.col(LEDGER).ne_missing(pl.col(f"{LEDGER}_new")))
        .then(pl.lit("relabelled"))
        .when(differs["split"])
        .then(pl.lit("moved"))
        .when(pl.any_horizontal(differs[name] for name in MARKED))
        .then(pl.lit("regrouped"))
    )
    judged = pl.col("change").is_in(["changed", "relabelled"])
    cause = (
        pl.when(differs["raw_sha256"])
        .then(pl.lit(RAW_FILE))
        .when(judged & pl.col("id").is_in(corrected))
        .then(pl.lit(CORRECTION))
        .when(judged)
        .then(pl.lit(judged_anew))
        .when(pl.col("change") == "moved")
        .then(pl.lit(moved_by))
        .otherwise(pl.lit(CORPUS_CAUSE))
    )
    changed = both.with_columns(change=change).filter(pl.col("change").is_not_null()).with_columns(cause=cause)
    added = new.join(old, on="id", how="anti").with_columns(change=pl.lit("added"), cause=pl.lit(RAW_FILE))
    removed = old.join(new, on="id", how="anti").with_columns(change=pl.lit("removed"), cause=pl.lit(RAW_FILE))
    return pl.concat(part.select(columns) for part in (added, removed, changed)).sort("change", "source", "uri", "id")


def count_changes(changes: pl.DataFrame) -> dict[str, dict[str, int]]:
    """{change: {cause: documents}}, sorted."""
    counts: dict[str, dict[str, int]] = {}
    for change, cause, found in changes.group_by("change", "cause").len().sort("change", "cause").iter_rows():
        counts.setdefault(change, {})[cause] = found
    return counts


def render_changelog(manifests: Sequence[Manifest]) -> str:
    """The dataset's CHANGELOG.md; `manifests` are those of all releases, oldest first."""
    title = manifests[-1].body["description"]["title"]
    parts = [f"# Changes of {title}", *(_entry(one) for one in reversed(manifests))]
    return "\n\n".join(parts) + "\n"


def _entry(manifest: Manifest) -> str:
    body = manifest.body
    date = f" ({body['date']})" if body["date"] else ""
    lines = [f"- {_told(change, causes)}" for change, causes in body["changes"].items()]
    lines += [
        f"- {'lines by rule' if name == 'rule' else f'by {name}'}: {_named(counts)}"
        for name, counts in sorted(body.get("changed", {}).items())
        if counts and body["changes"]
    ]
    lines += [f"- withdrawn since: {one['id']} ({one['reason']})" for one in body["withdrawn"]]
    refused = body["quarantine"]["documents"]
    lines.append(f"- articles now: {body['documents']:,}; in quarantine: {refused:,}")
    return f"## {manifest.version}{date}\n\n{CAUSES[body['cause']]}\n\n" + "\n".join(lines)


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{code(name)} {number(count)}" for name, count in by_number(counts))


def _told(change: str, causes: Mapping[str, int]) -> str:
    words = {
        "moved": "moved to another split",
        "regrouped": "with other duplicates",
        "relabelled": "with the same text and other labels",
    }.get(change, change)
    why = ", ".join(f"{cause} {found:,}" for cause, found in causes.items())
    return f"{sum(causes.values()):,} {words}" + ("" if change in ("added", "removed") else f" (because of: {why})")
