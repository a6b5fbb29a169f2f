"""Who published: the copyright line, the dateline; and the page's own address.

The user's own word and the profile of the site come first (`assemble`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from copydesk.metadata import tables
from copydesk.metadata.datelines import Dateline
from copydesk.metadata.published import Line

__all__ = ["address_of", "agency_name", "printed_outlet"]

_COPYRIGHT: Final = re.compile(
    r"(?:©|\(c\)|copyright)\s*(?:©|\(c\)|copyright)?\s*(?:(?:19|20)[0-9]{2}(?:\s?[-–]\s?(?:19|"
    r"20)?[0-9]{2})?)?\s*(?:by\s)?([^\W\d_][\w&'’. -]{1,50}?)"
    r"(?:[.,|]|\s[-–]|\s(?:inc|ltd|llc|gmbh|all rights|alle rechte|media group|\d{4})\b|$)",
    re.IGNORECASE,
)
_NOT_OUTLET: Final = re.compile(
    r"getty|reuters|afp|shutterstock|photo|foto|dpa|ap\b|image|adobe|all rights|alle rechte", re.IGNORECASE
)
_ADDRESS: Final = re.compile(
    r"^(?:(?:source|url|link|original|permalink|quelle|fuente|fonte|источник)\s*[:：]\s*)?(https?://[^\s<>\"]{8,300})$",
    re.IGNORECASE,
)


def agency_name(written: str) -> str:
    """Return the agency's own name for a written form, the form itself where it is not in the table."""
    return tables.agencies().get(tables.key(written), written)


def printed_outlet(lines: Sequence[Line], dateline: Dateline | None) -> tuple[str, str] | None:
    """(outlet, evidence) from what the page prints."""
    for line in lines:
        if line.label in ("copyright", "navigation", "other_boilerplate") and (
            "©" in line.text or "opyright" in line.text
        ):
            found = _COPYRIGHT.search(line.text)
            if found and not _NOT_OUTLET.search(found[1]):
                return found[1].strip(), "printed:copyright"
    if dateline is not None and dateline.agency:
        return agency_name(dateline.agency), "dateline"
    return None


def address_of(lines: Sequence[Line]) -> str | None:
    """Return the page's own address where a line near head or foot is nothing else."""
    for line in lines:
        if line.label not in ("body", "related_link", "share_prompt", "caption"):
            found = _ADDRESS.match(line.text.strip())
            if found and found[1].count("/") > 3:
                return found[1]
    return None
