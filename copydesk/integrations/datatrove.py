"""copydesk as a step of a datatrove pipeline (`pip install copydesk[datatrove]`).

    CopydeskCleaner   raw documents in, articles out: `text` is the cleaned text, the fields go into `metadata`

The rows are those of an ingest with the same knowledge, but for what only a whole corpus has (splits, duplicates).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from datatrove.pipeline.base import PipelineStep

from copydesk.cleaner import Cleaner

if TYPE_CHECKING:
    from datatrove.data import Document, DocumentsPipeline
    from datatrove.pipeline.writers.disk_base import DiskWriter

__all__ = ["CopydeskCleaner"]

BATCH: Final = 1000


class CopydeskCleaner(PipelineStep):  # type: ignore[misc]  # datatrove has no type information
    """Cleans documents in batches with a `Cleaner`.

    `uri` is the metadata key that names the raw file, `file_path` as datatrove's readers write it; where a document has
    none, or two documents of a batch share it, `#` and the document's id follow. What cannot be read goes to
    `exclusion_writer`, with the reason as `error` in its metadata, and is counted as `refused`.
    """

    name = "copydesk"
    type = "🧹 - CLEAN"

    def __init__(
        self,
        cleaner: Cleaner | None = None,
        *,
        uri: str = "file_path",
        batch_size: int = BATCH,
        exclusion_writer: DiskWriter | None = None,
    ) -> None:
        super().__init__()
        self.cleaner = cleaner or Cleaner()
        self.uri = uri
        self.batch_size = batch_size
        self.exclusion_writer = exclusion_writer

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> Iterator[Document]:  # noqa: ARG002
        """Clean the documents of `data`, in their order."""
        documents = iter(data or ())
        while batch := list(islice(documents, self.batch_size)):
            with self.track_time(unit="batch"):
                rows = self._clean(batch)
            for document, row in zip(batch, rows, strict=True):
                if row.pop("error") is None:
                    yield self._cleaned(document, row)
                else:
                    self._refuse(document, rank)

    def _clean(self, batch: Sequence[Document]) -> list[dict[str, Any]]:
        given = {name: [document.metadata.get(key) for document in batch] for name, key in self.cleaner.given.items()}
        table = self.cleaner.table([document.text for document in batch], self._uris(batch), **given)
        for document, error in zip(batch, table["error"], strict=True):
            if error is not None:
                document.metadata["error"] = error
        return table.to_dicts()

    def _uris(self, batch: Sequence[Document]) -> list[str]:
        named = [document.metadata.get(self.uri) for document in batch]
        alone = {name for name, times in _counted(named) if times == 1}
        return [
            str(name) if name in alone else f"{name or 'text.txt'}#{document.id}"
            for name, document in zip(named, batch, strict=True)
        ]

    def _cleaned(self, document: Document, row: dict[str, Any]) -> Document:
        before = len(document.text)
        document.text = row.pop("text")
        document.metadata |= {name: _plain(value) for name, value in row.items()}
        self.stat_update("cleaned")
        self.stat_update("characters_out", value=len(document.text))
        self.stat_update("characters_in", value=before)
        return document

    def _refuse(self, document: Document, rank: int) -> None:
        self.stat_update("refused")
        if self.exclusion_writer is not None:
            with self.exclusion_writer as writer:
                writer.write(document, rank)


def _counted(names: Iterable[Any]) -> Iterable[tuple[Any, int]]:
    counts: dict[Any, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    counts.pop(None, None)
    return counts.items()


def _plain(value: Any) -> Any:
    """A value as JSON has it: datatrove's writers keep metadata so."""
    return value.isoformat() if isinstance(value, dt.datetime) else value
