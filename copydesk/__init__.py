"""copydesk: raw news text in, clean, versioned, documented datasets out.

clean(data)               bytes or a string to an Article
explain(data)             line by line: label, fate, evidence, and the fields
decode(data)              decoded and repaired text, no line dropped
parse_dateline(opening)   a Dateline, or None
Cleaner                   batches of texts inside other pipelines
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from copydesk.cleaner import Cleaner
    from copydesk.decoding import decode
    from copydesk.metadata.datelines import Dateline, parse_dateline
    from copydesk.single import Article, clean, explain

__all__ = ["Article", "Cleaner", "Dateline", "__version__", "clean", "decode", "explain", "parse_dateline"]

__version__ = "0.1.0"

_HOMES: Final = {
    "Article": "copydesk.single",
    "Cleaner": "copydesk.cleaner",
    "Dateline": "copydesk.metadata.datelines",
    "clean": "copydesk.single",
    "decode": "copydesk.decoding",
    "explain": "copydesk.single",
    "parse_dateline": "copydesk.metadata.datelines",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: `copydesk --help` needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'copydesk' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
