"""What a file's name says it holds: `wire/2019.jsonl.zst` is zstd around JSON lines.

kind_of      the kind of a file, None where its format is not read
Kinds        the kinds of many files, each end of a name looked at once
Kind         its format, the compression around it, and whether many documents are in it
is_archive   whether members with names of their own are in it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["COMPRESSIONS", "READ", "SHORT", "SUFFIXES", "Kind", "Kinds", "is_archive", "kind_of", "suffix_of"]

SUFFIXES: Final = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".warc": "warc",
    ".zip": "zip",
    ".tar": "tar",
}
COMPRESSIONS: Final = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zstd": "zst"}
SHORT: Final = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".tbz": ".tar.bz2", ".txz": ".tar.xz", ".tzst": ".tar.zst"}
PACKED: Final = frozenset(end[1:] for end in (*COMPRESSIONS, *SHORT))
"""Ends of names before which another one stands, or that stand for two."""

ARCHIVES: Final = frozenset({"zip", "tar"})
ALONE: Final = frozenset({"text", "html"})
"""Formats of one document a file."""

READ: Final = (
    f"; give it as .txt, or as another that is: {' '.join(list(SUFFIXES)[1:])}, all of them also packed "
    "with gz, bz2, xz or zst"
)
"""What to do with a file of another format."""


@dataclass(frozen=True)
class Kind:
    """A file's format and the compression around it; `many` where it holds many documents."""

    format: str
    compression: str | None = None
    many: bool = False


def kind_of(name: str, *, separated: bool = False) -> Kind | None:
    """The kind of a file by its name; with `separated`, a text holds many stories."""
    lowered = name.lower()
    if lowered.endswith(tuple(SHORT)):
        for short, long in SHORT.items():
            if lowered.endswith(short):
                lowered = lowered.removesuffix(short) + long
    suffix = suffix_of(lowered)
    compression = COMPRESSIONS.get(suffix)
    if compression:
        suffix = suffix_of(lowered.removesuffix(suffix))
    found = SUFFIXES.get(suffix)
    if found is None:
        return None
    return Kind(found, compression, many=found not in ALONE or (separated and found == "text"))


class Kinds:
    """Kinds of files by their names: those of a corpus end alike, so that each end is looked at once."""

    def __init__(self, *, separated: bool) -> None:
        self.separated = separated
        self.known: dict[str, Kind | None] = {}

    def of(self, name: str) -> Kind | None:
        """The kind of a file."""
        _, dot, end = name.rpartition(".")
        if not dot or end.lower() in PACKED or "/" in end:
            return kind_of(name, separated=self.separated)
        if end not in self.known:
            self.known[end] = kind_of(name, separated=self.separated)
        return self.known[end]


def suffix_of(name: str) -> str:
    """The last suffix of a name, with its dot; empty where there is none."""
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem and "/" not in suffix else ""


def is_archive(kind: Kind) -> bool:
    """Whether it holds members with names of their own."""
    return kind.format in ARCHIVES
