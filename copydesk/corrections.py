"""What people say of single lines and fields: corrections, the strongest evidence there is.

    Correction           one record of a corrections file (JSON lines; schemas/correction.yaml)
    CORRECTIONS          the same as a table; `EMPTY` has no row
    load_corrections     files to a table, checked; of two that say something of the same line or field the later holds
    canonical            the table as bytes: what a release keeps, the same for the same corrections
    digest_of            16 hexadecimal digits over these bytes, "" where there is none
    by_document          the digest of each document's own corrections: who differs is judged again, and nobody else

A correction names the raw file by its hash and the line by its text: on a file that changed since it is stale and does
nothing, and the ingest says so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from copydesk.errors import ConfigError, UsageError
from copydesk.fields import DATELINE_PARTS, FIELD_KINDS, FIELDS, Kind
from copydesk.labels import LABELS
from copydesk.uris import file_and_record

__all__ = [
    "CORRECTIONS",
    "EMPTY",
    "HUMAN",
    "Correction",
    "by_document",
    "by_file",
    "canonical",
    "differing",
    "digest_of",
    "load_corrections",
    "moment",
    "parse_correction",
    "read_canonical",
    "read_records",
    "text_hash",
]

HUMAN: Final = "human:"
"""What the evidence of a correction begins with; the name of the person follows."""

CORRECTIONS: Final = pl.Schema(
    {
        "id": pl.String(), "source": pl.String(), "uri": pl.String(), "raw_sha256": pl.String(), "line": pl.UInt32(),
        "text_sha256": pl.String(), "label": pl.String(), "field": pl.String(), "value": pl.String(),
        "who": pl.String(), "where": pl.String(),
    }
)  # fmt: skip
"""`value` is JSON; `where` names file and line of the record, for messages, and is no part of what is kept."""

EMPTY: Final = pl.DataFrame(schema=CORRECTIONS)
KEPT: Final = [name for name in CORRECTIONS if name != "where"]
CHOICES: Final = tuple(label for label in LABELS if label != "blank")

TIME: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?)?)?")
"""What metadata.published_iso writes."""
PRECISIONS: Final = {4: "year", 7: "month", 10: "day", 16: "minute", 19: "second"}


def _checked(pattern: str, told: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(told)
        return value

    return AfterValidator(check)


Id = Annotated[str, _checked("[0-9a-f]{16,64}", "an id is 16 to 64 hexadecimal digits, as in the column `id`")]
Hash = Annotated[str, _checked("[0-9a-f]{64}", "a SHA-256 is 64 hexadecimal digits")]
Who = Annotated[str, _checked(r"\w[\w.@-]{0,63}", "a name holds letters, digits, '.', '_', '@' and '-', 64 at most")]


class Correction(BaseModel):
    """One correction: of a line (`line`, `text_sha256`, `label`) or of a field (`field`, `value`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Id = Field(description="the document")
    source: str = Field(min_length=1, description="its source")
    uri: str = Field(min_length=1, description="its path in the source")
    raw_sha256: Hash = Field(description="the raw file that was looked at: of another one this says nothing")
    line: int | None = Field(default=None, ge=1, description="the line, from 1")
    text_sha256: Hash | None = Field(default=None, description="SHA-256 of the line's text, as the ledger has it")
    text: str | None = Field(default=None, description="the line's beginning, for people who read the file")
    label: str | None = Field(default=None, description="what the line is")
    field: str | None = Field(default=None, description="the field that is wrong")
    value: Any = Field(default=None, description="what it should be; null: the page does not say")
    was: Any = Field(default=None, description="what copydesk had made of it")
    who: Who = Field(description="who says so")
    note: str | None = Field(default=None, description="why, for people")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.label is None) == (self.field is None):
            raise ValueError("give either a label, with line and text_sha256, or a field with its value")
        if self.label is not None:
            self._of_a_line()
        else:
            self._of_a_field()
        return self

    def _of_a_line(self) -> None:
        if self.label not in CHOICES:
            raise ValueError(f"the label {self.label!r} is none; give one of {', '.join(CHOICES)}")
        if self.line is None or self.text_sha256 is None:
            raise ValueError("a label needs the line and its text_sha256")
        if "value" in self.model_fields_set:
            raise ValueError("a value belongs to a field, not to a label; take it out")

    def _of_a_field(self) -> None:
        if self.field not in FIELDS:
            raise ValueError(f"the field {self.field!r} is none that can be corrected; give one of {', '.join(FIELDS)}")
        if "value" not in self.model_fields_set:
            raise ValueError("a field needs its value; null says that there is none")
        fits, told = _VALUES[FIELD_KINDS[self.field]]
        if not (fits(self.value) or (self.value is None and self.field != "truncated")):
            raise ValueError(f"{self.field} = {json.dumps(self.value, ensure_ascii=False)[:60]}: give {told}")
        if self.line is not None or self.text_sha256 is not None:
            raise ValueError("a field stands in no line; take line and text_sha256 out")


def _is_dateline(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) <= set(DATELINE_PARTS)
        and bool(value.get("place"))
        and all(isinstance(part, str | None) for part in value.values())
    )


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(moment(value))
    except ValueError:
        return False


_VALUES: Final[dict[Kind, tuple[Callable[[Any], bool], str]]] = {
    "text": (lambda value: isinstance(value, str) and bool(value.strip()), "a text, or null"),
    "time": (
        _is_time,
        'a time such as "2017-01-25T14:44+03:00", "2017-01-25" or "2017", or null',
    ),
    "list": (
        lambda value: isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value),
        "a list of texts",
    ),
    "flag": (lambda value: isinstance(value, bool), "true or false"),
    "dateline": (_is_dateline, "an object with place and, where they are written, date and agency, or null"),
}


def text_hash(text: str) -> str:
    """SHA-256 of a line's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def moment(written: str) -> tuple[dt.datetime, int | None, str]:
    """A time as `metadata.published_iso` writes it to the instant in UTC, the offset in minutes, and the precision.

    Raises ValueError where there is no such day or clock.
    """
    if not TIME.fullmatch(written):
        raise ValueError(f"{written!r} is no time")
    stamp = written.replace(" ", "T").replace("Z", "+00:00")
    plain = stamp[:10] if "T" not in stamp else stamp[:19] if stamp[16:17] == ":" else stamp[:16]
    local = dt.datetime.fromisoformat(plain + "-01-01"[len(plain) - 4 :] if len(plain) < 10 else plain)
    zone = stamp[len(plain) :]
    offset = None
    if zone:
        offset = int(dt.datetime.fromisoformat(f"2000-01-01T00:00{zone}").utcoffset().total_seconds()) // 60  # type: ignore[union-attr]
    utc = local - dt.timedelta(minutes=offset or 0)
    return utc.replace(tzinfo=dt.UTC), offset, PRECISIONS[len(plain)]


def load_corrections(paths: Iterable[Path]) -> pl.DataFrame:
    """The corrections of all files as a table CORRECTIONS.

    Raises UsageError where a file is missing, ConfigError that names file, line, value and remedy where a record is
    not in order.
    """
    rows = [_row(where, parse_correction(where, record)) for path in paths for where, record in read_records(path)]
    table = pl.DataFrame(rows, schema=CORRECTIONS, orient="row")
    return table.unique(["id", "line", "field"], keep="last", maintain_order=True)


def read_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file of JSON lines, each with the file and line it stands in."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}, line {number}", _object(f"{path}, line {number}", line)


def _object(where: str, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: not JSON ({error.msg} at character {error.colno}); mend or delete it") from error
    if not isinstance(record, dict):
        raise ConfigError(f"{where}: {line.strip()[:40]!r} is no JSON object; the review page writes one per line")
    return record


def parse_correction(where: str, record: dict[str, Any]) -> Correction:
    """A record as a correction; raises ConfigError that names every fault of it."""
    try:
        return Correction(**record)
    except ValidationError as error:
        raise ConfigError("\n".join(_told(where, fault) for fault in error.errors())) from error


def _told(where: str, fault: Any) -> str:
    key, message = ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
    match fault["type"]:
        case "missing":
            return f"{where}: {key!r} is missing; export the corrections from the review page again"
        case "extra_forbidden":
            return f"{where}: unknown key {key!r}; take it out"
    shown = f"{key} = {fault['input']!r:.60}: " if key else ""
    return f"{where}: {shown}{message}"


def _row(where: str, one: Correction) -> tuple[Any, ...]:
    value = json.dumps(one.value, ensure_ascii=False, sort_keys=True) if one.field else None
    place = (one.id, one.source, one.uri, one.raw_sha256)
    return (*place, one.line, one.text_sha256, one.label, one.field, value, one.who, where)


def canonical(corrections: pl.DataFrame) -> bytes:
    """The corrections as JSON lines, sorted: equal corrections give equal bytes."""
    rows = corrections.select(KEPT).to_dicts()
    lines = [json.dumps({key: row[key] for key in row if row[key] is not None}, ensure_ascii=False) for row in rows]
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def read_canonical(data: bytes) -> pl.DataFrame:
    """What `canonical` wrote, as a table CORRECTIONS."""
    rows = [json.loads(line) for line in data.decode().split("\n") if line]
    return pl.DataFrame(rows, schema=CORRECTIONS).with_columns(where=pl.lit("the release"))


def digest_of(corrections: pl.DataFrame) -> str:
    """16 hexadecimal digits over the corrections; "" where there is none."""
    return hashlib.sha256(canonical(corrections)).hexdigest()[:16] if corrections.height else ""


def by_document(corrections: pl.DataFrame) -> dict[str, str]:
    """Id to the digest of the document's corrections."""
    parts = corrections.partition_by("id", as_dict=True, maintain_order=True)
    return {str(name): digest_of(part) for (name,), part in parts.items()}


def by_file(corrections: pl.DataFrame) -> dict[tuple[str, str], str]:
    """(source, uri) of each raw file to the digest of its documents' corrections; a container's uri has no #record."""
    found: dict[tuple[str, str], list[str]] = {}
    digests = by_document(corrections)
    for name, source, uri in corrections.select("id", "source", "uri").unique().sort("id").iter_rows():
        for file in {uri, file_and_record(uri)[0]}:
            found.setdefault((source, file), []).append(digests[name])
    return {key: " ".join(parts) for key, parts in found.items()}


def differing(old: pl.DataFrame, new: pl.DataFrame) -> Sequence[str]:
    """Ids of the documents of which the two say different things, sorted."""
    before, after = by_document(old), by_document(new)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
