"""The verify flow: every hash, count and number of a dataset recomputed, to be run on a schedule.

A disk or a hand may change a file long after its release. The problems go into an artifact and the run fails, so that
whoever watches Prefect hears of it.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from copydesk.errors import VerifyError
from copydesk.release.markdown import code, counted
from copydesk.release.problems import Problem
from copydesk.release.verify import verify

__all__ = ["verify_flow"]

SHOWN = 100
"""Problems that the artifact lists; `copydesk verify` has all."""


@flow(name="verify", validate_parameters=False, persist_result=False)
def verify_flow(dataset: str, version: str | None = None) -> None:
    """Verify a dataset, or one release of it; raises VerifyError where something is not as it says."""
    problems = verify(Path(dataset), version)
    create_markdown_artifact(_report(dataset, problems), key="verify-report", description=f"Whether {dataset} is whole")
    for problem in problems[:SHOWN]:
        get_run_logger().error("%s", problem)
    if problems:
        raise VerifyError(f"{dataset}: {counted(len(problems), 'problem')}, the first: {problems[0]}")


def _report(dataset: str, problems: list[Problem]) -> str:
    if not problems:
        return f"# {dataset}\n\nEvery hash, count and number holds.\n"
    rows = "\n".join(f"- {code(str(problem))}" for problem in problems[:SHOWN])
    more = f"\n\nAnd {len(problems) - SHOWN} more." if len(problems) > SHOWN else ""
    return f"# {dataset}: {counted(len(problems), 'problem')}\n\n{rows}{more}\n"
