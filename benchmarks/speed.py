"""What an ingest costs beside a bare copy, a script of an afternoon, `datasets` and datatrove, in turns on one machine.

    python benchmarks/speed.py FOLDER [--turns 3] [--plot FILE.svg] [--json FILE]    the .txt files of a folder
    python benchmarks/speed.py --invented 5000                                       pages of invented sites
    python benchmarks/speed.py FOLDER --workers 2 --slow 5000 --turns 5              see below

In every turn each runs first on five of the documents, whose cost is that of starting, then on all; the tables show
medians over the turns. Each is one process with one thread where that can be told, but for `--workers`: an ingest with
so many worker processes, which it starts for the five documents as well. `--slow N` gives those that take a minute for
5,000 documents only N of them. A CPU second is one of user or system time of the process and of those that it waited
for; the peak memory is the greatest sum of the proportional set sizes (PSS) of the process and all below it, looked at
ten times a second (where the system tells none, the size of the largest). Nothing is asserted: figures of a busy
machine are compared within one run only. What was made is thrown away after each run. Who ends the benchmark before its
time (Ctrl-C, SIGTERM), or a run that fails, gets the medians of what was measured. A peer that is not installed is left
out, with a line that says so. "copydesk as a script" is no command: benchmarks/library.py puts it together.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.invented import SITES, pages  # noqa: E402 - and nothing heavy: a child's peak begins at its parent's size
from benchmarks.speed_peers import NEEDS  # noqa: E402
from copydesk.release.svg import bars  # noqa: E402

FEW: Final = 5
"""Documents whose ingest is taken for the cost of starting."""

NAMES: Final = {
    "copy": "copy of the files",
    "script": "afternoon script",
    "datasets": "datasets.map",
    "datatrove": "datatrove",
    "minhash": "datatrove with MinHash",
    "library": "copydesk as a script",
    "copydesk": "copydesk ingest",
}
SLOW: Final = ("datasets", "datatrove", "minhash")
PACKAGES: Final = ("copydesk", "polars", "pyarrow", "numpy", "ftfy", "datasets", "datatrove")
ALONE: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU and wall in seconds, the peak of its memory in bytes."""

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True)
class Figures:
    """Medians over so many turns; `start` is the CPU time on a few documents."""

    name: str
    documents: int
    cpu: float
    start: float
    wall: float
    peak: int
    turns: int = 1

    @property
    def net(self) -> float:
        """CPU seconds for the documents beyond those of the start, never nothing."""
        return max(self.cpu - self.start, 0.01)

    @property
    def rate(self) -> float:
        """Documents per CPU second, without the start."""
        return max(self.documents - FEW, 1) / self.net


Costs = Mapping[str, list[tuple[Cost, Cost]]]
"""What each took for a few documents and for all of its own, a pair for each turn."""


@dataclass(frozen=True)
class Texts:
    """Folders: all documents, those for what is SLOW, a few; and how many the first two hold."""

    whole: Path
    part: Path
    few: Path
    sizes: tuple[int, int]

    def of(self, name: str) -> tuple[Path, int]:
        """The folder that is given to one, and how many documents are in it."""
        return (self.part, self.sizes[1]) if name in SLOW else (self.whole, self.sizes[0])


def main() -> int:
    """Measure, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of .txt files")
    parser.add_argument("--invented", type=int, metavar="N", help="N pages of invented sites in the place of a folder")
    parser.add_argument("--turns", type=int, default=3, help="how often each is run (default 3)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of the ingest (default 1)")
    parser.add_argument("--slow", type=int, metavar="N", help=f"N documents only for {', '.join(SLOW)}")
    parser.add_argument("--only", nargs="+", choices=list(NAMES), default=list(NAMES), help="some of them only")
    parser.add_argument("--python", type=Path, help="the Python of another environment, for peers that this one lacks")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw documents per CPU second as SVG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    asked = parser.parse_args()
    if (asked.folder is None) == (asked.invented is None) or min(asked.turns, asked.workers) < 1:
        parser.error("name a folder, or ask for --invented N; at least one turn and one worker")
    costs: dict[str, list[tuple[Cost, Cost]]] = {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="copydesk-speed-") as place:
        work = Path(place)
        folder = asked.folder or invented(work / "texts", asked.invented)
        texts = given(folder.resolve(), work, asked.slow)
        commands = dict(installed(asked.only, asked.python, asked.workers))
        try:
            measure(commands, texts, work, asked, costs)
        except KeyboardInterrupt:
            print("ended before its time")
            return 130
        finally:
            show([summed(name, texts.of(name)[1], taken) for name, taken in costs.items() if taken], costs, asked)
    return 0


def show(figures: Sequence[Figures], costs: Costs, asked: argparse.Namespace) -> None:
    """Print the table; draw the plot and write the figures, if that is asked for."""
    if not figures:
        return
    print(report(figures), flush=True)
    if asked.plot:
        asked.plot.write_text(plot(figures), encoding="utf-8")
    if asked.json:
        rows = [
            asdict(one) | {"rate": one.rate, "runs": [[asdict(few), asdict(whole)] for few, whole in costs[one.name]]}
            for one in figures
        ]
        told = {"machine": machine(), "workers": asked.workers, "figures": rows}
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- what is run


def invented(folder: Path, number: int) -> Path:
    """A folder of so many pages of invented sites, in turn; every tenth is the page before with a line more."""
    each = -(-number // len(SITES))
    streams = [(site.name, pages(site, each)) for site in SITES]
    text = ""
    for at in range(number):
        site, made = streams[at % len(streams)]
        page = next(made)
        text = f"{text}Printed a second time, with leave, as number {at}\n" if at % 10 == 9 else page.text
        place = folder / site
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{page.id}.txt").write_text(text, encoding="utf-8")
    return folder


def installed(names: Sequence[str], other: Path | None, workers: int = 1) -> Iterator[tuple[str, list[str]]]:
    """The command of each that can run, here or in the other environment; says of the others what they lack."""
    for name in names:
        if name == "copydesk":
            options = ["--no-prefect", "--workers", str(workers), "--name", "speed"]
            yield name, [sys.executable, "-m", "copydesk", "ingest", *options]
            continue
        if name == "library":
            yield name, [sys.executable, str(ROOT / "benchmarks" / "library.py")]
            continue
        lacking = missing(sys.executable, NEEDS[name])
        python = sys.executable
        if lacking and other is not None:
            python, lacking = str(other), missing(str(other), NEEDS[name])
        if lacking:
            print(f"{NAMES[name]}: not measured, not installed: {', '.join(lacking)}")
        else:
            yield name, [python, str(ROOT / "benchmarks" / "speed_peers.py"), name]


@cache
def missing(python: str, modules: tuple[str, ...]) -> list[str]:
    """The modules that a Python does not have."""
    code = "import sys, importlib.util as u; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])"
    return subprocess.run([python, "-c", code, *modules], capture_output=True, text=True, check=True).stdout.split()


# ---------------------------------------------------------------- how it is measured


def given(folder: Path, work: Path, slow: int | None) -> Texts:
    """The texts of a folder, which are in the system's cache then, and copies of some and of a few of them."""
    paths = sorted(folder.rglob("*.txt"))
    if len(paths) <= FEW or (slow is not None and slow <= FEW):
        sys.exit(f"{folder} holds {len(paths)} .txt files: more than {FEW} are needed to tell the start from the work")
    size = sum(len(path.read_bytes()) for path in paths)
    print(f"{len(paths):,} documents, {size / 1e6:.1f} MB", flush=True)
    few, part, some = work / "few", folder, len(paths)
    copied(paths[:FEW], folder, few)
    if slow is not None and slow < some:
        part, some = work / "part", slow
        copied([paths[at * len(paths) // slow] for at in range(slow)], folder, part)
    return Texts(folder, part, few, (len(paths), some))


def copied(paths: Sequence[Path], folder: Path, into: Path) -> None:
    """Copy files of a folder, each to its place below another."""
    for path in paths:
        place = into / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def measure(
    commands: Mapping[str, Sequence[str]],
    texts: Texts,
    work: Path,
    asked: argparse.Namespace,
    costs: dict[str, list[tuple[Cost, Cost]]],
) -> None:
    """Put down what every command takes, one after the other, as many times as there are turns."""
    # So few would be one batch, which needs no worker process: all are to be started.
    begin = {"COPYDESK_INGEST__BATCH_DOCUMENTS": str(-(-FEW // asked.workers))}
    for turn in range(asked.turns):
        for name, command in commands.items():
            few = run(name, command, texts.few, work, begin)
            whole = run(name, command, texts.of(name)[0], work)
            costs.setdefault(name, []).append((few, whole))
            said = f"{whole.cpu:.2f} CPU s, {few.cpu:.2f} of it start, {whole.wall:.1f} s, {whole.peak / 1e6:.0f} MB"
            print(f"turn {turn + 1} of {asked.turns}: {NAMES[name]}: {said}", file=sys.stderr, flush=True)


def run(name: str, command: Sequence[str], source: Path, work: Path, settings: Mapping[str, str] | None = None) -> Cost:
    """What a command takes for a folder; what it made is thrown away. Stops with what it printed if it fails."""
    into = work / "into"
    into.mkdir()
    before = {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"} if name == "copydesk" else {}
    environment = os.environ | ALONE | before | {"HF_HOME": str(work / "hf"), "HOME": str(work)} | (settings or {})
    try:
        with (work / "log").open("w+b") as log:
            options = ["--into", str(into)] if name == "copydesk" else [str(into)]
            cost, status = timed([*command, str(source), *options], cwd=work, env=environment, stdout=log, stderr=log)
            if status:
                log.seek(0)
                sys.exit(f"{NAMES[name]} failed ({status}):\n{log.read().decode(errors='replace')[-3000:]}")
        return cost
    finally:
        shutil.rmtree(into, ignore_errors=True)


def timed(command: Sequence[str], **settings: Any) -> tuple[Cost, int]:
    """What a process and all below it take, and how it ended; they are ended if this is."""
    began = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True, **settings)
    try:
        with watched(process.pid) as peak:
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    wall = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak[0] or usage.ru_maxrss * unit), process.returncode


@contextlib.contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """A list of one number: the most memory that a process and all below it took so far, 0 where no system tells."""
    from tests.peak_memory import megabytes

    peak, ended = [0], threading.Event()

    def watch() -> None:
        while sys.platform == "linux" and not ended.wait(0.1):
            peak[0] = max(peak[0], int(megabytes(process) * (1 << 20)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def summed(name: str, documents: int, taken: Sequence[tuple[Cost, Cost]]) -> Figures:
    """The medians of (few, all) over the turns."""
    return Figures(
        name,
        documents,
        statistics.median(whole.cpu for _, whole in taken),
        statistics.median(few.cpu for few, _ in taken),
        statistics.median(whole.wall for _, whole in taken),
        int(statistics.median(whole.peak for _, whole in taken)),
        len(taken),
    )


# ---------------------------------------------------------------- how it is shown


def report(figures: Sequence[Figures]) -> str:
    """The machine, and a table with a row for each."""
    head = ("", "documents", "CPU s", "of it start", "documents per CPU s", "CPU a document, copy = 1", "script = 1")
    head = (*head, "wall s", "peak MB", "turns")
    copy, script = (next((one.rate for one in figures if one.name == name), None) for name in ("copy", "script"))
    rows = [
        (
            NAMES[one.name],
            f"{one.documents:,}",
            f"{one.cpu:.2f}",
            f"{one.start:.2f}",
            f"{one.rate:,.0f}",
            f"{copy / one.rate:.1f}" if copy else "-",
            f"{script / one.rate:.2f}" if script else "-",
            f"{one.wall:.1f}",
            f"{one.peak / 1e6:.0f}",
            f"{one.turns}",
        )
        for one in figures
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [
        "  ".join(f"{cell:{'>' if at else '<'}{wide}}" for at, (cell, wide) in enumerate(zip(row, widths, strict=True)))
        for row in (head, *rows)
    ]
    note = "medians of the turns; documents per CPU second and what follows from them are without the start"
    return "\n".join(["", machine(), "", *lines, "", note])


def machine() -> str:
    """Processor, cores, system, Python and packages."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in told if line.startswith("model name")), model)
    packages = []
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            packages.append(f"{name} {version(name)}")
    cores = f"{os.cpu_count()} cores"
    return f"{model}, {cores}, {platform.system()}, Python {platform.python_version()}; {', '.join(packages)}"


def plot(figures: Sequence[Figures]) -> str:
    """Documents per CPU second as bars."""
    most = max(one.rate for one in figures)
    rows = [(NAMES[one.name], f"{one.rate:,.0f}", (one.rate / most,)) for one in figures]
    alt = "; ".join(f"{name} {rate}" for name, rate, _ in rows)
    return bars("Documents per CPU second, without the start", alt, rows, ())


if __name__ == "__main__":
    sys.exit(main())
