"""Figures over a table of judged lines: what was lost, what was left, which labels were right.

    LINES       the table: one row per raw line of every labelled document
    marked      LINES with a verdict on each line: lost, left, and what weighs in
    totals      one row of figures over all lines
    by_label    precision, recall and F1 of every label
    grouped     the main figures for each value of a column
    worst       the lines that cost most: text lost first, then furniture left, the longest first

Body and heading should stay, every other label should go, and headline, deck, dateline and blank lines count neither
way: they go into fields. A line weighs its characters, so that a lost paragraph is not worth a lost caption. Of equal
body lines in a document losing a copy is no loss while one stays.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from copydesk.labels import FATE_OF, KEPT, LABEL_TYPE, LABELS

__all__ = ["GONE", "LINES", "by_label", "grouped", "marked", "totals", "worst"]

LINES: Final = pl.Schema(
    {
        "document": pl.String(),
        "outlet": pl.String(),
        "site": pl.String(),
        "kind": pl.String(),
        "language": pl.String(),
        "line": pl.UInt32(),
        "gold": LABEL_TYPE,
        "ours": LABEL_TYPE,
        "evidence": pl.String(),
        "confidence": pl.Float64(),
        "chars": pl.Int64(),
        "text": pl.String(),
        "plain": pl.String(),
    }
)

NEUTRAL: Final = ("headline", "deck", "dateline", "blank")
GONE: Final = tuple(label for label in LABELS if FATE_OF[label] != "text" and label not in NEUTRAL)
HARD: Final = ("heading", "related_link")
CUT: Final = 80

_HEAD: Final = ["lost", "document", "line", "gold", "ours", "evidence", "confidence", "chars"]


def _among(column: str, labels: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).cast(pl.String).is_in(labels)


def marked(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines with masks: text (should stay), furniture (should go), kept, lost, left, mid (between body lines)."""
    group = ["document", "plain"]
    body, stays = pl.col("gold") == "body", pl.col("kept")
    safe = body & ((body & stays).any().over(group)) & (body.sum().over(group) > 1)
    within = body.cum_sum().over("document")
    return (
        lines.with_columns(kept=~_among("ours", GONE), is_text=_among("gold", KEPT), furniture=_among("gold", GONE))
        .with_columns(lost=pl.col("is_text") & ~stays & ~safe, left=pl.col("furniture") & stays)
        .with_columns(mid=_among("gold", HARD) & (within > 0) & (within < body.sum().over("document")))
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None and recall is None:
        return None
    one, other = precision or 0.0, recall or 0.0
    return 2 * one * other / (one + other) if one + other else 0.0


def _scores(right: int, wrong: int, missed: int) -> dict[str, float | None]:
    """Precision, recall and F1 of a choice: chosen rightly, chosen wrongly, not chosen."""
    precision, recall = _share(right, right + wrong), _share(right, right + missed)
    return {"precision": precision, "recall": recall, "f1": _f1(precision, recall)}


def totals(lines: pl.DataFrame) -> dict[str, Any]:
    """The figures over all of `lines` (from `marked`), ready for JSON; a share of nothing is None."""
    counts = lines.select([*_sums("lines"), *_sums("chars")]).row(0, named=True)
    return {
        "drop": _scores(counts["gone_chars"], counts["lost_chars"], counts["left_chars"]),
        "drop_lines": _scores(counts["gone_lines"], counts["lost_lines"], counts["left_lines"]),
        "keep": _scores(counts["stay_chars"], counts["left_chars"], counts["lost_chars"]),
        "body": {
            "lines": counts["body_lines"],
            "chars": counts["body_chars"],
            "lost_lines": counts["lost_body_lines"],
            "lost_chars": counts["lost_body_chars"],
            "lost_share": _share(counts["lost_body_chars"], counts["body_chars"]),
        },
        "headings": {"lines": counts["heading_lines"], "lost": counts["lost_heading_lines"]},
        "furniture": {
            "lines": counts["furniture_lines"],
            "chars": counts["furniture_chars"],
            "left_lines": counts["left_lines"],
            "left_chars": counts["left_chars"],
        },
        "labels_right": _share(lines.filter(pl.col("gold") == pl.col("ours")).height, lines.height),
        "mid_body_links": _middle(lines),
        "documents": _documents(lines),
    }


def _sums(unit: str) -> list[pl.Expr]:
    weight = pl.col("chars") if unit == "chars" else pl.lit(1, dtype=pl.Int64)
    gold = pl.col("gold")
    masks = {
        "gone": pl.col("furniture") & ~pl.col("kept"),
        "stay": pl.col("is_text") & ~pl.col("lost"),
        "lost": pl.col("lost"),
        "left": pl.col("left"),
        "furniture": pl.col("furniture"),
        "body": gold == "body",
        "heading": gold == "heading",
        "lost_body": pl.col("lost") & (gold == "body"),
        "lost_heading": pl.col("lost") & (gold == "heading"),
    }
    return [(weight * mask).sum().alias(f"{name}_{unit}") for name, mask in masks.items()]


def _middle(lines: pl.DataFrame) -> dict[str, Any]:
    """The hard pair, between the first and the last body line: dropping a related link is right, a heading wrong."""
    link, kept = pl.col("gold") == "related_link", pl.col("kept")
    right, missed, wrong = (lines.filter("mid", mask).height for mask in (link & ~kept, link & kept, ~link & ~kept))
    return {"lines": right + missed, "headings_dropped": wrong, **_scores(right, wrong, missed)}


def _documents(lines: pl.DataFrame) -> dict[str, int]:
    docs = lines.group_by("document").agg(
        whole=~pl.col("lost").any(),
        perfect=~(pl.col("lost") | pl.col("left")).any(),
        clean=~pl.col("furniture").any(),
        changed=(pl.col("is_text") & ~pl.col("kept")).any(),
    )
    counts = docs.select(
        all=pl.len(),
        without_loss=pl.col("whole").sum(),
        perfect=pl.col("perfect").sum(),
        clean=pl.col("clean").sum(),
        clean_changed=(pl.col("clean") & pl.col("changed")).sum(),
    )
    return counts.row(0, named=True)


def by_label(lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Of each label that gold or copydesk uses: lines of gold and ours, precision, recall, F1, how many dropped."""
    rows = []
    for label in LABELS:
        gold = lines.filter(pl.col("gold") == label)
        ours = lines.filter(pl.col("ours") == label).height
        if gold.height or ours:
            both = gold.filter(pl.col("ours") == label).height
            scores = _scores(both, ours - both, gold.height - both)
            dropped = gold.filter(~pl.col("kept")).height
            rows.append({"label": label, **scores, "lines": gold.height, "ours": ours, "dropped": dropped})
    return rows


def grouped(lines: pl.DataFrame, by: str) -> list[dict[str, Any]]:
    """The main figures for each value of the column `by`, most documents first; no value is "unknown"."""
    rows = []
    for (name,), part in lines.with_columns(pl.col(by).fill_null("unknown")).group_by(by, maintain_order=True):
        found = totals(part)
        rows.append(
            {
                by: name,
                "documents": found["documents"]["all"],
                "drop_f1": found["drop"]["f1"],
                "lost_lines": found["body"]["lost_lines"],
                "lost_chars": found["body"]["lost_chars"],
                "headings_lost": found["headings"]["lost"],
                "left_lines": found["furniture"]["left_lines"],
                "left_chars": found["furniture"]["left_chars"],
            }
        )
    return sorted(rows, key=lambda row: (-row["documents"], row[by]))


def worst(lines: pl.DataFrame, limit: int) -> list[dict[str, Any]]:
    """The costliest lines: lost text before left furniture, then by characters; their text cut to 80 characters."""
    ranked = lines.filter(pl.col("lost") | pl.col("left")).sort(
        "lost", "chars", "document", "line", descending=[True, True, False, False]
    )
    cut = ranked.head(limit).with_columns(pl.col("gold", "ours").cast(pl.String), pl.col("text").str.slice(0, CUT))
    return cut.select(*_HEAD, "text").to_dicts()
