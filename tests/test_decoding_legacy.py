"""Legacy encodings: invented news sentences in 31 languages, in each of their old encodings, at several sizes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import polars as pl
import pytest

from copydesk.decoding import decode_documents

TABLE = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "legacy_sentences.jsonl").read_text(encoding="utf-8").splitlines()
]
FLOOR = 0.97
MIXED_FLOOR = 0.95
CONFUSIONS = {
    ("et", "iso8859-15", "cp1257"): "õ, ä, ö and ü stand at the same bytes; only the rare š and ž tell them apart",
    (
        "ro",
        "iso8859-16",
        "iso8859-2",
    ): "the cedilla of one is the comma of the other; hardly anything was written in -16",
}
"""(language, written in, read as): what the detector is known to confuse, and why that is left."""

PLAIN = str.maketrans(
    dict(zip("“”„»«‘’–—", '"""""\'\'--', strict=True))
    | {"…": "...", "€": "EUR", "£": "GBP", "œ": "oe", "ș": "ş", "ț": "ţ", "Ș": "Ş", "Ț": "Ţ"}
)


class Case(NamedTuple):
    """A file: the language and encoding it was written in, its text, its bytes."""

    language: str
    encoding: str
    text: str
    data: bytes


def writable(sentence: str, encoding: str) -> str:
    """The sentence as it was written where the encoding has no typographic marks."""
    try:
        sentence.encode(encoding)
    except UnicodeEncodeError:
        return sentence.translate(PLAIN)
    return sentence


def cases() -> Iterator[Case]:
    for row in TABLE:
        for encoding in row["encodings"]:
            sentences = [writable(sentence, encoding) for sentence in row["sentences"]]
            count = len(sentences)
            for size, joiner in ((2, " "), (3, "\n"), (count, "\r\n"), (4 * count, "\n\n")):
                for start in range(0, count, 2):
                    text = joiner.join(sentences[(start + n) % count] for n in range(size))
                    yield Case(row["language"], encoding, text.replace("\r\n", "\n"), text.encode(encoding))


def mixtures() -> Iterator[Case]:
    """Files of UTF-8 with one line in an old encoding of the language."""
    random = Random(5)
    for row in TABLE:
        for encoding in row["encodings"]:
            if encoding.startswith("iso2022") or (row["language"] == "ro" and encoding != "iso8859-16"):
                continue  # stateful; Romanian with cedillas beside Romanian with commas is no one's spelling
            for _ in range(6):
                lines = [random.choice(row["sentences"]) for _ in range(random.randint(2, 6))]
                odd = random.randrange(len(lines))
                lines[odd] = writable(lines[odd], encoding)
                parts = [line.encode(encoding if n == odd else "utf-8") for n, line in enumerate(lines)]
                yield Case(row["language"], encoding, "\n".join(lines), b"\n".join(parts))


def confused(given: list[Case]) -> list[tuple[str, str, str]]:
    decoded = decode_documents(pl.Series([case.data for case in given], dtype=pl.Binary))
    texts = decoded.lines.group_by("doc", maintain_order=True).agg(pl.col("decoded").str.join("\n"))
    read = dict(zip(texts["doc"], texts["decoded"], strict=True))
    return [
        (case.language, case.encoding, decoded.documents["encoding"][doc] or "refused")
        for doc, case in enumerate(given)
        if read.get(doc) != case.text
    ]


def test_legacy_files_are_read_exactly() -> None:
    """At least 97 % of legacy files are read without one wrong character, and all confusions are listed above."""
    given = list(cases())
    wrong = confused(given)
    print(f"{len(given)} files, {1 - len(wrong) / len(given):.4f} exact, {Counter(wrong)}")
    assert len(given) > 1000
    assert 1 - len(wrong) / len(given) >= FLOOR
    assert set(wrong) <= set(CONFUSIONS)


def test_mixed_files_are_read_exactly() -> None:
    """At least 95 % of UTF-8 files with one line in an old encoding are read without one wrong character."""
    given = list(mixtures())
    wrong = confused(given)
    print(f"{len(given)} files, {1 - len(wrong) / len(given):.4f} exact, {Counter(wrong)}")
    assert 1 - len(wrong) / len(given) >= MIXED_FLOOR


FOREIGN_NAMES = [
    "José Muñoz will lead the inquiry into the ferry accident.",
    "The film festival's jury under André Lefèvre meets in Cannes.",
    "Björn Håkansson was arrested at the airport.",
    "The café on Mill Road will close for good.",
    "A degree from a São Paulo university was listed in her résumé.",
    "Mr Peña Nieto and Mr Núñez shook hands in Bogotá.",
    "Il Milan è primo perché ha vinto più partite.",
    "Le maire a été réélu dès le premier tour.",
    "De coördinatie van de hulp moet beter, maar het geld komt één keer.",
    "Øystein Sørensen apologised for the delay.",
    "The price rose to £3.20, or about €3.60.",
]


@pytest.mark.parametrize("sentence", FOREIGN_NAMES)
def test_few_accents_mean_cp1252(sentence: str) -> None:
    """A text with a handful of accented letters in cp1252 is read as such, whatever the statistics say."""
    assert confused([Case("en", "cp1252", sentence, sentence.encode("cp1252"))]) == []
