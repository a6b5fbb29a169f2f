"""Scores and speed of metadata extraction.

    python benchmarks/metadata.py scores [EVALUATION_DATA]   fields on unlabelled pages (lines labelled by copydesk)
    python benchmarks/metadata.py speed CORPUS [DOCUMENTS]   CPU microseconds a document, language apart

EVALUATION_DATA (default: $COPYDESK_EVALUATION_DATA, else ../shared) holds metadata/dev.jsonl.gz, datelines.dev.jsonl
and score.py; CORPUS is a folder of .txt files. Scores are printed by the evaluation data's own scorer.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.lines import label_lines
from copydesk.lines.profiles import load_profiles
from copydesk.lines.sites import find_sites
from copydesk.metadata import extract, language, parse_dateline, published_iso
from copydesk.metadata.layout import layout_of
from copydesk.metadata.stories import longest


def table_of(texts: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Line table and documents of plain texts, one document each."""
    rows = [(doc, at, line) for doc, text in enumerate(texts) for at, line in enumerate(text.split("\n"), 1)]
    lines = pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")
    documents = pl.DataFrame({"doc": pl.Series(range(len(texts)), dtype=pl.UInt32)}).with_columns(
        id=pl.col("doc").cast(pl.String), site=pl.lit(None, pl.String), outlet=pl.lit(None, pl.String)
    )
    return lines, documents


def labelled(texts: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spans and documents, labelled with the shipped knowledge."""
    lines, documents = table_of(texts)
    profiles, knowledge = load_profiles(), Knowledge()
    documents = documents.with_columns(site=find_sites(lines, documents, profiles, knowledge))
    return label_lines(lines, documents, knowledge, profiles), documents


def as_scored(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `extract` in the scorer's words."""
    dateline = row["dateline"]
    day = None
    if row["published_at"] is not None and row["published_precision"] != "month":
        day = published_iso(row["published_at"], row["published_offset"], row["published_precision"])[:10]
    return {
        "headline": row["headline"],
        "published": day,
        "authors": row["authors"],
        "section": row["section"],
        "keywords": [*row["topics"], *row["persons"]],
        "site": row["outlet"],
        "language": row["language"],
        "dateline": dateline and {"places": dateline["places"], "agency": dateline["agency"]},
    }


def scores(folder: Path) -> None:
    """Print precision, recall and F1 per field, for pages and for datelines."""
    spec = importlib.util.spec_from_file_location("score", folder / "metadata" / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder}: no metadata/score.py; give the folder of the evaluation data")
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    with gzip.open(folder / "metadata" / "dev.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    table = extract(*labelled([record["text"] for record in records]), Knowledge())
    found = {record["id"]: as_scored(row) for record, row in zip(records, table.iter_rows(named=True), strict=True)}
    openings = score.load(str(folder / "metadata" / "datelines.dev.jsonl"))
    read = {one["id"]: d.asdict() if (d := parse_dateline(one["text"])) else {} for one in openings}
    for title, tallies in (
        ("pages", score.score_meta(records, found)),
        ("datelines", score.score_datelines(openings, read)),
    ):
        print(title)
        for name, tally in tallies.items():
            row = tally.row()
            rates = "  ".join(f"{rate} {row[rate]:.3f}" for rate in ("precision", "recall", "f1"))
            print(f"  {name:12s} gold {row['gold']:4d}  {rates}")


def cpu() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


BATCH = 4_000
"""Documents of a batch, as an ingest has them."""


def speed(folder: Path, count: int) -> None:
    """Print CPU microseconds a document of `extract` without language, and of language alone.

    Every batch is read once, as in an ingest: what the readers remember of the batches before counts, what they would
    remember of the same documents does not. The first batch loads the tables and is left out where there are more.
    """
    paths = sorted(folder.rglob("*.txt"))[:count]
    real, knowledge = language.detect_all, Knowledge()
    rest, alone, documents = 0.0, 0.0, 0
    for start in range(0, len(paths), BATCH):
        some = paths[start : start + BATCH]
        spans, table = labelled([path.read_text(encoding="utf-8", errors="replace") for path in some])
        asked = longest(layout_of(spans, table))
        tongue = timed(lambda asked=asked: real(*asked))
        language.detect_all = lambda lines, _: [("en", 1.0)] * len(lines)
        fields = timed(lambda spans=spans, table=table: extract(spans, table, knowledge))
        language.detect_all = real
        if start or len(paths) <= BATCH:
            rest, alone, documents = rest + fields, alone + tongue, documents + len(some)
    print(f"{documents} documents: {rest / documents * 1e6:.0f} us each, language {alone / documents * 1e6:.0f} us")


def timed(work: Any) -> float:
    """CPU seconds of one call."""
    start = cpu()
    work()
    return cpu() - start


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "speed":
        speed(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 20_000)
    elif len(sys.argv) > 1 and sys.argv[1] == "scores":
        given = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("COPYDESK_EVALUATION_DATA", "../shared")
        scores(Path(given))
    else:
        raise SystemExit(__doc__)
