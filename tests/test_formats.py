"""Formats and containers: the same stories come out of each, under names of their own."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from copydesk.config import Source
from copydesk.errors import DocumentError
from copydesk.single import stem
from copydesk.sources import Cut, Limits, documents_of, find_files
from copydesk.sources.columns import choose, record_name
from copydesk.sources.formats.jsonl import spans
from copydesk.uris import file_and_record, name_of, uri_of
from tests.source_samples import MANY, STORIES, packed, page, put, read, tar, warc, written

RAW = {name: text.encode() for name, text in STORIES.items()}


@pytest.mark.parametrize("kind", MANY)
def test_every_container_gives_the_same_texts(tmp_path: Path, kind: str) -> None:
    """The bytes of every story, under `file#record`; the record is its id or its path in the archive."""
    (tmp_path / f"a.{kind}").write_bytes(written(kind))
    end = ".txt" if kind in ("zip", "tar") else ""
    assert read(tmp_path) == ({f"a.{kind}#{name}{end}": raw for name, raw in RAW.items()}, {})


@pytest.mark.parametrize("how", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("kind", ["txt", *MANY])
def test_every_format_may_be_packed(tmp_path: Path, kind: str, how: str) -> None:
    """A compression changes nothing but the file's name; files of several frames are read to their end."""
    data = RAW["bell"] if kind == "txt" else written(kind)
    half = len(data) // 2
    (tmp_path / f"a.{kind}.{how}").write_bytes(packed(data[:half], how) + packed(data[half:], how))
    texts, refused = read(tmp_path)
    assert list(texts.values()) == ([RAW["bell"]] if kind == "txt" else list(RAW.values()))
    assert not refused


def test_containers_within_containers(tmp_path: Path) -> None:
    """Members are read by their names, what the machine left among them is not; the uri leads through all of them."""
    inner = tar({"b/one.txt": b"one", "b/rows.jsonl.gz": packed(written("jsonl"), "gz"), "b/.hidden.txt": b"no"})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("deep/inner.tgz", packed(inner, "gz"))
        archive.writestr("__MACOSX/deep/._inner.tgz", b"no")
    (tmp_path / "a.zip").write_bytes(out.getvalue())
    texts, refused = read(tmp_path)
    rows = [f"a.zip#deep/inner.tgz#b/rows.jsonl.gz#{name}" for name in RAW]
    assert (sorted(texts), refused) == (sorted(["a.zip#deep/inner.tgz#b/one.txt", *rows]), {})


OBJECTS = [
    ('{"title": "T", "body": "One."}', {"1": b"One."}),
    ('{"a": 1}{"text": "One."}\n{"text": "Two."}', {"2": b"One.", "3": b"Two."}),
    ('{"page": 1, "articles": [{"text": "One."}, {"text": "Two.", "id": 7}]}', {"1": b"One.", "7": b"Two."}),
    ('[{"text": "One."}, {"text": ""}, ["no"], {"text": "Four."}]', {"1": b"One.", "4": b"Four."}),
    ('["One.", "Two."]', {"1": b"One.", "2": b"Two."}),
    ('[{"text": ["One.", "Two."]}]', {"1": b"One.\n\nTwo."}),
]


@pytest.mark.parametrize(("text", "records"), OBJECTS)
def test_json_comes_in_many_shapes(tmp_path: Path, text: str, records: dict[str, bytes]) -> None:
    """A list, objects one after the other, one object, one with a list in it; what is no record is refused."""
    put(tmp_path, a_json=text.encode())
    texts, refused = read(tmp_path)
    assert texts == {f"a.json#{name}": raw for name, raw in records.items()}
    assert len(texts) + len(refused) >= len(records)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv"])
def test_marks_of_other_encodings_are_heeded(tmp_path: Path, kind: str, encoding: str) -> None:
    """Tables and JSON with a byte order mark are read as what it says."""
    (tmp_path / f"a.{kind}").write_bytes(written(kind).decode().encode(encoding))
    assert read(tmp_path) == ({f"a.{kind}#{name}": raw for name, raw in RAW.items()}, {})


def test_a_cell_keeps_its_own_bytes(tmp_path: Path) -> None:
    """A table in a legacy encoding goes to the decoder as it is; so do JSON lines that are no UTF-8."""
    put(
        tmp_path,
        a_csv="id;text\nx;Café geöffnet\n".encode("cp1252"),
        b_jsonl=b'{"id": "x", "text": "Caf\xe9 \\u20ac"}\n',
    )
    texts, _ = read(tmp_path)
    assert texts == {"a.csv#x": "Café geöffnet".encode("cp1252"), "b.jsonl#x": b"Caf\xe9 \xe2\x82\xac"}


def test_bad_rows_stop_no_others(tmp_path: Path) -> None:
    """A broken line, row or object is refused by its number, and the rest is read."""
    put(
        tmp_path,
        a_jsonl=b'{"text": "One."}\n{"text": \n\n[1]\n{"text": "Five."}\n{"text": null}\n',
        b_csv=b'text,id\nOne.,a\n"Two."x,b\nThree.,c,d\nFour.\n',
    )
    texts, refused = read(tmp_path)
    assert texts == {"a.jsonl#1": b"One.", "a.jsonl#5": b"Five.", "b.csv#a": b"One.", "b.csv#4": b"Four."}
    assert sorted(refused) == ["a.jsonl#2", "a.jsonl#4", "a.jsonl#6", "b.csv#2", "b.csv#3"]


def test_an_unclosed_quote_is_told(tmp_path: Path) -> None:
    """A quote that is never closed is no text that swallows the rest without a word."""
    put(tmp_path, a_csv=b'id,text\na,One.\nb,"Two.\nc,Three.\n')
    texts, refused = read(tmp_path)
    assert (texts, list(refused)) == ({"a.csv#a": b"One."}, ["a.csv#2"])


COLUMNS = [
    (["id", "title", "content", "published_at"], (), ("content", "id", {"headline": "title", "date": "published_at"})),
    (["Article Text", "AUTHOR"], (), ("Article Text", None, {"authors": "AUTHOR"})),
    (["text", "body"], (("text", "body"),), ("body", None, {})),
    (["raw_html", "url"], (), ("raw_html", None, {"url": "url"})),
    (["text", "name"], (("headline", "name"),), ("text", None, {"headline": "name"})),
]


@pytest.mark.parametrize(("names", "asked", "expected"), COLUMNS)
def test_columns_are_found_by_common_names(
    names: list[str], asked: tuple[tuple[str, str], ...], expected: tuple[str, str | None, dict[str, str]]
) -> None:
    """What the source's columns say wins, then the common names, whatever their case and underscores."""
    found = choose(names, asked)
    assert (found.body, found.id, found.known) == expected


@pytest.mark.parametrize(
    ("names", "asked", "told"),
    [
        (["a", "b"], (), "no column holds the text (there are: a, b); name it with columns.text"),
        (["text"], (("date", "when"),), "there is no column 'when' (columns.date of its source); there are: text"),
    ],
)
def test_a_missing_column_is_told(names: list[str], asked: tuple[tuple[str, str], ...], told: str) -> None:
    """The reason names the columns there are and the key to set."""
    with pytest.raises(DocumentError) as error:
        choose(names, asked)
    assert told in str(error.value)


def test_other_columns_are_carried_through(tmp_path: Path) -> None:
    """Known columns become what is given of a document, the others go into extra, as JSON."""
    row = {"text": "One.", "title": "T", "author": [{"name": "A"}, "B"], "date": 1489449600, "mood": "sad", "n": 3}
    put(tmp_path, a_jsonl=json.dumps(row).encode())
    source = Source.model_validate({"name": "s", "path": ".", "outlet": "The Gazette"})
    ((documents, _),) = documents_of(find_files(source, tmp_path, Limits()).files, Cut())
    found = documents.row(0, named=True)
    assert (found["given_headline"], found["given_authors"], found["given_date"]) == ("T", "A; B", "2017-03-14")
    assert (found["outlet"], found["extra"]) == ("The Gazette", '{"mood": "sad", "n": 3}')


def test_a_saved_dataset_is_a_source(tmp_path: Path) -> None:
    """A folder that `datasets` saved is read, and its own bookkeeping is not refused."""
    import datasets

    rows = datasets.Dataset.from_dict({"id": list(RAW), "text": list(STORIES.values()), "picture": [b"\x89"] * 3})
    rows.save_to_disk(tmp_path / "saved")
    texts, refused = read(tmp_path)
    assert (list(texts.values()), refused) == (list(RAW.values()), {})
    assert next(iter(texts)) == "saved/data-00000-of-00001.arrow#ferry"


def test_stories_of_one_file_are_cut_by_a_separator(tmp_path: Path) -> None:
    """The lines between separators are documents, byte for byte, numbered by the file's order."""
    put(tmp_path, wire_txt=b"One.\r\nMore.\r\n=====\r\n\n=====\nThree.\n")
    assert read(tmp_path, separator="={3,}") == ({"wire.txt#1": b"One.\r\nMore.\r\n", "wire.txt#3": b"Three.\n"}, {})


def test_a_web_archive_gives_its_pages(tmp_path: Path) -> None:
    """Successful pages and texts are read, with their address; pictures and errors go by."""
    pages = warc({"p1": page(STORIES["ferry"]).encode()}, "text/html")
    others = warc({"i1": b"\x89PNG"}, "image/png") + warc({"e1": b"<p>Lost"}, "text/html", "404 Not Found")
    put(tmp_path, a_warc=pages + others)
    ((documents, refused),) = documents_of(find_files(Source(name="s", path=tmp_path), tmp_path, Limits()).files, Cut())
    assert documents.select("uri", "url").rows() == [("a.warc#p1", "https://paper.example/p1")]
    assert documents["raw"][0].decode().startswith("Ferry runs again\n\nKARSUND, May 2.")
    assert refused.is_empty()


def test_two_records_of_one_name_are_both_read(tmp_path: Path) -> None:
    """Nothing is lost where an id is not unique (see test_containers for their names in a release)."""
    put(tmp_path, a_jsonl=b'{"id": 1, "text": "One."}\n{"id": 1, "text": "Two."}\n')
    source = Source(name="s", path=tmp_path)
    ((documents, _),) = documents_of(find_files(source, tmp_path, Limits()).files, Cut())
    assert documents["raw"].to_list() == [b"One.", b"Two."]


@pytest.mark.parametrize("size", [1, 40, 1 << 20, 3 << 20])
def test_spans_of_a_file_hold_each_line_once(size: int) -> None:
    """The spans of JSON lines follow each other, end with a line, and know the number of their first."""
    data = b"".join(b'{"text": "%06d"}\n' % number for number in range(150_000)) + b'{"text": "no end"}'
    found = list(spans(io.BytesIO(data), size))
    assert found[0][0] == 0
    assert all(one[1] == two[0] for one, two in itertools.pairwise(found))
    assert found[-1][1] == len(data)
    assert all(first == data.count(b"\n", 0, start) + 1 for start, _, first in found)


NAMES = [("a1", "a1"), (7, "7"), ("a/b#c", "a%2Fb%23c"), ("", "12"), (None, "12"), (True, "12"), ("x" * 500, None)]


@pytest.mark.parametrize(("ident", "name"), NAMES)
def test_a_record_is_named_by_its_id(ident: object, name: str | None) -> None:
    """By its number where there is none; slashes are encoded, so that no id leads anywhere; long ones are cut."""
    found = record_name(ident, 12)
    assert found == name if name else len(found) == 120


URIS = [
    ("a/b.txt", ("a/b.txt", None), "b"),
    ("a/b.jsonl.gz#7", ("a/b.jsonl.gz", "7"), "b.jsonl#7"),
    ("x.zip#d/a.txt", ("x.zip", "d/a.txt"), "x#d/a.txt"),
    ("x.zip#y.tar#a.txt", ("x.zip", "y.tar#a.txt"), "x#y.tar#a.txt"),
    ("no #1 story.txt", ("no #1 story.txt", None), "no #1 story"),
]


@pytest.mark.parametrize(("uri", "parts", "ident"), URIS)
def test_a_uri_names_file_and_record(uri: str, parts: tuple[str, str | None], ident: str) -> None:
    """A mark of number is a record's only after a container's suffix; explain's id is the stem with the record."""
    assert file_and_record(uri) == parts
    assert stem(uri) == ident


def test_a_file_named_like_a_record_is_not_taken_for_one() -> None:
    """Its name comes percent-encoded, and comes back."""
    uri = uri_of(b"x.zip#a.txt")
    assert (uri, file_and_record(uri), name_of(uri)) == ("x.zip%23a.txt", ("x.zip%23a.txt", None), b"x.zip#a.txt")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package for pages is not installed, the reason says what to install, and the rest is read."""
    from copydesk.sources import find

    put(tmp_path, a_html=b"<p>x", b_txt=b"One.")
    find._missing.cache_clear()
    monkeypatch.setattr(find, "find_spec", lambda _name: None)
    texts, refused = read(tmp_path)
    find._missing.cache_clear()
    assert (texts, list(refused)) == ({"b.txt": b"One."}, ["a.html"])
    assert refused["a.html"] == "trafilatura is not installed: pip install 'copydesk[html]'"


def test_tables_have_the_columns_of_documents(tmp_path: Path) -> None:
    """However a file is read, its table has one schema: batches of any mixture go together."""
    put(tmp_path, a_txt=b"One.", b_jsonl=written("jsonl"), c_html=page(STORIES["pier"]).encode())
    source = Source(name="s", path=tmp_path)
    tables = [documents for documents, _ in documents_of(find_files(source, tmp_path, Limits()).files, Cut())]
    assert pl.concat(tables).height == 5
