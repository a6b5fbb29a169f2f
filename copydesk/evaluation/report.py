"""An evaluation as plain text: tables of fixed width, worst lines last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copydesk.evaluation import Evaluation

__all__ = ["render"]


def render(evaluation: Evaluation) -> str:
    """The evaluation as text, ending in a line end."""
    parts = [_summary(evaluation), _labels(evaluation.labels)]
    if evaluation.fields:
        parts.append(_fields(evaluation.fields))
    parts.append(_groups(evaluation))
    if evaluation.worst:
        parts.append(_worst(evaluation.worst))
    if evaluation.unread:
        parts.append("\n".join(["cannot be read", *(f"  {key}: {why}" for key, why in evaluation.unread.items())]))
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1) -> str:
    """Rows under a head, the first `left` columns flush left; floats with three digits, None as a dash."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.3f}"
    return str(value)


def _scores(found: Mapping[str, Any]) -> list[Any]:
    return [found["precision"], found["recall"], found["f1"]]


def _summary(evaluation: Evaluation) -> str:
    found = evaluation.totals
    body, heads, left, docs = (found[name] for name in ("body", "headings", "furniture", "documents"))
    middle = found["mid_body_links"]
    rows = [
        ("dropped, by characters", *_scores(found["drop"])),
        ("kept, by characters", *_scores(found["keep"])),
        ("dropped, by lines", *_scores(found["drop_lines"])),
        ("related links in mid-story", *_scores(middle)),
    ]
    lost = "-" if body["lost_share"] is None else f"{body['lost_share']:.2%}"
    told = [
        ("body lost", f"{body['lost_chars']} of {body['chars']} characters ({lost}), {_of(body, 'lost_lines')}"),
        ("headings lost", f"{heads['lost']} of {heads['lines']}"),
        ("furniture left", f"{left['left_chars']} of {left['chars']} characters, {_of(left, 'left_lines')}"),
        ("in mid-story", f"{middle['lines']} related links; {middle['headings_dropped']} headings dropped like links"),
        ("clean documents", f"{docs['clean_changed']} of {docs['clean']} changed"),
        ("documents", f"{docs['all']}: {docs['without_loss']} without loss, {docs['perfect']} without a wrong line"),
    ]
    if evaluation.furniture["spans"]:
        glued = evaluation.furniture
        told.append(("glued into kept lines", f"{glued['removed']} of {glued['spans']} removed"))
    facts = [f"{name:<23}{value}" for name, value in told]
    return "\n".join([evaluation.gold, "", table(["", "precision", "recall", "F1"], rows), "", *facts])


def _of(found: Mapping[str, Any], name: str) -> str:
    return f"{found[name]} of {found['lines']} lines"


def _labels(labels: Iterable[Mapping[str, Any]]) -> str:
    rows = [[row["label"], *_scores(row), row["lines"], row["ours"], row["dropped"]] for row in labels]
    return table(["label", "precision", "recall", "F1", "lines", "ours", "dropped"], rows)


def _fields(fields: Iterable[Mapping[str, Any]]) -> str:
    names = ["field", "documents", "stated", "exact", "soft", "exact_stated", "exact_absent"]
    head = [name.replace("_", ", ") for name in names]
    return table(head, [[row[name] for name in names] for row in fields])


def _groups(evaluation: Evaluation) -> str:
    by = evaluation.by
    names = [by, "documents", "drop_f1", "lost_lines", "lost_chars", "headings_lost", "left_lines", "left_chars"]
    head = [by, *(name.replace("_", " ") for name in names[1:])]
    return table(head, [[row[name] for name in names] for row in evaluation.groups])


def _worst(worst: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        [
            "lost" if row["lost"] else "left",
            *(row[name] for name in ("document", "gold", "ours", "evidence", "text")),
            *(row[name] for name in ("line", "chars")),
            float(row["confidence"]),
        ]
        for row in worst
    ]
    ordered = [[*row[:2], row[6], *row[2:5], row[8], row[7], row[5].replace("\n", " ")] for row in rows]
    head = ["worst", "document", "line", "gold", "ours", "evidence", "sure", "chars", "text"]
    return table(head, ordered, left=len(head))
