"""Invented articles and ledgers in the shape of the schemas, for the tests of releases."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from copydesk.knowledge import Knowledge
from copydesk.labels import FATE_OF
from copydesk.release.commit import Result, write_release
from copydesk.release.facts import Facts
from copydesk.release.rows import Batch
from copydesk.schema import load_schema
from copydesk.text import content_hashes

DERIVED = ("CHANGELOG.md", "croissant.json")
"""Files that are a function of the manifests, written after the commit and renewed by the next ingest."""

FURNITURE = (
    ("navigation", "Home | Harbour | Weather"),
    ("comment_prompt", "Please enter your comment!"),
    ("share_prompt", "Share this story"),
    ("advert", "Story continues below"),
    ("related_link", "Read more: Lighthouse `lamp` <b>lit</b> again"),
    ("copyright", "© The Harbour Times"),
)
WORDS = (
    "ferry",
    "crew",
    "harbour",
    "tide",
    "council",
    "vote",
    "storm",
    "keeper",
    "lamp",
    "quay",
    "Élan",
    "naïve",
    "море",
    "港口",
)
NO_REFUSALS = pl.DataFrame(schema=dict.fromkeys(("id", "uri", "source", "raw_sha256", "reason"), pl.String))

Row = dict[str, Any]


@cache
def sample_document(number: int, seed: int = 0, *, source: str = "harbour", words: int = 12) -> tuple[Row, list[Row]]:
    """One article and its ledger, invented from the number and the seed alone; the text rule is written out here."""
    draw = random.Random(f"{number}-{seed}")
    uri = f"{number % 7}/story-{number}.txt"
    name = hashlib.sha256(f"{source}\0{uri}".encode()).hexdigest()[:16]
    lines: list[list[tuple[str, str]]] = [[("headline", f"Story {number}: {_words(draw, 4)}")], [("blank", "")]]
    for paragraph in range(draw.randint(1, 5)):
        body = _words(draw, words) + "."
        match draw.randrange(6):
            case 0:
                lines.append([("heading", _words(draw, 3))])
            case 1:
                lines.append([draw.choice(FURNITURE)])
            case 2:
                body_2 = _words(draw, words) + "."
                lines.append([("body", body + " "), draw.choice(FURNITURE), ("body", " " + body_2)])
                continue
        lines.append([("body", f"  {body} " if paragraph else f"PORT ELM, March 2. {body}")])
        lines.append([("blank", "")])
    end = draw.choice(["\n", "\r\n", "\r"])
    return _rows(name, uri, source, lines, end, draw, number)


def _words(draw: random.Random, number: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(number))


def _rows(  # noqa: PLR0917
    name: str, uri: str, source: str, lines: list[list[tuple[str, str]]], end: str, draw: random.Random, number: int
) -> tuple[Row, list[Row]]:
    ledger: list[Row] = []
    paragraphs: list[tuple[str, str]] = []
    raw_file, damaged = b"", draw.random() < 0.3
    for count, spans in enumerate(lines, 1):
        joined_to = None
        for place, (label, text) in enumerate(spans):
            tail = end if place == len(spans) - 1 and not (count == len(lines) and draw.random() < 0.5) else ""
            raw = (text.encode("cp1252", "replace") if damaged else text.encode()) + tail.encode()
            said = raw.decode("utf-8", "ignore") == text + tail and len(raw.decode("utf-8", "ignore").encode()) == len(
                raw
            )
            ledger.append(
                {
                    "id": name, "uri": uri, "line": count, "span": place, "start": len(raw_file),
                    "end": len(raw_file) + len(raw), "raw": raw, "text": None if said else text, "label": label,
                    "fate": FATE_OF[label], "evidence": "blank" if label == "blank" else "model", "confidence": 0.75,
                }
            )  # fmt: skip
            raw_file += raw
            if FATE_OF[label] == "text" and text.strip():
                if label == "body" and joined_to == "body":
                    paragraphs[-1] = (label, paragraphs[-1][1] + " " + text.strip())
                else:
                    paragraphs.append((label, text.strip()))
                joined_to = label
    return _article(name, uri, source, ledger, paragraphs, raw_file, draw, number), ledger


def _article(  # noqa: PLR0917
    name: str, uri: str, source: str, ledger: list[Row], paragraphs: list[tuple[str, str]], raw_file: bytes,
    draw: random.Random, number: int,
) -> Row:  # fmt: skip
    text, headings = "", []
    for label, paragraph in paragraphs:
        text += "\n\n" if text else ""
        if label == "heading":
            headings.append({"title": paragraph, "start": len(text), "end": len(text) + len(paragraph)})
        text += paragraph
    day = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=number // 3, minutes=draw.randrange(1440))
    fates = [row["fate"] for row in ledger]
    dated = draw.random() < 0.9
    return {
        "id": name, "uri": uri, "source": source, "site": draw.choice(["harbour", None]), "outlet": None, "url": None,
        "raw_sha256": hashlib.sha256(raw_file).hexdigest(), "encoding": "utf-8",
        "repairs": draw.choice([[], ["entities"]]), "headline": ledger[0]["text"] or f"Story {number}", "deck": None,
        "text": text, "headings": headings,
        "dateline": draw.choice(
            [None, {"place": "PORT ELM", "date": "March 2", "places": ["PORT ELM"], "month": 3, "day": 2, "year": None,
                    "agency": None}]
        ),
        "dateline_end": None, "published_at": day if dated else None, "published_offset": draw.choice([None, 180]),
        "published_precision": "minute" if dated else None, "published_evidence": "date_line" if dated else None,
        "candidate_years": [] if dated else [{"year": 2017, "weight": 0.6}, {"year": 2018, "weight": 0.4}],
        "updated_at": None, "authors": ["Ada Quill"], "section": None, "topics": [], "persons": [], "agency": None,
        "language": draw.choice(["en", "ru", None]), "language_score": 0.9, "script": "Latn",
        "truncated": draw.random() < 0.1, "notices": [],
        "counts": {
            "chars": len(text), "words": len(text.split()), "sentences": 1,
            **{f"lines_{fate}": fates.count(fate) for fate in ("text", "field", "dropped", "blank")},
        },
        "quality": {
            part.name: 0.5 for part in load_schema("article").polars["quality"].fields
        },
        "provenance": [{"field": "headline", "value": "Story", "evidence": "first line", "used": True}],
        "duplicate_cluster": None, "duplicate_of": None, "duplicate_outlet": None, "duplicate_agency": None,
        "split": "train", "content_sha256": "", "extra": None,
    }  # fmt: skip


def sample_tables(numbers: range | list[int], seed: int = 0, **options: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Articles and ledger of some documents, in the types of the schemas."""
    pairs = [sample_document(number, seed, **options) for number in numbers]
    articles = pl.DataFrame([article for article, _ in pairs], schema=load_schema("article").polars)
    ledger = pl.DataFrame([row for _, rows in pairs for row in rows], schema=load_schema("ledger").polars)
    return articles.with_columns(content_sha256=content_hashes(articles)), ledger


def raw_files(ledger: pl.DataFrame) -> dict[str, bytes]:
    """Uri to the bytes of the raw file."""
    found: dict[str, bytes] = {}
    for uri, raw in ledger.select("uri", "raw").iter_rows():
        found[uri] = found.get(uri, b"") + raw
    return found


def write_batches(
    folder: Path, articles: pl.DataFrame, ledger: pl.DataFrame, *, size: int = 50, shuffle: int | None = None
) -> tuple[list[Path], list[Path]]:
    """The tables as batch files of `size` documents, in the given order or a shuffled one."""
    folder.mkdir(parents=True, exist_ok=True)
    names = articles["id"].to_list()
    if shuffle is not None:
        random.Random(shuffle).shuffle(names)
    first, second = [], []
    for number, start in enumerate(range(0, len(names), size)):
        some = pl.DataFrame({"id": names[start : start + size]})
        first.append(folder / f"articles-{number:05}.arrow")
        second.append(folder / f"ledger-{number:05}.arrow")
        some.join(articles, on="id", maintain_order="left").select(articles.columns).write_ipc(first[-1])
        some.join(ledger, on="id", maintain_order="left_right").select(ledger.columns).write_ipc(second[-1])
    return first, second


def release(
    destination: Path,
    tables: tuple[pl.DataFrame, pl.DataFrame],
    *,
    batches: dict[str, Any] | None = None,
    **options: Any,
) -> Result:
    """Write the tables as the next release of a dataset."""
    with TemporaryDirectory() as work:
        files = write_batches(Path(work), *tables, **(batches or {}))
        return write_release(
            destination,
            [Batch(*pair) for pair in zip(*files, strict=True)],
            options.pop("quarantine", NO_REFUSALS),
            options.pop("knowledge", Knowledge()),
            options.pop("facts", Facts("harbour-corpus")),
            **options,
        )


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a dataset's folder with its bytes, `.work/` left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".work" not in path.relative_to(folder).parts
    }
