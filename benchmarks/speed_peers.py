"""Other ways of bringing raw texts into Parquet, one process each: `python speed_peers.py NAME FOLDER DESTINATION`.

    copy        the same files as they are: id and text, zstd, no work on the text
    script      what one writes in an afternoon: ftfy, fifty expressions line by line, exact copies left out
    datasets    the same script inside `datasets.map`; Parquet as it writes it
    datatrove   its ftfy formatter and its C4, Gopher and FineWeb filters, with their defaults
    minhash     the same, then its MinHash deduplication with its defaults: signatures, buckets, clusters, filter

Nothing here needs copydesk, so that a peer can run in an environment of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["NEEDS"]

NEEDS: Final = {
    "copy": ("pyarrow",),
    "script": ("pyarrow", "ftfy"),
    "datasets": ("datasets", "ftfy"),
    "datatrove": ("datatrove", "pyarrow", "ftfy", "spacy"),
    "minhash": ("datatrove", "pyarrow", "ftfy", "spacy", "tokenizers"),
}
"""What has to be installed for each; datatrove's quality filters need the spacy that `datatrove[processing]` brings."""

BATCH: Final = 1000
COPIED: Final = 5000
"""Files that a copy writes into one: fewer and it is Parquet's own cost that is measured."""
PATTERNS: Final = tuple(
    r"^\s*" + one
    for one in (
        "home$", "menu$", "search$", "(sign|log) (in|up|out)", "(my )?account$", "subscribe", "newsletter",
        "skip to ", "back to ", "you are here", "(main )?navigation", "(all|latest|breaking|top|more) (news|stories)",
        "live( tv)?$", "(world|politics|business|economy|sports?|culture|opinion|weather)$", "edition:",
        "advert(isement)?$", "sponsored", "share( |$)",
        "(facebook|twitter|whatsapp|telegram|linkedin|e-?mail|print)\\b.{0,40}$", "copy link", "follow us",
        "\\d+ comments?$", "leave a (reply|comment)", "(please )?enter your (name|comment)",
        "your e-?mail address will", "save my name", "log ?in to comment", "read (also|more|next)", "see also",
        "related", "(you (may|might) also like|recommended)", "more (on|from) ", "most (read|popular|viewed)",
        "trending", "tags?:", "topics?:", "posted (in|on|by)", "(published|updated|last modified):?",
        "photo(graph)?( by|:)", "image( credit|:)", "(copyright|\\(c\\)|©)", "all rights reserved", "terms (of|and) ",
        "privacy policy", "(this|our) (web)?site uses", "we use cookies", "(next|previous) (article|story|page)",
        "load more", "page \\d+ of \\d+", "click here",
    )
)  # fmt: skip


def copy(source: Path, into: Path) -> None:
    """The files' bytes, checked to be UTF-8, as a column: with as few calls as the system and Arrow allow."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    names = sorted(f"{folder}/{name}" for folder, _, files in os.walk(source) for name in files)
    names = [name for name in names if name.endswith(".txt")]
    for start in range(0, len(names), COPIED):
        some = names[start : start + COPIED]
        texts = pa.array([whole(name) for name in some], pa.binary()).cast(pa.string())
        write(into, start // COPIED, [name.rpartition("/")[2][:-4] for name in some], texts)


def whole(name: str) -> bytes:
    """A file's bytes by two system calls."""
    file = os.open(name, os.O_RDONLY)
    try:
        found = os.read(file, 1 << 16)
        while len(found) >= 1 << 16 and (more := os.read(file, 1 << 20)):
            found += more
        return found
    finally:
        os.close(file)


def script(source: Path, into: Path) -> None:
    """File by file, line by line; of texts that are the same the first stays."""
    import pyarrow as pa

    seen: set[bytes] = set()
    for number, paths in enumerate(batches(source)):
        kept = {}
        for path in paths:
            text = cleaned(path.read_text(encoding="utf-8", errors="replace"))
            key = hashlib.sha1(text.encode()).digest()
            if key not in seen:
                seen.add(key)
                kept[path.stem] = text
        write(into, number, list(kept), pa.array(kept.values(), pa.string()))


def datasets(source: Path, into: Path) -> None:
    """Files to a dataset, `map`, `filter` by the hash, Parquet."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()

    def rows() -> Iterator[dict[str, str]]:
        for path in files(source):
            yield {"id": path.stem, "text": path.read_text(encoding="utf-8", errors="replace")}

    seen: set[bytes] = set()

    def first(row: dict[str, str]) -> bool:
        key = hashlib.sha1(row["text"].encode()).digest()
        return not (key in seen or seen.add(key))  # type: ignore[func-returns-value]

    made = Dataset.from_generator(rows, cache_dir=str(into / "cache"), keep_in_memory=False)
    made = made.map(lambda row: {"text": cleaned(row["text"])}).filter(first)
    made.to_parquet(into / "data.parquet")


def datatrove(source: Path, into: Path) -> None:
    """A local pipeline of one task; what its filters refuse is dropped, as they do by default."""
    pipeline(into, "clean", [*filtering(source), written(into / "data")])


def minhash(source: Path, into: Path) -> None:
    """The same, then the four pipelines of its MinHash deduplication; near-copies but one are dropped."""
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import ParquetReader

    clean, signatures, buckets, dropped = (str(into / name) for name in ("clean", "signatures", "buckets", "dropped"))
    pipeline(into, "filters", [*filtering(source), written(into / "clean")])
    pipeline(into, "signatures", [ParquetReader(clean), MinhashDedupSignature(signatures)])
    config = MinhashConfig()
    pipeline(into, "buckets", [MinhashDedupBuckets(signatures, buckets)], config.num_buckets)
    pipeline(into, "clusters", [MinhashDedupCluster(buckets, dropped)])
    pipeline(into, "filter", [ParquetReader(clean), MinhashDedupFilter(dropped), written(into / "data")])


def pipeline(into: Path, name: str, steps: list[Any], tasks: int = 1) -> None:
    """Carry out the steps in this process."""
    from datatrove.executor import LocalPipelineExecutor

    LocalPipelineExecutor(steps, logging_dir=str(into / "logs" / name), tasks=tasks, workers=1).run()


def written(into: Path) -> Any:
    """The step that writes Parquet."""
    from datatrove.pipeline.writers import ParquetWriter

    return ParquetWriter(str(into), compression="zstd")


def filtering(source: Path) -> list[Any]:
    """The steps that read, repair and filter."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter
    from datatrove.pipeline.formatters import FTFYFormatter

    def read(_data: Any, _rank: int = 0, _world_size: int = 1) -> Iterator[Any]:
        for path in files(source):
            yield Document(text=path.read_text(encoding="utf-8", errors="replace"), id=path.stem)

    return [read, FTFYFormatter(), C4QualityFilter(), GopherQualityFilter(), FineWebQualityFilter()]


def cleaned(text: str) -> str:
    """The text repaired, without the lines that an expression knows and without blank ones."""
    import ftfy

    stripped = (line.strip() for line in ftfy.fix_text(text).split("\n"))
    return "\n".join(line for line in stripped if line and not any(rule.search(line) for rule in rules()))


@cache
def rules() -> tuple[re.Pattern[str], ...]:
    """The fifty expressions, compiled."""
    return tuple(re.compile(one, re.IGNORECASE) for one in PATTERNS)


def files(source: Path) -> list[Path]:
    """The texts of a folder, in order."""
    return sorted(source.rglob("*.txt"))


def batches(source: Path) -> Iterator[list[Path]]:
    """The same, some at a time."""
    found = files(source)
    return (found[start : start + BATCH] for start in range(0, len(found), BATCH))


def write(into: Path, number: int, ids: list[str], texts: Any) -> None:
    """One Parquet file of a batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": ids, "text": texts}), into / f"{number:05}.parquet", compression="zstd")


if __name__ == "__main__":
    {one.__name__: one for one in (copy, script, datasets, datatrove, minhash)}[sys.argv[1]](
        Path(sys.argv[2]), Path(sys.argv[3])
    )
