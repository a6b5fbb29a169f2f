"""Renewal: the files of a folder that are functions of its manifests, written anew where they are stale.

    put_card   the plots, then the card that shows them: the commit of a release
    put_beside CHANGELOG.md, croissant.json and the plots after it
    is_stale   whether a crash kept that from being done; is_trusted: whether all is known to be right
    renew      both, where they are not what the manifests say

A crash may have come between a card and what goes with it, or an older copydesk may have said it in other words. A card
that somebody edited is left alone: `verify` names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from copydesk.release.beside import beside, shown
from copydesk.release.card import render_card, sealed
from copydesk.release.changes import render_changelog
from copydesk.release.facts import code_digest
from copydesk.release.folder import CARD, CHANGELOG, CROISSANT, WORK, Folder, read_bytes
from copydesk.release.head import LOADABLE
from copydesk.release.keys import has_keys
from copydesk.release.manifest import Manifest, Reference, read_manifest
from copydesk.release.plots import PLOTS

__all__ = ["is_stale", "is_trusted", "put_beside", "put_card", "renew"]

STALE: Final = "stale"
"""A file that is there from the card on until all that follows it is written."""


def put_card(folder: Folder, manifests: Sequence[Manifest], references: Sequence[Reference]) -> None:
    """Replace the card; `manifests` are those of the newest releases, as `render_card` takes them."""
    (folder.subfolder(WORK) / STALE).touch()
    for name, data in shown(manifests[-1]).items():
        _put(folder, name, data)
    folder.replace(CARD, render_card(manifests[-LOADABLE:], references).encode())


def renew(folder: Folder, references: Sequence[Reference]) -> None:
    """Make a folder what its manifests say; `references` are the releases that its card names."""
    if not references:
        return
    manifests = [read_manifest(folder.path, one) for one in references]
    text = read_bytes(folder / CARD).decode("utf-8", "replace")
    if text != render_card(manifests[-LOADABLE:], references):
        if not sealed(text):
            (folder / WORK / STALE).unlink(missing_ok=True)
            return
        put_card(folder, manifests, references)
    put_beside(folder, manifests)


def put_beside(folder: Folder, manifests: Sequence[Manifest]) -> None:
    """Write what follows the card; `manifests` are those of all releases."""
    _put(folder, CHANGELOG, render_changelog(manifests).encode())
    wanted = beside(manifests[-1])
    for name, data in wanted.items():
        _put(folder, name, data)
    for path in (folder / PLOTS).glob("*.svg"):
        if f"{PLOTS}/{path.name}" not in wanted:
            path.unlink()
    (folder / WORK / STALE).unlink(missing_ok=True)


def is_stale(dataset: Path) -> bool:
    """Whether a run ended between the card and what is written after it, so that `renew` has something to do."""
    return (dataset / WORK / STALE).exists()


def is_trusted(dataset: Path, newest: Reference, manifest: Manifest) -> bool:
    """Whether the folder is known to be what this copydesk makes of its manifests, so that it need not be compared.

    Where the caches of the newest release are gone, a mark that something is stale may be gone with them.
    """
    same = manifest.body["digests"]["code"] == code_digest()
    there = all((dataset / name).is_file() for name in (CHANGELOG, CROISSANT))
    return same and there and not is_stale(dataset) and has_keys(dataset / WORK, newest)


def _put(folder: Folder, name: str, data: bytes) -> None:
    path = folder / name
    if not path.is_file() or path.read_bytes() != data:
        folder.replace(name, data)
