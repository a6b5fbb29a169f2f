"""The tables of copydesk.toml, each a model: docs/configuration.md is generated from them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from copydesk.config.values import (
    LaterName,
    Memory,
    PathPattern,
    Place,
    PlainName,
    Runner,
    Separator,
    Share,
    SplitName,
    YearBounds,
)
from copydesk.locations import Location
from copydesk.runner import LOCAL

__all__ = ["Columns", "Config", "Dataset", "Ingest", "Notify", "Publish", "Source", "Splits"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(_Strict):
    """What is built and how its card introduces it."""

    name: PlainName | None = Field(
        default=None, description="the dataset's name; `--name` wins; else the one source's folder name"
    )
    title: str | None = Field(default=None, description="the card's title")
    description: str | None = Field(default=None, description="the card's first paragraph")
    license: str | None = Field(default=None, description="an identifier such as `cc-by-4.0`, or words of your own")
    authors: tuple[str, ...] = Field(default=(), description="who made the dataset, for its citation")
    url: str | None = Field(default=None, description="where it can be found, for its citation")
    audit: Path | None = Field(
        default=None, description="an audit that `copydesk evaluate --audit` drew and a person judged, for the card"
    )
    duplicates: Literal["mark", "drop"] = Field(
        default="mark",
        description="copies and near-copies: `mark` says of each what it is a copy of; `drop` leaves them out of the "
        "splits as well, they are then in the config `duplicates`; `--duplicates` wins",
    )
    into: Place = Field(
        default=Path("dist"),
        description="where datasets are kept, a folder or a URL such as `s3://bucket/prefix`; `--into` wins",
    )
    work: Path | None = Field(
        default=None,
        description="the folder for working copies of datasets on stores; else a folder in the user's cache",
    )


class Ingest(_Strict):
    """How the work is cut and what is refused."""

    workers: int = Field(default=2, ge=1, le=256, description="worker processes; `--workers` wins")
    runner: Runner = Field(
        default=LOCAL,
        description="who does the work: `local`, the workers on this machine, or the address of a Dask scheduler, "
        "such as `tcp://10.0.0.1:8786` ([a cluster](cluster.md)); `--runner` wins",
    )
    memory: Memory = Field(
        default=None,
        description="the most memory that the run and its workers take together, as `1.5GB`: smaller batches, then "
        "fewer workers; on a cluster, of each process; `--memory` wins",
    )
    batch_documents: int = Field(
        default=4_000, ge=1, description="most documents of a batch; changes speed and memory, no result"
    )
    batch_bytes: int = Field(default=32_000_000, ge=1, description="most raw bytes of a batch, one document apart")
    max_document_bytes: int = Field(default=20_000_000, ge=1, description="a larger document goes to quarantine")
    max_unpacked_bytes: int = Field(
        default=200_000_000_000, ge=1, description="most bytes that one compressed file or archive unpacks to"
    )
    max_ratio: int = Field(
        default=250, ge=1, description="most times its size that a compressed file unpacks to, from 10 MB on"
    )
    max_entries: int = Field(default=1_000_000, ge=1, description="most members of an archive")
    max_nesting: int = Field(default=3, ge=1, description="most containers within each other")
    max_columns: int = Field(default=1_000, ge=1, description="most columns of a table, or keys of an object")
    profiles: tuple[Path, ...] = Field(default=(), description="folders of your own site profiles (TOML)")
    corrections: tuple[Path, ...] = Field(
        default=(), description="files of corrections that the review page exported; of two that differ the later wins"
    )


class Columns(_Strict):
    """Which column, or key, of tables and JSON holds what; what is not named is guessed from common names."""

    text: str | None = Field(default=None, description="the raw text; guessed: `text`, `content`, `body` and the like")
    html: str | None = Field(default=None, description="a page's HTML, in place of a text")
    headline: str | None = Field(default=None, description="its headline; guessed: `headline`, `title`")
    date: str | None = Field(default=None, description="when it was published; guessed: `date`, `published_at` …")
    url: str | None = Field(default=None, description="its address; guessed: `url`, `link`")
    authors: str | None = Field(default=None, description="who wrote it; guessed: `authors`, `author`, `byline`")
    section: str | None = Field(default=None, description="where in the paper; guessed: `section`, `category`")
    outlet: str | None = Field(default=None, description="who published it; guessed: `outlet`, `publisher` …")
    id: str | None = Field(default=None, description="names the record in its uri; else its number does")

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """(what, its column), sorted."""
        return tuple(sorted((name, value) for name, value in self if value))


class Publish(_Strict):
    """What `copydesk publish` does unasked."""

    mask: tuple[Literal["emails", "ips", "phones"], ...] = Field(
        default=(),
        description="what is masked in everything that is published: `emails`, `ips`, `phones`; `--mask` wins",
    )


class Source(_Strict):
    """A named raw collection."""

    name: PlainName = Field(description="part of every document's id: keep it")
    path: Place = Field(
        description="its folder, or one file; or a URL: `s3://bucket/folder`, `https://…`, `hf://datasets/…`"
    )
    pattern: PathPattern | None = Field(
        default=None,
        description="what paths below the folder say, such as `{outlet}/{date}_{slug}.txt`; `*` and `**/` match any "
        "text; `outlet`, `date`, `headline`, `section`, `authors`, `site` and `url` are known, others go into `extra`; "
        "a file that it does not fit is read all the same",
    )
    metadata: Path | None = Field(
        default=None,
        description="a CSV file below the folder, with a column `file` (uri or file name) and the same names",
    )
    columns: Columns | None = Field(
        default=None, description="which column of tables and JSON holds what; see [source.columns] below"
    )
    separator: Separator | None = Field(
        default=None,
        description="a `.txt` file holds many stories, with a line between them that this regular expression matches",
    )
    site: str | None = Field(default=None, description="the layout family of all its documents")
    outlet: str | None = Field(default=None, description="who published them")
    years: YearBounds = Field(
        default=None, description="when, as `2015..2018`: decides dates without a year, where it can"
    )


class Splits(_Strict):
    """Train, validation and test; without this table all articles are in `train`. Copies are never in two splits."""

    by: Literal["hash", "time", "source"] = Field(
        default="hash",
        description="`hash`: by chance, the same for ever; `time`: by day of publication; `source`: by source",
    )
    shares: dict[SplitName, Share] = Field(
        default={},
        description="with `hash` and `time`: the shares of validation and test, train has the rest; "
        "`{validation = 0.1, test = 0.1}` unless given",
    )
    dates: dict[LaterName, date] = Field(
        default={},
        description="with `time`, instead of shares: the first days, as `{validation = 2018-01-01, test = 2018-07-01}`",
    )
    sources: dict[SplitName, tuple[str, ...]] = Field(
        default={}, description='with `source`: names of sources, as `{test = ["wire"]}`; the others are in train'
    )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        wanted = {"hash": ("shares",), "time": ("shares", "dates"), "source": ("sources",)}[self.by]
        given = [name for name in ("shares", "dates", "sources") if getattr(self, name)]
        odd = next((name for name in given if name not in wanted), None)
        if odd:
            raise ValueError(f"{odd} does not go with by = {self.by!r}: give {' or '.join(wanted)}")
        if len(given) > 1:
            raise ValueError("give shares or dates, not both")
        if self.by == "source" and not given:
            raise ValueError('by = "source" needs sources, such as sources = {test = ["wire"]}')
        self._fit_values()
        return self

    def _fit_values(self) -> None:
        total = sum(self.shares.values())
        if total > 1 + 1e-9 or ("train" in self.shares and abs(total - 1) > 1e-9):
            raise ValueError(f"the shares add up to {total:g}: they are parts of 1, and train has what is left")
        if len(self.dates) == 2 and self.dates["validation"] >= self.dates["test"]:
            raise ValueError("validation begins before test: swap the dates")
        named = [name for sources in self.sources.values() for name in sources]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice:
            raise ValueError(f"the source {twice!r} is in two splits: name it once")

    @property
    def parts(self) -> dict[str, float]:
        """The shares that hold."""
        return self.shares or {"validation": 0.1, "test": 0.1}

    @property
    def asked(self) -> tuple[str, ...]:
        """The splits beside train that are named, and not with a share of 0."""
        named: dict[str, object] = {**self.dates, **self.sources} or {**self.parts}
        return tuple(name for name in ("validation", "test") if named.get(name))


class Notify(_Strict):
    """Whom a run on a schedule tells, and of what."""

    on: tuple[Literal["failure", "drift", "quarantine", "release"], ...] = Field(
        default=("failure", "drift", "quarantine"),
        description="what is told: `failure`, `drift`, `quarantine` (it has grown), `release`",
    )
    command: tuple[str, ...] = Field(
        default=(), description="a program and its arguments; it gets the notice as JSON on its standard input"
    )
    webhook: str | None = Field(default=None, description="an https address to which the notice is posted as JSON")


class Config(_Strict):
    """A whole copydesk.toml; `folder` is where it stands, to which its paths are relative."""

    dataset: Dataset = Dataset()
    ingest: Ingest = Ingest()
    splits: Splits | None = None
    publish: Publish = Publish()
    source: tuple[Source, ...] = ()
    notify: Notify = Notify()
    folder: Path = Path()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [source.name for source in self.source]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}: ids hang on the name, give each its own")
        for named in self.splits.sources.values() if self.splits and names else ():
            odd = next((name for name in named if name not in names), None)
            if odd:
                raise ValueError(f"no source is named {odd!r}, which [splits] names; there are {', '.join(names)}")
        return self

    def below(self, path: Path) -> Path:
        """A path of the file, seen from where the program runs."""
        return path if path.is_absolute() else self.folder / path

    @property
    def into(self) -> Location:
        """Where datasets are kept, seen from where the program runs."""
        return self.below(self.dataset.into) if isinstance(self.dataset.into, Path) else self.dataset.into

    @property
    def work(self) -> Path | None:
        """The folder for working copies, if one is configured, seen from where the program runs."""
        return self.below(self.dataset.work) if self.dataset.work else None

    def root(self, source: Source) -> Location:
        """Where a source lies, seen from where the program runs."""
        return self.below(source.path) if isinstance(source.path, Path) else source.path
