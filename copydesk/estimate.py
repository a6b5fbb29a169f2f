"""What a judged sample says of the whole corpus: shares with 95 % bounds, stratum by stratum.

    read_audit   the file that the review page exports, checked
    estimate     lost text and furniture left in, of all lines, with bounds
    bounds       a stratified share with its bounds

Method: the share is the mean of the strata's shares, weighted by their lines. Its variance comes from the strata's
shares drawn half a line towards one half, (x + ½) / (n + 1), so that a stratum without a find still has one, and from
the finite numbers of lines. That gives the size of a simple sample that would know as much, and the bounds are Clopper
and Pearson's of that size (Korn and Graubard, Survey Methodology 24, 1998). Simulated with 100 to 400 lines and shares
from 0.3 to 12 %, they hold the truth in 94.5 to 99.9 % of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from copydesk.corrections import read_records
from copydesk.errors import ConfigError

__all__ = ["KIND", "Audit", "bounds", "estimate", "read_audit", "told"]

KIND: Final = "copydesk audit 1"
LEVEL: Final = 0.95

Decision = Literal["kept", "out"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stratum(_Record):
    """Lines of one source, decision and confidence: how many there are, how many were drawn."""

    name: str
    decision: Decision
    lines: Annotated[int, Field(ge=1)]
    drawn: Annotated[int, Field(ge=0)]


class Head(_Record):
    """The first record of an audit: what was drawn from what."""

    kind: str
    dataset: str
    version: str
    content: str
    seed: int
    strata: tuple[Stratum, ...]


class Verdict(_Record):
    """What a person said of one line of the sample."""

    id: str
    line: int
    span: int
    stratum: Annotated[int, Field(ge=0)]
    decision: Decision
    verdict: Literal["right", "wrong", "unsure"]
    who: str


@dataclass(frozen=True)
class Audit:
    """A sample, judged."""

    head: Head
    verdicts: tuple[Verdict, ...]


def read_audit(path: Path) -> Audit:
    """An audit file; raises UsageError where it is missing, ConfigError that names file, line, value and remedy."""
    records = list(read_records(path))
    if not records or records[0][1].get("kind") != KIND:
        raise ConfigError(f"{path}: does not begin with {KIND!r}; give the file that the page of --audit exported")
    head = _checked(Head, *records[0])
    verdicts: dict[tuple[str, int, int], Verdict] = {}
    for where, record in records[1:]:
        one = _checked(Verdict, where, record)
        if one.stratum >= len(head.strata) or head.strata[one.stratum].decision != one.decision:
            raise ConfigError(f"{where}: stratum = {one.stratum}: the head has no such stratum; export the audit again")
        if (one.id, one.line, one.span) in verdicts:
            raise ConfigError(f"{where}: line {one.line} of {one.id} was judged before; keep one of the records")
        verdicts[one.id, one.line, one.span] = one
    for number, stratum in enumerate(head.strata):
        found = sum(one.stratum == number for one in verdicts.values())
        if found > stratum.drawn:
            raise ConfigError(f"{path}: {stratum.name}: {found} lines judged of {stratum.drawn} drawn; take out others")
    return Audit(head, tuple(verdicts.values()))


def _checked(model: type[Any], where: str, record: Mapping[str, Any]) -> Any:
    try:
        return model(**record)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise ConfigError(f"{where}: {key} = {fault['input']!r:.60}: {fault['msg']}; export the audit again") from error


@dataclass(frozen=True)
class _Part:
    """Of a stratum: lines, judged, wrong."""

    lines: int
    judged: int
    wrong: int


def estimate(audit: Audit) -> dict[str, Any]:
    """What the audit says of the release, ready for JSON.

    `lost`: of the lines left out, the share that is text of the article; `lost_of_text`: the same lines as a share of
    all text. `left`: of the lines kept, the share that is furniture. Each has `share`, `low`, `high`, `lines` (with
    bounds), `judged`, `wrong`.
    """
    head = audit.head
    found = {}
    for decision, name in (("out", "lost"), ("kept", "left")):
        parts = [_part(audit, number) for number, one in enumerate(head.strata) if one.decision == decision]
        found[name] = _share(parts)
    kept = sum(one.lines for one in head.strata if one.decision == "kept")
    lost, text = found["lost"], kept - (found["left"]["lines"] or 0)
    found["lost_of_text"] = {
        key: _ratio(lost["lines" if key == "share" else f"lines_{key}"], text) for key in ("share", "low", "high")
    }
    unsure = sum(one.verdict == "unsure" for one in audit.verdicts)
    drawn = sum(one.drawn for one in head.strata)
    return {
        "dataset": head.dataset,
        "version": head.version,
        "drawn": drawn,
        "judged": len(audit.verdicts) - unsure,
        "unsure": unsure,
        "who": sorted({one.who for one in audit.verdicts}),
        "level": LEVEL,
        **found,
    }


def _part(audit: Audit, number: int) -> _Part:
    said = [one.verdict for one in audit.verdicts if one.stratum == number and one.verdict != "unsure"]
    return _Part(audit.head.strata[number].lines, len(said), said.count("wrong"))


def _ratio(lost: float | None, text: float) -> float | None:
    return None if lost is None else lost / (lost + text) if lost + text else 0.0


def _share(parts: Sequence[_Part]) -> dict[str, Any]:
    share, low, high = bounds([(one.lines, one.judged, one.wrong) for one in parts])
    lines = sum(one.lines for one in parts)
    counts = {"of": lines, "judged": sum(one.judged for one in parts), "wrong": sum(one.wrong for one in parts)}
    scaled = [None if value is None else round(value * lines) for value in (share, low, high)]
    return {
        "share": share,
        "low": low,
        "high": high,
        **dict(zip(("lines", "lines_low", "lines_high"), scaled, strict=True)),
        **counts,
    }


def bounds(parts: Sequence[tuple[int, int, int]]) -> tuple[float | None, float | None, float | None]:
    """Share, lower and upper bound from strata of (lines, judged, wrong); None for all where nothing was judged.

    Strata of which nothing was judged could be anything: the bounds allow for all or none of their lines.
    """
    known = [part for part in parts if part[1]]
    whole, seen = sum(part[0] for part in parts), sum(part[0] for part in known)
    if not seen:
        return None, None, None
    share = sum(lines / seen * wrong / judged for lines, judged, wrong in known)
    low, high = _clopper_pearson(share, _effective(known, seen))
    unseen = 1 - seen / whole
    return share, low * (1 - unseen), high * (1 - unseen) + unseen


def _effective(parts: Sequence[tuple[int, int, int]], whole: int) -> float:
    """The size of a simple sample that would know as much."""
    mean = variance = 0.0
    for lines, judged, wrong in parts:
        drawn = (wrong + 0.5) / (judged + 1)
        mean += lines / whole * drawn
        variance += (lines / whole) ** 2 * (1 - judged / lines) * drawn * (1 - drawn) / judged
    judged = sum(part[1] for part in parts)
    return mean * (1 - mean) / variance if variance > 0 else math.inf if judged >= whole else float(judged)


def _clopper_pearson(share: float, size: float) -> tuple[float, float]:
    """The bounds of a share seen in a sample of `size`, which need not be whole."""
    if math.isinf(size):
        return share, share
    found, tail = share * size, (1 - LEVEL) / 2
    low = 0.0 if found < 1e-9 else _quantile(found, size - found + 1, tail)
    high = 1.0 if found > size - 1e-9 else _quantile(found + 1, size - found, 1 - tail)
    return low, high


def _quantile(a: float, b: float, part: float) -> float:
    """Where the beta distribution has `part` of its mass below, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta(a, b, middle) < part else (low, middle)
    return (low + high) / 2


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            step = c * d
            value *= step
        if abs(step - 1) < 1e-13:
            break
    return value


def _away(value: float) -> float:
    """Not quite zero."""
    return value if abs(value) > 1e-300 else 1e-300


def told(found: Mapping[str, Any]) -> str:
    """An estimate in words, a line each."""
    head = (
        f"audit of {found['dataset']} {found['version']}: {found['judged']} of {found['drawn']} drawn lines judged by "
        f"{', '.join(found['who']) or 'nobody'}; {found['unsure']} could not be told"
    )
    rows = [
        head,
        _row("lost text, of the lines left out", found["lost"]),
        _row("lost text, of all text", found["lost_of_text"]),
        _row("furniture left, of the lines kept", found["left"]),
        "bounds at 95 %: Clopper-Pearson at the effective size of the stratified sample (Korn and Graubard)",
    ]
    return "\n".join(rows)


def _row(name: str, part: Mapping[str, Any]) -> str:
    if part["share"] is None:
        return f"{name:<34} nothing was judged"
    lines = (
        f"; {part['lines']:,} ({part['lines_low']:,} to {part['lines_high']:,}) of {part['of']:,} lines"
        if "of" in part
        else ""
    )
    return f"{name:<34} {part['share']:.2%} ({part['low']:.2%} to {part['high']:.2%}){lines}"
