"""Verify names every corruption: the file, the value expected and the value found."""

# ruff: noqa: E501, E741 -- tables of cases: one a line, a for articles and l for the ledger

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from copydesk.errors import ReleaseError
from copydesk.release import audit, draft, order, sorting, writing
from copydesk.release import card as card_module
from copydesk.release import verify as verify_module
from copydesk.release.folder import sha256_of
from copydesk.release.manifest import card_head, read_card, read_manifest
from copydesk.release.problems import Problem
from copydesk.release.variants import schema_of
from copydesk.release.verify import verify
from copydesk.schema.fields import Field
from copydesk.text import content_hashes
from tests.release_samples import NO_REFUSALS, folder_bytes, release, sample_tables

REFUSED = pl.DataFrame([("a" * 16, "bad.txt", "harbour", "b" * 64, "no text")], schema=NO_REFUSALS.schema, orient="row")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Two releases with several shards each, knowledge and quarantine."""
    folder = tmp_path_factory.mktemp("verify") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 10_000)
        patch.setattr(order, "MEAN", 30_000)
        release(folder, sample_tables(range(100)))
        release(folder, sample_tables(range(20, 130)), quarantine=REFUSED)
    return folder


@pytest.fixture
def copy(dataset, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(dataset, tmp_path / "harbour"))


def test_a_sound_dataset_has_no_problems(dataset):
    """As a whole, and release by release."""
    assert verify(dataset) == []
    assert verify(dataset, "1.0.0") == []
    assert verify(dataset, "1.1.0") == []


def test_what_is_no_dataset_is_an_error(dataset, tmp_path):
    """There is nothing to verify, or no such release; the message says what there is."""
    with pytest.raises(ReleaseError, match="there is no release here"):
        verify(tmp_path)
    with pytest.raises(ReleaseError, match=r"has no release 9\.0\.0; there are 1\.0\.0, 1\.1\.0"):
        verify(dataset, "9.0.0")


def _damage(folder: Path, draw: random.Random) -> str:
    """Damage one file in one of four ways; returns its name."""
    name = draw.choice(sorted(folder_bytes(folder)))
    path = folder / name
    data = bytearray(path.read_bytes())
    match draw.randrange(4):
        case 0:
            place = draw.randrange(len(data))
            data[place] ^= 1 << draw.randrange(8)
            path.write_bytes(data)
        case 1:
            path.write_bytes(data[: draw.randrange(len(data))])
        case 2:
            path.unlink()
        case 3:
            place = draw.randrange(len(data))
            path.write_bytes(data[:place] + b"7" + data[place:])
    return name


@pytest.mark.parametrize("seed", range(40))
def test_every_random_corruption_is_named(copy, seed):
    """A flipped bit, a cut, missing or longer file: the file is among those named, with expected and found."""
    name = _damage(copy, random.Random(seed))
    problems = verify(copy)
    assert name in {problem.file for problem in problems}
    for problem in problems:
        assert problem.expected != problem.found
        assert problem.file in str(problem)


EDITS = [
    ("README.md", "| Articles | ", "| Articles | 1", "line "),
    ("README.md", "num_examples: ", "num_examples: 1", "line "),
    ("README.md", "[data/", "[data/0", "line "),
    ("README.md", "harbour-corpus", "harbor-corpus", "line "),
    ("releases/1.1.0.json", '"documents":', '"documents":1', "SHA-256 of the manifest"),
    ("releases/1.0.0.json", '"spans":', '"spans":1', "SHA-256 of the manifest"),
]


@pytest.mark.parametrize(("name", "old", "new", "what"), EDITS)
def test_an_edited_card_or_manifest_is_named(copy, name, old, new, what):
    """Numbers, names and words of a person's hand."""
    path = copy / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    problems = verify(copy)
    assert any(problem.file == name and problem.what.startswith(what) for problem in problems)


def _sealed(text: str) -> str:
    body = text.rpartition("\n<!-- sha256 ")[0]
    return body + card_module.card_seal(body)


def test_an_edited_card_is_found_though_its_checksum_was_made_anew(copy):
    """The card is compared with the one that the manifests give."""
    path = copy / "README.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(_sealed(text.replace("| Articles | 1", "| Articles | 9", 1)), encoding="utf-8")
    assert [problem.file for problem in verify(copy)] == ["README.md"]


def test_a_card_of_another_copydesk_may_say_it_in_other_words(copy, monkeypatch):
    """Only its checksum and its file lists, counts and hashes are checked then."""
    path = copy / "README.md"
    text = path.read_text(encoding="utf-8").replace("## Loading it", "## How to load it")
    monkeypatch.setattr(verify_module, "__version__", "99.0")
    path.write_text(_sealed(text), encoding="utf-8")
    assert verify(copy) == []
    path.write_text(_sealed(text.replace("num_examples: 1", "num_examples: 2")), encoding="utf-8")
    assert {problem.what for problem in verify(copy)} == {"`dataset_info` of the YAML head"}
    path.write_text(text, encoding="utf-8")
    assert verify(copy)[0].what.startswith("line ")


def _forged(folder: Path, change) -> list[Problem]:
    """A release whose hashes all hold, but whose rows or manifest were changed before they were written."""
    found = folder / "forged"
    articles, ledger = sample_tables(range(30))
    release(found, change(articles, ledger))
    return verify(found)


def _raw_changed(articles, ledger):
    return articles, ledger.with_columns(
        raw=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(b"Other")).otherwise("raw"), text=pl.col("text")
    )


FORGED = [
    (lambda a, l: (a.with_columns(headline=pl.lit("Other")), l), "content_sha256 of "),
    (lambda a, l: (_rehashed(a.with_columns(text=pl.col("text") + " More.")), l), "text from the ledger of "),
    (lambda a, l: (_rehashed(a.with_columns(headings=pl.lit([], dtype=a.schema["headings"]))), l), "headings from the ledger of "),
    (lambda a, l: (_rehashed(a.with_columns(raw_sha256=pl.lit("0" * 64))), l), "SHA-256 of the raw bytes of "),
    (_raw_changed, "SHA-256 of the raw bytes of "),
    (_raw_changed, "byte places of "),
    (lambda a, l: (a, l.with_columns(start=pl.col("start") + 1)), "byte places of "),
    (lambda a, l: (a, l.with_columns(line=pl.col("line") + 1)), "byte places of "),
    (lambda a, l: (a, l.with_columns(fate=pl.lit("dropped"))), "counts.lines_text of "),
]  # fmt: skip


def _rehashed(articles: pl.DataFrame) -> pl.DataFrame:
    return articles.with_columns(content_sha256=content_hashes(articles))


@pytest.mark.parametrize(("change", "what"), FORGED)
def test_rows_that_do_not_fit_each_other_are_named(tmp_path, change, what):
    """The ledger's bytes and text, the articles' hashes and counts are recomputed, not believed."""
    problems = _forged(tmp_path, change)
    assert any(problem.what.startswith(what) for problem in problems)


def test_counts_that_were_written_wrong_are_named(tmp_path, monkeypatch):
    """The manifest's numbers are counted again."""
    real = draft.article_counts
    monkeypatch.setattr(draft, "article_counts", lambda tallies: {**real(tallies), "words": 1})
    release(tmp_path, sample_tables(range(20)))
    monkeypatch.undo()
    (problem,) = verify(tmp_path)
    assert problem == replace(problem, file="releases/1.0.0.json", what="counts.words", expected="1")
    assert int(problem.found) > 100


def test_a_tally_that_was_written_wrong_is_named(tmp_path, monkeypatch):
    """What the footers of the shards count is counted again, since later releases believe it."""
    real = writing.article_tallies
    wrong = lambda frame, sizes: [{**one, "documents": 1} for one in real(frame, sizes)]  # noqa: E731
    monkeypatch.setattr(writing, "article_tallies", wrong)
    release(tmp_path, sample_tables(range(20)))
    monkeypatch.undo()
    assert "the tally in its footer" in {problem.what for problem in verify(tmp_path)}


def test_rows_out_of_order_are_named(tmp_path, monkeypatch):
    """The order by day and id is checked."""
    real = sorting.in_order
    monkeypatch.setattr(sorting, "in_order", lambda *told: real(*told).reverse())
    release(tmp_path, sample_tables(range(20)))
    monkeypatch.undo()
    assert "order of the articles" in {problem.what for problem in verify(tmp_path)}


def test_a_shared_file_is_hashed_once(dataset, monkeypatch):
    """Releases share most of their files."""
    seen = []
    real = verify_module._hashed
    monkeypatch.setattr(verify_module, "_hashed", lambda path: seen.append(path) or real(path))
    verify(dataset)
    assert len(seen) == len(set(seen))


def test_the_chain_of_hashes_starts_at_the_card(dataset):
    """The card names the manifests, the manifests name all other files, and no file of a release is left out."""
    head = card_head((dataset / "README.md").read_text(encoding="utf-8"), dataset)
    named = {"README.md", "CHANGELOG.md", *(one["file"] for one in head["described"])}
    for reference in read_card(dataset):
        assert sha256_of((dataset / reference.file).read_bytes()) == reference.sha256
        named |= {reference.file, *verify_module._files(read_manifest(dataset, reference))}
    assert named == set(folder_bytes(dataset))
    assert json.loads((dataset / "releases/1.1.0.json").read_bytes())["base"] == "1.0.0"


def test_a_ledger_in_another_order_than_its_articles_is_named(tmp_path, monkeypatch):
    """Its documents stand as the articles do."""
    real = writing.Writing.documents
    turned = lambda task: real(task).reverse() if task.schema.name == "ledger" else real(task)  # noqa: E731
    monkeypatch.setattr(writing.Writing, "documents", turned)
    release(tmp_path, sample_tables(range(20)))
    monkeypatch.undo()
    assert "order of the ledger's documents" in {problem.what for problem in verify(tmp_path)}


def test_an_edited_plot_or_croissant_is_named(copy):
    """The card names what goes with it by its hash; a file that is gone is named as well."""
    names = [name for name in folder_bytes(copy) if name.startswith("plots/") or name == "croissant.json"]
    assert len(names) == 5
    for name in names[1:]:
        path = copy / name
        path.write_text(path.read_text(encoding="utf-8").replace("1", "2", 1), encoding="utf-8")
    (copy / names[0]).unlink()
    problems = verify(copy)
    assert [problem.file for problem in problems] == names
    assert [problem.what for problem in problems] == ["SHA-256"] * 5
    assert problems[0].found == "no such file"


def test_a_release_of_older_columns_is_told_what_to_do_with(dataset, monkeypatch):
    """One that was made before a column was added: no pass and no crash, but the column's name and the remedy."""
    whole = schema_of("article")
    newer = replace(whole, fields=(*whole.fields, Field("mood", "string", "string")))
    monkeypatch.setattr(audit, "schema_of", lambda table, _: newer if table == "article" else schema_of(table))
    (found,) = verify(dataset)
    assert (found.file, found.expected, found.found) == ("releases/1.1.0.json", "mood", "none of these")
    assert "copydesk ingest --relearn" in found.what
