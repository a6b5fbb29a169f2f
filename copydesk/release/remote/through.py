"""Commands on a dataset that lies on a store.

    working_copy   the folder that a dataset on a store is worked on in; dataset_folder that of the configured one
    through_store  an ingest that pulls before and pushes after, where its job names a store
    writing        the same for other commands that write
    reading        a local folder of what a reading command needs

Working copies are kept, one to a URL, so that the next run has all it needs. What a reading command fetches goes to a
folder of its own, which nobody else writes, and is gone afterwards: so nothing old is read for new.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from copydesk.config import Config
from copydesk.locations import Location
from copydesk.release.folder import Folder
from copydesk.release.manifest import Manifest
from copydesk.release.remote.copy import Need, fetch, mirror, push, update
from copydesk.release.remote.store import Store

__all__ = [
    "Writing",
    "all_files",
    "articles_of",
    "dataset_folder",
    "knowledge",
    "reading",
    "through_store",
    "working_copy",
    "writing",
]


def working_copy(url: str, below: Path | None = None) -> Path:
    """Where a dataset on a store is worked on: below the configured folder, else the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copydesk"
    name = url.rstrip("/").rsplit("/", 1)[-1]
    return (below or cache / "stores") / f"{name}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:16]}"


def dataset_folder(config: Config, name: str) -> Path:
    """The folder of a dataset as it is configured: where it is kept, or the working copy of one on a store."""
    if isinstance(config.into, Path):
        return config.into / name
    return working_copy(f"{config.into}/{name}", config.work)


class _Job(Protocol):
    @property
    def store(self) -> str | None: ...
    @property
    def destination(self) -> Path: ...
    @property
    def dry_run(self) -> bool: ...


class _Outcome(Protocol):
    def pushed(self, url: str, told: str) -> Any: ...


Job = TypeVar("Job", bound=_Job)
Over = TypeVar("Over")
Outcome = TypeVar("Outcome", bound=_Outcome)


def through_store(ingest: Callable[[Job, Over], Outcome]) -> Callable[[Job, Over], Outcome]:
    """An ingest that works on a working copy and pushes what it released, where the job names a store."""

    @wraps(ingest)
    def carried(job: Job, over: Over) -> Outcome:
        if job.store is None:
            return ingest(job, over)
        store = Store(job.store)
        store.check_writable()
        with Folder(job.destination).opened() as copy:
            seen = update(store, copy)
            outcome = ingest(job, over)
            if job.dry_run:
                return outcome
            found: Outcome = outcome.pushed(store.url, str(push(store, copy, seen)))
            return found

    return carried


@dataclass
class Writing:
    """A folder to write in, and the files that were taken out of it, which are to be deleted on the store as well."""

    folder: Path
    gone: list[str] = field(default_factory=list)


@contextmanager
def writing(dataset: Location, below: Path | None = None) -> Iterator[Writing]:
    """The folder of a dataset; one on a store is pulled with all its releases before, and pushed after."""
    if isinstance(dataset, Path):
        yield Writing(dataset)
        return
    store = Store(dataset)
    store.check_writable()
    with Folder(working_copy(dataset, below)).opened() as copy:
        seen = update(store, copy, all_files)
        work = Writing(copy.path)
        yield work
        push(store, copy, seen, work.gone)


@contextmanager
def reading(dataset: Location | None, need: Need | None) -> Iterator[Any]:
    """The folder of a dataset; of one on a store, what is needed (None: all), in a folder that is gone afterwards."""
    if dataset is None or isinstance(dataset, Path):
        yield dataset
        return
    with TemporaryDirectory(prefix="copydesk-store-") as place:
        folder = Path(place) / dataset.rstrip("/").rsplit("/", 1)[-1]
        if need is None:
            mirror(Store(dataset), folder)
        else:
            fetch(Store(dataset), folder, need)
        yield folder


def all_files(manifests: Sequence[Manifest]) -> list[str]:
    """Every file that manifests name."""
    return list({name: None for one in manifests for name in one.files})


def knowledge(manifests: Sequence[Manifest]) -> list[str]:
    """The newest release's knowledge."""
    return list(manifests[-1].body["knowledge"]["files"])


def articles_of(versions: Sequence[str | None], *tables: str) -> Need:
    """The shards of the tables of some releases; None is the newest."""

    def need(manifests: Sequence[Manifest]) -> list[str]:
        wanted = {manifests[-1].version if version is None else version for version in versions}
        chosen = [one for one in manifests if one.version in wanted]
        return [shard.file for one in chosen for table in tables for shard in one.shards(table)]

    return need
