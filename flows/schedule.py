"""The ingest on a schedule, on one machine: served by this process, until it is stopped.

    serve     take the deployment's runs as they come due, each in a process of its own; the only thing to keep running
    planned   what the server says of a deployment: its next run, and what is wrong
    tidy      mark runs whose process is gone as crashed, so that they do not stand in the way of the next

What can go wrong over months is met here. Schedules are not paused when this process stops, or they would be off after
a restart. A run that comes due while another is at work is cancelled, and the dataset's lock stands behind that. A run
whose process was killed would stay Running and hold the only place for ever: `tidy` looks for such every few seconds.
Where the server does not answer for a while, serving begins anew until it does.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from filelock import FileLock, Timeout
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger
from prefect.schedules import Schedule
from prefect.states import Crashed

from copydesk.status import Planned
from flows.ingest import ingest_flow, marker

__all__ = ["Timing", "planned", "serve", "tidy"]

GRACE: Final = {StateType.RUNNING: 30.0, StateType.CANCELLING: 30.0, StateType.PENDING: 180.0}
"""Seconds that a run may be in a state without its process having shown itself: starting one takes long on a busy
machine, but what is Running has locked its marker at once."""

LOOKS: Final = 15.0
"""Seconds between two looks for runs whose process is gone."""

LATE: Final = 10
"""Runs that are taken at once: all but one are cancelled then, instead of standing in a queue that only grows."""

UNREACHED: Final = 10.0
"""Seconds between two tries to serve while the server does not answer."""


@dataclass(frozen=True)
class Timing:
    """When runs begin: by a schedule of Prefect's, or, where it is None, when `look` gives something new.

    `look` is called every `every` seconds; a run begins when two looks gave the same and the last run another.
    """

    schedule: Schedule | None
    look: Callable[[], str | None] | None = None
    every: float = 60.0


def serve(name: str, parameters: Mapping[str, Any], timing: Timing, *, description: str) -> None:
    """Serve the deployment `ingest/NAME` until the process is told to stop (SIGTERM, Ctrl-C)."""
    log = get_logger("copydesk")
    # Prefect's own handler of SIGTERM begins a stop that it does not wait for, and exits; Python then remarks on it.
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited", RuntimeWarning)
    with _beside(lambda: tidy(name), LOOKS), _watching(name, timing):
        while True:
            try:
                ingest_flow.serve(
                    name=name,
                    schedule=timing.schedule,
                    parameters=dict(parameters),
                    description=description,
                    tags=["copydesk"],
                    limit=LATE,
                    global_limit=ConcurrencyLimitConfig(
                        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
                    ),
                    pause_on_shutdown=False,
                    print_starting_message=False,
                )
            except Exception as error:  # noqa: BLE001 -- whatever it is, a process that runs for months goes on
                log.warning("serving was interrupted (%s); again in %.0f s", _short(error), UNREACHED)
                time.sleep(UNREACHED)
            else:
                return


def _short(error: BaseException) -> str:
    """An error in a line; of a group of them, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


@contextmanager
def _beside(work: Callable[[], Any], seconds: float) -> Iterator[None]:
    """Do something every so often in a thread; what fails is tried again next time."""
    done = threading.Event()

    def loop() -> None:
        while not done.wait(seconds):
            try:
                work()
            except Exception as error:  # noqa: BLE001 -- the server may be away; the next time tells
                get_logger("copydesk").debug("%s", _short(error))

    thread = threading.Thread(target=loop, name="copydesk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def tidy(name: str, grace: Mapping[StateType, float] = GRACE) -> list[UUID]:
    """Mark the deployment's runs whose process is gone as crashed; gives their ids."""
    with get_client(sync_client=True) as client:
        lost = [run for run in _active(client, _deployment(client, name).id) if _lost(run, grace)]
        for run in lost:
            told = "Its process is gone: killed, or the machine went down. The next run takes up what it finished."
            client.set_flow_run_state(run.id, Crashed(message=told), force=True)
            get_logger("copydesk").warning("run %s (%s): its process is gone; marked as crashed", run.name, run.id)
        return [run.id for run in lost]


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    return client.read_deployment_by_name(f"ingest/{name}")


def _active(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(GRACE)))
    return client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        flow_run_filter=FlowRunFilter(state=states),
    )


def _lost(run: FlowRun, grace: Mapping[StateType, float]) -> bool:
    state = run.state
    if state is None or datetime.now(UTC) - state.timestamp < timedelta(seconds=grace[state.type]):
        return False
    path = marker(str(run.id))
    if not path.exists():
        return True
    try:
        with FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
            return True
    except Timeout:
        return False


@contextmanager
def _watching(name: str, timing: Timing) -> Iterator[None]:
    if timing.look is None:
        yield
        return
    watcher = _Watcher(name, timing.look)
    with _beside(watcher.step, timing.every):
        yield


class _Watcher:
    """Begins a run when what `look` gives has changed and is at rest, and none is at work."""

    def __init__(self, name: str, look: Callable[[], str | None]) -> None:
        self.name = name
        self.look = look
        self.last: str | None = None
        self.ran: str | None = None
        self.run: UUID | None = None

    def step(self) -> None:
        """Look once."""
        found = self.look()
        at_rest, self.last = found == self.last, found
        with get_client(sync_client=True) as client:
            if self.run is not None and self._broke_off(client):
                self.ran = None
            if found is None or not at_rest or found == self.ran:
                return
            deployment = _deployment(client, self.name)
            if not _active(client, deployment.id):
                self.run = client.create_flow_run_from_deployment(deployment.id).id
                self.ran = found

    def _broke_off(self, client: SyncPrefectClient) -> bool:
        """Whether the run that was begun last did not come to its end; one that failed would fail again."""
        try:
            state = client.read_flow_run(self.run).state if self.run else None
        except ObjectNotFound:
            return True
        if state is None or not state.is_final():
            return False
        self.run = None
        return state.type in {StateType.CRASHED, StateType.CANCELLED}


def planned(name: str, *, watching: bool) -> Planned:
    """What the server says of the deployment `ingest/NAME`; raises what the client raises where it does not answer."""
    with get_client(sync_client=True) as client:
        try:
            found = _deployment(client, name)
        except ObjectNotFound:
            told = f"the server knows no deployment ingest/{name}: start `copydesk schedule` again"
            return Planned(None, served=False, problems=(told,))
        following = _next_run(client, found.id)
        served = str(getattr(found.status, "value", found.status)) == "READY"
        problems = []
        if found.paused:
            problems.append(f"the deployment ingest/{name} is paused: resume it on its page in Prefect")
        if not served:
            problems.append("nobody is there to run what is scheduled: start `copydesk schedule` (or the worker) again")
        if following is None and not watching:
            problems.append("no future run is scheduled: start `copydesk schedule` again")
        return Planned(following, served, tuple(problems))


def _next_run(client: SyncPrefectClient, deployment: UUID) -> str | None:
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
            expected_start_time=FlowRunFilterExpectedStartTime(after_=datetime.now(UTC)),  # type: ignore[arg-type]
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=1,
    )
    when = runs[0].expected_start_time if runs else None
    return when.isoformat(timespec="seconds") if when else None
