"""Rows: the articles of the coming release, of which texts are read only where they are asked for.

Frame      where articles are: an Arrow or Parquet file, or a table
Rows       all frames; `small` columns of them, frame by frame
texts      text and headings of some rows of a frame
CONTENT    the name of a content: 128 bits of its SHA-256 as two numbers, a fifth of the memory of its digits
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

__all__ = ["ARTICLE", "CONTENT", "PLACE", "Frame", "Rows", "content_of", "texts"]

Frame = Path | pl.DataFrame

ARTICLE: Final = dict.fromkeys(("id", "source", "outlet", "agency", "content_sha256"), pl.String()) | {
    "published_at": pl.Datetime("us", "UTC")
}
"""What comparing needs of every article beside its text."""

CONTENT: Final = pl.Schema({"content": pl.UInt64(), "content_2": pl.UInt64()})
PLACE: Final = pl.Schema({"frame": pl.UInt32(), "row": pl.UInt32()})


def content_of(digits: str = "content_sha256") -> list[pl.Expr]:
    """The columns CONTENT of a column of SHA-256s in hexadecimal digits."""
    return [
        pl.col(digits).str.slice(16 * number, 16).str.to_integer(base=16, dtype=pl.UInt64).alias(name)
        for number, name in enumerate(CONTENT)
    ]


@dataclass(frozen=True)
class Rows:
    """Frames of articles. Those of `kept`, whose small columns are `known`, come after the new ones.

    `known` has the columns ARTICLE and PLACE, `frame` being the number among the kept ones; without it they are read.
    """

    new: tuple[Frame, ...]
    kept: tuple[Frame, ...] = ()
    known: pl.DataFrame | None = None
    without: tuple[str, ...] = ()
    """Ids of articles that are left out."""

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All of them, by number."""
        return (*self.new, *self.kept)

    def small(self, *columns: str) -> Iterator[pl.DataFrame]:
        """These columns of ARTICLE, and PLACE, of all articles: a table for each frame that is read."""
        left_out = pl.Series("id", self.without, dtype=pl.String)
        wanted = ~pl.col("id").is_in(left_out.implode())
        read = self.frames if self.known is None else self.new
        for number, frame in enumerate(read):
            table = _lazy(frame).select({"id", *columns}).with_row_index("row").filter(wanted).collect()
            yield table.select(*columns, frame=pl.lit(number, pl.UInt32), row=pl.col("row").cast(pl.UInt32))
        if self.known is not None:
            later = pl.col("frame").cast(pl.UInt32) + len(self.new)
            yield self.known.filter(wanted).select(*columns, frame=later, row=pl.col("row").cast(pl.UInt32))


def _lazy(frame: Frame) -> pl.LazyFrame:
    if isinstance(frame, pl.DataFrame):
        return frame.lazy()
    return pl.scan_parquet(frame) if frame.suffix == ".parquet" else pl.scan_ipc(frame)


def texts(frame: Frame, rows: pl.Series) -> pl.DataFrame:
    """The columns text and headings of these rows, in their order."""
    if isinstance(frame, pl.DataFrame):
        return frame.select("text", "headings")[rows]
    if frame.suffix != ".parquet":
        return _taken(frame, rows)
    wanted = pl.col("row").is_in(rows.unique().implode())
    found = pl.scan_parquet(frame).select("text", "headings").with_row_index("row").filter(wanted).collect()
    return (
        rows.alias("row").to_frame().join(_of_its_own(found), on="row", how="left", maintain_order="left").drop("row")
    )


def _taken(path: Path, rows: pl.Series) -> pl.DataFrame:
    """Rows of an Arrow file, of which no other page is touched: a text is taken out of many files."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all().select(["text", "headings"])
        return _of_its_own(pl.DataFrame(pl.from_arrow(table, rechunk=False))[rows])


def _of_its_own(table: pl.DataFrame) -> pl.DataFrame:
    """The same; a column of texts that was chosen from keeps the bytes of all rows alive, a new one has its own."""
    ends = pl.struct(pl.element().struct.field("start"), pl.element().struct.field("end"))
    text = pl.Series("text", table["text"].to_list(), dtype=pl.String)
    return table.with_columns(text, pl.col("headings").list.eval(ends))
