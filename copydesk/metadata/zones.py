"""Time zones as news pages write them: `UTC+3`, `GMT+03:00`, `+0300`, `MSK`, `EST`, `ET`, `Uhr` without one.

Minutes east of Greenwich: `UTC+3` is +180 (POSIX `TZ` strings mean the opposite; pages never do). Names that are
fixed offsets are a table; `ET`, `CT`, `MT`, `PT` depend on the day and follow the rule for US daylight saving time
(Energy Policy Act of 2005; before 2007 the Uniform Time Act as amended in 1986), `MEZ/CET` written for a summer's
day is taken as written.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

__all__ = ["ZONE", "zone_minutes"]

_FIXED: Final = {
    "Z": 0,
    "UTC": 0,
    "GMT": 0,
    "UT": 0,
    "WET": 0,
    "BST": 60,
    "WEST": 60,
    "CET": 60,
    "MEZ": 60,
    "CEST": 120,
    "MESZ": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "МСК": 180,
    "MSD": 240,
    "TRT": 180,
    "IST": 330,
    "PKT": 300,
    "NPT": 345,
    "SAST": 120,
    "EAT": 180,
    "WAT": 60,
    "CAT": 120,
    "GST": 240,
    "WIB": 420,
    "WITA": 480,
    "WIT": 540,
    "SGT": 480,
    "HKT": 480,
    "PHT": 480,
    "JST": 540,
    "KST": 540,
    "AEST": 600,
    "AEDT": 660,
    "ACST": 570,
    "ACDT": 630,
    "AWST": 480,
    "NZST": 720,
    "NZDT": 780,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "AST": -240,
    "ADT": -180,
    "NST": -210,
    "NDT": -150,
    "BRT": -180,
    "ART": -180,
    "CLT": -240,
    "COT": -300,
    "PET": -300,
    "VET": -240,
}
_AMERICAN: Final = {"ET": -300, "CT": -360, "MT": -420, "PT": -480}

ZONE: Final = re.compile(
    r"[\s,(\[]{0,3}(?:(?:UTC|GMT|Гринвич\w*)\s?([+\u2212–-])\s?([0-9]{1,2})(?::?([0-9]{2}))?"
    r"|([+\u2212-])([0-9]{2}):?([0-9]{2})(?![0-9-])"
    r"|(по московскому времени|по Москве|мск|Uhr\s(?:MESZ|MEZ)|Eastern(?:\s(?:Standard|Daylight))?(?:\sTime)?"
    r"|Pacific(?:\s(?:Standard|Daylight))?\sTime|Central(?:\s(?:Standard|Daylight))?\sTime"
    r"|" + "|".join(sorted((*_FIXED, *_AMERICAN), key=lambda name: (-len(name), name))) + r")(?![^\W\d_]))"
)


def zone_minutes(found: re.Match[str], day: dt.date | None) -> int | None:
    """Minutes east of Greenwich of a match of `ZONE`; `day` settles names that change with daylight saving time."""
    sign, hours, minutes, bare_sign, bare_hours, bare_minutes, name = found.groups()
    if sign or bare_sign:
        size = int(hours or bare_hours) * 60 + int(minutes or bare_minutes or 0)
        return _checked(size if (sign or bare_sign) == "+" else -size)
    return _named(name, day)


def _checked(minutes: int) -> int | None:
    return minutes if abs(minutes) <= 14 * 60 else None


def _named(name: str, day: dt.date | None) -> int | None:
    if name.startswith(("по ", "мск")):
        return 180
    if name.startswith("Uhr"):
        return _FIXED[name.split()[1]]
    words = name.split()
    if len(words) > 1 or name == "Eastern":
        name = {"Eastern": "ET", "Pacific": "PT", "Central": "CT"}[words[0]]
        if len(words) > 1 and words[1] in ("Standard", "Daylight"):
            return _AMERICAN[name] + (60 if words[1] == "Daylight" else 0)
    if name in _AMERICAN:
        return None if day is None else _AMERICAN[name] + (60 if _american_summer(day) else 0)
    return _FIXED[name]


def _american_summer(day: dt.date) -> bool:
    if day.year >= 2007:
        return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)
    return _sunday(day.year, 4, 1) <= day < _sunday(day.year, 11, 1) - dt.timedelta(days=7)


def _sunday(year: int, month: int, count: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(6 - first.weekday()) % 7 + 7 * (count - 1))
