"""One digest for whatever is told apart by plain values: work folders, what was said of a document, settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

__all__ = ["digest"]


def digest(parts: Sequence[object]) -> str:
    """16 hexadecimal digits over plain values, as JSON in ASCII: so half a surrogate pair is a value, too."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
