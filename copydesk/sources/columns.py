"""Columns: which of a record's fields is the text, the headline, the date …, and the record as a document.

    choose        names of columns to what they hold, by what the source's `columns` say, else by common names
    Chosen.record the fields of one record as a Record, or why it is none

A record's other fields are carried through into `extra`. A record is named by its id where there is a column for it,
else by its number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from copydesk.errors import DocumentError
from copydesk.sources.records import Record, Unread

__all__ = ["COMMON", "Chosen", "as_bytes", "choose", "record_name"]

COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        *("text", "content", "body", "article", "maintext", "articlebody", "articletext", "fulltext", "bodytext"),
        *("rawtext", "plaintext", "contenttext", "story", "storytext", "newstext", "document", "raw"),
    ),
    "html": ("html", "rawhtml", "contenthtml", "bodyhtml", "articlehtml", "htmlcontent", "page"),
    "headline": ("headline", "title", "articletitle", "newstitle"),
    "date": (
        *("date", "published", "publishedat", "datepublished", "publisheddate", "publishdate", "publicationdate"),
        *("pubdate", "datetime", "publishedon", "publicationtime", "publishtime", "datepublish", "timestamp"),
    ),
    "url": ("url", "link", "articleurl", "sourceurl", "weburl", "permalink", "canonicalurl"),
    "authors": ("authors", "author", "byline", "bylines", "creator"),
    "section": ("section", "articlesection", "category", "sectionname", "newsdesk", "desk"),
    "outlet": ("outlet", "publisher", "publication", "newspaper", "sitename", "sourcename", "mediaoutlet"),
    "id": ("id", "guid", "uuid", "docid", "documentid", "articleid", "storyid", "recordid", "identifier"),
}
"""Names of columns in the order of preference, without case, spaces, `_`, `-` and `.`."""

DAYTIME: Final = re.compile(r"T00:00(:00(\.0+)?)?(Z|[+-]00:?00)?$")
EPOCH: Final = (10**8, 10**11)
"""Seconds since 1970 that a number can be meant as; a thousand times that are milliseconds."""

LONGEST: Final = 120
"""Characters of an id that go into a uri: file names end at 255 bytes."""


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()


@dataclass(frozen=True)
class Chosen:
    """The columns of a table: of the text or page, of the id, and of what else is known."""

    body: str
    page: bool
    id: str | None
    known: Mapping[str, str]

    def record(self, values: Mapping[str, Any], number: int) -> Record | Unread:
        """One record of the table, with its number from 1; Unread where it has no text."""
        name = record_name(values.get(self.id) if self.id else None, number)
        data = as_bytes(values.get(self.body))
        if data is None:
            return Unread(name, f"its column {self.body!r} holds no text")
        taken = {self.body, self.id, *self.known.values()}
        said = {key: value for key, value in values.items() if key not in taken and _says(value)}
        said |= {
            what: told for what, column in self.known.items() if (told := _said(what, values.get(column))) is not None
        }
        return Record(name, data, said, self.page)


def choose(names: Collection[str], asked: Sequence[tuple[str, str]] = ()) -> Chosen:
    """What the columns hold; raises DocumentError where none holds the text, or one asked for is not there."""
    wanted = dict(asked)
    for what, column in wanted.items():
        if column not in names:
            raise DocumentError(
                f"there is no column {column!r} (columns.{what} of its source); there are: {_listed(names)}"
            )
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(_plain(name), name)
    free = {key: name for key, name in plain.items() if name not in wanted.values()}
    found = {what: wanted.get(what) or _first(free, common) for what, common in COMMON.items()}
    page = "html" in wanted or (found["text"] is None and found["html"] is not None)
    body = found.pop("html" if page else "text")
    found.pop("text" if page else "html")
    if body is None:
        raise DocumentError(
            f"no column holds the text (there are: {_listed(names)}); name it with columns.text in its [[source]]"
        )
    ident = found.pop("id")
    return Chosen(body, page, ident, {what: column for what, column in found.items() if column is not None})


def _first(free: Mapping[str, str], common: Iterable[str]) -> str | None:
    return next((free[name] for name in common if name in free), None)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(str(name)[:40] for name in list(names)[:12])
    return (shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")) or "none"


def record_name(ident: object, number: int) -> str:
    """The name of a record in its container's uri: its id, with `/`, `%`, `#` and what does not show percent-encoded.

    The number where there is none. An id of over LONGEST characters is cut, with a digest.
    """
    text = str(ident).strip() if isinstance(ident, str | int) and not isinstance(ident, bool) else ""
    if not text:
        return str(number)
    written = text.encode("utf-8", "replace").decode()
    if len(written) > LONGEST:
        digest = hashlib.sha256(written.encode()).hexdigest()[:16]
        written = written[: LONGEST - 17] + "~" + digest
    return re.sub(r"[%/\\#\x00-\x20\x7f-\x9f\u2028\u2029]", lambda found: quote(found[0], safe=""), written)


def as_bytes(value: object) -> bytes | None:
    """A cell's text as bytes; None where there is none. Paragraphs in a list become lines apart by a blank one.

    Bytes that were no UTF-8 come back as they were (JSON is read with surrogate escapes); half a surrogate pair, which
    JSON can hold and UTF-8 cannot, becomes U+FFFD.
    """
    if isinstance(value, bytes):
        return value or None
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        value = "\n\n".join(value)
    if not isinstance(value, str) or not value:
        return None
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", value).encode("utf-8", "surrogateescape")


def _says(value: object) -> bool:
    return value is not None and not isinstance(value, bytes) and value not in ("", [], {})


def _said(field: str, value: object) -> str | None:
    """A known field as the string that a person would have written."""
    match value:
        case bool() | None:
            return None
        case dt.datetime():
            return DAYTIME.sub("", value.isoformat())
        case int() | float() if field == "date":
            return _epoch(value)
        case list():
            return "; ".join(told for one in value if (told := _said(field, one))) or None
        case dict():
            return _said(field, value.get("name"))
    return str(value).strip() or None


def _epoch(value: float) -> str | None:
    first, last = EPOCH
    for seconds in (value, value / 1000):
        if first <= seconds < last:
            moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=int(seconds))
            return DAYTIME.sub("", moment.isoformat())
    return str(int(value)) if value == value else None  # noqa: PLR0124 -- not NaN; 20170125 is a day
