"""A judged document on the terminal: coloured and as wide as it is there, plain and wide where it is piped.

    Look                 what is wanted of it: all lines or some, repairs or not
    print_document       one record of `explain_files`
    console_for_output   a console on standard output

Foreign text can do nothing to the terminal: what is no visible character is written out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from copydesk.review.collect import DOUBT
from copydesk.single import FIELDS, Line

__all__ = ["ONLY", "Look", "console_for_output", "print_document"]

ONLY: Final = ("text", "field", "dropped", "doubtful", "repaired")
"""What `--only` can ask for: a fate, lines in doubt, lines that were repaired."""

PIPED: Final = 160
"""Columns where the output is no terminal."""

NARROW: Final = 72
"""Under so many columns a line's text stands below its label."""

ALIGNED: Final = 1_000
"""Characters of a line in which repairs are shown: aligning takes the square of them."""

STYLES: Final = {"text": "default", "field": "cyan", "dropped": "red strike", "blank": "dim"}
HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


@dataclass(frozen=True)
class Look:
    """What is wanted: `only` one of ONLY or None for all lines; `diff` shows what repairs changed."""

    only: str | None = None
    diff: bool = False


def print_document(record: Mapping[str, Any], console: Console, look: Look | None = None) -> None:
    """A document's fields, then its lines: number, label, evidence, text; coloured by fate on a terminal."""
    look = look or Look()
    _print(console, Text(_plain(record["uri"]), style="bold"))
    if "error" in record:
        _print(console, Text(f"  quarantine: {_plain(record['error'])}", style="red"))
        return
    for name in FIELDS if look.only is None else ():
        value = record["fields"][name]
        if value not in (None, [], False):
            _print(console, Text(f"  {name:<13}", style="cyan").append(_plain(_shown(value)), style="default"))
    lines: Sequence[Line] = record["lines"]
    for line in lines:
        if _wanted(line, look.only):
            for row in _rows(line, console.width, diff=look.diff):
                _print(console, row)
    _print(console, Text(_counts(lines), style="dim"))
    console.print()


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)


def _wanted(line: Line, only: str | None) -> bool:
    match only:
        case None:
            return True
        case "doubtful":
            return _doubtful(line)
        case "repaired":
            return line.before is not None
    return line.fate == only


def _doubtful(line: Line) -> bool:
    return line.fate != "blank" and round(line.confidence, 4) < DOUBT


def _counts(lines: Sequence[Line]) -> str:
    fates = [line.fate for line in lines]
    names = {"text": "kept", "field": "in fields", "dropped": "dropped"}
    told = [f"{fates.count(fate)} {name}" for fate, name in names.items()]
    doubtful = sum(_doubtful(line) for line in lines)
    return f"  {', '.join(told)}" + (f"; {doubtful} in doubt (?)" if doubtful else "")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(str(value[name]) for name in ("place", "date", "agency") if value[name])
    return "; ".join(value) if isinstance(value, list) else str(value)


def _rows(line: Line, width: int, *, diff: bool) -> Iterator[Text]:
    """A line in one row, or on a narrow terminal in two; with `diff` what was repaired stands above what it became."""
    label = line.label + (" ?" if _doubtful(line) else "")
    if line.fate == "blank":
        yield Text(f"{line.number:>4} {label}", style="dim")
        return
    if width < NARROW:
        indent = " " * 5
        yield Text(_cut(f"{line.number:>4} {label} · {line.evidence}", width), style="dim")
    else:
        evidence = 20 if width < 100 else 26 if width < 140 else 34
        indent = f"{line.number:>4} {label:<19} {_cut(line.evidence, evidence):<{evidence}} "
    room, style = max(20, width - len(indent)), STYLES[line.fate]
    text = Text(_plain(line.text), style=style)
    if diff and line.before is not None:
        start = _first_change(line.before, line.text, room)
        yield _row(" " * len(indent), _changed(line.before[start:], line.text[start:], "dim"), room, start)
        yield _row(indent, _changed(line.text[start:], line.before[start:], style), room, start)
    else:
        yield _row(indent, text, room)


def _row(indent: str, text: Text, room: int, start: int = 0) -> Text:
    whole = Text("\u2026" if start else "").append(text)
    whole.truncate(room, overflow="ellipsis")
    return Text().append(indent, style="dim").append(whole)


def _first_change(before: str, text: str, room: int) -> int:
    """Where to begin so that the first change is in sight."""
    pairs = enumerate(zip(before, text, strict=False))
    first = next((at for at, (one, other) in pairs if one != other), min(len(before), len(text)))
    return 0 if first < room - 10 else first - min(12, room // 2)


def _changed(text: str, other: str, style: str) -> Text:
    """A text whose parts that the other does not have stand out."""
    found = Text()
    matched = difflib.SequenceMatcher(None, text[:ALIGNED], other[:ALIGNED], autojunk=False)
    for kind, start, end, _, _ in matched.get_opcodes():
        found.append(_plain(text[start:end]), style=style if kind == "equal" else f"{style} reverse")
    return found.append(_plain(text[ALIGNED:]), style=style)


def _plain(text: str) -> str:
    """Foreign text as one line in which every character can be seen."""
    return HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text.replace("\n", " "))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "\u2026"


def console_for_output() -> Console:
    """A console on standard output: colours and the terminal's width there, plain and wide when piped."""
    console = Console(highlight=False, emoji=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, markup=False, width=PIPED)
