"""Variants: what of a release is published, and what its tables look like then.

    Recipe      with or without the ledger, with or without text, with what masked
    recipe_of   that of a manifest; a manifest of one's own disk has all
    holds_raw   whether a manifest's release has the raw bytes
    RowDigest   the hash of what a variant's rows say
    schema_of   the schema of a table of a release: the whole one, or a variant's

Without text, the articles lose `text` and `headings` and the ledger its bytes and texts; what is left (hashes, byte
places, `chars`) is enough to make both again from copies of the raw files. Masked, the ledger loses its bytes, which
would show what was masked, and an article in which something was masked its `raw_sha256`: with all else of the file
known, a phone number can be found by trying them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from copydesk.schema import Schema, load_schema
from copydesk.schema.fields import Field

__all__ = ["WHOLE", "Recipe", "RowDigest", "holds_raw", "recipe_of", "schema_of"]

SHA256: Final = "^[0-9a-f]{64}$"

TEXT_SHA256: Final = Field(
    "text_sha256",
    "string",
    "string",
    required=True,
    description="SHA-256 of the article's text as UTF-8; the text itself is not published.",
    options={"pattern": SHA256},
)
CHARS: Final = Field(
    "chars",
    "integer",
    "int32",
    required=True,
    description="Characters of the span's text, decoded and repaired, without the line end; it is not published.",
    options={"minimum": 0},
)


@dataclass(frozen=True)
class Recipe:
    """What is published of a release. `masks`: sorted names of what is masked, such as ("emails", "ips")."""

    ledger: bool = True
    text: bool = True
    masks: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are there; without text the ledger is, since it says what each line was taken for."""
        return ("article", "ledger") if self.ledger or not self.text else ("article",)

    @property
    def whole(self) -> bool:
        """Whether rows are published as they are."""
        return self.text and not self.masks

    def as_json(self) -> dict[str, Any]:
        """For a manifest."""
        return {"ledger": "ledger" in self.tables, "text": self.text, "masked": list(self.masks)}

    def __str__(self) -> str:
        parts = ["with the ledger" if self.ledger else "without the ledger"] if self.text else ["without text"]
        return ", ".join([*parts, *([f"{' and '.join(self.masks)} masked"] if self.masks else [])])


WHOLE: Final = Recipe()


def recipe_of(body: Mapping[str, Any]) -> Recipe:
    """The recipe that a manifest's body was published by."""
    told = body.get("publication")
    if told is None:
        return WHOLE
    return Recipe(ledger=told["ledger"] and told["text"], text=told["text"], masks=tuple(told["masked"]))


class RowDigest:
    """SHA-256 over rows as JSON, one on a line: what a table says, whatever its files are called."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()

    def update(self, frame: pl.DataFrame) -> None:
        """Add rows."""
        for part in frame.iter_slices(10_000):
            lines = part.select(pl.struct(pl.all()).struct.json_encode()).to_series()
            self._whole.update("".join(f"{line}\n" for line in lines).encode())

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._whole.hexdigest()


def holds_raw(body: Mapping[str, Any]) -> bool:
    """Whether the raw bytes are there: the whole ledger was published, or nothing was left out."""
    recipe = recipe_of(body)
    return recipe.whole and "ledger" in recipe.tables


def schema_of(table: str, recipe: Recipe = WHOLE) -> Schema:
    """The schema of `article` or `ledger` in a release that was published by a recipe."""
    whole = load_schema(table)
    if recipe.whole:
        return whole
    fields = {field.name: field for field in whole.fields}
    (_article if table == "article" else _ledger)(fields, recipe)
    return replace(whole, fields=tuple(fields.values()))


def _article(fields: dict[str, Field], recipe: Recipe) -> None:
    if not recipe.text:
        del fields["text"], fields["headings"]
        fields["text_sha256"] = TEXT_SHA256
    elif recipe.masks:
        told = fields["raw_sha256"]
        why = " Null where something was masked: one could try numbers until the hash fits."
        fields["raw_sha256"] = replace(told, required=False, description=told.description + why)


def _ledger(fields: dict[str, Field], recipe: Recipe) -> None:
    del fields["raw"]
    if recipe.text:
        fields["text"] = replace(
            fields["text"], required=True, description="What the bytes say, decoded, repaired and masked."
        )
    else:
        del fields["text"]
        fields["chars"] = CHARS
