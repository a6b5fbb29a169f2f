"""What the last release hands on to the next ingest: its knowledge, its documents' hashes, and rows to keep.

last_release     the newest release of a dataset, or None
Last.knowledge   its knowledge, where it still holds
Last.documents   id, source, uri, raw_sha256 of its articles
Last.keep        its rows of some documents, as batch files
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
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
    def documents(self) -> pl.DataFrame:
        """Columns id, source, uri and raw_sha256 of all articles."""
        return self._scan("article").select("id", "source", "uri", "raw_sha256").collect()

    def keep(self, ids: pl.Series, work: Path) -> None:
        """Write the rows of these documents to `work`, as articles.arrow, ledger.arrow and keys of a batch."""
        for table, name in (("article", "articles"), ("ledger", "ledger")):
            rows = self._scan(table).filter(pl.col("id").is_in(ids.implode())).collect()
            rows.rechunk().write_ipc(work / f"{name}.arrow")

    def _scan(self, table: str) -> pl.LazyFrame:
        paths = [self.folder / shard.file for shard in self.manifest.shards(table)]
        for path in paths:
            if not path.is_file():
                raise ReleaseError(f"{path}: a file of release {self.reference.version} is missing; restore it")
        return pl.scan_parquet(paths)


def last_release(folder: Path) -> Last | None:
    """The newest release in a dataset's folder, None where there is none; raises ReleaseError where it is damaged."""
    references = read_card(folder)
    if not references:
        return None
    return Last(folder, references[-1], read_manifest(folder, references[-1]))
