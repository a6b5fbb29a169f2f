"""Keys: what a release is put together by, one row for each document: who it is, how heavy, and where its rows are.

    KEYS           the columns
    keys_of        the keys of a batch's articles and ledger
    release_keys   the keys of a release: from the cache that its ingest left, else from its shards
    save_keys      leave that cache
    bound          what ties caches to a release; rebind after a withdrawal
    ledger_keys    of a ledger alone: the run of each document's rows, and the hash of what they say

Keys take about 450 bytes a document and are all that is looked at of every document while a release is written: rows of
text are read only where a shard has to be written anew. The cache lies in `.work/`, bound to a manifest by its hash;
without it the release's shards are read, with the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.aligned import end_to_end
from copydesk.errors import ReleaseError
from copydesk.pieces import Pieces
from copydesk.release.folder import WORK
from copydesk.release.manifest import Manifest, Reference
from copydesk.text import MARKED

__all__ = [
    "KEYS",
    "article_keys",
    "bound",
    "has_keys",
    "keys_of",
    "ledger_keys",
    "prune_keys",
    "rebind",
    "release_keys",
    "save_keys",
    "shard_keys",
]

ARTICLE_ROW: Final = 800
LEDGER_ROW: Final = 80
"""Bytes that a row takes beside its text: measured on generated stories, rounded. Only the sizes hang on them."""

BLOCK: Final = 2_000
"""Rows of a ledger whose numbers are put side by side at once."""

_ARTICLE: Final[dict[str, pl.DataType]] = {
    **dict.fromkeys(("id", "uri", "source", "outlet", "agency", "raw_sha256", "content_sha256", *MARKED), pl.String()),
    "published_at": pl.Datetime("us", "UTC"),
    "drawn": pl.UInt32(),
    "weight": pl.Int64(),
    "article_file": pl.UInt32(),
    "article_row": pl.UInt32(),
}
_LEDGER: Final[dict[str, pl.DataType]] = {
    "id": pl.String(),
    "lines": pl.UInt32(),
    "line_weight": pl.Int64(),
    "ledger_sha256": pl.Binary(),
    "ledger_file": pl.UInt32(),
    "ledger_row": pl.UInt32(),
}
KEYS: Final = pl.Schema({**_ARTICLE, **_LEDGER})
"""`drawn` is what decides where a shard may end; `weight` and `line_weight` are bytes; `lines` are ledger rows, from
`ledger_row` of the file number `ledger_file` on, null where the raw file is empty."""


def keys_of(articles: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """The keys (KEYS) of a batch, by article; its files are number 0 of their kinds."""
    return _joined(article_keys(articles, 0), ledger_keys(ledger, 0))


def _joined(articles: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    return articles.join(ledger, on="id", how="left", maintain_order="left").select(KEYS.names()).cast(KEYS)


def article_keys(articles: pl.DataFrame, file: int) -> pl.DataFrame:
    """The keys of articles that stand in the file of that number, less those that their ledger gives."""
    names = ("uri", "source", "outlet", "agency", "raw_sha256", "content_sha256", *MARKED, "published_at")
    drawn = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") for name in articles["id"]]
    return articles.select(
        pl.col("id", *names),
        pl.Series("drawn", drawn, dtype=pl.UInt32),
        weight=pl.col("text").str.len_bytes().cast(pl.Int64) + ARTICLE_ROW,
        article_file=pl.lit(file, pl.UInt32),
        article_row=pl.int_range(pl.len(), dtype=pl.UInt32),
    ).cast(pl.Schema(_ARTICLE))


def ledger_keys(ledger: pl.DataFrame, file: int = 0) -> pl.DataFrame:
    """For each document of a ledger: its run of rows, their bytes, and the SHA-256 of what they say."""
    runs = ledger.select(pl.col("id").rle()).unnest("id").select(id="value", lines=pl.col("len").cast(pl.UInt32))
    ends = runs["lines"].cum_sum().to_list()
    sizes = ledger.select(
        pl.col("raw").bin.size().cast(pl.Int64) + pl.col("text").str.len_bytes().fill_null(0) + LEDGER_ROW
    ).to_series()
    total = np.concatenate([[0], sizes.cum_sum().to_numpy()])
    bounds = np.array([0, *ends])
    return runs.with_columns(
        line_weight=pl.Series(np.diff(total[bounds]), dtype=pl.Int64),
        ledger_sha256=pl.Series(_digests(ledger, ends), dtype=pl.Binary),
        ledger_file=pl.lit(file, pl.UInt32),
        ledger_row=pl.col("lines").cum_sum() - pl.col("lines"),
    ).cast(pl.Schema(_LEDGER))


def _digests(ledger: pl.DataFrame, ends: Iterable[int]) -> list[bytes]:
    """SHA-256 over the rows of each document but its name, document by document; `ends` are the ends of the runs.

    First the numbers of its rows (64 bits each, little-endian, floats as doubles, and of texts and bytes their lengths,
    -1 for null), row by row, columns by name; then, column by column, what its texts and bytes are, end to end.
    """
    columns = [ledger[name] for name in sorted(ledger.columns) if name not in ("id", "uri")]
    numbers = np.empty((ledger.height, len(columns)), dtype="<i8")
    values = [_numbers(column) for column in columns]
    for start in range(0, ledger.height, BLOCK):  # so that a block stays in the processor's cache
        for place, column in enumerate(values):
            numbers[start : start + BLOCK, place] = column[start : start + BLOCK]
    bounds = np.array([0, *ends])
    texts = [_buffers(column, bounds) for column in columns if _is_text(column)]
    found = []
    for document, (start, end) in enumerate(pairwise(bounds.tolist())):
        whole = hashlib.sha256(numbers[start:end].data)
        for offsets, data in texts:
            whole.update(data[offsets[document] : offsets[document + 1]])
        found.append(whole.digest())
    return found


def _is_text(column: pl.Series) -> bool:
    return not column.dtype.is_numeric()


def _numbers(column: pl.Series) -> Any:
    if column.dtype.is_float():
        return column.cast(pl.Float64).to_numpy().view(np.int64)
    if column.dtype.is_integer():
        return column.to_numpy()
    if isinstance(column.dtype, pl.Enum):
        sizes = np.array([len(one.encode()) for one in column.dtype.categories])
        return np.where(column.is_null(), -1, sizes[column.to_physical().fill_null(0).to_numpy()])
    size = column.bin.size() if column.dtype == pl.Binary else column.str.len_bytes()
    return size.cast(pl.Int64).fill_null(-1).to_numpy()


def _buffers(column: pl.Series, bounds: NDArray[np.int64]) -> tuple[list[int], memoryview]:
    """The bytes of all values of a column of texts or bytes, nulls as nothing, and where in them rows begin."""
    plain = column.cast(pl.String) if isinstance(column.dtype, pl.Enum) else column
    if plain.null_count():
        plain = plain.fill_null(b"" if plain.dtype == pl.Binary else "")
    data, ends = end_to_end(plain.rechunk())
    return ends[bounds].tolist(), data.data


def release_keys(dataset: Path, reference: Reference, manifest: Manifest) -> pl.DataFrame:
    """The keys of a release, in its order; files are the numbers of its shards of either table."""
    try:
        return pl.read_ipc(_place(dataset / WORK, reference)).cast(KEYS)
    except (OSError, pl.exceptions.PolarsError):
        return shard_keys(dataset, manifest)


def shard_keys(dataset: Path, manifest: Manifest) -> pl.DataFrame:
    """The same, read from the shards."""
    columns = manifest.body["tables"]["article"]["columns"]
    needed = [*(name for name in _ARTICLE if name in columns), "text"]
    new = {name: pl.lit(None, dtype=pl.String) for name in MARKED if name not in columns}
    articles = [
        article_keys(rows.with_columns(**new), number)  # what an older schema does not have is null
        for number, rows in enumerate(_shards(dataset, manifest, "article", needed))
    ]
    ledger = [ledger_keys(rows, number) for number, rows in enumerate(_shards(dataset, manifest, "ledger", None))]
    return _joined(pl.concat(articles), pl.concat(ledger))


def _shards(dataset: Path, manifest: Manifest, table: str, columns: list[str] | None) -> Iterator[pl.DataFrame]:
    for shard in manifest.shards(table):
        path = dataset / shard.file
        try:
            yield pl.read_parquet(path, columns=columns)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise ReleaseError(
                f"{path}: a file of release {manifest.version} cannot be read ({error}); restore it"
            ) from error


def save_keys(work: Path, reference: Reference, keys: Pieces) -> None:
    """Leave the keys of a release in the folder `.work` for the next ingest: their file moves."""
    keys.path.replace(_place(work, reference))


def has_keys(work: Path, reference: Reference) -> bool:
    """Whether the keys of that release are in the folder `.work`."""
    return _place(work, reference).is_file()


def prune_keys(work: Path, reference: Reference) -> None:
    """Throw away those of all other releases."""
    for other in work.glob("keys-*.arrow"):
        if other != _place(work, reference):
            other.unlink(missing_ok=True)


def bound(reference: Reference) -> str:
    """What names of caches hold of the release that they are bound to."""
    return reference.sha256[:32]


def rebind(work: Path, old: Reference, new: Reference) -> None:
    """Bind the caches of a release to what it became by a withdrawal: of the documents left they hold what they did."""
    for path in work.glob(f"*-{bound(old)}*.arrow"):
        path.replace(path.with_name(path.name.replace(bound(old), bound(new))))


def _place(work: Path, reference: Reference) -> Path:
    return work / f"keys-{bound(reference)}.arrow"
