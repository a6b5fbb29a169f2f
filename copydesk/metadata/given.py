"""What the user says of the documents, or their pages of themselves, beside the text: sidecar, path, layout.

A column that is not there says nothing. What is printed comes first; what is given fills in, and is noted as not used
where the two differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from copydesk.metadata.when import Asked

__all__ = ["Given", "Note"]

Note = tuple[str, str, str, bool]
"""A row of `provenance`: field, value, evidence, whether it was used."""

_NO_ONE: Final[Mapping[str, str]] = {}


class Given:
    """The given values, one list per column with an entry per document."""

    def __init__(self, documents: pl.DataFrame) -> None:
        self._documents = documents
        self._by = [json.loads(said) if said else _NO_ONE for said in self.column("given_by")]

    def column(self, name: str) -> Sequence[Any]:
        """Values of a column, Nones where there is no such column."""
        if name in self._documents.columns:
            return self._documents.get_column(name).to_list()
        return [None] * self._documents.height

    def evidence(self, document: int, field: str) -> str:
        """Who says it: `given` is the user."""
        return self._by[document].get(field, "given")

    def asked(self) -> list[Asked]:
        """What is said of the day, and of the years it may be in."""
        columns = (self.column(name) for name in ("given_date", "uri", "years_from", "years_to"))
        return [
            Asked(date, uri, (first, last), by.get("date", "given"))
            for date, uri, first, last, by in zip(*columns, self._by, strict=True)
        ]

    def choose(self, field: str, printed: Sequence[str | None], notes: Sequence[list[Note]]) -> list[str | None]:
        """What is printed, else what is given; the other is noted where it differs."""
        chosen = list(printed)
        for value, noted in zip(printed, notes, strict=True):
            if value is not None:
                noted.append((field, value, "printed", True))
        for document, given in enumerate(self.column(f"given_{field}")):
            value = printed[document]
            if given and (value is None or value.casefold() != given.casefold()):
                notes[document].append((field, given, self.evidence(document, field), value is None))
            if value is None:
                chosen[document] = given or None
        return chosen

    def fill(self, printed: Sequence[list[str]], notes: Sequence[list[Note]]) -> list[list[str]]:
        """The authors that are printed, else the given ones."""
        chosen = list(printed)
        for document, given in enumerate(self.column("given_authors")):
            if given and not printed[document]:
                names = [name.strip() for name in re.split(r"[;,|]", given) if name.strip()]
                if names:
                    notes[document].append(("authors", "; ".join(names), self.evidence(document, "authors"), True))
                chosen[document] = names
        return chosen
