"""Batches are worked on in stretches of rows that stay in the processor's cache."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copydesk.aligned import stretches


@given(st.lists(st.text("aé", max_size=9)), st.integers(1, 40))
def test_stretches_are_all_rows_in_order_and_none_is_larger_than_asked(texts: list[str], most: int) -> None:
    """But for one row that is larger by itself; and no two neighbours could have been one."""
    column = pl.Series(texts, dtype=pl.String)
    found = [texts[one] for one in stretches(column, most)]
    sizes = [sum(len(text.encode()) + 1 for text in one) for one in found]
    assert [text for one in found for text in one] == texts
    assert all(size <= most or len(one) == 1 for size, one in zip(sizes, found, strict=True))
    firsts = [len(one[0].encode()) + 1 for one in found]
    assert all(size + first > most for size, first in zip(sizes[:-1], firsts[1:], strict=True))
