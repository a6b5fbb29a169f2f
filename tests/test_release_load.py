"""`load_dataset` on a release: fresh caches, offline, by default, by version, streamed, the ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from copydesk.release import order
from copydesk.release.manifest import read_card, read_manifest
from copydesk.schema import load_schema
from tests.release_samples import folder_bytes, release, sample_tables

READER = """
import json, sys

from datasets import Features, get_dataset_config_names, load_dataset

from copydesk.schema import load_schema

features = {name: Features.from_arrow_schema(load_schema(name).arrow) for name in ("article", "ledger")}


def read(folder):
    found = {"names": get_dataset_config_names(folder)}
    for name in (None, *found["names"]):
        table = "ledger" if name == "ledger" else "article"
        whole = load_dataset(folder, name)
        told = {split: rows.num_rows for split, rows in whole.items()}
        first = next(iter(whole))
        streamed = load_dataset(folder, name, split=first, streaming=True)
        rows = list(streamed)
        single = load_dataset(folder, name, split=first)
        found[str(name)] = {
            "rows": told,
            "ids": whole[first]["id"][:],
            "features": all(rows.features == features[table] for rows in whole.values()),
            "streamed_features": streamed.features == features[table],
            "streamed_equals": rows == single.to_list(),
            "description": whole[first].info.description,
        }
        if table == "article":
            row = next(row for row in rows if row["dateline"] is not None and row["published_at"] is not None)
            found[str(name)]["dateline"] = row["dateline"]
            found[str(name)]["without_dateline"] = any(row["dateline"] is None for row in rows)
            found[str(name)]["published_at"] = [str(row["published_at"]), row["id"]]
            lists = ("repairs", "topics", "headings")
            found[str(name)]["lists"] = all(isinstance(row[column], list) for row in rows for column in lists)
        else:
            found["raw"] = [rows[0]["raw"].hex(), type(rows[0]["raw"]).__name__]
    return found


print(json.dumps([read(folder) for folder in sys.argv[1:]]))
"""


def read_back(home: Path, *folders: Path) -> list[dict]:
    """What a new process with empty caches and no network reads of each dataset, one after the other."""
    home.mkdir(exist_ok=True)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "XDG_"))},
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", READER, *map(str, folders)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Three datasets and what is read of them in one process: `two`, `other` and `nulls`."""
    base = tmp_path_factory.mktemp("load")
    articles = _two_releases(base / "two" / "harbour")
    release(base / "other" / "harbour", sample_tables(range(500, 520)))
    _nulls(base / "nulls")
    folders = [base / "two" / "harbour", base / "other" / "harbour", base / "nulls"]
    return folders, articles, read_back(base / "home", *folders)


def _two_releases(folder: Path) -> pl.DataFrame:
    """A dataset of two releases; the first shards have columns that are null throughout."""
    articles, ledger = sample_tables(range(150))
    first = articles["published_at"].dt.date() < pl.date(2017, 1, 12)
    bare = pl.when(first).then(None)
    articles = articles.with_columns(
        bare.otherwise("dateline").alias("dateline"),
        bare.otherwise("site").alias("site"),
        bare.otherwise(pl.lit(60, pl.Int16)).alias("published_offset"),
        pl.when(first).then(pl.lit([], dtype=articles.schema["repairs"])).otherwise("repairs").alias("repairs"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 10_000)
        patch.setattr(order, "MEAN", 30_000)
        release(folder, (articles[:100], ledger))
        release(folder, (articles, ledger))
    assert len(read_manifest(folder, read_card(folder)[-1]).shards("article")) > 2
    return articles


def _nulls(folder: Path) -> None:
    """A dataset of two splits whose nullable columns are null in every row."""
    articles, ledger = sample_tables(range(12))
    empty = [
        pl.lit(None, dtype=kind).alias(column.name)
        for column, kind in zip(load_schema("article").fields, articles.schema.values(), strict=True)
        if not column.required and column.name not in ("dateline", "published_at")
    ]
    splits = pl.Series(["train"] * 8 + ["validation"] * 4)
    release(folder, (articles.with_columns(*empty, split=splits), ledger))


@pytest.fixture
def two(read):
    """The dataset of two releases: its folder, its newest articles, what was read."""
    (folder, *_), articles, (found, *_) = read
    return folder, articles, found


def test_every_release_and_the_ledger_load_by_name(two):
    """The newest is the default; older ones and the ledger come by name."""
    folder, articles, found = two
    assert found["names"] == ["1.1.0", "1.0.0", "ledger"]
    assert found["None"]["rows"] == found["1.1.0"]["rows"] == {"train": 150}
    assert found["1.0.0"]["rows"] == {"train": 100}
    assert found["None"]["ids"] == found["1.1.0"]["ids"] != found["1.0.0"]["ids"]
    manifest = read_manifest(folder, read_card(folder)[-1])
    assert found["ledger"]["rows"] == {"train": manifest.body["ledger"]["spans"]}
    assert set(found["None"]["ids"]) == set(articles["id"])


def test_features_are_the_schema_s(two):
    """Every type comes back: int8, int16, timestamps with a zone, binary, structs that may be null."""
    *_, found = two
    for name in ("None", "1.1.0", "1.0.0", "ledger"):
        assert found[name]["features"]
        assert found[name]["streamed_features"]
        assert found[name]["streamed_equals"]
    assert found["raw"][1] == "bytes"


def test_values_come_back_as_they_were(two):
    """A struct and its absence, a list that is empty, a time to the microsecond with its zone."""
    _, articles, found = two
    assert found["None"]["dateline"]["places"] == ["PORT ELM"]
    assert found["None"]["without_dateline"]
    assert found["None"]["lists"]
    text, name = found["None"]["published_at"]
    assert str(articles.filter(pl.col("id") == name)["published_at"][0]) == text


def test_the_description_names_release_and_content(two):
    """So a loaded dataset says which one it is."""
    folder, _, found = two
    body = read_manifest(folder, read_card(folder)[-1]).body
    assert found["None"]["description"] == f"harbour-corpus 1.1.0, content {body['content']['article']}"


def test_a_table_that_is_null_throughout_loads(read):
    """Columns that are null in every row keep their types; several splits load by name."""
    *_, (*_, found) = read
    assert found["None"]["rows"] == {"train": 8, "validation": 4}
    assert found["None"]["features"]


def test_datasets_of_one_name_do_not_get_each_other_s_rows_from_the_cache(read):
    """Another folder of the same name and version, read with the same cache, gives its own rows."""
    _, _, (_, found, _) = read
    assert found["names"] == ["1.0.0", "ledger"]
    assert set(found["1.0.0"]["ids"]) == set(sample_tables(range(500, 520))[0]["id"])


def test_reading_changes_nothing(two):
    """A reader leaves no file in the dataset's folder."""
    folder, *_ = two
    assert {name.split("/")[0] for name in folder_bytes(folder)} == {
        "README.md",
        "CHANGELOG.md",
        "croissant.json",
        "data",
        "knowledge",
        "plots",
        "releases",
    }
