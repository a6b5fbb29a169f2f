"""A folder on a store, over fsspec.

    Store   one dataset's folder there
    Seen    a file as it was read, with the store's tag of it

A file that is put is there whole or not at all: stores replace an object with one request; elsewhere (SFTP and the
like) it is written beside its place and moved. README.md is replaced only if it is the one last seen: S3 is asked to
check that itself, other stores are looked at right before.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from copydesk.errors import ReleaseError, UsageError
from copydesk.release.remote.tries import tried

__all__ = ["OvertakenError", "Seen", "Store"]

AT_ONCE: Final = 8
"""Requests under way together: files are small, and most of the time is waiting."""

S3: Final = frozenset({"s3", "s3a"})
WHOLE: Final = S3 | {"gs", "gcs", "abfs", "abfss", "az", "adl", "memory", "oci", "oss"}
"""Protocols of stores that replace an object with one request."""

READ_ONLY: Final = {
    "hf": "copydesk publish",
    "http": "a store that can be written",
    "https": "a store that can be written",
}

Value = TypeVar("Value")


class OvertakenError(ReleaseError):
    """A file that was to be replaced is not the one last seen."""


@dataclass(frozen=True)
class Seen:
    """A file's bytes, and the store's tag of them, where it has one."""

    data: bytes
    tag: str | None


class Store:
    """A dataset's folder on a store. Raises UsageError where the URL's protocol cannot be spoken here."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url.rstrip("/")
        self.protocol = self.url.split("://", 1)[0].lower()
        try:
            self.files, self.root = fsspec.url_to_fs(self.url, **_options(self.protocol))
        except ImportError as error:
            extra = "pip install 'copydesk[s3]'" if self.protocol in S3 else "install the package it names"
            raise UsageError(f"{self.url}: {error}; {extra}") from error
        except ValueError as error:
            raise UsageError(f"{self.url}: {error}; give a URL such as s3://bucket/prefix") from error

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _tried(self, name: str, call: Callable[[], Value]) -> Value:
        return tried(f"{self.url}/{name}", call)

    def check_writable(self) -> None:
        """Raise UsageError where nothing can be written by this protocol."""
        if self.protocol in READ_ONLY:
            raise UsageError(f"{self.url}: cannot be written this way; use {READ_ONLY[self.protocol]}")

    def sizes(self) -> dict[str, int]:
        """Every file below, by name."""
        try:
            found = self._tried("", lambda: self.files.find(self.root, detail=True))
        except FileNotFoundError:
            return {}
        start = len(self.root.rstrip("/")) + 1
        return {path[start:]: int(facts["size"] or 0) for path, facts in found.items()}

    def read(self, name: str) -> Seen | None:
        """A file; None where there is none. The tag is asked for first: if it is late, replacing is refused."""
        path = self._path(name)
        try:
            facts: Mapping[str, Any] = self._tried(name, lambda: self.files.info(path))
            data: bytes = self._tried(name, lambda: self.files.cat_file(path))
        except FileNotFoundError:
            return None
        return Seen(data, facts.get("ETag"))

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""
        try:
            self._tried(name, lambda: self._write(name, data))
        except FileNotFoundError as error:
            raise ReleaseError(f"{self.url}/{name}: cannot be written ({error}); make the bucket first") from error
        except OSError as error:
            raise ReleaseError(f"{self.url}/{name}: the store refuses it ({error})") from error

    def _write(self, name: str, data: bytes, **conditions: Any) -> None:
        path = self._path(name)
        if self.protocol in WHOLE:
            self.files.pipe_file(path, data, **conditions)
            return
        self.files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self.files.pipe_file(f"{path}.part", data)
        self.files.mv(f"{path}.part", path)

    def replace(self, name: str, data: bytes, seen: Seen | None) -> None:
        """Write a file that must be as it was `seen` (None: not there). Raises OvertakenError where it is not."""
        if self.protocol in S3 and self._replaced_by_condition(name, data, seen):
            return
        self._check(name, seen)
        self.put(name, data)

    def _replaced_by_condition(self, name: str, data: bytes, seen: Seen | None) -> bool:
        """Whether the store replaced the file; False where it does not know conditions."""
        condition = {"IfMatch": seen.tag} if seen else {"IfNoneMatch": "*"}
        try:
            self._tried(name, lambda: self._write(name, data, **condition))
        except (FileExistsError, FileNotFoundError, OSError) as error:
            if getattr(error, "errno", None) == errno.ENOSYS:
                return False
            # An answer may have been lost, and the request been made again: then the file is ours already.
            found = self.read(name)
            if found is None or found.data != data:
                self._check(name, seen)
                raise ReleaseError(f"{self.url}/{name}: the store refuses it ({error})") from error
        return True

    def _check(self, name: str, seen: Seen | None) -> None:
        found = self.read(name)
        if (found.data if found else None) != (seen.data if seen else None):
            raise OvertakenError(f"{self.url}/{name}: was replaced by another writer meanwhile")

    def put_all(self, files: Mapping[str, Callable[[], bytes]]) -> None:
        """Write files, several at once; each is read only when its turn comes."""
        self._all(lambda name: self.put(name, files[name]()), files)

    def fetch_all(self, names: Iterable[str], keep: Callable[[str, bytes], None]) -> None:
        """Read files, several at once; raises ReleaseError where one is not there."""

        def fetch(name: str) -> None:
            found = self.read(name)
            if found is None:
                raise ReleaseError(f"{self.url}/{name}: is missing; restore it, or build the dataset anew")
            keep(name, found.data)

        self._all(fetch, names)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is not there is as good."""

        def delete(name: str) -> None:
            try:
                self._tried(name, lambda: self.files.rm_file(self._path(name)))
            except FileNotFoundError:
                return

        self._all(delete, names)

    @staticmethod
    def _all(call: Callable[[str], None], names: Iterable[str]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(call, name) for name in names]:
                done.result()


def _options(protocol: str) -> dict[str, Any]:
    """What file systems are asked for: no lists from memory, and on S3 no retries but ours, which can be seen."""
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if protocol in S3:
        options["config_kwargs"] = {"retries": {"total_max_attempts": 1}}
    return {} if protocol == "memory" else options
