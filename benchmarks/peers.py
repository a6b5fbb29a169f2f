"""Other ways of telling text from furniture line by line, behind one signature: lines and language -> kept or not.

    METHODS    name -> method; a method answers None where what it needs is not installed

datatrove and justext are no dependencies: install them beside copydesk to measure them.
"""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

__all__ = ["METHODS", "Method"]

Method = Callable[[Sequence[str], str | None], list[bool] | None]

_ENDS: Final = (".", "!", "?", '"', "\u201d", "\u2026", "\u3002", "\u0964", "\u06d4", "\u061f", ":", ";", ",", ")")
_LANGUAGES: Final = {
    "bg": "Bulgarian", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
}  # fmt: skip


def everything(lines: Sequence[str], _: str | None) -> list[bool]:
    """Nothing is dropped."""
    return [True] * len(lines)


def short_lines(lines: Sequence[str], _: str | None) -> list[bool]:
    """The rule of thumb: lines of fewer than ten words that end without punctuation are dropped."""
    return [len(line.split()) >= 10 or line.rstrip().endswith(_ENDS) for line in lines]


def c4(lines: Sequence[str], _: str | None) -> list[bool] | None:
    """The line rules of C4 as datatrove has them; its rules on whole documents are switched off."""
    if importlib.util.find_spec("datatrove") is None:
        return None
    document, rules = _c4()
    kept = []
    for line in lines:
        one = document(text=line, id="")
        kept.append(rules.filter(one) is True and bool(one.text))
    return kept


@cache
def _c4() -> tuple[Any, Any]:
    from datatrove.data import Document
    from datatrove.pipeline.filters.c4_filters import C4QualityFilter

    return Document, C4QualityFilter(min_num_sentences=-1, filter_lorem_ipsum=False, filter_curly_bracket=False)


def justext(lines: Sequence[str], language: str | None) -> list[bool] | None:
    """The library jusText with its defaults, every line a paragraph; all languages' words where it is unknown."""
    if importlib.util.find_spec("justext") is None:
        return None
    import justext as library

    marked = [number for number, line in enumerate(lines) if line.strip()]
    page = "".join(f"<p>{html.escape(lines[number].strip())}</p>" for number in marked)
    kept = [False] * len(lines)
    if not page:
        return kept
    found = library.justext(f"<html><body>{page}</body></html>".encode(), _stop_words(language), encoding="utf-8")
    if len(found) != len(marked):  # a line of nothing but odd characters is no paragraph to it
        texts = {" ".join(one.text.split()): not one.is_boilerplate for one in found}
        for number in marked:
            kept[number] = texts.get(" ".join(lines[number].split()), True)
        return kept
    for number, one in zip(marked, found, strict=True):
        kept[number] = not one.is_boilerplate
    return kept


@cache
def _stop_words(language: str | None) -> frozenset[str]:
    import justext as library

    name = _LANGUAGES.get(language or "")
    if name in library.get_stoplists():
        return library.get_stoplist(name)
    return frozenset().union(*(library.get_stoplist(one) for one in library.get_stoplists()))


METHODS: Final[dict[str, Method]] = {
    "keep everything": everything,
    "drop short lines": short_lines,
    "C4 rules (datatrove)": c4,
    "jusText": justext,
}
