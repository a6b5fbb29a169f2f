"""Datasets on a store: the same bytes as on disk, whatever breaks on the way, and one of two writers wins."""

from __future__ import annotations

import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copydesk.cli import main
from copydesk.errors import ReleaseError, RemoteError, UsageError, VerifyError
from copydesk.release import order
from copydesk.release.folder import Folder
from copydesk.release.manifest import read_card, read_manifest
from copydesk.release.remote import tries
from copydesk.release.remote.copy import push, update
from copydesk.release.remote.store import OvertakenError, Store
from copydesk.release.remote.through import all_files, articles_of, reading, through_store, working_copy, writing
from copydesk.release.verify import verify
from copydesk.release.withdraw import withdraw
from tests.conftest import ROOT
from tests.killing import dying
from tests.release_samples import folder_bytes, raw_files, release, sample_tables
from tests.s3_server import Store as Server
from tests.s3_server import serving
from tests.unreliable import Line, unreliable

NUMBERS = (20, 26)
"""Documents of the releases that tests make."""


@dataclass(frozen=True)
class Job:
    """As much of an ingest's job as a store takes part in, and the documents of the release to make."""

    store: str | None
    destination: Path
    documents: int
    dry_run: bool = False


@dataclass(frozen=True)
class Outcome:
    """As much of its outcome."""

    version: str | None
    told: str = ""

    def pushed(self, url: str, told: str) -> Outcome:
        """The same with what was sent."""
        return replace(self, told=f"{url}: {told}")


@through_store
def write(job: Job, _: None) -> Outcome:
    """Make a release of so many documents, in small shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "LEAST", 5_000)
        patch.setattr(order, "MEAN", 10_000)
        return Outcome(release(job.destination, sample_tables(range(job.documents))).version)


def run(url: str, work: Path, documents: int) -> Outcome:
    """Make a release on a store, by way of a working copy below `work`."""
    return write(Job(url, working_copy(url, work), documents), None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that speaks S3."""
    with serving() as running:
        yield running


@pytest.fixture
def bucket(server, request) -> str:
    """A bucket of this test's own."""
    name = f"bucket-{zlib.crc32(request.node.name.encode())}"
    server.put(name, {})
    return name


@pytest.fixture
def line(server, monkeypatch) -> Iterator[Line]:
    """A line to the server that breaks as the test says."""
    with unreliable(server.address) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
        monkeypatch.setattr(tries, "FIRST_PAUSE", 0.001)
        yield found


def held(server: Server, bucket: str) -> dict[str, bytes]:
    """What is in a bucket, by key below `dist/harbour`."""
    client = server.client()
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {key.removeprefix("dist/harbour/"): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory) -> list[dict[str, bytes]]:
    """The files of the dataset after each release, made on a disk."""
    folder, found = tmp_path_factory.mktemp("wanted") / "harbour", []
    for number in NUMBERS:
        write(Job(None, folder, number), None)
        found.append(folder_bytes(folder))
    return found


def test_a_store_holds_the_same_bytes_as_a_folder(server, bucket, tmp_path, wanted):
    """After each release; a run that changes nothing sends nothing; an increment sends what is new only."""
    url = f"s3://{bucket}/dist/harbour"
    assert run(url, tmp_path, 20).version == "1.0.0"
    assert held(server, bucket) == wanted[0]
    assert run(url, tmp_path, 20).told == f"{url}: nothing to send"
    sent = run(url, tmp_path, 26).told
    assert held(server, bucket) == wanted[1]
    new = {name for name in wanted[1] if name.startswith(("data", "plots")) and name not in wanted[0]}
    assert sent.startswith(f"{url}: {len(new) + 5} files")  # two manifests, card, CHANGELOG.md, croissant.json


def test_another_machine_goes_on_where_the_first_stopped(server, bucket, tmp_path, wanted):
    """An empty working copy is filled from the store; the other one follows."""
    url = f"s3://{bucket}/dist/harbour"
    run(url, tmp_path / "one", 20)
    run(url, tmp_path / "two", 26)
    assert held(server, bucket) == wanted[1]
    assert run(url, tmp_path / "one", 26).version is None
    assert folder_bytes(working_copy(url, tmp_path / "one"))["README.md"] == wanted[1]["README.md"]


@pytest.mark.parametrize("url", ["s3://{bucket}/dist/harbour", "memory://{bucket}/dist/harbour"])
def test_of_two_writers_one_commits_and_the_other_is_told(server, bucket, tmp_path, url):
    """What the first released stays as it is; the second runs again and follows it."""
    url = url.format(bucket=bucket)
    run(url, tmp_path / "one", 20)
    store = Store(url)
    copy = Folder(working_copy(url, tmp_path / "slow"))
    with copy.opened():
        seen = update(store, copy)
        run(url, tmp_path / "fast", 26)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(order, "LEAST", 5_000)
            patch.setattr(order, "MEAN", 10_000)
            release(copy.path, sample_tables(range(23)))
        with pytest.raises(OvertakenError, match=r"README\.md: was replaced by another writer meanwhile.*run it again"):
            push(store, copy, seen)
    with reading(url, None) as folder:
        assert verify(folder) == []
        assert [one.version for one in read_card(folder)] == ["1.0.0", "1.1.0"]
        assert read_manifest(folder, read_card(folder)[-1]).body["documents"] == 26
    assert run(url, tmp_path / "slow", 30).version == "1.2.0"
    assert not [name for name in store.sizes() if "pending" in name]


def test_with_every_third_request_failing_the_bytes_are_the_same(server, bucket, line, tmp_path, wanted):
    """Requests are made again; nobody notices."""
    failed = Counter[str]()

    def fail(number: int, told: str) -> bool:
        if number % 3 or failed[told] == tries.ATTEMPTS // 2:  # several at once: one could be every third each time
            return False
        failed[told] += 1
        return True

    line.fail = fail
    for number, files in zip(NUMBERS, wanted, strict=True):
        run(f"s3://{bucket}/dist/harbour", tmp_path, number)
        assert held(server, bucket) == files
    assert line.failed > 20


def test_a_lost_answer_is_no_lost_release(server, bucket, line, tmp_path, wanted):
    """The card was replaced and the answer did not come: the request is made again, refused, and found to be done."""
    lost: list[int] = []
    line.lose_answer = lambda number, told: (
        told.endswith("README.md") and "PUT" in told and not lost and not lost.append(number)
    )
    run(f"s3://{bucket}/dist/harbour", tmp_path, 20)
    assert lost
    assert held(server, bucket) == wanted[0]


def test_a_store_that_is_down_is_told_after_some_attempts(bucket, line, tmp_path):
    """As an error that may be gone the next time; access denied is told at once, a missing bucket with the remedy."""
    line.fail = lambda _number, _told: True
    with pytest.raises(RemoteError, match=r"after 8 attempts.*run this again"):
        run(f"s3://{bucket}/dist/harbour", tmp_path, 20)
    assert len(line.requests) <= 2 * tries.ATTEMPTS
    line.be_reliable()
    with pytest.raises(ReleaseError, match="make the bucket first"):
        run("s3://no-such-bucket-here/dist/harbour", tmp_path, 20)


WRITER = """
import sys
from pathlib import Path
from tests.test_remote import run
run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
"""


def soak(*moment: Any) -> Any:
    """A case of the long tests."""
    return pytest.param(*moment, marks=pytest.mark.soak)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "moment", "number"),
    [
        ("before", "PUT README.md", 1),
        soak("after", "PUT README.md", 1),
        soak("before", "PUT data/", 1),
        soak("after", "PUT data/", 3),
        soak("before", "PUT releases/pending", 1),
        soak("after", "PUT releases/pending", 1),
        soak("before", "PUT releases/1.1.0", 1),
        soak("after", "PUT releases/1.1.0", 1),
        soak("before", "PUT CHANGELOG", 1),
        soak("after", "PUT croissant", 1),
        soak("before", "DELETE", 1),
    ],
)
@pytest.mark.parametrize("again", ["the same machine", soak("another machine")])
def test_a_killed_writer_leaves_the_last_release_and_the_next_run_is_right(  # noqa: PLR0917 -- fixtures
    server, bucket, line, tmp_path, wanted, when, moment, number, again
):
    """Killed before or after a request arrives; the next run, with the working copy or without, gives the same."""
    url = f"s3://{bucket}/dist/harbour"
    run(url, tmp_path / "mine", 20)
    command = [sys.executable, "-c", WRITER, url, str(tmp_path / "mine"), "26"]
    verb, _, what = moment.partition(" ")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def meant(told: str) -> bool:
        return told.startswith(verb) and what in told

    ended = dying(command, environment, (meant, number), lambda kill: setattr(line, when, kill))
    line.be_reliable()
    assert ended == -9, f"the run ended before {moment}"
    committed = held(server, bucket)["README.md"] == wanted[1]["README.md"]
    files = held(server, bucket)
    released = wanted[1 if committed else 0]
    late = {"CHANGELOG.md", "croissant.json"} if committed else set()
    assert {name: files[name] for name in released if name not in late} == {
        name: data for name, data in released.items() if name not in late
    }
    run(url, tmp_path / ("mine" if again == "the same machine" else "yours"), 26)
    assert held(server, bucket) == wanted[1]


def test_what_a_command_reads_from_a_store_is_what_is_there(server, bucket, tmp_path):
    """Only what it needs is fetched; what is damaged or missing is named by its URL; verify judges the store itself."""
    url = f"s3://{bucket}/dist/harbour"
    run(url, tmp_path, 20)
    with reading(url, articles_of([None], "article")) as folder:
        fetched = folder_bytes(folder)
    assert not any(name.startswith("knowledge") for name in fetched)
    shard = next(name for name in fetched if name.startswith("data/"))
    server.put(bucket, {f"dist/harbour/{shard}": b"damaged"})
    with pytest.raises(VerifyError, match=f"{shard}: is not what its manifest says"), reading(url, all_files):
        pass
    with reading(url, None) as folder:
        assert shard in {problem.file for problem in verify(folder)}
    server.client().delete_object(Bucket=bucket, Key=f"dist/harbour/{shard}")
    with pytest.raises(ReleaseError, match=f"{shard}: is missing"), reading(url, all_files):
        pass
    with pytest.raises(ReleaseError, match="there is no release here"), reading(f"{url}x", all_files):
        pass


def test_a_withdrawn_document_leaves_the_store(server, bucket, tmp_path):
    """Its rows are in no file there, and the files that held it are gone."""
    url = f"s3://{bucket}/dist/harbour"
    for number in NUMBERS:
        run(url, tmp_path, number)
    gone = sample_tables(range(20))[0]["id"][5]
    with writing(url, tmp_path) as work:
        work.gone += withdraw(work.folder, gone, "asked for").files
    with reading(url, None) as folder:
        assert verify(folder) == []
        for path in (folder / "data").iterdir():
            assert gone not in pl.read_parquet(path, columns=["id"])["id"]
        assert folder_bytes(folder) == folder_bytes(working_copy(url, tmp_path))


def test_a_store_that_was_emptied_is_begun_anew(server, bucket, tmp_path, wanted):
    """A working copy follows the store, also to nothing."""
    url = f"s3://{bucket}/dist/harbour"
    run(url, tmp_path, 26)
    for name in held(server, bucket):
        server.client().delete_object(Bucket=bucket, Key=f"dist/harbour/{name}")
    assert run(url, tmp_path, 20).version == "1.0.0"
    assert held(server, bucket)["README.md"] == wanted[0]["README.md"]


def test_a_dry_run_sends_nothing(server, bucket, tmp_path):
    """It looks at the store and leaves it."""
    url = f"s3://{bucket}/dist/harbour"

    @through_store
    def look(job: Job, _: None) -> Outcome:
        return Outcome(None)

    look(Job(url, working_copy(url, tmp_path), 20, dry_run=True), None)
    assert held(server, bucket) == {}


@pytest.mark.parametrize("url", ["https://example.org/x", "hf://datasets/someone/x", "nosuch://x/y"])
def test_what_cannot_be_written_is_refused_first(tmp_path, url):
    """With what to use in its place."""
    with pytest.raises(UsageError, match=r"cannot be written this way|nosuch"):
        run(url, tmp_path, 20)


@pytest.mark.slow
def test_from_a_store_into_a_store_by_the_command_line(server, bucket, tmp_path, monkeypatch, capsys):
    """Ingest, verify, diff, restore and withdraw by URL; the release is that of the same files on disk."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    raw = raw_files(sample_tables(range(12))[1])
    server.put(bucket, {f"raw/{name}": data for name, data in raw.items()})
    common = ["--no-prefect", "--workers", "1", "--name", "harbour"]
    assert main(["ingest", f"s3://{bucket}/raw", "--into", f"s3://{bucket}/dist", *common]) == 0
    assert f"harbour 1.0.0 (first): 12 articles in s3://{bucket}/dist/harbour" in capsys.readouterr().out
    url = f"s3://{bucket}/dist/harbour"
    assert main(["verify", url]) == 0
    assert main(["restore", url, "--into", str(tmp_path / "raw")]) == 0
    assert folder_bytes(tmp_path / "raw") == raw
    server.put(bucket, {"raw/new.txt": b"Boats run again\n\nPORT ELM, March 2. The boats ran again on Monday.\n"})
    assert main(["ingest", f"s3://{bucket}/raw", "--into", f"s3://{bucket}/dist", *common]) == 0
    capsys.readouterr()
    assert main(["diff", url, "1.0.0", "1.1.0"]) == 0
    assert "new.txt  (raw file)" in capsys.readouterr().out
    assert main(["ingest", str(tmp_path / "raw"), "--into", str(tmp_path / "dist"), *common]) == 0
    local = folder_bytes(tmp_path / "dist" / "harbour")
    shards = {name: data for name, data in local.items() if name.startswith("data/")}
    on_store = held(server, bucket)
    assert {name: on_store.get(name) for name in shards} == shards
