"""Corrections as gold: what people marked in a release, in the form that `evaluate` and `model train` read.

    as_gold         a gold file as it is; a file of corrections turned into one, for as long as it is needed
    gold_of         the corrections of a release's documents as a gold file with their raw texts beside it

Only what was marked is labelled: the other lines of these documents are null, and count nowhere.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.carry import wanted_release
from copydesk.corrections import load_corrections, read_records, text_hash
from copydesk.errors import UsageError
from copydesk.release.reading import raw_of, read_pieces
from copydesk.text import span_texts

__all__ = ["as_gold", "gold_of"]


@contextlib.contextmanager
def as_gold(path: Path, dataset: Path | None) -> Iterator[Path]:
    """The gold file to read for `path`, which may be a file of corrections of a `dataset`.

    Raises UsageError where it is, and no dataset is given or none of its documents is corrected.
    """
    if not path.is_file() or path.suffix == ".gz" or "who" not in next((one for _, one in read_records(path)), {}):
        yield path
        return
    if dataset is None:
        raise UsageError(f"{path}: holds corrections; give the dataset whose documents they correct with --dataset")
    with tempfile.TemporaryDirectory() as folder:
        yield gold_of(path, dataset, Path(folder))


def gold_of(corrections: Path, dataset: Path, folder: Path) -> Path:
    """Write `corrections.jsonl`, a gold file (schemas/gold.yaml), and its raw texts into a folder; gives the file."""
    said = load_corrections([corrections])
    last = wanted_release(dataset)
    raws = folder / "corrections"
    raws.mkdir(parents=True)
    records = []
    columns = ["id", "line", "span", "raw", "text"]
    for piece in read_pieces(last.folder, last.manifest, ["id", "raw_sha256", "outlet"], columns):
        articles = piece.articles.join(said.select("id", "raw_sha256").unique(), on=["id", "raw_sha256"], how="semi")
        ledger = piece.ledger.filter(pl.col("id").is_in(articles["id"].implode()))
        told = ledger.with_columns(said=span_texts(ledger)) if ledger.height else ledger
        for name, raw in raw_of(ledger) if ledger.height else ():
            (raws / f"{name}.txt").write_bytes(raw)
            article = articles.row(by_predicate=pl.col("id") == name, named=True)
            records.append(_record(article, told.filter(id=name), said.filter(id=name)))
    if not records:
        raise UsageError(f"{corrections}: corrects no document of {dataset} as it is now; name the dataset it is about")
    gold = folder / "corrections.jsonl"
    gold.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), encoding="utf-8")
    return gold


def _record(article: dict[str, Any], ledger: pl.DataFrame, said: pl.DataFrame) -> dict[str, Any]:
    texts = ledger.group_by("line", maintain_order=True).agg(pl.col("said").str.join(""))
    labels: list[str | None] = [None] * texts.height
    hashes = [text_hash(text) for text in texts["said"]]
    for line, wanted, label in (
        said.filter(pl.col("label").is_not_null()).select("line", "text_sha256", "label").iter_rows()
    ):
        if line <= len(labels) and hashes[line - 1] == wanted:
            labels[line - 1] = label
    fields = {name: json.loads(value) for name, value in said.drop_nulls("field").select("field", "value").iter_rows()}
    return {
        "id": article["id"],
        "sha256": article["raw_sha256"],
        "kind": "corrected",
        "n_lines": len(labels),
        "labels": labels,
        "fields": {name: value for name, value in fields.items() if name != "site"},
        **({"domain": article["outlet"]} if article["outlet"] else {}),
    }
