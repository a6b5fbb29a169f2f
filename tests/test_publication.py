"""What a published variant holds, what it does not, and that it is sound by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from copydesk.errors import ReleaseError, UsageError
from copydesk.job import Options
from copydesk.ledger import LEDGER
from copydesk.rebuild import rebuild
from copydesk.release import order
from copydesk.release.beside import beside
from copydesk.release.card import render_card
from copydesk.release.changes import render_changelog
from copydesk.release.manifest import Manifest, card_head, read_card, read_manifest
from copydesk.release.publication import derive
from copydesk.release.restore import restore
from copydesk.release.variants import Recipe
from copydesk.release.verify import verify
from copydesk.text import content_hashes
from tests.conftest import ROOT
from tests.release_samples import folder_bytes, release, sample_document, sample_tables
from tests.test_pipeline import built

RECIPES = {
    "articles": Recipe(ledger=False),
    "ledger": Recipe(),
    "masked": Recipe(ledger=False, masks=("emails", "ips")),
    "masked ledger": Recipe(masks=("emails", "ips")),
    "no text": Recipe(text=False),
    "no text, masked": Recipe(text=False, masks=("emails", "ips")),
}


def published(dataset: Path, recipe: Recipe, folder: Path) -> list[Manifest]:
    """A dataset's releases by a recipe, as the folder that a reader has."""
    old = [read_manifest(dataset, one) for one in read_card(dataset)]
    made = [derive(dataset, one, recipe, "someone/harbour", folder) for one in old]
    for name, path in {name: path for one in made for name, path in one.files.items()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if path != folder / name:
            shutil.copyfile(path, folder / name)
    manifests = [one.manifest for one in made]
    (folder / "releases").mkdir()
    for one in manifests:
        (folder / one.file).write_bytes(one.data)
    (folder / "README.md").write_text(render_card(manifests, [one.reference for one in manifests]), encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(render_changelog(manifests), encoding="utf-8")
    for name, data in beside(manifests[-1]).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return manifests


@pytest.fixture(scope="module")
def telling(tmp_path_factory) -> Path:
    """A dataset of two releases in which one ledger line and its article hold addresses."""
    folder = tmp_path_factory.mktemp("telling") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 5_000)
        patch.setattr(order, "MEAN", 10_000)
        patch.setattr("tests.release_samples.FURNITURE", (("advert", "Write to ads@harbour.example"),))
        patch.setattr("tests.release_samples.WORDS", ("ferry", "tide", "quill@harbour.example", "203.0.113.7", "lamp"))
        sample_document.cache_clear()
        for end in (40, 60):
            articles, ledger = sample_tables(range(end))
            release(folder, (articles, ledger))
    sample_document.cache_clear()
    return folder


def all_bytes(folder: Path) -> bytes:
    """Every file, the Parquet and Arrow ones as the values in them."""
    told = []
    for name, data in folder_bytes(folder).items():
        if name.endswith(".parquet"):
            told.append(repr(pl.read_parquet(folder / name).to_dicts()).encode())
        told.append(data)
    return b"".join(told)


def rows_of(folder: Path, table: str) -> pl.DataFrame:
    """The rows of a table of the newest release."""
    manifest = read_manifest(folder, read_card(folder)[-1])
    return pl.concat([pl.read_parquet(folder / one.file) for one in manifest.shards(table)])


@pytest.mark.parametrize("name", RECIPES)
def test_a_publication_verifies_and_its_card_names_what_is_there(telling, tmp_path, name):
    """Every hash and number; YAML configs of the tables that are there; the repository's name to load it by."""
    recipe = RECIPES[name]
    published(telling, recipe, tmp_path / "out")
    assert verify(tmp_path / "out") == []
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    configs = [one["config_name"] for one in card_head(text, Path("README.md"))["configs"]]
    assert configs == ["1.1.0", "1.0.0", *(["ledger"] if "ledger" in recipe.tables else [])]
    assert 'load_dataset("someone/harbour", split="train")' in text
    assert ("### Columns of the ledger" in text) == ("ledger" in recipe.tables)
    assert ("## What is published" in text) == (name != "ledger")


@pytest.mark.parametrize("name", RECIPES)
def test_copies_that_do_not_hold_together_are_named_in_a_publication(tmp_path, name):
    """A copy of an article that is not there, and a cluster in two splits: forged with all hashes."""
    articles, ledger = sample_tables(range(8))
    first, place = articles["id"][0], pl.int_range(pl.len())
    forged = articles.with_columns(
        duplicate_cluster=pl.when(place < 2).then(pl.lit(first)).when(place == 2).then(pl.lit("f" * 16)),
        duplicate_of=pl.when(place == 1).then(pl.lit(first)).when(place == 2).then(pl.lit("f" * 16)),
        split=pl.when(place == 1).then(pl.lit("test")).otherwise("split"),
    )
    release(tmp_path / "harbour", (forged.with_columns(content_sha256=content_hashes(forged)), ledger))
    published(tmp_path / "harbour", RECIPES[name], tmp_path / "out")
    told = [problem.what for problem in verify(tmp_path / "out")]
    assert f"cluster {first}" in told
    assert f"cluster {'f' * 16} of {articles['uri'][2]}" in told


def test_unchanged_rows_are_the_same_files(telling, tmp_path):
    """Without ledger the shards of the articles are those on disk, so that an increment sends what is new only."""
    published(telling, RECIPES["articles"], tmp_path / "out")
    shards = {path.name for path in (tmp_path / "out" / "data").iterdir()}
    newest, first = (read_manifest(telling, one) for one in reversed(read_card(telling)))
    assert shards == {Path(one.file).name for manifest in (newest, first) for one in manifest.shards("article")}


@pytest.mark.parametrize("name", ["masked", "masked ledger"])
def test_nothing_masked_is_in_any_file(telling, tmp_path, name):
    """Neither in rows, nor in card, manifest or quarantine; and no hash of a raw file that held it."""
    published(telling, RECIPES[name], tmp_path / "out")
    whole = all_bytes(tmp_path / "out")
    assert b"quill@" in all_bytes(telling)
    for secret in (b"quill@", b"ads@", b"203.0.113"):
        assert secret not in whole
    assert b"[email]" in whole
    lines = rows_of(telling, "ledger")
    telltale = lines.filter(pl.col("raw").bin.contains(b"@") | pl.col("raw").bin.contains(b"203."))["id"].unique()
    rows = rows_of(tmp_path / "out", "article")
    assert telltale.len() > 0
    assert set(rows.filter(pl.col("raw_sha256").is_null())["id"]) == set(telltale)
    with pytest.raises(ReleaseError, match=r"emails, ips\) is not to be restored"):
        restore(tmp_path / "out", None, tmp_path / "back")


def test_without_text_there_is_none(tmp_path):
    """No sentence of an article and no raw byte: only fields, labels, hashes and places."""
    release(tmp_path / "set", sample_tables(range(30)))
    (manifest,) = published(tmp_path / "set", RECIPES["no text"], tmp_path / "out")
    assert {"text", "headings"}.isdisjoint(manifest.body["tables"]["article"]["columns"])
    assert {"text", "raw"}.isdisjoint(manifest.body["tables"]["ledger"]["columns"])
    assert manifest.body["examples"] == {}
    whole = all_bytes(tmp_path / "out")
    articles, _ = sample_tables(range(30))
    for text in articles["text"]:
        assert not any(line.encode() in whole for line in text.split("\n\n") if len(line) > 40)
    assert not (tmp_path / "out" / "knowledge").exists()


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Path:
    """The sample dataset, and what is published of it without text, with and without masks."""
    folder = tmp_path_factory.mktemp("samples")
    built(folder / "dist", batch=2000)
    published(folder / "dist" / "samples", RECIPES["no text"], folder / "bare")
    published(folder / "dist" / "samples", RECIPES["no text, masked"], folder / "masked")
    return folder


def copies(folder: Path, samples: Path) -> Path:
    """The raw files under other names, in another order of folders."""
    restore(samples / "dist" / "samples", None, folder / "restored")
    (folder / "copies").mkdir()
    files = sorted(path for path in (folder / "restored").rglob("*") if path.is_file())
    for number, path in enumerate(files):
        shutil.copyfile(path, folder / "copies" / f"{number:03}.txt")
    return folder / "copies"


@pytest.mark.parametrize("name", ["bare", "masked"])
def test_from_copies_the_release_comes_back_whole(samples, tmp_path, name):
    """The same rows in the same files, damaged encodings and cut lines included; raw files can be restored again."""
    found = rebuild(samples / name, None, Options(paths=(copies(tmp_path, samples),)), tmp_path / "new")
    assert (found.missing, verify(tmp_path / "new")) == (0, [])
    old, new = (folder_bytes(folder / "data") for folder in (samples / "dist" / "samples", tmp_path / "new"))
    assert new == old
    restore(tmp_path / "new", None, tmp_path / "again")
    assert folder_bytes(tmp_path / "again") == folder_bytes(tmp_path / "restored")


def test_a_missing_and_a_wrong_copy_are_named(samples, tmp_path):
    """Nothing is built; with `partial` all others are."""
    restore(samples / "dist" / "samples", None, tmp_path / "mine")
    wrong, gone = sorted((tmp_path / "mine").rglob("vestnik/*.txt"))
    wrong.write_bytes(b"Another story altogether.\n")
    gone.unlink()
    options = Options(paths=(tmp_path / "mine",))
    with pytest.raises(ReleaseError) as told:
        rebuild(samples / "bare", None, options, tmp_path / "new")
    assert f"{wrong.relative_to(tmp_path / 'mine').as_posix()}: your copy is another (SHA-256" in str(told.value)
    assert f"{gone.relative_to(tmp_path / 'mine').as_posix()}: no copy (SHA-256" in str(told.value)
    assert read_card(tmp_path / "new") == []
    found = rebuild(samples / "bare", None, options, tmp_path / "new", partial=True)
    assert (found.missing, verify(tmp_path / "new")) == (2, [])


def test_restore_says_what_a_publication_can_give(samples, tmp_path):
    """Without text: use --from; with it: --from is not for it."""
    with pytest.raises(ReleaseError, match=r"published without text.*restore --from COPIES"):
        restore(samples / "bare", None, tmp_path / "back")
    with pytest.raises(UsageError, match="has its text"):
        rebuild(samples / "dist" / "samples", None, Options(paths=(ROOT / "seeds",)), tmp_path / "new")


def test_a_publication_without_text_keeps_the_columns_of_the_ledger_that_say_what_became_of_lines(samples):
    """Labels, fates, evidence, byte places, and characters in place of text."""
    manifest = read_manifest(samples / "bare", read_card(samples / "bare")[-1])
    columns = set(manifest.body["tables"]["ledger"]["columns"])
    assert columns == set(LEDGER) - {"raw", "text"} | {"chars"}
