"""Ten releases of one corpus, each changed in another way: the causes are right, and every diff replays exactly."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copydesk import desk, seen
from copydesk.job import Options, settle
from copydesk.pipeline import ingest
from copydesk.release import commit
from copydesk.release.changes import compare
from copydesk.release.manifest import read_card, read_manifest
from copydesk.release.patch import replay, write_patch
from copydesk.release.verify import verify
from copydesk.release.withdraw import withdraw
from copydesk.runner import Workers
from copydesk.text import content_hashes
from tests.release_samples import folder_bytes
from tests.test_corrections import correct, said
from tests.test_increments import story

HEADLINE = "Museum says the old snow plough is not for sale"
OTHER = "Karsund buys nine electric buses from a bankrupt ski resort"
PAGE = """{headline}

March 6, 2018

KARSUND, March 6. /NORDA/. {what} is the talk of the town, the council said on Tuesday after a long and rainy meeting.

"Nobody asked us about {what}, and nobody will," the chairman told reporters, and went home by the last bus of the day.

{link}

The council had met six times since the middle of February, always in the canteen, because of {what} and the heating.
"""


class Corpus:
    """A folder of texts, its configuration, and its dataset."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.dataset = folder, folder / "dist" / "texts"
        (folder / "texts").mkdir(parents=True)
        self.source = 'site = "gazette"'
        self.more = ""

    def write(self, name: str, text: str) -> None:
        """Put a text there."""
        (self.folder / "texts" / name).write_text(text, encoding="utf-8")

    def run(self, **asked: Any) -> dict[str, dict[str, int]]:
        """An ingest; gives the changes of the release that it made."""
        config = self.folder / "copydesk.toml"
        corrections = [name for name in ("corrections.jsonl",) if (self.folder / name).exists()]
        config.write_text(
            f'[dataset]\nname = "texts"\ninto = "dist"\n[ingest]\nbatch_documents = 4\ncorrections = {corrections}\n'
            f'[[source]]\nname = "texts"\npath = "texts"\n{self.source}\n{self.more}',
            encoding="utf-8",
        )
        outcome = ingest(settle(Options(config=config, into=self.folder / "dist", **asked)), Workers(1))
        assert outcome.version is not None
        reference = read_card(self.dataset)[-1]
        assert reference.version == outcome.version
        found: dict[str, dict[str, int]] = read_manifest(self.dataset, reference).body["changes"]
        return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> tuple[Corpus, list[dict[str, dict[str, int]]]]:
    """The ten releases, and what each says of its changes."""
    made = Corpus(tmp_path_factory.mktemp("ten") / "project")
    chance, told = random.Random(4), []
    for number in range(12):
        made.write(f"{number:03}.txt", story(chance))
    told.append(made.run())
    made.write("003.txt", story(chance))
    made.write("100.txt", story(chance))
    told.append(made.run())
    (made.folder / "texts" / "005.txt").unlink()
    told.append(made.run(mode="mirror", allow_shrink=True))
    with pytest.MonkeyPatch.context() as patch:
        _other_code(patch)
        told.append(made.run())
        made.write("200.txt", (made.folder / "texts" / "100.txt").read_text(encoding="utf-8"))
        told.append(made.run())
        made.write("300.txt", PAGE.format(headline=HEADLINE, what="The plough", link=OTHER))
        made.write("301.txt", PAGE.format(headline=OTHER, what="The ninth bus", link=HEADLINE))
        told.append(made.run())
        told.append(made.run(relearn=True))
        correct(made.folder, said(made.folder, "003.txt", line=1, label="body"))
        told.append(made.run())
        made.more = "[splits]\nshares = {test = 0.4}\n"
        told.append(made.run())
        made.source += '\noutlet = "The Gazette"'
        told.append(made.run())
    return made, told


def _other_code(patch: pytest.MonkeyPatch) -> None:
    """Another digest of the code, and a code that writes one headline in capitals and names one rule otherwise."""
    for module in (commit, seen):
        patch.setattr(module, "code_digest", lambda: "0" * 32)
    real = desk.judge

    def judge(*given: Any) -> desk.Judged:
        judged = real(*given)
        loud = pl.when(uri="007.txt").then(pl.col("headline").str.to_uppercase()).otherwise("headline")
        articles = judged.articles.with_columns(headline=loud)
        named = (
            pl.when((pl.col("uri") == "008.txt") & (pl.col("line") == 1))
            .then(pl.lit("web:other"))
            .otherwise("evidence")
        )
        return dataclasses.replace(
            judged,
            articles=articles.with_columns(content_sha256=content_hashes(articles)),
            ledger=judged.ledger.with_columns(evidence=named),
        )

    patch.setattr(desk, "judge", judge)


def test_each_change_has_its_cause(corpus):
    """Input, code, duplicates, knowledge, correction, splits, and what the settings say of a source."""
    _, told = corpus
    assert told[0] == {"added": {"raw file": 12}}
    assert told[1] == {"added": {"raw file": 1}, "changed": {"raw file": 1}}
    assert told[2] == {"removed": {"raw file": 1}}
    assert told[3] == {"changed": {"code": 1}, "relabelled": {"code": 1}}
    assert told[4] == {"added": {"raw file": 1}, "regrouped": {"other documents": 1}}
    assert told[5] == {"added": {"raw file": 2}}
    assert {cause for causes in told[6].values() for cause in causes} == {"knowledge"}
    assert told[7] == {"changed": {"correction": 1}}
    assert set(told[8]) == {"moved"}
    assert set(told[8]["moved"]) == {"splits"}
    assert told[9] == {"changed": {"paths and sidecars": 15}}


def _replayed(dataset: Path, folder: Path) -> None:
    versions = [one.version for one in read_card(dataset)]
    held = folder_bytes(dataset)
    for old, new in itertools.pairwise(versions):
        write_patch(dataset, old, new, folder / f"{old}-{new}")
        manifest = replay(dataset, folder / f"{old}-{new}", folder / new)
        files = folder_bytes(folder / new)
        assert manifest.body == json.loads(held[f"releases/{new}.json"])
        assert manifest.data == held[f"releases/{new}.json"]
        shards = {shard.file for table in ("article", "ledger") for shard in manifest.shards(table)}
        assert shards == {name for name in files if name.startswith("data/")}
        assert all(files[name] == held[name] for name in shards)


def test_each_diff_replays_exactly(corpus, tmp_path):
    """The older release and the patch give the newer one's files, all ten, and the dataset verifies."""
    made, _ = corpus
    assert verify(made.dataset) == []
    _replayed(made.dataset, tmp_path)


def test_each_diff_replays_exactly_after_a_withdrawal(corpus, tmp_path):
    """A document out of every release is out of every diff and every patch."""
    made, _ = corpus
    name = compare(made.dataset, "1.2.0", "1.3.0").filter(uri="007.txt")["id"][0]
    withdraw(made.dataset, name, "the court said so")
    assert verify(made.dataset) == []
    versions = [one.version for one in read_card(made.dataset)]
    for old, new in itertools.pairwise(versions):
        assert name not in compare(made.dataset, old, new)["id"]
    _replayed(made.dataset, tmp_path)
    for path in tmp_path.glob("1.*-1.*"):
        with zipfile.ZipFile(path) as whole:  # its record stays in the manifest, and nothing else of it
            assert not any(name.encode() in whole.read(one) for one in whole.namelist() if one != "release.json")
