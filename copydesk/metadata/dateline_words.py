"""The words of a dateline: places with their regions, agencies, separators, the byline before it.

Each reader stands at a position of the opening and returns what it read and where it ends, or None. A place is
written in capitals (`ST. LOUIS`, `AL-FASHER`) or capitalised with particles (`Rio de Janeiro`); scripts without
capitals count as capitalised.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from copydesk.metadata import tables
from copydesk.metadata.dateline_dates import WrittenDate, match_date

__all__ = ["SEPARATOR", "Agency", "Places", "agency_in_line", "bracketed_agency", "read_places", "split_byline"]

SEPARATOR: Final = re.compile(
    r"[ \t\u00a0]*(?:\.\s?[-–—]{1,2}|:?\s?[-–—]{1,3}(?:\s[-–—])?|(?<=\s)_(?=\s)|[:：]|[.。](?=\s|$|[\"“«])|"
    r",(?=\s)|=(?=\s))?[ \t\u00a0]*"
)

_WORD: Final = re.compile(
    r"(?:St|Ste|Ft|Mt|Pt|Sta|Sto|ST|STE|FT|MT|PT|STA|STO|Св|г)\.\s?|"
    rf"[^\W\d_](?:{tables.LETTERS}|[\u200c\u200d])*(?:['’`\-‑]{tables.LETTERS})*"
)
_INITIALS: Final = re.compile(r"(?:[^\W\d_]{1,6}\.){1,4}(?:\s?[^\W\d_]{1,4}\.)?|[A-Z][a-z]{2,5}\.")
_PARTICLES: Final = tables.words(
    "de da do del di la le las los el al of am an der den upon sur en du des dos das y e i a und bei im in on the ob "
    "pod nad na u vor zu van aan ter sous lès es et"
)
_ARTICLE: Final = re.compile(r"(?:al|el|ash|as|an|ar|at|ad|es|et)-[A-Z]")
_MOST_WORDS: Final = 6
"""Words of a place; the longest in 478 datelines had 4 (`Iguala de la Independencia`)."""

_AND: Final = re.compile(r"\s*(?:/|\s(?:and|AND|&|y|et|und|e|и)\s)\s*")
_OPEN_REGION: Final = re.compile(r"\s?\(([^()/]{2,40})\)|\s/\s?([^/()]{3,40}?)\s?/")
_CAPITAL_DISTRICT: Final = re.compile(r",?\s(D\.C\.|DC)(?![A-Za-z])")
_COMMA: Final = re.compile(r"\s?,\s*")


class Places(NamedTuple):
    """Cities with their regions; whether in capitals, whether the first city or a region is known."""

    places: list[tuple[str, str | None]]
    end: int
    capitals: bool
    known: bool
    region_known: bool


class Agency(NamedTuple):
    """An agency as written; whether it is in `agencies.tsv`, in brackets or slashes, and a date beside it."""

    name: str
    end: int
    known: bool
    bracketed: bool
    date: WrittenDate | None = None


# Places


def read_places(text: str, at: int) -> Places | None:
    """Read one or more cities with their regions."""
    first = _read_place(text, at)
    if not first:
        return None
    places, end, region_known = [], at, False
    city: tuple[str, int] | None = first
    while city:
        name, end = city
        region, end, sure = _read_region(text, end)
        places.append((name, region))
        region_known |= sure
        more = _AND.match(text, end)
        city = _read_place(text, more.end()) if more and len(places) < 4 else None
        if more and city and not _goes_together(more[0], first[0], city[0], text, city[1]):
            city = None
    name = places[0][0]
    capitals = _is_capitals(name)
    known = tables.key(name) in tables.cities() or (capitals and tables.key(name) in tables.zone_cities())
    return Places(places, end, capitals, known, region_known)


def _goes_together(sign: str, first: str, second: str, text: str, end: int) -> bool:
    """`SEATTLE/WASHINGTON` are two places; `SHANGHAI /PRNewswire/` and `SOCHI /Region/` are not."""
    if sign.strip() != "/":
        known = tables.key(first) in tables.cities() and tables.key(second) in tables.cities()
        return known and _is_capitals(first) == _is_capitals(second)
    return not is_agency(second) and text[end : end + 1] != "/" and text[end : end + 2] != " /"


@functools.lru_cache(maxsize=1 << 14)  # places recur; a function of its argument alone
def _is_capitals(name: str) -> bool:
    letters = [letter for letter in name if letter.isalpha()]
    if name[:2] == "Mc":
        letters = letters[2:]
    return len(letters) > 1 and all(letter.isupper() for letter in letters) and any(x != x.lower() for x in letters)


def _read_place(text: str, at: int) -> tuple[str, int] | None:
    """Words of one place: stops where the case changes, at a month before a day, and at small letters."""
    end, words, capitals = at, 0, False
    while words < _MOST_WORDS:
        start = end + (1 if words and text[end : end + 1] in (" ", "\u00a0") else 0)
        if words and start == end and text[end - 1] not in ". ":
            break
        found = _WORD.match(text, start)
        if not found or (words and _CAPITAL_DISTRICT.match(text, start - 1)):
            break
        word = found[0].strip()
        if words == 0:
            capitals = _is_capitals(word) or (len(word) == 1 and word.isupper())
            if not _capital_start(word):
                return None
        elif not _goes_on(word, text, found.end(), capitals=capitals):
            break
        if match_date(text, start) or (words and tables.key(word) in tables.run_in_agencies()):
            break
        end, words = found.end(), words + 1
    name = text[at:end].strip()
    while words > 1 and name.rsplit(None, 1)[-1] in _PARTICLES:
        name, words = name.rsplit(None, 1)[0], words - 1
        end = at + len(name)
    if not words or tables.key(name) in tables.weekdays():
        return None
    return name, at + len(name)


def _capital_start(word: str) -> bool:
    return word[0].isupper() or word[0] == word[0].swapcase()


def _goes_on(word: str, text: str, end: int, *, capitals: bool) -> bool:
    if word in _PARTICLES:
        after = text[end : end + 2].strip()
        return bool(after) and (after[0].isupper() or after[0] in "lL'’" or not capitals)
    if not _capital_start(word):
        return not capitals and bool(_ARTICLE.match(word))
    return _is_capitals(word) or word.endswith(".") or word[:2] == "Mc" if capitals else True


def _read_region(text: str, at: int) -> tuple[str | None, int, bool]:
    """Region, where it ends, whether it is known."""
    found = _OPEN_REGION.match(text, at)
    if found:
        name = (found[1] or found[2]).strip()
        sure = tables.key(name) in tables.regions()
        in_slashes = found[2] is not None and not is_agency(name) and not match_date(text, found.start(2))
        twice = text[found.end() : found.end() + 2].strip()[:1] == "("
        if in_slashes or (sure and not is_agency(name)) or (sure and twice) or (found[1] and twice):
            return name, found.end(), sure
        return None, at, False
    if capital := _CAPITAL_DISTRICT.match(text, at):
        return capital[1], capital.end(), True
    comma = _COMMA.match(text, at)
    if not comma:
        return None, at, False
    return _region_after_comma(text, comma.end(), at)


def _region_after_comma(text: str, start: int, at: int) -> tuple[str | None, int, bool]:
    if match_date(text, start):
        return None, at, False
    for pattern_end in _region_ends(text, start):
        name = text[start:pattern_end]
        if tables.key(name) in tables.regions():
            more = _COMMA.match(text, pattern_end)
            if more:
                inner = _region_after_comma(text, more.end(), pattern_end)
                if inner[0] and inner[2]:
                    return text[start : inner[1]], inner[1], True
            return name, pattern_end, True
    words = _read_place(text, start)
    if words and _read_on(text, words[1]) and not is_agency(words[0]):
        more = _COMMA.match(text, words[1])
        if more:
            inner = _region_after_comma(text, more.end(), words[1])
            if inner[0] and inner[2]:
                return text[start : inner[1]], inner[1], True
        return words[0], words[1], False
    return None, at, False


def _region_ends(text: str, start: int) -> list[int]:
    """Ends of what might be a region, the longest first: abbreviations, then one to four words."""
    ends = []
    found = _INITIALS.match(text, start)
    if found:
        ends.append(found.end())
    at = start
    for _ in range(4):
        word = _WORD.match(text, at)
        if not word or not (_capital_start(word[0]) or word[0] in {*_PARTICLES, "and"}):
            break
        ends.append(word.end())
        if text[word.end() : word.end() + 1] not in (" ", "\u00a0"):
            break
        at = word.end() + 1
    return sorted(set(ends), reverse=True)


_DATELINE_GOES_ON: Final = re.compile(r"\s?(?:[,(/]|[-–—:]{1,3}\s|\.\s?[-–—]|[-–—]{2}|[-–—]\()")


def _read_on(text: str, at: int) -> bool:
    """After an unknown region, the dateline must visibly go on."""
    return bool(_DATELINE_GOES_ON.match(text, at)) or match_date(text, at + 1) is not None


# Agencies


def is_agency(name: str) -> bool:
    """Whether `name` is in `agencies.tsv`, or a few such names joined (`CBS/AP`)."""
    known = tables.agencies()
    return tables.key(name) in known or ("/" in name and all(tables.key(part) in known for part in name.split("/")))


AGENCY_BRACKET: Final = re.compile(
    r"\s*[.,]?\s*(?:[-–—]{1,2}\s?)?(?:[(（]\s?([^\W\d_][^()（）\n]{0,45}?)\s?[)）]|/\s?([^\W\d_][^/()\n]{1,40}?)\s?/)"
)
_BESIDE_DATE: Final = re.compile(r"^(.{2,40}?)(?:\s+[-–—]|,)\s+(.*)$")


def bracketed_agency(text: str, at: int, *, after_date: bool = False) -> Agency | None:
    """Read `(Reuters)`, `/TASS/`, `--(BUSINESS WIRE)`, `(Newsfile Corp. - October 5, 2020)`.

    In slashes the name must be known, or follow a date: `/Leningrad Region/` stands in slashes too.
    """
    found = AGENCY_BRACKET.match(text, at)
    if not found:
        return None
    name = (found[1] or found[2]).strip()
    if is_agency(name) or (found[1] and _SITE.fullmatch(name)):
        return Agency(name, found.end(), known=True, bracketed=True)
    return _in_slashes(name, found.end(), after_date=after_date) if found[2] else _in_brackets(text, found)


def _in_slashes(name: str, end: int, *, after_date: bool) -> Agency | None:
    first = name.split(maxsplit=1)[0]
    if tables.key(first) in tables.run_in_agencies() or is_agency(name.split("-", 1)[0]):
        return Agency(first, end, known=True, bracketed=True)
    return Agency(name, end, known=False, bracketed=True) if after_date and len(name) <= 30 else None


def _in_brackets(text: str, found: re.Match[str]) -> Agency | None:
    name = found[1]
    beside = _BESIDE_DATE.match(name)
    if beside and is_agency(beside[1]):
        start = found.start(1) + beside.start(2)
        return Agency(beside[1], found.end(), known=True, bracketed=True, date=match_date(text, start))
    if len(name.split()) > 4 or not _looks_like_agency(name):
        return None
    return Agency(name, found.end(), known=False, bracketed=True)


def _looks_like_agency(name: str) -> bool:
    return not any(letter.isdigit() for letter in name[:1]) and tables.key(name) not in tables.regions()


_SITE: Final = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?:com|net|org|de|ru|co|tv|info|news|id)\b(?:\.[a-z]{2}\b)?")
_RUN_IN: Final = re.compile(r"[ \t\u00a0]*(?:[,.]?\s*[-–—]{1,2}\s?|[,.]\s*|\s)?(?=[^\W\d_])")


def agency_in_line(text: str, at: int, *, after_date: bool = False) -> Agency | None:
    """Read an agency without brackets: `AP - `, `— ДАН. `, `, KOMPAS.com - `; only unmistakable names."""
    gap = _RUN_IN.match(text, at)
    start = gap.end() if gap else at
    site = _SITE.match(text, start)
    if site and SEPARATOR.match(text, site.end())[0].strip(" ") not in ("", ",", ":"):  # type: ignore[index]
        return Agency(site[0], site.end(), known=True, bracketed=False)
    for end in _name_ends(text, start):
        name = text[start:end]
        sure = tables.key(name) in (tables.agencies() if after_date else tables.run_in_agencies())
        separator = SEPARATOR.match(text, end)
        if (
            sure
            and separator
            and separator[0].strip() not in ("", ":")
            and _credit_end(separator[0], after_date=after_date)
        ):
            return Agency(name, _skip_reporter(text, end, after_date=after_date), known=True, bracketed=False)
    return None


def _credit_end(sign: str, *, after_date: bool) -> bool:
    return after_date or sign.strip() not in (",", ".")


_REPORTER: Final = re.compile(r",\s[^\W\d_]+\s[^\W\d_]+(?=\.\s)")


def _skip_reporter(text: str, end: int, *, after_date: bool) -> int:
    """`МОСКВА, 5 окт - РИА Новости, Иван Иванов. `: the reporter belongs to the dateline."""
    reporter = _REPORTER.match(text, end) if after_date else None
    return reporter.end() if reporter else end


_NAME_PART: Final = re.compile(r"[^\W\d_][\w./&-]*[\w]|[^\W\d_]")


def _name_ends(text: str, start: int) -> list[int]:
    ends, at = [], start
    for _ in range(5):
        word = _NAME_PART.match(text, at)
        if not word:
            break
        ends.append(word.end())
        if text[word.end() : word.end() + 1] != " ":
            break
        at = word.end() + 1
    return ends[::-1]


# The byline before it


_BY: Final = re.compile(r"(?:By|BY|Por|Par|Von)\s+")
_NAME_WORD: Final = re.compile(r"[^\W\d_][^\W\d_.'’-]*(?:['’-][^\W\d_]+)*\.?\s")


def split_byline(text: str, at: int) -> tuple[str | None, int]:
    """Split `By JANE DOE NORTHPORT, Maine (AP)`: the name has two words, three with an initial; the rest is a place."""
    found = _BY.match(text, at)
    if not found:
        return None, at
    words: list[str] = []
    end = found.end()
    while len(words) < 8:
        word = _NAME_WORD.match(text, end)
        if not word or not word[0][0].isupper():
            break
        words.append(word[0].strip())
        end = word.end()
    most = 3 if len(words) > 2 and len(words[1].rstrip(".")) == 1 else 2
    if len(words) < most:
        return None, at
    name = " ".join(words[:most])
    return name, found.end() + len(name) + 1
