"""A cluster in the place of local worker processes: a Dask scheduler and its workers carry the stages' tasks.

    workers     the workers that a job asks for: processes of this machine, or those of the scheduler it names
    Cluster     an executor whose processes are a scheduler's workers

What is a task is the pipeline's to say, and the same wherever it runs: a function of a module, its item, and files of a
folder that every worker sees under the same path. Dask does what an engine is for: it hands tasks out, balances them
over workers that come and go, and does a dead worker's tasks again on another. A release hangs on code and libraries,
so a worker of another version is refused before it does anything (`Terms`).
"""

from __future__ import annotations

import contextlib
import platform
import socket
import threading
import unicodedata
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from copydesk.errors import ClusterError, UsageError
from copydesk.job import Job
from copydesk.release.facts import code_digest, made_with
from copydesk.release.folder import WORK
from copydesk.runner import LOCAL, Progress, Workers

__all__ = ["Cluster", "Terms", "workers"]

ANSWERS: Final = 30.0
"""Seconds to wait for the scheduler's answer."""

PATIENCE: Final = 30.0
"""Seconds to wait for its first worker."""

FORSAKEN: Final = 300.0
"""Seconds without any worker after which a run gives up: a service manager starts one anew long before."""

LOOKS: Final = 5.0
"""Seconds between two looks for workers, while there are tasks."""


def workers(job: Job, progress: Progress | None = None) -> Workers:
    """The workers for a job, started when they are needed; raises UsageError where the extra is not installed.

    A run that only looks works in a folder of this machine, so it does so with processes of this machine.
    """
    if job.runner == LOCAL or job.dry_run:
        return Workers(job.workers, progress)
    _distributed()
    return Workers(0, progress, partial(Cluster, job.runner, job.destination / WORK))


@dataclass(frozen=True)
class Terms:
    """What a worker must have in common with the run: code, libraries, and the folder, in whose `file` is `token`."""

    made: tuple[tuple[str, str], ...]
    file: Path
    token: str

    @classmethod
    def here(cls, folder: Path) -> Terms:
        """Those of this process; a file in the folder proves that a worker sees it."""
        folder.mkdir(parents=True, exist_ok=True)
        token = uuid.uuid4().hex
        path = folder / f"cluster-{token[:8]}"
        path.write_text(token, encoding="utf-8")
        return cls(made_here(), path, token)


@lru_cache(maxsize=1)
def made_here() -> tuple[tuple[str, str], ...]:
    """What a release is made with, by name."""
    numpy = __import__("numpy").__version__
    said = {"copydesk's code": code_digest(), "Python": ".".join(platform.python_version_tuple()[:2])}
    return tuple({**said, "Unicode": unicodedata.unidata_version, "numpy": numpy, **made_with()}.items())


@lru_cache(maxsize=8)
def held_to(terms: Terms) -> None:
    """Raise ClusterError unless this process, a worker's, meets the terms."""
    host, mine = socket.gethostname(), dict(made_here())
    for name, wanted in terms.made:
        if mine.get(name) != wanted:
            raise ClusterError(
                f"the worker on {host} has {name} {mine.get(name)}, and this run {wanted}: "
                "install the same versions for every worker"
            )
    try:
        seen = terms.file.read_text(encoding="utf-8")
    except OSError as error:
        raise ClusterError(
            f"the worker on {host} does not see {terms.file.parent} ({error.strerror}): give --into a folder "
            "that every worker has under the same path"
        ) from error
    if seen != terms.token:
        raise ClusterError(f"the worker on {host} sees another folder as {terms.file.parent}: share that of this run")


def carried(work: Callable[..., Any], arguments: tuple[Any, ...], terms: Terms) -> Any:
    """Do a task on a worker."""
    held_to(terms)
    return work(*arguments)


class Cluster(Executor):
    """A scheduler's workers as an executor. Raises ClusterError where there are none, or others than the run needs."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self._terms = Terms.here(folder)
        self._waiting: dict[Future[Any], Any] = {}
        self._lock, self._ended = threading.Lock(), threading.Event()
        try:
            self._client = self._connected()
        except BaseException:
            self._terms.file.unlink(missing_ok=True)
            raise
        threading.Thread(target=self._watch, daemon=True).start()

    def _connected(self) -> Any:
        distributed = _distributed()
        try:
            client = distributed.Client(self.address, timeout=ANSWERS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"--runner {self.address}: no Dask scheduler answers there ({error}); start one with `dask scheduler`"
            ) from error
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            client.run(held_to, self._terms)
        except TimeoutError as error:
            client.close()
            raise ClusterError(
                f"--runner {self.address}: the scheduler has no worker; start some with `dask worker {self.address}`"
            ) from error
        except BaseException as error:
            client.close()
            raise _told(error, self.address) from error
        return client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand one call to the workers."""
        future: Future[Any] = Future()
        remote = self._client.submit(carried, partial(fn, **kwargs) if kwargs else fn, args, self._terms, pure=False)
        with self._lock:
            self._waiting[future] = remote
        future.add_done_callback(self._dropped)
        remote.add_done_callback(partial(self._settle, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 -- Executor's
        """Let go of the workers, which live on; what they were asked for and have not done is taken back."""
        with self._lock:
            left = list(self._waiting)
        if cancel_futures:
            for future in left:
                future.cancel()
        elif wait:
            for future in left:
                with contextlib.suppress(Exception):
                    future.result()
        self._ended.set()
        self._client.close()
        self._terms.file.unlink(missing_ok=True)

    def _settle(self, future: Future[Any], remote: Any) -> None:
        """Hand on what came of a call; Dask calls this in a thread of its own."""
        try:
            self._end(future, remote.result())
        except BaseException as error:  # noqa: BLE001 -- whatever it is, whoever waits has to know
            self._end(future, error=_told(error, self.address))

    def _end(self, future: Future[Any], result: Any = None, error: BaseException | None = None) -> None:
        with contextlib.suppress(Exception):  # done already: taken back, or given up
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _dropped(self, future: Future[Any]) -> None:
        with self._lock:
            remote = self._waiting.pop(future, None)
        if remote is not None and future.cancelled():
            remote.cancel()

    def _watch(self) -> None:
        """Give up where no worker has been there for long: Dask itself would wait for ever."""
        alone = 0.0
        while not self._ended.wait(LOOKS):
            with self._lock:
                left = list(self._waiting)
            alone = alone + LOOKS if left and not self._client.scheduler_info(n_workers=-1)["workers"] else 0.0
            if alone >= FORSAKEN:
                for future in left:
                    said = f"no worker for {FORSAKEN:.0f} seconds; start some, then run the ingest again"
                    self._end(future, error=ClusterError(f"--runner {self.address}: {said}"))


def _told(error: BaseException, address: str) -> BaseException:
    """What Dask raises, in our words; what the work itself raised stays as it is."""
    name = type(error).__name__
    if name == "KilledWorker":
        return ClusterError(
            f"--runner {address}: a task was lost with several workers one after the other, most often for want of "
            "memory; give the workers more, or a smaller batch_documents"
        )
    if name in {"CancelledError", "FutureCancelledError", "FuturesCancelledError", "CommClosedError"}:
        return ClusterError(f"--runner {address}: the scheduler is gone; start it, then run the ingest again")
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("copydesk"):
        return ClusterError(f"--runner {address}: a worker has no copydesk; install it for every worker")
    return error


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise UsageError("--runner needs Dask: pip install 'copydesk[cluster]'") from error
    return distributed
