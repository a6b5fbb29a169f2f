"""The ceiling of memory: what it makes of workers and batches, and that an ingest stays below it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale import corpus
from copydesk.budget import LEAST, LINES, RUN, WORKER, Budget, within
from copydesk.config import load_config, memory_size
from copydesk.errors import ConfigError, UsageError
from copydesk.job import Options, settle
from tests.conftest import ROOT
from tests.peak_memory import megabytes
from tests.test_pipeline import tree

ASKED = Budget(4, 2_000, 32_000_000)


@given(ceiling=st.integers(0, 10**11), workers=st.integers(1, 64))
def test_a_budget_is_within_its_ceiling(ceiling: int, workers: int) -> None:
    """Never more than was asked for, never more than fits by the figures; more memory never means less of it."""
    asked = Budget(workers, 2_000, 32_000_000)
    try:
        found = within(ceiling, asked)
    except UsageError:
        assert ceiling < RUN + LEAST
        return
    assert 1 <= found.workers <= workers
    assert 1 <= found.documents <= 2_000
    assert LEAST // 100 <= found.bytes <= 32_000_000
    processes = found.workers if found.workers > 1 else 0
    assert RUN + processes * WORKER + found.workers * 45 * found.bytes <= ceiling
    assert within(ceiling + 10**9, asked).workers >= found.workers


def test_without_a_ceiling_nothing_changes() -> None:
    """And with one that is high enough neither."""
    assert within(None, ASKED) == ASKED
    assert within(10**11, ASKED) == ASKED
    assert ASKED.lines == LINES


@pytest.mark.parametrize(
    ("written", "size"),
    [("1.5GB", 1_500_000_000), ("800mb", 800_000_000), ("2 GiB", 2 * 2**30), ("64KB", 64_000), (7, 7), (None, None)],
)
def test_sizes_are_read(written: object, size: int | None) -> None:
    """As people write them."""
    assert memory_size(written) == size


@pytest.mark.parametrize("written", ["much", "-1GB", "1", "1.5", "GB", "1e9GB"])
def test_other_sizes_are_refused(written: str, tmp_path: Path) -> None:
    """On the command line and in copydesk.toml, with an example of one that is right."""
    (tmp_path / "a.txt").write_text("A story.\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--memory .*: memory is written .1?"):
        settle(Options(paths=(tmp_path,), into=tmp_path / "dist", memory=written))
    (tmp_path / "copydesk.toml").write_text(f'[ingest]\nmemory = "{written}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"memory is written"):
        load_config(tmp_path / "copydesk.toml")


def test_too_little_is_refused(tmp_path: Path) -> None:
    """The message says how much it takes at least."""
    (tmp_path / "a.txt").write_text("A story.\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--memory of 200,000,000 bytes: an ingest takes 425MB at least"):
        settle(Options(paths=(tmp_path,), into=tmp_path / "dist", memory="200MB"))


def test_a_job_is_cut_by_its_ceiling(tmp_path: Path) -> None:
    """The option and the key do the same; on a cluster the ceiling is that of a process."""
    (tmp_path / "a.txt").write_text("A story.\n", encoding="utf-8")
    (tmp_path / "copydesk.toml").write_text('[ingest]\nmemory = "800MB"\nworkers = 4\n', encoding="utf-8")
    asked = {"paths": (tmp_path,), "into": tmp_path / "dist"}
    one, other = (
        settle(Options(**asked, memory="800MB", workers=4)),
        settle(Options(**asked, config=tmp_path / "copydesk.toml")),
    )
    assert (one.workers, one.lines, one.config.ingest.batch_bytes) == (
        other.workers, other.lines, other.config.ingest.batch_bytes,
    )  # fmt: skip
    assert one.workers == 2
    assert one.config.ingest.batch_documents < 2_000
    spread = settle(Options(**asked, memory="800MB", workers=4, runner="tcp://127.0.0.1:1"))
    assert spread.workers == 4
    assert spread.config.ingest.batch_bytes > one.config.ingest.batch_bytes


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is told by /proc, Linux only")
def test_the_ceiling_is_kept(tmp_path: Path) -> None:
    """Four thousand pages with four workers asked for: below 600 MB, and the bytes of an ingest without a ceiling."""
    corpus(tmp_path / "raw", 4_000)
    peaks = {}
    for name, options in (("free", ["--workers", "2"]), ("bound", ["--workers", "4", "--memory", "600MB"])):
        command = [sys.executable, "-m", "copydesk", "ingest", "--no-prefect", "--name", "scale", "--into", name]
        process = subprocess.Popen(
            [*command, *options, "raw"], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        peaks[name] = 0.0
        while process.poll() is None:
            peaks[name] = max(peaks[name], megabytes(process.pid))
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert process.returncode == 0
    assert 100 < peaks["bound"] * 1.048576 < 600
    assert tree(tmp_path / "bound" / "scale") == tree(tmp_path / "free" / "scale")
