"""Writing releases: functions of the set, numbered, committed by one rename, refused with a remedy."""

# ruff: noqa: E501 -- tables of cases: one a line

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from copydesk.errors import ReleaseError, UsageError
from copydesk.knowledge import Knowledge
from copydesk.release import commit, order, writing
from copydesk.release.facts import Facts
from copydesk.release.folder import Folder
from copydesk.release.manifest import read_card, read_manifest
from copydesk.schema import load_schema
from tests.release_samples import NO_REFUSALS, folder_bytes, release, sample_tables

REFUSED = pl.DataFrame(
    [("a" * 16, "bad.txt", "harbour", "b" * 64, "byte 17 is no text")], schema=NO_REFUSALS.schema, orient="row"
)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """Shards of about 30 KB, so that a few hundred documents make several."""
    monkeypatch.setattr(order, "LEAST", 10_000)
    monkeypatch.setattr(order, "MEAN", 30_000)
    monkeypatch.setattr(order, "GREATEST", 80_000)


def _manifest(folder: Path, number: int = -1):
    return read_manifest(folder, read_card(folder)[number])


def _ids(folder: Path, number: int = -1) -> list[str]:
    return [
        name
        for shard in _manifest(folder, number).shards("article")
        for name in pl.read_parquet(folder / shard.file)["id"]
    ]


@pytest.mark.parametrize("batches", [{"size": 7}, {"size": 50, "shuffle": 1}, {"size": 1000, "shuffle": 2}])
def test_a_release_does_not_depend_on_batches_and_their_order(tmp_path, batches):
    """Every byte of every file is the same, however the rows come."""
    rows = sample_tables(range(200))
    release(tmp_path / "a", rows)
    release(tmp_path / "b", rows, batches=batches)
    assert folder_bytes(tmp_path / "a") == folder_bytes(tmp_path / "b")
    assert len(_manifest(tmp_path / "a").shards("article")) > 2


def test_a_release_does_not_depend_on_process_threads_or_hash_seed(tmp_path):
    """Another process with another hash seed and other threads writes the same bytes."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.release_samples import release, sample_tables\n"
        "release(Path(sys.argv[1]), sample_tables(range(60)))\n"
    )
    found = []
    for seed, threads in (("1", "1"), ("77", "4")):
        folder = tmp_path / seed / "same-name"
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "POLARS_MAX_THREADS": threads,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        command = [sys.executable, "-c", code, str(folder)]
        subprocess.run(command, check=True, env=environment)
        found.append(folder_bytes(folder))
    assert found[0] == found[1]


def test_rows_are_ordered_by_day_then_id_with_unknown_days_last(tmp_path):
    """And the ledger's documents stand in the same order, each with its lines in order."""
    articles, ledger = sample_tables(range(120))
    release(tmp_path, (articles, ledger), batches={"shuffle": 3})
    keys = [
        (day is None, day.date() if day else None, name) for day, name in articles.select("published_at", "id").rows()
    ]
    expected = [name for *_, name in sorted(keys, key=lambda key: (key[0], str(key[1]), key[2]))]
    assert _ids(tmp_path) == expected
    rows = pl.concat([pl.read_parquet(tmp_path / shard.file) for shard in _manifest(tmp_path).shards("ledger")])
    assert rows["id"].unique(maintain_order=True).to_list() == expected
    order_of = {name: number for number, name in enumerate(expected)}
    assert rows.equals(rows.sort(pl.col("id").replace_strict(order_of), "line", "span"))


def test_no_document_straddles_two_ledger_shards(tmp_path):
    """The ids of the ledger's shards are disjoint."""
    release(tmp_path, sample_tables(range(200)))
    seen: set[str] = set()
    shards = _manifest(tmp_path).shards("ledger")
    for shard in shards:
        ids = set(pl.read_parquet(tmp_path / shard.file)["id"])
        assert not ids & seen
        seen |= ids
    assert len(shards) > 2


def test_an_insertion_rewrites_its_neighbours_only(tmp_path):
    """One more document changes at most two shards of the articles and two of the ledger."""
    rows = sample_tables(range(400))
    release(tmp_path, rows)
    before = {table: {shard.file for shard in _manifest(tmp_path).shards(table)} for table in ("article", "ledger")}
    more = sample_tables([200_000])
    middle = more[0].with_columns(published_at=rows[0]["published_at"].drop_nulls().sort()[180])
    assert release(tmp_path, (pl.concat([rows[0], middle]), pl.concat([rows[1], more[1]]))).version == "1.1.0"
    for table, files in before.items():
        now = {shard.file for shard in _manifest(tmp_path).shards(table)}
        assert len(files) > 6
        assert len(now - files) <= 2


def test_growth_at_the_end_rewrites_the_last_shard_only(tmp_path):
    """Documents of later days leave all shards but the last as they are."""
    articles, ledger = sample_tables(range(300))
    articles = articles.with_columns(pl.col("published_at").fill_null(pl.col("published_at").min()))
    release(tmp_path, (articles, ledger))
    files = [shard.file for shard in _manifest(tmp_path).shards("article")]
    more = sample_tables(range(3000, 3010))
    later = more[0].with_columns(pl.col("published_at").fill_null(more[0]["published_at"].max()))
    release(tmp_path, (pl.concat([articles, later]), pl.concat([ledger, more[1]])))
    assert [shard.file for shard in _manifest(tmp_path).shards("article")][: len(files) - 1] == files[:-1]


@pytest.mark.parametrize("seed", range(8))
def test_shards_keep_their_bounds_and_mean(seed, monkeypatch):
    """No shard passes GREATEST (but one huge row), all but the last have LEAST, their mean is near MEAN."""
    monkeypatch.setattr(order, "LARGEST", 1)
    monkeypatch.setattr(order, "TAIL", 1)
    draw = random.Random(seed)
    weights = [draw.choice([50, 500, 5_000, 20_000]) for _ in range(20_000)]
    ends = order.cut([draw.getrandbits(32) for _ in weights], weights)
    sizes = [sum(weights[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    assert ends == sorted(set(ends))
    assert ends[-1] == len(weights)
    assert all(size >= order.LEAST for size in sizes[:-1])
    assert all(size <= order.GREATEST for size in sizes)
    assert 0.7 * order.MEAN < sum(sizes) / len(sizes) < 1.3 * order.MEAN


@pytest.mark.parametrize("seed", range(8))
def test_growth_rewrites_the_smallest_shards_of_the_tail(seed):
    """What stood before the tail's last small shard stands after growth as well, or was joined in a larger shard."""
    draw = random.Random(seed)
    weights = [draw.choice([50, 500, 2_000]) for _ in range(draw.randint(10, 600))]
    drawn = [draw.getrandbits(32) for _ in range(700)]
    before = order.cut(drawn[: len(weights)], weights)
    after = order.cut(drawn[: len(weights) + 20], [*weights, *(500 for _ in range(20))])
    assert before[-1] == len(weights)
    kept = [end for end in before[:-1] if end in after]
    joined = [end for end in before[:-1] if end not in after]
    assert kept == before[: len(kept)]
    assert not joined or after[len(kept)] > joined[-1]
    assert order.cut(drawn[: len(weights)], weights) == before


def test_a_row_greater_than_a_shard_has_one_of_its_own():
    """It is neither lost nor joined with others."""
    assert order.cut([1, 2, 3], [10, 1_000_000, 10]) in ([1, 2, 3], [2, 3])
    assert order.cut([], []) == []


def test_shards_are_zstd_with_page_index_and_their_tally(tmp_path):
    """What is written into the Parquet files, as the docs say."""
    release(tmp_path, sample_tables(range(50)))
    for table in ("article", "ledger"):
        for shard in _manifest(tmp_path).shards(table):
            footer = pq.ParquetFile(tmp_path / shard.file)
            assert footer.metadata.num_rows == shard.rows > 0
            column = footer.metadata.row_group(0).column(0)
            assert column.compression == "ZSTD"
            assert column.has_column_index
            assert column.has_offset_index
            assert set(footer.metadata.metadata or {}) <= {b"ARROW:schema", b"copydesk.tally"}
            assert footer.schema_arrow.equals(load_schema(table).arrow)


def test_an_unchanged_release_touches_no_file(tmp_path):
    """The second ingest of the same rows makes no release; not even a modification time differs."""
    rows = sample_tables(range(80))
    assert release(tmp_path, rows).version == "1.0.0"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".work" not in path.parts}
    found = release(tmp_path, rows, batches={"shuffle": 4})
    assert (found.version, found.cause, found.base, found.new_files) == (None, None, "1.0.0", 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".work" not in path.parts} == before
    assert not list((tmp_path / ".work").glob("stage/*"))


def test_versions_say_what_changed(tmp_path):
    """PATCH for words and quarantine, MINOR for rows of articles or ledger, each with its cause."""
    articles, ledger = sample_tables(range(30))
    steps = [
        ({}, (articles, ledger), "1.0.0", "first"),
        ({"facts": Facts("harbour-corpus", description="From one harbour.")}, (articles, ledger), "1.0.1", "description"),
        ({"facts": Facts("harbour-corpus", description="From one harbour."), "quarantine": REFUSED}, (articles, ledger), "1.0.2", "description"),
        ({}, sample_tables(range(31)), "1.1.0", "rows"),
        ({}, (articles.with_columns(split=pl.lit("test")), ledger), "1.2.0", "rows"),
        ({}, (articles, ledger.with_columns(confidence=pl.lit(0.5, pl.Float32))), "1.3.0", "rows"),
        ({"knowledge": Knowledge(documents=5)}, (articles, ledger.with_columns(confidence=pl.lit(0.5, pl.Float32))), None, None),
    ]  # fmt: skip
    for options, rows, version, cause in steps:
        found = release(tmp_path, rows, **options)
        assert (found.version, found.cause) == (version, cause)
    assert [one.version for one in read_card(tmp_path)] == ["1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.2.0", "1.3.0"]


def test_a_column_that_goes_or_changes_type_is_a_major_version(tmp_path, monkeypatch):
    """A new column is a minor one, a new description of a column a patch."""
    rows = sample_tables(range(10))
    schemas = {name: load_schema(name) for name in ("article", "ledger")}
    monkeypatch.setattr(commit, "load_schema", schemas.__getitem__)
    full = schemas["ledger"]
    schemas["ledger"] = replace(full, fields=full.fields[:-1])
    assert release(tmp_path, rows).version == "1.0.0"
    schemas["ledger"] = full
    assert release(tmp_path, rows).version == "1.1.0"
    schemas["ledger"] = replace(full, fields=(replace(full.fields[0], description="Name."), *full.fields[1:]))
    assert release(tmp_path, rows).version == "1.1.1"
    schemas["ledger"] = replace(full, fields=full.fields[:-1])
    assert release(tmp_path, rows).version == "2.0.0"
    schemas["ledger"] = replace(full, fields=(*full.fields[:-1], replace(full.fields[-1], physical="float64")))
    assert release(tmp_path, rows).version == "2.1.0"


def test_old_releases_keep_every_byte(tmp_path):
    """A later release adds files and replaces the card and what goes with it, nothing else."""
    release(tmp_path, sample_tables(range(100)))
    before = folder_bytes(tmp_path)
    release(tmp_path, sample_tables(range(20, 130)), quarantine=REFUSED)
    after = folder_bytes(tmp_path)
    changed = {name for name, data in before.items() if after.get(name) != data}
    assert {name for name in changed if not name.startswith("plots/")} == {
        "README.md",
        "CHANGELOG.md",
        "croissant.json",
    }
    assert _ids(tmp_path, 0) != _ids(tmp_path)


def test_several_splits_make_no_empty_one_and_share_no_shard(tmp_path):
    """Rows of a split stand in its own shards; the usual splits come first."""
    articles, ledger = sample_tables(range(60))
    splits = pl.Series(["test" if number % 10 == 0 else "train" for number in range(60)])
    release(tmp_path, (articles.with_columns(split=splits), ledger))
    found = _manifest(tmp_path).splits("article")
    assert list(found) == ["train", "test"]
    for split, shards in found.items():
        assert shards
        assert all(set(pl.read_parquet(tmp_path / shard.file)["split"]) == {split} for shard in shards)


def test_knowledge_and_quarantine_are_kept_with_their_hashes(tmp_path):
    """Both can be read back; the manifest names their files."""
    known = Knowledge(tags=pl.DataFrame({"tag": ["ferries"], "documents": [3]}), documents=12)
    release(tmp_path, sample_tables(range(5)), knowledge=known, quarantine=REFUSED)
    body = _manifest(tmp_path).body
    assert Knowledge.load(tmp_path / "knowledge" / body["knowledge"]["digest"]).digest == known.digest
    lines = (tmp_path / body["quarantine"]["file"]).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["uri"] for line in lines] == ["bad.txt"]
    assert body["quarantine"]["reasons"] == {"byte N is no text": 1}


def test_no_clock_enters_a_release(tmp_path, monkeypatch):
    """The date is SOURCE_DATE_EPOCH's, else the last day of the data; a wrong one is refused."""
    rows = sample_tables(range(10))
    release(tmp_path / "data", rows)
    assert _manifest(tmp_path / "data").body["date"] == rows[0]["published_at"].max().date().isoformat()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    release(tmp_path / "epoch", rows)
    assert _manifest(tmp_path / "epoch").body["date"] == "1970-01-02"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="give whole seconds"):
        release(tmp_path / "wrong", rows)


def test_an_increment_equals_a_build_at_once(tmp_path):
    """The files of the rows are the same whether they came in one ingest or two."""
    release(tmp_path / "once", sample_tables(range(150)))
    release(tmp_path / "twice", sample_tables(range(90)))
    release(tmp_path / "twice", sample_tables(range(150)))
    assert _manifest(tmp_path / "once").body["tables"] == _manifest(tmp_path / "twice").body["tables"]
    assert _manifest(tmp_path / "once").body["content"] == _manifest(tmp_path / "twice").body["content"]


def test_without_articles_there_is_no_release(tmp_path):
    """Neither no batches nor empty ones make one; the message says where to look."""
    articles, ledger = sample_tables(range(2))
    with pytest.raises(ReleaseError, match="every document is in quarantine"):
        release(tmp_path, (articles.clear(), ledger.clear()))
    with pytest.raises(ReleaseError, match="every document is in quarantine"):
        commit.write_release(tmp_path, [], REFUSED, Knowledge(), Facts("x"))
    assert not (tmp_path / "README.md").exists()


def test_rows_that_break_the_schema_or_have_no_ledger_are_refused(tmp_path):
    """They belong into quarantine; a release never holds them. A repeated id is refused too."""
    articles, ledger = sample_tables(range(5))
    with pytest.raises(ReleaseError, match="language does not match"):
        release(tmp_path, (articles.with_columns(language=pl.lit("English")), ledger))
    with pytest.raises(ReleaseError, match="has no ledger rows"):
        release(tmp_path, (articles, ledger.filter(pl.col("id") != articles["id"][2])))
    with pytest.raises(ReleaseError, match="have the same id"):
        release(tmp_path, (pl.concat([articles, articles[:1]]), ledger))
    assert folder_bytes(tmp_path) == {}


def test_ledger_rows_without_an_article_are_left_out(tmp_path):
    """A document in quarantine leaves nothing behind in the ledger."""
    articles, ledger = sample_tables(range(20))
    release(tmp_path, (articles[3:], ledger))
    rows = pl.concat([pl.read_parquet(tmp_path / shard.file) for shard in _manifest(tmp_path).shards("ledger")])
    assert set(rows["id"]) == set(articles[3:]["id"])


def test_a_commit_on_an_old_base_is_refused(tmp_path):
    """Where another release was made meanwhile, the ingest is told to run again; nothing is written."""
    rows = sample_tables(range(10))
    release(tmp_path, rows, base=None)
    first = read_card(tmp_path)[-1]
    release(tmp_path, sample_tables(range(11)), base=first)
    before = folder_bytes(tmp_path)
    with pytest.raises(ReleaseError, match=r"newest release is 1\.1\.0, and this ingest was based on 1\.0\.0"):
        release(tmp_path, sample_tables(range(12)), base=first)
    with pytest.raises(ReleaseError, match="based on none"):
        release(tmp_path, sample_tables(range(12)), base=None)
    assert folder_bytes(tmp_path) == before


@pytest.mark.parametrize("step", [1, 3, 5, 6, 8])
def test_a_crash_before_the_card_leaves_the_old_release(tmp_path, monkeypatch, step):
    """Whichever file is written last, the card is the old one, and the next ingest comes out as if nothing was."""
    rows = sample_tables(range(40)), sample_tables(range(60))
    release(tmp_path / "hit", rows[0])
    release(tmp_path / "calm", rows[0])
    card = (tmp_path / "hit" / "README.md").read_bytes()
    written = []
    real = Folder.write

    def failing(path, data):
        written.append(path)
        if len(written) == step:
            path.write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(Folder, "write", staticmethod(failing))
    crashed = False
    try:
        release(tmp_path / "hit", rows[1])
    except KeyboardInterrupt:
        crashed = True
        assert (tmp_path / "hit" / "README.md").read_bytes() == card
    monkeypatch.setattr(Folder, "write", staticmethod(real))
    release(tmp_path / "calm", rows[1])
    if crashed:
        release(tmp_path / "hit", rows[1])
    found, expected = folder_bytes(tmp_path / "hit"), folder_bytes(tmp_path / "calm")
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("moved", [0, 2, 5, 7, 9])
def test_a_crash_among_the_renames_is_healed_by_the_next_ingest(tmp_path, monkeypatch, moved):
    """Some files are in place, others are not, of the knowledge too: the next ingest puts the rest beside them."""
    rows = sample_tables(range(40))
    release(tmp_path / "calm", rows)
    real = Folder.publish

    def failing(self, staged):
        real(self, dict(list(staged.items())[:moved]))
        raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "publish", failing)
    with pytest.raises(KeyboardInterrupt):
        release(tmp_path / "hit", rows)
    assert read_card(tmp_path / "hit") == []
    monkeypatch.setattr(Folder, "publish", real)
    assert release(tmp_path / "hit", rows).version == "1.0.0"
    assert folder_bytes(tmp_path / "hit") == folder_bytes(tmp_path / "calm")


def test_only_one_process_writes_at_a_time(tmp_path, monkeypatch):
    """Another process that holds the lock is named as the reason; threads of one process nest."""
    monkeypatch.setattr("copydesk.release.folder.LOCK_SECONDS", 0.2)
    (tmp_path / ".work").mkdir()
    code = (
        "import sys, filelock\n"
        "with filelock.FileLock(sys.argv[1]):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / ".work" / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ReleaseError, match="another copydesk is writing here"):
            release(tmp_path, sample_tables(range(3)))
        other.stdin.close()
    with Folder(tmp_path).opened():
        thread = threading.Thread(target=release, args=(tmp_path, sample_tables(range(3))))
        thread.start()
        thread.join()
    assert read_card(tmp_path)[-1].version == "1.0.0"


def _file_at(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine", encoding="utf-8")


BLOCKED = [
    (_file_at, "is a file where a folder is needed"),
    (lambda d: _file_at(d.parent), "is a file where a folder is needed|a file is in the way"),
    (lambda d: _file_at(d / "data"), "is a file where a folder is needed"),
    (lambda d: _file_at(d / "releases"), "is a file where a folder is needed"),
    (lambda d: _file_at(d / "README.md"), "has no YAML head, so it is no card of copydesk"),
    (lambda d: (d / "README.md").mkdir(parents=True), "cannot be read"),
    (lambda d: (d.mkdir(parents=True), (d / "data").symlink_to(d.parent.parent)), "is a link"),
    (lambda d: (d.mkdir(parents=True), (d / ".work").symlink_to(d.parent.parent)), "is a link"),
]


@pytest.mark.parametrize(("block", "message"), BLOCKED)
def test_what_is_in_the_way_is_named_and_kept(tmp_path, block, message):
    """The path and the remedy are told, and nothing of the user's is changed."""
    destination = tmp_path / "dist" / "harbour"
    block(destination)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and ".work" not in path.parts}
    with pytest.raises(ReleaseError, match=message) as caught:
        release(destination, sample_tables(range(3)))
    assert str(tmp_path) in str(caught.value)
    assert {path: path.read_bytes() for path in before} == before
    assert not (destination / "README.md").is_file() or destination / "README.md" in before


def test_a_disk_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """What the system says becomes a ReleaseError with the path and what to do."""

    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Folder, "write", staticmethod(full))
    with pytest.raises(ReleaseError, match=r"parquet: cannot be written \(No space left on device\); free some space"):
        release(tmp_path, sample_tables(range(3)))


@pytest.mark.skipif(os.geteuid() == 0, reason="the root user may write everywhere")
def test_a_folder_without_the_right_to_write_is_named(tmp_path):
    """The message says to get the right or to choose another folder."""
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(ReleaseError, match=r"is not writable|give yourself the right"):
        release(tmp_path / "locked" / "harbour", sample_tables(range(3)))


def test_a_damaged_shard_in_the_way_is_not_built_upon(tmp_path):
    """A file of the right name and the wrong size is named as damaged."""
    rows = sample_tables(range(10))
    release(tmp_path / "a", rows)
    shard = _manifest(tmp_path / "a").shards("article")[0]
    _file_at(tmp_path / "b" / shard.file)
    with pytest.raises(ReleaseError, match="it is damaged: delete it"):
        release(tmp_path / "b", rows)


def test_memory_holds_the_rows_of_one_task(tmp_path, monkeypatch):
    """Rows are gathered for some shards at a time, of so many bytes together, or for one: never all at once."""
    sizes, tables = [], []
    real = writing.arrow_table
    monkeypatch.setattr(writing, "arrow_table", lambda *told: sizes.append(told[1].height) or real(*told))
    for most in (1, 40_000):
        sizes.clear()
        release(tmp_path / str(most), sample_tables(range(300)), most=most)
        tables.append(list(sizes))
        assert sum(sizes) > 1000
        assert max(sizes) < sum(sizes) / 5
    assert len(tables[0]) > 2 * len(tables[1])
    assert len(tables[0]) == len(list((tmp_path / "1" / "data").iterdir()))
    assert folder_bytes(tmp_path / "1") == folder_bytes(tmp_path / "40000")


@pytest.mark.parametrize("name", ["../stray", "/stray", "data/../../stray", "data//x", "data/\0", ".."])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    """Names come from stores, manifests and patches as well; none of them is written outside."""
    with Folder(tmp_path / "harbour").opened() as folder:
        for write in (folder.replace, folder.stage):
            with pytest.raises(ReleaseError, match="does not stay in this folder"):
                write(name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["harbour"]
