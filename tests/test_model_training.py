"""Training of the line model: gold files in three forms, slopes that are true, and the same bytes each time."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from copydesk.errors import UsageError
from copydesk.labels import FATE_OF, LABELS
from copydesk.lines.features import LOOKS, PLACES, Features, features_of
from copydesk.lines.fitting import logistic
from copydesk.lines.gold import bits, read_gold, site_key
from copydesk.lines.model import SLOTS, Scaling, Vocabulary, Weights, load, predict
from copydesk.lines.network import VECTORS, Batch, Learner, Shape, new_parameters
from copydesk.lines.shape import measure, ranges
from copydesk.lines.training import Settings, examples_of, fit, fold_of, save, train

STORY = "Heron returns to the mill pond\n\nA grey heron was seen at the mill pond on Monday, the first in nine years.\n"
SMALL = Settings(epochs=2, batch=4, hidden=8, vector=8, dilations=(1, 2), least_sites=1)


def write_lines(path: Path, records: list[dict[str, object]]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def gold(tmp_path: Path) -> list[Path]:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "heron.txt").write_text(STORY, encoding="utf-8")
    article = {"id": "heron", "encoding": "utf-8", "n_lines": 3, "labels": ["headline", "blank", "body"]}
    page = {"id": "p", "variant": "full", "domain": "mill.example", "source_benchmark": "wcxb", "title_lines": [1]}
    page |= {"lines": ["Home", "Mill opens", "The mill opened on Friday, after a long wait."], "keep": [0, 0, 1]}
    fields = {"headline": "Fair in spring", "authors": ["Ada Quill"], "published": "2019-03-12"}
    record = {"id": "m", "domain": "www.mill.example", "gold": fields}
    record["text"] = (
        "Home\nFair in spring\nBy Ada Quill\n12 March 2019\n\nThe fair is back, says Ada Quill, after " + "x" * 80
    )
    return [
        write_lines(tmp_path / "dev.jsonl", [{**article, "fields": {"outlet": "The Mill"}}]),
        write_lines(tmp_path / "pages.jsonl.gz", [page]),
        write_lines(tmp_path / "fields.jsonl", [record]),
    ]


def test_gold_in_three_forms_is_one_table(gold: list[Path]) -> None:
    """What is right of a line is one label, a set of labels, or unknown, according to what the gold says."""
    lines = read_gold(gold)
    right = dict(zip(zip(lines["id"], lines["line"], strict=True), lines["right"], strict=True))
    assert right["heron", 1] == bits(["headline"])
    assert right["heron", 3] == bits(["body"])
    assert right["p", 1] == bits([label for label in LABELS if FATE_OF[label] in ("dropped", "field")])
    assert right["p", 2] == bits(["headline"])
    assert right["p", 3] == bits(["body", "heading"])
    assert right["m", 2] == bits(["headline"])
    assert right["m", 3] == bits(["byline"])
    assert right["m", 4] == bits(["date_line"])
    assert right["m", 6] & bits(["headline"]) == 0
    assert lines["site"].unique().to_list() == ["mill"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("The Mill", "mill.example"), ("Mill News", "www.mill.co.uk"), ("Türkiye Heute", "turkiyeheute.example")],
)
def test_site_key_joins_name_and_domain(one: str, other: str) -> None:
    """An outlet's name and its domain have one key, so that they are held out together."""
    assert site_key(one) == site_key(other)
    assert 0 <= fold_of(site_key(one) or "") < 5


def test_unknown_gold_is_refused(tmp_path: Path) -> None:
    """A file in no known form is named, and an empty list of files is refused."""
    with pytest.raises(UsageError, match="odd"):
        read_gold([write_lines(tmp_path / "odd.jsonl", [{"id": "x"}])])
    with pytest.raises(UsageError, match="no gold"):
        train([], tmp_path / "weights.npz")


def test_what_evaluate_reads_can_be_learned_from(tmp_path: Path) -> None:
    """A gold file needs an id and labels, and nothing else."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "heron.txt").write_text(STORY, encoding="utf-8")
    path = write_lines(
        tmp_path / "plain.jsonl", [{"id": "heron", "labels": ["headline", None, "body"], "fields": None}]
    )
    assert read_gold([path])["right"].to_list() == [bits(["headline"]), 0, bits(["body"])]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"id": "heron", "labels": ["headline", "blank"]}, r"heron\.txt: has 3 lines and 2 labels"),
        (
            {"id": "heron", "labels": ["tail", "blank", "body"]},
            r"'heron': unknown labels \['tail'\]; give some of body",
        ),
        ({"id": "stork", "labels": ["body"]}, r"stork\.txt: cannot be read \(No such file or directory\)"),
    ],
)
def test_gold_that_does_not_fit_its_text_is_refused(tmp_path: Path, record: dict[str, object], told: str) -> None:
    """The record and the remedy are named."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "heron.txt").write_text(STORY, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        read_gold([write_lines(tmp_path / "plain.jsonl", [record])])


def test_gold_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and a broken line."""
    (tmp_path / "broken.jsonl").write_text("{", encoding="utf-8")
    for path in (tmp_path / "none.jsonl", tmp_path, tmp_path / "broken.jsonl"):
        with pytest.raises(UsageError, match=r"cannot be read as JSON lines"):
            read_gold([path])


def test_training_gives_the_same_bytes(gold: list[Path], tmp_path: Path) -> None:
    """The same gold and settings give the same file, byte for byte."""
    examples = examples_of(read_gold(gold), SMALL)
    for name in ("a", "b"):
        save(fit(examples, np.ones(len(examples.sites), bool), SMALL), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_training_gives_all_that_judging_needs(gold: list[Path], tmp_path: Path) -> None:
    """The file that `train` writes holds what the shipped one holds: the network and the weights of the decision."""
    train(gold, tmp_path / "weights.npz", SMALL)
    with np.load(tmp_path / "weights.npz") as made:
        deeper = {f"conv{number}_{part}" for number in range(len(SMALL.dilations), 5) for part in "wb"}
        assert set(made.files) == set(load()) - deeper
        for name in ("evidence", "headline_plain", "headline_model"):
            assert made[name].shape == load()[name].shape
            assert np.isfinite(made[name]).all()


def test_logistic_regression_finds_what_decides() -> None:
    """The weights of terms that decide are large and of the right sign; a term that says nothing gets next to none."""
    random = np.random.default_rng(1)
    terms = np.column_stack([np.ones(4000), random.normal(size=(4000, 3))])
    chance = 1 / (1 + np.exp(-(terms @ np.array([0.5, 2.0, -1.0, 0.0]))))
    found = logistic(terms, (random.random(4000) < chance).astype(float), np.ones(4000))
    assert found == pytest.approx([0.5, 2.0, -1.0, 0.0], abs=0.2)


def test_slopes_are_true() -> None:
    """Each parameter's slope is what the loss does when that parameter moves a little."""
    random = np.random.default_rng(0)
    shape = Shape(dense=5, words=20, pairs=15, vector=4, hidden=6, dilations=(1, 2), labels=7)
    values = {name: value.astype(np.float64) for name, value in new_parameters(shape, random).items()}
    lines = np.sort(random.integers(0, 7, 12))
    right = random.random((7, 7)) < 0.4
    right[:, 0] = True
    batch = Batch(
        random.normal(size=(7, 5)), random.integers(0, 21, 12), lines, random.integers(0, 16, 12), lines,
        random.integers(0, 22, 7), random.integers(0, 22, 7), np.array([0, 0, 0, 0, 1, 1, 2]), right, np.ones(7),
    )  # fmt: skip
    learner = Learner(shape, values, random)
    slopes = learner.slopes(batch)[1]
    for name, value in values.items():
        at = np.unravel_index(np.abs(slopes[name]).argmax(), value.shape)
        middle = value[at]
        loss = []
        for step in (1e-4, -1e-4):
            value[at] = middle + step
            loss.append(learner.slopes(batch)[0])
        value[at] = middle
        assert (loss[0] - loss[1]) / 2e-4 == pytest.approx(slopes[name][at], rel=1e-3)


def test_what_is_judged_is_what_was_learnt(gold: list[Path]) -> None:
    """Probabilities are those of the network that learnt, for documents of any length that are judged side by side."""
    examples = examples_of(read_gold(gold), SMALL)
    weights = fit(examples, np.ones(len(examples.sites), bool), SMALL)
    weights = {**weights, **{name: 4 * weights[name] for name in ("conv0_w", "conv1_w", "pool_w")}}  # that more shows
    lengths = (1, 8, 9, 2, 40, 41, 44, 3, 44, 8)
    rows = [(doc, line) for doc, length in enumerate(lengths) for line in range(length)]
    words = ["Home", "Mill opens", "The heron", "Read more", "12 March 2019", "A pond, a mill and a fair."]
    text = [words[(doc + line * (line % 5 == 4)) % len(words)] for doc, line in rows]
    shape = measure(pl.DataFrame(rows, schema=["doc", "line"], orient="row").with_columns(text=pl.Series(text)))
    features = features_of(shape)
    batch = whole_batch(weights, features, len(rows))
    sizes = Shape(batch.dense.shape[1], len(weights["words"]), len(weights["pairs"]), 8, 8, SMALL.dilations, 17)
    values = {name: weights[name].astype(np.float32) for name in new_parameters(sizes, np.random.default_rng(0))}
    values |= {name: values[name] * np.float32(weights[f"{name}_step"]) for name in VECTORS}
    learnt = Learner(sizes, values, np.random.default_rng(0)).slopes(batch)[0]
    judged = -np.log((predict(shape, weights)[:, :-1] * batch.right).sum(axis=1)).mean()
    assert judged == pytest.approx(learnt, abs=3e-4)


def whole_batch(weights: Weights, features: Features, count: int) -> Batch:
    """All lines, nothing blurred; half of the labels are right, others on every third line."""
    words, pairs = (
        Vocabulary(weights[name].astype(np.uint64)).look_up(getattr(features, name)) for name in ("words", "pairs")
    )
    looks, places = (Scaling(weights, name)(getattr(features, name)).T for name in ("looks", "places"))
    lines, bounds = np.arange(count), features.word_bounds
    first, last = (np.full(len(bounds) - 1, len(weights["words"]) + 1) for _ in range(2))
    some = bounds[1:] > bounds[:-1]
    first[some], last[some] = words[bounds[:-1][some]], words[bounds[1:][some] - 1]
    right = np.zeros((count, len(LABELS) - 1), bool)
    right[lines % 3 > 0, :9] = right[lines % 3 == 0, 4:] = True
    return Batch(
        np.concatenate([looks[features.text], places], axis=1),
        words[ranges(bounds, features.text)],
        np.repeat(lines, np.diff(bounds)[features.text]),
        pairs[ranges(features.pair_bounds, features.text)],
        np.repeat(lines, np.diff(features.pair_bounds)[features.text]),
        first[features.text],
        last[features.text],
        features.doc,
        right,
        np.ones(count, np.float32),
    )


def test_vocabulary_numbers_are_found_again() -> None:
    """Every word and pair of the shipped vocabularies is found under its own number, and no other code is."""
    for name in ("words", "pairs"):
        codes = load()[name].astype(np.uint64)
        assert np.array_equal(Vocabulary(codes).look_up(codes), np.arange(1, len(codes) + 1))
        assert not Vocabulary(codes).look_up(codes ^ np.uint64(1 << (SLOTS + 3))).any()


def test_feature_names_are_one_per_column() -> None:
    """No two columns of the features have one name."""
    assert len({*LOOKS, *PLACES}) == len(LOOKS) + len(PLACES)
