"""CPU seconds of an ingest by stage, in one process: `python benchmarks/stages.py FOLDER`.

The stages are those of the pipeline: read (decode, repair, survey), learn, judge, compare, release. What is left of the
whole (imports, finding files, what is remembered for the next run) stands as `around`. The dataset is thrown away.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    """Print a row for each stage."""
    spent: dict[str, float] = {}

    def over(stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        began = time.process_time()
        done = [work(item) for item in items]
        spent[stage] = spent.get(stage, 0.0) + time.process_time() - began
        return done

    with tempfile.TemporaryDirectory() as into, contextlib.redirect_stdout(io.StringIO()):
        number = ingested(Path(sys.argv[1]), Path(into), over)
    spent["around"] = time.process_time() - sum(spent.values())
    whole = sum(spent.values())
    print(f"{number:,} documents")
    for stage, seconds in {**spent, "whole": whole}.items():
        print(f"{stage:10}{seconds:8.2f} s{100 * seconds / whole:6.1f} %{1e6 * seconds / number:10.0f} µs a document")


def ingested(folder: Path, into: Path, over: Any) -> int:
    """Ingest the folder, with the cycle collector as the command line has it; the number of articles."""
    from copydesk.frugal import seldom
    from copydesk.job import Options, settle
    from copydesk.operation import operate

    seldom()
    return operate(settle(Options((folder,), name="stages", into=into, workers=1)), over).documents


if __name__ == "__main__":
    main()
