"""UTF-16 and UTF-32: recognised with or without a byte-order mark, split into lines by code unit.

Without a mark, a wide file shows itself in its columns: one byte of each unit nearly never changes (the page of
the script) while the other varies, and read the right way round nearly every unit is a common character. `guess`
asks of both byte orders how many units are common, and which signs of the right one they show: spaces and full stops,
the one page of an alphabet. Two bytes of GB 18030 are common units as well, mostly Hangul, but show no such sign.
Neither does a stray NUL in other text: that stands in no column, and completes no ASCII character.
"""

from __future__ import annotations

import codecs
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.repair.characters import join_surrogates

__all__ = ["BOMS", "guess", "split"]

BOMS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_SAMPLE: Final = 1 << 16  # bytes: the columns of 64 kB tell as much as those of the whole file
_COMMON_SHARE: Final = 0.75  # of the units must be common characters; text has over .9, noise under .45
_SIGNS: Final = 0.015  # of the units must be signs that the other order does not show; GB 18030 read so has none
_PAGE_SHARE: Final = 0.25  # of the units in one page: every alphabet has more, a Japanese sentence of kanji least
_LEAD: Final = 1.6  # times as many common units as in the other byte order; Chinese, the nearest, has over 2
_BARE_SHARE: Final = 0.5  # of one column of valid UTF-8 must be under 0x20 to be wide: alphabets have over .8, text .1
_STRAY: Final = 3  # NULs in a file are forgiven as damage where nothing else speaks for UTF-16


def _units(data: bytes, encoding: str) -> NDArray[np.uint32]:
    width = 4 if "32" in encoding else 2
    order = "<" if encoding.endswith("le") else ">"
    return np.frombuffer(data, dtype=f"{order}u{width}", count=len(data) // width).astype(np.uint32)


def _common(units: NDArray[np.uint32]) -> float:
    """Share of units that news is written in: ASCII without controls, letters of living scripts, punctuation."""
    if not len(units):
        return 0.0
    ascii_text = ((units >= 0x20) & (units < 0x7F)) | np.isin(units, (9, 10, 13))
    letters = ((units >= 0xA0) & (units < 0x700)) | ((units >= 0x900) & (units < 0x1200))
    marks = ((units >= 0x1E00) & (units < 0x20D0)) | ((units >= 0x3000) & (units < 0x3100))
    han = ((units >= 0x4E00) & (units < 0x9FA6)) | ((units >= 0xAC00) & (units < 0xD7A4))
    other = ((units >= 0xFF01) & (units < 0xFFA0)) | (units == 0xFEFF) | (units == 0xFFFD)
    emoji = ((units >= 0xD83C) & (units < 0xD83F)) | ((units >= 0xDC00) & (units < 0xE000))
    return float((ascii_text | letters | marks | han | other | emoji).mean())


def _anchors(units: NDArray[np.uint32]) -> float:
    """Share of units that only the right byte order shows in number: spaces, line ends, full stops, digits."""
    wanted = (0x20, 0x0A, 0x0D, 0x2C, 0x2E, 0x3001, 0x3002, 0xFF0C, 0x3000, *range(0x30, 0x3A))
    return float(np.isin(units, wanted).mean()) if len(units) else 0.0


def _page(units: NDArray[np.uint32]) -> float:
    """Share of the fullest page (256 code points) among those of alphabets: Latin to Georgian, kana."""
    pages = np.bincount(units >> 8, minlength=256)[[0, *range(3, 0x11), 0x30]]
    share = float(pages.max() / max(len(units), 1))
    return share if share >= _PAGE_SHARE else 0.0


def guess(data: bytes) -> str | None:
    """The wide encoding of `data` if it is one without a byte-order mark, else None. Looks at 64 kB at most."""
    sample = data[:_SAMPLE]
    for encoding in ("utf-32-le", "utf-32-be"):
        if len(sample) >= 8 and _common(_units(sample, encoding)) > _COMMON_SHARE:
            return encoding
    if len(sample) < 4:
        return None
    best, other = sorted(("utf-16-le", "utf-16-be"), key=lambda order: _rank(_units(sample, order)), reverse=True)
    common, signs = _rank(_units(sample, best))
    behind, strays = _rank(_units(sample, other))
    if common < _COMMON_SHARE or _is_narrow(sample):
        return None
    told = signs > max(_SIGNS, 4 * strays)
    return best if told or (common > _LEAD * behind and _nuls_tell(sample, best)) else None


def _is_narrow(sample: bytes) -> bool:
    """Whether this is UTF-8 with stray NULs at most: no column of it holds the low pages that alphabets stand in.

    So is other text with a few NULs and no control: of 32 Chinese units nearly all texts have one, kana have a page.
    """
    values = np.frombuffer(sample, np.uint8)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        stray = 0 < sample.count(0) <= _STRAY and len(sample) >= 64
        odd = (values < 0x20) & ~np.isin(values, (0, 9, 10, 13))
        return stray and not odd.any() and not any(_page(_units(sample, o)) for o in ("utf-16-le", "utf-16-be"))
    bare = (values < 0x20) & ~np.isin(values, (0x0A, 0x0D))
    return bool(max(bare[0::2].mean(), bare[1::2].mean()) < _BARE_SHARE)


def _nuls_tell(sample: bytes, encoding: str) -> bool:
    """Whether there are NULs that speak for UTF-16: half of them make an ASCII character or line end of a unit.

    In Chinese they may be low bytes alone, as in U+4E00, "one"; then the rest must not be two-byte text with a NUL in.
    """
    units = _units(sample, encoding)
    whole = ((units >= 0x20) & (units < 0x7F)) | np.isin(units, (9, 10, 13))
    count = sample.count(0)
    return count > 0 and (count <= 2 * int(whole.sum()) or not _is_east_asian(sample.replace(b"\0", b"")))


def _is_east_asian(sample: bytes) -> bool:
    """Whether a two-byte encoding reads this; it reads many UTF-16 files too, but finds control characters there."""
    for encoding in ("gb18030", "big5hkscs", "cp949", "cp932", "euc_jp"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        if "".join(text.split()).isprintable():
            return True
    return False


def _rank(units: NDArray[np.uint32]) -> tuple[float, float]:
    return _common(units), max(_anchors(units), _page(units))


def split(data: bytes, encoding: str, skip: int) -> list[tuple[int, int, str]]:
    """Lines of a wide file as (start, end, text), byte offsets; `skip` bytes of byte-order mark open the first.

    Bytes that make no whole unit, or half a surrogate pair at the very end, are dropped with the last line.
    """
    width = 4 if "32" in encoding else 2
    units = _units(data, encoding)
    breaks = units == 0x0A
    returns = np.flatnonzero(units == 0x0D)
    breaks[returns[~np.isin(returns + 1, np.flatnonzero(breaks))]] = True
    ends = [int(end) * width for end in np.flatnonzero(breaks) + 1]
    if not ends or ends[-1] < len(data):
        ends.append(len(data))
    starts = [0, *ends[:-1]]
    return [(start, end, _text(data, max(start, skip), end, encoding)) for start, end in zip(starts, ends, strict=True)]


def _text(data: bytes, start: int, end: int, encoding: str) -> str:
    width = 4 if "32" in encoding else 2
    whole = data[start : end - (end - start) % width]
    errors = "surrogatepass" if width == 2 else "replace"
    text = whole.decode(encoding, errors).rstrip("\r\n")
    if end == len(data) and text and "\ud800" <= text[-1] <= "\udbff":
        text = text[:-1]
    return join_surrogates(text)
