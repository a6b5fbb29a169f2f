"""A withdrawal takes a document out of every release, on record, and nothing else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from copydesk.errors import ReleaseError, UsageError
from copydesk.release import order
from copydesk.release.folder import Folder
from copydesk.release.manifest import read_card, read_manifest
from copydesk.release.restore import restore
from copydesk.release.verify import verify
from copydesk.release.withdraw import finish, withdraw
from copydesk.schema import load_schema
from tests.release_samples import folder_bytes, release, sample_tables

ARTICLES, LEDGER = sample_tables(range(120))
NAME, URI = ARTICLES.select("id", "uri").row(60)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Several shards from a hundred documents."""
    monkeypatch.setattr(order, "LEAST", 8_000)
    monkeypatch.setattr(order, "MEAN", 20_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Three releases: the document is in the first two."""
    folder = tmp_path_factory.mktemp("withdraw") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 8_000)
        patch.setattr(order, "MEAN", 20_000)
        release(folder, (ARTICLES[:100], LEDGER))
        release(folder, (ARTICLES, LEDGER))
        release(folder, (ARTICLES[70:], LEDGER))
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "harbour"))


def _manifests(folder: Path):
    return [read_manifest(folder, one) for one in read_card(folder)]


def _rows(folder: Path, number: int, table: str = "article") -> pl.DataFrame:
    return pl.concat([pl.read_parquet(folder / shard.file) for shard in _manifests(folder)[number].shards(table)])


def test_the_document_is_gone_from_every_release(folder):
    """From both tables, from the raw files that can be restored, and from every file on disk."""
    found = withdraw(folder, NAME, "The court said so.")
    assert (found.id, found.uri, found.versions) == (NAME, URI, ("1.0.0", "1.1.0"))
    for number in range(3):
        for table in ("article", "ledger"):
            assert NAME not in set(_rows(folder, number, table)["id"])
    assert _rows(folder, 1).height == 119
    assert verify(folder) == []
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        assert verify(folder, version) == []
    restore(folder, "1.1.0", folder.parent / "back")
    assert len(folder_bytes(folder.parent / "back")) == 119
    assert not (folder.parent / "back" / URI).exists()
    assert not any((folder / name).exists() for name in found.files)
    assert {f"data/{path.name}" for path in (folder / "data").iterdir()} == {
        shard.file for one in _manifests(folder) for table in ("article", "ledger") for shard in one.shards(table)
    }


def test_the_record_says_what_and_why(folder):
    """In the manifests that held it and in the newest, in the changelog, and as a number on the card."""
    withdraw(folder, NAME, "The court\nsaid so.")
    record = {"id": NAME, "reason": "The court said so."}
    assert [one.body["withdrawn"] for one in _manifests(folder)] == [[record], [record], [record]]
    assert f"- withdrawn since: {NAME} (The court said so.)" in (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "1 document withdrawn from every release" in (folder / "README.md").read_text(encoding="utf-8")


def test_releases_are_what_they_would_be_without_the_document(folder, tmp_path):
    """The same shards, counts and content as if it had never been there; other shards keep their files."""
    before = [{shard.file for shard in one.shards("article")} for one in _manifests(folder)]
    withdraw(folder, NAME, "Asked for.")
    rest = ARTICLES.filter(pl.col("id") != NAME)
    clean = tmp_path / "clean"
    release(clean, (ARTICLES[:100].filter(pl.col("id") != NAME), LEDGER))
    release(clean, (rest, LEDGER))
    release(clean, (ARTICLES[70:], LEDGER))
    for found, expected, old in zip(_manifests(folder), _manifests(clean), before, strict=True):
        for key in ("tables", "counts", "ledger", "content", "examples", "changes", "documents"):
            assert found.body[key] == expected.body[key], key
        assert len({shard.file for shard in found.shards("article")} & old) >= len(old) - 2


def test_a_later_ingest_does_not_take_it_in_again(folder):
    """Its raw file may still be there; the same rows make no release, others make one without it."""
    withdraw(folder, NAME, "Asked for.")
    assert release(folder, (pl.concat([ARTICLES[60:61], ARTICLES[70:]]), LEDGER)).version is None
    assert release(folder, (ARTICLES, LEDGER)).version == "1.3.0"
    assert NAME not in set(_rows(folder, -1)["id"])
    assert verify(folder) == []


def test_copies_of_it_get_another_to_stand_for_them(tmp_path):
    """The earliest of those left; where only one is left it is no copy any more."""
    three, two = ARTICLES["id"].to_list()[10:13], ARTICLES["id"].to_list()[20:22]
    cluster = {**dict.fromkeys(three, "a"), **dict.fromkeys(two, "b")}
    dated = ARTICLES.with_columns(published_at=pl.col("published_at").fill_null(pl.col("published_at").max()))
    ordered = {
        group: dated.filter(pl.col("id").is_in(ids)).sort("published_at", "id")["id"].to_list()
        for group, ids in (("a", three), ("b", two))
    }
    first = {name: ordered[group][0] for name, group in cluster.items()}
    marked = ARTICLES.with_columns(
        duplicate_cluster=pl.col("id").replace_strict(cluster, default=None),
        duplicate_of=pl.col("id").replace_strict(
            {name: one for name, one in first.items() if name != one}, default=None
        ),
    )
    release(tmp_path, (marked, LEDGER))
    withdraw(tmp_path, ordered["a"][0], "Asked for.")
    withdraw(tmp_path, ordered["b"][0], "Asked for.")
    rows = (
        _rows(tmp_path, -1).filter(pl.col("id").is_in([*three, *two])).select("id", "duplicate_cluster", "duplicate_of")
    )
    told = {name: (group, of) for name, group, of in rows.iter_rows()}
    assert told == {
        ordered["a"][1]: (ordered["a"][1], None),
        ordered["a"][2]: (ordered["a"][1], ordered["a"][1]),
        ordered["b"][1]: (None, None),
    }
    assert verify(tmp_path) == []


def test_releases_of_an_older_schema_keep_their_columns(tmp_path, monkeypatch):
    """The rows are written anew with the columns that they had."""
    from dataclasses import replace

    from copydesk.release import commit

    full = load_schema("ledger")
    schemas = {"article": load_schema("article"), "ledger": replace(full, fields=full.fields[:-1])}
    monkeypatch.setattr(commit, "load_schema", schemas.__getitem__)
    release(tmp_path, (ARTICLES[:80], LEDGER))
    monkeypatch.undo()
    before = _manifests(tmp_path)[0].body["tables"]["ledger"]
    release(tmp_path, (ARTICLES, LEDGER))
    withdraw(tmp_path, NAME, "Asked for.")
    after = _manifests(tmp_path)[0].body["tables"]["ledger"]
    assert {key: after[key] for key in ("schema", "columns", "features")} == {
        key: before[key] for key in ("schema", "columns", "features")
    }
    assert "confidence" not in _rows(tmp_path, 0, "ledger").columns
    assert "confidence" in _rows(tmp_path, 1, "ledger").columns


@pytest.mark.parametrize("step", range(0, 16, 3))
def test_a_crash_is_finished_or_forgotten_by_the_next_command(folder, monkeypatch, step):
    """Before the decision nothing has happened, after it all happens; a reader never sees half of it."""
    card = (folder / "README.md").read_bytes()
    real = Folder.replace
    written = []

    def failing(self, name, data):
        if len(written) == step:
            raise KeyboardInterrupt
        written.append(name)
        real(self, name, data)

    monkeypatch.setattr(Folder, "replace", failing)
    crashed = False
    try:
        withdraw(folder, NAME, "Asked for.")
    except KeyboardInterrupt:
        crashed = True
    monkeypatch.setattr(Folder, "replace", real)
    decided = ".work/withdraw/decided.json" in written
    assert decided or (folder / "README.md").read_bytes() == card
    with Folder(folder).opened() as opened:
        finish(opened)
    assert verify(folder) == []
    assert (NAME in set(_rows(folder, 1)["id"])) is (crashed and not decided)


def test_what_cannot_be_withdrawn_is_told(folder, tmp_path):
    """An unknown id, no reason, no dataset, and the last article of a release."""
    before = folder_bytes(folder)
    with pytest.raises(UsageError, match="no release holds a document 'abc'"):
        withdraw(folder, "abc", "Asked for.")
    with pytest.raises(UsageError, match="needs a reason"):
        withdraw(folder, NAME, " ")
    assert folder_bytes(folder) == before
    with pytest.raises(ReleaseError, match="there is no release here"):
        withdraw(tmp_path / "none", NAME, "Asked for.")
    release(tmp_path / "one", sample_tables([1]))
    with pytest.raises(ReleaseError, match="nothing would be left of this release"):
        withdraw(tmp_path / "one", sample_tables([1])[0]["id"][0], "Asked for.")
