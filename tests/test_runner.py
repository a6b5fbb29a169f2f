"""Local workers: which processes do a stage's items, and what becomes of them when the stage is done."""

from __future__ import annotations

import os
import time

import pytest

from copydesk import runner
from copydesk.runner import Quiet, Workers


def process(_item: object) -> int:
    """The number of the process that does an item."""
    return os.getpid()


def refuse(item: int) -> int:
    """Fail at one item, and take long for those behind it."""
    if item == 1:
        raise ValueError(f"no {item}")
    time.sleep(0.05 * item)
    return item


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many items are not many yet."""
    monkeypatch.setattr(runner, "MANY", 6)
    return 6


def test_workers_live_from_stage_to_stage(few: int) -> None:
    """After few items the next stage has the same processes."""
    with Workers(2) as pool:
        first, second = (set(pool(stage, process, range(few))) for stage in ("read", "judge"))
        assert len(first | second) <= 2
    assert os.getpid() not in first | second


def test_after_a_stage_of_many_items_the_workers_are_new_ones(few: int) -> None:
    """The old ones have ended when the stage has; so has what they held."""
    with Workers(2) as pool:
        old = set(pool("judge", process, range(few + 1)))
        assert not any(alive(one) for one in old)
        assert pool("compare", process, [0]) == [os.getpid()]
        assert not old & set(pool("write", process, range(few)))


def alive(number: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_items_of_a_supervisor_are_counted_by_it(few: int) -> None:
    """What threads hand on item by item is one stage: its workers end when the supervisor says that it is done."""
    with Workers(2) as pool:
        old = {one for item in range(few + 1) for one in pool.some(process, [item], of=few + 1)}
        assert len(old) <= 2
        assert all(alive(one) for one in old)
        pool.done(few + 1)
        assert not any(alive(one) for one in old)
        assert not old & set(pool.some(process, [0, 1], of=2))


def test_the_workers_of_others_are_not_ended(few: int) -> None:
    """A cluster's executor lives until the run ends, however many items there were."""
    ended = []

    class Theirs(runner.ProcessPoolExecutor):
        def shutdown(self, *asked: bool, **named: bool) -> None:
            ended.append(True)
            super().shutdown(*asked, **named)

    with Workers(0, started=lambda: Theirs(1)) as pool:
        pool("judge", process, range(few + 1))
        assert not ended
    assert ended


def test_the_workers_of_others_are_looked_for_however_small_the_stage() -> None:
    """A cluster that is not there is told at the first item, not at the first stage of two; without items, never."""

    def nobody() -> runner.Executor:
        raise ConnectionError("nobody is there")

    with Workers(0, started=nobody) as pool:
        assert pool("read", process, []) == []
        with pytest.raises(ConnectionError, match="nobody is there"):
            pool("read", process, [0])
        with pytest.raises(ConnectionError, match="nobody is there"):
            pool.some(process, [0], of=1)


def test_the_first_failure_ends_a_stage() -> None:
    """Its exception is raised, what was not begun is not begun, and each item done is told of."""
    told: list[str] = []

    class Told(Quiet):
        def advance(self, stage: str, /) -> None:
            told.append(stage)

    with Workers(2, Told()) as pool, pytest.raises(ValueError, match="no 1"):
        pool("read", refuse, range(40))
    assert len(told) < 30  # twenty seconds of work for two; to have done so many of them takes eleven


def test_the_process_of_a_run_gives_back_before_and_after_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it freed between two stages is no part of the peak of the second."""
    told: list[object] = []
    monkeypatch.setattr(runner, "given_back", lambda: told.append("given back"))
    found = runner.sparing(runner.plainly)("read", lambda item: told.append(item) or item, [1, 2])
    assert found == [1, 2]
    assert told == ["given back", 1, 2, "given back"]
