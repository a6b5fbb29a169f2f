"""Markdown for cards: numbers, tables, and foreign text that cannot act on the reader's page.

number, counted, share   1,234 · 2 articles · 12.5 %
code                     foreign text as inline code
table                    a table
count_table              counts as a table, the greatest first, the rest added up
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from copydesk.foreign import visible

__all__ = ["ROWS", "by_number", "code", "count_table", "counted", "number", "share", "table"]

ROWS: Final = 12
"""Rows of a table of counts before the rest is added up."""


def number(value: float) -> str:
    """`1,234`."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """`1 article`, `2,000 articles`."""
    return f"{number(value)} {noun}" + ("" if value == 1 else "s")


def share(part: float, whole: float) -> str:
    """`12.5 %`."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def code(text: str) -> str:
    r"""Foreign text as inline code that is safe in a table's cell.

    Code spans know no escapes, but cells do, and are cut first: a bar is written `\|` there. A backslash before a bar
    would undo that and let what follows out of the cell, so a space is put between the two.
    """
    clean = visible(text).strip() or " "
    clean = re.sub(r"\\(?=\|)", r"\\ ", clean).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", clean)), default=0) + 1)
    padded = f" {clean} " if "`" in clean or clean.endswith("\\") else clean
    return f"{fence}{padded}{fence}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0) -> str:
    """A Markdown table whose last `right` columns stand on the right."""
    marks = ["---"] * (len(header) - right) + ["---:"] * right
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, marks, *rows))


def by_number(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The greatest first; a manifest's own order is that of its keys."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def count_table(name: str, counts: Mapping[str, int], *, by_key: bool = False) -> str:
    """Counts of articles with their shares; by number, or in the order of the keys."""
    whole = sum(counts.values())
    pairs = sorted(counts.items()) if by_key else by_number(counts)
    shown, rest = (pairs, []) if len(pairs) <= ROWS + 1 else (pairs[:ROWS], pairs[ROWS:])
    rows = [[code(key), number(value), share(value, whole)] for key, value in shown]
    if rest:
        more = sum(value for _, value in rest)
        rows.append([f"{number(len(rest))} others", number(more), share(more, whole)])
    return table((name, "articles", "share"), rows, right=2)
