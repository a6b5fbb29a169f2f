"""`copydesk diff`: what differs, by cause, rule, site, source and month; texts word by word; `replay`."""

from __future__ import annotations

import json

import polars as pl
import pytest

from copydesk.cli import main
from copydesk.knowledge import Knowledge
from copydesk.release.manifest import choose, read_manifest
from copydesk.release.worddiff import marked, unified, words
from copydesk.text import content_hashes
from tests.release_samples import release, sample_tables


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two releases: a document is gone, one is new, one has another headline and rule, one another rule alone."""
    folder = tmp_path_factory.mktemp("diff") / "harbour"
    articles, ledger = sample_tables(range(20))
    release(folder, (articles, ledger))
    more, lines = sample_tables(range(1, 21))
    names = dict(zip(("headline", "rule"), more["id"][3:5], strict=True))
    more = more.with_columns(
        headline=pl.when(id=names["headline"]).then(pl.lit("A\x1b[31mnother")).otherwise("headline"),
        text=pl.when(id=names["headline"]).then(pl.col("text") + "\n\nIn the end.").otherwise("text"),
    )
    first = pl.col("line") == 1
    lines = lines.with_columns(
        evidence=pl.when(first & pl.col("id").is_in(list(names.values())))
        .then(pl.lit("norda:headline"))
        .otherwise("evidence")
    )
    release(folder, (more.with_columns(content_sha256=content_hashes(more)), lines), knowledge=Knowledge(documents=9))
    return folder


def _told(capsys, *arguments) -> str:
    assert main(["diff", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_line_for_each_document_says_what_and_why(dataset, capsys):
    """The object's keys are stable; columns and rules are named where the document was judged otherwise."""
    rows = [json.loads(line) for line in _told(capsys, dataset, "1.0.0", "1.1.0", "--json").splitlines()]
    assert [row["change"] for row in rows] == ["added", "changed", "relabelled", "removed"]
    assert list(rows[0]) == ["id", "uri", "source", "change", "cause", "site", "month", "splits", "columns", "rules"]
    assert [row["cause"] for row in rows] == ["raw file", "knowledge", "knowledge", "raw file"]
    assert rows[1]["columns"] == ["headline", "text"]
    rules = [{"rule": "model", "before": 1, "after": 0}, {"rule": "norda:headline", "before": 0, "after": 1}]
    assert rows[1]["rules"] == rows[2]["rules"] == rules
    assert [row["splits"] for row in rows] == [[None, "train"], ["train"] * 2, ["train"] * 2, ["train", None]]
    assert all(row["month"] in ("2017-01", None) for row in rows)


def test_a_document_that_changed_and_moved_is_named_with_its_move(tmp_path, capsys):
    """Its change is the greater one, and its line says from which split to which it went; so does the JSON."""
    articles, ledger = sample_tables(range(6))
    release(tmp_path / "harbour", (articles, ledger))
    place = pl.int_range(pl.len())
    articles = articles.with_columns(
        headline=pl.when(place == 1).then(pl.lit("Another")).otherwise("headline"),
        split=pl.when(place < 3).then(pl.lit("test")).otherwise("split"),
    )
    release(tmp_path / "harbour", (articles.with_columns(content_sha256=content_hashes(articles)), ledger))
    lines = _told(capsys, tmp_path / "harbour", "1.0.0", "1.1.0").splitlines()
    moved = [line for line in lines if line.endswith("; from train to test)")]
    assert [line.split()[0] for line in moved] == ["changed", "moved", "moved"]
    rows = [json.loads(line) for line in _told(capsys, tmp_path / "harbour", "1.0.0", "1.1.0", "--json").splitlines()]
    assert [row["splits"] for row in rows] == [["train", "test"]] * 3


def test_the_summary_adds_up(dataset, capsys):
    """By cause, source, site and month, and lines by rule; the manifest holds the same."""
    told = json.loads(_told(capsys, dataset, "1.0.0", "1.1.0", "--summary", "--json"))
    assert told["changes"]["relabelled"] == {"knowledge": 1}
    assert told["source"] == {"harbour": 4}
    assert told["rule"] == {"model": 2, "norda:headline": 2}
    assert sum(told["month"].values()) == sum(told["site"].values()) == 4
    body = read_manifest(dataset, choose(dataset, "1.1.0")).body
    assert {"changes": body["changes"], **body["changed"]} == told
    text = _told(capsys, dataset, "1.0.0", "1.1.0", "--summary")
    assert "lines by rule: model 2, norda:headline 2" in text
    assert text.endswith("1.0.0 to 1.1.0: 1 added, 1 changed, 1 relabelled, 1 removed\n")
    changelog = (dataset / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "- lines by rule: `model` 2, `norda:headline` 2" in changelog


def test_texts_are_shown_plain_where_no_terminal_is(dataset, capsys):
    """Unified or by words, without control characters of the page."""
    text = _told(capsys, dataset, "1.0.0", "1.1.0", "--text")
    assert "+headline: A [31mnother\n" in text
    assert "\n+In the end.\n" in text
    assert "\x1b" not in text
    assert "{+In the end.+}" in _told(capsys, dataset, "1.0.0", "1.1.0", "--words")
    rows = [json.loads(one) for one in _told(capsys, dataset, "1.0.0", "1.1.0", "--json", "--text").splitlines()]
    assert [bool(row["diff"]) for row in rows if row["change"] == "changed"] == [True]


def test_texts_are_coloured_on_a_terminal(dataset, capsys, monkeypatch):
    """What came is green."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m+In the end." in _told(capsys, dataset, "1.0.0", "1.1.0", "--text")


def test_a_patch_is_written_and_replayed(dataset, capsys, tmp_path):
    """From the command line."""
    assert "bytes make 1.1.0 of 1.0.0: 2 articles whole" in _told(
        capsys, dataset, "1.0.0", "1.1.0", "--patch", tmp_path / "p"
    )
    assert main(["replay", str(dataset), str(tmp_path / "p"), "--into", str(tmp_path / "out")]) == 0
    assert "release 1.1.0 of harbour-corpus, 20 articles" in capsys.readouterr().out
    assert main(["replay", str(dataset), str(tmp_path / "p"), "--into", str(tmp_path / "out")]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_words_are_told_apart():
    """A changed word is marked alone; equal texts give nothing."""
    assert marked(list(words("The ferry ran on Monday.", "The ferry ran on Tuesday."))) == (
        "The ferry ran on [-Monday-]{+Tuesday+}.\n"
    )
    assert list(unified("a\n\nb", "a\n\nb")) == []


def test_long_unchanged_stretches_are_cut():
    """Their ends stay."""
    long = " ".join(f"word{number}" for number in range(500))
    told = marked(list(words(f"Old.\n{long}\nEnd.", f"New.\n{long}\nEnd!")))
    assert len(told) < 700
    assert told.startswith("[-Old-]{+New+}.\nword0 ")
    assert " … " in told
