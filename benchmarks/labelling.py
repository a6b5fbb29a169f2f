"""What the labelling is worth: beside other tools, each evidence by itself, on more and more pages of a site, in speed.

    python benchmarks/labelling.py peers       copydesk and others on the evaluation sets
    python benchmarks/labelling.py ablation    each evidence alone and each left out
    python benchmarks/labelling.py curve       the bar of dropping moved: text lost against furniture left
    python benchmarks/labelling.py growth      invented sites: what 5, 20 and 50 pages of a site add
    python benchmarks/labelling.py context     labelled articles ingested with others of their outlets
    python benchmarks/labelling.py speed --corpus DIR    lines per CPU second on one core, DIR holding raw texts

The evaluation sets are no part of the project: they are looked for in COPYDESK_EVALUATION_DATA (default ../shared).
Everything is printed as plain tables. How the figures are made: docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import polars as pl  # noqa: E402 - the number of threads is read on import

from benchmarks.corpora import EVIDENCES, Corpus, Text, held_out, only  # noqa: E402
from benchmarks.growth import growth  # noqa: E402
from benchmarks.peers import METHODS  # noqa: E402
from benchmarks.quality import lines_of, scorer, shingle_f1  # noqa: E402
from copydesk.evaluation.report import table  # noqa: E402
from copydesk.knowledge import Knowledge  # noqa: E402
from copydesk.labels import KEPT  # noqa: E402
from copydesk.lines import decision, label_lines  # noqa: E402
from copydesk.lines.glance import glance, restored, tables  # noqa: E402
from copydesk.lines.profiles import Profiles, load_profiles  # noqa: E402
from copydesk.lines.repetition import SAFE, learn, line_key, seen, survey  # noqa: E402
from copydesk.lines.sites import counting_key  # noqa: E402

QUOTED: Final = {"trafilatura on the HTML": 0.962, "readability on the HTML": 0.918, "newspaper4k on the HTML": 0.897}
"""Shingle F1 on whole pages, measured once on the pages' HTML, which the line benchmark does not hold."""
WHAT: Final = ["peers", "ablation", "curve", "growth", "context", "speed"]
OURS: Final = ("copydesk, sites seen in training", "copydesk, sites unseen")


def main() -> int:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=[*WHAT, "all"])
    parser.add_argument("--corpus", type=Path, help="for speed: a folder of raw texts")
    parser.add_argument("--pages", type=int, default=400, help="pages of the line benchmark (default 400, 0: all)")
    parser.add_argument("--held-out", type=Path, help="out-of-fold probabilities (Parquet), to judge unseen sites with")
    asked = parser.parse_args()
    held = held_out(asked.held_out)
    data = Path(os.environ.get("COPYDESK_EVALUATION_DATA", ROOT.parent / "shared"))
    wanted = WHAT if "all" in asked.what else asked.what
    if not (data / "articles" / "dev.jsonl").is_file():
        print(
            f"no evaluation data in {data} (set COPYDESK_EVALUATION_DATA), so without peers, ablation, curve, context"
        )
        wanted = [name for name in wanted if name in ("growth", "speed")]
    for name in wanted:
        match name:
            case "peers":
                peers(data, asked.pages, held)
            case "ablation":
                ablation(data, held)
            case "curve":
                curve(data, asked.pages, held)
            case "growth":
                growth()
            case "context":
                context(data, held)
            case "speed":
                speed(asked.corpus)
    return 0


# ---------------------------------------------------------------- copydesk beside others


def peers(data: Path, limit: int, held: pl.DataFrame | None) -> None:
    """Side by side on the labelled articles, the seeds and the news pages of the line benchmark."""
    module = scorer(data, "articles")
    for gold, raw in (("dev", "articles/dev"), ("seeds.gold", "seeds")):
        records = module.load(data / "articles" / f"{gold}.jsonl")
        lines = {record["id"]: module.raw_lines(record, data / raw) for record in records}
        judged = labels_of(records, data / raw, held)
        rows = []
        for name, method in METHODS.items():
            kept = {one["id"]: method(lines[one["id"]], one["fields"]["language"]) for one in records}
            rows.append([name, *article_row(module, records, lines, {key: {"keep": one} for key, one in kept.items()})])
        rows.append(
            [
                OURS[held is not None],
                *article_row(module, records, lines, {key: {"labels": one} for key, one in judged.items()}),
            ]
        )
        print(f"\narticles: {gold}, {len(records)} documents\n\n{table(ARTICLE_HEAD, rows)}")
    page_table(data, limit, held)


ARTICLE_HEAD: Final = [
    "",
    "drop P",
    "drop R",
    "drop F1",
    "body lost",
    "headings lost",
    "clean changed",
    "link P",
    "link R",
]


def article_row(module: Any, records: Iterable[Any], lines: dict[str, list[str]], told: dict[str, Any]) -> list[Any]:
    """The figures of the articles' scorer for predictions by document."""
    if any(None in one.values() for one in told.values()):
        return ["not installed", *[None] * (len(ARTICLE_HEAD) - 2)]
    score = module.Acc()
    for record in records:
        score.add(record, told[record["id"]], lines[record["id"]])
    found = score.result()
    drop, loss, clean, link = (
        found[name] for name in ("drop_chars", "text_loss", "docs_without_boilerplate", "mid_body_related_links")
    )
    return [
        *(drop[name] for name in ("precision", "recall", "f1")),
        f"{loss['share_of_body_chars']:.2%}",
        f"{loss['headings_dropped']} of {loss['of_headings']}",
        f"{clean['changed']} of {clean['docs']}",
        link["precision"],
        link["recall"],
    ]


def labels_of(records: Iterable[Any], folder: Path, held: pl.DataFrame | None) -> dict[str, list[str]]:
    """Copydesk's labels with the shipped knowledge."""
    profiles = load_profiles()
    texts = [Text(one["id"], (folder / f"{one['id']}.txt").read_bytes()) for one in records]
    judged = Corpus.of(texts, profiles, held=held).judged(Knowledge(), profiles)
    return {key: part["label"].to_list() for key, part in judged.items()}


def page_table(data: Path, limit: int, held: pl.DataFrame | None) -> None:
    """Shingle F1 on the news pages of the line benchmark."""
    module, news, corpus = news_pages(data, limit, held)
    judged = corpus.judged(Knowledge(), load_profiles())
    told: dict[str, list[list[bool] | None]] = {
        name: [method(one["lines"], one["lang"]) for one in news] for name, method in METHODS.items()
    }
    told[OURS[held is not None]] = [judged[name_of(one)]["label"].is_in(KEPT).to_list() for one in news]
    rows = []
    for name, kept in told.items():
        figures = []
        for variant in ("light", "full"):
            pairs = [(one, page_fates(keep)) for one, keep in zip(news, kept, strict=True) if one["variant"] == variant]
            figures.append(None if kept[0] is None else shingle_f1(module, pairs))
        rows.append([name, *figures] if kept[0] is not None else [name, "not installed", None])
    rows += [[f"({name})", None, figure] for name, figure in QUOTED.items()]
    count = len({one["id"] for one in news})
    print(f"\nnews pages as lines: {count} pages, shingle F1 (in brackets: quoted, all pages)\n")
    print(table(["", "text and its surroundings", "whole page"], rows))


def news_pages(data: Path, limit: int, held: pl.DataFrame | None) -> tuple[Any, list[dict[str, Any]], Corpus]:
    """The line benchmark's scorer, its news pages (about `limit`, 0: all) in both cuts, and a corpus of them."""
    module = scorer(data, "linebench")
    news = [one for one in lines_of(data / "linebench" / "dev.jsonl.gz") if one["source_benchmark"] in module.NEWS]
    names = sorted({page["id"] for page in news})
    chosen = set(names[:: max(1, len(names) // limit) if limit else 1])
    news = [page for page in news if page["id"] in chosen]
    texts = [Text(name_of(one), ("\n".join(one["lines"]) + "\n").encode()) for one in news]
    return module, news, Corpus.of(texts, load_profiles(), held=held)


def name_of(page: dict[str, Any]) -> str:
    """A page's cut, under the name that out-of-fold probabilities know it by."""
    return f"{page['id']} {page['variant']}"


def page_fates(keep: list[bool] | None) -> dict[str, Any]:
    """Kept or not as the fates that quality.shingle_f1 reads."""
    return {"fate": ["text" if one else "dropped" for one in keep or ()]}


# ---------------------------------------------------------------- each evidence by itself


def ablation(data: Path, held: pl.DataFrame | None) -> None:
    """Labelled articles, ingested with their outlets' other documents; each evidence alone and each left out."""
    module, records, corpus = with_context(data, held)
    profiles = load_profiles()
    knowledge = corpus.knowledge(profiles)
    lines = {record["id"]: module.raw_lines(record, data / "articles" / "dev") for record in records}
    wanted = set(lines)
    everything = set(EVIDENCES)
    choices = {"all": everything, **{f"{name} alone": {name} for name in EVIDENCES}}
    choices |= {f"without {name}": everything - {name} for name in EVIDENCES} | {"none": set()}
    rows = []
    for name, given in choices.items():
        with only(given, knowledge, profiles) as (known, rules):
            judged = corpus.judged(known, rules, wanted)
        told = {key: {"labels": part["label"].to_list()} for key, part in judged.items()}
        rows.append([name, *article_row(module, records, lines, told)])
    others = corpus.documents.height - len(records)
    print(f"\nablation: {len(records)} articles, ingested with {others} of their outlets\n")
    print(table(ARTICLE_HEAD, rows))


def with_context(data: Path, held: pl.DataFrame | None) -> tuple[Any, list[Any], Corpus]:
    """The articles' scorer, the labelled records, and a corpus of them and their outlets' other documents."""
    module = scorer(data, "articles")
    folder = data / "articles"
    records = module.load(folder / "dev.jsonl")
    index = lines_of(folder / "context" / "index.jsonl")
    outlets = {key: one["outlet"] for one in index for key in one["labelled"]}
    texts = [
        Text(one["id"], (folder / "dev" / f"{one['id']}.txt").read_bytes(), outlets.get(one["id"], one["id"]))
        for one in records
    ]
    for one in index:
        texts += [
            Text(f"context {key}", (folder / "context" / one["slug"] / f"{key}.txt").read_bytes(), one["outlet"])
            for key in one["context"]
        ]
    return module, records, Corpus.of(texts, load_profiles(), held=held)


# ---------------------------------------------------------------- the bar of dropping, moved


SHIFTS: Final = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Log-odds added to the bar above which a line is dropped."""


def curve(data: Path, limit: int, held: pl.DataFrame | None) -> None:
    """What a lower or a higher bar would give: labelled articles one by one, and news pages as lines."""
    module, profiles = scorer(data, "articles"), load_profiles()
    records = module.load(data / "articles" / "dev.jsonl")
    lines = {record["id"]: module.raw_lines(record, data / "articles" / "dev") for record in records}
    pages, news, corpus = news_pages(data, limit, held)
    rows, bar = [], vars(decision)["_BAR"]
    for shift in SHIFTS:
        with patch.object(decision, "_BAR", bar + shift):
            judged = labels_of(records, data / "articles" / "dev", held)
            seen_as = corpus.judged(Knowledge(), profiles)
        told = {key: {"labels": one} for key, one in judged.items()}
        cuts = []
        for variant in ("light", "full"):
            chosen = [one for one in news if one["variant"] == variant]
            kept = [page_fates(seen_as[name_of(one)]["label"].is_in(KEPT).to_list()) for one in chosen]
            cuts.append(shingle_f1(pages, list(zip(chosen, kept, strict=True))))
        rows.append([f"{shift:+.1f}", *article_row(module, records, lines, told), *cuts])
    print(f"\ncurve: {len(records)} articles and {len({one['id'] for one in news})} news pages, the bar moved by\n")
    print(table([*ARTICLE_HEAD, "text and its surroundings", "whole page"], rows))


# ---------------------------------------------------------------- articles among others of their outlets


def context(data: Path, held: pl.DataFrame | None) -> None:
    """Labelled articles with and without the other documents of their outlets."""
    module, records, corpus = with_context(data, held)
    profiles = load_profiles()
    lines = {record["id"]: module.raw_lines(record, data / "articles" / "dev") for record in records}
    wanted = set(lines)
    alone = corpus.judged(Knowledge(), profiles, wanted)
    among = corpus.judged(corpus.knowledge(profiles), profiles, wanted)
    rows = []
    for name, judged in (("each document alone", alone), ("with their outlets", among)):
        told = {key: {"labels": part["label"].to_list()} for key, part in judged.items()}
        rows.append([name, *article_row(module, records, lines, told)])
    print(f"\ncontext: {len(records)} articles, {corpus.documents.height - len(records)} others of their outlets\n")
    print(table(ARTICLE_HEAD, rows))
    gold = {one["id"]: pl.Series("gold", one["labels"]) for one in records}
    before = pl.concat([part.with_columns(gold[key]) for key, part in alone.items()])
    after = pl.concat([part.select(now="label", decided="evidence") for part in among.values()])
    told = pl.concat([before, after], how="horizontal").filter(pl.col("gold") != "blank")
    told = told.with_columns(
        seen=seen_in(corpus, told, profiles),
        kind=pl.col("gold").replace_strict(GOLD, default="furniture"),
    ).filter(pl.col("seen") > 1)
    often = pl.when(pl.col("seen") >= SAFE).then(pl.lit("3 or more")).otherwise(pl.lit("2"))
    counts = told.group_by("kind", often=often).agg(
        pl.len(),
        (~pl.col("label").is_in(KEPT)).sum().alias("alone"),
        (~pl.col("now").is_in(KEPT)).sum().alias("among"),
        pl.col("decided").str.contains("^(repeat|headline:other)").sum(),
    )
    print("\nlines that recur at their outlet, the judged one counted, by what they are\n")
    head = ["", "documents", "lines", "dropped alone", "dropped with their outlets", "decided by the corpus"]
    print(table(head, counts.sort("kind", "often").iter_rows(), left=2))


GOLD: Final = {"body": "text", "heading": "text", "headline": "title", "deck": "title", "dateline": "title"}


def seen_in(corpus: Corpus, spans: pl.DataFrame, profiles: Profiles) -> pl.Series:
    """In how many documents of its site or outlet each line was seen."""
    key = counting_key(corpus.documents, corpus.documents["site"])
    places = dict(zip(corpus.documents["doc"], key, strict=True))
    site = spans["doc"].replace_strict(places, return_dtype=pl.String)
    return pl.Series(seen(line_key(spans["text"]), site, corpus.knowledge(profiles)))


# ---------------------------------------------------------------- speed


def speed(folder: Path | None) -> None:
    """Lines per CPU second of label_lines with everything on; one core."""
    if folder is None:
        print("\nspeed: not measured, give a folder of raw texts with --corpus")
        return
    files = sorted(folder.rglob("*.txt"))[:5000]
    profiles = load_profiles()
    texts = [Text(str(path.relative_to(folder)), path.read_bytes(), path.parent.name) for path in files]
    corpus = Corpus.of(texts, profiles)
    start = time.process_time()
    first = glance(corpus.prepared.lines, corpus.prepared.documents, profiles)
    surveyed: dict[str, Any] = survey(corpus.prepared.lines, corpus.documents, profiles, first.shape)
    kept, knowledge = tables(first, profiles), Knowledge(**learn([surveyed]))
    learned = time.process_time() - start
    label_lines(corpus.prepared.lines.head(2000), corpus.documents, knowledge, profiles)  # what is loaded once
    n = corpus.prepared.lines.height
    rows = [["survey and learn", n, learned, int(n / learned)]]
    cases = {"label, no corpus": (Knowledge(), False), "label, everything on": (knowledge, False)}
    for name, (known, after) in (cases | {"label, everything on, after the survey": (knowledge, True)}).items():
        spent = []
        for _ in range(3):
            start = time.process_time()
            shape = restored(corpus.prepared.lines, kept, profiles).shape if after else None
            label_lines(corpus.prepared.lines, corpus.documents, known, profiles, shape=shape)
            spent.append(time.process_time() - start)
        rows.append([name, n, min(spent), int(n / min(spent))])
    print(f"\nspeed: {len(files)} documents, {pl.thread_pool_size()} Polars thread, best of three\n")
    print(table(["", "lines", "CPU s", "lines per CPU s"], rows))


if __name__ == "__main__":
    sys.exit(main())
