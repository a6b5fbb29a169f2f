"""The head of the card: the YAML that `datasets` and the Hub read.

    render_head   the head as text, from the manifests

`configs` names every data file of the newest fifty releases, so that a release loads by its number and nothing is
guessed from folders; `dataset_info` holds features and counts, which `datasets` checks and makes its cache key of;
`releases` names the manifest of every release with its SHA-256, `described` the files that go with the card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from copydesk.release.manifest import Manifest, Reference
from copydesk.release.shards import Shard
from copydesk.text import DUPLICATES

__all__ = ["LOADABLE", "language_codes", "licence_id", "render_head"]

LOADABLE: Final = 50
"""Releases that a card lists files for at most; older ones stay on disk and in `releases`."""

LISTED: Final = 100_000
"""Bytes that the lists of files may take in a card, so that with the rest it stays under 200 kB: `datasets` reads a
card of 0.4 MB in 0.8 CPU s at each load, and the Hub refuses much larger ones. The newest release is always listed."""

BETWEEN: Final = 2
"""Signs between the names of a list of files."""

LICENCES: Final = frozenset(
    {
        *("apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
        *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "odc-by", "odbl", "pddl", "unknown"),
    }
)
"""Identifiers of the Hub that are plausible for news; another licence is `other` there and stands in the body."""

SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


class _Dumper(yaml.SafeDumper):
    """No anchors, which the Hub's reader does not resolve everywhere; short lists on a line, versions quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


class _Quoted(str):
    __slots__ = ()


_Dumper.add_representer(_Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def render_head(manifests: Sequence[Manifest], references: Sequence[Reference], described: Mapping[str, str]) -> str:
    """The YAML between its two lines of dashes; `manifests` are the newest ones, both lists oldest first.

    `described` has the SHA-256 of each file that goes with the card (see beside).
    """
    newest = manifests[-1]
    listed = _listed(manifests)
    whole = {
        **_about(newest),
        "configs": [
            *(_config(one, one.version, "article", default=one is newest) for one in listed),
            *(_config(newest, name, table, default=False) for name, table in _beside(newest)),
        ],
        "dataset_info": [
            *(_info(one, one.version, "article", features=one is newest) for one in listed),
            *(_info(newest, name, table, features=True) for name, table in _beside(newest)),
        ],
        "releases": [
            {"version": _Quoted(one.version), "manifest": one.file, "sha256": _Quoted(one.sha256)} for one in references
        ],
        "described": [{"file": name, "sha256": _Quoted(digest)} for name, digest in sorted(described.items())],
    }
    return (
        "---\n"
        + yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30, default_flow_style=None)
        + "---\n"
    )


def _listed(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The releases that are listed with their files, the newest first."""
    newest, *older = list(reversed(manifests))[:LOADABLE]
    found, room = [newest], LISTED
    for one in older:
        room -= sum(len(shard.file) + BETWEEN for shard in one.shards("article"))
        if room < 0:
            break
        found.append(one)
    return found


def _beside(newest: Manifest) -> list[tuple[str, str]]:
    """Configs beside the articles, with their tables: the ledger, where it is published, and copies left out."""
    left_out = [(DUPLICATES, "article")] if DUPLICATES in newest.splits("article") else []
    return [(name, name) for name in newest.body["tables"] if name != "article"] + left_out


def _splits(manifest: Manifest, name: str, table: str) -> dict[str, list[Shard]]:
    """The splits of a config: copies that are left out of the articles have one of their own."""
    splits = manifest.splits(table)
    return {split: shards for split, shards in splits.items() if (split == DUPLICATES) == (name == DUPLICATES)}


def _about(newest: Manifest) -> dict[str, Any]:
    counts, told = newest.body["counts"], newest.body["description"]
    codes = language_codes(counts)
    size = next((name for limit, name in SIZES if counts["documents"] < limit), "n>1M")
    return {
        "pretty_name": told["title"],
        **({"language": codes} if codes else {}),
        "license": licence_id(told["licence"]),
        "size_categories": [size],
        "task_categories": ["text-generation"],
        "tags": ["news"],
        "copydesk": _Quoted(newest.body["made_with"]["copydesk"]),
    }


def language_codes(counts: Mapping[str, Any]) -> list[str]:
    """The codes of the languages, the most frequent first; variants such as `pt-BR` are left out."""
    languages = sorted(counts["by_language"].items(), key=lambda pair: (-pair[1], pair[0]))
    return [code for code, _ in languages if re.fullmatch(r"[a-z]{2,3}", code)]


def licence_id(licence: str) -> str:
    """The Hub's identifier of a licence: `other` for what it does not know, which then stands in the body."""
    word = licence.split(":", maxsplit=1)[0].strip().lower()
    return word if word in LICENCES else "other"


def _config(manifest: Manifest, name: str, table: str, *, default: bool) -> dict[str, Any]:
    splits = _splits(manifest, name, table)
    files = [{"split": split, "path": [shard.file for shard in shards]} for split, shards in splits.items()]
    return {"config_name": _Quoted(name), **({"default": True} if default else {}), "data_files": files}


def _info(manifest: Manifest, name: str, table: str, *, features: bool) -> dict[str, Any]:
    """What `datasets` is told of a config.

    Older ones go without features, which their files hold as well: with them a card of fifty versions would grow large.
    """
    shards = _splits(manifest, name, table)
    splits = [_split(split, some) for split, some in shards.items()]
    return {
        "config_name": _Quoted(name),
        "description": f"{manifest.body['name']} {manifest.version}, content {manifest.body['content'][table]}",
        **({"features": _named_first(manifest.body["tables"][table]["features"])} if features else {}),
        "splits": splits,
        "download_size": sum(shard.bytes for some in shards.values() for shard in some),
        "dataset_size": sum(split["num_bytes"] for split in splits),
    }


def _named_first(value: Any) -> Any:
    """Features with their names first: the keys of a manifest are sorted, which nobody wants to read."""
    if isinstance(value, list):
        return [_named_first(part) for part in value]
    if isinstance(value, dict):
        return {key: _named_first(value[key]) for key in sorted(value, key=lambda key: (key != "name", key))}
    return value


def _split(name: str, shards: Sequence[Shard]) -> dict[str, Any]:
    return {
        "name": name,
        "num_bytes": sum(shard.arrow_bytes for shard in shards),
        "num_examples": sum(shard.rows for shard in shards),
    }
