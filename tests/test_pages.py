"""Every command and every Python block of the README and of docs/ runs, page by page, as a reader would run them.

A page is one shell session in a folder of its own: empty, or with `<!-- place: samples -->` a copy of the project's
samples and settings. `<!-- not run: REASON -->` before a block leaves it out, and the reason is printed. Lines that set
things up (`pip install`, `make`, `git clone`) are left out, too: the tests run where that was done.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.prefect_server import serving

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n+)?```(?P<language>sh|python)\n(?P<code>.*?)```", re.DOTALL)
SET_UP = re.compile(r"^(?:pip install|make|git clone|python -m venv)\b.*$", re.MULTILINE)
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if re.search(r"^```(?:sh|python)\n", page.read_text(encoding="utf-8"), re.MULTILINE)
]
PYTHON = "{python} - <<'END_OF_PYTHON'\n{code}END_OF_PYTHON\n"


@pytest.fixture(scope="module")
def prefect_server() -> Iterator[str]:
    """The address of one Prefect server for all pages: a start for each command would take minutes."""
    with serving() as address:
        yield address


def script_of(page: Path) -> str:
    """The page as a shell script that stops at the first error and says what it runs."""
    lines = ["set -euo pipefail"]
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        code = found["code"]
        if found["why"]:
            print(f"{page.name}: a block is not run: {found['why']}")
        elif found["language"] == "sh":
            code = SET_UP.sub(":", code.replace("make dataset", "copydesk ingest"))
            lines += ["set -x", code, "{ set +x; } 2>/dev/null"]
        else:
            lines.append(PYTHON.format(python=sys.executable, code=code))
    return "\n".join(lines)


def prepare(page: Path, folder: Path) -> None:
    """What the page expects in the folder."""
    if re.search(r"<!-- place: samples -->", page.read_text(encoding="utf-8")):
        for name in ("seeds", "profiles"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "copydesk.toml", folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, prefect_server: str) -> None:
    """Every block ends well, in the order of the page."""
    folder = tmp_path / "project"
    folder.mkdir()
    prepare(page, folder)
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PREFECT_API_URL": prefect_server,
        "PREFECT_HOME": str(tmp_path / "home" / "prefect"),
        "NO_COLOR": "1",
    }
    run = subprocess.run(
        ["bash", "-c", script_of(page)], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert run.returncode == 0, f"{page.name}\n{run.stdout[-3000:]}\n{run.stderr[-3000:]}"


def test_the_notebook_runs(tmp_path: Path) -> None:
    """Its cells, in order, in one process."""
    import json

    cells = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr[-3000:]}"
