"""Requests to a store that are made again where that may help.

    tried   the value of a call, or what it raised in our words

A store says "slow down", a connection breaks: such a request is made again, up to ATTEMPTS times with pauses that
double. What a store refuses on purpose (no such file, no right, a condition that does not hold) it refuses at once.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Final, TypeVar

from copydesk.errors import ReleaseError, RemoteError

__all__ = ["tried"]

ATTEMPTS: Final = 8
FIRST_PAUSE: Final = 0.1
"""Seconds; with doubling, thirteen in all: a store that needs longer is down."""

REFUSED: Final = (errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.ENAMETOOLONG)
"""What clients of stores make of a bad request, one that is not allowed, and one that the store does not know."""

NO_ACCESS: Final = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError"}

Value = TypeVar("Value")


def tried(what: str, call: Callable[[], Value]) -> Value:
    """The value of `call`. `what` names the request in messages.

    Raises what the file system raises where trying again is of no use (FileNotFoundError, FileExistsError, OSError of
    REFUSED), ReleaseError where access is denied, RemoteError where the last attempt failed.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except PermissionError as error:
            raise ReleaseError(f"{what}: access is denied ({error}); check the credentials and their rights") from error
        except Exception as error:
            if type(error).__name__ in NO_ACCESS:
                raise ReleaseError(f"{what}: {error}; set the credentials of the store") from error
            if _refused(error):
                raise
            if attempt == ATTEMPTS - 1:
                raise RemoteError(
                    f"{what}: the store does not answer as it should, after {ATTEMPTS} attempts ({error}); "
                    "run this again, what is there stays"
                ) from error
            time.sleep(FIRST_PAUSE * 2**attempt)
    raise AssertionError


def _refused(error: Exception) -> bool:
    """Whether the same request would be refused again."""
    if isinstance(error, FileNotFoundError | FileExistsError | NotImplementedError | TypeError | ValueError):
        return True
    return isinstance(error, OSError) and error.errno in REFUSED
