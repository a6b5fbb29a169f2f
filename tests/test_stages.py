"""What the stages leave for each other in a batch's folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copydesk.desk import prepare
from copydesk.sources import DOCUMENTS
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
    """Lines are the same when their file is mapped."""
    lines = lines_of(raw, b"Another document\n")
    put(lines, tmp_path / "lines.arrow", plain=True)
    stored = mapped(tmp_path / "lines.arrow")
    assert stored.schema == lines.schema
    assert stored.equals(lines)


def test_what_is_left_out_takes_no_room(tmp_path: Path) -> None:
    """Of a column that is mostly null the file holds what is not, beside 8 bytes a row."""
    lines = lines_of((20 * LINE + "\n").encode() * 500 + b"two  spaces \xe2\x80\x94 once \xc2\xa0 or more\n")
    put(lines.select("decoded"), tmp_path / "texts.arrow", plain=True)
    assert (tmp_path / "texts.arrow").stat().st_size < 500 * 8 + 4000
