"""Path patterns: `{outlet}/{date}_{slug}.txt` says what a file's path tells of its document."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["DAY", "compile_pattern"]

DAY: Final = r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|_[0-9]{2}_[0-9]{2}|[0-9]{4})"
"""What `{date}` stands for: 2017-01-25, 2017_01_25 or 20170125."""

PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A path pattern to a matcher of whole uris: `{name}` stands for any text without a slash, `{date}` for a day.

    Raises ValueError (for the configuration's error) where a name stands twice or a brace is left over.
    """
    names = PLACEHOLDER.findall(pattern)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the placeholder {{{twice[0]}}} stands twice: name each once")
    parts, at = [], 0
    for found in PLACEHOLDER.finditer(pattern):
        parts.append(_literal(pattern[at : found.start()]))
        inner = DAY if found[1] == "date" else "[^/]+?"
        parts.append(f"(?P<{found[1]}>{inner})")
        at = found.end()
    parts.append(_literal(pattern[at:]))
    return re.compile("".join(parts))


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("a placeholder is a name in braces, such as {outlet}; write no other brace")
    return re.escape(text).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
