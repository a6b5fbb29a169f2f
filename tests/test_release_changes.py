"""What changed between two releases, by cause, and the dataset's changelog."""

from __future__ import annotations

import polars as pl
import pytest

from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
from copydesk.release import commit
from copydesk.release.changes import compare
from copydesk.release.facts import Facts
from copydesk.release.folder import Folder
from copydesk.release.manifest import read_card, read_manifest
from copydesk.text import content_hashes
from tests.release_samples import release, sample_tables


def _rehashed(articles: pl.DataFrame) -> pl.DataFrame:
    return articles.with_columns(content_sha256=content_hashes(articles))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six releases, each changed in another way."""
    path = tmp_path_factory.mktemp("changes") / "harbour"
    articles, ledger = sample_tables(range(20))
    first = pl.int_range(pl.len()).is_between(4, 5)
    release(path, (articles, ledger))
    release(path, sample_tables(range(3, 25)))
    release(path, (articles.with_columns(split=pl.when(first).then(pl.lit("test")).otherwise("split")), ledger))
    marked = articles.with_columns(duplicate_of=pl.when(first).then(pl.lit("a")), duplicate_cluster=pl.lit("c"))
    release(path, (marked, ledger))
    known = {"knowledge": Knowledge(documents=9), "facts": Facts("harbour-corpus", digests={"profiles": "p"})}
    anew = _rehashed(marked.with_columns(headline=pl.when(first).then(pl.lit("Other")).otherwise("headline")))
    release(path, (anew, ledger), **known)
    given = _rehashed(anew.with_columns(outlet=pl.lit("The Harbour Times")))
    release(path, (given, ledger), **known)
    return path


def _changes(folder, number: int) -> dict:
    return read_manifest(folder, read_card(folder)[number]).body["changes"]


def test_manifests_count_changes_by_cause(folder):
    """Added and removed files, moves between splits, duplicates, and rows that were judged anew."""
    assert _changes(folder, 0) == {"added": {"raw file": 20}}
    assert _changes(folder, 1) == {"added": {"raw file": 5}, "removed": {"raw file": 3}}
    assert _changes(folder, 2)["moved"] == {"other documents": 2}
    assert _changes(folder, 3)["regrouped"] == {"other documents": 18}
    assert _changes(folder, 3)["moved"] == {"other documents": 2}
    assert _changes(folder, 4) == {"changed": {"knowledge, profiles": 2}}
    assert _changes(folder, 5) == {"changed": {"paths and sidecars": 20}}


def test_two_releases_are_compared_document_by_document(folder):
    """The rows name the document, what happened and why, and add up to the manifest's counts."""
    found = compare(folder, "1.0.0", "1.1.0")
    assert found.columns == ["id", "uri", "source", "change", "cause"]
    assert found["change"].value_counts(sort=True).rows() == [("added", 5), ("removed", 3)]
    assert compare(folder, "1.1.0", "1.1.0").height == 0
    back = compare(folder, "1.1.0", "1.0.0")
    assert set(back.filter(change="removed")["id"]) == set(found.filter(change="added")["id"])
    with pytest.raises(ReleaseError, match=r"has no release 9\.0\.0"):
        compare(folder, "1.0.0", "9.0.0")


def test_a_changed_raw_file_is_the_cause_of_its_own_changes(tmp_path):
    """Even where the knowledge changed too."""
    articles, ledger = sample_tables(range(5))
    release(tmp_path, (articles, ledger))
    release(tmp_path, sample_tables(range(5), 1), knowledge=Knowledge(documents=9))
    assert _changes(tmp_path, -1) == {"changed": {"raw file": 5}}


def test_the_changelog_tells_the_newest_first(folder):
    """A heading a release, its cause and its counts."""
    text = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith("# Changes of harbour-corpus\n\n## 1.5.0 (2017-01-07)\n\nRows changed.\n\n- 20 changed")
    assert "- 2 changed (because of: knowledge, profiles 2)" in text
    assert "- 2 moved to another split (because of: other documents 2)" in text
    assert text.endswith(
        "## 1.0.0 (2017-01-07)\n\nThe first release.\n\n- 20 added\n- articles now: 20; in quarantine: 0\n"
    )


def test_a_stale_changelog_is_renewed_by_the_next_ingest(tmp_path, monkeypatch):
    """A crash after the commit leaves the release whole and its changelog behind; nothing else is touched."""
    rows = sample_tables(range(5))
    release(tmp_path, rows)

    def broken(_folder: Folder, _manifests) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commit, "put_beside", broken)
    with pytest.raises(KeyboardInterrupt):
        release(tmp_path, sample_tables(range(6)))
    assert read_card(tmp_path)[-1].version == "1.1.0"
    assert "1.1.0" not in (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    monkeypatch.undo()
    assert release(tmp_path, sample_tables(range(6))).version is None
    assert "## 1.1.0" in (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
