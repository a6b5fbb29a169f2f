"""Cutting the work into batches: no larger than they may be, alike, and enough for all workers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.sources import Cut

CASES = [
    (0, 2, []),
    (1, 2, [1]),
    (2_000, 2, [2_000]),
    (4_000, 1, [4_000]),
    (4_000, 2, [2_000] * 2),
    (10_000, 1, [3_334, 3_333, 3_333]),
    (10_000, 2, [2_500] * 4),
    (10_000, 64, [1_429] * 4 + [1_428] * 3),
    (10_001, 2, [2_501] + [2_500] * 3),
    (40_000, 2, [4_000] * 10),
    (44_000, 2, [3_667] * 8 + [3_666] * 4),
]


@pytest.mark.parametrize(("documents", "workers", "batches"), CASES)
def test_batches_are_alike_and_enough(documents: int, workers: int, batches: list[int]) -> None:
    """Texts of three kilobytes: their number decides, and a few are not worth another process."""
    spans = Cut(workers=workers).spans([3_000] * documents)
    assert [end - start for start, end in spans] == batches


def test_large_documents_are_cut_by_their_bytes() -> None:
    """One that is larger than a batch may be is a batch of its own."""
    cut = Cut(documents=10, bytes=100, workers=2)
    assert list(cut.spans([30, 30, 30, 30, 30, 30])) == [(0, 3), (3, 6)]
    assert list(cut.spans([1, 1, 500, 1, 1])) == [(0, 2), (2, 3), (3, 5)]


@given(
    sizes=st.lists(st.integers(0, 300), max_size=200),
    documents=st.integers(1, 50),
    size=st.integers(1, 1_000),
    workers=st.integers(1, 9),
)
def test_no_batch_is_larger_than_it_may_be(sizes: list[int], documents: int, size: int, workers: int) -> None:
    """And each document is in one of them, in order; batches that only their number bounds are alike."""
    cut = Cut(documents, size, workers)
    spans = list(cut.spans(sizes))
    assert [at for start, end in spans for at in range(start, end)] == list(range(len(sizes)))
    for start, end in spans:
        assert 1 <= end - start <= documents
        assert sum(sizes[start:end]) <= size or end - start == 1
    light = [end - start for start, end in Cut(documents, 1 << 40, workers).spans(sizes)]
    assert len(light) == cut.number(len(sizes), 0)
    assert max(light, default=0) - min(light, default=0) <= 1
