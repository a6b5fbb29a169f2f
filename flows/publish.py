"""The publish flow: the releases of a dataset to a repository on the Hub.

One task, since what is there already is not sent again: tried anew, it goes on where it stopped. It is tried anew where
the Hub did not answer; what the Hub or copydesk refuse is refused the same way again.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from copydesk.errors import CopydeskError, RemoteError
from copydesk.release.publish import Publishing, publish_as

__all__ = ["publish_flow"]

RETRY_SECONDS: Final = [5.0, 60.0, 300.0]
"""One for a hiccup, one for a restart, one for a limit of requests."""


@flow(name="publish", validate_parameters=False, persist_result=False)
def publish_flow(  # noqa: PLR0913 -- a flow's parameters are its form in the Prefect UI
    dataset: str,
    repository: str,
    masks: list[str] | None = None,
    create: Literal["private", "public"] | None = None,
    *,
    ledger: bool = False,
    text: bool = True,
    purge: bool = False,
    dry_run: bool = False,
) -> Publishing:
    """Publish what `repository` has not: see `copydesk publish --help` for the parameters."""
    done = _send(
        {
            "dataset": dataset,
            "repository": repository,
            "masks": masks or [],
            "create": create,
            "ledger": ledger,
            "text": text,
            "purge": purge,
            "dry_run": dry_run,
        }
    )
    create_markdown_artifact(done.report(), key="publish-report", description=f"What was published to {repository}")
    return done


def _worth_retrying(_task: object, _run: object, state: Any) -> bool:
    try:
        state.result(raise_on_failure=True)
    except CopydeskError as error:
        return isinstance(error, RemoteError)
    except Exception:  # noqa: BLE001 -- whatever else went wrong may not go wrong again
        return True
    return False


@task(
    name="send",
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=_worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def _send(parameters: dict[str, Any]) -> Publishing:
    """Bring the repository up to date."""
    return publish_as(**parameters, say=get_run_logger().info)
