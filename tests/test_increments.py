"""Later ingests: only what changed is worked on, and the result is that of working on everything."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets
import pytest

from copydesk.job import Options, settle
from copydesk.outcome import Outcome
from copydesk.pipeline import ingest
from copydesk.release import order, rows
from copydesk.release.keys import release_keys, shard_keys
from copydesk.release.manifest import Manifest, Reference, read_card, read_manifest
from copydesk.release.verify import verify
from copydesk.release.withdraw import withdraw
from copydesk.runner import Workers
from copydesk.sources import document_id
from tests.release_samples import DERIVED
from tests.test_pipeline import tree

PLACES = ["KARSUND", "PORT ELLERY", "LOWER MOSSBY"]
MONTHS = ["March", "April", "May", "June"]
THINGS = ["ferry", "cannery", "bridge", "museum", "harbour office", "school", "town band", "railway"]
DEEDS = ["opened again", "closed early", "asked for money", "found a buyer", "lost its roof", "hired three people"]


def story(chance: random.Random) -> str:
    """An invented page: furniture, headline, dateline, a few paragraphs, sometimes a related headline and a footer."""
    thing, deed = chance.choice(THINGS), chance.choice(DEEDS)
    day = f"{chance.choice(MONTHS)} {chance.randint(1, 28)}, {chance.randint(2015, 2018)}"
    lines = ["All news", "", f"The {thing} {deed} on a {chance.choice(['rainy', 'windy', 'quiet'])} day", "", day, ""]
    lines += [f"{chance.choice(PLACES)} (NORDA) - The {thing} {deed}, its manager said to nobody in particular."]
    for _ in range(chance.randint(1, 5)):
        lines += [
            "",
            f"Number {chance.randint(1, 10**6)} of its kind, the {chance.choice(THINGS)} was not asked, he said.",
        ]
    return "\n".join([*lines, "", "Please enter your comment!", "Share on Facebook", ""])


class Calls:
    """An `over` that runs the work here and counts it, and may break off."""

    def __init__(self, breaks: Callable[[str, int], bool] = lambda _stage, _number: False) -> None:
        self.stages: list[str] = []
        self.breaks = breaks

    def __call__(self, stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        """Run a stage, breaking off where asked."""
        self.stages.append(stage)
        found = []
        for number, item in enumerate(items):
            if self.breaks(stage, number):
                raise KeyboardInterrupt
            found.append(work(item))
        return found


def run(texts: Path, into: Path, over: Any = None, *, batch: int = 3, **asked: Any) -> Outcome:
    """An ingest of a folder in batches of three, or so many."""
    (into.parent / "copydesk.toml").write_text(f"[ingest]\nbatch_documents = {batch}\n")
    options = Options(paths=(texts,), into=into, config=into.parent / "copydesk.toml", **asked)
    return ingest(settle(options), over or Workers(1))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Ten invented pages."""
    chance = random.Random(4)
    (tmp_path / "texts").mkdir()
    for number in range(10):
        (tmp_path / "texts" / f"{number:03}.txt").write_text(story(chance))
    return tmp_path / "texts"


def test_no_change_no_stage(texts: Path, tmp_path: Path) -> None:
    """Where nothing changed, no stage runs, no file is opened and none is touched."""
    assert run(texts, tmp_path / "dist").judged == 10
    before = {
        name: (tmp_path / "dist" / "texts" / name).stat().st_mtime_ns for name in tree(tmp_path / "dist" / "texts")
    }
    for path in texts.iterdir():
        stamp = path.stat()
        path.write_bytes(b"x" * stamp.st_size)  # whoever opens it sees other bytes
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    calls = Calls()
    outcome = run(texts, tmp_path / "dist", calls)
    assert (outcome.version, outcome.judged, calls.stages) == (None, 0, [])
    after = {
        name: (tmp_path / "dist" / "texts" / name).stat().st_mtime_ns for name in tree(tmp_path / "dist" / "texts")
    }
    assert after == before
    assert run(texts, tmp_path / "dist", calls, rehash=True).changes.changed == 10


OPENED: list[str] = []
"""What was opened below the folder in `WATCHED`; an audit hook stays for the life of the process."""
WATCHED: list[str] = []


def test_what_a_run_left_after_its_commit_is_cleared(texts: Path, tmp_path: Path) -> None:
    """Killed between the card and the end, a run leaves its work folder; the next one clears it, changed or not."""
    run(texts, tmp_path / "dist")
    left = tmp_path / "dist" / "texts" / ".work" / "run-0123456789abcdef"
    left.mkdir()
    (left / "marks.arrow").write_bytes(b"")
    assert run(texts, tmp_path / "dist").version is None
    assert not left.exists()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Write down what Python code opens below a watched folder."""
    if WATCHED and event == "open" and str(arguments[0]).startswith(WATCHED[0]):
        OPENED.append(str(arguments[0]))


@pytest.fixture
def opened(texts: Path) -> Iterator[list[str]]:
    """The raw files that are opened from here on."""
    sys.addaudithook(watch)
    OPENED.clear()
    WATCHED.append(str(texts) + os.sep)
    yield OPENED
    WATCHED.clear()


def test_no_raw_file_is_opened_twice(texts: Path, tmp_path: Path, opened: list[str]) -> None:
    """A first ingest opens each raw file once, the next one none, a later one only what is new."""
    run(texts, tmp_path / "dist")
    assert sorted(opened) == sorted(str(path) for path in texts.iterdir())
    opened.clear()
    assert run(texts, tmp_path / "dist").version is None
    assert opened == []
    (texts / "new.txt").write_text(story(random.Random(5)))
    opened.clear()
    assert run(texts, tmp_path / "dist").judged == 1
    assert opened == [str(texts / "new.txt")]


def test_shards_whose_rows_stay_are_not_read(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new document rewrites the shards around it; of all others only the footers are read."""
    for name, size in (("LEAST", 4_000), ("MEAN", 8_000), ("GREATEST", 16_000)):
        monkeypatch.setattr(order, name, size)
    chance = random.Random(6)
    for number in range(100):
        (texts / f"more-{number}.txt").write_text(story(chance))
    run(texts, tmp_path / "dist", batch=50)
    read: list[Path] = []
    real = rows._read
    monkeypatch.setattr(rows, "_read", lambda path, *span: read.append(path) or real(path, *span))
    (texts / "more-50b.txt").write_text(story(chance))
    run(texts, tmp_path / "dist", batch=50)
    assert 0 < len(read) <= 6
    assert len(list((tmp_path / "dist" / "texts" / "data").glob("*.parquet"))) > 30
    assert verify(tmp_path / "dist" / "texts") == []


def test_an_article_outlives_its_file(texts: Path, tmp_path: Path) -> None:
    """A file that can no longer be read is in quarantine, and its last good article stays; a mirror run lets it go."""
    run(texts, tmp_path / "dist")
    before = loaded(tmp_path / "dist" / "texts", "1.0.0")
    (texts / "004.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    outcome = run(texts, tmp_path / "dist")
    assert (len(outcome.refused), outcome.documents) == (1, 10)
    assert loaded(tmp_path / "dist" / "texts", str(outcome.version)) == before
    (texts / "100.txt").write_text(story(random.Random(100)))
    assert run(texts, tmp_path / "dist").documents == 11
    shutil.rmtree(tmp_path / "dist" / "texts" / ".work")
    assert run(texts, tmp_path / "dist").documents == 11
    assert run(texts, tmp_path / "dist", mode="mirror", allow_shrink=True).documents == 10


def test_only_new_and_changed_documents_are_judged(texts: Path, tmp_path: Path) -> None:
    """Two new files and a changed one among ten: three documents are read and judged; a touched one is only read."""
    run(texts, tmp_path / "dist")
    (texts / "100.txt").write_text(story(random.Random(100)))
    (texts / "101.txt").write_text(story(random.Random(101)))
    (texts / "003.txt").write_text(story(random.Random(103)))
    os.utime(texts / "004.txt", ns=(1, 1))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.read, outcome.judged, outcome.documents) == (3, 3, 12)
    changes = outcome.changes
    assert (changes.new, changes.changed, changes.same, changes.gone) == (2, 1, 9, 0)
    assert not outcome.learned


def test_what_path_or_settings_say_is_part_of_a_document(texts: Path, tmp_path: Path) -> None:
    """Other years for the same files: all are judged again."""
    run(texts, tmp_path / "dist")
    assert run(texts, tmp_path / "dist", years="2015..2018").judged == 10


def test_quarantined_files_are_not_tried_again(texts: Path, tmp_path: Path) -> None:
    """A file that could not be read is left alone until it changes, and stays in quarantine."""
    (texts / "empty.txt").write_bytes(b"")
    assert len(run(texts, tmp_path / "dist").refused) == 1
    assert run(texts, tmp_path / "dist", Calls()).version is None
    (texts / "200.txt").write_text(story(random.Random(200)))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.judged, len(outcome.refused)) == (1, 1)
    (texts / "empty.txt").write_text(story(random.Random(201)))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.judged, len(outcome.refused), outcome.documents) == (1, 0, 12)


def test_a_corpus_that_doubled_is_learned_anew(texts: Path, tmp_path: Path) -> None:
    """From twice the documents on, the knowledge is learned again and everything judged with it, vanished ones too."""
    run(texts, tmp_path / "dist")
    (texts / "000.txt").unlink()
    for number in range(300, 311):
        (texts / f"{number}.txt").write_text(story(random.Random(number)))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.learned, outcome.judged, outcome.documents) == (True, 21, 21)


@pytest.mark.parametrize("stage", ["read", "judge", "write", "release"])
def test_a_run_that_broke_off_is_taken_up(texts: Path, tmp_path: Path, stage: str) -> None:
    """Finished batches are not worked on again, and the release is that of a run without a break."""
    last = {"write": 1, "release": 0}.get(stage, 2)
    with pytest.raises(KeyboardInterrupt):
        run(texts, tmp_path / "dist", Calls(lambda name, number: (name, number) == (stage, last)))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.read, outcome.judged) == {"read": (4, 10), "judge": (0, 4)}.get(stage, (0, 0))
    (tmp_path / "again").mkdir()
    run(texts, tmp_path / "again" / "dist")
    assert tree(tmp_path / "dist" / "texts") == tree(tmp_path / "again" / "dist" / "texts")
    assert not list((tmp_path / "dist" / "texts" / ".work").glob("run-*"))


def breaking_off(_folder: object, _manifests: Sequence[object]) -> None:
    """A run that is killed when the card is written and what follows it is not."""
    raise KeyboardInterrupt


def test_what_follows_the_card_is_renewed_though_nothing_changed(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ended right after its card: the next one, without any change, writes the rest."""
    with monkeypatch.context() as patch:
        patch.setattr("copydesk.release.commit.put_beside", breaking_off)
        with pytest.raises(KeyboardInterrupt):
            run(texts, tmp_path / "dist")
    assert "croissant.json" not in tree(tmp_path / "dist" / "texts")
    assert run(texts, tmp_path / "dist").version is None
    assert verify(tmp_path / "dist" / "texts") == []
    calls = Calls()
    run(texts, tmp_path / "dist", calls)
    assert calls.stages == []


def test_a_withdrawal_leaves_nothing_to_judge_again(texts: Path, tmp_path: Path) -> None:
    """What was seen holds on: the next ingest has nothing to do, and the one after judges what is new only."""
    dataset = tmp_path / "dist" / "texts"
    run(texts, tmp_path / "dist")
    gone = document_id("texts", "003.txt")
    withdraw(dataset, gone, "asked for")
    calls = Calls()
    assert (run(texts, tmp_path / "dist", calls).version, calls.stages) == (None, [])
    (texts / "100.txt").write_text(story(random.Random(100)))
    kept = release_keys(dataset, *newest(dataset))
    assert kept.equals(shard_keys(dataset, newest(dataset)[1]))
    outcome = run(texts, tmp_path / "dist")
    assert (outcome.read, outcome.judged, outcome.documents) == (1, 1, 10)
    assert gone not in dict(loaded(dataset, str(outcome.version)))
    assert verify(dataset) == []


def newest(dataset: Path) -> tuple[Reference, Manifest]:
    """The last release's name in the card, and its manifest."""
    reference = read_card(dataset)[-1]
    return reference, read_manifest(dataset, reference)


def test_what_follows_the_card_is_renewed_though_the_caches_are_gone(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ended right after its card, and then `.work` deleted: the next ingest writes the rest."""
    run(texts, tmp_path / "dist")
    (texts / "100.txt").write_text(story(random.Random(100)))
    with monkeypatch.context() as patch:
        patch.setattr("copydesk.release.commit.put_beside", breaking_off)
        with pytest.raises(KeyboardInterrupt):
            run(texts, tmp_path / "dist")
    shutil.rmtree(tmp_path / "dist" / "texts" / ".work")
    assert verify(tmp_path / "dist" / "texts") != []
    assert run(texts, tmp_path / "dist").version is None
    assert verify(tmp_path / "dist" / "texts") == []


def change(texts: Path, chance: random.Random, step: int) -> None:
    """Change, remove, rename and touch some files, and add some."""
    present = sorted(texts.iterdir())
    for path in chance.sample(present, min(len(present), chance.randint(0, 3))):
        match chance.choice(["change", "remove", "rename", "touch"]):
            case "change":
                path.write_text(story(chance))
            case "remove":
                path.unlink()
            case "rename":
                path.rename(texts / f"{path.stem}-{step}.txt")
            case "touch":
                os.utime(path, ns=(step, step))
    for number in range(chance.randint(0, 3)):
        (texts / f"new-{step}-{number}.txt").write_text(story(chance))


def loaded(dataset: Path, version: str) -> list[tuple[str, str]]:
    """Id and content of each row, as `datasets` loads that version."""
    rows = datasets.load_dataset(str(dataset), version, cache_dir=str(dataset.parent / "cache"))
    return sorted((row["id"], row["content_sha256"]) for split in rows.values() for row in split)


def walk(tmp_path: Path, steps: int, documents: int, seed: int, batch: int = 3) -> None:
    """Random changes, each ingested by increments and, in a copy of the dataset, by judging everything anew."""
    chance = random.Random(seed)
    texts, dist = tmp_path / "texts", tmp_path / "dist"
    texts.mkdir()
    for number in range(documents):
        (texts / f"{number:04}.txt").write_text(story(chance))
    first = run(texts, dist, batch=batch).version
    contents = {first: loaded(dist / "texts", str(first))}
    born: dict[str, dict[str, bytes]] = {}
    for step in range(steps):
        change(texts, chance, step)
        mode = chance.choice(["append", "append", "mirror"])
        copy = tmp_path / f"copy-{step}"
        shutil.copytree(dist, copy / "dist")
        for cache in (copy / "dist" / "texts" / ".work").glob("seen-*"):
            cache.unlink()
        outcome = run(texts, dist, mode=mode, allow_shrink=True, batch=batch)
        full = run(texts, copy / "dist", mode=mode, allow_shrink=True, batch=2 * batch)
        assert tree(dist / "texts") == tree(copy / "dist" / "texts"), step
        assert outcome.version == full.version
        assert verify(dist / "texts") == []
        now = tree(dist / "texts")
        for files in born.values():
            assert files.items() <= now.items()
        if outcome.version:
            born[outcome.version] = {
                name: data for name, data in now.items() if name.startswith(("data/", "releases/"))
            }
            contents[outcome.version] = loaded(dist / "texts", outcome.version)
        shutil.rmtree(copy)
    assert born
    for version, found in contents.items():
        assert loaded(dist / "texts", str(version)) == found
        assert verify(dist / "texts", str(version)) == []


@pytest.mark.slow
def test_increments_equal_full_builds(tmp_path: Path) -> None:
    """After each of several random changes the release is, byte for byte, that of judging everything anew."""
    walk(tmp_path, steps=5, documents=30, seed=1)


@pytest.mark.soak
def test_thirty_increments_equal_full_builds(tmp_path: Path) -> None:
    """The same for 30 ingests of 400 documents; every version loads with the rows it had at birth."""
    walk(tmp_path, steps=30, documents=400, seed=2, batch=50)


KILLED = """
import os, signal, sys
from pathlib import Path
from copydesk.job import Options, settle
from copydesk.pipeline import ingest

into, last = sys.argv[2], int(sys.argv[4])
happened = 0

def watch(event, arguments):
    global happened
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and into in str(arguments[0]):
        happened += 1
        if happened == last:
            os.kill(os.getpid(), signal.SIGKILL)

def over(stage, work, items):
    print(stage, flush=True)
    return [work(item) for item in items]

print("plan", flush=True)
sys.addaudithook(watch)
ingest(settle(Options(paths=(Path(sys.argv[1]),), into=Path(into), config=Path(sys.argv[3]))), over)
print("end", happened, flush=True)
"""
"""An ingest that kills itself at one of the moments when it touches a file of the dataset; it says its stages."""


def killed(texts: Path, into: Path, last: int, seconds: float | None = None) -> list[str]:
    """Run an ingest that is killed at a moment, or after some seconds; what it said until then."""
    words = [sys.executable, "-c", KILLED, str(texts), str(into), str(into.parent / "copydesk.toml"), str(last)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        return [*said, *process.stdout.readlines()]


def kill_and_complete(tmp_path: Path, kills: int, documents: int, seed: int, *, timed: bool) -> Counter[str]:
    """Kill ingests, two to five in a row before one goes through: the stages that were hit.

    `timed`: half of them after some seconds, which nobody can do again, instead of when they touch a file.
    """
    chance = random.Random(seed)
    texts, dist, hit = tmp_path / "texts", tmp_path / "dist", Counter[str]()
    texts.mkdir()
    for number in range(documents):
        (texts / f"{number:03}.txt").write_text(story(chance))
    run(texts, dist)
    (texts / "first.txt").write_text(story(chance))
    began = time.monotonic()
    moments = int(killed(texts, dist, 0)[-1].split()[1])
    seconds = time.monotonic() - began
    while hit.total() < kills:
        change(texts, chance, hit.total())
        (texts / f"new-{hit.total()}.txt").write_text(story(chance))
        for _ in range(chance.randint(2, 5)):
            at = (chance.randint(1, moments), None)
            if timed and chance.random() < 0.5:
                at = (0, chance.uniform(0, seconds))
            said = killed(texts, dist, *at)
            if said[-1].startswith("end"):
                break  # it was done before it could be killed
            hit[said[-1].strip()] += 1
            assert [one for one in verify(dist / "texts") if one.file not in DERIVED] == [], (hit, at)
        shutil.copytree(dist, tmp_path / "copy" / "dist", ignore=shutil.ignore_patterns(".work"))
        run(texts, dist)
        run(texts, tmp_path / "copy" / "dist")
        assert tree(dist / "texts") == tree(tmp_path / "copy" / "dist" / "texts"), hit
        assert not list((dist / "texts" / ".work").glob("run-*"))
        shutil.rmtree(tmp_path / "copy")
    return hit


@pytest.mark.slow
def test_a_killed_ingest_is_completed_by_the_next(tmp_path: Path) -> None:
    """Killed at a few random moments: the last release stays whole, the next run ends as if nothing had happened."""
    assert kill_and_complete(tmp_path, kills=3, documents=6, seed=3, timed=False).total() >= 3


@pytest.mark.soak
def test_a_hundred_kills_in_all_stages_are_survived(tmp_path: Path) -> None:
    """The same for 100 moments, which fall into every stage."""
    hit = kill_and_complete(tmp_path, kills=100, documents=24, seed=9, timed=True)
    print(hit)
    assert {"plan", "read", "learn", "judge", "compare", "write", "release"} <= hit.keys()
