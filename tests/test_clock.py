"""Nothing that goes into a release looks at the clock."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT

CLOCKS = {
    "now",
    "utcnow",
    "today",
    "time",
    "time_ns",
    "ctime",
    "localtime",
    "gmtime",
    "monotonic",
    "st_mtime",
    "getmtime",
}
ALLOWED = {
    "copydesk/journal.py": {"now"},
    "copydesk/review/progress.py": {"monotonic"},
    "copydesk/status.py": {"now"},
}
"""When runs were is in .work/, which no release holds; how long stages take, how old a run is: on the terminal only."""


@pytest.mark.parametrize(
    "path", sorted((ROOT / "copydesk").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_module_reads_no_clock(path) -> None:
    """No call or attribute of a module is a clock's or a file time's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    attributes = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("st_")
    }
    # `dt.time()` and the like are columns' and values' own; a clock is asked without arguments of its module.
    clocks = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"time", "datetime", "date", "os"}
    }
    found = clocks | (attributes & CLOCKS) | (calls & {"getmtime", "utcnow"})
    assert found <= ALLOWED.get(path.relative_to(ROOT).as_posix(), set())
