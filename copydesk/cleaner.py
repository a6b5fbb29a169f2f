"""Cleaning inside other people's pipelines: batches of raw texts in, rows as an ingest writes them out.

    Cleaner          a batch of texts to articles, with a release's knowledge or the shipped one
    Cleaner.table    texts to a table, a row per text
    Cleaner(batch)   the same for `Dataset.map(Cleaner(...), batched=True)`

An object holds nothing but where things are, so that it can be pickled, sent to workers and fingerprinted; knowledge
and profiles are read where it first works. What needs a whole corpus, duplicates and splits, is for `copydesk ingest`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.carry import wanted_release
from copydesk.decoding import as_raw
from copydesk.desk import judge, prepare
from copydesk.errors import UsageError
from copydesk.knowledge import Knowledge
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.schema import load_schema
from copydesk.sources import DOCUMENTS, GIVEN, row
from copydesk.text import MARKED

__all__ = ["Cleaner"]


@dataclass(frozen=True)
class Cleaner:
    """Cleans batches of raw texts.

    dataset    the folder of a dataset whose newest release's knowledge is used; None: the shipped knowledge
    column     the column of the texts, strings or bytes
    given      what is known beforehand, `{"date": "published", "outlet": "source"}`: our name -> the batch's column
    source     the source as whose documents that knowledge counted the texts
    profiles   folders of profiles of your own
    """

    dataset: str | Path | None = None
    column: str = "text"
    given: Mapping[str, str] = field(default_factory=dict)
    source: str = "text"
    profiles: tuple[str | Path, ...] = ()

    def __post_init__(self) -> None:
        _check(self.given)

    def table(
        self, texts: Sequence[str | bytes | None], uris: Sequence[str] | None = None, **given: Sequence[Any]
    ) -> pl.DataFrame:
        """One row per text, in their order: the columns of an article, those for a whole corpus apart, and `error`.

        `error` says why a text could not be read; its other columns are null then. `given`: lists by our names
        (sources.GIVEN). Raises UsageError on other names, where uris come twice, where the dataset has no release, and
        where it was made with other profiles.
        """
        _check(given)
        names = list(uris) if uris is not None else [f"{number}.txt" for number in range(len(texts))]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"uri {twice!r} comes twice in a batch; give every text a uri of its own")
        documents = self._documents(texts, names, given)
        prepared = prepare(documents)
        judged = judge(prepared, *_judges(self.dataset, self.profiles))
        refused = pl.concat([prepared.refused, judged.refused]).select("id", error="reason")
        return (
            documents.select("id")
            .join(judged.articles.drop(MARKED), on="id", how="left", maintain_order="left")
            .join(refused, on="id", how="left", maintain_order="left")
        )

    def _documents(
        self, texts: Sequence[str | bytes | None], uris: Sequence[str], given: Mapping[str, Sequence[Any]]
    ) -> pl.DataFrame:
        raw = [b"" if text is None else as_raw(text) for text in texts]
        said = [dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)] if given else []
        rows = [
            row(self.source, uri, told, None, one)
            for uri, told, one in zip(uris, said or [{}] * len(raw), raw, strict=True)
        ]
        return pl.DataFrame(rows, schema=DOCUMENTS, orient="row")

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> Any:
        """Clean a batch of a `datasets.Dataset`: its own columns, and those of the articles (`text` is the clean one).

        Gives an Arrow table, so that every batch has the same types, also where a column is null throughout.
        """
        if self.column not in batch:
            raise UsageError(
                f"the dataset has no column {self.column!r}; name the one of the texts: Cleaner(column=...)"
            )
        given = {name: batch[column] for name, column in self.given.items()}
        found = self.table(batch[self.column], **given).drop("id", "uri", "source")
        return _beside(batch, self.column, found)


def _check(given: Iterable[str]) -> None:
    """Raise UsageError where something is said of a text that no field of ours is for."""
    unknown = sorted(set(given) - set(GIVEN))
    if unknown:
        raise UsageError(f"given: {unknown[0]!r} is not known; known are {', '.join(GIVEN)}")


def _beside(batch: Mapping[str, Sequence[Any]], column: str, found: pl.DataFrame) -> Any:
    """The batch's own columns, the texts' apart, beside those found; ours win where names are the same."""
    import pyarrow as pa

    schema = load_schema("article").arrow
    types = [(name, schema.field(name).type if name in schema.names else pa.string()) for name in found.columns]
    table = found.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.schema(types))
    for name in batch:
        if name != column and name not in table.column_names:
            table = table.append_column(name, pa.array(batch[name]))
    return table


@lru_cache(maxsize=4)
def _judges(dataset: str | Path | None, profiles: tuple[str | Path, ...]) -> tuple[Knowledge, Profiles]:
    rules = load_profiles([Path(path) for path in profiles])
    if dataset is None:
        return Knowledge(), rules
    knowledge = wanted_release(Path(dataset)).held_knowledge
    if knowledge.profiles != rules.digest:
        raise UsageError(
            f"{dataset}: was made with other profiles; give the folders that its copydesk.toml names: "
            "Cleaner(..., profiles=(...))"
        )
    return knowledge, rules
