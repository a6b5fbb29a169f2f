"""The article's text: how kept spans become paragraphs, and what makes two rows the same.

    compose_texts    spans or ledger rows to each document's text and headings
    said             what a line's bytes say as UTF-8: the ledger leaves a text out that is just this
    span_texts       what ledger rows say
    before_repair    what they said before they were repaired
    content_hashes   content_sha256 of articles

The rule of the text, which `verify` recomputes from the ledger: the spans whose fate is `text`, in order, each without
the white space around it; body spans of one line are joined by one space (what stood between them was furniture), and
all else stands apart by a blank line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from copydesk.aligned import listed, starts
from copydesk.labels import KEPT

__all__ = [
    "BOOKKEEPING",
    "DUPLICATES",
    "MARKED",
    "as_utf8",
    "before_repair",
    "canonical_rows",
    "compose_texts",
    "content_hashes",
    "said",
    "span_texts",
]

MARKED: Final = ("duplicate_cluster", "duplicate_of", "duplicate_outlet", "duplicate_agency", "split")
"""Columns that all articles together decide, and not an article's own document."""

DUPLICATES: Final = "duplicates"
"""The split of copies that are to be dropped: it is in every release, and in no config but the one of its name."""

BOOKKEEPING: Final = ("id", "uri", "source", *MARKED, "content_sha256")
"""Columns that name a row or that other documents decide: they are no part of its content."""

FLOAT_STEPS: Final = 1_000_000
"""Numbers enter the content hash in millionths, as integers: float printing differs between libraries."""


def as_utf8(raw: pl.Series) -> pl.Series:
    """Bytes as text where they are UTF-8, null where they are not (Polars' own cast fails on the first that is not)."""
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        array: Any = raw.to_arrow(compat_level=pl.CompatLevel.oldest())
        found = pc.if_else(_are_utf8(raw, array), array, pa.nulls(1, pa.large_binary())[0]).cast(pa.large_string())
        return pl.Series(raw.name, found, dtype=pl.String)


def _are_utf8(raw: pl.Series, array: Any) -> Any:
    """A mask: only rows with a byte over 127 are tried one by one."""
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset :]
    high = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) > 127)
    rows = np.unique(np.searchsorted(ends, high, side="right") - 1)
    fine = np.ones(raw.len(), dtype=bool)
    rows = rows[(rows >= 0) & (rows < raw.len())]
    fine[rows] = [_is_utf8(value) for value in raw.gather(rows)]
    return pl.Series(fine).to_arrow()


def _is_utf8(raw: bytes | None) -> bool:
    try:
        (raw or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def said(raw: pl.Series) -> pl.Series:
    """What the bytes of lines say as UTF-8, without their line end; null where they are not UTF-8.

    The ledger leaves out a text that is just this, so nobody needs a codec to read a ledger.
    """
    return as_utf8(raw).str.strip_suffix("\n").str.strip_suffix("\r")


def span_texts(ledger: pl.DataFrame) -> pl.Series:
    """The text of each ledger row: `text`, or where that is null what `raw` says."""
    given = ledger["text"]
    if not given.null_count():
        return given
    return pl.select(pl.coalesce(given, said(ledger["raw"]))).to_series().alias("text")


def before_repair(ledger: pl.DataFrame, encodings: Mapping[str, str]) -> pl.Series:
    """What the bytes of each ledger row say before repair; null where that is its text. `encodings` are by id."""
    given = ledger["text"].is_not_null().arg_true().to_list()
    rows = ledger[given]
    values: list[str | None] = [None] * ledger.height
    told = zip(given, rows["id"], rows["raw"], as_utf8(rows["raw"]), rows["text"], strict=True)
    for at, key, raw, utf8, text in told:
        before = (utf8 if utf8 is not None else _decoded(raw, encodings[key])).rstrip("\r\n").lstrip("\ufeff")
        values[at] = before if before != text else None
    return pl.Series("before", values, dtype=pl.String)


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "replace")
    except LookupError:  # such as a mixture of encodings
        return raw.decode("cp1252", "replace")


def compose_texts(spans: pl.DataFrame) -> pl.DataFrame:
    """Text and headings of each document, one row for each `doc` of `spans`, in the order of their first rows.

    `spans` has doc, line, text, label, ordered by doc, line and span, and may have `fate`, which then decides what is
    kept. `headings` is a list of {title, start, end}, in characters of `text`.
    """
    first = starts(spans["doc"])
    run = np.repeat(np.arange(len(first), dtype=np.int64), np.diff(first, append=spans.height))
    kept = pl.col("fate") == "text" if "fate" in spans.columns else pl.col("label").is_in(KEPT)
    pieces = (
        spans.select("line", "label", text=pl.when(kept).then(pl.col("text").str.strip_chars()), run=pl.Series(run))
        .filter(pl.col("text") != "")
        .with_columns(pl.col("label").cast(pl.String))
    )
    texts, headings = _composed(pieces, len(first))
    return pl.DataFrame([spans["doc"][first], texts, headings])


def _composed(pieces: pl.DataFrame, documents: int) -> tuple[pl.Series, pl.Series]:
    """The texts and headings of documents out of their pieces (columns line, label, text, run), in order."""
    new = pl.col("run") != pl.col("run").shift(fill_value=-1)
    body = (pl.col("label") == "body") & (pl.col("label").shift() == "body")
    joined = ~new & body & (pl.col("line") == pl.col("line").shift())
    gap = pl.when(new).then(pl.lit("")).when(joined).then(pl.lit(" ")).otherwise(pl.lit("\n\n"))
    size = pl.col("text").str.len_chars().cast(pl.Int32)
    end = (pl.col("gap").str.len_bytes().cast(pl.Int32) + size).cum_sum()
    told = pieces.with_columns(gap=gap).with_columns(end=end)
    bounds = np.searchsorted(told["run"].to_numpy(), np.arange(documents + 1))
    array: Any = told.select(pl.concat_str("gap", "text")).to_series().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset :][bounds] if len(array) else bounds
    texts = pa.LargeStringArray.from_buffers(documents, pa.py_buffer(ends.data), data)
    return pl.Series("text", texts), _headings(told, bounds)


def _headings(told: pl.DataFrame, bounds: NDArray[np.int64]) -> pl.Series:
    """The headings of each document, with where they start and end in its text."""
    size = pl.col("text").str.len_chars().cast(pl.Int32)
    before = np.concatenate([[0], told["end"].to_numpy()])[bounds[:-1]]
    rows = np.flatnonzero((told["label"] == "heading").to_numpy())
    end = pl.col("end") - pl.Series(before, dtype=pl.Int32).gather(told["run"][rows])
    found = told[rows].select(title="text", start=end - size, end=end)
    return listed("headings", found.to_struct(), np.searchsorted(rows, bounds))


def canonical_rows(articles: pl.DataFrame) -> pl.Series:
    """The content of each row as JSON: columns but the bookkeeping by name, no white space, numbers as integers.

    What `json.dumps(row, ensure_ascii=False, separators=(",", ":"))` gives, with timestamps in microseconds since
    1970 and floats in millionths.
    """
    kinds = tuple(sorted((name, kind) for name, kind in articles.schema.items() if name not in BOOKKEEPING))
    return articles.select(_canonical(kinds)).to_series()


@lru_cache(maxsize=16)
def _canonical(kinds: tuple[tuple[str, pl.DataType], ...]) -> pl.Expr:
    """The expression for columns of these types; to put it together takes longer than to ask it of a hundred rows."""
    plain = [_plain(pl.col(name), kind).alias(name) for name, kind in kinds]
    return pl.struct(plain).struct.json_encode().alias("content")


def _plain(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The value with its numbers as integers, so that no library's way of printing numbers matters."""
    match kind:
        case pl.Float32() | pl.Float64():
            return (value.cast(pl.Float64) * FLOAT_STEPS).round().cast(pl.Int64, strict=False)
        case pl.Datetime():
            return value.cast(pl.Datetime("us", "UTC")).cast(pl.Int64)
        case pl.Enum() | pl.Categorical():
            return value.cast(pl.String)
        case pl.List():
            return value.list.eval(_plain(pl.element(), _dtype(kind.inner)))
        case pl.Struct():
            parts = [_plain(value.struct.field(part.name), _dtype(part.dtype)).alias(part.name) for part in kind.fields]
            return pl.when(value.is_not_null()).then(pl.struct(parts))
    return value


def _dtype(kind: Any) -> pl.DataType:
    """A type as an instance: Polars gives the type of an inner field as either."""
    return kind if isinstance(kind, pl.DataType) else pl.Series(dtype=kind).dtype


def content_hashes(articles: pl.DataFrame) -> pl.Series:
    """content_sha256 of each row; equal rows of two releases have equal content, whatever else is in them."""
    rows = canonical_rows(articles).cast(pl.Binary).to_list()  # twice as quick as row by row
    digests = [hashlib.sha256(row).hexdigest() for row in rows]
    return pl.Series("content_sha256", digests, dtype=pl.String)
