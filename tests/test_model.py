"""The trained model over lines: a floor on invented pages, and that only a document's own lines count."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.labels import DROPPED, FIELD, KEPT, LABELS
from copydesk.lines.apart import APART
from copydesk.lines.evidence import EVIDENCE
from copydesk.lines.features import LOOKS, PLACES, amidst, features_of, settled
from copydesk.lines.headlines import MODEL_TERMS, TERMS
from copydesk.lines.model import load, predict
from copydesk.lines.shape import measure
from copydesk.lines.words import Array, hash_words

PAGE = [
    "Skip to content",
    "Home",
    "News",
    "Sport",
    "Weather",
    "Harbour town opens its first tidal library",
    "By Ada Quill",
    "12 March 2019, 10:41",
    "Share",
    "Tweet",
    "The town of Westerby opened a library on stilts on Tuesday, the first in the country that rises with the tide.",
    '"We lost the old building to the flood of 2013, and did not want to leave the water," said the mayor, Jon Lind.',
    "The building stands on forty steel piles and can rise by three metres, say the engineers who built it.",
    "Read more: Ten islands that the sea took back",
    "About 40,000 books have been moved so far, and the reading room will be open until nine on every day but Monday.",
    "Residents had collected more than half of the money themselves; the rest came from the county and from a lottery.",
    "Related articles",
    "Bakers' strike enters third week",
    "Ferry fares to rise again in spring",
    "Subscribe to our newsletter",
    "Please enter your comment!",
    "© 2019 Westerby Courier. All rights reserved.",
    "Privacy policy",
    "Terms of use",
]
STORY = [
    "Ein Schiff aus Glas",
    "",
    "Im Hafen von Norderholm liegt seit Montag ein Schiff, dessen Rumpf zu einem guten Teil aus Glas besteht.",
    "",
    "Gebaut haben es drei Schwestern, die zuvor Gewächshäuser entworfen hatten. Die Arbeit dauerte fünf Jahre.",
    "",
    "Die erste Fahrt soll im Juni stattfinden. Bis dahin kann man das Schiff an Samstagen besichtigen.",
]


def table(*documents: list[str]) -> pl.DataFrame:
    rows = [(number, line, text) for number, lines in enumerate(documents) for line, text in enumerate(lines, 1)]
    return pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")


def told(*documents: list[str]) -> Array:
    """What the model says of the lines that are not blank."""
    return predict(measure(table(*documents)))


def share(chance: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    return chance[:, [LABELS.index(label) for label in labels]].sum(axis=1)


def test_weights_fit_the_features_and_the_wheel() -> None:
    """The shipped weights were made for these features and these labels, and weigh about a megabyte at most."""
    weights = load()
    assert weights["looks_mean"].shape == (len(LOOKS),)
    assert weights["places_mean"].shape == (len(PLACES),)
    assert weights["evidence"].shape == (len(EVIDENCE),)
    assert weights["apart"].shape == (len(APART),)
    assert weights["headline_plain"].shape == (len(TERMS),)
    assert weights["headline_model"].shape == (len(MODEL_TERMS),)
    assert weights["out_b"].shape == (len(LABELS) - 1,)
    assert sum(weight.nbytes for weight in weights.values()) < 1_200_000


def test_each_row_is_a_distribution() -> None:
    """Probabilities of a line sum to 1, up to the rounding; only lines that are not blank have some."""
    chance = told(PAGE, ["", " \t", "One line."], [""])
    assert chance.dtype == np.float32
    assert chance.shape == (len(PAGE) + 1, len(LABELS))
    assert np.abs(chance.sum(axis=1) - 1).max() < 0.01
    assert (chance[:, -1] == 0).all()


def test_no_lines_no_rows() -> None:
    """An empty table gives an empty array."""
    assert told().shape == (0, len(LABELS))


def test_page_is_told_from_story() -> None:
    """On an invented page the paragraphs are kept, and menu, prompts and copyright are not."""
    chance = told(PAGE)
    kept = share(chance, KEPT)
    paragraphs = [number for number, text in enumerate(PAGE) if len(text) > 90]
    furniture = [
        number for number, text in enumerate(PAGE) if len(text) < 16 or text.startswith(("Please", "©", "Subscribe"))
    ]
    assert kept[paragraphs].min() > 0.8
    assert kept[furniture].max() < 0.2


def test_story_comes_out_whole() -> None:
    """No paragraph of an invented German story without furniture is in doubt."""
    dropped = share(told(STORY), (*DROPPED, *FIELD[3:]))
    assert dropped[1:].max() < 0.2


@functools.lru_cache(maxsize=1)
def singly() -> tuple[list[list[str]], list[np.ndarray]]:
    documents = [PAGE, STORY, ["One line."], [""], PAGE[5:18], ["", *STORY, "", *PAGE[-6:]]]
    return documents, [told(document) for document in documents]


@given(order=st.permutations(range(6)), cut=st.integers(0, 6))
@settings(max_examples=8)
def test_batch_does_not_matter(order: list[int], cut: int) -> None:
    """A document's probabilities are the same alone, in any company and in any order."""
    documents, alone = singly()
    for part in (order[:cut], order[cut:]):
        together = told(*(documents[number] for number in part))
        assert np.array_equal(
            together, np.concatenate([np.zeros((0, len(LABELS)), np.float32), *(alone[n] for n in part)])
        )


def test_long_batches_are_cut_between_documents() -> None:
    """A batch much larger than a chunk gives each document what it gets alone."""
    documents = [PAGE, STORY, PAGE[3:15]] * 400
    together = told(*documents)
    alone = np.concatenate([told(document) for document in documents[:3]])
    assert np.array_equal(together, np.tile(alone, (400, 1)))


def test_blank_lines_do_not_change_what_the_words_are() -> None:
    """Features of the lines that are not blank differ only in the columns about blank lines."""
    close = features_of(measure(table([text for text in STORY if text])))
    spaced = features_of(measure(table(STORY)))
    assert np.array_equal(close.looks, spaced.looks)
    assert np.array_equal(close.places[:-3], spaced.places[:-3])
    assert np.array_equal(close.words, spaced.words)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Read", "READ", True), ("2019", "1984", True), ("read", "reads", False), ("é", "É", True)],
)
def test_hash_folds_case_and_digits(one: str, other: str, same: bool) -> None:
    """Words hash alike if they differ in case or in the value of digits only."""
    first, second = hash_words([one, other])
    assert (first == second) is np.bool_(same)


def test_hash_is_pinned() -> None:
    """Stored vocabularies rest on the hash: it must never change."""
    pinned = ["3599e79d46035cfa", "ffc78e360cea2692", "98b3be704d12c64f"]
    assert [f"{int(code):016x}" for code in hash_words(["news", "новости", "新"])] == pinned


@given(st.lists(st.text(), max_size=8))
@settings(max_examples=60)
def test_any_text_has_finite_features(texts: list[str]) -> None:
    """No text, however odd, gives a number that is not finite."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    shape = measure(table(texts))
    features = features_of(shape)
    assert np.isfinite(features.looks).all()
    assert np.isfinite(features.places).all()
    assert features.places.shape == (len(PLACES), len(shape))
    assert len(features.word_bounds) == features.looks.shape[1] + 1


def test_settled_lines_are_body_and_count_as_places_only() -> None:
    """A sentence of some length with two such on either side is body unasked; the lines around it keep their places."""
    paragraph = "The ferry company of Westerby has bought a second ship, which is to sail from the first of {}."
    lines = [
        "Second ship for Westerby",
        *(paragraph.format(month) for month in ("May", "June", "July", "March", "April")),
    ]
    shape = measure(table(lines))
    assert settled(shape).tolist() == [False, False, False, True, False, False]
    chance = told(lines)
    assert chance[3].tolist() == [1.0, *[0.0] * (len(LABELS) - 1)]
    features = features_of(shape)
    assert features.lines.tolist() == [0, 1, 2, 4, 5]
    assert np.array_equal(features.places[PLACES.index("place")], np.array([0, 1, 2, 4, 5], np.float32) / 6)


@given(sizes=st.lists(st.integers(0, 9), max_size=8), titled=st.booleans())
@settings(max_examples=60)
def test_of_a_long_run_only_the_ends_are_read(sizes: list[int], titled: bool) -> None:
    """Runs of sentences, parted by titles or documents: all but two at each end settle, from seven on all but one."""
    sentence = "The ferry company of Westerby has bought a second ship, which is to sail in the spring of 2031."
    rows, asked, learnt = [], [], []
    for number, size in enumerate(sizes):
        doc = 0 if titled else number
        rows += [(doc, sentence)] * size + [(doc, "Second ship")] * titled
        end = 1 if size >= 7 else 2
        asked += [end <= place < size - end for place in range(size)] + [False] * titled
        learnt += [2 <= place < size - 2 for place in range(size)] + [False] * titled
    lines = pl.DataFrame(rows, schema={"doc": pl.UInt32, "text": pl.String}, orient="row").with_row_index("line")
    shape = measure(lines)
    assert settled(shape).tolist() == asked
    assert amidst(shape).tolist() == learnt


@given(st.lists(st.sampled_from([*PAGE, *STORY, "Ünïcode und ß", "新しい図書館", "a@b.example"]), max_size=20))
@settings(max_examples=30)
def test_texts_are_read_once_and_alike(texts: list[str]) -> None:
    """What a text looks like does not depend on the texts beside it, be they of ASCII alone or not."""
    shape = measure(table(texts))
    features = features_of(shape)
    for line, text in zip(features.lines.tolist(), features.text.tolist(), strict=True):
        alone = features_of(measure(table([str(shape.text[line])])))
        assert np.array_equal(features.looks[:, text], alone.looks[:, 0])
        low, high = features.word_bounds[text : text + 2]
        assert np.array_equal(features.words[low:high], alone.words)
