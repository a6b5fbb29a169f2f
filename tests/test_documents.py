"""What is written for people is true: the README's Python runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from copydesk.cli import build_parser
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file of the project."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every `copydesk ...` line of a shell block parses."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            for command in line.split("&&") if "copydesk" in line else ():
                words = shlex.split(command, comments=True)
                if words and words[0] == "copydesk":
                    build_parser().parse_args(words[1:])


def test_the_python_of_the_readme_says_what_its_comments_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Each print of the library's example gives what stands behind its #."""
    (code,) = [block for block in blocks(ROOT / "README.md", "python") if "import copydesk" in block]
    exec(compile(code, "README.md", "exec"), {})
    told = re.findall(r"print\(.*#\s*(.+)", code)
    for expected, printed in zip(told, capsys.readouterr().out.splitlines(), strict=True):
        assert printed == expected.split(":")[0]
