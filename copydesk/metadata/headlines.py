"""Headline and deck from the lines labelled so.

A page may hold its headline several times, with the site's name, a time or a date around one copy. The copy that the
others contain is the headline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["deck_of", "headline_of", "tidy"]

_BEFORE: Final = re.compile(
    r"^(?:[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?\s+|[0-3]?[0-9][./][01]?[0-9][./](?:20)?[0-9]{2}\s+[–—|-]?\s*|(?:20[0-9]{2})-[01][0-9]-[0-3][0-9]\s+[–—|-]?\s*)"
)
_EDGES: Final = " \t\u00a0\ufeff\u200b\u200c\u200d\u2060"


def tidy(text: str) -> str:
    """Strip spaces and marks without width, join broken lines."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


def headline_of(copies: Sequence[str]) -> str | None:
    """Choose among the lines labelled headline, in order; None where there are none."""
    clean = [text for text in map(_without_date, map(tidy, copies)) if text]
    if not clean:
        return None
    if len(clean) == 1:
        return clean[0]
    keys = [_key(text) for text in clean]
    for index, key in enumerate(keys):
        if any(key == other or (len(key) > 10 and key in other) for at, other in enumerate(keys) if at != index):
            return clean[index]
    return max(clean, key=lambda text: (min(len(text.split()), 5), -clean.index(text)))


def _without_date(text: str) -> str:
    return _BEFORE.sub("", text) if text[:1].isdigit() else text


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def deck_of(lines: Sequence[str]) -> str | None:
    """Join the lines of the deck, each once, by line ends; None where there are none."""
    seen: dict[str, str] = {}
    for line in lines:
        text = tidy(line)
        if text:
            seen.setdefault(_key(text), text)
    return "\n".join(seen.values()) or None
