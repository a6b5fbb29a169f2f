"""HTML entities to characters: named and numeric references that end in a semicolon, at most two rounds.

Text scraped from pages is often escaped once (`&eacute;`), and once more by a template (`&amp;eacute;`); a third time
is a text about HTML. A reference without its semicolon is left alone, because `AT&T` and `?a=1&copy=2` are not
damage; so is a name that HTML does not know. Names in capitals that came from an upper-cased text (`P&EACUTE;REZ`)
are read where that is unambiguous, after ftfy.
"""

from __future__ import annotations

import html
import html.entities
import re
from functools import cache
from typing import Final

from copydesk.repair.characters import join_surrogates

__all__ = ["ENTITY", "ROUNDS", "decode_entities"]

ENTITY: Final = "&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
"""What may be an entity, for Python's `re` and the engine of Polars alike."""

ROUNDS: Final = 2

_ENTITY: Final = re.compile(ENTITY)


@cache
def _names() -> dict[str, str]:
    names = {name: text for name, text in html.entities.html5.items() if name.endswith(";")}
    for name, text in list(names.items()):
        shout = name.upper()
        # html.unescape knows some capitals (&LT;) and prefixes (&COPY): those mean themselves already.
        if name == name.lower() and html.unescape("&" + shout) == "&" + shout:
            names[shout] = text.upper()
    return names


def _character(match: re.Match[str]) -> str:
    entity = match.group()
    if entity[1] != "#":
        return _names().get(entity[1:], entity)
    code = int(entity[3:-1], 16) if entity[2] in "xX" else int(entity[2:-1])
    if 0xD800 <= code <= 0xDFFF:
        return chr(code)  # half of a pair written as two references: joined below
    return html.unescape(entity)


def decode_entities(text: str) -> str:
    """`text` with its HTML entities decoded until nothing changes, at most `ROUNDS` times.

    >>> decode_entities("caf&eacute; &amp;ldquo;Nord&amp;rdquo; AT&T ?a=1&copy=2")
    'café “Nord” AT&T ?a=1&copy=2'
    """
    for _ in range(ROUNDS):
        if "&" not in text:
            break
        decoded = join_surrogates(_ENTITY.sub(_character, text))
        if decoded == text:
            break
        text = decoded
    return text
