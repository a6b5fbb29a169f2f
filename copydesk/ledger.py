"""The ledger: which bytes of the raw file became what.

A row is a span of a raw line, nearly always the whole line. In order, the rows' `raw` are the raw file. `text` is
what the bytes say after decoding and repair, and null where that is what the bytes say as UTF-8, without their line
end: so nobody needs a codec to read a ledger, and an undamaged corpus stores its text once.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.aligned import places, spliced, starts
from copydesk.labels import FATE_OF, FATE_TYPE, FATES, LABELS

__all__ = ["LEDGER", "ledger_rows", "says"]

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

LEDGER: Final = ("id", "uri", "line", "span", "start", "end", "raw", "text", "label", "fate", "evidence", "confidence")

_FATES: Final = np.array([FATES.index(FATE_OF[label]) for label in LABELS], dtype=np.uint8)
"""The fate of each label, as codes."""

_WINDOW: Final = 512  # characters that are aligned at once: every distance of two windows is worked out, in 5 ms
_ROUNDS: Final = 64  # windows per line; between them, what is alike is skipped, so few damaged places reach any length
_SURE: Final = 8  # characters alike in a row from which the next window may start


def ledger_rows(spans: pl.DataFrame, lines: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The ledger of a batch: one row per span, in their order; spans and lines are ordered by document and line."""
    first = starts(spans["doc"], spans["line"])
    sizes = np.diff(first, append=spans.height)
    at = np.repeat(_lines_of(spans[first], lines), sizes)
    parts = np.flatnonzero(np.repeat(sizes, sizes) > 1)
    where = lines.select("start", "end", "raw")[at]
    if len(parts):
        whole = lines.select("start", "end", "raw", pl.coalesce("decoded", "text"), line_text="text")[at[parts]]
        cut = spans[parts].rename({"start": "from", "end": "to"}).hstack(whole)
        where = spliced(where, parts, _cut_rows(cut, documents).select(where.columns))
    names = documents.select("id", "uri")[places(spans["doc"], documents["doc"])]
    return (
        spans.drop("start", "end")
        .hstack(where)
        .hstack(names)
        .with_columns(
            text=pl.when(~says(pl.col("raw"), pl.col("text"))).then(pl.col("text")),
            fate=pl.Series(_FATES[spans["label"].to_physical().to_numpy()], dtype=pl.UInt8).cat.to(FATE_TYPE),
            line=pl.col("line").cast(pl.Int32),
            span=pl.col("span").cast(pl.Int16),
        )
        .select("doc", *LEDGER)
    )


def _lines_of(firsts: pl.DataFrame, lines: pl.DataFrame) -> Places:
    """The rows of lines, by document and number."""
    if firsts["line"].equals(lines["line"]) and firsts["doc"].equals(lines["doc"]):
        return np.arange(lines.height, dtype=np.int64)
    told = lines.select("doc", "line").with_row_index("row")
    return firsts.join(told, on=["doc", "line"], how="left", maintain_order="left")["row"].to_numpy().astype(np.int64)


def says(raw: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Whether bytes are the text as UTF-8, with or without a line end."""
    more = raw.bin.size().cast(pl.Int64) - text.str.len_bytes().cast(pl.Int64)
    ends = (more == 1) & (raw.bin.ends_with(b"\n") | raw.bin.ends_with(b"\r"))
    ends |= (more == 2) & raw.bin.ends_with(b"\r\n")
    return raw.bin.starts_with(text.cast(pl.Binary)) & ((more == 0) | ends)


def _cut_rows(joined: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The rows of the few lines that were split, with what is told of the whole: its bytes cut where the text was."""
    encodings = dict(documents.select("doc", "encoding").iter_rows())
    rows = []
    for (doc, _), group in groupby(joined.iter_rows(named=True), key=itemgetter("doc", "line")):
        spans = list(group)
        first = spans[0]
        ends = [one["to"] for one in spans]
        start = 0
        for row, end in zip(
            spans, byte_cuts(first["raw"], first["decoded"], first["line_text"], ends, encodings[doc]), strict=True
        ):
            at = first["start"]
            rows.append({**row, "raw": row["raw"][start:end], "start": at + start, "end": at + end})
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
