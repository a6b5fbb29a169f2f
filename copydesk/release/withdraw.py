"""Withdrawal: one document out of every release, on record; the only thing that ever changes a release.

    withdraw   take a document out; its releases keep their numbers, their rows are written anew without it
    finish     carry out what a withdrawal that broke off had decided

The new shards come first. Then everything else (manifests, card, files to delete) is written to `.work/withdraw` and a
last file there says that it is complete: that is the decision. Carrying it out can be repeated, so a crash half-way is
finished by the next ingest or withdrawal. The card is replaced first: from then on no reader meets the document.

The record, id and reason, stands in the manifests, and no later ingest takes the document in again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from copydesk.corpus.clusters import CLUSTERED, clusters
from copydesk.corrections import canonical, differing
from copydesk.errors import ReleaseError, UsageError
from copydesk.pieces import Pieces
from copydesk.release.beside import beside
from copydesk.release.card import render_card
from copydesk.release.changes import KEYS, LEDGER, compare_keys, read_keys, reasons, render_changelog, resplit
from copydesk.release.corrections import corrections_entry, read_corrections
from copydesk.release.differences import changes_entry
from copydesk.release.draft import Tables, ordered, write_tables
from copydesk.release.folder import CARD, CHANGELOG, WORK, Folder, read_bytes, sha256_of
from copydesk.release.head import LOADABLE
from copydesk.release.keys import rebind, save_keys, shard_keys
from copydesk.release.manifest import Manifest, choose, read_card, read_manifest
from copydesk.release.marks import Marks
from copydesk.release.rows import Rows
from copydesk.schema import Schema
from copydesk.schema.fields import field_of
from copydesk.text import DUPLICATES

__all__ = ["Withdrawn", "finish", "withdraw"]

JOURNAL: Final = f"{WORK}/withdraw"
DECIDED: Final = "decided.json"


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal did: the releases that held the document, and the files that are gone."""

    id: str
    uri: str
    versions: tuple[str, ...]
    files: tuple[str, ...]


def withdraw(dataset: Path, name: str, reason: str) -> Withdrawn:
    """Take the document of id `name` out of every release of a dataset.

    Raises UsageError where no release holds it or no reason is given, ReleaseError where the folder cannot be written,
    a release is damaged, or nothing would be left of one.
    """
    if not reason.strip():
        raise UsageError("a withdrawal needs a reason, which goes on record; give --reason")
    choose(dataset, None)
    with Folder(dataset).opened() as folder:
        finish(folder)
        old = [read_manifest(dataset, one) for one in read_card(dataset)]
        keys = [_keys(dataset, manifest) for manifest in old]
        held = [name in found["id"] for found in keys]
        if not any(held):
            raise UsageError(f"{dataset}: no release holds a document {name!r}; ids are in the column `id`")
        uri = next(found.filter(id=name)["uri"][0] for found, hit in zip(keys, held, strict=True) if hit)
        record = {"id": name, "reason": " ".join(reason.split())}
        new, newest_keys = _rewritten(folder, old, keys, held, record)
        gone = _files(old) - _files(new)
        _decide(folder, new, sorted(gone))
        finish(folder)
        rebind(folder / WORK, old[-1].reference, new[-1].reference)
        if newest_keys is not None:
            save_keys(folder / WORK, new[-1].reference, newest_keys)
        folder.unstage()
        versions = tuple(one.version for one, hit in zip(old, held, strict=True) if hit)
        return Withdrawn(name, uri, versions, tuple(sorted(gone)))


def finish(folder: Folder) -> None:
    """Carry out a withdrawal that was decided; throw away one that was not."""
    journal = folder / JOURNAL
    if (journal / DECIDED).is_file():
        decided = json.loads(read_bytes(journal / DECIDED))
        for name in decided["write"]:
            folder.replace(name, read_bytes(journal / name.replace("/", "-")))
        for name in decided["delete"]:
            (folder / name).unlink(missing_ok=True)
        (journal / DECIDED).unlink()
    shutil.rmtree(journal, ignore_errors=True)


def _keys(dataset: Path, manifest: Manifest) -> pl.DataFrame:
    paths = [dataset / shard.file for shard in manifest.shards("article")]
    facts = pl.read_parquet(paths, columns=["id", "published_at", "outlet", "agency"])
    return read_keys(dataset, manifest).join(facts, on="id", how="left", maintain_order="left")


def _files(manifests: Sequence[Manifest]) -> set[str]:
    shards = {shard.file for one in manifests for table in one.body["tables"] for shard in one.shards(table)}
    said = {one.body["knowledge"]["corrections"]["file"] for one in manifests if "corrections" in one.body["knowledge"]}
    return shards | said


def _rewritten(
    folder: Folder, old: Sequence[Manifest], keys: Sequence[pl.DataFrame], held: Sequence[bool], record: dict[str, str]
) -> tuple[list[Manifest], Pieces | None]:
    """The manifests of all releases after the withdrawal, and the keys of the newest if it is another.

    New shards are in their places.
    """
    folder.unstage()
    drawn: Tables | None = None
    new: list[Manifest] = []
    after: list[pl.DataFrame] = []
    staged: dict[str, Path] = {}
    found: list[pl.DataFrame] = []
    for number, manifest in enumerate(old):
        body, drawn = dict(manifest.body), None
        kept = keys[number]
        if held[number]:
            kept = _regrouped(kept, record["id"])
            drawn = _rebuilt(folder, manifest, kept)
            staged |= drawn.staged
            body |= drawn.body
            body["knowledge"] = _unsaid(folder, body, record["id"])
        if held[number] or number == len(old) - 1:
            body["withdrawn"] = sorted([*body["withdrawn"], record], key=lambda one: one["id"])
        before = after[-1] if after else kept.clear()
        why = reasons(new[-1].body, body) if new else ""
        columns = (*KEYS, LEDGER)
        corrected = _corrected(folder, new, body)
        moved_by = (resplit(new[-1].body, body),) if new else ()
        found.append(compare_keys(before.select(columns), kept.select(columns), why, corrected, *moved_by))
        after.append(kept)
        new.append(Manifest(body))
    folder.publish(staged)
    for place, manifest in enumerate(new):
        base = new[place - 1] if place else None
        manifest.body.update(changes_entry(folder.path, base, manifest, found[place]))
    return new, drawn.keys if drawn else None


def _unsaid(folder: Folder, body: dict[str, Any], name: str) -> dict[str, Any]:
    """What a manifest says of its knowledge, without what people said of the document: that may quote it."""
    known = dict(body["knowledge"])
    if "corrections" not in known:
        return known
    said = read_corrections(folder.path, body)
    known["files"] = {file: sha for file, sha in known["files"].items() if file != known["corrections"]["file"]}
    known.pop("corrections")
    left = canonical(said.filter(pl.col("id") != name))
    if left:
        known["corrections"] = corrections_entry(left)
        known["files"][known["corrections"]["file"]] = sha256_of(left)
        folder.publish(
            folder.stage(known["corrections"]["file"], left)
        )  # read again, as what the next release is compared with
    return known


def _corrected(folder: Folder, before: Sequence[Manifest], body: dict[str, Any]) -> Sequence[str]:
    """The documents that people corrected between a release and the one before it."""
    if not before:
        return ()
    return differing(*(read_corrections(folder.path, one) for one in (before[-1].body, body)))


def _regrouped(keys: pl.DataFrame, name: str) -> pl.DataFrame:
    """The keys without the document; its copies get the earliest of those left to stand for them."""
    cluster = keys.filter(id=name)["duplicate_cluster"][0]
    left = keys.filter(pl.col("id") != name)
    if cluster is None:
        return left
    mine = pl.col("duplicate_cluster").eq_missing(cluster)
    copies = left.filter(mine).with_columns(group="duplicate_cluster").drop(CLUSTERED)
    split = pl.lit(keys.filter(id=name)["split"][0])
    first = pl.col("duplicate_of").is_null() & (pl.col("split") == DUPLICATES)
    again = clusters(copies).with_columns(split=pl.when(first).then(split).otherwise("split"))
    return pl.concat([left.filter(~mine), again.select(left.columns)])


def _rebuilt(folder: Folder, manifest: Manifest, keys: pl.DataFrame) -> Tables:
    """Both tables of a release, with what of its manifest hangs on them: its own shards, less what `keys` has not."""
    if not keys.height:
        raise ReleaseError(
            f"{folder / manifest.file}: nothing would be left of this release; delete the dataset instead"
        )
    schemas = {table: _schema(folder, manifest, table) for table in ("article", "ledger")}
    rows = {table: Rows(folder.path, tuple(manifest.shards(table)), (), reusable=True) for table in schemas}
    held = shard_keys(folder.path, manifest).join(keys.select("id"), on="id", how="semi", maintain_order="left")
    drawn = write_tables(folder, schemas, rows, ordered([held], folder.stage_folder(), marks=Marks.of([keys])))
    old = manifest.body["tables"]
    tables = {name: old[name] | {"splits": table["splits"]} for name, table in drawn.body["tables"].items()}
    return replace(drawn, body={**drawn.body, "tables": tables})


def _schema(folder: Folder, manifest: Manifest, table: str) -> Schema:
    """The columns as the release has them, which may not be those of today; its rows were validated once."""
    stored = pq.ParquetFile(folder / manifest.shards(table)[0].file).schema_arrow
    return Schema(table, "", "", tuple(field_of(column.name, column.type) for column in stored))


def _decide(folder: Folder, manifests: Sequence[Manifest], gone: Sequence[str]) -> None:
    """Write down all that is to be written and deleted; the last file is the decision."""
    folder.subfolder(JOURNAL)
    references = [one.reference for one in manifests]
    write = {
        CARD: render_card([one.as_written() for one in manifests[-LOADABLE:]], references).encode(),
        **{one.file: one.data for one in manifests},
        CHANGELOG: render_changelog(manifests).encode(),
        **beside(manifests[-1].as_written()),
    }
    for name, data in write.items():
        folder.replace(f"{JOURNAL}/{name.replace('/', '-')}", data)
    decided = {"write": list(write), "delete": list(gone)}
    folder.replace(f"{JOURNAL}/{DECIDED}", json.dumps(decided).encode())
