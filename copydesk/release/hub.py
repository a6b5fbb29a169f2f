"""A dataset repository on the Hugging Face Hub, and what its answers mean.

    Hub         one repository: what is in it, a file of it, a commit to it, a tag on it
    explained   what the Hub's client raises, as our errors with the remedy

Tokens, endpoints, private repositories and retries of single requests are huggingface_hub's; nothing here reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from copydesk.errors import ReleaseError, RemoteError, UsageError

__all__ = ["Hub", "There", "explained"]

KIND: Final = "dataset"
TITLE: Final = "Release "


@dataclass(frozen=True)
class There:
    """What is in a repository: the newest commit, its files with their sizes, tags and release commits by version."""

    head: str
    files: Mapping[str, int]
    tags: Mapping[str, str]
    commits: Mapping[str, str]


class Hub:
    """One dataset repository, on its main branch."""

    def __init__(self, name: str) -> None:
        from huggingface_hub import HfApi

        self.name = name
        self.api = HfApi(library_name="copydesk")

    def look(self) -> There | None:
        """What is there; None where there is no such repository, or the token may not see it."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with explained(self.name):
            try:
                head = self.api.repo_info(self.name, repo_type=KIND).sha
            except RepositoryNotFoundError:
                return None
            files = self.api.list_repo_tree(self.name, repo_type=KIND, revision=head, recursive=True)
            sizes = {one.path: one.size for one in files if hasattr(one, "size")}
            tags = {one.name: one.target_commit for one in self.api.list_repo_refs(self.name, repo_type=KIND).tags}
            commits: dict[str, str] = {}
            for one in self.api.list_repo_commits(self.name, repo_type=KIND):  # newest first
                if one.title.startswith(TITLE):
                    commits.setdefault(one.title.removeprefix(TITLE), one.commit_id)
        return There(str(head), sizes, tags, commits)

    def read(self, name: str, revision: str) -> bytes:
        """A file of the repository."""
        with explained(self.name):
            return Path(self.api.hf_hub_download(self.name, name, repo_type=KIND, revision=revision)).read_bytes()

    def create(self, *, private: bool) -> There:
        """Make the repository; it has to be new."""
        with explained(self.name):
            self.api.create_repo(self.name, repo_type=KIND, private=private)
        found = self.look()
        if found is None:
            raise RemoteError(f"{self.name}: was made and is not to be seen yet; run this again")
        return found

    def commit(self, title: str, add: Mapping[str, Path | bytes], delete: list[str], parent: str) -> str:
        """Commit files, refused where `parent` is not the newest commit; the new commit."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [CommitOperationAdd(name, data) for name, data in add.items()]
        operations += [CommitOperationDelete(name) for name in delete]
        with explained(self.name):
            done = self.api.create_commit(
                self.name, operations, commit_message=title, repo_type=KIND, parent_commit=parent
            )
        return str(done.oid)

    def release(self, version: str, add: Mapping[str, Path | bytes], delete: list[str], parent: str) -> str:
        """The commit that makes a release; its title is how it is found again."""
        return self.commit(f"{TITLE}{version}", add, delete, parent)

    def tag(self, version: str, commit: str, *, move: bool) -> None:
        """Tag a commit with a version."""
        with explained(self.name):
            if move:
                self.api.delete_tag(self.name, tag=version, repo_type=KIND)
            self.api.create_tag(self.name, tag=version, revision=commit, repo_type=KIND)

    def purge(self, keep: set[str]) -> list[str]:
        """Delete for good the data files of all commits that are not to be kept; their names."""
        with explained(self.name):
            found = [
                one
                for one in self.api.list_lfs_files(self.name, repo_type=KIND)
                if one.filename.startswith("data/") and one.filename not in keep
            ]
            self.api.permanently_delete_lfs_files(self.name, found, repo_type=KIND, rewrite_history=False)
        return sorted({one.filename for one in found})


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what the Hub's client raises into our errors."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise UsageError(f"{name!r} is no name of a repository: write USER/NAME or ORGANISATION/NAME") from error
    except errors.OfflineModeIsEnabled as error:
        raise ReleaseError(f"{name}: HF_HUB_OFFLINE is set, and publishing needs the Hub; unset it") from error
    except errors.RepositoryNotFoundError as error:
        raise ReleaseError(missing(name)) from error
    except errors.HfHubHTTPError as error:
        raise _refused(name, error) from error
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        raise RemoteError(f"{name}: the Hub cannot be reached ({error}); run this again") from error
    except RuntimeError as error:  # the client's word for an upload that failed, with the reason as its cause
        raise RemoteError(f"{name}: {error} ({error.__cause__}); run this again, what is there stays") from error
    except ValueError as error:  # the client's word for a card that the Hub refuses
        raise ReleaseError(f"{name}: the Hub refuses what was sent: {error}") from error


def missing(name: str) -> str:
    """What to say where there is no such repository, as far as the token shows."""
    from huggingface_hub import get_token

    if get_token() is None:
        return f"{name}: no token is set: log in with `hf auth login`, or set HF_TOKEN"
    return (
        f"{name}: there is no such dataset repository, or your token may not see it; "
        "check the name, or make it with --create private (or public)"
    )


def _refused(name: str, error: Any) -> ReleaseError:
    """By the status: no right, overtaken, or trouble at the Hub's side."""
    from huggingface_hub import get_token

    status = getattr(error.response, "status_code", None)
    told = getattr(error, "server_message", None) or str(error).splitlines()[0]
    if status == 401 and get_token() is None:
        return ReleaseError(missing(name))
    if status == 401:
        return ReleaseError(f"{name}: the Hub does not take the token ({told}); log in again with `hf auth login`")
    if status == 403:
        return ReleaseError(f"{name}: the token has no right to do this ({told}); use one with the right to write")
    if status in (409, 412):
        return ReleaseError(f"{name}: was changed by someone else meanwhile ({told}); run this again")
    if status is not None and status < 500 and status != 429:
        return ReleaseError(f"{name}: the Hub refuses this ({status}: {told})")
    return RemoteError(f"{name}: the Hub is in trouble ({status}: {told}); run this again, what is there stays")
