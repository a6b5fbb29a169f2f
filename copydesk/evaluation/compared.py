"""Fields against gold: whether two values say the same.

    COMPARED        the fields that are compared, in the order of the table
    field_rows      one row per document and field: exact (0 or 1) and soft (0 to 1)
    plain           a text without what does not matter: case, kind of quotes and dashes, white space

A value counts as right as far as the gold goes: the instant where the gold has an offset, the wall clock where it has a
time, else the day; the last full stop of a text does not count; lists are sets. Soft is the F1 of words, or of entries.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from copydesk.fields import DATELINE_PARTS, FIELD_KINDS

__all__ = ["COMPARED", "field_rows", "plain"]

COMPARED: Final = tuple(
    name
    for field, kind in FIELD_KINDS.items()
    if field != "site"  # a layout family of copydesk's: no gold states it
    for name in ([f"{field}.{part}" for part in DATELINE_PARTS] if kind == "dateline" else [field])
)
_LISTS: Final = frozenset(name for name, kind in FIELD_KINDS.items() if kind == "list")
_TIMES: Final = frozenset(name for name, kind in FIELD_KINDS.items() if kind == "time")
_SAME: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\ufeff": None}
)

Row = tuple[str, bool, float, float]
"""(field, whether the gold states it, exact, soft)"""


def plain(text: str | None) -> str:
    """Compatibility forms composed, plain quotes and dashes, single spaces, case folded."""
    composed = unicodedata.normalize("NFKC", (text or "").replace("\ufeff", "")).translate(_SAME)
    return re.sub(r"\s+", " ", composed).strip().casefold()


def field_rows(gold: Mapping[str, Any], ours: Mapping[str, Any]) -> list[Row]:
    """The fields that the gold labels (a name it lacks was not labelled), compared."""
    rows = []
    for name in COMPARED:
        if name.partition(".")[0] in gold:
            wanted, given = _value(gold, name), _value(ours, name)
            rows.append((name, bool(wanted), *_compare(name, wanted, given)))
    return rows


def _value(fields: Mapping[str, Any], name: str) -> Any:
    outer, _, inner = name.partition(".")
    value = fields.get(outer)
    return (value or {}).get(inner) if inner else value


def _compare(name: str, wanted: Any, given: Any) -> tuple[float, float]:
    if name in _LISTS:
        soft = _sets(wanted, given)
        return float(soft == 1.0), soft
    if name == "truncated":
        same = float(bool(wanted) == bool(given))
    elif name == "language":
        same = float(plain(wanted) == plain(given).split("-")[0])
    elif not wanted or not given:
        same = float(not wanted and not given)
    elif name in _TIMES:
        same = float(_same_moment(str(wanted), str(given)))
    else:
        exact = plain(wanted).rstrip(".") == plain(given).rstrip(".")
        return float(exact), _words(wanted, given)
    return same, same


def _f1(common: int, wanted: int, given: int) -> float:
    return 2 * common / (wanted + given) if common else 0.0


def _sets(wanted: Any, given: Any) -> float:
    one, other = ({plain(text) for text in values or ()} for values in (wanted, given))
    return _f1(len(one & other), len(one), len(other)) if one or other else 1.0


def _words(wanted: str, given: str) -> float:
    one, other = Counter(plain(wanted).split()), Counter(plain(given).split())
    return _f1((one & other).total(), one.total(), other.total()) if one or other else 1.0


def _same_moment(wanted: str, given: str) -> bool:
    try:
        one, other = datetime.fromisoformat(wanted), datetime.fromisoformat(given)
    except ValueError:
        return _day(wanted) == _day(given)
    if one.tzinfo:
        return other.tzinfo is not None and one == other
    if "T" in wanted or ":" in wanted:
        return one == other.replace(tzinfo=None, second=0, microsecond=0)
    return one.date() == other.date()


def _day(written: str) -> str:
    return written[:10] if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written) else plain(written)
