"""Who wrote it: authors from credit lines, kept apart from desks and agencies.

A line credits by a word (`By Jane Doe`, `von …`, `Автор: …`), by a role (`Jane Doe, Staff Writer`), by a date beside
the name (`Jane Doe – 14.09.2022`) or, near the headline, by being nothing but a name. What a byline names is a
person only if it has the shape of one: two to five capitalised words with no word of furniture or of a desk among
them; with a credit word one name is enough. Everything else signs as desk or agency (`agencies.tsv`).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from typing import Final, NamedTuple

from copydesk.metadata import tables
from copydesk.metadata.dates import find_dates
from copydesk.metadata.published import Line

__all__ = ["Credit", "authors_of", "credit_pattern", "credits_of", "is_known_agency", "is_name", "may_credit"]


class Credit(NamedTuple):
    """The people, and the desks or agencies, that one line credits, and how it was known: `word`, `date` or `name`."""

    people: tuple[str, ...]
    others: tuple[str, ...]
    how: str
    line: Line


@functools.cache
def _words(group: str) -> frozenset[str]:
    table = tomllib.loads((tables.DATA / "bylines.toml").read_text(encoding="utf-8"))
    return frozenset(table[group])


@functools.cache
def credit_pattern() -> str:
    """Return the regular expression of a credit word at the head of a line."""
    before = sorted(_words("before"), key=lambda word: (-len(word), word))
    return (
        r"(?i)^[\s|•·–—-]{0,4}(?:" + "|".join(re.escape(word).replace(r"\ ", " ") for word in before) + r")[ :\u00a0]"
    )


@functools.cache
def _credit() -> re.Pattern[str]:
    return re.compile(credit_pattern() + r"\s*")


_NAME_WORD: Final = re.compile(r"(?:[^\W\d_]|['’.\u0300-\u036f-])+")
_SMALL: Final = tables.words("de da do del di la le van von der den ten ter bin ibn al el dos das du zu y e af av")


def is_name(text: str, *, alone: bool = True) -> bool:
    """Whether `text` has the shape of a person's name; with a credit word (`alone=False`) one word is enough."""
    words = text.split()
    if not (2 if alone else 1) <= len(words) <= 5 or len(text) > 45:
        return False
    if not all(_NAME_WORD.fullmatch(word) for word in words):
        return False
    capital = [word for word in words if word[0].isupper() or word[0] == word[0].swapcase()]
    small = [word for word in words if word not in capital]
    if any(word.lower() not in _SMALL for word in small) or not capital or words[-1] in small:
        return False
    keys = {word.strip(".,'’").casefold() for word in words}
    if alone and words[0].casefold() in _ARTICLES:
        return False
    return not keys & _words("desks") and not (alone and (keys & _words("never") or _is_place(text)))


_ARTICLES: Final = tables.words("the el los las do da os as der die das les un una ein eine")


def is_known_agency(name: str) -> bool:
    """Whether a name is an agency's own name in the table."""
    return name in _agency_names()


@functools.cache
def _agency_names() -> frozenset[str]:
    return frozenset(tables.agencies().values())


def _is_place(text: str) -> bool:
    return tables.key(text) in tables.cities() or tables.key(text) in tables.regions()


_CUT: Final = re.compile(
    r"(?=[\s@|•·(<\[,h0-9])(?:\s(?-i:[a-z0-9._-]+)@\S|@|[|•·(<\[]|\s[–—-]\s|\s[-–—]|,?\s(?:on|am|le|el|il|em|vom|published|"
    r"posted|updated|last updated|veröffentlicht|en|photos?:|fotos?:|für|is|ist|has)\b|https?:|[0-9]).*$",
    re.IGNORECASE,
)
_AND: Final = re.compile(
    r"(?=[\s,;/])\s*(?:,|;|/|\s&\s|\s(?:and|und|y|et|e|i|en|og|och|и|ve|dan|with|mit|con|avec)\s)\s*", re.IGNORECASE
)


_TITLE: Final = re.compile(r"^(?:(?:prof|dr|mag|dipl\.-ing|ing|hon|sir|rev)\.?\s+)+", re.IGNORECASE)
_GLUED_ROLE: Final = re.compile(
    r"(?<=[a-z])(?=(?:Contributor|Reporter|Editor|Staff|Writer|Author|Senior|Columnist|Correspondent)\b)"
)


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its arguments alone
def names_in(text: str, *, alone: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a credit into people and others (desks, agencies); what is neither is dropped."""
    people: list[str] = []
    others: list[str] = []
    text = _TITLE.sub("", _CUT.sub("", _GLUED_ROLE.sub(", ", text)).strip())
    for part in _AND.split(text):
        name = part.strip(" ,:;\u00a0-–")
        if not (name[-1:] == "." and _ABBREVIATED.search(name)):
            name = name.strip(".")
        strict = bool(people or others) or alone
        if not name or (people and _says_role(name)):
            continue
        if _is_prose(name, strict=strict):
            if people:
                break
            continue
        person = _without_role(name) or name
        if tables.key(name) in tables.agencies() or (person == name and _signs_as_desk(name)):
            others.append(name)
        elif is_name(person, alone=strict) and not _is_role(person):
            people.append(person)
        elif people:
            break
    return tuple(people), tuple(others)


_ABBREVIATED: Final = re.compile(r"(?:^|\s)(?:[A-Z]|Jr|Sr)\.$")


def _is_prose(name: str, *, strict: bool) -> bool:
    """Whether so many words that begin so can be no person, desk or agency: quickly seen, and most of what is asked."""
    words = name.split()
    if len(words) <= 5 or tables.key(name) in tables.agencies():
        return False
    return not all(map(_may_be_in_name, words[: 2 if strict else 1]))


def _may_be_in_name(word: str) -> bool:
    first = word[0]
    written = first.isupper() or first == first.swapcase() or word.lower() in _SMALL
    return written and bool(_NAME_WORD.fullmatch(word))


def _is_role(name: str) -> bool:
    return name.casefold() in _words("roles")


def _says_role(name: str) -> bool:
    """`AP Auto Writer`, `CNN Editor-at-large`: what follows a name and is none."""
    words = name.split()
    return _is_role(words[-1]) or (len(words) > 1 and tables.key(words[0]) in tables.run_in_agencies())


def _without_role(name: str) -> str:
    """Cut a role or an agency off the end of a name: `Jane Doe Staff Writer`, `Jane Doe Fox News`."""
    words = name.split()
    for count in (2, 3, 1):
        tail = " ".join(words[count:])
        if len(words) > count and (tail.casefold() in _words("roles") or tables.key(tail) in tables.agencies()):
            return " ".join(words[:count])
    role = _role_at_end().search(name) if name.casefold().endswith(_long_roles()) else None
    return name[: role.start()].strip(" ,") if role else ""


@functools.cache
def _long_roles() -> tuple[str, ...]:
    return tuple(sorted(role.casefold() for role in _words("roles") if len(role) > 4))


@functools.cache
def _role_at_end() -> re.Pattern[str]:
    long = sorted((role for role in _words("roles") if len(role) > 4), key=lambda role: (-len(role), role))
    return re.compile(r" (?:" + "|".join(map(re.escape, long)) + r")$", re.IGNORECASE)


def _signs_as_desk(name: str) -> bool:
    return any(word.strip(".,").casefold() in _words("desks") for word in name.split()) and len(name.split()) <= 5


def authors_of(credited: Sequence[Credit]) -> list[str]:
    """Return the people of the best credit and of equal credits beside it, each once."""
    people: list[str] = []
    with_people = [credit for credit in credited if credit.people]
    for credit in with_people:
        best = with_people[0]
        beside = credit.how == best.how == "word" or credit.line.label == best.line.label == "byline"
        beside = beside and abs(credit.line.rank - best.line.rank) <= 2
        if credit is best or beside:
            seen = {tables.key(name) for name in people}
            people.extend(name for name in credit.people if tables.key(name) not in seen)
    return people


def credits_of(lines: Sequence[Line], dated: Sequence[Line], head: int, body: tuple[int, int]) -> list[Credit]:
    """Read the credits of a page's lines (near head and foot), the surest first; `dated` are the lines with a date."""
    if not lines:
        return []
    ranks = {
        line.rank for line in dated if line.label == "date_line" or (len(line.text) < 80 and find_dates(line.text))
    }
    found: list[tuple[float, int, Credit]] = []
    for line in lines:
        read = _read(line, head, body, ranks)
        if read:
            points, credit = read
            found.append((-points, line.rank, credit))
    return [credit for _, _, credit in sorted(found, key=lambda item: (item[0], item[1]))]


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def may_credit(text: str) -> bool:
    """Whether a line credits somebody, wherever it may stand."""
    text = text.strip()
    if len(text) > 200 or _PICTURE.match(text) or _is_only_date(text):
        return False
    return any(_by_word(text, inner=True)) or bool(_shape(text).parts)


def _is_only_date(text: str) -> bool:
    """Whether no letter stands outside the dates of a line: no date holds a credit word."""
    stamps = find_dates(text) if any(map(str.isdigit, text)) else ()
    if len(stamps) == 1 and stamps[0].start == 0 and stamps[0].end == len(text):
        return True
    ends = [0, *(stamp.end for stamp in stamps)]
    starts = [*(stamp.start for stamp in stamps), len(text)]
    return not any(any(map(str.isalpha, text[end:start])) for end, start in zip(ends, starts, strict=True))


_PICTURE: Final = re.compile(
    r"^(?:fotos?|photos?|images?|bilder?|pictures?|graphic|video|imagen|©|quelle|source|credit)\b", re.IGNORECASE
)
_INNER_CREDIT: Final = re.compile(
    r"^(?=(?:[^\W\d_]+ ){1,3}?(?:von|by|por|par|durch)\s)"  # tested twice: what follows looks through the line
    r"(?!.*\b(?:geteilt|shared|compartida|partagée?)\b)(?:[^\W\d_]+ ){1,3}?(?:von|by|por|par|durch)\s+"
    r"|^(?:durch|escribe)\s+|^By(?=[A-Z][a-z])",
    re.IGNORECASE,
)


def _read(line: Line, head: int, body: tuple[int, int], dated: set[int]) -> tuple[float, Credit] | None:
    text = line.text.strip()
    if len(text) > 200 or line.label in ("headline", "caption", "copyright") or _PICTURE.match(text):
        return None
    in_head = line.rank <= max(body[0] + 1, head + 8)
    if line.label == "related_link" and not (in_head and line.rank > head - 3):
        return None
    people, others = _by_word(text, inner=in_head and len(text) < 100)
    if people or others:
        points = (6.0 if in_head else 3.0) + (2.0 if line.label == "byline" else 0.0)
        return points, Credit(people, others, "word", line)
    if line.label == "byline" or (in_head and head - 4 <= line.rank):
        return _read_shape(text, line, head, dated)
    return None


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its arguments alone
def _by_word(text: str, *, inner: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whom a credit word credits; `inner`: the word may stand a little into the line (`Eine Kolumne von`)."""
    word = _credit().match(text)
    if word:
        return names_in(_credited(text[word.end() :]), alone=False)
    word = _INNER_CREDIT.match(text) if inner else None
    return names_in(_credited(text[word.end() :]), alone=True) if word else ((), ())


def _credited(text: str) -> str:
    """What a credit word credits: without a second one, and up to a date."""
    again = _credit().match(text)
    text = text[again.end() :] if again else text
    stamps = find_dates(text) if any(map(str.isdigit, text)) else []
    return text[: stamps[0].start] if stamps else text


class _Part(NamedTuple):
    """What a part of a line names, and whether that is for sure a credit: by a word, or since nothing else is there."""

    people: tuple[str, ...]
    others: tuple[str, ...]
    sure: bool
    joined: bool
    """Whether the part has a slash."""


class _Shape(NamedTuple):
    """What a line's text alone says of whom it credits: whether it is dated, and its parts that name somebody."""

    dated: bool
    parts: tuple[_Part, ...]


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def _shape(text: str) -> _Shape:
    stamps = find_dates(text) if any(map(str.isdigit, text)) else ()
    rest = text
    for stamp in reversed(stamps):
        rest = rest[: stamp.start] + " | " + rest[stamp.end :]
    parts = []
    for part in _BETWEEN_PARTS.split(rest):
        word = _credit().match(part)
        people, others = names_in(part[word.end() :] if word else part, alone=not word)
        if people or others:
            parts.append(_Part(people, others, bool(stamps or word or _only(part, people)), "/" in part))
    return _Shape(bool(stamps), tuple(parts))


_BETWEEN_PARTS: Final = re.compile(r"\s*[|•·]\s*|\s[–—-]\s")


def _read_shape(text: str, line: Line, head: int, dated: set[int]) -> tuple[float, Credit] | None:
    byline = line.label == "byline"
    shape = _shape(text)
    for people, others, sure, joined in shape.parts:
        if people and (byline or sure):
            near_date = shape.dated or bool({line.rank - 1, line.rank + 1, line.rank + 2} & dated)
            distance = line.rank - head
            points = (4.0 if byline else 0.0) + (1.5 if near_date else 0.0)
            points += 2.0 - 0.1 * distance if 0 < distance <= 5 else 0.0 if distance > -4 else -1.0
            points -= 3.0 if others and joined else 0.0
            if line.label in ("related_link", "deck", "section_label"):
                points -= 0.3
            if points >= LEAST_POINTS:
                return points, Credit(people, others, "date" if shape.dated else "name", line)
        if others and byline:
            return 1.0, Credit((), others, "name", line)
    return None


LEAST_POINTS: Final = 1.3
"""A bare name needs to stand close under the headline, be beside a date, or be labelled as a byline."""


def _only(part: str, people: Sequence[str]) -> bool:
    return len(part.strip()) <= sum(len(name) + 5 for name in people) + 25
