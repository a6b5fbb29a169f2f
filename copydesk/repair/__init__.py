"""Text to repaired text, line by line: what scraping, copying and re-encoding did to it is undone, nothing else.

    repair_lines   a column of decoded lines -> text, repairs (bits of `KINDS`), changed
    repair_text    one string; its lines are repaired each by itself
    reference      one line, slow and obvious: the meaning of the other two

The passes, in their order: terminal sequences, surrogates, HTML entities (`entities`), line breaks inside the line,
invisible characters, mojibake and all that ftfy repairs (`mojibake`), soft hyphens, joiners, widths, NFC, spaces. What
is never touched: quotation marks, dashes and ellipses as they are, full-width punctuation, U+FFFD.

In a column, most lines of news are ASCII without anything to repair and are only looked at. Of the others, the
engine's regular expressions find those where any pass but the removal of invisible characters and the joining of spaces
could matter; these, one line in a hundred, go through `reference`; the rest is settled in columns. Each question
asked of the column matches at least what the pass would change, which is what keeps both ways equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains, kept
from copydesk.repair import mojibake
from copydesk.repair.characters import (
    INVISIBLE,
    JOINERS,
    LINE_BREAKS,
    SOFT_HYPHEN,
    SPACES,
    TERMINAL,
    WIDTHS,
    compose,
    drop_joiners,
    fix_widths,
    join_surrogates,
)
from copydesk.repair.entities import ENTITY, decode_entities
from copydesk.repair.misread import MISREAD

__all__ = ["KINDS", "kind_names", "reference", "repair_lines", "repair_text"]

KINDS: Final = (
    "terminal",
    "surrogates",
    "entities",
    "line_ends",
    "invisible",
    "mojibake",
    "c1",
    "ligatures",
    "width",
    "nfc",
    "spaces",
)
"""The kinds of repair; the position is the bit in the column `repairs`. Append, never reorder."""

_BIT: Final = {kind: 1 << place for place, kind in enumerate(KINDS)}

_TERMINAL: Final = re.compile(TERMINAL)
_BREAKS: Final = re.compile("\r\n|[\v\f\r\u2028\u2029]")
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]+")
_SPACES: Final = re.compile(f"[{SPACES}]+")
_OTHER_SPACE: Final = re.compile(f"[{SPACES[1:]}]")
_LINE_EDGES: Final = re.compile(" ?\n ?")
_ROUGH: Final = re.compile(f"[&\ud800-\udfff\v\f\r\u2028\u2029{INVISIBLE}]")
"""What a line must hold for any pass before mojibake to change it."""

_TIMES: Final = 4  # three layers under something invisible, and the look that finds nothing more

_Pass = tuple[str, Callable[[str], str]]


def _spaced(text: str) -> str:
    """Single spaces, and none at the ends of lines."""
    if "  " in text or _OTHER_SPACE.search(text):
        text = _SPACES.sub(" ", text)
    return (_LINE_EDGES.sub("\n", text) if "\n" in text else text).strip(" ")


_BEFORE: Final[tuple[_Pass, ...]] = (
    ("terminal", lambda text: _TERMINAL.sub("", text)),
    ("surrogates", join_surrogates),
    ("entities", decode_entities),
    ("line_ends", lambda text: _BREAKS.sub("\n", text)),
    ("invisible", lambda text: _INVISIBLE.sub("", text)),
)
_AFTER: Final[tuple[_Pass, ...]] = (
    ("surrogates", join_surrogates),
    ("line_ends", lambda text: _BREAKS.sub("\n", text)),
    ("invisible", lambda text: _INVISIBLE.sub("", text.replace(SOFT_HYPHEN, ""))),
    ("invisible", drop_joiners),
    ("width", fix_widths),
    ("nfc", compose),
    ("spaces", _spaced),
)
_SPACING: Final = _AFTER[-1:]


def reference(line: str) -> str:
    """One line repaired, pass by pass; `repair_lines` gives the same for every line, only faster."""
    return _passes(line)[0]


def _passes(line: str) -> tuple[str, int]:
    """The line after all passes, and their bits. What a later pass removes may have hidden mojibake: so, again."""
    line, done = _run(_BEFORE, line) if _ROUGH.search(line) else (line, 0)
    for _ in range(_TIMES):
        undone, kinds = mojibake.undo(line)
        repaired, after = _run(_SPACING if mojibake.is_settled(undone) else _AFTER, undone)
        done |= _mask(kinds) | after
        line = repaired
        if repaired == undone:
            break
    return line, done


def _run(passes: tuple[_Pass, ...], text: str) -> tuple[str, int]:
    done = 0
    for kind, repair in passes:
        repaired = repair(text)
        if repaired != text:
            text, done = repaired, done | _BIT[kind]
    return text, done


def _mask(kinds: list[str]) -> int:
    mask = 0
    for kind in kinds:
        mask |= _BIT[kind]
    return mask


def kind_names(mask: int) -> list[str]:
    """The names of `KINDS` whose bits are set in `mask`; or the masks of many lines together, for a document."""
    return [kind for kind in KINDS if mask & _BIT[kind]]


def repair_text(text: str) -> str:
    """`text` with each of its lines (LF, CR, CRLF and the rarer line ends of Unicode) repaired by itself."""
    return "\n".join(reference(line) for line in re.split("\r\n|\r|\n", text))


# -- the column -------------------------------------------------------------------------------------------------------

_TIDY: Final = "[^ -~‘’“”–—…]|&|  |^ | $"
"""Where this does not match nothing can change: ASCII and quotation marks, singly spaced, no entity. None of ftfy's
rules is made of these characters alone, and none of them ends what could be a UTF-8 character (the tests say so)."""

# Beyond mojibake: what needs a pass that has no equal in columns.
_ODD: Final = f"\x1b|[{LINE_BREAKS}{JOINERS}{WIDTHS}{mojibake.WORN}]"

_DROPPED: Final = f"[{INVISIBLE}]"
_SPACED: Final = f"[{SPACES}]{{2,}}|[{SPACES[1:]}]"

_UNSETTLED: Final = f"[^{mojibake.SETTLED}]|&"
"""Where this does not match nothing can change but spaces."""

# Characters that NFC may change, or that may change place: marks, Hangul letters, and letters with a twin.
_UNSTABLE: Final = (
    r"[\p{M}\u0958-\u095f\u09dc-\u09df\u0a33\u0a36\u0a59-\u0a5e\u0b5c\u0b5d\u0f43\u0f4d\u0f52\u0f57\u0f5c\u0f69\u0340-\u0344\u0374\u037e\u0387\u1100-\u11ff\u1f71-\u1fff\u2126\u212a\u212b\u2329\u232a\u2adc"
    r"\uf900-\ufaff\ufb1d-\ufb4e\U0002f800-\U0002fa1f\U0001d15e-\U0001d164\U0001d1bb-\U0001d1c0]"
)


@cache
def _suspicious() -> str:
    return "|".join([mojibake.bad_pattern(), mojibake.whole_pattern(), MISREAD])


@cache
def _anything() -> str:
    return "|".join([_suspicious(), ENTITY, _ODD, _DROPPED, SOFT_HYPHEN, _SPACED, "^ | $", _UNSTABLE])


def repair_lines(decoded: pl.Series) -> pl.DataFrame:
    """Repair a column of decoded lines, each by itself.

    Returns a row per line: text String; repairs UInt16, bits of `KINDS` (see `kind_names`); changed Boolean.
    """
    places = np.flatnonzero(contains(decoded, _TIDY))
    untidy = decoded.gather(places)
    text, done = _repair(untidy)
    repairs, changed = np.zeros(len(decoded), np.uint16), np.zeros(len(decoded), np.bool_)
    repairs[places] = done
    changed[places] = (text != untidy).to_numpy()
    return pl.DataFrame({"text": _merge(decoded, places, text), "repairs": repairs, "changed": changed})


def _merge(lines: pl.Series, places: NDArray[np.int64], repaired: pl.Series) -> pl.Series:
    """`lines` with those at `places` replaced, without copying any text."""
    source = np.arange(len(lines))
    source[places] = len(lines) + np.arange(len(places))
    return pl.concat([lines.alias("text"), repaired.alias("text")]).gather(source)


def _repair(lines: pl.Series) -> tuple[pl.Series, NDArray[np.uint16]]:
    """Lines in which something may have to be done; in most of them only spaces."""
    spaced = kept(_SPACED, lines.str.replace_all, " ").str.strip_chars(" ")
    done = _bits("spaces", spaced != lines)
    harmed = np.flatnonzero(contains(lines, _UNSETTLED))
    harmed = harmed[contains(lines.gather(harmed), _anything())]
    text, done[harmed] = _repair_harmed(lines.gather(harmed))
    return _merge(spaced, harmed, text), done


def _repair_harmed(lines: pl.Series) -> tuple[pl.Series, NDArray[np.uint16]]:
    """Lines that are not settled: the suspects by `reference`, the others in columns."""
    opened = _each(decode_entities, lines, contains(lines, ENTITY))
    seen = kept(f"{_DROPPED}+", opened.str.replace_all, "")
    unstable = contains(seen, _UNSTABLE)
    composed = _each(compose, seen, unstable)
    hyphened = composed.str.contains(SOFT_HYPHEN, literal=True)
    clean = composed.str.replace_all(SOFT_HYPHEN, "", literal=True)
    undone, damaged = _plain_undone(clean)
    spaced = kept(_SPACED, undone.str.replace_all, " ").str.strip_chars(" ")
    suspects = contains(seen, _suspicious()) | _newly_suspicious(seen, composed) | _newly_suspicious(composed, spaced)
    suspects &= ~damaged
    suspects |= lines.str.contains("\x1b", literal=True).to_numpy() | contains(opened, _ODD)
    suspects |= hyphened.to_numpy() & (unstable | damaged)  # without the hyphen, more may have to be done
    done = _bits("entities", opened != lines) | _bits("invisible", (seen != opened) | hyphened)
    done |= _bits("nfc", composed != seen) | _bits("mojibake", pl.Series(damaged)) | _bits("spaces", spaced != undone)
    places = np.flatnonzero(suspects)
    slow = lines.gather(places).to_list()
    once = {line: _passes(line) for line in dict.fromkeys(slow)}  # furniture repeats its damage
    passed = [once[line] for line in slow]
    done[places] = [mask for _, mask in passed]
    return _merge(spaced, places, pl.Series([text for text, _ in passed], dtype=pl.String)), done


def _plain_undone(lines: pl.Series) -> tuple[pl.Series, NDArray[np.bool_]]:
    """Lines without the damage that is nearly all there is in English, and which had it; it needs no other pass."""
    damaged = contains(lines, mojibake.PLAIN_DAMAGE) & lines.str.contains("â€", literal=True).to_numpy()
    places = np.flatnonzero(damaged)
    undone = lines.gather(places).str.replace_many(list(mojibake.PLAIN), list(mojibake.PLAIN.values()))
    return _merge(lines, places, undone), damaged


def _bits(kind: str, rows: pl.Series) -> NDArray[np.uint16]:
    return rows.to_numpy().astype(np.uint16) * np.uint16(_BIT[kind])


def _each(repair: Callable[[str], str], lines: pl.Series, rows: NDArray[np.bool_]) -> pl.Series:
    """`lines` with a pass that only Python has, applied to those that `rows` says."""
    places = np.flatnonzero(rows)
    return _merge(lines, places, pl.Series([repair(line) for line in lines.gather(places)], dtype=pl.String))


def _newly_suspicious(before: pl.Series, after: pl.Series) -> NDArray[np.bool_]:
    """Which lines hold what looks like mojibake in `after`, asked of those only that differ from `before`."""
    found = (before != after).to_numpy(writable=True)
    found[found] = contains(after.filter(pl.Series(found)), _suspicious())
    return found
