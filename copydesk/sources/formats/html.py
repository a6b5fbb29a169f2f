"""HTML pages: the article's lines by trafilatura, and what the page says of itself in JSON-LD and OpenGraph.

    article    a page to its lines and what it says of itself
    metadata   what a page says of itself, with where it says so

The lines go on to be labelled as those of a text: an extractor finds the article's place in the page, not the share
prompts and teasers within it. A headline that stands above that place (`h1`) is put first. A page without an article
raises DocumentError. Entities that a document type defines are not expanded: lxml's HTML parser knows none.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from copydesk.errors import DocumentError
from copydesk.sources.records import extra

__all__ = ["article", "metadata"]

PAGE_BYTES: Final = 5_000_000
"""A page is read at most: the extractor's time grows faster than the page. Larger ones are no article."""

ELEMENTS: Final = 60_000
"""Elements of a page at most, for the same reason: a second or so of work."""

DEEPEST: Final = 250
"""Elements within elements: the extractor calls itself for each."""

CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
CONTROL: Final = re.compile("[\x80-\x9f]")
AMPERSAND: Final = "\uf8ff"
LATIN: Final = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}
"""Names that browsers read as another encoding."""

ARTICLE: Final = re.compile(r"(?:Article|Posting|Report|Review)$")
OPEN_GRAPH: Final[Mapping[str, tuple[str, ...]]] = {
    "headline": ("og:title", "twitter:title"),
    "date": ("article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date"),
    "authors": ("article:author", "author", "parsely-author", "byl"),
    "section": ("article:section", "parsely-section"),
    "outlet": ("og:site_name",),
    "url": ("og:url",),
}


def article(data: bytes) -> tuple[str, dict[str, Any]]:
    """The article's lines, apart by blank ones, and what the page says of itself (see `metadata`).

    Raises DocumentError where the page is too large or has no article, or trafilatura is not installed.
    """
    trafilatura = extra("trafilatura", "html")
    tree = _tree(data)
    said = metadata(tree)
    titles = [_line(title) for title in tree.iter("h1")]
    found = trafilatura.bare_extraction(tree, favor_recall=True, include_comments=False, with_metadata=False)
    lines = [line for line in (_line(part) for part in (found.text or "").split("\n")) if line] if found else []
    if not lines:
        raise DocumentError("no article was found in the page")
    title = titles[0] if len(set(titles)) == 1 else ""
    if title and title not in lines[:5]:
        lines.insert(0, title)
    return "\n\n".join(lines), said


def _tree(data: bytes) -> Any:
    import lxml.etree
    import lxml.html

    if len(data) > PAGE_BYTES:
        raise DocumentError(f"a page of {len(data)} bytes: over {PAGE_BYTES} it is no article")
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = lxml.html.document_fromstring(_decoded(data).encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError, AssertionError) as error:
        raise DocumentError("is no HTML page, or an empty one") from error
    _check(tree)
    return tree


def _check(tree: Any) -> None:
    import lxml.etree

    depth = 0
    for number, (event, _) in enumerate(lxml.etree.iterwalk(tree, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST or number > 2 * ELEMENTS:
            raise DocumentError(f"a page of over {ELEMENTS} elements, or {DEEPEST} within each other: it is no article")


def _decoded(data: bytes) -> str:
    """The page as text: by its mark or as UTF-8, by what it says of its encoding, else by the decoder of texts."""
    said = CHARSET.search(data[:4096])
    name = said[1].decode("ascii").lower() if said else ""
    wide = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ""
    for encoding in (wide, "utf-8-sig", LATIN.get(name, name)):
        with contextlib.suppress(LookupError, UnicodeDecodeError, ValueError):
            return _unmixed(data.decode(encoding))
    from copydesk.decoding import decode_documents

    found = decode_documents(pl.Series([data], dtype=pl.Binary))
    error = found.documents["error"].item()
    if error is not None:
        raise DocumentError(error)
    return _unmixed("\n".join(found.lines["decoded"]))


def _unmixed(page: str) -> str:
    """The page with misread characters put right where they hold control characters, which the extractor drops."""
    if CONTROL.search(page) is None:
        return page
    from copydesk.repair import repair_lines

    lines = page.split("\n")
    hit = [at for at, line in enumerate(lines) if CONTROL.search(line)]
    held = [lines[at].replace("&", AMPERSAND) for at in hit]  # entities are the parser's business
    for at, line in zip(hit, repair_lines(pl.Series(held, dtype=pl.String))["text"], strict=True):
        lines[at] = line.replace(AMPERSAND, "&")
    return "\n".join(lines)


def _line(part: Any) -> str:
    """The words of an element or a string, with single spaces."""
    text = part if isinstance(part, str) else "".join(part.itertext())
    return " ".join(text.split())


def metadata(tree: Any) -> dict[str, Any]:
    """What a page says of itself: `headline`, `date`, `authors`, `section`, `outlet`, `url`, and `given_by`.

    `given_by` names for each where it was found: `json-ld`, `opengraph` (with other meta elements) or `html`.
    """
    found: dict[str, Any] = {}
    by: dict[str, str] = {}
    for evidence, said in (("json-ld", _json_ld(tree)), ("opengraph", _meta(tree)), ("html", _plain(tree))):
        for name, value in said.items():
            if value and name not in found:
                found[name], by[name] = value, evidence
    return {**found, "given_by": by} if found else {}


def _json_ld(tree: Any) -> dict[str, str]:
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            held = json.loads(script.text or "", strict=False)
            told = next((one for one in _objects(held) if _is_article(one)), None)
        except (ValueError, RecursionError):
            continue
        if told is not None:
            return {
                "headline": _text(told.get("headline") or told.get("name")),
                "date": _text(told.get("datePublished")),
                "authors": _names(told.get("author")),
                "section": _names(told.get("articleSection")),
                "outlet": _names(told.get("publisher")),
                "url": _text(told.get("url")),
            }
    return {}


def _objects(held: Any) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-LD script: itself, those in its list or its @graph."""
    if isinstance(held, dict):
        yield held
        yield from _objects(held.get("@graph") or [])
    elif isinstance(held, list):
        for one in held:
            yield from _objects(one) if isinstance(one, dict) else ()


def _is_article(held: Mapping[str, Any]) -> bool:
    kinds = held.get("@type")
    return any(
        isinstance(kind, str) and ARTICLE.search(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _text(value: Any) -> str:
    """A string of JSON-LD, its entities undone."""
    return _line(html.unescape(value)) if isinstance(value, str) else ""


def _names(value: Any) -> str:
    """The names in a string, an object with a name, or a list of them."""
    if isinstance(value, list):
        return "; ".join(dict.fromkeys(name for one in value if (name := _names(one))))
    return _text(value.get("name")) if isinstance(value, dict) else _text(value)


def _meta(tree: Any) -> dict[str, str]:
    said: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        content = _line(element.get("content") or "")
        if name and content:
            said.setdefault(name, content)
    found = {field: next((said[name] for name in names if name in said), "") for field, names in OPEN_GRAPH.items()}
    if "://" in found["authors"]:
        found["authors"] = ""  # Facebook's page of the author
    return found


def _plain(tree: Any) -> dict[str, str]:
    """The address that the page calls its own, and a day that it marks as its time of publication."""
    links = (link.get("href") or "" for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical")
    times = (
        time.get("datetime") or ""
        for time in tree.iter("time")
        if time.get("pubdate") is not None or (time.get("itemprop") or "").lower() == "datepublished"
    )
    address = next(links, "")
    return {"url": address if "://" in address else "", "date": _line(next(times, ""))}
