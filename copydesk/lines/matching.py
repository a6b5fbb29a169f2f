"""Which lines the profiles' rules name: columns in, columns out.

    Rule      one rule: what its lines look like, where they stand, what they are
    Group     rules that are asked together: of all lines, or of those of one site
    Hits      the lines that one rule's wording names;  Matches: all of these, and where a line stands decides

Matching is for whole batches, and each different text is asked once. Literals are one hash join. Of the expressions
those of a kind (from the line's beginning, up to its end, anywhere) are tried as one alternation first, loosened, which
nearly all lines fail; what passes is tried with each. All see the normalised line (lower case, straight quotes, single
spaces), literals also without bullets and closing marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains
from copydesk.lines.profile_files import ZONES
from copydesk.lines.shape import SHORT, Ints, Shape, Texts, ranges

__all__ = ["ENDING", "Group", "Hits", "Matches", "Named", "Rule", "joined"]

Named = tuple[int, Ints, bool]
"""A rule, the texts that its wording names, and whether that gives way to what was found before."""

ENDING: Final = 160
"""Characters in which an expression that is anchored only at the end must find its match."""


@dataclass(frozen=True)
class Rule:
    """One rule: lines that are literally these, or that match this expression, in this zone, are this."""

    profile: str
    id: str
    label: str
    reason: str
    zone: int
    literals: tuple[str, ...]
    regex: str
    """Anchored at the line's beginning; empty for none."""
    inside: str
    """Written as `^.*something`: found anywhere, and searched so, which is faster; empty for none."""
    ending: str
    """Anchored at the line's end alone, so that only the last ENDING characters need to be read; empty for none."""
    cased: bool
    """The expression sees the stripped line as written instead of the normalised one."""
    words: tuple[int, int]
    positive: tuple[str, ...]
    negative: tuple[str, ...]

    @property
    def evidence(self) -> str:
        """The evidence id that the ledger shows."""
        return f"{self.profile}:{self.id}"


@dataclass(frozen=True, eq=False)
class Hits:
    """The lines that one rule's wording names, wherever they stand."""

    rule: int
    zone: int
    weak: bool
    """Gives way to what the same group found before."""
    group: int
    rows: Ints


@dataclass(frozen=True, eq=False)
class Matches:
    """Which lines the rules' wordings name; where a line stands decides whether a rule holds for it."""

    lines: int
    hits: tuple[Hits, ...]

    def anywhere(self) -> Ints:
        """For each line the position of the rule without a zone that names it, else -1."""
        return self._settled(None)

    def within(self, zone: NDArray[np.uint8]) -> Ints:
        """The same for the rules that hold in some zones only; `zone` is the zone of each line."""
        return self._settled(zone)

    def _settled(self, zone: NDArray[np.uint8] | None) -> Ints:
        """A site's own rules win over those for every site; in a group the literals win, then the first expression."""
        found = np.full(self.lines, -1, dtype=np.int64)
        group = np.full(self.lines, -1, dtype=np.int64)
        for hit in self.hits:
            if (hit.zone == ZONES["anywhere"]) != (zone is None):
                continue
            rows = hit.rows if zone is None else hit.rows[(zone[hit.rows] & hit.zone) > 0]
            if hit.weak:
                rows = rows[group[rows] != hit.group]
            found[rows], group[rows] = hit.rule, hit.group
        return found


class Group:
    """Rules that are asked together: literals as one table, expressions one by one."""

    def __init__(self, site: str | None, number: int, numbered: list[tuple[int, Rule]]) -> None:
        self.site, self.number = site, number
        self.rules = dict(numbered)
        pairs = [(text, number) for number, rule in numbered for text in rule.literals]
        schema = {"key": pl.String(), "rule": pl.Int64()}
        table = pl.DataFrame(pairs, schema=schema, orient="row") if pairs else pl.DataFrame(schema=schema)
        self.literals = table.unique("key", keep="first", maintain_order=True)
        self.expressions = [(number, rule) for number, rule in numbered if rule.regex or rule.inside or rule.ending]
        self.asked = tuple(Asked([pair for pair in self.expressions if pair[1].cased == cased]) for cased in _CASES)
        self.longest = max((len(text.encode()) for text, _ in pairs), default=0)

    def named(self, texts: Texts, among: Ints) -> list[Named]:
        """Which of these texts each rule's wording names."""
        return [*self._literals(texts, among), *self._matched(texts, among)]

    def hits(self, shape: Shape, rows: Ints | None, named: list[Named]) -> list[Hits]:
        """The lines, of these (None: of all), that have a text that a rule's wording names."""
        if not named:
            return []
        which = np.unique(np.concatenate([own for _, own, _ in named]))
        here = np.zeros(len(shape.texts), dtype=bool)
        here[which] = True
        lines = np.flatnonzero(here[shape.text_of]) if rows is None else rows[here[shape.text_of[rows]]]
        text_of = shape.text_of[lines]
        lines = lines[np.argsort(text_of, kind="stable")]
        bounds = np.concatenate([[0], np.cumsum(np.bincount(text_of, minlength=len(shape.texts)))])
        return [
            Hits(rule, self.rules[rule].zone, weak, self.number, lines[ranges(bounds, own)])
            for rule, own, weak in named
        ]

    def _literals(self, texts: Texts, among: Ints) -> Iterator[Named]:
        """Rule, texts and False, for the rules whose literals are there."""
        key = texts.key.gather(among).alias("key")
        short = (key.str.len_bytes() <= self.longest).fill_null(value=False)
        among, key = among[short.to_numpy()], key.filter(short)
        known = key.to_frame().join(self.literals, on="key", how="left", maintain_order="left")["rule"]
        hit = np.flatnonzero(known.is_not_null().to_numpy())
        rules = known.gather(hit).to_numpy()
        for rule in np.unique(rules).tolist():
            yield rule, among[hit[rules == rule]], False

    def _matched(self, texts: Texts, among: Ints) -> Iterator[Named]:
        """Rule, texts and True, for the rules whose expressions match, in order."""
        among = among[texts.length[among] <= SHORT]
        for asked, seen in zip(self.asked, (texts.low, texts.text), strict=True):
            if asked.rules:
                yield from asked.hits(seen.gather(among), texts.words[among], among)


_CASES: Final = (False, True)
_PARTS: Final = ("regex", "inside", "ending")


class Asked:
    """Expressions that see the same texts. All of a kind are tried at once first, and each on what that matches."""

    def __init__(self, rules: list[tuple[int, Rule]]) -> None:
        self.rules = rules
        self.sieves = {
            name: joined([loosened(part) for _, rule in rules if (part := getattr(rule, name))]) for name in _PARTS
        }

    def hits(self, text: pl.Series, words: Ints, among: Ints) -> Iterator[Named]:
        """Rule, texts and True, for the rules whose expressions match; `among` numbers the texts."""
        parts = {}
        for name, sieve in self.sieves.items():
            if sieve:
                seen = text.str.tail(ENDING) if name == "ending" else text
                rows = np.flatnonzero(contains(seen, sieve))
                if len(rows):
                    parts[name] = (seen.gather(rows), rows)
        for number, rule in self.rules:
            hit = np.zeros(len(among), dtype=bool)
            for name, (seen, rows) in parts.items():
                if part := getattr(rule, name):
                    hit[rows] |= contains(seen, part)
            hit &= (words >= rule.words[0]) & (words <= rule.words[1])
            if hit.any():
                yield number, among[hit], True


_COUNTED: Final = re.compile(r"((?<!\\)(?:\.|\[(?:\\.|[^\]\\])+\]))\{[0-9]+,[0-9]*\}")


def loosened(part: str) -> str:
    """An expression that matches what this one does, and more: any number of a character that it counts.

    The engine keeps a state for each count and each expression that is under way beside it; a class of letters of up to
    forty made the alternation of the shipped rules 700 times as slow.
    """
    return _COUNTED.sub(r"\1*", part)


def joined(parts: Sequence[str]) -> str:
    """One expression that matches what any of these does; empty for none."""
    return "|".join(f"(?:{part})" for part in parts) if len(parts) > 1 else "".join(parts)
