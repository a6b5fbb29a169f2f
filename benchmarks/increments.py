"""What an ingest of 1 % new documents costs against a full build: `python benchmarks/increments.py FOLDER WORK`.

The .txt files below FOLDER, in the order of their names, are laid out in WORK (hard links) under names with days of ten
years, one after the other. Ninety-nine in a hundred are the base. The rest is added to it twice: with days after all
others, and with days anywhere. Printed are CPU seconds (user and system, with all processes), also as a share of the
full build's, start-up taken off both, which is an unchanged ingest of five documents; the bytes of the release's data
that are new; and an ingest of the base without any change.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from copydesk.release.manifest import read_card, read_manifest

FIRST: Final = date(2008, 1, 1)
DAYS: Final = 3_650
SETTINGS: Final = """[dataset]
name = "measured"
[[source]]
name = "wire"
path = "raw"
pattern = "{folder}/{date}_{slug}.txt"
"""


def main() -> None:
    """Measure, and print a line for each run."""
    folder, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    files = sorted(folder.rglob("*.txt"), key=lambda path: (path.name, str(path)))
    cut = len(files) * 99 // 100
    days = [FIRST + timedelta(days=number * DAYS // len(files)) for number in range(len(files))]
    draw = random.Random(5)
    anywhere = [draw.choice(days[:cut]) for _ in files[cut:]]
    base = list(zip(files[:cut], days[:cut], strict=True))
    project(work / "five", base[:5])
    ingest(work / "five")
    start = sorted(ingest(work / "five") for _ in range(3))[1]
    print(f"{len(files):,} documents; start-up {start:.2f} CPU s")
    project(work / "full", base)
    full = ingest(work / "full")
    print(f"full build {full:.1f} CPU s")
    print(f"no change {ingest(work / 'full') - start:.2f} CPU s beside the start-up")
    for name, added in (("newer", days[cut:]), ("anywhere", anywhere)):
        place = work / name
        project(place, [*base, *zip(files[cut:], added, strict=True)])
        shutil.copytree(work / "full" / "dist", place / "dist", copy_function=shutil.copy2)
        (place / "dist" / "measured" / ".work" / "roots.json").unlink()
        before = {path.name for path in (place / "dist" / "measured" / "data").iterdir()}
        spent = ingest(place)
        share = (spent - start) / (full - start)
        print(f"1 % {name}: {spent:.2f} CPU s, {share:.2%} of the full build; {rewritten(place, before)}")


def project(place: Path, files: Iterable[tuple[Path, date]]) -> None:
    """A project folder whose raw files are links to `files`, each named by its day."""
    shutil.rmtree(place, ignore_errors=True)
    for path, day in files:
        target = place / "raw" / path.parent.name / f"{day.isoformat()}_{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    (place / "copydesk.toml").write_text(SETTINGS, encoding="utf-8")


def ingest(place: Path) -> float:
    """Run an ingest without Prefect; its CPU seconds."""
    words = [sys.executable, "-m", "copydesk", "ingest", "--no-prefect", "--into", "dist"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=place, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rewritten(place: Path, before: set[str]) -> str:
    """How much of the newest release's data was not there before."""
    return ", ".join(
        f"{name} {new:,} of {whole:,} bytes new ({new / whole:.2%})" for name, new, whole in _sizes(place, before)
    )


def _sizes(place: Path, before: set[str]) -> Iterator[tuple[str, int, int]]:
    dataset = place / "dist" / "measured"
    manifest = read_manifest(dataset, read_card(dataset)[-1])
    for names in (("article",), ("ledger",), ("article", "ledger")):
        shards = [shard for name in names for shard in manifest.shards(name)]
        new = sum(shard.bytes for shard in shards if shard.file.rsplit("/", 1)[-1] not in before)
        yield " and ".join(names), new, sum(shard.bytes for shard in shards)


if __name__ == "__main__":
    main()
