"""Bytes to lines: every document of a batch decoded, its encoding named, its lines with their byte offsets.

    decode_documents   a column of raw files -> `Decoded`: a row per document, a row per line
    decode             one raw file -> its text, decoded and repaired, no line dropped (`copydesk.decode`)
    as_raw             what a caller has of a raw text, as bytes

Two ways lead to the same tables. UTF-8 (and ASCII), nearly everything in practice, goes in columns: the files of
the batch are one buffer, validity, line ends and offsets are found over all of it at once, and the lines are views
into it. Whatever that cannot settle (another encoding, damage, byte-order marks of UTF-16, escape sequences, files
that are no text) goes to `copydesk.decoding.charsets`, document by document.

Lines end at CRLF, CR and LF of the decided encoding. The raw bytes of a document's lines, in order, are the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from copydesk.aligned import end_to_end
from copydesk.errors import DocumentError
from copydesk.expressions import contains

__all__ = ["DOCUMENTS", "LINES", "Decoded", "as_raw", "decode", "decode_documents"]

DOCUMENTS: Final = {"doc": pl.UInt32(), "encoding": pl.String(), "error": pl.String(), "notes": pl.List(pl.String())}
LINES: Final = {
    "doc": pl.UInt32(),
    "line": pl.UInt32(),
    "start": pl.Int64(),
    "end": pl.Int64(),
    "raw": pl.Binary(),
    "decoded": pl.String(),
}

_BOM: Final = b"\xef\xbb\xbf"
# What valid UTF-8 may be instead: stateful 7-bit encodings, wide encodings of ASCII text, formats that open in ASCII.
_DOUBT: Final = r"[\x00\x1b\x0e]|~\{|\+[A-Za-z0-9+/]{3,}-|^(?:%PDF-|\{\\rtf|PK\x03\x04|%!PS)"


@dataclass(frozen=True)
class Decoded:
    """What `decode_documents` gives: `documents`, a row per input, and `lines`, ordered by doc and line.

    documents: doc u32, encoding str (codec name; "utf-8+cp1252" where lines differ; null with an error),
    error str|null (why the document cannot be read), notes list[str] (what was done: "bom", "cut tail", ...).
    lines: doc u32, line u32 from 1, start and end i64 byte offsets in the raw file (end after the line end),
    raw Binary (the bytes, line end included), decoded String (without byte-order mark and line end). None for a
    document with an error.
    """

    documents: pl.DataFrame
    lines: pl.DataFrame


def decode_documents(raw: pl.Series) -> Decoded:
    """Decode a batch: `raw` is a Binary series, one raw file per row (null counts as empty); never raises for a row."""
    raw = raw.fill_null(b"").rechunk()
    plain = _is_plain(raw)
    documents, lines = _read_plain(raw, np.flatnonzero(plain))
    odd = np.flatnonzero(~plain)
    if len(odd):
        odd_documents, odd_lines = _read_odd(raw, odd)
        documents = pl.concat([documents, odd_documents]).sort("doc")
        lines = pl.concat([lines, odd_lines]).sort("doc", "line")
    return Decoded(documents, lines)


def as_raw(data: bytes | str) -> bytes:
    """The bytes of a raw text that is given as such, in a buffer, or as a string (half a surrogate pair included)."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"a raw text is bytes or a string, not {type(data).__name__}")


def decode(data: bytes | str) -> str:
    """The text of one raw file: decoded and repaired, lines joined by line feeds, none dropped.

    Raises DocumentError where the file is empty, no text, or in no encoding that fits.
    """
    from copydesk.repair import repair_lines

    decoded = decode_documents(pl.Series([as_raw(data)], dtype=pl.Binary))
    error = decoded.documents["error"].item()
    if error is not None:
        raise DocumentError(error)
    return "\n".join(repair_lines(decoded.lines["decoded"])["text"])


def _is_plain(raw: pl.Series) -> NDArray[np.bool_]:
    """Which rows are UTF-8 beyond doubt: valid, not empty, nothing that another encoding or format would show."""
    valid = _is_utf8(raw)
    doubt = ~valid | (raw.bin.size() <= len(_BOM))
    plain = ~doubt.to_numpy()
    plain[plain] = ~contains(raw.filter(pl.Series(plain)).cast(pl.String), _DOUBT)
    return plain


def _is_utf8(raw: pl.Series) -> pl.Series:
    """Per row; the cast asks for all rows at once and tells no more than yes or no, so rows are asked after a no."""
    try:
        raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([_decodes(data) for data in raw], dtype=pl.Boolean)
    return pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(raw))


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_plain(raw: pl.Series, rows: NDArray[np.int64]) -> tuple[pl.DataFrame, pl.DataFrame]:
    chosen = raw.gather(rows)
    data, offsets = end_to_end(chosen)
    ends = _line_ends(data, offsets)
    lines = _line_table(data, offsets, ends, rows)
    bom = chosen.bin.starts_with(_BOM)
    ascii_only = chosen.bin.size() == chosen.cast(pl.String).str.len_chars()
    documents = pl.DataFrame(
        {
            "doc": pl.Series(rows, dtype=pl.UInt32),
            "encoding": pl.select(pl.when(ascii_only).then(pl.lit("ascii")).otherwise(pl.lit("utf-8"))).to_series(),
            "error": pl.Series([None], dtype=pl.String).new_from_index(0, len(rows)),
            "notes": pl.select(
                pl.when(bom).then(pl.lit(["bom"])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
            ).to_series(),
        },
        schema=DOCUMENTS,
    )
    return documents, lines


def _line_ends(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets after each line: after LF, after CR that no LF of the same file follows, and where a file ends."""
    marks = data == 0x0A
    returns = data == 0x0D
    if returns.any():
        followed = np.zeros_like(marks)
        followed[:-1] = marks[1:]
        marks |= returns & ~followed
    marks[offsets[1:] - 1] = True
    ends: NDArray[np.int64] = np.flatnonzero(marks) + 1
    return ends


def _line_table(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], ends: NDArray[np.int64], rows: NDArray[np.int64]
) -> pl.DataFrame:
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    place = np.searchsorted(offsets, ends, side="left") - 1
    first = np.searchsorted(ends, offsets[:-1], side="right")
    buffers = [None, *(pa.py_buffer(part.data) for part in (starts, data))]
    array = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends), buffers)
    raw = pl.Series("raw", array, dtype=pl.Binary)
    lines = pl.DataFrame(
        {
            "doc": rows[place].astype(np.uint32),
            "line": (np.arange(len(ends)) - first[place] + 1).astype(np.uint32),
            "start": starts[:-1] - offsets[place],
            "end": ends - offsets[place],
            "raw": raw,
            "decoded": raw.cast(pl.String).str.strip_chars_end("\r\n"),
        },
        schema=LINES,
    )
    if not (data[offsets[:-1]] == _BOM[0]).any():
        return lines
    return lines.with_columns(
        pl.when(line=1).then(pl.col("decoded").str.strip_prefix("\ufeff")).otherwise("decoded").alias("decoded")
    )


def _read_odd(raw: pl.Series, rows: NDArray[np.int64]) -> tuple[pl.DataFrame, pl.DataFrame]:
    from copydesk.decoding.charsets import read

    documents: list[tuple[int, str | None, str | None, list[str]]] = []
    lines: list[tuple[int, int, int, int, bytes, str]] = []
    for doc in rows.tolist():
        data: bytes = raw[doc]
        try:
            text = read(data)
        except DocumentError as error:
            documents.append((doc, None, str(error), []))
            continue
        documents.append((doc, text.encoding, None, list(text.notes)))
        lines += [(doc, n, start, end, data[start:end], line) for n, (start, end, line) in enumerate(text.lines, 1)]
    return (
        pl.DataFrame(documents, schema=DOCUMENTS, orient="row"),
        pl.DataFrame(lines, schema=LINES, orient="row"),
    )
