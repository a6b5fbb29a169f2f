"""The two functions at the heart: what a batch shows the corpus, and how it is judged.

    prepare   documents' bytes to repaired lines; what cannot be read is refused with its reason
    glance    what a batch's lines show by themselves, for the two that follow
    survey    what a batch adds to the knowledge: its sites' lines, its headlines, its tags
    judge     every line's label and fate, every document's fields: the articles and the ledger

Pure functions over tables: no file is read or written here, and a document's result does not depend on the others of
its batch except through the knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from copydesk import metadata
from copydesk.aligned import beside, starts
from copydesk.corrected import correct_fields, correct_sites, correct_spans
from copydesk.decoding import decode_documents
from copydesk.errors import ConfigError
from copydesk.knowledge import Knowledge
from copydesk.labels import FATES
from copydesk.ledger import ledger_rows
from copydesk.lines import label_lines, repetition
from copydesk.lines.glance import Glance
from copydesk.lines.glance import glance as look
from copydesk.lines.profiles import Profiles
from copydesk.lines.sites import learned_sites
from copydesk.repair import kind_names, repair_lines
from copydesk.schema import load_schema
from copydesk.sizes import sizes
from copydesk.sources import REFUSED
from copydesk.text import MARKED, compose_texts, content_hashes

__all__ = ["Judged", "Prepared", "glance", "judge", "prepare", "survey"]


@dataclass(frozen=True)
class Prepared:
    """A batch as tables: `documents` (without bytes), their `lines`, and the `refused`.

    Of lines, `decoded` is null where it is the `text`: nothing was repaired.
    """

    documents: pl.DataFrame
    lines: pl.DataFrame
    refused: pl.DataFrame


@dataclass(frozen=True)
class Judged:
    """What a batch became: rows of the schemas `articles` and `ledger`, and those that break them, `refused`."""

    articles: pl.DataFrame
    ledger: pl.DataFrame
    refused: pl.DataFrame


def prepare(documents: pl.DataFrame) -> Prepared:
    """Decode and repair a batch of documents (the columns of sources.DOCUMENTS)."""
    decoded = decode_documents(documents["raw"])
    facts = pl.concat([documents.drop("raw"), decoded.documents.drop("doc")], how="horizontal")
    fine = facts["error"].is_null()
    refused = facts.filter(~fine).select("id", "uri", "source", "raw_sha256", reason="error")
    kept = facts.filter(fine).with_row_index("doc")
    lines, numbers = decoded.lines, np.cumsum(fine.to_numpy()) - 1  # documents are numbered anew without the refused
    if refused.height:
        lines = lines.with_columns(doc=pl.Series(numbers[lines["doc"].to_numpy()], dtype=pl.UInt32))
    repaired = repair_lines(lines["decoded"])
    before = pl.when(repaired["changed"]).then("decoded")
    lines = lines.with_columns(decoded=before, text=repaired["text"])
    return Prepared(_with_repairs(kept, lines["doc"], repaired["repairs"]), lines, refused.cast(REFUSED))


def _with_repairs(documents: pl.DataFrame, doc: pl.Series, repairs: pl.Series) -> pl.DataFrame:
    """Name each document's repairs, sorted, each once; the decoder's notes are repairs of the bytes."""
    masks = np.zeros(documents.height, dtype=np.uint16)
    some = np.flatnonzero(repairs.to_numpy())
    np.bitwise_or.at(masks, doc.to_numpy()[some], repairs.to_numpy()[some])
    few, which = np.unique(masks, return_inverse=True)
    names = pl.Series("names", [kind_names(mask) for mask in few.tolist()], dtype=pl.List(pl.String))
    return (
        documents.with_columns(names.gather(which))
        .with_columns(repairs=pl.concat_list("notes", "names").list.unique().list.sort())
        .drop("notes", "names", "error")
    )


def glance(batch: Prepared, profiles: Profiles) -> Glance:
    """What a batch's lines show by themselves."""
    return look(batch.lines, batch.documents, profiles)


def survey(batch: Prepared, profiles: Profiles, seen: Glance) -> Mapping[str, pl.DataFrame]:
    """What a batch shows the corpus, as tables that `corpus.learn` merges."""
    return repetition.survey(batch.lines, _placed(batch, seen, Knowledge(), profiles), profiles, seen.shape)


def judge(batch: Prepared, knowledge: Knowledge, profiles: Profiles, seen: Glance | None = None) -> Judged:
    """Label every line, decide its fate, extract every field; `seen` is the batch's glance, where there was one."""
    seen = glance(batch, profiles) if seen is None else seen
    documents = _placed(batch, seen, knowledge, profiles)
    spans = label_lines(batch.lines, documents, knowledge, profiles, shape=seen.shape)
    spans = correct_spans(spans, documents, knowledge.corrections)
    ledger = ledger_rows(spans, batch.lines, documents)
    articles = _articles(documents, spans, ledger, knowledge)
    good, faults = load_schema("article").validate(articles)
    refused = _broken(articles, faults)
    if refused.height:
        articles = articles.filter(good)
        ledger = ledger.join(refused, on="id", how="anti", maintain_order="left")
    return Judged(articles, ledger.drop("doc"), refused)


def _placed(batch: Prepared, seen: Glance, knowledge: Knowledge, profiles: Profiles) -> pl.DataFrame:
    """The documents with their sites, and the outlet that a site's profile names, to fall back on."""
    sites = learned_sites(seen.sites, batch.documents, knowledge)
    sites = correct_sites(sites, batch.documents, knowledge.corrections)
    return batch.documents.with_columns(
        site=sites, profile_outlet=sites.replace_strict(profiles.outlets, default=None, return_dtype=pl.String)
    )


def _articles(documents: pl.DataFrame, spans: pl.DataFrame, ledger: pl.DataFrame, knowledge: Knowledge) -> pl.DataFrame:
    """One row of the article schema per document, in the documents' order."""
    fields = metadata.extract(spans, documents, knowledge)
    fields = correct_fields(fields, documents, knowledge.corrections)
    told = documents.drop(column for column in fields.columns if column != "doc" and column in documents.columns)
    articles = beside(beside(beside(told, fields), compose_texts(spans)), _counted(ledger)).with_columns(
        pl.col("text").fill_null(""),
        pl.col("headings").fill_null([]),
        **dict.fromkeys(MARKED, pl.lit(None, dtype=pl.String)) | {"split": pl.lit("train")},
        content_sha256=pl.lit("0" * 64),
    )
    fates = [pl.col(f"lines_{fate}").fill_null(0) for fate in FATES]
    articles = articles.with_columns(counts=pl.struct(*sizes(articles["text"]), *fates))
    schema = load_schema("article")
    unknown = sorted(set(fields.columns) - {"doc", *schema.polars})
    if unknown:
        raise ConfigError(f"schemas/article.yaml has no column {unknown[0]!r}, which every article fills; put it back")
    articles = schema.conform(articles)
    return articles.with_columns(content_sha256=content_hashes(articles))


def _counted(ledger: pl.DataFrame) -> pl.DataFrame:
    """How many spans of each document met each fate."""
    first = starts(ledger["doc"])
    fate = ledger["fate"].to_physical().to_numpy()
    met = (np.add.reduceat(fate == code, first, dtype=np.uint32) if len(first) else first for code in range(len(FATES)))
    counts = [pl.Series(f"lines_{name}", one, dtype=pl.UInt32) for name, one in zip(FATES, met, strict=True)]
    return pl.DataFrame([ledger["doc"][first], *counts])


def _broken(articles: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """The documents whose row breaks the schema, as REFUSED, with every reason."""
    reasons = faults.group_by("row").agg(reason=pl.format("{}: {}", "field", "reason").sort().str.join("; "))
    return (
        reasons.join(articles.with_row_index("row"), on="row", how="inner")
        .with_columns(reason=pl.lit("breaks the schema of articles: ") + pl.col("reason"))
        .select(list(REFUSED))
        .sort("id")
        .cast(REFUSED)
    )
