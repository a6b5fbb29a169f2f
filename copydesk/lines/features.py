"""What a line looks like, in numbers: the columns that the model sees, for all lines of a batch at once.

    lines ──► one buffer of code points ──► character classes ──► counts per line   ┐
                                        └─► words ──► 64-bit word hashes            ├─► Features
    order and blank lines ──► place in the document, repeats, topic                 ┘

Nothing here loops over lines: the texts of a batch are laid end to end in one array of code points, and every
count is a NumPy kernel over that array. Long lines are read by their first `HEAD` and last `TAIL` characters (an
opening and an ending tell what a line is; the middle of a paragraph is like any other). Hashes are our own, over
code points, so they are the same in every process and with every version of Polars.
A document's numbers depend on its own lines only, never on the batch.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["DENSE", "Features", "features_of", "hash_words"]

HEAD: Final = 160
TAIL: Final = 64

Array = npt.NDArray[np.float32]
Wide = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]

# Classes of characters.
_SPACE, _UPPER, _LOWER, _LETTER, _CJK, _DIGIT, _STOP, _COMMA = range(8)
_COLON, _QUOTE, _BRACKET, _DASH, _BAR, _AT, _SYMBOL, _OTHER = range(8, 16)
_CLASSES: Final = 16
_CLASS_NAMES: Final = (
    "space", "upper", "lower", "letter", "cjk", "digit", "stop", "comma",
    "colon", "quote", "bracket", "dash", "bar", "at", "symbol", "other",
)  # fmt: skip
_SPECIAL: Final = {
    _STOP: ".!?…。！？।۔؟።։",
    _COMMA: ",;،、；，",
    _COLON: ":：",
    _QUOTE: "\"'`´‘’‚“”„‹›«»「」『』",
    _BRACKET: "()[]{}（）【】",
    _BAR: "|/\\>•·●▪►▶→←↑↓■*_",
    _AT: "@#&©®",
}

FUNCTION_WORDS: Final = """
en the of and to in a is that for it with as on was are be by this from at an have has not but which he she they we
en you i or his her their its had been were will would can
de der die das und ist nicht ein eine zu den von mit auf für im dem des sich auch es an als wie bei aus nach wird
de sind er sie wir ich hat war dass um noch einen einer
fr le la les des et est un une du que qui dans pour par sur pas plus ce il elle au aux avec sont ne se son sa ses
fr nous vous je ont mais cette été
es el los las del y en que por con para una su al lo como más pero sus este esta ha fue son se no ya muy sin sobre
pt o os as do da dos das em no na nos nas que e é um uma para com não por mais se ao foi ele ela seu sua pelo pela
pt são já
it il lo gli i di e che è per non con una del della dei delle nel nella si al alla da sono ha come più ma anche
it questo
nl de het een en van is dat op te niet met voor zijn aan er ook als maar om bij door uit nog naar wordt hij ze
sv och det att som en på är av för med den till inte har om de ett var jag ska kan från vid men så
da og det at en på er af for med den til ikke har om de et var jeg skal kan fra ved men så der
no og det at som en på er av for med den til ikke har om de et var jeg skal kan fra ved men så
fi ja on ei se että oli hän mutta myös kun niin ovat joka mukaan sekä olla ole tai jos vain
pl i w na z nie się do to że o jest po jak za od przez dla co ale oraz są był tym jego tak
cs a v na se je že z s o do i to za pro ve po jako ale které jsou který by už při jeho od
ro și de la în a cu pe nu o din care că pentru mai este un sunt al ce fost dar prin ca
hu a az és hogy nem is egy ez de volt van meg csak már mint még vagy ki be el ha
tr ve bir bu da de için ile olarak olan daha çok gibi kadar en ne sonra ancak dedi olduğu göre her
id yang dan di dengan untuk ini itu dari pada tidak dalam akan ke oleh juga adalah telah sebagai ada mereka
vi và của là có trong được cho không các với một những này đã người ở để khi
sw na ya wa kwa ni katika la za kuwa hiyo huo cha hii yake
hr i u na je se da su za od što koji kao iz ali bi nije o sa će
lt ir yra kad į iš su tai bet kaip buvo už nuo apie
is og að í á er sem við um til en ekki var það hefur með fyrir
et ja on et ei oli ka see kui mis aga selle ning
ru и в не на что с по как это из к за от о для его но а у был также при она они мы я было уже
uk і в на не що з до та як у за від про для але це його був також при
bg и на в да се за от не че с е по са което как но като ще до
sr и у је на да се за од са као су који што
el και το να του η της με που για από στο την των είναι τον θα δεν σε τα
ar في من على إلى أن عن مع هذا التي الذي ما لا كان هذه بعد أو قد كما بين
he של על את לא הוא כי זה עם אל גם היא או אני
fa و در به از که این را با است برای آن یک تا هم شد
ur کے کی میں ہے اور سے کا کو نے پر کہ یہ ہیں بھی تھا
hi के में की है और से का को ने पर कि यह हैं भी था लिए एक इस
bn ও এই করে জন্য থেকে হয় না একটি করা এবং তার
ko 그 이 수 있다 및 등 것 한 을 를
"""
_WORD_CAP: Final = 64
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_TOPIC_BITS: Final = 13
_LONG_LINE: Final = 80
"""Characters from which a line with a stop in it is taken for prose (few headlines are as long and have one)."""


@dataclass(frozen=True)
class Features:
    """The numbers of N lines (blank ones left out) that hold W words and P pairs of words.

    dense          (N, len(DENSE)) float32, unscaled
    words, word_line    (W,) uint64 hash and int64 line of each word, in order
    pairs, pair_line    (P,) the same of each two neighbouring words
    first, last    (N,) index into `words` of a line's first and last word, -1 where it has none
    doc            (N,) number of the line's document, from 0, in order
    rows           (N,) row of the line in the table that was given
    """

    dense: Array
    words: Codes
    word_line: Index
    pairs: Codes
    pair_line: Index
    first: Index
    last: Index
    doc: Index
    rows: Index


@functools.lru_cache(maxsize=1)
def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    """Class and folded form (lower case, every digit 0) of the code points below 65,536."""
    kinds = np.full(65536, _OTHER, np.uint8)
    folded = np.arange(65536, dtype=np.uint64)
    by_category = {"Lu": _UPPER, "Lt": _UPPER, "Ll": _LOWER, "Nd": _DIGIT, "Pd": _DASH, "Cc": _SPACE}
    by_group = {"L": _LETTER, "M": _LETTER, "Z": _SPACE, "S": _SYMBOL, "N": _DIGIT}
    for code in range(65536):
        character = chr(code)
        category = unicodedata.category(character)
        kinds[code] = by_category.get(category, by_group.get(category[0], _OTHER))
        lower = character.lower()
        folded[code] = ord("0") if category == "Nd" else ord(lower) if len(lower) == 1 else code
    for kind, characters in _SPECIAL.items():
        kinds[[ord(character) for character in characters]] = kind
    kinds[0x3040:0x3100] = kinds[0x3400:0xA000] = kinds[0xF900:0xFB00] = _CJK
    kinds[0xFFFF] = _SYMBOL  # stands for all that lies above: emoji, mostly
    return kinds, folded


@functools.lru_cache(maxsize=1)
def _powers() -> Codes:
    return np.multiply.accumulate(np.full(_WORD_CAP, 0xD6E8FEB86659FD93, np.uint64))


def _mix(codes: Codes) -> Codes:
    """Spread each bit over the whole word (the finalizer of MurmurHash3)."""
    codes = (codes ^ (codes >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return codes ^ (codes >> np.uint64(33))


@dataclass(frozen=True)
class _Buffer:
    """Lines end to end, each with a line end: code points, where lines start, and the line of each character."""

    codes: npt.NDArray[np.uint16]
    kinds: npt.NDArray[np.uint8]
    starts: Index
    line: npt.NDArray[np.int32]


def _buffer(texts: pl.Series) -> _Buffer:
    size = texts.str.len_chars()
    cut = pl.concat_str(pl.col("t").str.head(HEAD), pl.lit("\n"), pl.col("t").str.tail(TAIL), pl.lit("\n"))
    whole = pl.concat_str("t", pl.lit("\n"))
    window = texts.to_frame("t").select(pl.when(size > HEAD + TAIL).then(cut).otherwise(whole)).to_series()
    joined: str = window.str.join("").item() or ""
    wide = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    codes = np.minimum(wide, 0xFFFF).astype(np.uint16)
    length = window.str.len_chars().to_numpy().astype(np.int64)
    starts = np.cumsum(length) - length
    line = np.repeat(np.arange(len(length), dtype=np.int32), length)
    return _Buffer(codes, _tables()[0][codes], starts, line)


def _words_in(buffer: _Buffer) -> tuple[Codes, Index]:
    """Hash and place (index of the first character) of every word; an ideograph or a kana is a word of its own."""
    kinds = buffer.kinds
    inside = (kinds >= _UPPER) & (kinds <= _DIGIT)
    opens = inside.copy()
    opens[1:] &= ~inside[:-1] | (kinds[1:] == _CJK) | (kinds[:-1] == _CJK)
    at = np.flatnonzero(opens)
    if len(at) == 0:
        return np.zeros(0, np.uint64), at
    codes, inside = buffer.codes[at[0] :], inside[at[0] :]
    place = np.arange(at[0], len(kinds)) - np.repeat(at, np.diff(at, append=len(kinds)))
    values = (_tables()[1][codes] + np.uint64(1)) * _powers()[place & (_WORD_CAP - 1)]
    values[~inside] = 0
    return _mix(np.add.reduceat(values, at - at[0])), at


def hash_words(words: list[str]) -> Codes:
    """The hash of each word as `Features.words` holds it; each must be one word of letters and digits."""
    return _words_in(_buffer(pl.Series("text", words, pl.String)))[0]


@functools.lru_cache(maxsize=1)
def _function_words() -> npt.NDArray[np.bool_]:
    """By the low 19 bits of a word's hash, whether it is a function word (1 in 350 other words is taken for one)."""
    words = sorted({word for row in FUNCTION_WORDS.strip().splitlines() for word in row.split()[1:]})
    table = np.zeros(1 << 19, bool)
    table[_words_in(_buffer(pl.Series("text", words, pl.String)))[0] & np.uint64((1 << 19) - 1)] = True
    return table


def features_of(lines: pl.DataFrame) -> Features:
    """Features of the lines that are not blank.

    `lines` has doc (integer), line and text (str), ordered by (doc, line). A line is blank if nothing but white
    space is in it; blank lines count only as "so many blank lines before this one".
    """
    text = lines["text"].fill_null("").str.strip_chars()
    filled = (text.str.len_bytes() > 0).to_numpy()
    rows = np.flatnonzero(filled)
    given = lines["doc"].to_numpy()[rows].astype(np.int64)
    opens = np.ones(len(rows), bool)
    opens[1:] = given[1:] != given[:-1]
    doc = np.cumsum(opens) - 1
    if len(rows) == 0:
        return _nothing()
    text = text.filter(pl.Series(filled))
    buffer = _buffer(text)
    hashes, at = _words_in(buffer)
    word_line = buffer.line[at].astype(np.int64)
    bounds = np.searchsorted(word_line, np.arange(len(rows) + 1))
    counts = np.diff(bounds)
    first = np.where(counts > 0, bounds[:-1], -1)
    last = np.where(counts > 0, bounds[1:] - 1, -1)
    same = word_line[1:] == word_line[:-1]
    pairs = _mix(hashes[:-1] * _MULTIPLIER + hashes[1:])[same]
    kinds = np.bincount(buffer.line.astype(np.int64) * _CLASSES + buffer.kinds, minlength=len(rows) * _CLASSES)
    shape = _Shape(text, buffer, kinds.reshape(-1, _CLASSES), hashes, at, word_line, counts)
    size = text.str.len_chars().to_numpy().astype(np.float64)
    prose = (size >= _LONG_LINE) & (shape.kinds[:, _STOP] > 0)
    columns = [
        *_shape_columns(shape, size),
        *_word_columns(shape),
        *_pattern_columns(text),
        *_place_columns(doc, size, prose),
        *_repeat_columns(doc, shape),
        *_topic_columns(doc, shape, prose),
        *_blank_columns(doc, rows),
    ]
    dense = np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
    return Features(dense, hashes, word_line, pairs, word_line[1:][same], first, last, doc, rows)


def _nothing() -> Features:
    none, codes = np.zeros(0, np.int64), np.zeros(0, np.uint64)
    dense = np.zeros((0, len(DENSE)), np.float32)
    return Features(dense, codes, none, codes, none, none, none, none, none)


@dataclass(frozen=True)
class _Shape:
    text: pl.Series
    buffer: _Buffer
    kinds: Index
    hashes: Codes
    at: Index
    word_line: Index
    words: Index


def _per_line(shape: _Shape, values: npt.NDArray[np.generic]) -> Wide:
    """Sum of a value per word over each line."""
    return np.asarray(np.bincount(shape.word_line, values.astype(np.float64), len(shape.words)), np.float64)


_FIRST: Final = (_UPPER, _LOWER, _LETTER, _CJK, _DIGIT, _QUOTE, _BRACKET, _DASH, _BAR, _AT, _SYMBOL)
_LAST: Final = (_UPPER, _LOWER, _LETTER, _CJK, _DIGIT, _STOP, _COMMA, _COLON, _QUOTE, _BRACKET, _DASH, _BAR, _SYMBOL)


def _shape_columns(shape: _Shape, size: Wide) -> list[npt.NDArray[np.generic]]:
    buffer = shape.buffer
    ends = np.append(buffer.starts[1:], len(buffer.codes))[: len(buffer.starts)] - 2
    total = np.maximum(shape.kinds.sum(axis=1), 1)
    first, last = buffer.kinds[buffer.starts], buffer.kinds[ends]
    before_last = buffer.kinds[np.maximum(ends - 1, buffer.starts)]
    last_code = buffer.codes[ends]
    out: list[npt.NDArray[np.generic]] = [np.log1p(size), np.minimum(size, 200) / 200, np.minimum(size, 1000) / 1000]
    out += [shape.kinds[:, kind] / total for kind in range(_CLASSES)]
    out += [first == kind for kind in _FIRST] + [last == kind for kind in _LAST]
    out += [last_code == ord(mark) for mark in "?!…"]
    out += [(last == _STOP) & (before_last == _STOP), (last == _QUOTE) & (before_last == _STOP)]
    out += [np.log1p(shape.kinds[:, kind]) for kind in (_STOP, _COMMA, _QUOTE, _BAR, _DIGIT)]
    return out


def _word_columns(shape: _Shape) -> list[npt.NDArray[np.generic]]:
    kinds = shape.buffer.kinds
    start = kinds[shape.at]
    second = kinds[np.minimum(shape.at + 1, len(kinds) - 1)]
    function = _function_words()[shape.hashes & np.uint64((1 << 19) - 1)]
    words = np.maximum(shape.words, 1)
    letters = shape.kinds[:, _UPPER : _DIGIT + 1].sum(axis=1)
    functions = _per_line(shape, function)
    shares = [
        functions,
        _per_line(shape, start == _UPPER),
        _per_line(shape, start == _LOWER),
        _per_line(shape, start == _DIGIT),
        _per_line(shape, (start == _UPPER) & (second == _UPPER)),
        _per_line(shape, (start == _LOWER) & ~function),
    ]
    return [np.log1p(shape.words), letters / words / 10, np.log1p(functions), *(share / words for share in shares)]


_PATTERNS: Final = (
    r"(?i)https?:|www\.|\.com\b",
    r"[A-Za-z0-9]@[A-Za-z0-9]",
    r"(^|[ (])@[A-Za-z0-9_]",
    r"#[^ #]",
    r"(19|20)[0-9][0-9]",
    r"[0-9]{1,2}[:.h][0-9]{2}",
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}",
    r"^[^A-Za-z0-9]*[0-9]+[^A-Za-z0-9]*$",
    r"[.!?] +[^a-z ]",
    r"^[^ ]+:",
)


def _pattern_columns(text: pl.Series) -> list[npt.NDArray[np.generic]]:
    head = text.str.head(HEAD)
    return [head.str.contains(pattern).to_numpy() for pattern in _PATTERNS]


def _spread(doc: Index, values: Wide) -> Wide:
    """The sum of `values` over each document, at each of its lines."""
    return np.asarray(np.bincount(doc, values)[doc], np.float64) if len(doc) else values


def _running(doc: Index, values: Wide) -> Wide:
    """The sum of `values` (whole numbers, so that the order of adding cannot matter) over the lines before."""
    before = np.cumsum(values) - values
    return before - before[np.searchsorted(doc, doc)]


def _steps_since(doc: Index, marked: npt.NDArray[np.bool_]) -> Wide:
    """Lines since the last marked line of the document, 99 where there is none; a marked line looks further back."""
    number = np.arange(len(doc))
    seen = np.maximum.accumulate(np.where(marked, number, -1))
    seen = np.concatenate([[-1], seen[:-1]])
    return np.where(seen >= np.searchsorted(doc, doc), number - seen, 99.0)


def _place_columns(doc: Index, size: Wide, prose: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.generic]]:
    count = _spread(doc, np.ones(len(doc)))
    number = _running(doc, np.ones(len(doc)))
    chars, mass = _spread(doc, size), size * prose
    all_prose, prose_before = _spread(doc, mass), _running(doc, mass)
    prose_after = all_prose - prose_before - mass
    longest = np.maximum.reduceat(size, np.flatnonzero(np.diff(doc, prepend=-1)))[doc] if len(doc) else size
    back = np.flip(_steps_since(np.flip(doc.max(initial=0) - doc), np.flip(prose)))
    some = np.maximum(all_prose, 1)
    return [
        np.log1p(number), np.log1p(count - 1 - number), number / count, _running(doc, size) / chars,
        np.log1p(count), np.log1p(chars), np.log1p(all_prose), all_prose / chars, size / longest,
        prose_before / some, prose_after / some, np.log1p(prose_before), np.log1p(prose_after), prose,
        np.log1p(_steps_since(doc, prose)), np.log1p(back), _spread(doc, prose.astype(np.float64)) / count,
    ]  # fmt: skip


def _repeat_columns(doc: Index, shape: _Shape) -> list[npt.NDArray[np.generic]]:
    """How often, and on which side, the same words or the same first four words stand elsewhere in the document."""
    place = np.arange(len(shape.hashes)) - np.repeat(np.cumsum(shape.words) - shape.words, shape.words)
    spread = _mix(shape.hashes + place.astype(np.uint64) * _MULTIPLIER)
    out: list[npt.NDArray[np.generic]] = []
    for values in (spread, np.where(place < 4, spread, np.uint64(0))):
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values)])
        bounds = np.concatenate([[0], np.cumsum(shape.words)])
        key = _mix(sums[bounds[1:]] - sums[bounds[:-1]] + doc.astype(np.uint64) * _MULTIPLIER)
        _, opening, which, times = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        number = np.arange(len(doc))
        final = np.zeros(len(opening), np.int64)
        final[which] = number
        worth = shape.words > 0
        out += [np.log(times[which]) * worth, (opening[which] < number) & worth, (final[which] > number) & worth]
    return out


def _topic_columns(doc: Index, shape: _Shape, prose: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.generic]]:
    """How many of a line's content words stand in the document's other prose lines (by 13 bits of their hashes)."""
    content = ~_function_words()[shape.hashes & np.uint64((1 << 19) - 1)]
    slot = (doc[shape.word_line] << _TOPIC_BITS) + (shape.hashes >> np.uint64(64 - _TOPIC_BITS)).astype(np.int64)
    own = prose[shape.word_line] & content
    table = np.bincount(slot[own], minlength=(int(doc.max(initial=-1)) + 1) << _TOPIC_BITS)
    found = np.maximum(table[slot] - own, 0) * content
    words = np.maximum(_per_line(shape, content), 1)
    return [_per_line(shape, found > 0) / words, _per_line(shape, np.log1p(found)) / words, words > 1]


def _blank_columns(doc: Index, rows: Index) -> list[npt.NDArray[np.generic]]:
    """Blank lines before and after (3 and more count alike), and how many of the document's lines have one before."""
    opens = np.diff(doc, prepend=-1) > 0
    gap = np.minimum(np.diff(rows, prepend=-1) - 1, 3)
    gap[opens] = 0
    after = np.append(gap[1:], 0)
    share = _spread(doc, (gap > 0).astype(np.float64)) / np.maximum(_spread(doc, (~opens).astype(np.float64)), 1)
    return [gap / 3, after / 3, share]


_FIRST_NAMES: Final = tuple(f"first_{_CLASS_NAMES[kind]}" for kind in _FIRST)
_LAST_NAMES: Final = tuple(f"last_{_CLASS_NAMES[kind]}" for kind in _LAST)
DENSE: Final = (
    "log_chars", "chars_200", "chars_1000", *(f"share_{name}" for name in _CLASS_NAMES), *_FIRST_NAMES, *_LAST_NAMES,
    "ends_question", "ends_exclamation", "ends_ellipsis", "ends_stops", "ends_stop_quote",
    "log_stops", "log_commas", "log_quotes", "log_bars", "log_digits",
    "log_words", "word_chars", "log_function_words", "function_words", "upper_words", "lower_words", "number_words",
    "capital_words", "lower_content_words",
    "url", "mail", "handle", "hashtag", "year", "time", "date", "number_alone", "stop_inside", "opens_with_colon",
    "number", "number_from_end", "place", "chars_before", "log_lines", "log_all_chars", "log_prose", "prose_share",
    "of_longest", "prose_before", "prose_after", "log_prose_before", "log_prose_after", "is_prose",
    "since_prose", "until_prose", "prose_lines",
    "repeats", "stood_before", "comes_again", "opening_repeats", "opening_stood_before", "opening_comes_again",
    "topic", "topic_strength", "topic_known",
    "blank_before", "blank_after", "blank_share",
)  # fmt: skip
"""Names of the columns of `Features.dense`, in order; part of the weights' format."""
