"""Invented stories in every form that copydesk reads, for the tests of sources."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from copydesk.config import Source
from copydesk.sources import Cut, Limits, documents_of, find_files

STORIES = {
    "ferry": "Ferry runs again\n\nKARSUND, May 2. /NORDA/. The ferry ran again on Monday, the harbour office said.\n",
    "pier": "Pier stays shut\n\nPORT ELLERY - The pier will stay shut until June, a clerk told nobody in particular.\n",
    "bell": "The bell’s back\n\nLOWER MOSSBY — “It rings,” said the sexton, “and that is all it has to do.”\n",
}
"""Name to text."""

MANY = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "warc", "zip", "tar")
PACKED: Mapping[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def packed(data: bytes, compression: str) -> bytes:
    """The bytes in a compression."""
    if compression != "zst":
        return PACKED[compression](data)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def page(text: str, head: str = "") -> str:
    """A text as a page: a paragraph for each line that is not blank."""
    lines = "".join(f"<p>{line}</p>\n" for line in text.split("\n") if line.strip())
    return (
        f"<!doctype html><html><head><meta charset='utf-8'>{head}</head><body><article>{lines}</article></body></html>"
    )


def table(stories: Mapping[str, str]) -> pa.Table:
    """Stories as columns id and text."""
    return pa.table({"id": list(stories), "text": list(stories.values())})


def written(kind: str, stories: Mapping[str, str] = STORIES) -> bytes:
    """Stories as one file of that format."""
    rows = [{"id": name, "text": text} for name, text in stories.items()]
    out = io.BytesIO()
    match kind:
        case "jsonl":
            return "".join(json.dumps(row) + "\n" for row in rows).encode()
        case "json":
            return json.dumps(rows, indent=1, ensure_ascii=False).encode()
        case "csv" | "tsv":
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter="\t" if kind == "tsv" else ",")
            writer.writerows([["id", "text"], *([row["id"], row["text"]] for row in rows)])
            return text.getvalue().encode()
        case "parquet":
            pq.write_table(table(stories), out, row_group_size=2)
        case "arrow":
            with pa.ipc.new_stream(out, table(stories).schema) as stream:
                stream.write_table(table(stories))
        case "warc":
            return warc({name: text.encode() for name, text in stories.items()})
        case "zip":
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in stories.items():
                    archive.writestr(f"{name}.txt", text)
        case "tar":
            return tar({f"{name}.txt": text.encode() for name, text in stories.items()})
    return out.getvalue()


def tar(members: Mapping[str, bytes]) -> bytes:
    """Members as a TAR."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def warc(bodies: Mapping[str, bytes], media: str = "text/plain; charset=utf-8", status: str = "200 OK") -> bytes:
    """Bodies as the responses of a web archive, with the name as record ID."""
    records = []
    for name, body in bodies.items():
        answer = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n\r\n".encode() + body
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\n"
            f"WARC-Record-ID: <urn:uuid:{name}>\r\nWARC-Target-URI: https://paper.example/{name}\r\n"
            "WARC-Date: 2019-03-14T10:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(answer)}\r\n\r\n"
        )
        records.append(head.encode() + answer + b"\r\n\r\n")
    return b"".join(records)


def read(root: Path, limits: Limits | None = None, **asked: Any) -> tuple[dict[str, bytes], dict[str, str]]:
    """What is read of a folder: uri to raw bytes, and uri to the reason for quarantine."""
    found = find_files(Source.model_validate({"name": "s", "path": ".", **asked}), root, limits or Limits())
    texts: dict[str, bytes] = {}
    refused = {one.uri: one.reason for one in found.refused}
    for documents, unread in documents_of(found.files, Cut(50, 1_000_000)):
        texts.update(documents.select("uri", "raw").iter_rows())
        refused.update(unread.select("uri", "reason").iter_rows())
    return texts, refused


def put(folder: Path, **files: bytes) -> Path:
    """Write files, `_` in their names for dots, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return folder
