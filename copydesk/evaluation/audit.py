"""Drawing the lines of an audit: a sample of a release, for a person to judge keep or drop right or wrong.

    draw   N lines, by source, decision and doubt; the same release, N and seed give the same lines

Decisions: `kept` lines stand in the text; `out` lines do not, by any label but those of titles and datelines, which go
into fields and count neither way (as in `evaluate`). Blank lines are not asked about. Where doubt is greater more lines
are drawn, by Neyman's rule with the error rates in GUESSES; every stratum gets two at least. Which lines: those whose
number, mixed from id, line, span and seed, is least; they are asked in that order, so that an audit that is broken off
is a sample, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.errors import UsageError
from copydesk.estimate import KIND
from copydesk.evaluation.scores import GONE
from copydesk.labels import KEPT
from copydesk.release.manifest import choose, read_manifest
from copydesk.release.reading import read_pieces

__all__ = ["draw"]

GUESSES: Final = {"sure": 0.01, "fair": 0.05, "doubtful": 0.2}
"""Error rates that the sample is shared out by; a wrong guess costs precision, never truth."""

SURE, FAIR = 0.9, 0.7
PER_SOURCE: Final = 20
"""Lines that a source must be worth to be strata of its own; smaller sources are taken together."""

OTHERS: Final = "other sources"
ALL: Final = "all sources"

Numbers = NDArray[np.uint64]


def draw(dataset: Path, number: int, *, seed: int = 0, version: str | None = None) -> dict[str, Any]:
    """A sample of `number` lines of a release: the head of its audit file, `file` and `lines`.

    `lines` are (id, line, span, number of the stratum, decision). Raises UsageError where `number` is under 20,
    ReleaseError where there is no such release.
    """
    if number < 20:
        raise UsageError(f"--audit {number}: give 20 lines or more; 200 bound a share of 2 % to about 1 to 4 %")
    reference = choose(dataset, version)
    manifest = read_manifest(dataset, reference)
    sources = _sources(manifest.body["counts"]["by_source"], number)
    counts: dict[tuple[str, str, str], int] = {}
    lowest: list[pl.DataFrame] = []
    columns = ["id", "line", "span", "label", "confidence"]
    for piece in read_pieces(dataset, manifest, ["id", "source"], columns):
        rows = _rows(piece.ledger, piece.articles, sources, seed)
        for key, count in (
            rows.group_by("source", "decision", "doubt").len().select(pl.struct(pl.exclude("len")), "len").iter_rows()
        ):
            name = (key["source"], key["decision"], key["doubt"])
            counts[name] = counts.get(name, 0) + count
        lowest.append(rows.sort("key").group_by("source", "decision", "doubt", maintain_order=True).head(number))
    strata = sorted(counts)
    drawn = _shared_out([(counts[name], GUESSES[name[2]]) for name in strata], number)
    lines = _drawn(pl.concat(lowest), strata, drawn)
    return {
        "kind": KIND,
        "dataset": str(manifest.body["name"]),
        "version": manifest.version,
        "content": str(manifest.body["content"]["ledger"]),
        "seed": seed,
        "strata": [
            {"name": " · ".join(name), "decision": name[1], "lines": counts[name], "drawn": some}
            for name, some in zip(strata, drawn, strict=True)
        ],
        "file": f"audit-{manifest.version}.jsonl",
        "lines": lines,
    }


def _sources(counts: dict[str, int], number: int) -> list[str]:
    """The sources that have strata of their own: the largest, as many as the sample can bear."""
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return ranked if len(ranked) * PER_SOURCE <= number else ranked[: number // PER_SOURCE - 1]


def _rows(ledger: pl.DataFrame, articles: pl.DataFrame, sources: list[str], seed: int) -> pl.DataFrame:
    """The lines that can be drawn: id, line, span, source, decision, doubt, key."""
    label, sure = pl.col("label").cast(pl.String), pl.col("confidence").cast(pl.Float64).round(4)
    decision = pl.when(label.is_in(KEPT)).then(pl.lit("kept")).when(label.is_in(GONE)).then(pl.lit("out"))
    doubt = (
        pl.when(sure >= SURE).then(pl.lit("sure")).when(sure >= FAIR).then(pl.lit("fair")).otherwise(pl.lit("doubtful"))
    )
    source = pl.when(pl.col("source").is_in(sources)).then("source").otherwise(pl.lit(OTHERS if sources else ALL))
    rows = ledger.with_columns(decision=decision, doubt=doubt).filter(pl.col("decision").is_not_null())
    rows = rows.join(articles.with_columns(source=source), on="id", how="inner", maintain_order="left")
    return rows.select("id", "line", "span", "source", "decision", "doubt", key=pl.Series(_keys(rows, seed)))


def _keys(rows: pl.DataFrame, seed: int) -> Numbers:
    """A number for each line that looks random and is the same everywhere (the steps of SplitMix64)."""
    ids = rows["id"].str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
    place = rows["line"].cast(pl.UInt64).to_numpy() * np.uint64(65536) + rows["span"].cast(pl.UInt64).to_numpy()
    return _mixed(_mixed(ids + np.uint64(seed % 2**64)) + place)


def _mixed(values: Numbers) -> Numbers:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)), np.uint64)


def _shared_out(strata: list[tuple[int, float]], number: int) -> list[int]:
    """How many lines of each stratum (lines, error rate): two at least, the rest by Neyman's rule."""
    drawn = [min(2, lines) for lines, _ in strata]
    while (left := number - sum(drawn)) > 0:
        open_ = [at for at, (lines, _) in enumerate(strata) if drawn[at] < lines]
        if not open_:
            break
        weights = {at: strata[at][0] * (strata[at][1] * (1 - strata[at][1])) ** 0.5 for at in open_}
        whole = sum(weights.values())
        shares = {at: min(int(left * weight / whole), strata[at][0] - drawn[at]) for at, weight in weights.items()}
        if not any(shares.values()):
            for at in sorted(open_, key=lambda at: (-weights[at], at))[:left]:
                drawn[at] += 1
            continue
        for at, more in shares.items():
            drawn[at] += more
    return drawn


def _drawn(rows: pl.DataFrame, strata: list[tuple[str, str, str]], drawn: list[int]) -> list[list[Any]]:
    """The lines drawn, in the order of their keys."""
    chosen = []
    for at, ((source, decision, doubt), some) in enumerate(zip(strata, drawn, strict=True)):
        part = rows.filter(source=source, decision=decision, doubt=doubt).sort("key", "id", "line", "span").head(some)
        chosen.append(part.with_columns(stratum=pl.lit(at)))
    ordered = pl.concat(chosen).sort("key", "id", "line", "span")
    return [list(row) for row in ordered.select("id", "line", "span", "stratum", "decision").iter_rows()]
