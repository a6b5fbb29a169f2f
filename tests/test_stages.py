"""What the stages leave for each other in a batch's folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copydesk import stages
from copydesk.desk import prepare
from copydesk.sources import DOCUMENTS
from copydesk.text import span_texts
from copydesk.whole import mapped, put

LINE = "The ferry to the islands sails again from Monday, the harbour said on Friday."


def lines_of(*files: bytes) -> pl.DataFrame:
    """The lines of some raw files."""
    rows = [{"id": str(number), "uri": f"{number}.txt", "raw": raw} for number, raw in enumerate(files)]
    return prepare(pl.DataFrame(rows, schema=DOCUMENTS)).lines


@pytest.mark.parametrize(
    "raw",
    [
        b"One\nTwo\r\nThree\rFour",
        b"\xef\xbb\xbfWith a mark\nand more\n",
        "D\u00e9j\u00e0 vu \u2013 l\u2019\u00e9t\u00e9 \u00e0 Sainte-M\u00e8re\n".encode("cp1252"),
        "Wide\r\nlines\r\n".encode("utf-16"),
        "It\u2019s fine\n".encode().decode("cp1252").encode() + b"two  spaces\n",
        b"\x0bA break\x0bin a line\n\n \n",
    ],
)
def test_lines_come_back_from_what_is_stored(raw: bytes, tmp_path: Path) -> None:
    """Texts that the bytes say themselves are left out of the file, and are the same when it is read."""
    lines = lines_of(raw, b"Another document\n")
    put(stages._stored(lines), tmp_path / "lines.arrow", plain=True)
    stored = mapped(tmp_path / "lines.arrow")
    assert stored["text"].null_count() > 0
    assert stored.schema == lines.schema
    assert stored.with_columns(span_texts(stored)).equals(lines)


def test_what_is_left_out_takes_no_room(tmp_path: Path) -> None:
    """Of columns that are mostly null the file holds what is not, beside 8 bytes a row."""
    lines = lines_of((20 * LINE + "\n").encode() * 500 + b"two  spaces \xe2\x80\x94 once \xc2\xa0 or more\n")
    put(stages._stored(lines).select("decoded", "text"), tmp_path / "texts.arrow", plain=True)
    assert (tmp_path / "texts.arrow").stat().st_size < 500 * 2 * 8 + 4000
