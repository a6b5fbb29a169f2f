"""What the last release hands on to the next ingest: its knowledge, and rows or raw bytes of its documents.

last_release     the newest release of a dataset, or None
Last.knowledge   its knowledge, where it still holds
Last.documents   id, source, uri and raw_sha256 of its articles
Last.articles    its articles of some documents, lazily, shard by shard
Last.keep        its rows of some documents, as tables of a batch
Last.raw         the raw bytes of some documents, out of the ledger, to be judged again
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
from copydesk.release.corrections import read_corrections
from copydesk.release.folder import KNOWLEDGE
from copydesk.release.manifest import Manifest, Reference, read_card, read_manifest

__all__ = ["Last", "last_release"]

DOUBLED: Final = 2
"""The knowledge is learned anew when the corpus has grown by this factor since: what repeats is seen better then."""


@dataclass(frozen=True)
class Last:
    """A dataset's newest release."""

    folder: Path
    reference: Reference
    manifest: Manifest

    def knowledge(self, profiles: str, documents: int) -> Knowledge | None:
        """The knowledge to judge new documents with; None where it is to be learned anew.

        That is where the profiles changed, or the corpus, now of `documents`, has doubled.
        """
        known = self.held_knowledge
        return known if known.profiles == profiles and documents < DOUBLED * max(1, known.documents) else None

    @cached_property
    def held_knowledge(self) -> Knowledge:
        """Its knowledge as it is."""
        return Knowledge.load(self.folder / KNOWLEDGE / self.manifest.body["knowledge"]["digest"])

    @cached_property
    def corrections(self) -> pl.DataFrame:
        """What people had corrected when it was made."""
        return read_corrections(self.folder, self.manifest.body)

    @cached_property
    def documents(self) -> pl.DataFrame:
        """Columns id, source, uri and raw_sha256 of all articles."""
        return pl.concat([table.select("id", "source", "uri", "raw_sha256") for table in self._shards("article")])

    def articles(self, ids: pl.Series) -> list[pl.LazyFrame]:
        """Its articles of these documents, a frame for each shard, of which only what is asked for is read."""
        wanted = pl.col("id").is_in(ids.implode())
        return [pl.scan_parquet(path).filter(wanted) for path in self._paths("article")]

    def keep(self, ids: pl.Series, folder: Path) -> None:
        """Write its rows of these documents into a batch's folder, a part for each shard that holds some."""
        for table, name in (("article", "articles"), ("ledger", "ledger")):
            for number, shard in enumerate(self._shards(table)):
                rows = shard.filter(pl.col("id").is_in(ids.implode()))
                if rows.height:
                    rows.rechunk().write_ipc(folder / f"{name}-{number:06}.arrow")

    def raw(self, ids: pl.Series) -> pl.DataFrame:
        """Columns id and raw: the raw files of these documents, byte for byte."""
        rows = [shard.filter(pl.col("id").is_in(ids.implode())).select("id", "raw") for shard in self._shards("ledger")]
        joined = pl.concat(rows).group_by("id", maintain_order=True).agg("raw")
        files = [b"".join(lines) for lines in joined["raw"]]
        return pl.DataFrame({"id": joined["id"], "raw": files}, schema={"id": pl.String(), "raw": pl.Binary()})

    def _shards(self, table: str) -> Iterator[pl.DataFrame]:
        return (pl.read_parquet(path) for path in self._paths(table))

    def _paths(self, table: str) -> list[Path]:
        paths = [self.folder / shard.file for shard in self.manifest.shards(table)]
        lost = next((path for path in paths if not path.is_file()), None)
        if lost:
            raise ReleaseError(f"{lost}: a file of release {self.reference.version} is missing; restore it")
        return paths


def last_release(folder: Path) -> Last | None:
    """The newest release in a dataset's folder, None where there is none; raises ReleaseError where it is damaged."""
    references = read_card(folder)
    if not references:
        return None
    return Last(folder, references[-1], read_manifest(folder, references[-1]))
