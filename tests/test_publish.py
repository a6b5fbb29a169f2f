"""Publishing to the Hub: what is sent, that a killed run is completed, and that every version loads from there."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from copydesk.cli import build_parser
from copydesk.release import order
from copydesk.release.manifest import read_card
from copydesk.release.verify import verify
from copydesk.release.withdraw import withdraw
from tests.conftest import ROOT
from tests.hub_server import READER, Hub, Repository, serving
from tests.killing import Death, dying
from tests.loopback import closed_port
from tests.release_samples import release, sample_tables

NAME = "someone/harbour"

WORKER = """
import contextlib, io, json, sys

from copydesk.cli import main


def load(name, asked):
    from datasets import get_dataset_config_names, load_dataset

    found = {"names": get_dataset_config_names(name)}
    for one in asked:
        rows = load_dataset(name, split="train", **one)
        found[json.dumps(one)] = [rows.num_rows, rows.info.description]
    return found


answers = sys.stdout
for line in sys.stdin:
    order = json.loads(line)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main(order["run"]) if "run" in order else load(order["load"], order["asked"])
    print(json.dumps([found, out.getvalue(), err.getvalue()]), file=answers, flush=True)
"""


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Reader:
    """A Hub, a process that knows no other and runs what it is told, and the repository of this test."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self.hub, self.home, self.name = hub, home, NAME
        command = [sys.executable, "-c", WORKER]
        self.process = subprocess.Popen(
            command, env=environment(hub, home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _ask(self, order: dict[str, Any]) -> list[Any]:
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def publish(self, dataset: Path, *options: str) -> Done:
        """`copydesk publish DATASET NAME --no-prefect OPTIONS`."""
        return Done(*self._ask({"run": ["publish", str(dataset), self.name, "--no-prefect", *options]}))

    def load(self, *asked: dict[str, str]) -> dict[str, Any]:
        """What `datasets` loads from the Hub: config names, and rows and description by what was asked."""
        return self._ask({"load": self.name, "asked": asked})[0]

    @property
    def repository(self) -> Repository:
        """The repository as the server has it."""
        return self.hub.repositories[self.name]

    def download(self, folder: Path, revision: str = "main") -> Path:
        """The repository as files."""
        return downloaded(self.repository, folder, revision)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """A dataset of two releases in small shards."""
    folder = tmp_path_factory.mktemp("publish") / "harbour"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 5_000)
        patch.setattr(order, "MEAN", 10_000)
        for end in (100, 120):
            release(folder, sample_tables(range(end)))
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hub of its own."""
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def _reader(tmp_path_factory) -> Iterator[Reader]:
    with serving() as hub:
        reader = Reader(hub, tmp_path_factory.mktemp("home"))
        yield reader
        reader.process.stdin.close()
        reader.process.wait()
        reader.process.stdout.close()


@pytest.fixture
def reader(_reader, request) -> Reader:
    """A Hub with a repository's name that no other test has."""
    _reader.name = f"someone/{request.node.name.partition('[')[0][5:60].strip('_')}"
    _reader.hub.uploaded = 0
    _reader.hub.large.clear()
    return _reader


def environment(hub: Hub, home: Path, **more: Any) -> dict[str, str]:
    """The environment of a program that knows only this Hub."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**plain, **hub.environment(home, **more), "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "2"}


def publish(hub: Hub, home: Path, dataset: Path, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """`copydesk publish DATASET NAME --no-prefect OPTIONS`, in a process of its own."""
    command = [sys.executable, "-m", "copydesk", "publish", str(dataset), NAME, "--no-prefect", *options]
    return subprocess.run(command, env=environment(hub, home, **more), capture_output=True, text=True, check=False)


def downloaded(repository: Repository, folder: Path, revision: str = "main") -> Path:
    """A repository as files."""
    commit = repository.at(revision)
    assert commit is not None
    for name, data in commit.tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_every_version_is_published_tagged_and_loads(reader, dataset, tmp_path):
    """By default, by config name, by tag; a second run sends nothing; what was published verifies."""
    done = reader.publish(dataset, "--create", "private")
    assert done.returncode == 0, done.stderr
    assert f"{reader.name}: published 1.0.0, 1.1.0 (without the ledger)" in done.stdout
    repository = reader.repository
    assert repository.private
    assert [one.title for one in repository.commits] == ["initial commit", "Release 1.0.0", "Release 1.1.0"]
    sent = reader.hub.uploaded
    assert f"{sent:,} bytes" in done.stdout
    again = reader.publish(dataset)
    assert (again.stdout.splitlines()[-1], reader.hub.uploaded) == (
        f"{reader.name}: every release is there; nothing to do",
        sent,
    )
    found = reader.load({}, {"name": "1.0.0"}, {"revision": "1.0.0"}, {"revision": "1.1.0"},
        {"name": "1.0.0", "revision": "1.1.0"},
    )  # fmt: skip
    assert found.pop("names") == ["1.1.0", "1.0.0"]
    assert [rows for rows, _ in found.values()] == [120, 100, 100, 120, 100]
    assert found["{}"][1].startswith("harbour-corpus 1.1.0, content ")
    assert verify(reader.download(tmp_path / "down")) == []
    assert [one.version for one in read_card(reader.download(tmp_path / "old", "1.0.0"))] == ["1.0.0"]


def test_with_ledger_the_raw_files_come_back_from_what_was_published(reader, dataset, tmp_path):
    """`ledger` is a config, and the newest ledger loads by it."""
    done = reader.publish(dataset, "--create", "public", "--with-ledger")
    assert done.returncode == 0, done.stderr
    assert not reader.repository.private
    found = reader.load({}, {"name": "ledger"})
    assert found["names"] == ["1.1.0", "1.0.0", "ledger"]
    assert found['{"name": "ledger"}'][0] > found["{}"][0]
    folder = reader.download(tmp_path / "down")
    assert verify(folder) == []
    command = [sys.executable, "-m", "copydesk", "restore", str(folder), "--into", str(tmp_path / "raw")]
    assert "120 files written" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_dry_run_says_what_it_would_do_and_sends_nothing(reader, dataset, tmp_path):
    """The same operations as the real run."""
    planned = reader.publish(dataset, "--create", "private", "--dry-run")
    assert (planned.returncode, reader.hub.uploaded, reader.name in reader.hub.repositories) == (0, 0, False)
    done = reader.publish(dataset, "--create", "private")
    assert planned.stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
    assert "set the tag 1.1.0" in planned.stdout


def test_an_increment_sends_what_is_new(reader, dataset, tmp_path):
    """A third release of one more day: its shards, the manifest and the texts."""
    shutil.copytree(dataset, tmp_path / "set")
    reader.publish(tmp_path / "set", "--create", "private")
    before, sent = set(reader.repository.commits[-1].tree), reader.hub.uploaded
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 5_000)
        patch.setattr(order, "MEAN", 10_000)
        release(tmp_path / "set", sample_tables(range(123)))
    done = reader.publish(tmp_path / "set")
    assert "published 1.2.0" in done.stdout
    new = set(reader.repository.commits[-1].tree) - before
    assert "releases/1.2.0.json" in new
    assert len([name for name in new if name.startswith("data/")]) <= 2
    assert reader.hub.uploaded - sent < sent / 2


def killed_at(hub: Hub, home: Path, dataset: Path, moment: str, number: int) -> None:
    """Publish, and kill the process with SIGKILL when the Hub gets its `number`th request of a kind."""
    command = [sys.executable, "-m", "copydesk", "publish", str(dataset), NAME, "--no-prefect", "--create", "private"]

    def watched(kill: Death) -> None:
        hub.at_request = lambda _number, told: kill(told)

    ended = dying(command, environment(hub, home), (lambda told: moment in told, number), watched)
    hub.at_request = lambda _number, _told: None
    assert ended == -9, f"the run ended before request {number} of {moment}"


def soak(*moment: Any) -> Any:
    return pytest.param(*moment, marks=pytest.mark.soak)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("PUT /large", 9),
        ("/tag/", 1),
        soak("PUT /large", 1),
        soak("/commit/main", 1),
        soak("PUT /large", 21),
        soak("/commit/main", 2),
        soak("/tag/", 2),
    ],
)
def test_a_killed_run_is_completed_by_the_next(hub, reader, dataset, tmp_path, moment, number):
    """Wherever it was killed: tree and tags are as without, and nothing is sent twice but what was under way."""
    reader.name = NAME
    if NAME not in reader.hub.repositories:
        assert reader.publish(dataset, "--create", "private").returncode == 0
    wanted = reader.repository
    whole = sum(map(len, {data for one in wanted.commits for data in one.tree.values()}))
    killed_at(hub, tmp_path / "one", dataset, moment, number)
    done = publish(hub, tmp_path / "two", dataset, "--create", "private")
    assert done.returncode == 0, done.stderr
    found = hub.repositories[NAME]
    assert found.commits[-1].tree == wanted.commits[-1].tree
    for tag in ("1.0.0", "1.1.0"):
        assert found.at(tag).tree == wanted.at(tag).tree
    underway = 5 * max(len(data) for data in hub.large.values())
    texts = sum(len(data) for one in found.commits for name, data in one.tree.items() if not name.startswith("data/"))
    assert hub.uploaded <= whole + underway + texts


ERRORS = {
    "missing": (("--no-prefect",), {}, "there is no such dataset repository, or your token may not see it"),
    "no token": ((), {"token": None}, "no token is set: log in with `hf auth login`, or set HF_TOKEN"),
    "no right": (("--create", "private"), {"token": READER}, "the token has no right to do this"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_the_hub_refuses_is_said_with_the_remedy(hub, dataset, tmp_path, name):
    """In one line, with exit code 3; nothing is sent."""
    options, more, told = ERRORS[name]
    done = publish(hub, tmp_path, dataset, *options, **more)
    assert (done.returncode, hub.uploaded) == (3, 0)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_out_of_reach_and_no_hub_asked_for_are_told_apart(dataset, tmp_path):
    """A closed port; HF_HUB_OFFLINE; a name that is none."""
    gone = Hub()
    with closed_port() as port:
        gone.address = f"http://127.0.0.1:{port}"
        assert "the Hub cannot be reached" in publish(gone, tmp_path, dataset).stderr
    env = {**environment(gone, tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "copydesk", "publish", str(dataset), NAME, "--no-prefect"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "HF_HUB_OFFLINE is set" in done.stderr) == (3, True)
    command[5] = "no/such/name"
    done = subprocess.run(command, env=environment(gone, tmp_path), capture_output=True, text=True, check=False)
    assert (done.returncode, "is no name of a repository" in done.stderr) == (2, True)


def test_another_dataset_s_repository_is_left_alone(reader, dataset, tmp_path):
    """Neither one that copydesk did not make, nor one published from another folder, nor one that is ahead."""
    reader.publish(dataset, "--create", "private")
    repository = reader.repository
    release(tmp_path / "other", sample_tables(range(30), 5))
    done = reader.publish(tmp_path / "other")
    assert (done.returncode, "is not the one in" in done.stderr) == (3, True)
    before = len(repository.commits)
    repository.add("by hand", {"README.md": b"# Mine\n"})
    done = reader.publish(dataset)
    assert (done.returncode, "is no card of copydesk" in done.stderr) == (3, True)
    assert len(repository.commits) == before + 1


def test_a_withdrawn_document_leaves_every_version_and_tag(reader, dataset, tmp_path):
    """The releases that held it are made anew under their tags; with --purge no commit has its rows any longer."""
    shutil.copytree(dataset, tmp_path / "set")
    reader.publish(tmp_path / "set", "--create", "private", "--with-ledger")
    articles, _ = sample_tables(range(120))
    gone = articles["id"][3]
    withdraw(tmp_path / "set", gone, "asked for")
    done = reader.publish(tmp_path / "set", "--with-ledger", "--purge")
    assert done.returncode == 0, done.stderr
    assert "move the tag 1.0.0" in done.stdout
    assert [rows for rows, _ in list(reader.load({}, {"revision": "1.0.0"}).values())[1:]] == [119, 99]
    for number, revision in enumerate(("1.0.0", "1.1.0")):
        assert verify(reader.download(tmp_path / f"down-{number}", revision), revision) == []
    for commit in reader.repository.commits:
        assert not any(gone.encode() in data for name, data in commit.tree.items() if name.startswith("data/"))
    assert reader.publish(tmp_path / "set", "--with-ledger").stdout.endswith("nothing to do\n")


def test_the_commands_of_the_page_are_commands():
    """docs/publishing.md needs a Hub and a bucket to run; its commands are read as a shell and the parser read them."""
    page = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("copydesk ")]
    assert len(lines) >= 12
    for line in lines:
        assert build_parser().parse_args(shlex.split(line, comments=True)[1:]).run
