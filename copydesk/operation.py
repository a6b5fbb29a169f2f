"""An ingest as part of a life: run, then seen against the runs before it, and put on record.

    operate           the pipeline's ingest; drift and quarantine judged; a line in the journal, also where it fails
    could_not_begin   a line in the journal for a run that had nothing to carry out

What of it people should know is in the Outcome: `drift`, `grown`, `waived`, `sources`.

Everything that runs an ingest, by plain calls or as a flow, runs this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from copydesk import drift, journal
from copydesk.errors import CopydeskError
from copydesk.job import Job, Options, destination
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.quarantine import held, waivers
from copydesk.release.figures import Figures
from copydesk.release.manifest import read_card, read_manifest
from copydesk.runner import Over

__all__ = ["could_not_begin", "operate"]


def operate(job: Job, over: Over) -> Outcome:
    """Carry out a job and say how it differs from what was usual; raises what the pipeline raises."""
    began = journal.now()
    known = waivers(job.config.folder)
    try:
        before = {one.key for one in held(job.destination, known)}
        outcome = ingest(job, over)
    except KeyboardInterrupt:
        journal.write(job.destination, journal.Run(began, journal.now(), "interrupted"))
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        journal.write(job.destination, journal.Run(began, journal.now(), "failed", error=told))
        raise
    if job.dry_run:
        return outcome
    after = held(job.destination, known)
    outcome = replace(
        outcome,
        grown=tuple((one.uri, one.reason) for one in after if one.waiver is None and one.key not in before),
        waived=sum(one.waiver is not None for one in after),
        sources=tuple(_sources(job, outcome)),
        drift=tuple(_drift(job, outcome)),
    )
    journal.write(job.destination, _run(began, outcome))
    return outcome


def could_not_begin(options: Options, error: Exception) -> None:
    """Put on record that a run on a schedule did not even begin: its source is away, its settings are wrong."""
    with contextlib.suppress(CopydeskError):
        _, dataset = destination(options)
        when = journal.now()
        journal.write(dataset, journal.Run(when, when, "failed", error=f"{type(error).__name__}: {error}"))


def _drift(job: Job, outcome: Outcome) -> Sequence[drift.Finding]:
    """What has drifted: new documents against what the last releases brought, and sources that fell silent."""
    runs = [one.arrived for one in journal.read(job.destination) if one.good]
    quiet = drift.silent([*runs, {name: one.documents for name, one in outcome.arrived.items()}])
    if outcome.version is None or outcome.base is None:
        return quiet
    references = read_card(job.destination)[-drift.KEPT - 2 :]
    bodies = [read_manifest(job.destination, one).body for one in references]
    whole = {name: Figures.read(one) for name, one in bodies[-1]["counts"]["figures"].items()}
    moved = drift.judge(outcome.arrived, whole, drift.steps(bodies)[:-1])
    told = {one.source for one in quiet}
    return [*quiet, *(one for one in moved if one.measure != "volume" or one.source not in told)]


def _sources(job: Job, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """A row for each source of the newest release: what is in it, what is new, what is out."""
    references = read_card(job.destination)
    body = read_manifest(job.destination, references[-1]).body if references else {"counts": {"figures": {}}}
    for name, counts in body["counts"]["figures"].items():
        one = Figures.read(counts)
        new = outcome.arrived.get(name, Figures()).documents
        left_out = f"{100 * one.dropped / max(1, one.lines):.1f} %"
        languages = ", ".join(sorted(one.languages, key=lambda key: (-one.languages[key], key))[:5])
        yield {
            "source": name,
            "articles": one.documents,
            "new": new,
            "lines left out": left_out,
            "languages": languages,
        }


def _run(began: str, outcome: Outcome) -> journal.Run:
    return journal.Run(
        began=began,
        ended=journal.now(),
        result="released" if outcome.version else "unchanged",
        version=outcome.version,
        learned=outcome.learned,
        changes=vars(outcome.changes),
        arrived={name: one.documents for name, one in outcome.arrived.items()},
        quarantine=len(outcome.refused),
        grown=len(outcome.grown),
        drift=tuple(asdict(one) for one in outcome.drift),
    )
