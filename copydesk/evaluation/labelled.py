"""Reading a gold file: documents labelled by hand, with their raw texts (schema: schemas/gold.yaml).

    Labelled        one labelled document: its labels per line, its fields, its raw bytes
    read_labelled   a gold file and the folder of raw texts beside it; refuses what is not in order

Every refusal names the file, the record, the value and what to do: a score over half a gold file is worse than none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from copydesk.errors import ConfigError, UsageError
from copydesk.evaluation.compared import COMPARED
from copydesk.labels import LABELS

__all__ = ["Labelled", "read_labelled"]


_KINDS: Final[dict[str, tuple[type, str]]] = {
    **dict.fromkeys(("authors", "topics", "persons"), (list, "a list of texts")),
    "dateline": (dict, "an object of texts"),
    "truncated": (bool, "true or false"),
}


@dataclass(frozen=True)
class Labelled:
    """A labelled document."""

    id: str
    where: str
    """File and line of its record, for messages."""
    labels: tuple[str | None, ...]
    """None where nobody labelled the line: it counts nowhere."""
    chars: tuple[int, ...] | None
    """Stripped length of each line, where the gold states it; lengths of our own reading count otherwise."""
    fields: dict[str, Any] | None
    """What the raw text states; a name that is missing was not labelled, null says that nothing is stated."""
    furniture: tuple[str, ...]
    """Furniture glued into kept lines, which should be gone from the text."""
    kind: str | None
    raw: bytes


def read_labelled(gold: Path, raw: Path | None = None) -> list[Labelled]:
    """The documents of a gold file, in its order; `raw` is the folder of `<id>.txt`, by default the one beside it.

    Raises UsageError where file or folder is missing, ConfigError where a record is not in order.
    """
    if not gold.is_file():
        raise UsageError(f"{gold}: no such gold file; give a file of JSON lines (schemas/gold.yaml describes it)")
    folder = raw or _folder(gold)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of raw texts; name it with --raw")
    found: dict[str, Labelled] = {}
    for where, record in _records(gold):
        one = _labelled(where, record, folder)
        if one.id in found:
            raise ConfigError(f"{where}: the id {one.id!r} was already in {found[one.id].where}; keep one record")
        found[one.id] = one
    if not found:
        raise ConfigError(f"{gold}: it holds no record; give one JSON object per line")
    return list(found.values())


def _folder(gold: Path) -> Path:
    """The folder of raw texts: named like the file (`dev.jsonl`: `dev`), here or one up."""
    name = gold.name.split(".")[0]
    choices = [gold.with_suffix(""), gold.parent / name, gold.parent.parent / name]
    return next((folder for folder in choices if folder.is_dir()), choices[0])


def _records(gold: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = gold.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{gold}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{gold}, line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"{where}: not JSON ({error.msg} at character {error.colno}); mend it, one object per line"
            ) from error
        if not isinstance(record, dict):
            raise ConfigError(f"{where}: {line.strip()[:40]!r} is no JSON object; give {{...}} with id and labels")
        yield where, record


def _labelled(where: str, record: dict[str, Any], folder: Path) -> Labelled:
    key = record.get("id")
    if not isinstance(key, str) or not key:
        raise ConfigError(f"{where}: id is {key!r}; give the name of the raw file without its suffix")
    where = f"{where}, record {key!r}"
    labels = _labels(where, record)
    raw = _raw(where, record, folder / f"{key}.txt")
    fields = _fields(where, record.get("fields"))
    spans = _spans(where, record.get("spans"))
    return Labelled(
        id=key,
        where=where,
        labels=labels,
        chars=_chars(where, record, len(labels)),
        fields=fields,
        furniture=tuple(str(span["text"]) for span in spans if span.get("label") != "heading"),
        kind=record.get("kind"),
        raw=raw,
    )


def _labels(where: str, record: dict[str, Any]) -> tuple[str | None, ...]:
    labels = record.get("labels")
    if not isinstance(labels, list):
        raise ConfigError(f"{where}: labels is {labels!r:.60}; give a list with one label per raw line")
    for number, label in enumerate(labels, 1):
        if label is not None and label not in LABELS:
            raise ConfigError(
                f"{where}: the label {label!r} of line {number} is unknown; give one of {', '.join(LABELS)}"
            )
    return tuple(labels)


def _chars(where: str, record: dict[str, Any], lines: int) -> tuple[int, ...] | None:
    chars = record.get("chars")
    if chars is None:
        return None
    if not isinstance(chars, list) or len(chars) != lines or not all(isinstance(one, int) for one in chars):
        raise ConfigError(
            f"{where}: chars does not hold one number for each of the {lines} labels; mend it or leave it out"
        )
    return tuple(chars)


def _fields(where: str, fields: Any) -> dict[str, Any] | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise ConfigError(f"{where}: fields is {fields!r:.60}; give an object")
    for name in sorted({name.partition(".")[0] for name in COMPARED} & fields.keys()):
        value, (kind, told) = fields[name], _KINDS.get(name, (str, "a text"))
        if value is not None and not (isinstance(value, kind) and all(map(_is_text, _inner(value)))):
            raise ConfigError(f"{where}: fields.{name} is {value!r:.60}; give {told}, or null")
    return fields


def _inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value.get(name) for name in ("place", "date", "agency")]
    return value if isinstance(value, list) else []


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _spans(where: str, spans: Any) -> list[dict[str, Any]]:
    for span in spans or []:
        if not isinstance(span, dict) or not isinstance(span.get("text"), str) or span.get("label") not in LABELS:
            raise ConfigError(f"{where}: the span {span!r:.60} is none; give line, text and a label")
    return list(spans or [])


def _raw(where: str, record: dict[str, Any], path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        told = error.strerror or str(error)
        raise UsageError(
            f"{where}: the raw file {path} cannot be read ({told}); put it there or name its folder with --raw"
        ) from error
    stated = record.get("sha256")
    if stated is not None and hashlib.sha256(raw).hexdigest() != stated:
        raise ConfigError(
            f"{where}: {path} is not the file that was labelled (SHA-256 {hashlib.sha256(raw).hexdigest()[:12]}..., "
            f"recorded {stated[:12]}...); restore it, or label it again"
        )
    return raw
