"""What each line is: from a batch's line table to labelled spans.

    label_lines     the one entrance: lines and documents of a batch, with the knowledge -> spans

    shape, glance   measures of lines; kept for later      profiles, sites   furniture as data; whose layout it is
    patterns        dates, names                           repetition        what the corpus says of a line
    headlines       the article's own headline             structure         what the build of the document says
    features, model the trained judgement over shape       decision          all evidence weighed, line by line
    glue, endings   furniture run into a line of text

Everything works on columns of a whole batch, yet no line's label depends on which documents share its batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.knowledge import Knowledge
from copydesk.labels import LABEL_TYPE, LABELS
from copydesk.lines import repetition
from copydesk.lines.decision import Known, Verdict, decide
from copydesk.lines.glue import Cut, cuts
from copydesk.lines.model import predict
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import INVISIBLE, Shape, measure
from copydesk.lines.sites import counting_key, per_line
from copydesk.lines.structure import frame

__all__ = ["label_lines"]


def label_lines(
    lines: pl.DataFrame,
    documents: pl.DataFrame,
    knowledge: Knowledge,
    profiles: Profiles,
    model: NDArray[np.float32] | None = None,
    shape: Shape | None = None,
) -> pl.DataFrame:
    """Label every line of a batch.

    `lines` has doc, line, text (others are ignored), ordered by doc and line; `documents` has doc and site, and may
    have id, outlet, source. The answer has doc, line, span, start, end (characters in the line's text), text, label,
    evidence and confidence, ordered by doc, line, span; the spans of a line tile it, nearly always it is one. `model`
    (non-blank lines, labels) takes the place of the shipped model's probabilities, and `shape` is that of the lines
    where they have been measured.
    """
    shape = measure(lines) if shape is None else shape
    site = per_line(shape, documents, documents["site"].cast(pl.String))
    counted = per_line(shape, documents, counting_key(documents, documents["site"].cast(pl.String)))
    model = _predict(shape) if model is None else model
    at = frame(shape, site, profiles, model)
    keys = repetition.keys_of(shape, at.paragraph)
    seen = repetition.seen(keys, counted, knowledge)
    headed = repetition.heads(keys, knowledge)
    verdict = decide(at, profiles.evidence, Known(seen, headed, counted), model)
    again = repetition.recurring(shape, counted, knowledge)
    return _cut(_spans(lines, shape, verdict), shape, cuts(shape, verdict.label, again))


def _predict(shape: Shape) -> NDArray[np.float32] | None:
    """What the model says; the ablation of the benchmarks puts None in its place."""
    return predict(shape)


def _spans(lines: pl.DataFrame, shape: Shape, verdict: Verdict) -> pl.DataFrame:
    """One span for each line, the whole of it."""
    n = lines.height
    codes = np.full(n, LABELS.index("blank"), dtype=np.uint8)
    codes[shape.rows] = verdict.label
    why = np.full(n, len(verdict.reasons))
    why[shape.rows] = verdict.why
    confidence = np.ones(n, dtype=np.float32)
    confidence[shape.rows] = verdict.sure
    return lines.select(
        pl.col("doc"),
        pl.col("line"),
        pl.lit(0, dtype=pl.UInt16).alias("span"),
        pl.lit(0, dtype=pl.UInt32).alias("start"),
        pl.col("text").str.len_chars().alias("end"),
        pl.col("text"),
        pl.Series("label", codes).cat.to(LABEL_TYPE),
        pl.Series("evidence", [*verdict.reasons, "blank"], dtype=pl.String).gather(why),
        pl.Series("confidence", confidence),
    )


def _cut(spans: pl.DataFrame, shape: Shape, found: list[Cut]) -> pl.DataFrame:
    """Put the pieces of cut lines in the place of their whole."""
    if not found:
        return spans
    rows = shape.rows[[cut.at for cut in found]]
    parts = [_pieces(spans.row(int(row), named=True), cut) for row, cut in zip(rows, found, strict=True)]
    pieces = pl.DataFrame([piece for part in parts for piece in part], schema=spans.schema)
    whole = spans.with_row_index("row").filter(~pl.col("row").is_in(rows.tolist())).drop("row")
    return pl.concat([whole, pieces]).sort("doc", "line", "span", maintain_order=True)


def _pieces(whole: dict[str, Any], cut: Cut) -> list[dict[str, Any]]:
    """The spans of one line; the blanks before and after its stripped text go with the first and the last."""
    text: str = whole["text"]
    lead = len(text) - len(text.lstrip(INVISIBLE))
    out = []
    for number, (start, end, code, why) in enumerate(cut.pieces):
        low = 0 if number == 0 else start + lead
        high = len(text) if number == len(cut.pieces) - 1 else end + lead
        piece = {
            "span": number,
            "start": low,
            "end": high,
            "text": text[low:high],
            "label": LABELS[code],
            "evidence": why,
        }
        out.append({**whole, **piece, "confidence": 0.8})
    return out
