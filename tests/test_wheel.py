"""What is installed is what is here: the wheel holds all it needs, away from the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

STORY = "The ferry ran again on Monday, the harbour office said, and nobody was late.\n"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a freshly built wheel."""
    pytest.importorskip("build", reason="the package build is not installed: run make setup")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_ships_code_flows_schemas_profiles_and_weights(unpacked: Path) -> None:
    """Data files are in, tests and samples are not."""
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {"flows/ingest.py", "copydesk/schemas/article.yaml", "copydesk/lines/profiles/web.toml"} <= names
    assert {"copydesk/py.typed", "copydesk/lines/weights.npz", "copydesk/metadata/data/months.tsv"} <= names
    assert not [name for name in names if name.startswith(("tests/", "seeds/", "docs/", "benchmarks/"))]


def test_the_wheel_ingests_from_any_folder(unpacked: Path, tmp_path: Path) -> None:
    """Installed alone, it reads a folder and releases a dataset."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(STORY)
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r}); import copydesk, copydesk.cli; "
        f"assert copydesk.__file__.startswith({str(unpacked)!r}); "
        "sys.exit(copydesk.cli.main(['ingest', '--no-prefect', 'texts']))"
    )
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "texts 1.0.0 (first): 1 article in dist/texts" in told.stdout
