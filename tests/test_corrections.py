"""Corrections: what people say of lines and fields holds, for their document alone, and never for another file."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.carry import last_release
from copydesk.corrections import (
    Correction,
    by_file,
    canonical,
    digest_of,
    load_corrections,
    moment,
    read_canonical,
    text_hash,
)
from copydesk.errors import ConfigError, UsageError
from copydesk.job import Options, settle
from copydesk.metadata import published_iso
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.release.changes import compare
from copydesk.release.verify import verify
from copydesk.release.withdraw import withdraw
from copydesk.runner import Workers
from copydesk.text import span_texts
from tests.test_increments import story
from tests.test_pipeline import tree

WHO = {"who": "ada"}


def run(folder: Path, into: str = "dist", **asked: Any) -> Outcome:
    """An ingest of folder/texts with folder/corrections.jsonl, in batches of three."""
    files = [name for name in ("corrections.jsonl",) if (folder / name).exists()]
    config = folder / "copydesk.toml"
    config.write_text(f"[ingest]\nbatch_documents = 3\ncorrections = {json.dumps(files)}\n")
    return ingest(settle(Options(paths=(folder / "texts",), into=folder / into, config=config, **asked)), Workers(1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten invented pages, released once without a correction."""
    chance = random.Random(4)
    (tmp_path / "texts").mkdir()
    for number in range(10):
        (tmp_path / "texts" / f"{number:03}.txt").write_text(story(chance))
    run(tmp_path)
    return tmp_path


def rows(folder: Path, table: str, uri: str, into: str = "dist") -> pl.DataFrame:
    """The rows of a document in the newest release."""
    last = last_release(folder / into / "texts")
    assert last is not None
    paths = [last.folder / shard.file for shard in last.manifest.shards(table)]
    return pl.read_parquet(paths).filter(uri=uri)


def article(folder: Path, uri: str) -> dict[str, Any]:
    (found,) = rows(folder, "article", uri).to_dicts()
    return found


def said(folder: Path, uri: str, **what: Any) -> dict[str, Any]:
    """A correction of a document as the review page writes it."""
    facts = rows(folder, "article", uri).select("id", "source", "uri", "raw_sha256").to_dicts()[0]
    if "line" in what:
        ledger = rows(folder, "ledger", uri)
        texts = ledger.with_columns(text=span_texts(ledger)).filter(line=what["line"])["text"]
        what = {"text_sha256": text_hash("".join(texts)), **what}
    return {**facts, **what, **WHO}


def correct(folder: Path, *records: dict[str, Any]) -> None:
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    (folder / "corrections.jsonl").write_text(lines, encoding="utf-8")


def test_a_corrected_line_is_right_in_the_next_release(folder: Path) -> None:
    """One document is judged again; its line has the person's label and name; the diff says why."""
    correct(folder, said(folder, "003.txt", line=1, label="heading"))
    outcome = run(folder)
    assert (outcome.version, outcome.judged, outcome.learned) == ("1.1.0", 1, False)
    line = rows(folder, "ledger", "003.txt").row(0, named=True)
    assert (line["label"], line["fate"], line["evidence"], line["confidence"]) == ("heading", "text", "human:ada", 1.0)
    assert article(folder, "003.txt")["text"].startswith("All news")
    changes = compare(folder / "dist" / "texts", "1.0.0", "1.1.0")
    assert changes.select("uri", "change", "cause").rows() == [("003.txt", "changed", "correction")]
    assert verify(folder / "dist" / "texts") == []
    assert run(folder).version is None


def test_the_manifest_names_the_corrections(folder: Path) -> None:
    """Digest, number and file; a release without any names none."""
    (folder / "texts" / "new.txt").write_text(story(random.Random(50)))
    correct(folder, said(folder, "003.txt", line=1, label="heading"))
    run(folder)
    last = last_release(folder / "dist" / "texts")
    assert last is not None
    entry = last.manifest.body["knowledge"]["corrections"]
    table = load_corrections([folder / "corrections.jsonl"])
    assert (entry["digest"], entry["number"]) == (digest_of(table), 1)
    assert (last.folder / entry["file"]).read_bytes() == canonical(table)
    assert canonical(last.corrections) == canonical(table)
    first = json.loads((last.folder / "releases" / "1.0.0.json").read_text())
    assert "corrections" not in first["knowledge"]
    (last.folder / entry["file"]).write_bytes(b"")
    assert [problem.file for problem in verify(last.folder)] == [entry["file"]]


def test_a_full_build_with_the_same_corrections_has_the_same_rows(folder: Path) -> None:
    """Increments and a build at once give the same shards, in whatever order the records stand."""
    records = [
        said(folder, "003.txt", line=1, label="heading"),
        said(folder, "005.txt", field="headline", value="Another title"),
        said(folder, "007.txt", field="section", value="Harbour"),
    ]
    for number in range(len(records)):
        correct(folder, *records[: number + 1])
        assert run(folder).judged == 1
    correct(folder, *reversed(records))
    assert run(folder, into="again").judged == 10
    one, other = (tree(folder / into / "texts") for into in ("dist", "again"))
    assert {name for name in other if name.startswith(("data/", "knowledge/"))} <= set(one)
    now = last_release(folder / "dist" / "texts"), last_release(folder / "again" / "texts")
    assert [one.manifest.body["content"] for one in now if one] == [now[1].manifest.body["content"]] * 2  # type: ignore[union-attr]


def test_a_changed_file_takes_no_stale_correction(folder: Path) -> None:
    """The raw file changed: the correction does nothing and the outcome says so, by file and line."""
    correct(folder, said(folder, "003.txt", line=1, label="body"), said(folder, "004.txt", line=1, label="body"))
    assert "2 corrections hold" in run(folder).notes
    (folder / "texts" / "003.txt").write_text("Another page\n\nThe ferry sank, its owner said on Monday.\n")
    notes = run(folder).notes
    assert "1 of 2 corrections hold" in notes
    assert any("corrections.jsonl, line 1: 003.txt line 1: stale: the raw file has changed" in note for note in notes)
    assert rows(folder, "ledger", "003.txt").filter(pl.col("evidence").str.starts_with("human")).height == 0


def test_a_line_that_reads_otherwise_takes_no_correction(folder: Path) -> None:
    """The hash of the line's text has to fit as well; a document that is not there is named."""
    wrong = {**said(folder, "003.txt", line=1, label="body"), "text_sha256": text_hash("Something else")}
    nobody = {**said(folder, "004.txt", line=1, label="body"), "id": "0" * 16}
    correct(folder, wrong, nobody)
    told = "\n".join(run(folder).notes)
    assert "line 1: 003.txt line 1: stale: the line reads otherwise now" in told
    assert "line 2: 004.txt line 1: the release has no such document" in told


def test_a_correction_that_is_taken_back_is_gone(folder: Path) -> None:
    """Without the record the document is judged again, to what it was."""
    before = rows(folder, "ledger", "003.txt")
    correct(folder, said(folder, "003.txt", line=1, label="body"))
    run(folder)
    correct(folder)
    assert run(folder).judged == 1
    assert rows(folder, "ledger", "003.txt").equals(before)


def test_a_vanished_document_is_corrected_too(folder: Path) -> None:
    """Its file is gone and its article stays: it is judged again from the ledger's bytes, and nothing else is."""
    record = said(folder, "003.txt", line=1, label="heading")
    (folder / "texts" / "003.txt").unlink()
    run(folder)
    correct(folder, record)
    assert run(folder).judged == 1
    assert article(folder, "003.txt")["text"].startswith("All news")
    assert run(folder).version is None


def test_relearning_keeps_corrections(folder: Path) -> None:
    """Learned and judged anew, the line is still what the person said, and what was learned is not."""
    correct(folder, said(folder, "003.txt", line=1, label="heading"))
    run(folder)
    learned = last_release(folder / "dist" / "texts")
    assert run(folder, relearn=True).judged == 10
    again = last_release(folder / "dist" / "texts")
    assert rows(folder, "ledger", "003.txt")["evidence"][0] == "human:ada"
    assert learned is not None
    assert again is not None
    assert learned.held_knowledge.digest == again.held_knowledge.digest


FIELDS = {
    "headline": ("A title of our own", {"headline": "A title of our own"}),
    "deck": (None, {"deck": None}),
    "authors": (["Ada Quill", "Bo Tide"], {"authors": ["Ada Quill", "Bo Tide"]}),
    "topics": ([], {"topics": []}),
    "truncated": (True, {"truncated": True}),
    "language": ("fr", {"language": "fr", "language_score": 1.0}),
    "site": ("harbour", {"site": "harbour"}),
    "outlet": ("The Harbour Times", {"outlet": "The Harbour Times"}),
    "published_at": (
        "2017-01-25T14:44+03:00",
        {"published_offset": 180, "published_precision": "minute", "published_evidence": "human:ada"},
    ),
    "updated_at": (None, {"updated_at": None}),
    "dateline": (
        {"place": "OSLO", "date": "March 2", "agency": "NORDA"},
        {
            "dateline": {
                "place": "OSLO", "date": "March 2", "places": ["OSLO"], "month": 3, "day": 2, "year": None,
                "agency": "NORDA",
            }
        },
    ),
}  # fmt: skip


def test_fields_hold_what_people_say(folder: Path) -> None:
    """Every kind of field, with the person as its evidence; what was read before stays in the provenance, unused."""
    before = article(folder, "003.txt")
    correct(folder, *(said(folder, "003.txt", field=name, value=value) for name, (value, _) in FIELDS.items()))
    run(folder)
    now = article(folder, "003.txt")
    for name, (_, wanted) in FIELDS.items():
        assert {key: now[key] for key in wanted} == wanted, name
        used = [one["evidence"] for one in now["provenance"] if one["field"] == name and one["used"]]
        assert used == ["human:ada"]
    assert str(now["published_at"]) == "2017-01-25 11:44:00+00:00"
    kept = {(one["field"], one["value"]) for one in now["provenance"]}
    assert {(one["field"], one["value"]) for one in before["provenance"]} <= kept
    assert now["text"] == before["text"]
    assert verify(folder / "dist" / "texts") == []


GOOD: dict[str, Any] = {
    "id": "0123456789abcdef", "source": "texts", "uri": "a.txt", "raw_sha256": "0" * 64, "line": 3,
    "text_sha256": "1" * 64, "label": "advert", "who": "ada",
}  # fmt: skip
FIELD: dict[str, Any] = {key: GOOD[key] for key in ("id", "source", "uri", "raw_sha256", "who")}
BAD: list[tuple[dict[str, Any], str]] = [
    ({**GOOD, "label": "ad"}, "the label 'ad' is none; give one of body, heading"),
    ({**GOOD, "label": "blank"}, "the label 'blank' is none"),
    ({**GOOD, "line": 0}, "line = 0: Input should be greater than or equal to 1"),
    ({**GOOD, "line": None}, "a label needs the line and its text_sha256"),
    ({**GOOD, "raw_sha256": "abc"}, "raw_sha256 = 'abc': a SHA-256 is 64 hexadecimal digits"),
    ({**GOOD, "who": "Ada Quill"}, "who = 'Ada Quill': a name holds letters"),
    ({**GOOD, "field": "deck", "value": None}, "give either a label"),
    ({**GOOD, "value": "x"}, "a value belongs to a field"),
    ({**GOOD, "colour": "red"}, "unknown key 'colour'; take it out"),
    ({key: GOOD[key] for key in GOOD if key != "id"}, "'id' is missing; export the corrections"),
    (FIELD, "give either a label"),
    ({**FIELD, "field": "text", "value": "x"}, "the field 'text' is none that can be corrected"),
    ({**FIELD, "field": "deck"}, "a field needs its value; null says that there is none"),
    ({**FIELD, "field": "deck", "value": "x", "line": 3}, "a field stands in no line"),
    ({**FIELD, "field": "deck", "value": " "}, 'deck = " ": give a text, or null'),
    ({**FIELD, "field": "authors", "value": "Ada"}, 'authors = "Ada": give a list of texts'),
    ({**FIELD, "field": "truncated", "value": None}, "truncated = null: give true or false"),
    ({**FIELD, "field": "published_at", "value": "2017-13-01"}, 'published_at = "2017-13-01": give a time such as'),
    ({**FIELD, "field": "dateline", "value": {"date": "March 2"}}, "give an object with place"),
]


@pytest.mark.parametrize(("record", "told"), BAD)
def test_a_record_out_of_order_is_told_with_its_place(record: dict[str, Any], told: str, tmp_path: Path) -> None:
    """File, line, value and remedy; nothing of the file is used."""
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(record) + "\n")
    with pytest.raises(ConfigError) as found:
        load_corrections([path])
    assert str(found.value).startswith(f"{path}, line 3: ")
    assert told in str(found.value)


def test_a_file_out_of_order_is_told(tmp_path: Path) -> None:
    """Not there, not UTF-8, not JSON, no object."""
    path = tmp_path / "corrections.jsonl"
    with pytest.raises(UsageError, match="cannot be read"):
        load_corrections([path])
    for data, told in ((b"\xff", "not UTF-8"), (b"{", "not JSON"), (b"[]", "no JSON object")):
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=told):
            load_corrections([path])


def test_the_later_of_two_holds(tmp_path: Path) -> None:
    """Of two records of one line that of the later file, then of the later line."""
    for name, label in (("a", "advert"), ("b", "caption")):
        (tmp_path / name).write_text(json.dumps({**GOOD, "label": label}) + "\n")
    table = load_corrections([tmp_path / "b", tmp_path / "a"])
    assert table["label"].to_list() == ["advert"]
    assert load_corrections([tmp_path / "a", tmp_path / "b"])["label"].to_list() == ["caption"]


def test_canonical_is_a_function_of_the_set(tmp_path: Path) -> None:
    """Order, words for people and places of the records do not matter; reading it back gives the same."""
    records = [GOOD, {**GOOD, "line": 4, "note": "why"}, {**FIELD, "field": "authors", "value": ["Ø"]}]
    (tmp_path / "a").write_text("\n".join(json.dumps(one) for one in records))
    (tmp_path / "b").write_text("\n\n".join(json.dumps(one, ensure_ascii=False) for one in reversed(records)))
    one, other = (load_corrections([tmp_path / name]) for name in "ab")
    assert canonical(one) == canonical(other) == canonical(read_canonical(canonical(one)))
    assert digest_of(load_corrections([])) == ""


def test_a_record_of_a_container_is_found_by_its_file() -> None:
    """A container is read again where one of its records is corrected."""
    table = pl.DataFrame([{**GOOD, "uri": "wire/all.jsonl#7"}]).select("id", "source", "uri")
    whole = pl.DataFrame(schema=load_corrections([]).schema)
    found = by_file(pl.concat([whole, table], how="diagonal_relaxed"))
    assert set(found) == {("texts", "wire/all.jsonl#7"), ("texts", "wire/all.jsonl")}


@given(
    st.datetimes(min_value=__import__("datetime").datetime(1900, 1, 1)).map(lambda one: one.replace(microsecond=0)),
    st.none() | st.integers(-720, 840),
    st.sampled_from(["year", "month", "day", "minute", "second"]),
)
def test_moment_reads_what_published_iso_writes(instant: Any, offset: int | None, precision: str) -> None:
    """Every time that a field can show can be given as its correction, and comes back as it was written."""
    if precision in ("year", "month", "day"):
        offset = None
    written = published_iso(instant, offset, precision)
    found, zone, fine = moment(written)
    assert (published_iso(found, zone, fine), zone, fine) == (written, offset, precision)


def test_the_schema_describes_every_key() -> None:
    """schemas/correction.yaml names the keys of a record and no others."""
    from copydesk.schema import load_schema

    schema = load_schema("correction")
    assert [one.name for one in schema.fields] == list(Correction.model_fields)
    assert [one.name for one in schema.fields if one.required] == [
        name for name, one in Correction.model_fields.items() if one.is_required()
    ]


@pytest.mark.slow
def test_increments_with_corrections_equal_full_builds(folder: Path) -> None:
    """Random corrections, files that change and vanish: byte for byte what judging everything anew gives."""
    chance = random.Random(3)
    records: list[dict[str, Any]] = []
    for step in range(5):
        uris = sorted(path.name for path in (folder / "texts").iterdir())
        for uri in chance.sample(uris, 2):
            label = chance.choice(["body", "advert", "caption"])
            records.append(said(folder, uri, line=chance.choice([1, 3, 7]), label=label))
        records = chance.sample(records, len(records) - chance.randint(0, 1))
        correct(folder, *records)
        copy = folder / f"copy-{step}"
        shutil.copytree(folder / "dist", copy)
        for cache in copy.glob("texts/.work/seen-*"):
            cache.unlink()
        run(folder)
        run(folder, into=copy.name)
        assert tree(folder / "dist" / "texts") == tree(copy / "texts"), step
        assert verify(folder / "dist" / "texts") == []
        (folder / "texts" / chance.choice(uris)).write_text(story(chance))
        if step == 2:
            (folder / "texts" / uris[0]).unlink()
        run(folder)


def test_a_withdrawn_document_takes_what_was_said_of_it_along(folder: Path) -> None:
    """No file of the dataset quotes it any more, not even a correction, and a later ingest brings nothing back."""
    correct(
        folder,
        said(folder, "003.txt", field="headline", value="Nobody may read this"),
        said(folder, "004.txt", field="section", value="Harbour"),
    )
    run(folder)
    dataset = folder / "dist" / "texts"
    withdraw(dataset, article(folder, "003.txt")["id"], "asked for")
    assert verify(dataset) == []
    assert run(folder).version is None
    (folder / "texts" / "100.txt").write_text(story(random.Random(100)))
    assert run(folder).version == "1.2.0"
    assert verify(dataset) == []
    kept = [path.read_text() for path in (dataset / "knowledge").glob("corrections-*.jsonl")]
    assert len(kept) == 1
    assert "Harbour" in kept[0]
    assert "Nobody may read this" not in kept[0]
