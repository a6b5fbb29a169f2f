"""The plots of a card: SVG files that are functions of the newest manifest, named by their contents.

render_plots   the plots of a manifest: articles over time, lengths, what lines are, how much was left out
Plot           one of them, and the words for those who do not see it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from copydesk.labels import DROPPED
from copydesk.release.figures import UNKNOWN
from copydesk.release.folder import sha256_of
from copydesk.release.svg import bars, columns
from copydesk.release.tally import WORDS

__all__ = ["PLOTS", "Plot", "render_plots"]

PLOTS: Final = "plots"
MONTHS: Final = 120
"""Months that have a bar each; a longer time has a bar for each year."""

ROWS: Final = 12
"""Sources that have a row each; the smaller ones are added up."""

REST: Final = "all others"


@dataclass(frozen=True)
class Plot:
    """A plot. `name` is what it shows (such as "months"), `alt` says in words what is to be seen."""

    name: str
    alt: str
    svg: str

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self.svg.encode()

    @property
    def file(self) -> str:
        """Its name below the dataset's folder, with the first 12 digits of its SHA-256."""
        return f"{PLOTS}/{self.name}-{sha256_of(self.data)[:12]}.svg"

    @property
    def markdown(self) -> str:
        """The line that shows it in a card."""
        return f"![{self.alt}]({self.file})"


def render_plots(body: Mapping[str, Any]) -> dict[str, Plot]:
    """Name to plot; one that has nothing to show is left out."""
    found = (_months(body["counts"]), _lengths(body["counts"]), _labels(body["ledger"]), _removed(body["ledger"]))
    return {plot.name: plot for plot in found if plot is not None}


def _months(counts: Mapping[str, Any]) -> Plot | None:
    months = {name: number for name, number in counts.get("by_month", {}).items() if name != UNKNOWN}
    if not months:
        return None
    steps, unit = _timed(months), "month"
    if len(steps) > MONTHS:
        years = [int(name[:4]) for name in months]
        per_year = counts["by_year"]
        steps, unit = [(str(year), per_year.get(str(year), 0)) for year in range(min(years), max(years) + 1)], "year"
    most = max(steps, key=lambda step: step[1])
    alt = (
        f"Articles per {unit} from {steps[0][0]} to {steps[-1][0]}: at most {most[1]:,}, in {most[0]}; "
        f"{counts['undated']:,} without a date are not shown."
    )
    return Plot("months", alt, columns(f"Articles per {unit}", alt, steps, _ticks(len(steps))))


def _timed(months: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every month from the first to the last, also those without an article."""
    first, last = (int(name[:4]) * 12 + int(name[5:]) - 1 for name in (min(months), max(months)))
    if last - first > MONTHS:
        return [("", 0)] * (MONTHS + 1)
    names = (f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1))
    return [(name, months.get(name, 0)) for name in names]


def _ticks(steps: int) -> list[int]:
    """Places along an axis: at most nine, evenly set, from the first."""
    stride = -(-steps // 9)
    return list(range(0, steps, stride))


def _lengths(counts: Mapping[str, Any]) -> Plot | None:
    held = {int(least): number for least, number in counts.get("by_words", {}).items()}
    if not held:
        return None
    edges = (0, *WORDS)
    places = [edges.index(least) for least in held]
    steps = [(_words(edges, place), held.get(edges[place], 0)) for place in range(min(places), max(places) + 1)]
    most = max(steps, key=lambda step: step[1])
    mean = counts["words"] / max(1, counts["documents"])
    alt = (
        f"Lengths of the articles in words: from {steps[0][0]} to {steps[-1][0]}, most often {most[0]} "
        f"({most[1]:,} articles); the mean is {mean:,.0f}."
    )
    return Plot("lengths", alt, columns("Articles by their length in words", alt, steps, _ticks(len(steps))))


def _words(edges: tuple[int, ...], place: int) -> str:
    """What a class of length is called: `0`, `3`, `45–63`, `65,536 or more`."""
    if place + 1 == len(edges):
        return f"{edges[place]:,} or more"
    least, most = edges[place], edges[place + 1] - 1
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def _sources(ledger: Mapping[str, Any], *, blank: bool) -> dict[str, list[dict[str, Any]]]:
    """Source to its rows by label and fate, with or without blank lines; the largest, then all others together."""
    counted = ledger.get("by_source", {}).items()
    written = {name: [row for row in rows if blank or row["fate"] != "blank"] for name, rows in counted}
    written = {name: rows for name, rows in written.items() if rows}
    largest = sorted(written, key=lambda name: (-sum(row["spans"] for row in written[name]), name))
    if len(largest) <= ROWS + 1:
        return {name: written[name] for name in largest}
    rest = [row for name in largest[ROWS:] for row in written[name]]
    return {**{name: written[name] for name in largest[:ROWS]}, f"{len(largest) - ROWS} {REST}": rest}


def _labels(ledger: Mapping[str, Any]) -> Plot | None:
    sources = _sources(ledger, blank=False)
    if not sources:
        return None
    legend = ("text", "fields", *(label.replace("_", " ") for label in DROPPED))
    rows = []
    for name, counted in sources.items():
        whole = sum(row["spans"] for row in counted)
        shares = [_share(counted, "spans", whole, fate=fate) for fate in ("text", "field")]
        shares += [_share(counted, "spans", whole, fate="dropped", label=label) for label in DROPPED]
        rows.append((name, f"{whole:,} lines", shares))
    text = ", ".join(f"{name} {100 * shares[0]:.0f} %" for name, _, shares in rows)
    alt = f"What the lines of each source were taken for, by their number, blank ones apart. Share of text: {text}."
    return Plot("labels", alt, bars("What the lines of each source are", alt, rows, legend))


def _removed(ledger: Mapping[str, Any]) -> Plot | None:
    rows = []
    for name, counted in _sources(ledger, blank=True).items():
        whole = sum(row["bytes"] for row in counted)
        if whole:
            share = _share(counted, "bytes", whole, fate="dropped")
            rows.append((name, share))
    if not any(share for _, share in rows):
        return None
    shown = [(name, f"{100 * share:.1f} %", [0.0, 0.0, share]) for name, share in rows]
    told = ", ".join(f"{name} {end}" for name, end, _ in shown)
    alt = f"Share of each source's bytes that was left out: {told}."
    return Plot("removed", alt, bars("Share of the bytes that was left out", alt, shown, ()))


def _share(rows: list[dict[str, Any]], unit: str, whole: int, **wanted: str) -> float:
    part: int = sum(row[unit] for row in rows if all(row[key] == value for key, value in wanted.items()))
    return part / whole if whole else 0.0
