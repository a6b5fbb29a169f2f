"""The form of a profile's file: which keys it has, of which type, and what is told where one is wrong.

    RuleFile, ProfileFile   the keys of a rule and of a profile, as strict models
    read_profile            the bytes of a file -> ProfileFile, or ConfigError

How to write a profile: docs/profiles.md; the same form as a schema: schemas/profile.yaml. Nothing is converted: a text
where a list is wanted would become a list of letters, and the word "no" would be true. Whether the rules catch what
they say is for `profiles` to prove; here it is only whether they say it in the right form.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Self

import polars as pl
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from copydesk.errors import ConfigError
from copydesk.labels import LABELS
from copydesk.lines.shape import AFTER, AMONG, BEFORE, INVISIBLE

__all__ = ["ZONES", "ProfileFile", "RuleFile", "read_profile"]

ZONES: Final = {
    "anywhere": BEFORE | AMONG | AFTER,
    "before body": BEFORE,
    "within body": AMONG,
    "after body": AFTER,
    "around body": BEFORE | AFTER,
    "before or within body": BEFORE | AMONG,
    "within or after body": AMONG | AFTER,
}

_GUIDE: Final = "see docs/profiles.md for the form of a profile"
_SHOWN: Final = 80
"""Characters of a wrong value that are shown."""


def _text(value: str) -> str:
    if not value.strip(INVISIBLE):
        raise ValueError("give a text")
    return value


def _profile_id(value: str) -> str:
    if not re.fullmatch("[a-z0-9.-]+", value):
        raise ValueError("give lower-case letters, digits, '.' and '-'")
    return value


def _rule_id(value: str) -> str:
    """Letters of any script, so that a draft can name its rules by the words of its site."""
    if not value or any(not (sign == "-" or sign.isalnum()) or sign != sign.lower() for sign in value):
        raise ValueError("give lower-case letters, digits and '-'")
    return value


def _domain(value: str) -> str:
    if not value or re.search("[A-Z/:\\s]", value):
        raise ValueError("give the domain alone in lower case, such as harbour.example")
    return value


def _label(value: str) -> str:
    if value not in LABELS or value == "blank":
        raise ValueError(f"give one of {', '.join(LABELS[:-1])}")
    return value


def _zone(value: str) -> str:
    if value not in ZONES:
        raise ValueError(f"give one of {', '.join(ZONES)}")
    return value


def _words(value: list[int]) -> list[int]:
    if len(value) != 2 or not 0 <= value[0] <= value[1]:
        raise ValueError("give two whole numbers, the least first, such as [2, 12]")
    return value


def _regex(part: str) -> str:
    if re.search(r"\\[sSdDwWbB]", part):
        raise ValueError("it has a shorthand class; write [0-9], [ \\t], [a-z] (they are 40 times faster)")
    if not part.startswith("^") and not part.endswith("$"):
        raise ValueError("it is not anchored; begin it with ^ or end it with $")
    try:
        pl.Series([""]).str.contains(part)
    except pl.exceptions.PolarsError as error:
        raise ValueError(
            f"it is not a regular expression ({_said(str(error))}); mend it, without look-around"
        ) from None
    return part


def _said(dump: str) -> str:
    """What the engine has against an expression: its last words, without the picture above them."""
    lines = [line.strip() for line in dump.splitlines() if line.strip()]
    found = [line for line in lines if line.startswith("error:")]
    return (found or lines or ["no reason given"])[-1].removeprefix("error:").strip()[:200]


def _listed(value: object) -> object:
    """A single expression may stand without brackets."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_text)]
Regex = Annotated[str, AfterValidator(_regex)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RuleFile(_Strict):
    """One entry of `[[rules]]`, as written."""

    id: Annotated[str, AfterValidator(_rule_id)]
    label: Annotated[str, AfterValidator(_label)]
    reason: Text
    lines: list[Text] = []
    regex: Annotated[list[Regex], BeforeValidator(_listed)] = []
    zone: Annotated[str, AfterValidator(_zone)] = "anywhere"
    words: Annotated[list[int], AfterValidator(_words)] = [1, 10**6]
    cased: bool = False
    positive: list[Text]
    negative: list[Text]

    @model_validator(mode="after")
    def _has_enough(self) -> Self:
        if not self.lines and not self.regex:
            raise ValueError("it has neither lines nor regex; give at least one")
        for kind, cases in (("positive", self.positive), ("negative", self.negative)):
            different = len(set(cases))
            if different < 2:
                raise ValueError(f"{different} {kind} cases; give at least two that differ")
        return self


class ProfileFile(_Strict):
    """A whole profile, as written."""

    id: Annotated[str, AfterValidator(_profile_id)]
    outlet: Text | None = None
    description: str | None = None
    everywhere: bool = False
    domains: list[Annotated[str, AfterValidator(_domain)]] = []
    markers: list[Text] = []
    dateline: list[Text] = []
    rules: list[RuleFile] = []


def read_profile(name: str, raw: bytes) -> ProfileFile:
    """The profile in the bytes of a file called `name`.

    Raises ConfigError with a line for each fault: file, rule, key, value and what to write instead.
    """
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: not a TOML file ({error}); {_GUIDE}") from error
    try:
        return ProfileFile.model_validate(data)
    except ValidationError as error:
        faults = (
            _told(name, data, fault["loc"], fault["type"], fault["msg"], fault["input"]) for fault in error.errors()
        )
        raise ConfigError("\n".join(dict.fromkeys(faults))) from error


def _told(name: str, data: dict[str, Any], loc: Sequence[str | int], kind: str, message: str, value: object) -> str:
    """One fault in one line."""
    place, keys = name, list(loc)
    if len(keys) > 1 and keys[0] == "rules" and isinstance(keys[1], int):
        entry = data["rules"][keys[1]]
        known = isinstance(entry, dict) and isinstance(entry.get("id"), str)
        place = f"{name}: rule {entry['id']!r}" if known else f"{name}: rule number {keys[1] + 1}"
        keys = keys[2:]
    if kind == "extra_forbidden":
        model: type[BaseModel] = ProfileFile if place == name else RuleFile
        return f"{place}: unknown key {keys[0]!r}; a {_kind(model)} has {_named(model.model_fields)}"
    if not keys:
        return f"{place}: {_remedy(kind, message, [])}"
    if kind == "missing":
        return f"{place}: {keys[0]} is missing; add it ({_GUIDE})"
    key = str(keys[0]) if len(keys) == 1 else f"{keys[0]}, number {int(keys[1]) + 1},"
    return f"{place}: {key} is {_short(value)}; {_remedy(kind, message, keys)}"


def _remedy(kind: str, message: str, keys: Sequence[str | int]) -> str:
    if keys == ["rules"] or kind in ("model_type", "model_attributes_type"):
        return "write [[rules]] above each rule and its keys under it"
    match kind:
        case "list_type":
            return "give a list in brackets, also of one: " + ("[2, 12]" if keys == ["words"] else '["..."]')
        case "string_type":
            return "give a text in quotes"
        case "bool_type":
            return "give true or false, without quotes"
        case "int_type":
            return "give a whole number, without quotes"
    return message.removeprefix("Value error, ")


def _kind(model: type[BaseModel]) -> str:
    return "profile" if model is ProfileFile else "rule"


def _named(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
