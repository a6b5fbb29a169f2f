"""How good copydesk is on documents that people have labelled: `copydesk evaluate GOLD`.

    evaluate     judge the documents of a gold file and compare, line by line and field by field
    Evaluation   the outcome: tables and figures; `as_json` is what `--json` prints
    render       the same as plain text

    labelled     reading the gold        compared   fields        scores   figures over lines        report   the text

The documents are judged by the judge of an ingest, with the knowledge and the profiles that are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.errors import ConfigError, UsageError
from copydesk.evaluation.compared import COMPARED, field_rows, plain
from copydesk.evaluation.labelled import Labelled, read_labelled
from copydesk.evaluation.report import render
from copydesk.evaluation.scores import LINES, by_label, grouped, marked, totals, worst
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.single import explain_documents
from copydesk.sources import DOCUMENTS, row

__all__ = ["GROUPS", "Evaluation", "evaluate", "render"]

GROUPS: Final = ("outlet", "site", "kind", "language")
"""What rows can be grouped by: what the gold says of outlet, kind and language, the site that copydesk found."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """What came out; every table is a list of rows ready for JSON."""

    gold: str
    totals: dict[str, Any]
    """Figures over all documents, see scores.totals."""
    labels: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    """Per field: documents, how many state it, exact and soft over all, exact where stated and where absent."""
    furniture: dict[str, int]
    """Furniture glued into kept lines: how many `spans`, how many of them `removed` from the text."""
    by: str
    groups: list[dict[str, Any]]
    worst: list[dict[str, Any]]
    unread: dict[str, str]
    """Documents that copydesk cannot read, with the reason; they count as kept whole."""

    def as_json(self) -> dict[str, Any]:
        """All of it in plain JSON types."""
        return dict(vars(self))


def evaluate(  # noqa: PLR0913 - the options of a command
    gold: Path,
    raw: Path | None = None,
    *,
    knowledge: Knowledge | None = None,
    profiles: Profiles | None = None,
    source: str = "gold",
    by: str = "outlet",
    limit: int = 20,
) -> Evaluation:
    """Judge the documents of a gold file and score what comes out.

    `raw` is the folder of `<id>.txt` (default: beside the gold, named like it). `knowledge` and `profiles` are the
    shipped ones unless given; `source` is the source under which such knowledge counted these documents. `by` is one of
    GROUPS, `limit` how many of the worst lines are listed.

    Raises UsageError where a file is missing, ConfigError where a record is not in order, naming file, record, value
    and remedy.
    """
    if by not in GROUPS:
        raise UsageError(f"rows by {by!r}: there are {', '.join(GROUPS)}; give one of them")
    documents = read_labelled(gold, raw)
    records = list(
        explain_documents(_documents(documents, source), knowledge or Knowledge(), profiles or load_profiles())
    )
    parts = [_lines(one, record) for one, record in zip(documents, records, strict=True)]
    lines = marked(pl.concat(parts).filter(pl.col("gold").is_not_null()))
    return Evaluation(
        gold=gold.name,
        totals=totals(lines),
        labels=by_label(lines),
        fields=_fields(documents, records),
        furniture=_glued(documents, records),
        by=by,
        groups=grouped(lines, by),
        worst=worst(lines, limit),
        unread={one.id: record["error"] for one, record in zip(documents, records, strict=True) if "error" in record},
    )


def _documents(documents: Sequence[Labelled], source: str) -> pl.DataFrame:
    rows = [row(source, f"{one.id}.txt", {}, None, one.raw) for one in documents]
    return pl.DataFrame(rows, schema=DOCUMENTS, orient="row")


def _lines(one: Labelled, record: Record) -> pl.DataFrame:
    """The rows of scores.LINES of one document: the gold's label of each line beside ours."""
    n = len(one.labels)
    spans, texts = _per_line(one, record)
    fields, given = record.get("fields", {}), one.fields or {}
    columns = {
        "line": range(1, n + 1),
        "gold": one.labels,
        "ours": [span.label for span in spans] if spans else ["body"] * n,
        "evidence": [span.evidence for span in spans] if spans else [""] * n,
        "confidence": [span.confidence for span in spans] if spans else [0.0] * n,
        "chars": one.chars or [len(text.strip()) for text in texts],
        "text": texts,
        "plain": [plain(text) for text in texts],
    }
    same = {
        "document": one.id,
        "outlet": given.get("outlet"),
        "site": fields.get("site"),
        "kind": one.kind,
        "language": given.get("language") or fields.get("language"),
    }
    return (
        pl.DataFrame(columns, schema_overrides=LINES)
        .with_columns(pl.lit(value, dtype=pl.String).alias(name) for name, value in same.items())
        .select(LINES.names())
    )


def _per_line(one: Labelled, record: Record) -> tuple[list[Any], list[str]]:
    """The largest span and the whole text of each line; no spans where the document could not be read."""
    if "error" in record:
        return [], [""] * len(one.labels)
    spans: dict[int, Any] = {}
    texts: dict[int, str] = {}
    for span in record["lines"]:
        number = span.number
        texts[number] = texts.get(number, "") + span.text
        if number not in spans or len(span.text) > len(spans[number].text):
            spans[number] = span
    if len(spans) != len(one.labels):
        raise ConfigError(
            f"{one.where}: {len(one.labels)} labels, but {one.id}.txt has {len(spans)} lines; give one label per line "
            "(CRLF, CR and LF end a line, a last empty line is not counted)"
        )
    return list(spans.values()), list(texts.values())


def _fields(documents: Sequence[Labelled], records: Sequence[Record]) -> list[dict[str, Any]]:
    rows = [
        row
        for one, record in zip(documents, records, strict=True)
        if one.fields is not None
        for row in field_rows(one.fields, record.get("fields", {}))
    ]
    table = pl.DataFrame(
        rows, schema={"field": pl.String, "stated": pl.Boolean, "exact": pl.Float64, "soft": pl.Float64}, orient="row"
    )
    exact, stated = pl.col("exact"), pl.col("stated")
    counted = table.group_by("field").agg(
        documents=pl.len(),
        stated=stated.sum(),
        exact=exact.mean(),
        soft=pl.col("soft").mean(),
        exact_stated=exact.filter(stated).mean(),
        exact_absent=exact.filter(~stated).mean(),
    )
    return sorted(counted.to_dicts(), key=lambda row: COMPARED.index(row["field"]))


def _glued(documents: Sequence[Labelled], records: Sequence[Record]) -> dict[str, int]:
    """How much of the furniture that is glued into kept lines is gone from the text."""
    found = [
        plain(text) not in plain(record.get("text", text))
        for one, record in zip(documents, records, strict=True)
        for text in one.furniture
    ]
    return {"spans": len(found), "removed": sum(found)}
