"""The fields of an article that `explain`, `clean` and a gold file name, in the order in which they are shown.

One place, so that the terminal, the review page, corrections and scores ask for the same things in the same order.
"""

from typing import Final, Literal

__all__ = ["DATELINE_PARTS", "FIELDS", "FIELD_KINDS", "Kind"]

Kind = Literal["text", "time", "list", "flag", "dateline"]

FIELD_KINDS: Final[dict[str, Kind]] = {
    "headline": "text",
    "deck": "text",
    "dateline": "dateline",
    "published_at": "time",
    "updated_at": "time",
    "authors": "list",
    "section": "text",
    "topics": "list",
    "persons": "list",
    "truncated": "flag",
    "language": "text",
    "outlet": "text",
    "site": "text",
}
"""Each field with what its value is: a text, an ISO 8601 time, a list of texts, a yes or no, or a dateline."""

FIELDS: Final = tuple(FIELD_KINDS)

DATELINE_PARTS: Final = ("place", "date", "agency")
"""What people say of a dateline; the rest of it is read from these."""
