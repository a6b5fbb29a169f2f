"""Foreign text that is shown: on a terminal, in a card, in a report. Nothing in it acts on who reads it.

visible   text on one line, without what a terminal or a page would obey
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["visible"]

UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\ue000-\uf8ff\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\U000f0000-\U0010ffff]"
)
"""Control and format characters, those that take no place, line ends of every kind, and private ones."""


def visible(text: str) -> str:
    """Foreign text on one line, with nothing in it that a terminal or a page would obey."""
    return UNSAFE.sub(" ", text)
