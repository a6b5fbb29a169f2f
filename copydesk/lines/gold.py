"""Gold files as one table of lines that says, for each line, which labels would be right.

    articles    JSON lines with `labels` per line, raw texts in the folder beside the file      one label is right
    linebench   JSON lines with `lines`, `keep`, `title_lines`                                   kept: body or heading
    metadata    JSON lines with `text` and a `gold` of fields                                    headline, byline, date

Much gold knows only that a line was dropped, not as what; so a target is a set of labels, as bits in the order of
`copydesk.labels.LABELS`, and 0 where nothing is known. Which form a file has is told by the keys of its first record.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.decoding import decode_documents
from copydesk.errors import UsageError
from copydesk.labels import FATE_OF, KEPT, LABELS

__all__ = ["bits", "read_gold", "site_key"]

Record = dict[str, Any]
Rows = tuple[list[str], list[int]]

_SCHEMA: Final = pl.Schema(
    {
        "kind": pl.String(), "id": pl.String(), "variant": pl.String(), "site": pl.String(), "group": pl.String(),
        "doc": pl.UInt32(), "line": pl.UInt32(), "text": pl.String(), "right": pl.UInt32(),
    }
)  # fmt: skip
_SECOND_LEVEL: Final = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "net", "or", "org"})


def bits(labels: Sequence[str]) -> int:
    """The set of labels as a number: bit i stands for LABELS[i]."""
    return sum(1 << LABELS.index(label) for label in set(labels))


_KEEP: Final = bits(KEPT)
_DROP: Final = bits([label for label in LABELS if FATE_OF[label] in ("dropped", "field")])
_BLANK: Final = bits(["blank"])
_NOT_HEADLINE: Final = bits([label for label in LABELS if label not in ("headline", "blank")])


def site_key(name: str | None) -> str | None:
    """One key for a site's domain and its printed name, so that "The Example" and "example.com" fall together."""
    if not name:
        return None
    parts = name.lower().split(".")
    if len(parts) > 1 and " " not in name:
        parts = parts[:-1]
        name = parts[-2] if len(parts) > 1 and parts[-1] in _SECOND_LEVEL else parts[-1]
    plain = unicodedata.normalize("NFKD", name.lower())
    key = re.sub(r"[^0-9a-z]+", "", re.sub(r"^the[ -]?", "", plain))
    return re.sub(r"(?<=...)news$", "", key) or name.lower()


def _article(record: Record, beside: Path) -> Rows:
    path, labels = beside / f"{record['id']}.txt", record["labels"]
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); put the raw text there") from error
    if unknown := set(labels) - {*LABELS, None}:
        raise UsageError(f"record {record['id']!r}: unknown labels {sorted(unknown)}; give some of {', '.join(LABELS)}")
    if "encoding" in record:
        lines = raw.decode(record["encoding"]).replace("\r\n", "\n").replace("\r", "\n").split("\n")[: len(labels)]
    else:
        lines = decode_documents(pl.Series([raw])).lines["decoded"].to_list()
    if len(lines) != len(labels):
        raise UsageError(f"{path}: has {len(lines)} lines and {len(labels)} labels; give one label per line")
    return lines, [bits([label]) if label else 0 for label in labels]


def _page(record: Record, _: Path) -> Rows:
    right = [_KEEP if kept else _DROP for kept in record["keep"]]
    for number in record.get("title_lines", ()):
        right[number] = bits(["headline"])
    return record["lines"], right


def _fields(record: Record, _: Path) -> Rows:
    lines = record["text"].split("\n")
    gold = record["gold"]
    headline = gold.get("headline", "").strip()
    names = [name.casefold() for name in gold.get("authors", ())]
    right = []
    for line in lines:
        plain = line.strip()
        if not plain:
            right.append(_BLANK)
        elif plain == headline:
            right.append(bits(["headline"]))
        elif len(plain) < 80 and any(name in plain.casefold() for name in names):
            right.append(bits(["byline"]))
        elif len(plain) < 60 and _states(gold.get("published"), plain):
            right.append(bits(["date_line"]))
        else:
            right.append(_NOT_HEADLINE if headline and headline not in plain else 0)
    return lines, right


def _states(day: str | None, line: str) -> bool:
    """Whether a short line holds year and day of the month, and little else."""
    if not day:
        return False
    numbers = {int(number) for number in re.findall(r"[0-9]+", line)}
    return {int(day[:4]), int(day[8:10])} <= numbers and len(line.split()) <= 10


def _kind(record: Record, path: Path) -> tuple[str, Callable[[Record, Path], Rows]]:
    if "labels" in record and "id" in record:
        return "articles", _article
    if "keep" in record and "lines" in record:
        return "linebench", _page
    if "text" in record and "gold" in record:
        return "metadata", _fields
    raise UsageError(f"{path}: no gold format that is known (keys {sorted(record)}); see docs/model-card.md")


def _records(path: Path) -> Iterator[Record]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot be read as JSON lines ({said}); see docs/model-card.md") from error


def _folder(path: Path) -> Path:
    """The folder of raw texts: named like the file, else (seeds.gold.jsonl) `../seeds`."""
    beside = path.parent / path.name.split(".")[0]
    return beside if beside.is_dir() else path.parent.parent / path.name.split(".")[0]


def read_gold(paths: Sequence[Path]) -> pl.DataFrame:
    """All lines of the gold files: kind, id, variant, site, group (language or source), doc, line, text, right.

    Raises UsageError where a file cannot be read or is in no known form, or labels do not fit their text.
    """
    parts = []
    number = 0
    for path in paths:
        for record in _records(path):
            kind, read = _kind(record, path)
            texts, right = read(record, _folder(path))
            site = site_key(record.get("domain") or (record.get("fields") or {}).get("outlet")) or record["id"]
            head = {
                "kind": kind,
                "id": record["id"],
                "variant": record.get("variant", ""),
                "site": site,
                "group": record.get("source_benchmark", ""),
                "doc": number,
            }
            columns = {"line": list(range(1, len(texts) + 1)), "text": texts, "right": right}
            parts.append(pl.DataFrame({**columns, **head}, schema_overrides=_SCHEMA).select(_SCHEMA.names()))
            number += 1
    return pl.concat(parts).cast(_SCHEMA) if parts else pl.DataFrame(schema=_SCHEMA)
