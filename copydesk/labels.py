"""The words for lines: what a line is (label) and what became of it (fate).

One place, so that rules, model, ledger, card and command line say the same thing. The order of `LABELS` is
part of the model file's format: append, never reorder.
"""

from typing import Final

import polars as pl

__all__ = ["DROPPED", "FATES", "FATE_OF", "FATE_TYPE", "FIELD", "KEPT", "LABELS", "LABEL_TYPE"]

KEPT: Final = ("body", "heading")
"""Labels whose lines are the article's text."""

FIELD: Final = ("headline", "deck", "dateline", "byline", "date_line", "section_label", "tags")
"""Labels whose lines go into a field of the article (a dateline only where it stands alone on its line)."""

DROPPED: Final = (
    "related_link",
    "navigation",
    "comment_prompt",
    "share_prompt",
    "caption",
    "advert",
    "copyright",
    "other_boilerplate",
)
"""Labels whose lines are neither text nor field."""

LABELS: Final = (*KEPT, *FIELD, *DROPPED, "blank")
FATES: Final = ("text", "field", "dropped", "blank")

FATE_OF: Final[dict[str, str]] = {
    **dict.fromkeys(KEPT, "text"),
    **dict.fromkeys(FIELD, "field"),
    **dict.fromkeys(DROPPED, "dropped"),
    "blank": "blank",
}

LABEL_TYPE: Final = pl.Enum(LABELS)
FATE_TYPE: Final = pl.Enum(FATES)
