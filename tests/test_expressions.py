"""Expressions that are asked on threads of their own."""

from __future__ import annotations

import subprocess
import sys
import threading

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.expressions import contains, kept

EXPRESSIONS = ["a", "^a", "[.!?]$", "(?i)ÄB", "[0-9]{2}|^$", "^[^a-z]*$", "\\p{Lu}"]


@given(st.lists(st.none() | st.text(max_size=12)), st.sampled_from(EXPRESSIONS))
def test_the_answers_are_those_of_polars_and_null_is_not_matched(texts: list[str | None], expression: str) -> None:
    """Whatever the texts are, each is answered as Polars answers it in the caller's thread."""
    column = pl.Series("text", texts, dtype=pl.String)
    told = column.str.contains(expression).fill_null(value=False)
    assert contains(column, expression).tolist() == told.to_list()


def test_an_expression_is_always_asked_by_the_same_thread() -> None:
    """Also after three hundred others, and never by the thread of the caller."""

    def ask(_: str) -> pl.Series:
        return pl.Series([threading.get_ident()])

    before = [kept(f"same {number}", ask)[0] for number in range(300)]
    assert [kept(f"same {number}", ask)[0] for number in range(300)] == before
    assert threading.get_ident() not in before
    assert 2 < len(set(before)) < 20


def test_what_else_a_method_takes_is_handed_on() -> None:
    """An expression that replaces takes what stands in the place of its matches."""
    assert kept("[0-9]+", pl.Series(["a 12", "b"]).str.replace_all, "#").to_list() == ["a #", "b"]


def test_a_wrong_expression_is_told_to_the_caller() -> None:
    """What Polars raises in the other thread is raised in this one."""
    with pytest.raises(pl.exceptions.ComputeError):
        contains(pl.Series(["a"]), "(a")


FORKED = """
import os, polars
from copydesk import expressions
assert expressions.kept("a", lambda expression: polars.Series([expression]))[0] == "a"
child = os.fork()
if not child:
    os._exit(expressions.kept("a", lambda expression: polars.Series([7]))[0])
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


def test_a_forked_process_has_threads_of_its_own() -> None:
    """The parent's threads are not there: who waited for them would wait for ever."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=600)
