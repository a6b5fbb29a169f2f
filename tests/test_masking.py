"""Masking finds what it is for, leaves what only looks like it, and hides nothing at a cut."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.errors import UsageError
from copydesk.release.masking import MASKS, Masker, parse_masks

ALL = tuple(MASKS)

MASKED = {
    "Write to a.quill@harbour.example, please": "Write to [email], please",
    "mail o'neil+desk@mail.harbour-times.example.": "mail [email].",
    "joe (at) harbour.example or joe[at]harbour.example": "[email] or [email]",
    "почта@газета.рф": "[email]",
    "Call (212) 555-0123 or 212.555.0175 now": "Call [phone] or [phone] now",
    "Tel. +7 (495) 123-45-67, +44 20 7946 0958.": "Tel. [phone], [phone].",
    "London 020 7946 0958, 1-800-275-2273": "London [phone], [phone]",
    "from 203.0.113.7:8080 to 10.0.0.1": "from [ip]:8080 to [ip]",
    "2001:db8::1 and 2001:db8:0:1:1:1:1:1": "[ip] and [ip]",
}

KEPT = (
    "in 2015-2016, for 1,234,567 crowns",
    "at 12:30:45 on 2017-03-02",
    "the score was 100-200-3000",
    "ISBN 978-3-16-148410-0",
    "999.1.2.3 is no address, nor is 1.2.3",
    "@harbour said so at harbour dot example",
    "three @ two for 5 @ 3",
    "$1 234 567 890 in 2019 2020 2021",
    "a :: b, 1::2",
)


@pytest.mark.parametrize(("text", "expected"), MASKED.items())
def test_what_is_to_be_masked_is(text, expected):
    """In place, with what stands around it; a second time changes nothing."""
    pytest.importorskip("phonenumbers", reason="masking phones needs the extra `mask`")
    masker = Masker(ALL)
    assert masker.text(text) == expected
    assert masker.text(expected) == expected
    assert masker.column(pl.Series([None, text, "plain"])).to_list() == [None, expected, "plain"]


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_stays(text):
    """Dates, scores, sums, book numbers, times."""
    pytest.importorskip("phonenumbers", reason="masking phones needs the extra `mask`")
    assert Masker(ALL).text(text) == text


def test_only_what_is_asked_for_is_masked():
    """Each kind alone."""
    text = "a@harbour.example, 203.0.113.7"
    assert Masker(("emails",)).text(text) == "[email], 203.0.113.7"
    assert Masker(("ips",)).text(text) == "a@harbour.example, [ip]"
    assert Masker(()).text(text) == text


def test_the_column_given_is_not_changed():
    """Polars writes into a column in place where it may."""
    column = pl.Series(["a@harbour.example"])
    Masker(("emails",)).column(column)
    assert column.to_list() == ["a@harbour.example"]


def test_what_runs_across_a_cut_is_masked_in_both_parts():
    """No half of an address is left at the end of one span or the beginning of the next."""
    assert Masker(("emails",)).spans(["by joe@har", "bour.example today"]) == ["by [email]", "[email] today"]


@settings(max_examples=200)
@given(st.lists(st.text(st.sampled_from("ab1@. -"), max_size=12), min_size=1, max_size=4))
def test_cut_or_not_the_same_is_left(parts):
    """What is not masked in a line is not masked in its spans, and stays as it is."""
    masker = Masker(("emails",))
    whole, spans = masker.text("".join(parts)), masker.spans(parts)
    assert "".join(spans).replace("[email]", "") == whole.replace("[email]", "")


def test_unknown_words_are_refused():
    """With those that are known."""
    assert parse_masks("phones, emails,emails") == ("emails", "phones")
    with pytest.raises(UsageError, match=r"'mail'.*emails, ips, phones"):
        parse_masks("mail")
