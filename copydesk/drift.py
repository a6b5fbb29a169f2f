"""Drift: a source's new documents are not like those that it brought before. Mostly its site has changed its pages.

    judge     what has drifted, from figures alone: the new documents', the release's, and those of earlier steps
    silent    sources that bring nothing any more
    steps     what each release added to the one before, from their manifests
    Finding   one thing that has moved: source, measure, before, now, and how to say it

The rule. New documents of a source are compared with what it brought in the last releases, its *steps*: a step is what
one release added, the difference of two manifests' figures. Measured on each document: the share of its lines that were
left out, the length of its text, and whether it has no date, no headline, or a certain language. A mean has drifted
where both hold:

- it is surely another one: the difference is over SURE standard errors. The error counts the spread between documents
  and, since one day's news is unlike another's, that between steps beyond it (DerSimonian and Laird's estimate), more
  cautiously the fewer steps there are.
- it matters: a difference below the measure's least one is nothing to look at.

Nothing is said of fewer than LEAST new documents (those of the last steps are added until there are so many, so that a
small source is judged on what it brought of late), nor against fewer than KNOWN documents. Before there are ENOUGH
steps, the base is all else that the release holds of the source; an archive differs from today's pages for its own
reasons, so the difference then has to be EARLY times as large. Languages may come by turns: before there are LANGUAGES
steps, only one that was rare can have drifted.

The number of new documents has drifted where it is over VOLUME times as many or few as in the median step, half as far
again from it as in any step before, and further than six times the median deviation (on a logarithmic scale).

Tuned on generated histories (benchmarks/drift.py): sources with few and many documents, with desks that take turns,
several languages, archives and quiet weekends.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from copydesk.release.figures import Figures

__all__ = ["Finding", "Step", "judge", "silent", "steps"]

LEAST: Final = 12
KNOWN: Final = 30
ENOUGH: Final = 5
KEPT: Final = 20
"""Steps that are looked back on."""
EARLY: Final = 2.5
LANGUAGES: Final = 10
RARE: Final = 0.1
SURE: Final = 5.0
VOLUME: Final = 5.0
VOLUME_STEPS: Final = 8
SILENT_RUNS: Final = 20
SILENT_LEAST: Final = 5


@dataclass(frozen=True)
class Finding:
    """One thing that has moved. `before` and `now` are means, in the measure's unit."""

    source: str
    measure: str
    before: float
    now: float
    documents: int
    told: str

    def __str__(self) -> str:
        return self.told


@dataclass(frozen=True)
class Step:
    """What a release added, by source; `comparable` where it was judged with the knowledge that holds today."""

    added: Mapping[str, Figures]
    comparable: bool


@dataclass(frozen=True)
class _Measure:
    """Something measured on each document: its sum and its sum of squares over some, and what difference matters."""

    name: str
    sums: Callable[[Figures], tuple[int, int]]
    matters: float
    least_spread: float
    """Standard deviation that is assumed at least: a site whose pages are all alike is no proof against a new kind."""
    told: str
    value: Callable[[float], str]
    grows: bool = False
    """Whether only a growing mean counts: where one language grows, others shrink."""


def _count(name: str) -> Callable[[Figures], tuple[int, int]]:
    return lambda one: (getattr(one, name), getattr(one, name))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


MEASURES: Final = (
    _Measure(
        "lines left out",
        lambda one: (one.share, one.share_squares),
        100.0,
        50.0,
        "of a document's lines were left out",
        lambda mean: _percent(mean / 1000),
    ),
    _Measure(
        "length",
        lambda one: (one.length, one.length_squares),
        4.0,
        1.0,
        "words were in a text (geometric mean)",
        lambda mean: f"{2 ** (mean / 4):.0f}",
    ),
    _Measure("no date", _count("undated"), 0.25, 0.1, "of the documents had no date", _percent),
    _Measure("no headline", _count("without_headline"), 0.25, 0.1, "of the documents had no headline", _percent),
)


def _language(name: str) -> _Measure:
    def sums(one: Figures) -> tuple[int, int]:
        number = one.languages.get(name, 0)
        return number, number

    return _Measure(f"language {name}", sums, 0.25, 0.1, f"of the documents were in {name!r}", _percent, grows=True)


def steps(bodies: Sequence[Mapping[str, Any]]) -> list[Step]:
    """What each of these releases added to the one before it; manifests' bodies, oldest first.

    The first is added to nothing where it has no base. Releases whose manifests hold no figures are passed over.
    """
    found: list[Step] = []
    before: Mapping[str, Any] | None = None
    for body in bodies:
        now = body["counts"].get("figures")
        if now is not None and (before is not None or body["base"] is None):
            old = before["counts"]["figures"] if before else {}
            same = before is not None and before["knowledge"]["digest"] == body["knowledge"]["digest"]
            added = {name: Figures.read(now[name]) - Figures.read(old.get(name, {})) for name in sorted(now)}
            found = found if same else [Step(one.added, comparable=False) for one in found]
            found.append(Step(added, comparable=same))
        before = body if now is not None else None
    return found


def judge(arrived: Mapping[str, Figures], whole: Mapping[str, Figures], earlier: Sequence[Step]) -> list[Finding]:
    """What has drifted.

    `arrived` are the new documents' figures, `whole` those of all documents of the release they went into, `earlier`
    the steps before it, oldest first.
    """
    found: list[Finding] = []
    for source in sorted(whole.keys() | arrived.keys()):
        now = arrived.get(source, Figures())
        past = [one.added[source] for one in earlier if one.comparable and source in one.added]
        if now.documents:
            found += _moved(source, now, whole.get(source, now) - now, [one for one in past if one.documents > 0])
        found += _volume(source, now.documents, _volumes(source, earlier))
    return found


def _moved(source: str, now: Figures, rest: Figures, past: list[Figures]) -> Iterator[Finding]:
    """The measures of one source that have moved."""
    past = past[-KEPT:]
    while past and now.documents < LEAST and len(past) > ENOUGH:
        last = past.pop()
        now, rest = now + last, rest - last
    few = len(past) < ENOUGH
    base = rest if few else sum(past, Figures())
    if now.documents < LEAST or base.documents < KNOWN:
        return
    rare = {name for name in now.languages if rest.languages.get(name, 0) < RARE * rest.documents}
    grown = rare if len(past) < LANGUAGES else now.languages.keys()
    for measure in (*MEASURES, *map(_language, sorted(grown))):
        before, mean = (measure.sums(one)[0] / one.documents for one in (base, now))
        if measure.grows and mean < before:
            continue
        least = measure.matters * (EARLY if few and not measure.grows else 1)
        error = _error(measure, now, base, [] if few else past)
        if abs(mean - before) >= least and abs(mean - before) > SURE * error:
            told = (
                f"source {source!r} has drifted: {measure.value(before)} {measure.told} before, "
                f"{measure.value(mean)} in the {now.documents} newest documents"
            )
            yield Finding(source, measure.name, before, mean, now.documents, told)


def _error(measure: _Measure, now: Figures, base: Figures, past: Sequence[Figures]) -> float:
    """The standard error of the difference of the means."""
    spread = max(_variance(measure, base), measure.least_spread**2)
    between = _between(measure, past, spread)
    apart = spread / now.documents + spread / base.documents
    return math.sqrt(apart + between * (0.5 + 8 / max(1, len(past))))


def _variance(measure: _Measure, one: Figures) -> float:
    total, squares = measure.sums(one)
    return max(0.0, squares / one.documents - (total / one.documents) ** 2)


def _between(measure: _Measure, past: Sequence[Figures], spread: float) -> float:
    """The variance of the steps' true means: what their means vary more than so few documents would make them."""
    if len(past) < ENOUGH:
        return 0.0
    weights = [one.documents for one in past]
    means = [measure.sums(one)[0] / one.documents for one in past]
    whole = sum(weights)
    centre = sum(n * mean for n, mean in zip(weights, means, strict=True)) / whole
    varied = sum(n * (mean - centre) ** 2 for n, mean in zip(weights, means, strict=True))
    degrees = whole - sum(n * n for n in weights) / whole
    return max(0.0, (varied - (len(past) - 1) * spread) / degrees) if degrees > 0 else 0.0


def _volumes(source: str, earlier: Sequence[Step]) -> list[int]:
    """How many documents each step brought since the source's first, which may be an archive."""
    first = next((number for number, one in enumerate(earlier) if source in one.added), len(earlier))
    return [max(0, one.added.get(source, Figures()).documents) for one in earlier[first + 1 :]][-KEPT:]


def _volume(source: str, now: int, past: Sequence[int]) -> Iterator[Finding]:
    """Whether far more or fewer documents came; fewer only with the last step: a run by hand gets part of a day's."""
    if len(past) < VOLUME_STEPS:
        return
    scale = [math.log2(1 + number) for number in past]
    middle = statistics.median(scale)
    least = max(math.log2(VOLUME), 6 * 1.4826 * statistics.median(abs(one - middle) for one in scale))
    more = math.log2(1 + now) - middle
    fewer = middle - math.log2(1 + (now + past[-1]) / 2)
    if more > max(least, 1.5 * (max(scale) - middle)) or fewer > max(least, 1.5 * (middle - min(scale[:-1]))):
        before = 2**middle - 1
        told = f"source {source!r} has drifted: it brought {before:.0f} new documents in the median before, {now} now"
        yield Finding(source, "volume", before, float(now), now, told)


def silent(runs: Sequence[Mapping[str, int]]) -> list[Finding]:
    """Sources that have brought nothing for far longer than ever before; new documents by source of each run.

    Runs are given oldest first, those that released nothing as well. Far longer is over three times the longest pause
    seen in at least SILENT_RUNS runs, and at least SILENT_LEAST runs.
    """
    found = []
    for source in sorted({name for run in runs for name in run}):
        numbers = [run.get(source, 0) for run in runs]
        brought = [number for number, count in enumerate(numbers) if count]
        pause = len(numbers) - 1 - brought[-1] if brought else 0
        longest = max((b - a - 1 for a, b in pairwise(brought)), default=0)
        if brought and brought[-1] - brought[0] >= SILENT_RUNS and pause >= max(SILENT_LEAST, 3 * (longest + 1)):
            told = (
                f"source {source!r} has brought nothing in the last {pause} runs; "
                f"before, it never paused for more than {longest}"
            )
            found.append(Finding(source, "volume", float(longest), float(pause), 0, told))
    return found
