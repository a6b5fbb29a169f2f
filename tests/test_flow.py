"""The ingest as a Prefect flow, on a real server: the same bytes, and what people see in Prefect."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from copydesk import runner
from copydesk.errors import UsageError, VerifyError
from copydesk.runner import Quiet, Workers
from tests.conftest import ROOT
from tests.prefect_server import serving
from tests.release_samples import release, sample_tables
from tests.test_pipeline import built, tree
from tests.test_runner import process

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A Prefect server of this test run, with a database of its own."""
    with serving():
        yield


def artifacts(since: datetime | None = None) -> dict[str, str]:
    """Key to type of the artifacts on the server, or of those that have come since then."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.request("POST", "/artifacts/latest/filter", json={}).json()
    return {
        artifact["key"]: artifact["type"]
        for artifact in found
        if since is None or datetime.fromisoformat(artifact["updated"]) >= since
    }


@pytest.mark.usefixtures("server")
def test_the_flow_releases_the_same_bytes_as_plain_calls(tmp_path: Path) -> None:
    """Prefect changes no byte; it keeps a progress artifact per stage and the run report."""
    from flows.ingest import ingest_flow

    built(tmp_path / "plain", batch=2000)
    began = datetime.now(UTC)
    outcome = ingest_flow(config=str(ROOT / "copydesk.toml"), into=str(tmp_path / "flow"))
    assert outcome.version == "1.0.0"
    assert tree(tmp_path / "flow" / "samples") == tree(tmp_path / "plain" / "samples")
    found = artifacts(began)
    assert found["samples-report"] == "markdown"
    assert found["samples-sources"] == "table"
    assert {key for key, kind in found.items() if kind == "progress"} == {
        "ingest-read",
        "ingest-count",
        "ingest-learn",
        "ingest-judge",
        "ingest-compare",
        "ingest-pairs",
        "ingest-agree",
        "ingest-alike",
        "ingest-mark",
        "ingest-write",
        "ingest-release",
    }


@pytest.mark.usefixtures("server")
def test_the_verify_flow_fails_where_a_file_is_damaged(tmp_path: Path) -> None:
    """Sound, it leaves its report; damaged, it names the file and fails."""
    from flows.verify import verify_flow

    release(tmp_path / "harbour", sample_tables(range(5)))
    verify_flow(str(tmp_path / "harbour"))
    assert artifacts()["verify-report"] == "markdown"
    (tmp_path / "harbour" / "croissant.json").write_text("{}", encoding="utf-8")
    with pytest.raises(VerifyError, match=r"1 problem, the first: croissant\.json: SHA-256: expected "):
        verify_flow(str(tmp_path / "harbour"))


def fails_once(path: Path) -> str:
    """Fail as a store does that needs a moment."""
    if not path.exists():
        path.write_text("tried")
        raise OSError("the store is away")
    return "done"


def refuses(path: Path) -> str:
    """Refuse on purpose, counting the tries."""
    path.write_text((path.read_text() if path.exists() else "") + "x")
    raise UsageError("no such thing")


@pytest.mark.usefixtures("server")
def test_a_failing_batch_is_retried_and_a_refusal_is_not(tmp_path: Path) -> None:
    """What may pass is tried again; what copydesk refuses on purpose fails at once, with its own exception."""
    from prefect import flow

    from flows.ingest import as_tasks

    @flow
    def once() -> list[str]:
        with Workers(1) as pool:
            return as_tasks(pool, Quiet())("read", fails_once, [tmp_path / "a"])

    @flow
    def never() -> list[str]:
        with Workers(1) as pool:
            return as_tasks(pool, Quiet())("read", refuses, [tmp_path / "b"])

    assert once() == ["done"]
    with pytest.raises(UsageError, match="no such thing"):
        never()
    assert (tmp_path / "b").read_text() == "x"


@pytest.mark.usefixtures("server")
def test_tasks_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven batches and at most three tasks: the results are those of the batches, in order, and so is the progress."""
    from prefect import flow

    from flows import ingest

    monkeypatch.setattr(ingest, "TASKS", 3)
    told: list[str] = []

    class Told(Quiet):
        def advance(self, stage: str, /) -> None:
            told.append(stage)

    @flow
    def run() -> list[str]:
        with Workers(1) as pool:
            return ingest.as_tasks(pool, Told())("read", str, range(7))

    assert run() == list("0123456")
    assert told == ["read"] * 7
    assert [len(group) for group in ingest._groups(range(7))] == [3, 3, 1]


@pytest.mark.usefixtures("server")
def test_a_stage_of_many_batches_leaves_no_workers_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next stage has new ones, as by plain calls, whatever the number of tasks."""
    from prefect import flow

    from flows import ingest

    monkeypatch.setattr(ingest, "TASKS", 3)
    monkeypatch.setattr(runner, "MANY", 5)

    @flow
    def run() -> list[set[int]]:
        with Workers(2) as pool:
            over = ingest.as_tasks(pool, Quiet())
            return [set(over(stage, process, range(number))) for stage, number in (("a", 5), ("b", 6), ("c", 5))]

    first, second, third = run()
    assert len(first | second) <= 2
    assert not second & third


def test_the_program_starts_a_server_where_none_is_configured(tmp_path: Path) -> None:
    """With an empty HOME the command says that it uses an ephemeral server, and releases."""
    (tmp_path / "home").mkdir()
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    told = subprocess.run(
        [sys.executable, "-m", "copydesk", "ingest", "--into", str(tmp_path)],
        cwd=ROOT,
        env={**surroundings, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("copydesk ingest: Prefect flow, on an ephemeral server\n")
    assert "samples 1.0.0 (first)" in told.stdout
    assert "Traceback" not in told.stderr
    assert "ERROR" not in told.stderr


def deployed(name: str) -> UUID:
    """A deployment of the ingest with a schedule, on the server, that nobody serves."""
    from datetime import timedelta

    from flows.ingest import ingest_flow

    found = ingest_flow.to_deployment(name=name, interval=timedelta(hours=1)).apply()
    assert isinstance(found, UUID)
    return found


@pytest.mark.usefixtures("server")
def test_a_deployment_that_nobody_serves_is_found_out() -> None:
    """No such deployment; one without a future run; one that nobody polls: each is told."""
    from flows.schedule import planned

    assert "knows no deployment" in planned("nowhere", watching=False).problems[0]
    deployed("alone")
    found = planned("alone", watching=False)
    assert not found.served
    assert any("nobody is there" in problem for problem in found.problems)


@pytest.mark.usefixtures("server")
def test_a_run_whose_process_is_gone_is_marked_as_crashed() -> None:
    """One whose marker is held is left alone; so is one that has only just begun."""
    from filelock import FileLock
    from prefect.client.orchestration import get_client
    from prefect.states import Pending, Running

    from flows.ingest import marker
    from flows.schedule import GRACE, tidy

    deployment = deployed("killed")
    with get_client(sync_client=True) as client:
        dead, alive = (client.create_flow_run_from_deployment(deployment).id for _ in range(2))
        for run in (dead, alive):
            client.set_flow_run_state(run, Pending())
            client.set_flow_run_state(run, Running())
        with FileLock(marker(str(alive))):
            assert tidy("killed", dict.fromkeys(GRACE, 3600.0)) == []
            assert tidy("killed", dict.fromkeys(GRACE, 0.0)) == [dead]
        assert client.read_flow_run(dead).state.name == "Crashed"
        assert tidy("killed", dict.fromkeys(GRACE, 0.0)) == [alive]


@pytest.mark.usefixtures("server")
def test_watching_begins_a_run_when_what_it_sees_has_changed_and_is_at_rest() -> None:
    """Not while it changes, not twice for the same, not while one is at work; again where one broke off."""
    from prefect.client.orchestration import get_client
    from prefect.states import Completed, Crashed

    from flows.schedule import _Watcher

    deployed("watched")
    seen = ["a"]
    watcher = _Watcher("watched", lambda: seen[0])
    watcher.step()
    assert watcher.run is None
    watcher.step()
    first = watcher.run
    assert first is not None
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(first, Crashed(), force=True)
        watcher.step()
        second = watcher.run
        assert second not in {None, first}
        client.set_flow_run_state(second, Completed(), force=True)
    watcher.step()
    assert watcher.run is None
    seen[0] = "b"
    watcher.step()
    assert watcher.run is None


def test_a_folder_of_flows_in_the_project_does_not_shadow_ours(tmp_path: Path) -> None:
    """With `python -m`, the current folder comes first on the path; ours are imported all the same."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text("raise SystemExit('not ours')")
    code = (
        "import sys; sys.path.insert(0, ''); from copydesk.commands.running import find_our_flows; find_our_flows(); "
        "import flows; print(flows.__file__)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == str(ROOT / "flows" / "__init__.py"), told.stderr


def test_the_automation_in_the_documentation_is_one() -> None:
    """Prefect takes the file that docs/operating.md shows."""
    import yaml
    from prefect.events.schemas.automations import AutomationCore

    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    found = AutomationCore.model_validate(yaml.safe_load(text.split("```yaml\n")[1].split("```")[0]))
    assert found.trigger.expect == {"copydesk.drift"}  # type: ignore[union-attr]
    assert found.actions[0].parameters == {"relearn": True}  # type: ignore[union-attr]
