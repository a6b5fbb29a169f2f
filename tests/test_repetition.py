"""What the corpus says of a line: counts that no order, batch or copy can change."""

from __future__ import annotations

import random
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from xxhash import xxh64_intdigest

from copydesk.knowledge import TABLES, Knowledge
from copydesk.lines import label_lines
from copydesk.lines.profiles import load_profiles
from copydesk.lines.repetition import SURVEY, heads, learn, line_key, seen, sketch, survey
from copydesk.lines.shape import measure, normalise
from tests.lines_samples import PARAGRAPHS, batch

PROFILES = load_profiles()
WORDS = [
    "harbour",
    "bridge",
    "council",
    "engineer",
    "winter",
    "arches",
    "traffic",
    "paper",
    "ferry",
    "market",
    "island",
    "storm",
]


def story(seed: int, *furniture: str) -> str:
    """A story of its own, with furniture under it."""
    words = random.Random(seed)
    text = [" ".join(words.choices(WORDS, k=18)).capitalize() + f" {seed}." for _ in range(6)]
    title = " ".join(words.choices(WORDS, k=6)).capitalize()
    return "\n\n".join([title, *text, *furniture])


def known(*texts: str, site: str | None = "harbour") -> Knowledge:
    lines, documents = batch(*texts, site=site)
    return Knowledge(**learn([survey(lines, documents, PROFILES)]))


@given(st.text("aB \u00a0\u200b\u201c3`\t\u0130\u03a3", max_size=30).map(lambda some: f"x{some}x" * 9))
@example("x\u0130" * 90)
def test_a_document_is_known_by_the_beginnings_of_its_paragraphs(text: str) -> None:
    """However long they are, each counts as its normalised beginning; short ones without numbers."""
    shape = measure(batch(text)[0])
    low = normalise(pl.Series([text[:200]]))[0]
    key = xxh64_intdigest((re.sub("[0-9]+", "0", low) if len(low) <= 60 else low).encode())
    assert sketch(shape, np.ones(1, dtype=bool))["a"].to_list() == [key * 0x9E3779B97F4A7C15 % 2**64]


def test_a_key_is_the_same_for_good() -> None:
    """The fingerprint of a line is pinned: knowledge of old releases must stay readable."""
    assert line_key(pl.Series(["All news", "12 Comments", ""])).to_list() == [KEY_ALL_NEWS, KEY_COMMENTS, None]


KEY_ALL_NEWS = 4298144714350053336
KEY_COMMENTS = 16901446386378721835


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("All news", " ALL  NEWS ", True),
        ("Don\u2019t miss", "Don't miss", True),
        ("12 Comments", "7 comments", True),
        ("Page 2 of 7", "Page 11 of 12", True),
        ("Updated 12:30, 3 May 2017", "Updated 9:05, 14 May 2017", True),
        ("5 min read", "12 min read", True),
        ("3 комментария", "4 комментария", True),
        ("All news", "All new", False),
        ("The euro rose by 5 kopecks to 73.1 rubles.", "The euro rose by 6 kopecks to 73.4 rubles.", False),
        ("Brent traded at $43 a barrel.", "Brent traded at $44 a barrel.", False),
        ("The index fell by 3.4%.", "The index fell by 1.2%.", False),
        ("Headline number 7 of the day", "Headline number 8 of the day", False),
        ("Page 2 of 7.", "Page 3 of 7.", False),
        ("Day 3", "Day 4", False),
        ("3 May 1915", "4 May 1915", False),
        ("Harbour 2, Island 1", "Harbour 3, Island 0", False),
        ("73.1", "74.2", False),
        ("Prices rose by 3 percent in the twelve months to the end of June",
         "Prices rose by 4 percent in the twelve months to the end of June", False),
    ],
)  # fmt: skip
def test_keys_read_lines_as_a_reader_does(one: str, other: str, *, same: bool) -> None:
    """Case, quotes, spacing and the numbers of counters do not count; numbers of sentences, titles and dates do."""
    left, right = line_key(pl.Series([one, other]))
    assert (left == right) is same


@given(st.lists(st.text(max_size=80), max_size=20))
def test_a_key_depends_on_its_line_alone(texts: list[str]) -> None:
    """Keys of a batch are the keys of its lines."""
    whole = line_key(pl.Series(texts, dtype=pl.String)).to_list()
    assert whole == [line_key(pl.Series([text])).item() for text in texts]


def test_counts_do_not_depend_on_batches_or_order() -> None:
    """One survey of nine documents and nine surveys in another order teach the same."""
    texts = [story(number, "Ring the harbour bell twice") for number in range(9)]
    whole = learn([survey(*batch(*texts, site="harbour"), PROFILES)])
    parts = learn([survey(*batch(text, site="harbour"), PROFILES) for text in reversed(texts)])
    for name in whole:
        assert whole[name].equals(parts[name]), name
        assert dict(whole[name].schema) == TABLES[name]


def test_a_line_of_many_documents_is_counted_once_for_each() -> None:
    """The count of a line is the number of documents that hold it, however often each does."""
    knowledge = known(
        *(story(number, "Ring the harbour bell twice", "Ring the harbour bell twice") for number in range(5))
    )
    key = line_key(pl.Series(["Ring the harbour bell twice"]))
    assert seen(key, pl.Series(["harbour"]), knowledge).tolist() == [5]
    assert seen(key, pl.Series(["lakeside"]), knowledge).tolist() == [0]


def test_copies_of_a_story_count_once() -> None:
    """Four copies with one word changed are one document."""
    base = story(1, "Ring the harbour bell twice")
    copies = [base.replace(".", f" {number}.", 1) for number in range(4)]
    knowledge = known(*copies)
    assert seen(line_key(pl.Series(["Ring the harbour bell twice"])), pl.Series(["harbour"]), knowledge).tolist() == [0]


def test_repeated_furniture_is_dropped_from_the_third_document_on() -> None:
    """A line in two other documents of its site is furniture; a line in one other stays."""
    texts = [
        story(1, "Ring the harbour bell twice", "Mind the gap here"),
        story(2, "Ring the harbour bell twice", "Mind the gap here"),
    ]
    texts.append(story(3, "Ring the harbour bell twice"))
    lines, documents = batch(*texts, site="harbour")
    spans = label_lines(lines, documents, known(*texts), PROFILES)
    evidence = dict(zip(spans["text"], spans["evidence"], strict=True))
    assert evidence["Ring the harbour bell twice"] == "repeat:harbour"
    assert evidence["Mind the gap here"] in {"model", "structure:heading", "structure:doubt"}


def test_a_repeated_paragraph_stays() -> None:
    """Agencies repeat whole paragraphs of background: they are text in every story."""
    texts = [story(number, PARAGRAPHS[0], story(number + 50)) for number in range(6)]
    lines, documents = batch(*texts, site="harbour")
    spans = label_lines(lines, documents, known(*texts), PROFILES)
    assert set(spans.filter(pl.col("text") == PARAGRAPHS[0])["label"]) == {"body"}


def market(number: int) -> str:
    """A market report: its short sentences and its title differ from the next one's in numbers alone."""
    first, *rest = story(number).split("\n\n")[1:]
    quotes = [
        f"The euro rose by {number + 2} kopecks to {70 + number}.1 rubles.",
        f"Brent traded at ${40 + number} a barrel.",
        f"The index fell by {number}.4%.",
    ]
    return "\n\n".join([f"Headline number {number} of the day", first, *quotes, *rest, f"{number + 3} Comments"])


def test_numbers_are_news() -> None:
    """Twelve market reports keep their sentences and titles; the comment counter under them is known by repetition."""
    texts = [market(number) for number in range(1, 13)]
    lines, documents = batch(*texts, site="harbour")
    knowledge = known(*texts)
    spans = label_lines(lines, documents, knowledge, PROFILES)
    for start in ("The euro rose", "Brent traded", "The index fell"):
        found = spans.filter(pl.col("text").str.starts_with(start))
        assert (found.height, set(found["label"])) == (12, {"body"}), start
    titles = spans.filter(pl.col("text").str.starts_with("Headline number"))
    assert set(titles["label"]) == {"headline"}
    assert not spans["evidence"].str.contains("^headline:other").any()
    counter = line_key(pl.Series(["99 Comments"]))
    assert seen(counter, pl.Series(["harbour"]), knowledge).tolist() == [12]


def test_another_storys_title_with_other_numbers_is_no_link() -> None:
    """Titles are compared as they stand: one with another number heads another story."""
    knowledge = known(market(7), market(8))
    asked = line_key(pl.Series(["Headline number 7 of the day", "Headline number 9 of the day"]))
    assert heads(asked, knowledge).tolist() == [True, False]


def test_copies_with_other_numbers_count_once() -> None:
    """A bulletin without paragraphs that comes back with new figures is one document: its lines are no furniture."""
    texts = [f"Rates of the day\n\nEuro {number}.1\n\nDollar {number}.7\n\nClosed on Sunday" for number in range(9)]
    key = line_key(pl.Series(["Closed on Sunday"]))
    assert seen(key, pl.Series(["harbour"]), known(*texts)).tolist() == [0]


def test_the_headline_of_another_story_is_a_related_link() -> None:
    """A title-like line that heads another document is a link to it; a document's own headline is not."""
    other = story(7)
    title = other.split("\n")[0]
    own = story(8, title, story(9))
    lines, documents = batch(own, other, site="harbour")
    spans = label_lines(lines, documents, known(own, other), PROFILES)
    found = spans.filter(pl.col("text") == title).select("doc", "label", "evidence").rows()
    assert found == [(0, "related_link", "headline:other"), (1, "headline", "structure:headline")]
    assert heads(line_key(pl.Series([title])), known(own, other)).tolist() == [True]


def test_knowing_nothing_changes_nothing() -> None:
    """Without a corpus no line is repeated and none heads another story; an empty batch can be surveyed."""
    keys = line_key(pl.Series(["All news"]))
    assert seen(keys, pl.Series(["harbour"]), Knowledge()).tolist() == [0]
    assert heads(keys, Knowledge()).tolist() == [False]
    empty = survey(*batch(), PROFILES)
    assert {name: dict(frame.schema) for name, frame in empty.items()} == SURVEY
    assert all(table.height == 0 for table in learn([empty]).values())
