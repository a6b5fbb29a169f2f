"""Limits: what would harm the run or the machine ends in quarantine with its reason, and the rest goes on."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from copydesk.sources import Limits
from tests.source_samples import packed, put, read, tar

SMALL = Limits(document_bytes=1_000, unpacked_bytes=12_000_000, entries=6, nesting=2, columns=10)


def zipped(**members: bytes) -> bytes:
    """Members, `__` in their names for slashes and `_` for dots, as a ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def bomb() -> bytes:
    """A megabyte of gzip that unpacks to a gigabyte: a thousand members of the same megabyte."""
    return gzip.compress(b'{"text": "' + b"x" * 500 + b'"}\n' + b" " * 1_000_000) * 1_000


def linked() -> bytes:
    """A TAR with a link, a device, a climbing and an absolute path, and a sound member."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("link.txt", tarfile.SYMTYPE), ("hard.txt", tarfile.LNKTYPE), ("null.txt", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for name in ("../out.txt", "/root.txt", "good.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"text"))
    return out.getvalue()


def deep(levels: int) -> bytes:
    """A text in archives within archives."""
    data = tar({"a.txt": b"text"})
    for _ in range(levels - 1):
        data = tar({"b.tar": data})
    return data


def linked_zip() -> bytes:
    """A ZIP with a link, a climbing path, one with a drive, and a sound member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name in ("../out.txt", "C:/x.txt", "good.txt"):
            archive.writestr(name, "text")
    return out.getvalue()


def entities() -> bytes:
    """A page that defines entities by entities."""
    rows = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    paragraphs = "".join(f"<p>The harbour office said on day {n} that the ferry ran again.</p>" for n in range(9))
    return f'<!DOCTYPE html [<!ENTITY e0 "ha">{rows}]><html><body><article><p>&e11;</p>{paragraphs}'.encode()


HARMFUL: dict[str, tuple[str, Callable[[], bytes], str, str, list[str]]] = {
    "a record of many bytes": (
        "a.jsonl",
        lambda: b'{"text": "' + b"x" * 5_000 + b'"}\n{"text": "good"}\n',
        "a.jsonl#1",
        "over the limit of 1000; raise max_document_bytes",
        ["a.jsonl#2"],
    ),
    "a gzip bomb": ("a.jsonl.gz", bomb, "a.jsonl.gz", "raise max_", ["a.jsonl.gz#1"]),
    "a large member": (
        "a.zip",
        lambda: zipped(big_txt=b"x" * 5_000, good_txt=b"text"),
        "a.zip#big.txt",
        "max_document_bytes",
        ["a.zip#good.txt"],
    ),
    "too many members": (
        "a.tar",
        lambda: tar({f"{n}.txt": b"text" for n in range(9)}),
        "a.tar",
        "over 6 entries; raise max_entries",
        [f"a.tar#{n}.txt" for n in range(6)],
    ),
    "too many members of a ZIP": (
        "a.zip",
        lambda: zipped(**{f"m{n}_txt": b"text" for n in range(9)}),
        "a.zip",
        "over 6 entries; raise max_entries",
        [],
    ),
    "links and devices in a TAR": ("a.tar", linked, "a.tar#link.txt", "a link; pack plain files", ["a.tar#good.txt"]),
    "links and paths that climb in a ZIP": (
        "a.zip",
        linked_zip,
        "a.zip#../out.txt",
        "leads out of the archive",
        ["a.zip#good.txt"],
    ),
    "archives in archives": (
        "a.tar",
        lambda: deep(4),
        "a.tar#b.tar#b.tar#b.tar",
        "deeper than 2; raise max_nesting",
        [],
    ),
    "a wide table": ("a.csv", lambda: b"text," + b"c," * 1_000_000, "a.csv", "bytes, over the limit", []),
    "a table of many columns": (
        "a.csv",
        lambda: b"text," + b"c," * 100,
        "a.csv",
        "102 columns, over the limit of 10",
        [],
    ),
    "an object of many keys": (
        "a.jsonl",
        lambda: b"{" + b",".join(b'"k%d": 1' % n for n in range(50)) + b', "text": "x"}\n{"text": "good"}',
        "a.jsonl#1",
        "columns, over the limit of 10",
        ["a.jsonl#2"],
    ),
    "lists in lists": ("a.jsonl", lambda: b"[" * 900 + b'\n{"text": "good"}', "a.jsonl#1", "is no JSON", ["a.jsonl#2"]),
    "no archive": ("a.zip", lambda: b"text", "a.zip", "it is no ZIP", []),
    "a cut archive": ("a.tar.gz", lambda: packed(deep(1), "gz")[:-20], "a.tar.gz", "cannot be read as tar", []),
    "nothing in it": ("a.jsonl", lambda: b"\n\n", "a.jsonl", "holds no text", []),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_what_would_harm_is_refused_and_the_rest_is_read(tmp_path: Path, case: str) -> None:
    """The reason stands by the uri of the file or record, with the key that raises the limit; others are read."""
    name, make, uri, reason, others = HARMFUL[case]
    (tmp_path / name).write_bytes(make())
    (tmp_path / "z.txt").write_bytes(b"beside")
    texts, refused = read(tmp_path, SMALL)
    assert reason in refused.get(uri, ""), refused
    assert set(others) <= set(texts)
    assert texts["z.txt"] == b"beside"


def test_every_bad_member_is_told(tmp_path: Path) -> None:
    """Each link, device and path that leads out has a line in the quarantine."""
    put(tmp_path, a_tar=linked())
    texts, refused = read(tmp_path)
    assert texts == {"a.tar#good.txt": b"text"}
    assert sorted(refused) == [
        f"a.tar#{name}" for name in ("../out.txt", "/root.txt", "hard.txt", "link.txt", "null.txt")
    ]


def test_entities_of_entities_are_not_expanded(tmp_path: Path) -> None:
    """A page that would grow to gigabytes stays what it is, and its paragraphs are read."""
    put(tmp_path, a_html=entities())
    texts, _ = read(tmp_path)
    assert b"on day 8" in texts["a.html"]
    assert len(texts["a.html"]) < 5_000


@pytest.mark.parametrize("page", [b"<div>" * 5_000 + b"text", b"<p>x" * 100_000, b"<p>" + b"x " * 3_000_000])
def test_pages_that_no_paper_prints_are_refused(tmp_path: Path, page: bytes) -> None:
    """Pages of endless elements, depth or length are refused before the extractor works on them."""
    put(tmp_path, a_html=page)
    texts, refused = read(tmp_path)
    assert (texts, list(refused)) == ({}, ["a.html"])


def test_a_lying_header_reserves_no_memory(tmp_path: Path) -> None:
    """A TAR header that says that a long name of terabytes follows is refused at once."""
    data = bytearray(tar({"x" * 200: b"text"}))
    data[124:136] = b"\x80" + (1 << 44).to_bytes(11, "big")
    data[148:156] = b"        "
    data[148:156] = b"%06o\0 " % sum(data[:512])
    put(tmp_path, a_tar=bytes(data))
    texts, refused = read(tmp_path)
    assert (texts, list(refused)) == ({}, ["a.tar"])
