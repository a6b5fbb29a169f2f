"""Fields: what one column of a schema file says, read with errors that name file, field, value and remedy.

    Field         one property of an Open Data Contract Standard file, with the fields or the item inside it
    parse_fields  the properties of a parsed YAML file to fields
    arrow_type    a field's Arrow type, from its physicalType; polars_type the same for Polars
    field_of      a field from an Arrow type; type_name an Arrow type as text

The standard leaves physicalType free; here it is Arrow's, so that one file decides both meaning and storage. There is
no map (`datasets` cannot read one) and no null type; an array is never null, because null and empty would be told
apart by some readers and not by others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import pyarrow as pa

from copydesk.errors import ConfigError

__all__ = ["Field", "arrow_type", "field_of", "parse_fields", "polars_type", "type_name"]

TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "binary": pa.binary(),
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
}
POLARS: Final[dict[str, pl.DataType]] = {
    "string": pl.String(),
    "binary": pl.Binary(),
    "bool": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "timestamp[us, UTC]": pl.Datetime("us", "UTC"),
}
LOGICAL: Final[dict[str, tuple[str, ...]]] = {
    "string": ("string", "binary"),
    "integer": ("int8", "int16", "int32", "int64"),
    "number": ("float32", "float64"),
    "boolean": ("bool",),
    "timestamp": ("timestamp[us, UTC]",),
    "array": ("list",),
    "object": ("struct",),
}
"""Which physical types may store which logical type of the standard."""

OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "array": ("minItems", "maxItems"),
}
KEYS: Final = (
    *("name", "logicalType", "physicalType", "logicalTypeOptions", "required", "unique", "primaryKey"),
    *("primaryKeyPosition", "description", "examples", "enum", "properties", "items"),
)


@dataclass(frozen=True)
class Field:
    """One column, or one part of one. `inner` holds a struct's fields; `item` is what a list holds.

    `meanings` says what each of the `allowed` values means, in the same order.
    """

    name: str
    logical: str
    physical: str
    required: bool = False
    unique: bool = False
    description: str = ""
    examples: tuple[Any, ...] = ()
    allowed: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[Field, ...] = ()
    item: Field | None = None


def arrow_type(column: Field) -> pa.DataType:
    """The Arrow type that stores a field."""
    if column.item is not None:
        return pa.list_(arrow_type(column.item))
    if column.inner:
        return pa.struct([pa.field(part.name, arrow_type(part)) for part in column.inner])
    return TYPES[column.physical]


def polars_type(column: Field) -> pl.DataType:
    """The same as a Polars type; asking Arrow for it would import pandas (2 s)."""
    if column.item is not None:
        return pl.List(polars_type(column.item))
    if column.inner:
        return pl.Struct({part.name: polars_type(part) for part in column.inner})
    return POLARS[column.physical]


def field_of(name: str, kind: pa.DataType) -> Field:
    """A field that stores an Arrow type of a schema, and demands nothing else of its values."""
    if isinstance(kind, pa.ListType):
        return Field(name, "array", "list", item=field_of("item", kind.value_type))
    if isinstance(kind, pa.StructType):
        return Field(name, "object", "struct", inner=tuple(field_of(part.name, part.type) for part in kind))
    physical = next(word for word, stored in TYPES.items() if stored == kind)
    return Field(name, next(word for word, some in LOGICAL.items() if physical in some), physical)


def type_name(kind: pa.DataType) -> str:
    """An Arrow type as text, `list<struct<year: int16>>`; Arrow's own text of a list differs between its readers."""
    if isinstance(kind, pa.ListType):
        return f"list<{type_name(kind.value_type)}>"
    if isinstance(kind, pa.StructType):
        return f"struct<{', '.join(f'{part.name}: {type_name(part.type)}' for part in kind)}>"
    return str(kind)


def parse_fields(file: str, properties: object, *, null_lists: bool = False) -> tuple[Field, ...]:
    """The fields of a `properties` list; raises ConfigError. `null_lists` is for records that are not Arrow rows."""
    return _Parser(file, null_lists=null_lists).fields("", properties)


class _Parser:
    """Carries the file's name to where a message needs it."""

    def __init__(self, file: str, *, null_lists: bool) -> None:
        self.file, self.null_lists = file, null_lists

    def wrong(self, path: str, key: str, value: object, remedy: str) -> ConfigError:
        return ConfigError(f"{self.file}: field {path or '(top)'!r}: {key} is {value!r}; {remedy}")

    def fields(self, path: str, properties: object) -> tuple[Field, ...]:
        if not isinstance(properties, list) or not properties:
            raise self.wrong(path, "properties", properties, "give a list of at least one property")
        found = tuple(self.field(path, entry) for entry in properties)
        names = [column.name for column in found]
        for name in names:
            if names.count(name) > 1:
                raise self.wrong(path, "properties", name, "two properties have this name, rename one")
        return found

    def field(self, above: str, entry: object) -> Field:
        if not isinstance(entry, Mapping) or not isinstance(name := entry.get("name"), str) or not name:
            raise self.wrong(above, "a property", entry, "write a mapping that has a name")
        path = f"{above}.{name}" if above else name
        for key in entry:
            if key not in KEYS:
                raise self.wrong(path, "a key", key, f"use one of {', '.join(KEYS)}")
        logical, physical = self._types(path, entry)
        column = Field(
            name=name,
            logical=logical,
            physical=physical,
            required=self._truth(path, "required", entry),
            unique=self._truth(path, "unique", entry),
            description=self._text(path, entry),
            examples=self._examples(path, entry),
            allowed=tuple(value["value"] for value in self._enum(path, entry)),
            meanings=tuple(str(value.get("description", "")) for value in self._enum(path, entry)),
            options=self._options(path, logical, entry),
            inner=self.fields(path, entry.get("properties")) if physical == "struct" else (),
            item=self.field(path, entry.get("items")) if physical == "list" else None,
        )
        if physical == "list" and not column.required and not self.null_lists:
            raise self.wrong(path, "required", "false", "write `required: true`: a list may be empty, never null")
        return column

    def _types(self, path: str, entry: Mapping[str, Any]) -> tuple[str, str]:
        logical, physical = entry.get("logicalType"), entry.get("physicalType")
        if not isinstance(logical, str) or logical not in LOGICAL:
            raise self.wrong(path, "logicalType", logical, f"use one of {', '.join(LOGICAL)}")
        if physical not in LOGICAL[logical]:
            remedy = f"{logical} is stored as one of {', '.join(LOGICAL[logical])}"
            raise self.wrong(path, "physicalType", physical, remedy)
        return logical, str(physical)

    def _truth(self, path: str, key: str, entry: Mapping[str, Any]) -> bool:
        value = entry.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(path, key, value, "write true or false")
        return value

    def _text(self, path: str, entry: Mapping[str, Any]) -> str:
        value = entry.get("description", "")
        if not isinstance(value, str):
            raise self.wrong(path, "description", value, "write a text")
        return value

    def _examples(self, path: str, entry: Mapping[str, Any]) -> tuple[Any, ...]:
        value = entry.get("examples", [])
        if not isinstance(value, list):
            raise self.wrong(path, "examples", value, "write a list of values")
        return tuple(value)

    def _enum(self, path: str, entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        values = entry.get("enum", [])
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise self.wrong(path, "enum", values, "write a list of {value: ...}")
        for value in values:
            if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
                raise self.wrong(path, "enum", value, "each entry is a mapping whose value is a text")
        return values

    def _options(self, path: str, logical: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        options = entry.get("logicalTypeOptions", {})
        if not isinstance(options, Mapping):
            raise self.wrong(path, "logicalTypeOptions", options, "write a mapping")
        for key, value in options.items():
            if key not in OPTIONS.get(logical, ()):
                remedy = f"{logical} knows {', '.join(OPTIONS.get(logical, ())) or 'none'}"
                raise self.wrong(path, "logicalTypeOptions", key, remedy)
            if not isinstance(value, str if key in ("pattern", "format") else int | float):
                raise self.wrong(path, f"logicalTypeOptions.{key}", value, "write a number, or a text for a pattern")
        return dict(options)
