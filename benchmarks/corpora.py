"""Corpora of a benchmark: texts read as an ingest would, judged with all evidence or with some of it taken away.

Text, Corpus    documents and what they teach of each other
held_out        the word of a model that has not seen a document's site, in the place of the shipped model's
only            knowledge and profiles with some kinds of evidence taken away; structure and model are stubbed
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import polars as pl

from copydesk.desk import Prepared, prepare
from copydesk.knowledge import Knowledge
from copydesk.labels import LABELS
from copydesk.lines import label_lines
from copydesk.lines.model import predict
from copydesk.lines.profiles import Profiles
from copydesk.lines.repetition import learn, survey
from copydesk.lines.shape import measure
from copydesk.lines.sites import find_sites
from copydesk.sources import DOCUMENTS

__all__ = ["EVIDENCES", "Corpus", "Text", "held_out", "only"]

EVIDENCES: Final = ("profiles", "repetition", "headlines", "structure", "model")
NOTHING: Final = Profiles((), "")


@dataclass(frozen=True)
class Text:
    """A document of a set: its name, its bytes, its outlet."""

    id: str
    raw: bytes
    outlet: str | None = None


@dataclass(frozen=True)
class Corpus:
    """Documents read and repaired, with their sites, and what they teach of each other."""

    prepared: Prepared
    documents: pl.DataFrame
    held: pl.DataFrame | None = None
    """Probabilities from a model that has not seen the document's site, in the place of the shipped model's."""

    @classmethod
    def of(
        cls, texts: Sequence[Text], profiles: Profiles, source: str = "bench", held: pl.DataFrame | None = None
    ) -> Corpus:
        """Read as an ingest would; documents of unknown site are counted under their outlet, else the source."""
        rows = [{"id": one.id, "uri": one.id, "source": source, "outlet": one.outlet, "raw": one.raw} for one in texts]
        prepared = prepare(pl.DataFrame(rows, schema=DOCUMENTS))
        sites = find_sites(prepared.lines, prepared.documents, profiles)
        return cls(prepared, prepared.documents.with_columns(site=sites), held)

    def knowledge(self, profiles: Profiles) -> Knowledge:
        """What an ingest of these documents learns."""
        learned: dict[str, Any] = learn([survey(self.prepared.lines, self.documents, profiles)])
        return Knowledge(**learned)

    def judged(self, knowledge: Knowledge, profiles: Profiles, only: set[str] | None = None) -> dict[str, pl.DataFrame]:
        """Per document its lines' labels and evidence; of a cut line the largest piece."""
        documents, lines = self.documents, self.prepared.lines
        if only is not None:
            documents = documents.filter(pl.col("id").is_in(sorted(only)))
            lines = lines.filter(pl.col("doc").is_in(documents["doc"].implode()))
        spans = label_lines(lines, documents, knowledge, profiles, self._probabilities(lines))
        largest = spans.with_columns(size=pl.col("end") - pl.col("start")).sort(
            "doc", "line", "size", descending=[False, False, True], maintain_order=True
        )
        one = largest.unique(["doc", "line"], keep="first", maintain_order=True).with_columns(
            pl.col("label").cast(pl.String)
        )
        names = dict(documents.select("doc", "id").iter_rows())
        return {names[doc]: part for (doc,), part in one.group_by("doc", maintain_order=True)}

    def _probabilities(self, lines: pl.DataFrame) -> Any:
        """The model's word on each line, or None for that of the shipped model."""
        if self.held is None or not MODEL:
            return None
        shape = measure(lines)
        shipped = predict(shape)
        numbers = pl.DataFrame({"doc": self.documents["doc"], "text_id": self.documents["id"]})
        asked = lines.select("doc", "line")[shape.rows].join(numbers, on="doc", how="left", maintain_order="left")
        found = asked.join(self.held, on=["text_id", "line"], how="left", maintain_order="left").select(LABELS)
        told = found[LABELS[0]].is_not_null().to_numpy()
        return np.where(told[:, None], found.fill_null(0).to_numpy(), shipped).astype(np.float32)


MODEL: list[bool] = [True]
"""Empty while an ablation does without the model."""


def held_out(path: Path | None) -> pl.DataFrame | None:
    """Out-of-fold probabilities: Parquet with id, variant, line and a column per label."""
    if path is None:
        return None
    name = pl.concat_str("id", "variant", separator=" ").str.strip_chars()
    return pl.read_parquet(path).with_columns(text_id=name, line=pl.col("line").cast(pl.UInt32))


@contextmanager
def only(given: set[str], knowledge: Knowledge, profiles: Profiles) -> Iterator[tuple[Knowledge, Profiles]]:
    """Knowledge and profiles with the evidences that are not given taken away; structure and model are stubbed."""
    from copydesk import lines
    from copydesk.lines import decision

    empty = Knowledge()
    part = Knowledge(
        repeated=knowledge.repeated if "repetition" in given else empty.repeated,
        headlines=knowledge.headlines if "headlines" in given else empty.headlines,
    )
    with ExitStack() as stack:
        if "structure" not in given:
            stack.enter_context(patch.object(decision, "structure", silent))
        if "model" not in given:
            stack.enter_context(patch.object(lines, "_predict", lambda *_: None))
            stack.enter_context(patch.object(sys.modules[__name__], "MODEL", []))
        yield part, profiles if "profiles" in given else NOTHING


def silent(at: Any) -> tuple[Any, Any]:
    """A structure that says nothing of any line."""
    return np.full(len(at.shape), -1, dtype=np.int64), np.zeros(len(at.shape), dtype=np.int64)
