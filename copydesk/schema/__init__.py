"""Schemas: what the columns of a table are and mean, from one file each in `schemas/`.

    load_schema     "article", "ledger", "profile", "gold": the file to a Schema
    Schema          its Arrow and Polars types, `datasets` features, row validation, field table and digest

The files are Open Data Contract Standard 3.2 (YAML). Nothing else in copydesk says what a column is, so what is
stored, checked and documented cannot differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import yaml

from copydesk.errors import ConfigError, ReleaseError
from copydesk.schema.fields import Field, arrow_type, parse_fields, polars_type, type_name
from copydesk.schema.validation import Rule, find_faults, record_faults, rules_of

__all__ = ["Schema", "load_schema", "read_schema", "schema_folder"]

RECORDS: Final = frozenset({"gold", "profile"})
"""Schemas of JSON or TOML records, which may leave a list out."""


@dataclass(frozen=True)
class Schema:
    """The columns of one table. `description` is the row's meaning; `fields` are in the order of the columns."""

    name: str
    version: str
    description: str
    fields: tuple[Field, ...]

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema: plain types, lists and structs; no map, no null type, no dictionary."""
        return pa.schema([pa.field(column.name, arrow_type(column)) for column in self.fields])

    @cached_property
    def polars(self) -> pl.Schema:
        """The same as Polars types."""
        return pl.Schema({column.name: polars_type(column) for column in self.fields})

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of SHA-256 over all that the file says, layout and comments aside."""
        whole = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(whole.encode()).hexdigest()[:32]

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column to Arrow type as text: what a reader's program depends on, without the descriptions."""
        return {column.name: type_name(column.type) for column in self.arrow}

    @cached_property
    def _rules(self) -> list[Rule]:
        return rules_of(self.fields)

    def features(self) -> list[dict[str, Any]]:
        """The `features` of a card's `dataset_info`, in the YAML form of `datasets`."""
        return [_feature(column) for column in self.fields]

    def conform(self, table: pl.DataFrame) -> pl.DataFrame:
        """The table with the schema's columns, types and order: nullable columns added, enums made strings.

        Raises ReleaseError where a required column is missing or a type cannot be cast.
        """
        missing = [name for name in self.polars if name not in table.columns]
        for column in self.fields:
            if column.name in missing and column.required and column.item is None:
                raise ReleaseError(f"the {self.name} table has no column {column.name!r}, which its schema requires")
        added = [_absent(self.polars[name]).alias(name) for name in missing]
        try:
            return table.with_columns(added).select(self.polars.names()).cast(self.polars)
        except pl.exceptions.PolarsError as error:
            raise ReleaseError(f"the {self.name} table does not have the types of its schema: {error}") from error

    def validate(self, table: pl.DataFrame | pa.Table) -> tuple[pl.Series, pl.DataFrame]:
        """Which rows keep the schema (a boolean mask), and the faults of the others: row, field, reason.

        Raises ReleaseError where the table as a whole has other columns or types (see `conform`).
        """
        frame = self.conform(pl.DataFrame(pl.from_arrow(table)) if isinstance(table, pa.Table) else table)
        given = table.schema if isinstance(table, pl.DataFrame) else frame.schema
        faults = find_faults([rule for rule in self._rules if not rule.holds(given)], frame)
        rows = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
        return ~rows.is_in(faults["row"].unique().to_list()), faults

    def check_records(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """What is wrong with records that are no table, one sentence each, with the record's number from 1."""
        found = [
            f"record {number}: {path} {reason}"
            for number, record in enumerate(records, 1)
            for path, reason in record_faults(self.fields, record)
        ]
        return found + self._repeated(records)

    def _repeated(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        seen: set[tuple[str, str]] = set()
        found = []
        for number, record in enumerate(records, 1):
            for column in self.fields:
                key = (column.name, repr(record.get(column.name)))
                if column.unique and record.get(column.name) is not None and key in seen:
                    found.append(f"record {number}: {column.name} {key[1]} stands in an earlier record")
                seen.add(key)
        return found

    def field_table(self) -> str:
        """The columns as a Markdown table: name, type, meaning; inner fields named with a dot."""
        rows = [row for column in self.fields for row in _table_rows(column, column.name)]
        return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def schema_folder() -> Path:
    """Where the schema files are: inside the installed package, else beside it in a source tree."""
    inside = Path(str(files("copydesk"))) / "schemas"
    return inside if inside.is_dir() else inside.parent.parent / "schemas"


@cache
def load_schema(name: str) -> Schema:
    """The schema in `schemas/NAME.yaml`; raises ConfigError where it is missing or broken."""
    return read_schema(schema_folder() / f"{name}.yaml")


def read_schema(path: Path) -> Schema:
    """The schema in a file; raises ConfigError that names the file, the field, the value and the remedy."""
    try:
        whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such schema file; reinstall copydesk, or restore the file") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML ({error}); correct the file or restore it") from error
    if not isinstance(whole, dict) or whole.get("kind") != "DataContract":
        raise ConfigError(f"{path}: is no data contract; write `kind: DataContract` and a `schema` as the others have")
    if not str(version := whole.get("apiVersion")).startswith("v3."):
        raise ConfigError(f"{path}: apiVersion is {version!r}; write one of version 3, such as v3.2.0")
    objects = whole.get("schema")
    if not isinstance(objects, list) or len(objects) != 1 or not isinstance(objects[0], dict):
        raise ConfigError(f"{path}: schema is {objects!r:.60}; write a list of exactly one table")
    fields = parse_fields(str(path), objects[0].get("properties"), null_lists=path.stem in RECORDS)
    return Schema(path.stem, str(whole.get("version", "")), str(objects[0].get("description", "")), fields)


def _feature(column: Field) -> dict[str, Any]:
    if column.item is not None:
        inner = _inner_feature(column.item)
        return {"name": column.name, "list": inner["struct"] if "struct" in inner else inner["dtype"]}
    return {"name": column.name, **_inner_feature(column)}


def _inner_feature(column: Field) -> dict[str, Any]:
    if column.inner:
        return {"struct": [_feature(part) for part in column.inner]}
    return {"dtype": column.physical.replace("[us, UTC]", "[us, tz=UTC]")}


def _absent(kind: pl.DataType) -> pl.Expr:
    return pl.lit([], dtype=kind) if isinstance(kind, pl.List) else pl.lit(None, dtype=kind)


def _type_words(column: Field) -> str:
    words = f"list of {_type_words(column.item)}" if column.item is not None else column.physical
    return words if column.required or column.item is not None else f"{words} or null"


def _table_rows(column: Field, path: str) -> list[str]:
    meaning = column.description
    if column.allowed:
        meaning += f" One of {', '.join(f'`{value}`' for value in column.allowed)}."
    elif column.examples:
        shown = column.examples[0] if isinstance(column.examples[0], str) else json.dumps(column.examples[0])
        meaning += f" Example: `{shown}`"
    row = f"| `{path}` | {_type_words(column)} | {meaning.replace('|', chr(92) + '|')} |"
    parts = column.inner or (column.item.inner if column.item is not None else ())
    mark = "[]" if column.item is not None else ""
    return [row, *(inner for part in parts for inner in _table_rows(part, f"{path}{mark}.{part.name}"))]
