"""Drift: reported where a source has changed, silent where it has not."""

from __future__ import annotations

import pytest

from benchmarks.drift import CHANGES, KINDS, caught, history
from copydesk.drift import Finding, Step, judge, silent, steps
from copydesk.release.figures import Figures

EVEN = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_stays_as_it_was_is_not_reported(kind: object) -> None:
    """In histories without a change, at most one in five says anything at all in twenty steps (see the benchmark)."""
    assert sum(bool(history(kind, 500 + seed)[0]) for seed in range(10)) <= 2  # type: ignore[arg-type]


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_is_reported(change: str) -> None:
    """A daily of forty documents that changes is reported at once, fewer of them at the second step."""
    late = [caught(EVEN["a daily of 40"], CHANGES[change], 900 + seed) for seed in range(9)]
    assert None not in late or change == "dropped - 15 points"
    assert sum(one == (1 if change == "a twentieth" else 0) for one in late) >= 6


def plain(documents: int, share: int = 400, language: str = "en") -> Figures:
    """Documents that are all alike."""
    return Figures(
        documents=documents,
        share=documents * share,
        share_squares=documents * share**2,
        length=34 * documents,
        length_squares=34 * 34 * documents,
        languages={language: documents},
    )


def told(arrived: Figures, base: Figures, past: list[Figures]) -> list[str]:
    whole = sum([arrived, *past], base)
    found = judge({"wire": arrived}, {"wire": whole}, [Step({"wire": one}, comparable=True) for one in past])
    return [str(one) for one in found]


def test_it_says_what_moved_from_where_to_where() -> None:
    """The message names source, measure, both means and the number of documents."""
    assert told(plain(20, 100), plain(100), [plain(20)] * 6) == [
        "source 'wire' has drifted: 40 % of a document's lines were left out before, 10 % in the 20 newest documents"
    ]
    assert told(plain(20, language="fr"), plain(100), []) == [
        "source 'wire' has drifted: 0 % of the documents were in 'fr' before, 100 % in the 20 newest documents"
    ]


@pytest.mark.parametrize(
    ("arrived", "base", "past"),
    [(plain(11, 0), plain(100), []), (plain(20, 0), plain(29), []), (plain(0), plain(100), [plain(20)] * 6)],
    ids=["few new", "few known", "none"],
)
def test_nothing_is_said_of_too_few(arrived: Figures, base: Figures, past: list[Figures]) -> None:
    """Neither of eleven documents nor against twenty-nine nor of none."""
    assert told(arrived, base, past) == []


def test_few_documents_are_judged_with_those_of_the_last_steps() -> None:
    """A source that brings five a week is reported when twelve of the new kind are there."""
    past = [plain(5)] * 8
    assert told(plain(5, 200), plain(60), past) == []
    assert told(plain(5, 200), plain(60), [*past, plain(5, 200), plain(5, 200)]) != []


def body(version: int, digest: str, documents: int) -> dict[str, object]:
    return {
        "base": None if version == 0 else f"1.{version - 1}.0",
        "knowledge": {"digest": digest},
        "counts": {"figures": {"wire": plain(documents).counts()}},
    }


def test_steps_are_what_releases_added() -> None:
    """The first release is a step that is not compared with, and so is all that was judged with other knowledge."""
    found = steps([body(0, "a", 100), body(1, "a", 120), body(2, "b", 150), body(3, "b", 155)])
    assert [one.added["wire"].documents for one in found] == [100, 20, 30, 5]
    assert [one.comparable for one in found] == [False, False, False, True]
    assert steps([{"base": None, "counts": {}}, body(1, "a", 20), body(2, "a", 30)])[0].added["wire"].documents == 10


def test_a_source_that_falls_silent_is_reported() -> None:
    """After three times its longest pause, and not where pauses are usual or little is known."""
    daily = [{"wire": 5}] * 25
    assert silent([*daily, *[{}] * 4]) == []
    assert silent([*daily, *[{}] * 5]) == [Finding("wire", "volume", 0.0, 5.0, 0, silent([*daily, *[{}] * 5])[0].told)]
    assert silent([*[{"wire": 1}, {}, {}, {}] * 8, *[{}] * 8]) == []
    assert silent([*[{"wire": 1}] * 5, *[{}] * 50]) == []
