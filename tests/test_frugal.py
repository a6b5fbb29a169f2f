"""Workers give memory back: their allocators are told to by the environment that they start with."""

from __future__ import annotations

import os

import pytest

from copydesk.frugal import SETTINGS
from copydesk.runner import Workers


@pytest.mark.parametrize("said", [None, "dirty_decay_ms:70"])
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
    assert found == [said or SETTINGS["_RJEM_MALLOC_CONF"], *list(SETTINGS.values())[1:]]
    assert dict(os.environ) == before
