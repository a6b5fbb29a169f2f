"""Texts whose line breaks were lost end in their site's furniture: what goes is that, and no sentence."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.knowledge import Knowledge
from copydesk.lines import label_lines
from copydesk.lines.endings import endings
from copydesk.lines.profiles import load_profiles
from copydesk.lines.repetition import learn, survey
from copydesk.lines.shape import measure
from tests.lines_samples import batch

PROFILES = load_profiles()
WORDS = ["harbour", "bridge", "council", "engineer", "winter", "arch", "traffic", "paper", "ferry", "market", "island"]
FURNITURE = "Follow us. (Source: Harbour Desk) Latest Videos Tides"


def joined(seed: int, ending: str, sentences: int = 9) -> str:
    """A story in one line, with some words behind its last sentence."""
    words = random.Random(seed)
    text = [f"{' '.join(words.choices(WORDS, k=12)).capitalize()} {seed}." for _ in range(sentences)]
    return " ".join([*text, ending]).rstrip()


def dropped(texts: list[str], site: str | None = "harbour") -> list[str]:
    """What is dropped of each text, all of them ingested together."""
    lines, documents = batch(*texts, site=site)
    knowledge = Knowledge(**learn([survey(lines, documents, PROFILES)]))
    spans = label_lines(lines, documents, knowledge, PROFILES)
    whole = spans.group_by("doc", maintain_order=True).agg("text")["text"].list.join("").to_list()
    assert whole == texts, "the spans tile their lines"
    gone = spans.filter(spans["evidence"].str.starts_with("repeat:"))
    assert set(gone["label"]) <= {"other_boilerplate"}
    found = dict(zip(gone["doc"], gone["text"], strict=True))
    return [found.get(number, "") for number in range(len(texts))]


def test_an_ending_of_three_texts_goes() -> None:
    """From the third text on an ending is furniture, whatever stands before it."""
    assert dropped([joined(number, FURNITURE) for number in range(3)]) == [FURNITURE] * 3


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        ("", "there is nothing behind the last sentence"),
        ("The inquiry goes on.", "it is a sentence, and sentences come again"),
        ("The council has 12 members, and the mayor is elected by all.", "it is background"),
        ("Tides", "one word may be where a text was cut off"),
    ],
)
def test_a_last_sentence_stays(ending: str, why: str) -> None:
    """What ends like a sentence is text, however often it comes again."""
    assert dropped([joined(number, ending) for number in range(6)]) == [""] * 6, why


def test_no_sentence_goes_with_an_ending() -> None:
    """A sentence that always stands before the furniture stays when the furniture goes."""
    background = "The harbour has been closed since the great storm of the year before last."
    texts = [joined(number, f"{background} {FURNITURE}") for number in range(5)]
    assert dropped(texts) == [FURNITURE] * 5


def test_two_texts_are_too_few() -> None:
    """Stories are told twice: two texts with one ending prove nothing, nor do copies of one story."""
    copies = [joined(7, FURNITURE).replace("7.", f"{number}.", 1) for number in range(5)]
    assert dropped([joined(1, FURNITURE), joined(2, FURNITURE)]) == ["", ""]
    assert dropped(copies) == [""] * 5


def test_texts_that_were_cut_off_lose_nothing() -> None:
    """Where texts were cut at some length, a few end in the same first words of a sentence; they keep them."""
    cut = [joined(number, f"Meanwhile the council {WORDS[number % 11]} {number}") for number in range(400)]
    same = [joined(1000 + number, "Meanwhile the council said") for number in range(5)]
    assert dropped(cut + same) == [""] * 405


def test_a_site_is_asked_of_its_own() -> None:
    """An ending counts where it recurs: another site's texts are not touched by it."""
    texts = [joined(number, FURNITURE) for number in range(3)]
    lines, documents = batch(*texts, site="harbour")
    knowledge = Knowledge(**learn([survey(lines, documents, PROFILES)]))
    spans = label_lines(*batch(*texts, site="lakeside"), knowledge, PROFILES)
    assert not spans["evidence"].str.starts_with("repeat:").any()


@given(
    st.lists(st.sampled_from(["One word. ", "(A note) ", "Follow us ", "a b. ", "Long " * 20 + "end. "]), max_size=12)
)
def test_endings_begin_behind_sentences_and_end_the_text(parts: list[str]) -> None:
    """Whatever a text holds, its endings reach to its end, the longest is first, and each begins after a stop."""
    text = ("Begin " * 60 + "here. " + "".join(parts)).rstrip()
    lines, _ = batch(text, site="harbour")
    found = endings(measure(lines))
    starts = found["start"].to_list()
    assert starts == sorted(starts)
    for start, ending in zip(starts, found["text"].to_list(), strict=True):
        assert text[start:] == ending
        assert text[:start].rstrip()[-1] in ".)"
