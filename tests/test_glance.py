"""What the survey saw of a batch's lines is what the judgement would have seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk import stages
from copydesk.knowledge import Knowledge
from copydesk.lines import label_lines
from copydesk.lines.glance import TABLES, Glance, glance, restored, tables
from copydesk.lines.patterns import ASKED
from copydesk.lines.profiles import load_profiles
from copydesk.lines.repetition import learn, survey
from copydesk.lines.texts import NUMBERED
from tests.lines_samples import AGENCY, PAGE, PARAGRAPHS, batch

PROFILES = load_profiles()
LINES = [
    *PAGE.split("\n"),
    *AGENCY.split("\n"),
    *PARAGRAPHS,
    "  ",
    "\u00a0Foto: Ada\u00a0",
    "3 May 2020",
    "Zwei Wörter",
]


def surveyed(lines: pl.DataFrame, documents: pl.DataFrame) -> tuple[Glance, Knowledge]:
    """A glance of which a survey has asked what surveys ask, and the knowledge that comes of it."""
    seen = glance(lines, documents, PROFILES)
    return seen, Knowledge(**learn([survey(lines, documents, PROFILES, seen.shape)]))


@given(st.lists(st.lists(st.sampled_from(LINES), max_size=25), max_size=5))
@settings(max_examples=25, deadline=None)
def test_a_glance_that_was_kept_judges_alike(documents: list[list[str]]) -> None:
    """Labels, evidence and confidence are the same from kept tables as from the lines, to the bit."""
    lines, told = batch(*("\n".join(one) for one in documents))
    seen, knowledge = surveyed(lines, told)
    again = restored(lines, tables(seen, PROFILES), PROFILES)
    assert again.sites.equals(seen.sites)
    plain = label_lines(lines, told, knowledge, PROFILES)
    assert plain.equals(label_lines(lines, told, knowledge, PROFILES, shape=again.shape))


def test_a_glance_holds_what_measuring_gives() -> None:
    """Every measure comes back with its type and value, and so do the answers that a survey needed."""
    lines, documents = batch(PAGE, AGENCY, "", "\n\u00a0Ein Wort\u00a0\n" + PAGE)
    seen, _ = surveyed(lines, documents)
    kept = tables(seen, PROFILES)
    assert tuple(kept) == TABLES
    again = restored(lines, kept, PROFILES)
    for name in ("rows", "doc", "text_of", "gap_before", "gap_after", "first", "last", "copies"):
        one, other = getattr(seen.shape, name), getattr(again.shape, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    for name in ("text", "low", "key"):
        assert getattr(seen.shape.texts, name).equals(getattr(again.shape.texts, name))
    assert set(again.shape.texts.told) == set(ASKED) - {"is_post"}
    for name, mask in again.shape.texts.told.items():
        assert np.array_equal(mask, seen.shape.texts.told[name])
    assert set(again.shape.texts.numbered) == set(NUMBERED)
    for name, numbers in again.shape.texts.numbered.items():
        assert numbers.equals(seen.shape.texts.numbered[name])


def test_a_glance_with_other_profiles_is_not_taken(tmp_path: Path) -> None:
    """What was kept under the profiles of the survey is used, and under others the lines are looked at anew."""
    lines, documents = batch(PAGE)
    seen, _ = surveyed(lines, documents)
    for name, table in tables(seen, PROFILES).items():
        table.write_ipc(tmp_path / f"glance-{PROFILES.digest}-{name}.arrow")
    assert stages._seen(tmp_path, lines, PROFILES) is not None
    assert stages._seen(tmp_path, lines, replace(PROFILES, digest="0" * 32)) is None
