"""Quarantine as a place to work: what is in it, what is new in it, and what a person has waived.

    held      the documents in quarantine after the last release, each with its waiver, if it has one
    waive     put on record that some are known and need no report
    waivers   those on record

A waiver says: this document cannot be read, I know, do not tell me again. It stands in `waived.jsonl` in the project's
folder, beside copydesk.toml, so that it can be kept under version control with the rest; it names the document, its
bytes, the reason, the person, why and when. It ends when the file's bytes change. A release does not depend on it: the
document stays in the release's quarantine list, on record, whoever waived it.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from copydesk.errors import ConfigError
from copydesk.journal import now
from copydesk.release.folder import read_bytes
from copydesk.release.manifest import read_card, read_manifest

__all__ = ["WAIVED", "Held", "Waiver", "held", "person", "waive", "waivers"]

WAIVED: Final = "waived.jsonl"


@dataclass(frozen=True)
class Waiver:
    """A document that a person knows cannot be read."""

    source: str
    uri: str
    raw_sha256: str | None
    reason: str
    by: str
    why: str
    on: str

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What it holds for: a document and its bytes; None where they could not be read."""
        return self.source, self.uri, self.raw_sha256


@dataclass(frozen=True)
class Held:
    """A document in quarantine."""

    id: str
    source: str
    uri: str
    raw_sha256: str | None
    reason: str
    waiver: Waiver | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What a waiver holds for."""
        return self.source, self.uri, self.raw_sha256


def held(dataset: Path, known: Mapping[tuple[str, str, str | None], Waiver]) -> list[Held]:
    """The documents in quarantine after the newest release, in the order of its list; none where there is no release.

    Raises ReleaseError where the list is named and missing.
    """
    references = read_card(dataset)
    if not references:
        return []
    name = read_manifest(dataset, references[-1]).body["quarantine"]["file"]
    if name is None:
        return []
    rows = [json.loads(line) for line in read_bytes(dataset / name).splitlines()]
    return [Held(**row, waiver=known.get((row["source"], row["uri"], row["raw_sha256"]))) for row in rows]


def waivers(folder: Path) -> dict[tuple[str, str, str | None], Waiver]:
    """The waivers of a project's folder, the last word on each document; raises ConfigError where a line is damaged."""
    path = folder / WAIVED
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = Waiver(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path}, line {number}: not a waiver ({error}); correct or delete the line") from error
        found[one.key] = one
    return found


def waive(folder: Path, documents: Iterable[Held], *, by: str, why: str) -> list[Waiver]:
    """Put waivers on record for those that have none; gives them."""
    made = [
        Waiver(one.source, one.uri, one.raw_sha256, one.reason, by, why, now()) for one in documents if not one.waiver
    ]
    if made:
        with (folder / WAIVED).open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in made)
    return made


def _row(one: Waiver) -> dict[str, Any]:
    return asdict(one)


def person() -> str:
    """Who is at work, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
