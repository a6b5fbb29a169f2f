"""Labelling: whole texts come out as a reader would mark them, and nothing is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.expressions import contains
from copydesk.knowledge import Knowledge
from copydesk.labels import LABEL_TYPE, LABELS
from copydesk.lines import glue, label_lines
from copydesk.lines.evidence import log_odds
from copydesk.lines.patterns import breaks_off, is_date, is_name, is_post
from copydesk.lines.profiles import load_profiles
from copydesk.lines.shape import AFTER, AMONG, BEFORE, measure, normalise, paragraphs, zones
from copydesk.lines.sites import find_sites
from tests.lines_samples import AGENCY, AGENCY_LABELS, PAGE, PAGE_LABELS, PARAGRAPHS, batch

PROFILES = load_profiles()
LINES = [
    *PAGE.split("\n"),
    *AGENCY.split("\n"),
    "told",
    "",
    "  ",
    "\u00a0",
    "Reuters",
    "* * *",
    "12",
    "3 May 2020",
    "Zwei Wörter",
]


def label(*texts: str, knowledge: Knowledge | None = None) -> pl.DataFrame:
    lines, documents = batch(*texts)
    documents = documents.with_columns(find_sites(lines, documents, PROFILES))
    return label_lines(lines, documents, knowledge or Knowledge(), PROFILES)


@pytest.mark.parametrize(("text", "wanted"), [(PAGE, PAGE_LABELS), (AGENCY, AGENCY_LABELS)], ids=["page", "agency"])
def test_a_page_is_taken_apart(text: str, wanted: list[str]) -> None:
    """Menu, headline, deck, byline, text, headings, links, tags and comment form are each told from the other."""
    got = label(text)["label"].cast(pl.String).to_list()
    assert list(zip(text.split("\n"), got, strict=True)) == list(zip(text.split("\n"), wanted, strict=True))


def test_text_without_furniture_comes_out_whole() -> None:
    """Paragraphs and their headings are all kept."""
    text = "\n\n".join(["Council rebuilds bridge", *PARAGRAPHS[:2], "What comes next", *PARAGRAPHS[2:]])
    kept = label(text).filter(pl.col("text") != "")["label"].cast(pl.String).to_list()
    assert kept == ["headline", "body", "body", "heading", "body", "body", "body"]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=60), min_size=1, max_size=30))
def test_spans_tile_their_lines(texts: list[str]) -> None:
    """Whatever the lines hold, the spans of each, in order, are its text, and a line without ink is blank."""
    text = "\n".join(line.replace("\n", " ").replace("\r", " ") for line in texts)
    lines, _ = batch(text)
    spans = label(text)
    joined = spans.group_by("doc", "line", maintain_order=True).agg(pl.col("text").str.join(""))
    assert joined["text"].to_list() == lines["text"].to_list()
    assert (spans["end"] - spans["start"] == spans["text"].str.len_chars()).all()
    blank = spans.filter(pl.col("text").str.strip_chars() == "")["label"].cast(pl.String)
    assert set(blank) <= {"blank"}


@settings(max_examples=15)
@given(st.permutations([PAGE, AGENCY, "\n".join(PARAGRAPHS), "One line only.", ""]))
def test_a_label_does_not_depend_on_the_batch(texts: list[str]) -> None:
    """A document alone is labelled as it is among others, in any order."""
    together = label(*texts)
    for number, text in enumerate(texts):
        alone = label(text).drop("doc")
        assert together.filter(pl.col("doc") == number).drop("doc").equals(alone)


def test_the_table_has_its_types() -> None:
    """doc, line, span, start, end, text, label, evidence, confidence, and nothing is null."""
    spans = label(PAGE)
    assert spans.schema == pl.Schema(
        {
            "doc": pl.UInt32,
            "line": pl.UInt32,
            "span": pl.UInt16,
            "start": pl.UInt32,
            "end": pl.UInt32,
            "text": pl.String,
        }
        | {"label": LABEL_TYPE, "evidence": pl.String, "confidence": pl.Float32}
    )
    assert not any(spans.null_count().row(0))
    assert label_lines(*batch(), Knowledge(), PROFILES).schema == spans.schema


GLUED = [
    (
        PARAGRAPHS[0] + " (Reporting by Anna Lee; Editing by Tom Day)",
        ["body", "byline"],
    ),
    (
        PARAGRAPHS[0] + " READ MORE: Why the old stone bridge was closed in winter",
        ["body", "related_link"],
    ),
    ("12 March 2016 " + " ".join(PARAGRAPHS[:2]) + " Anna Lee", ["date_line", "body", "byline"]),
    ("The Long Way To A New BridgeIn late February, " + PARAGRAPHS[0].lower(), ["heading", "body"]),
    (PARAGRAPHS[0] + "/harbour.com", ["body", "other_boilerplate"]),
]
WHOLE = [
    PARAGRAPHS[0] + " (He has been reporting by bicycle for years.)",
    "12 March 2016 was the day on which the harbour council voted for the first time to rebuild the old stone bridge.",
    "On 12 March 2016 The Harbour Times wrote that the council had voted to rebuild the old stone bridge after all.",
    "The firm MacIntosh Bridgeworks said on Monday that the LeBrun family sold YouTube shares to pay for the bridge.",
    "She read more: the report on the bridge runs to three hundred pages, and nobody on the council has read it yet.",
]


@pytest.mark.parametrize(("text", "wanted"), GLUED, ids=["desk note", "teaser", "date and name", "heading", "domain"])
def test_furniture_is_cut_out_of_a_line(text: str, wanted: list[str]) -> None:
    """Where the seam is plain the line falls into pieces."""
    assert label(text)["label"].cast(pl.String).to_list() == wanted


@pytest.mark.parametrize("text", WHOLE)
def test_sentences_are_not_cut(text: str) -> None:
    """What only looks like a seam is left alone."""
    assert label(text)["label"].cast(pl.String).to_list() == ["body"]


DATES = [
    *(
        "3 May 2020",
        "May 3, 2020 14:05 UTC+3",
        "Published: 03.05.2020, 08:00",
        "Sonntag, 3. Mai 2020, 8:00 Uhr",
        "Le 3 mai 2020 à 11h46",
    ),
    *(
        "Опубликовано 3 мая 2020 в 11:46",
        "3 Mayıs 2020 Pazar 15:33",
        "2 hours ago",
        "Updated 3:04 pm EDT",
        "2020-05-03T10:00:00Z",
        "Issued on:",
    ),
]
NO_DATES = [
    "May 2020",
    "In May 2020",
    "3 May 2020 was cold",
    "March on",
    "The May talks",
    "2020",
    "Friday",
    "12 angry men",
    "10:15 to Yuma",
]


@pytest.mark.parametrize(("texts", "wanted"), [(DATES, True), (NO_DATES[2:], False)], ids=["dates", "not dates"])
def test_date_lines_are_told_by_their_build(texts: list[str], *, wanted: bool) -> None:
    """A date line holds a date or time and the words that go with it, in any of the languages, and nothing else."""
    shape = measure(batch(*texts)[0])
    found = dict(zip(texts, is_date(shape.texts)[shape.text_of].tolist(), strict=True))
    assert found == dict.fromkeys(texts, wanted)


def test_names_are_told_by_their_build() -> None:
    """Names have capitals and particles; sentences, single words and titles with other small words are none."""
    names = ["Anna Lee", "Jan van der Berg", "A.Š. Petrović", "Анна Иванова", "Anna Lee, Tom Day", "Anna O'Neill"]
    others = ["Anna", "Bridge to be rebuilt", "Anna Lee said.", "3 Arches", "The bridge"]
    assert is_name(measure(batch(*names)[0]).texts).all()
    assert not is_name(measure(batch(*others)[0]).texts).any()


@given(st.lists(st.text(alphabet=" .!?\u2026aB\u00e9\u044f", min_size=1, max_size=140), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_measures_are_those_of_each_text_alone(texts: list[str]) -> None:
    """Words are the spaces and one, whatever stands before; a stop inside a paragraph that ends with none is seen."""
    shape = measure(batch("\n".join(texts))[0])
    kept = [text.strip() for text in texts if text.strip()]
    assert shape.words.tolist() == [text.count(" ") + 1 for text in kept]
    long = [len(text) >= 80 and not stop for text, stop in zip(kept, shape.stop.tolist(), strict=True)]
    inside = [any(mark + " " in text for mark in ".!?\u2026") for text in kept]
    assert shape.inner_stop.tolist() == [one and asked for one, asked in zip(inside, long, strict=True)]


def test_each_text_is_measured_once() -> None:
    """Equal lines share a text, those of plain ASCII come first, and every line finds its own again."""
    lines = ["Weather", "Wetter für Köln", "Weather", "weather:", PARAGRAPHS[0]]
    shape = measure(batch("\n".join(lines))[0])
    assert shape.text.to_list() == lines
    assert sorted(shape.texts.text.to_list()) == sorted(set(lines))
    assert shape.texts.text.to_list()[-1] == "Wetter für Köln"
    assert shape.words.tolist() == [len(line.split(" ")) for line in lines]
    assert shape.copies.tolist() == [3, 1, 3, 3, 1]


def test_an_appeal_that_comes_again_and_again_is_no_text() -> None:
    """A paragraph that a page prints three times goes; one that it prints twice may be the author's own."""
    appeal = (
        "We are a small paper, and without the help of our readers none of what you see here could be printed at all."
    )
    appeal += " Give what you can, and tell your neighbours that we are still here."
    for copies, wanted in ((3, False), (2, True)):
        between = [appeal if number < copies else "" for number in range(len(PARAGRAPHS))]
        parts = [line for pair in zip(PARAGRAPHS, between, strict=True) for line in pair if line]
        spans = label("\n\n".join(["Council rebuilds bridge", *parts]))
        kept = spans.filter(pl.col("text") == appeal)["label"].cast(pl.String).is_in(["body", "heading"])
        assert kept.to_list() == [wanted] * copies


def test_embedded_posts_are_told_by_their_end() -> None:
    """A quoted post ends with its author's handle and a date, or with the address of its picture."""
    posts = ["— Ada Quill (@adaquill) August 13, 2017", "Yes. pic.twitter.com/Ab3dEf6hIj"]
    others = ["Printed on August 13, 2017", "See pic.twitter.com for more", "(@adaquill)"]
    assert is_post(measure(batch(*posts)[0]).texts).all()
    assert not is_post(measure(batch(*others)[0]).texts).any()


def test_a_sentence_that_broke_off_at_a_link_is_told_by_its_last_word() -> None:
    """Articles and prepositions end no title; what ends menu entries as well does not count."""
    broken = ["The council marked the", "Er sprach mit dem Leiter der", "including the words of"]
    others = ["Sign in", "Der Streit dauert an", "The way of the", "Part of.", "Of the", "Read all about it"]
    others[2] += " heart"
    assert breaks_off(measure(batch(*broken)[0]).texts).all()
    assert not breaks_off(measure(batch(*others)[0]).texts).any()


def test_a_title_on_both_sides_of_a_players_button_is_no_text() -> None:
    """Pages print a video's title before and after its button; a heading that comes twice otherwise stays."""
    title = "What the closure means for the east bank"
    lines = ["Council rebuilds bridge", PARAGRAPHS[0], title, "Play video", title, *PARAGRAPHS[1:]]
    told = label("\n\n".join(lines)).filter(pl.col("text") == title)
    assert told["label"].cast(pl.String).to_list() == ["related_link"] * 2
    assert set(told["evidence"]) == {"structure:player"}


def test_a_headline_below_the_beginning_does_not_speak_for_text() -> None:
    """Above the paragraphs a headline counts half as text, among them and after them not at all."""
    told = np.zeros((3, len(LABELS)), np.float32)
    told[:, LABELS.index("headline")], told[:, LABELS.index("related_link")] = 0.6, 0.4
    above, among, after = log_odds(told, np.array([BEFORE, AMONG, AFTER], np.uint8))
    assert 0 < above < among == after


def test_zones_follow_the_paragraphs() -> None:
    """Before the first paragraph, among them, after the last; a text without paragraphs is all before."""
    shape = measure(batch("Title\n" + "\n\n".join(PARAGRAPHS[:2]) + "\nFoot", "Only\nshort")[0])
    found = zones(shape, paragraphs(shape, np.zeros(len(shape), dtype=bool)))
    assert found.tolist() == [BEFORE, AMONG, AMONG, AFTER, BEFORE, BEFORE]


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """Normalised text is its own normal form, up to what lower-casing adds."""
    once = normalise(pl.Series([text]))
    assert normalise(once).equals(once)


def test_the_seeds_are_all_right(evaluation_data: Path) -> None:
    """Every line of the five sample pages has the label that people gave it."""
    gold = [
        json.loads(line) for line in (evaluation_data / "articles" / "seeds.gold.jsonl").read_text("utf-8").splitlines()
    ]
    texts = [(evaluation_data / "seeds" / f"{record['id']}.txt").read_text(record["encoding"]) for record in gold]
    spans = label(*[text.removesuffix("\n") for text in texts])
    for number, record in enumerate(gold):
        assert spans.filter(pl.col("doc") == number)["label"].cast(pl.String).to_list() == record["labels"]


def test_no_article_text_is_lost(evaluation_data: Path) -> None:
    """Of the labelled articles at most one body character in a thousand is dropped, and clean texts stay whole."""
    gold = [json.loads(line) for line in (evaluation_data / "articles" / "dev.jsonl").read_text("utf-8").splitlines()]
    texts = []
    for record in gold:
        raw = (evaluation_data / "articles" / "dev" / f"{record['id']}.txt").read_bytes().decode(record["encoding"])
        texts.append("\n".join(raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")[: record["n_lines"]]))
    spans = label(*texts).with_columns((pl.col("end") - pl.col("start")).alias("size"))
    largest = spans.sort("doc", "line", "size", descending=[False, False, True]).unique(
        ["doc", "line"], keep="first", maintain_order=True
    )
    told = largest.with_columns(gold=pl.Series([name for record in gold for name in record["labels"]]))
    dropped = ~pl.col("label").cast(pl.String).is_in(["body", "heading", "headline", "deck", "dateline"])
    body = told.filter(pl.col("gold") == "body").with_columns(
        pl.col("text").str.strip_chars().str.len_chars().alias("size")
    )
    assert body.filter(dropped)["size"].sum() <= 0.001 * body["size"].sum()
    clean = told.filter(pl.col("gold").is_in([*LABELS[:2], "headline", "deck", "dateline", "blank"]).all().over("doc"))
    changed = clean.filter(dropped & pl.col("gold").is_in(["body", "heading"]))["doc"].n_unique()
    assert changed <= 0.02 * clean["doc"].n_unique()


@pytest.mark.parametrize("seam", [seam for seam in glue._SEAMS if not seam.alone], ids=lambda seam: seam.name)
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_no_piece_at_an_end_is_missed_for_its_opening(seam: glue._Seam, data: st.DataObject) -> None:
    """What an expression finds at a line's end begins with words, or is a domain, that are looked for before."""
    found = pl.Series([data.draw(st.from_regex(seam.find, fullmatch=True))]).str.replace_all("\n", "")
    assert (contains(found, glue._OPENINGS) | contains(found, glue._DOMAIN)).all()
