"""The ingest flow: raw files to a released dataset.

The stages and their order are `copydesk.pipeline`'s; this flow gives it an `over` that makes every batch of a stage a
Prefect task. The tasks are threads that supervise long-lived worker processes, and the workers never import Prefect.
What people look at in Prefect: a progress artifact per stage and, at the end, the run report.

A batch is retried: a store or a disk may fail for a moment. What copydesk refuses on purpose (a CopydeskError) is
not, since it would fail the same way again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from copydesk.errors import CopydeskError
from copydesk.job import Options, settle
from copydesk.locations import place
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.runner import SHOWN, Over, Progress, Workers

__all__ = ["ingest_flow"]

RETRY_SECONDS: Final = [1.0, 10.0]
"""Two retries: one for a hiccup, one for a store that needs a moment."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@flow(name="ingest", task_runner=ThreadPoolTaskRunner(max_workers=64), validate_parameters=False, persist_result=False)  # type: ignore[arg-type]
def ingest_flow(  # noqa: PLR0913, PLR0917 -- a flow's parameters are its form in the Prefect UI
    paths: list[str] | None = None,
    config: str | None = None,
    name: str | None = None,
    into: str | None = None,
    workers: int | None = None,
    mode: str = "append",
    years: str | None = None,
    *,
    relearn: bool = False,
    rehash: bool = False,
    allow_shrink: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Read raw files, judge every line, and release a dataset: see `copydesk ingest --help` for the parameters."""
    job = settle(
        Options(
            paths=tuple(place(path) for path in paths or ()),
            config=Path(config) if config else None,
            name=name,
            into=Path(into) if into else None,
            workers=workers,
            mode=mode,
            years=years,
            relearn=relearn,
            rehash=rehash,
            allow_shrink=allow_shrink,
            dry_run=dry_run,
        )
    )
    with Workers(job.workers) as pool:
        outcome = ingest(job, as_tasks(pool, SHOWN.get()))
    create_markdown_artifact(outcome.report(), key="ingest-report", description=f"What became of {job.name}")
    return outcome


def as_tasks(pool: Workers, progress: Progress) -> Over:
    """An `Over` that runs each item as a Prefect task, its work in the pool, the progress in an artifact."""

    def over(stage: str, work: Callable[[Item], Result], items: Sequence[Item], /) -> list[Result]:
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
        def batch(number: int) -> Result:
            return pool.one(work, items[number], of=len(items))

        progress.begin(stage, len(items))
        artifact = create_progress_artifact(0.0, key=f"ingest-{stage}", description=f"{len(items)} batches")
        futures = batch.map(range(len(items)))
        for number, _ in enumerate(as_completed(futures), 1):
            progress.advance(stage)
            _show(artifact, number / len(items))
        progress.end(stage)
        return [future.result() for future in futures]

    return over


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
