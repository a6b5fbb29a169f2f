"""Small charts as SVG: bars upright and bars lying, readable on light and dark pages.

    columns   upright bars, one for each step of an axis
    bars      lying bars, one a row, each of several parts with a legend

The bytes are a function of the numbers. A chart brings its own ground and takes its colours from the reader's scheme,
so that it can be read on any page, even where page and scheme differ. Nothing in it is loaded from elsewhere or runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

__all__ = ["Row", "bars", "columns"]

Row = tuple[str, str, Sequence[float]]
"""Of a chart of lying bars: its name, what stands at its end, and its parts as shares of the whole width."""

WIDTH: Final = 760
TOP: Final = 46
SIDE: Final = 16
FOOT: Final = 34
PLOT: Final = 190
ROW: Final = 26
NAMES: Final = 150
ENDS: Final = 130
GLYPH: Final = 6.3
"""Width of a letter at 12 px on average, to cut names and to set the legend."""

LIGHT: Final = (
    "#4477aa",
    "#88bbdd",
    "#cc4466",
    "#ee9933",
    "#ccaa22",
    "#228855",
    "#66bb99",
    "#aa66aa",
    "#996644",
    "#888888",
)
DARK: Final = (
    "#6699cc",
    "#335f85",
    "#e0708c",
    "#f0a850",
    "#d8c050",
    "#44aa77",
    "#2f7d66",
    "#c088c0",
    "#b98a66",
    "#9a9a9a",
)
"""Colours of parts by place. Neighbours differ in lightness as well as in hue, for those who do not see hues."""


def _style() -> str:
    def scheme(ground: str, ink: str, soft: str, rule: str, parts: Sequence[str]) -> str:
        fills = "".join(f".p{number}{{fill:{colour}}}" for number, colour in enumerate(parts))
        return f".g{{fill:{ground}}}.i{{fill:{ink}}}.s{{fill:{soft}}}.r{{stroke:{rule}}}{fills}"

    light = scheme("#ffffff", "#1f2328", "#59636e", "#d8dee4", LIGHT)
    dark = scheme("#11161d", "#e6edf3", "#9ba5af", "#303842", DARK)
    return (
        "<style>text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}.t{font-size:14px;font-weight:600}"
        f"{light}@media (prefers-color-scheme:dark){{{dark}}}</style>"
    )


def columns(title: str, alt: str, steps: Sequence[tuple[str, int]], ticks: Sequence[int]) -> str:
    """Upright bars: `steps` are (name, number), `ticks` the places whose names are written below."""
    top = _ceiling(max((number for _, number in steps), default=0))
    left, right = SIDE + 8 + GLYPH * len(f"{top:,}"), WIDTH - SIDE
    wide = (right - left) / max(1, len(steps))
    parts: list[str] = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        if top * share == int(top * share):
            y = TOP + PLOT * (1 - share)
            parts.append(f'<path class="r" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
            parts.append(_text(left - 6, y + 4, f"{int(top * share):,}", "s", "end"))
    gap = min(2.0, wide / 5)
    for place, (name, number) in enumerate(steps):
        high = PLOT * number / top
        x = left + place * wide + gap / 2
        told = f"<title>{escape(name)}: {number:,}</title>"
        parts.append(
            f'<rect class="p0" x="{x:.1f}" y="{TOP + PLOT - high:.1f}" width="{wide - gap:.1f}" height="{high:.1f}">'
            f"{told}</rect>"
        )
    for place in ticks:
        middle = left + (place + 0.5) * wide
        half = GLYPH * len(steps[place][0]) / 2
        parts.append(
            _text(min(max(middle, left + half - 8), right - half), TOP + PLOT + 18, steps[place][0], "s", "middle")
        )
    return _document(title, alt, TOP + PLOT + FOOT, parts)


def bars(title: str, alt: str, rows: Sequence[Row], legend: Sequence[str]) -> str:
    """Lying bars; `legend` names the parts, by place, and may be empty."""
    parts, y = _legend(legend)
    room = WIDTH - SIDE - NAMES - ENDS
    for name, end, shares in rows:
        parts.append(_text(SIDE + NAMES - 10, y + 16, _cut(name, NAMES - 10), "i", "end"))
        x = float(SIDE + NAMES)
        parts.append(f'<path class="r" d="M{x:.1f} {y:.1f}v{ROW - 2}"/>')
        for number, share in enumerate(shares):
            if share > 0:
                told = f"<title>{escape(legend[number])}: {100 * share:.1f} %</title>" if legend else ""
                parts.append(
                    f'<rect class="p{number}" x="{x:.1f}" y="{y + 3:.1f}" width="{room * share:.1f}" '
                    f'height="{ROW - 8}">{told}</rect>'
                )
            x += room * share
        parts.append(_text(SIDE + NAMES + room * min(1.0, sum(shares)) + 8, y + 16, end, "s"))
        y += ROW
    return _document(title, alt, y + 12, parts)


def _legend(names: Sequence[str]) -> tuple[list[str], float]:
    """The legend's parts, and where the rows begin."""
    parts: list[str] = []
    x, y = float(SIDE), float(TOP)
    for number, name in enumerate(names):
        wide = 18 + 7 * len(name) + 14
        if x + wide > WIDTH - SIDE:
            x, y = float(SIDE), y + 20
        parts.append(f'<rect class="p{number}" x="{x:.1f}" y="{y - 9:.1f}" width="12" height="12" rx="2"/>')
        parts.append(_text(x + 18, y + 1, name, "s"))
        x += wide
    return parts, y + 16 if names else y - 8


def _document(title: str, alt: str, height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    head = f"<title>{escape(title)}</title><desc>{escape(alt)}</desc>{_style()}"
    ground = f'<rect class="g" width="{WIDTH}" height="{height:.0f}" rx="8"/>'
    body = "\n".join([head, ground, _text(SIDE, 24, title, "i t"), *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{body}\n</svg>\n'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "") -> str:
    placed = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{placed}>{escape(text)}</text>'


def _cut(text: str, room: float) -> str:
    most = int(room / GLYPH)
    return text if len(text) <= most else text[: most - 1] + "…"


def _ceiling(number: int) -> int:
    """The least round number (1, 2, 4, 5, 8 times a power of ten) that is no less."""
    power = 1
    while True:
        for digit in (1, 2, 4, 5, 8):
            if digit * power >= number:
                return digit * power
        power *= 10
