"""Restore: the raw files back from the ledger, byte for byte.

    restore    write the raw files of a release into a folder
    Restored   how many files and bytes

The hash of every file is checked before it is written. No file is written outside the folder, whatever the release
says: a uri that is absolute, that climbs, or that leads through a link is refused. A file that is there with other
bytes is not overwritten.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from copydesk.errors import ReleaseError, VerifyError
from copydesk.release.folder import sha256_of
from copydesk.release.manifest import Manifest, choose, read_manifest
from copydesk.release.reading import Piece, raw_of, read_pieces
from copydesk.release.variants import holds_raw, recipe_of
from copydesk.uris import path_of

__all__ = ["Restored", "restore"]

COLUMNS: Final = ("id", "uri", "source", "raw_sha256")


@dataclass(frozen=True)
class Restored:
    """What a restore did: files written, files that were there already with the same bytes, bytes of both."""

    version: str
    written: int
    present: int
    bytes: int

    def __str__(self) -> str:
        there = f", {self.present:,} were there already" if self.present else ""
        return f"release {self.version}: {self.written:,} files written{there}, {self.bytes:,} bytes in all"


def restore(dataset: Path, version: str | None, into: Path) -> Restored:
    """Write the raw files of a release (None: the newest) into `into`, each at its uri.

    With more than one source, each has a folder of its own in `into`. Raises VerifyError where the release is damaged,
    ReleaseError where `into` cannot be written, holds other bytes under a name, or a uri would lead out of it.
    """
    reference = choose(dataset, version)
    manifest = read_manifest(dataset, reference)
    _check_raw(dataset, manifest)
    several = len(manifest.body["counts"]["by_source"]) > 1
    target = _Target(into)
    for piece in read_pieces(dataset, manifest, COLUMNS, ("id", "raw")):
        for uri, source, data in _files(piece):
            target.write(uri, data, source if several else None)
    return Restored(reference.version, target.written, target.present, target.bytes)


def _check_raw(dataset: Path, manifest: Manifest) -> None:
    """Raise ReleaseError where the release was published without the raw bytes."""
    if holds_raw(manifest.body):
        return
    recipe = recipe_of(manifest.body)
    remedy = "ask its publisher for a copy with the ledger"
    if not recipe.text:
        remedy = "with copies of the raw files, copydesk restore --from COPIES makes the texts again"
    elif recipe.masks:
        remedy = f"what was masked ({', '.join(recipe.masks)}) is not to be restored"
    raise ReleaseError(
        f"{dataset}: release {manifest.version} was published {recipe}, so its raw bytes are not here; {remedy}"
    )


def _files(piece: Piece) -> list[tuple[str, str, bytes]]:
    """(uri, source, raw bytes) of a piece's documents, after checking the hashes."""
    raw = dict(raw_of(piece.ledger))
    found = []
    for name, uri, source, sha256 in piece.articles.select(COLUMNS).iter_rows():
        data = raw.get(name, b"")
        if sha256_of(data) != sha256:
            raise VerifyError(
                f"{uri}: its ledger rows have SHA-256 {sha256_of(data)}, the article says {sha256}; run copydesk verify"
            )
        found.append((uri, source, data))
    return found


class _Target:
    """The folder that is restored into."""

    def __init__(self, into: Path) -> None:
        self.into = into
        self.written = self.present = self.bytes = 0
        try:
            into.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReleaseError(f"{into}: cannot be made ({error.strerror}); choose another --into") from error
        self.root = into.resolve()
        self.made = {self.root}

    def write(self, uri: str, data: bytes, folder: str | None = None) -> None:
        """Write one file, in that folder of its own if one is given, unless it is there."""
        path = self._place(uri, folder)
        try:
            self._make(path.parent)
            if path.is_symlink() or path.exists():
                self._compare(path, data)
                self.present += 1
            else:
                with path.open("xb") as stream:
                    stream.write(data)
                self.written += 1
        except OSError as error:
            raise ReleaseError(f"{path}: cannot be written ({error.strerror}); choose another --into") from error
        self.bytes += len(data)

    def _place(self, uri: str, folder: str | None) -> Path:
        name = os.fsdecode(path_of(uri))
        parts = name.split("/") if folder is None else [*folder.split("/"), *name.split("/")]
        if "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise ReleaseError(f"the uri {uri!r} does not stay in {self.into}; the release is not to be trusted")
        return self.root.joinpath(*parts)

    def _make(self, folder: Path) -> None:
        """Make a folder below the root, step by step, so that no link is followed."""
        if folder in self.made:
            return
        self._make(folder.parent)
        if folder.is_symlink():
            raise ReleaseError(f"{folder}: is a link and may lead out of {self.into}; remove it")
        folder.mkdir(exist_ok=True)
        self.made.add(folder)

    @staticmethod
    def _compare(path: Path, data: bytes) -> None:
        if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
            raise ReleaseError(f"{path}: is there with other bytes and is not overwritten; choose an empty --into")
