"""Patches: what must be known beside an older release to have a newer one, exactly, in one file.

    write_patch   two releases of a dataset to a patch file
    Patch         a patch file, opened
    replay        an older release and a patch to a folder with the newer one

A patch is a ZIP file without compression of its own (its tables are compressed), the same bytes for the same releases:

    patch.json              which releases, by version and hash of their content, and the ids that are gone
    release.json            the newer manifest
    articles.parquet        rows whose content is new or another, whole
    marks.parquet           id and corpus-wide columns (duplicates, split) of rows that differ only there
    ledger.parquet          all ledger rows of documents with any that differ
    knowledge/, quarantine/ files that the older release does not have

Rows come back by the way that writes every release: keys, order, shards. So with the same libraries the shards are the
newer release's files, byte for byte, and with others its rows, by the hash of their content; anything else is refused.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copydesk.errors import ReleaseError, UsageError, VerifyError
from copydesk.release.changes import KEYS, LEDGER, read_keys
from copydesk.release.draft import Tables, ordered, write_tables
from copydesk.release.folder import WORK, Folder, read_bytes, sha256_of
from copydesk.release.keys import KEYS as ALL_KEYS
from copydesk.release.keys import article_keys, ledger_keys, shard_keys
from copydesk.release.manifest import Manifest, choose, read_card, read_manifest
from copydesk.release.marks import Marks
from copydesk.release.renewal import put_card, renew
from copydesk.release.rows import Rows
from copydesk.release.sides import own_shards, read_shard
from copydesk.schema import Schema
from copydesk.schema.fields import field_of
from copydesk.text import MARKED

__all__ = ["Patch", "replay", "write_patch"]

FORMAT: Final = 1
HEAD: Final = "patch.json"
MANIFEST: Final = "release.json"
TABLES: Final = {"article": "articles.parquet", "ledger": "ledger.parquet"}
MARKS: Final = "marks.parquet"
LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP file can tell: no clock in a patch."""


def write_patch(dataset: Path, old: str, new: str, path: Path) -> dict[str, int]:
    """Write what leads from one release of a dataset to another; gives the numbers of rows of each kind.

    Raises ReleaseError where there is no such release, or one was published in part; UsageError where `path` is there.
    """
    before, after = (read_manifest(dataset, choose(dataset, version)) for version in (old, new))
    for one in (before, after):
        if "publication" in one.body or set(one.body["tables"]) != set(TABLES):
            raise ReleaseError(f"{dataset}: release {one.version} was published in part, so there is nothing to replay")
    if path.exists():
        raise UsageError(f"{path}: is there already; name a new file")
    differing = _Differing.of(dataset, before, after)
    with TemporaryDirectory(dir=path.parent) as folder:
        parts = {MARKS: Path(folder) / MARKS}
        differing.marks.write_parquet(parts[MARKS], compression="zstd")
        for table, name in TABLES.items():
            parts[name] = Path(folder) / name
            _write_rows(dataset, after, before, table, differing.ids[table], parts[name])
        draft = Path(folder) / "patch"
        _packed(draft, dataset, before, after, differing, parts)
        draft.replace(path)
    return {
        **{name: len(ids) for name, ids in differing.ids.items()},
        "marks": differing.marks.height,
        "removed": len(differing.removed),
    }


@dataclass(frozen=True)
class _Differing:
    """What differs between two releases: ids by table, marks, and the ids that are gone."""

    ids: dict[str, pl.Series]
    marks: pl.DataFrame
    removed: list[str]

    @classmethod
    def of(cls, dataset: Path, before: Manifest, after: Manifest) -> _Differing:
        keys = [read_keys(dataset, *pair).select(*KEYS, LEDGER) for pair in ((before, after), (after, before))]
        both = keys[1].join(keys[0], on="id", how="left", suffix="_old", maintain_order="left")
        other = {name: pl.col(name).ne_missing(pl.col(f"{name}_old")) for name in (*KEYS, LEDGER) if name != "id"}
        whole = pl.any_horizontal(other[name] for name in other if name not in (*MARKED, LEDGER))
        marked = pl.any_horizontal(other[name] for name in MARKED)
        older = {table: body["columns"] for table, body in before.body["tables"].items()}
        newer = {table: body["columns"] for table, body in after.body["tables"].items()}
        rows = both.filter(whole) if older["article"] == newer["article"] else both
        lines = both.filter(other[LEDGER]) if older["ledger"] == newer["ledger"] else both
        removed = keys[0].join(keys[1], on="id", how="anti")["id"].sort()
        marks = both.filter(marked & ~pl.col("id").is_in(rows["id"].implode())).select("id", *MARKED)
        return cls({"article": rows["id"], "ledger": lines["id"]}, marks.sort("id"), removed.to_list())


def _write_rows(dataset: Path, manifest: Manifest, other: Manifest, table: str, ids: pl.Series, path: Path) -> None:
    """The rows of the documents, in the release's order, a shard at a time."""
    schema = _schema(dataset, manifest, table).arrow
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for shard in own_shards(manifest, other, table):
            rows = read_shard(dataset / shard.file, None, ids)
            if rows.height:
                held = rows.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
                writer.write_table(held.cast(schema).combine_chunks())


def _schema(dataset: Path, manifest: Manifest, table: str) -> Schema:
    """The columns as the release has them."""
    stored = pq.ParquetFile(dataset / manifest.shards(table)[0].file).schema_arrow
    return Schema(table, "", "", tuple(field_of(column.name, column.type) for column in stored))


def _files(manifest: Manifest) -> dict[str, str]:
    """The files of a release beside its tables, with their SHA-256."""
    quarantine = manifest.body["quarantine"]
    held = {quarantine["file"]: quarantine["sha256"]} if quarantine["file"] else {}
    return {**manifest.body["knowledge"]["files"], **held}


def _packed(
    path: Path, dataset: Path, before: Manifest, after: Manifest, differing: _Differing, parts: dict[str, Path]
) -> None:
    head = {
        "format": FORMAT,
        "name": after.body["name"],
        **{
            word: {"version": one.version, "content": one.body["content"]}
            for word, one in (("old", before), ("new", after))
        },
        "removed": differing.removed,
    }
    said = {HEAD: (json.dumps(head, indent=1, sort_keys=True) + "\n").encode(), MANIFEST: after.data}
    known = _files(before)
    said |= {name: read_bytes(dataset / name) for name in sorted(_files(after)) if name not in known}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as whole:
        for name, data in said.items():
            whole.writestr(zipfile.ZipInfo(name, LONG_AGO), data)
        for name, file in sorted(parts.items()):
            with whole.open(zipfile.ZipInfo(name, LONG_AGO), "w", force_zip64=True) as sink, file.open("rb") as stream:
                while data := stream.read(1 << 20):
                    sink.write(data)


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the parts of a patch into a UsageError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such patch; make one with copydesk diff --patch") from error
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{path}: is no patch of copydesk, or a damaged one ({error}); make one with copydesk diff --patch"
        ) from error


class Patch:
    """A patch file, opened. Raises UsageError where it is none, ReleaseError where it names files outside a folder.

    Nothing in it may be compressed by ZIP: so what is read of it is no larger than the file.
    """

    def __init__(self, path: Path) -> None:
        with _read(path):
            self.zip = zipfile.ZipFile(path)
            for one in self.zip.infolist():
                if one.compress_type != zipfile.ZIP_STORED or one.file_size != one.compress_size:
                    raise ValueError(f"{one.filename!r} in it is compressed")
            self.head: dict[str, Any] = json.loads(self.zip.read(HEAD))
            self.manifest = Manifest(json.loads(self.zip.read(MANIFEST)))
            if self.head["format"] == FORMAT:
                _ = self.head["old"]["content"], self.head["old"]["version"], self.head["name"], self.head["removed"]
        if self.head["format"] != FORMAT:
            raise UsageError(
                f"{path}: has format {self.head['format']}, this copydesk reads {FORMAT}; use a newer copydesk"
            )
        self.manifest.check_names(path / MANIFEST)
        self.path = path

    def opened(self, name: str) -> IO[bytes]:
        """One of its files."""
        return self.zip.open(name)

    def unpacked(self, table: str, folder: Path) -> Path:
        """The rows of a table as an Arrow IPC file in a folder, a row group at a time."""
        path = folder / f"{table}.arrow"
        with self.opened(TABLES[table]) as stream:
            rows = pq.ParquetFile(stream)
            with pa.ipc.new_file(str(path), rows.schema_arrow) as sink:
                for batch in rows.iter_batches(4_096):
                    sink.write_batch(batch)
        return path

    def marks(self) -> pl.DataFrame:
        """Id and MARKED of the rows that differ only there."""
        return pl.read_parquet(self.zip.read(MARKS))


def replay(dataset: Path, path: Path, into: Path) -> Manifest:
    """Write the newer release of a patch into a new folder, from the older one in `dataset`; gives its manifest.

    The folder is a dataset of that one release: it loads, and `verify` finds it whole. Raises UsageError where the
    patch does not fit the dataset, or the folder holds something; VerifyError where other rows than the newer
    release's come out.
    """
    patch = Patch(path)
    older = _older(dataset, patch)
    if into.exists() and any(into.iterdir()):
        raise UsageError(f"{into}: is not empty; give a new folder")
    with Folder(into).opened() as folder, _emptied(into):
        drawn = _drawn(folder, dataset, older, patch)
        if drawn.body["content"] != patch.manifest.body["content"]:
            raise VerifyError(f"{path}: its rows and those of {older.version} do not make {patch.manifest.version}")
        carried = list(_carried(dataset, patch))
        folder.publish(drawn.staged)
        for name, data in carried:
            folder.replace(name, data)
        manifest = _told(patch.manifest, drawn.body)
        folder.replace(manifest.file, manifest.data)
        put_card(folder, [manifest], [manifest.reference])
        renew(folder, [manifest.reference])
        folder.unstage()
    return manifest


@contextmanager
def _emptied(into: Path) -> Iterator[None]:
    """Leave a folder that was empty as empty where what is done in it fails: it can be given again."""
    try:
        yield
    except BaseException:
        for child in into.iterdir() if into.is_dir() else ():
            shutil.rmtree(child, ignore_errors=True) if child.is_dir() else child.unlink()
        raise


def _drawn(folder: Folder, dataset: Path, older: Manifest, patch: Patch) -> Tables:
    """The tables of the newer release, staged."""
    work = folder.subfolder(f"{WORK}/replay")
    with _read(patch.path):
        batches = {table: patch.unpacked(table, work) for table in TABLES}
        keys = _keys(dataset, older, patch, batches)
        schemas = {table: _schema_of(batches[table], table) for table in TABLES}
        rows = {table: Rows(dataset, tuple(older.shards(table)), (batches[table],), reusable=False) for table in TABLES}
        drawn = write_tables(folder, schemas, rows, ordered([keys], work, marks=Marks.of([keys])))
    shutil.rmtree(work)
    return drawn


def _older(dataset: Path, patch: Patch) -> Manifest:
    """The release that a patch is for, by what its rows say."""
    wanted = patch.head["old"]
    for reference in reversed(read_card(dataset)):
        manifest = read_manifest(dataset, reference)
        if manifest.body["content"] == wanted["content"]:
            return manifest
    raise UsageError(
        f"{dataset}: holds no release with the rows that {patch.path} is for ({patch.head['name']} {wanted['version']})"
    )


def _keys(dataset: Path, older: Manifest, patch: Patch, batches: dict[str, Path]) -> pl.DataFrame:
    """The keys of the newer release: those of the older one, with the patch's in their place."""
    held = shard_keys(dataset, older)
    held = held.filter(~pl.col("id").is_in(patch.head["removed"]))
    held = held.update(patch.marks(), on="id", how="left", include_nulls=True)
    articles = article_keys(pl.read_ipc(batches["article"]), len(older.shards("article")))
    ledger = ledger_keys(pl.read_ipc(batches["ledger"]), len(older.shards("ledger")))
    of_ledger = [name for name in ledger.columns if name != "id"]
    left = held.filter(~pl.col("id").is_in(articles["id"].implode())).drop(of_ledger)
    lines = pl.concat(
        [
            held.filter(~pl.col("id").is_in(ledger["id"].implode())).select("id", *of_ledger),
            ledger.select("id", *of_ledger),
        ]
    )
    whole = pl.concat([left, articles.select(left.columns)])
    return whole.join(lines, on="id", how="left", maintain_order="left").select(ALL_KEYS.names()).cast(ALL_KEYS)


def _schema_of(path: Path, table: str) -> Schema:
    """The columns of a patch's table: those of the newer release."""
    with pa.memory_map(str(path)) as stream:
        stored = pa.ipc.open_file(stream).schema
    return Schema(table, "", "", tuple(field_of(column.name, column.type) for column in stored))


def _carried(dataset: Path, patch: Patch) -> Iterator[tuple[str, bytes]]:
    """Knowledge and quarantine of the newer release, out of the patch or from the older release's folder."""
    inside = set(patch.zip.namelist())
    for name, digest in _files(patch.manifest).items():
        data = patch.zip.read(name) if name in inside else read_bytes(dataset / name)
        if sha256_of(data) != digest:
            raise VerifyError(f"{patch.path}: {name} is not what the release says; make the patch again")
        yield name, data


def _told(manifest: Manifest, drawn: dict[str, Any]) -> Manifest:
    """The newer manifest, with the shards as these libraries wrote them; its other tables' words stay."""
    told = manifest.body["tables"]
    tables = {name: told[name] | {"splits": table["splits"]} for name, table in drawn["tables"].items()}
    return Manifest({**manifest.body, **drawn, "tables": tables}).as_written()
