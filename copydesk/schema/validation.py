"""Validation: which rows break their schema, in which field, and why.

    rules_of        the rules of a schema's fields, as Polars expressions
    find_faults     a whole table at once by these rules; one table of faults (row, field, reason)
    record_faults   Python records, such as the lines of a gold file, one by one

The messages of both are the same, so that a quarantine reason reads like a test's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from copydesk.schema.fields import Field

__all__ = ["FAULTS", "Rule", "find_faults", "record_faults", "rules_of"]

FAULTS: Final = pl.Schema({"row": pl.UInt32(), "field": pl.String(), "reason": pl.String()})
PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "timestamp": (str,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Rule:
    """What must not hold of a field, and what is said of it where it does."""

    path: str
    reason: str
    broken: pl.Expr
    allowed: frozenset[str] = frozenset()
    """The values that a column may have, where that is what the rule is about."""

    def holds(self, types: Mapping[str, pl.DataType]) -> bool:
        """Whether a table with columns of these types cannot break it: that of an Enum allows no other values."""
        kind = types.get(self.path)
        return bool(self.allowed) and isinstance(kind, pl.Enum) and self.allowed.issuperset(kind.categories)


def rules_of(fields: Sequence[Field]) -> list[Rule]:
    """The rules of fields and of what is inside them, in their order."""
    return [rule for column in fields for rule in _rules(column, column.name, pl.col(column.name))]


def find_faults(rules: Sequence[Rule], table: pl.DataFrame) -> pl.DataFrame:
    """The faults of a table that has the schema's columns and types: row (from 0), field (dotted), reason; sorted."""
    if not table.height or not rules:
        return pl.DataFrame(schema=FAULTS)
    some = table.select(rule.broken.any().alias(str(number)) for number, rule in enumerate(rules)).row(0)
    found = [
        table.select(pl.arg_where(rule.broken).alias("row")).with_columns(
            field=pl.lit(rule.path), reason=pl.lit(rule.reason)
        )
        for rule, broken in zip(rules, some, strict=True)
        if broken
    ]
    return pl.concat(found).cast(FAULTS).sort("row", maintain_order=True) if found else pl.DataFrame(schema=FAULTS)


def _rules(column: Field, path: str, value: pl.Expr) -> Iterator[Rule]:
    """The rules of a field and of what is inside it. A null breaks only `required`."""
    if column.required:
        yield Rule(path, "is missing", value.is_null())
    if column.allowed:
        broken = ~value.cast(pl.String).is_in(column.allowed)
        yield Rule(path, f"is none of {', '.join(column.allowed)}", broken, frozenset(column.allowed))
    yield from (Rule(path, reason, broken) for reason, broken in _value_rules(column, value))
    if column.unique:
        yield Rule(path, "stands in more than one row", value.is_duplicated())
    for part in column.inner:
        for rule in _rules(part, f"{path}.{part.name}", value.struct.field(part.name)):
            yield Rule(rule.path, rule.reason, value.is_not_null() & rule.broken)
    if column.item is not None:
        for rule in _rules(column.item, f"{path}[]", pl.element()):
            yield Rule(rule.path, rule.reason, value.list.eval(rule.broken).list.any())


def _value_rules(column: Field, value: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    if column.physical == "string":
        yield from _text_rules(column.options, value)
    if column.logical in ("integer", "number"):
        yield from _limit_rules(column.options, value, ("minimum", "is less than"), ("maximum", "is more than"))
    if column.logical == "number":
        yield "is not a finite number", ~value.is_finite()
    if column.item is not None:
        limits = ("minItems", "has fewer items than"), ("maxItems", "has more items than")
        yield from _limit_rules(column.options, value.list.len(), *limits)


def _text_rules(options: Mapping[str, Any], value: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    if "pattern" in options:
        yield f"does not match {options['pattern']}", ~value.str.contains(options["pattern"])
    limits = ("minLength", "has fewer characters than"), ("maxLength", "has more characters than")
    yield from _limit_rules(options, value.str.len_chars(), *limits)


def _limit_rules(
    options: Mapping[str, Any], value: pl.Expr, least: tuple[str, str], most: tuple[str, str]
) -> Iterator[tuple[str, pl.Expr]]:
    if least[0] in options:
        yield f"{least[1]} {options[least[0]]}", value < options[least[0]]
    if most[0] in options:
        yield f"{most[1]} {options[most[0]]}", value > options[most[0]]


def record_faults(fields: Sequence[Field], record: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The faults of one record as (field, reason); keys that the schema does not name are allowed."""
    for column in fields:
        where = f"{path}.{column.name}" if path else column.name
        yield from _value_faults(column, where, record.get(column.name))


def _value_faults(column: Field, path: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        if column.required:
            yield path, "is missing"
        return
    if not _of_type(column.logical, value):
        yield path, f"is {value!r:.60}, not of type {column.logical}"
        return
    yield from ((path, reason) for reason in _reasons(column, value))
    if column.inner:
        yield from record_faults(column.inner, value, path)
    if column.item is not None:
        for number, item in enumerate(value):
            yield from _value_faults(column.item, f"{path}[{number}]", item)


def _of_type(logical: str, value: object) -> bool:
    return isinstance(value, PYTHON[logical]) and (logical == "boolean" or not isinstance(value, bool))


def _reasons(column: Field, value: Any) -> Iterator[str]:
    options = column.options
    if column.allowed and value not in column.allowed:
        yield f"is {value!r:.60}, none of {', '.join(column.allowed)}"
    if "pattern" in options and not re.search(options["pattern"], value):
        yield f"is {value!r:.60}, which does not match {options['pattern']}"
    least, most = options.get("minLength", options.get("minItems")), options.get("maxLength", options.get("maxItems"))
    if least is not None and len(value) < least:
        yield f"is shorter than {least}"
    if most is not None and len(value) > most:
        yield f"is longer than {most}"
    if value_below(options.get("minimum"), value):
        yield f"is {value!r}, less than {options['minimum']}"
    if value_below(value, options.get("maximum")):
        yield f"is {value!r}, more than {options['maximum']}"


def value_below(limit: float | None, value: float | None) -> bool:
    """Whether both are given and `value` is under `limit`."""
    return limit is not None and value is not None and value < limit
