"""A store's releases into a folder, and a folder's to the store.

    fetch    what a command needs of a store's releases, into an empty folder
    mirror   all that is on the store, as it is
    update   a working copy brought to what the store has, unless it is ahead of it
    push     a working copy's releases to the store: README.md last, as one request

A working copy remembers which README.md of the store it is based on. If that is still the one there, what the copy has
more is a run whose push broke off: it is pushed now. If it is another, someone else released, and the copy follows.

A manifest's name is its version, so two writers may both put `releases/1.1.0.json` before one of them wins. Therefore
each puts it under its hash as well, below `releases/pending`, and who has replaced README.md puts it in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from copydesk.errors import ReleaseError, VerifyError
from copydesk.release.folder import CARD, RELEASES, WORK, Folder, read_bytes, sha256_of
from copydesk.release.manifest import Manifest, Reference, parse_card, read_card, read_manifest
from copydesk.release.plots import PLOTS
from copydesk.release.remote.store import OvertakenError, Seen, Store

__all__ = ["Pushed", "fetch", "mirror", "push", "update"]

STATE: Final = f"{WORK}/store.json"
PENDING: Final = f"{RELEASES}/pending"
NAMED: Final = ("data", "knowledge", "quarantine")
"""Folders of files that manifests name, with their hashes."""

Need = Callable[[Sequence[Manifest]], Iterable[str]]
"""Of the manifests of all releases, oldest first, the files that are needed."""


@dataclass(frozen=True)
class Pushed:
    """What a push did: versions new on the store, files and bytes sent."""

    versions: tuple[str, ...]
    files: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.files:,} files and {self.bytes:,} bytes sent" if self.files else "nothing to send"


def fetch(store: Store, folder: Path, need: Need) -> None:
    """Fill an empty folder with README.md, all manifests and the files needed. Raises ReleaseError, VerifyError."""
    seen = store.read(CARD)
    if seen is None:
        raise ReleaseError(f"{store.url}: there is no release here (no {CARD}); check the URL")
    copy = Folder(folder)
    with copy.opened():
        manifests = _take_manifests(store, copy, seen)
        _take_files(store, copy, manifests, need(manifests))
        copy.replace(CARD, seen.data)


def mirror(store: Store, folder: Path) -> None:
    """Every file of a dataset on a store as it is, right or wrong, into a folder: for `verify` to judge."""
    names = [name for name in store.sizes() if not name.startswith((f"{PENDING}/", f"{WORK}/"))]
    if CARD not in names:
        raise ReleaseError(f"{store.url}: there is no release here (no {CARD}); check the URL")
    copy = Folder(folder)
    with copy.opened():
        store.fetch_all(names, copy.replace)


def _take_manifests(store: Store, copy: Folder, seen: Seen) -> list[Manifest]:
    references = parse_card(seen.data, Path(store.url) / CARD)
    found: dict[str, Manifest] = {}

    def take(version: str) -> None:
        reference = next(one for one in references if one.version == version)
        found[version] = _manifest(store, copy, reference)

    store._all(take, [one.version for one in references])  # noqa: SLF001 -- many small files, several at once
    return [found[one.version] for one in references]


def _manifest(store: Store, copy: Folder, reference: Reference) -> Manifest:
    """One manifest, from its place or, where its writer was stopped in between, from the pending ones."""
    path = copy / reference.file
    if not path.is_file() or sha256_of(path.read_bytes()) != reference.sha256:
        data = None
        for name in (reference.file, f"{PENDING}/{reference.sha256}.json"):
            seen = store.read(name)
            if seen is not None and sha256_of(seen.data) == reference.sha256:
                data = seen.data
                break
        if data is None:
            raise VerifyError(f"{store.url}/{reference.file}: is missing or not the one that README.md names")
        copy.replace(reference.file, data)
    return read_manifest(copy.path, reference)


def _take_files(store: Store, copy: Folder, manifests: Sequence[Manifest], names: Iterable[str]) -> None:
    """Fetch the files that are not there yet, each checked against its hash before it has its name."""
    hashes = {name: sha256 for one in manifests for name, sha256 in one.files.items()}

    def keep(name: str, data: bytes) -> None:
        if name in hashes and sha256_of(data) != hashes[name]:
            raise VerifyError(f"{store.url}/{name}: is not what its manifest says; restore the file")
        copy.replace(name, data)

    store.fetch_all([name for name in dict.fromkeys(names) if not (copy / name).is_file()], keep)


@dataclass
class _State:
    """What a working copy remembers: the hash of the store's README.md that it is based on, and files to delete."""

    base: str | None = None
    delete: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, copy: Folder) -> _State | None:
        try:
            return cls(**json.loads((copy / STATE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, copy: Folder) -> None:
        copy.replace(STATE, json.dumps(vars(self)).encode())


def newest_files(manifests: Sequence[Manifest]) -> Iterable[str]:
    """What an ingest needs: all of the newest release."""
    return manifests[-1].files


def update(store: Store, copy: Folder, need: Need = newest_files) -> Seen | None:
    """Bring a working copy, locked by the caller, to the store's releases; the store's README.md as it was seen.

    A copy that is ahead of just that README.md stays: its last push broke off.
    """
    seen = store.read(CARD)
    there = sha256_of(seen.data) if seen else None
    state = _State.read(copy)
    if (copy / CARD).is_file() and state is not None and state.base == there:
        manifests = [read_manifest(copy.path, one) for one in read_card(copy.path)]
    elif seen is None:
        (copy / CARD).unlink(missing_ok=True)
        _State().write(copy)
        return None
    else:
        manifests = _take_manifests(store, copy, seen)
    _take_files(store, copy, manifests, need(manifests))
    if seen is not None and (state is None or state.base != there):
        copy.replace(CARD, seen.data)
        _State(there, state.delete if state else []).write(copy)
    return seen


def push(store: Store, copy: Folder, seen: Seen | None, gone: Iterable[str] = ()) -> Pushed:
    """Bring the store to a working copy's releases; `seen` is its README.md that the copy is based on.

    `gone` are files that no release names any longer, to be deleted. Raises OvertakenError where another writer was
    faster: then nothing of the copy's is a release there.
    """
    references = read_card(copy.path)
    if not references:
        return Pushed((), 0, 0)
    return _Push(store, copy, references, seen).run(gone)


class _Push:
    """One push."""

    def __init__(self, store: Store, copy: Folder, references: Sequence[Reference], seen: Seen | None) -> None:
        self.store, self.copy, self.seen = store, copy, seen
        self.card = read_bytes(copy / CARD)
        self.manifests = [read_manifest(copy.path, one) for one in references]
        old = parse_card(seen.data, Path(store.url) / CARD) if seen else []
        known = {one.version: one.sha256 for one in old}
        self.changed = [one for one in self.manifests if known.get(one.version) != one.reference.sha256]
        self.sizes = store.sizes()
        self.files = self.bytes = 0

    def run(self, gone: Iterable[str]) -> Pushed:
        state = _State.read(self.copy) or _State()
        state = _State(state.base, sorted({*state.delete, *gone}))
        state.write(self.copy)
        self._put(self._missing())
        pending = {f"{PENDING}/{sha256_of(one.data)}.json": one for one in self.changed}
        self._put(pending)
        self._put({one.file: one for one in self.changed if one.file not in self.sizes})
        if self.seen is None or self.seen.data != self.card:
            self._commit(pending)
        state = _State(sha256_of(self.card), state.delete)
        state.write(self.copy)
        self._put(self._after())
        named = {name for one in self.manifests for name in one.files}
        self.store.delete([*(set(state.delete) - named), *self._stale()])
        _State(state.base).write(self.copy)
        return Pushed(tuple(one.version for one in self.changed), self.files, self.bytes)

    def _put(self, files: dict[str, Any]) -> None:
        """Send files: manifests, or paths of the working copy."""

        def data(name: str) -> bytes:
            one = files[name]
            found = one.data if isinstance(one, Manifest) else read_bytes(one)
            self.bytes += len(found)
            return bytes(found)

        self.files += len(files)
        self.store.put_all({name: (lambda name=name: data(name)) for name in files})  # type: ignore[misc]

    def _missing(self) -> dict[str, Path]:
        """The files that manifests name, and the plots that the card shows, which the store has not."""
        wanted = {name for one in self.manifests for name in one.files} | {
            f"{PLOTS}/{path.name}" for path in (self.copy / PLOTS).glob("*.svg")
        }
        lacking = {name: self.copy / name for name in sorted(wanted) if not self._is_there(name)}
        needed = {name for one in self.changed for name in one.files}
        # What an old release lacks on the store and here as well is for `verify` to tell, not for this release to stop.
        return {name: path for name, path in lacking.items() if path.is_file() or name in needed}

    def _is_there(self, name: str) -> bool:
        path = self.copy / name
        return name in self.sizes and (not path.is_file() or path.stat().st_size == self.sizes[name])

    def _commit(self, pending: Iterable[str]) -> None:
        try:
            self.store.replace(CARD, self.card, self.seen)
        except OvertakenError as error:
            self.store.delete(pending)
            raise OvertakenError(
                f"{error}; nothing of this run is in the dataset there: run it again, and it follows what is there now"
            ) from error
        self.files += 1
        self.bytes += len(self.card)

    def _after(self) -> dict[str, Any]:
        """What is written after the card: manifests that had another under their name, and functions of manifests."""
        named = {one.file: one for one in self.manifests}
        manifests: dict[str, Any] = {one.file: one for one in self.changed if one.file in self.sizes}
        manifests |= {name: one for name, one in named.items() if self.sizes.get(name, len(one.data)) != len(one.data)}
        manifests |= {name: one for name, one in named.items() if name not in self.sizes and one not in self.changed}
        new = self.seen is None or self.seen.data != self.card
        return manifests | {
            name: path
            for name, path in _beside(self.copy).items()
            if new or self.sizes.get(name) != path.stat().st_size
        }

    def _stale(self) -> list[str]:
        """Pending manifests and plots that are of no use any longer."""
        shown = {path.name for path in (self.copy / PLOTS).glob("*.svg")}
        mine = {f"{sha256_of(one.data)}.json" for one in self.changed}
        mine |= {one.sha256 + ".json" for one in (parse_card(self.seen.data, Path(CARD)) if self.seen else [])}
        found = [name for name in self.sizes if name.startswith(f"{PLOTS}/") and name.rsplit("/", 1)[1] not in shown]
        found += [name for name in self.sizes if name.startswith(f"{PENDING}/") and name.rsplit("/", 1)[1] in mine]
        return [*found, *(f"{PENDING}/{sha256_of(one.data)}.json" for one in self.changed)]


def _beside(copy: Folder) -> dict[str, Path]:
    """The files of a working copy that are functions of its manifests: not the card, not what manifests name."""
    own = {WORK, RELEASES, PLOTS, *NAMED}
    found = {}
    for top in sorted(copy.path.iterdir()):
        if top.name in own or top.name == CARD:
            continue
        for path in [top] if top.is_file() else sorted(one for one in top.rglob("*") if one.is_file()):
            found[path.relative_to(copy.path).as_posix()] = path
    return found
