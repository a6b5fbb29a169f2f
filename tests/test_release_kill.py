"""A release survives the death of its writer at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from copydesk.release.manifest import read_card
from copydesk.release.verify import verify
from tests.release_samples import DERIVED, folder_bytes, release, sample_tables

WRITER = """
import sys
from pathlib import Path
from copydesk.release import order
from tests.release_samples import release, sample_tables

order.LEAST, order.MEAN = 5_000, 10_000
rows = [sample_tables(range(end)) for end in (100, 130, 160)]
print("ready", flush=True)
while True:
    for table in rows:
        release(Path(sys.argv[1]), table)
"""


@pytest.mark.soak
def test_kills_at_random_moments_leave_a_sound_dataset(tmp_path):
    """After each SIGKILL the folder verifies, an ingest goes through at once, and older releases are as they were."""
    folder = tmp_path / "harbour"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    draw = random.Random(7)
    seen: dict[str, bytes] = {}
    began = time.monotonic()
    release(folder, sample_tables(range(100)))
    seconds = time.monotonic() - began
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, folder], env=environment, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(draw.uniform(0.02, 4 * seconds))
            writer.send_signal(signal.SIGKILL)
        if read_card(folder):
            problems = [problem for problem in verify(folder) if problem.file not in DERIVED]
            assert problems == []
        release(folder, sample_tables(range(draw.randint(80, 90))))
        assert verify(folder) == []
        named = {one.file for one in read_card(folder)}
        files = folder_bytes(folder)
        assert {name: files[name] for name in seen} == seen
        seen = {name: data for name, data in files.items() if name in named}
    assert len(seen) > 20
