"""The commit: batches of rows to a new release of a dataset, all of it or nothing.

    write_release   write shards, knowledge, quarantine and manifest, then replace the card
    Result          what came of it

The replacement of README.md is the commit. Before it nothing is a release; a crash leaves files that no card names,
which the next ingest uses or leaves alone. A draft that changes nothing touches nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from copydesk.corrections import canonical, differing
from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
from copydesk.release.card import render_card
from copydesk.release.changes import KEYS, compare_keys, count_changes, read_keys, reasons, render_changelog
from copydesk.release.corrections import corrections_entry, read_corrections
from copydesk.release.facts import Facts, code_digest, made_with, release_date
from copydesk.release.folder import CARD, CHANGELOG, KNOWLEDGE, WORK, Folder, read_bytes, sha256_of
from copydesk.release.head import LOADABLE
from copydesk.release.manifest import FORMAT, Manifest, Reference, read_card, read_manifest
from copydesk.release.order import Batches, read_articles, read_ledger
from copydesk.release.quarantine import quarantine_facts, quarantine_lines
from copydesk.release.tables import Written, write_articles, write_ledger
from copydesk.release.versions import next_version
from copydesk.release.withdraw import finish
from copydesk.schema import Schema, load_schema

__all__ = ["Result", "write_release"]

CURRENT: Final = "current"


@dataclass(frozen=True)
class Result:
    """What an ingest came to. `version` and `cause` are None where nothing changed; `base` is what it followed."""

    version: str | None
    cause: str | None
    base: str | None
    documents: int
    quarantined: int
    new_files: int


def write_release(  # noqa: PLR0913 -- the parts of a release
    destination: Path,
    articles: Iterable[Path],
    ledger: Iterable[Path],
    quarantine: pl.DataFrame,
    knowledge: Knowledge,
    facts: Facts,
    *,
    base: Reference | Literal["current"] | None = CURRENT,
    marks: pl.DataFrame | None = None,
) -> Result:
    """Make the next release of the dataset in `destination` from Arrow IPC files of article and ledger rows.

    The rows of all files together are the release, whatever files and order they come in. `quarantine` has the columns
    id, uri, source, raw_sha256, reason. `base` is the release that the rows were made from, None for a first one; where
    the folder has another newest one by now, ReleaseError: run the ingest again. `marks` (id and text.MARKED) are
    written in place of what the rows say there. Raises ReleaseError as well where the folder cannot be written, and
    where there is no article at all.
    """
    with Folder(destination).opened() as folder:
        finish(folder)
        references = read_card(destination)
        _check_base(destination, references, base)
        _renew(folder, references)
        old = read_manifest(destination, references[-1]) if references else None
        folder.unstage()
        try:
            beside = _Beside(quarantine, knowledge, facts, old.body["withdrawn"] if old else [], marks)
            body, staged, keys = _draft(folder, Batches(articles), Batches(ledger), beside)
            found = next_version(old, body)
            previous = references[-1].version if references else None
            counted = (body["documents"], body["quarantine"]["documents"])
            if found is None:
                return Result(None, None, previous, *counted, 0)
            changes = count_changes(_changes(destination, old, body, keys, knowledge.corrections))
            manifest = Manifest(
                {**body, "version": found[0], "cause": found[1], "base": previous, "changes": changes}
            ).as_written()
            folder.publish(staged)
            _commit(folder, manifest, references)
            return Result(*found, previous, *counted, len(staged))
        finally:
            folder.unstage()


def _check_base(destination: Path, found: Sequence[Reference], base: Reference | str | None) -> None:
    newest = found[-1] if found else None
    if base not in (CURRENT, newest):
        wanted = base.version if isinstance(base, Reference) else "none"
        raise ReleaseError(
            f"{destination / CARD}: the newest release is {newest.version if newest else 'none'}, and this ingest was "
            f"based on {wanted}: another one was made meanwhile; run the ingest again"
        )


@dataclass(frozen=True)
class _Beside:
    """What a release holds beside its two tables."""

    quarantine: pl.DataFrame
    knowledge: Knowledge
    facts: Facts
    withdrawn: list[dict[str, str]]
    marks: pl.DataFrame | None


def _draft(
    folder: Folder, rows: Batches, lines: Batches, beside: _Beside
) -> tuple[dict[str, Any], list[str], pl.DataFrame]:
    """The manifest's body without its number, the names of the staged files, and the keys of the articles."""
    facts = beside.facts
    keys = read_articles(rows, [one["id"] for one in beside.withdrawn], beside.marks)
    runs = read_ledger(lines, keys)
    schemas = load_schema("article"), load_schema("ledger")
    first = write_articles(folder, schemas[0], rows, keys)
    second = write_ledger(folder, schemas[1], lines, runs)
    refused = quarantine_lines(beside.quarantine)
    entry = quarantine_facts(refused)
    known, known_files = _knowledge(folder, beside.knowledge)
    quarantined = [folder.stage(entry["file"], refused)] if entry["file"] else []
    body = {
        "format": FORMAT,
        "name": facts.name,
        "date": release_date(first.counts["last_day"]),
        "description": facts.told,
        "documents": keys.height,
        "content": {"article": first.content, "ledger": second.content},
        "counts": first.counts,
        "ledger": second.counts,
        "examples": second.examples,
        "tables": {"article": _table(schemas[0], first), "ledger": _table(schemas[1], second)},
        "knowledge": known,
        "quarantine": entry,
        "withdrawn": beside.withdrawn,
        "made_with": made_with(),
        "digests": {"code": code_digest(), **dict(sorted(facts.digests.items()))},
    }
    return body, [name for name in (*first.staged, *second.staged, *quarantined, *known_files) if name], keys


def _changes(
    destination: Path, old: Manifest | None, body: dict[str, Any], keys: pl.DataFrame, corrections: pl.DataFrame
) -> pl.DataFrame:
    """How the articles differ from those of the base."""
    keys = keys.select(KEYS)
    if old is None:
        return compare_keys(keys.clear(), keys, "")
    corrected = differing(read_corrections(destination, old.body), corrections)
    return compare_keys(read_keys(destination, old), keys, reasons(old.body, body), corrected)


def _table(schema: Schema, written: Written) -> dict[str, Any]:
    return {
        "schema": schema.digest,
        "columns": schema.columns,
        "features": schema.features(),
        "splits": [
            {"name": name, "shards": [vars(shard) for shard in shards]} for name, shards in written.splits.items()
        ],
    }


def _knowledge(folder: Folder, knowledge: Knowledge) -> tuple[dict[str, Any], list[str | None]]:
    """The manifest's entry and the staged files; knowledge that is there already stays as it is."""
    said, knowledge = canonical(knowledge.corrections), knowledge.learned()
    place = f"{KNOWLEDGE}/{knowledge.digest}"
    with tempfile.TemporaryDirectory(dir=folder.subfolder(WORK)) as draft:
        knowledge.save(Path(draft))
        held = {path.name: path.read_bytes() for path in Path(draft).iterdir()}
    if all((folder / place / name).is_file() for name in held):
        Knowledge.load(folder / place)
        held = {name: read_bytes(folder / place / name) for name in held}
    files = {f"{place}/{name}": sha256_of(data) for name, data in sorted(held.items())}
    staged = [folder.stage(f"{place}/{name}", data) for name, data in sorted(held.items())]
    entry = {"digest": knowledge.digest, "documents": knowledge.documents, "files": files}
    if said:
        corrected = corrections_entry(said)
        files[corrected["file"]] = sha256_of(said)
        return {**entry, "corrections": corrected}, [*staged, folder.stage(corrected["file"], said)]
    return entry, staged


def _commit(folder: Folder, manifest: Manifest, references: Sequence[Reference]) -> None:
    """Write the manifest, then the card, which is the commit, then what is a function of both."""
    named = [*references, manifest.reference]
    known = [read_manifest(folder.path, one) for one in references[-LOADABLE + 1 :]]
    folder.replace(manifest.file, manifest.data)
    if read_card(folder.path) != list(references):
        raise ReleaseError(f"{folder / CARD}: was replaced by someone else meanwhile; run the ingest again")
    folder.replace(CARD, render_card([*known, manifest], named).encode())
    _renew(folder, named)


def _renew(folder: Folder, references: Sequence[Reference]) -> None:
    """Write CHANGELOG.md anew where it is not what the manifests say: a crash may have come after the card."""
    if not references:
        return
    wanted = render_changelog([read_manifest(folder.path, one) for one in references]).encode()
    path = folder / CHANGELOG
    if not path.is_file() or path.read_bytes() != wanted:
        folder.replace(CHANGELOG, wanted)
