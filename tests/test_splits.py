"""Splits: where articles stand, what moves them, and that copies are never apart."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from copydesk.carry import last_release
from copydesk.config import Splits, load_config
from copydesk.corpus.splits import assign, empty
from copydesk.errors import ConfigError
from copydesk.job import Options, settle
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.release.changes import compare
from copydesk.release.verify import verify
from copydesk.runner import Workers

DAY = datetime(2018, 1, 1, 12, tzinfo=UTC)


def invented(count: int, seed: int = 0) -> pl.DataFrame:
    """Articles over a hundred days, a tenth undated, a third in clusters of two or three."""
    draw = random.Random(seed)
    ids = [hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:16] for number in range(count)]
    table = pl.DataFrame(
        {
            "id": ids,
            "source": [draw.choice(["wire", "paper", "blog"]) for _ in ids],
            "published_at": pl.Series(
                [None if draw.random() < 0.1 else DAY + timedelta(days=draw.randrange(100)) for _ in ids],
                dtype=pl.Datetime("us", "UTC"),
            ),
            "group": [number // 3 if number % 9 < 3 else None for number in range(count)],
        },
        schema_overrides={"group": pl.Int64},
    )
    first = pl.col("id").sort_by("published_at", "id", nulls_last=True).first().over("group")
    return table.with_columns(duplicate_cluster=pl.when(pl.col("group").is_not_null()).then(first))


RULES = [
    Splits(),
    Splits(shares={"train": 0.6, "validation": 0.15, "test": 0.25}),
    Splits(by="time"),
    Splits(by="time", dates={"validation": date(2018, 2, 10), "test": date(2018, 3, 1)}),
    Splits(by="source", sources={"test": ("wire",), "validation": ("blog",)}),
]


@pytest.mark.parametrize("rules", RULES)
def test_copies_are_never_apart(rules: Splits) -> None:
    """Whatever the rule, a cluster stands in the split of its earliest article."""
    split = assign(invented(900), rules)
    clusters = split.drop_nulls("duplicate_cluster").group_by("duplicate_cluster").agg(pl.col("split").n_unique())
    assert clusters.height > 90
    assert set(clusters["split"]) == {1}
    assert set(split["split"]) == {"train", "validation", "test"}


@pytest.mark.parametrize("rules", RULES)
def test_splits_depend_on_the_set_alone(rules: Splits) -> None:
    """Another order gives each article the same split."""
    table = invented(400)
    first, second = assign(table, rules), assign(table.sample(fraction=1, shuffle=True, seed=5), rules)
    assert first.select("id", "split").sort("id").equals(second.select("id", "split").sort("id"))


def test_without_rules_all_is_train() -> None:
    """One split, unless asked."""
    assert set(assign(invented(50), None)["split"]) == {"train"}


def test_shares_are_kept_by_chance() -> None:
    """Of 20,000 articles, near enough to what was asked."""
    table = invented(20_000).with_columns(duplicate_cluster=pl.lit(None, dtype=pl.String))
    counts = dict(assign(table, Splits(shares={"validation": 0.05, "test": 0.2}))["split"].value_counts().iter_rows())
    assert counts["test"] == pytest.approx(4000, rel=0.05)
    assert counts["validation"] == pytest.approx(1000, rel=0.1)


def test_by_hash_nothing_moves_when_the_corpus_grows() -> None:
    """An article keeps its split, whatever else comes, and leaves test only for a smaller test."""
    table = invented(600)
    before = assign(table, Splits()).select("id", old="split")
    after = assign(pl.concat([table, invented(600, 1)]), Splits()).join(before, on="id")
    assert after["split"].equals(after["old"])
    larger = assign(table, Splits(shares={"test": 0.3})).join(before, on="id")
    assert set(larger.filter(old="test")["split"]) == {"test"}


def test_by_time_no_training_article_is_later_than_the_test_begins() -> None:
    """Days decide; undated articles are in train; shares never cut a day in two."""
    table = invented(900).with_columns(duplicate_cluster=pl.lit(None, dtype=pl.String))
    for rules in RULES[2:4]:
        split = assign(table, rules).with_columns(day=pl.col("published_at").dt.date())
        assert set(split.filter(pl.col("day").is_null())["split"]) == {"train"}
        ends = split.drop_nulls("day").group_by("split").agg(first=pl.col("day").min(), last=pl.col("day").max())
        place = {name: (first, last) for name, first, last in ends.iter_rows()}
        assert place["train"][1] < place["validation"][0] <= place["validation"][1] < place["test"][0]
    shares = assign(table, Splits(by="time", shares={"validation": 0.1, "test": 0.3})).drop_nulls("published_at")
    assert 0.27 < (shares["split"] == "test").mean() <= 0.3


def test_by_source_the_others_are_in_train() -> None:
    """A source that no split names is in train."""
    split = assign(invented(300), Splits(by="source", sources={"test": ("wire",)}))
    alone = split.filter(pl.col("duplicate_cluster").is_null())
    assert dict(alone.select("source", "split").unique().iter_rows()) == {
        "wire": "test",
        "paper": "train",
        "blog": "train",
    }


def test_empty_splits_are_named() -> None:
    """What was asked for and has no article is told; what was not asked for is not."""
    table = assign(invented(30), Splits(by="source", sources={"test": ("nowhere",)}))
    assert empty(table, Splits(by="source", sources={"test": ("nowhere",)})) == ["test"]
    assert empty(table, None) == []
    all_of_it = Splits(by="source", sources={"validation": ("wire", "paper", "blog")})
    assert empty(assign(invented(30), all_of_it), all_of_it) == ["train"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("shares = {dev = 0.1}", "the splits are train, validation and test"),
        ("shares = {validation = 0.6, test = 0.6}", "the shares add up to 1.2"),
        ("shares = {train = 0.5, test = 0.1}", "the shares add up to 0.6"),
        ("shares = {test = -0.1}", "greater than or equal to 0"),
        ("sources = {test = ['a']}", "sources does not go with by = 'hash': give shares"),
        ("by = 'time'\ndates = {train = 2018-01-01}", "dates are those of validation and test"),
        ("by = 'time'\ndates = {validation = 2018-02-01, test = 2018-01-01}", "swap the dates"),
        ("by = 'time'\ndates = {test = 2018-02-01}\nshares = {test = 0.1}", "shares or dates, not both"),
        ("by = 'source'", "needs sources"),
        ("by = 'source'\nsources = {test = ['a'], validation = ['a']}", "in two splits"),
        ("by = 'source'\nsources = {test = ['b']}\n[[source]]\nname = 'a'\npath = 'a'", "no source is named 'b'"),
        ("by = 'chance'", "'hash', 'time' or 'source'"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, written: str, told: str) -> None:
    """Each with the file, the value and the remedy."""
    path = tmp_path / "copydesk.toml"
    path.write_text(f"[splits]\n{written}\n")
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
        load_config(path)


def project(folder: Path, splits: str = "") -> None:
    """A configuration of two sources, with rules for splits."""
    sources = "".join(f'[[source]]\nname = "{name}"\npath = "{name}"\n' for name in ("wire", "paper"))
    (folder / "copydesk.toml").write_text(f'[dataset]\nname = "news"\n{splits}\n{sources}')


def story(draw: random.Random, words: Sequence[str]) -> str:
    """A dated story of two paragraphs."""
    day = draw.randrange(1, 28)
    text = [" ".join(draw.choices(words, k=40)).capitalize() + "." for _ in range(2)]
    return f"PORT ELM, March {day}, 2018. {text[0]}\n\n{text[1]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty stories of a wire, ten of them reprinted by a paper with a word changed."""
    draw = random.Random(8)
    words = [
        f"{first}{last}" for first in ("har", "fer", "qua", "lam", "tid") for last in ("bour", "ry", "y", "p", "e")
    ]
    words = [f"{one}{two}" for one in words for two in ("", "s", "ing", "ed", "er")]
    for name in ("wire", "paper"):
        (tmp_path / name).mkdir()
    for number in range(40):
        text = story(draw, words)
        (tmp_path / "wire" / f"{number}.txt").write_text(text)
        if number % 4 == 0:
            (tmp_path / "paper" / f"{number}.txt").write_text(text.replace("harbour", "haven", 1))
    return tmp_path


def ingested(folder: Path) -> Outcome:
    with Workers(1) as pool:
        return ingest(settle(Options(config=folder / "copydesk.toml", into=folder / "dist")), pool)


def test_a_release_has_the_splits_that_were_asked_for(folder: Path) -> None:
    """They load by name; the rules alone make a release when they change, and the diff says what moved, and why."""
    project(folder)
    assert ingested(folder).documents == 50
    project(folder, '[splits]\nby = "hash"\nshares = {validation = 0.2, test = 0.3}')
    outcome = ingested(folder)
    assert (outcome.version, outcome.cause, outcome.judged) == ("1.1.0", "rows", 0)
    data = folder / "dist" / "news"
    assert verify(data) == []
    moved = compare(data, "1.0.0", "1.1.0")
    assert {name for name, _, _ in moved.select("source", "change", "cause").iter_rows()} == {"wire", "paper"}
    assert moved.height > 10
    assert set(moved.select("change", "cause").iter_rows()) == {("moved", "splits")}
    assert ingested(folder).version is None
    _loads(data)


def _loads(data: Path) -> None:
    """Each split by its name; copies are in one; the older release still has one split."""
    from datasets import load_dataset

    cache = str(data.parent.parent / "cache")
    whole = load_dataset(str(data), cache_dir=cache)
    assert list(whole) == ["train", "validation", "test"]
    assert sum(part.num_rows for part in whole.values()) == 50
    test = load_dataset(str(data), split="test", cache_dir=cache)
    assert set(test["split"]) == {"test"}
    places: dict[str, set[str]] = {}
    for name, part in whole.items():
        for cluster in filter(None, part["duplicate_cluster"]):
            places.setdefault(cluster, set()).add(name)
    assert len(places) == 10
    assert {len(one) for one in places.values()} == {1}
    assert list(load_dataset(str(data), "1.0.0", cache_dir=cache)) == ["train"]


def test_an_empty_split_is_told_and_left_out(folder: Path) -> None:
    """A split that would have no article is in no release; the run says so."""
    project(folder, '[splits]\nby = "time"\ndates = {validation = 2018-03-15, test = 2030-01-01}')
    outcome = ingested(folder)
    assert [note for note in outcome.notes if "'test' would have no article" in note]
    assert verify(folder / "dist" / "news") == []


def test_copies_that_are_dropped_are_in_a_config_of_their_own(folder: Path) -> None:
    """The splits have each story once; the copies, the ledger and the raw files are all still there."""
    from datasets import load_dataset

    from copydesk.release.restore import restore

    project(folder, "[splits]\nshares = {test = 0.4}")
    ingested(folder)
    job = settle(Options(config=folder / "copydesk.toml", into=folder / "dist", duplicates="drop"))
    with Workers(1) as pool:
        outcome = ingest(job, pool)
    assert (outcome.version, outcome.judged) == ("1.1.0", 0)
    data, cache = folder / "dist" / "news", str(folder / "cache")
    assert verify(data) == []
    whole = load_dataset(str(data), cache_dir=cache)
    assert list(whole) == ["train", "test"]
    assert sum(part.num_rows for part in whole.values()) == 40
    assert not any(one for part in whole.values() for one in part["duplicate_of"])
    copies = load_dataset(str(data), "duplicates", split="duplicates", cache_dir=cache)
    assert len(copies) == 10
    ids = {one for part in whole.values() for one in part["id"]}
    assert set(copies["duplicate_of"]) < ids
    assert sum(part.num_rows for part in load_dataset(str(data), "1.0.0", cache_dir=cache).values()) == 50
    restore(data, None, folder / "back")
    assert len(list((folder / "back").rglob("*.txt"))) == 50
    assert "left out of the splits" in (data / "README.md").read_text()


def articles_of(data: Path) -> pl.DataFrame:
    """The articles of the newest release."""
    last = last_release(data)
    assert last is not None
    return pl.concat(pl.read_parquet(data / shard.file) for shard in last.manifest.shards("article"))


def test_a_dropped_copy_stands_in_when_its_story_goes(folder: Path) -> None:
    """Where the first printing is withdrawn or vanishes, a copy takes its place, in its split."""
    from copydesk.release.withdraw import withdraw

    project(folder)
    text = (folder / "copydesk.toml").read_text().replace('name = "news"', 'name = "news"\nduplicates = "drop"', 1)
    (folder / "copydesk.toml").write_text(text)
    ingested(folder)
    data = folder / "dist" / "news"
    copy, first = articles_of(data).drop_nulls("duplicate_of").sort("id").select("id", "duplicate_of").row(0)
    withdraw(data, first, "Asked for.")
    assert verify(data) == []
    assert articles_of(data).filter(id=copy).select("split", "duplicate_of").row(0) == ("train", None)
    assert ingested(folder).version is None
