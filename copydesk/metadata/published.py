"""When a story was published and updated: which of the dates on a page is the story's own.

Every date near the head or foot of the page is a candidate with points for where it stands, what the line is, and
the words before it (`Updated`, `Veröffentlicht am`); the best one with a full day wins. A crawl header
(`date 2017-01-25`) gives a year to a date line that has none (`January 25, 14:44 UTC+3`). The user's own date (path or
sidecar) comes after a printed one, the dateline's after that. A year that nothing gives stays open: `years.py`.

The points were tuned on 453 pages of 394 sites (other sites judged): any value within a third of these gives an F1
within .01, only their order matters.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from copydesk.metadata.dates import Stamp, day_of, find_dates

__all__ = ["Candidate", "Line", "candidates", "choose", "near"]

MOST_APART: Final = dt.timedelta(days=1)
"""Two dates of one story may differ by a day: a page in another zone, a dateline filed the evening before."""


class Line(NamedTuple):
    """A line near the head or foot: its rank among the non-blank lines, its label, its text."""

    rank: int
    label: str
    text: str


class Candidate(NamedTuple):
    """A date of the page that may be the story's: points, role (`published`, `updated`, `crawl`) and its line."""

    stamp: Stamp
    role: str
    points: float
    line: Line

    @property
    def day(self) -> dt.date | None:
        """The calendar day, None where the year is missing."""
        return day_of(self.stamp)


_UPDATED: Final = re.compile(
    r"updat|modif|aktuali[sz]|actuali[sz]|atualiz|mis(?:e)? à jour|màj|aggiorn|обновл|оновл|bijgewerkt|güncel|"
    r"\bstand\b|geändert|"
    r"zuletzt|uppdater|opdater|oppdater|更新|수정|edited|revised|bearbeitet|päivitetty|últim|تحديث|диапазон",
    re.IGNORECASE,
)
_PUBLISHED: Final = re.compile(
    r"publi|posted|veröffentlicht|erschienen|erstellt|online seit|issued|pubbl|опубл|gepost|geplaatst|yayın|"
    r"\bdat(?:e|um)\b|fecha|"
    r"created|written|入力|発表|发布|公開|掲載|등록|입력|gepostet|skrevet|julkaistu|\bpost\b|نشر|von|by|le$|am$|on$|vom$|el$|em$",
    re.IGNORECASE,
)
_ELSE: Final = re.compile(
    r"copyright|©|\(c\)|rights reserved|born|geboren|gültig|expires|valid|accessed|abgerufen|retrieved|"
    r"kommentar|comment|reply|antwort|"
    r"\(@\w|taken (?:on|in)|termin|beginn|deadline|schrieb|says|file photo|archiv(?:bild|foto)|photo taken|"
    r"picture taken|impressum|since|seit \d|until|"
    r"\bbis\b|\bab\b|reviewed|geprüft|nächste|next|joined|member|mitglied|einsendeschluss|fassung vom|bgbl|"
    r"lesezeit bis",
    re.IGNORECASE,
)
_CRAWL: Final = re.compile(r"^\s*(?:crawl\s?)?(?:date|fetched|scraped|crawled|retrieved|downloaded)\b", re.IGNORECASE)


def near(first: dt.date | None, second: dt.date | None) -> bool:
    """Whether two days can be of one story."""
    return first is not None and second is not None and abs(first - second) <= MOST_APART


def candidates(
    lines: Sequence[Line], head: int, body: tuple[int, int], language: str | None, *, month_first: bool | None = None
) -> list[Candidate]:
    """Read the dates of `lines`; `head` is the headline's rank, `body` those of the first and last line of text."""
    found = []
    before = ""
    for line in lines:
        text = _ADDRESS.sub(_blank, line.text) if "://" in line.text else line.text
        stamps = find_dates(text, language, month_first=month_first) if _may_hold_date(text) else ()
        start = 0
        for stamp in stamps:
            words = line.text[start : stamp.start]
            context = words if words.strip(" :,|•·–—-()") else (f"{before} {words}" if start == 0 else "")
            role, points = _role(context, line)
            points += _place_points(line, head, body) + _shape_points(line, stamp, len(stamps))
            found.append(Candidate(stamp, role, points, line))
            start = stamp.end
        before = line.text if len(line.text) < 30 and not stamps else ""
    return found


_ADDRESS: Final = re.compile(r"https?://\S+")


def _blank(found: re.Match[str]) -> str:
    """A date in an address belongs to what the address names."""
    return " " * len(found[0])


def _may_hold_date(text: str) -> bool:
    return not text.isascii() or any(map(str.isdigit, text))


def _role(words: str, line: Line) -> tuple[str, float]:
    if line.rank <= 2 and _CRAWL.match(line.text):
        return "crawl", 0.0
    return _role_by_words(words[-60:])


@functools.lru_cache(maxsize=1 << 14)  # the words before a date recur; a function of its argument alone
def _role_by_words(words: str) -> tuple[str, float]:
    if _ELSE.search(words):
        return "published", -5.0
    if _UPDATED.search(words):
        return "updated", 0.0
    return "published", 2.0 if words and _PUBLISHED.search(words) else 0.0


_LABEL_POINTS: Final = {
    "date_line": 3.0,
    "byline": 2.0,
    "dateline": 1.0,
    "section_label": 1.0,
    "headline": 0.5,
    "heading": -1.0,
    "deck": -1.0,
    "tags": -0.5,
    "caption": -4.0,
    "related_link": -2.0,
    "comment_prompt": -3.0,
    "copyright": -4.0,
    "advert": -3.0,
    "body": -1.5,
}


def _place_points(line: Line, head: int, body: tuple[int, int]) -> float:
    points = _LABEL_POINTS.get(line.label, 0.0)
    first, last = body
    if line.rank <= max(first + 2, head + 7):
        return points + 4.0 - 0.25 * abs(line.rank - head - 1)
    if line.rank > last:
        return points + 0.5 - 0.2 * (line.rank - last)
    return points - 1.0


def _shape_points(line: Line, stamp: Stamp, count: int) -> float:
    rest = len(line.text.strip()) - (stamp.end - stamp.start)
    points = 2.5 if rest <= 3 else 0.75 if rest <= 40 else 0.0 if rest <= 120 else -3.0
    if rest > 120 and stamp.start <= 1:
        points += 2.0
    if count > 3:
        points -= 1.0
    if stamp.hour is not None:
        points += 0.75
    return points - (3.0 if stamp.day is None else 0.0)


LEAST_POINTS: Final = -0.5
"""Below this a date is some date, not the story's."""


class Choice(NamedTuple):
    """The story's dates: the best published and updated candidates, and a crawl header's."""

    published: Candidate | None = None
    updated: Candidate | None = None
    crawl: Candidate | None = None
    yearless: Candidate | None = None
    conflicts: tuple[Candidate, ...] = ()


def choose(found: Sequence[Candidate]) -> Choice:
    """Choose among the candidates of one page; the first of equals wins."""
    if not found:
        return Choice()
    good = [one for one in found if one.points >= LEAST_POINTS and one.stamp.day is not None]
    dated = [one for one in good if one.stamp.year is not None]
    published = _best([one for one in dated if one.role == "published"])
    updated = _best([one for one in dated if one.role == "updated"])
    crawl = _best([one for one in found if one.role == "crawl" and one.stamp.year and one.stamp.day])
    yearless = _best([one for one in good if one.stamp.year is None and one.role != "crawl"])
    if published is None and updated is not None and _is_alone(dated):
        published = updated
    if published is not None:
        published = _with_clock(published, good)
    conflicts = tuple(
        one
        for one in dated
        if published and one.role == "published" and one.line.label == "date_line" and not near(one.day, published.day)
    )
    return Choice(published, updated, crawl, yearless, conflicts)


def _best(found: Sequence[Candidate]) -> Candidate | None:
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda one: (one.points, -one.line.rank, -one.stamp.start), default=None)


def _is_alone(dated: Sequence[Candidate]) -> bool:
    """Nothing else is dated: an update is then the only printed date, and the nearest to publication."""
    return all(one.role == "updated" for one in dated)


def _with_clock(best: Candidate, found: Sequence[Candidate]) -> Candidate:
    """Add the clock that the same day has elsewhere on the page."""
    if best.stamp.hour is not None or best.day is None:
        return best
    for other in found:
        same = day_of(other.stamp, best.stamp.year)
        if (
            other.role == best.role
            and other.stamp.hour is not None
            and same == best.day
            and other.line.rank - best.line.rank in (-1, 0, 1)
        ):
            return best._replace(
                stamp=best.stamp._replace(
                    hour=other.stamp.hour,
                    minute=other.stamp.minute,
                    second=other.stamp.second,
                    offset=other.stamp.offset,
                ),
            )
    return best
