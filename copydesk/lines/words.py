"""Lines as arrays of code points: classes of characters, words and their hashes.

    texts ──► blocks (texts end to end, some ten thousand characters) ──► characters ──► counts of each class
                                                                                     └─► words: hash and class of each

Nothing loops over lines. Long lines are read by their first `HEAD` and last `TAIL` characters: an opening and an
ending tell what a line is, and the middle of a paragraph is like any other. Texts of plain ASCII are worked on as
bytes, the others as code points; both give the same numbers. Hashes are our own, over code points in lower case with
every digit as 0, so they are the same in every process and with every version of Polars.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from copydesk.aligned import end_to_end

__all__ = [
    "AT", "BAR", "BRACKET", "CJK", "CLASSES", "CLASS_NAMES", "COLON", "COMMA", "DASH", "DIGIT", "HEAD", "LETTER",
    "LOWER", "QUOTE", "SPACE", "STOP", "SYMBOL", "TAIL", "UPPER", "Array", "Block", "Codes", "Index", "Wide",
    "are_function_words", "blocks", "hash_words", "mix", "segments",
]  # fmt: skip

HEAD: Final = 64
TAIL: Final = 32

Array = npt.NDArray[np.float32]
Wide = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Classes of characters.
SPACE, UPPER, LOWER, LETTER, CJK, DIGIT, STOP, COMMA = range(8)
COLON, QUOTE, BRACKET, DASH, BAR, AT, SYMBOL, OTHER = range(8, 16)
CLASSES: Final = 16
CLASS_NAMES: Final = (
    "space", "upper", "lower", "letter", "cjk", "digit", "stop", "comma",
    "colon", "quote", "bracket", "dash", "bar", "at", "symbol", "other",
)  # fmt: skip
_SPECIAL: Final = {
    STOP: ".!?…。！？।۔؟።։",
    COMMA: ",;،、；，",
    COLON: ":：",
    QUOTE: "\"'`´‘’‚“”„‹›«»「」『』",
    BRACKET: "()[]{}（）【】",
    BAR: "|/\\>•·●▪►▶→←↑↓■*_",
    AT: "@#&©®",
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
_BLOCK: Final = 1 << 17
"""Characters worked on together: what is made of them fits into a core's cache."""
_FUNCTION_BITS: Final = np.uint64((1 << 19) - 1)
_FACTOR: Final = 0xD6E8FEB86659FD93
_BACK: Final = pow(_FACTOR, -1, 1 << 64)
_FIELD: Final = np.uint64(8)


@functools.lru_cache(maxsize=1)
def _tables() -> tuple[npt.NDArray[np.uint8], Codes]:
    """Class of the code points below 65,536, and what they give to a word's hash: 0 outside of words.

    Letters give their lower case, every digit gives that of 0.
    """
    kinds = np.full(65536, OTHER, np.uint8)
    folded = np.arange(1, 65537, dtype=np.uint64)
    by_category = {"Lu": UPPER, "Lt": UPPER, "Ll": LOWER, "Nd": DIGIT, "Pd": DASH, "Cc": SPACE}
    by_group = {"L": LETTER, "M": LETTER, "Z": SPACE, "S": SYMBOL, "N": DIGIT}
    for code in range(65536):
        character = chr(code)
        category = unicodedata.category(character)
        kinds[code] = by_category.get(category, by_group.get(category[0], OTHER))
        lower = character.lower()
        folded[code] = 1 + (ord("0") if category == "Nd" else ord(lower) if len(lower) == 1 else code)
    for kind, characters in _SPECIAL.items():
        kinds[[ord(character) for character in characters]] = kind
    kinds[0x3040:0x3100] = kinds[0x3400:0xA000] = kinds[0xF900:0xFB00] = CJK
    kinds[0xFFFF] = SYMBOL  # stands for all that lies above: emoji, mostly
    folded[(kinds < UPPER) | (kinds > DIGIT)] = 0
    return kinds, folded


@functools.lru_cache(maxsize=4)
def _powers(factor: int, count: int) -> Codes:
    """_FACTOR times 1, factor, factor squared ... modulo 2 to the 64th."""
    return np.multiply.accumulate(np.append(np.uint64(_FACTOR), np.full(count - 1, factor, np.uint64)))


@functools.lru_cache(maxsize=4)
def _inverse(count: int) -> Codes:
    """What takes a word's place in its block out of its hash: 1, 1 / _FACTOR, ... modulo 2 to the 64th."""
    return _powers(_BACK, count) * np.uint64(_BACK)


@functools.lru_cache(maxsize=1)
def _counters() -> tuple[Codes, Codes]:
    """For the class of a code point a 1 in a byte of its own, in one of two numbers: one sum counts eight classes."""
    ones = np.uint64(1) << (_FIELD * np.arange(8, dtype=np.uint64))
    none, kinds = np.zeros(8, np.uint64), _tables()[0]
    return np.concatenate([ones, none])[kinds], np.concatenate([none, ones])[kinds]


def mix(codes: Codes) -> Codes:
    """Spread each bit over the whole word (the finalizer of MurmurHash3)."""
    codes = (codes ^ (codes >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return codes ^ (codes >> np.uint64(33))


@dataclass(frozen=True)
class Block:
    """Some texts end to end, each with a line end behind it and in the middle where it was cut.

    first   number of the first text
    codes   (C,) code points (uint8 or uint16), a line end before the first text
    at      (C,) the same as positions in tables
    kinds   (C,) their classes
    starts  (T,) index of each text's first character
    ends    (T,) index of each text's line end
    """

    first: int
    codes: npt.NDArray[Any]
    at: Index
    kinds: npt.NDArray[np.uint8]
    starts: Index
    ends: Index

    @cached_property
    def counts(self) -> npt.NDArray[np.uint8]:
        """How many characters of each class each text has: (T, CLASSES). A text has at most 130 of any."""
        both = [np.add.reduceat(table.take(self.at), self.starts) for table in _counters()]
        return np.stack(both, axis=1).astype("<u8").view(np.uint8)

    @cached_property
    def words(self) -> tuple[Codes, Index]:
        """Hash and place (of the first character) of every word; an ideograph or a kana is a word of its own."""
        values = _tables()[1].take(self.at)
        inside = (self.kinds >= UPPER) & (self.kinds <= DIGIT)
        inside[1:] &= ~inside[:-1] | self._ideographs
        at = np.flatnonzero(inside)
        if not len(at):
            return np.zeros(0, np.uint64), at
        values *= _powers(_FACTOR, _SPAN)[: len(values)]
        return mix(np.add.reduceat(values, at) * _inverse(_SPAN).take(at)), at

    @property
    def _ideographs(self) -> Mask | bool:
        if self.codes.dtype == np.uint8:
            return False
        sign = self.kinds == CJK
        return np.asarray(sign[1:] | sign[:-1], np.bool_)

    def holds(self, places: Index) -> Mask:
        """Which texts hold one of these places (ascending)."""
        found = np.zeros(len(self.starts), np.bool_)
        found[np.searchsorted(self.starts, places, side="right") - 1] = True
        return found


_SPAN: Final = _BLOCK + 2 * (HEAD + TAIL + 2)


def blocks(texts: pl.Series) -> Iterator[Block]:
    """The openings and endings of texts, of which none is empty; those of plain ASCII must come first."""
    size = texts.str.len_chars()
    ascii_ones = int((size == texts.str.len_bytes()).sum())
    cut = pl.concat_str(pl.col("t").str.head(HEAD), pl.lit("\n"), pl.col("t").str.tail(TAIL), pl.lit("\n"))
    whole = pl.concat_str("t", pl.lit("\n"))
    window = texts.to_frame("t").select(pl.when(size > HEAD + TAIL).then(cut).otherwise(whole)).to_series()
    length = window.str.len_chars().to_numpy().astype(np.int64)
    ends, data = _end_to_end(window)
    for low, high in _stretches(length, ascii_ones):
        piece = data[ends[low] - 1 : ends[high]]
        if low < ascii_ones:
            codes: npt.NDArray[Any] = np.frombuffer(piece, np.uint8)
        else:
            wide = np.frombuffer(str(piece, "utf-8").encode("utf-32-le"), np.uint32)
            codes = np.minimum(wide, 0xFFFF).astype(np.uint16)
        at = codes.astype(np.intp)
        stops = np.cumsum(length[low:high])
        yield Block(low, codes, at, _tables()[0].take(at), stops - length[low:high] + 1, stops)


def _end_to_end(texts: pl.Series) -> tuple[Index, memoryview]:
    """The bytes of a line end and all texts, and where each text begins in them, and the last one ends."""
    data, ends = end_to_end(pl.concat([pl.Series(["\n"]), texts.alias("")]))
    return ends[1:], data.data


def _stretches(length: Index, edge: int) -> Iterator[tuple[int, int]]:
    """Where to cut the texts into blocks: every `_BLOCK` characters or so, and at `edge`."""
    total = np.cumsum(length)
    low = 0
    while low < len(length):
        room = (total[low - 1] if low else 0) + _BLOCK
        high = int(np.searchsorted(total, room)) + 1
        high = min(high, len(length), edge if low < edge else len(length))
        yield low, high
        low = high


def segments(values: Codes, bounds: Index) -> Codes:
    """Sums of `values` from bounds[i] up to bounds[i + 1], modulo 2 to the 64th; 0 where there are none."""
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values)])
    return np.asarray(np.diff(sums[bounds]), np.uint64)


def hash_words(words: list[str]) -> Codes:
    """The hash of each word as `Features.words` holds it; each must be one word of letters and digits."""
    texts = pl.Series("text", words, pl.String)
    plain = texts.str.len_chars() == texts.str.len_bytes()
    order = np.concatenate([np.flatnonzero(plain), np.flatnonzero(~plain)])
    found = np.concatenate([block.words[0] for block in blocks(texts.gather(order))])
    out = np.empty(len(words), np.uint64)
    out[order] = found
    return out


@functools.lru_cache(maxsize=1)
def _function_words() -> npt.NDArray[np.bool_]:
    """By the low 19 bits of a word's hash, whether it is a function word (1 in 350 other words is taken for one)."""
    words = sorted({word for row in FUNCTION_WORDS.strip().splitlines() for word in row.split()[1:]})
    table = np.zeros(1 << 19, bool)
    table[hash_words(words) & _FUNCTION_BITS] = True
    return table


def are_function_words(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which hashes are of function words: the, und, de la, और ... in some forty languages."""
    return np.asarray(_function_words().take((codes & _FUNCTION_BITS).astype(np.intp)), np.bool_)
