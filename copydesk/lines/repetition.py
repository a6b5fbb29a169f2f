"""What the corpus says about a line: seen in other documents of the site, or the headline of another story.

    line_key    a line's fingerprint, stable between versions, machines and batches
    survey      one batch -> what the corpus needs to know of it (small frames)
    learn       surveys of all batches -> the tables of a Knowledge; counted: one of them, or a range of its keys
    seen        how often each line was seen at its site;  heads: whether it is somebody's headline
    recurring   the endings of texts without line breaks that the site's other texts have too

Measured on labelled articles with other documents of their outlets: a line that two others of its outlet hold is
furniture (51 of 204 labelled furniture lines, no body line of 1,160); a line in one other is not (64 body lines:
stories told twice). So a line counts from the third document on; the document itself is one of them, or might be,
which leaves two others at least. Near-duplicates count once: each document carries three smallest hashes of its
paragraphs, and the number of documents that hold a line is the least number of different ones among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copydesk.expressions import contains, kept
from copydesk.knowledge import TABLES, Knowledge
from copydesk.lines.endings import endings, sentences
from copydesk.lines.profiles import Profiles
from copydesk.lines.shape import Ints, Mask, Shape, Texts, measure, normalise, reduced, used
from copydesk.lines.sites import counting_key, per_line
from copydesk.lines.structure import CODE, UNKNOWN, frame, structure

__all__ = ["COUNTED", "SAFE", "counted", "heads", "learn", "line_key", "ordered", "recurring", "seen", "survey"]

SAFE: Final = 3
"""Documents, the judged one included, from which a line is furniture of its site (see above)."""

_MASKED: Final = 60
"""Characters up to which a line can be a counter."""

_COUNTERS: Final = (
    "ago comment comments edited like likes modified page pages photo photos picture pictures posted published read"
    " reading replies reply reposts retweets share shared shares tweets update updated view viewed views visits"
    " aktualisiert aufrufe bild bilder kommentar kommentare leseminuten lesezeit seite seiten veröffentlicht"
    " commentaire commentaires lecture lectures partages publié vues"
    " actualizado comentario comentarios compartidos página publicado visitas visualizaciones"
    " atualizado comentário comentários visualizações compartilhamentos"
    " aggiornato commenti commento condivisioni pagina pubblicato visualizzazioni"
    " bijgewerkt gepubliceerd reactie reacties"
    " комментариев комментария комментарий комментарии обновлено опубликовано просмотр просмотра просмотров"
    " страница фото коментар коментара коментари видяна прегледа оновлено опубліковано переглядів"
    " odsłon komentarz komentarze komentarzy opublikowano wyświetleń"
    " güncelleme okunma yayınlanma yorum"
)
"""What stands beside the numbers of counters and time stamps in the languages of the evaluation sets."""

_DATES: Final = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug"
    " sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri"
    " sat sun am pm a p m et est edt ct cst cdt mt mst mdt pt pst pdt gmt utc bst ist cet cest msk st nd rd th k"
    " second seconds minute minutes min mins hour hours hr hrs h day days week weeks month months year years today"
    " yesterday of on at in the and by to from date time first last original originally uhr"
    " januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag"
    " um am vom von vor der den stand sekunden minuten stunde stunden tag tagen"
    " janvier février mars avril juin juillet août septembre octobre novembre décembre le la à de du il y heure heures"
    " jour jours lundi mardi mercredi jeudi vendredi samedi dimanche"
    " enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre el las hace hora horas"
    " día días minuto minutos hs"
    " janeiro fevereiro março maio junho julho setembro outubro novembro dezembro às em há"
    " gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre alle ore di"
    " januari februari maart mei augustus op om uur"
    " января февраля марта апреля мая июня июля августа сентября октября ноября декабря в из от г назад"
    " stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
    " ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık"
)
"""What may stand in a counter or time stamp beside its counter word: months, days, hours, small words."""

_SKETCHED: Final = 200
"""Characters of a paragraph by which its document is known."""

_TITLE_WORDS: Final = 4
"""Words from which a headline is kept: shorter ones ("In brief") are the headings of others."""

_ENDS: Final = "\n"
"""Stands among a site's lines for "a text without line breaks": no line can be this."""

_OFTEN: Final = 0.02
"""Share of the site's texts without line breaks from which an ending is furniture. Texts that were cut off somewhere
end in the same first words of a sentence now and then, but never so often."""

_SALTS: Final = tuple(np.uint64(salt) for salt in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
"""Odd 64-bit multipliers (golden ratio and two primes of xxHash): multiplying permutes the keys' order three ways."""

SURVEY: Final[dict[str, dict[str, pl.DataType]]] = {
    "lines": {"site": pl.String(), "key": pl.UInt64(), "a": pl.UInt64(), "b": pl.UInt64(), "c": pl.UInt64()},
    "headlines": {"key": pl.UInt64(), "a": pl.UInt64()},
    "tags": {"tag": pl.String(), "a": pl.UInt64()},
    "sites": {"id": pl.String(), "site": pl.String()},
}
"""The frames of a survey. `a`, `b`, `c` are the three smallest hashes of the document that holds the line."""

COUNTED: Final = {"repeated": "lines", "headlines": "headlines", "tags": "tags"}
"""The tables of a Knowledge that are counts, each with the frame of a survey that it is counted from."""


def line_key(text: pl.Series) -> pl.Series:
    """Fingerprints (UInt64) of lines: xxHash64 of the normalised text, digit runs of counters read as 0.

    xxHash is specified byte for byte, so a key learned today is a key for good. Nulls and blank lines give null.
    """
    low = normalise(text)
    return _hashed(_masked(low, counters(low)))


def counters(low: pl.Series) -> Mask:
    """Which normalised lines say nothing but numbers, a counter's word and words of dates, as "12 comments" does.

    Only these are the same line when their numbers differ. A sentence, a title or a date by itself is not: "The index
    fell by 3.4%." in story after story is news, and so is a chronology's "3 May".
    """
    found = np.zeros(len(low), dtype=bool)
    short = (low.str.len_chars() <= _MASKED).fill_null(value=False).to_numpy()
    rows = np.flatnonzero(short & contains(low, "[0-9]") & ~contains(low, "[.!?\u2026][\"')]*$"))
    if len(rows):
        words = kept("[^\\p{L}\\p{M}]+", low.gather(rows).str.replace_all, " ").str.strip_chars(" ").str.split(" ")
        size, word = words.list.len().to_numpy().astype(np.int64), words.explode()
        counter, date = (word.is_in(some).to_numpy() for some in (_COUNTER_WORDS, _DATE_WORDS))
        first = np.cumsum(size) - size
        found[rows] = np.logical_or.reduceat(counter, first) & np.logical_and.reduceat(counter | date, first)
    return found


_COUNTER_WORDS: Final = pl.Series(_COUNTERS.split())
_DATE_WORDS: Final = pl.Series(_DATES.split())


def _masked(low: pl.Series, rows: Mask) -> pl.Series:
    """The lines with the digit runs of some of them read as 0."""
    at = np.flatnonzero(rows)
    return low.clone().scatter(at, low.gather(at).str.replace_all("[0-9]+", "0")) if len(at) else low


def _hashed(low: pl.Series) -> pl.Series:
    from xxhash import xxh64_intdigest

    rows = np.flatnonzero((low.str.len_bytes() > 0).fill_null(value=False).to_numpy())
    values = np.fromiter(map(xxh64_intdigest, low.gather(rows).cast(pl.Binary).to_list()), np.uint64, len(rows))
    return pl.Series("key", [None], dtype=pl.UInt64).new_from_index(0, len(low)).scatter(rows, values)


def keys_of(shape: Shape, paragraph: Mask) -> pl.Series:
    """`line_key` of the lines up to shape.SHORT characters.

    Null for longer ones and for paragraphs, which are never furniture by repetition.
    """
    texts = shape.texts
    keys = texts.numbered.get("line_key", pl.Series("key", [None], dtype=pl.UInt64).new_from_index(0, len(texts)))
    asked = np.zeros(len(texts), dtype=bool)
    asked[shape.text_of[~paragraph]] = True
    fresh = np.flatnonzero(asked & keys.is_null().to_numpy())
    low = texts.low.gather(fresh)
    keys = texts.numbered["line_key"] = keys.clone().scatter(fresh, _hashed(_masked(low, counters(low))))
    lines = pl.DataFrame({"key": keys.gather(shape.text_of), "asked": ~paragraph})
    return lines.select(pl.when("asked").then("key")).to_series()


def sketch(shape: Shape, paragraph: Mask) -> pl.DataFrame:
    """doc, a, b, c: three smallest hashes over each document's paragraphs (over all its lines where it has none).

    A text without line breaks has its sentences beside it: its beginning alone would not show a copy.
    Numbers of short lines do not count here: today's table with yesterday's text around it is a copy of yesterday's.
    """
    parts = sentences(shape).filter(pl.col("text").str.len_chars() >= _MASKED)
    has = reduced(shape, paragraph, np.logical_or) | np.isin(shape.doc, parts["doc"].to_numpy())
    rows = np.flatnonzero(paragraph | ~has)
    which, place = used(shape.text_of[rows], len(shape.texts))
    keys = [_opening_keys(_openings(shape.texts, which))[place], _opening_keys(normalise(_opening(parts["text"])))]
    key, doc = np.concatenate(keys), np.concatenate([shape.doc[rows], parts["doc"].to_numpy()])
    hashed = pl.DataFrame({"doc": doc, **{name: key * salt for name, salt in zip("abc", _SALTS, strict=True)}})
    return hashed.group_by("doc", maintain_order=True).agg(pl.col("a", "b", "c").min())


def _opening(text: pl.Series) -> pl.Series:
    return text.str.slice(0, _SKETCHED)


def _openings(texts: Texts, which: Ints) -> pl.Series:
    """The normalised beginnings of texts.

    They are the beginnings of the normalised texts where no character came or went: then each gave one, whatever stands
    beside it. (In lower case, only \u0130 becomes two, and \u03a3 hangs on where a word ends.)
    """
    low, text = texts.low.gather(which), texts.text.gather(which)
    even = (low.str.len_chars() == pl.Series(texts.length[which])).fill_null(value=False).to_numpy()
    even &= ~contains(low, "i\u0307|[\u03c3\u03c2]")
    anew = np.flatnonzero(~even)
    return _opening(low).str.strip_chars().scatter(anew, normalise(_opening(text.gather(anew))))


def _opening_keys(low: pl.Series) -> NDArray[np.uint64]:
    """Fingerprints of normalised texts, numbers of short ones read as 0."""
    return _hashed(_masked(low, (low.str.len_chars() <= _MASKED).to_numpy())).to_numpy()


def survey(
    lines: pl.DataFrame, documents: pl.DataFrame, profiles: Profiles, shape: Shape | None = None
) -> dict[str, pl.DataFrame]:
    """What the corpus needs to know of a batch: the frames of SURVEY, small enough to keep for millions of documents.

    `lines` has doc, line, text; `documents` doc and site, and may have outlet and source, under which the lines of
    documents without a site are counted. No model is asked: headline and tags are read off profiles and structure.
    `shape` is that of the lines where they have been measured.
    """
    shape = measure(lines) if shape is None else shape
    at = frame(shape, per_line(shape, documents, documents["site"].cast(pl.String)), profiles)
    site = per_line(shape, documents, counting_key(documents, documents["site"].cast(pl.String)))
    label, _ = structure(at, "tag-footer")
    tag = (label == CODE["tags"]) & (at.ruled == UNKNOWN)
    headline = at.headline & (shape.words >= _TITLE_WORDS)
    titles = np.flatnonzero(headline)
    headline[titles] = ~counters(shape.texts.low.gather(shape.text_of[titles]))  # so that titles are keyed exactly
    return _frames(shape, site, at.paragraph, headline, tag)


def _frames(shape: Shape, site: pl.Series, paragraph: Mask, headline: Mask, tag: Mask) -> dict[str, pl.DataFrame]:
    docs = sketch(shape, paragraph)
    columns = {"doc": shape.doc, "site": site, "key": keys_of(shape, paragraph), "headline": headline, "tag": tag}
    lines = pl.DataFrame(columns)
    lines = lines.with_columns(shape.text.alias("text")).join(docs, on="doc", how="left", maintain_order="left")
    keyed = lines.filter(pl.col("key").is_not_null())
    found = _endings(shape)
    counts = pl.concat([keyed, lines[found["at"].to_numpy()].with_columns(key=found["key"])])
    frames = {
        "lines": counts.unique(["doc", "key"], keep="first", maintain_order=True).select(list(SURVEY["lines"])),
        "headlines": keyed.filter("headline")
        .unique(["doc", "key"], keep="first", maintain_order=True)
        .select("key", "a"),
        "tags": lines.filter("tag").select(pl.col("text").alias("tag"), "a"),
        "sites": pl.DataFrame(schema=SURVEY["sites"]),
    }
    return {name: frame.cast(pl.Schema(SURVEY[name])) for name, frame in frames.items()}


def _endings(shape: Shape) -> pl.DataFrame:
    """at, start, key of the endings of texts without line breaks, and `_ENDS`, with no start, for each that has any."""
    found = endings(shape)
    if not found.height:
        return pl.DataFrame(schema={"at": pl.Int64(), "start": pl.Int64(), "key": pl.UInt64()})
    texts = found.group_by("at", maintain_order=True).agg(pl.lit(None, pl.Int64).alias("start"))
    keyed = found.select("at", "start", line_key(found["text"]).alias("key"))
    ends = texts.select("at", "start", pl.lit(_hashed(pl.Series([_ENDS]))[0], pl.UInt64).alias("key"))
    return pl.concat([keyed, ends])


def learn(surveys: Iterable[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The tables repeated, headlines, tags and sites of a Knowledge from the surveys of all batches, in any order."""
    gathered: dict[str, list[pl.DataFrame]] = {name: [pl.DataFrame(schema=SURVEY[name])] for name in SURVEY}
    for one in surveys:
        for name in SURVEY:
            gathered[name].append(one[name])
    whole = {name: pl.concat(frames).lazy() for name, frames in gathered.items()}
    return ordered({**{name: counted(name, whole[said]) for name, said in COUNTED.items()}, "sites": whole["sites"]})


def ordered(tables: Mapping[str, pl.LazyFrame]) -> dict[str, pl.DataFrame]:
    """The tables of a Knowledge as they lie in it: with its types, each row once, sorted."""
    frames = {name: table.cast(pl.Schema(TABLES[name])).unique() for name, table in tables.items()}
    return {name: frame.sort(list(TABLES[name])).collect() for name, frame in frames.items()}


def counted(name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of a table of COUNTED from the rows that surveys gave for it.

    Each group lies in one value of `key`, so that a range of keys can be counted without the others.
    """
    if name == "repeated":
        return _repeated(frame)
    group = "tag" if name == "tags" else "key"
    return frame.group_by(group).agg(pl.col("a").n_unique().alias("documents"))


def _repeated(lines: pl.LazyFrame) -> pl.LazyFrame:
    """site, key, documents for the lines in two or more documents; singles (most) are put aside before counting."""
    pair = ["site", "key"]
    twice = lines.select(pair).group_by(pair).len().filter(pl.col("len") > 1).select(pair)
    several = lines.join(twice, on=pair, how="semi")
    counts = several.group_by(pair).agg(
        pl.min_horizontal(*(pl.col(name).n_unique() for name in "abc")).alias("documents")
    )
    return counts.filter(pl.col("documents") > 1)


def seen(keys: pl.Series, site: pl.Series, knowledge: Knowledge) -> Ints:
    """In how many documents of its site each line was seen; 0 where never or unknown."""
    if not knowledge.repeated.height:
        return np.zeros(len(keys), dtype=np.int64)
    asked = pl.DataFrame({"site": site, "key": keys})
    counts = asked.join(knowledge.repeated, on=["site", "key"], how="left", maintain_order="left")["documents"]
    return counts.fill_null(0).cast(pl.Int64).to_numpy()


def heads(keys: pl.Series, knowledge: Knowledge) -> Mask:
    """Whether each line is the headline of some document."""
    if not knowledge.headlines.height:
        return np.zeros(len(keys), dtype=bool)
    return keys.is_in(knowledge.headlines["key"].implode()).fill_null(value=False).to_numpy()


def recurring(shape: Shape, site: pl.Series, knowledge: Knowledge) -> list[tuple[int, int, str]]:
    """(line, start, site) of the endings that are furniture of their site, the longest of each line; see `endings`.

    `site` is what lines are counted under. An ending is furniture from SAFE documents on, and from a share of the
    site's texts without line breaks on.
    """
    found = _endings(shape)
    if not found.height:
        return []
    found = found.with_columns(site=site.gather(found["at"]))
    found = found.with_columns(pl.Series("seen", seen(found["key"], found["site"], knowledge)))
    ends = found.filter(pl.col("start").is_null()).select("at", texts="seen")
    again = found.drop_nulls("start").join(ends, on="at", maintain_order="left")
    again = again.filter((pl.col("seen") >= SAFE) & (pl.col("seen") >= _OFTEN * pl.col("texts")))
    return again.unique("at", keep="first", maintain_order=True).select("at", "start", "site").rows()
