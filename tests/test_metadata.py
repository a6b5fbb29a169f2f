"""The fields of a batch: invented documents, sources in conflict, determinism, and gates on evaluation data."""

from __future__ import annotations

import collections
import importlib.util
import json
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import copydesk.metadata
from copydesk.knowledge import Knowledge
from copydesk.labels import LABEL_TYPE, LABELS
from copydesk.metadata import (
    bylines,
    endings,
    extract,
    headlines,
    language,
    layout,
    published_iso,
    stories,
    tags,
    years,
)
from copydesk.metadata.assemble import SCHEMA
from copydesk.metadata.published import Line

EVALUATION = Path(os.environ.get("COPYDESK_EVALUATION_DATA", Path(__file__).parents[2] / "shared"))

Labelled = Sequence[tuple[str, str]]


def _spans(documents: Sequence[Labelled]) -> pl.DataFrame:
    rows = [(doc, text, label) for doc, lines in enumerate(documents) for label, text in lines]
    return pl.DataFrame(rows, schema={"doc": pl.UInt32, "text": pl.String, "label": LABEL_TYPE}, orient="row")


def _rows(*documents: Labelled, knowledge: Knowledge | None = None, **given_: list[Any]) -> list[dict[str, Any]]:
    table = pl.DataFrame({"doc": pl.Series(range(len(documents)), dtype=pl.UInt32), **given_})
    return list(extract(_spans(documents), table, knowledge or Knowledge()).iter_rows(named=True))


def _published(row: dict[str, Any]) -> str | None:
    if row["published_at"] is None:
        return None
    return published_iso(row["published_at"], row["published_offset"], row["published_precision"])


WIRE: Labelled = (
    ("navigation", " date 2019-03-04 Back to Main page"),
    ("headline", "Harbour of Northport to open again after the storm"),
    ("blank", ""),
    ("section_label", "Coast & Sea"),
    ("date_line", "March 4, 09:15 UTC+3"),
    ("deck", "The minister thanked the crews"),
    (
        "body",
        "NORTHPORT, March 4. /TASS/. The harbour of Northport will open on Tuesday, the minister of transport said.",
    ),
    ("body", '"We worked for three nights," he told reporters on Monday, adding that the storm flood barrier held.'),
    ("tags", "Topics"),
    ("tags", "Storm flood barrier Foreign trade"),
    ("tags", "Persons"),
    ("tags", "Jane Doe John Roe"),
)


def test_a_wire_story_gives_all_its_fields() -> None:
    """Crawl header and date line make one instant; dateline, tags and section come as printed."""
    (row,) = _rows(WIRE)
    assert row["headline"] == "Harbour of Northport to open again after the storm"
    assert row["deck"] == "The minister thanked the crews"
    assert row["section"] == "Coast & Sea"
    assert _published(row) == "2019-03-04T09:15+03:00"
    assert row["published_evidence"] == "date_line+crawl header"
    assert row["dateline"]["place"] == "NORTHPORT"
    assert row["dateline"]["date"] == "March 4"
    assert row["dateline_end"] == len("NORTHPORT, March 4. /TASS/. ")
    assert row["agency"] == row["outlet"] == "TASS"
    assert row["topics"] == ["Storm flood barrier", "Foreign trade"]
    assert row["language"] == "en"
    assert row["script"] == "Latn"
    assert row["truncated"] is False


def test_the_end_of_the_dateline_counts_in_the_composed_text() -> None:
    """Leading blanks do not count and a heading before does, as both do in the article's text."""
    paragraph = "OSLO, May 3 (Reuters) - The harbour will open again, the town said."
    (plain, later) = _rows((("body", "  " + paragraph),), (("heading", "The harbour"), ("body", paragraph)))
    assert paragraph[plain["dateline_end"] :] == "The harbour will open again, the town said."
    assert f"The harbour\n\n{paragraph}"[later["dateline_end"] :] == "The harbour will open again, the town said."


def test_nothing_said_is_null_or_empty() -> None:
    """A document that says nothing of itself has nulls and empty lists, never null lists."""
    (row, empty) = _rows((("body", "A bare paragraph about harbours and ships and the sea, and little else."),), ())
    for name in ("headline", "deck", "dateline", "published_at", "section", "outlet", "url", "agency"):
        assert row[name] is None
        assert empty[name] is None
    for name, kind in SCHEMA.items():
        if isinstance(kind, pl.List):
            assert isinstance(row[name], list)
            assert isinstance(empty[name], list)
    assert empty["language"] is None


def test_a_year_that_is_not_printed_stays_open() -> None:
    """Without a year there is no date, only candidates, and the weekday gives no year alone."""
    story = (("body", "OSLO, November 14. /TASS/. The council met in Oslo on Tuesday to speak about the harbour."),)
    (row,) = _rows(story)
    assert row["published_at"] is None
    assert len(row["candidate_years"]) > 3
    assert sum(entry["weight"] for entry in row["candidate_years"]) <= 1.001


@pytest.mark.parametrize(
    ("uri", "given_date", "bounds", "expected"),
    [
        ("2017-11-14_council.txt", None, (None, None), "2017-11-14"),
        ("2017/11/15/council.txt", None, (None, None), "2017-11-14"),
        ("council.txt", "2017-11-14", (None, None), "2017-11-14"),
        ("council.txt", "2017-11-14T09:30+01:00", (None, None), "2017-11-14T09:30+01:00"),
        ("council.txt", "2017-11-15T00:20:05Z", (None, None), "2017-11-15T00:20:05+00:00"),
        ("council.txt", None, (2016, 2019), "2017-11-14"),
        ("council.txt", None, (None, None), None),
    ],
)
def test_years_from_path_sidecar_and_bounds(
    uri: str, given_date: str | None, bounds: tuple[int | None, int | None], expected: str | None
) -> None:
    """A date in the path or the sidecar gives the year; the user's bounds decide with the weekday; else none."""
    story = (("body", "OSLO, November 14. /TASS/. The council met in Oslo on Tuesday to speak about the harbour."),)
    (row,) = _rows(
        story,
        uri=[uri],
        given_date=pl.Series([given_date], dtype=pl.String),
        years_from=pl.Series([bounds[0]], dtype=pl.Int16),
        years_to=pl.Series([bounds[1]], dtype=pl.Int16),
    )
    assert _published(row) == expected


def test_printed_beats_given_and_the_conflict_is_on_record() -> None:
    """What is printed wins over the sidecar; the other value is noted as not used."""
    story = (
        ("headline", "A harbour opens"),
        ("date_line", "May 3, 2019"),
        ("body", "The harbour opened again, the town said."),
    )
    (row,) = _rows(story, given_date=["2018-01-01"], given_headline=["Another headline"])
    assert _published(row) == "2019-05-03"
    assert row["headline"] == "A harbour opens"
    unused = {(entry["field"], entry["value"]) for entry in row["provenance"] if not entry["used"]}
    assert unused == {("published_at", "2018-01-01"), ("headline", "Another headline")}


@pytest.mark.parametrize("given", ["31.13.2017", "soon", "2017-02-30"])
def test_a_given_date_that_is_none_is_on_record(given: str) -> None:
    """It decides nothing, and stands in the provenance, where whoever gave it finds it."""
    story = (("headline", "A harbour opens"), ("body", "The harbour opened again, the town said."))
    (row,) = _rows(story, given_date=[given])
    assert _published(row) is None
    assert {"field": "published_at", "value": given, "evidence": "given", "used": False} in row["provenance"]


@pytest.mark.parametrize(
    ("date_line", "expected", "evidence"),
    [
        ("May 3, 2019", "2019-05-03T09:30+01:00", "printed:date_line+given"),
        ("May 3, 2019, 8:15", "2019-05-03T08:15", "printed:date_line"),
        ("May 4, 2019", "2019-05-04", "printed:date_line"),
        ("May 3", "2019-05-03T09:30+01:00", "date_line+given"),
        ("May 3, 8:15", "2019-05-03T08:15", "date_line+given"),
    ],
)
def test_a_clock_that_is_given_makes_a_printed_day_sharper(date_line: str, expected: str, evidence: str) -> None:
    """A day in print keeps the clock of the same day's timestamp; a clock in print wins, and so does another day."""
    story = (("headline", "A harbour opens"), ("date_line", date_line), ("body", "The harbour opened, the town said."))
    (row,) = _rows(story, given_date=["2019-05-03T09:30+01:00"])
    assert (_published(row), row["published_evidence"]) == (expected, evidence)


def test_published_and_updated_are_told_apart() -> None:
    """The word before a date says which it is; footers of other stories do not count."""
    story = (
        ("headline", "A harbour opens"),
        ("date_line", "Published May 3, 2019 at 10:15 a.m. EDT | Updated May 4, 2019"),
        ("body", "The harbour opened again, the town said, after three weeks of work on the breakwater."),
        ("related_link", "Another story May 9, 2019"),
    )
    (row,) = _rows(story)
    assert _published(row) == "2019-05-03T10:15-04:00"
    assert row["updated_at"].date().isoformat() == "2019-05-04"


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("By Jane Doe and John Q. Roe", ["Jane Doe", "John Q. Roe"]),
        ("Von Jane Doe, dpa", ["Jane Doe"]),
        ("by Jane Doe, The Washington Post, Posted: July 18, 2020- 4:01 PM", ["Jane Doe"]),
        ("Jane Doe, AP Auto Writer", ["Jane Doe"]),
        ("By Jane Doe Fox News", ["Jane Doe"]),
        ("04.02.2022 | 15:33 Uhr | Jane Doe", ["Jane Doe"]),
        ("Por Jane Doe jdoe@example.org", ["Jane Doe"]),
        ("Автор: Иван Иванов", ["Иван Иванов"]),
        ("By Reuters", []),
        ("Redacción", []),
        ("Photo: Jane Doe", []),
    ],
)
def test_people_and_desks(line: str, people: list[str]) -> None:
    """Credits give people; desks, agencies, roles and pictures' credits are none."""
    label = "byline" if not line.startswith("Photo") else "caption"
    credited = bylines.credits_of([Line(1, label, line)], [Line(1, label, line)], 0, (2, 5))
    assert bylines.authors_of(credited) == people


@pytest.mark.parametrize(
    ("glued", "vocabulary", "article", "expected"),
    [
        (
            "Sea State Foreign policy Harbour works",
            (),
            "the Sea State office",
            ["Sea State", "Foreign policy", "Harbour works"],
        ),
        ("Sea State Foreign policy", ("Sea State",), "", ["Sea State", "Foreign policy"]),
        ("Jane Doe John Roe", (), "Jane Doe met John Roe", ["Jane Doe", "John Roe"]),
        ("Storm flood barrier", (), "", ["Storm flood barrier"]),
        ("NORTH SEA", (), "", ["NORTH SEA"]),
    ],
)
def test_glued_tags(glued: str, vocabulary: tuple[str, ...], article: str, expected: list[str]) -> None:
    """Tags that run together are cut by vocabulary, by the article's own phrases, by capitals."""
    lowered = article.casefold()
    assert tags.split_glued(glued, dict.fromkeys(vocabulary, 3), lambda words: words.casefold() in lowered) == expected


_RAILWAYS = "Railways Labour market Northern line"


@pytest.mark.parametrize(
    ("glued", "vocabulary", "expected"),
    [
        (_RAILWAYS, {"Railways": 2, "Labour market": 1, _RAILWAYS: 1}, ["Railways", "Labour market", "Northern line"]),
        ("Railways Labour market", {"Railways": 2, "Labour market": 1, "Railways Labour market": 3}, None),
        ("Labour Market", {"Labour Market": 1}, ["Labour", "Market"]),
        ("Labour Market", {"Labour Market": 2}, ["Labour Market"]),
        ("Northern Line Works", {"Northern": 4, "Northern Line Works": 2}, ["Northern Line Works"]),
    ],
)
def test_a_glued_line_is_no_evidence_for_itself(
    glued: str, vocabulary: dict[str, int], expected: list[str] | None
) -> None:
    """The whole line is one tag only if two documents hold it and no other tags make it up."""
    assert tags.split_glued(glued, vocabulary, lambda _: False) == (expected or ["Railways", "Labour market"])


@pytest.mark.parametrize(
    ("last", "after", "expected"),
    [
        ("The council will meet again on Monday.", [], False),
        ('"We expect that the experts will visit the harbour soon, as the talks were about it.', [], True),
        ("“We expect that the experts will visit the harbour soon", [], True),
        ('He said: "We will see."', [], False),
        ("The council will meet again on Monday [...]", [], True),
        ("The council will meet again on Mon…", [], True),
        ("The talks went on until midnight. The council of the town of Northport will meet again with the", [], True),
        ("The council will meet again on Monday.", ["Read the full story at our site"], True),
        ("The council will meet again on Monday.", ["Read more"], False),
        ("Jane Doe", [], False),
    ],
)
def test_truncated(last: str, after: list[str], expected: bool) -> None:
    """A text that stops short is told from one that ends."""
    before = ["The harbour was closed for three nights after the storm of last week, the town said."] * 3
    assert endings.is_truncated([*before, last], after) is expected


_LONG = "The harbour was closed for three nights after the storm of last week, the town said."
_END = st.text(alphabet='ab A.!?"“”«»…,()[]- ', max_size=12).map(lambda end: f"{_LONG} It opens with the{end}")
_BEHIND = st.sampled_from(
    ["Read more at our site", "Continue reading", "To read the full story", "Weiterlesen", "Menu"]
)


@settings(max_examples=300)
@given(st.sampled_from(["", '"', "“", "«"]), _END, _BEHIND)
def test_the_sieve_lets_every_truncated_text_through(first: str, end: str, behind: str) -> None:
    """What `is_truncated` would find, the sieve over columns does not hold back."""
    last = first + end
    (passed,) = endings.may_be_truncated(pl.Series([last]), after=False) | endings.may_be_truncated(
        pl.Series([behind]), after=True
    )
    assert passed or not endings.is_truncated([_LONG, _LONG, last], [behind])


def test_the_sieve_for_weekdays_knows_capitals() -> None:
    """A weekday in capitals, in any script, is weighed like one in small letters."""
    rows = _rows(
        *[
            (("body", f"OSLO, November 14. /TASS/. The council met {name}."),)
            for name in ("вторник", "ВТОРНИК", "Вторник")
        ]
    )
    assert rows[0]["candidate_years"] == rows[1]["candidate_years"] == rows[2]["candidate_years"]
    assert (
        rows[0]["candidate_years"]
        != _rows((("body", "OSLO, November 14. /TASS/. The council met."),))[0]["candidate_years"]
    )


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        (["A harbour opens", "A harbour opens | Example News"], "A harbour opens"),
        (["14/05/2022 A harbour opens", " A harbour opens"], "A harbour opens"),
        (["\ufeff4:51 A harbour opens"], "A harbour opens"),
        ([], None),
        (["\u200b"], None),
    ],
)
def test_headlines(copies: list[str], expected: str | None) -> None:
    """Of several copies the one without site name, time or date is the headline."""
    assert headlines.headline_of(copies) == expected


def test_language_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is part of its package: no connection is tried."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    language._model.cache_clear()
    found = language.detect("Der Hafen wird nach dem Sturm am Montag wieder geöffnet, sagte der Minister.", list)
    assert found is not None
    assert found[0] == "de"


def test_no_clock_is_read() -> None:
    """No module of the package asks for the time of day."""
    folder = Path(copydesk.metadata.__file__).parent
    clock = re.compile(r"\.now\(|\.today\(|\.utcnow\(|import time\b|time\.time|getmtime|st_mtime|dateutil|dateparser")
    assert [path.name for path in folder.glob("*.py") if clock.search(path.read_text(encoding="utf-8"))] == []


_LINE = st.tuples(st.sampled_from(LABELS), st.text(max_size=60) | st.sampled_from([text for _, text in WIRE]))


@settings(max_examples=40)
@given(st.lists(st.lists(_LINE, max_size=8), min_size=1, max_size=5))
def test_a_document_does_not_depend_on_its_batch(documents: list[list[tuple[str, str]]]) -> None:
    """Any lines are read without error, and alone a document gives what it gives among others."""
    together = _rows(*documents)
    for number, lines in enumerate(documents):
        (alone,) = _rows(lines)
        assert {**alone, "doc": 0} == {**together[number], "doc": 0}


# Gates on evaluation data


def _gold(name: str, raw: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    path = EVALUATION / "articles" / name
    if not path.exists():
        pytest.skip(f"no evaluation data at {path}; set COPYDESK_EVALUATION_DATA")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    documents = []
    for record in records:
        text = (EVALUATION / raw / f"{record['id']}.txt").read_bytes().decode(record["encoding"])
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        documents.append(list(zip(record["labels"], lines, strict=False)))
    return records, _rows(*documents)


def _same(gold: Any, got: Any) -> bool:
    if isinstance(gold, str) and isinstance(got, str):
        return gold.casefold().strip(" .") == got.casefold().strip(" .")
    return (gold or None) == (got or None)


def test_every_field_of_the_seeds() -> None:
    """On the five seed texts, with their lines labelled rightly, every field is right."""
    records, rows = _gold("seeds.gold.jsonl", "seeds")
    for record, row in zip(records, rows, strict=True):
        fields = record["fields"]
        dateline = row["dateline"]
        assert (dateline and {name: dateline[name] for name in ("place", "date", "agency")}) == fields["dateline"]
        assert _published(row) == fields["published_at"]
        for name in ("headline", "deck", "section", "topics", "persons", "truncated", "language", "outlet"):
            assert _same(fields[name], row[name]), (record["id"], name)


@pytest.mark.parametrize(
    ("field", "least"),
    [("headline", 0.95), ("deck", 0.97), ("truncated", 0.97), ("language", 1.0), ("published_at", 0.96)],
)
def test_fields_of_labelled_articles(field: str, least: float) -> None:
    """With rightly labelled lines the fields of the hand-labelled articles reach their floors."""
    records, rows = _gold("dev.jsonl", "articles/dev")
    right = 0
    for record, row in zip(records, rows, strict=True):
        got = _published(row) if field == "published_at" else row[field]
        gold = record["fields"][field]
        right += _same(gold, got[: len(gold)] if gold and field == "published_at" and got else got)
    assert right >= least * len(records)


def test_datelines_of_evaluation_data() -> None:
    """All fields of a dateline right on at least 98 % of the labelled openings, no false alarm."""
    path = EVALUATION / "metadata" / "score.py"
    if not path.exists():
        pytest.skip(f"no evaluation data at {path}; set COPYDESK_EVALUATION_DATA")
    spec = importlib.util.spec_from_file_location("score", path)
    assert spec is not None
    assert spec.loader is not None
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    records = score.load(str(path.with_name("datelines.dev.jsonl")))
    found = {r["id"]: d.asdict() if (d := copydesk.metadata.parse_dateline(r["text"])) else {} for r in records}
    tally = score.score_datelines(records, found)
    assert tally["all"].row()["f1"] >= 0.98
    assert tally["is_dateline"].row()["on_absent"] == 0


def test_phrases_of_the_article() -> None:
    """A phrase is found in whatever case, in its own document only, beyond ASCII too."""
    documents: list[Labelled] = [
        (("headline", "The ISLAMIC state and the Öresund Bridge"), ("body", "")),
        (("body", "Foreign policy"),),
        (),
        (("navigation", "Not of the story"), ("heading", "Nothing Of It")),
    ]
    table = pl.DataFrame({"doc": pl.Series(range(4), dtype=pl.UInt32)})
    found = stories.phrases_of(layout.layout_of(_spans(documents), table), range(4))
    assert found.of(0)("Islamic State")
    assert found.of(0)("öresund bridge")
    assert not found.of(0)("foreign policy")
    assert found.of(1)("Foreign Policy")
    assert not found.of(2)("of it")
    assert found.of(3)("of it")
    assert not found.of(3)("story")


@given(st.lists(st.text("0129 .,$-/x€\n", max_size=24), min_size=1, max_size=4))
def test_years_of_a_text(lines: list[str]) -> None:
    """A year counts where it is no part of a longer number or amount."""
    table = pl.DataFrame({"doc": [7] * len(lines), "text": lines})
    found = [
        int(year)
        for line in lines
        for year in re.findall(r"(?<![0-9.,$€£/-])(?:19|20)[0-9]{2}(?![0-9]|[.,][0-9])", line)
        if years.EARLIEST <= int(year) <= years.LATEST
    ]
    expected = tuple(sorted(collections.Counter(found).items()))
    assert years.year_counts(table) == ({7: expected} if expected else {})
