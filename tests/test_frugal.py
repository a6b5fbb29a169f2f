"""Workers give memory back: their allocators are told to by the environment that they start with."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from copydesk.frugal import POLARS, SELDOM, SETTINGS, unmapped
from copydesk.runner import Workers


@pytest.mark.parametrize("said", [None, POLARS, "dirty_decay_ms:70"])
def test_workers_start_with_settings_that_the_environment_does_not_make(
    monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    """And the environment of the process that starts them is as it was."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    if said:
        monkeypatch.setenv("_RJEM_MALLOC_CONF", said)
    before = dict(os.environ)
    with Workers(2) as pool:
        found = pool("read", os.getenv, list(SETTINGS))
    wishes = {} if said in {None, POLARS} else {"_RJEM_MALLOC_CONF": said}
    assert dict(zip(SETTINGS, found, strict=True)) == SETTINGS | {k: v for k, v in wishes.items() if k in SETTINGS}
    assert dict(os.environ) == before


def test_what_polars_leaves_in_the_environment_is_known() -> None:
    """Its own setting is nobody's wish; another text of it would be taken for one."""
    code = "import os, polars; print(os.environ['_RJEM_MALLOC_CONF'])"
    env = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == POLARS


HOLED = """
import ctypes, sys
from pathlib import Path
from copydesk.frugal import given_back

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
places = [libc.malloc(60_000) for _ in range(1_000)]
for place in places:
    ctypes.memset(place, 1, 60_000)
full = held()
for place in places[:-1]:  # the last keeps the top of the heap in use
    libc.free(place)
freed = held()
given_back()
print(full - freed, full - held())
"""


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="glibc's allocator is meant")
def test_what_lies_free_below_what_is_in_use_is_given_back() -> None:
    """Sixty megabytes that glibc holds for good, since a block above them is in use, go back to the system."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    told = subprocess.run([sys.executable, "-c", HOLED], env=env, capture_output=True, text=True, check=True)
    before, after = map(int, told.stdout.split())
    assert before < 5_000_000
    assert after > 50_000_000


ENDED = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count()))  # called last: what begins first ends last
from copydesk.cli import main
print(*gc.get_threshold())
sys.argv = ["copydesk", "--version"]
try:
    main()
finally:
    print(*gc.get_threshold())
"""


def test_a_process_of_our_own_has_its_cycle_collector_look_seldom_and_at_its_end_not_at_all() -> None:
    """What merely imports the package keeps Python's own; at the end of a command all objects are frozen."""
    told = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True, check=True)
    before, _, after, frozen = told.stdout.splitlines()
    assert before != after == " ".join(map(str, SELDOM))
    assert int(frozen) > 1_000
    with Workers(2) as pool:
        assert pool("read", _thresholds, [0, 1]) == [SELDOM] * 2


def _thresholds(_item: int) -> tuple[int, int, int]:
    return gc.get_threshold()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is unmapped")
def test_pages_of_a_file_that_were_looked_at_do_not_count_any_more(tmp_path: Path) -> None:
    """Sixteen megabytes that were read through are not in memory, and say what they said when they are read again."""
    path = tmp_path / "mapped"
    path.write_bytes(os.urandom(1 << 24))
    with pa.memory_map(str(path)) as file:
        pages = file.read_buffer()
    before, said = mapped_bytes(), bytes(pages)
    assert mapped_bytes() - before > 1 << 23
    unmapped(pages)
    assert mapped_bytes() - before < 1 << 22  # Linux counts in steps, by processor
    assert bytes(pages) == said == path.read_bytes()


def mapped_bytes() -> int:
    """What this process has in memory of files."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile:"))
