"""Marks: what other documents decide of each article (text.MARKED), to be looked up by id.

Nine bytes for an article, and a row of texts for those few that have copies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.errors import ReleaseError
from copydesk.text import MARKED

__all__ = ["Marks", "numbers"]

RARE: Final = tuple(name for name in MARKED if name != "split")

Numbers = NDArray[np.uint64]


def numbers(ids: pl.Series) -> Numbers:
    """The first 64 bits of ids, which are hexadecimal digits."""
    found: Numbers = ids.str.head(16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
    return found


@dataclass(frozen=True)
class Marks:
    """The marks of articles, by number; `copies` are the numbers of those that have more than a split."""

    articles: Numbers
    split: pl.Series
    copies: Numbers
    rare: pl.DataFrame
    """Columns RARE of `copies`, and at the end a row without any."""

    @classmethod
    def of(cls, tables: Iterable[pl.DataFrame]) -> Self:
        """The marks that tables with the columns id and MARKED say."""
        found, rare = [], [pl.DataFrame(schema=dict.fromkeys(("id", *RARE), pl.String))]
        for table in tables:
            split = table["split"].cast(pl.Categorical)
            found.append(pl.DataFrame({"number": numbers(table["id"]), "split": split}))
            some = table.select("id", *RARE).filter(pl.any_horizontal(pl.col(RARE).is_not_null()))
            rare.append(pl.DataFrame(some.rows(), schema=some.schema, orient="row"))  # without the texts of others
        articles, copies = pl.concat(found).sort("number"), pl.concat(rare)
        copies = copies.with_columns(number=pl.Series(numbers(copies["id"]))).sort("number")
        last = copies.select(RARE).clear(1)
        by_number = (articles["number"].to_numpy(), articles["split"], copies["number"].to_numpy())
        return cls(*by_number, pl.concat([copies.select(RARE), last], rechunk=True))

    def given(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The keys (id, uri, MARKED and others) with their marks, and which are `changed` by them.

        Raises ReleaseError where one has none.
        """
        wanted = numbers(keys["id"])
        at, found = _found(self.articles, wanted)
        if not found.all():
            uri = keys["uri"][int(np.flatnonzero(~found)[0])]
            raise ReleaseError(f"{uri}: has no mark; this is an error of copydesk, report it")
        place, found = _found(self.copies, wanted)
        rare = self.rare[np.where(found, place, len(self.copies))]
        new = [*rare.get_columns(), self.split.gather(at).cast(pl.String)]
        changed = pl.any_horizontal(pl.col(one.name).ne_missing(pl.lit(one)) for one in new)
        return keys.with_columns(changed.alias("changed")).with_columns(new)


def _found(among: Numbers, wanted: Numbers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where numbers stand among sorted ones, and whether they do."""
    at = np.searchsorted(among, wanted).clip(max=max(0, len(among) - 1))
    return at, (among[at] == wanted) if len(among) else np.zeros(len(wanted), np.bool_)
