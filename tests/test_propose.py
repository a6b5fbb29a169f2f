"""Profiles proposed from pages without labels: that they load, find the site's furniture, and take no text."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.invented import SITES, Page, pages
from copydesk.drafting import draft_from_files, draft_from_release
from copydesk.errors import UsageError
from copydesk.job import Options
from copydesk.knowledge import Knowledge
from copydesk.labels import KEPT
from copydesk.lines import label_lines
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.lines.propose import propose
from tests.lines_samples import PARAGRAPHS, batch

PAGES = 14
WORDS = [
    "oak",
    "fir",
    "elm",
    "ash",
    "yew",
    "bay",
    "box",
    "fig",
    "pear",
    "plum",
    "sloe",
    "hazel",
    "rowan",
    "alder",
    "maple",
    "larch",
    "birch",
]


def table(some: list[Page], site: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Line table and documents of pages, named by their ids."""
    lines, documents = batch(*(page.text[:-1] for page in some), site=site)
    return lines, documents.with_columns(id=pl.Series([page.id for page in some]))


def loaded(text: str, folder: Path) -> Profiles:
    folder.mkdir(exist_ok=True)
    (folder / "draft.toml").write_text(text, encoding="utf-8")
    return load_profiles([folder])


def kept(some: list[Page], site: str, profiles: Profiles) -> pl.DataFrame:
    """doc, line, stays (the truth) and kept (ours), judged without knowledge of a corpus."""
    lines, documents = table(some, site)
    spans = label_lines(lines, documents, Knowledge(), profiles)
    truth = pl.DataFrame(
        [(doc, at + 1, stays) for doc, page in enumerate(some) for at, stays in enumerate(page.stays)],
        schema={"doc": pl.UInt32, "line": pl.UInt32, "stays": pl.Boolean},
        orient="row",
    )
    return spans.join(truth, on=["doc", "line"]).with_columns(kept=pl.col("label").cast(pl.String).is_in(KEPT))


@pytest.mark.parametrize("site", SITES[::2], ids=lambda site: site.name)
def test_a_draft_finds_the_sites_own_furniture_on_other_pages(site, tmp_path: Path) -> None:
    """Loaded as it stands, it takes more furniture off pages it has not seen, and not a line of text more."""
    made = list(pages(site, PAGES + 8))
    draft = propose(*table(made[:PAGES], site.name))
    shipped = kept(made[PAGES:], site.name, load_profiles())
    drafted = kept(made[PAGES:], site.name, loaded(draft, tmp_path / site.name))
    left = [frame.filter("kept", pl.col("stays").not_()).height for frame in (shipped, drafted)]
    lost = [frame.filter(~pl.col("kept"), "stays").height for frame in (shipped, drafted)]
    assert left[1] <= 0.6 * left[0]
    assert lost[1] <= lost[0]


@pytest.fixture(scope="module")
def harbour() -> str:
    return propose(*table(list(pages(SITES[0], PAGES))))


def test_every_kind_of_recurring_line_is_found(harbour: str) -> None:
    """Whole lines, lines with counters, leads before titles, words before names; what tells the site's pages apart."""
    more = harbour + "".join(propose(*table(list(pages(site, PAGES)), site.name)) for site in SITES[1:4])
    assert '"Tide table and moorings", # 14 documents, 14 lines' in harbour
    assert 'regex = "^lamplit edition no\\\\. [0-9]+$"' in harbour
    assert any(f'regex = "^{lead}' in more for lead in ("from the same berth: ", "tessa vel: ", "another apple from"))
    assert any(f'regex = "^{words} "' in more for words in ("told from the quay by", "picked by", "hand of"))
    assert "markers = [" in harbour
    assert "# Left out, for you to decide:" in harbour
    assert "like a section heading" in harbour


def test_the_cases_come_from_the_corpus(harbour: str, tmp_path: Path) -> None:
    """At least two positive and two negative cases for each rule, all of them lines of the pages, or cut from them."""
    corpus = {line for page in pages(SITES[0], PAGES) for line in page.text.split("\n")}
    profile = next(one for one in loaded(harbour, tmp_path).profiles if one.id == "harbour")
    assert profile.rules
    for rule in profile.rules:
        assert len(rule.positive) >= 2
        assert len(rule.negative) >= 2
        assert set(rule.positive) <= corpus
        assert all(any(line.startswith(case) for line in corpus) for case in rule.negative)


def test_the_order_of_the_documents_does_not_matter(harbour: str) -> None:
    """The same pages in another order give the same draft, byte for byte."""
    made = list(pages(SITES[0], PAGES))
    for seed in range(2):
        random.Random(seed).shuffle(made)
        assert propose(*table(made)) == harbour


def test_no_rule_matches_confident_text() -> None:
    """A line that is surely text in one document keeps a rule out, however often the words open furniture elsewhere."""
    sentence = "Keel: The harbour museum is open to visitors from all over the region on every day but Monday, it said."
    drafts = []
    for spoiled in ("", sentence):
        made = [page.text.split("\n\n") for page in pages(SITES[4], 10)]
        for number, text in enumerate(made):
            lead = f"Keel: {' and '.join(WORDS[number : number + 8])}"
            text.insert(len(text) // 2, spoiled if number == 3 and spoiled else lead)
        drafts.append(propose(*batch(*("\n\n".join(text) for text in made), site="harbour")))
    safe, unsafe = drafts
    assert 'regex = "^keel: "' in safe
    assert 'regex = "^keel: "' not in unsafe
    assert "# - '^keel: '" in unsafe


def test_near_copies_count_once() -> None:
    """A page crawled ten times does not make its lines recur."""
    (page,) = pages(SITES[1], 1)
    draft = propose(*batch(*[page.text] * 10, site="mirvo"))
    assert "[[rules]]" not in draft


def test_too_few_documents_are_refused() -> None:
    """Two pages cannot show what recurs."""
    with pytest.raises(UsageError, match="2 documents; a profile is proposed from at least 3"):
        propose(*table(list(pages(SITES[0], 2)), "quayside"))


HARD = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1, max_size=4)


@settings(max_examples=12)
@given(lines=HARD)
def test_any_recurring_text_can_be_written_down(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Quotes, backslashes, control and format characters: the draft always loads."""
    plain = [line.replace("\n", " ").replace("\r", " ") for line in lines]
    made = [
        "\n".join(
            [
                f"Storm {number} ends",
                *(f"{line} {number}" for line in plain),
                *plain,
                f"{PARAGRAPHS[number % 5]} {number}.",
                *PARAGRAPHS,
            ]
        )
        for number in range(5)
    ]
    loaded(propose(*batch(*made, site="harbour")), tmp_path_factory.mktemp("draft"))


def test_a_draft_from_files_is_that_from_the_release(tmp_path: Path) -> None:
    """Raw files and the ledger of the release made of them show the same lines."""
    from copydesk.job import settle
    from copydesk.pipeline import ingest

    raw = tmp_path / "tolvan"
    raw.mkdir()
    for page in pages(SITES[4], PAGES):
        (raw / f"{page.id}.txt").write_text(page.text, encoding="utf-8")
    options = Options(paths=(raw,), into=tmp_path / "dist")
    ingest(settle(options), lambda _, work, items: [work(item) for item in items])
    drafted = draft_from_files(options)
    assert drafted == draft_from_release(tmp_path / "dist" / "tolvan", load_profiles())
    assert '"Ola narim", # 14 documents' in drafted
    with pytest.raises(UsageError, match="source:tolvan"):
        draft_from_files(options, "elsewhere")
    with pytest.raises(UsageError, match="no release here"):
        draft_from_release(tmp_path / "dist" / "other", load_profiles())
