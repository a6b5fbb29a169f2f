"""Near-duplicates: what a shingle is, which pairs are found, and what the marks do not depend on."""

from __future__ import annotations

import hashlib
import itertools
import pickle
import random
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copydesk import corpus
from copydesk.corpus import folding, memory, pairs, sketches, verifying
from copydesk.corpus.clusters import components
from copydesk.corpus.rows import CONTENT
from copydesk.corpus.shingles import distinct, shingle
from copydesk.corpus.sketches import BANDS, agreement

HEADINGS = pl.List(pl.Struct({"title": pl.String, "start": pl.Int32, "end": pl.Int32}))
VOCABULARY = [f"w{number}" for number in range(3000)]


def words_of(text: str) -> list[str]:
    """The words of a text of spaced scripts, by Python's own means."""
    return re.findall(r"\w+", text.casefold().replace("_", " "))


def reference(text: str) -> set[tuple[str, ...]]:
    """The shingles of a text of spaced scripts, by Python's own means."""
    words = words_of(text)
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}


def sets_of(texts: Sequence[str]) -> list[set[int]]:
    hashes, ends = distinct(pl.Series(texts, dtype=pl.String))
    return [set(part.tolist()) for part in np.split(hashes, ends)[:-1]]


def sketch(texts: pl.Series) -> pl.DataFrame:
    """The sketches of texts without headings."""
    headings = pl.Series("headings", [[]] * len(texts), dtype=HEADINGS)
    return sketches.sketch(pl.DataFrame({"text": texts.cast(pl.String), "headings": headings}))


def jaccard(left: set, right: set) -> float:
    return len(left & right) / max(1, len(left | right))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The Straße was closed on Monday again", "THE STRASSE WAS CLOSED ON MONDAY AGAIN"),
        ("“It’s over,” he said on Monday night", "'It's over' – he said on\n\nMonday night"),
        ("The ferry co\u00adop\u00aderates with the harbour again", "The ferry cooperates with the harbour again"),
        ("ΟΔΟΣ Ελλάδος five words are here", "οδος ελλάδοΣ five words are here"),
        ("the ﬁrst ofﬁce of the town hall", "the first office of the town hall"),
        ("港口工人今天早上开始罢工", "港口工人,今天早上 开始罢工。"),
        ("ท่าเรือปิดวันนี้", "ท่าเรือ ปิด วันนี้"),
        ("𠮷野家は港の近くに店を開いた", "𠮷野家は 港の近くに店を開いた"),
        ("दिल्ली में आज सुबह बारिश हुई", "दिल्ली  में: आज सुबह बारिश हुई!"),
    ],
)
def test_texts_that_differ_in_case_and_punctuation_have_the_same_shingles(text: str, same: str) -> None:
    """Case, quotation marks, white space, soft hyphens and ligatures make no other word."""
    (left, right) = sets_of([text, same])
    assert left
    assert left == right


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("ab c d e f", "a bc d e f"),
        ("one two three four five", "five four three two one"),
        ("the year 2017 was a good one", "the year 2018 was a good one"),
        ("港口工人今天早上开始罢工", "港口工人昨天早上结束罢工"),
        ("a b c d e", "a b c d e f"),
        ("naïve plan of the old town", "naive plan of the old town"),
    ],
)
def test_other_words_are_other_shingles(text: str, other: str) -> None:
    """Where words begin, their order, their digits and their accents count."""
    left, right = sets_of([text, other])
    assert left != right


LETTERS = st.text(alphabet="aAbBßéÉñσΣж 01.,_-'\n\u2019\u00a0", max_size=80)


@given(st.lists(LETTERS, min_size=1, max_size=8))
@settings(max_examples=150)
def test_shingles_are_those_of_a_plain_implementation(texts: list[str]) -> None:
    """Counts of words, and the similarity of every pair, are those of regular expressions and Python sets."""
    counted = np.concatenate([some.words for some in shingle(pl.Series(texts, dtype=pl.String))])
    assert counted.tolist() == [len(words_of(text)) for text in texts]
    ours, theirs = sets_of(texts), [reference(text) for text in texts]
    for left, right in itertools.combinations(range(len(texts)), 2):
        assert jaccard(ours[left], ours[right]) == jaccard(theirs[left], theirs[right])


def test_a_text_has_the_same_shingles_and_sketch_in_any_company() -> None:
    """Neither the place in a batch nor the texts beside it change a bit."""
    draw = random.Random(1)
    texts = [" ".join(draw.choices(VOCABULARY, k=draw.choice([0, 3, 5, 40, 3000]))) for _ in range(60)]
    texts[7] = "Die Straße war zu. " * 30
    together = sketch(pl.Series(texts, dtype=pl.String))
    alone = pl.concat([sketch(pl.Series([text], dtype=pl.String)) for text in texts])
    assert together.equals(alone)


def test_sketches_are_what_they_were() -> None:
    """A sketch is stored between runs: its bits are pinned."""
    row = sketch(pl.Series(["The ferry runs again after a week of storm, the harbour office said.", "Ja", ""]))
    digest = hashlib.sha256(repr(row.rows()).encode()).hexdigest()
    assert digest[:16] == "7f92146101418092"
    assert row["key"].is_null().to_list() == [False, False, True]
    assert row["shingles"].to_list() == [9, 0, 0]


def edited(draw: random.Random, words: list[str], share: float) -> list[str]:
    """The words with about this share of them replaced."""
    return [draw.choice(VOCABULARY) if draw.random() < share else word for word in words]


def invented(seed: int, originals: int = 120) -> list[str]:
    """Texts of all lengths, with copies at every degree of likeness."""
    draw = random.Random(seed)
    texts = []
    for _ in range(originals):
        words = draw.choices(VOCABULARY, k=draw.choice([3, 6, 9, 15, 30, 80, 200, 600]))
        texts.append(" ".join(words))
        texts += [" ".join(edited(draw, words, draw.choice([0.0, 0.01, 0.03, 0.08]))) for _ in range(draw.randrange(3))]
        if draw.random() < 0.3:
            texts.append(" ".join(words[: int(len(words) * draw.uniform(0.5, 1))]))
    return texts


def test_an_estimate_is_near_the_similarity() -> None:
    """Equal places, of 128, follow the true similarity within their chance error, for short texts as well."""
    draw = random.Random(3)
    errors = []
    for _ in range(200):
        words = draw.choices(VOCABULARY, k=draw.choice([12, 40, 150, 500]))
        texts = [" ".join(words), " ".join(edited(draw, words, 0.04))]
        rows = sketch(pl.Series(texts))
        same = sum(int(agreement(rows[name][:1].to_numpy(), rows[name][1:].to_numpy())[0]) for name in BANDS)
        errors.append(same / 128 - jaccard(*(reference(text) for text in texts)))
    assert abs(float(np.mean(errors))) < 0.01
    assert max(map(abs, errors)) < 0.25


def articles(texts: Sequence[str], *, seed: int = 0) -> pl.DataFrame:
    """Articles of these texts, with dates and outlets, of which some are unknown."""
    draw = random.Random(seed)
    day = datetime(2017, 1, 1, tzinfo=UTC)
    dates = [None if draw.random() < 0.2 else day + timedelta(days=draw.randrange(300)) for _ in texts]
    return pl.DataFrame(
        {
            "id": [hashlib.sha256(f"{number}".encode()).hexdigest()[:16] for number in range(len(texts))],
            "source": ["s"] * len(texts),
            "outlet": [draw.choice([None, "The Harbour Times", "The Lamp"]) for _ in texts],
            "agency": [draw.choice([None, None, "NORDA"]) for _ in texts],
            "published_at": pl.Series(dates, dtype=pl.Datetime("us", "UTC")),
            "content_sha256": [hashlib.sha256(f"{n} {text}".encode()).hexdigest() for n, text in enumerate(texts)],
            "text": texts,
            "headings": [[]] * len(texts),
        },
        schema_overrides={"outlet": pl.String, "agency": pl.String, "headings": HEADINGS},
    )


def marked(
    frames: Sequence[pl.DataFrame], cache: Path, kept: Sequence[pl.DataFrame] = (), **options: Any
) -> pl.DataFrame:
    """The marks by id."""
    cache.mkdir(exist_ok=True)
    marks = corpus.compare(frames, kept, cache, cache.with_name(f"{cache.name}-marks.arrow"), **options)
    return pl.concat(marks).sort("id")


def truth(texts: Sequence[str]) -> list[int]:
    """The cluster of each text by comparing all with all."""
    sets = [reference(text) for text in texts]
    plain = [" ".join(text.split()) for text in texts]
    found = [
        (left, right)
        for left, right in itertools.combinations(range(len(texts)), 2)
        if (
            jaccard(sets[left], sets[right]) >= 0.7 if sets[left] and sets[right] else plain[left] == plain[right] != ""
        )
    ]
    return components(len(texts), np.array(found, dtype=np.int64).reshape(-1, 2)).tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clusters_are_those_of_comparing_all_with_all(tmp_path: Path, seed: int) -> None:
    """Every pair at 0.7 and above, and no other, joins two texts; short ones are joined where they are equal."""
    texts = invented(seed)
    table = articles(texts)
    found = marked([table], tmp_path / "cache")
    clusters = dict(found.select("id", pl.coalesce("duplicate_cluster", "id")).iter_rows())
    ours = [clusters[name] for name in table["id"]]
    theirs = truth(texts)
    assert len(set(theirs)) < len(texts) * 0.8
    assert {tuple(np.flatnonzero(np.array(ours) == one)) for one in ours} == {
        tuple(np.flatnonzero(np.array(theirs) == one)) for one in theirs
    }


def test_the_earliest_stands_for_the_others(tmp_path: Path) -> None:
    """By date, then id, undated ones last; the others name it, its outlet, and the first agency that is credited."""
    text = "The ferry runs again after a week of storm, the harbour office said on Monday."
    day = datetime(2018, 1, 1, tzinfo=UTC)
    dates = [None, day + timedelta(days=1), day, day + timedelta(hours=5), None]
    table = articles([text] * 4 + ["Something else, which nobody ever printed again anywhere."]).with_columns(
        id=pl.Series(["d", "c", "b", "a", "e"]),
        published_at=pl.Series(dates, dtype=pl.Datetime("us", "UTC")),
        outlet=pl.Series([None, "The Lamp", "The Harbour Times", None, "The Lamp"]),
        agency=pl.Series([None, "NORDA", None, "TASS", "TASS"]),
    )
    rows = {row["id"]: row for row in marked([table], tmp_path / "cache").iter_rows(named=True)}
    assert [rows[name]["duplicate_of"] for name in "abcde"] == ["b", None, "b", "b", None]
    assert {rows[name]["duplicate_cluster"] for name in "abcd"} == {"b"}
    assert {rows[name]["duplicate_outlet"] for name in "abcd"} == {"The Harbour Times"}
    assert {rows[name]["duplicate_agency"] for name in "abcd"} == {"TASS"}
    assert {rows["e"][name] for name in corpus.MARKS.names()[1:-1]} == {None}


def with_headings(paragraphs: Sequence[tuple[str, bool]]) -> tuple[str, list[dict[str, object]]]:
    """A text of paragraphs, of which some are headings, and where these stand."""
    text, headings = "", []
    for paragraph, heading in paragraphs:
        text += "\n\n" if text else ""
        if heading:
            headings.append({"title": paragraph, "start": len(text), "end": len(text) + len(paragraph)})
        text += paragraph
    return text, headings


def test_headings_do_not_tell_copies_apart(tmp_path: Path) -> None:
    """A story with other headings is the same story; what differs in its body is not, headings or no headings."""
    draw = random.Random(2)
    body = [" ".join(draw.choices(VOCABULARY, k=30)) for _ in range(4)]
    heads = [" ".join(draw.choices(VOCABULARY, k=9)) for _ in range(8)]
    plain = [(one, False) for one in body]
    between = [pair for head, one in zip(heads[:4], body, strict=True) for pair in ((head, True), (one, False))]
    others = [pair for head, one in zip(heads[4:], body, strict=True) for pair in ((head, True), (one, False))]
    mostly = [*((head, True) for head in heads), (body[0][:40], False)]
    apart = [(head, True) for head in heads[:2]] + [(" ".join(draw.choices(VOCABULARY, k=120)), False)]
    texts = [with_headings(one) for one in (plain, between, others, mostly, mostly, apart)]
    assert jaccard(reference(texts[0][0]), reference(texts[1][0])) < 0.7
    table = articles([text for text, _ in texts]).with_columns(
        pl.Series("headings", [headings for _, headings in texts], dtype=HEADINGS),
        id=pl.Series(list("abcdef")),
        published_at=None,
    )
    assert marked([table], tmp_path / "cache")["duplicate_cluster"].to_list() == ["a", "a", "a", "d", "d", None]


def test_texts_that_are_alike_with_their_headings_are_copies_too(tmp_path: Path) -> None:
    """No pair at 0.7 as printed is missed because its bodies are less alike."""
    draw = random.Random(6)
    heads = [" ".join(draw.choices(VOCABULARY, k=40)) for _ in range(2)]
    body = draw.choices(VOCABULARY, k=120)
    texts = [
        with_headings([(heads[0], True), (" ".join(one), False), (heads[1], True)])
        for one in (body, [*body[:98], *draw.choices(VOCABULARY, k=22)])
    ]
    bodies = [text.replace(heads[0], "").replace(heads[1], "") for text, _ in texts]
    assert jaccard(*map(reference, bodies)) < 0.7 <= jaccard(*(reference(text) for text, _ in texts))
    table = articles([text for text, _ in texts])
    table = table.with_columns(pl.Series("headings", [headings for _, headings in texts], dtype=HEADINGS))
    assert marked([table], tmp_path / "cache")["duplicate_cluster"].null_count() == 0


def test_texts_of_under_five_words_and_empty_ones(tmp_path: Path) -> None:
    """A few words are copies where they are the same characters, white space apart; nothing is a copy of nothing."""
    texts = ["Storm ends.", "Storm  ends.\n", "Storm ends!", "", "", " \n", "港口", "港口", "-5 degrees", "+5 degrees"]
    table = articles(texts).with_columns(id=pl.Series([f"{number:02}" for number in range(len(texts))]))
    clusters = marked([table.with_columns(published_at=None)], tmp_path / "cache")["duplicate_cluster"].to_list()
    assert clusters == ["00", "00", None, None, None, None, "06", "06", None, None]


@given(st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_marks_depend_on_the_set_alone(random: random.Random) -> None:
    """Another order and other batches give the same marks."""
    from tempfile import TemporaryDirectory

    table = articles(invented(5, 40))
    with TemporaryDirectory() as folder:
        once = marked([table], Path(folder) / "one")
        mixed = table.sample(fraction=1, shuffle=True, seed=random.randrange(1 << 30))
        size = random.choice([1, 3, 10, 50])
        frames = [mixed[start : start + size] for start in range(0, mixed.height, size)]
        assert marked(frames, Path(folder) / "two").equals(once)


def changed(table: pl.DataFrame, draw: random.Random) -> pl.DataFrame:
    """The table with some rows gone, some with another text, and some new."""
    stay = table.filter(pl.Series([draw.random() > 0.1 for _ in range(table.height)]))
    new = articles(invented(draw.randrange(1 << 20), 6), seed=draw.randrange(1 << 20))
    new = new.with_columns(id=pl.col("id") + "f", text=pl.col("text"))
    more = stay.sample(5, seed=draw.randrange(1 << 20)).with_columns(id=pl.col("id") + "e")
    return pl.concat([stay, new, more]).unique("id", keep="first", maintain_order=True)


@pytest.mark.parametrize("seed", range(4))
def test_an_increment_equals_a_full_computation(tmp_path: Path, seed: int) -> None:
    """Whatever is remembered, forgotten or damaged between ingests, the marks are those of a first ingest."""
    draw = random.Random(seed)
    table = articles(invented(seed, 50))
    cache = tmp_path / "cache"
    for step in range(5):
        before, table = table, changed(table, draw) if step else table
        kept = table.join(before, on=["id", "content_sha256"], how="semi")
        new = table.join(kept, on="id", how="anti")
        assert marked([new], cache, [kept]).equals(marked([table], tmp_path / f"full-{step}"))
        match step:
            case 1:
                shutil.rmtree(cache)
            case 2:
                (one,) = cache.glob("pairs-*")
                one.unlink()
            case 3:
                (one,) = cache.glob("sketches-*")
                one.write_bytes(one.read_bytes()[:-400])


def test_an_increment_reads_new_texts_and_their_likely_copies_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1,000 kept texts only the one that the new text resembles is read again, and one pair is compared."""
    draw = random.Random(9)
    texts = [" ".join(draw.choices(VOCABULARY, k=100)) for _ in range(1000)]
    kept = articles(texts)
    marked([kept], tmp_path / "cache")
    new = articles([texts[17] + " and so on", "nothing like any of the others " * 3]).with_columns(
        id=pl.col("id") + "a"
    )
    read: list[int] = []
    compared: list[int] = []
    monkeypatch.setattr(corpus.duplicates, "sketch", lambda some: read.append(some.height) or sketches.sketch(some))
    monkeypatch.setattr(verifying, "distinct", lambda some: compared.append(len(some)) or distinct(some))
    found = marked([new], tmp_path / "cache", [kept])
    assert (sum(read), sum(compared)) == (2, 2)
    assert found["duplicate_of"].drop_nulls().len() == 1


def test_many_equal_and_many_alike_texts_cost_bounded_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """5,000 equal texts are one group; 2,000 that differ in a word or two are joined by a few pairs each."""
    draw = random.Random(4)
    base = draw.choices(VOCABULARY, k=60)
    equal = ["Please enter your comment here now, and sign in."] * 5000
    alike = [" ".join([*base[: (at := draw.randrange(60))], f"n{number}", *base[at:]]) for number in range(2000)]
    numbers: list[int] = []
    real = pairs.similar
    monkeypatch.setattr(verifying, "similar", lambda *given: numbers.append(len(given[2])) or real(*given))
    found = marked([articles(equal + alike)], tmp_path / "cache")
    sizes = found["duplicate_cluster"].value_counts()["count"].sort().to_list()
    assert sizes == [2000, 5000]
    assert sum(numbers) < 2000 * len(BANDS) * pairs.CHAIN


def test_ranges_and_parts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tasks the work is cut into, and in whatever order they are done, the marks are the same."""
    frames = [*articles(invented(8, 80)).iter_slices(50)]
    whole, tasks = marked(frames, tmp_path / "whole"), []

    def over(stage: str, work: Callable[[Any], Any], items: Sequence[Any], /) -> list[Any]:
        tasks.append((stage, len(items)))
        return [work(item) for item in reversed(pickle.loads(pickle.dumps(items)))][::-1]

    for module, name, value in ((pairs, "ROWS", 40), (pairs, "LOOKED_AT", 200), (pairs, "PAIRS", 20)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(verifying, "SHINGLES", 500)
    assert marked(frames, tmp_path / "parts", over=over).equals(whole)
    assert whole["duplicate_of"].null_count() < whole.height
    assert {name for name, number in tasks if number > 3} == {"pairs", "agree", "alike"}


def test_withdrawn_articles_decide_nothing(tmp_path: Path) -> None:
    """What was withdrawn stands for no other, even while its raw file is still there."""
    table = articles(["The ferry runs again after a week of storm, the office said."] * 3)
    first = marked([table], tmp_path / "cache")["duplicate_cluster"][0]
    left = marked([table], tmp_path / "cache", withdrawn=[first])
    assert left.height == 2
    assert left["duplicate_cluster"][0] != first


GRAPHS = st.integers(1, 40).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=60)
    )
)


@given(GRAPHS)
def test_components_are_those_of_a_plain_search(graph: tuple[int, list[tuple[int, int]]]) -> None:
    """Each row gets the least row it is joined to, however long the way."""
    count, edges = graph
    least = list(range(count))
    for _ in range(count):
        for a, b in edges:
            least[a] = least[b] = min(least[a], least[b])
    assert components(count, np.array(edges, dtype=np.int64).reshape(-1, 2)).tolist() == least


def test_a_long_chain_is_one_component() -> None:
    """A hundred thousand rows in a row are joined in a few rounds."""
    order = np.random.default_rng(1).permutation(100_000)
    chain = np.stack([order[:-1], order[1:]], axis=1)
    assert not components(100_000, chain).any()


def test_folding_leaves_nothing_to_fold() -> None:
    """What rare characters become has no rare character in it, so that folding ends."""
    table = folding._tables()
    assert not set(map(ord, "".join(table.rare.values()))) & set(table.rare)


def words_folded(texts: Sequence[str]) -> list[list[str]]:
    data, bounds = folding.folded(pl.Series(texts, dtype=pl.String))
    found = [data[start:end].tobytes() for start, end in itertools.pairwise(bounds.tolist())]
    assert all(text.endswith(b"\0") for text in found)
    return [[word.decode() for word in text.split(b"\0") if word] for text in found]


ANY = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("aÉéßΣς ж中ก’—\u00ad😀𠮷İﬁ\u0301")), max_size=30
)


@given(st.lists(ANY, min_size=1, max_size=6))
@settings(max_examples=150)
def test_folding_by_bytes_is_folding_by_characters(texts: list[str]) -> None:
    """Whatever a text is written in, beside whatever others: its words are those found character by character."""
    spelled = [bytes(one).split(b"\0") for one in folding._spelled(texts)]
    assert words_folded(texts) == [[word.decode() for word in words if word] for words in spelled]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Çelik İstanbul’da: 3½ ÉTÉ", ["çelik", "i\u0307stanbul", "da", "3½", "été"]),
        ("Жизнь в МОСКВЕ — 24/7", ["жизнь", "в", "москве", "24", "7"]),
        ("ab中文cd ไทย", ["ab", "中", "文", "cd", "ไ", "ท", "ย"]),
        ("co\u00adop in the fi\ufb01 x\u200by", ["coop", "in", "the", "fifi", "xy"]),
        ("", []),
    ],
)
def test_folding_leaves_words(text: str, words: list[str]) -> None:
    """Small letters, marks and digits are left; scripts without spaces fall into characters."""
    assert words_folded([text, "Next"]) == [words, ["next"]]


def test_the_memory_throws_away_what_other_code_made(tmp_path: Path) -> None:
    """Files of another digest go; those of this code stay."""
    (tmp_path / "sketches-0123456789abcdef.arrow").write_bytes(b"old")
    (tmp_path / "pairs-0123456789abcdef.arrow").write_bytes(b"old")
    marked([articles(["One text of at least five words here."])], tmp_path)
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["pairs", "sketches"]
    assert memory.Memory.open(tmp_path).main.exists()


def test_sketches_stay_in_few_pieces(tmp_path: Path) -> None:
    """However many ingests brought some: a piece costs at each reading."""
    for number in range(5):
        held = memory.Memory.open(tmp_path)
        one = {name: [0] for name in memory.SKETCHED} | {"content": [number]}
        held.add_sketches(pl.DataFrame(one, schema=memory.SKETCHED))
        contents = pl.DataFrame({"content": range(number + 1), "content_2": 0}, schema=CONTENT)
        found, unknown = held.sketched(contents)
        assert not len(unknown)
        assert held.keep_sketches(np.unique(found)).height == number + 1
    with pa.memory_map(str(held.main)) as source:
        assert pa.ipc.open_file(source).num_record_batches == 1
