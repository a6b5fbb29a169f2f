"""Near-duplicates, measured: CPU per document, peak memory, pairs found, pairs across splits; peers on the same work.

    python benchmarks/duplicates.py                                 20,000 invented texts with planted copies
    python benchmarks/duplicates.py --documents 200000
    python benchmarks/duplicates.py --dataset dist/NAME             the articles of a release
    python benchmarks/duplicates.py --dataset dist/NAME --truth truth.jsonl.gz      pairs against planted ones
    python benchmarks/duplicates.py --dataset dist/NAME --leaks     pairs at 0.7 across splits, by an exact join

Each step runs in a process of its own, so that its peak memory is its own. Times are CPU seconds, user and system.
datasketch and rensa are no dependencies: where they are installed they do the same work (five-word shingles, 128
permutations, candidates at 0.7, verified on the sets) on the first --peers texts.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
import random
import re
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

BATCH = 2_000
LIKE = 0.7


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--truth", type=Path, help="jsonl.gz with id and dup_of; the id is the name of the raw file")
    parser.add_argument("--leaks", action="store_true")
    parser.add_argument("--peers", type=int, default=2_000)
    asked = parser.parse_args()
    if asked.leaks:
        print(f"pairs at {LIKE} across splits, by exact join: {apart('', leaks, asked.dataset)}")
        return
    with TemporaryDirectory() as place:
        folder = Path(place)
        count = apart("", prepare, folder, asked.documents, asked.dataset)
        print(f"{count:,} articles\n\n| step | CPU µs a document | peak MB |\n|---|---:|---:|")
        apart("sketches (in the workers)", sketched, folder, count=count)
        marks = apart("comparing, first time", compared, folder, folder / "first", count=count)
        apart("all of it at once, without sketches", compared, folder, folder / "whole", bare=True, count=count)
        apart("again, nothing new", compared, folder, folder / "first", count=count)
        print(f"\n{apart('', told, folder, marks, asked.truth)}")
        for name in ("datasketch", "rensa"):
            if importlib.util.find_spec(name):
                print(apart("", peer, folder, name, asked.peers))
            else:
                print(f"{name}: not installed")


def apart(step: str, work: Callable[..., Any], *given: Any, count: int = 0, **more: Any) -> Any:
    """What the work gives in a process of its own; with a step's name, its time and memory are printed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        result, seconds, peak, before = pool.submit(measured, work, given, more).result()
    if step:
        print(f"| {step} | {seconds / count * 1e6:.1f} | {peak:.0f} ({before:.0f} before) |", flush=True)
    return result


def measured(work: Callable[..., Any], given: Any, more: Any) -> tuple[Any, float, float, float]:
    """The result, CPU seconds, peak memory, and the peak before: imports and tables that are made once."""
    from copydesk.corpus import shingles

    list(shingles.shingle(pl.Series(["one two three four five six"])))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    result = work(*given, **more)
    seconds = time.process_time() - start
    return result, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before


def prepare(folder: Path, documents: int, dataset: Path | None) -> int:
    """Lay the articles down in batches, as judging does. Gives their number."""
    frames = released(dataset) if dataset else invented(documents)
    total = 0
    for number, frame in enumerate(part for whole in frames for part in whole.iter_slices(BATCH)):
        frame.rechunk().write_ipc(folder / f"articles-{number:05}.arrow")
        total += frame.height
    return total


def released(dataset: Path) -> Iterator[pl.DataFrame]:
    """The articles of the newest release of a dataset."""
    from copydesk.carry import last_release

    last = last_release(dataset)
    assert last is not None, f"{dataset}: no release"
    for shard in last.manifest.shards("article"):
        yield pl.read_parquet(dataset / shard.file)


def invented(documents: int) -> Iterator[pl.DataFrame]:
    """Texts of some 450 words with the frequencies of a language; a tenth near copies, a fiftieth exact ones."""
    draw = np.random.default_rng(1)
    words = np.array([f"{a}{b}" for a in "bdfgklmnprstvz" for b in range(4000)])
    weights = 1 / np.arange(10, len(words) + 10)
    weights /= weights.sum()
    texts: list[str] = []
    rows: list[tuple[str, str]] = []
    for number in range(documents):
        kind = draw.random()
        if kind < 0.12 and texts:
            source = int(draw.integers(max(0, len(texts) - 5000), len(texts)))
            text, origin = texts[source], rows[source][1]
            if kind < 0.10:
                split = text.split(" ")
                for place in draw.integers(0, len(split), int(draw.integers(1, 6))):
                    split[place] = str(draw.choice(words))
                text = " ".join(split)
        else:
            text = " ".join(draw.choice(words, size=int(np.clip(draw.lognormal(6, 0.5), 30, 3000)), p=weights))
            origin = f"d{number:08}"
        texts.append(text)
        rows.append((f"d{number:08}.txt", origin))
        if len(texts) % BATCH == 0 or number == documents - 1:
            part = slice(len(rows) - (len(rows) - 1) % BATCH - 1, None)
            yield as_articles([uri for uri, _ in rows[part]], texts[part], [origin for _, origin in rows[part]])


def as_articles(uris: list[str], texts: list[str], origins: list[str]) -> pl.DataFrame:
    """The columns that comparing reads; `extra` has the text that a copy was made from."""
    headings = pl.List(pl.Struct({"title": pl.String, "start": pl.Int32, "end": pl.Int32}))
    none = [None] * len(texts)
    return pl.DataFrame(
        {
            "id": [hashlib.sha256(uri.encode()).hexdigest()[:16] for uri in uris],
            "uri": uris, "source": ["bench"] * len(texts), "outlet": none, "agency": none, "published_at": none,
            "content_sha256": [hashlib.sha256(uri.encode()).hexdigest() for uri in uris],
            "text": texts, "headings": [[]] * len(texts), "extra": origins,
        },
        schema_overrides={
            "outlet": pl.String, "agency": pl.String, "published_at": pl.Datetime("us", "UTC"), "headings": headings,
        },
    )  # fmt: skip


def files(folder: Path, name: str) -> list[Path]:
    """The files of that table, batch by batch."""
    return sorted(folder.glob(f"{name}-*.arrow"))


def sketched(folder: Path) -> None:
    """What judging adds for each batch."""
    from copydesk import corpus

    for path in files(folder, "articles"):
        corpus.sketched(pl.read_ipc(path)).write_ipc(path.with_name(path.name.replace("articles", "sketches")))


def compared(folder: Path, cache: Path, *, bare: bool = False) -> Path:
    """The stage that compares; `bare`: it sketches, too. Gives the file of its marks."""
    from copydesk import corpus

    cache.mkdir(exist_ok=True)
    sketches, done = [] if bare else files(folder, "sketches"), cache / "marks.done"
    return corpus.compare(files(folder, "articles"), [], cache, done, sketches=sketches).path


def told(folder: Path, marks: Path, truth: Path | None) -> str:
    """How the pairs of the clusters agree with the planted ones."""
    names = pl.concat([pl.scan_ipc(path).select("id", "uri", "extra").collect() for path in files(folder, "articles")])
    names = names.with_columns(name=pl.col("uri").str.extract(r"([^/]+?)(?:\.[^./]*)?$"))
    table = pl.read_ipc(marks).join(names, on="id")
    if truth:
        rows = [json.loads(line) for line in gzip.decompress(truth.read_bytes()).splitlines()]
        known = {row["id"]: row["dup_of"] or row["id"] for row in rows}
        table = table.with_columns(origin=pl.col("name").replace_strict(known, default=None, return_dtype=pl.String))
    else:
        table = table.with_columns(origin="extra")
    table = table.with_columns(cluster=pl.coalesce("duplicate_cluster", "id"))
    if table["origin"].null_count():
        return f"{table['duplicate_of'].count():,} copies marked (nothing is known of what was planted)"
    both, found, planted = (pairs(table, *by) for by in (("cluster", "origin"), ("cluster",), ("origin",)))
    return (
        f"pairs: {found:,} found, {planted:,} planted, {both:,} both: "
        f"precision {both / max(1, found):.4f}, recall {both / max(1, planted):.4f}"
    )


def pairs(table: pl.DataFrame, *by: str) -> int:
    """Pairs of rows that are equal in these columns."""
    number = pl.col("len").cast(pl.Int64)
    return int(table.group_by(by).len().select((number * (number - 1) // 2).sum()).item())


def plain_shingles(text: str) -> set[int]:
    """By regular expressions and Python's own hash: nothing of copydesk's."""
    words = re.findall(r"\w+", text.casefold())
    return {hash(tuple(words[at : at + 5])) & 0xFFFFFFFFFFFFFFFF for at in range(len(words) - 4)}


def leaks(dataset: Path) -> str:
    """Pairs alike at 0.7 of which one is outside train and the other in another split: all of them, by a join."""
    held, whole, sizes, texts = [], [], [], 0
    for frame in released(dataset):
        for text, split in frame.select("text", "split").iter_rows():
            some = np.fromiter(plain_shingles(text), dtype=np.uint64)
            numbers = np.full(len(some), texts, dtype=np.uint32)
            texts += 1
            sizes.append((texts - 1, len(some), split))
            part = pl.DataFrame({"hash": some, "text": numbers})
            whole.append(part)
            if split != "train":
                held.append(part)
    if not held:
        return "there is one split"
    size = pl.DataFrame(sizes, schema={"text": pl.UInt32, "size": pl.Int64, "split": pl.String}, orient="row")
    shared = pl.concat(held).join(pl.concat(whole), on="hash", suffix="_2").group_by("text", "text_2").len()
    both = shared.join(size, on="text").join(size.select(pl.all().name.suffix("_2")), on="text_2")
    alike = pl.col("len") / (pl.col("size") + pl.col("size_2") - pl.col("len")) >= LIKE
    one = both.filter(alike & (pl.col("text") != pl.col("text_2")))
    across = one.filter(pl.col("split") != pl.col("split_2")).height
    own = one.height - across
    return f"{across} (of {texts:,} texts, {len(held):,} outside train, with {own:,} such pairs in their own split)"


def peer(folder: Path, name: str, documents: int) -> str:
    """The same work by a library of MinHash."""
    texts = pl.concat([pl.scan_ipc(path).select("text") for path in files(folder, "articles")]).head(documents)
    given = texts.collect()["text"].to_list()
    start = time.process_time()
    found = {"datasketch": by_datasketch, "rensa": by_rensa}[name](given)
    seconds = time.process_time() - start
    return f"{name}: {seconds / len(given) * 1e6:.0f} CPU µs a document on {len(given):,}; {found:,} pairs at {LIKE}"


def words_in_runs(text: str) -> set[str]:
    """The shingles of a text as strings, which the libraries hash."""
    words = re.findall(r"\w+", text.casefold())
    return {" ".join(words[at : at + 5]) for at in range(len(words) - 4)}


def verified(sets: list[set[str]], likely: set[tuple[int, int]]) -> int:
    """How many of the candidates are alike."""
    return sum(len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b])) >= LIKE for a, b in likely)


def by_datasketch(texts: list[str]) -> int:
    """Pairs found by datasketch."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=LIKE, num_perm=128, params=(32, 4))
    sets = [words_in_runs(text) for text in texts]
    likely: set[tuple[int, int]] = set()
    for number, some in enumerate(sets):
        one = MinHash(num_perm=128)
        one.update_batch([word.encode() for word in some])
        likely |= {(other, number) for other in index.query(one)}
        index.insert(number, one)
    return verified(sets, likely)


def by_rensa(texts: list[str]) -> int:
    """Pairs found by rensa."""
    import rensa

    sets = [words_in_runs(text) for text in texts]
    index = rensa.RMinHashLSH(threshold=LIKE, num_perm=128, num_bands=32)
    likely: set[tuple[int, int]] = set()
    for number, some in enumerate(sets):
        one = rensa.RMinHash(num_perm=128, seed=random.Random(1).randrange(1 << 30))
        one.update(list(some))
        likely |= {(other, number) for other in index.query(one)}
        index.insert(number, one)
    return verified(sets, likely)


if __name__ == "__main__":
    main()
