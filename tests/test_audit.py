"""Audits: a fair sample, drawn again the same, and bounds that hold the truth."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from copydesk.cli import main
from copydesk.config import Config
from copydesk.errors import ConfigError
from copydesk.estimate import KIND, bounds, estimate, read_audit
from copydesk.evaluation.audit import _shared_out, draw
from copydesk.evaluation.scores import GONE
from copydesk.labels import KEPT
from copydesk.release.verify import verify
from copydesk.review.asked import audited
from tests.browser import chromium
from tests.release_samples import release, sample_tables

SOURCES = ("harbour", "island")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 invented documents of two sources, with confidences of all kinds."""
    folder = tmp_path_factory.mktemp("audit") / "harbour-corpus"
    parts = [sample_tables(range(60), source=source) for source in SOURCES]
    articles, ledger = (pl.concat([part[at] for part in parts]) for at in (0, 1))
    chance = random.Random(1)
    sure = pl.Series("confidence", [chance.choice([0.5, 0.7, 0.95, 0.99]) for _ in range(ledger.height)], pl.Float32)
    release(folder, (articles, ledger.with_columns(sure)))
    return folder


def test_the_same_sample_is_drawn_again_and_another_seed_draws_another(dataset: Path) -> None:
    """Lines are a function of release, number and seed."""
    first, again, other = draw(dataset, 60), draw(dataset, 60), draw(dataset, 60, seed=1)
    assert first == again
    assert first["strata"] == other["strata"]
    assert {tuple(line[:3]) for line in first["lines"]} != {tuple(line[:3]) for line in other["lines"]}


def test_strata_count_every_line_and_lines_are_of_their_strata(dataset: Path) -> None:
    """Population sizes are those of the ledger; each drawn line has the label and confidence of its stratum."""
    sample = draw(dataset, 60)
    ledger = pl.read_parquet(_shards(dataset, "ledger"))
    label = pl.col("label").cast(pl.String)
    sizes = {"kept": ledger.filter(label.is_in(KEPT)).height, "out": ledger.filter(label.is_in(GONE)).height}
    for decision, size in sizes.items():
        assert sum(one["lines"] for one in sample["strata"] if one["decision"] == decision) == size
    assert len(sample["lines"]) == 60 == sum(one["drawn"] for one in sample["strata"])
    assert len({tuple(line[:3]) for line in sample["lines"]}) == 60
    rows = {(row["id"], row["line"], row["span"]): row for row in ledger.to_dicts()}
    for name, line, span, stratum, decision in sample["lines"]:
        row, doubt = rows[name, line, span], sample["strata"][stratum]["name"].split(" · ")[2]
        assert (row["label"] in KEPT) == (decision == "kept")
        assert doubt == (
            "sure" if row["confidence"] >= 0.9 else "fair" if row["confidence"] >= 0.7 - 1e-6 else "doubtful"
        )


def _shards(dataset: Path, table: str) -> list[Path]:
    from copydesk.release.manifest import choose, read_manifest

    return [dataset / shard.file for shard in read_manifest(dataset, choose(dataset, None)).shards(table)]


def test_few_lines_pool_small_sources(dataset: Path) -> None:
    """With few lines, two sources of three strata and two decisions are too many; they fall together."""
    names = [{one["name"].split(" · ")[0] for one in draw(dataset, number)["strata"]} for number in (20, 39, 40)]
    assert names == [{"all sources"}, {"all sources"}, set(SOURCES)]


@pytest.mark.parametrize(
    ("strata", "number", "wanted"),
    [
        ([(1000, 0.01), (1000, 0.2)], 100, 100),
        ([(1, 0.01), (1000, 0.2)], 100, 100),
        ([(5, 0.01), (5, 0.2)], 100, 10),
        ([(1000, 0.01)] * 30, 20, 60),
    ],
)
def test_the_sample_is_shared_out_whole(strata: list[tuple[int, float]], number: int, wanted: int) -> None:
    """All of it, never more than there is, two of each at least; more where errors are likelier."""
    drawn = _shared_out(strata, number)
    assert sum(drawn) == wanted
    assert all(min(2, lines) <= some <= lines for some, (lines, _) in zip(drawn, strata, strict=True))
    if strata[0][0] == strata[1][0] == 1000 and len(strata) == 2:
        assert drawn[1] > 3 * drawn[0]


SCENARIOS = {
    "typical": ([80_000, 15_000, 5_000], [0.002, 0.03, 0.2]),
    "hardly any": ([80_000, 15_000, 5_000], [0.0005, 0.0, 0.05]),
    "bad": ([60_000, 30_000, 10_000], [0.05, 0.15, 0.4]),
    "not where it was looked for": ([95_000, 4_000, 1_000], [0.01, 0.01, 0.01]),
}


@pytest.mark.parametrize("case", SCENARIOS)
def test_bounds_hold_the_truth(case: str) -> None:
    """In at least 93 % of 400 simulated samples of 200 lines, whatever the errors are like."""
    sizes, rates = SCENARIOS[case]
    drawn = _shared_out(list(zip(sizes, [0.01, 0.05, 0.2], strict=True)), 200)
    truth = sum(size * rate for size, rate in zip(sizes, rates, strict=True)) / sum(sizes)
    chance, known, held = np.random.default_rng(5), {}, 0
    for _ in range(400):
        wrong = tuple(int(one) for one in chance.binomial(drawn, rates))
        if wrong not in known:
            known[wrong] = bounds(list(zip(sizes, drawn, wrong, strict=True)))
        _, low, high = known[wrong]
        held += low <= truth <= high  # type: ignore[operator]
    assert held >= 0.93 * 400


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([(10**9, 100, 0)], (0.0, 0.0, 0.0362)),  # Clopper and Pearson's own tables
        ([(10**9, 100, 5)], (0.05, 0.0164, 0.1128)),
        ([(10**9, 100, 100)], (1.0, 0.9638, 1.0)),
        ([(40, 40, 3)], (0.075, 0.075, 0.075)),
        ([(100, 0, 0)], (None, None, None)),
    ],
)
def test_bounds_of_one_stratum_are_clopper_and_pearsons(
    parts: list[tuple[int, int, int]], wanted: tuple[float | None, ...]
) -> None:
    """For one large stratum, nearly the exact ones; for all lines judged, the share itself."""
    found = bounds(parts)
    for one, other in zip(found, wanted, strict=True):
        assert one == other or abs(one - other) < 0.006  # type: ignore[operator]


def test_a_stratum_nobody_judged_could_be_anything() -> None:
    """Its lines widen the bounds both ways."""
    _, low, high = bounds([(900, 50, 0), (100, 0, 0)])
    assert low == 0
    assert high is not None
    assert high > 0.1


def judged(sample: dict[str, Any], path: Path, wrong: Any = lambda _line: False) -> Path:
    """The sample as the page exports it, judged."""
    lines, head = sample["lines"], {key: sample[key] for key in sample if key not in ("lines", "file")}
    names = ("id", "line", "span", "stratum", "decision")
    records = [
        {**dict(zip(names, line, strict=True)), "verdict": "wrong" if wrong(line) else "right", "who": "ada"}
        for line in lines
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in [head, *records]))
    return path


def test_an_audit_says_what_is_lost_and_left(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All lines left out are called wrong, no kept one is: all is lost and nothing left, as text and as JSON."""
    path = judged(draw(dataset, 60), tmp_path / "audit.jsonl", lambda line: line[4] == "out")
    found = estimate(read_audit(path))
    assert (found["lost"]["share"], found["left"]["share"], found["judged"], found["who"]) == (1.0, 0.0, 60, ["ada"])
    kept = sum(one.lines for one in read_audit(path).head.strata if one.decision == "kept")
    assert abs(found["lost_of_text"]["share"] - found["lost"]["of"] / (found["lost"]["of"] + kept)) < 1e-9
    assert main(["evaluate", "--audit-result", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found))
    assert main(["evaluate", "--audit-result", str(path)]) == 0
    assert "furniture left, of the lines kept  0.00% (0.00% to" in capsys.readouterr().out


FAULTS: list[tuple[Any, str]] = [
    (lambda rows: rows[1:], f"does not begin with '{KIND}'"),
    (lambda rows: [rows[0], {**rows[1], "verdict": "maybe"}], "line 2: verdict = 'maybe'"),
    (lambda rows: [rows[0], {**rows[1], "stratum": 99}], "stratum = 99: the head has no such stratum"),
    (lambda rows: [rows[0], rows[1], rows[1]], "line 3: line"),
    (lambda rows: [{**rows[0], "strata": [{**one, "drawn": 0} for one in rows[0]["strata"]]}, *rows[1:]], "of 0 drawn"),
]


@pytest.mark.parametrize(("change", "told"), FAULTS)
def test_an_audit_out_of_order_is_told(change: Any, told: str, dataset: Path, tmp_path: Path) -> None:
    """File, line, value and remedy."""
    path = judged(draw(dataset, 20), tmp_path / "audit.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in change(rows)))
    with pytest.raises(ConfigError) as found:
        read_audit(path)
    assert told in str(found.value)


def test_evaluate_wants_one_thing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither nothing nor two at once; and a sample that can say something."""
    for words in (["evaluate"], ["evaluate", "gold.jsonl", "--audit", "50"]):
        assert main(words) == 2
        assert "give GOLD, or --audit N, or --audit-result FILE" in capsys.readouterr().err


def test_the_card_tells_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It makes a release of the description, with a section in the card; that of another dataset is refused."""
    (tmp_path / "texts").mkdir()
    for number in range(6):
        body = "\n\n".join(f"The ferry ran {number} times on day {day}, its owner said." for day in range(8))
        (tmp_path / "texts" / f"{number}.txt").write_text(f"All news\n\nFerry runs {number} times\n\n{body}\n\nShare\n")
    words = ["ingest", "--no-prefect", str(tmp_path / "texts"), "--into", str(tmp_path / "dist")]
    config = tmp_path / "copydesk.toml"
    config.write_text("")
    assert main([*words, "--config", str(config)]) == 0
    dataset = tmp_path / "dist" / "texts"
    assert "## Audit" not in (dataset / "README.md").read_text()
    judged(draw(dataset, 20), tmp_path / "audit.jsonl")
    config.write_text('[dataset]\naudit = "audit.jsonl"\n')
    capsys.readouterr()
    assert main([*words, "--config", str(config)]) == 0
    assert "texts 1.0.1 (description)" in capsys.readouterr().out
    card = (dataset / "README.md").read_text()
    assert "## Audit\n\n`ada` judged 20 lines, drawn by source, decision and doubt from release 1.0.0" in card
    assert verify(dataset) == []
    assert main([*words, "--config", str(config)]) == 0
    assert "nothing changed" in capsys.readouterr().out.lower()
    assert main([*words, "--config", str(config), "--name", "other"]) == 2
    assert "is an audit of 'texts', not of 'other'" in capsys.readouterr().err
    config.write_text('[dataset]\naudit = "lost.jsonl"\n')
    assert main(["ingest", "--no-prefect", "--dry-run", "--config", str(config), str(tmp_path / "texts")]) == 2
    assert "lost.jsonl: cannot be read (No such file or directory)" in capsys.readouterr().err


@pytest.mark.slow
def test_an_audit_is_judged_in_the_page(dataset: Path, tmp_path: Path) -> None:
    """Each line is asked in its surroundings; the keys judge it; what is exported is what `--audit-result` reads."""
    sample = draw(dataset, 20)
    page = audited(dataset, sample, Config(), tmp_path / "audit.html")
    with chromium(tmp_path / "browser") as browser:
        browser.open(page)
        browser.run("document.querySelector('#who').value = 'ada'")
        for number in range(20):
            title = f"Line {number + 1} of 20"
            browser.until(f"document.querySelector('#audit h2')?.textContent === '{title}'")
            assert browser.run("document.querySelectorAll('.asked mark').length") == 1
            browser.press("w" if number == 3 else "s" if number == 5 else "r")
        browser.press("e")
        saved = browser.wait(lambda: [one for one in browser.downloads.glob("*.jsonl") if one.stat().st_size])[0]
        assert browser.faults() == []
    assert saved.name == sample["file"]
    audit = read_audit(saved)
    assert [(one.id, one.line, one.span) for one in audit.verdicts] == [tuple(line[:3]) for line in sample["lines"]]
    assert [one.verdict for one in audit.verdicts[:6]] == ["right", "right", "right", "wrong", "right", "unsure"]
    assert estimate(audit)["judged"] == 19
