"""Restore gives back every raw file, byte for byte, and writes nowhere else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.errors import ReleaseError, VerifyError
from copydesk.release import order
from copydesk.release.restore import restore
from copydesk.text import content_hashes
from tests.release_samples import folder_bytes, raw_files, release, sample_tables

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_raw_file_comes_back(tmp_path, monkeypatch):
    """Through many shards, for the newest and an older release; a second run finds all there."""
    monkeypatch.setattr(order, "LEAST", 5_000)
    monkeypatch.setattr(order, "MEAN", 10_000)
    first, second = sample_tables(range(150)), sample_tables(range(40, 200))
    release(tmp_path / "set", first)
    release(tmp_path / "set", second)
    found = restore(tmp_path / "set", None, tmp_path / "new")
    assert folder_bytes(tmp_path / "new") == raw_files(second[1])
    assert (found.version, found.written, found.present) == ("1.1.0", 160, 0)
    assert found.bytes == sum(len(data) for data in raw_files(second[1]).values())
    restore(tmp_path / "set", "1.0.0", tmp_path / "old")
    assert folder_bytes(tmp_path / "old") == raw_files(first[1])
    again = restore(tmp_path / "set", None, tmp_path / "new")
    assert (again.written, again.present) == (0, 160)


def test_several_sources_have_folders_of_their_own(tmp_path):
    """Their uris may be the same."""
    one, two = sample_tables(range(5)), sample_tables(range(5), 1, source="quay")
    release(tmp_path / "set", (pl.concat([one[0], two[0]]), pl.concat([one[1], two[1]])))
    restore(tmp_path / "set", None, tmp_path / "new")
    assert folder_bytes(tmp_path / "new" / "harbour") == raw_files(one[1])
    assert folder_bytes(tmp_path / "new" / "quay") == raw_files(two[1])


def test_an_empty_raw_file_comes_back_though_it_has_no_ledger_rows(tmp_path):
    """Wherever in the order it stands: first, in the middle, last."""
    articles, ledger = sample_tables(range(20))
    bare = [0, 9, 19]
    for number in bare:
        name = articles["id"][number]
        ledger = ledger.filter(pl.col("id") != name)
        empty = pl.col("id") == name
        counts = [pl.lit(0, pl.Int32).alias(part.name) for part in articles.schema["counts"].fields]
        articles = articles.with_columns(
            raw_sha256=pl.when(empty).then(pl.lit(EMPTY)).otherwise("raw_sha256"),
            text=pl.when(empty).then(pl.lit("")).otherwise("text"),
            headings=pl.when(empty).then(pl.lit([], dtype=articles.schema["headings"])).otherwise("headings"),
            counts=pl.when(empty).then(pl.struct(counts)).otherwise("counts"),
        )
    release(tmp_path / "set", (articles.with_columns(content_sha256=content_hashes(articles)), ledger))
    restore(tmp_path / "set", None, tmp_path / "new")
    expected = raw_files(ledger) | {articles["uri"][number]: b"" for number in bare}
    assert folder_bytes(tmp_path / "new") == expected


def _named(uri: str):
    articles, ledger = sample_tables([1])
    return articles.with_columns(uri=pl.lit(uri)), ledger.with_columns(uri=pl.lit(uri))


HOSTILE = [
    "/etc/evil",
    "../evil",
    "a/../../evil",
    "a/./b",
    "a//b",
    "..",
    "a/..",
    "a\0b",
    "%2e%2e/%ff",
    "/",
    "a.zip#b/../c",
]


@pytest.mark.parametrize("uri", HOSTILE)
def test_a_uri_that_leads_out_is_refused(tmp_path, uri):
    """Nothing is written, inside or outside; what is only unusual, such as a percent sign, stays inside."""
    release(tmp_path / "set", _named(uri))
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ReleaseError, match="does not stay in"):
        restore(tmp_path / "set", None, tmp_path / "new")
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "new"}


@settings(max_examples=25)
@given(uri=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_no_uri_writes_outside(tmp_path_factory, uri):
    """Whatever the uri: one file inside, or a refusal."""
    folder = tmp_path_factory.mktemp("any")
    release(folder / "set", _named(uri))
    (folder / "new").mkdir()
    before = set(folder.rglob("*"))
    try:
        restore(folder / "set", None, folder / "new")
    except ReleaseError:
        assert not [path for path in (folder / "new").rglob("*") if path.is_file()]
    else:
        (written,) = [path for path in (folder / "new").rglob("*") if path.is_file()]
        assert written.is_relative_to(folder / "new")
    assert all(path.is_relative_to(folder / "new") for path in set(folder.rglob("*")) - before)


def test_a_name_that_is_not_utf8_comes_back_as_it_was(tmp_path):
    """Such names stand percent-encoded in the uri; a percent sign in any other name is left alone."""
    release(tmp_path / "one", _named("caf%E9.txt"))
    restore(tmp_path / "one", None, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [b"caf\xe9.txt".decode("utf-8", "surrogateescape")]
    release(tmp_path / "two", _named("100%25.txt"))
    restore(tmp_path / "two", None, tmp_path / "plain")
    assert [path.name for path in (tmp_path / "plain").iterdir()] == ["100%25.txt"]


RECORDS = [
    ("a.jsonl#https:%2F%2Fharbour.example%2F2018%2Fferry", "a.jsonl#https:%2F%2Fharbour.example%2F2018%2Fferry"),
    ("a.jsonl#..%2F..%2Fup", "a.jsonl#..%2F..%2Fup"),
    ("b/a.jsonl#%252F%0A", "b/a.jsonl#%252F%0A"),
    ("caf%E9.jsonl#a%20b", "caf\udce9.jsonl#a%20b"),
    ("a.zip#2018/ferry.txt", "a.zip#2018/ferry.txt"),
    ("a.csv#" + "é" * 200, "a.csv#" + "é" * 116 + "~add7ef0f3ca0b658"),
]


@pytest.mark.parametrize(("uri", "path"), RECORDS)
def test_a_record_lies_under_its_name_as_the_uri_writes_it(tmp_path, uri, path):
    """An id that is an address or climbs is a part of one path; one that is too long for a file system is cut."""
    release(tmp_path / "set", _named(uri))
    restore(tmp_path / "set", None, tmp_path / "new")
    (written,) = [found for found in (tmp_path / "new").rglob("*") if found.is_file()]
    assert written == tmp_path / "new" / path


def test_a_link_in_the_target_is_not_followed(tmp_path):
    """Neither a folder's link nor a file's."""
    release(tmp_path / "set", _named("a/b/story.txt"))
    (tmp_path / "new").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "new" / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(ReleaseError, match="is a link"):
        restore(tmp_path / "set", None, tmp_path / "new")
    (tmp_path / "new" / "a").unlink()
    (tmp_path / "new" / "a" / "b").mkdir(parents=True)
    (tmp_path / "new" / "a" / "b" / "story.txt").symlink_to(tmp_path / "outside" / "story.txt")
    with pytest.raises(ReleaseError, match="is there with other bytes"):
        restore(tmp_path / "set", None, tmp_path / "new")
    assert list((tmp_path / "outside").iterdir()) == []


def test_other_bytes_are_not_overwritten(tmp_path):
    """A file of the same name is kept and named."""
    release(tmp_path / "set", _named("story.txt"))
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "story.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"story\.txt: is there with other bytes and is not overwritten"):
        restore(tmp_path / "set", None, tmp_path / "new")
    assert (tmp_path / "new" / "story.txt").read_text(encoding="utf-8") == "mine"


def test_a_damaged_or_forged_ledger_restores_nothing_wrong(tmp_path):
    """The hash of a file is checked before it is written."""
    articles, ledger = sample_tables([1])
    release(tmp_path / "set", (articles.with_columns(raw_sha256=pl.lit("0" * 64)), ledger))
    with pytest.raises(VerifyError, match="the article says 0000"):
        restore(tmp_path / "set", None, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    release(tmp_path / "lost", (articles, ledger))
    for shard in (tmp_path / "lost" / "data").iterdir():
        shard.unlink()
    with pytest.raises(VerifyError, match="run copydesk verify"):
        restore(tmp_path / "lost", None, tmp_path / "new")


def test_where_there_is_no_dataset_or_no_target_both_are_named(tmp_path):
    """The path and the remedy."""
    with pytest.raises(ReleaseError, match="there is no release here"):
        restore(tmp_path, None, tmp_path / "new")
    release(tmp_path / "set", _named("story.txt"))
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ReleaseError, match="choose another --into"):
        restore(tmp_path / "set", None, Path(tmp_path / "file"))
