"""Documents side by side: every line once, neighbours a fixed step apart, products that no company changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.lines.sheets import across, sheets, times

SIZES = st.lists(st.integers(1, 60), max_size=40)


@given(sizes=SIZES, room=st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_every_line_stands_in_one_sheet(sizes: list[int], room: int) -> None:
    """Sheets hold each line once, whole documents, an eighth of empty rows at most; one document alone may be long."""
    doc = np.repeat(np.arange(len(sizes)), sizes)
    found = list(sheets(doc, room))
    held = np.concatenate([sheet.lines[sheet.rows] for sheet in found] or [np.zeros(0, np.int64)])
    assert sorted(held.tolist()) == list(range(len(doc)))
    for sheet in found:
        assert sheet.sizes.sum() == len(sheet.rows) == len(sheet.lines) - len(sheet.empty)
        assert 8 * len(sheet.empty) <= len(sheet.lines)
        assert len(sheet.lines) <= room * 9 / 8 or len(sheet.sizes) == 1


@given(sizes=SIZES, room=st.integers(1, 300), step=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_a_neighbour_stands_a_fixed_number_of_rows_on(sizes: list[int], room: int, step: int) -> None:
    """The line so many places on in the same document is as many times the sheet's documents further down."""
    doc = np.repeat(np.arange(len(sizes)), sizes)
    for sheet in sheets(doc, room):
        filled = np.isin(np.arange(len(sheet.lines)), sheet.rows)
        apart = step * len(sheet.sizes)
        both = filled[:-apart] & filled[apart:]
        assert np.array_equal(sheet.lines[apart:][both], sheet.lines[:-apart][both] + step)
        assert both.sum() == np.maximum(sheet.sizes - step, 0).sum()


@given(count=st.integers(0, 200), shift=st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_a_row_s_product_is_its_own(count: int, shift: int) -> None:
    """A row gives the same bits wherever it stands, and the same by rows and by columns up to rounding."""
    draw = np.random.default_rng(7)
    values = draw.standard_normal((count + shift, 40)).astype(np.float32)
    matrix = draw.standard_normal((40, 24)).astype(np.float32)
    whole, wide = times(values, matrix), across(np.ascontiguousarray(values.T), matrix)
    assert np.array_equal(whole[shift:], times(values[shift:], matrix))
    assert np.array_equal(wide[shift:], across(np.ascontiguousarray(values.T)[:, shift:], matrix))
    assert np.allclose(whole, values @ matrix, atol=1e-4)
    assert np.allclose(wide, whole, atol=1e-4)
