"""An ingest on a real cluster: a Dask scheduler and worker processes on loopback, some of which die."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from copydesk import cluster
from copydesk.cluster import Cluster, Terms, held_to
from copydesk.config import load_config
from copydesk.errors import ClusterError, ConfigError, UsageError
from copydesk.job import Job, Options, settle
from copydesk.pipeline import ingest
from copydesk.runner import Workers
from tests.conftest import ROOT
from tests.loopback import closed_port
from tests.prefect_server import serving
from tests.test_pipeline import tree

distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'copydesk[cluster]'")

PATIENCE = 300.0
"""Seconds to wait for what takes a few on a quiet machine."""


@dataclasses.dataclass
class Running:
    """A scheduler and its workers, each a process of its own."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    address: str
    workers: list[subprocess.Popen[bytes]]

    def add(self, number: int, **surroundings: str) -> None:
        """Start workers and wait until the scheduler has them."""
        asked = ["worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--memory-limit", "0"]
        folder = ["--local-directory", str(self.folder)]
        self.workers += [started([*asked, *folder], self.folder, **surroundings) for _ in range(number)]
        alive = sum(worker.poll() is None for worker in self.workers)
        with distributed.Client(self.address, set_as_default=False, timeout=PATIENCE) as client:
            client.wait_for_workers(alive, timeout=PATIENCE)

    def stop(self) -> None:
        """End everything that was started."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def started(asked: Sequence[str], folder: Path, **surroundings: str) -> subprocess.Popen[bytes]:
    """A process of Dask's command line, with one thread in the kernels and copydesk on its path."""
    said = {"PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dask", *asked],
            cwd=folder, env={**os.environ, **said, **surroundings}, stdout=log, stderr=log,
        )  # fmt: skip


@contextmanager
def running(folder: Path, workers: int) -> Iterator[Running]:
    """A cluster on loopback."""
    facts = folder / "scheduler.json"
    asked = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(facts)]
    scheduler = started(["scheduler", *asked], folder)
    found = Running(folder, scheduler, "", [])
    try:
        until(lambda: facts.exists() and facts.read_bytes().endswith(b"}"))
        found.address = json.loads(facts.read_text(encoding="utf-8"))["address"]
        if workers:
            found.add(workers)
        yield found
    finally:
        found.stop()


def until(true: Callable[[], Any]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


def job(into: Path, runner: str = "local", batch: int = 2) -> Job:
    """The samples, in small batches."""
    found = settle(Options(config=ROOT / "copydesk.toml", into=into, runner=runner))
    limits = found.config.ingest.model_copy(update={"batch_documents": batch})
    return dataclasses.replace(found, config=found.config.model_copy(update={"ingest": limits}), workers=1)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A scheduler and three workers."""
    with running(tmp_path_factory.mktemp("cluster"), 3) as found:
        yield found


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples' dataset as processes of this machine build it."""
    into = tmp_path_factory.mktemp("local")
    ingest(job(into, batch=2000), Workers(1))
    return into / "samples"


def killed(work: Any) -> Any:
    """A task of a stage that kills the worker it runs on, the first time that it is run at all.

    Who makes the mark dies: several workers begin a stage at once, and one that only looked whether it is there would
    die beside the first.
    """
    stage, item, mark = work
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return stage(item)
    return os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_killed_workers_change_no_byte(three: Running, local: Path, tmp_path: Path) -> None:
    """Two of three workers killed by -9, while one judges a batch and one writes shards: the bytes of a local build."""
    asked = job(tmp_path, three.address)
    with cluster.workers(asked) as pool:

        def over(stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
            if stage not in ("judge", "write"):
                return pool(stage, work, items)
            return pool(stage, killed, [(work, item, tmp_path / f"killed-{stage}") for item in items])

        outcome = ingest(asked, over)
    assert len(list(tmp_path.glob("killed-*"))) == 2
    until(lambda: sum(worker.poll() is not None for worker in three.workers) == 2)
    assert outcome.judged == outcome.documents
    assert tree(tmp_path / "samples") == tree(local)
    assert not list((tmp_path / "samples" / ".work").glob("cluster-*"))


@pytest.mark.slow
def test_the_command_line_hands_the_work_to_the_cluster(three: Running, local: Path, tmp_path: Path) -> None:
    """`--runner ADDRESS`, from a folder that the workers do not run in, with relative paths: the same bytes."""
    places = ["--config", os.path.relpath(ROOT / "copydesk.toml", tmp_path), "--into", "made"]
    limits = {"COPYDESK_INGEST__BATCH_DOCUMENTS": "3", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "copydesk", "ingest", "--no-prefect", "--runner", three.address, *places],
        cwd=tmp_path, env={**os.environ, **limits}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert tree(tmp_path / "made" / "samples") == tree(local)


@pytest.mark.slow
def test_prefect_supervises_the_cluster(
    three: Running, local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flow with a scheduler's address as its runner: the same bytes."""
    from flows.ingest import ingest_flow

    monkeypatch.setenv("COPYDESK_INGEST__BATCH_DOCUMENTS", "3")
    with serving():
        ingest_flow(config=str(ROOT / "copydesk.toml"), into=str(tmp_path), runner=three.address)
    assert tree(tmp_path / "samples") == tree(local)


@pytest.mark.slow
def test_workers_may_come_and_go(tmp_path: Path) -> None:
    """A run whose only worker dies goes on with one that comes later; one whose scheduler dies ends with the remedy."""
    with running(tmp_path, 1) as found, Cluster(found.address, tmp_path / "work") as pool:
        assert pool.submit(os.getpid).result(PATIENCE) == found.workers[0].pid
        found.workers[0].kill()
        waiting = pool.submit(os.getpid)
        found.workers[0].wait()
        found.add(1)
        assert waiting.result(PATIENCE) == found.workers[1].pid
        endless = pool.submit(time.sleep, 600)
        threading.Timer(0.5, found.scheduler.kill).start()
        with pytest.raises(ClusterError, match=r"the scheduler is gone; start it"):
            endless.result(PATIENCE)


@pytest.mark.slow
def test_a_cluster_without_workers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start and later: nobody waits for ever for a worker that does not come."""
    monkeypatch.setattr(cluster, "LOOKS", 0.1)
    monkeypatch.setattr(cluster, "FORSAKEN", 1.0)
    with running(tmp_path, 0) as found:
        with monkeypatch.context() as patch:
            patch.setattr(cluster, "PATIENCE", 1.0)
            with pytest.raises(ClusterError, match="the scheduler has no worker; start some with `dask worker tcp://"):
                Cluster(found.address, tmp_path / "work")
        assert not list((tmp_path / "work").iterdir())
        found.add(1)
        with Cluster(found.address, tmp_path / "work") as pool:
            waiting = pool.submit(time.sleep, 600)
            found.workers[0].kill()
            with pytest.raises(ClusterError, match="no worker for 1 seconds"):
                waiting.result(PATIENCE)


def test_no_scheduler_is_an_error_that_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens at the address: the command to start a scheduler, and no file left behind."""
    monkeypatch.setattr(cluster, "ANSWERS", 1.0)
    told = r"no Dask scheduler answers there .*start one with `dask scheduler`"
    with closed_port() as port, pytest.raises(ClusterError, match=told):
        Cluster(f"tcp://127.0.0.1:{port}", tmp_path / "work")
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize("name", ["copydesk's code", "Python", "polars", "numpy"])
def test_a_worker_of_another_version_is_refused(tmp_path: Path, name: str) -> None:
    """What a release hangs on must be the same on every worker."""
    terms = Terms.here(tmp_path)
    held_to(terms)
    made = tuple((one, "0.0" if one == name else version) for one, version in terms.made)
    with pytest.raises(ClusterError, match=f"{name} .*, and this run 0.0: install the same versions"):
        held_to(dataclasses.replace(terms, made=made))


def test_a_worker_that_does_not_see_the_folder_is_refused(tmp_path: Path) -> None:
    """No folder under that path, or another one that happens to have it."""
    terms = Terms.here(tmp_path)
    with pytest.raises(ClusterError, match=r"does not see .*elsewhere .*give --into a folder that every worker"):
        held_to(dataclasses.replace(terms, file=tmp_path / "elsewhere" / "file"))
    with pytest.raises(ClusterError, match="sees another folder"):
        held_to(dataclasses.replace(terms, token="another"))


@pytest.mark.parametrize("where", ["spark://host:7077", "10.0.0.1:8786", "tcp://host", "tcp://:8786", "Local", ""])
def test_an_address_that_is_none_is_refused(tmp_path: Path, where: str) -> None:
    """On the command line and in copydesk.toml; the message names the value and an example."""
    (tmp_path / "a.txt").write_text("A story.\n", encoding="utf-8")
    if where:
        with pytest.raises(UsageError, match=r"neither .*local.* such as tcp://"):
            settle(Options(paths=(tmp_path,), into=tmp_path / "dist", runner=where))
    (tmp_path / "copydesk.toml").write_text(f'[ingest]\nrunner = "{where}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="such as tcp://"):
        load_config(tmp_path / "copydesk.toml")


def test_a_run_that_only_looks_asks_nobody(tmp_path: Path) -> None:
    """With --dry-run no scheduler is needed: it works in a folder of this machine."""
    asked = dataclasses.replace(job(tmp_path, "tcp://127.0.0.1:1"), dry_run=True)
    with cluster.workers(asked) as pool:
        assert ingest(asked, pool).changes.new
