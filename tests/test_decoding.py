"""Bytes to lines: what is decided, what is refused, and that no byte is ever lost."""

from __future__ import annotations

import bz2
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copydesk import Cleaner, clean
from copydesk.decoding import DOCUMENTS, LINES, Decoded, decode, decode_documents
from copydesk.errors import DocumentError


def read(*files: bytes) -> Decoded:
    return decode_documents(pl.Series(list(files), dtype=pl.Binary))


def lines_of(data: bytes) -> list[str]:
    return read(data).lines["decoded"].to_list()


def encoding_of(data: bytes) -> str | None:
    encoding: str | None = read(data).documents["encoding"].item()
    return encoding


def error_of(data: bytes) -> str:
    error = read(data).documents["error"].item()
    assert error is not None
    return str(error)


# -- the tables -------------------------------------------------------------------------------------------------------


def test_tables_have_the_promised_columns() -> None:
    """Both tables have exactly the columns and types of the contract, whatever the batch holds."""
    for files in ([], [b""], [b"a\n"], [b"caf\xe9\n", b"", b"\xff\xfea\x00", b"a"]):
        decoded = read(*files)
        assert decoded.documents.schema == pl.Schema(DOCUMENTS)
        assert decoded.lines.schema == pl.Schema(LINES)
        assert decoded.documents["doc"].to_list() == list(range(len(files)))


def test_lines_are_numbered_with_byte_offsets() -> None:
    """Lines count from 1; start and end are byte offsets in the raw file, the end after the line end."""
    rows = read(b"one\r\ntw\xc3\xb6\rthree\n\nfive").lines.select("line", "start", "end", "raw", "decoded").rows()
    assert rows == [
        (1, 0, 5, b"one\r\n", "one"),
        (2, 5, 10, b"tw\xc3\xb6\r", "twö"),
        (3, 10, 16, b"three\n", "three"),
        (4, 16, 17, b"\n", ""),
        (5, 17, 21, b"five", "five"),
    ]


def test_last_line_end_opens_no_line() -> None:
    """A file that ends with a line end has no extra empty last line; an empty file has no line."""
    assert lines_of(b"a\n") == ["a"]
    assert lines_of(b"a\r\n\r\n") == ["a", ""]
    assert lines_of(b"") == []


def test_other_breaks_end_no_line() -> None:
    """VT, FF, NEL, U+2028 and U+2029 stay inside their line of the raw file."""
    text = "a\vb\fc\x85d\u2028e\u2029f"
    assert lines_of(text.encode()) == [text]
    assert lines_of(text.encode("utf-16")) == [text]


def test_line_ends_do_not_reach_over_files() -> None:
    """A file that ends in CR and a next one that begins with LF are two line ends."""
    lines = read(b"a\r", b"\nb").lines
    assert lines.select("doc", "raw").rows() == [(0, b"a\r"), (1, b"\n"), (1, b"b")]


def test_batch_does_not_matter() -> None:
    """A file gives the same rows alone as among others, wherever it stands."""
    files = [
        b"caf\xe9 br\xfbl\xe9\n",
        "“quoted”\r\n".encode(),
        "utf-16\n".encode("utf-16"),
        b"",
        b"plain\rlines",
        b"\x89PNG\r\n",
    ]
    together = read(*files)
    for place, data in enumerate(files):
        alone = read(data)
        for table in ("documents", "lines"):
            rows = getattr(together, table).filter(doc=place).drop("doc")
            assert rows.equals(getattr(alone, table).drop("doc"))


# -- which encoding ---------------------------------------------------------------------------------------------------

RUSSIAN = "Совет решил построить новую школу.\nЦены вырастут с января."


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"plain", "ascii", "plain"),
        ("Zoë’s".encode(), "utf-8", "Zoë’s"),
        (b"\xef\xbb\xbfZo\xc3\xab", "utf-8", "Zoë"),
        (b"\xef\xbb\xbf\xef\xbb\xbftwice", "utf-8", "\ufefftwice"),
        (RUSSIAN.encode("utf-16"), "utf-16-le", RUSSIAN),
        (b"\xfe\xff" + RUSSIAN.encode("utf-16-be"), "utf-16-be", RUSSIAN),
        (RUSSIAN.encode("utf-16-le"), "utf-16-le", RUSSIAN),
        (RUSSIAN.encode("utf-16-be"), "utf-16-be", RUSSIAN),
        (RUSSIAN.encode("utf-32"), "utf-32-le", RUSSIAN),
        (b"\x00\x00\xfe\xff" + RUSSIAN.encode("utf-32-be"), "utf-32-be", RUSSIAN),
        (RUSSIAN.encode("utf-32-be"), "utf-32-be", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "cp1251", RUSSIAN),
        (b"It\x92s the mayor\x92s turn \x96 again", "cp1252", "It’s the mayor’s turn – again"),
        ("市議会は火曜日に決めた。".encode("iso2022_jp"), "iso2022_jp", "市議会は火曜日に決めた。"),
        ("시의회는 결정했다.".encode("iso2022_kr"), "iso2022_kr", "시의회는 결정했다."),
        ("市议会决定了。".encode("hz"), "hz", "市议会决定了。"),
        ("Zürich und Köln – «groß»".encode("utf-7"), "utf-7", "Zürich und Köln – «groß»"),
    ],
)
def test_encoding_is_named(data: bytes, encoding: str, text: str) -> None:
    """The encoding is decided and named by its codec, and the text is read in it."""
    assert encoding_of(data) == encoding
    assert "\n".join(lines_of(data)) == text


def test_utf16_lines_end_by_code_unit() -> None:
    """In UTF-16 the bytes 0A and 0D end a line only as a code unit: U+0A0D and U+0D0A are letters."""
    text = "ഊഅ ਅ\u0a0d is\r\nnext\rlast"
    for encoding in ("utf-16-le", "utf-16-be"):
        bom = "\ufeff".encode(encoding)
        lines = read(bom + text.encode(encoding)).lines
        assert lines["decoded"].to_list() == ["ഊഅ ਅ\u0a0d is", "next", "last"]
        assert lines["start"].to_list()[1] == len(bom) + 2 * len("ഊഅ ਅ\u0a0d is\r\n")


@pytest.mark.parametrize("pair", [b"\xed\xa0\xbd\xed\xb8\x80", "😀".encode()])
def test_surrogates_of_cesu8_are_joined(pair: bytes) -> None:
    """A surrogate pair in UTF-8 is one character; half a pair is U+FFFD."""
    assert lines_of(b"ok " + pair + b" \xc3\xa9\n") == ["ok 😀 é"]
    assert lines_of(b"half \xed\xa0\xbd of it\n") == ["half \ufffd of it"]


@pytest.mark.parametrize(
    ("text", "encoding", "missing"),
    [
        ("Kein Café mehr – “", "utf-8", 1),
        ("Kein Café mehr – “", "utf-8", 2),
        ("é", "utf-8", 1),
        ("ok é 😀", "utf-8", 3),
        ("ok é 😀", "utf-8", 1),
        ("a é😀", "utf-16-le", 1),
        ("a é😀", "utf-16-le", 2),
        ("a é😀", "utf-16-be", 3),
        ("市议会决定，新学校将建在河的北岸", "gb18030", 1),
        ("市議会は火曜日に学校を建てることを決めた", "cp932", 1),
    ],
)
def test_cut_tail_is_dropped(text: str, encoding: str, missing: int) -> None:
    """A character that the end of the file cut off is dropped; its bytes belong to the last line."""
    bom = "\ufeff".encode(encoding) if "16" in encoding else b""
    data = bom + text.encode(encoding)[:-missing]
    lines = read(data).lines
    assert lines["decoded"].to_list() == [text[:-1]]
    assert lines["raw"].to_list() == [data]


def test_last_letter_is_no_cut_tail() -> None:
    """One high byte after a letter at the end of an ASCII text is a letter of cp1252, not a piece of UTF-8."""
    assert lines_of(b"We met at the caf\xe9") == ["We met at the café"]
    assert lines_of(b"He said, \xe2") == ["He said, "]


@pytest.mark.parametrize(
    ("other", "encoding"),
    [("cp1252", "cp1252"), ("iso8859-15", "cp1252"), ("mac-roman", "mac-roman"), ("cp850", "cp850")],
)
def test_lines_of_two_encodings(other: str, encoding: str) -> None:
    """Where most lines are UTF-8, a line in another encoding is read in the one that fits the file's own letters."""
    first, second, third = (
        "Le préfet a démissionné à Évry.",
        "L'école ferme dès février, ça gêne.",
        "Être là où ça brûle.",
    )
    data = b"\n".join([first.encode(), second.encode(other), third.encode()])
    assert lines_of(data) == [first, second, third]
    assert encoding_of(data) == f"utf-8+{encoding}"


def test_damaged_line_changes_no_other() -> None:
    """What a line of another encoding is read as depends on the UTF-8 lines, not on the other damaged ones."""
    sound = ["Совет решил построить школу.", "Цены на билеты вырастут."]
    odd = ["Полиция ищет свидетелей.".encode("cp1251"), "Café à Évry".encode("cp1252"), b"plain"]
    text = "\n".join(sound).encode()
    alone = lines_of(text + b"\n" + odd[0])
    assert lines_of(b"\n".join([text, *odd]))[: len(alone)] == alone


def test_stray_bytes_in_a_line() -> None:
    """A line of UTF-8 with a single stray byte keeps its UTF-8; the byte is read as cp1252."""
    assert lines_of("Déjà vu à Évry, caf".encode() + b"\xe9 noir\nNo\xc3\xabl\n") == [
        "Déjà vu à Évry, café noir",
        "Noël",
    ]


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (b"\x00\x00\x00\x00", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary: this is a PNG image"),
        (b"%PDF-1.7\n1 0 obj", "binary: this is a PDF document"),
        (bz2.compress(b"x"), "binary: this is a bzip2 archive"),
        (b"PK\x03\x04\x14\x00", "binary: this is a ZIP archive"),
        (bytes(range(32)) * 40, "binary"),
        (b"\x1b$)A\x0e=;;;\x1b$+H1234", "undecodable"),
    ],
)
def test_refusal_names_the_reason(data: bytes, reason: str) -> None:
    """A file that is no text gets a reason and no lines, and hurts no other file of the batch."""
    assert error_of(data).startswith(reason)
    decoded = read(b"before\n", data, b"after\n")
    assert decoded.lines["decoded"].to_list() == ["before", "after"]
    assert decoded.documents["encoding"].to_list() == ["ascii", None, "ascii"]


def test_decode_raises_for_one_file() -> None:
    """`decode`, for one file, raises DocumentError with the reason."""
    with pytest.raises(DocumentError, match="empty"):
        decode(b"")


def test_decode_repairs_and_keeps_all_lines() -> None:
    """`decode` gives all lines, decoded and repaired, joined by line feeds."""
    assert decode(b"\xef\xbb\xbfZo\xc3\x83\xc2\xab\r\n\r\nlast&nbsp;  line\r\n") == "Zoë\n\nlast line"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bytes.decode])
def test_a_raw_text_is_any_buffer_or_a_string(kind: Callable[[bytes], bytes | str]) -> None:
    """Never is a text that is there called empty; what is none is named by its type."""
    data = kind(b"Hay became cheaper.")
    assert decode(data) == "Hay became cheaper."
    assert clean(data).text == "Hay became cheaper."
    assert Cleaner().table([data])["text"].to_list() == ["Hay became cheaper."]
    for work in (decode, clean):
        with pytest.raises(TypeError, match="a raw text is bytes or a string, not int"):
            work(5)  # type: ignore[arg-type]


# -- every file -------------------------------------------------------------------------------------------------------

ENCODINGS = [
    "ascii",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-be",
    "cp1252",
    "cp1251",
    "koi8-r",
    "cp1253",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
    "iso2022_jp",
    "iso2022_kr",
    "hz",
    "utf-7",
    "mac-roman",
]
TEXTS = st.text(
    st.one_of(
        st.sampled_from("\r\n\r\n\v\f\x85\u2028\ufeff \t+-~{}\x00\x1b\x0e"),
        st.sampled_from("abcé’“–ñßŽЖжЩщαώאب市議会は시의ഊਅ\u0a0d😀"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
ENCODED = st.builds(lambda text, encoding: text.encode(encoding, "replace"), TEXTS, st.sampled_from(ENCODINGS))
MIXED = st.lists(st.one_of(ENCODED, st.binary(max_size=8), st.sampled_from([b"\r", b"\n", b"\r\n"])), max_size=6)
BOMS = st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"])
CUTS = st.integers(0, 3)
FILES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda bom, parts, cut: (bom + b"".join(parts))[: -cut or None],
        BOMS,
        MIXED,
        CUTS,
    ),
)


def assert_complete(files: list[bytes]) -> None:
    decoded = read(*files)
    assert len(decoded.documents) == len(files)
    for doc, data in enumerate(files):
        lines = decoded.lines.filter(doc=doc)
        if decoded.documents["error"][doc] is not None:
            assert not len(lines)
            continue
        assert b"".join(lines["raw"]) == data
        assert lines["end"].to_list()[-1] == len(data)
        assert lines["start"].to_list() == [0, *lines["end"].to_list()[:-1]]
        assert lines["line"].to_list() == list(range(1, len(lines) + 1))
        assert lines["decoded"].null_count() == 0


@settings(max_examples=1000)
@given(st.lists(FILES, min_size=1, max_size=3))
@example([b"\r", b"\n", b"\r\n", b"\r\r\n\n"])
@example([b"\xff\xfe\n", b"\xff\xfe\n\x00\n", b"\xfe\xff\x00\n\x0a"])
@example(["a\n".encode("utf-16-le") + b"\x00"])
def test_lines_are_the_file(files: list[bytes]) -> None:
    """The raw bytes of a document's lines, in order, are the raw file, for any bytes whatever."""
    assert_complete(files)


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff+~"), min_size=2, max_size=80))
def test_utf8_is_read_as_python_does(text: str) -> None:
    """Valid UTF-8 without controls is read as such, line for line as Python splits at CR and LF."""
    data = (text + "\r\n" + text + "\n").encode()
    assert lines_of(data) == [text, text]


STATEFUL = st.lists(st.text(st.sampled_from("abc 市議会決定する"), max_size=8), min_size=1, max_size=5)


@settings(max_examples=200)
@given(STATEFUL, st.sampled_from(["iso2022_jp", "hz"]), st.sampled_from(["\n", "\r\n"]))
def test_stateful_encodings_are_read_whole(parts: list[str], encoding: str, end: str) -> None:
    """A stateful encoding gives line by line what its codec gives for the whole file."""
    data = end.join(parts).encode(encoding, "ignore")
    whole = data.decode(encoding).replace("\r\n", "\n")
    if encoding_of(data) == encoding:
        assert "\n".join(lines_of(data)) == whole.removesuffix("\n")


def ending(data: bytes) -> float:
    """CPU seconds until the file is text, or refused for one of the three reasons."""
    before = time.process_time()
    try:
        decode(data)
    except DocumentError as error:
        reason = str(error)
        if not reason.startswith(("empty", "binary", "undecodable")):
            raise
    return time.process_time() - before


def fuzz(count: int, seed: int) -> None:
    import random

    random_bytes = random.Random(seed)
    sentences = (Path(__file__).parent / "data" / "legacy_sentences.jsonl").read_text(encoding="utf-8").split('"')
    for _ in range(count):
        kind = random_bytes.randrange(4)
        size = random_bytes.choice([10, 300, 3000, 20_000])
        data = random_bytes.randbytes(size)
        if kind:
            text = " ".join(random_bytes.choice(sentences) for _ in range(size // 40 + 1)) + "\n"
            data = text.encode(random_bytes.choice(ENCODINGS), "replace")
        if kind == 2:
            place = random_bytes.randrange(len(data))
            data = data[:place] + random_bytes.randbytes(random_bytes.randrange(60)) + data[place:]
        if kind == 3:
            data = bytes(byte if random_bytes.random() > 0.02 else random_bytes.randrange(256) for byte in data)
        allowed = 0.5 + len(data) / 1_000_000
        # the first run may pay for an import or a full collection
        assert ending(data) < allowed or ending(data) < allowed, (len(data), kind, data[:80])
        if size < 1000:
            assert_complete([data])


def test_any_bytes_end_as_text_or_reason() -> None:
    """Sixty fuzzed files end as text or as a DocumentError, in time linear in their size."""
    fuzz(60, seed=11)


@pytest.mark.soak
def test_any_bytes_end_as_text_or_reason_soak() -> None:
    """Ten thousand fuzzed files end as text or as a DocumentError, in time linear in their size."""
    fuzz(10_000, seed=12)


# -- stray NULs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"The mayor of the town said on Monday that the bridge is open again.\0", "ascii", None),
        (b"one\0two\n", "ascii", "onetwo"),
        (b"ab\0cdefg", "ascii", "abcdefg"),
        (b"100 200 300 2000\0 10 20 30", "ascii", "100 200 300 2000 10 20 30"),
        (RUSSIAN.encode("cp1251") + b"\0", "cp1251", RUSSIAN),
        (b"\0" + RUSSIAN.encode("koi8-r"), "koi8-r", RUSSIAN),
        ("市长周一表示，大桥重新开放。".encode("gb18030") + b"\0", "gb18030", "市长周一表示，大桥重新开放。"),
    ],
)
def test_stray_nul_makes_no_utf16(data: bytes, encoding: str, text: str | None) -> None:
    """A NUL in other text is damage that repair removes, no sign of UTF-16."""
    assert encoding_of(data) == encoding
    assert decode(data) == (text or data.decode(encoding).replace("\0", ""))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["Hi", "Größe naïve", "Привет\nвсем", "हिन्दी में खबर", "市长周一表示\n大桥开了", "一千多名工人参加"]
)
def test_short_utf16_is_recognised_without_a_mark(text: str, encoding: str) -> None:
    """Columns, spaces and line ends show UTF-16 in a few words; in Chinese the NUL may be the low byte of U+4E00."""
    assert encoding_of(text.encode(encoding)) == encoding


@given(
    st.text(st.sampled_from("abcdefghij ABCXYZ 0123456789 .,'\n éüñшжд中文字日本"), min_size=20, max_size=200),
    st.lists(st.integers(0, 200), min_size=1, max_size=3),
)
@example("BZh0 is the name of a ferry", [3])
def test_few_nuls_change_no_text(text: str, places: list[int]) -> None:
    """One to three NULs between the characters of ASCII or UTF-8 are read as the text without them."""
    damaged = list(text)
    for place in places:
        damaged.insert(min(place, len(text)), "\0")
    lines = read("".join(damaged).encode())
    assert lines.documents["encoding"].item() in ("ascii", "utf-8")
    assert "".join(lines.lines["decoded"]).replace("\0", "") == text.replace("\n", "")
