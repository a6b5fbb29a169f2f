"""The ledger: which bytes of the raw file became what.

A row is a span of a raw line, nearly always the whole line. In order, the rows' `raw` are the raw file. `text` is
what the bytes say after decoding and repair, and null where that is what the bytes say as UTF-8, without their line
end: so nobody needs a codec to read a ledger, and an undamaged corpus stores its text once.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Final

import polars as pl

from copydesk.labels import FATE_OF, FATE_TYPE

__all__ = ["LEDGER", "ledger_rows"]

LEDGER: Final = ("id", "uri", "line", "span", "start", "end", "raw", "text", "label", "fate", "evidence", "confidence")


def ledger_rows(spans: pl.DataFrame, lines: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The ledger of a batch: one row per span, in the order of the documents' rows, lines and spans."""
    whole = spans.filter(pl.len().over("doc", "line") == 1)
    parts = spans.filter(pl.len().over("doc", "line") > 1)
    told = lines.select("doc", "line", "start", "end", "raw", "decoded", line_text="text")
    rows = whole.drop("start", "end").join(told, on=["doc", "line"], how="left", maintain_order="left")
    if parts.height:
        rows = pl.concat([rows, _cut_rows(parts, told, documents)], how="diagonal_relaxed").sort("doc", "line", "span")
    names = documents.select("doc", "id", "uri")
    return (
        rows.join(names, on="doc", how="left", maintain_order="left")
        .with_columns(
            text=pl.when(~_says(pl.col("raw"), pl.col("text"))).then(pl.col("text")),
            fate=pl.col("label").cast(pl.String).replace_strict(FATE_OF).cast(FATE_TYPE),
            line=pl.col("line").cast(pl.Int32),
            span=pl.col("span").cast(pl.Int16),
        )
        .select("doc", *LEDGER)
    )


def _says(raw: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Whether bytes are the text as UTF-8, with or without a line end."""
    return pl.any_horizontal((text + end).cast(pl.Binary) == raw for end in ("", "\n", "\r\n", "\r"))


def _cut_rows(parts: pl.DataFrame, told: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The rows of the few lines that were split: the line's bytes cut where the text was cut."""
    encodings = dict(documents.select("doc", "encoding").iter_rows())
    joined = parts.rename({"start": "from", "end": "to"}).join(told, on=["doc", "line"], maintain_order="left")
    rows = []
    for (doc, _), spans in joined.group_by("doc", "line", maintain_order=True):
        first = spans.row(0, named=True)
        ends = byte_cuts(first["raw"], first["decoded"], first["line_text"], spans["to"].to_list(), encodings[doc])
        start = 0
        for row, end in zip(spans.iter_rows(named=True), ends, strict=True):
            rows.append(
                {**row, "raw": row["raw"][start:end], "start": first["start"] + start, "end": first["start"] + end}
            )
            start = end
    return pl.DataFrame(rows, schema=joined.schema).drop("from", "to")


def byte_cuts(raw: bytes, decoded: str, text: str, ends: list[int], encoding: str) -> list[int]:
    """Where in a line's bytes its spans end, given where they end in its repaired text; the last gets the line end.

    A cut that cannot be placed (a repair runs across it, an encoding that does not encode back) moves to the end of
    the line: the earlier span holds the bytes, the later one none, and no byte is lost.
    """
    places = ends if decoded == text else [_aligned(decoded, text, end) for end in ends]
    cuts = [_byte_place(raw, decoded, place, encoding) for place in places[:-1]]
    return [*(max(cuts[: number + 1]) for number in range(len(cuts))), len(raw)]


def _aligned(decoded: str, text: str, place: int) -> int:
    """The place in `decoded` that corresponds to `place` in `text`."""
    for tag, low, high, start, end in SequenceMatcher(None, decoded, text, autojunk=False).get_opcodes():
        if start <= place <= end and (place < end or end == len(text)):
            return min(low + place - start, high) if tag == "equal" else high
        if place < start:
            break
    return len(decoded)


def _byte_place(raw: bytes, decoded: str, place: int, encoding: str) -> int:
    try:
        whole, rest = decoded.encode(encoding), decoded[place:].encode(encoding)
    except (LookupError, UnicodeError):
        return len(raw)
    at = raw.find(whole)
    return at + len(whole) - len(rest) if at >= 0 and whole.endswith(rest) else len(raw)
