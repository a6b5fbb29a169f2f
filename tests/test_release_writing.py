"""Shards written as tasks: in any order, again, by others, half of them before a crash; the bytes stay the same."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk.knowledge import Knowledge
from copydesk.release import draft, order, rows, writing
from copydesk.release import shards as module_of_shards
from copydesk.release.commit import write_release
from copydesk.release.facts import Facts
from copydesk.release.rows import Batch
from copydesk.release.shards import TALLY
from copydesk.release.tally import CANDIDATES, article_tally, ledger_tallies, ledger_tally
from copydesk.release.verify import verify
from copydesk.runner import Workers
from tests.release_samples import NO_REFUSALS, folder_bytes, release, sample_tables, write_batches


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Make shards of a few stories, so that a few hundred make many."""
    for name, size in (("LEAST", 5_000), ("MEAN", 10_000), ("GREATEST", 30_000)):
        patch.setattr(order, name, size)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shards in every test."""
    make_small(monkeypatch)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of two releases, each written task by task in order: with 150 stories, then with 30 others."""
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        return two_releases(tmp_path_factory.mktemp("plain"))


def two_releases(folder: Path, **options: Any) -> dict[str, bytes]:
    """Write them, and give all their files."""
    release(folder, sample_tables(range(150)), **options)
    release(folder, sample_tables(range(30, 180)), **options)
    return folder_bytes(folder)


@settings(max_examples=5, deadline=None)
@given(chance=st.randoms(use_true_random=False), most=st.sampled_from([1, 30_000, 10**9]))
def test_order_and_repetition_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, plain: dict[str, bytes], chance: Any, most: int
) -> None:
    """Tasks in any order, some twice, each from its pickle as another process gets it: every file is the same."""

    def over(stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        if stage != "write":
            return [work(item) for item in items]
        places = [*range(len(items)), *chance.choices(range(len(items)), k=len(items) // 3)]
        chance.shuffle(places)
        found = {place: work(pickle.loads(pickle.dumps(items[place]))) for place in places}
        return [found[place] for place in range(len(items))]

    assert two_releases(tmp_path_factory.mktemp("any"), over=over, most=most) == plain


@pytest.mark.parametrize(("lists", "held"), [(1, 500), (1, 1), (4, 500)])
def test_tasks_that_share_open_files_write_the_same(
    tmp_path: Path, plain: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, lists: int, held: int
) -> None:
    """A list of tasks opens each batch's file once, as many as may be held; every file of the releases is the same."""
    opened: list[Path] = []
    real = rows._mapped
    monkeypatch.setattr(rows, "_mapped", lambda path, *more: opened.append(path) or real(path, *more))
    monkeypatch.setattr(rows, "HELD", held)
    monkeypatch.setattr(draft, "LISTS", lists)
    sizes: list[int] = []

    def over(stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        found = []
        for item in items:
            opened.clear()
            found.append(work(item))
            if stage == "write":
                sizes.append(len(item))
                assert held < 500 or len(opened) == len(set(opened))
        return found

    assert two_releases(tmp_path, over=over, most=30_000) == plain
    assert max(sizes) > 2


@pytest.mark.slow
def test_worker_processes_change_nothing(tmp_path: Path) -> None:
    """Two workers write the same bytes as none; they see nothing but the tasks."""
    with Workers(2) as pool:
        release(tmp_path / "two", sample_tables(range(150)), over=pool, most=30_000)
    release(tmp_path / "none", sample_tables(range(150)))
    assert folder_bytes(tmp_path / "two") == folder_bytes(tmp_path / "none")


def resumed(home: Path, **options: Any) -> None:
    """Release 150 stories into `home/hit` from batches and tasks' files that are where they were the last time."""
    files = write_batches(home / "work", *sample_tables(range(150)))
    batches = [Batch(*pair) for pair in zip(*files, strict=True)]
    place = home / "shards"
    place.mkdir(exist_ok=True)
    facts = Facts("harbour-corpus")
    write_release(
        home / "hit", batches, NO_REFUSALS, Knowledge(), facts, base=None, place=place, most=30_000, **options
    )


def test_what_was_written_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash among the tasks only the shards of the others are made; where a file is gone, its task's are."""
    made: list[int] = []
    real = writing.parquet
    monkeypatch.setattr(writing, "parquet", lambda *told: made.append(1) or real(*told))

    def crashing(_stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        for item in items[::2]:
            work(item)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resumed(tmp_path, over=crashing)
    half = len(made)
    resumed(tmp_path)
    whole = len(made)
    assert 5 < half < whole == len(list((tmp_path / "hit" / "data").iterdir()))
    assert not list((tmp_path / "shards").glob("data-*"))  # they were moved
    (tmp_path / "hit" / "README.md").unlink()
    resumed(tmp_path)
    assert len(made) == whole
    (tmp_path / "hit" / "README.md").unlink()
    next((tmp_path / "hit" / "data").iterdir()).unlink()
    resumed(tmp_path)
    assert whole < len(made) < whole + half
    release(tmp_path / "calm", sample_tables(range(150)))
    assert folder_bytes(tmp_path / "hit") == folder_bytes(tmp_path / "calm")


WRITER = """
import os, signal, sys
from pathlib import Path
from copydesk.release import order
from copydesk.release.folder import Folder
from tests.test_release_writing import resumed

order.LEAST, order.MEAN, order.GREATEST = 5_000, 10_000, 30_000
left, real = int(sys.argv[2]), Folder.write

def killing(path, data):
    global left
    left -= 1
    if left == 0:
        path.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, data)

Folder.write = staticmethod(killing)
resumed(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("writes", [2, 30])
def test_a_writer_killed_amid_the_shards_leaves_what_the_next_uses(tmp_path: Path, writes: int) -> None:
    """SIGKILL while a file is half written: nothing is released, and the next run ends as if nothing had happened."""
    root = str(Path(__file__).parents[1])
    words = [sys.executable, "-c", WRITER, str(tmp_path), str(writes)]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "hit" / "README.md").exists()
    assert 1 <= len(list((tmp_path / "shards").glob("data-*.parquet"))) < writes
    resumed(tmp_path)
    release(tmp_path / "calm", sample_tables(range(150)))
    assert folder_bytes(tmp_path / "hit") == folder_bytes(tmp_path / "calm")
    assert verify(tmp_path / "hit") == []


def test_tallies_of_many_shards_are_those_of_each(tmp_path: Path) -> None:
    """What the footers say was counted for many shards in one go; counted shard by shard it is the same."""
    release(tmp_path, sample_tables(range(150)))
    documents = pl.concat([pl.read_parquet(path) for path in shards(tmp_path, "text", "source")])
    for path in (tmp_path / "data").glob("*.parquet"):
        frame = pl.read_parquet(path)
        tally = ledger_tally(frame, documents) if "raw" in frame.columns else article_tally(frame)
        told = pq.read_metadata(path).metadata[TALLY.encode()]
        assert told.decode() == json.dumps(tally, sort_keys=True, ensure_ascii=False)
    assert len(list((tmp_path / "data").iterdir())) > 20


WORDS = st.sampled_from(["Share", " Share\n", "Share  now", "Share\t now", "A", "Ads", "More", "x" * 401, "  "])


@given(st.lists(st.tuples(WORDS, st.sampled_from(["share", "advert"]), st.booleans()), min_size=1, max_size=60))
def test_examples_are_the_most_frequent_then_the_shortest_texts(lines: list[tuple[str, str, bool]]) -> None:
    """As counting line by line finds them: on one line, of 2 to 400 characters, five of a label."""
    fates = pl.Series("fate", ["dropped" if dropped else "text" for *_, dropped in lines])
    raw, label = (pl.Series(name, [line[at] for line in lines]) for at, name in enumerate(("raw", "label")))
    frame = pl.DataFrame([raw.cast(pl.Binary), label, fates]).with_columns(
        text=pl.lit(None, pl.String), evidence=pl.lit("rule:any")
    )
    (tally,) = ledger_tallies(frame, pl.repeat("herald", len(lines), eager=True), [len(lines)])
    counted = Counter((name, " ".join(text.split())) for text, name, dropped in lines if dropped)
    wanted: dict[str, dict[str, int]] = {}
    for (name, text), spans in sorted(counted.items(), key=lambda one: (-one[1], len(one[0][1]), one[0][1])):
        if 2 <= len(text) <= 400 and len(wanted.setdefault(name, {})) < CANDIDATES:
            wanted[name][text] = spans
    assert tally["texts"] == {name: texts for name, texts in wanted.items() if texts}


def test_a_large_shard_in_steps_is_the_shard_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups that come a few at a time make the same bytes and sizes as all of them at once."""
    for module in (writing, module_of_shards):
        monkeypatch.setattr(module, "ROW_GROUP", {"article": 8, "ledger": 24})
    for step in (1, 3, 1000):
        monkeypatch.setattr(writing, "STEP", step)
        release(tmp_path / str(step), sample_tables(range(150)))
    assert any(pq.read_metadata(path).num_row_groups > 3 for path in shards(tmp_path / "1", "raw"))
    assert folder_bytes(tmp_path / "1") == folder_bytes(tmp_path / "3") == folder_bytes(tmp_path / "1000")


def shards(folder: Path, *columns: str) -> list[Path]:
    """The files in which those columns stand side by side."""
    return [path for path in (folder / "data").iterdir() if {*columns} <= set(pq.read_schema(path).names)]
