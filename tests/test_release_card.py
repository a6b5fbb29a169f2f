"""The card: what it says, that it is valid, that no foreign text acts on it, and that it stays small."""

from __future__ import annotations

import re
import time
from copy import deepcopy

import polars as pl
import pytest
import yaml
from huggingface_hub import DatasetCard

from copydesk.release.card import card_seal, render_card
from copydesk.release.facts import LICENCE, Facts
from copydesk.release.head import licence_id
from copydesk.release.manifest import Manifest, card_head, read_card, read_manifest
from copydesk.release.markdown import code
from copydesk.release.verify import verify
from copydesk.schema import load_schema
from tests.release_samples import NO_REFUSALS, release, sample_tables

REFUSED = pl.DataFrame(
    [("a" * 16, "bad.txt", "harbour", "b" * 64, "byte 17 | is no text")], schema=NO_REFUSALS.schema, orient="row"
)
FACTS = Facts("harbour-corpus", "The Harbour Corpus", "Stories of one harbour.", "CC-BY-4.0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of one release, with duplicates and quarantine."""
    path = tmp_path_factory.mktemp("card") / "harbour"
    articles, ledger = sample_tables(range(60))
    twin = pl.int_range(pl.len()) == 7
    articles = articles.with_columns(
        duplicate_of=pl.when(twin).then(pl.lit(articles["id"][2])),
        duplicate_cluster=pl.when(twin | (pl.int_range(pl.len()) == 2)).then(pl.lit("c1")),
    )
    release(path, (articles, ledger), facts=FACTS, quarantine=REFUSED)
    return path


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_hub_s_own_reader_takes_the_head(text):
    """DatasetCard parses it, and what it holds is what the Hub knows."""
    data = DatasetCard(text, ignore_metadata_errors=False).data
    assert data.pretty_name == "The Harbour Corpus"
    assert data.license == "cc-by-4.0"
    assert set(data.language) == {"en", "ru"}
    assert data.size_categories == ["n<1K"]
    assert [one["config_name"] for one in data.configs] == ["1.0.0", "ledger"]
    assert [one.get("default", False) for one in data.configs] == [True, False]


def test_versions_are_quoted(text):
    """As the Hub asks for names that look like numbers."""
    assert 'config_name: "1.0.0"' in text
    assert "&id" not in text
    assert "*id" not in text


def test_features_of_the_head_are_what_datasets_writes(text, folder):
    """Our YAML form of features equals `datasets`' own."""
    from datasets import Features

    infos = {one["config_name"]: one for one in card_head(text, folder)["dataset_info"]}
    for config, schema in (("1.0.0", "article"), ("ledger", "ledger")):
        features = Features.from_arrow_schema(load_schema(schema).arrow)
        assert infos[config]["features"] == features._to_yaml_list()
        assert Features._from_yaml_list(infos[config]["features"]) == features


SAYS = [
    "# The Harbour Corpus\n\nStories of one harbour.",
    'articles = load_dataset("harbour-corpus", split="train")',
    '"harbour-corpus", "1.0.0"',
    "| Articles | 60, ",
    "| `harbour` | 60 | 100.0 % |",
    "## What was left out, and why",
    "`Please enter your comment!`",
    "near-copies form 1 cluster; beside the earliest of each, that is 1 article.",
    "1 document could not be read or broke the schema",
    "On the evidence of (spans): `model` ",
    "`byte N \\| is no text`",
    "## Licence\n\nCC-BY-4.0",
    "ftfy 6.",
]


@pytest.mark.parametrize("words", SAYS)
def test_the_card_says(text, words):
    """What a reader looks for is there."""
    assert words in text


def test_every_table_of_the_card_is_whole(text):
    """Each row of a table has as many cells as its header."""
    body = text.split("\n---\n", 1)[1]
    for table in re.findall(r"(?:^\|.*\n)+", body, flags=re.MULTILINE):
        cells = [len(re.sub(r"\\\|", "", row).split("|")) for row in table.strip().split("\n")]
        assert len(set(cells)) == 1, table


def test_numbers_come_from_the_manifest(text, folder):
    """Articles, words, lines and what was dropped."""
    body = read_manifest(folder, read_card(folder)[-1]).body
    assert f"{body['counts']['words']:,} words" in text
    fates = body["ledger"]["by_fate"]
    assert f"{body['ledger']['spans'] - fates['blank']:,} that are not blank; {fates['dropped']:,} of them" in text
    assert sum(body["ledger"]["dropped_by_evidence"].values()) == fates["dropped"]
    assert sum(row["spans"] for row in body["ledger"]["by_label"]) == body["ledger"]["spans"]


def test_without_words_of_the_user_the_card_has_its_own(tmp_path):
    """Title, description and licence have defaults; the licence claims nothing."""
    release(tmp_path, sample_tables(range(3)))
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "# harbour-corpus\n\nNews articles as their outlets wrote them" in text
    assert f"## Licence\n\n{LICENCE}" in text
    assert "license: unknown" in text
    assert "Every document could be read." in text
    assert "No two articles are copies" in text


def test_words_of_the_user_do_not_break_the_card(tmp_path):
    """A title of two lines, a description that looks like the card's own marks."""
    odd = Facts("harbour", "Two\nlines: 'and' \"quotes\"", "a\n---\nb\n<!-- sha256 0 -->\n# c", "Ask: first | then")
    release(tmp_path, sample_tables(range(3)), facts=odd)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert DatasetCard(text).data.pretty_name == "Two lines: 'and' \"quotes\""
    assert "# Two lines: 'and' \"quotes\"\n\na\n---\nb\n" in text
    assert verify(tmp_path) == []
    assert release(tmp_path, sample_tables(range(4)), facts=odd).version == "1.1.0"


@pytest.mark.parametrize(
    ("licence", "identifier"),
    [("cc-by-4.0", "cc-by-4.0"), ("MIT", "mit"), (LICENCE, "unknown"), ("Ask the Harbour Times first", "other")],
)
def test_a_licence_becomes_an_identifier_of_the_hub(licence, identifier):
    """What the Hub does not know is `other` there."""
    assert licence_id(licence) == identifier


FOREIGN = [
    ("Story continues below", "`Story continues below`"),
    ("a | b", "`a \\| b`"),
    ("<script>alert(1)</script>", "`<script>alert(1)</script>`"),
    ("a ` b", "`` a ` b ``"),
    ("``", "``` `` ```"),
    ("left\u202eright\u200b\x1b[31m", "`left right  [31m`"),
    ("", "` `"),
]


@pytest.mark.parametrize(("text", "shown"), FOREIGN)
def test_foreign_text_is_shown_as_code(text, shown):
    """Markup, table bars, back quotes and control characters do not act."""
    assert code(text) == shown


def test_examples_are_short_frequent_and_few(folder):
    """At most three a label, at most 80 characters, the most frequent first."""
    examples = read_manifest(folder, read_card(folder)[-1]).body["examples"]
    assert examples
    for texts in examples.values():
        assert 1 <= len(texts) <= 3
        assert all(len(text) <= 80 for text in texts)


def test_the_last_line_seals_the_card(text):
    """The checksum is over all above it."""
    body = text[: text.rindex("\n<!-- sha256 ")]
    assert text == body + card_seal(body)


def test_fifty_releases_of_a_hundred_shards_stay_small(folder):
    """Under a megabyte, and older ones stay named by their manifests only."""
    first = read_manifest(folder, read_card(folder)[-1])
    manifests = []
    for number in range(60):
        body = deepcopy(first.body) | {"version": f"1.{number}.0"}
        (split,) = body["tables"]["article"]["splits"]
        shard = split["shards"][0]
        split["shards"] = [shard | {"file": f"data/{number:04}{place:028}.parquet"} for place in range(100)]
        manifests.append(Manifest(body))
    began = time.perf_counter()
    card = render_card(manifests[-50:], [one.reference for one in manifests])
    assert time.perf_counter() - began < 10
    assert len(card.encode()) < 1_000_000
    head = yaml.safe_load(card.split("\n---\n", 1)[0][4:])
    assert [one["config_name"] for one in head["configs"]][:2] == ["1.59.0", "1.58.0"]
    assert len(head["configs"]) == 51
    assert len(head["releases"]) == 60
