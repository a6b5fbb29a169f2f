"""The ingest flow: raw files to a released dataset.

The stages and their order are `copydesk.pipeline`'s; this flow gives it an `over` that makes every batch of a stage a
Prefect task. The tasks are threads that supervise long-lived worker processes, and the workers never import Prefect.

What people look at in Prefect: a progress artifact per stage; at the end the run report, a table of the sources and a
link to the review page, if there is one; in the log, the uris of the documents that went to quarantine, and drift. The
dataset is an asset, materialized by each release from the sources, which are assets as well. Events that automations
can hang on: `copydesk.drift`, `copydesk.quarantine`, `copydesk.release` and `copydesk.failure`. A run of a deployment
tells of the same whom `[notify]` names.

A batch is retried: a store or a disk may fail for a moment. What copydesk refuses on purpose (a CopydeskError) is
not, since it would fail the same way again.

This file imports no other flow: a deployment may name it by its path, with a `flows` folder of the person's own about.
"""

from __future__ import annotations

import getpass
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote
from uuid import UUID

from filelock import FileLock
from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.assets import Asset, AssetProperties, add_asset_metadata, materialize
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from prefect.futures import as_completed
from prefect.logging import get_logger
from prefect.task_runners import ThreadPoolTaskRunner

from copydesk.cluster import workers as workers_of
from copydesk.config import Config, load_config
from copydesk.errors import CopydeskError
from copydesk.job import Job, Options, settle
from copydesk.locations import Location, place
from copydesk.notify import Notice, failure, notices, tell
from copydesk.operation import could_not_begin, operate
from copydesk.outcome import Outcome
from copydesk.runner import SHOWN, Over, Progress, Workers

__all__ = ["ingest_flow", "marker"]

RETRY_SECONDS: Final = [1.0, 10.0]
"""Two retries: one for a hiccup, one for a store that needs a moment."""

TASKS: Final = 512
"""Tasks of a stage at most, a million documents in batches of two thousand; beyond, one supervises several batches."""

LOGGED: Final = 200
"""Documents named in the log of a run; the quarantine file has all."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def _failed(flow: Any, flow_run: Any, state: Any) -> None:  # noqa: ARG001 -- names that Prefect has given
    """Tell that a run failed or was killed: an event always, a notice where it was a deployment's run."""
    said = flow_run.parameters or {}
    try:
        config = load_config(Path(said["config"]) if said.get("config") else None)
    except CopydeskError:
        config = Config()
    name = said.get("name") or config.dataset.name or "a dataset"
    _spread(failure(name, state.message or state.name), config, scheduled=flow_run.deployment_id is not None)


@flow(
    name="ingest",
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
    validate_parameters=False,
    persist_result=False,
    on_failure=[_failed],
    on_crashed=[_failed],
)
def ingest_flow(  # noqa: PLR0913, PLR0917 -- a flow's parameters are its form in the Prefect UI
    paths: list[str] | None = None,
    config: str | None = None,
    name: str | None = None,
    into: str | None = None,
    workers: int | None = None,
    runner: str | None = None,
    memory: str | None = None,
    mode: str = "append",
    years: str | None = None,
    duplicates: str | None = None,
    *,
    relearn: bool = False,
    rehash: bool = False,
    retry: bool = False,
    allow_shrink: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Read raw files, judge every line, and release a dataset: see `copydesk ingest --help` for the parameters."""
    return _run(
        Options(
            paths=tuple(place(path) for path in paths or ()),
            config=Path(config) if config else None,
            name=name,
            into=place(into) if into else None,
            workers=workers,
            runner=runner,
            memory=memory,
            mode=mode,
            years=years,
            relearn=relearn,
            rehash=rehash,
            retry=retry,
            allow_shrink=allow_shrink,
            dry_run=dry_run,
            duplicates=duplicates,
        )
    )


def _run(options: Options) -> Outcome:
    """The flow's work. It is no part of the flow's function, which Prefect pickles by value with all that it names."""
    with _marked():
        try:
            job = settle(options)
        except CopydeskError as error:
            if runtime.deployment.id is not None:
                could_not_begin(options, error)
            raise
        with workers_of(job) as pool:
            outcome = operate(job, as_tasks(pool, SHOWN.get()))
        if not job.dry_run:
            _show_outcome(job, outcome)
        return outcome


def marker(run: str) -> Path:
    """The file that the process of a flow run holds locked as long as it lives, on its machine.

    The lock is the system's and ends with the process, so whoever can take it knows that the run is dead.
    """
    folder = Path(tempfile.gettempdir()) / f"copydesk-{getpass.getuser()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{run}.lock"


@contextmanager
def _marked() -> Iterator[None]:
    path = marker(str(runtime.flow_run.id))
    try:
        with FileLock(path):
            yield
    finally:
        path.unlink(missing_ok=True)


def _show_outcome(job: Job, outcome: Outcome) -> None:
    """Put what came of a run where people look for it."""
    slug = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-")
    create_markdown_artifact(outcome.report(), key=f"{slug}-report", description=f"What became of {job.name}")
    if outcome.sources:
        create_table_artifact(
            [dict(row) for row in outcome.sources], key=f"{slug}-sources", description=f"The sources of {job.name}"
        )
    pages = sorted((outcome.folder / "review").glob("*.html"))
    if pages:
        page = next((one for one in pages if one.name == "index.html"), pages[-1])
        create_link_artifact(
            page.resolve().as_uri(), "review page", key=f"{slug}-review", description=f"The review page of {job.name}"
        )
    _log(outcome)
    if outcome.version:
        _materialize(job, outcome)
    for notice in notices(outcome):
        _spread(notice, job.config, scheduled=runtime.deployment.id is not None)


def _log(outcome: Outcome) -> None:
    log = get_run_logger()
    log.info(outcome.headline)
    for finding in outcome.drift:
        log.warning("drift: %s", finding)
    for uri, reason in outcome.grown[:LOGGED]:
        log.warning("quarantine: %s: %s", uri, reason)
    if len(outcome.grown) > LOGGED:
        log.warning("quarantine: and %d more: copydesk quarantine list", len(outcome.grown) - LOGGED)


def _asset_key(where: Location) -> str:
    """The address of a file or a store, in the characters that Prefect allows in an asset key."""
    if isinstance(where, Path):
        return "file://" + quote(str(where.resolve()), safe="/-._~")
    return quote(where, safe="/-._~:")


def _materialize(job: Job, outcome: Outcome) -> None:
    """Record the release as a materialization of the dataset, from its sources."""
    names = job.files.sources
    sources: list[Asset | str] = [
        Asset(key=_asset_key(job.config.root(one))) for one in job.config.source if one.name in names
    ]
    key = _asset_key(outcome.store or outcome.folder)
    about = AssetProperties(name=job.name, description=f"{outcome.documents} articles, {outcome.version}")

    @materialize(
        Asset(key=key, properties=about), by="copydesk", asset_deps=sources, task_run_name="asset", persist_result=False
    )
    def release() -> None:
        changes = vars(outcome.changes)
        add_asset_metadata(key, {"version": outcome.version, "documents": outcome.documents, **changes})

    release()


def _spread(notice: Notice, config: Config, *, scheduled: bool) -> None:
    """Emit a notice as an event; where the run is a deployment's, deliver it as `[notify]` says."""
    resource = {"prefect.resource.id": f"copydesk.dataset.{notice.dataset}", "prefect.resource.name": notice.dataset}
    emit_event(f"copydesk.{notice.kind}", resource, payload={"text": notice.text, **notice.details})
    if scheduled:
        for reason in tell(config.notify, notice):
            get_logger("copydesk").warning("%s", reason)


def as_tasks(pool: Workers, progress: Progress) -> Over:
    """An `Over` that runs each item as a Prefect task, its work in the pool, the progress in an artifact."""

    def over(stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
        groups = _groups(items)

        # Only a number goes through Prefect: what a batch is made of stays in this process and the workers.
        @task(
            name=stage,
            task_run_name=stage + " {number}",
            retries=len(RETRY_SECONDS),
            retry_delay_seconds=RETRY_SECONDS,
            retry_condition_fn=_worth_retrying,
            cache_policy=NO_CACHE,
            persist_result=False,
        )
        def batch(number: int) -> list[Result]:
            return pool.some(work, groups[number], of=len(items))

        progress.begin(stage, len(items))
        artifact = create_progress_artifact(0.0, key=f"ingest-{stage}", description=f"{len(items)} batches")
        futures = batch.map(range(len(groups)))
        size = {future.task_run_id: len(group) for future, group in zip(futures, groups, strict=True)}
        for number, future in enumerate(as_completed(futures), 1):
            for _ in range(size[future.task_run_id]):
                progress.advance(stage)
            _show(artifact, number / len(groups))
        progress.end(stage)
        results = [result for future in futures for result in future.result()]
        pool.done(len(items))
        return results

    return over


def _groups(items: Sequence[Item]) -> list[Sequence[Item]]:
    """The items of a stage, cut so that there is a bounded number of tasks: Prefect keeps each in its database."""
    size = -(-len(items) // TASKS)
    return [items[start : start + size] for start in range(0, len(items), size or 1)]


def _show(artifact: Any, share: float) -> None:
    if isinstance(artifact, UUID):
        update_progress_artifact(artifact, 100.0 * share)


def _worth_retrying(_task: object, _run: object, state: Any) -> bool:
    try:
        state.result(raise_on_failure=True)
    except CopydeskError:
        return False
    except Exception:  # noqa: BLE001 -- whatever else went wrong may not go wrong again
        return True
    return False
