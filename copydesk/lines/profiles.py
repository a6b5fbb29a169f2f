"""Profiles: what is known of a site's page furniture, as data.

    Rule, Profile, Profiles     a rule, the rules of a layout family, all that is in force
    load_profiles               read the shipped profiles and the user's; refuse one that does not prove itself
    Profiles.match              which rule names each line (columns in, columns out)

A profile is a TOML file (how to write one: docs/profiles.md; its form: profile_files). Every rule carries
cases, at least two that it must catch and two that it must not, and they are run whenever the file is read: a rule
that cannot catch its own examples never gets near a document.

Matching is for whole batches, and each different text is asked once. Literals are one hash join. Of the expressions
those of a kind (from the line's beginning, up to its end, anywhere) are tried as one alternation first, which nearly
all lines fail; what passes is tried with each. All see the normalised line (lower case, straight quotes, single
spaces), literals also without bullets and closing marks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.errors import ConfigError
from copydesk.lines.profile_files import ZONES, ProfileFile, RuleFile, read_profile
from copydesk.lines.shape import SHORT, Ints, Shape, Texts, bare, normalise, ranges

__all__ = ["ZONES", "Matches", "Profile", "Profiles", "Rule", "load_profiles"]

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
        groups = [_Group(None, 0, [pair for pair in numbered if pair[1].profile in common])]
        own = [p.id for p in self.profiles if not p.everywhere and p.rules]
        groups += [
            _Group(site, number, [pair for pair in numbered if pair[1].profile == site])
            for number, site in enumerate(own, 1)
        ]
        return tuple(groups)

    def match(self, shape: Shape, site: pl.Series) -> Matches:
        """What the rules say of the lines; `site` is the site of each line's document."""
        found: list[_Hits] = []
        for group in self._groups:
            rows: Ints | None = None
            if group.site is not None:
                rows = np.flatnonzero((site == group.site).fill_null(value=False))
            if rows is None or len(rows):
                found += group.hits(shape, rows)
        return Matches(len(shape), tuple(found))


@dataclass(frozen=True, eq=False)
class _Hits:
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
    hits: tuple[_Hits, ...]

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


class _Group:
    """Rules that are asked together: literals as one table, expressions one by one."""

    def __init__(self, site: str | None, number: int, numbered: list[tuple[int, Rule]]) -> None:
        self.site, self.number = site, number
        self.rules = dict(numbered)
        pairs = [(text, number) for number, rule in numbered for text in rule.literals]
        schema = {"key": pl.String(), "rule": pl.Int64()}
        table = pl.DataFrame(pairs, schema=schema, orient="row") if pairs else pl.DataFrame(schema=schema)
        self.literals = table.unique("key", keep="first", maintain_order=True)
        self.expressions = [(number, rule) for number, rule in numbered if rule.regex or rule.inside or rule.ending]
        self.asked = tuple(_Asked([pair for pair in self.expressions if pair[1].cased == cased]) for cased in _CASES)
        self.longest = max((len(text.encode()) for text, _ in pairs), default=0)

    def hits(self, shape: Shape, rows: Ints | None) -> list[_Hits]:
        """What the rules' wordings name among these lines (None: all)."""
        texts = np.arange(len(shape.texts)) if rows is None else np.unique(shape.text_of[rows])
        named = [*self._literals(shape.texts, texts), *self._matched(shape.texts, texts)]
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
            _Hits(rule, self.rules[rule].zone, weak, self.number, lines[ranges(bounds, own)])
            for rule, own, weak in named
        ]

    def _literals(self, texts: Texts, among: Ints) -> Iterator[tuple[int, Ints, bool]]:
        """Rule, texts and False, for the rules whose literals are there."""
        key = texts.key.gather(among).alias("key")
        short = (key.str.len_bytes() <= self.longest).fill_null(value=False)
        among, key = among[short.to_numpy()], key.filter(short)
        known = key.to_frame().join(self.literals, on="key", how="left", maintain_order="left")["rule"]
        hit = np.flatnonzero(known.is_not_null().to_numpy())
        rules = known.gather(hit).to_numpy()
        for rule in np.unique(rules).tolist():
            yield rule, among[hit[rules == rule]], False

    def _matched(self, texts: Texts, among: Ints) -> Iterator[tuple[int, Ints, bool]]:
        """Rule, texts and True, for the rules whose expressions match, in order."""
        among = among[texts.length[among] <= SHORT]
        for asked, seen in zip(self.asked, (texts.low, texts.text), strict=True):
            if asked.rules:
                yield from asked.hits(seen.gather(among), texts.words[among], among)


_CASES: Final = (False, True)
_PARTS: Final = ("regex", "inside", "ending")


class _Asked:
    """Expressions that see the same texts. All of a kind are tried at once first, and each on what that matches."""

    def __init__(self, rules: list[tuple[int, Rule]]) -> None:
        self.rules = rules
        self.sieves = {name: _joined([part for _, rule in rules if (part := getattr(rule, name))]) for name in _PARTS}

    def hits(self, text: pl.Series, words: Ints, among: Ints) -> Iterator[tuple[int, Ints, bool]]:
        """Rule, texts and True, for the rules whose expressions match; `among` numbers the texts."""
        parts = {}
        for name, sieve in self.sieves.items():
            if sieve:
                seen = text.str.tail(ENDING) if name == "ending" else text
                rows = np.flatnonzero(seen.str.contains(sieve).to_numpy())
                parts[name] = (seen.gather(rows), rows)
        for number, rule in self.rules:
            hit = np.zeros(len(among), dtype=bool)
            for name, (seen, rows) in parts.items():
                if part := getattr(rule, name):
                    hit[rows] |= seen.str.contains(part).to_numpy()
            hit &= (words >= rule.words[0]) & (words <= rule.words[1])
            if hit.any():
                yield number, among[hit], True


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
    return _together(tuple(ordered), whole.hexdigest()[:32])


@lru_cache(maxsize=1)
def _together(profiles: tuple[Profile, ...], digest: str) -> Profiles:
    """The same object for the same files: it keeps what it has compiled."""
    return Profiles(profiles, digest)


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


@lru_cache(maxsize=256)
def _profile(name: str, raw: bytes) -> Profile:
    """A file's profile; its cases are tried once in a process, which costs as much as all else."""
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
        regex=_joined([part for part in entry.regex if part.startswith("^") and not _floats(part)]),
        inside=_joined([part[3:].removesuffix(".*$") for part in entry.regex if _floats(part)]),
        ending=_joined([part for part in entry.regex if not part.startswith("^")]),
        cased=entry.cased,
        words=(entry.words[0], entry.words[1]),
        positive=tuple(entry.positive),
        negative=tuple(entry.negative),
    )
    _prove(f"{name}: rule {entry.id!r}", rule)
    return rule


def _floats(part: str) -> bool:
    """Whether an expression allows anything before it (and has no alternative outside of its brackets)."""
    return part.startswith("^.*") and "|" not in _BRACKETED.sub("", _ESCAPED.sub("", part))


_ESCAPED: Final = re.compile(r"\\.|\[(?:\\.|[^\]])*\]")
_BRACKETED: Final = re.compile(r"\([^()]*\)")


def _joined(parts: Sequence[str]) -> str:
    return "|".join(f"(?:{part})" for part in parts) if len(parts) > 1 else "".join(parts)


def _prove(where: str, rule: Rule) -> None:
    for wanted, cases in ((True, rule.positive), (False, rule.negative)):
        text = pl.Series(list(cases), dtype=pl.String).str.strip_chars()
        low = normalise(text)
        hit = bare(low).is_in(list(rule.literals))
        if rule.regex or rule.inside or rule.ending:
            seen = text if rule.cased else low
            words = low.str.count_matches(" ", literal=True) + 1
            within = words.is_between(*rule.words) & (low.str.len_chars() <= SHORT)
            matched = seen.str.contains(rule.regex or "^$") | seen.str.contains(rule.inside or "^$")
            matched |= seen.str.tail(ENDING).str.contains(rule.ending or "^$")
            hit |= matched & within
        for case, caught in zip(cases, hit, strict=True):
            if caught != wanted:
                verdict = "is not caught" if wanted else "is caught"
                raise ConfigError(f"{where}: the case {case!r} {verdict}; mend the rule or the case")
