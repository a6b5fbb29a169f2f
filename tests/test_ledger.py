"""The ledger: whatever a line was split into, its bytes are all there, in order."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.desk import Prepared, prepare
from copydesk.labels import LABEL_TYPE
from copydesk.ledger import byte_cuts, ledger_rows
from copydesk.sources import DOCUMENTS
from copydesk.text import span_texts

ENCODINGS = ["utf-8", "cp1252", "cp1251", "utf-16-le", "utf-16-be", "koi8-r"]


@given(
    st.text(min_size=1),
    st.text(),
    st.lists(st.integers(0, 40), max_size=4),
    st.sampled_from(ENCODINGS),
    st.binary(max_size=3),
)
def test_cuts_tile_the_line(decoded: str, text: str, places: list[int], encoding: str, end: bytes) -> None:
    """Cuts never go back, never leave the line, and the last is its end, whatever was repaired and however encoded."""
    raw = decoded.encode(encoding, "replace") + end
    ends = [*sorted(min(place, len(text)) for place in places), len(text)]
    cuts = byte_cuts(raw, decoded, text, ends, encoding)
    assert cuts == sorted(cuts)
    assert len(cuts) == len(ends)
    assert cuts[-1] == len(raw)


def test_a_cut_falls_where_the_text_was_cut() -> None:
    """An unrepaired line is cut between the same characters in every encoding, behind a byte-order mark as well."""
    line = "Он сказал. (Репортаж бюро)"
    for encoding in ("utf-8", "cp1251", "utf-16-le"):
        raw = line.encode(encoding)
        (cut, end) = byte_cuts(b"\xff\xfe" + raw, line, line, [11, len(line)], encoding)
        assert raw[: cut - 2].decode(encoding) == "Он сказал. "
        assert end == len(raw) + 2


def test_a_cut_finds_its_place_in_a_repaired_line() -> None:
    """Where spaces were joined, the cut stands between the same words."""
    decoded = "He  said\u00a0 so.  (Reporting by A)"
    text = "He said so. (Reporting by A)"
    (cut, _) = byte_cuts(decoded.encode(), decoded, text, [12, len(text)], "utf-8")
    assert decoded.encode()[cut:].decode() == "(Reporting by A)"


def prepared(raw: bytes) -> Prepared:
    return prepare(pl.DataFrame([{"id": "a" * 16, "uri": "a.txt", "source": "s", "raw": raw}], schema=DOCUMENTS))


def spans_of(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select(
        "doc",
        "line",
        "text",
        span=pl.lit(0, pl.UInt16),
        start=pl.lit(0, pl.UInt32),
        end=pl.col("text").str.len_chars(),
        label=pl.lit("body").cast(LABEL_TYPE),
        evidence=pl.lit("test"),
        confidence=pl.lit(1.0, pl.Float32),
    )


@given(
    st.lists(
        st.sampled_from(["plain", "n\u00a0b  s", "Ã©tÃ©", "", " pad ", "&amp;", "\u2028"]), min_size=1, max_size=6
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
)
def test_the_raw_bytes_in_order_are_the_file(parts: list[str], newline: str, last: bool, encoding: str) -> None:
    """The ledger's bytes are the file's, and its texts are the repaired lines, stored or read from the bytes."""
    raw = (newline.join(parts) + (newline if last else "")).encode(encoding)
    batch = prepared(raw)
    if batch.refused.height:
        return
    ledger = ledger_rows(spans_of(batch.lines), batch.lines, batch.documents)
    assert b"".join(ledger["raw"]) == raw
    assert span_texts(ledger).to_list() == batch.lines["text"].to_list()


def test_a_split_line_has_a_row_for_each_span() -> None:
    """Two spans of one line: their bytes together are the line, their texts what was cut."""
    batch = prepared(b"It rained. (Reporting by A. B.)\nEnd.\n")
    whole = spans_of(batch.lines)
    first = whole.head(1)
    parts = pl.concat(
        [
            first.with_columns(text=pl.lit("It rained. "), end=pl.lit(11, pl.UInt32)),
            first.with_columns(
                span=pl.lit(1, pl.UInt16),
                start=pl.lit(11, pl.UInt32),
                text=pl.lit("(Reporting by A. B.)"),
                label=pl.lit("byline").cast(LABEL_TYPE),
            ),
            whole.tail(1),
        ]
    )
    ledger = ledger_rows(parts, batch.lines, batch.documents)
    assert ledger["raw"].to_list() == [b"It rained. ", b"(Reporting by A. B.)\n", b"End.\n"]
    assert ledger.select("start", "end").rows() == [(0, 11), (11, 32), (32, 37)]
    assert ledger["text"].to_list() == [None, None, None]
    assert ledger["fate"].to_list() == ["text", "field", "text"]


def test_cuts_of_a_long_line_stand_between_the_same_words() -> None:
    """A few repaired places do not keep a long line from being cut where its text was."""
    decoded = "He\u00a0 said so, and so did she. " * 400 + "  (Reporting by A)"
    text = "He said so, and so did she. " * 400 + "(Reporting by A)"
    for place in (28, 28 * 399, 28 * 400):
        (cut, _) = byte_cuts(decoded.encode(), decoded, text, [place, len(text)], "utf-8")
        rest = decoded.encode()[cut:].decode()
        assert rest.replace("\u00a0 ", " ").replace("  (", "(").endswith(text[place:])
        assert len(rest) <= len(decoded) - place


@pytest.mark.parametrize(
    ("decoded", "text"),
    [
        ("January 1, 2015 " * 100_000, "January 1, 2015 " * 100_000 + "."),
        ("January 1, 2015 " * 100_000, ("January 1, 2015 " * 100_000).strip()),
        ("a\u00a0" * 500_000, "a " * 500_000),
        ("a b" * 300_000, "b" * 300_000),
        ("word\u00a0and more " * 80_000, "word and more " * 80_000),
        ("x" * 1_000_000, "y"),
    ],
)
def test_cuts_take_bounded_time(decoded: str, text: str) -> None:
    """Whatever was repaired in a line of a megabyte, its cuts are found in a moment, or moved to its end."""
    raw = decoded.encode()
    begun = time.process_time()
    cuts = byte_cuts(raw, decoded, text, [len(text) // 2, len(text)], "utf-8")
    assert time.process_time() - begun < 20  # half a second; what grows with the square takes many minutes
    assert 0 <= cuts[0] <= cuts[1] == len(raw)
