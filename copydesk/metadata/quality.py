"""Quality signals of an article's text, by the names and definitions of the Gopher and FineWeb filters.

They are columns to filter by, not filters: copydesk drops no article for them. Sources: Rae et al. 2021
(arXiv:2112.11446, table A1) and FineWeb's `fineweb_quality_filter` in datatrove. Words are runs of characters
between spaces; lines are the kept lines of the article.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl

from copydesk.aligned import end_to_end

__all__ = ["QUALITY_TYPE", "quality"]

_SIGNALS = (
    "gopher_mean_word_length",
    "gopher_symbol_to_word_ratio",
    "gopher_alpha_words_ratio",
    "gopher_ellipsis_lines_ratio",
    "gopher_bullet_lines_ratio",
    "fineweb_line_punct_ratio",
    "fineweb_short_line_ratio",
    "fineweb_char_dup_ratio",
)
QUALITY_TYPE = pl.Struct(dict.fromkeys(_SIGNALS, pl.Float32()))

SHORT = 30
"""Characters below which FineWeb calls a line short."""


def quality(kept: pl.DataFrame) -> pl.DataFrame:
    """Signals per document of `kept` (doc, text: the article's lines): columns doc, quality."""
    text, chars, spaces = pl.col("text"), pl.col("chars"), pl.col("spaces")
    lines = kept.select(
        "doc",
        "text",
        chars=text.str.len_chars(),
        symbols=text.str.count_matches("#|\\.\\.\\.|…"),
        numbers=text.str.count_matches(" [0-9][0-9.,:%]*(?: |$)"),
        ellipsis=text.str.contains(r"(?:…|\.\.\.)[ ]?$"),
        bullet=text.str.contains(r"^[ ]?[•*‣●-]"),
        punct=text.str.contains(r"[.!?\"”’'»。！？।…][ \u{a0}]*$"),
    )
    sums = lines.group_by("doc", maintain_order=True).agg(
        pl.len().alias("lines"),
        pl.col("chars", "symbols", "numbers", "ellipsis", "bullet", "punct").sum(),
        filled=(chars > 0).sum(),
        short=(chars <= SHORT).sum(),
    )
    sums = sums.with_columns(_spaces(kept)).with_columns(words=spaces + pl.col("filled"), letters=chars - spaces)
    sums = sums.join(_repeated(lines), on="doc", how="left", maintain_order="left")
    words, count = pl.col("words").clip(1), pl.col("lines").clip(1)
    values = (
        pl.col("letters") / words,
        pl.col("symbols") / words,
        1 - pl.col("numbers") / words,
        pl.col("ellipsis") / count,
        pl.col("bullet") / count,
        pl.col("punct") / count,
        pl.col("short") / count,
        pl.col("repeated").fill_null(0) / pl.col("chars").clip(1),
    )
    named = [value.cast(pl.Float32).alias(name) for name, value in zip(_SIGNALS, values, strict=True)]
    return sums.select("doc", quality=pl.struct(named))


def _spaces(kept: pl.DataFrame) -> pl.Series:
    """Spaces in the text of each document, counted in its bytes: half of what counting them line by line costs."""
    doc, text = kept.get_column("doc").to_numpy(), kept.get_column("text")
    whole, ends = end_to_end(text)
    starts = np.flatnonzero(np.r_[True, doc[1:] != doc[:-1]])
    bounds = ends[np.r_[starts, len(doc)]].tolist()
    is_space = whole == ord(" ")
    counts = [np.count_nonzero(is_space[start:end]) for start, end in itertools.pairwise(bounds)]
    return pl.Series("spaces", counts, dtype=pl.UInt32)


def _repeated(lines: pl.DataFrame) -> pl.DataFrame:
    """Characters in lines that the document had before; only lines of equal length are compared."""
    by_length = pl.col("doc").cast(pl.UInt64) * (1 << 32) + pl.col("chars")
    same_length = lines.select("doc", "text", "chars").filter(by_length.is_duplicated())
    groups = same_length.group_by("doc", "text").agg(pl.len().alias("times"), pl.col("chars").first())
    return groups.group_by("doc").agg(repeated=((pl.col("times").cast(pl.Int64) - 1) * pl.col("chars")).sum())
