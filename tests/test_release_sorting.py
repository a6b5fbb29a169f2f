"""Keys put in order out of core, and tables in pieces: the same as in memory."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from copydesk.errors import ReleaseError
from copydesk.pieces import keep
from copydesk.release import sorting
from copydesk.release.marks import Marks
from copydesk.release.order import in_order
from copydesk.text import MARKED

SCHEMA = pl.Schema({"id": pl.String(), "uri": pl.String(), "split": pl.String(), "day": pl.Date()})


def some_keys(number: int, seed: int, days: int) -> pl.DataFrame:
    """Keys of a few splits and days, many of them without a day, in no order."""
    draw = random.Random(seed)
    when = [None, *(date(2020, 1, 1) + timedelta(days=day) for day in range(days))]
    splits = ["train", "train", "test", "validation", "duplicates"]
    rows = [
        (f"{draw.getrandbits(64):016x}", f"{at}.txt", draw.choice(splits), draw.choice(when)) for at in range(number)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.parametrize(("days", "together", "size", "files"), [(1, 7, 20, 500), (40, 50, 30, 500), (3, 9, 1, 6)])
def test_ranges_of_the_order_together_are_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, together: int, size: int, files: int
) -> None:
    """Whatever the ranges: many days in one, a day in many; no file but that of the keys is left."""
    for name, value in (("TOGETHER", together), ("RANGE", size), ("FILES", files)):
        monkeypatch.setattr(sorting, name, value)
    keys = some_keys(600, days, days)
    found = sorting.sort_keys(keys.iter_slices(11), SCHEMA, tmp_path)
    assert pl.concat(found).equals(in_order(keys))
    assert found.height == 600
    assert len(found.ends) > 3
    assert [path.name for path in tmp_path.iterdir()] == ["keys.arrow"]


def test_the_same_id_on_two_days_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the two are in different ranges."""
    monkeypatch.setattr(sorting, "RANGE", 10)
    keys = some_keys(50, 1, 20)
    again = keys[:1].with_columns(uri=pl.lit("again.txt"), day=pl.lit(date(2024, 1, 1)))
    with pytest.raises(ReleaseError, match=r"0\.txt and again\.txt have the same id|again\.txt and 0\.txt have"):
        sorting.sort_keys([keys, again], SCHEMA, tmp_path)


def test_stretches_of_rows_are_read_out_of_pieces(tmp_path: Path) -> None:
    """Columns of rows here and there, across the ends of pieces."""
    keys = some_keys(100, 2, 5)
    kept = keep(tmp_path / "keys.arrow", SCHEMA, keys.iter_slices(13))
    spans = [(0, 1), (10, 40), (52, 53), (90, 100)]
    assert kept.rows(spans, "day", "id").equals(pl.concat(keys.select("day", "id")[a:b] for a, b in spans))
    assert kept.table("uri").equals(keys.select("uri"))


@pytest.mark.parametrize("sizes", [[], [0], [0, 3, 0, 2]])
def test_tables_without_rows_are_no_pieces(tmp_path: Path, sizes: list[int]) -> None:
    """A file without rows still has its columns."""
    keys = some_keys(5, 4, 2)
    tables, start = [], 0
    for size in sizes:
        tables.append(keys[start : start + size])
        start += size
    kept = keep(tmp_path / "keys.arrow", SCHEMA, tables)
    assert kept.height == start
    assert kept.table("id", "day").equals(keys[:start].select("id", "day"))
    assert kept.rows([(0, 2), (3, 5)], "id")["id"].to_list() == [*keys["id"][:start][:2], *keys["id"][:start][3:5]]


def test_marks_are_found_by_id(tmp_path: Path) -> None:
    """Of articles with copies and without; one that has none is named."""
    keys = some_keys(40, 3, 2)
    rare = {name: pl.when(pl.int_range(pl.len()) % 7 == 0).then("uri").alias(name) for name in MARKED[:-1]}
    said = keys.select("id", *rare.values(), pl.lit("test").alias("split"))
    marks = Marks.of(said.sample(fraction=1, shuffle=True, seed=1).iter_slices(9))
    before = keys.with_columns(pl.lit(None, pl.String).alias(name) for name in MARKED[:-1])
    found = marks.given(before)
    assert found.select("id", *MARKED).equals(said.select("id", *MARKED))
    assert found["changed"].to_list() == [at % 7 == 0 or split != "test" for at, split in enumerate(keys["split"])]
    with pytest.raises(ReleaseError, match=r"39\.txt: has no mark"):
        Marks.of([said[:39]]).given(before)
