"""Section, topics and persons, from section labels, breadcrumbs and tag lines.

A tag line under `Topics` or `Tags:` may hold one tag, several with separators, or several run together:
`Islamic State Foreign policy Syrian conflict`. Run-together tags are cut at capitals, since a tag begins with one and
small-letter words continue it; where two capitalised words could be one tag (`Islamic State`), the tag vocabulary of
the corpus decides, then whether the article's own text uses them as one phrase.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from copydesk.metadata.dates import find_dates
from copydesk.metadata.published import Line

__all__ = ["may_name_section", "section_of", "split_glued", "tags_of"]

_TOPICS: Final = (
    r"(?:article |story |related )?(?:tags?|topics?|keywords?|key words|hashtags?|filed under|filed to|"
    r"tagged(?: with| as)?|themen|thema|"
    r"schlagw(?:o|ö)rte?r?|schlagworte|stichworte?|mehr zu(?:m thema)?|etiquetas|temas(?: relacionados)?|"
    r"tópicos|palabras clave|palavras-chave|mots[- ]clés|"
    r"sujets|tag correlati|argomenti|parole chiave|trefwoorden|теги|темы|метки|ключевые слова|тэги|tagi|"
    r"słowa kluczowe|štítky|témata|etiketler|"
    r"címkék|emner|nyckelord|this article is related to|more on|in this story|kategorien?|categories|"
    r"posted in|kata kunci|الوسوم|标签|タグ)"
)
_PERSONS: Final = (
    r"(?:persons?|people|personen|personas|pessoas|personnes|персоны|osoby|kişiler|in this article: people)"
)
_TOPIC_HEAD: Final = re.compile(rf"^[#\s]*{_TOPICS}\s*(?:[:：]\s*|$)", re.IGNORECASE)
_PERSON_HEAD: Final = re.compile(rf"^\s*{_PERSONS}\s*(?:[:：]\s*|$)", re.IGNORECASE)
NOT_IN_GROUP: Final = (
    "body",
    "heading",
    "copyright",
    "comment_prompt",
    "share_prompt",
    "byline",
    "date_line",
)
"""Labels of lines that end a group of tags."""
ABOVE_HEADLINE: Final = ("navigation", "related_link", "heading", "other_boilerplate", "deck")
"""Labels that a section without a label of its own may have."""
_SEPARATORS: Final = re.compile(r"\s*(?:[|•·,;،、›»]|\s/\s|\s-\s|(?:^|\s)#)\s*")
_SEPARATING: Final = re.compile(r"[|•·,;،、›»/#-]")
"""A sign that every separator has."""
_MOST_WORDS: Final = 6
_MOST_TAGS: Final = 30


def tags_of(
    lines: Sequence[Line], body: tuple[int, int], vocabulary: Mapping[str, int], in_article: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Read (topics, persons) from the page's lines; `in_article` tells whether the article has words as one phrase."""
    if not lines:
        return [], []
    topics: list[str] = []
    persons: list[str] = []
    for kind, texts in _groups(lines, body[1]):
        found = _tags(texts, vocabulary, in_article)
        (persons if kind == "persons" else topics).extend(found)
    return _once(topics)[:_MOST_TAGS], _once(persons)[:_MOST_TAGS]


def _groups(lines: Sequence[Line], last: int) -> list[tuple[str, list[str]]]:
    """(`persons` or `topics`, lines of tags) of each group; `last` is the rank of the last line of text."""
    groups: list[tuple[str, list[str]]] = []
    head, last_rank = "", -9
    for line in lines:
        rank, label, text = line
        at_once = rank == last_rank + 1
        kind, rest = _in_group(rank > last, label, _reading(text), head if at_once else "")
        if kind and (kind != head or rest is None or not at_once or _reading(text).head):
            groups.append((kind, []))
        if kind and rest:
            groups[-1][1].append(rest)
        head, last_rank = kind, rank if kind else -9
    return groups


class _Reading(NamedTuple):
    """What a line's text alone says of its part in a list of tags."""

    text: str
    head: str
    """`persons` or `topics` where it begins as a heading of such a list."""
    rest: str
    """What follows the heading on the line."""
    short: bool
    """Whether it may be one tag under an open heading."""


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def _reading(text: str) -> _Reading:
    text = text.strip()
    short = len(text) <= 40 and len(text.split()) <= 4 and text[-1:] not in ".!?:"
    for kind, pattern in (("persons", _PERSON_HEAD), ("topics", _TOPIC_HEAD)):
        if found := pattern.match(text):
            return _Reading(text, kind, text[found.end() :], short)
    return _Reading(text, "", "", short)


def _in_group(behind: bool, label: str, read: _Reading, open_group: str) -> tuple[str, str | None]:  # noqa: FBT001
    """What group a line belongs to (empty for none) and the tags in it; `behind`: it stands behind the text."""
    text, kind, rest, short = read
    labelled = label == "tags"
    if kind and (labelled or (label != "body" and len(text) < 300 and (behind or rest))):
        return kind, rest or None
    if labelled:
        return open_group or "topics", text
    if open_group and short and behind and label not in NOT_IN_GROUP:
        return open_group, text
    return "", None


def _tags(texts: Sequence[str], vocabulary: Mapping[str, int], in_article: Callable[[str], bool]) -> list[str]:
    tags: list[str] = []
    for text in texts:
        parts = _parts(text)
        if len(texts) <= 2 and len(parts) == 1 and parts[0].capitals > 1:  # perhaps several tags
            tags.extend(filter(_fits, split_glued(parts[0].text, vocabulary, in_article)))
        else:
            tags.extend([part.text for part in parts if part.fits])
    return tags


class _Part(NamedTuple):
    """What stands between separators, how many of its words are capitalised, and whether it may be one tag."""

    text: str
    capitals: int
    fits: bool


@functools.lru_cache(maxsize=1 << 14)  # tags recur; a function of its argument alone
def _parts(text: str) -> tuple[_Part, ...]:
    parts = map(_tidy, _SEPARATORS.split(text) if _SEPARATING.search(text) else (text,))
    return tuple(
        _Part(part, sum([word[:1].isupper() for word in part.split(" ")]), _fits(part)) for part in parts if part
    )


def _fits(tag: str) -> bool:
    return len(tag) <= 60 and len(tag.split()) <= _MOST_WORDS


def _tidy(text: str) -> str:
    return text.strip(" \t\u00a0.:-–—#›»")


def _once(tags: Sequence[str]) -> list[str]:
    if len(tags) < 2:
        return list(tags)
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(tag.casefold(), tag)
    return list(first.values())


def split_glued(text: str, vocabulary: Mapping[str, int], in_article: Callable[[str], bool]) -> list[str]:
    """Cut tags that run together, by dynamic programming over the words: the cheapest cover wins.

    A known tag costs least, a phrase of the article next, one capitalised word (with the small-letter words after
    it) more, two capitalised words that nothing joins most. `vocabulary`: tag -> in how many documents; `in_article`:
    whether the article has words as one phrase, in whatever case.
    """
    words = text.split()
    if len(words) < 2 or len(words) > 60 or text.isupper() or text.islower():
        return [text]
    whole = " ".join(words)
    known = {phrase for phrase in _phrases(words) if phrase in vocabulary} - {whole} if vocabulary else set()
    if vocabulary.get(whole, 0) >= _OF_ITS_OWN and not _is_covered(words, known):
        return [text]
    cuts = _cheapest(words, known, in_article)
    return [" ".join(words[start:end]) for start, end in itertools.pairwise(cuts)]


def _cheapest(words: Sequence[str], known: set[str], in_article: Callable[[str], bool]) -> list[int]:
    """Where to cut the words into tags."""
    upper = [word[0].isupper() for word in words]
    capitals = [0, *itertools.accumulate(upper)]
    opens = [big or word[0].isdigit() or word[0] == word[0].swapcase() for big, word in zip(upper, words, strict=True)]
    costs, starts = [0.0], [0]
    for end, total in enumerate(capitals[1:], 1):
        best, first = _FAR, 0
        for start in range(max(0, end - _MOST_WORDS), end):
            before, inner = costs[start], total - capitals[start + 1]
            if known and " ".join(words[start:end]) in known:
                cost = before + 0.5
            elif not opens[start]:
                cost = before + 5.0
            elif not inner:
                cost = before + 1.0
            else:
                cost = before + (1.0 + _IN_ARTICLE * inner)
                if cost < best and not in_article(" ".join(words[start:end])):  # asked only where it matters
                    cost = before + (1.0 + _UNSEEN * inner)
            if cost < best:
                best, first = cost, start
        costs.append(best)
        starts.append(first)
    cuts = [len(words)]
    while cuts[-1]:
        cuts.append(starts[cuts[-1]])
    return cuts[::-1]


_FAR: Final = float("inf")
_IN_ARTICLE: Final = 0.2
_UNSEEN: Final = 1.25
"""What each capital behind a tag's first word costs, where the article has the words as one phrase, and where not."""

_OF_ITS_OWN: Final = 2
"""Documents that must hold a line for it to be one tag: the vocabulary counts the very line that is to be cut, too."""


def _phrases(words: Sequence[str]) -> list[str]:
    """Every run of words that is short enough for a tag."""
    starts = range(len(words))
    return [" ".join(words[start:end]) for start in starts for end in range(start + 1, start + 1 + _MOST_WORDS)]


def _is_covered(words: Sequence[str], known: set[str]) -> bool:
    """Whether known tags, one after another, make up all the words."""
    reached = [True] + [False] * len(words)
    for end in range(1, len(reached)):
        starts = range(max(0, end - _MOST_WORDS), end)
        reached[end] = any(reached[start] and " ".join(words[start:end]) in known for start in starts)
    return reached[-1]


_GENERIC: Final = re.compile(
    r"^(?:home|menu|search|login|log in|sign in|subscribe|newsletter|start|startseite|inicio|accueil|contact|"
    r"kontakt|impressum|about|"
    r"all news|back.*|skip.*|share|print|email|more|mehr|alle.*|werbung|anzeige|advertisement|suche.*|abo|"
    r"shop|jobs|english|video|videos|"
    r"close.*|facebook|twitter|instagram|youtube|whatsapp|telegram|comments?|kommentare?|teilen|drucken|"
    r"breadcrumb|you are here.*|sie sind hier.*|"
    r"donate|support us!?|follow.*|listen.*|by|von|registrieren|anmelden|datenschutz|e-?paper|archiv|rss|live|"
    r"premium)$",
    re.IGNORECASE,
)
_CRUMBS: Final = re.compile(r"\s*(?:[>»›→|]|\s/\s|(?<=\S)/(?=\S)|::|•)\s*")


def section_of(lines: Sequence[Line], head: int, headline: str | None) -> str | None:
    """Read the section: a section label, a breadcrumb, or the short line just above the headline."""
    labelled = [line for line in lines if line.label == "section_label"]
    labelled.sort(key=lambda line: (abs(line.rank - head), line.rank))
    above = [line for line in lines if head - 3 <= line.rank < head and line.label in ABOVE_HEADLINE]
    for line in (*labelled, *reversed(above)):
        found = _section_in(line.text.strip(), headline or "", labelled=line.label == "section_label")
        if found:
            return found
    return None


def _section_in(text: str, headline: str, *, labelled: bool) -> str | None:
    if len(text) > 120:
        return None
    parts = [part for part in _crumbs(text) if not _is_headline(part, headline)]
    if not parts:
        return None
    name = parts[0] if labelled else parts[-1]
    return name if _may_be_section(name) else None


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def may_name_section(text: str) -> bool:
    """Whether a line has a part that may be a section, whatever the page's headline is."""
    text = text.strip()
    return len(text) <= 120 and any(map(_may_be_section, _crumbs(text)))


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def _crumbs(text: str) -> tuple[str, ...]:
    """The parts of a breadcrumb that every page has not."""
    parts = (part.strip(" :,>»›|/-") for part in _CRUMBS.split(text))
    return tuple(part for part in parts if part and not _GENERIC.match(part))


@functools.lru_cache(maxsize=1 << 14)  # sections recur; a function of its argument alone
def _may_be_section(name: str) -> bool:
    if len(name.split()) > 4 or len(name) > 40 or any(map(str.isdigit, name)) or find_dates(name):
        return False
    return name[-1] not in ".!?…"


def _is_headline(part: str, headline: str) -> bool:
    return len(part) > 25 and bool(headline) and part.casefold()[:30] in headline.casefold()
