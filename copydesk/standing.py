"""How corrections stand in a release: which hold, and what is to be said of the others.

    standing   a note for each correction that does nothing, with the reason; nothing where all hold

Read from the release itself: a correction holds where the ledger or a field's provenance names its person.
"""

from __future__ import annotations

import polars as pl

from copydesk.carry import Last
from copydesk.corrections import HUMAN

__all__ = ["standing"]

SHOWN = 10
"""Notes in full; more are counted."""


def standing(last: Last, corrections: pl.DataFrame) -> list[str]:
    """A note for each correction that does nothing in the release, at most SHOWN and their number."""
    if not corrections.height:
        return []
    ids = corrections["id"].unique().implode()
    raw = dict(_rows(last, "article", ids).select("id", "raw_sha256").collect().iter_rows())
    lines = _rows(last, "ledger", ids).filter(pl.col("evidence").str.starts_with(HUMAN))
    marked = set(lines.select("id", "line", pl.col("label").cast(pl.String), "evidence").collect().iter_rows())
    notes = [note for row in corrections.to_dicts() if (note := _note(row, raw, marked))]
    told = notes[:SHOWN] + ([f"{len(notes) - SHOWN} more corrections do nothing"] if len(notes) > SHOWN else [])
    held = corrections.height - len(notes)
    return [f"{held} of {corrections.height} corrections hold", *told] if notes else [f"{held} corrections hold"]


def _rows(last: Last, table: str, ids: pl.Series) -> pl.LazyFrame:
    paths = [last.folder / shard.file for shard in last.manifest.shards(table)]
    return pl.scan_parquet(paths).filter(pl.col("id").is_in(ids)) if paths else pl.LazyFrame()


def _note(row: dict[str, object], raw: dict[str, str], marked: set[tuple[object, ...]]) -> str | None:
    """Why a correction does nothing; None where it holds."""
    place = f"{row['where']}: {row['uri']}" + (f" line {row['line']}" if row["line"] else f" {row['field']}")
    if row["id"] not in raw:
        return f"{place}: the release has no such document; delete the correction if it is gone for good"
    if row["raw_sha256"] != raw[str(row["id"])]:
        return f"{place}: stale: the raw file has changed since; look at it again and correct it anew"
    if row["line"] and (row["id"], row["line"], row["label"], f"{HUMAN}{row['who']}") not in marked:
        return f"{place}: stale: the line reads otherwise now; look at it again and correct it anew"
    return None
