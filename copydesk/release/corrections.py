"""The corrections of a release: they lie beside its knowledge, named by what they say.

corrections_entry   what a manifest says of them
read_corrections    the corrections that a release was made with
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.corrections import EMPTY, digest_of, read_canonical
from copydesk.errors import VerifyError
from copydesk.release.folder import KNOWLEDGE, read_bytes

__all__ = ["corrections_entry", "read_corrections"]


def corrections_entry(data: bytes) -> dict[str, Any]:
    """Digest, number and file of the corrections that are these bytes (corrections.canonical)."""
    found = read_canonical(data)
    digest = digest_of(found)
    return {"digest": digest, "number": found.height, "file": f"{KNOWLEDGE}/corrections-{digest}.jsonl"}


def read_corrections(dataset: Path, body: Mapping[str, Any]) -> pl.DataFrame:
    """The corrections that the manifest names, an empty table where it names none.

    Raises VerifyError where the file is not what its digest says.
    """
    entry = body["knowledge"].get("corrections")
    if entry is None:
        return EMPTY
    try:
        found = read_canonical(read_bytes(dataset / entry["file"]))
    except (ValueError, pl.exceptions.PolarsError) as error:
        raise VerifyError(f"{dataset / entry['file']}: is damaged ({error}); restore the file") from error
    if digest_of(found) != entry["digest"]:
        raise VerifyError(f"{dataset / entry['file']}: is not what its digest {entry['digest']} says; restore the file")
    return found
