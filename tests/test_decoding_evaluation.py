"""Decoding and repair on outside material: the encoding suite and sound articles, where their folder is at hand."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from copydesk.decoding import decode, decode_documents
from copydesk.repair import kind_names, reference, repair_lines

ROOT = Path(__file__).parents[1]
EVALUATION = ROOT / os.environ.get("COPYDESK_EVALUATION_DATA", "../shared")

SUITE = EVALUATION / "encodings"
needs_suite = pytest.mark.skipif(not SUITE.is_dir(), reason="COPYDESK_EVALUATION_DATA names no folder with encodings/")
needs_articles = pytest.mark.skipif(
    not (EVALUATION / "articles").is_dir(), reason="COPYDESK_EVALUATION_DATA names no folder with articles/"
)

EXACT_FLOOR = 0.96


def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("encoding_score", SUITE / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_suite
def test_encoding_suite() -> None:
    """At least 96 % of the suite come out exactly, and no case that is to be left alone is harmed."""
    level = scorer().level
    wrong, harmed = [], []
    cases = [json.loads(line) for line in (SUITE / "dev.jsonl").read_text(encoding="utf-8").splitlines()]
    for case in cases:
        data = base64.b64decode(case["bytes_b64"])
        if level(decode(data)) == level(case["expected"]):
            continue
        wrong.append(case["id"])
        if case["cls"] == "clean" or not case["recoverable"] or data == case["expected"].encode():
            harmed.append(case["id"])
    print(f"{len(cases)} cases, {1 - len(wrong) / len(cases):.4f} exact, wrong {wrong}, harmed {harmed}")
    assert 1 - len(wrong) / len(cases) >= EXACT_FLOOR
    assert not harmed


def files(*folders: str) -> pl.Series:
    paths = sorted(path for folder in folders for path in (EVALUATION / folder).rglob("*") if path.is_file())
    return pl.Series([path.read_bytes() for path in paths], dtype=pl.Binary)


@needs_articles
def test_sound_articles_keep_their_characters() -> None:
    """In articles, a line without damage loses nothing but spaces and invisible characters."""
    decoded = decode_documents(files("articles/dev", "articles/context", "seeds"))
    assert decoded.documents["error"].null_count() == len(decoded.documents)
    table = pl.concat([decoded.lines, repair_lines(decoded.lines["decoded"])], how="horizontal")
    harmless = {"spaces", "invisible"}
    damage = r"[\x80-\x9f]|\p{M}|[ÃÂâ][^ -~]|&[A-Za-z#0-9]+;"
    printed = {"lines": len(table), "changed": int(table["changed"].sum()), "damaged": 0}
    for decoded_text, text, bits in table.filter("changed").select("decoded", "text", "repairs").rows():
        if set(kind_names(bits)) <= harmless:
            kept = [c for c in decoded_text if not c.isspace() and c.isprintable()]
            assert kept == [c for c in text if not c.isspace()], decoded_text
        else:
            printed["damaged"] += 1
            assert pl.Series([decoded_text]).str.contains(damage).item(), decoded_text
    print(printed)
    assert printed["damaged"] < 0.05 * printed["lines"]


@needs_articles
@pytest.mark.slow
def test_fast_way_equals_reference_on_articles() -> None:
    """On the lines of real articles the column gives what the reference gives."""
    lines = decode_documents(files("articles/dev", "seeds")).lines["decoded"].unique(maintain_order=True)
    assert repair_lines(lines)["text"].to_list() == [reference(line) for line in lines]
