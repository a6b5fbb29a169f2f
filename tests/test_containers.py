"""Containers in an ingest: read once, cut into batches, and only what changed in them judged again."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import polars as pl
import pytest

from copydesk.containers import as_batches, unpacked
from copydesk.job import Options, settle
from copydesk.release.restore import restore
from copydesk.release.verify import verify
from copydesk.review import explain
from copydesk.sources import Cut
from tests.source_samples import packed, page, put, tar, written
from tests.test_increments import Calls, run, story
from tests.test_pipeline import tree


def rows(*numbers: int, seed: int = 0) -> bytes:
    """JSON lines of invented pages with the numbers as ids."""
    return "".join(
        json.dumps({"id": number, "text": story(random.Random(seed + number)), "date": "2017-03-01"}) + "\n"
        for number in numbers
    ).encode()


def articles(dataset: Path) -> pl.DataFrame:
    """The articles of a dataset's newest release, by uri."""
    from copydesk.carry import last_release

    last = last_release(dataset)
    assert last is not None
    return pl.concat([pl.read_parquet(dataset / one.file) for one in last.manifest.shards("article")]).sort("uri")


def test_containers_and_files_make_one_release(tmp_path: Path) -> None:
    """Texts, pages and records of all kinds are released together, verified, and restored as the texts they are."""
    texts = put(tmp_path / "texts", a_txt=story(random.Random(1)).encode(), b_jsonl_gz=packed(rows(1, 2, 3, 4), "gz"))
    put(texts, c_html=page(story(random.Random(2))).encode(), d_tar=tar({"x/y.txt": story(random.Random(3)).encode()}))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.documents, outcome.judged, outcome.refused) == (7, 7, ())
    assert verify(tmp_path / "dist" / "texts") == []
    restore(tmp_path / "dist" / "texts", None, tmp_path / "back")
    assert (tmp_path / "back" / "b.jsonl.gz#3").read_text() == story(random.Random(3))
    assert (tmp_path / "back" / "d.tar#x" / "y.txt").read_text() == story(random.Random(3))
    assert not list((tmp_path / "dist" / "texts" / ".work").glob("unpacked-*"))


def test_an_unchanged_container_is_not_opened(tmp_path: Path) -> None:
    """Size and time are as they were: no stage runs, whatever the bytes are."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(10)))
    run(texts, tmp_path / "dist")
    stamp = (texts / "a.jsonl").stat()
    (texts / "a.jsonl").write_bytes(b"x" * stamp.st_size)
    os.utime(texts / "a.jsonl", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    calls = Calls()
    outcome = run(texts, tmp_path / "dist", calls)
    assert (outcome.version, calls.stages, outcome.changes.same) == (None, [], 10)


def test_a_touched_container_is_read_and_nothing_judged(tmp_path: Path) -> None:
    """Its records are as they were; the next run does not open it again."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(10)))
    run(texts, tmp_path / "dist")
    os.utime(texts / "a.jsonl", ns=(1, 1))
    for stages in (["unpack"], []):
        calls = Calls()
        assert (run(texts, tmp_path / "dist", calls).version, calls.stages) == (None, stages)


def test_only_changed_records_are_judged(tmp_path: Path) -> None:
    """A new record, a changed one, one that vanished among ten: two are judged, and append keeps the third."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(10)))
    run(texts, tmp_path / "dist")
    put(texts, a_jsonl=rows(*range(1, 9)) + rows(9, seed=50) + rows(10))
    outcome = run(texts, tmp_path / "dist")
    changes = outcome.changes
    assert (outcome.judged, outcome.documents) == (2, 11)
    assert (changes.new, changes.changed, changes.same, changes.gone) == (1, 1, 8, 1)
    mirrored = run(texts, tmp_path / "dist", mode="mirror", allow_shrink=True)
    assert (mirrored.documents, mirrored.judged) == (10, 0)
    assert articles(tmp_path / "dist" / "texts")["uri"].to_list() == sorted(
        f"a.jsonl#{number}" for number in range(1, 11)
    )


def test_increments_of_containers_equal_full_builds(tmp_path: Path) -> None:
    """Without the memory of what was seen, the same bytes come out."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(8)), b_txt=story(random.Random(70)).encode())
    run(texts, tmp_path / "dist")
    put(texts, a_jsonl=rows(*range(3, 8)) + rows(2, seed=30), c_zip=written("zip"))
    for mode in ("append", "mirror"):
        full = tmp_path / mode
        import shutil

        shutil.copytree(tmp_path / "dist", full / "dist", ignore=shutil.ignore_patterns(".work"))
        run(texts, tmp_path / "dist", mode=mode, allow_shrink=True)
        run(texts, full / "dist", mode=mode, allow_shrink=True)
        assert tree(tmp_path / "dist" / "texts") == tree(full / "dist" / "texts")


def test_the_same_stories_give_the_same_articles(tmp_path: Path) -> None:
    """As files, JSON lines, a table or a packed archive: all but names and what hangs on them is equal."""
    stories = {f"s{number}": story(random.Random(number)) for number in range(12)}
    put(tmp_path / "txt", **{f"{name}_txt": text.encode() for name, text in stories.items()})
    put(tmp_path / "jsonl", a_jsonl=written("jsonl", stories))
    put(tmp_path / "parquet", a_parquet=written("parquet", stories))
    put(tmp_path / "tar", a_tar_zst=packed(written("tar", stories), "zst"))
    named = ("id", "uri", "source", "duplicate_of", "duplicate_cluster", "split", "content_sha256", "extra")
    found = []
    for kind in ("txt", "jsonl", "parquet", "tar"):
        run(tmp_path / kind, tmp_path / "dist")
        table = articles(tmp_path / "dist" / kind)
        found.append(table.drop(name for name in named if name in table.columns).sort("raw_sha256"))
    assert all(table.equals(found[0]) for table in found[1:])


def test_a_damaged_container_keeps_what_it_gave(tmp_path: Path) -> None:
    """The records before the damage are released, the rest is in quarantine, and is tried again once it changes."""
    texts = put(tmp_path / "texts", a_jsonl_gz=packed(rows(*range(300)), "gz")[:-4000])
    outcome = run(texts, tmp_path / "dist")
    assert 0 < outcome.documents < 300
    assert [uri for uri, _ in outcome.refused] == ["a.jsonl.gz"]
    again = run(texts, tmp_path / "dist", Calls())
    assert (again.version, [uri for uri, _ in again.refused]) == (None, ["a.jsonl.gz"])
    put(texts, a_jsonl_gz=packed(rows(*range(300)), "gz"))
    whole = run(texts, tmp_path / "dist")
    assert (whole.documents, whole.refused) == (300, ())
    assert whole.judged == 300 - outcome.documents


def test_two_records_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The second is `name~2`; a later ingest knows both again."""
    texts = put(tmp_path / "texts", a_jsonl=rows(1, 2) + rows(1, seed=20))
    assert run(texts, tmp_path / "dist").documents == 3
    assert articles(tmp_path / "dist" / "texts")["uri"].to_list() == ["a.jsonl#1", "a.jsonl#1~2", "a.jsonl#2"]
    put(texts, a_jsonl=rows(1, 2) + rows(1, seed=20) + rows(3))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.judged, outcome.documents) == (1, 4)


def test_a_record_that_is_called_like_a_second_one_is_not_lost(tmp_path: Path) -> None:
    """Whoever stands first has the name, and the next number that is free is the other's; `explain` says the same."""
    names = ["a", "a~3", "a", "a~2", "a", "a~3"]
    lines = [json.dumps({"id": name, "text": story(random.Random(at))}) for at, name in enumerate(names)]
    texts = put(tmp_path / "texts", a_jsonl="\n".join(lines).encode())
    assert run(texts, tmp_path / "dist").documents == 6
    released = articles(tmp_path / "dist" / "texts")
    records = list(explain.explain_files(Options(paths=(texts,)), None)[1])
    named = ["a", "a~3", "a~2", "a~2~2", "a~4", "a~3~2"]
    assert [record["uri"] for record in records] == [f"a.jsonl#{name}" for name in named]
    assert set(released.select("uri", "headline").rows()) == {
        (record["uri"], record["fields"]["headline"]) for record in records
    }


def test_explain_names_records_as_an_ingest_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where two of one name are judged in different batches."""
    monkeypatch.setattr(explain, "BATCH", 2)
    texts = put(tmp_path / "texts", a_jsonl=rows(1, 2) + rows(1, 1, seed=20))
    _, records = explain.explain_files(Options(paths=(texts,)), None)
    assert [record["uri"] for record in records if "text" in record] == [
        "a.jsonl#1",
        "a.jsonl#2",
        "a.jsonl#1~2",
        "a.jsonl#1~3",
    ]


def test_what_is_new_is_as_before_the_next_time(tmp_path: Path) -> None:
    """Whatever goes to quarantine on the way: a broken container, a broken line, records without text."""
    held = b'{"id": 7, "text": ""}\n{"id": 8, "html": "<html></html>"}\n{"broken\n'
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(3)) + held, b_jsonl=b"none\n", c_txt=b"", d_txt=b"A bus ran.\n")
    first, second = (run(texts, tmp_path / "dist") for _ in range(2))
    assert first.documents == 4
    assert len(first.refused) == len(second.refused) >= 4
    assert (second.changes.new, second.changes.same) == (0, first.changes.new)
    assert (first.judged, second.judged) == (4, 0)  # a corpus of which most is no text has not doubled by that


def test_a_dry_run_counts_records(tmp_path: Path) -> None:
    """It reads containers and writes nothing."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(5)))
    assert run(texts, tmp_path / "dist", dry_run=True).changes.new == 5
    assert not (tmp_path / "dist" / "texts").exists()
    run(texts, tmp_path / "dist")
    put(texts, a_jsonl=rows(*range(4)) + rows(4, 5, seed=9))
    changes = run(texts, tmp_path / "dist", dry_run=True).changes
    assert (changes.new, changes.changed, changes.same, changes.gone) == (1, 1, 4, 0)


@pytest.mark.parametrize("stage", ["unpack", "read", "judge"])
def test_a_run_that_broke_off_is_taken_up(tmp_path: Path, stage: str) -> None:
    """What was unpacked is not unpacked again, and the release is that of a run without a break."""
    texts = put(tmp_path / "texts", a_jsonl=rows(*range(12)), b_jsonl=rows(*range(20, 25)))
    with pytest.raises(KeyboardInterrupt):
        run(texts, tmp_path / "dist", Calls(lambda name, number: (name, number) == (stage, 0)))
    run(texts, tmp_path / "dist")
    (tmp_path / "again").mkdir()
    run(texts, tmp_path / "again" / "dist")
    assert tree(tmp_path / "dist" / "texts") == tree(tmp_path / "again" / "dist" / "texts")


def test_a_large_file_is_cut_for_several_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans of JSON lines and row groups of Parquet give each record once, in its order, numbered by the file."""
    from copydesk.sources import reading

    monkeypatch.setattr(reading.pieces, "__defaults__", (1, 2_000))
    lines = b"".join(json.dumps({"text": f"{number}. " + "x" * 100}).encode() + b"\n" for number in range(200))
    put(tmp_path / "texts", a_jsonl=lines, b_parquet=written("parquet", {f"p{n}": "y" * 1500 for n in range(9)}))
    job = settle(Options(paths=(tmp_path / "texts",), name="x", into=tmp_path / "dist"))
    calls = Calls()
    (tmp_path / "work").mkdir()
    records = unpacked(job.files, tmp_path / "work", Cut(50), calls)
    assert len(records.folders) > 5
    uris = pl.concat([pl.read_ipc(part).select("uri") for part in records.parts])["uri"].to_list()
    assert uris == [f"a.jsonl#{number}" for number in range(1, 201)] + [f"b.parquet#p{number}" for number in range(9)]
    held = [
        pl.read_ipc(folder / "records.arrow").height for folder in as_batches(records, tmp_path / "work", Cut(50), 0)
    ]
    assert (sum(held), max(held) <= 50) == (209, True)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["jsonl.zst", "tar"])
def test_memory_is_bounded_whatever_the_container_holds(tmp_path: Path, kind: str) -> None:
    """A container of 200 MB is unpacked in two worker processes with less than 600 MB for all of them."""
    chance = random.Random(3)
    texts = {f"{number:06}": chance.randbytes(1_500).hex() for number in range(66_000)}
    data = packed(written("jsonl", texts), "zst") if kind != "tar" else written("tar", texts)
    put(tmp_path / "texts", **{f"a_{kind.replace('.', '_')}": data})
    put(tmp_path / "texts", b_txt=b"beside", c_jsonl=b'{"text": "beside"}\n')
    del texts, data
    import subprocess
    import sys

    script = Path(__file__).parent / "peak_memory.py"
    told = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "texts"), str(tmp_path / "work")], capture_output=True, check=True
    )
    records, peak = map(int, told.stdout.split())
    assert (records, peak < 600) == (66_001, True), peak
