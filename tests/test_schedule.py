"""The ingest on a schedule, on a real Prefect server: it goes on, whatever is killed, and builds nothing twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from copydesk import journal
from copydesk.release.manifest import read_card, read_manifest
from copydesk.release.restore import restore
from copydesk.release.verify import verify
from tests.conftest import ROOT
from tests.test_operation import OLD, page

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the processes are looked at through /proc"),
]


class Machine:
    """A machine of our own: a project, a PREFECT_HOME, a port, and the processes of a user on it."""

    def __init__(self, place: Path) -> None:
        self.project, self.home = place / "project", place / "home"
        self.dataset = self.project / "dist" / "news"
        (self.project / "wire").mkdir(parents=True)
        self.home.mkdir()
        (self.project / "copydesk.toml").write_text(
            '[dataset]\nname = "news"\n[ingest]\nworkers = 1\n[[source]]\nname = "wire"\npath = "wire"\n'
            f'[notify]\ncommand = ["sh", "-c", "cat >> {place}/notices.jsonl; echo >> {place}/notices.jsonl"]\n'
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = place / "log"
        self.notices = place / "notices.jsonl"
        self.chance = random.Random(1)
        self.started: list[subprocess.Popen[bytes]] = []

    @property
    def surroundings(self) -> dict[str, str]:
        """An environment without the person's Prefect."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return {**kept, "HOME": str(self.home), "PREFECT_HOME": str(self.home / ".prefect"), "PYTHONPATH": str(ROOT)}

    def start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a command of ours in the project's folder."""
        with self.log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.project,
                env={**self.surroundings, **more},
                stdout=stream,
                stderr=stream,
            )
        self.started.append(process)
        return process

    def schedule(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `copydesk schedule`."""
        return self.start("copydesk", "schedule", *words, "--port", str(self.port))

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end."""
        return subprocess.run(
            [sys.executable, "-m", "copydesk", *words],
            cwd=self.project,
            env=self.surroundings,
            capture_output=True,
            text=True,
        )

    def server(self) -> int:
        """The Prefect server's process id."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"server" in words and str(self.port).encode() in words:
                    return int(folder.name)
        raise AssertionError("no server")

    def runs(self) -> list[journal.Run]:
        """The runs on record."""
        return journal.read(self.dataset)

    def write(self, name: str) -> None:
        """A page, whole at once, as a scraper should write it."""
        draft = self.project / ".draft"
        draft.write_text(page(self.chance, OLD))
        draft.replace(self.project / "wire" / name)

    def change(self, number: int) -> None:
        """Files come, change and go."""
        for one in range(3):
            self.write(f"{number:03}-{one}.txt")
        self.write("000-0.txt")
        if number > 2:
            (self.project / "wire" / f"{number - 2:03}-1.txt").unlink()

    def stop(self) -> None:
        """End all that was started here."""
        for process in self.started:
            process.terminate()
        for process in self.started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
        with contextlib.suppress(AssertionError):
            os.kill(self.server(), signal.SIGKILL)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    one = Machine(tmp_path)
    yield one
    one.stop()
    print(one.log.read_text(errors="replace")[-6000:] if one.log.exists() else "")


def until(held: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for something to hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := held():
            return found
        time.sleep(0.5)
    raise AssertionError(f"not in {seconds} s: {what}")


def assert_whole(machine: Machine) -> None:
    """Every release holds and differs from the one before, the newest holds all that came, nothing overlapped."""
    assert verify(machine.dataset) == []
    bodies = [read_manifest(machine.dataset, one).body for one in read_card(machine.dataset)]
    contents = [json.dumps([body["content"], body["quarantine"]["sha256"]], sort_keys=True) for body in bodies]
    assert all(a != b for a, b in pairwise(contents))
    back = machine.project / "back"
    shutil.rmtree(back, ignore_errors=True)
    restore(machine.dataset, None, back)
    for path in sorted((machine.project / "wire").iterdir()):
        assert (back / path.name).read_bytes() == path.read_bytes(), path.name
    assert len({path.name for path in back.rglob("*.txt")}) == bodies[-1]["documents"]
    runs = [one for one in machine.runs() if one.good]
    assert all(a.ended <= b.began for a, b in pairwise(runs)), "two runs overlapped"
    released = [one.version for one in runs if one.version]
    assert len(released) == len(set(released))


def test_twenty_runs_while_the_files_change_and_everything_is_killed(machine: Machine) -> None:
    """On a ten-second schedule: server and worker killed with -9 in the middle, and it goes on."""
    machine.change(0)
    worker = machine.schedule("--interval", "10s")
    seen, killed = 0, set()
    for number in range(1, 21):
        until(lambda: len([one for one in machine.runs() if one.good]) > seen, 300, f"run {number}")  # noqa: B023
        seen = len([one for one in machine.runs() if one.good])
        machine.change(number)
        if number == 7:
            os.kill(machine.server(), signal.SIGKILL)
            killed.add("server")
        if number == 13:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            killed.add("worker")
            worker = machine.schedule("--interval", "10s")
    assert killed == {"server", "worker"}
    good = len([one for one in machine.runs() if one.good])
    until(lambda: len([one for one in machine.runs() if one.good]) > good + 1, 300, "the last change taken in")
    assert machine.tell("schedule", "--check").returncode == 0
    worker.terminate()
    worker.wait(60)
    assert_whole(machine)
    assert len(read_card(machine.dataset)) >= 20


def test_watching_takes_in_files_as_they_come(machine: Machine) -> None:
    """Nothing is there at first; files come twice; two releases, and no run without a change."""
    machine.schedule("--watch", "--every", "2s")
    time.sleep(20)
    machine.change(1)
    until(lambda: len(read_card(machine.dataset)) == 1, 240, "the first files")
    machine.change(2)
    until(lambda: len(read_card(machine.dataset)) == 2, 240, "the second files")
    time.sleep(20)
    assert [one.result for one in machine.runs()] == ["released", "released"]
    assert machine.tell("schedule", "--check").returncode == 0
    assert_whole(machine)


def test_a_failure_is_told_and_a_stopped_schedule_is_found_out(machine: Machine) -> None:
    """The notice reaches the person's program; --check fails once nobody serves; the schedule is on after a restart."""
    machine.change(1)
    worker = machine.schedule("--interval", "10s")
    until(lambda: len(read_card(machine.dataset)) == 1, 240, "the first release")
    shutil.move(machine.project / "wire", machine.project / "away")
    until(lambda: machine.notices.exists() and "failed" in machine.notices.read_text(), 240, "the notice")
    shutil.move(machine.project / "away", machine.project / "wire")
    worker.terminate()
    worker.wait(60)
    told = machine.tell("status", "--check")
    assert told.returncode == 1
    assert "does not answer" in told.stdout
    machine.change(2)
    machine.schedule("--interval", "10s")
    until(lambda: len(read_card(machine.dataset)) == 2, 240, "the release after the restart")
    assert machine.tell("schedule", "--check").returncode == 0
    assert_whole(machine)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def resident(process: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def open_files(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def test_a_hundred_runs_leave_memory_files_and_disk_as_they_were(machine: Machine) -> None:
    """Between the tenth run and the hundred and tenth: memory of worker and server, open files, bytes on disk."""
    machine.change(1)
    worker = machine.schedule("--interval", "10s").pid
    figures = []

    def finished() -> int:
        return len([one for one in machine.runs() if one.good])

    for mark in (10, 60, 110):
        until(lambda: finished() >= mark, 6000, f"{mark} runs")  # noqa: B023
        server = machine.server()
        figures.append(
            {
                "runs": finished(),
                "worker MB": resident(worker),
                "worker files": open_files(worker),
                "server MB": resident(server),
                "server files": open_files(server),
                "dataset bytes": size_of(machine.dataset),
                "prefect bytes": size_of(machine.home / ".prefect"),
            }
        )
        print(json.dumps(figures[-1]), file=sys.stderr, flush=True)
    first, _, last = figures
    assert len(read_card(machine.dataset)) == 1
    assert last["worker MB"] < first["worker MB"] * 1.1 + 10
    assert last["worker files"] <= first["worker files"] + 3
    assert last["server files"] <= first["server files"] + 10
    assert last["dataset bytes"] < first["dataset bytes"] + 100_000
