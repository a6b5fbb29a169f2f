"""The manifest: the JSON file that says what a release consists of; and the card's list of manifests.

    Manifest       one manifest, read or to be written: its bytes are the same for the same contents
    Reference      what the card says of a release: version, file and SHA-256 of its manifest
    read_card      the releases that a folder's card names, oldest first; parse_card those of a card's bytes
    read_manifest  one manifest, checked against the card's hash; parse_manifest the same of its bytes

A manifest that the card does not name is no release: its ingest ended before the commit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from copydesk.errors import ReleaseError, VerifyError
from copydesk.release.folder import CARD, DATA, KNOWLEDGE, QUARANTINE, RELEASES, read_bytes, sha256_of
from copydesk.release.shards import Shard, read_told

__all__ = [
    "FORMAT",
    "Manifest",
    "Reference",
    "card_head",
    "choose",
    "parse_card",
    "parse_manifest",
    "read_card",
    "read_manifest",
]

FORMAT: Final = 1
"""Of manifests; a reader refuses a newer one."""

VERSION: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")

INSIDE: Final = re.compile(rf"({DATA}|{KNOWLEDGE}|{QUARANTINE})(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
"""Names of the files that a manifest may name: whoever wrote it, they stay in the dataset's folder."""


@dataclass(frozen=True)
class Reference:
    """A release as the card names it."""

    version: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """One manifest. `body` is its JSON; docs/release-format.md lists the keys."""

    body: dict[str, Any]

    @cached_property
    def data(self) -> bytes:
        """The file's bytes: sorted keys, a line each, without blanks, UTF-8. There may be hundreds of manifests."""
        lines = (f"{json.dumps(key)}:{_plain(self.body[key])}" for key in sorted(self.body))
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    def as_written(self) -> Manifest:
        """The manifest as a reader of its file has it: what is made of it then does not depend on who makes it."""
        return Manifest(json.loads(self.data))

    @property
    def version(self) -> str:
        """Such as 1.2.0."""
        return str(self.body["version"])

    @property
    def file(self) -> str:
        """Where it stands below the dataset's folder."""
        return f"{RELEASES}/{self.version}.json"

    @property
    def reference(self) -> Reference:
        """How the card is to name it."""
        return Reference(self.version, self.file, sha256_of(self.data))

    def splits(self, table: str) -> dict[str, list[Shard]]:
        """The shards of `article` or `ledger`, by split, in order; none of a table that was not published."""
        found = self.body["tables"].get(table, {"splits": []})["splits"]
        return {split["name"]: read_told(split["shards"]) for split in found}

    @property
    def files(self) -> dict[str, str]:
        """Every file of the release but the manifest itself, with its SHA-256."""
        found = {shard.file: shard.sha256 for table in self.body["tables"] for shard in self.shards(table)}
        found |= self.body["knowledge"]["files"]
        if self.body["quarantine"]["file"]:
            found[self.body["quarantine"]["file"]] = self.body["quarantine"]["sha256"]
        return found

    def check_names(self, path: Path) -> None:
        """Raise ReleaseError where the version or a file's name leads out of the folder; `path` is for the message."""
        try:
            names = [*self.files]
            if corrections := self.body["knowledge"].get("corrections"):
                names.append(corrections["file"])
            outside = [name for name in names if not INSIDE.fullmatch(name)]
        except (AttributeError, KeyError, TypeError) as error:
            raise ReleaseError(f"{path}: is no manifest of copydesk ({error!r}); restore the file") from error
        if outside or not VERSION.fullmatch(self.version):
            told = f"the file {outside[0]!r}" if outside else f"the version {self.version!r}"
            raise ReleaseError(f"{path}: names {told}, which no copydesk writes; it is not to be trusted")

    def shards(self, table: str) -> list[Shard]:
        """The shards of `article` or `ledger`, in order."""
        return [shard for shards in self.splits(table).values() for shard in shards]


def _plain(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def card_head(text: str, path: Path) -> dict[str, Any]:
    """The YAML at the head of a card; raises ReleaseError where there is none."""
    parts = text.split("\n---\n", 1)
    if not text.startswith("---\n") or len(parts) != 2:
        raise ReleaseError(f"{path}: has no YAML head, so it is no card of copydesk; choose another --into or --name")
    try:
        head = yaml.load(parts[0][4:], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both safe
    except yaml.YAMLError as error:
        raise ReleaseError(f"{path}: its YAML head cannot be read ({error}); restore the file") from error
    if not isinstance(head, dict):
        raise ReleaseError(f"{path}: its YAML head is {head!r:.60}, not a mapping; restore the file")
    return head


def read_card(folder: Path) -> list[Reference]:
    """The releases of a dataset, oldest first; none where there is no card yet.

    Raises ReleaseError where the card is not one of copydesk: what is there is not overwritten.
    """
    path = folder / CARD
    if not path.exists() and not path.is_symlink():
        return []
    return parse_card(read_bytes(path), path)


def parse_card(data: bytes, path: Path) -> list[Reference]:
    """The same from a card's bytes; `path` is what messages call it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{path}: is not UTF-8 (byte {error.start}); restore the file") from error
    entries = card_head(text, path).get("releases")
    try:
        found = [Reference(str(one["version"]), str(one["manifest"]), str(one["sha256"])) for one in entries or []]
    except (TypeError, KeyError) as error:
        raise ReleaseError(f"{path}: its list `releases` is damaged ({error!r}); restore the file") from error
    for one in found:
        if one.file != f"{RELEASES}/{one.version}.json" or not VERSION.fullmatch(one.version):
            raise ReleaseError(f"{path}: names {one.file} as the manifest of {one.version}; restore the file")
    if not found:
        raise ReleaseError(f"{path}: names no release, so it is no card of copydesk; choose another --into or --name")
    return found


def choose(folder: Path, version: str | None) -> Reference:
    """The newest release, or the one of a version; raises ReleaseError that names those there are."""
    found = read_card(folder)
    if not found:
        raise ReleaseError(f"{folder}: there is no release here (no {CARD}); run copydesk ingest, or check the path")
    if version is None:
        return found[-1]
    for one in found:
        if one.version == version:
            return one
    raise ReleaseError(f"{folder}: has no release {version}; there are {', '.join(one.version for one in found)}")


def read_manifest(folder: Path, reference: Reference) -> Manifest:
    """A manifest, after checking that it is the one that the card names; raises VerifyError where it is not."""
    path = folder / reference.file
    return parse_manifest(read_bytes(path), reference, path)


def parse_manifest(data: bytes, reference: Reference, path: Path) -> Manifest:
    """The same from a manifest's bytes; `path` is what messages call it."""
    if sha256_of(data) != reference.sha256:
        raise VerifyError(f"{path}: has SHA-256 {sha256_of(data)}, the card says {reference.sha256}; restore the file")
    manifest = Manifest(json.loads(data))
    if (found := manifest.body.get("format")) != FORMAT:
        raise ReleaseError(f"{path}: has format {found}, this copydesk reads {FORMAT}; use a newer copydesk")
    manifest.check_names(path)
    if manifest.version != reference.version:
        raise ReleaseError(f"{path}: says that it is {manifest.version}, the card says {reference.version}; restore it")
    return manifest
