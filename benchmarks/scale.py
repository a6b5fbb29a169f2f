"""How an ingest grows: CPU by document and peak memory of ingests of more and more generated pages.

    python benchmarks/scale.py 10000 100000 [1000000] [--workers 2] [--memory 1.5GB] [--runner ADDRESS]

The pages are made the same way every time: invented words as often as words of a language are (Zipf), some hundred
sites with furniture of their own, dates over twelve years; every twentieth is a near-copy of one before. They lie in
Parquet files of 10,000, so that the file system is not what is measured.

A CPU second is one of user or system time of the ingest and all its processes; the start (an ingest of twenty pages) is
taken off where a rate is told. Memory is the sum of the proportional set sizes (PSS) of the whole tree of processes,
looked at twice a second: a page that two processes share counts once. Linux only.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FILE: Final = 10_000
"""Pages of a file."""

WORDS: Final = 30_000
SITES: Final = 300
COPIES: Final = 20
"""Every so many-th page is a near-copy."""

START: Final = 40
"""Pages whose ingest, in batches of five so that all workers start, is taken for the cost of starting."""

SYLLABLES: Final = "ba de ki lo mu ne pa ri so tu va ze dor kel lin mar nos per sal tem vor zan esh ul".split()  # noqa: SIM905


@dataclass(frozen=True)
class Cost:
    """What an ingest took: CPU and wall in seconds, the peak of memory in MB."""

    documents: int
    cpu: float
    wall: float
    peak: float


def main() -> int:
    """Print a row for each number of pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("numbers", nargs="+", type=int, metavar="N", help="pages of an ingest")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", help="the ceiling to give to the ingest")
    parser.add_argument("--runner", help="the scheduler to give to the ingest; only this machine's part is measured")
    parser.add_argument("--work", type=Path, help="a folder to work in (default: a temporary one)")
    asked = parser.parse_args()
    options = ["--workers", str(asked.workers)]
    for name in ("memory", "runner"):
        options += [f"--{name}", value] if (value := getattr(asked, name)) else []
    with tempfile.TemporaryDirectory(prefix="copydesk-scale-", dir=asked.work and asked.work.resolve()) as work:
        start = measured(Path(work), START, options, COPYDESK_INGEST__BATCH_DOCUMENTS="5")
        print(f"the start: {start.cpu:.1f} CPU s, {start.peak:.0f} MB at most\n")
        print("| documents | CPU s | µs a document | wall s | peak MB |\n|---|---|---|---|---|", flush=True)
        for number in asked.numbers:
            cost = measured(Path(work), number, options)
            each = 1e6 * (cost.cpu - start.cpu) / number
            print(f"| {number:,} | {cost.cpu:,.1f} | {each:,.0f} | {cost.wall:,.1f} | {cost.peak:,.0f} |", flush=True)
    return 0


# ---------------------------------------------------------------- what is measured


def measured(work: Path, number: int, options: list[str], **settings: str) -> Cost:
    """The cost of a first ingest of so many pages; they and the release are thrown away."""
    raw, into = work / "raw", work / "dist"
    corpus(raw, number)
    command = [sys.executable, "-m", "copydesk", "ingest", "--no-prefect", "--name", "scale", "--into", str(into)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    told = {**os.environ, **settings}
    with subprocess.Popen([*command, *options, str(raw)], stdout=subprocess.DEVNULL, cwd=work, env=told) as process:
        peak = watched(process)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"the ingest of {number} pages ended with {process.returncode}")
    shutil.rmtree(raw)
    shutil.rmtree(into)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(number, cpu, wall, peak)


def watched(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; the peak of the memory of it and all below it, in MB."""
    from tests.peak_memory import megabytes

    peak, ended = 0.0, threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.wait(0.5):
        peak = max(peak, megabytes(process.pid))
    return peak


# ---------------------------------------------------------------- the pages


def corpus(folder: Path, number: int) -> None:
    """Write the first `number` pages: columns name and text."""
    import polars as pl

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for start in range(0, number, FILE):
        made = list(pages(start, min(number, start + FILE)))
        table = pl.DataFrame(made, schema=["id", "text"], orient="row")
        table.write_parquet(folder / f"pages-{start // FILE:05}.parquet")


def pages(start: int, end: int) -> Iterator[tuple[str, str]]:
    """The name and text of each page from `start` to `end`; those of a file hang on no other file."""
    import numpy as np

    words = vocabulary()
    draw = np.random.default_rng(start)
    paragraphs: list[str] = []
    for number in range(start, end):
        site = int(draw.integers(SITES))
        if number % COPIES or not paragraphs:
            ranks = np.minimum(draw.zipf(1.25, 330), WORDS) - 1
            ranks = np.where(ranks == WORDS - 1, draw.integers(200, WORDS, 330), ranks)
            said = [words[rank] for rank in ranks]
            sentences = [" ".join(said[at : at + 15]).capitalize() + "." for at in range(0, 330, 15)]
            paragraphs = [" ".join(sentences[at : at + 3]) for at in range(1, 22, 3)]
            title = sentences[0][: int(draw.integers(40, 70))].rpartition(" ")[0]
        else:
            paragraphs = [*paragraphs[:-1], f"Printed again on page {number}."]
        yield f"{site:03}/{number:09}", page(site, number, title, paragraphs, draw)


def page(site: int, number: int, title: str, paragraphs: list[str], draw) -> str:  # type: ignore[no-untyped-def]
    """A page of a site."""
    words = vocabulary()
    own = [words[(site * 37 + at * 11) % 5_000 + 100] for at in range(24)]
    name = own[0].capitalize()
    furniture = [" ".join(own[at : at + 3]).capitalize() for at in range(0, 24, 3)]
    when = np_date(int(draw.integers(4_380)))
    head = [
        f"The {name} {own[1].capitalize()}",
        *furniture[:4],
        title,
        f"By {own[2].capitalize()} {own[3].capitalize()}",
        when,
    ]
    foot = [f"{number % 97} {own[4]} below", *furniture[4:], f"Printed by the {name} for {own[5]}"]
    return "\n\n".join([*head, *paragraphs, *foot]) + "\n"


def np_date(day: int) -> str:
    """A day from 2010 on, as pages print it."""
    from datetime import date, timedelta

    return f"{date(2010, 1, 1) + timedelta(days=day):%B %d, %Y}"


def vocabulary(held: list[str] = []) -> list[str]:  # noqa: B006 -- made once
    """Invented words, short ones first."""
    if not held:
        for number in range(WORDS):
            left, word = number, ""
            while not word or left:
                left, at = divmod(left, len(SYLLABLES))
                word += SYLLABLES[at]
            held.append(word)
    return held


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
