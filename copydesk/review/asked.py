"""What a review is asked for, carried out: which release or which files, and where the page goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copydesk.config import Config, load_config
from copydesk.errors import UsageError
from copydesk.job import Options, settle
from copydesk.lines.profiles import load_profiles
from copydesk.release.folder import CARD, Folder
from copydesk.release.manifest import choose
from copydesk.release.remote.through import dataset_folder
from copydesk.review.collect import Shown, from_files, from_release
from copydesk.review.explain import knowledge_of
from copydesk.review.page import write_page

__all__ = ["audited", "dataset_of", "reviewed", "store"]


def reviewed(  # noqa: PLR0913 -- the options of a command
    paths: tuple[Path | str, ...],
    version: str | None,
    *,
    dataset: Path | None = None,
    config: Path | None = None,
    since: str | None = None,
    most: int = 5_000,
    years: str | None = None,
    out: Path | None = None,
) -> tuple[Path, str]:
    """Write the page that is asked for; gives where it is and what it shows.

    Raises UsageError, ConfigError, ReleaseError with the remedy.
    """
    settings = load_config(config)
    one = paths[0] if len(paths) == 1 else None
    if isinstance(one, Path) and (one / CARD).is_file() and (one / "releases").is_dir():
        dataset, paths = one, ()
    if paths:
        if version or since:
            raise UsageError("raw files are judged now and are no release; leave VERSION and --since out")
        return _of_files(Options(paths=paths, config=config, years=years), dataset, most, out)
    place = dataset_of(dataset, settings)
    shown = from_release(place, version, since=since, most=most)
    profiles = load_profiles([settings.below(path) for path in settings.ingest.profiles])
    text = write_page(shown, profiles)
    return store(text, place, out, f"review/{shown.version}.html"), _told(shown)


def audited(dataset: Path, sample: Mapping[str, Any], config: Config, out: Path | None = None) -> Path:
    """Write the page in which a drawn sample (evaluation.audit.draw) is judged; gives where it is."""
    ids = sorted({line[0] for line in sample["lines"]})
    shown = from_release(dataset, sample["version"], only=ids, most=len(ids))
    profiles = load_profiles([config.below(path) for path in config.ingest.profiles])
    return store(write_page(shown, profiles, sample), dataset, out, f"review/audit-{sample['version']}.html")


def _of_files(options: Options, dataset: Path | None, most: int, out: Path | None) -> tuple[Path, str]:
    job = settle(dataclasses.replace(options, name="review"))
    told, knowledge = knowledge_of(dataset, job)
    profiles = load_profiles(job.profiles)
    shown = from_files(job, knowledge, profiles, told, most=most)
    page = out or Path("review.html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(write_page(shown, profiles), encoding="utf-8")
    return page, _told(shown)


def _told(shown: Shown) -> str:
    there = shown.figures["documents"]
    some = f"the {shown.order.height} least certain of " if there > shown.order.height else ""
    return f"{some}{there} documents, {shown.told}"


def dataset_of(dataset: Path | None, config: Config) -> Path:
    """The dataset asked for, else the configured one; raises UsageError where there is neither or no release."""
    if dataset is None and config.dataset.name:
        dataset = dataset_folder(config, config.dataset.name)
    if dataset is None:
        raise UsageError("no dataset: give --dataset DIST/NAME, or name = ... under [dataset] in copydesk.toml")
    choose(dataset, None)
    return dataset


def store(text: str, dataset: Path, out: Path | None, name: str) -> Path:
    """Write a page where it is asked for, else into the dataset's folder by renaming."""
    if out is None:
        with Folder(dataset).opened() as folder:
            folder.replace(name, text.encode())
        return dataset / name
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return out
