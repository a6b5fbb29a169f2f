"""The review page: one HTML file that needs no network and runs nothing but its own script.

    write_page   the page of what is shown, as text

The front end is a handful of small modules (page/*.js), a style sheet and a frame; they are put into the file as they
are, and a policy in its head names their hashes: no other script, no style, no request. Foreign text is nowhere HTML:
it lies in data blocks that are never run, base64 or JSON without `<`, and the script shows it as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from copydesk.lines.profiles import Profiles
from copydesk.review.bundle import chunks, documents_of, index, meta, pack
from copydesk.review.collect import Shown

__all__ = ["MODULES", "write_page"]

MODULES: Final = ("base", "data", "store", "filters", "list", "plots", "dialogs", "document", "audit", "main")
"""In the order in which they build on each other."""

_LINKS: Final = re.compile(
    r'^import [^\n]*;\n|^import \{[^}]*\} from "[^"]*";\n|^export (?=(?:const|function|class|async))', re.MULTILINE
)


def write_page(shown: Shown, profiles: Profiles, audit: Mapping[str, Any] | None = None) -> str:
    """The page; the same documents give the same bytes. `audit` is a drawn sample (evaluation.audit.draw)."""
    documents = documents_of(shown)
    blocks = [
        _json("meta", {**meta(shown, profiles, documents), "audit": audit}),
        _packed("index", pack(index(shown, documents))),
    ]
    blocks += [_packed(f"chunk-{number}", data) for number, data in enumerate(chunks(documents))]
    script, style = _script(), _part("page.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = f"{shown.name} {shown.version or ''}".strip()
    parts = {"policy": policy, "title": html.escape(f"Review of {title}")}
    frame = re.sub(r"\{\{(policy|title)\}\}", lambda found: parts[found[1]], _part("page.html"))
    head, rest = frame.split("<!-- style -->")
    body, end = rest.split("<!-- data and script -->")
    data = "\n".join(blocks)
    return f'{head}<style>{style}</style>{body}{data}\n<script type="module">{script}</script>{end}'


def _part(name: str) -> str:
    return (files("copydesk") / "review" / "page" / name).read_text(encoding="utf-8")


def _script() -> str:
    """The modules as one: what binds them together is taken out, since a file on disk can import nothing."""
    return "\n".join(_LINKS.sub("", _part(f"{name}.js")) for name in MODULES)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(name: str, value: Any) -> str:
    """A data block of JSON in which nothing can end the block or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _packed(name: str, data: str) -> str:
    return f'<script type="text/plain" id="{name}">{data}</script>'
