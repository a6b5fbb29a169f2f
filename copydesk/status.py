"""How a dataset stands: the newest release, its sources, quarantine, drift, the last runs, and what needs someone.

    Status   all that is told, and `needs`: what a person should see to; empty where all is well
    status   of the dataset in a folder, from the release, the journal and the lock, without Prefect
    Planned  what a server says of the schedule, which whoever can ask it adds

The schedule that was started last stands in `.work/schedule.json`: which server, which deployment, which timing.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from copydesk import journal
from copydesk.foreign import visible
from copydesk.quarantine import Waiver, held
from copydesk.release.figures import Figures
from copydesk.release.folder import WORK
from copydesk.release.manifest import read_card, read_manifest
from copydesk.release.markdown import counted

__all__ = ["Planned", "Scheduled", "Status", "keep_schedule", "read_schedule", "status"]

SCHEDULE: Final = "schedule.json"
SHOWN: Final = 20


@dataclass(frozen=True)
class Scheduled:
    """A schedule that was started: the server's address, the deployment's name, and when it runs."""

    server: str
    deployment: str
    timing: str
    watching: bool = False


@dataclass(frozen=True)
class Planned:
    """What the server says: the next run, whether anyone is there to run it, and what is wrong with that."""

    next_run: str | None
    served: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """How a dataset stands. `needs` says what needs someone."""

    dataset: str
    version: str | None
    date: str | None
    articles: int
    words: int
    sources: Mapping[str, Mapping[str, Any]]
    quarantine: Mapping[str, Any]
    drift: tuple[Mapping[str, Any], ...]
    writing: str | None
    """Who is writing there just now; None where nobody is."""
    last_run: Mapping[str, Any] | None
    last_good: str | None
    schedule: Mapping[str, Any] | None = None
    needs: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def status(
    dataset: Path,
    waivers: Mapping[tuple[str, str, str | None], Waiver],
    *,
    planned: Planned | None = None,
    within: timedelta | None = None,
) -> Status:
    """How the dataset stands; `within` is how old its last good run may be. Raises ReleaseError where it is damaged."""
    references = read_card(dataset)
    body = read_manifest(dataset, references[-1]).body if references else None
    runs = journal.read(dataset)
    good = next((one.ended for one in reversed(runs) if one.good), None)
    found = held(dataset, waivers)
    scheduled = read_schedule(dataset)
    drifted = _drifted(runs)
    quarantine = {
        "documents": len(found),
        "waived": sum(one.waiver is not None for one in found),
        "reasons": dict(Counter(one.reason for one in found if one.waiver is None).most_common(SHOWN)),
    }
    return Status(
        dataset=str(dataset),
        version=body["version"] if body else None,
        date=body["date"] if body else None,
        articles=body["documents"] if body else 0,
        words=body["counts"]["words"] if body else 0,
        sources={name: _source(one) for name, one in body["counts"].get("figures", {}).items()} if body else {},
        quarantine=quarantine,
        drift=drifted,
        writing=_writing(dataset),
        last_run=asdict(runs[-1]) if runs else None,
        last_good=good,
        schedule={**asdict(scheduled), **(asdict(planned) if planned else {})} if scheduled else None,
        needs=tuple(_needs(body, runs, quarantine, drifted, planned, _late(good, within))),
    )


def _needs(
    body: Mapping[str, Any] | None,
    runs: list[journal.Run],
    quarantine: Mapping[str, Any],
    drifted: tuple[Mapping[str, Any], ...],
    planned: Planned | None,
    late: str | None,
) -> list[str]:
    needs = [] if body else ["there is no release yet: run `copydesk ingest`"]
    failures = next((number for number, one in enumerate(reversed(runs)) if one.good), len(runs))
    if failures and runs[-1].result == "failed":
        since = f", {failures} in a row" if failures > 1 else ""
        needs.append(f"the last run failed{since}: {runs[-1].error}")
    needs += [str(one["told"]) for one in drifted]
    if unseen := quarantine["documents"] - quarantine["waived"]:
        needs.append(f"{counted(unseen, 'document')} in quarantine that nobody waived: `copydesk quarantine list`")
    if late:
        needs.append(late)
    return needs + list(planned.problems if planned else ())


def _late(good: str | None, within: timedelta | None) -> str | None:
    if within is None:
        return None
    if good is None:
        return "no run has ended well yet"
    age = datetime.now(UTC) - datetime.fromisoformat(good)
    return f"the last good run ended {good}, over {within} ago" if age > within else None


def _drifted(runs: list[journal.Run]) -> tuple[Mapping[str, Any], ...]:
    """What has drifted and was not learned since: the last word on each measure; a number of documents passes by."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        if run.learned and run.result == "released":
            found.clear()
        found = {key: one for key, one in found.items() if key[1] != "volume" or not run.good}
        found.update({(one["source"], one["measure"]): {**one, "since": run.ended} for one in run.drift})
    return tuple(found[key] for key in sorted(found))


def _source(counts: Mapping[str, Any]) -> dict[str, Any]:
    one = Figures.read(counts)
    return {
        "articles": one.documents,
        "words": one.words,
        "left_out": round(one.dropped / max(1, one.lines), 4),
        "undated": one.undated,
        "languages": dict(sorted(one.languages.items(), key=lambda pair: (-pair[1], pair[0]))),
    }


def _writing(dataset: Path) -> str | None:
    """Who holds the dataset's lock."""
    path = dataset / WORK / "lock"
    if not path.is_file():
        return None
    try:
        with FileLock(path.resolve(), timeout=0):
            return None
    except Timeout:
        with contextlib.suppress(OSError):
            return (dataset / WORK / "owner").read_text(encoding="utf-8")
        return "another process"
    except OSError:
        return None


def read_schedule(dataset: Path) -> Scheduled | None:
    """The schedule that was started last for this dataset."""
    try:
        return Scheduled(**json.loads((dataset / WORK / SCHEDULE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep_schedule(dataset: Path, scheduled: Scheduled) -> None:
    """Keep which schedule was started."""
    path = dataset / WORK / SCHEDULE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(scheduled)), encoding="utf-8")


def _lines(one: Status) -> list[str]:
    head = f"{one.version}" + (f" ({one.date})" if one.date else "") if one.version else "no release"
    lines = [f"{one.dataset}: {head}, {counted(one.articles, 'article')}, {counted(one.words, 'word')}"]
    for name, row in one.sources.items():
        languages = ", ".join(list(row["languages"])[:4])
        lines.append(
            f"  {name}: {counted(row['articles'], 'article')} ({languages}), {100 * row['left_out']:.1f} % left out"
        )
    waived = f", {one.quarantine['waived']} of them waived" if one.quarantine["waived"] else ""
    lines.append(f"quarantine: {one.quarantine['documents']}{waived}")
    lines += [f"  {number:>6}  {reason}" for reason, number in one.quarantine["reasons"].items()]
    lines += [f"drift: {found['told']} (since {found['since']})" for found in one.drift]
    if one.last_run:
        run = one.last_run
        lines.append(f"last run: {run['result']}{' ' + run['version'] if run['version'] else ''}, {run['ended']}")
    if one.writing:
        lines.append(f"writing now: {one.writing}")
    if one.schedule:
        following = one.schedule.get("next_run") or ("when files come" if one.schedule["watching"] else "not known")
        lines.append(f"schedule: {one.schedule['timing']}; next run {following} ({one.schedule['server']})")
    lines += [f"NEEDS SOMEONE: {need}" for need in one.needs] or ["all is well"]
    return [visible(line) for line in lines]
