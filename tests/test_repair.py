"""Text to repaired text: the cases, what must stay as it is, and that the fast way equals the slow one."""

from __future__ import annotations

import itertools
import json
import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copydesk import repair
from copydesk.repair import KINDS, kind_names, mojibake, reference, repair_lines, repair_text
from copydesk.repair.misread import register_sloppy_codecs, undo_misread

DATA = Path(__file__).parent / "data"
CASES = [json.loads(line) for line in (DATA / "repair_cases.jsonl").read_text(encoding="utf-8").splitlines()]
UNHARMED = (DATA / "repair_unharmed.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
KNOWN_FAILURES = [json.loads(line) for line in (DATA / "repair_known_failures.jsonl").read_text("utf-8").splitlines()]


def fast(*lines: str) -> list[str]:
    return repair_lines(pl.Series(list(lines), dtype=pl.String))["text"].to_list()


def can_be_a_column(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_damage_is_repaired(case: dict[str, Any]) -> None:
    """Every kind of damage in the table is undone, and the repairs are named."""
    assert reference(case["given"]) == case["expected"]
    if can_be_a_column(case["given"]):
        row = repair_lines(pl.Series([case["given"]])).row(0, named=True)
        assert row["text"] == case["expected"]
        assert sorted(kind_names(row["repairs"])) == sorted(case["kinds"])
        assert row["changed"]


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_repair_is_idempotent(case: dict[str, Any]) -> None:
    """A repaired line is not changed again."""
    assert repair_text(case["expected"]) == case["expected"]


@pytest.mark.parametrize("line", UNHARMED)
def test_sound_lines_stay(line: str) -> None:
    """Lines of thirty languages that look like damage, and are none, come back as they were."""
    assert reference(line) == line
    assert repair_lines(pl.Series([line])).row(0) == (line, 0, False)


@pytest.mark.xfail(reason="known failures, one fact each in the table")
@pytest.mark.parametrize("case", KNOWN_FAILURES, ids=[case["label"] for case in KNOWN_FAILURES])
def test_known_failures(case: dict[str, str]) -> None:
    """What cannot be repaired yet; a case that starts to pass must move to the table of cases."""
    assert reference(case["given"]) == case["expected"]


def test_lines_are_repaired_by_themselves() -> None:
    """A damaged line changes no other: all cases in one column, in any order, give what each gives alone."""
    column = [case["given"] for case in CASES if can_be_a_column(case["given"])] + UNHARMED
    alone = [fast(line)[0] for line in column]
    assert fast(*column) == alone
    assert fast(*reversed(column)) == alone[::-1]


def test_text_is_repaired_line_by_line() -> None:
    """`repair_text` repairs each line of a string and gives them back with line feeds."""
    assert repair_text("cafÃ©\r\n\r\nZoë  says\rhi\n") == "café\n\nZoë says\nhi\n"


def test_kinds_are_bits() -> None:
    """The bits of many lines, or'ed together, name the repairs of a document."""
    table = repair_lines(pl.Series(["cafÃ©", "a  b", "fine"]))
    assert table["repairs"].dtype == pl.UInt16
    assert kind_names(table["repairs"].bitwise_or()) == ["mojibake", "spaces"]
    assert len(KINDS) <= 16


def test_empty_column_has_the_same_columns() -> None:
    """No lines give no rows, with the same columns."""
    table = repair_lines(pl.Series([], dtype=pl.String))
    assert table.schema == pl.Schema({"text": pl.String, "repairs": pl.UInt16, "changed": pl.Boolean})


def test_unstable_letters_are_all_known() -> None:
    """The class of letters that NFC may change covers all that this Python's NFC changes, alone or after a letter."""
    unstable = pl.Series([chr(code) for code in range(0x110000) if _moves(chr(code))])
    missed = unstable.filter(~unstable.str.contains(repair._UNSTABLE)).to_list()
    spaces = set("\u2000\u2001")  # they become other spaces, and then one space like all
    assert set(missed) <= spaces


def _moves(character: str) -> bool:
    if "\ud800" <= character <= "\udfff":
        return False
    return bool(
        unicodedata.normalize("NFC", character) != character
        or unicodedata.combining(character)
        or len(unicodedata.normalize("NFC", "\u1100" + character)) == 1
    )


def test_long_run_of_marks_is_linear() -> None:
    """A hostile line of nothing but marks, whose ordering takes the square of its length, ends in time."""
    before = time.process_time()
    assert len(reference("e" + "\u0301\u0323" * 200_000)) >= 400_000
    assert reference("e\u0301" + "x" * 2000 + "e\u0301") == "é" + "x" * 2000 + "é"
    assert time.process_time() - before < 5


def test_tidy_characters_make_no_mojibake() -> None:
    """No two of the characters of tidy lines look bad to ftfy or stand for UTF-8, whatever ASCII is between them."""
    marks = "‘’“”–—…\u00a0"
    pairs = pl.Series(
        [before + a + b + after for a in marks for b in [*marks, "a", " "] for before in "aA1 ." for after in "aA1 ."]
    )
    assert not pairs.str.contains(repair._suspicious()).any()
    assert all(mojibake.is_settled(pair) for pair in pairs)


def test_settled_lines_need_no_pass_but_that_of_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of a line of settled characters, or without rough ones, would have changed nothing."""
    lines = [
        *(case["given"] for case in CASES),
        *("".join(line) for line in itertools.product("a ‘’“…\u00a0\n&", repeat=4)),
        *(f"It{mark}s a {mark}  test{mark}".encode().decode(e, "replace") for mark in "’“–é\u00a0" for e in ENCODINGS),
    ]
    quick = [repair._passes(line) for line in lines]
    monkeypatch.setattr(mojibake, "_SETTLED", re.compile("(?!)"))
    monkeypatch.setattr(repair, "_ROUGH", re.compile(""))
    assert [repair._passes(line) for line in lines] == quick


def test_plain_damage_is_undone_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotation marks and spaces of UTF-8 read as cp1252 come out of the shortcut as of all the passes."""
    marks = [mark.encode().decode("sloppy-windows-1252") for mark in "‘’“”–—…\u00a0"]
    parts = [*marks, "a", "B", " ", ".", "?", "$1"]
    lines = ["".join(line) for size in (1, 2, 3, 4) for line in itertools.product(parts, repeat=size)]
    long = [f"It {one} was {other}said{one}{one} by the man{other} {one}" for one in marks for other in marks]
    lines = [line for line in [*lines, *long] if mojibake._PLAIN_DAMAGE.fullmatch(line)]
    assert len(lines) > 20_000
    quick = [mojibake.undo(line) for line in lines]
    monkeypatch.setattr(mojibake, "_PLAIN_DAMAGE", re.compile("(?!)"))
    assert [(text, sorted(set(kinds))) for text, kinds in map(mojibake.undo, lines)] == quick


# -- the fast way is the slow way -------------------------------------------------------------------------------------

ENCODINGS = [
    "sloppy-windows-1252",
    "latin-1",
    "sloppy-windows-1251",
    "sloppy-windows-1250",
    "sloppy-windows-1253",
    "sloppy-windows-1254",
    "sloppy-windows-1257",
    "iso8859-2",
    "macroman",
    "cp437",
    "cp850",
    "koi8-r",
    "cp866",
]
SENTENCES = [
    sentence
    for row in map(json.loads, (DATA / "legacy_sentences.jsonl").read_text(encoding="utf-8").splitlines())
    for sentence in row["sentences"]
]
SPECIAL = [
    "\xa0",
    "\xad",
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u200f",
    "\x00",
    "\x08",
    "\x0b",
    "\x0c",
    "\r",
    "\u2028",
    "\x85",
    "\x92",
    "\x1b[1m",
    "&",
    ";",
    "<",
    "Ã",
    "Â",
    "â",
    "€",
    "™",
    "œ",
    "°",
    "¹",
    "³",
    "¿",
    "ß",
    "ÿ",
    "́",
    "̣",
    "ﬁ",
    "ŉ",
    "ｱ",
    "ﾞ",
    "Ａ",
    "１",
    "\u3000",
    "\u202f",
    "\t",
    "�",
    "👩",
    "é",
    "&amp;",
    "&eacute;",
    "&nbsp;",
    "&amp;lt;",
    "&#146;",
    "&#xd83d;",
    "ï»¿",
    "  ",
]


def misread(text: str, written: str, read: str) -> str:
    register_sloppy_codecs()
    return text.encode(written, "replace").decode(read, "replace")


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A sentence with one to three of the kinds of damage that ftfy knows, and of ours, on all or a part of it."""
    text = draw(st.one_of(st.sampled_from(SENTENCES), st.sampled_from(UNHARMED), st.text(max_size=20)))
    text = text.encode("utf-8", "replace").decode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        if draw(st.booleans()):
            start, end = 0, len(text)
        part = text[start:end]
        match draw(st.integers(0, 5)):
            case 0 | 1:
                part = misread(part, "utf-8", draw(st.sampled_from(ENCODINGS)))
            case 2:
                part = misread(part, draw(st.sampled_from(ENCODINGS)), "sloppy-windows-1252")
            case 3:
                part = draw(st.sampled_from(SPECIAL)).join(part.split(draw(st.sampled_from(" aeo"))))
            case 4:
                part = unicodedata.normalize(draw(st.sampled_from(["NFD", "NFKD"])), part)
            case _:
                part = draw(st.sampled_from(SPECIAL)) + part[: draw(st.integers(0, 5))]
        text = text[:start] + part + text[end:]
    return text[:200]


def assert_equal(lines: list[str]) -> None:
    table = repair_lines(pl.Series(lines, dtype=pl.String))
    slow = [repair._passes(line) for line in lines]
    assert table["text"].to_list() == [text for text, _ in slow]
    assert table["changed"].to_list() == [text != line for (text, _), line in zip(slow, lines, strict=True)]


@settings(max_examples=300)
@given(st.lists(damaged(), min_size=1, max_size=4))
@example(["e\u00ad\u0301 é", "&am\u200bp;", "A\u0303\u00a9", "A\u00ad\u0303©"])
def test_fast_way_equals_reference(lines: list[str]) -> None:
    """The column gives for every line what the reference gives, on generated damage."""
    assert_equal(lines)


@pytest.mark.soak
@settings(max_examples=10_000)
@given(st.lists(damaged(), min_size=1, max_size=4))
def test_fast_way_equals_reference_soak(lines: list[str]) -> None:
    """The column gives for every line what the reference gives, on ten thousand examples of generated damage."""
    assert_equal(lines)


@settings(max_examples=300)
@given(damaged())
def test_repair_is_idempotent_on_damage(line: str) -> None:
    """Repairing twice is repairing once, but for entities, whose rounds are counted."""
    once = reference(line.replace("&", "+"))
    assert reference(once) == once


@settings(max_examples=300)
@given(st.text(st.sampled_from("aé“”’– \u00a0\u202f\t \u3000\u00ad\u200b!,.€ü"), max_size=40))
def test_space_and_invisible_are_all_that_changes(line: str) -> None:
    """In undamaged text nothing but spaces and invisible characters changes."""
    kept = "".join(character for character in line if character not in "\u00ad\u200b")
    assert reference(line) in {" ".join(kept.split()), line} or "mojibake" in kind_names(repair._passes(line)[1])


@pytest.mark.parametrize("sentence", [s for s in SENTENCES if not s.isascii()])
def test_sound_sentences_are_not_misread(sentence: str) -> None:
    """No sentence of thirty languages, written in its own letters, is taken for one that was misread."""
    assert undo_misread(sentence) is None
    assert reference(sentence) == sentence
