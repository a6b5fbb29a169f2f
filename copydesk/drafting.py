"""`copydesk profile propose`: a profile drafted from raw files, or from the ledger of a release.

    draft_from_files     raw files, read and repaired as an ingest would
    draft_from_release   the lines in a dataset's newest release
    sites_of             which sites the documents are counted under, with their numbers

Both come down to `lines.propose.propose`; what differs is where the lines come from. What recurs is counted anew. Of a
large collection MOST documents are taken, those of the least ids: ids are hashes, so that is a fair sample and ever the
same. A site that is rare in it wants a PATH of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from copydesk.carry import Last, wanted_release
from copydesk.desk import prepare
from copydesk.errors import ReleaseError, UsageError
from copydesk.job import Job, Options, settle
from copydesk.lines.marked import propose_marked
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.lines.propose import propose
from copydesk.lines.sites import counting_key, find_sites
from copydesk.sources import RECORDS, Cut, Piece, RawFile, extracted, read_batch, unpack
from copydesk.text import span_texts

__all__ = ["draft_from_files", "draft_from_release", "sites_of"]

MOST: Final = 5_000
"""Documents that a draft is made from: what recurs in a site shows in hundreds, and thousands fit into memory."""

SHOWN: Final = 12
"""Sites that a message names."""


def draft_from_files(options: Options, site: str | None = None) -> str:
    """A profile drafted from the raw files that `options` name (paths, else the sources of copydesk.toml).

    `site` is one of `sites_of`, needed where the files are of several. Raises UsageError and ConfigError.
    """
    job = settle(options)
    profiles = load_profiles(job.profiles)
    prepared = prepare(_sample(job.files))
    return _draft(prepared.lines, prepared.documents, profiles, site, _place(job))


def _sample(files: Sequence[RawFile]) -> pl.DataFrame:
    """Documents (columns sources.DOCUMENTS) of the least ids, at most MOST, from files and containers."""
    plain, _ = read_batch(sorted((file for file in files if not file.kind.many), key=lambda file: file.id)[:MOST])
    records = pl.DataFrame(schema=RECORDS)
    for table, _ in unpack(Piece(tuple(file for file in files if file.kind.many)), Cut()):
        records = pl.concat([records, table]).sort("id").head(MOST)
    return pl.concat([plain, extracted(records)[0]]).sort("id").head(MOST)


def draft_from_release(
    dataset: Path, profiles: Profiles, site: str | None = None, said: pl.DataFrame | None = None
) -> str:
    """The same from a dataset's newest release: its ledger holds the lines.

    With corrections `said`, a profile of what they mark as furniture, and nothing else (lines.marked).

    Raises UsageError where there is no release, ReleaseError where it is damaged.
    """
    last = wanted_release(dataset)
    try:
        told = _scan(last, "article", ["id", "uri", "source", "site", "outlet"])
        corrected = pl.col("id").is_in([] if said is None else said["id"].unique().implode())
        documents = told.sort(~corrected, "id").head(MOST).sort("id").collect()
        ledger = _scan(last, "ledger", ["id", "line", "span", "raw", "text"])
        rows = ledger.join(documents.lazy().select("id"), on="id", how="semi").collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReleaseError(
            f"{dataset}: release {last.reference.version} cannot be read ({error}); verify it"
        ) from error
    documents = documents.with_row_index("doc")
    lines = _lines(rows, documents)
    if said is not None:
        return propose_marked(lines, documents, said.drop_nulls("label"), profiles, site=site)
    return _draft(lines, documents, profiles, site, str(dataset))


def _scan(last: Last, name: str, columns: list[str]) -> pl.LazyFrame:
    return pl.scan_parquet([last.folder / shard.file for shard in last.manifest.shards(name)]).select(columns)


def _lines(ledger: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The line table (doc, line, text) of a ledger: spans put together again."""
    told = ledger.select("id", "line", "span", text=span_texts(ledger))
    numbered = told.join(documents.select("id", "doc"), on="id", how="inner", maintain_order="left")
    whole = (
        numbered.sort("doc", "line", "span")
        .group_by("doc", "line", maintain_order=True)
        .agg(pl.col("text").str.join(""))
    )
    return whole.with_columns(pl.col("line").cast(pl.UInt32))


def sites_of(lines: pl.DataFrame, documents: pl.DataFrame, profiles: Profiles) -> dict[str, int]:
    """The keys under which the documents are counted, each with how many there are, most first."""
    sites = find_sites(lines, documents, profiles)
    counted = counting_key(documents, sites).alias("site").value_counts(name="documents")
    return dict(counted.sort("documents", "site", descending=[True, False]).iter_rows())


def _draft(
    lines: pl.DataFrame,
    documents: pl.DataFrame,
    profiles: Profiles,
    site: str | None,
    place: str,
) -> str:
    known = sites_of(lines, documents, profiles)
    shown = ", ".join(f"{name!r} ({count})" for name, count in list(known.items())[:SHOWN])
    if site is None and len(known) > 1:
        raise UsageError(f"{place}: the documents are of several sites: {shown}; name one with --site")
    if site is not None and site not in known:
        raise UsageError(f"{place}: no document of the site {site!r}; there are {shown}")
    return propose(lines, documents, None, profiles, site=site)


def _place(job: Job) -> str:
    return ", ".join(job.files.sources) or "the files"
