"""Masking: e-mail addresses, phone numbers and IP addresses made unreadable in what is published.

    MASKS         what can be masked, and the words that stand in its place
    parse_masks   "emails,ips" to names; UsageError for others
    Masker        masks texts, columns and the spans of a line

Doubt masks: a version number of four parts is taken for an IP address. A phone number is what libphonenumber takes for
a valid one: with its country's prefix wherever it is from, else written with the grouping of one of REGIONS, so that
years, scores and sums of money stay. What stands in two lines is not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import polars as pl

from copydesk.errors import UsageError

__all__ = ["MASKS", "Masker", "parse_masks"]

MASKS: Final = {"emails": "[email]", "ips": "[ip]", "phones": "[phone]"}

REGIONS: Final = ("US", "GB")
"""Whose national way of writing phone numbers is known; with a `+` prefix every country's is."""

EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.%+'-]{1,64}(?:@|\s?[\[(]\s?at\s?[\])]\s?)"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
ADDRESS: Final = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)"
    r"|(?<![\w.:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])"
)
NUMBER: Final = re.compile(r"\+?\(?\d[\d ().\-/\u00a0\u2010-\u2015]{5,24}\d")

CANDIDATE: Final = {
    "emails": r"(?i)@|[\[(]\s?at\s?[\])]",
    "ips": r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:",
    "phones": r"[0-9](?:[ ().\-/\x{a0}\x{2010}-\x{2015}]{0,3}[0-9]){6}",
}
"""What a text must hold for a search to be worth it: few do, and the search for it is native."""

Found = tuple[int, int, str]
"""Where something stands in a text, and the words for its place."""


def parse_masks(written: str | Sequence[str]) -> tuple[str, ...]:
    """Names of MASKS, sorted, each once; raises UsageError that says what there is."""
    words = written.split(",") if isinstance(written, str) else written
    names = sorted({word.strip() for word in words if word.strip()})
    for name in names:
        if name not in MASKS:
            raise UsageError(f"--mask {name!r}: is not known; give some of {', '.join(MASKS)}, with commas between")
    return tuple(names)


@dataclass(frozen=True)
class Masker:
    """Masks what `masks` names."""

    masks: tuple[str, ...]

    @cached_property
    def _candidate(self) -> str:
        return "|".join(f"(?:{CANDIDATE[name]})" for name in self.masks)

    def column(self, texts: pl.Series) -> pl.Series:
        """A column of texts, masked; nulls stay."""
        if not self.masks or texts.dtype != pl.String:
            return texts
        rows = texts.str.contains(self._candidate).fill_null(value=False).arg_true()
        if not rows.len():
            return texts
        return texts.clone().scatter(rows, [self.text(text) for text in texts.gather(rows)])

    def text(self, text: str) -> str:
        """One text, masked."""
        return _replaced(text, self._find(text), 0, len(text))

    def spans(self, texts: Sequence[str]) -> list[str]:
        """Texts that stand beside each other in a line, masked also where something runs across two of them."""
        whole = "".join(texts)
        found = self._find(whole)
        masked, start = [], 0
        for text in texts:
            masked.append(_replaced(whole, found, start, start + len(text)))
            start += len(text)
        return masked

    def _find(self, text: str) -> list[Found]:
        """Where something is to be masked: in order, none touching another's characters."""
        finders = {"emails": _emails, "ips": _addresses, "phones": _phones}
        found: list[Found] = []
        for name in self.masks:  # emails, ips, phones: an address of digits is no phone number
            for start, end in finders[name](text):
                if not any(start < other_end and other_start < end for other_start, other_end, _ in found):
                    found.append((start, end, MASKS[name]))
        return sorted(found)


def _replaced(text: str, found: Sequence[Found], low: int, high: int) -> str:
    """The part of a text from low to high, with the words for what stands in it, or begins or ends in it."""
    parts, place = [], low
    for start, end, words in found:
        if start < high and end > low:
            parts += [text[place : max(start, place)], words]
            place = min(end, high)
    return "".join([*parts, text[place:high]])


def _emails(text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in EMAIL.finditer(text))


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in ADDRESS.finditer(text):
        if ":" in match[0] and len(re.findall(r"[0-9A-Fa-f]+", match[0])) < 3:
            continue  # a time, or two colons in a row
        try:
            ipaddress.ip_address(match[0])
        except ValueError:
            continue
        yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    library = _phone_library()
    seen: set[tuple[int, int]] = set()
    for match in NUMBER.finditer(text):
        low, high = max(0, match.start() - 1), min(len(text), match.end() + 12)
        for region in REGIONS:
            exact = match[0].lstrip("(").startswith("+")
            leniency = library.Leniency.VALID if exact else library.Leniency.STRICT_GROUPING
            for one in library.PhoneNumberMatcher(text[low:high], region, leniency):
                seen.add((low + one.start, low + one.end))
    yield from sorted(seen)


def _phone_library() -> Any:
    try:
        import phonenumbers
    except ModuleNotFoundError as error:
        raise UsageError(
            "masking phone numbers needs the package phonenumbers: pip install 'copydesk[mask]'"
        ) from error
    return phonenumbers
