"""Writes the tables under `data/` that come from Unicode's CLDR, by Babel: `python -m copydesk.metadata.generate`.

    data/months.tsv     name, month, languages      data/weekdays.tsv   name, weekday (Monday 0), languages
    data/countries.tsv  countries' names in the languages of `LANGUAGES`
    data/zonecities.tsv the cities that stand for time zones, in the same languages

Only this module needs Babel; the tables are committed, so a run needs neither Babel nor the machine's locale.
Names are NFC, casefolded, without a final full stop; names of under three letters are left out (except where a
script writes a word with fewer) because they read as other words.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).parent / "data"

LANGUAGES: Final = (
    "en de fr es pt it nl ru uk bg pl cs sk hu ro tr sv da nb fi el hr sr sl et lv lt id ms vi ar fa he hi bn ur mr "
    "ta te ca eu gl az kk be mk sq hy ka uz sw fil af is ga th sr_Latn bs"
)

MONTHS_NEWSROOMS_WRITE: Final = {
    "en": "sept:9 sep:9 jan:1 feb:2 mar:3 apr:4 jun:6 jul:7 aug:8 oct:10 nov:11 dec:12",
    "es": "ene:1 setiembre:9 set:9 sep:9 sept:9 abr:4 ago:8 dic:12",
    "de": "jän:1 jänner:1 feber:2 mär:3 mrz:3 sept:9 okt:10 dez:12",
    "fr": "janv:1 févr:2 fév:2 avr:4 juil:7 sept:9 oct:10 nov:11 déc:12 fevrier:2 aout:8 decembre:12",
    "pt": "fev:2 abr:4 mai:5 ago:8 set:9 out:10 dez:12 marco:3",
    "it": "gen:1 mag:5 giu:6 lug:7 ago:8 sett:9 set:9 ott:10 dic:12",
    "ru": "янв:1 фев:2 мар:3 апр:4 июн:6 июл:7 авг:8 сен:9 сент:9 окт:10 ноя:11 дек:12",
    "nl": "mrt:3 mei:5 okt:10",
    "tr": "oca:1 şub:2 nis:4 haz:6 tem:7 ağu:8 eyl:9 eki:10 kas:11 ara:12",
    "id": "agu:8 agt:8 agustus:8 des:12 okt:10",
    "sr": "januara:1 februara:2 marta:3 aprila:4 maja:5 juna:6 jula:7 avgusta:8 septembra:9 oktobra:10 "
    "novembra:11 decembra:12",
    "pl": "sty:1 lut:2 kwi:4 maj:5 cze:6 lip:7 sie:8 wrz:9 paź:10 lis:11 gru:12",
    "ar": "كانون الثاني:1 شباط:2 آذار:3 نيسان:4 أيار:5 حزيران:6 تموز:7 آب:8 أيلول:9 تشرين الأول:10 تشرين "
    "الثاني:11 كانون الأول:12",
}
"""Short forms that CLDR lacks or writes otherwise."""


def tidy(name: str) -> str:
    """The key a name is looked up by."""
    return unicodedata.normalize("NFC", name).strip().rstrip(".").casefold()


def _worth(name: str) -> bool:
    return not name.isdigit() and (len(name) > 2 or not name.isascii())


def _table(rows: Iterable[tuple[str, int, str]]) -> list[str]:
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, number, language in rows:
        languages = found[name][number]
        if language[:2] not in languages:
            languages.append(language[:2])
    return [
        f"{name}\t{number}\t{' '.join(languages)}"
        for name in sorted(found)
        for number, languages in sorted(found[name].items())
    ]


def _months(locales: dict[str, Any]) -> Iterable[tuple[str, int, str]]:
    for language, locale in locales.items():
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    if _worth(tidy(name)):
                        yield tidy(name), number, language
    for language, names in MONTHS_NEWSROOMS_WRITE.items():
        for pair in _pairs(names):
            yield pair[0], pair[1], language


def _pairs(names: str) -> Iterable[tuple[str, int]]:
    head = ""
    for word in names.split(" "):
        head = f"{head} {word}".strip()
        if ":" in head:
            name, number = head.rsplit(":", 1)
            yield tidy(name), int(number)
            head = ""


def _weekdays(locales: dict[str, Any]) -> Iterable[tuple[str, int, str]]:
    for language, locale in locales.items():
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.days[context][width].items():
                    if len(tidy(name)) > 2 and _worth(tidy(name)):
                        yield tidy(name), number, language


def _countries(locales: dict[str, Any]) -> list[str]:
    names = {tidy(name) for locale in locales.values() for code, name in locale.territories.items() if code.isalpha()}
    return sorted(name for name in names if len(name) > 2 and "(" not in name)


def _zone_cities(locales: dict[str, Any]) -> list[str]:
    names = set()
    for locale in locales.values():
        for zone in dict(locale.time_zones).values():
            city = dict(zone).get("city", "")
            names.add(tidy(city))
    return sorted(name for name in names if len(name) > 2 and "(" not in name and "," not in name)


def main() -> None:
    """Write the four tables."""
    from babel import Locale  # a tool of developers only

    locales = {language: Locale.parse(language) for language in LANGUAGES.split()}
    note = "# from Unicode CLDR by copydesk.metadata.generate: do not edit\n"
    for name, lines in (
        ("months", _table(_months(locales))),
        ("weekdays", _table(_weekdays(locales))),
        ("countries", _countries(locales)),
        ("zonecities", _zone_cities(locales)),
    ):
        (DATA / f"{name}.tsv").write_text(note + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
