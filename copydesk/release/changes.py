"""Changes: how two releases differ, document by document, and why.

    compare            the documents that differ between two releases of a dataset
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
from copydesk.errors import VerifyError
from copydesk.release.corrections import read_corrections
from copydesk.release.manifest import Manifest, choose, read_manifest
from copydesk.text import MARKED

__all__ = ["KEYS", "compare", "compare_keys", "count_changes", "read_keys", "reasons", "render_changelog", "resplit"]

KEYS: Final = ("id", "uri", "source", "raw_sha256", "content_sha256", *MARKED)
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
    """The documents that differ: id, uri, source, change (added, removed, changed, moved, regrouped), cause; sorted.

    `moved` is to another split, `regrouped` to other duplicates. Raises ReleaseError where there is no such release.
    """
    before, after = (read_manifest(dataset, choose(dataset, version)) for version in (old, new))
    corrected = differing(read_corrections(dataset, before.body), read_corrections(dataset, after.body))
    keys = read_keys(dataset, before), read_keys(dataset, after)
    return compare_keys(*keys, reasons(before.body, after.body), corrected, resplit(before.body, after.body))


def read_keys(dataset: Path, manifest: Manifest) -> pl.DataFrame:
    """The KEYS of a release's articles, in order."""
    paths = [dataset / shard.file for shard in manifest.shards("article")]
    try:
        rows = pl.scan_parquet(paths)
        new = {name: pl.lit(None, dtype=pl.String) for name in KEYS if name not in rows.collect_schema()}
        return rows.with_columns(**new).select(KEYS).collect()  # what an older schema does not have is null
    except (OSError, pl.exceptions.PolarsError) as error:
        raise VerifyError(
            f"{dataset}: release {manifest.version} cannot be read ({error}); run copydesk verify"
        ) from error


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
    """As `compare`, from the KEYS of both.

    `judged_anew` is the cause where the raw file is the same, unless the document is among those `corrected` otherwise;
    `moved_by` that of a move to another split.
    """
    columns = ("id", "uri", "source", "change", "cause")
    both = old.join(new, on="id", how="inner", suffix="_new")
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in KEYS if name != "id"}
    change = (
        pl.when(differs["content_sha256"] | differs["raw_sha256"] | differs["uri"] | differs["source"])
        .then(pl.lit("changed"))
        .when(differs["split"])
        .then(pl.lit("moved"))
        .when(pl.any_horizontal(differs[name] for name in MARKED))
        .then(pl.lit("regrouped"))
    )
    cause = (
        pl.when(differs["raw_sha256"])
        .then(pl.lit(RAW_FILE))
        .when((pl.col("change") == "changed") & pl.col("id").is_in(corrected))
        .then(pl.lit(CORRECTION))
        .when(pl.col("change") == "changed")
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
    for change, cause, number in changes.group_by("change", "cause").len().sort("change", "cause").iter_rows():
        counts.setdefault(change, {})[cause] = number
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
    lines += [f"- withdrawn since: {one['id']} ({one['reason']})" for one in body["withdrawn"]]
    refused = body["quarantine"]["documents"]
    lines.append(f"- articles now: {body['documents']:,}; in quarantine: {refused:,}")
    return f"## {manifest.version}{date}\n\n{CAUSES[body['cause']]}\n\n" + "\n".join(lines)


def _told(change: str, causes: Mapping[str, int]) -> str:
    words = {"moved": "moved to another split", "regrouped": "with other duplicates"}.get(change, change)
    why = ", ".join(f"{cause} {number:,}" for cause, number in causes.items())
    return f"{sum(causes.values()):,} {words}" + ("" if change in ("added", "removed") else f" (because of: {why})")
