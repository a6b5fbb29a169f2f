"""Datelines of East Asian newsrooms, which name the agency first and write no separator.

新华社北京10月5日电（记者 …）   (서울=연합뉴스) … 기자 =   【ワシントン共同】   [東京 5日 ロイター] -
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from copydesk.metadata.datelines import Dateline

__all__ = ["read_east"]

_HAN: Final = r"[\u3400-\u9fff]"
_CHINESE: Final = re.compile(
    rf"[（(【]?({_HAN}{{2,6}}?社|中新网|新华网|人民网|央视网)?[】)）]?\s?(?:({_HAN}{{2,8}}?)\s?)?"
    r"(?:([0-9]{4})年)?([0-9]{1,2})月([0-9]{1,2})日(?:电|電|讯|訊|专电|專電|综合电)\s?(?:[（(][^）)]{1,40}[）)])?[:：]?\s*"
)
_KOREAN: Final = re.compile(
    r"[(\[]([가-힣A-Za-z·]{2,12})\s?=\s?([가-힣A-Za-z0-9]{2,12})[)\]]\s*"
    r"(?:([가-힣]{2,4}(?:·[가-힣]{2,4})*)\s?(?:[가-힣]{0,6}(?:기자|특파원|통신원))?\s?=\s?)?"
)
_JAPANESE: Final = re.compile(
    r"[【\[（(]([^】\]）)=＝\s]{2,12}?)[\s=＝]?(?:([0-9]{1,2})日\s)?(共同|時事|ロイター|AFP|聯合ニュース|ＡＦＰ|ＡＰ)(?:＝?[^】\]）)]{0,12})?[】\]）)]\s*-?\s*"
)


def read_east(text: str, at: int) -> Dateline | None:
    """Read a Chinese, Korean or Japanese dateline at `at`."""
    from copydesk.metadata.datelines import Dateline, Place

    if text[at : at + 40].isascii():
        return None
    if found := _CHINESE.match(text, at):
        agency, city, year, month, day = found.groups()
        if not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31 or not (agency or city):
            return None
        written = text[found.start(4) - (5 if year else 0) : found.end(5) + 1]
        return Dateline(
            (Place(city),) if city else (),
            int(month),
            int(day),
            int(year) if year else None,
            agency,
            text[: found.end()],
            city,
            written,
        )
    if found := _KOREAN.match(text, at):
        places = tuple(Place(city) for city in found[1].split("·"))
        return Dateline(places, agency=found[2], prefix=text[: found.end()], place=found[1], byline=found[3])
    if found := _JAPANESE.match(text, at):
        return Dateline((Place(found[1]),), agency=found[3], prefix=text[: found.end()], place=found[1])
    return None
