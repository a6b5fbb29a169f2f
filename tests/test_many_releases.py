"""Many releases of one dataset: what they take on disk, how large the card grows, how long loading takes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import datasets
import pytest

from copydesk import carry
from copydesk.job import Options, settle
from copydesk.pipeline import ingest
from copydesk.release.folder import WORK
from copydesk.release.manifest import Manifest, read_card, read_manifest
from copydesk.release.verify import verify
from copydesk.runner import Workers

SYLLABLES = ("ba", "do", "ke", "lim", "no", "ra", "ser", "tu", "va", "wen", "mor", "eth", "ing", "ly", "an", "is")
FIRST = date(2015, 1, 5)
"""A Monday."""


def words(chance: random.Random) -> tuple[list[str], list[float]]:
    """An invented vocabulary, and how often each word is used (Zipf's law)."""
    made = {"".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(9_000)}
    return sorted(made), [1 / rank for rank in range(10, 10 + len(made))]


def story(chance: random.Random, vocabulary: tuple[list[str], list[float]]) -> str:
    """A page of some two kilobytes: a headline, paragraphs of invented words, and some furniture."""
    lines = ["All news", "", " ".join(chance.choices(*vocabulary, k=7)).capitalize(), ""]
    for _ in range(chance.randint(4, 12)):
        said = [" ".join(chance.choices(*vocabulary, k=chance.randint(8, 20))).capitalize() for _ in range(2)]
        lines += [". ".join(said) + ".", ""]
    return "\n".join([*lines, "Please enter your comment!", "Share on Facebook", ""])


def weeks(texts: Path, number: int, each: int) -> Iterator[int]:
    """Write the pages of one week after the other, each into a file that bears its day."""
    chance = random.Random(11)
    vocabulary = words(chance)
    for week in range(number):
        for count in range(each):
            day = FIRST + timedelta(days=7 * week + chance.randrange(7))
            (texts / f"{day.isoformat()}_{week:03}-{count:03}.txt").write_text(story(chance, vocabulary))
        yield week


def sizes(dataset: Path) -> dict[str, int]:
    """Bytes of each file of a dataset, but for what only the next ingest uses."""
    found = (path for path in dataset.rglob("*") if path.is_file() and WORK not in path.parts)
    return {path.relative_to(dataset).as_posix(): path.stat().st_size for path in found}


def newest(dataset: Path) -> Manifest:
    """The manifest of the last release."""
    return read_manifest(dataset, read_card(dataset)[-1])


def last_release(dataset: Path, files: dict[str, int]) -> int:
    """The bytes of the last release, as if it were the only one."""
    manifest = newest(dataset)
    beside = [name for name in files if not name.startswith(("data/", "releases/", "knowledge/", "quarantine/"))]
    return sum(files[name] for name in {*manifest.files, manifest.file, *beside})


def loading(dataset: Path, cache: Path) -> float:
    """CPU seconds of loading the newest release, not cached."""
    began = time.process_time()
    datasets.load_dataset(str(dataset), cache_dir=str(cache))
    return time.process_time() - began


def grown(tmp_path: Path, number: int, each: int) -> Path:
    """A dataset of so many weekly releases, judged with the knowledge of the first."""
    texts, dist = tmp_path / "texts", tmp_path / "dist"
    texts.mkdir()
    settings = tmp_path / "copydesk.toml"
    settings.write_text(
        '[dataset]\nname = "weekly"\n[[source]]\nname = "wire"\npath = "texts"\npattern = "{date}_{slug}.txt"\n'
    )
    for _ in weeks(texts, number, each):
        ingest(settle(Options(config=settings, into=dist)), Workers(1))
    return dist / "weekly"


def told(dataset: Path) -> float:
    """Print what is on disk; how much it is against the last release alone."""
    files = sizes(dataset)
    last = last_release(dataset, files)
    by_folder = {
        name: sum(size for file, size in files.items() if file.startswith(f"{name}/"))
        for name in ("data", "releases", "knowledge", "plots")
    }
    tables = {name: len(newest(dataset).shards(name)) for name in ("article", "ledger")}
    ratio = sum(files.values()) / last
    print(f"\n{sum(files.values()):,} bytes, last release {last:,}: {ratio:.2f} times; {by_folder}; shards {tables}")
    return ratio


@pytest.mark.slow
def test_a_few_weekly_releases_take_little_more_than_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six weeks: no shard is written again."""
    monkeypatch.setattr(carry, "DOUBLED", 1_000_000)
    dataset = grown(tmp_path, 6, 40)
    data = {name for name in sizes(dataset) if name.startswith("data/")}
    assert data == {name for name in newest(dataset).files if name.startswith("data/")}
    assert verify(dataset) == []


@pytest.mark.soak
def test_two_hundred_weekly_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 1.3 times the last release on disk, a card under 200 kB, and loading less than a second slower."""
    monkeypatch.setattr(carry, "DOUBLED", 1_000_000)
    dataset = grown(tmp_path, 200, 120)
    ratio = told(dataset)
    assert len(read_card(dataset)) == 200
    card = (dataset / "README.md").stat().st_size
    once = tmp_path / "once"
    ingest(settle(Options(config=tmp_path / "copydesk.toml", into=once)), Workers(1))
    loading(once / "weekly", tmp_path / "cache")  # the first load imports what all need
    times = [loading(path, tmp_path / f"cache-{number}") for number, path in enumerate((once / "weekly", dataset))]
    print(f"card {card:,} bytes; loading {times[0]:.2f} s with one release, {times[1]:.2f} s with two hundred")
    assert card < 200_000
    assert times[1] < times[0] + 1
    assert verify(dataset) == []
    assert ratio <= 1.3
