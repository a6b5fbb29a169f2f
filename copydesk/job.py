"""What an ingest is about: options and copydesk.toml, settled into a table of files and a destination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from copydesk.budget import GATHERED, LINES, Budget, within
from copydesk.config import NAME, Config, Source, load_config, memory_size, parse_years, runner_address
from copydesk.corrections import EMPTY, by_file, load_corrections
from copydesk.errors import UsageError
from copydesk.locations import Location
from copydesk.metadata.dates import parse_given
from copydesk.release.remote.through import working_copy
from copydesk.runner import LOCAL
from copydesk.sources import Files, Limits, Refused, find_files, kind_of
from copydesk.sources.given import sidecar_of

__all__ = ["Job", "Options", "destination", "settle"]


@dataclass(frozen=True)
class Options:
    """What a person asks of an ingest; None means: as copydesk.toml says."""

    paths: tuple[Location, ...] = ()
    config: Path | None = None
    name: str | None = None
    into: Location | None = None
    workers: int | None = None
    runner: str | None = None
    memory: str | None = None
    mode: str = "append"
    years: str | None = None
    relearn: bool = False
    rehash: bool = False
    retry: bool = False
    allow_shrink: bool = False
    dry_run: bool = False
    duplicates: str | None = None

    def as_parameters(self) -> dict[str, Any]:
        """The same in plain JSON types: the parameters of the flow."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}
        return {**plain, "paths": [str(path) for path in self.paths]}


@dataclass(frozen=True)
class Job:
    """An ingest, settled: which files into which dataset."""

    name: str
    destination: Path
    """The dataset's folder, or the working copy of one on a store."""
    config: Config
    files: Files
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]
    """What a person should know of the files, such as a pattern that fits none."""
    workers: int
    runner: str
    """`local`, or the address of the scheduler whose workers do the work."""
    mode: str
    relearn: bool
    rehash: bool
    retry: bool
    allow_shrink: bool
    dry_run: bool
    drop: bool = False
    """Whether copies are left out of the splits."""
    lines: int = LINES
    """Lines that are counted at once."""
    gathered: int = GATHERED
    """Bytes of rows that are gathered at once, to be written."""
    store: str | None = None
    """The URL of the dataset, where it lies on a store."""
    corrections: pl.DataFrame = field(default_factory=lambda: EMPTY)

    @property
    def profiles(self) -> tuple[Path, ...]:
        """The folders of the user's own profiles."""
        return tuple(self.config.below(path) for path in self.config.ingest.profiles)


def destination(options: Options) -> tuple[str, Path]:
    """The name of the dataset that an ingest would build, and its folder, whether there is anything to read or not."""
    config = load_config(options.config)
    name = _name(options, config, _sources(options, config))
    return name, _destination(options, config, name)[0]


def _destination(options: Options, config: Config, name: str) -> tuple[Path, str | None]:
    """The dataset's folder, and its URL where it lies on a store: then the folder is that of its working copy."""
    into = options.into or config.into
    if isinstance(into, Path):
        return into / name, None
    return working_copy(f"{into}/{name}", config.work), f"{into}/{name}"


def settle(options: Options) -> Job:
    """Find the sources and files that an ingest is about; raises UsageError or ConfigError with the remedy."""
    config = load_config(options.config)
    runner = _runner(options, config)
    if runner != LOCAL:  # other processes have other current folders
        options, config = _absolute(options, config)
    sources = _sources(options, config)
    name = _name(options, config, sources)
    budget = _budget(options, config, runner)
    config = config.model_copy(update={"ingest": budget.applied(config.ingest)})
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers}: at least one process has to do the work")
    limits = Limits.of(config.ingest)
    found = [find_files(one.source, one.root, limits, one.path) for one in sources]
    files = Files.together(one.files for one in found)  # a file that two of the PATHs lead to is one document
    refused = {(one.source, one.uri): one for some in found for one in some.refused}
    if not files and not refused:
        places = ", ".join(str(one.path) for one in sources)
        raise UsageError(f"{places}: no raw files there; put .txt files in, or others that docs/sources.md names")
    folder, store = _destination(options, config, name)
    corrections = load_corrections(config.below(path) for path in config.ingest.corrections)
    return Job(
        name=name,
        destination=folder,
        store=store,
        config=config,
        files=files.with_corrections(by_file(corrections)),
        refused=tuple(refused.values()),
        notes=(*(note for some in found for note in some.notes), *_no_dates(files)),
        workers=budget.workers,
        lines=budget.lines,
        gathered=budget.gathered,
        runner=runner,
        mode=options.mode,
        relearn=options.relearn,
        rehash=options.rehash,
        retry=options.retry,
        allow_shrink=options.allow_shrink,
        dry_run=options.dry_run,
        drop=(options.duplicates or config.dataset.duplicates) == "drop",
        corrections=corrections,
    )


def _no_dates(files: Files) -> Iterator[str]:
    """What sidecars call a date and is none: those of their documents are as if nothing had been said."""
    for asked in dict.fromkeys(place.asked for place in files.places):
        dates = ((name, row["date"]) for name, row in sidecar_of(asked).items() if "date" in row)
        wrong = [(name, date) for name, date in dates if not _is_date(date)]
        if wrong:
            name, date = wrong[0]
            told = f"{len(wrong)} of its dates cannot be read, such as {date!r} for {name!r}"
            yield f"{asked.sidecar}: {told}; write them as 2017-01-31, with 14:05+03:00 behind it where it is known"


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return parse_given(value) is not None
    return True


def _runner(options: Options, config: Config) -> str:
    try:
        return runner_address(options.runner or config.ingest.runner)
    except ValueError as error:
        raise UsageError(f"--runner {options.runner}: {error}") from error


def _budget(options: Options, config: Config, runner: str) -> Budget:
    """What the work is cut into; on a cluster the ceiling is that of each process, and its workers are not ours."""
    limits = config.ingest
    workers = options.workers or limits.workers
    asked = Budget(workers, limits.batch_documents, limits.batch_bytes)
    try:
        ceiling = memory_size(options.memory) if options.memory else limits.memory
    except ValueError as error:
        raise UsageError(f"--memory {options.memory}: {error}") from error
    if runner == LOCAL:
        return within(ceiling, asked)
    return replace(within(ceiling, replace(asked, workers=1)), workers=workers)


def _absolute(options: Options, config: Config) -> tuple[Options, Config]:
    """The same with absolute paths."""
    paths, (into,) = _from_root(options.paths), _from_root([options.into or config.into])
    where = {"folder": config.folder.absolute()}
    return replace(options, paths=tuple(paths), into=into), config.model_copy(update=where)


def _from_root(places: Iterable[Location]) -> list[Location]:
    return [one.absolute() if isinstance(one, Path) else one for one in places]


@dataclass(frozen=True)
class _Place:
    """A source, its root, and the part of it that is asked for."""

    source: Source
    root: Location
    path: Location


def _sources(options: Options, config: Config) -> list[_Place]:
    """The sources asked for; a PATH in a configured source keeps its configuration."""
    years = _years(options.years)
    configured = [_Place(source, config.root(source), config.root(source)) for source in config.source]
    if options.paths:
        chosen = [_place_of(path, configured) for path in options.paths]
    elif configured:
        chosen = configured
    else:
        raise UsageError("nothing to read: give a PATH, or a copydesk.toml with a [[source]]")
    roots = {(one.source.name, _resolved(one.root)) for one in chosen}
    for name, _ in roots:
        if len([one for one, _ in roots if one == name]) > 1:
            raise UsageError(
                f"two PATHs would both be the source {name!r}: give them as [[source]]s with names of their own"
            )
    return [replace(one, source=one.source.model_copy(update={"years": years})) if years else one for one in chosen]


def _place_of(path: Location, configured: Sequence[_Place]) -> _Place:
    """The configured source that a path lies in, else one of its own: a folder, or the folder of a file."""
    for one in configured:
        if _resolved(path) == _resolved(one.root) or _resolved(path).startswith(_resolved(one.root).rstrip("/") + "/"):
            inner = _resolved(path)[len(_resolved(one.root)) :].strip("/")
            below = one.root / inner if isinstance(one.root, Path) else f"{one.root}/{inner}".rstrip("/")
            return _Place(one.source, one.root, below)
    root = path.parent if isinstance(path, Path) and path.is_file() else path
    return _Place(Source(name=_folder_name(path), path=root), root, path)


def _resolved(path: Location) -> str:
    """A place in one form, to be compared."""
    return str(path.resolve()) if isinstance(path, Path) else path


def _years(written: str | None) -> tuple[int, int] | None:
    try:
        return parse_years(written)
    except ValueError as error:
        raise UsageError(f"--years {written}: {error}") from error


def _folder_name(path: Location) -> str:
    """The name of a folder, or of a file's folder, as a name of ours: other characters become '-'."""
    if isinstance(path, Path):
        place = path.resolve()
        text = place.parent.name if place.is_file() else place.name
    else:
        parts = path.partition("://")[2].partition("?")[0].split("/")
        text = parts[-2] if kind_of(parts[-1]) and len(parts) > 1 else parts[-1]
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in text)
    return plain.lstrip("._-")[:64] or "source"


def _name(options: Options, config: Config, sources: Sequence[_Place]) -> str:
    """The dataset's name: as asked, else of the one PATH's folder, else as configured, else of the one source's."""
    one = _folder_name(sources[0].path) if len(sources) == 1 else None
    configured = config.dataset.name
    default = one or configured if options.paths else configured or one
    name = default if options.name is None else options.name
    if name is None:
        raise UsageError("the dataset has no name: give --name, or name = ... under [dataset] in copydesk.toml")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: a name holds letters, digits, '.', '_' and '-' and begins with a letter or digit"
        )
    return name
