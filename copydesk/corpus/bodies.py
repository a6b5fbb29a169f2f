"""Bodies: what of an article is compared: its text without the headings.

A reprint often gets headings of its own, and a related link that stayed in a text mostly passes for a heading: of
planted copies in generated pages 90 % are alike at 0.7 with the headings, 97 % without. Where the headings are more
than half of the text (lists, programmes) they are its body, and the whole text is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["bodies"]


def bodies(articles: pl.DataFrame) -> tuple[pl.Series, npt.NDArray[np.intp]]:
    """The bodies of articles (columns text and headings), and the rows whose body is not the whole text."""
    texts = articles["text"]
    rows = np.flatnonzero((articles["headings"].list.len() > 0).to_numpy())
    some = articles[rows]
    found = [_body(text, headings) for text, headings in zip(some["text"], some["headings"].to_list(), strict=True)]
    cut = [place for place, (body, text) in enumerate(zip(found, some["text"], strict=True)) if body != text]
    result = texts.scatter(rows[cut], [found[place] for place in cut]) if cut else texts
    return result, rows[cut]


def _body(text: str, headings: Sequence[Mapping[str, int]]) -> str:
    ends = [0, *(heading["end"] for heading in headings)]
    starts = [*(heading["start"] for heading in headings), len(text)]
    body = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return body if 2 * len(body) >= len(text) else text
