"""Everything copydesk raises on purpose.

    CopydeskError
    ├── UsageError          the command or its arguments cannot be carried out as given      exit 2
    │   └── ConfigError     copydesk.toml, a profile or a schema is wrong
    ├── DocumentError       one document cannot be read; the pipeline turns it into quarantine
    ├── ClusterError        a cluster cannot be reached, or its workers cannot do the work    exit 3
    └── ReleaseError        the destination cannot be written, or is not a release           exit 3
        ├── VerifyError     a release is not what its manifest says
        └── RemoteError     a store or the Hub did not answer as it should; it may, the next time

A message names the file, the value and what to do next.
"""

__all__ = [
    "ClusterError",
    "ConfigError",
    "CopydeskError",
    "DocumentError",
    "ReleaseError",
    "RemoteError",
    "UsageError",
    "VerifyError",
]


class CopydeskError(Exception):
    """The root: catch this to catch all that copydesk raises on purpose."""

    exit_code = 3


class UsageError(CopydeskError):
    """The command or its arguments cannot be carried out as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A file that steers copydesk (copydesk.toml, a profile, a schema) is wrong."""


class DocumentError(CopydeskError):
    """One document cannot be read. Never fatal for the others: it goes to quarantine with this reason."""


class ClusterError(CopydeskError):
    """A cluster cannot be reached, lost its workers, or has others than the run needs."""


class ReleaseError(CopydeskError):
    """The destination cannot be written, or what is there is not a release."""


class VerifyError(ReleaseError):
    """A release is not what its manifest says."""


class RemoteError(ReleaseError):
    """A store or the Hub cannot be reached, or did not answer as it should: trying again may help."""
