"""The card: what it says, that it is valid, that no foreign text acts on it, and that it stays small."""

from __future__ import annotations

import re
import time
from copy import deepcopy
from xml.etree import ElementTree as ET

import polars as pl
import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from copydesk.release.card import card_seal, render_card
from copydesk.release.facts import LICENCE, Facts
from copydesk.release.folder import sha256_of
from copydesk.release.head import licence_id
from copydesk.release.manifest import Manifest, card_head, read_card, read_manifest
from copydesk.release.markdown import code, table
from copydesk.release.plots import render_plots
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
    for found in re.findall(r"(?:^\|.*\n)+", body, flags=re.MULTILINE):
        cells = [len(re.sub(r"\\\|", "", row).split("|")) for row in found.strip().split("\n")]
        assert len(set(cells)) == 1, found


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


def _releases(folder, number: int, shards: int) -> list[Manifest]:
    """Manifests of many releases, each with shards of its own."""
    first = read_manifest(folder, read_card(folder)[-1])
    manifests = []
    for count in range(number):
        body = deepcopy(first.body) | {"version": f"1.{count}.0"}
        (split,) = body["tables"]["article"]["splits"]
        facts = {name: values[:1] * shards for name, values in split["shards"].items()}
        split["shards"] = facts | {"file": [f"data/{count:04}{place:012}.parquet" for place in range(shards)]}
        manifests.append(Manifest(body))
    return manifests


@pytest.mark.parametrize(("shards", "listed"), [(1, 50), (30, 50), (100, 33), (1_000, 4)])
def test_two_hundred_releases_stay_small(folder, shards, listed):
    """Under 200 kB, the newest always loadable, the others as far as there is room; all stay named."""
    manifests = _releases(folder, 200, shards)
    began = time.process_time()
    card = render_card(manifests[-50:], [one.reference for one in manifests])
    assert time.process_time() - began < 10
    assert len(card.encode()) < 200_000
    head = yaml.safe_load(card.split("\n---\n", 1)[0][4:])
    assert [one["config_name"] for one in head["configs"]][:1] == ["1.199.0"]
    assert len(head["configs"]) == listed + 1
    assert len(head["releases"]) == 200


HOSTILE = st.text(
    st.sampled_from("|`\\<>[]()*_~#!&;:/\n\r\t \u2028\u202e\u200babchttpwww.@-=\"'{}$") | st.characters(), max_size=60
)


@given(HOSTILE, HOSTILE)
def test_no_foreign_text_leaves_its_cell(first, second):
    """By CommonMark with GitHub's tables: one row of three cells, whose elements are code alone."""
    page = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(table(("a", "b", "c"), [[code(first), code(second), "end"]]))
    )
    cells = re.search(r"<tbody>\s*<tr>\s*(.*?)</tr>\s*</tbody>", page, flags=re.DOTALL)[1]
    assert re.findall(r"<(/?[a-z]+)", cells) == [*(["td", "code", "/code", "/td"] * 2), "td", "/td"]
    assert page.count("<tr>") == 2


def test_a_backslash_does_not_free_a_bar():
    """Cells are cut before code is seen, and there a backslash before the bar's own would end the escape."""
    assert code("a\\|<img src=x>") == "`a\\ \\|<img src=x>`"


def test_the_card_tells_how_good_how_made_and_how_to_cite(text):
    """Sections for those who judge it, with the words of the manifest."""
    for section in ("How good the labelling is", "Known limits", "How it was made", "Citing it"):
        assert f"\n## {section}\n" in text
    assert "| of the texts without any furniture, how many came out whole | `articles` | 100.00 % |" in text
    assert "> The corpus is release 1.0.0 of The Harbour Corpus: 60 articles of " in text
    assert "@misc{harbour-corpus-1-0-0,\n  title   = {{The Harbour Corpus}},\n  year    = {2017}," in text


def test_authors_and_address_go_into_the_citation(tmp_path):
    """Signs of TeX are written as TeX wants them."""
    told = Facts("harbour", "Storm & Tide_100%", authors=("Ada Quill", "Bo {Reed}"), url="https://harbour.example/c")
    release(tmp_path, sample_tables(range(3)), facts=told)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "title   = {{Storm \\& Tide\\_100\\%}}," in text
    assert "author  = {Ada Quill and Bo \\{Reed\\}}," in text
    assert "url     = {https://harbour.example/c}," in text
    assert '"name": "Ada Quill"' in (tmp_path / "croissant.json").read_text(encoding="utf-8")


def test_plots_are_well_formed_named_by_their_bytes_and_described(text, folder):
    """Each is shown with words in its place, has both schemes, and loads nothing."""
    shown = re.findall(r"^!\[([^\]]{40,})\]\((plots/[a-z]+-([0-9a-f]{12})\.svg)\)$", text, flags=re.MULTILINE)
    assert [name.split("/")[1].split("-")[0] for _, name, _ in shown] == ["months", "lengths", "removed", "labels"]
    assert {path.name for path in (folder / "plots").iterdir()} == {name.split("/")[1] for _, name, _ in shown}
    for alt, name, digest in shown:
        data = (folder / name).read_bytes()
        assert sha256_of(data).startswith(digest)
        root = ET.fromstring(data)
        assert root.find("{http://www.w3.org/2000/svg}desc").text == alt
        assert b"prefers-color-scheme:dark" in data
        assert not re.search(rb"href|url\(|<script|@import", data)


def test_plots_add_up_to_what_they_show(folder):
    """The heights told by the bars' titles are the manifest's counts, months without an article included."""
    body = read_manifest(folder, read_card(folder)[-1]).body
    plots = render_plots(body)
    told = re.findall(r"<title>([^<]*): ([\d,]+)</title>", plots["months"].svg)
    months = {name: number for name, number in body["counts"]["by_month"].items() if name != "(unknown)"}
    assert {name: int(number) for name, number in told if number != "0"} == months
    told = re.findall(r"<title>([^<]*): ([\d,]+)</title>", plots["lengths"].svg)
    assert sum(int(number.replace(",", "")) for _, number in told) == body["documents"]
    labels = re.findall(r"<title>([^<]*): ([\d.]+) %</title>", plots["labels"].svg)
    assert 99 < sum(float(share) for _, share in labels) < 101


def test_a_long_time_is_shown_by_years(folder):
    """More than ten years of months would be a comb."""
    body = deepcopy(read_manifest(folder, read_card(folder)[-1]).body)
    body["counts"]["by_month"] = {"1990-05": 3, "2019-01": 4}
    body["counts"]["by_year"] = {"1990": 3, "2019": 4}
    plot = render_plots(body)["months"]
    assert plot.alt.startswith("Articles per year from 1990 to 2019: at most 4, in 2019;")
    assert plot.svg.count("<rect") == 1 + 30
