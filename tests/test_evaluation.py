"""Scores against a gold file: figures worked out by hand, and refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copydesk.errors import ConfigError, UsageError
from copydesk.evaluation import Evaluation, evaluate, render
from copydesk.evaluation.compared import field_rows, plain
from copydesk.evaluation.scores import LINES, by_label, grouped, marked, totals, worst
from tests.lines_samples import AGENCY, AGENCY_LABELS, PAGE, PAGE_LABELS

FIELDS = {
    "headline": "Council votes to rebuild the old stone bridge",
    "dateline": None,
    "language": "en",
    "outlet": None,
}


def gold_set(folder: Path, **changes: Any) -> Path:
    """Two labelled pages, the second with what `changes` says."""
    (folder / "gold").mkdir()
    (folder / "gold" / "page.txt").write_text(PAGE, encoding="utf-8")
    (folder / "gold" / "agency.txt").write_text(AGENCY, encoding="utf-8")
    records = [
        {"id": "page", "labels": PAGE_LABELS, "fields": FIELDS, "kind": "raw_page"},
        {"id": "agency", "labels": AGENCY_LABELS, **changes},
    ]
    path = folder / "gold.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluate(gold_set(tmp_path_factory.mktemp("gold")), by="kind")


def test_every_line_and_document_is_counted(found: Evaluation) -> None:
    """No line of the gold is left out of the figures."""
    assert sum(row["lines"] for row in found.labels) == len(PAGE_LABELS) + len(AGENCY_LABELS)
    assert found.totals["documents"]["all"] == 2
    assert {row["kind"]: row["documents"] for row in found.groups} == {"raw_page": 1, "unknown": 1}


def test_fields_that_were_not_labelled_are_not_scored(found: Evaluation) -> None:
    """A name that the gold's fields lack is no claim that the text states nothing."""
    scored = {row["field"]: row for row in found.fields}
    assert list(scored) == ["headline", "dateline.place", "dateline.date", "dateline.agency", "language", "outlet"]
    assert scored["headline"]["documents"] == 1
    assert scored["headline"]["exact"] == 1.0


def test_the_outcome_is_json_and_text(found: Evaluation) -> None:
    """What `--json` prints survives JSON, and the text names every label once."""
    assert json.loads(json.dumps(found.as_json())) == found.as_json()
    told = render(found)
    assert told.startswith("gold.jsonl\n")
    assert all(f"\n{row['label']} " in told for row in found.labels)


def test_an_unreadable_document_counts_as_kept_whole(tmp_path: Path) -> None:
    """What copydesk cannot decode is named, and its furniture counts as left."""
    gold = gold_set(tmp_path)
    (tmp_path / "gold" / "agency.txt").write_bytes(b"%PDF-1.7\n1 0 obj")
    one = evaluate(gold)
    assert list(one.unread) == ["agency"]
    assert "agency" in render(one)


def lines(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    """A table of lines (document, gold, ours, text)."""
    table = pl.DataFrame(rows, schema=["document", "gold", "ours", "text"], orient="row")
    filled = table.with_columns(
        line=pl.int_range(1, pl.len() + 1).over("document"),
        chars=pl.col("text").str.len_chars(),
        plain=pl.col("text"),
        evidence=pl.lit("model"),
        confidence=pl.lit(0.5),
        outlet=pl.col("document"),
        **{name: pl.lit(None) for name in ("site", "kind", "language")},
    )
    return marked(filled.select(LINES.names()).cast(dict(LINES)))


STORY = [
    ("a", "headline", "body", "x" * 7),
    ("a", "body", "body", "x" * 100),
    ("a", "heading", "related_link", "x" * 10),
    ("a", "related_link", "related_link", "x" * 20),
    ("a", "related_link", "heading", "x" * 30),
    ("a", "body", "caption", "y" * 50),
    ("a", "body", "body", "z" * 50),
    ("a", "related_link", "body", "x" * 5),
    ("b", "body", "byline", "v" * 40),
    ("b", "body", "body", "v" * 40),
]


def test_figures_are_those_worked_out_by_hand() -> None:
    """Losses, leavings and the hard pair of a small story, by characters and by lines."""
    told = totals(lines(*STORY))
    assert told["body"] == {"lines": 5, "chars": 280, "lost_lines": 1, "lost_chars": 50, "lost_share": 50 / 280}
    assert told["headings"] == {"lines": 1, "lost": 1}
    assert told["furniture"] == {"lines": 3, "chars": 55, "left_lines": 2, "left_chars": 35}
    assert told["drop"] == {"precision": 20 / 80, "recall": 20 / 55, "f1": pytest.approx(2 * 20 / (80 + 55))}
    assert told["mid_body_links"]["lines"] == 2
    assert told["mid_body_links"]["precision"] == 0.5
    assert told["documents"] == {"all": 2, "without_loss": 1, "perfect": 1, "clean": 1, "clean_changed": 1}


def test_losing_a_copy_of_a_body_line_is_no_loss_while_one_stays() -> None:
    """Of equal body lines one must stay; where none stays, each is lost."""
    assert lines(*STORY).filter(pl.col("document") == "b")["lost"].to_list() == [False, False]
    both = [("b", "body", "byline", "v"), ("b", "body", "caption", "v")]
    assert lines(*both)["lost"].to_list() == [True, True]


def test_neutral_lines_count_neither_way() -> None:
    """A dropped headline, deck or dateline is no lost text, and a kept one no furniture."""
    rows = [
        ("a", gold, ours, "x" * 9) for gold in ("headline", "deck", "dateline", "blank") for ours in ("body", "advert")
    ]
    told = totals(lines(*rows))
    assert told["drop"] == told["keep"] == {"precision": None, "recall": None, "f1": None}


def test_lost_text_is_listed_before_what_was_left() -> None:
    """The worst lines: losses first, each kind by length; the text is cut to 80 characters."""
    rows = worst(lines(*STORY), 3)
    assert [(row["lost"], row["chars"]) for row in rows] == [(True, 50), (True, 10), (False, 30)]
    long = worst(lines(("a", "body", "advert", "x" * 300)), 1)
    assert len(long[0]["text"]) == 80


def test_labels_have_precision_and_recall() -> None:
    """Per label: of ours how many are right, of the gold's how many were found."""
    (link,) = (row for row in by_label(lines(*STORY)) if row["label"] == "related_link")
    assert (link["precision"], link["recall"], link["lines"], link["ours"]) == (1 / 2, 1 / 3, 3, 2)


def test_groups_come_with_the_largest_first() -> None:
    """Rows by outlet are ordered by their number of documents, then by name."""
    rows = [("c", "body", "body", "x"), ("b", "body", "body", "x"), ("a", "body", "body", "x")]
    table = lines(*rows).with_columns(outlet=pl.Series(["North", "South", "North"]))
    assert [(row["outlet"], row["documents"]) for row in grouped(table, "outlet")] == [("North", 2), ("South", 1)]


@pytest.mark.parametrize(
    ("name", "wanted", "given", "exact"),
    [
        ("headline", "Storm\u2019s end.", "STORM'S  end", 1.0),
        ("headline", None, "A title", 0.0),
        ("published_at", "2019-03-02T09:15:00+03:00", "2019-03-02T06:15:00+00:00", 1.0),
        ("published_at", "2019-03-02T09:15:00+03:00", "2019-03-02T09:15:00", 0.0),
        ("published_at", "2019-03-02T09:15", "2019-03-02T09:15:00+02:00", 1.0),
        ("published_at", "2019-03-02", "2019-03-02T23:59:00Z", 1.0),
        ("published_at", "March 2", "March 2", 1.0),
        ("topics", ["Trade", "Ships"], ["ships", "trade"], 1.0),
        ("topics", ["Trade"], [], 0.0),
        ("truncated", None, False, 1.0),
        ("language", "pt", "pt-BR", 1.0),
    ],
)
def test_values_are_compared_as_far_as_the_gold_goes(name: str, wanted: Any, given: Any, exact: float) -> None:
    """An instant, a wall clock or a day; sets for lists; case and quotes never matter."""
    assert field_rows({name: wanted}, {name: given})[0][2] == exact


def test_soft_scores_give_part_for_part() -> None:
    """A title with one word too many is nearly right."""
    ((_, stated, exact, soft),) = field_rows({"headline": "storm hits harbour"}, {"headline": "storm hits old harbour"})
    assert (stated, exact, soft) == (True, 0.0, pytest.approx(6 / 7))
    assert plain("\u201cA\u00a0 b\u201d") == '"a b"'


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": AGENCY_LABELS[:-1]}, "19 labels, but agency.txt has 20 lines"),
        ({"labels": [*AGENCY_LABELS[:-1], "footer"]}, "the label 'footer' of line 20 is unknown"),
        ({"labels": "body"}, "labels is 'body'"),
        ({"id": ""}, "id is ''"),
        ({"id": "page", "labels": PAGE_LABELS}, "the id 'page' was already in"),
        ({"sha256": "0" * 64}, "is not the file that was labelled"),
        ({"chars": [1]}, "chars does not hold one number for each of the 20 labels"),
        ({"fields": []}, "fields is []"),
        ({"fields": {"headline": 5}}, "fields.headline is 5; give a text"),
        ({"fields": {"topics": ["a", 2]}}, "fields.topics is ['a', 2]; give a list of texts"),
        ({"fields": {"dateline": "PARIS"}}, "fields.dateline is 'PARIS'; give an object"),
        ({"spans": [{"line": 1}]}, "the span {'line': 1} is none"),
    ],
)
def test_a_record_out_of_order_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    """The refusal names file, line, record and value."""
    gold = gold_set(tmp_path, **change)
    with pytest.raises(ConfigError) as refused:
        evaluate(gold)
    assert told in str(refused.value)
    assert f"{gold}, line 2" in str(refused.value)


@pytest.mark.parametrize("broken", ['{"id": "page", ', "[1, 2]", "body"])
def test_a_line_that_is_no_json_object_is_refused(tmp_path: Path, broken: str) -> None:
    """Half a record is not skipped."""
    gold = gold_set(tmp_path)
    gold.write_text(broken + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1"):
        evaluate(gold)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """Gold file, folder and raw file each have a message of their own."""
    gold = gold_set(tmp_path)
    with pytest.raises(UsageError, match="no such gold file"):
        evaluate(tmp_path / "other.jsonl")
    with pytest.raises(UsageError, match="--raw"):
        evaluate(gold, tmp_path / "nowhere")
    (tmp_path / "gold" / "page.txt").unlink()
    with pytest.raises(UsageError, match=r"record 'page'.*page\.txt"):
        evaluate(gold)
    gold.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no record"):
        evaluate(gold)
    with pytest.raises(UsageError, match="outlet, site, kind, language"):
        evaluate(gold, by="moon")


def test_the_set_of_the_other_scorer_gives_the_same_figures(evaluation_data: Path, tmp_path: Path) -> None:
    """On the labelled articles all figures equal those of the scorer that comes with them."""
    from benchmarks.quality import explained, scorer

    gold = evaluation_data / "articles" / "dev.jsonl"
    module = scorer(evaluation_data, "articles")
    records = module.load(gold)
    files = [gold.with_suffix("") / f"{record['id']}.txt" for record in records]
    judged = {one["id"]: one for one in explained((path.name, path.read_bytes()) for path in files)}
    score, outlets = module.Acc(), {}
    for record in records:
        raw = module.raw_lines(record, gold.with_suffix(""))
        for each in (score, outlets.setdefault(record["fields"]["outlet"] or "unknown", module.Acc())):
            each.add(record, judged[record["id"]], raw)
    wanted, ours = score.result(), evaluate(gold)
    told = ours.totals
    for name, other in (("drop", "drop_chars"), ("keep", "keep_chars"), ("drop_lines", "drop_lines")):
        assert told[name] == pytest.approx(wanted[other]), name
    loss, left, clean = wanted["text_loss"], wanted["boilerplate_left"], wanted["docs_without_boilerplate"]
    assert told["body"]["lost_lines"] == loss["body_lines_dropped"]
    assert told["body"]["lost_share"] == pytest.approx(loss["share_of_body_chars"])
    assert told["headings"] == {"lines": loss["of_headings"], "lost": loss["headings_dropped"]}
    assert (told["furniture"]["left_lines"], told["furniture"]["left_chars"]) == (left["lines"], left["chars"])
    assert (told["documents"]["clean"], told["documents"]["clean_changed"]) == (clean["docs"], clean["changed"])
    assert told["documents"]["perfect"] == wanted["docs_perfect"]
    assert told["documents"]["without_loss"] == wanted["docs_without_text_loss"]
    middle = wanted["mid_body_related_links"]
    assert {name: told["mid_body_links"][name] for name in middle} == pytest.approx(middle)
    assert [ours.furniture["removed"], ours.furniture["spans"]] == wanted["inline_spans_removed"]
    fields = {row["field"]: row for row in ours.fields}
    for name in module.FIELDS:
        assert (fields[name]["exact"], fields[name]["soft"]) == pytest.approx(
            (wanted["fields"][name]["accuracy"], wanted["fields"][name]["soft"])
        ), name
    for row in ours.groups:
        other = outlets[row["outlet"]].result()
        assert (row["drop_f1"] or 0) == pytest.approx(other["drop_chars"]["f1"])
        assert row["left_chars"] == other["boilerplate_left"]["chars"]
        assert row["lost_chars"] == other["text_loss"]["body_chars_dropped"]
    recall = {row["label"]: row["dropped"] / row["lines"] for row in ours.labels if row["lines"]}
    for label, found in wanted["recall_by_label"].items():
        assert recall[label] == pytest.approx(found["dropped"]), label
