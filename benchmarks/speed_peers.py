"""Other ways of bringing raw texts into Parquet, one process each: `python speed_peers.py NAME FOLDER DESTINATION`.

    copy        the same files as they are: id and text, zstd, no work on the text
    script      what one writes in an afternoon: ftfy, fifty expressions line by line, exact copies left out
    datasets    the same script inside `datasets.map`; Parquet as it writes it
    datatrove   its ftfy formatter and its C4, Gopher and FineWeb filters, with their defaults

Nothing here needs copydesk, so that a peer can run in an environment of its own.
"""

from __future__ import annotations

import hashlib
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
}
"""What has to be installed for each; datatrove's quality filters need the spacy that `datatrove[processing]` brings."""

BATCH: Final = 1000
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
    """The files' bytes, checked to be UTF-8, as a column."""
    import pyarrow as pa

    for number, paths in enumerate(batches(source)):
        raw = [path.read_bytes() for path in paths]
        write(into, number, [path.stem for path in paths], pa.array(raw, pa.binary()).cast(pa.string()))


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
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter
    from datatrove.pipeline.formatters import FTFYFormatter
    from datatrove.pipeline.writers import ParquetWriter

    def read(_data: Any, _rank: int = 0, _world_size: int = 1) -> Iterator[Any]:
        for path in files(source):
            yield Document(text=path.read_text(encoding="utf-8", errors="replace"), id=path.stem)

    filters = [C4QualityFilter(), GopherQualityFilter(), FineWebQualityFilter()]
    writer = ParquetWriter(str(into / "data"), compression="zstd")
    LocalPipelineExecutor(
        [read, FTFYFormatter(), *filters, writer], logging_dir=str(into / "logs"), tasks=1, workers=1
    ).run()


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
    {one.__name__: one for one in (copy, script, datasets, datatrove)}[sys.argv[1]](
        Path(sys.argv[2]), Path(sys.argv[3])
    )
