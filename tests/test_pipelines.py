"""In other people's pipelines: `datasets.map` and datatrove give the rows of an ingest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copydesk
from copydesk.cli import main
from copydesk.errors import UsageError
from copydesk.text import MARKED
from tests.conftest import ROOT

PROFILES = (str(ROOT / "profiles"),)

UNREADABLE = b"PK\x03\x04" + bytes(range(256)) * 4
"""An archive's bytes: no text in any encoding."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of raw files and the dataset that an ingest of it gives."""
    place = tmp_path_factory.mktemp("pipelines")
    raw = place / "wire"
    raw.mkdir()
    for path in sorted((ROOT / "seeds").rglob("*.txt")):
        (raw / path.name).write_bytes(path.read_bytes())
    settings = [
        "--config",
        str(ROOT / "copydesk.toml"),
        "--into",
        str(place / "dist"),
        "--no-prefect",
        "--workers",
        "1",
    ]
    assert main(["ingest", str(raw), *settings]) == 0
    return raw, place / "dist" / "wire"


def _rows(dataset: Path) -> dict[str, dict[str, Any]]:
    shards = [pl.read_parquet(path) for path in sorted((dataset / "data").glob("*.parquet"))]
    articles = pl.concat([shard for shard in shards if "headline" in shard.columns])
    return {row["uri"]: row for row in articles.drop(MARKED, "content_sha256").to_dicts()}


def test_a_table_has_the_rows_of_an_ingest(release: tuple[Path, Path]) -> None:
    """The same files with the same knowledge are the same articles, in the order of the texts, whatever the batch."""
    raw, dataset = release
    cleaner = copydesk.Cleaner(dataset, source="wire", profiles=PROFILES)
    paths = sorted(raw.iterdir(), reverse=True)
    table = cleaner.table([path.read_bytes() for path in paths], [path.name for path in paths])
    assert table["uri"].to_list() == [path.name for path in paths]
    assert table["error"].null_count() == len(paths)
    found = {row["uri"]: row for row in table.drop("error", "content_sha256").to_dicts()}
    expected = _rows(dataset)
    assert found.keys() == expected.keys()
    for uri, row in expected.items():
        assert found[uri] == {name: row[name] for name in found[uri]}, uri
    alone = cleaner.table([paths[3].read_bytes()], [paths[3].name])
    assert alone.to_dicts() == table.filter(pl.col("uri") == paths[3].name).to_dicts()


def test_a_dataset_is_cleaned_by_map(release: tuple[Path, Path], tmp_path: Path) -> None:
    """`Dataset.map` gives our columns with the schema's types and keeps the others, also for a text without a field."""
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    raw, dataset = release
    paths = sorted(raw.iterdir())
    texts = [*(path.read_bytes() for path in paths), b"No more than this.\n", UNREADABLE]
    table = Dataset.from_dict({"text": texts, "number": list(range(len(texts))), "day": ["2018-01-02"] * len(texts)})
    cleaner = copydesk.Cleaner(dataset, source="wire", profiles=PROFILES, given={"date": "day"})
    cleaned = table.map(cleaner, batched=True, batch_size=4, cache_file_name=str(tmp_path / "cache.arrow"))
    assert cleaned["number"] == list(range(len(texts)))
    assert cleaned["error"][:-1] == [None] * (len(texts) - 1)
    assert cleaned["error"][-1]
    assert cleaned["text"][-1] is None
    assert cleaned["text"][-2] == "No more than this."
    assert str(cleaned["published_at"][-2]).startswith("2018-01-02")
    expected = _rows(dataset)
    for at, path in enumerate(paths):
        assert cleaned[at]["headline"] == expected[path.name]["headline"]
        assert cleaned[at]["text"] == expected[path.name]["text"]


def test_what_is_wrong_with_a_batch_is_said(release: tuple[Path, Path]) -> None:
    """An unknown column or field, a uri that comes twice, other profiles, a folder without a release: each is named."""
    with pytest.raises(UsageError, match="no column 'text'"):
        copydesk.Cleaner()({"body": ["x"]})
    with pytest.raises(UsageError, match="'day' is not known"):
        copydesk.Cleaner(given={"day": "d"})
    with pytest.raises(UsageError, match=r"'a\.txt' comes twice"):
        copydesk.Cleaner().table(["x", "y"], ["a.txt", "a.txt"])
    with pytest.raises(UsageError, match="other profiles"):
        copydesk.Cleaner(release[1]).table(["x"])
    with pytest.raises(UsageError, match="no release"):
        copydesk.Cleaner("nowhere").table(["x"])


def test_a_datatrove_step_gives_the_rows_of_an_ingest(release: tuple[Path, Path], tmp_path: Path) -> None:
    """Read, cleaned and written by datatrove itself; what cannot be read is written apart, with the reason."""
    pytest.importorskip("datatrove", reason="needs the extra datatrove")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    from copydesk.integrations.datatrove import CopydeskCleaner

    raw, dataset = release
    texts = {path.name: copydesk.decode(path.read_bytes()) for path in sorted(raw.iterdir())}
    rows = [{"id": name, "text": text, "file": name} for name, text in texts.items()]
    rows.append({"id": "odd", "text": "\x00\x01\x02" * 50, "file": "odd.txt"})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    steps = [
        JsonlReader(str(tmp_path / "in")),
        CopydeskCleaner(
            copydesk.Cleaner(str(dataset), source="wire", profiles=PROFILES),
            uri="file",
            batch_size=5,
            exclusion_writer=JsonlWriter(str(tmp_path / "refused"), compression=None),
        ),
        JsonlWriter(str(tmp_path / "out"), compression=None),
    ]
    LocalPipelineExecutor(pipeline=steps, tasks=1, logging_dir=str(tmp_path / "logs")).run()
    found = [json.loads(line) for path in (tmp_path / "out").iterdir() for line in path.read_text().splitlines()]
    refused = [json.loads(line) for path in (tmp_path / "refused").iterdir() for line in path.read_text().splitlines()]
    cleaner = copydesk.Cleaner(dataset, source="wire", profiles=PROFILES)
    expected = {row["uri"]: row for row in cleaner.table(list(texts.values()), list(texts)).to_dicts()}
    assert [row["id"] for row in found] == list(texts)
    for row in found:
        wanted = expected[row["metadata"]["uri"]]
        assert row["text"] == wanted["text"]
        for name in ("headline", "authors", "dateline", "counts", "raw_sha256", "quality"):
            assert row["metadata"][name] == wanted[name], name
    assert len(found) + len(refused) == len(rows)
    assert all(row["metadata"]["error"] for row in refused)
