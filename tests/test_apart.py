"""Blocks of text behind an article: what counts as one, how it is measured, and that comments go as a whole."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.knowledge import Knowledge
from copydesk.labels import DROPPED, LABELS
from copydesk.lines import label_lines
from copydesk.lines.apart import APART, apart, blocks, terms
from copydesk.lines.model import load
from copydesk.lines.profiles import load_profiles
from copydesk.lines.shape import Shape, measure
from tests.lines_samples import PARAGRAPHS

LENGTHS = {"A": 100, "a": 40, ".": 10}
BODY, FURNITURE, PROMPT = (LABELS.index(label) for label in ("body", "navigation", "comment_prompt"))


def page(*documents: str) -> tuple[Shape, np.ndarray]:
    """Lines drawn by signs: A a long line that stays, a a short one, a dot a line of furniture; and which stay."""
    rows = [
        (doc, line, "x" * LENGTHS[sign])
        for doc, text in enumerate(documents)
        for line, sign in enumerate(text, start=1)
    ]
    table = pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")
    return measure(table), np.array([sign != "." for text in documents for sign in text], bool)


def told(stays: np.ndarray) -> np.ndarray:
    """A model that is nine tenths sure of what stays."""
    chance = np.zeros((len(stays), len(LABELS)), np.float32)
    chance[:, BODY] = np.where(stays, 0.9, 0.1)
    chance[:, PROMPT] = np.where(stays, 0.1, 0.9)
    return chance


@pytest.mark.parametrize(
    ("drawn", "block"),
    [
        ("AAA..a", "     0"),
        ("AAA.a", "     "),  # a single line of furniture is a caption or an advert in the article
        ("..AAA..a.a...a", "       0 0   1"),
        ("a...AAA..a", "         0"),  # what stands above stays
        ("aa..aa..A", "    00  1"),
        ("aa..aa", "    00"),  # of equals the first is the article
        ("aaaa..AA", "      00"),  # what stands further down must be 1.4 times as large
        ("aaa..AA", "       "),
        ("......", "      "),
        ("AAAAA", "     "),
    ],
)
def test_blocks_behind_the_article_are_numbered(drawn: str, block: str) -> None:
    """Two lines of furniture part blocks; the article, large and high up, and all above are left alone."""
    found = blocks(*page(drawn))
    assert "".join(" " if number < 0 else str(number) for number in found.of) == block
    assert len(found.first) == len(set(block) - {" "})


def test_blocks_are_of_their_own_document() -> None:
    """The lines of two documents never make one block, and each document has its own article."""
    shape, stays = page("AA..a", "a..AAA", "", "A...a")
    found = blocks(shape, stays)
    assert shape.document[found.first].tolist() == [0, 2]
    assert found.most.tolist() == [200, 100]
    assert (found.last - found.first).tolist() == [0, 0]


def test_a_block_is_measured_by_its_page() -> None:
    """Its size and distance are told beside the article; what stands between counts, comment prompts apart."""
    shape, stays = page("AA..a...a")
    first, second = terms(shape, blocks(shape, stays), stays, told(stays))
    named = {name: (first[column], second[column]) for column, name in enumerate(APART)}
    assert named["always"] == (1, 1)
    assert named["model"] == pytest.approx([np.log(9)] * 2, abs=0.01)
    assert named["size beside the article"] == pytest.approx([np.log(40 / 200)] * 2)
    assert named["how far behind the article"] == pytest.approx([np.log(3), np.log(7)])
    assert named["text between, beside the article"] == (0, 40 / 200)
    assert named["comment prompts between"] == pytest.approx((1.8, 2.0))  # two at most
    assert named["furniture in the document, share"] == pytest.approx([5 / 9] * 2)


@given(st.lists(st.text("Aa.", max_size=12), min_size=1, max_size=4))
def test_a_block_does_not_depend_on_the_batch(drawn: list[str]) -> None:
    """What goes from a document, and how surely, is the same whatever documents are judged with it."""

    def gone(*documents: str) -> list[tuple[bool, float]]:
        shape, stays = page(*documents)
        labels = np.where(stays, BODY, FURNITURE)
        mask, chance = apart(shape, labels, told(stays), load()["apart"])
        return list(zip(mask.tolist(), chance.tolist(), strict=True))

    assert gone(*drawn) == [line for text in drawn for line in gone(text)]


COMMENTS = [
    "Bert on 4 March 2019 at 7:15 am said:",
    "I crossed that bridge every day for thirty years and never saw one of these council people look at it.",
    "Reply",
    "Ines on 4 March 2019 at 9:40 am said:",
    "Two years is a long time, but I would rather have them do it once and do it well than patch it again.",
    "Reply",
]


def test_comments_behind_the_prompt_are_no_text() -> None:
    """Readers' sentences behind a page's comment prompt go, and the same sentences inside the article stay."""
    furniture = ["Share on Facebook", "Related articles", "Ferry timetable", "Fish market", "2 comments"]
    profiles = load_profiles()

    def labels(lines: list[str]) -> dict[str, tuple[str, str]]:
        rows = [(0, number, line) for number, line in enumerate(lines, start=1)]
        table = pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")
        documents = pl.DataFrame({"doc": [0], "site": [None], "id": ["a"]}, schema_overrides={"doc": pl.UInt32})
        found = label_lines(table, documents, Knowledge(), profiles)
        return {text: (label, why) for text, label, why in found.select("text", "label", "evidence").iter_rows()}

    title = "Council votes to rebuild the old stone bridge"
    page = labels(["Home", title, "By Anna Lee", *PARAGRAPHS, *furniture, *COMMENTS, "Leave a reply", "Contact us"])
    assert page[COMMENTS[1]][0] in DROPPED  # no field: nothing there is the article's
    assert page[COMMENTS[1]][1] == "structure:apart"
    assert page[COMMENTS[4]][0] not in ("body", "heading")
    assert all(page[text][0] == "body" for text in PARAGRAPHS)
    inside = labels([title, *PARAGRAPHS, COMMENTS[1], COMMENTS[4], *PARAGRAPHS])
    assert inside[COMMENTS[1]][0] == inside[COMMENTS[4]][0] == "body"
