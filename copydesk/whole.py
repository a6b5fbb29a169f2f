"""Files that are whole or not there: written beside their place and moved into it.

written    a draft to write to, which then takes the file's place
put        a table as an Arrow file
mapped     such a table again, as the pages of the file: nothing is read before it is looked at, and nothing twice
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa

from copydesk.frugal import unmapped

__all__ = ["mapped", "put", "written"]


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the file's place in the end."""
    # Of its own: a cluster may do a task anew while a worker that it gave up still writes.
    draft = path.with_name(f"{path.name}-{uuid4().hex}.draft")
    yield draft
    draft.replace(path)


def put(table: pl.DataFrame, path: Path, *, plain: bool = False) -> None:
    """Write a table as an Arrow file in one piece, so that it can be mapped.

    `plain`: texts end to end. So a stretch of rows is a stretch of bytes, to be copied; the views that Polars maps
    without a copy lead anywhere in the file.
    """
    level = pl.CompatLevel.oldest() if plain else pl.CompatLevel.newest()
    with written(path) as draft:
        (_emptied(table) if plain else table).rechunk().write_ipc(draft, compat_level=level)


def _emptied(table: pl.DataFrame) -> pl.DataFrame:
    """The table without what its nulls were: a null that took the place of a text still leads to it."""
    some = [one for one in table.iter_columns() if one.dtype == pl.String and one.null_count()]
    return table.with_columns(pl.when(one.is_not_null()).then(one.fill_null("")).alias(one.name) for one in some)


def mapped(path: Path) -> pl.DataFrame:
    """The table of an Arrow file that stays as it is (it may be deleted).

    To make Polars' views of texts looks at each; what nobody looks at again takes no memory.
    """
    with pa.memory_map(str(path)) as file:
        pages = file.read_buffer()
        table = pl.DataFrame(pl.from_arrow(pa.ipc.open_file(pages).read_all(), rechunk=False))
    unmapped(pages)
    return table
