"""The text of an article and the hash of its content."""
# ruff: noqa: DTZ001, E501 -- Hypothesis wants naive bounds; tables of cases: one a line

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.text import as_utf8, canonical_rows, compose_texts, content_hashes, said, span_texts
from tests.release_samples import sample_tables

CASES = [
    ("paragraphs stand apart by a blank line", [(1, "body", "One."), (3, "body", "Two.")], "One.\n\nTwo."),
    ("body spans of one line are one paragraph", [(1, "body", "One. "), (1, "advert", "Buy"), (1, "body", " Two.")], "One. Two."),
    ("body spans of two lines are two", [(1, "body", "One."), (2, "body", "Two.")], "One.\n\nTwo."),
    ("a heading glued to a paragraph stands apart", [(1, "heading", "Top "), (1, "body", "One.")], "Top\n\nOne."),
    ("two headings of one line stand apart", [(1, "heading", "Top"), (1, "heading", "Low")], "Top\n\nLow"),
    ("white space around a span goes", [(1, "body", "\u00a0 One.\t")], "One."),
    ("a break inside a line stays", [(1, "body", "One.\nTwo.")], "One.\nTwo."),
    ("a span of white space is no paragraph", [(1, "body", " "), (2, "body", "One.")], "One."),
    ("only kept labels count", [(1, "headline", "H"), (2, "caption", "C"), (3, "blank", "")], ""),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "spans", "text"), CASES)
def test_text_rule(fact, spans, text):
    """The case's first entry states the fact."""
    frame = pl.DataFrame([(7, *span) for span in spans], schema=["doc", "line", "label", "text"], orient="row")
    assert compose_texts(frame)["text"].to_list() == [text]


def test_headings_are_found_where_they_say():
    """Start and end are characters of the text, for text beyond ASCII as well."""
    articles, ledger = sample_tables(range(60))
    spans = ledger.with_columns(text=span_texts(ledger)).rename({"id": "doc"})
    found = compose_texts(spans)
    assert found["text"].to_list() == articles["text"].to_list()
    assert found["headings"].to_list() == articles["headings"].to_list()
    for text, headings in zip(found["text"], found["headings"], strict=True):
        assert all(text[one["start"] : one["end"]] == one["title"] for one in headings)


def test_fate_decides_where_it_is_given():
    """A body line whose fate is another is not in the text."""
    frame = pl.DataFrame(
        {"doc": [1, 1], "line": [1, 2], "label": ["body", "body"], "text": ["A", "B"], "fate": ["dropped", "text"]}
    )
    assert compose_texts(frame)["text"].to_list() == ["B"]


def test_documents_without_kept_spans_are_there():
    """Every document of the spans has a row, in their order, its text empty."""
    frame = pl.DataFrame({"doc": [5, 2], "line": [1, 1], "label": ["advert", "body"], "text": ["x", "y"]})
    assert compose_texts(frame).select("doc", "text").rows() == [(5, ""), (2, "y")]
    assert compose_texts(frame.clear()).height == 0


@given(st.lists(st.one_of(st.none(), st.binary(max_size=12))), st.integers(0, 5))
def test_bytes_are_text_where_they_are_utf8(values, start):
    """Each row is decoded for itself, whatever stands in the rows beside it or in what a slice left out."""

    def decoded(raw: bytes | None) -> str | None:
        try:
            return None if raw is None else raw.decode("utf-8")
        except UnicodeDecodeError:
            return None

    series = pl.Series("raw", values, dtype=pl.Binary)
    assert as_utf8(series).to_list() == [decoded(raw) for raw in values]
    assert as_utf8(series[start:]).to_list() == [decoded(raw) for raw in values[start:]]


def test_a_line_says_its_bytes_without_the_line_end():
    """One CRLF, CR or LF goes, no more."""
    raw = pl.Series([b"a\r\n", b"a\r", b"a\n", b"a", b"a\n\n", b"\xff\n", "é\n".encode()], dtype=pl.Binary)
    assert said(raw).to_list() == ["a", "a", "a", "a", "a\n", None, "é"]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
ROWS = st.fixed_dictionaries(
    {
        "text": st.one_of(st.none(), TEXTS),
        "authors": st.lists(TEXTS, max_size=3),
        "score": st.one_of(st.none(), st.floats(0, 1, width=32)),
        "at": st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))),
        "place": st.one_of(st.none(), st.fixed_dictionaries({"city": st.one_of(st.none(), TEXTS), "day": st.integers(1, 31)})),
        "years": st.lists(st.fixed_dictionaries({"year": st.integers(1900, 2100), "weight": st.floats(0, 1, width=32)}), max_size=2),
        "open": st.booleans(),
    }
)  # fmt: skip
TYPES = {
    "text": pl.String, "authors": pl.List(pl.String), "score": pl.Float32, "at": pl.Datetime("us", "UTC"),
    "place": pl.Struct({"city": pl.String, "day": pl.Int8}),
    "years": pl.List(pl.Struct({"year": pl.Int16, "weight": pl.Float32})), "open": pl.Boolean,
}  # fmt: skip


def _plain(value):
    match value:
        case float():
            scaled = value * 1_000_000
            return int(scaled + 0.5)
        case datetime():
            since = value - datetime(1970, 1, 1, tzinfo=UTC)
            return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
        case list():
            return [_plain(part) for part in value]
        case dict():
            return {key: _plain(part) for key, part in value.items()}
    return value


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_the_canonical_row_is_what_json_gives(rows):
    """The columnar form equals Python's json, so anyone can recompute a content hash without Polars."""
    frame = pl.DataFrame(rows, schema=TYPES)
    expected = [
        json.dumps(_plain(dict(sorted(row.items()))), ensure_ascii=False, separators=(",", ":"))
        for row in frame.iter_rows(named=True)
    ]
    assert canonical_rows(frame).to_list() == expected
    assert content_hashes(frame).to_list() == [hashlib.sha256(row.encode()).hexdigest() for row in expected]


def test_names_and_other_documents_do_not_enter_the_content_hash():
    """A moved file, a duplicate elsewhere or another split leave the hash; a changed headline does not."""
    articles, _ = sample_tables(range(4))
    moved = articles.with_columns(id=pl.lit("f" * 16), uri=pl.lit("x"), source=pl.lit("y"), split=pl.lit("test"))
    moved = moved.with_columns(duplicate_of=pl.lit("a"), duplicate_cluster=pl.lit("b"))
    assert content_hashes(moved).to_list() == articles["content_sha256"].to_list()
    assert not set(content_hashes(articles.with_columns(headline=pl.lit("Other")))) & set(articles["content_sha256"])


def test_column_order_does_not_enter_the_content_hash():
    """The columns are sorted by name."""
    articles, _ = sample_tables(range(4))
    assert content_hashes(articles.select(reversed(articles.columns))).to_list() == articles["content_sha256"].to_list()
