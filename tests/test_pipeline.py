"""An ingest from end to end, by plain calls: what it releases, and what it does not depend on."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from copydesk import runner
from copydesk.config import Config
from copydesk.errors import UsageError
from copydesk.job import Options, settle
from copydesk.pipeline import ingest
from copydesk.release.restore import restore
from copydesk.release.verify import verify
from copydesk.runner import Workers
from tests.conftest import ROOT


def built(
    into: Path,
    *,
    workers: int = 1,
    batch: int = 2000,
    order: int | None = None,
    at_once: int | None = None,
    **asked: object,
):
    """Build from the samples and give the outcome; `at_once` lines are counted, and bytes of rows gathered."""
    options = Options(config=ROOT / "copydesk.toml", into=into, **asked)  # type: ignore[arg-type]
    job = settle(options)
    limits = job.config.ingest.model_copy(update={"batch_documents": batch})
    job = dataclasses.replace(job, config=job.config.model_copy(update={"ingest": limits}), workers=workers)
    if at_once is not None:
        job = dataclasses.replace(job, lines=at_once, gathered=at_once)
    if order is not None:
        shuffled = job.files.table.sample(fraction=1, shuffle=True, seed=order)
        job = dataclasses.replace(job, files=dataclasses.replace(job.files, table=shuffled))
    with Workers(workers) as pool:
        return ingest(job, pool)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a release, by name."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples' dataset, built in one batch."""
    into = tmp_path_factory.mktemp("plain")
    built(into)
    return into / "samples"


@pytest.mark.parametrize(
    ("workers", "batch", "order"),
    [(1, 3, None), (1, 2000, 7), (1, 1, 11), pytest.param(2, 4, 13, marks=pytest.mark.slow)],
)
def test_the_bytes_do_not_depend_on_how_the_work_was_cut(
    plain: Path, tmp_path: Path, workers: int, batch: int, order: int | None
) -> None:
    """Order of files, size of batches and number of workers change no byte of any file."""
    built(tmp_path, workers=workers, batch=batch, order=order)
    assert tree(tmp_path / "samples") == tree(plain)


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_which_processes_do_the_stages(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that end after each stage of many batches, as in a large corpus, change no byte."""
    monkeypatch.setattr(runner, "MANY", 2)
    built(tmp_path, workers=2, batch=4)
    assert tree(tmp_path / "samples") == tree(plain)


@pytest.mark.parametrize("at_once", [30, 200_000])
def test_the_bytes_do_not_depend_on_what_is_counted_and_written_at_once(
    plain: Path, tmp_path: Path, at_once: int
) -> None:
    """Lines counted in many ranges of keys, and shards written one by one or some together: no byte changes."""
    built(tmp_path, batch=2, at_once=at_once)
    assert tree(tmp_path / "samples") == tree(plain)


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_day_or_the_process(plain: Path, tmp_path: Path) -> None:
    """Another time zone, locale, hash seed, file times and thread count: the same bytes."""
    for path in (ROOT / "seeds").rglob("*.txt"):
        target = tmp_path / "copy" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (1_000_000_000, 1_000_000_000))
    for name in ("copydesk.toml", "seeds/metadata.csv"):
        shutil.copyfile(ROOT / name, tmp_path / "copy" / name)
    shutil.copytree(ROOT / "profiles", tmp_path / "copy" / "profiles")
    surroundings = {
        **os.environ,
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "77",
        "POLARS_MAX_THREADS": "1",
        "HOME": str(tmp_path / "home"),
    }
    subprocess.run(
        [sys.executable, "-m", "copydesk", "ingest", "--no-prefect", "--into", str(tmp_path)],
        check=True,
        cwd=tmp_path / "copy",
        env=surroundings,
        capture_output=True,
    )
    assert tree(tmp_path / "samples") == tree(plain)


def test_the_raw_files_come_back(plain: Path, tmp_path: Path) -> None:
    """Restored files are the seeds, byte for byte, in all encodings."""
    restore(plain, None, tmp_path)
    raw = {path.relative_to(ROOT / "seeds"): path.read_bytes() for path in (ROOT / "seeds").rglob("*.txt")}
    assert {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.txt")} == raw


def test_a_release_verifies(plain: Path) -> None:
    """Every hash, count and number of a fresh release holds."""
    assert verify(plain) == []


def test_no_change_no_release(tmp_path: Path) -> None:
    """A second ingest of the same files releases nothing and touches no file."""
    built(tmp_path)
    before = {name: (tmp_path / "samples" / name).stat().st_mtime_ns for name in tree(tmp_path / "samples")}
    assert built(tmp_path).version is None
    assert {name: (tmp_path / "samples" / name).stat().st_mtime_ns for name in tree(tmp_path / "samples")} == before


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of ten small texts."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.txt").write_text(f"The boat number {number} left the harbour at noon, the office said.\n")
    return folder


def ingested(texts: Path, tmp_path: Path, **asked: object):
    job = settle(Options(paths=(texts,), into=tmp_path / "dist", **asked))  # type: ignore[arg-type]
    with Workers(1) as pool:
        return ingest(job, pool)


def test_append_keeps_what_vanished_and_mirror_lets_it_go(texts: Path, tmp_path: Path) -> None:
    """A vanished file's article stays by default; in mirror mode it goes, in a new version."""
    assert ingested(texts, tmp_path).documents == 10
    (texts / "0.txt").unlink()
    (texts / "10.txt").write_text("A new boat came in after dark, and nobody saw its name or its captain.\n")
    outcome = ingested(texts, tmp_path)
    assert (outcome.version, outcome.documents) == ("1.1.0", 11)
    assert (outcome.changes.new, outcome.changes.same, outcome.changes.gone) == (1, 9, 1)
    assert verify(tmp_path / "dist" / "texts") == []
    with pytest.raises(UsageError, match=r"would remove 1 of 11 articles.*--allow-shrink"):
        ingested(texts, tmp_path, mode="mirror")
    outcome = ingested(texts, tmp_path, mode="mirror", allow_shrink=True)
    assert (outcome.version, outcome.documents) == ("1.2.0", 10)
    assert verify(tmp_path / "dist" / "texts") == []


def test_a_dry_run_writes_nothing(texts: Path, tmp_path: Path) -> None:
    """A dry run tells what is new, changed and gone, and leaves no file."""
    outcome = ingested(texts, tmp_path, dry_run=True)
    assert outcome.changes.new == 10
    assert not (tmp_path / "dist").exists()
    ingested(texts, tmp_path)
    (texts / "1.txt").write_text("Something else happened, the harbour office said on Tuesday.\n")
    outcome = ingested(texts, tmp_path, dry_run=True)
    assert (outcome.changes.changed, outcome.changes.same, outcome.version) == (1, 9, None)


def test_copies_are_marked_and_kept(plain: Path) -> None:
    """Of a text, its exact copy and its reprint the earliest stands for the others, which name it."""
    import polars as pl

    from copydesk.carry import last_release

    last = last_release(plain)
    assert last is not None
    marked = pl.concat([pl.read_parquet(plain / shard.file) for shard in last.manifest.shards("article")])
    twins = marked.filter(pl.col("duplicate_cluster").is_not_null())
    assert sorted(twins["uri"]) == [
        "archive/bridge-again.txt",
        "norda/000_5d0c1be2a7f94c11.txt",
        "papers/gazette/2018-09-15_sound-bridge-to-be-rebuilt.txt",
    ]
    assert twins["duplicate_of"].null_count() == 1


def test_one_broken_file_goes_to_quarantine_and_stops_no_other(texts: Path, tmp_path: Path) -> None:
    """A picture named .txt and an empty file are left out with reasons; the others are released."""
    (texts / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    (texts / "empty.txt").write_bytes(b"")
    outcome = ingested(texts, tmp_path)
    assert outcome.documents == 10
    assert {uri for uri, _ in outcome.refused} == {"picture.txt", "empty.txt"}
    assert all(reason for _, reason in outcome.refused)


def test_the_configuration_of_the_samples_is_valid() -> None:
    """The repository's own copydesk.toml settles to the files of seeds/."""
    job = settle(Options(config=ROOT / "copydesk.toml"))
    assert isinstance(job.config, Config)
    assert len(job.files) == len(list((ROOT / "seeds").rglob("*.txt")))


SCRIPT = """
from copydesk.runner import Workers

print("begun")
with Workers(2) as pool:
    print(pool("letters", len, ["a", "bc", "def"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("by_pipe", [True, False])
def test_a_script_needs_no_guard(tmp_path: Path, *, by_pipe: bool) -> None:
    """Worker processes do not run the script again that starts them, be it a file or read from a pipe."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-" if by_pipe else str(script)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, input=SCRIPT if by_pipe else "", cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout.splitlines()) == (0, ["begun", "[1, 2, 3]"]), run.stderr
