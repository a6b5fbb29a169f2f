"""Sources on a store: read by URL, not opened again while size and tag are as they were."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk.errors import UsageError
from copydesk.job import Options, settle
from copydesk.locations import is_url, place
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.runner import Workers
from tests.s3_server import Store, serving
from tests.source_samples import packed, page, written
from tests.test_containers import articles, rows
from tests.test_increments import Calls, story
from tests.test_pipeline import tree


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A server of its own."""
    with serving() as running:
        yield running


FILES = {
    "wire/a.txt": story(random.Random(1)).encode(),
    "wire/b.html": page(story(random.Random(2))).encode(),
    "wire/2019/c.jsonl.zst": packed(rows(1, 2, 3), "zst"),
    "wire/2019/d.parquet": written("parquet"),
    "wire/2019/e.zip": written("zip"),
}


def run(path: str | Path, into: Path, over: object = None, config: str = "", **asked: object) -> Outcome:
    (into.parent / "copydesk.toml").write_text(config)
    options = Options(paths=(path,) if path else (), into=into, config=into.parent / "copydesk.toml", **asked)
    return ingest(settle(options), over or Workers(1))


def test_a_folder_of_a_store_gives_what_the_same_folder_here_gives(store: Store, tmp_path: Path) -> None:
    """Every format is read by URL, and the release is that of the same files on this machine, byte for byte."""
    store.put("raw", FILES)
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    there = run("s3://raw/wire", tmp_path / "there")
    here = run(tmp_path / "wire", tmp_path / "here")
    assert (there.documents, there.refused) == (11, ())
    assert here.documents == 11
    assert tree(tmp_path / "there" / "wire") == tree(tmp_path / "here" / "wire")


def test_only_what_changed_on_the_store_is_opened(store: Store, tmp_path: Path) -> None:
    """Same size and tag: no stage runs; another tag: that file is read."""
    store.put("later", FILES)
    config = '[dataset]\nname = "later"\n[[source]]\nname = "wire"\npath = "s3://later/wire"\noutlet = "The Gazette"\n'
    assert run("", tmp_path / "dist", config=config).documents == 11
    calls = Calls()
    assert (run("", tmp_path / "dist", calls, config).version, calls.stages) == (None, [])
    store.put(
        "later",
        {"wire/a.txt": story(random.Random(9)).encode(), "wire/2019/c.jsonl.zst": packed(rows(1, 2, 3, 4), "zst")},
    )
    outcome = run("", tmp_path / "dist", config=config)
    assert (outcome.judged, outcome.documents) == (2, 12)
    table = articles(tmp_path / "dist" / "later")
    assert set(table["outlet"]) == {"The Gazette"}
    assert "2019/c.jsonl.zst#4" in table["uri"].to_list()


def test_one_file_and_a_part_of_a_source_on_a_store(store: Store, tmp_path: Path) -> None:
    """A URL of a file reads that file; a PATH in a configured source keeps the source's uris."""
    store.put("parts", FILES)
    one = settle(Options(paths=("s3://parts/wire/a.txt",), into=tmp_path))
    assert ([file.uri for file in one.files], one.name) == (["a.txt"], "wire")
    (tmp_path / "copydesk.toml").write_text('[[source]]\nname = "all"\npath = "s3://parts/wire"\n')
    part = settle(Options(paths=("s3://parts/wire/2019",), into=tmp_path, config=tmp_path / "copydesk.toml"))
    assert [file.uri for file in part.files] == ["2019/c.jsonl.zst", "2019/d.parquet", "2019/e.zip"]
    assert {file.source for file in part.files} == {"all"}


def test_a_store_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    """A bucket, key or kind of store that does not exist is a usage error with the address in it."""
    store.put("empty", {})
    for url in ("s3://nowhere-to-be-found/x", "s3://empty/x", "gopher-nine://x/y"):
        with pytest.raises(UsageError, match=url):
            settle(Options(paths=(url,), into=tmp_path, name="x"))


def test_a_container_that_broke_off_on_a_store_is_read_again(store: Store, tmp_path: Path) -> None:
    """Here a damaged file stays in quarantine unopened; on a store the line may have broken, so it is tried again."""
    damaged = packed(rows(*range(60)), "gz")[:-300]
    store.put("broken", {"wire/a.jsonl.gz": damaged})
    (tmp_path / "wire").mkdir()
    (tmp_path / "wire" / "a.jsonl.gz").write_bytes(damaged)
    for path, stages in (("s3://broken/wire", ["unpack"]), (tmp_path / "wire", [])):
        into = tmp_path / str(len(stages))
        assert len(run(path, into).refused) == 1
        calls = Calls()
        assert (run(path, into, calls).version, calls.stages) == (None, stages)


def test_explain_reads_a_store(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """`copydesk explain URL` explains each record by its uri."""
    from copydesk.cli import main

    store.put("explained", {"x/rows.jsonl.gz": packed(rows(1, 2), "gz")})
    assert main(["explain", "s3://explained/x", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["uri"]) for one in records] == [
        ("rows.jsonl#1", "rows.jsonl.gz#1"),
        ("rows.jsonl#2", "rows.jsonl.gz#2"),
    ]


WRITTEN = [("s3://b/k/", "s3://b/k"), ("file:///tmp/x", Path("/tmp/x")), ("a/b", Path("a/b")), ("C:/x", Path("C:/x"))]


@pytest.mark.parametrize(("text", "location"), WRITTEN)
def test_a_place_is_a_url_or_a_path(text: str, location: object) -> None:
    """What has a scheme of two letters or more is a URL, `file://` and drives are paths."""
    assert place(text) == location
    assert is_url(text) == isinstance(location, str)
