"""Section, topics and persons, from section labels, breadcrumbs and tag lines.

A tag line under `Topics` or `Tags:` may hold one tag, several with separators, or several run together:
`Islamic State Foreign policy Syrian conflict`. Run-together tags are cut at capitals, since a tag begins with one and
small-letter words continue it; where two capitalised words could be one tag (`Islamic State`), the tag vocabulary of
the corpus decides, then whether the article's own text uses them as one phrase.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from copydesk.metadata.dates import find_dates
from copydesk.metadata.published import Line

__all__ = ["section_of", "split_glued", "tags_of"]

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
HEAD_START: Final = (
    r"(?i)^[^\p{L}]{0,4}(?:article |story |related )?(?:tag|topic|key|hasht|filed|them|schlag|stichw|mehr zu|etiq|"
    r"tema|tóp|pala|mots|sujet|argom|parole|tref|"
    r"тег|тем|мет|ключ|тэг|słowa|štít|témat|címk|emner|nyck|this article|more on|in this|kateg|categ|"
    r"posted in|kata|الوسوم|标签|タグ|person|people|"
    r"pesso|перс|osoby|kişi)"
)
"""How a tag heading begins, for the first sieve (Polars' regular expressions)."""
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
    groups: list[tuple[str, list[str]]] = []
    head = ""
    last_rank = -9
    for line in lines:
        kind, rest = _head(line, head if line.rank == last_rank + 1 else "", body)
        if kind and (kind != head or rest is None or line.rank != last_rank + 1 or _is_head(line.text)):
            groups.append((kind, []))
        if kind and rest:
            groups[-1][1].append(rest)
        head, last_rank = kind, line.rank if kind else -9
    for kind, texts in groups:
        found = _tags(texts, vocabulary, in_article)
        (persons if kind == "persons" else topics).extend(found)
    return _once(topics)[:_MOST_TAGS], _once(persons)[:_MOST_TAGS]


def _is_head(text: str) -> bool:
    return bool(_split_head(text.strip())[0])


@functools.lru_cache(maxsize=1 << 14)  # furniture recurs; a function of its argument alone
def _split_head(text: str) -> tuple[str, str]:
    """`persons` or `topics` where a line begins as a heading of such a list, and what follows on the line."""
    for kind, pattern in (("persons", _PERSON_HEAD), ("topics", _TOPIC_HEAD)):
        found = pattern.match(text)
        if found:
            return kind, text[found.end() :]
    return "", ""


def _head(line: Line, open_group: str, body: tuple[int, int]) -> tuple[str, str | None]:
    """What group a line belongs to (empty for none) and the tags in it."""
    text = line.text.strip()
    labelled = line.label == "tags"
    kind, rest = _split_head(text)
    if kind and (labelled or (line.label != "body" and len(text) < 300 and (line.rank > body[1] or rest))):
        return kind, rest or None
    if labelled:
        return open_group or "topics", text
    short = len(text) <= 40 and len(text.split()) <= 4 and line.rank > body[1] and text[-1:] not in ".!?:"
    if open_group and short and line.label not in NOT_IN_GROUP:
        return open_group, text
    return "", None


def _tags(texts: Sequence[str], vocabulary: Mapping[str, int], in_article: Callable[[str], bool]) -> list[str]:
    tags: list[str] = []
    for text in texts:
        parts = [part for part in (_tidy(part) for part in _SEPARATORS.split(text)) if part]
        for part in parts:
            glued = len(texts) <= 2 and len(parts) == 1
            tags.extend(_unglue(part, vocabulary, in_article) if glued else [part])
    return [tag for tag in tags if len(tag.split()) <= _MOST_WORDS and len(tag) <= 60]


def _unglue(part: str, vocabulary: Mapping[str, int], in_article: Callable[[str], bool]) -> list[str]:
    capitals = sum([word[:1].isupper() for word in part.split(" ")])
    return [part] if capitals < 2 else split_glued(part, vocabulary, in_article)


def _tidy(text: str) -> str:
    return text.strip(" \t\u00a0.:-–—#›»")


def _once(tags: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(tag.casefold(), tag)
    return list(first.values())


_INNER_CAPITAL: Final = re.compile(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ][a-zäöü])")


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
    capitals = [word[0].isupper() for word in words]
    costs: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * len(words)
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - _MOST_WORDS), end):
            cost = costs[start][0] + _cost(words[start:end], sum(capitals[start + 1 : end]), known, in_article)
            if cost < costs[end][0]:
                costs[end] = (cost, start)
    tags: list[str] = []
    end = len(words)
    while end:
        start = costs[end][1]
        tags.append(" ".join(words[start:end]))
        end = start
    return tags[::-1]


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


def _cost(words: Sequence[str], capitals: int, known: set[str], in_article: Callable[[str], bool]) -> float:
    """What these words cost as one tag, `capitals` of them behind the first."""
    if known and " ".join(words) in known:
        return 0.5
    first = words[0][0]
    if not (first.isupper() or first.isdigit() or first == first.swapcase()):
        return 5.0
    if not capitals:
        return 1.0
    return 1.0 + (0.2 if in_article(" ".join(words)) else 1.25) * capitals


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


def section_of(lines: Sequence[Line], head: int, headline: str | None) -> tuple[str, Line] | None:
    """Read the section: a section label, a breadcrumb, or the short line just above the headline."""
    labelled = [line for line in lines if line.label == "section_label"]
    labelled.sort(key=lambda line: (abs(line.rank - head), line.rank))
    above = [line for line in lines if head - 3 <= line.rank < head and line.label in ABOVE_HEADLINE]
    for line in (*labelled, *reversed(above)):
        found = _section_in(line.text.strip(), headline or "", labelled=line.label == "section_label")
        if found:
            return found, line
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
