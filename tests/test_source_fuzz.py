"""Damaged files of every format: none ends a run, none hangs it, none is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk.sources import Limits
from tests.source_samples import MANY, STORIES, packed, page, read, written

SEEDS: list[tuple[str, bytes]] = [
    ("a.txt", STORIES["ferry"].encode()),
    ("a.html", page(STORIES["ferry"], "<meta property='og:title' content='Ferry'>").encode()),
    *((f"a.{kind}", written(kind)) for kind in MANY),
    *((f"a.jsonl.{how}", packed(written("jsonl"), how)) for how in ("gz", "bz2", "xz", "zst")),
    *((f"a.tar.{how}", packed(written("tar"), how)) for how in ("gz", "zst")),
    ("a.warc.gz", packed(written("warc"), "gz")),
]
LIMITS = Limits(document_bytes=1_000_000, unpacked_bytes=50_000_000, entries=1_000, columns=100)
LONGEST = 10.0
"""CPU seconds that a file may take."""

WORDS = [b"\0", b"\xff" * 8, b"\r\n", b'"', b"{", b"[" * 200, b"<", b"&#0;", b"PK\5\6", b"ARROW1", b"\x7f\xff\xff\xff"]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, cut out, doubled, or put in."""
    found = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        at = chance.randrange(len(found) + 1)
        end = min(len(found), at + chance.choice([1, 4, 64, 1024]))
        match chance.randrange(6):
            case 0 if found:
                found[at % len(found)] = chance.randrange(256)
            case 1:
                del found[at:end]
            case 2:
                del found[at:]
            case 3:
                found[at:at] = found[at:end] * chance.choice([1, 3, 50])
            case 4:
                found[at:at] = chance.choice(WORDS)
            case _:
                found[at:end] = chance.randbytes(end - at)
    return bytes(found)


def cases(number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and damaged bytes, every format in turn."""
    chance = random.Random(seed)
    for at in range(number):
        name, data = SEEDS[at % len(SEEDS)]
        yield name, damaged(data, chance)


def torture(tmp_path: Path, number: int, seed: int) -> None:
    """Read damaged files one by one: each gives texts or a reason, in time."""
    for at, (name, data) in enumerate(cases(number, seed)):
        path = tmp_path / name
        path.write_bytes(data)
        began = time.process_time()
        texts, refused = read(tmp_path, LIMITS)
        taken = time.process_time() - began
        path.unlink()
        assert taken < LONGEST, (at, name, taken)
        assert texts or refused, (at, name)


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    """A few damaged files of every format are read as far as they go, or refused with the reason."""
    torture(tmp_path, 5 * len(SEEDS), seed=1)


@pytest.mark.soak
def test_ten_thousand_damaged_files(tmp_path: Path) -> None:
    """The same for ten thousand."""
    torture(tmp_path, 10_000, seed=2)
