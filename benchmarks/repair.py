"""How fast lines are repaired: ftfy line by line, the reference, and the column; in MB per CPU second.

    python benchmarks/repair.py [FOLDER] [--repeat N]

FOLDER holds text files, one document each; without it, the sentences of the tests are used, in thirty languages.
"clean" are the lines that need no repair, "all" the lines as they come. CPU seconds of the whole process count, so a
busy machine changes the figures little; the ratio is what is promised: 25 on clean news.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from pathlib import Path

import ftfy
import polars as pl

from copydesk.decoding import decode_documents
from copydesk.repair import reference, repair_lines

SENTENCES = Path(__file__).parents[1] / "tests" / "data" / "legacy_sentences.jsonl"
SLOW_LINES = 20_000  # as many lines as the slow ways are given
SETTINGS = ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=False, fix_character_width=False, explain=False)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs (default 3)")
    options = parser.parse_args()
    lines = read(options.folder)
    table = repair_lines(lines)
    print(f"{len(lines):,} lines, {megabytes(lines):.1f} MB, {table['changed'].mean():.2%} changed")
    report("clean", lines.filter(~table["changed"]), options.repeat)
    report("all", lines, options.repeat)


def read(folder: Path | None) -> pl.Series:
    """The decoded lines of all files of `folder`, or the sentences of the tests a hundred times."""
    if folder is None:
        rows = map(json.loads, SENTENCES.read_text(encoding="utf-8").splitlines())
        return pl.Series([sentence for row in rows for sentence in row["sentences"]] * 100)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return decode_documents(pl.Series([path.read_bytes() for path in paths], dtype=pl.Binary)).lines["decoded"]


def report(name: str, lines: pl.Series, repeat: int) -> None:
    """Measure the three ways on `lines` and print one row."""
    few = lines.gather_every(max(len(lines) // SLOW_LINES, 1))
    column = speed(lambda: repair_lines(lines), lines, repeat)
    theirs = speed(lambda: [ftfy.fix_text(line, SETTINGS) for line in few], few, 1)
    slow = speed(lambda: [reference(line) for line in few], few, 1)
    print(
        f"{name:6} column {column:7.1f}   ftfy {theirs:6.2f}   reference {slow:6.2f} MB/CPU s   "
        f"column : ftfy = {column / theirs:.1f}   column : reference = {column / slow:.1f}"
    )


def speed(work: Callable[[], object], lines: pl.Series, repeat: int) -> float:
    """MB per CPU second, the best of `repeat` runs."""
    return max(megabytes(lines) / cpu_seconds(work) for _ in range(repeat))


def cpu_seconds(work: Callable[[], object]) -> float:
    """User and system seconds of this process while `work` runs."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def megabytes(lines: pl.Series) -> float:
    """Size of the lines in millions of UTF-8 bytes."""
    return float(lines.str.len_bytes().sum()) / 1e6


if __name__ == "__main__":
    main()
