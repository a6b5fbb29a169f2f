"""The tables under `data/`, read once: names of months, weekdays, places and agencies.

Every lookup goes by `key`: NFC, casefolded, no final full stop. Months and weekdays come from Unicode's CLDR
(`generate.py`), places and agencies are kept by hand.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Final

__all__ = [
    "LETTERS",
    "agencies",
    "cities",
    "key",
    "months",
    "not_places",
    "regions",
    "run_in_agencies",
    "weekdays",
    "words",
    "zone_cities",
]

LETTERS: Final = r"(?>(?:[^\W0-9_]+|[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e])+)"
"""Letters of a word, marks of Indic and Thai script included; atomic, so that no repetition of it is ambiguous."""

DATA: Final = Path(__file__).parent / "data"

PREFERRED: Final = ("en", "de", "fr", "es", "it", "pt", "ru", "pl", "cs", "nl", "tr", "uk", "id")
"""Whose month is meant where two languages share a name (`lip` is July in Polish, June in Croatian)."""


def words(text: str) -> frozenset[str]:
    """Words written one after another."""
    return frozenset(text.split())


@functools.lru_cache(maxsize=1 << 14)  # months and places recur; a function of its argument alone
def key(name: str) -> str:
    """What a name is looked up by."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name.replace("İ", "I"))
    return name.strip().rstrip(".").casefold()


def _lines(name: str) -> list[str]:
    text = (DATA / f"{name}.tsv").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _numbers(name: str) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for line in _lines(name):
        word, number, languages = line.split("\t")
        entry = table.setdefault(word, {})
        for language in languages.split(" "):
            entry.setdefault(language, int(number))
    return table


def _without_doubt(table: dict[str, dict[str, int]]) -> dict[str, int]:
    def choose(entry: dict[str, int]) -> int:
        best = next((language for language in PREFERRED if language in entry), next(iter(entry)))
        return entry[best]

    return {word: choose(entry) for word, entry in table.items()}


@functools.cache
def months(language: str | None = None) -> dict[str, int]:
    """Name of a month -> 1 to 12, in all languages; `language` (ISO 639-1) settles names that two languages share."""
    table = _numbers("months")
    plain = _without_doubt(table)
    return plain | {word: entry[language] for word, entry in table.items() if language and language in entry}


@functools.cache
def weekdays() -> dict[str, int]:
    """Name of a weekday -> 0 (Monday) to 6, in all languages."""
    return _without_doubt(_numbers("weekdays"))


def _split(name: str) -> frozenset[str]:
    return frozenset(key(word) for line in _lines(name) for word in line.split("|"))


@functools.cache
def regions() -> frozenset[str]:
    """Keys of countries in all languages, states, provinces, and their abbreviations."""
    return _split("regions") | _split("countries")


@functools.cache
def cities() -> frozenset[str]:
    """Keys of places that may open a story without region, date or agency."""
    return _split("cities")


@functools.cache
def zone_cities() -> frozenset[str]:
    """Keys of more cities in many languages; in capitals only, as some are common words (`Center`, `Easter`)."""
    return _split("zonecities")


@functools.cache
def not_places() -> frozenset[str]:
    """Keys of words in capitals that stand before a colon or dash and name no place."""
    return _split("notplaces")


@functools.cache
def agencies() -> dict[str, str]:
    """Key of a written form -> the agency's name."""
    return {key(form.lstrip("~")): name for name, forms in _agency_lines() for form in forms}


@functools.cache
def run_in_agencies() -> frozenset[str]:
    """Keys of the written forms that are no common words, so that they may stand without brackets."""
    return frozenset(key(form) for _, forms in _agency_lines() for form in forms if not form.startswith("~"))


def _agency_lines() -> list[tuple[str, list[str]]]:
    split = [line.split("\t") for line in _lines("agencies")]
    return [(name, forms.split("|")) for name, forms in split]
