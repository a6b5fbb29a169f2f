"""Files: a job's raw files as columns; an object is made only of one that is worked on.

    FILES    the columns
    Place    what holds for all files of a source
    Files    the files, as a sequence of RawFile

A corpus has a hundred thousand files of which an ingest works on a few: what is compared with the last ingest are whole
columns, and what path and sidecar say of a file is made out when it is read. `given` is the digest of all that is said
of a file beside its bytes: of the settings of its source, its row in the sidecar, and what people corrected in it. What
its path says hangs on the settings and its uri. Of containers and pages it has also how they are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, overload

import polars as pl

from copydesk.digests import digest
from copydesk.locations import Location
from copydesk.sources.given import given, sidecar_of, sidecar_row
from copydesk.sources.kinds import kind_of
from copydesk.sources.tables import Asked, RawFile, document_id
from copydesk.uris import name_of

__all__ = ["FILES", "Files", "Place", "with_ids"]

FILES: Final = pl.Schema(
    {
        "source": pl.String(),
        "uri": pl.String(),
        "size": pl.Int64(),
        "modified": pl.Int64(),
        "many": pl.Boolean(),
        "given": pl.String(),
        "place": pl.UInt32(),
        "url": pl.String(),
    }
)
"""`modified` as in RawFile; `many`: a container; `place`: the number of its Place; `url`: where it is on a store."""


@dataclass(frozen=True)
class Place:
    """A source's files lie in the folder `root`, None on a store; `said`, `years` and `asked` hold for all of them."""

    source: str
    root: Path | None
    said: Mapping[str, str] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    asked: Asked = Asked()  # noqa: RUF009 -- frozen

    def digest(self, *, how: bool) -> str:
        """16 hexadecimal digits over what is said of all files; with `how` also over how they are read."""
        asked = self.asked.as_said if how else None
        return digest([dict(self.said), self.asked.pattern, self.years, asked])

    def digests(self, uris: Sequence[str], hows: Sequence[bool]) -> list[str]:
        """The column `given` of some files; `hows` tells the containers and pages."""
        either = (self.digest(how=False), self.digest(how=True))
        sidecar = sidecar_of(self.asked)
        if not sidecar:
            return [either[how] for how in hows]
        rows = (sidecar_row(sidecar, (uri,)) for uri in uris)
        return [digest([either[how], row]) if row else either[how] for how, row in zip(hows, rows, strict=True)]

    def file(self, row: Mapping[str, Any]) -> RawFile:
        """The file of a row of FILES."""
        uri, asked = row["uri"], self.asked
        kind = kind_of(uri, separated=asked.separator is not None)
        assert kind is not None  # noqa: S101  of another format it would have been refused
        said = dict(self.said) if kind.many else given(self.said, asked, sidecar_of(asked), (uri,))
        path: Location = row["url"] if self.root is None else self.root / os.fsdecode(name_of(uri))
        return RawFile(path, self.source, uri, row["size"], row["modified"], kind, said, self.years, asked)


@dataclass(frozen=True)
class Files(Sequence[RawFile]):
    """Files in an order (columns FILES and maybe others); slices and filters have the same places."""

    table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FILES))
    places: tuple[Place, ...] = ()

    def __len__(self) -> int:
        return self.table.height

    @overload
    def __getitem__(self, at: int) -> RawFile: ...
    @overload
    def __getitem__(self, at: slice) -> Files: ...
    def __getitem__(self, at: int | slice) -> RawFile | Files:
        if isinstance(at, slice):
            return replace(self, table=self.table[at])
        return self._file(self.table.row(at, named=True))

    def __iter__(self) -> Iterator[RawFile]:
        for row in self.table.iter_rows(named=True):
            yield self._file(row)

    def _file(self, row: Mapping[str, Any]) -> RawFile:
        place: Place = self.places[row["place"]]
        return place.file(row)

    def filter(self, chosen: pl.Expr) -> Files:
        """Those of them that an expression over the columns chooses."""
        return replace(self, table=self.table.filter(chosen))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The names of their sources, sorted."""
        return tuple(self.table["source"].unique().sort())

    @classmethod
    def together(cls, some: Iterable[Files]) -> Files:
        """The files of several; one that is in two of them once."""
        parts = list(some)
        starts = [sum(len(one.places) for one in parts[:number]) for number in range(len(parts))]
        tables = [one.table.with_columns(pl.col("place") + start) for one, start in zip(parts, starts, strict=True)]
        table = pl.concat([pl.DataFrame(schema=FILES), *tables], how="vertical_relaxed").cast(FILES)
        if len(parts) > 1:
            table = table.unique(["source", "uri"], keep="first", maintain_order=True)
        return cls(table, tuple(place for one in parts for place in one.places))

    def with_corrections(self, said: Mapping[tuple[str, str], str]) -> Files:
        """The same where people said something of some of them: (source, uri) to its digest."""
        if not said:
            return self
        told = pl.DataFrame([(*key, one) for key, one in said.items()], schema=("source", "uri", "said"), orient="row")
        joined = self.table.join(told, on=["source", "uri"], how="left", maintain_order="left")
        both = joined.select(pl.when(pl.col("said").is_not_null()).then(pl.concat_str("given", "said", separator=" ")))
        digests = [None if one is None else digest([one]) for one in both.to_series()]
        new = pl.coalesce(pl.Series(digests, dtype=pl.String), "given").alias("given")
        return replace(self, table=joined.drop("said").with_columns(new))


def with_ids(table: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Files with their `id`: out of `known` (columns source, uri, id and others, which come along), else made."""
    names = table.select("source", "uri")
    # Beside the table's own columns, which are shared and not copied: a corpus may have a million files.
    told = names.join(known, on=["source", "uri"], how="left", maintain_order="left").drop("source", "uri")
    rows = told["id"].is_null().arg_true()
    made = [document_id(source, uri) for source, uri in names[rows].iter_rows()]
    ids = told["id"].scatter(rows, made) if len(made) < table.height else pl.Series("id", made, dtype=pl.String)
    return table.hstack(told.with_columns(ids))
