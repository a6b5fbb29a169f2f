"""Learning: the surveys of all batches to the knowledge that judging needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.lines import repetition

__all__ = ["learn"]


def learn(folders: Sequence[Path], profiles: str) -> Knowledge:
    """The knowledge that the surveys in the batches' folders add up to; `profiles` is the digest of those in force."""
    surveys = ({name: pl.read_ipc(folder / f"survey-{name}.arrow") for name in repetition.SURVEY} for folder in folders)
    documents = sum(pl.scan_ipc(folder / "documents.arrow").select(pl.len()).collect().item() for folder in folders)
    return Knowledge(**repetition.learn(surveys), profiles=profiles, documents=documents)
