"""Learning in ranges of keys: what is learned does not hang on batches or ranges, and a range reads its own rows."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.corpus import learning
from copydesk.knowledge import Knowledge
from copydesk.lines import repetition
from copydesk.lines.repetition import SURVEY


def survey(draw: random.Random, rows: int) -> dict[str, pl.DataFrame]:
    """A survey as batches give it: few sites, lines and tags, so that they come again; keys over all 64 bits."""
    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(12)] + [0, 2**64 - 1]
    hashed = [draw.getrandbits(64) for _ in range(4)]
    columns = {
        "site": lambda: draw.choice(["quayside", "orchard", None]),
        "key": lambda: draw.choice(keys),
        "tag": lambda: draw.choice(["Harbour", "Überlingen", "港", ""]),
        "id": lambda: "",
    }
    frames = {
        name: pl.DataFrame(
            {column: [columns.get(column, lambda: draw.choice(hashed))() for _ in range(rows)] for column in schema},
            schema=schema,
        )
        for name, schema in SURVEY.items()
    }
    return {**frames, "sites": frames["sites"].clear()}


def learned(surveys: list[dict[str, pl.DataFrame]], rows: int, place: Path) -> Knowledge:
    """What is learned of batches, counted in ranges of about so many lines."""
    folders = []
    for number, one in enumerate(surveys):
        folders.append(place / f"batch-{number}")
        folders[-1].mkdir()
        learning.keep(one, folders[-1])
        pl.DataFrame({"id": range(number)}).write_ipc(folders[-1] / "documents.arrow")
    counts = []
    for some in learning.ranges(folders, rows):
        counts.append(place / f"counts-{some.number}")
        counts[-1].mkdir()
        learning.count(folders, some, counts[-1])
    return learning.learn(counts, folders, "profiles")


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), batches=st.integers(0, 4), rows=st.integers(1, 40))
def test_ranges_and_batches_change_nothing(seed: int, batches: int, rows: int) -> None:
    """However surveys are cut, and however many ranges they are counted in: the tables of counting all at once."""
    draw = random.Random(seed)
    surveys = [survey(draw, draw.randrange(20)) for _ in range(batches)]
    expected = Knowledge(**repetition.learn(surveys), profiles="profiles", documents=sum(range(batches)))
    with TemporaryDirectory() as place:
        found = learned(surveys, rows, Path(place))
    assert found.documents == expected.documents
    assert found.digest == expected.digest


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_every_key_is_in_one_range(of: int) -> None:
    """The least, the greatest, and those at the edges."""
    edges = {number * 2**64 // of + step for number in range(of + 1) for step in (-1, 0)}
    keys = pl.DataFrame({"key": sorted(edge for edge in edges if 0 <= edge < 2**64)}, schema={"key": pl.UInt64})
    found = [keys.filter(learning.Range(number, of).holds())["key"].to_list() for number in range(of)]
    assert [key for some in found for key in some] == keys["key"].to_list()


def test_a_file_lies_in_the_order_of_keys(tmp_path: Path) -> None:
    """So a reader can skip what is in other ranges: each row group says which keys it has, and they do not overlap."""
    import pyarrow.parquet as pq

    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(20_000)]
    lines = pl.DataFrame({"key": keys}, schema={"key": pl.UInt64}).with_columns(
        site=pl.lit("quayside"), **{name: pl.col("key") for name in "abc"}
    )
    learning.keep({**survey(random.Random(0), 3), "lines": lines.select(list(SURVEY["lines"]))}, tmp_path)
    groups = pq.read_metadata(tmp_path / "survey-lines.parquet")
    column = groups.schema.names.index("key")
    told = [groups.row_group(number).column(column).statistics for number in range(groups.num_row_groups)]
    assert len(told) == 5
    assert all(one.has_min_max for one in told)
    assert [one.max < other.min for one, other in pairwise(told)] == [True] * 4
