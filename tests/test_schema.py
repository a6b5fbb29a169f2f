"""The schema files and what copydesk makes of them."""
# ruff: noqa: ARG005, E501 -- tables of cases: one a line, whatever a change needs of the file

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import yaml

from copydesk.errors import ConfigError, ReleaseError
from copydesk.labels import DROPPED, FATES, LABELS
from copydesk.schema import load_schema, read_schema, schema_folder
from tests.release_samples import sample_tables

TABLES = ("article", "ledger")
GOOD, GOOD_LEDGER = sample_tables(range(3))


def _field(schema: str, name: str):
    return next(column for column in load_schema(schema).fields if column.name == name)


def test_labels_and_fates_of_the_schema_are_those_of_the_code():
    """The ledger's and the gold's allowed labels, and the ledger's fates, are copydesk.labels', in order."""
    assert _field("ledger", "label").allowed == LABELS
    assert _field("ledger", "fate").allowed == FATES
    assert _field("gold", "labels").item.allowed == LABELS
    assert all(meaning for meaning in _field("ledger", "label").meanings)
    assert set(DROPPED) <= set(_field("ledger", "label").allowed)


@pytest.mark.parametrize("name", TABLES)
def test_no_column_has_a_type_that_datasets_cannot_read(name):
    """No Arrow map, null or dictionary type anywhere; every list is required."""
    pending = [(column.name, column.type) for column in load_schema(name).arrow]
    while pending:
        path, kind = pending.pop()
        assert not pa.types.is_map(kind), path
        assert not pa.types.is_null(kind), path
        assert not pa.types.is_dictionary(kind), path
        pending += [(f"{path}.{kind.field(n).name}", kind.field(n).type) for n in range(kind.num_fields)]
    assert all(column.required for column in load_schema(name).fields if column.item is not None)


@pytest.mark.parametrize("name", TABLES)
def test_polars_and_arrow_types_agree(name):
    """An empty Polars frame of the schema becomes an Arrow table of the schema."""
    schema = load_schema(name)
    table = pl.DataFrame(schema=schema.polars).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema.arrow)
    assert table.schema == schema.arrow
    assert pl.DataFrame(pl.from_arrow(table)).schema == schema.polars


@pytest.mark.parametrize("name", TABLES)
def test_field_table_names_every_column(name):
    """The card's table has a row for every column, and no cell that breaks the table."""
    rows = load_schema(name).field_table().split("\n")
    for column in load_schema(name).fields:
        assert sum(row.startswith(f"| `{column.name}` |") for row in rows) == 1
        assert column.description
    assert {row.replace("\\|", "").count("|") for row in rows} == {4}


@pytest.mark.parametrize("name", [*TABLES, "gold"])
def test_schema_files_keep_to_the_standard(name):
    """Open Data Contract Standard 3.2: its required keys, and none that it does not know (columns: see the parser)."""
    whole = yaml.safe_load((schema_folder() / f"{name}.yaml").read_text(encoding="utf-8"))
    assert {"version", "apiVersion", "kind", "id"} <= whole.keys()
    assert whole.keys() <= {"version", "apiVersion", "kind", "id", "name", "status", "description", "schema"}
    assert whole["description"].keys() <= {"purpose", "usage", "limitations"}
    (table,) = whole["schema"]
    assert table.keys() <= {
        "name",
        "logicalType",
        "physicalType",
        "description",
        "dataGranularityDescription",
        "properties",
    }
    assert table["logicalType"] == "object"
    assert load_schema(name).fields


def test_good_rows_have_no_faults():
    """The invented articles and ledgers keep their schemas."""
    for name, table in (("article", GOOD), ("ledger", GOOD_LEDGER)):
        good, faults = load_schema(name).validate(table)
        assert good.all()
        assert faults.height == 0
        good, _ = load_schema(name).validate(table.to_arrow())
        assert good.all()


BROKEN = [
    ("id", "XYZ", "id", "does not match"),
    ("id", None, "id", "is missing"),
    ("uri", "", "uri", "has fewer characters than 1"),
    ("uri", "x" * 5000, "uri", "has more characters than 4096"),
    ("text", None, "text", "is missing"),
    ("repairs", None, "repairs", "is missing"),
    ("repairs", ["a", None], "repairs[]", "is missing"),
    ("headings", [{"title": "A", "start": -1, "end": 2}], "headings[].start", "is less than 0"),
    ("headings", [{"title": None, "start": 1, "end": 2}], "headings[].title", "is missing"),
    ("language", "English", "language", "does not match"),
    ("language_score", 1.5, "language_score", "is more than 1"),
    ("language_score", float("nan"), "language_score", "is not a finite number"),
    ("candidate_years", [{"year": 2017, "weight": -0.5}], "candidate_years[].weight", "is less than 0"),
    ("dateline", {"place": "A", "places": None}, "dateline.places", "is missing"),
    ("dateline", {"place": "A", "places": [], "month": 13}, "dateline.month", "is more than 12"),
    ("split", "test-1", "split", "does not match"),
    ("counts", None, "counts", "is missing"),
]


@pytest.mark.parametrize(("column", "value", "field", "reason"), BROKEN)
def test_a_broken_row_is_named_with_field_and_reason(column, value, field, reason):
    """Only the broken row is bad, and the fault says what is wrong with which field."""
    kind = load_schema("article").polars[column]
    values = GOOD[column].to_list()
    values[1] = value
    good, faults = load_schema("article").validate(GOOD.with_columns(pl.Series(column, values, dtype=kind)))
    assert good.to_list() == [True, False, True]
    assert faults.filter(pl.col("field") == field, pl.col("reason").str.starts_with(reason)).height == 1


def test_an_unknown_label_is_a_fault():
    """A label that the schema does not list is named."""
    good, faults = load_schema("ledger").validate(GOOD_LEDGER.with_columns(label=pl.lit("spam")))
    assert not good.any()
    assert faults["reason"][0].startswith("is none of body, heading")


@pytest.mark.parametrize(("values", "sound"), [(LABELS, True), ((*LABELS, "spam"), False)])
def test_labels_that_their_type_vouches_for_are_not_looked_at(values, sound):
    """A column that can hold nothing but labels is sound; one of another enum is read, and its unknown label found."""
    label = pl.repeat(values[-1], GOOD_LEDGER.height, dtype=pl.String, eager=True).cast(pl.Enum(values))
    good, faults = load_schema("ledger").validate(GOOD_LEDGER.with_columns(label=label))
    assert good.all() == sound
    assert set(faults["field"]) == (set() if sound else {"label"})


def test_ids_that_stand_twice_are_faults():
    """`unique` is checked over the table."""
    good, faults = load_schema("article").validate(pl.concat([GOOD, GOOD[:1]]))
    assert good.to_list() == [False, True, True, False]
    assert set(faults["reason"]) == {"stands in more than one row"}


def test_conform_makes_enums_strings_and_adds_what_may_be_null():
    """A table of the desk comes out with the schema's columns, types and order."""
    schema = load_schema("ledger")
    frame = GOOD_LEDGER.with_columns(pl.col("label").cast(pl.Enum(LABELS)), pl.col("line").cast(pl.UInt32)).drop("text")
    found = schema.conform(frame.select(reversed(frame.columns)))
    assert found.schema == schema.polars
    assert found["text"].null_count() == found.height


def test_conform_names_what_is_missing_or_does_not_fit():
    """A table without a required column, or with a value that the type cannot hold, is refused."""
    with pytest.raises(ReleaseError, match="no column 'uri'"):
        load_schema("article").conform(GOOD.drop("uri"))
    with pytest.raises(ReleaseError, match="types of its schema"):
        load_schema("ledger").conform(GOOD_LEDGER.with_columns(span=pl.lit(70_000)))


def _changed(change):
    whole = yaml.safe_load((schema_folder() / "ledger.yaml").read_text(encoding="utf-8"))
    change(whole, whole["schema"][0]["properties"])
    return whole


FAULTY = [
    (lambda w, p: w.update(kind="Table"), "kind: DataContract"),
    (lambda w, p: w.update(apiVersion="v2.2.0"), "apiVersion is 'v2.2.0'; write one of version 3"),
    (lambda w, p: w.update(schema=[]), "exactly one table"),
    (lambda w, p: w["schema"][0].update(properties=None), "properties is None; give a list"),
    (lambda w, p: p[2].update(logicalType="int"), "field 'line': logicalType is 'int'; use one of string"),
    (lambda w, p: p[2].update(physicalType="string"), "field 'line': physicalType is 'string'; integer is stored as one of int8"),
    (lambda w, p: p[2].update(required="yes"), "field 'line': required is 'yes'; write true or false"),
    (lambda w, p: p[2].update(nullable=True), "field 'line': a key is 'nullable'; use one of"),
    (lambda w, p: p[2].update(name="id"), "properties is 'id'; two properties have this name"),
    (lambda w, p: p[2].pop("name"), "write a mapping that has a name"),
    (lambda w, p: p[2].update(logicalTypeOptions={"pattern": "x"}), "logicalTypeOptions is 'pattern'; integer knows"),
    (lambda w, p: p[2].update(logicalTypeOptions={"minimum": "0"}), "logicalTypeOptions.minimum is '0'; write a number"),
    (lambda w, p: p[8].update(enum=["body"]), "field 'label': enum is 'body'; each entry is a mapping"),
    (lambda w, p: p[8].update(examples="body"), "field 'label': examples is 'body'; write a list"),
    (
        lambda w, p: p.append(
            {"name": "a", "logicalType": "array", "physicalType": "list",
             "items": {"name": "b", "logicalType": "string", "physicalType": "string"}}
        ),
        "field 'a': required is 'false'; write `required: true`: a list may be empty, never null",
    ),
    (
        lambda w, p: p.append({"name": "a", "logicalType": "object", "physicalType": "struct", "required": True}),
        "field 'a': properties is None; give a list",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FAULTY)
def test_a_broken_schema_file_is_refused_by_file_field_value_and_remedy(tmp_path, change, message):
    """The message names the file, where in it, what stands there and what should."""
    path = tmp_path / "ledger.yaml"
    path.write_text(yaml.safe_dump(_changed(change)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_schema(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_schema_file_that_is_missing_or_no_yaml_is_refused(tmp_path):
    """Both are named by path, with the remedy."""
    with pytest.raises(ConfigError, match=r"none\.yaml: no such schema file"):
        read_schema(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.yaml: cannot be read as YAML"):
        read_schema(tmp_path / "bad.yaml")


def test_the_digest_follows_meaning_not_layout(tmp_path):
    """Another layout has the same digest, another description has not."""
    path = tmp_path / "ledger.yaml"
    path.write_text(yaml.safe_dump(_changed(lambda w, p: None)), encoding="utf-8")
    assert read_schema(path).digest == load_schema("ledger").digest
    path.write_text(yaml.safe_dump(_changed(lambda w, p: p[0].update(description="Name."))), encoding="utf-8")
    assert read_schema(path).digest != load_schema("ledger").digest
    assert read_schema(path).columns == load_schema("ledger").columns


RECORDS = [
    ({"id": "a", "labels": ["body"]}, []),
    ({"id": "a", "labels": ["body"], "more": 1, "fields": {"dateline": None}}, []),
    ({"labels": ["body"]}, ["record 1: id is missing"]),
    ({"id": "a", "labels": "body"}, ["record 1: labels is 'body', not of type array"]),
    ({"id": "a", "labels": ["spam"]}, ["record 1: labels[0] is 'spam', none of body"]),
    ({"id": "a", "labels": [], "sha256": "x"}, ["record 1: sha256 is 'x', which does not match"]),
    ({"id": "a", "labels": [], "spans": [{"line": 0, "text": "t", "label": "advert"}]},
     ["record 1: spans[0].line is 0, less than 1"]),
    ({"id": "a", "labels": [], "fields": {"truncated": "no"}}, ["record 1: fields.truncated is 'no', not of type boolean"]),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_gold_records_are_checked(record, expected):
    """Each fault of a record is one sentence with its number and field."""
    found = load_schema("gold").check_records([record])
    assert len(found) == len(expected)
    assert all(sentence.startswith(start) for sentence, start in zip(found, expected, strict=True))


def test_a_gold_id_that_stands_twice_is_named():
    """Ids are unique in a gold file."""
    found = load_schema("gold").check_records([{"id": "a", "labels": []}, {"id": "a", "labels": []}])
    assert found == ["record 2: id 'a' stands in an earlier record"]


def test_hand_labelled_articles_keep_the_gold_schema():
    """The evaluation data, where it is there, is gold as the schema says."""
    folder = Path(os.environ.get("COPYDESK_EVALUATION_DATA", Path(__file__).parents[2] / "shared"))
    path = folder / "articles" / "dev.jsonl"
    if not path.is_file():
        pytest.skip(f"no evaluation data at {path}; set COPYDESK_EVALUATION_DATA")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert load_schema("gold").check_records(records) == []
