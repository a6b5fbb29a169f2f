"""Unpack a folder's containers in two worker processes: prints the records, and the peak of memory in MB.

python tests/peak_memory.py FOLDER WORK

The memory is the sum of the proportional set sizes (PSS) of this process and all below it, looked at five times a
second; Linux only.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from pathlib import Path


def processes(of: int | None = None) -> list[int]:
    """A process, this one if none is named, and all below it."""
    children = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children[parent].append(int(entry))
    found, left = [], [os.getpid() if of is None else of]
    while left:
        found.append(left.pop())
        left += children[found[-1]]
    return found


def megabytes(of: int | None = None) -> float:
    """The memory of a process, this one if none is named, and all below it now."""
    total = 0
    for number in processes(of):
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def main(folder: Path, work: Path) -> None:
    """Unpack and print."""
    from copydesk.containers import unpacked
    from copydesk.job import Options, settle
    from copydesk.runner import Workers
    from copydesk.sources import Cut

    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            peak[0] = max(peak[0], megabytes())

    threading.Thread(target=watch, daemon=True).start()
    job = settle(Options(paths=(folder,), name="x", into=work))
    work.mkdir(exist_ok=True)
    with Workers(2) as pool:
        records = unpacked([file for file in job.files if file.kind.many], work, Cut(), pool)
    ended.set()
    print(records.keys.height, round(peak[0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
