"""Verify: every hash, count and number of a release, recomputed.

    verify    what is not as the card and the manifests say; an empty list means that all is
    Problem   one such thing: the file, what of it, the value expected and the one found

First the chain of hashes: the card names the manifests' hashes, a manifest those of its shards, knowledge and
quarantine, and the card itself ends with its own. Then, of one release, the meaning: rows against schema, content
hashes, order and counts, the ledger's bytes against each raw file's hash and the ledger's text against each article's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from copydesk import __version__
from copydesk.errors import ReleaseError
from copydesk.release.audit import audit
from copydesk.release.card import render_card, sealed
from copydesk.release.changes import render_changelog
from copydesk.release.folder import CARD, CHANGELOG, RELEASES, read_bytes, sha256_of
from copydesk.release.head import LOADABLE
from copydesk.release.manifest import FORMAT, Manifest, Reference, card_head, choose, read_card
from copydesk.release.problems import Problem

__all__ = ["Problem", "verify"]

CHUNK: Final = 1 << 22


def verify(dataset: Path, version: str | None = None) -> list[Problem]:
    """What is wrong with a dataset; hashes of all releases, and the meaning of `version` (None: the newest).

    With a `version`, only its files and the card are looked at. Raises ReleaseError where there is no dataset at all or
    no such release.
    """
    try:
        chosen = choose(dataset, version)
        references = read_card(dataset)
    except ReleaseError as error:
        if (dataset / RELEASES).is_dir() and (version is None or not (dataset / CARD).is_file()):
            return [Problem(CARD, "the card", "a card that names the releases", str(error))]
        raise
    problems: list[Problem] = list(_described_problems(dataset))
    manifests = {one.version: body for one in references if (body := _manifest(dataset, one, problems))}
    if len(manifests) == len(references):
        all_of_them = [manifests[one.version] for one in references]
        problems += _card_problems(dataset, all_of_them, references)
        problems += _changelog_problems(dataset, all_of_them)
    wanted = [chosen] if version else references
    seen: dict[str, str | None] = {}
    for one in wanted:
        if one.version in manifests:
            problems += _file_problems(dataset, manifests[one.version], seen)
    if chosen.version in manifests and not any(
        problem.file in _files(manifests[chosen.version]) for problem in problems
    ):
        problems += audit(dataset, manifests[chosen.version])
    return sorted(set(problems))


def _manifest(dataset: Path, reference: Reference, problems: list[Problem]) -> Manifest | None:
    """The manifest that the card names, or None and a problem."""
    found = _hashed(dataset / reference.file)
    if found != reference.sha256:
        problems.append(Problem(reference.file, "SHA-256 of the manifest", reference.sha256, found or "no such file"))
        return None
    body = json.loads((dataset / reference.file).read_bytes())
    if body.get("format") != FORMAT or body.get("version") != reference.version:
        told = f"format {body.get('format')}, version {body.get('version')}"
        problems.append(Problem(reference.file, "the manifest", f"format {FORMAT}, version {reference.version}", told))
        return None
    return Manifest(body)


def _hashed(path: Path) -> str | None:
    """SHA-256 of a file, read in pieces; None where it cannot be read."""
    whole = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while data := stream.read(CHUNK):
                whole.update(data)
    except OSError:
        return None
    return whole.hexdigest()


def _files(manifest: Manifest) -> dict[str, str]:
    """Every file of a release but its manifest, with its SHA-256."""
    body = manifest.body
    files = {shard.file: shard.sha256 for table in body["tables"] for shard in manifest.shards(table)}
    files |= body["knowledge"]["files"]
    if body["quarantine"]["file"]:
        files[body["quarantine"]["file"]] = body["quarantine"]["sha256"]
    return files


def _file_problems(dataset: Path, manifest: Manifest, seen: dict[str, str | None]) -> Iterator[Problem]:
    """Hashes and names of a release's files; a file that several releases share is read once."""
    for name, sha256 in _files(manifest).items():
        if name not in seen:
            seen[name] = _hashed(dataset / name)
            if seen[name] != sha256:
                yield Problem(name, "SHA-256", sha256, seen[name] or "no such file")


def _card_problems(dataset: Path, manifests: Sequence[Manifest], references: Sequence[Reference]) -> Iterator[Problem]:
    """The card against the one that the manifests give.

    A card that an older copydesk wrote may say it in other words; then its own checksum and its YAML are checked.
    """
    text = (dataset / CARD).read_text(encoding="utf-8")
    expected = render_card(manifests[-LOADABLE:], references)
    if text == expected:
        return
    if not sealed(text):
        yield _first_difference(text, expected)
        return
    told, wanted = card_head(text, dataset / CARD), card_head(expected, dataset / CARD)
    if told.get("copydesk") == __version__:
        yield _first_difference(text, expected)
    for key in ("configs", "dataset_info", "releases"):
        if told.get(key) != wanted[key]:
            yield Problem(CARD, f"`{key}` of the YAML head", _digest(wanted[key]), _digest(told.get(key)))


def _described_problems(dataset: Path) -> Iterator[Problem]:
    """The files that go with the card, croissant.json and the plots, against the hashes that it names.

    The card is compared with the one that the manifests give, hashes included; so these are what the manifests give.
    """
    listed = card_head(read_bytes(dataset / CARD).decode("utf-8"), dataset / CARD).get("described")
    for one in listed if isinstance(listed, list) else []:
        name, told = (str(one.get(key)) for key in ("file", "sha256")) if isinstance(one, dict) else ("", "")
        found = _hashed(dataset / name) if name else None
        if found != told:
            yield Problem(name or CARD, "SHA-256", told, found or "no such file")


def _changelog_problems(dataset: Path, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """CHANGELOG.md against the one that the manifests give; the next ingest writes it anew."""
    expected = render_changelog(manifests)
    try:
        text = (dataset / CHANGELOG).read_bytes().decode("utf-8", "replace")
    except OSError:
        text = "no such file"
    if text != expected:
        yield _first_difference(text, expected, CHANGELOG)


def _first_difference(text: str, expected: str, file: str = CARD) -> Problem:
    lines, wanted = text.split("\n"), expected.split("\n")
    number = next((n for n, pair in enumerate(zip(lines, wanted, strict=False)) if pair[0] != pair[1]), None)
    if number is None:
        return Problem(file, "number of lines", str(len(wanted)), str(len(lines)))
    return Problem(file, f"line {number + 1}", repr(wanted[number]), repr(lines[number]))


def _digest(value: Mapping[str, Any] | Sequence[Any] | None) -> str:
    return f"digest {sha256_of(json.dumps(value, sort_keys=True).encode())[:16]}"
