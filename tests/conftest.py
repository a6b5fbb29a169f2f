"""What all tests share: no network, no trace of the person's own Prefect and Hugging Face folders, evaluation data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="1",
)


# A busy machine is no defect: nothing here is judged by the clock.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """The folder of evaluation data, which is not part of the project: real texts of other people."""
    folder = Path(os.environ.get("COPYDESK_EVALUATION_DATA", ROOT.parent / "shared"))
    if not (folder / "articles" / "dev.jsonl").is_file():
        pytest.skip(f"no evaluation data in {folder}: set COPYDESK_EVALUATION_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The project's own sample texts."""
    return ROOT / "seeds"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: those marked slow run last."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
