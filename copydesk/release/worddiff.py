"""Text before and text after, as people read it: paragraph by paragraph, or word by word.

    unified   a unified diff of two texts whose lines are paragraphs
    words     one text with what went [-so-] and what came {+so+}
    Piece     a piece of either: its kind and its words, for whoever colours it

Control and format characters are shown as spaces: what a web page wrote is not to act on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from typing import Final, Literal

from copydesk.foreign import visible

__all__ = ["Piece", "marked", "unified", "words"]

Kind = Literal["same", "gone", "come", "place"]
Piece = tuple[Kind, str]

TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
KINDS: Final[dict[str, Kind]] = {"-": "gone", "+": "come", "@": "place"}
FAR: Final = 400
"""Characters of unchanged text that stay between two changes; of more, the middle is left out."""


def unified(before: str, after: str) -> Iterator[Piece]:
    """The lines of a unified diff, without its header, blank lines between paragraphs apart; one line of context."""
    old, new = (_paragraphs(text) for text in (before, after))
    for line in list(unified_diff(old, new, n=1, lineterm=""))[2:]:
        yield KINDS.get(line[:1], "same"), f"{line}\n"


def _paragraphs(text: str) -> list[str]:
    return [visible(part) for part in text.split("\n") if part.strip()]


def words(before: str, after: str) -> Iterator[Piece]:
    """The newer text with what went and what came; long unchanged stretches are cut."""
    old, new = _paragraphs(before), _paragraphs(after)
    found: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "\n".join(old[a:b]) + "\n"))
        else:
            found += [*_words("\n".join(old[a:b]), "\n".join(new[c:d])), ("same", "\n")]
    yield from _cut(found)


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(old[a:b])
            continue
        if b > a:
            yield "gone", "".join(old[a:b])
        if d > c:
            yield "come", "".join(new[c:d])


def _cut(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece, and of long unchanged ones the ends."""
    joined: list[Piece] = []
    for kind, text in pieces:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    for place, (kind, text) in enumerate(joined):
        if kind != "same" or len(text) <= FAR:
            yield kind, text
            continue
        if place:
            yield "same", text[: FAR // 2]
        yield "place", " … "
        if place + 1 < len(joined):
            yield "same", text[-FAR // 2 :]


def marked(pieces: Sequence[Piece]) -> str:
    """Words with marks in place of colours."""
    signs = {"gone": "[-{}-]", "come": "{{+{}+}}"}
    return "".join(signs.get(kind, "{}").format(text) for kind, text in pieces)
