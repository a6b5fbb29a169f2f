"""croissant.json: the newest release in the words of MLCommons' Croissant 1.1, a function of its manifest.

    render_croissant   the file's text

A record set for each table, a field for each column and each part of one, and a file object with SHA-256 for each
shard. The record sets read from file sets that name the shards, because a record set reads from one thing only. Paths
are relative to the file, so that `mlcroissant` reads the folder where it stands, offline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from copydesk.release.citation import bibtex, standing_words
from copydesk.release.folder import CROISSANT
from copydesk.release.head import language_codes
from copydesk.release.manifest import Manifest
from copydesk.release.variants import recipe_of, schema_of
from copydesk.schema.fields import Field

__all__ = ["CROISSANT", "render_croissant"]

PARQUET: Final = "application/x-parquet"

CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The names of the standard, as `mlcroissant` writes them."""

TYPES: Final = {
    "string": "sc:Text",
    "binary": "sc:Text",
    "bool": "sc:Boolean",
    "int8": "cr:Int8",
    "int16": "cr:Int16",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float32": "cr:Float32",
    "float64": "cr:Float64",
    "timestamp[us, UTC]": "sc:DateTime",
}
"""Croissant has no type for bytes; its reader gives every text as bytes."""

KEYS: Final = {"article": ("id",), "ledger": ("id", "line", "span")}


def render_croissant(manifest: Manifest) -> str:
    """The text of croissant.json for a release."""
    body = manifest.body
    told = body["description"]
    whole = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": body["name"],
        "alternateName": told["title"],
        "description": told["text"] or standing_words(body),
        "version": manifest.version,
        "license": told["licence"],
        "citeAs": bibtex(body),
        **({"datePublished": body["date"]} if body["date"] else {}),
        **({"inLanguage": language_codes(body["counts"])} if language_codes(body["counts"]) else {}),
        **({"url": told["url"]} if told.get("url") else {}),
        "keywords": ["news"],
        **_creators(told.get("authors", ())),
        "distribution": [part for table in body["tables"] for part in _distribution(manifest, table)],
        "recordSet": [_record_set(manifest, table) for table in body["tables"]],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _creators(authors: Sequence[str]) -> dict[str, Any]:
    return {"creator": [{"@type": "sc:Person", "name": name} for name in authors]} if authors else {}


def _distribution(manifest: Manifest, table: str) -> Iterator[dict[str, Any]]:
    shards = manifest.shards(table)
    for shard in shards:
        yield {
            "@type": "cr:FileObject",
            "@id": shard.file,
            "name": shard.file.rsplit("/", 1)[-1],
            "contentUrl": shard.file,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": PARQUET,
            "sha256": shard.sha256,
        }
    yield {
        "@type": "cr:FileSet",
        "@id": f"{table}-shards",
        "name": f"{table}-shards",
        "description": f"The shards of the {table} table of release {manifest.version}.",
        "encodingFormat": PARQUET,
        "includes": [shard.file for shard in shards],
    }


def _record_set(manifest: Manifest, table: str) -> dict[str, Any]:
    schema = schema_of(table, recipe_of(manifest.body))
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": schema.description,
        "key": [{"@id": f"{table}/{name}"} for name in KEYS[table]],
        "field": [_field(table, column, column.name, f"{table}/{column.name}") for column in schema.fields],
    }


def _field(table: str, column: Field, top: str, name: str, path: str = "") -> dict[str, Any]:
    """One column or one part of one: `path` leads from the column `top` to the part."""
    held = column.item or column
    several = {"isArray": True, "arrayShape": "-1"} if column.item is not None else {}
    described = {"description": column.description} if column.description else {}
    head = {"@type": "cr:Field", "@id": name, "name": name, **described, **several}
    if held.inner:
        parts = [_field(table, part, top, f"{name}/{part.name}", f"{path}.{part.name}") for part in held.inner]
        return {**head, "subField": parts}
    source: dict[str, Any] = {"fileSet": {"@id": f"{table}-shards"}, "extract": {"column": top}}
    if path:
        source["transform"] = {"jsonPath": f"${path}"}
    return {**head, "dataType": TYPES[held.physical], "source": source}
