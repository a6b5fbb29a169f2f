"""croissant.json: valid by the standard's own reader, which also loads the records; nothing is fetched."""

from __future__ import annotations

import json
import socket

import pytest

from copydesk.release import order
from copydesk.release.manifest import read_card, read_manifest
from copydesk.schema import load_schema
from tests.release_samples import release, sample_tables

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
"""The reader's own libraries warn of each other."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of two releases with several shards a table."""
    path = tmp_path_factory.mktemp("croissant") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 10_000)
        patch.setattr(order, "MEAN", 30_000)
        release(path, sample_tables(range(40)))
        release(path, sample_tables(range(60)))
    return path


@pytest.fixture(scope="module")
def told(folder):
    return json.loads((folder / "croissant.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", ["article", "ledger"])
def test_a_record_set_has_every_column(told, table):
    """Columns and their parts, in the order of the schema, with what they mean."""
    (found,) = (one for one in told["recordSet"] if one["@id"] == table)
    fields = load_schema(table).fields
    assert [one["name"] for one in found["field"]] == [f"{table}/{field.name}" for field in fields]
    for one, field in zip(found["field"], fields, strict=True):
        parts = field.inner or (field.item.inner if field.item else ())
        assert one.get("description", "") == field.description
        assert [part["name"].rsplit("/", 1)[1] for part in one.get("subField", [])] == [part.name for part in parts]
        assert one.get("isArray", False) is (field.item is not None)


def test_file_objects_are_the_shards_with_their_hashes(told, folder):
    """Of the newest release, all of them and no other."""
    manifest = read_manifest(folder, read_card(folder)[-1])
    objects = {one["@id"]: one for one in told["distribution"] if one["@type"] == "cr:FileObject"}
    shards = {shard.file: shard for table in ("article", "ledger") for shard in manifest.shards(table)}
    assert len(shards) > 4
    assert {name: one["sha256"] for name, one in objects.items()} == {name: one.sha256 for name, one in shards.items()}
    assert {one["contentUrl"] for one in objects.values()} == set(shards)
    sets = {one["@id"]: one["includes"] for one in told["distribution"] if one["@type"] == "cr:FileSet"}
    assert sets["article-shards"] == [shard.file for shard in manifest.shards("article")]
    assert told["version"] == "1.1.0"


def _no_network(*args):
    raise AssertionError(f"the network was asked: {args}")


@pytest.fixture(scope="module")
def loaded(folder):
    """The dataset as the standard's reader has it."""
    croissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed (extra dev)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _no_network)
        yield croissant.Dataset(jsonld=str(folder / "croissant.json"))


def test_the_standard_s_reader_finds_nothing_wrong(loaded):
    """No error and no warning."""
    issues = loaded.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings


def test_the_standard_s_reader_loads_the_articles(loaded):
    """Every row with its values, those inside structs and lists too."""
    articles, _ = sample_tables(range(60))
    expected = {row["id"]: row for row in articles.iter_rows(named=True)}
    found = {row["article/id"].decode(): row for row in loaded.records("article")}
    assert found.keys() == expected.keys()
    for name, row in found.items():
        want = expected[name]
        assert row["article/text"].decode() == want["text"]
        assert row["article/truncated"] is want["truncated"]
        assert row["article/counts"]["article/counts/words"] == want["counts"]["words"]
        assert [one["article/headings/title"].decode() for one in row["article/headings"]] == [
            one["title"] for one in want["headings"]
        ]
        day = row["article/published_at"]
        assert (day and day.to_pydatetime()) == want["published_at"]


def test_the_standard_s_reader_loads_the_ledger(loaded):
    """The raw bytes come back."""
    _, ledger = sample_tables(range(60))
    found = list(loaded.records("ledger"))
    assert len(found) == ledger.height
    assert {(row["ledger/id"].decode(), row["ledger/start"], row["ledger/raw"]) for row in found} == set(
        ledger.select("id", "start", "raw").iter_rows()
    )
