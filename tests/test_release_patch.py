"""A patch and the older release give the newer one: the same rows, and with the same libraries the same files."""

from __future__ import annotations

import json
import zipfile

import polars as pl
import pytest
from datasets import load_dataset

from copydesk.errors import ReleaseError, UsageError, VerifyError
from copydesk.knowledge import Knowledge
from copydesk.release import order
from copydesk.release.facts import Facts
from copydesk.release.manifest import choose, read_card, read_manifest
from copydesk.release.patch import replay, write_patch
from copydesk.release.verify import verify
from copydesk.text import content_hashes
from tests.release_samples import folder_bytes, release, sample_tables


def _changed(articles, ledger):
    """Some headlines, some labels, some splits and some duplicates are others."""
    place = pl.int_range(pl.len())
    articles = articles.with_columns(
        headline=pl.when(place % 7 == 1).then(pl.lit("Another")).otherwise("headline"),
        split=pl.when(place % 9 == 2).then(pl.lit("test")).otherwise("split"),
    )
    ledger = ledger.with_columns(
        confidence=pl.when(pl.col("id") == articles["id"][3]).then(0.25).otherwise("confidence")
    )
    return articles.with_columns(content_sha256=content_hashes(articles)), ledger


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Four releases of several shards: rows come and go, change in every way, and change back."""
    folder = tmp_path_factory.mktemp("patch") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 10_000)
        patch.setattr(order, "MEAN", 30_000)
        release(folder, sample_tables(range(60)))
        release(folder, sample_tables(range(10, 80)))
        release(folder, _changed(*sample_tables(range(10, 80))), knowledge=Knowledge(documents=9))
        release(folder, sample_tables(range(10, 80), 1), facts=Facts("harbour-corpus", licence="mit"))
        yield folder


VERSIONS = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]


@pytest.mark.parametrize("old", VERSIONS)
@pytest.mark.parametrize("new", VERSIONS)
def test_every_release_comes_of_every_other(dataset, tmp_path, old, new):
    """Forwards and backwards: the files are those of the release, and the folder verifies."""
    write_patch(dataset, old, new, tmp_path / "patch")
    found = replay(dataset, tmp_path / "patch", tmp_path / "out")
    wanted = read_manifest(dataset, choose(dataset, new))
    assert found == wanted
    assert found.data == wanted.data
    files, held = folder_bytes(tmp_path / "out"), folder_bytes(dataset)
    assert {name: files[name] for name in files if name in held and name.startswith(("data/", "releases/"))} == {
        name: held[name] for name in files if name.startswith(("data/", "releases/"))
    }
    assert verify(tmp_path / "out") == []


def test_a_patch_holds_what_differs_and_nothing_else(dataset, tmp_path):
    """Numbers of rows; none between a release and itself; the same bytes each time."""
    assert write_patch(dataset, "1.1.0", "1.1.0", tmp_path / "a") == {
        "article": 0,
        "ledger": 0,
        "marks": 0,
        "removed": 0,
    }
    counts = write_patch(dataset, "1.1.0", "1.2.0", tmp_path / "b")
    assert counts == {"article": 10, "ledger": 1, "marks": 7, "removed": 0}
    write_patch(dataset, "1.1.0", "1.2.0", tmp_path / "c")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    assert write_patch(dataset, "1.0.0", "1.1.0", tmp_path / "d")["removed"] == 10


def test_what_was_replayed_loads(dataset, tmp_path):
    """As a dataset of that one release."""
    write_patch(dataset, "1.0.0", "1.2.0", tmp_path / "patch")
    replay(dataset, tmp_path / "patch", tmp_path / "out")
    assert [one.version for one in read_card(tmp_path / "out")] == ["1.2.0"]
    found = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in found.items()} == {"train": 62, "test": 8}


def test_what_does_not_fit_is_refused(dataset, tmp_path):
    """A file that is no patch, a dataset without the older release, a folder that is not empty, a damaged patch."""
    write_patch(dataset, "1.0.0", "1.1.0", tmp_path / "patch")
    with pytest.raises(UsageError, match="is there already"):
        write_patch(dataset, "1.0.0", "1.1.0", tmp_path / "patch")
    (tmp_path / "none").write_bytes(b"PK no patch")
    with pytest.raises(UsageError, match="is no patch of copydesk"):
        replay(dataset, tmp_path / "none", tmp_path / "out")
    release(tmp_path / "other", sample_tables(range(5)))
    with pytest.raises(UsageError, match=r"no release with the rows that .* is for \(harbour-corpus 1\.0\.0\)"):
        replay(tmp_path / "other", tmp_path / "patch", tmp_path / "out")
    with pytest.raises(UsageError, match="is not empty"):
        replay(dataset, tmp_path / "patch", tmp_path / "other")
    data = bytearray((tmp_path / "patch").read_bytes())
    place = data.index(b'"removed": [') + 20
    data[place] ^= 1
    (tmp_path / "damaged").write_bytes(data)
    with pytest.raises((UsageError, VerifyError)):
        replay(dataset, tmp_path / "damaged", tmp_path / "out")


def _repacked(old, new, change=lambda _, data: data, how=zipfile.ZIP_STORED, without=()):
    """A patch with other contents."""
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w", how) as target:
        for name in source.namelist():
            if name not in without:
                target.writestr(name, change(name, source.read(name)))
    return new


@pytest.mark.parametrize("name", ["../../stray.txt", "/stray.txt", "knowledge/../../stray.txt", "data\\..\\x", "x.txt"])
@pytest.mark.parametrize("place", ["knowledge", "quarantine", "version"])
def test_a_patch_writes_nothing_outside_its_folder(dataset, tmp_path, name, place):
    """Whatever names its manifest gives to files, or to the release."""
    write_patch(dataset, "1.0.0", "1.2.0", tmp_path / "patch")

    def hostile(inside, data):
        if inside != "release.json":
            return data
        body = json.loads(data)
        if place == "knowledge":
            body["knowledge"]["files"][name] = "0" * 64
        elif place == "quarantine":
            body["quarantine"] |= {"file": name, "sha256": "0" * 64}
        else:
            body["version"] = name
        return json.dumps(body).encode()

    patch = _repacked(tmp_path / "patch", tmp_path / "hostile", hostile)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ReleaseError, match="is not to be trusted"):
        replay(dataset, patch, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_patch_that_unpacks_to_more_than_it_is_is_refused(dataset, tmp_path):
    """No part of a patch is compressed by ZIP, so a small file cannot fill the memory."""
    write_patch(dataset, "1.0.0", "1.2.0", tmp_path / "patch")
    bomb = _repacked(tmp_path / "patch", tmp_path / "bomb", how=zipfile.ZIP_DEFLATED)
    with pytest.raises(UsageError, match=r"bomb: is no patch .*'patch.json' in it is compressed"):
        replay(dataset, bomb, tmp_path / "out")


@pytest.mark.parametrize("name", ["patch.json", "release.json", "articles.parquet", "marks.parquet", "ledger.parquet"])
def test_a_patch_without_one_of_its_parts_is_named(dataset, tmp_path, name):
    """Missing, or not what its name says; and the folder is left empty, so that it can be given again."""
    write_patch(dataset, "1.0.0", "1.2.0", tmp_path / "patch")
    (tmp_path / "out").mkdir()
    lacking = _repacked(tmp_path / "patch", tmp_path / "lacking", without=(name,))
    broken = _repacked(tmp_path / "patch", tmp_path / "broken", lambda one, data: b"[]" if one == name else data)
    for patch in (lacking, broken):
        with pytest.raises((UsageError, ReleaseError), match=f"{patch.name}.*is no (patch|manifest) of copydesk"):
            replay(dataset, patch, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []
    replay(dataset, tmp_path / "patch", tmp_path / "out")
