"""A publication: a release as others are to have it, made from the one on disk.

    derive      the manifest and the files of a release's variant
    Published   both; shards that are published as they are stay where they lie

A shard becomes a shard, row for row: what is unchanged between two releases is unchanged between their variants, so an
increment uploads what is new only. The manifest has a `publication`: which manifest it was made of, for which
repository, and what was left out or masked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.release.folder import read_bytes
from copydesk.release.manifest import Manifest
from copydesk.release.masked import mask_articles, mask_ledger
from copydesk.release.masking import Masker
from copydesk.release.quarantine import quarantine_facts
from copydesk.release.shards import Shard, arrow_table, parquet, told
from copydesk.release.tables import CONTENT, article_content
from copydesk.release.variants import Recipe, RowDigest, schema_of
from copydesk.text import span_texts

__all__ = ["Published", "derive"]


@dataclass
class Published:
    """A release's variant. `files`: name in the repository to where the bytes lie now, the manifest left out."""

    manifest: Manifest
    files: dict[str, Path] = field(default_factory=dict)


def derive(dataset: Path, manifest: Manifest, recipe: Recipe, repository: str, work: Path) -> Published:
    """A release of `dataset` by a recipe; what has to be written for it goes below `work`.

    Raises VerifyError or ReleaseError where a file of the release cannot be read.
    """
    made = _Making(dataset, manifest, recipe, work)
    body = {
        **manifest.body,
        **made.tables(),
        "examples": _examples(manifest.body["examples"], recipe),
        "knowledge": made.knowledge(),
        "quarantine": made.quarantine(),
        "publication": {
            # With all else known, the hash of a whole could tell what was masked.
            "of": None if recipe.masks else manifest.reference.sha256,
            "repository": repository,
            **recipe.as_json(),
        },
    }
    return Published(Manifest(body).as_written(), made.files)


def _examples(examples: Mapping[str, Iterable[str]], recipe: Recipe) -> dict[str, list[str]]:
    """Short texts of the ledger that may be shown; one that was cut might end within what is masked."""
    if not recipe.text:
        return {}
    masker = Masker(recipe.masks)
    fine = {
        label: [text for text in texts if not recipe.masks or (masker.text(text) == text and not text.endswith("…"))]
        for label, texts in examples.items()
    }
    return {label: texts for label, texts in fine.items() if texts}


class _Making:
    """One release in the making."""

    def __init__(self, dataset: Path, manifest: Manifest, recipe: Recipe, work: Path) -> None:
        self.dataset, self.manifest, self.recipe, self.work = dataset, manifest, recipe, work
        self.masker = Masker(recipe.masks)
        self.files: dict[str, Path] = {}

    def tables(self) -> dict[str, Any]:
        """The manifest's entries of the tables and of what their rows say."""
        old = self.manifest.body
        if self.recipe.whole:
            for table in self.recipe.tables:
                self.files |= {one.file: self.dataset / one.file for one in self.manifest.shards(table)}
            return {key: {name: old[key][name] for name in self.recipe.tables} for key in ("tables", "content")}
        ledger, ledger_content, masked = self._ledger()
        articles, content = self._articles(masked)
        if "ledger" not in self.recipe.tables:
            return {"tables": {"article": articles}, "content": {"article": content}}
        return {
            "tables": {"article": articles, "ledger": ledger},
            "content": {"article": content, "ledger": ledger_content},
        }

    def _entry(self, table: str, splits: Mapping[str, list[Shard]]) -> dict[str, Any]:
        schema = schema_of(table, self.recipe)
        return {
            "schema": schema.digest,
            "columns": schema.columns,
            "features": schema.features(),
            "splits": [{"name": name, "shards": told(shards)} for name, shards in splits.items()],
        }

    def _write(self, table: str, frame: pl.DataFrame, digest: RowDigest | None = None) -> Shard:
        schema = schema_of(table, self.recipe)
        if digest:
            digest.update(schema.conform(frame))
        rows = arrow_table(schema, frame)
        shard, data = parquet(schema, [rows])
        self._keep(shard.file, data)
        return shard

    def _keep(self, name: str, data: bytes | memoryview) -> None:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files[name] = path

    def _ledger(self) -> tuple[dict[str, Any], str, pl.DataFrame]:
        """The ledger's entry and what it says, and of the documents in which text was masked: id, text and headings."""
        digest = RowDigest()
        splits: dict[str, list[Shard]] = {}
        masked = []
        for split, shards in self.manifest.splits("ledger").items():
            for shard in shards:
                frame = pl.read_parquet(self.dataset / shard.file)
                rows, changed = mask_ledger(frame, self.masker)
                masked.append(changed)
                if "ledger" in self.recipe.tables:
                    rows = rows.with_columns(chars=span_texts(frame).str.len_chars())
                    splits.setdefault(split, []).append(self._write("ledger", rows, digest))
        return self._entry("ledger", splits), digest.hexdigest(), pl.concat(masked)

    def _articles(self, masked: pl.DataFrame) -> tuple[dict[str, Any], str]:
        """The articles' entry, and the hash of what they say."""
        splits: dict[str, list[Shard]] = {}
        keys = []
        for split, shards in self.manifest.splits("article").items():
            for shard in shards:
                frame = pl.read_parquet(self.dataset / shard.file)
                rows = mask_articles(frame, masked, self.masker, text=self.recipe.text)
                hashes = [hashlib.sha256(text.encode()).hexdigest() for text in frame["text"]]
                rows = rows.with_columns(text_sha256=pl.Series(hashes, dtype=pl.String))
                keys.append(rows.select(CONTENT))
                splits.setdefault(split, []).append(self._write("article", rows))
        return self._entry("article", splits), article_content(keys)

    def knowledge(self) -> dict[str, Any]:
        """The knowledge, whose tables hold hashes of lines and names of topics and persons: only with whole rows."""
        entry: dict[str, Any] = self.manifest.body["knowledge"]
        if not self.recipe.whole:
            return {**entry, "files": {}}
        self.files |= {name: self.dataset / name for name in entry["files"]}
        return entry

    def quarantine(self) -> dict[str, Any]:
        """The documents in quarantine, masked where the rows are."""
        entry: dict[str, Any] = self.manifest.body["quarantine"]
        if not entry["file"]:
            return entry
        if not self.recipe.masks:
            self.files[entry["file"]] = self.dataset / entry["file"]
            return entry
        rows = [json.loads(line) for line in read_bytes(self.dataset / entry["file"]).splitlines()]
        for row in rows:
            told = {name: self.masker.text(row[name]) for name in ("uri", "reason")}
            row |= {**told, "raw_sha256": None}
        lines = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode()
        facts = quarantine_facts(lines)
        self._keep(facts["file"], lines)
        return facts
