"""Profiles: what is known of a site's page furniture, as data.

    Rule, Profile, Profiles     a rule, the rules of a layout family, all that is in force
    load_profiles               read the shipped profiles and the user's; refuse one that does not prove itself
    Profiles.match              which rule names each line (columns in, columns out)

A profile is a TOML file (how to write one: docs/profiles.md; its form: profile_files). Every rule carries
cases, at least two that it must catch and two that it must not, and they are run whenever the file is read: a rule
that cannot catch its own examples never gets near a document.

How lines are matched with rules: matching.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from copydesk.errors import ConfigError
from copydesk.lines.matching import ENDING, Group, Hits, Matches, Named, Rule, joined
from copydesk.lines.profile_files import ZONES, ProfileFile, RuleFile, read_profile
from copydesk.lines.shape import SHORT, Shape, Texts, normalise
from copydesk.lines.texts import bare

__all__ = ["ZONES", "Matches", "Profile", "Profiles", "Rule", "load_profiles"]


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
    def _groups(self) -> tuple[Group, ...]:
        numbered = list(enumerate(self.rules))
        common = {profile.id for profile in self.profiles if profile.everywhere}
        groups = [Group(None, 0, [pair for pair in numbered if pair[1].profile in common])]
        own = [p.id for p in self.profiles if not p.everywhere and p.rules]
        groups += [
            Group(site, number, [pair for pair in numbered if pair[1].profile == site])
            for number, site in enumerate(own, 1)
        ]
        return tuple(groups)

    def match(self, shape: Shape, site: pl.Series) -> Matches:
        """What the rules say of the lines; `site` is the site of each line's document."""
        found: list[Hits] = []
        for group in self._groups:
            if group.site is None:
                found += group.hits(shape, None, self.common(shape.texts))
            elif len(rows := np.flatnonzero((site == group.site).fill_null(value=False))):
                found += group.hits(shape, rows, group.named(shape.texts, np.unique(shape.text_of[rows])))
        return Matches(len(shape), tuple(found))

    def common(self, texts: Texts) -> list[Named]:
        """What the rules for every site name: asked once of the same texts."""
        if self.digest not in texts.ruled:
            texts.ruled[self.digest] = self._groups[0].named(texts, np.arange(len(texts)))
        return texts.ruled[self.digest]


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
        regex=joined([part for part in entry.regex if part.startswith("^") and not _floats(part)]),
        inside=joined([part[3:].removesuffix(".*$") for part in entry.regex if _floats(part)]),
        ending=joined([part for part in entry.regex if not part.startswith("^")]),
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
