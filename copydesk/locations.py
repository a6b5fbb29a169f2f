"""Where raw files lie: a path of this machine, or the URL of a store.

Location   one or the other
is_url     whether a text names a place on a store
place      what a person wrote, as a Location
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

__all__ = ["Location", "is_url", "place"]

Location = Path | str
"""A path of this machine, or the URL of a file or folder on a store."""

URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_url(text: object) -> bool:
    """Whether a text is the URL of a store rather than a path; `file://` is a path."""
    return isinstance(text, str) and URL.match(text) is not None and not text.lower().startswith("file://")


def place(text: str) -> Location:
    """What a person wrote: a URL as it is, without a slash at its end, else a path."""
    if text.lower().startswith("file://"):
        return Path(text[7:])
    return text.rstrip("/") if is_url(text) else Path(text)
