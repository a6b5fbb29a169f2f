"""The ledger: which bytes of the raw file became what.

A row is a span of a raw line, nearly always the whole line. In order, the rows' `raw` are the raw file. `text` is
what the bytes say after decoding and repair, and null where that is what the bytes say as UTF-8, without their line
end: so nobody needs a codec to read a ledger, and an undamaged corpus stores its text once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.labels import FATE_OF, FATE_TYPE

__all__ = ["LEDGER", "ledger_rows", "says"]

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

LEDGER: Final = ("id", "uri", "line", "span", "start", "end", "raw", "text", "label", "fate", "evidence", "confidence")

_WINDOW: Final = 512  # characters that are aligned at once: every distance of two windows is worked out, in 5 ms
_ROUNDS: Final = 64  # windows per line; between them, what is alike is skipped, so few damaged places reach any length
_SURE: Final = 8  # characters alike in a row from which the next window may start


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
            text=pl.when(~says(pl.col("raw"), pl.col("text"))).then(pl.col("text")),
            fate=pl.col("label").cast(pl.String).replace_strict(FATE_OF).cast(FATE_TYPE),
            line=pl.col("line").cast(pl.Int32),
            span=pl.col("span").cast(pl.Int16),
        )
        .select("doc", *LEDGER)
    )


def says(raw: pl.Expr, text: pl.Expr) -> pl.Expr:
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
    places = ends if decoded == text else _places(decoded, text)[ends].tolist()
    cuts = [_byte_place(raw, decoded, place, encoding) for place in places[:-1]]
    return [*(max(cuts[: number + 1]) for number in range(len(cuts))), len(raw)]


def _places(decoded: str, text: str) -> Places:
    """For each place in `text`, its end included, the place in `decoded` that corresponds to it.

    A character that a repair made stands where the next one stands that was there before. Where the two are so
    different that the work would not be bounded, that is the end of the line.
    """
    before, after = _codes(decoded), _codes(text)
    where = np.full(len(after) + 1, len(before), np.int64)
    low = start = 0
    for _ in range(_ROUNDS):
        same = _alike(before[low:], after[start:])
        where[start : start + same] = np.arange(low, low + same)
        low, start = low + same, start + same
        if low == len(before) or start == len(after):
            break
        found = _matched(before[low : low + _WINDOW], after[start : start + _WINDOW])
        rest = max(len(before) - low, len(after) - start)
        used = len(found) if rest <= _WINDOW else _sure(found)
        told = np.flatnonzero(found[:used] >= 0)
        where[start + told] = low + found[told]
        if used == len(found) or used < 0:
            break
        low, start = low + int(found[used]), start + used
    reached: Places = np.minimum.accumulate(where[::-1])[::-1]
    return reached


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _alike(one: Codes, other: Codes) -> int:
    """How many characters both begin with."""
    size = min(len(one), len(other))
    differs = one[:size] != other[:size]
    return int(differs.argmax()) if differs.any() else size


def _matched(before: Codes, after: Codes) -> Places:
    """For each character of `after`, the place of that in `before` it is, by the fewest edits; -1 where it is new."""
    steps = np.arange(len(after) + 1)
    rows = [steps]
    for character in before:
        best = rows[-1] + 1
        best[1:] = np.minimum(best[1:], rows[-1][:-1] + (after != character))
        rows.append(np.minimum.accumulate(best - steps) + steps)  # the best of any number of insertions
    found = np.full(len(after), -1, np.int64)
    low, start = len(before), len(after)
    while low and start:
        if before[low - 1] == after[start - 1]:
            low, start = low - 1, start - 1
            found[start] = low
        elif rows[low][start] == rows[low - 1][start - 1] + 1:
            low, start = low - 1, start - 1
        elif rows[low][start] == rows[low - 1][start] + 1:
            low -= 1
        else:
            start -= 1
    return found


def _sure(found: Places) -> int:
    """The last place, away from the window's end, where a run of characters alike begins; -1 if there is none."""
    runs = found[_SURE - 1 :] - found[: len(found) - _SURE + 1] == _SURE - 1
    runs &= (found[: len(runs)] >= 0) & (np.arange(len(runs)) < 3 * _WINDOW // 4)
    return int(np.flatnonzero(runs)[-1]) if runs.any() else -1


def _byte_place(raw: bytes, decoded: str, place: int, encoding: str) -> int:
    try:
        whole, rest = decoded.encode(encoding), decoded[place:].encode(encoding)
    except (LookupError, UnicodeError):
        return len(raw)
    at = raw.find(whole)
    return at + len(whole) - len(rest) if at >= 0 and whole.endswith(rest) else len(raw)
