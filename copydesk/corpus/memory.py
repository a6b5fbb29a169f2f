"""Memory: sketches and compared pairs, kept from ingest to ingest in a folder that may be lost at any time.

    Memory   sketches by content, similarities by pair
    band     a column of a file of sketches

Sketches are named by the content of their article (rows.CONTENT), pairs by the keys of their texts: what is found is
right, whatever was ingested between. The files' names hold the digest of the code that made them and of Unicode's
tables; those of other digests are thrown away. A file that cannot be read counts as lost.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from copydesk.corpus.rows import CONTENT
from copydesk.corpus.shingles import U64
from copydesk.corpus.sketches import SKETCH
from copydesk.pieces import keep, read, together

__all__ = ["KEYS", "PAIR", "SKETCHED", "Memory", "band"]

SKETCHED: Final = pl.Schema({**CONTENT, **SKETCH})
"""A file of sketches: one row a content."""

NAMES: Final = ("key", "check", "key_2", "check_2")
PAIR: Final = pl.Schema({**dict.fromkeys(NAMES, pl.UInt64()), "similarity": pl.Float64()})
"""A file of pairs: the keys of two texts, the lesser first, and their Jaccard similarity."""

NAMED: Final = CONTENT.names()
KEYS: Final = ("key", "check", "shingles")
TOGETHER: Final = 50_000
"""Sketches that are in memory together, 15 MB."""

Ints = npt.NDArray[np.int64]

MADE_BY: Final = ("bodies.py", "folding.py", "shingles.py", "sketches.py", "pairs.py", "verifying.py")


@dataclass
class Memory:
    """What is known of texts. `main` is the file of sketches that lasts, `parts` those that came with this run."""

    folder: Path
    main: Path
    pairs: Path
    parts: list[Path] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, sketched: Sequence[Path] = ()) -> Memory:
        """What lies in the folder, and the files of sketches (columns SKETCHED) that this run has made already."""
        digest = _digest()
        main, pairs = (folder / f"{name}-{digest}.arrow" for name in ("sketches", "pairs"))
        for path in (*folder.glob("sketches-*"), *folder.glob("pairs-*")):
            if path not in (main, pairs) or not _sound(path, SKETCHED if path == main else PAIR):
                path.unlink()
        return cls(folder, main, pairs, list(sketched))

    def sketched(self, contents: pl.DataFrame) -> tuple[Ints, Ints]:
        """Of each of these contents (columns CONTENT) the row of its first sketch, files taken one after the other.

        And the first row of each content that has no sketch: of these the numbers are of no sketch.
        """
        known = pl.concat([pl.DataFrame(schema=CONTENT), *self._tables(NAMED)])
        first = _first(known, contents)
        return first, np.flatnonzero(first == known.height + np.arange(len(first)))

    def add_sketches(self, table: pl.DataFrame) -> None:
        """Take in the sketches of some contents."""
        path = self.folder / f"sketches-{len(self.parts):06}.part"
        table.cast(SKETCHED).rechunk().write_ipc(path)
        self.parts.append(path)

    def keep_sketches(self, rows: Ints) -> pl.DataFrame:
        """Keep the sketches in these rows (as of `sketched`, each once, sorted) and no others: KEYS of these."""
        draft, kept, start = self.folder / "sketches.draft", [pl.DataFrame(schema=SKETCHED).select(KEYS)], 0

        def chosen() -> Iterator[pl.DataFrame]:
            nonlocal start
            for table in self._tables():
                first, last = np.searchsorted(rows, (start, start + table.height))
                some = table[rows[first:last] - start]
                start += table.height
                kept.append(some.select(KEYS))
                yield some

        keep(draft, SKETCHED, together(chosen(), TOGETHER))
        draft.replace(self.main)
        for path in self.folder.glob("sketches-*.part"):
            path.unlink()
        self.parts.clear()
        return pl.concat(kept, rechunk=True)

    def _tables(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        return (table for path in self._files() for table in read(path, columns))

    def similarities(self, pairs: pl.DataFrame) -> npt.NDArray[np.float64]:
        """The similarity of pairs (columns NAMES), in their order; not a number where it is not known."""
        known = pl.read_ipc(self.pairs) if self.pairs.exists() else pl.DataFrame(schema=PAIR)
        found = pairs.select(NAMES).join(known, on=NAMES, how="left", maintain_order="left")["similarity"]
        return found.fill_null(float("nan")).to_numpy().copy()

    def keep_similarities(self, pairs: pl.DataFrame) -> None:
        """Keep the similarities of these pairs (columns PAIR) and no others."""
        draft = self.folder / "pairs.draft"
        pairs.cast(PAIR).rechunk().write_ipc(draft)
        draft.replace(self.pairs)

    def _files(self) -> list[Path]:
        return [*([self.main] if self.main.exists() else []), *self.parts]


def band(path: Path, name: str) -> U64:
    """A column of a file of sketches (Memory.main)."""
    return np.concatenate([np.zeros(0, np.uint64), *(one[name].to_numpy() for one in read(path, [name]))])


def _digest() -> str:
    """16 hexadecimal digits over the code that sketches and compares, and the version of Unicode."""
    whole = hashlib.sha256(unicodedata.unidata_version.encode())
    for name in MADE_BY:
        whole.update((files("copydesk.corpus") / name).read_bytes())
    return whole.hexdigest()[:16]


def _sound(path: Path, schema: pl.Schema) -> bool:
    """Whether a file can be read whole and has these columns."""
    try:
        return all(piece.schema == schema for piece in read(path))
    except (OSError, pa.ArrowInvalid, pl.exceptions.PolarsError):
        return False


def _first(known: pl.DataFrame, wanted: pl.DataFrame) -> Ints:
    """Of each wanted row the first of all rows, the known ones before the wanted, that has the same content.

    By sorting: of two columns of numbers a hash table takes five times the memory.
    """
    one, two = (np.concatenate([table[name].to_numpy() for table in (known, wanted)]) for name in NAMED)
    order = np.lexsort((two, one))
    new = np.ones(len(order), dtype=np.bool_)
    for column in (one, two):
        column[:] = column[order]
    new[1:] = (one[1:] != one[:-1]) | (two[1:] != two[:-1])
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return first[known.height :].copy()
