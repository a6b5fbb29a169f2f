"""The folder of a dataset: where things stand in it, and how a file gets there whole or not at all.

    Folder        a dataset's folder, opened for writing: checked, locked, written to by rename only
    read_bytes    a file of a release, or ReleaseError

Nothing is written outside the folder: a subfolder that is a link, or a file where a folder should be, is refused.
Every file is first written to `.work/` beside its final place, then renamed, so that a crash leaves either the old
state or the new one, and perhaps a stray file in `.work/`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import BaseFileLock, FileLock, Timeout

from copydesk.errors import ReleaseError

__all__ = [
    "CARD",
    "CHANGELOG",
    "CROISSANT",
    "DATA",
    "KNOWLEDGE",
    "QUARANTINE",
    "RELEASES",
    "WORK",
    "Folder",
    "explained",
    "read_bytes",
    "sha256_of",
]

CARD: Final = "README.md"
CHANGELOG: Final = "CHANGELOG.md"
CROISSANT: Final = "croissant.json"
DATA: Final = "data"
RELEASES: Final = "releases"
KNOWLEDGE: Final = "knowledge"
QUARANTINE: Final = "quarantine"
WORK: Final = ".work"
STAGE: Final = ".work/stage"
OWNER: Final = ".work/owner"

LOCK_SECONDS: Final = 5.0
"""How long to wait for another writer before saying so: enough for one that is just ending."""


def sha256_of(data: bytes | memoryview) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of a release; raises ReleaseError that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror}); restore the file, or build anew") from error


class Folder:
    """A dataset's folder that may be written to. Raises ReleaseError where it may not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @contextmanager
    def opened(self) -> Iterator[Folder]:
        """Make and check the folder and hold its lock: one process writes at a time, whose threads may nest."""
        self._make(self.path)
        self._make(self / WORK)
        path = (self / WORK / "lock").resolve()
        with explained(path):
            lock = FileLock(path, is_singleton=True, thread_local=False)
            held = self._acquired(lock)
        try:
            yield self
        finally:
            held.release()

    def _acquired(self, lock: BaseFileLock) -> BaseFileLock:
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            raise ReleaseError(
                f"{self.path}: another copydesk is writing here ({self._owner()}); "
                "wait until it is done, then run this again"
            ) from error
        with explained(self / OWNER):
            (self / OWNER).write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        return lock

    def _owner(self) -> str:
        """Who holds the lock. The lock itself is the system's and ends with its process: it cannot go stale."""
        try:
            return (self / OWNER).read_text(encoding="utf-8")
        except OSError:
            return "unknown"

    def subfolder(self, name: str) -> Path:
        """A folder directly below, made if it is not there."""
        self._make(self / name)
        return self / name

    def stage(self, name: str, data: bytes) -> dict[str, Path]:
        """Hold a content-addressed file ready, to be published; nothing where the folder has it already."""
        if self.has(name, len(data)):
            return {}
        path = self.stage_folder() / name.replace("/", "-")
        with explained(path):
            self.write(path, data)
        return {name: path}

    def stage_folder(self) -> Path:
        """Where files wait to be published."""
        return self.subfolder(STAGE)

    def has(self, name: str, size: int) -> bool:
        """Whether a content-addressed file is in its place; it is never overwritten.

        Raises ReleaseError where another file of that name is there: content-addressed, so it must be damaged.
        """
        path = self._inside(name)
        self._make(path.parent)
        with explained(path):
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise ReleaseError(f"{path}: is in the way and no plain file; move it away, then run this again")
            if not path.exists():
                return False
            if path.stat().st_size != size:
                raise ReleaseError(
                    f"{path}: has {path.stat().st_size} bytes and should have {size}; "
                    "it is damaged: delete it, then run this again"
                )
        return True

    def check(self, name: str, size: int) -> None:
        """See that a file that stays is there and has its size; raises ReleaseError where not."""
        path = self / name
        try:
            found = path.stat().st_size
        except OSError as error:
            raise ReleaseError(f"{path}: the last release's file is missing ({error.strerror}); restore it") from error
        if found != size:
            raise ReleaseError(f"{path}: has {found} bytes and should have {size}; it is damaged: restore it")

    def publish(self, staged: Mapping[str, Path]) -> None:
        """Move staged files to their places; those that were moved by an attempt that broke off are there."""
        for name, path in staged.items():
            with explained(self / name):
                if path.exists() or not (self / name).is_file():
                    path.replace(self / name)

    def unstage(self) -> None:
        """Throw away what is staged: an ingest that changed nothing, or one that broke off."""
        shutil.rmtree(self / STAGE, ignore_errors=True)

    def replace(self, name: str, data: bytes) -> None:
        """Write a file by renaming; readers see the old one or the new one, whole."""
        path, draft = self._inside(name), self / WORK / name.replace("/", "-")
        self._make(path.parent)
        with explained(path):
            if path.is_symlink():
                raise ReleaseError(f"{path}: is a link; a release is written inside its folder only: remove the link")
            self.write(draft, data)
            draft.replace(path)

    def _inside(self, name: str) -> Path:
        """The place of a file that may be named by somebody else: on a store, in a manifest, in a patch."""
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in name.split("/")):
            raise ReleaseError(f"{self.path}: the name {name!r} does not stay in this folder; it is not to be trusted")
        return self / name

    @staticmethod
    def write(path: Path, data: bytes | memoryview) -> None:
        """Write a file down to the disk."""
        with path.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    def _make(self, path: Path) -> None:
        with explained(path):
            if path.is_symlink() and path != self.path:
                raise ReleaseError(f"{path}: is a link; a release is written inside its folder only: remove the link")
            if path.exists() and not path.is_dir():
                raise ReleaseError(f"{path}: is a file where a folder is needed; move it away or choose another --into")
            path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise ReleaseError(f"{path}: is not writable; give yourself the right to write, or choose another --into")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says of a path into a ReleaseError with the remedy."""
    try:
        yield
    except OSError as error:
        remedy = {
            errno.ENOSPC: "free some space",
            errno.EDQUOT: "free some space",
            errno.EROFS: "the disk is read-only: choose another --into",
            errno.EACCES: "give yourself the right to write, or choose another --into",
            errno.EPERM: "give yourself the right to write, or choose another --into",
            errno.ENOTDIR: "a file is in the way: move it, or choose another --into",
            errno.EISDIR: "a folder is in the way: move it away",
        }.get(error.errno or 0, "see that the path can be written")
        raise ReleaseError(f"{path}: cannot be written ({error.strerror}); {remedy}, then run this again") from error
