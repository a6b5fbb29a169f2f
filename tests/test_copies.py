"""What verify finds wrong with duplicates and splits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from copydesk.release.copies import copy_problems
from copydesk.text import MARKED

DAY = datetime(2018, 1, 1, tzinfo=UTC)

SOUND = pl.DataFrame(
    [
        ("a", DAY + timedelta(days=1), "The Lamp", None, "b", "b", "The Harbour Times", "NORDA", "test"),
        ("b", DAY, "The Harbour Times", "NORDA", "b", None, "The Harbour Times", "NORDA", "test"),
        ("c", None, None, None, "b", "b", "The Harbour Times", "NORDA", "test"),
        ("d", DAY, None, None, None, None, None, None, "train"),
        ("e", DAY, None, None, "e", None, None, None, "train"),
        ("f", DAY, None, None, "e", "e", None, None, "train"),
    ],
    schema=["id", "published_at", "outlet", "agency", *MARKED],
    orient="row",
).with_columns(uri=pl.col("id") + ".txt")


def test_sound_marks_have_no_problem() -> None:
    """Clusters that hold together are not complained of."""
    assert list(copy_problems("1.0.0.json", SOUND)) == []


@pytest.mark.parametrize(
    ("name", "column", "value", "told"),
    [
        ("c", "split", "train", "cluster b"),
        ("a", "duplicate_of", "zz", "duplicate_of of a.txt"),
        ("a", "duplicate_of", "c", "duplicate_of of a.txt"),
        ("a", "duplicate_of", None, "duplicate_of of a.txt"),
        ("b", "duplicate_of", "a", "duplicate_of of b.txt"),
        ("d", "duplicate_of", "b", "duplicate_of of d.txt"),
        ("d", "duplicate_cluster", "d", "cluster d of d.txt"),
        ("f", "duplicate_cluster", None, "duplicate_of of f.txt"),
        ("b", "published_at", DAY + timedelta(days=9), "duplicate_of of b.txt"),
        ("a", "duplicate_outlet", "The Lamp", "duplicate_outlet of a.txt"),
        ("c", "duplicate_agency", None, "duplicate_agency of c.txt"),
    ],
)
def test_each_wrong_mark_is_named(name: str, column: str, value: object, told: str) -> None:
    """A cluster in two splits, a name of no article, a wrong representative, outlet or agency, a cluster of one."""
    wrong = pl.lit(value, dtype=SOUND.schema[column])
    table = SOUND.with_columns(pl.when(pl.col("id") == name).then(wrong).otherwise(column).alias(column))
    assert told in [problem.what for problem in copy_problems("1.0.0.json", table)]
