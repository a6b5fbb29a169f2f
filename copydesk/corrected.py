"""Corrections carried out: on the sites, the lines and the fields of a batch.

    correct_sites    a document is of the site that a person says
    correct_spans    a line is what a person says, the whole of it, whatever else was found
    correct_fields   a field holds what a person says; what it held before stays in its provenance, unused

A correction holds for the raw file and the line that the person saw, and for no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from copydesk.corrections import HUMAN, moment, text_hash
from copydesk.fields import FIELD_KINDS
from copydesk.labels import LABEL_TYPE
from copydesk.metadata import parse_dateline

__all__ = ["correct_fields", "correct_sites", "correct_spans"]

DONE_ELSEWHERE: Final = "site"
"""The field that judging starts from, so it is corrected before."""


def _said(documents: pl.DataFrame, corrections: pl.DataFrame, about: pl.Expr) -> pl.DataFrame:
    """The corrections that hold for documents of the batch, with their `doc`."""
    if not corrections.height or "raw_sha256" not in documents.columns:
        return corrections.clear().with_columns(doc=pl.lit(None, dtype=documents.schema["doc"]))
    return corrections.filter(about).join(
        documents.select("doc", "id", "raw_sha256"), on=["id", "raw_sha256"], how="inner", maintain_order="left"
    )


def correct_sites(sites: pl.Series, documents: pl.DataFrame, corrections: pl.DataFrame) -> pl.Series:
    """The sites of the documents, in their order, with those that people name."""
    said = _said(documents, corrections, pl.col("field") == DONE_ELSEWHERE)
    if not said.height:
        return sites
    found = dict(zip(documents["doc"], sites, strict=True))
    found |= {doc: json.loads(value) for doc, value in said.select("doc", "value").iter_rows()}
    return pl.Series(sites.name, list(found.values()), dtype=sites.dtype)


def correct_spans(spans: pl.DataFrame, documents: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """The spans (as `lines.label_lines` gives them) with the lines that people labelled put right, each one span."""
    said = _said(documents, corrections, pl.col("label").is_not_null())
    if not said.height:
        return spans
    said = said.select(
        "doc",
        pl.col("line").cast(spans.schema["line"]),
        said="label",
        wanted="text_sha256",
        who="who",
    )
    whole = (
        spans.join(said, on=["doc", "line"], how="inner", maintain_order="left")
        .group_by("doc", "line", maintain_order=True)
        .agg(
            pl.col("span").first(),
            pl.col("start").first(),
            pl.col("end").last(),
            pl.col("text").str.join(""),
            (pl.col("label") == "blank").all().alias("blank"),
            pl.col("said", "wanted", "who").first(),
        )
    )
    right = pl.Series([text_hash(text) for text in whole["text"]], dtype=pl.String) == whole["wanted"]
    lines = whole.filter(right & ~whole["blank"]).with_columns(
        label=pl.col("said").cast(LABEL_TYPE),
        evidence=pl.lit(HUMAN) + pl.col("who"),
        confidence=pl.lit(1.0, dtype=pl.Float32),
    )
    others = spans.join(lines, on=["doc", "line"], how="anti", maintain_order="left")
    return pl.concat([others, lines.select(spans.columns)]).sort("doc", "line", "span", maintain_order=True)


def correct_fields(fields: pl.DataFrame, documents: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """The fields (as `metadata.extract` gives them, a row per document) with those that people corrected put right."""
    said = _said(documents, corrections, pl.col("field").is_not_null())
    if not said.height:
        return fields
    own = said.select(pl.col("doc").cast(fields.schema["doc"]), "field", "value", "who")
    rows = fields.join(own, on="doc", how="semi", maintain_order="left").to_dicts()
    told = {doc: part for (doc,), part in own.partition_by("doc", as_dict=True).items()}
    for row in rows:
        for _, name, value, who in told[row["doc"]].iter_rows():
            row.update(_corrected(row, name, json.loads(value), HUMAN + who))
    others = fields.join(own, on="doc", how="anti", maintain_order="left")
    return pl.concat([others, pl.DataFrame(rows, schema=fields.schema)]).sort("doc")


def _corrected(row: Mapping[str, Any], name: str, value: Any, evidence: str) -> dict[str, Any]:
    """What of a row changes with the correction of one field."""
    shown = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    before = [{**one, "used": one["used"] and one["field"] != name} for one in row["provenance"]]
    provenance = [*before, {"field": name, "value": shown, "evidence": evidence, "used": True}]
    return {**_values(row, name, value, evidence), "provenance": provenance}


def _values(row: Mapping[str, Any], name: str, value: Any, evidence: str) -> dict[str, Any]:
    if name == "site":
        return {}
    match FIELD_KINDS[name]:
        case "dateline":
            return {name: _dateline(value), "dateline_end": row["dateline_end"] if value else None}
        case "time":
            return _times(name, value, evidence)
        case "list":
            return {name: [one.strip() for one in value or []]}
    plain = value.strip() if isinstance(value, str) else value
    return {name: plain, **({"language_score": 1.0 if value else None} if name == "language" else {})}


def _times(name: str, value: str | None, evidence: str) -> dict[str, Any]:
    instant, offset, precision = moment(value) if value else (None, None, None)
    if name != "published_at":
        return {name: instant}
    return {
        name: instant,
        "published_offset": offset,
        "published_precision": precision,
        "published_evidence": evidence if instant else None,
        "candidate_years": [],
    }


def _dateline(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The column's struct: what the person wrote, and cities and day as they are read from it."""
    if said is None:
        return None
    place, date, agency = (said.get(name) or None for name in ("place", "date", "agency"))
    read = parse_dateline(f"{', '.join(part for part in (place, date) if part)} (Reuters) - X")
    fits = read is not None and read.place == place
    return {
        "place": place,
        "date": date,
        "places": [one.city for one in read.places] if read and fits else [place],
        "month": read.month if read and fits else None,
        "day": read.day if read and fits else None,
        "year": read.year if read and fits else None,
        "agency": agency,
    }
