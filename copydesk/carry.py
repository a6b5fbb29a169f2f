"""What the last release hands on to the next ingest: its knowledge, and rows or raw bytes of its documents.

last_release     the newest release of a dataset, or None
wanted_release   the same, where there has to be one
Last.knowledge   its knowledge, where it still holds
Last.keys        the keys of its documents; `documents`: id, source, uri and raw_sha256
Last.articles    its articles of some documents, lazily, shard by shard
Last.article_files, articles_known   where they are, and what is known of them without reading
Last.kept        the release with the documents whose rows stay, for the next one
Last.raw         the raw bytes of some documents, out of the ledger, to be judged again
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from copydesk.aligned import ranges
from copydesk.errors import UsageError
from copydesk.knowledge import Knowledge
from copydesk.release.corrections import read_corrections
from copydesk.release.folder import KNOWLEDGE
from copydesk.release.keys import release_keys
from copydesk.release.manifest import Manifest, Reference, read_card, read_manifest
from copydesk.release.rows import Kept, Rows

__all__ = ["Last", "last_release"]

RAW: Final = pl.Schema({"id": pl.String(), "raw": pl.Binary()})

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
    def keys(self) -> pl.DataFrame:
        """The keys of all its documents (columns release.keys.KEYS), in its order."""
        return release_keys(self.folder, self.reference, self.manifest)

    @property
    def documents(self) -> pl.DataFrame:
        """Columns id, source, uri and raw_sha256 of all articles."""
        return self.keys.select("id", "source", "uri", "raw_sha256")

    def articles(self, ids: pl.Series) -> list[pl.LazyFrame]:
        """Its articles of these documents, a frame for each shard, of which only what is asked for is read."""
        left_out = self.keys.filter(~pl.col("id").is_in(ids.implode()))
        by_file = {int(str(file)): rows["id"] for (file,), rows in left_out.group_by("article_file")}
        frames = []
        for number, shard in enumerate(self.manifest.shards("article")):
            frame, other = pl.scan_parquet(self.folder / shard.file), by_file.get(number)
            if other is None or other.len() < shard.rows:
                frames.append(frame if other is None else frame.filter(~pl.col("id").is_in(other.implode())))
        return frames

    @property
    def article_files(self) -> list[Path]:
        """The files of its articles, in order."""
        return [self.folder / shard.file for shard in self.manifest.shards("article")]

    def articles_known(self, ids: pl.Series) -> pl.DataFrame:
        """Of these documents the columns that `keys` has, with the `frame`, one of `article_files`, and `row` in it."""
        rows = self.keys.filter(pl.col("id").is_in(ids.implode()))
        return rows.with_columns(frame="article_file", row="article_row")

    def kept(self, ids: pl.Series) -> Kept:
        """The release with those of its documents whose rows stay as they are."""
        return Kept(self.manifest, self.keys, ids)

    def raw(self, ids: pl.Series) -> pl.DataFrame:
        """Columns id and raw: the raw files of these documents, byte for byte; all of them are held in memory."""
        rows = Rows(self.folder, tuple(self.manifest.shards("ledger")), (), reusable=True)
        runs = self.keys.filter(pl.col("id").is_in(ids.implode()))
        places = runs.drop_nulls("lines").select("lines", file="ledger_file", row="ledger_row")
        whole, at = rows.gather(places)
        found = whole.select("id", "raw")[ranges(at, places["lines"].to_numpy().astype(np.int64))]
        joined = found.group_by("id", maintain_order=True).agg("raw")
        files = pl.DataFrame({"id": joined["id"], "raw": [b"".join(lines) for lines in joined["raw"]]}, schema=RAW)
        whole = runs.select("id").join(files, on="id", how="left", maintain_order="left")
        return whole.with_columns(pl.col("raw").fill_null(b""))


def wanted_release(folder: Path) -> Last:
    """The newest release in a dataset's folder; raises UsageError where there is none, else as `last_release`."""
    last = last_release(folder)
    if last is None:
        raise UsageError(f"{folder}: there is no release here; give the folder of a dataset, such as dist/NAME")
    return last


def last_release(folder: Path) -> Last | None:
    """The newest release in a dataset's folder, None where there is none; raises ReleaseError where it is damaged."""
    references = read_card(folder)
    if not references:
        return None
    return Last(folder, references[-1], read_manifest(folder, references[-1]))
