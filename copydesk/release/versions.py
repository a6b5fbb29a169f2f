"""Versions: whether a draft is a new release, and its number.

    next_version   the number of a draft after its base, and why; None where nothing changed

MAJOR when a reader's program may break: a column is gone or has another type. MINOR when rows change. PATCH when only
the description does: the user's words, the schema's, or the list of quarantined documents. Equality of rows is by their
content, never by the bytes of files, so a newer library that packs the same rows otherwise makes no release.
"""

from __future__ import annotations

from typing import Any, Final

from copydesk.release.manifest import Manifest

__all__ = ["FIRST", "next_version"]

FIRST: Final = "1.0.0"


def next_version(base: Manifest | None, draft: dict[str, Any]) -> tuple[str, str] | None:
    """(version, cause) of a draft manifest body, cause being first, schema, rows or description; None: no release."""
    if base is None:
        return FIRST, "first"
    major, minor, patch = (int(part) for part in base.version.split("."))
    if _breaks(base.body, draft):
        return f"{major + 1}.0.0", "schema"
    if base.body["content"] != draft["content"] or _columns(base.body) != _columns(draft):
        return f"{major}.{minor + 1}.0", "rows"
    if _described(base.body) != _described(draft):
        return f"{major}.{minor}.{patch + 1}", "description"
    return None


def _columns(body: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {name: table["columns"] for name, table in body["tables"].items()}


def _breaks(old: dict[str, Any], new: dict[str, Any]) -> bool:
    now = _columns(new)
    return any(
        now[name].get(column) != kind for name, columns in _columns(old).items() for column, kind in columns.items()
    )


def _described(body: dict[str, Any]) -> dict[str, Any]:
    """All that the card tells a reader beside the rows."""
    return {
        "description": body["description"],
        "schemas": {name: table["schema"] for name, table in body["tables"].items()},
        "quarantine": body["quarantine"]["sha256"],
    }
