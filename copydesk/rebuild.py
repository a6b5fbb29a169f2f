"""Rebuilding: a release that was published without text, made whole from one's own copies of the raw files.

    rebuild   articles with their texts and the ledger with its bytes, as a dataset of that one release
    Rebuilt   what came of it

Copies are known by their SHA-256, whatever they are called. Decoding and repair are done again; what each line was
taken for, and where it was cut, the published ledger says. Each text's SHA-256 is checked, and where no field was
masked each row's content hash: what is built is what was not published, or nothing is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from copydesk.desk import prepare
from copydesk.errors import ReleaseError, UsageError, VerifyError
from copydesk.job import Job, Options, settle
from copydesk.ledger import LEDGER, says
from copydesk.release.draft import ordered, write_tables
from copydesk.release.folder import WORK, Folder
from copydesk.release.manifest import Manifest, choose, read_card, read_manifest
from copydesk.release.renewal import put_card, renew
from copydesk.release.rows import Batch, Rows, all_keys
from copydesk.release.variants import Recipe, recipe_of
from copydesk.schema import load_schema
from copydesk.sources import Cut, documents_of
from copydesk.text import compose_texts, content_hashes

__all__ = ["Rebuilt", "rebuild"]

SHOWN: Final = 10
BATCH: Final = 1_000
"""Copies read at once."""

KEYS: Final = ("id", "uri", "source", "raw_sha256")


@dataclass(frozen=True)
class Rebuilt:
    """What was rebuilt: the release, how many of its documents, and how many no copy was found of."""

    version: str
    documents: int
    missing: int

    def __str__(self) -> str:
        lost = f"; {self.missing:,} have no copy and are left out" if self.missing else ""
        return f"release {self.version}: {self.documents:,} articles with their texts and ledger{lost}"


@dataclass
class _Copies:
    """What was found among the copies: how many, hashes of those wanted, and hash by uri of all others."""

    read: int = 0
    found: set[str] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)


def rebuild(dataset: Path, version: str | None, options: Options, into: Path, *, partial: bool = False) -> Rebuilt:
    """Make the dataset `into` of a release (None: the newest) and the copies that `options` names.

    Raises UsageError where the release has its text, ReleaseError where a document has no copy (but with `partial`),
    or `into` holds something else, VerifyError where what is made is not what was published.
    """
    manifest = read_manifest(dataset, choose(dataset, version))
    if recipe_of(manifest.body).text:
        raise UsageError(f"{dataset}: release {manifest.version} has its text; --from is for one published without")
    if read_card(into):
        raise ReleaseError(f"{into}: holds a dataset already; choose another --into")
    job = settle(_named(options))
    wanted = pl.concat([pl.read_parquet(dataset / one.file, columns=list(KEYS)) for one in manifest.shards("article")])
    with Folder(into).opened() as folder, TemporaryDirectory(dir=folder.subfolder(WORK)) as work:
        copies = _Copies()
        for number, documents in enumerate(_matching(job, wanted, copies)):
            articles, ledger = _rows(dataset, manifest, documents)
            articles.write_ipc(Path(work) / f"articles-{number:06}.arrow")
            ledger.write_ipc(Path(work) / f"ledger-{number:06}.arrow")
        lost = wanted.filter(~pl.col("raw_sha256").is_in(list(copies.found)))
        if lost.height and (not partial or lost.height == wanted.height):
            raise ReleaseError(_lost(lost, copies))
        _write(folder, manifest, Path(work))
    return Rebuilt(manifest.version, wanted.height - lost.height, lost.height)


def _named(options: Options) -> Options:
    return Options(**{**vars(options), "name": "copies"})


def _matching(job: Job, wanted: pl.DataFrame, copies: _Copies) -> Iterator[pl.DataFrame]:
    """The copies that the release was made of, in batches, under the release's names."""
    hashes = set(wanted["raw_sha256"])
    for documents, _ in documents_of(job.files, Cut(BATCH)):
        copies.read += documents.height
        mine = documents["raw_sha256"].is_in(list(hashes - copies.found))
        copies.others |= dict(documents.filter(~mine).select("uri", "raw_sha256").iter_rows())
        fresh = documents.filter(mine).unique("raw_sha256", keep="first", maintain_order=True)
        copies.found |= set(fresh["raw_sha256"])
        named = wanted.join(fresh.drop("id", "uri", "source"), on="raw_sha256", how="inner")
        if named.height:
            yield named.select(documents.columns)


def _lost(lost: pl.DataFrame, copies: _Copies) -> str:
    """Which documents have no copy, and which have one that is not the same."""
    lines = []
    for uri, source, sha256 in lost.select("uri", "source", "raw_sha256").head(SHOWN).iter_rows():
        other = copies.others.get(uri) or copies.others.get(f"{source}/{uri}")
        told = f"your copy is another (SHA-256 {other}, wanted {sha256})" if other else f"no copy (SHA-256 {sha256})"
        lines.append(f"\n  {uri}: {told}")
    more = f"\n  and {lost.height - SHOWN:,} more" if lost.height > SHOWN else ""
    return (
        f"{copies.read:,} copies were read, and {lost.height:,} documents of the release are not among them:"
        f"{''.join(lines)}{more}\nadd them, or leave them out with --partial"
    )


def _rows(dataset: Path, manifest: Manifest, documents: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles and ledger of some documents, whole."""
    ids = pl.col("id").is_in(documents["id"].implode())
    articles, spans = (
        pl.concat([pl.scan_parquet(dataset / one.file).filter(ids).collect() for one in manifest.shards(table)])
        for table in ("article", "ledger")
    )
    ledger = _with_texts(spans, documents)
    texts = compose_texts(ledger.select("line", "label", "fate", "text", doc="id")).rename({"doc": "id"})
    articles = articles.join(texts, on="id", how="left", maintain_order="left")
    articles = articles.with_columns(pl.col("text").fill_null(""), pl.col("headings").fill_null([]))
    _check(manifest, articles)
    whole = load_schema("article").conform(articles.drop("text_sha256"))
    text = pl.when(~says(pl.col("raw"), pl.col("text"))).then(pl.col("text"))
    return whole.with_columns(content_sha256=content_hashes(whole)), ledger.with_columns(text=text).select(LEDGER)


def _with_texts(spans: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Ledger rows with `raw` and `text`: cut out of the copies' bytes, and of their lines decoded and repaired."""
    prepared = prepare(documents)
    if prepared.refused.height:
        uri, reason = prepared.refused.select("uri", "reason").row(0)
        raise VerifyError(f"{uri}: cannot be read here ({reason}); use the copydesk that made the release")
    names = prepared.documents.select("doc", "id")
    lines = prepared.lines.select("doc", pl.col("line").cast(pl.Int32), told="text").join(names, on="doc").drop("doc")
    start = pl.col("chars").cum_sum().over("id", "line") - pl.col("chars")
    return (
        spans.join(lines, on=["id", "line"], how="left", maintain_order="left")
        .join(documents.select("id", whole="raw"), on="id", how="left", maintain_order="left")
        .with_columns(
            text=pl.col("told").str.slice(start, pl.col("chars")).fill_null(""),
            raw=pl.col("whole").bin.slice(pl.col("start"), pl.col("end") - pl.col("start")),
        )
        .drop("told", "whole")
    )


def _check(manifest: Manifest, articles: pl.DataFrame) -> None:
    """Raise VerifyError where a text, or with unmasked fields a row, is not the one that was published."""
    hashes = pl.Series("found", [hashlib.sha256(text.encode()).hexdigest() for text in articles["text"]])
    wrong = articles.filter(pl.col("text_sha256") != hashes)
    if not wrong.height and not recipe_of(manifest.body).masks:
        whole = load_schema("article").conform(articles)
        wrong = articles.filter(pl.col("content_sha256") != content_hashes(whole))
    if wrong.height:
        made = manifest.body["made_with"]["copydesk"]
        raise VerifyError(
            f"{wrong['uri'][0]}: the text made of your copy is not the one that the release had ({wrong.height} such); "
            f"it was made with copydesk {made}: use that version"
        )


def _write(folder: Folder, manifest: Manifest, work: Path) -> None:
    """The rows as a release of the same number."""
    files = zip(sorted(work.glob("articles-*.arrow")), sorted(work.glob("ledger-*.arrow")), strict=True)
    batches = [Batch(articles, ledger) for articles, ledger in files]
    schemas = {name: load_schema(name) for name in ("article", "ledger")}
    paths = {"article": tuple(one.articles for one in batches), "ledger": tuple(one.ledger for one in batches)}
    rows = {name: Rows(folder.path, (), paths[name], reusable=False) for name in schemas}
    drawn = write_tables(folder, schemas, rows, ordered(all_keys(batches, None), work))
    folder.publish(drawn.staged)
    folder.unstage()
    body = {
        **manifest.body,
        **drawn.body,
        "quarantine": {"documents": 0, "file": None, "sha256": None, "reasons": {}},
        "publication": {**manifest.body["publication"], **Recipe().as_json()},
    }
    made = Manifest(body).as_written()
    folder.replace(made.file, made.data)
    put_card(folder, [made], [made.reference])
    renew(folder, [made.reference])
