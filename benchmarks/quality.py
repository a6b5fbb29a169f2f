"""Quality: copydesk against the evaluation sets, held to the floors in quality.json.

    python benchmarks/quality.py            print each figure beside its floor; exit with 1 below one
    python benchmarks/quality.py --raise    write today's figures as floors, where they are higher

The sets are real texts of other people and no part of the project: they are looked for in COPYDESK_EVALUATION_DATA
(default ../shared) and, where they are absent, nothing is measured, and that is said. A floor is bound to the SHA-256
of its set, so that a figure is never compared with one on other data; floors are raised, never lowered.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ROOT / "quality.json"
SLACK = 0.002
"""How far below its floor a figure may fall: less than one line or record of any set weighs."""


def main() -> int:
    """Measure all sets there are and hold them to their floors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raise", dest="lift", action="store_true")
    lift = parser.parse_args().lift
    data = Path(os.environ.get("COPYDESK_EVALUATION_DATA", ROOT.parent / "shared"))
    if not (data / "articles" / "dev.jsonl").is_file():
        print(f"quality: not measured, no evaluation data in {data} (set COPYDESK_EVALUATION_DATA)")
        return 0
    floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.is_file() else {}
    below = []
    for name, (path, measure) in SETS.items():
        digest = hashlib.sha256((data / path).read_bytes()).hexdigest()[:16]
        floor = floors.get(name, {})
        if floor and floor["data"] != digest:
            print(
                f"{name}: the data has changed ({digest}, the floors are for {floor['data']}): nothing to compare with"
            )
            floor = {}
        figures = measure(data)
        for figure, value in figures.items():
            least = floor.get("floors", {}).get(figure)
            print(f"{name:<12} {figure:<34} {value:.4f}" + (f"   floor {least:.4f}" if least is not None else ""))
            if least is not None and value < least - SLACK:
                below.append(f"{name} {figure}: {value:.4f} is below {least:.4f}")
        if lift:
            held = floor.get("floors", {})
            floors[name] = {
                "data": digest,
                "floors": {key: round(max(value, held.get(key, value)), 4) for key, value in figures.items()},
            }
    if lift:
        FLOORS.write_text(json.dumps(floors, indent=1) + "\n", encoding="utf-8")
    print("\n".join(below) or "quality: every figure holds its floor")
    return 1 if below else 0


def scorer(data: Path, folder: str) -> Any:
    """The scorer that comes with a set, as a module."""
    spec = importlib.util.spec_from_file_location(f"score_{folder}", data / folder / "score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file, gzipped or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def explained(documents: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """What `copydesk explain --json` says of documents (name, raw bytes), with the shipped knowledge."""
    import polars as pl

    from copydesk.knowledge import Knowledge
    from copydesk.lines.profiles import load_profiles
    from copydesk.single import explain_documents
    from copydesk.sources import DOCUMENTS, document_id

    rows = [
        {
            "id": document_id("s", name),
            "uri": name,
            "source": "s",
            "raw_sha256": hashlib.sha256(raw).hexdigest(),
            "raw": raw,
        }
        for name, raw in documents
    ]
    return list(explain_documents(pl.DataFrame(rows, schema=DOCUMENTS), Knowledge(), load_profiles()))


def scored_articles(data: Path, gold: str, raw: str) -> dict[str, Any]:
    """The articles' scorer on a gold file and its folder of raw texts."""
    files = sorted((data / raw).glob("*.txt"))
    records = explained((path.name, path.read_bytes()) for path in files)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as stream:
        for record in records:
            kept = {name: record[name] for name in ("id", "labels", "fields") if name in record}
            stream.write(json.dumps(kept, ensure_ascii=False) + "\n")
        stream.flush()
        command = [
            sys.executable,
            str(data / "articles" / "score.py"),
            str(data / gold),
            stream.name,
            "--json",
            "--raw",
            str(data / raw),
        ]
        return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def article_figures(found: dict[str, Any]) -> dict[str, float]:
    """The figures of the articles' scorer that have floors; all are better when higher."""
    clean = found["docs_without_boilerplate"]
    middle = found["mid_body_related_links"]
    return {
        "drop f1, characters": found["drop_chars"]["f1"],
        "body characters kept": 1 - found["text_loss"]["share_of_body_chars"],
        "headings kept": 1 - found["text_loss"]["headings_dropped"] / found["text_loss"]["of_headings"],
        "clean documents unchanged": 1 - clean["changed"] / clean["docs"] if clean["docs"] else 1.0,
        "mid-body links, precision": middle["precision"] or 0.0,
        "mid-body links, recall": middle["recall"] or 0.0,
        **{f"field {name}": value["accuracy"] for name, value in found["fields"].items() if "|" not in name},
    }


def measure_seeds(data: Path) -> dict[str, float]:
    """The five real seed files: labels and fields."""
    found = scored_articles(data, "articles/seeds.gold.jsonl", "seeds")
    gold = {record["id"]: record for record in lines_of(data / "articles" / "seeds.gold.jsonl")}
    told = {
        record["id"]: record
        for record in explained((path.name, path.read_bytes()) for path in sorted((data / "seeds").glob("*.txt")))
    }
    pairs = [pair for key in gold for pair in zip(gold[key]["labels"], told[key]["labels"], strict=True)]
    return {"labels": sum(one == other for one, other in pairs) / len(pairs), **article_figures(found)}


def measure_articles(data: Path) -> dict[str, float]:
    """The hand-labelled articles."""
    return article_figures(scored_articles(data, "articles/dev.jsonl", "articles/dev"))


def measure_encodings(data: Path) -> dict[str, float]:
    """Damaged files: how many come out exactly."""
    from copydesk.decoding import decode

    return _called(
        data, "encodings", ["dev.jsonl"], decode.__module__ + ":decode", {"exact": "exact", "macro": "macro"}
    )


def _called(data: Path, folder: str, arguments: list[str], call: str, names: dict[str, str]) -> dict[str, float]:
    place = data / folder
    command = [sys.executable, "score.py", *arguments, "--call", call, "--json"]
    told = subprocess.run(
        command, capture_output=True, check=True, text=True, cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    found = json.loads(told.stdout)
    return {name: found[key] for name, key in names.items()}


def measure_metadata(data: Path) -> dict[str, float]:
    """Fields of pages as text."""
    module = scorer(data, "metadata")
    records = lines_of(data / "metadata" / "dev.jsonl.gz")
    told = explained((record["id"].replace("/", "_") + ".txt", record["text"].encode()) for record in records)
    predictions = {record["id"]: page_fields(one) for record, one in zip(records, told, strict=True)}
    rows = {name: tally.row() for name, tally in module.score_meta(records, predictions).items()}
    return {
        **{f"{name} f1": row["f1"] for name, row in rows.items() if name != "language"},
        "language accuracy": rows["language"]["accuracy"],
    }


def page_fields(record: dict[str, Any]) -> dict[str, Any]:
    """A record's fields by the names of the metadata set."""
    if "error" in record:
        return {}
    fields = record["fields"]
    line = fields["dateline"]
    return {
        "headline": fields["headline"],
        "published": (fields["published_at"] or "")[:10] or None,
        "authors": fields["authors"],
        "section": fields["section"],
        "keywords": [*fields["topics"], *fields["persons"]],
        "site": fields["outlet"],
        "language": fields["language"],
        "dateline": line and {"places": line["places"], "agency": line["agency"]},
    }


def measure_datelines(data: Path) -> dict[str, float]:
    """Openings with and without a dateline."""
    from copydesk.metadata.datelines import parse_dateline

    module = scorer(data, "metadata")
    records = lines_of(data / "metadata" / "datelines.dev.jsonl")
    predictions = {}
    for record in records:
        found = parse_dateline(record["text"])
        predictions[record["id"]] = found.asdict() if found else {}
    rows = {name: tally.row() for name, tally in module.score_datelines(records, predictions).items()}
    return {f"{name} f1": row["f1"] for name, row in rows.items()}


def measure_linebench(data: Path) -> dict[str, float]:
    """Pages as lines: shingle F1 of the news, by variant, without the gain of many pages of a site."""
    module = scorer(data, "linebench")
    pages = lines_of(data / "linebench" / "dev.jsonl.gz")
    told = explained((f"{number}.txt", ("\n".join(page["lines"]) + "\n").encode()) for number, page in enumerate(pages))
    figures = {}
    for variant in ("light", "full"):
        both = [
            (page, one)
            for page, one in zip(pages, told, strict=True)
            if page["variant"] == variant and page["source_benchmark"] in module.NEWS
        ]
        figures[f"{variant} news shingle f1"] = shingle_f1(module, both)
    return figures


def shingle_f1(module: Any, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> float:
    """The set's main measure: precision and recall of 4-gram shingles, averaged over pages."""
    precision = recall = 0.0
    for page, one in pairs:
        keep = [int(fate == "text") for fate in one["fate"]]
        found = module.score_page(page, {"keep": keep})["shing"]
        precision, recall = precision + found[0] / len(pairs), recall + found[1] / len(pairs)
    return float(module.f1(precision, recall))


SETS: dict[str, tuple[str, Callable[[Path], dict[str, float]]]] = {
    "seeds": ("articles/seeds.gold.jsonl", measure_seeds),
    "articles": ("articles/dev.jsonl", measure_articles),
    "encodings": ("encodings/dev.jsonl", measure_encodings),
    "metadata": ("metadata/dev.jsonl.gz", measure_metadata),
    "datelines": ("metadata/datelines.dev.jsonl", measure_datelines),
    "linebench": ("linebench/dev.jsonl.gz", measure_linebench),
}

if __name__ == "__main__":
    sys.exit(main())
