"""The benchmark of speed runs from the repository alone, tells what it leaves out, and reckons right."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import speed
from benchmarks.speed_peers import PATTERNS, cleaned
from tests.conftest import ROOT

MADE = [
    speed.Figures("copy", 105, 1.5, 0.5, 2.0, 100_000_000),
    speed.Figures("copydesk", 105, 7.0, 2.0, 9.0, 300_000_000),
]


@pytest.mark.slow
def test_it_runs_on_invented_texts_and_prints_a_table(tmp_path: Path) -> None:
    """Twenty documents, one turn: a row for each that was asked for, the same figures as JSON, a plot."""
    asked = ["--invented", "20", "--turns", "1", "--workers", "2", "--only", "copy", "script", "library", "copydesk"]
    files = ["--json", str(tmp_path / "figures.json"), "--plot", str(tmp_path / "plot.svg")]
    run = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "speed.py"), *asked, *files],
        cwd=tmp_path, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for name in ("copy of the files", "afternoon script", "copydesk as a script", "copydesk ingest"):
        assert f"\n{name}" in run.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    assert [(one["name"], one["documents"]) for one in figures] == [
        ("copy", 20),
        ("script", 20),
        ("library", 20),
        ("copydesk", 20),
    ]
    assert all(one["cpu"] > 0 and one["wall"] > 0 and one["peak"] > 10_000_000 for one in figures)
    assert all(len(one["runs"]) == one["turns"] == 1 for one in figures)
    assert ET.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")


@pytest.mark.slow
def test_who_ends_it_early_has_the_medians_so_far(tmp_path: Path) -> None:
    """After SIGTERM: the table of the turns that were done, no process and no file left."""
    command = [sys.executable, str(ROOT / "benchmarks" / "speed.py"), "--invented", "20", "--turns", "500"]
    settings = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*command, "--only", "copy"], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        assert run.stderr.readline().startswith("turn 1 of 500: copy of the files: ")
        run.terminate()
        told, _ = run.communicate(timeout=600)
    assert run.returncode == 130
    assert "ended before its time" in told
    assert "\ncopy of the files" in told
    assert not list(tmp_path.iterdir())


def test_slow_peers_get_some_of_the_documents(tmp_path: Path) -> None:
    """Of 30 texts ten, from all over the folder, for those alone; and five to measure the start with."""
    folder = speed.invented(tmp_path / "texts", 30)
    texts = speed.given(folder, tmp_path / "work", 10)
    assert texts.of("script") == (folder, 30)
    part, number = texts.of("minhash")
    paths = [path.relative_to(part) for path in sorted(part.rglob("*.txt"))]
    assert len(paths) == number == 10
    assert paths == [path.relative_to(folder) for path in sorted(folder.rglob("*.txt"))][::3]
    assert len(list(texts.few.rglob("*.txt"))) == speed.FEW
    assert speed.given(folder, tmp_path / "again", None).of("minhash") == (folder, 30)


def test_a_ratio_is_of_a_document() -> None:
    """Who was given fewer documents is not the quicker for it."""
    half = speed.Figures("script", 55, 3.0, 0.5, 2.0, 100_000_000, 2)
    row = next(line for line in speed.report([MADE[0], half]).splitlines() if line.startswith("afternoon"))
    assert row.split() == ["afternoon", "script", "55", "3.00", "0.50", "20", "5.0", "1.00", "2.0", "100", "2"]


@pytest.mark.slow
def test_stages_add_up_to_the_whole(tmp_path: Path) -> None:
    """CPU by stage names every stage of the pipeline, and the shares are of the whole."""
    speed.invented(tmp_path / "texts", 10)
    run = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "stages.py"), str(tmp_path / "texts")],
        cwd=tmp_path, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    first, *rows = run.stdout.splitlines()
    assert first == "10 documents"
    compared = ["compare", "pairs", "agree", "alike", "mark"]
    stages = ["read", "count", "learn", "judge", *compared, "write", "release", "around", "whole"]
    assert [row.split()[0] for row in rows] == stages
    seconds = [float(row.split()[1]) for row in rows]
    assert sum(seconds[:-1]) == pytest.approx(seconds[-1], abs=0.05)


def test_what_is_not_installed_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for the peer that lacks a package, and the others run."""
    monkeypatch.setitem(speed.NEEDS, "datatrove", ("datatrove", "no_such_package"))
    found = dict(speed.installed(["copy", "datatrove", "copydesk"], None))
    assert list(found) == ["copy", "copydesk"]
    lacking = "no_such_package" if importlib.util.find_spec("datatrove") else "datatrove, no_such_package"
    assert capsys.readouterr().out == f"datatrove: not measured, not installed: {lacking}\n"


def test_the_start_is_taken_off() -> None:
    """Rates and ratios are those of the documents beyond the five that the start was measured on."""
    assert MADE[0].rate == pytest.approx(100)
    assert MADE[1].rate == pytest.approx(20)
    row = next(line for line in speed.report(MADE).splitlines() if line.startswith("copydesk ingest"))
    assert row.split() == ["copydesk", "ingest", "105", "7.00", "2.00", "20", "5.0", "-", "9.0", "300", "1"]


def test_a_failing_run_stops_with_what_it_printed(tmp_path: Path) -> None:
    """No figure is made of a run that failed."""
    with pytest.raises(SystemExit, match="afternoon script failed") as stopped:
        speed.run("script", [sys.executable, "-c", "raise ValueError('told')"], tmp_path, tmp_path)
    assert "ValueError: told" in str(stopped.value)


def test_invented_texts_are_as_many_as_asked_for_with_reprints(tmp_path: Path) -> None:
    """Every tenth is the one before it with a line more, printed by another site."""
    texts = [path.read_text() for path in speed.invented(tmp_path, 30).rglob("*.txt")]
    again = [text for text in texts if "Printed a second time" in text]
    assert (len(texts), len(set(texts)), len(again)) == (30, 30, 3)
    assert all(text.rsplit("\n", 2)[0] + "\n" in texts for text in again)


def test_the_afternoon_script_has_fifty_expressions() -> None:
    """They drop lines of furniture and leave a story's lines."""
    assert len(set(PATTERNS)) == 50
    page = "Home\n12 Comments\n  The ferry sailed at noon.\nâ€œHomeâ€\x9d is a word.\n\nRead also: Ferries\n"
    assert cleaned(page).splitlines() == ["The ferry sailed at noon.", '"Home" is a word.']
