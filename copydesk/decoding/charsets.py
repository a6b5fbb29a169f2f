"""One file whose encoding is in doubt: which it is, and its lines as (start, end, text).

`read` asks, in this order, and the first sure answer holds:

    format      a picture, an archive, a PDF: no text, refused with its name
    mark        byte-order marks of UTF-8, UTF-16, UTF-32, GB18030
    wide        UTF-16 and UTF-32 without a mark (`copydesk.decoding.wide`)
    shifted     ISO-2022, HZ and UTF-7: seven bits, state kept over lines; refused where no codec knows them
    utf-8       after dropping a character cut off by the end of the file; CESU-8's surrogates joined
    mixed       most lines are UTF-8: each other line is read by itself, in the encoding that fits the file's alphabet
    legacy      `copydesk.decoding.legacy` decides among the one-byte and East Asian encodings

A file that is none of these, or that decodes to noise, raises DocumentError. Detection reads a bounded sample;
decoding is linear.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from copydesk.decoding import wide
from copydesk.errors import DocumentError
from copydesk.repair.characters import join_surrogates

__all__ = ["Line", "Text", "read"]

Line = tuple[int, int, str]


@dataclass(frozen=True)
class Text:
    """A decoded file: the encoding's codec name, its lines (start, end, text), and what was done to it."""

    encoding: str
    lines: list[Line]
    notes: list[str] = field(default_factory=list)


_BZIP2: Final = tuple(b"BZh%d%s" % (level, block) for level in range(1, 10) for block in (b"1AY&SY", b"\x17rE8P\x90"))
"""Three letters alone could begin a text; behind them comes the first block, or the end of an empty file."""

_FORMATS: Final[tuple[tuple[bytes | tuple[bytes, ...], str], ...]] = (
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive or office document"),
    (b"\x1f\x8b", "gzip archive"),
    (_BZIP2, "bzip2 archive"),
    (b"\xfd7zXZ\x00", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"7z\xbc\xaf", "7z archive"),
    (b"\xd0\xcf\x11\xe0", "old office document"),
    (b"{\\rtf", "RTF document"),
    (b"%!PS", "PostScript document"),
    (b"PAR1", "Parquet file"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"\x7fELF", "program"),
)

_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r\x1b\x00"})
_CONTROL_SHARE: Final = 0.02  # above, a file is no text; scattered junk in real files stays under 0.5 %
_STRAY_CONTROLS: Final = 8  # and so many are forgiven in the shortest


def read(data: bytes) -> Text:
    """Decode one raw file; raises DocumentError with the reason where it is empty, no text, or in no known encoding."""
    _refuse_other_formats(data)
    mark = _marked(data)
    if mark is not None:
        return mark
    shifted = _shifted(data)
    if shifted is not None:
        return shifted
    utf8 = _utf8(data)
    encoding = wide.guess(data) if utf8 is None or b"\0" in data or _is_noise(data) else None
    if encoding is not None:
        return Text(encoding, wide.split(data, encoding, 0), ["no mark"])
    _refuse_noise(data)
    return utf8 or _mixed(data) or _legacy(data)


def _refuse_other_formats(data: bytes) -> None:
    if not data:
        raise DocumentError("empty: the file has no bytes")
    for magic, name in _FORMATS:
        if data.startswith(magic):
            raise DocumentError(f"binary: this is a {name}, not text; extract its text first")


def _is_noise(data: bytes) -> bool:
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return controls > _CONTROL_SHARE * (len(data) - data.count(0)) + _STRAY_CONTROLS


def _refuse_noise(data: bytes) -> None:
    if data.count(0) == len(data):
        raise DocumentError("empty: the file holds nothing but NUL bytes")
    if _is_noise(data):
        raise DocumentError("binary: too many of the bytes are control characters; this is no text")


def _marked(data: bytes) -> Text | None:
    if data.startswith(codecs.BOM_UTF8):
        if len(data) == 3:
            raise DocumentError("empty: the file holds nothing but a byte-order mark")
        text = _utf8(data) or _mixed(data)
        if text is None:
            return None
        first, *others = text.lines
        opening = (first[0], first[1], first[2].removeprefix("\ufeff"))
        return Text(text.encoding, [opening, *others], ["bom", *text.notes])
    for bom, encoding in wide.BOMS:
        if data.startswith(bom) and not (len(bom) == 4 and len(data) % 4 and not len(data) % 2):
            if len(data) == len(bom):
                raise DocumentError("empty: the file holds nothing but a byte-order mark")
            return Text(encoding, wide.split(data, encoding, len(bom)), ["bom"])
    return None


# -- seven bits with state --------------------------------------------------------------------------------------------

_SHIFTED: Final = (
    (re.compile(rb"\x1b(?:\$\)C|\$\(C)"), ("iso2022_kr", "iso2022_jp_2")),
    (re.compile(rb"\x1b\$\)[AGE]|\x1b\$\*H"), ()),
    (
        re.compile(rb"\x1b\$[@B]|\x1b\([IJ]|\x1b\$\([DOPQ]"),
        ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004", "iso2022_jp_2"),
    ),
    (re.compile(rb"~\{(?:[!-w][!-~])+~\}"), ("hz",)),
)
_UTF7_RUN: Final = re.compile(rb"\+([A-Za-z0-9+/]{3,})-?")
_UTF7_LETTERS: Final = re.compile(
    "[\u00a0-\u052f\u0590-\u06ff\u0900-\u0e7f\u1e00-\u1fff\u2010-\u203a\u20ac\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+"
)


def _shifted(data: bytes) -> Text | None:
    if not data.isascii():
        return None
    for sign, encodings in _SHIFTED:
        if not sign.search(data):
            continue
        for encoding in encodings:
            lines = _stateful_lines(data, encoding)
            if lines is not None:
                return Text(encoding, lines)
        if encodings != ("hz",):
            raise DocumentError("undecodable: the file switches character sets (ISO 2022) as no known codec does")
    if _is_utf7(data):
        lines = _stateful_lines(data, "utf-7")
        if lines is not None:
            return Text("utf-7", lines)
    return None


def _is_utf7(data: bytes) -> bool:
    """Every shifted run decodes, two or more, to letters and quotation marks of living scripts."""
    runs = [match.group() for match in _UTF7_RUN.finditer(data[: 1 << 16])]
    if len(runs) < 2:
        return False
    try:
        return all(_UTF7_LETTERS.fullmatch(run.decode("utf-7")) for run in runs)
    except UnicodeDecodeError:
        return False


def _stateful_lines(data: bytes, encoding: str) -> list[Line] | None:
    """Lines of a stateful encoding; a line ends where the decoder, which keeps its state, gives a line end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines: list[Line] = []
    start, text = 0, ""
    try:
        for match in _LINE.finditer(data):
            text += decoder.decode(match.group())
            if text.endswith(("\n", "\r")):
                lines.append((start, match.end(), text.rstrip("\r\n")))
                start, text = match.end(), ""
    except UnicodeDecodeError:
        return None
    if start < len(data):
        lines.append((start, len(data), text))
    return lines


# -- UTF-8 ------------------------------------------------------------------------------------------------------------


def _split(data: bytes) -> list[tuple[int, int, bytes]]:
    return [(m.start(), m.end(), m.group().rstrip(b"\r\n")) for m in _LINE.finditer(data)]


def _cut_tail(data: bytes) -> int:
    """How many bytes at the end are the opening of a UTF-8 character that the end of the file cut off."""
    for size in (1, 2, 3):
        tail = data[-size:]
        if len(data) < size or tail[0] < 0x80:
            return 0
        if tail[0] >= 0xC2:
            need = 2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4 if tail[0] < 0xF5 else 0
            return size if size < need else 0
    return 0


def _utf8(data: bytes) -> Text | None:
    tail = _cut_tail(data)
    body = data[: len(data) - tail]
    if tail == 1 and body.isascii() and body[-1:].isalpha() and data[-1] >= 0xDF:
        return None  # "caf\xe9" is legacy text; nothing but this byte speaks for UTF-8
    notes = ["cut tail"] if tail else []
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            body.replace(b"\xc0\x80", b"").decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
        notes.append("surrogates")
    encoding = "ascii" if body.isascii() else "utf-8"
    lines = [(start, end, _utf8_line(line, tail if end == len(data) else 0)) for start, end, line in _split(data)]
    return Text(encoding, lines, notes)


def _utf8_line(line: bytes, tail: int) -> str:
    line = line[: len(line) - tail]
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return join_surrogates(line.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass"))


# -- mixed ------------------------------------------------------------------------------------------------------------


def _mixed(data: bytes) -> Text | None:
    """Read line by line if the lines with UTF-8 in them outnumber, by non-ASCII characters, what chance explains."""
    from copydesk.decoding.mixture import Mixture

    tail = _cut_tail(data)
    good: Counter[str] = Counter()
    read: list[tuple[int, int, bytes, str | None]] = []
    for start, end, line in _split(data):
        text = _strict(line[:-tail] if tail and end == len(data) else line)
        read.append((start, end, line, text))
        if text is not None and not text.isascii():
            good.update(character for character in text if character > "\x7f")
    bad = [line for _, _, line, text in read if text is None]
    reader = Mixture(bad, good)
    if not reader.trusts_utf8():
        return None
    lines = [(start, end, reader.read(line) if text is None else text) for start, end, line, text in read]
    names = ["utf-8", *reader.used]
    return Text("+".join(names), lines, ["mixed", *(["cut tail"] if tail else [])])


def _strict(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


# -- legacy -----------------------------------------------------------------------------------------------------------


def _legacy(data: bytes) -> Text:
    from copydesk.decoding.legacy import decode_line, guess

    encoding = guess(data)
    lines = [(start, end, decode_line(line, encoding, last=end == len(data))) for start, end, line in _split(data)]
    forgiven = min(data.count(0), _STRAY_CONTROLS)
    noise = sum(_noise(text) for _, _, text in lines) - forgiven
    if noise > 0.03 * len(data):
        raise DocumentError(f"undecodable: no known encoding fits; read as {encoding}, {noise} characters are noise")
    return Text(encoding, lines)


_NOISE: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")


def _noise(text: str) -> int:
    return len(_NOISE.findall(text))
