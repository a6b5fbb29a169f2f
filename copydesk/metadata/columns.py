"""The columns of the fields: their types, and how they are made from a value per document.

Flat values first, lists cut from them by their offsets: many times quicker than list by list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from copydesk.aligned import listed
from copydesk.metadata.datelines import Dateline

__all__ = ["SCHEMA", "column_of"]

_DATELINE: Final = pl.Struct(
    {
        "place": pl.String(),
        "date": pl.String(),
        "places": pl.List(pl.String()),
        "month": pl.Int8(),
        "day": pl.Int8(),
        "year": pl.Int16(),
        "agency": pl.String(),
    }
)
_DATELINE_NAMES: Final = [field.name for field in _DATELINE.fields]
_PROVENANCE: Final = pl.Struct(
    {"field": pl.String(), "value": pl.String(), "evidence": pl.String(), "used": pl.Boolean()}
)
_YEARS: Final = pl.Struct({"year": pl.Int16(), "weight": pl.Float32()})
_LISTS: Final = ("authors", "topics", "persons", "notices")
_INSTANTS: Final = ("published_at", "updated_at")
_NESTED: Final = {"candidate_years": _YEARS, "provenance": _PROVENANCE}
_INSTANT: Final = pl.Datetime("us", "UTC")
_NAMES: Final = pl.List(pl.String())

SCHEMA: Final[dict[str, pl.DataType]] = {
    "doc": pl.UInt32(),
    "headline": pl.String(),
    "deck": pl.String(),
    "dateline": _DATELINE,
    "dateline_end": pl.Int32(),
    "published_at": _INSTANT,
    "published_offset": pl.Int16(),
    "published_precision": pl.String(),
    "published_evidence": pl.String(),
    "candidate_years": pl.List(_YEARS),
    "updated_at": _INSTANT,
    "authors": _NAMES,
    "section": pl.String(),
    "topics": _NAMES,
    "persons": _NAMES,
    "outlet": pl.String(),
    "agency": pl.String(),
    "url": pl.String(),
    "language": pl.String(),
    "language_score": pl.Float32(),
    "script": pl.String(),
    "truncated": pl.Boolean(),
    "notices": _NAMES,
    "provenance": pl.List(_PROVENANCE),
}


def column_of(name: str, values: Sequence[Any]) -> pl.Series:
    """One of the columns of `SCHEMA` from a value per document: instants in microseconds, structs as tuples."""
    if name in _LISTS:
        return _name_column(name, values)
    if name in _INSTANTS:
        return _instant_column(name, values)
    if name == "dateline":
        return _dateline_column(values)
    if name in _NESTED:
        return _nested_column(name, _NESTED[name], values)
    return pl.Series(name, values, dtype=SCHEMA[name])


def _instant_column(name: str, instants: Sequence[int | None]) -> pl.Series:
    """Microseconds since 1970 as instants."""
    return pl.Series(name, instants, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _name_column(name: str, lists: Sequence[Sequence[str]]) -> pl.Series:
    """A column of lists of strings."""
    return _listed(name, pl.Series([one for names in lists for one in names], dtype=pl.String), lists)


def _nested_column(name: str, kind: pl.Struct, lists: Sequence[Sequence[tuple[Any, ...]]]) -> pl.Series:
    """A column of lists of structs, from lists of tuples."""
    flat = [entry for entries in lists for entry in entries]
    columns = [
        pl.Series(field.name, [entry[at] for entry in flat], dtype=field.dtype) for at, field in enumerate(kind.fields)
    ]
    return _listed(name, pl.DataFrame(columns).to_struct(), lists)


def _listed(name: str, values: pl.Series, lists: Sequence[Sequence[Any]]) -> pl.Series:
    """Cut flat values into the lists they came from."""
    return listed(name, values, np.cumsum([0, *map(len, lists)], dtype=np.int64))


_NONE: Final = Dateline()


def _dateline_column(datelines: Sequence[Dateline | None]) -> pl.Series:
    """The datelines as a column of structs, null where there is none."""
    found = [dateline or _NONE for dateline in datelines]
    columns: dict[str, list[Any]] = {
        "place": [one.place for one in found],
        "date": [one.date_written for one in found],
        "month": [one.month for one in found],
        "day": [one.day for one in found],
        "year": [one.year for one in found],
        "agency": [one.agency for one in found],
    }
    plain = [
        pl.Series(field.name, columns[field.name], dtype=field.dtype)
        for field in _DATELINE.fields
        if field.name in columns
    ]
    places = _name_column("places", [[place.city for place in one.places] for one in found])
    has = pl.Series("has", [one is not None for one in datelines], dtype=pl.Boolean)
    table = pl.DataFrame([has, places, *plain])
    return table.select(dateline=pl.when(pl.col("has")).then(pl.struct(_DATELINE_NAMES))).to_series()
