"""What a batch's lines show before anything is known of the corpus: looked at for the survey, and not again to judge.

    Glance      the Shape of the lines, with all that was asked of its texts, and the sites that the pages tell
    glance      lines and documents of a batch -> Glance
    tables      a Glance as tables, to keep beside the lines;  restored: the same from them

A text's measures and keys, the answers of `patterns` and what the rules for every site name depend on the text and the
profiles alone, and so they are the same in the survey and in the judgement. What depends on the corpus or on
corrections is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from copydesk.aligned import spliced
from copydesk.lines.matching import Named
from copydesk.lines.patterns import ASKED
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import INVISIBLE, Ints, Shape, Texts, measure, placed
from copydesk.lines.sites import shown_sites
from copydesk.lines.texts import NUMBERED, bare

__all__ = ["TABLES", "Glance", "glance", "restored", "tables"]

TABLES: Final = ("texts", "lines", "rules", "sites")
"""One row for each different text, line, text that a rule names, and document."""

_MEASURES: Final = ("stop", "asks", "open_end", "inner_stop")


@dataclass(frozen=True, eq=False)
class Glance:
    """The measured lines of a batch, and the site that each document tells by itself."""

    shape: Shape
    sites: pl.Series


def glance(lines: pl.DataFrame, documents: pl.DataFrame, profiles: Profiles) -> Glance:
    """Look at a batch's lines (doc, line, text) and at the frames of its documents (doc; perhaps site)."""
    shape = measure(lines)
    return Glance(shape, shown_sites(shape, documents, profiles))


def tables(seen: Glance, profiles: Profiles) -> dict[str, pl.DataFrame]:
    """The tables of TABLES: what was asked of the texts so far, and the rest of what is restored."""
    shape, texts = seen.shape, seen.shape.texts
    first = np.empty(len(texts), dtype=np.int64)
    first[shape.text_of[::-1]] = shape.rows[::-1]
    numbers = {"first": first, "length": texts.length, "words": texts.words}
    masks = {name: getattr(texts, name) for name in _MEASURES} | texts.told
    table = pl.DataFrame({"low": texts.low, **numbers, **masks}).cast(dict.fromkeys(numbers, pl.UInt32))
    return {
        "texts": table.with_columns(**texts.numbered),
        "lines": _lines(shape),
        "rules": _rules(profiles.common(texts)),
        "sites": seen.sites.to_frame("site"),
    }


def _lines(shape: Shape) -> pl.DataFrame:
    """row, text; near: whether the line was asked for the words of titles, and what was `recalled` of candidates."""
    frame = pl.DataFrame({"row": shape.rows, "text": shape.text_of}).cast(pl.UInt32)
    if set(shape.recalled) != {"told", "printed"}:
        return frame
    (rows, near), (told,) = shape.recalled["told"]
    (others,), (inside, holds) = shape.recalled["printed"]
    if not np.array_equal(rows, others):
        return frame
    index = pl.int_range(len(shape), eager=True)
    found = pl.DataFrame({"index": rows, "told": told, "inside": inside, "holds": holds})
    asked = frame.with_columns(index=index, near=index.is_in(pl.Series(near).implode()))
    return asked.join(found, on="index", how="left", maintain_order="left").drop("index")


def _recall(shape: Shape, table: pl.DataFrame) -> None:
    """Put what `_lines` kept back into its place."""
    if "told" in table.columns:
        rows, near = (np.flatnonzero(mask.to_numpy()) for mask in (table["told"].is_not_null(), table["near"]))
        told, inside, holds = (table[name].gather(rows).to_numpy() for name in ("told", "inside", "holds"))
        shape.recalled.update(told=((rows, near), (told,)), printed=((rows,), (inside, holds)))


def _rules(named: list[Named]) -> pl.DataFrame:
    """rule, weak, text: a row for each text of each entry, in their order; `entry` is its number."""
    sizes = [len(texts) for _, texts, _ in named]
    columns = {
        "entry": np.repeat(np.arange(len(named)), sizes),
        "rule": np.repeat([rule for rule, _, _ in named], sizes).astype(np.int64),
        "weak": np.repeat([weak for _, _, weak in named], sizes).astype(bool),
        "text": np.concatenate([np.empty(0, dtype=np.int64), *(texts for _, texts, _ in named)]),
    }
    return pl.DataFrame(columns)


def restored(lines: pl.DataFrame, kept: Mapping[str, pl.DataFrame], profiles: Profiles) -> Glance:
    """The Glance of which these are the tables; `lines` and `profiles` are those that it was made from."""
    table, rows, text_of = kept["texts"], _ints(kept["lines"]["row"]), _ints(kept["lines"]["text"])
    stop, asks, open_end, inner_stop = (table[name].to_numpy() for name in _MEASURES)
    low, length, words = table["low"], _ints(table["length"]), _ints(table["words"])
    text = _stripped(lines["text"].gather(table["first"]), length)
    texts = Texts(text, low, bare(low), length, words, stop, asks, open_end, inner_stop)
    texts.told.update({name: table[name].to_numpy() for name in ASKED if name in table.columns})
    texts.numbered.update({name: table[name] for name in NUMBERED if name in table.columns})
    texts.ruled[profiles.digest] = _named(kept["rules"])
    shape = placed(lines, rows, texts, text_of)
    _recall(shape, kept["lines"])
    return Glance(shape, kept["sites"]["site"])


def _stripped(text: pl.Series, length: Ints) -> pl.Series:
    """Texts without what is around them, given how many characters are left of each: most had nothing around them."""
    rest = np.flatnonzero(text.str.len_bytes().to_numpy() != length)
    loose = rest[text.gather(rest).str.len_chars().to_numpy() != length[rest]]
    bared = text.gather(loose).str.strip_chars(INVISIBLE)
    return spliced(text.to_frame("text"), loose, bared.to_frame("text"))["text"]


def _ints(column: pl.Series) -> Ints:
    return column.cast(pl.Int64).to_numpy()


def _named(table: pl.DataFrame) -> list[Named]:
    """The entries of `_rules`."""
    entry, rule, weak, text = (table[name].to_numpy() for name in ("entry", "rule", "weak", "text"))
    opens: Ints = np.flatnonzero(np.diff(entry, prepend=-1))
    parts = np.split(text, opens[1:])
    return [(int(rule[at]), part, bool(weak[at])) for at, part in zip(opens, parts, strict=False)]
