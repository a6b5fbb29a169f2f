"""Knowledge: what judging a document knows beyond the document itself.

A `Knowledge` is immutable, content-addressed and the only thing besides the document and the code that a judgement
depends on. `corpus.learn` makes it from surveys, the release keeps it, `judge` reads it. Its tables:

    repeated   site (str), key (u64: lines.repetition.line_key of a line), documents (u32: distinct documents of the
               site that hold the line, near-duplicates counted once); only lines in two or more documents
    headlines  key (u64: the line_key of a document's own headline), documents (u32: how many documents it heads)
    tags       tag (str), documents (u32): topics and persons seen one to a line, to split the glued ones
    sites      document id (str), site (str): sites that only the corpus shows (shared furniture)

Corrections of people (`corrections`, a table CORRECTIONS) always win. They have a digest of their own, which is no part
of `digest`: what one of them says holds for its document alone, so a new one judges that again and not the corpus.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from copydesk.corrections import EMPTY, canonical, read_canonical
from copydesk.errors import ReleaseError

__all__ = ["TABLES", "Knowledge"]

TABLES: Final[dict[str, pl.Schema]] = {
    "repeated": pl.Schema({"site": pl.String(), "key": pl.UInt64(), "documents": pl.UInt32()}),
    "headlines": pl.Schema({"key": pl.UInt64(), "documents": pl.UInt32()}),
    "tags": pl.Schema({"tag": pl.String(), "documents": pl.UInt32()}),
    "sites": pl.Schema({"id": pl.String(), "site": pl.String()}),
}


CORRECTED: Final = "corrections.jsonl"


SLICE: Final = 100_000
"""Rows that are text at once, while the digest is reckoned."""


def _text(table: pl.DataFrame, *, header: bool) -> bytes:
    """A text form, which outlives the versions of the binary ones."""
    buffer = io.BytesIO()
    table.write_csv(buffer, include_header=header)
    return buffer.getvalue()


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=TABLES[name])


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Corpus-wide facts, frozen. `Knowledge()` is the shipped one: it knows no corpus."""

    repeated: pl.DataFrame = field(default_factory=lambda: _empty("repeated"))
    headlines: pl.DataFrame = field(default_factory=lambda: _empty("headlines"))
    tags: pl.DataFrame = field(default_factory=lambda: _empty("tags"))
    sites: pl.DataFrame = field(default_factory=lambda: _empty("sites"))
    profiles: str = ""
    """Digest of the profiles it was learned with; the profiles themselves are files of the project or the package."""
    documents: int = 0
    """How many documents it was learned from: when the corpus has doubled, it is learned anew."""
    corrections: pl.DataFrame = field(default_factory=lambda: EMPTY)

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of SHA-256 over the tables learned, sorted, and the facts beside them."""
        whole = hashlib.sha256(json.dumps([self.profiles, self.documents]).encode())
        for name in TABLES:
            table = self._sorted(name)
            whole.update(name.encode() + b"\0" + _text(table.clear(), header=True))
            for part in table.iter_slices(SLICE):
                whole.update(_text(part, header=False))
        return whole.hexdigest()[:32]

    def learned(self) -> Knowledge:
        """The same without the corrections."""
        return replace(self, corrections=EMPTY)

    def _sorted(self, name: str) -> pl.DataFrame:
        table: pl.DataFrame = getattr(self, name)
        return table.select(list(TABLES[name])).cast(TABLES[name]).sort(list(TABLES[name])).rechunk()

    def save(self, folder: Path) -> None:
        """Write the tables as IPC files and `knowledge.json` into `folder`, which must exist."""
        for name in TABLES:
            # The oldest layout of strings: that of the newer ones shows how the table came about.
            self._sorted(name).write_ipc(
                folder / f"{name}.arrow", compression="zstd", compat_level=pl.CompatLevel.oldest()
            )
        if self.corrections.height:
            (folder / CORRECTED).write_bytes(canonical(self.corrections))
        facts = {"digest": self.digest, "profiles": self.profiles, "documents": self.documents}
        (folder / "knowledge.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Knowledge:
        """Read what `save` wrote; raises ReleaseError where a file is missing or its digest is another."""
        try:
            facts = json.loads((folder / "knowledge.json").read_text(encoding="utf-8"))
            tables: dict[str, Any] = {name: pl.read_ipc(folder / f"{name}.arrow") for name in TABLES}
            known = cls(**tables, profiles=facts["profiles"], documents=facts["documents"])
            if (folder / CORRECTED).exists():
                known = replace(known, corrections=read_canonical((folder / CORRECTED).read_bytes()))
        except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
            raise ReleaseError(
                f"{folder}: the knowledge cannot be read ({error}); run ingest with --relearn"
            ) from error
        if known.digest != facts["digest"]:
            raise ReleaseError(
                f"{folder}: the knowledge is not what its digest {facts['digest']} says; run ingest with --relearn"
            )
        return known
