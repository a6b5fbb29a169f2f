"""What all tests share: no network, no trace of the person's own Prefect and Hugging Face folders, evaluation data."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    PREFECT_HOME=tempfile.mkdtemp(prefix="copydesk-prefect-"),
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    # Prefect writes to the standard error that it found when it was imported: that of a test which is over by then.
    PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
    DO_NOT_TRACK="1",
)
atexit.register(shutil.rmtree, os.environ["PREFECT_HOME"], ignore_errors=True)
for name in ("SOURCE_DATE_EPOCH", "FORCE_COLOR", "TTY_COMPATIBLE"):  # a build system's or a person's
    os.environ.pop(name, None)


# A busy machine is no defect: nothing here is judged by the clock. Nor is bad luck: the same code is tried on the same
# examples every time, and new ones are searched by `make soak`.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("settled", derandomize=True, database=None, **UNTIMED)
settings.register_profile("searching", derandomize=False, print_blob=True, **UNTIMED)
settings.load_profile("settled")


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """The folder of evaluation data, which is not part of the project: real texts of other people."""
    folder = Path(os.environ.get("COPYDESK_EVALUATION_DATA", ROOT.parent / "shared"))
    if not (folder / "articles" / "dev.jsonl").is_file():
        pytest.skip(f"no evaluation data in {folder}: set COPYDESK_EVALUATION_DATA to the folder that holds it")
    return folder


@pytest.fixture(autouse=True)
def _surroundings() -> Iterator[None]:
    """What a command sets in the environment, for Prefect most of it, is gone with its test."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The project's own sample texts."""
    return ROOT / "seeds"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those marked slow run last."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
