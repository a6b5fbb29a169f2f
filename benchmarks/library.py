"""What the afternoon script does, done by copydesk's own functions: `python library.py FOLDER DESTINATION`.

No command does so little: an ingest labels, dates, compares, keeps a ledger and makes a release. So this is no use of
copydesk that a person has, but the part of it that can be set beside the script: files read and decoded, each line
repaired, lines that a rule for every site names left out, of texts that are the same the first kept, Parquet written.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

import polars as pl

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def cleaned(source: Path, into: Path) -> int:
    """Write the texts of a folder, a Parquet file a batch; gives how many there are."""
    from copydesk.config import Ingest, Source
    from copydesk.desk import prepare
    from copydesk.lines.profiles import load_profiles
    from copydesk.sources import Cut, Limits, find_files, read_batch

    files = find_files(Source(name="texts", path=source), source, Limits.of(Ingest())).files
    profiles, seen, number = load_profiles(), set[bytes](), 0
    for batch, (start, end) in enumerate(Cut().spans(files.table["size"].to_list())):
        documents, _ = read_batch(files[start:end])
        prepared = prepare(documents)
        texts = without_furniture(prepared.lines, profiles)
        rows = prepared.documents.select("doc", "id").join(texts, on="doc", how="left", maintain_order="left")
        rows = rows.select("id", pl.col("text").fill_null(""))
        digests = [hashlib.sha1(text.encode()).digest() for text in rows["text"]]
        first = [not (one in seen or seen.add(one)) for one in digests]  # type: ignore[func-returns-value]
        rows.filter(pl.Series(first)).write_parquet(into / f"{batch:05}.parquet", compression="zstd")
        number += sum(first)
    return number


def without_furniture(lines: pl.DataFrame, profiles) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """The text of each document (doc, text): its lines but blank ones and those that a rule leaves out."""
    from copydesk.labels import KEPT
    from copydesk.lines.shape import measure

    shape = measure(lines)
    rule = profiles.match(shape, pl.Series([None], dtype=pl.String).new_from_index(0, len(shape))).anywhere()
    stays = pl.Series([True, *(one.label in KEPT for one in profiles.rules)]).gather(rule + 1)
    kept = lines[shape.rows].select("doc", pl.col("text").str.strip_chars()).filter(stays)
    return kept.group_by("doc", maintain_order=True).agg(pl.col("text").str.join("\n"))


if __name__ == "__main__":
    cleaned(Path(sys.argv[1]), Path(sys.argv[2]))
