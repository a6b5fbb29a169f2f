"""Profiles: what is known of a site's page furniture, as data.

    Rule, Profile, Profiles     a rule, the rules of a layout family, all that is in force
    load_profiles               read the shipped profiles and the user's; refuse one that does not prove itself
    Profiles.match              which rule names each line (columns in, columns out)
    Profiles.recognise          which site a document's lines give away

A profile is a TOML file (how to write one: docs/profiles.md; its form: profile_files). Every rule carries
cases, at least two that it must catch and two that it must not, and they are run whenever the file is read: a rule
that cannot catch its own examples never gets near a document.

Matching is for whole batches. Literals are one hash join; all regular expressions of a group are first tried as one
alternation over the short lines, and only the few lines that pass are asked which rule it was. Both see the normalised
line (lower case, straight quotes, single spaces), literals also without bullets and closing marks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.errors import ConfigError
from copydesk.lines.profile_files import ZONES, ProfileFile, RuleFile, read_profile
from copydesk.lines.shape import SHORT, Ints, Shape, bare, normalise

__all__ = ["ZONES", "Profile", "Profiles", "Rule", "load_profiles"]

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


@dataclass(frozen=True)
class Profile:
    """The rules of one layout family, and how its documents are recognised."""

    id: str
    outlet: str | None
    everywhere: bool
    """Its rules hold for documents of every site, also where the site is unknown."""
    domains: tuple[str, ...]
    markers: tuple[str, ...]
    dateline: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, eq=False)
class Profiles:
    """All profiles in force, ready to match."""

    profiles: tuple[Profile, ...]
    digest: str
    """32 hexadecimal digits of SHA-256 over the files' bytes, in the order of their ids."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules; `match` answers with positions in this."""
        return tuple(rule for profile in self.profiles for rule in profile.rules)

    @cached_property
    def evidence(self) -> tuple[str, ...]:
        """The evidence id of each rule."""
        return tuple(rule.evidence for rule in self.rules)

    @cached_property
    def outlets(self) -> dict[str, str]:
        """Site id -> outlet, for the profiles that name one."""
        return {profile.id: profile.outlet for profile in self.profiles if profile.outlet}

    @cached_property
    def domains(self) -> dict[str, str]:
        """Printed domain -> site id."""
        return {domain: profile.id for profile in self.profiles for domain in profile.domains}

    @cached_property
    def _groups(self) -> tuple[_Group, ...]:
        numbered = list(enumerate(self.rules))
        common = {profile.id for profile in self.profiles if profile.everywhere}
        groups = [_Group(None, [pair for pair in numbered if pair[1].profile in common])]
        own = [p.id for p in self.profiles if not p.everywhere and p.rules]
        groups += [_Group(site, [pair for pair in numbered if pair[1].profile == site]) for site in own]
        return tuple(groups)

    def match(self, shape: Shape, site: pl.Series, zone: NDArray[np.uint8] | None = None) -> Ints:
        """For each line the position of the rule that names it, else -1.

        `site` is the site of each line's document. Without `zone` the rules that hold anywhere are asked, with it the
        others. A site's own rules win over those for every site.
        """
        found = np.full(len(shape), -1, dtype=np.int64)
        for group in self._groups:
            rows = (
                np.arange(len(shape))
                if group.site is None
                else np.flatnonzero((site == group.site).fill_null(value=False))
            )
            if len(rows):
                hit = group.match(shape, rows, zone)
                found[rows] = np.where(hit >= 0, hit, found[rows])
        return found


class _Group:
    """Rules that are asked together: literals as one table, expressions as one alternation per kind of text."""

    def __init__(self, site: str | None, numbered: list[tuple[int, Rule]]) -> None:
        self.site = site
        self.numbered = numbered
        pairs = [(text, number) for number, rule in numbered for text in rule.literals]
        schema = {"key": pl.String(), "rule": pl.Int64()}
        table = pl.DataFrame(pairs, schema=schema, orient="row") if pairs else pl.DataFrame(schema=schema)
        self.literals = table.unique("key", keep="first", maintain_order=True)
        self.zone_of = {number: rule.zone for number, rule in numbered}

    def match(self, shape: Shape, rows: Ints, zone: NDArray[np.uint8] | None) -> Ints:
        found = np.full(len(rows), -1, dtype=np.int64)
        self._match_literals(shape, rows, zone, found)
        for cased in (False, True):
            self._match_regexes(shape, rows, zone, found, cased=cased)
        return found

    def _allowed(self, rule: int, zone: NDArray[np.uint8] | None, rows: Ints) -> NDArray[np.bool_]:
        mask = self.zone_of[rule]
        if zone is None or mask == ZONES["anywhere"]:
            return np.full(len(rows), (mask == ZONES["anywhere"]) == (zone is None))
        return (zone[rows] & mask) > 0

    def _match_literals(self, shape: Shape, rows: Ints, zone: NDArray[np.uint8] | None, found: Ints) -> None:
        keys = shape.key.gather(rows).alias("key")
        known = keys.to_frame().join(self.literals, on="key", how="left", maintain_order="left")["rule"]
        hit = np.flatnonzero(known.is_not_null().to_numpy())
        rules = known.gather(hit).to_numpy()
        for rule in np.unique(rules):
            at = hit[rules == rule]
            found[at[self._allowed(int(rule), zone, rows[at])]] = rule

    def _match_regexes(
        self, shape: Shape, rows: Ints, zone: NDArray[np.uint8] | None, found: Ints, *, cased: bool
    ) -> None:
        asked = [(n, r) for n, r in self.numbered if (r.regex or r.ending) and r.cased == cased and self._due(r, zone)]
        if not asked:
            return
        free = np.flatnonzero((found < 0) & (shape.length[rows] <= SHORT))
        at = rows[free]
        text = (shape.text if cased else shape.low).gather(at)
        tail = text.str.tail(ENDING)
        endings = "|".join(f"(?:{r.ending})" for _, r in asked if r.ending)
        closing = np.flatnonzero(tail.str.contains(endings).to_numpy()) if endings else free[:0]
        closed = tail.gather(closing)
        for number, rule in asked:
            low, high = rule.words
            hit = text.str.contains(rule.regex).to_numpy().copy() if rule.regex else np.zeros(len(at), dtype=bool)
            if rule.ending:
                hit[closing] |= closed.str.contains(rule.ending).to_numpy()
            hit &= (shape.words[at] >= low) & (shape.words[at] <= high)
            hit &= self._allowed(number, zone, at) & (found[free] < 0)
            found[free[hit]] = number

    @staticmethod
    def _due(rule: Rule, zone: NDArray[np.uint8] | None) -> bool:
        """Rules that hold anywhere are asked before the zones are known, the others after."""
        return (rule.zone == ZONES["anywhere"]) == (zone is None)


def load_profiles(folders: Sequence[Path] = ()) -> Profiles:
    """Read the shipped profiles and those (`*.toml`) in the user's folders.

    A user's profile replaces a shipped one of the same id.

    Raises ConfigError, naming file, rule, value and remedy, where a file cannot be read, is not TOML, has an unknown
    key or a value of the wrong kind, where a rule has fewer than two positive or two negative cases, where a case
    fails, and where two of the user's files are the same profile.
    """
    read = _read(_shipped()) | _read(_users(folders))
    whole = hashlib.sha256()
    for name in sorted(read):
        whole.update(name.encode() + b"\0" + hashlib.sha256(read[name][1]).digest())
    ordered = sorted((profile for profile, _ in read.values()), key=lambda p: (p.everywhere, p.id))
    return Profiles(tuple(ordered), whole.hexdigest()[:32])


def _read(paths: Sequence[Path]) -> dict[str, tuple[Profile, bytes]]:
    """Id -> the profile and its file's bytes."""
    read: dict[str, tuple[Profile, bytes]] = {}
    owner: dict[str, Path] = {}
    for path in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); mend that or take it away") from error
        profile = _profile(str(path), raw)
        if profile.id in owner:
            raise ConfigError(
                f"{path}: id is {profile.id!r}, and so it is in {owner[profile.id]}; rename one or join their rules"
            )
        owner[profile.id] = path
        read[profile.id] = (profile, raw)
    return read


def _shipped() -> list[Path]:
    folder = files("copydesk.lines").joinpath("profiles")
    return sorted((Path(str(p)) for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)


def _users(folders: Sequence[Path]) -> list[Path]:
    """The files in the user's folders, each once; folders in them are passed over, whatever they are called."""
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder of profiles; make it or take it out of copydesk.toml")
    found = [path for folder in folders for path in sorted(folder.glob("*.toml")) if not path.is_dir()]
    return list({path.resolve(): path for path in found}.values())


def _profile(name: str, raw: bytes) -> Profile:
    data = read_profile(name, raw)
    rules = tuple(_rule(name, data, entry) for entry in data.rules)
    _refuse_twins(name, rules)
    return Profile(
        id=data.id,
        outlet=data.outlet,
        everywhere=data.everywhere,
        domains=tuple(data.domains),
        markers=tuple(_bare(data.markers)),
        dateline=tuple(data.dateline),
        rules=rules,
    )


def _refuse_twins(name: str, rules: tuple[Rule, ...]) -> None:
    ids: set[str] = set()
    owner: dict[str, str] = {}
    for rule in rules:
        if rule.id in ids:
            raise ConfigError(f"{name}: two rules have the id {rule.id!r}; rename one")
        ids.add(rule.id)
        for text in rule.literals:
            if owner.setdefault(text, rule.id) != rule.id:
                raise ConfigError(
                    f"{name}: the line {text!r} is in the rules {owner[text]!r} and {rule.id!r}; keep one"
                )


def _bare(lines: Sequence[str]) -> list[str]:
    return [str(text) for text in bare(normalise(pl.Series(list(lines), dtype=pl.String)))]


def _rule(name: str, profile: ProfileFile, entry: RuleFile) -> Rule:
    rule = Rule(
        profile=profile.id,
        id=entry.id,
        label=entry.label,
        reason=entry.reason,
        zone=ZONES[entry.zone],
        literals=tuple(dict.fromkeys(_bare(entry.lines))),
        regex=_joined([part for part in entry.regex if part.startswith("^")]),
        ending=_joined([part for part in entry.regex if not part.startswith("^")]),
        cased=entry.cased,
        words=(entry.words[0], entry.words[1]),
        positive=tuple(entry.positive),
        negative=tuple(entry.negative),
    )
    _prove(f"{name}: rule {entry.id!r}", rule)
    return rule


def _joined(parts: Sequence[str]) -> str:
    return "|".join(f"(?:{part})" for part in parts) if len(parts) > 1 else "".join(parts)


def _prove(where: str, rule: Rule) -> None:
    for wanted, cases in ((True, rule.positive), (False, rule.negative)):
        text = pl.Series(list(cases), dtype=pl.String).str.strip_chars()
        low = normalise(text)
        hit = bare(low).is_in(list(rule.literals))
        if rule.regex or rule.ending:
            seen = text if rule.cased else low
            words = low.str.count_matches(" ", literal=True) + 1
            within = words.is_between(*rule.words) & (low.str.len_chars() <= SHORT)
            matched = seen.str.contains(rule.regex or "^$") | seen.str.tail(ENDING).str.contains(rule.ending or "^$")
            hit |= matched & within
        for case, caught in zip(cases, hit, strict=True):
            if caught != wanted:
                verdict = "is not caught" if wanted else "is caught"
                raise ConfigError(f"{where}: the case {case!r} {verdict}; mend the rule or the case")
