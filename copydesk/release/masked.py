"""Masked tables: what masking does to the rows of a release.

    mask_ledger     ledger rows with their text, masked, and the new texts of the documents that this changed
    mask_articles   article rows: new texts, every column of text masked, hashes made anew

An article's text is composed from the masked spans, so that ledger and articles say the same. `counts` and `quality`
stay as they were measured.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from copydesk.release.masking import Masker
from copydesk.text import compose_texts, content_hashes, span_texts

__all__ = ["mask_articles", "mask_ledger"]

NAMES: Final = frozenset({"id", "source", "raw_sha256", "content_sha256", "split", "duplicate_cluster", "duplicate_of"})
"""Columns that name rows; no text of a raw file is in them."""

COMPOSED: Final = frozenset({"text", "headings"})


def mask_ledger(frame: pl.DataFrame, masker: Masker) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with `text` filled and masked; and id, text, headings of each document that has a span changed."""
    told = span_texts(frame)
    rows = frame.with_columns(text=_masked_lines(frame, told, masker), uri=masker.column(frame["uri"]))
    changed = frame["id"].filter(rows["text"] != told).unique()
    spans = rows.filter(pl.col("id").is_in(changed.implode()))
    texts = compose_texts(spans.select("line", "label", "fate", "text", doc="id"))
    return rows, texts.rename({"doc": "id"})


def _masked_lines(frame: pl.DataFrame, told: pl.Series, masker: Masker) -> pl.Series:
    """Whole lines as a column; the few lines of several spans each as a whole, so that nothing hides at a cut."""
    masked = masker.column(told)
    places = frame.with_row_index("row").filter(pl.len().over("id", "line") > 1)
    cut = places.group_by("id", "line", maintain_order=True).agg("row")["row"]
    for rows in cut.to_list():
        before = told.gather(rows).to_list()
        after = masker.spans(before)
        if after != before:
            masked = masked.clone().scatter(rows, after)
    return masked


def mask_articles(frame: pl.DataFrame, texts: pl.DataFrame, masker: Masker, *, text: bool) -> pl.DataFrame:
    """The rows with every text masked. `texts` are those of mask_ledger; without `text` hashes stay what they were."""
    if not masker.masks:
        return frame
    others = [_masked(frame[name], masker) for name in frame.columns if name not in NAMES | COMPOSED]
    rows = frame.with_columns(others)
    differs = [frame[one.name].ne_missing(one) for one in others]
    changed = pl.select(pl.any_horizontal(differs)).to_series() | frame["id"].is_in(texts["id"].implode())
    if not text:
        return rows
    new = rows.select("id").join(texts, on="id", how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.coalesce(new["text"], rows["text"]),
        headings=pl.select(pl.when(new["text"].is_not_null()).then(new["headings"]).otherwise(rows["headings"]))
        .to_series()
        .cast(rows.schema["headings"]),
        dateline_end=_moved(frame, masker),
        raw_sha256=pl.when(changed).then(None).otherwise("raw_sha256"),
    )
    return rows.with_columns(content_sha256=content_hashes(rows))


def _moved(frame: pl.DataFrame, masker: Masker) -> pl.Series:
    """`dateline_end` in the masked texts."""
    openings = frame.select(
        pl.when(pl.col("dateline_end").is_not_null()).then(pl.col("text").str.slice(0, pl.col("dateline_end")))
    ).to_series()
    return masker.column(openings).str.len_chars().cast(pl.Int32)


def _masked(column: pl.Series, masker: Masker) -> pl.Series:
    """A column with every text in it masked, however deep."""
    if column.dtype == pl.String:
        return masker.column(column)
    if not column.dtype.is_nested():
        return column
    told = column.to_frame().select(pl.struct(pl.all()).struct.json_encode()).to_series()
    if masker.column(told).equals(told):
        return column
    return pl.Series(column.name, [_masked_value(value, masker) for value in column.to_list()], dtype=column.dtype)


def _masked_value(value: Any, masker: Masker) -> Any:
    if isinstance(value, str):
        return masker.text(value)
    if isinstance(value, list):
        return [_masked_value(part, masker) for part in value]
    if isinstance(value, dict):
        return {name: _masked_value(part, masker) for name, part in value.items()}
    return value
