"""Corrections beyond the next ingest: as gold for scores and training, and as a profile's rules."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from copydesk.cli import main
from copydesk.errors import UsageError
from copydesk.evaluation.gold import as_gold
from copydesk.evaluation.labelled import read_labelled
from copydesk.lines.gold import bits, read_gold
from tests.test_corrections import rows, run, said
from tests.test_increments import story


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve invented pages with furniture that nobody has heard of, released."""
    folder, chance = tmp_path_factory.mktemp("used"), random.Random(6)
    (folder / "texts").mkdir()
    for number in range(12):
        page = story(chance).removesuffix("\nPlease enter your comment!\nShare on Facebook\n")
        lantern = (
            f"\n\nThe lantern burns for those who read to the end of it, as it always did\n\nHarbour hand: N{number}\n"
        )
        (folder / "texts" / f"{number:03}.txt").write_text(page + lantern)
    run(folder)
    return folder


def marked(folder: Path, *pairs: tuple[str, str, str]) -> Path:
    """A file of corrections: uri, what the line begins with, label."""
    records: list[dict[str, Any]] = []
    for uri, start, label in pairs:
        ledger = rows(folder, "ledger", uri)
        line = next(row["line"] for row in ledger.to_dicts() if row["raw"].decode().startswith(start))
        records.append(said(folder, uri, line=line, label=label))
    path = folder / "marks.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def test_corrections_are_gold_for_evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the marked lines count; the judge does not see what it is asked about."""
    path = marked(folder, ("000.txt", "The lantern", "other_boilerplate"), ("000.txt", "Harbour hand", "byline"))
    dataset = folder / "dist" / "texts"
    assert main(["evaluate", str(path), "--dataset", str(dataset), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["label"]: row["lines"] for row in found["labels"] if row["lines"]} == {
        "other_boilerplate": 1,
        "byline": 1,
    }
    assert found["totals"]["documents"]["all"] == 1
    assert main(["evaluate", str(path)]) == 2
    assert "holds corrections; give the dataset" in capsys.readouterr().err


def test_corrections_are_gold_in_the_gold_format(folder: Path) -> None:
    """Both readers of gold take them: raw bytes, nulls for what nobody marked, the fields that were mended."""
    path = marked(folder, ("001.txt", "The lantern", "advert"))
    with path.open("a") as file:
        file.write(json.dumps(said(folder, "001.txt", field="headline", value="A title")) + "\n")
    with as_gold(path, folder / "dist" / "texts") as gold:
        (one,) = read_labelled(gold)
        lines = read_gold([gold])
    assert one.raw == (folder / "texts" / "001.txt").read_bytes()
    assert [label for label in one.labels if label] == ["advert"]
    assert one.fields == {"headline": "A title"}
    right = lines.filter(lines["right"] > 0)
    assert right.select("text", "right").rows() == [
        ("The lantern burns for those who read to the end of it, as it always did", bits(["advert"]))
    ]


def test_gold_of_a_changed_document_is_refused(folder: Path) -> None:
    """Corrections of other raw files are no gold of this dataset."""
    record = {**said(folder, "002.txt", line=1, label="body"), "raw_sha256": "0" * 64}
    path = folder / "stale.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(UsageError, match="corrects no document"), as_gold(path, folder / "dist" / "texts"):
        pass


def test_marks_become_rules(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that comes back becomes a literal, a lead an expression, with the people's labels and names; it works."""
    path = marked(folder, ("000.txt", "The lantern", "advert"), ("003.txt", "Harbour hand", "byline"))
    words = ["profile", "propose", "--corrections", str(path), "--dataset", str(folder / "dist" / "texts")]
    assert main(words) == 0
    profile = tomllib.loads(text := capsys.readouterr().out)
    rules = {rule["label"]: rule for rule in profile["rules"]}
    assert rules["advert"]["lines"] == ["The lantern burns for those who read to the end of it, as it always did"]
    assert rules["byline"]["regex"] == "^harbour hand: "
    assert all("Marked by ada in 1 line." in rule["reason"] for rule in profile["rules"])
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "texts.toml").write_text(text)
    config = tmp_path / "copydesk.toml"
    source = f'[[source]]\nname = "texts"\npath = "{folder / "texts"}"\nsite = "{profile["id"]}"\n'
    config.write_text(f'[ingest]\nprofiles = ["profiles"]\n{source}')
    assert main(["explain", str(folder / "texts" / "007.txt"), "--config", str(config), "--json"]) == 0
    labels = json.loads(capsys.readouterr().out)["labels"]
    assert {"advert", "byline"} <= set(labels)


def test_what_people_marked_as_text_makes_no_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One marks the line as furniture, another place has it as text: it is left out, and said so."""
    path = marked(folder, ("000.txt", "The lantern", "advert"), ("004.txt", "The lantern", "body"))
    words = ["profile", "propose", "--corrections", str(path), "--dataset", str(folder / "dist" / "texts")]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "rules" not in tomllib.loads(text)
    assert "# Left out, for you to decide:\n# - 'the lantern burns" in text


def test_marks_of_text_alone_propose_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without furniture there is no rule to propose."""
    path = marked(folder, ("000.txt", "The lantern", "body"))
    words = ["profile", "propose", "--corrections", str(path), "--dataset", str(folder / "dist" / "texts")]
    assert main(words) == 2
    assert "is marked as furniture; mark some in the review page" in capsys.readouterr().err
