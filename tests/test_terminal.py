"""The terminal: what `explain` shows, wide and narrow, and that no text can act on it; progress with rate and time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from copydesk.cli import main
from copydesk.review import progress
from copydesk.review.progress import Bars, Lines, duration, rate, shown_progress
from copydesk.review.terminal import ONLY, Look, print_document
from copydesk.single import Line

LONG = "The ferry ran again on Monday after a week of storm, the harbour office said, and nobody was late for once."
LINES = [
    Line(1, "Home", "navigation", "dropped", "web:navigation", 0.98),
    Line(2, "", "blank", "blank", "blank", 1.0),
    Line(3, LONG, "body", "text", "model", 0.6),
    Line(4, "Salt & fish", "heading", "text", "structure:heading", 0.7, "Salt &amp; fish"),
    Line(5, LONG + " \u2014 so", "body", "text", "structure:paragraph", 0.7, LONG + " &mdash; so"),
]


def shown(lines: list[Line], width: int = 100, *, terminal: bool = False, look: Look | None = None) -> str:
    """What is printed of a document of these lines."""
    fields: dict[str, Any] = dict.fromkeys(
        ["headline", "deck", "dateline", "published_at", "updated_at", "authors", "section", "topics", "persons",
         "truncated", "language", "outlet", "site"]
    )  # fmt: skip
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, emoji=False, markup=False)
    print_document({"uri": "a.txt", "fields": fields, "lines": lines}, console, look)
    return out.getvalue()


def test_wide_a_line_has_one_row_and_narrow_two() -> None:
    """The text is cut to what there is room for; nothing runs over the edge."""
    wide, narrow = (shown(LINES, width).splitlines() for width in (100, 40))
    assert len([row for row in wide if row[3:4].isdigit() and not row[:3].strip()]) == 5
    assert all(len(row) <= 100 for row in wide)
    assert all(len(row) <= 40 for row in narrow[:-2])  # the counts below may wrap
    assert narrow[narrow.index("   1 navigation · web:navigation") + 1] == "     Home"


def test_doubt_is_marked_and_counted() -> None:
    """A question mark beside the label, and the numbers below."""
    told = shown(LINES)
    assert "   3 body ?" in told
    assert "  3 kept, 0 in fields, 1 dropped; 1 in doubt (?)" in told


@pytest.mark.parametrize(
    ("only", "numbers"), [("text", [3, 4, 5]), ("field", []), ("dropped", [1]), ("doubtful", [3]), ("repaired", [4, 5])]
)
def test_only_shows_what_is_asked_for(only: str, numbers: list[int]) -> None:
    """A fate, doubt or repair; the counts are of all lines."""
    rows = shown(LINES, look=Look(only=only)).splitlines()
    assert [int(row[:4]) for row in rows if row[3:4].isdigit() and not row[:3].strip()] == numbers
    assert only in ONLY


def test_diff_shows_the_change_wherever_it_is() -> None:
    """What stood there above what it became; where the change is far to the right, the row begins near it."""
    rows = shown(LINES, look=Look(diff=True)).splitlines()
    at = next(number for number, row in enumerate(rows) if row.startswith("   4 "))
    assert rows[at - 1].strip() == "Salt &amp; fish"
    assert rows[at].endswith("Salt & fish")
    assert "&mdash; so" in rows[at + 1]
    assert rows[at + 2].endswith("\u2014 so")


def test_colours_are_for_terminals_only() -> None:
    """Struck and red on a terminal, not one escape where it is piped."""
    assert "\x1b" not in shown(LINES)
    assert "\x1b[9;31m" in shown(LINES, terminal=True) or "\x1b[31;9m" in shown(LINES, terminal=True)


def test_text_does_nothing_to_the_terminal() -> None:
    """Escapes, bells, carriage returns and marks that turn the direction are written out."""
    told = shown([Line(1, "\x1b[2J\x07\r\u202egnp.exe \u2066x \x9b31m [bold]", "body", "text", "model", 0.9)], 160)
    assert "<U+001B>[2J<U+0007><U+000D><U+202E>gnp.exe <U+2066>x <U+009B>31m [bold]" in told


def test_explain_takes_only_and_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the command line; with --json they are refused."""
    (tmp_path / "a.txt").write_text(f"All news\n\n{LONG}\n\nSalt &amp; fish were late, he said, and so was he.\n")
    assert main(["explain", str(tmp_path / "a.txt"), "--only", "repaired", "--diff"]) == 0
    out = capsys.readouterr().out
    assert "Salt &amp; fish" in out
    assert "All news" not in out
    assert main(["explain", str(tmp_path / "a.txt"), "--only", "text", "--json"]) == 2
    assert "--json has every line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_told_as_people_do(seconds: float, told: str) -> None:
    """Tenths for short ones, two units for long ones."""
    assert duration(seconds) == told
    assert rate(2.5) == "2.5 batches/s"
    assert rate(1 / 40) == "40 s/batch"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_tell_rate_and_time_left(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Every ten seconds, and at the end how long it took."""
    lines = Lines()
    lines.begin("judge", 10)
    for _ in range(4):
        clock[0] += 6
        lines.advance("judge")
    lines.end("judge")
    assert capsys.readouterr().err.splitlines() == [
        "judge: 2 of 10 batches, 6.0 s/batch, 48 s left",
        "judge: 4 of 10 batches, 6.0 s/batch, 36 s left",
        "judge: done in 24 s",
    ]


def test_bars_show_rate_and_time() -> None:
    """On a terminal every stage has its bar, its count, its rate and its time."""
    out, now = io.StringIO(), [100.0]
    console = Console(file=out, force_terminal=True, width=100)
    with progress.bars_on(console) as bars:
        bars.get_time = lambda: now[0]
        shown_bars = Bars(bars)
        shown_bars.begin("read", 4)
        for _ in range(4):
            now[0] += 0.25
            shown_bars.advance("read")
        shown_bars.end("read")
    assert "4/4" in out.getvalue()
    assert "4.0 batches/s" in out.getvalue()


def test_piped_runs_tell_plain_lines(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is no terminal there are no bars."""
    with shown_progress() as told:
        told.begin("read", 1)
        told.end("read")
    assert capsys.readouterr().err == "read: done in 0.0 s\n"
