"""What Prefect costs an ingest: the same documents by plain calls and as the flow, on a running server of their own.

    python benchmarks/flow.py FOLDER [--workers 2] [--turns 1]     the .txt files of a folder
    python benchmarks/flow.py --invented 40000                      pages of invented sites

The server is a real one on a loopback port, with a home and a database of its own, warm before anything is measured;
whatever server the person has is not touched. Each run is `copydesk ingest`, from the start of its process to its end,
into a dataset of its own. CPU seconds are those of the run and its workers; beside them stand the server's, read off
its processes before and after. Linux only.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.speed import invented  # noqa: E402

WAYS: Final = {"plain calls": ["--no-prefect"], "flow": []}


@dataclass(frozen=True)
class Cost:
    """Seconds of a run: CPU of its processes, CPU of the server meanwhile, and wall."""

    cpu: float
    server: float
    wall: float


def main() -> int:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of .txt files")
    parser.add_argument("--invented", type=int, metavar="N", help="N pages of invented sites in the place of a folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=1, help="how often each is run, in turns (default 1)")
    asked = parser.parse_args()
    if (asked.folder is None) == (asked.invented is None) or asked.turns < 1:
        parser.error("name a folder, or ask for --invented N; at least one turn")
    with tempfile.TemporaryDirectory(prefix="copydesk-flow-") as place:
        work = Path(place)
        folder = asked.folder.resolve() if asked.folder else invented(work / "texts", asked.invented)
        few = copied(sorted(folder.rglob("*.txt"))[:5], work / "few")
        with served(work / "home") as (server, settings):
            measured(WAYS["flow"], few, work, settings, server)  # what a server does once, at its first run
            report(folder, [turn(folder, few, work, settings, server, asked.workers) for _ in range(asked.turns)])
    return 0


def copied(paths: Sequence[Path], into: Path) -> Path:
    """A folder of a few files, whose ingest is the cost of starting."""
    into.mkdir()
    for path in paths:
        shutil.copy(path, into)
    return into


def turn(
    folder: Path, few: Path, work: Path, settings: dict[str, str], server: int, workers: int
) -> dict[str, tuple[Cost, Cost]]:
    """Each way once: what the few documents took, and what all of them."""
    wanted = ["--workers", str(workers)]
    return {
        name: (
            measured([*options, *wanted], few, work, settings, server),
            measured([*options, *wanted], folder, work, settings, server),
        )
        for name, options in WAYS.items()
    }


def report(folder: Path, turns: Sequence[dict[str, tuple[Cost, Cost]]]) -> None:
    """Medians over the turns."""
    number = sum(1 for _ in folder.rglob("*.txt"))
    print(f"{number:,} documents; medians of {len(turns)}; start: the same on five documents\n")
    print(
        "| | CPU s | of it start | server's CPU s | of it start | wall s | of it start |\n|---|---|---|---|---|---|---|"
    )
    for name in WAYS:
        few, whole = (
            [statistics.median(getattr(one[name][which], part) for one in turns) for part in ("cpu", "server", "wall")]
            for which in (0, 1)
        )
        cells = " | ".join(f"{value:.1f}" for pair in zip(whole, few, strict=True) for value in pair)
        print(f"| {name} | {cells} |", flush=True)


@contextmanager
def served(home: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """A server on a free port: its process, and the environment that leads a run to it and to no other."""
    from flows.server import SETTINGS, answers

    home.mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = {**plain, **SETTINGS, "HOME": str(home), "PREFECT_HOME": str(home / ".prefect"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=settings) as server:
        try:
            until = time.monotonic() + 240
            while not answers(address):
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit("the Prefect server does not come up")
                time.sleep(0.5)
            yield server.pid, {**settings, "PREFECT_API_URL": address}
        finally:
            server.terminate()


def measured(options: Sequence[str], folder: Path, work: Path, settings: dict[str, str], server: int) -> Cost:
    """The cost of an ingest, whose dataset is thrown away."""
    command = [sys.executable, "-m", "copydesk", "ingest", *options, "--name", "flow", "--into", str(work / "dist")]
    before, spent, began = resource.getrusage(resource.RUSAGE_CHILDREN), cpu_of(server), time.monotonic()
    run = subprocess.run(  # noqa: PLW1510 -- looked at below
        [*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=settings, cwd=work
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        raise SystemExit(f"the ingest ended with {run.returncode}:\n{run.stdout.decode(errors='replace')[-3000:]}")
    shutil.rmtree(work / "dist")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, cpu_of(server) - spent, wall)


def cpu_of(process: int) -> float:
    """CPU seconds of a process and all below it that are alive, with those that they waited for."""
    from tests.peak_memory import processes

    ticks = 0
    for number in processes(process):
        told = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += sum(int(told[at]) for at in range(11, 15))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
