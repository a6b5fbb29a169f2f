"""Reading a release back: documents with their ledger, shard by shard, in bounded memory.

    Piece         the documents of one ledger shard, with their ledger rows
    read_pieces   a release as pieces, in its order
    raw_of        the raw bytes of each document of a ledger frame

The ledger holds the documents in the order of the articles, so both tables are read side by side and neither is ever
held whole. An empty raw file has no ledger rows and comes with the piece that its place falls into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from copydesk.aligned import end_to_end
from copydesk.errors import VerifyError
from copydesk.release.manifest import Manifest

__all__ = ["Piece", "raw_of", "read_pieces"]


@dataclass(frozen=True)
class Piece:
    """Some documents, whole: rows of the articles (the columns asked for) and all their ledger rows, in order."""

    articles: pl.DataFrame
    ledger: pl.DataFrame


def read_pieces(
    folder: Path, manifest: Manifest, articles: Sequence[str] | None = None, ledger: Sequence[str] | None = None
) -> Iterator[Piece]:
    """A release as pieces of one ledger shard each; `articles` and `ledger` name columns, None takes all.

    Raises VerifyError where a shard cannot be read, or where the ledger holds a document that no article follows.
    """
    waiting = _Waiting(_frames(folder, manifest, "article", articles))
    for rows in _frames(folder, manifest, "ledger", ledger):
        yield Piece(waiting.up_to(rows["id"][-1]), rows)
    rest = waiting.rest()
    if rest.height:
        yield Piece(rest, rows.clear())


class _Waiting:
    """Articles that were read and whose ledger rows have not come yet."""

    def __init__(self, frames: Iterator[pl.DataFrame]) -> None:
        self.frames = frames
        self.held = next(frames)

    def up_to(self, last: str) -> pl.DataFrame:
        """The articles up to the one of id `last`."""
        found = self.held["id"].index_of(last)
        while found is None:
            try:
                more = next(self.frames)
            except StopIteration:
                raise VerifyError(
                    f"the ledger holds {last}, which no article is or follows; run ingest again"
                ) from None
            before = self.held.height
            self.held = pl.concat([self.held, more])
            inside = more["id"].index_of(last)
            found = None if inside is None else before + inside
        taken, self.held = self.held[: found + 1], self.held[found + 1 :]
        return taken

    def rest(self) -> pl.DataFrame:
        """The articles after the last of the ledger."""
        return pl.concat([self.held, *self.frames])


def _frames(folder: Path, manifest: Manifest, table: str, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
    for shard in manifest.shards(table):
        path = folder / shard.file
        try:
            yield pl.read_parquet(path, columns=None if columns is None else list(columns))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise VerifyError(f"{path}: cannot be read ({error}); run copydesk verify") from error


def raw_of(ledger: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """(id, raw bytes) of each document; the rows of a document stand together, so their bytes do as well."""
    whole, ends = end_to_end(ledger["raw"].rechunk())
    start = 0
    for name, rows in ledger.select(pl.col("id").rle()).unnest("id").select("value", "len").iter_rows():
        yield name, whole[ends[start] : ends[start + rows]].tobytes()
        start += rows
