"""copydesk.toml: what to read, how, and into which dataset.

    [dataset]   the name, title, description and licence of what is built
    [ingest]    workers, batch sizes, limits, folders of profiles
    [splits]    train, validation and test
    [publish]   what is masked when a dataset is published
    [[source]]  a named raw collection: its folder, the pattern of its paths, its sidecar, its year bounds
    [notify]    whom a run on a schedule tells of failure, drift and quarantine

`load_config` finds and validates the file; every error names the file, the line, the value and what to do. Values
under `[dataset]`, `[ingest]`, `[publish]` and `[notify]` can also be set by the environment,
`COPYDESK_INGEST__WORKERS=4`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copydesk.errors import ConfigError, UsageError
from copydesk.locations import Location, place
from copydesk.patterns import compile_pattern
from copydesk.runner import LOCAL

__all__ = [
    "CONFIG_NAME",
    "Columns",
    "Config",
    "Dataset",
    "Ingest",
    "Notify",
    "Publish",
    "Source",
    "Splits",
    "Years",
    "load_config",
    "memory_size",
    "parse_years",
    "runner_address",
]

CONFIG_NAME: Final = "copydesk.toml"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RUNNER: Final = re.compile(r"(?:tcp|tls|ws|wss)://[^\s/]+(?::\d{1,5})/?")
SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]i?B)", re.IGNORECASE)
UNITS: Final = {
    f"{letter}{between}B": base**power
    for power, letter in enumerate("KMGT", 1)
    for between, base in (("", 1000), ("I", 1024))
}
YEARS: Final = re.compile(r"(\d{4})(?:\.\.(\d{4}))?")

Years = tuple[int, int]
"""First and last year, both included, in which the documents of a source were published."""


def parse_years(value: object) -> Years | None:
    """`"2015..2018"` or `"2016"` to (2015, 2018) or (2016, 2016); raises ValueError with the remedy."""
    if value is None or isinstance(value, tuple):
        return value
    found = YEARS.fullmatch(str(value).strip())
    if found is None:
        raise ValueError('years are written "2015..2018" or "2016"')
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise ValueError(f"the first year {first} is after the last {last}: swap them")
    return first, last


def _plain_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(
            "a name holds letters, digits, '.', '_' and '-', begins with a letter or digit, and ends at 64"
        )
    return value


def _split_name(value: str) -> str:
    if value not in ("train", "validation", "test"):
        raise ValueError("the splits are train, validation and test")
    return value


def _later_name(value: str) -> str:
    if value not in ("validation", "test"):
        raise ValueError("dates are those of validation and test; train is what comes before")
    return value


def _path_pattern(value: str) -> str:
    compile_pattern(value)
    return value


def runner_address(value: str) -> str:
    """`local`, or the address of a Dask scheduler; raises ValueError with the remedy."""
    if value != LOCAL and not RUNNER.fullmatch(value):
        raise ValueError(
            f'{value!r} is neither "local" nor the address of a Dask scheduler, such as tcp://10.0.0.1:8786'
        )
    return value


def memory_size(value: object) -> int | None:
    """`"1.5GB"` or a number of bytes; raises ValueError with the remedy."""
    if value is None or isinstance(value, int):
        return value
    found = SIZE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError('memory is written "800MB", "1.5GB" or "2GiB"')
    return int(float(found[1]) * UNITS[found[2].upper()])


PathPattern = Annotated[str, AfterValidator(_path_pattern)]
PlainName = Annotated[str, AfterValidator(_plain_name)]
SplitName = Annotated[str, AfterValidator(_split_name)]
LaterName = Annotated[str, AfterValidator(_later_name)]
Share = Annotated[float, Field(ge=0, le=1)]
YearBounds = Annotated[Years | None, BeforeValidator(parse_years)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _location(value: object) -> object:
    """A URL stays a string, `file://` and all else is a path."""
    return place(value) if isinstance(value, str) else value


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
    into: Annotated[Location, BeforeValidator(_location)] = Field(
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
    runner: Annotated[str, AfterValidator(runner_address)] = Field(
        default=LOCAL,
        description="who does the work: `local`, the workers on this machine, or the address of a Dask scheduler, "
        "such as `tcp://10.0.0.1:8786` ([a cluster](cluster.md)); `--runner` wins",
    )
    memory: Annotated[int | None, BeforeValidator(memory_size)] = Field(
        default=None,
        description="the most memory that the run and its workers take together, as `1.5GB`: smaller batches, then "
        "fewer workers; on a cluster, of each process; `--memory` wins",
    )
    batch_documents: int = Field(
        default=2_000, ge=1, description="most documents of a batch; changes speed and memory, no result"
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


def _separator(value: str) -> str:
    try:
        re.compile(value.encode())
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


class Publish(_Strict):
    """What `copydesk publish` does unasked."""

    mask: tuple[Literal["emails", "ips", "phones"], ...] = Field(
        default=(),
        description="what is masked in everything that is published: `emails`, `ips`, `phones`; `--mask` wins",
    )


class Source(_Strict):
    """A named raw collection."""

    name: PlainName = Field(description="part of every document's id: keep it")
    path: Annotated[Location, BeforeValidator(_location)] = Field(
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
    separator: Annotated[str, AfterValidator(_separator)] | None = Field(
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


class _Environment(BaseSettings):
    """What the environment says: COPYDESK_INGEST__WORKERS=4 and the like."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_", env_nested_delimiter="__", env_ignore_empty=True)

    dataset: dict[str, Any] = {}
    ingest: dict[str, Any] = {}
    publish: dict[str, Any] = {}
    notify: dict[str, Any] = {}


def load_config(path: Path | None = None, *, start: Path | None = None) -> Config:
    """The configuration in `path`, or in the copydesk.toml of `start` (the current folder), or the defaults.

    Raises UsageError where a named file is not there, ConfigError where a value is wrong.
    """
    if path is None:
        path = (start or Path()) / CONFIG_NAME
        if not path.is_file():
            return _validated({}, "", Path("the environment"), path.parent)
    elif not path.is_file():
        raise UsageError(f"{path}: no such configuration file; name an existing copydesk.toml with --config")
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return _validated(values, text, path, path.parent)


def _validated(values: dict[str, Any], text: str, path: Path, folder: Path) -> Config:
    if "folder" in values:
        raise ConfigError(f"{path}, line {_line_of(text, ('folder',))}: unknown key 'folder'; remove it")
    said = _Environment()
    tables = ("dataset", "ingest", "publish", "notify")
    for name, over in ((name, getattr(said, name)) for name in tables):
        if over and isinstance(values.get(name, {}), dict):
            values = {**values, name: {**values.get(name, {}), **over}}
    try:
        return Config(**values, folder=folder)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(_told(path, text, fault["loc"], fault["msg"], fault["input"]) for fault in error.errors())
        ) from error


def _told(path: Path, text: str, where: Sequence[str | int], message: str, value: object) -> str:
    line, key = _line_of(text, where), ".".join(str(part) for part in where)
    place = f"{path}, line {line}" if line else str(path)
    match message:
        case "Extra inputs are not permitted":
            return f"{place}: unknown key {key!r}; see docs/configuration.md for those there are"
        case "Field required":
            return f"{place}: {key!r} is missing; add it"
        case "Input should be a valid tuple" if where == ("source",):
            return f"{place}: a source is a table of its own: write [[source]], with two brackets"
        case "Input should be a valid tuple":
            return f"{place}: {key} = {value!r}: a list is wanted: write it in brackets"
    shown = "" if isinstance(value, dict | list | tuple) else f" = {value!r}"
    return f"{place}: {key or 'source'}{shown}: {message.removeprefix('Value error, ')}"


def _line_of(text: str, where: Sequence[str | int]) -> int | None:
    """The line, from 1, at which the TOML key `where` is set, else its table's header; tomllib tells no places."""
    table = str(where[0]) if where else ""
    nth = where[1] if len(where) > 1 and isinstance(where[1], int) else 0
    key = next((str(part) for part in where[1:] if not isinstance(part, int)), None)
    header = re.compile(rf"\s*\[\[?\s*{re.escape(table)}\s*\]\]?\s*(#.*)?")
    seen, start = -1, None
    for number, line in enumerate(text.splitlines(), 1):
        if header.fullmatch(line):
            seen += 1
            if seen == nth:
                start = number
        elif start is not None and re.match(r"\s*\[", line):
            break
        elif (start is not None or key is None) and re.match(rf"\s*['\"]?{re.escape(key or table)}['\"]?\s*=", line):
            return number
    return start
