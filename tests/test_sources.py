"""Raw files to documents: names, what paths and sidecars say, and what is refused."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.config import Source
from copydesk.errors import ConfigError, UsageError
from copydesk.patterns import compile_pattern
from copydesk.sources import Cut, Limits, document_id, documents_of, find_files, read_batch
from copydesk.sources.kinds import Kind, Kinds
from copydesk.uris import name_of, uri_of

MATCHES = [
    (
        "{outlet}/{date}_{slug}.txt",
        "gazette/2019-03-14_ferry-late.txt",
        {"outlet": "gazette", "date": "2019-03-14", "slug": "ferry-late"},
    ),
    (
        "{outlet}/{date}_{slug}.txt",
        "gazette/20190314_ferry.txt",
        {"outlet": "gazette", "date": "20190314", "slug": "ferry"},
    ),
    ("{outlet}/{date}_{slug}.txt", "gazette/undated_ferry.txt", None),
    ("{outlet}/{date}_{slug}.txt", "a/gazette/2019-03-14_ferry.txt", None),
    ("**/{date}.txt", "a/b/2019_03_14.txt", {"date": "2019_03_14"}),
    ("**/{date}.txt", "2019-03-14.txt", {"date": "2019-03-14"}),
    ("*/{slug}.txt", "x/y.txt", {"slug": "y"}),
    ("a.b/{slug}.txt", "aXb/y.txt", None),
]


@pytest.mark.parametrize(("pattern", "uri", "said"), MATCHES)
def test_a_pattern_names_parts_of_the_path(pattern: str, uri: str, said: dict[str, str] | None) -> None:
    """A placeholder stands for text without a slash, {date} for a day; all else is literal."""
    found = compile_pattern(pattern).fullmatch(uri)
    assert (found.groupdict() if found else None) == said


def source(**given: object) -> Source:
    return Source.model_validate({"name": "s", "path": ".", **given})


def find(root: Path, limit: int = 1000, **given: object):
    return find_files(source(**given), root, Limits(document_bytes=limit))


def test_files_come_sorted_with_posix_uris(tmp_path: Path) -> None:
    """The uri is the path relative to the source; dot files are the machine's."""
    for name in ("b.txt", "a/z.txt", "a/.hidden.txt", ".DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find(tmp_path)
    files, refused = found.files, found.refused
    assert [file.uri for file in files] == ["a/z.txt", "b.txt"]
    assert refused == []


def test_one_file_is_a_source_of_one(tmp_path: Path) -> None:
    """A path to a file gives that file, named by its own name."""
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("x")
    files = find(tmp_path / "a.txt").files
    assert [file.uri for file in files] == ["a.txt"]


def test_a_part_of_a_source_keeps_its_uris(tmp_path: Path) -> None:
    """Files asked for by a folder or file inside the source are named as the whole source names them."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.txt").write_text("x")
    (tmp_path / "y.txt").write_text("y")
    for place in (tmp_path / "a", tmp_path / "a" / "b" / "x.txt"):
        files = find_files(source(), tmp_path, Limits(document_bytes=10), place).files
        assert [file.uri for file in files] == ["a/b/x.txt"]


def test_an_undecodable_name_is_percent_encoded(tmp_path: Path) -> None:
    """A file name that is not UTF-8 still has a uri that is."""
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    with open(path, "wb") as stream:
        stream.write(b"x")
    files = find(tmp_path).files
    assert [file.uri for file in files] == ["caf%E9.txt"]
    assert read_batch(files)[0]["raw"].to_list() == [b"x"]


def test_what_is_no_text_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Pictures, pipes, sockets, dangling and outgoing links and large files are refused; the rest is read."""
    inside, outside = tmp_path / "in", tmp_path / "out.txt"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "good.txt").write_text("good")
    (inside / "picture.png").write_bytes(b"\x89PNG")
    (inside / "large.txt").write_bytes(b"x" * 1001)
    (inside / "out.txt").symlink_to(outside)
    (inside / "gone.txt").symlink_to(inside / "nothing")
    (inside / "link.txt").symlink_to(inside / "good.txt")
    os.mkfifo(inside / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.getcwd()
        os.chdir(inside)  # the path of a socket has at most 108 bytes
        server.bind("socket.txt")
        os.chdir(place)
        found = find(inside)
        files, refused = found.files, found.refused
    assert [file.uri for file in files] == ["good.txt", "link.txt"]
    reasons = {one.uri: one.reason for one in refused}
    assert "'.png' is not read; give it as .txt" in reasons["picture.png"]
    assert "1001 bytes, over the limit of 1000; raise max_document_bytes" in reasons["large.txt"]
    assert "leads out of its source" in reasons["out.txt"]
    assert "cannot be read" in reasons["gone.txt"]
    assert "pipe" in reasons["pipe.txt"]
    assert "socket" in reasons["socket.txt"]


def test_a_file_that_vanishes_before_it_is_read_is_refused(tmp_path: Path) -> None:
    """A file that is found and then gone stops no other."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    files = find(tmp_path).files
    (tmp_path / "a.txt").unlink()
    documents, refused = read_batch(files)
    assert documents["uri"].to_list() == ["b.txt"]
    assert "cannot be read" in refused["reason"][0]


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    """A path that is not there is told with the source's name."""
    with pytest.raises(UsageError, match="no such file or folder"):
        find(tmp_path / "nothing")


def test_the_more_particular_wins(tmp_path: Path) -> None:
    """The sidecar wins over the path, the path over the configuration; other names go into extra."""
    (tmp_path / "gazette").mkdir()
    (tmp_path / "gazette" / "2019-03-14_ferry.txt").write_text("x")
    (tmp_path / "gazette" / "2019-03-15_pier.txt").write_text("x")
    (tmp_path / "about.csv").write_text("filename,outlet,mood\n2019-03-15_pier.txt,The Gazette,sad\n")
    pattern = "{outlet}/{date}_{slug}.txt"
    files = find(tmp_path, outlet="nobody", pattern=pattern, metadata="about.csv", years="2019").files
    documents, _ = read_batch(files)
    assert documents["outlet"].to_list() == ["gazette", "The Gazette"]
    assert documents["given_date"].to_list() == ["2019-03-14", "2019-03-15"]
    assert documents["extra"].to_list() == ['{"slug": "ferry"}', '{"mood": "sad", "slug": "pier"}']
    assert documents["years_from"].to_list() == [2019, 2019]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no column names the file (found: a, b); call one of them 'file'"),
        ("file,outlet\nx.txt,A\nx.txt,B\n", "stands in two rows; keep one"),
        ("", "cannot be read as CSV: empty CSV; save it as UTF-8 with commas"),
        ("file,a\nx.txt,1,2\n", "found more fields than defined in 'Schema'; save it as UTF-8 with commas"),
        (None, "about.csv: the sidecar cannot be read (No such file or directory); check `metadata` of its [[source]]"),
    ],
)
def test_a_broken_sidecar_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    """An error of the sidecar names the file, what is there and the remedy, and says nothing of how it is read."""
    (tmp_path / "x.txt").write_text("x")
    if text is not None:
        (tmp_path / "about.csv").write_text(text)
    with pytest.raises(ConfigError) as error:
        find(tmp_path, metadata="about.csv")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_id_is_a_function_of_source_and_uri() -> None:
    """Ids are fixed for good: this one is part of published datasets."""
    assert document_id("seeds", "a.txt") == "d51075cf1b7c1d6b"
    assert document_id("seeds", "a.txt") != document_id("seed", "sa.txt")


@pytest.mark.parametrize(
    "name",
    [b"bad\xff.txt", b"bad%FF.txt", b"bad%25FF.txt", b"100%.txt", b"a b%20c.txt", "\u00e9t\u00e9/%C3.txt".encode()],
)
def test_every_name_has_one_uri_and_every_uri_one_name(name: bytes) -> None:
    """Names come back from their uris, those that only look percent-encoded as well; ordinary ones stay readable."""
    assert name_of(uri_of(name)) == name


@given(
    st.lists(st.sampled_from([b"%", b"25", b"FF", b"\xff", b"a", b"/", b"\xc3\xa9", b"%C3", b" "]), max_size=8).map(
        b"".join
    )
)
def test_names_and_uris_are_inverse(name: bytes) -> None:
    """No two names share a uri."""
    assert name_of(uri_of(name)) == name


def test_what_came_out_does_not_go_in_again(tmp_path: Path) -> None:
    """A dataset's folder inside a source is left out."""
    (tmp_path / "a.txt").write_text("x")
    for part in ("releases", "data", "knowledge"):
        (tmp_path / "dist" / "x" / part).mkdir(parents=True)
    (tmp_path / "dist" / "x" / "README.md").write_text("card")
    found = find(tmp_path)
    assert ([file.uri for file in found.files], found.refused) == (["a.txt"], [])


def test_what_was_said_of_files_that_are_not_there_is_noted(tmp_path: Path) -> None:
    """A pattern that fits nothing, a sidecar's row without a file and an empty source are told."""
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "about.csv").write_text("file,outlet\nghost.txt,A\n")
    (tmp_path / "empty").mkdir()
    notes = find(tmp_path, pattern="{outlet}/{date}.txt", metadata="about.csv").notes
    assert len(notes) == 2
    assert "no file fits the pattern" in notes[0]
    assert "'ghost.txt'" in notes[1]
    assert "there is no file in it" in find(tmp_path / "empty").notes[0]


def test_a_bare_name_of_several_files_is_noted(tmp_path: Path) -> None:
    """A sidecar's row by a name that two files have holds for both, and a note says so; a path holds for one."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text("x")
    (tmp_path / "about.csv").write_text("file,outlet\nx.txt,A\n")
    found = find(tmp_path, metadata="about.csv")
    assert [file.given for file in found.files] == [{"outlet": "A"}, {"outlet": "A"}]
    assert "'x.txt', and hold for all of them; give paths" in found.notes[0]
    (tmp_path / "about.csv").write_text("file,outlet\na/x.txt,A\n")
    found = find(tmp_path, metadata="about.csv")
    assert ([file.given for file in found.files], found.notes) == ([{"outlet": "A"}, {}], [])


def test_what_a_dot_hides_is_noted(tmp_path: Path) -> None:
    """Files that would be read but for the dot before their name are counted; the machine's own are not."""
    for name in (".draft.txt", ".DS_Store", "a.txt"):
        (tmp_path / name).write_text("x")
    assert "1 files are left out, since their names begin with a dot: '.draft.txt'" in find(tmp_path).notes[0]


def test_sidecars_and_patterns_hold_for_members(tmp_path: Path) -> None:
    """A row by a member's path, and a pattern for it, say of the member what they would say of a file."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("gazette/2019-03-14_ferry.txt", "x")
    (tmp_path / "about.csv").write_text("file,section\ngazette/2019-03-14_ferry.txt,Harbour\n")
    files = find(tmp_path, 10_000, pattern="{outlet}/{date}_{slug}.txt", metadata="about.csv").files
    ((documents, _),) = documents_of(files, Cut())
    found = documents.row(0, named=True)
    assert (found["outlet"], found["given_date"], found["given_section"]) == ("gazette", "2019-03-14", "Harbour")
    assert found["extra"] == '{"slug": "ferry"}'


def test_plain_texts_are_read_as_any_file(tmp_path: Path) -> None:
    """The short way of plain texts gives the rows, and the refusals, of the way of all formats."""
    place = tmp_path / "in"
    for name in ("a.txt", "b/c d.txt", "é#1.txt", "100%25.txt", "empty.txt", "gone.txt", "grown.txt", "x.txt.gz"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(gzip.compress(b"packed") if name.endswith("gz") else name.encode())
    (place / "empty.txt").write_bytes(b"")
    (tmp_path / "meta.csv").write_text("file,headline\na.txt,The harbour\n", encoding="utf-8")
    said = {"pattern": "{outlet}.txt", "metadata": str(tmp_path / "meta.csv"), "years": "1990..1999"}
    found = [find(place).files, find(place, **said).files]
    (place / "gone.txt").unlink()
    (place / "grown.txt").write_bytes(b"more than it was")
    for files in found:
        quick, slow = read_batch(files), read_batch(list(files))
        for table, same in zip(quick, slow, strict=True):
            assert table.equals(same)
            assert table.schema == same.schema
        assert quick[0].height == 7
        assert quick[1]["uri"].to_list() == ["gone.txt"]


def test_file_without_suffix_stands_for_itself_only() -> None:
    """A file that is named like a suffix has no format, and files with that suffix have theirs."""
    kinds = Kinds(separated=False)
    assert kinds.of("txt") is None
    assert kinds.of("a.txt") == Kind("text")
