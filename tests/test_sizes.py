"""Sizes of texts: what a regular expression would count, counted in bytes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copydesk.sizes import sizes

SENTENCE = "[.!?\u2026\u3002\u061f\u06d4\u0964][\"'\u2019\u201d\u00bb)\\]]*(?:[ \\n]|$)"
SIGNS = "ab .!?\u2026\u3002\u061f\u06d4\u0964\"'\u2019\u201d\u00bb)]\n\u00e9\u20ac\U0001f600\u2013"


@pytest.mark.parametrize(
    ("text", "words", "sentences"),
    [
        ("", 0, 0),
        ("No end", 2, 1),
        ("One. Two! Three?", 3, 3),
        ("\u201cIt is over.\u201d He left \u2026", 6, 2),
        ("(So he said.)\n\nA heading\n\nMore.", 6, 2),
        ("It cost 3.50 at Example.com today.", 6, 1),
        ("Wait... what?!", 2, 2),
        (".", 1, 1),
    ],
)
def test_words_and_sentences(text: str, words: int, sentences: int) -> None:
    """Words stand between blanks and line feeds; sentences end with a sign before one, a text has at least one."""
    assert sizes(pl.Series([text])).row(0) == (len(text), words, sentences)


@given(
    st.lists(st.text(st.one_of(st.sampled_from(SIGNS), st.characters(codec="utf-8")), max_size=12)), st.integers(0, 3)
)
@example(["a.", "\u201d", "", ")"], 1)
def test_they_are_what_regular_expressions_count(texts: list[str], start: int) -> None:
    """Counted in the bytes of all texts, none runs on into the next, whatever the characters."""
    column = pl.Series(texts, dtype=pl.String)[start:]
    found = sizes(column)
    assert found["chars"].to_list() == [len(text) for text in texts[start:]]
    assert found["words"].equals(column.str.count_matches("[^ \\n]+").alias("words"))
    ends = column.str.count_matches(SENTENCE).to_list()
    told = zip(ends, texts[start:], strict=True)
    assert found["sentences"].to_list() == [max(number, 1) if text else 0 for number, text in told]
