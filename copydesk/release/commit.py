"""The commit: batches of rows to a new release of a dataset, all of it or nothing.

    write_release   write shards, knowledge, quarantine and manifest, then replace the card
    Result          what came of it

The replacement of README.md is the commit. Before it nothing is a release; a crash leaves files that no card names,
which the next ingest uses or leaves alone. A draft that changes nothing touches nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from copydesk.corrections import canonical, differing
from copydesk.errors import ReleaseError
from copydesk.knowledge import Knowledge
from copydesk.pieces import Pieces
from copydesk.release.changes import KEYS, LEDGER, compare_keys, read_keys, reasons, resplit
from copydesk.release.corrections import corrections_entry, read_corrections
from copydesk.release.differences import changes_entry, first_entry
from copydesk.release.draft import Tables, ordered, write_tables
from copydesk.release.facts import Facts, code_digest, labeller, made_with, release_date
from copydesk.release.folder import CARD, KNOWLEDGE, WORK, Folder, read_bytes, sha256_of
from copydesk.release.keys import prune_keys, save_keys
from copydesk.release.manifest import FORMAT, Manifest, Reference, read_card, read_manifest
from copydesk.release.marks import Marks
from copydesk.release.quarantine import quarantine_facts, quarantine_lines
from copydesk.release.renewal import is_trusted, put_beside, put_card, renew
from copydesk.release.rows import Batch, Kept, Rows, all_keys, check_batch
from copydesk.release.versions import next_version
from copydesk.release.withdraw import finish
from copydesk.release.writing import GATHERED
from copydesk.runner import Over, plainly
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
    labels: tuple[dict[str, Any], ...] = ()
    """Spans and bytes by label and fate, where there is a new release."""


def write_release(  # noqa: PLR0913 -- the parts of a release
    destination: Path,
    batches: Sequence[Batch],
    quarantine: pl.DataFrame,
    knowledge: Knowledge,
    facts: Facts,
    *,
    base: Reference | Literal["current"] | None = CURRENT,
    kept: Kept | None = None,
    marks: Marks | None = None,
    remember: Callable[[Reference], None] | None = None,
    over: Over = plainly,
    place: Path | None = None,
    most: int = GATHERED,
) -> Result:
    """Make the next release of the dataset in `destination` from batches of new rows and the kept rows of the last one.

    The rows of all batches and the kept ones together are the release, whatever batches and order they come in.
    `quarantine` has the columns id, uri, source, raw_sha256, reason. `base` is the release that the rows were made
    from, None for a first one; where the folder has another newest one by now, ReleaseError: run the ingest again.
    `marks` are written in place of what the rows say there. `remember` is called just before the
    commit, with the release that is the newest after it. `over`, `place` and `most` are those of
    `write_tables`, how the writing of shards is shared out; what comes after it is one item of `over`. Raises
    ReleaseError as well where the folder cannot be written, and where there is no article at all.
    """
    with Folder(destination).opened() as folder:
        finish(folder)
        references = read_card(destination)
        _check_base(destination, references, base)
        old = read_manifest(destination, references[-1]) if references else None
        if old and not is_trusted(destination, references[-1], old):
            renew(folder, references)
        folder.unstage()
        try:
            withdrawn = old.body["withdrawn"] if old else []
            gone = [one["id"] for one in withdrawn]
            said = knowledge.corrections.filter(~pl.col("id").is_in(gone))  # what they say may quote the document
            knowledge = replace(knowledge, corrections=said)
            schemas = {name: load_schema(name) for name in ("article", "ledger")}
            place = place or folder.stage_folder()
            keys = ordered(all_keys(batches, kept), place, withdrawn=gone, marks=marks)
            for batch in batches:
                check_batch(batch, schemas)
            rows = _rows(folder, schemas, batches, kept)
            tables = write_tables(folder, schemas, rows, keys, over=over, place=place, most=most)
            beside = _Beside(quarantine, knowledge, facts, withdrawn)
            (result,) = over("release", _released, [_Drawn(folder, references, old, kept, tables, beside, remember)])
            return result
        finally:
            folder.unstage()


@dataclass(frozen=True)
class _Beside:
    """What a release holds beside its two tables."""

    quarantine: pl.DataFrame
    knowledge: Knowledge
    facts: Facts
    withdrawn: list[dict[str, str]]


@dataclass(frozen=True)
class _Drawn:
    """A release whose shards are written and wait, the releases before it, and what stands beside."""

    folder: Folder
    references: Sequence[Reference]
    old: Manifest | None
    kept: Kept | None
    tables: Tables
    beside: _Beside
    remember: Callable[[Reference], None] | None


def _released(drawn: _Drawn) -> Result:
    """Move everything to its place, and commit it, unless nothing differs."""
    folder, references, old = drawn.folder, drawn.references, drawn.old
    draft = _draft(folder, drawn.tables, drawn.beside)
    found = next_version(old, draft.body)
    previous = references[-1].version if references else None
    counted = (draft.body["documents"], draft.body["quarantine"]["documents"])
    if found is None:
        _remember(folder, references[-1], None, drawn.remember)
        return Result(None, None, previous, *counted, 0)
    folder.publish(draft.staged)
    manifest = Manifest({**draft.body, "version": found[0], "cause": found[1], "base": previous})
    entry = first_entry(draft.keys.height)
    if old is not None:
        found_to_differ = _changes(folder.path, old, drawn.kept, draft, drawn.beside.knowledge.corrections)
        entry = changes_entry(folder.path, old, manifest, found_to_differ)
    manifest = Manifest({**manifest.body, **entry}).as_written()
    _remember(folder, manifest.reference, draft.keys, drawn.remember)
    _commit(folder, manifest, references)
    prune_keys(folder.subfolder(WORK), manifest.reference)
    return Result(*found, previous, *counted, len(draft.staged), tuple(manifest.body["ledger"]["by_label"]))


def _remember(
    folder: Folder, newest: Reference, keys: Pieces | None, remember: Callable[[Reference], None] | None
) -> None:
    """Leave what the next ingest can use, bound to the release that is about to be the newest."""
    if keys is not None:
        save_keys(folder.subfolder(WORK), newest, keys)
    if remember is not None:
        remember(newest)


def _check_base(destination: Path, found: Sequence[Reference], base: Reference | str | None) -> None:
    newest = found[-1] if found else None
    if base not in (CURRENT, newest):
        wanted = base.version if isinstance(base, Reference) else "none"
        raise ReleaseError(
            f"{destination / CARD}: the newest release is {newest.version if newest else 'none'}, and this ingest was "
            f"based on {wanted}: another one was made meanwhile; run the ingest again"
        )


def _draft(folder: Folder, tables: Tables, beside: _Beside) -> Tables:
    """The tables, with the whole body of the manifest but its number, and all files that wait."""
    facts = beside.facts
    refused = quarantine_lines(beside.quarantine)
    entry = quarantine_facts(refused)
    known, known_files = _knowledge(folder, beside.knowledge)
    quarantined = folder.stage(entry["file"], refused) if entry["file"] else {}
    body = {
        "format": FORMAT,
        "name": facts.name,
        "date": release_date(tables.body["counts"]["last_day"]),
        "description": facts.told,
        **tables.body,
        "knowledge": known,
        "quarantine": entry,
        "withdrawn": beside.withdrawn,
        "made_with": made_with(),
        "labeller": labeller(),
        "digests": {"code": code_digest(), **dict(sorted(facts.digests.items()))},
    }
    return Tables(body, tables.staged | quarantined | known_files, tables.keys)


def _rows(
    folder: Folder, schemas: Mapping[str, Schema], batches: Sequence[Batch], kept: Kept | None
) -> dict[str, Rows]:
    """Where the rows are; old shards are used as they are if this code and these libraries would write the same."""
    old = kept.manifest.body if kept else None
    same = old is not None and (old["made_with"], old["digests"]["code"]) == (made_with(), code_digest())
    return {
        name: Rows(
            folder.path,
            tuple(kept.manifest.shards(name)) if kept else (),
            tuple(getattr(batch, place) for batch in batches),
            reusable=same and old is not None and old["tables"][name]["schema"] == schemas[name].digest,
        )
        for name, place in (("article", "articles"), ("ledger", "ledger"))
    }


def _changes(
    destination: Path, old: Manifest, kept: Kept | None, draft: Tables, corrections: pl.DataFrame
) -> pl.DataFrame:
    """How the articles differ from those of the base."""
    keys = draft.keys.table(*KEYS, LEDGER)
    before = kept.keys.select(*KEYS, LEDGER) if kept else read_keys(destination, old)
    corrected = differing(read_corrections(destination, old.body), corrections)
    return compare_keys(before, keys, reasons(old.body, draft.body), corrected, resplit(old.body, draft.body))


def _knowledge(folder: Folder, knowledge: Knowledge) -> tuple[dict[str, Any], dict[str, Path]]:
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
    staged: dict[str, Path] = {}
    for name, data in sorted(held.items()):
        staged |= folder.stage(f"{place}/{name}", data)
    entry = {"digest": knowledge.digest, "documents": knowledge.documents, "files": files}
    if said:
        corrected = corrections_entry(said)
        files[corrected["file"]] = sha256_of(said)
        return {**entry, "corrections": corrected}, staged | folder.stage(corrected["file"], said)
    return entry, staged


def _commit(folder: Folder, manifest: Manifest, references: Sequence[Reference]) -> None:
    """Write the manifest, then the card, which is the commit, then what is a function of both."""
    named = [*references, manifest.reference]
    manifests = [*(read_manifest(folder.path, one) for one in references), manifest]
    folder.replace(manifest.file, manifest.data)
    if read_card(folder.path) != list(references):
        raise ReleaseError(f"{folder / CARD}: was replaced by someone else meanwhile; run the ingest again")
    put_card(folder, manifests, named)
    put_beside(folder, manifests)
