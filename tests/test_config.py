"""copydesk.toml: what is read, and what is said of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from copydesk.config import load_config, parse_years
from copydesk.errors import ConfigError, UsageError

WRONG = [
    ("[dataset]\nname = 'x y'\n", "line 2: dataset.name = 'x y': a name holds letters"),
    ("[ingest]\nworkers = 0\n", "line 2: ingest.workers = 0: Input should be greater than or equal to 1"),
    ("[ingest]\n\nwrokers = 3\n", "line 3: unknown key 'ingest.wrokers'"),
    ("[[source]]\nname = 'a'\n", "line 1: 'source.0.path' is missing; add it"),
    (
        "[[source]]\nname = 'a'\npath = 'p'\n\n[[source]]\nname = 'b'\npath = 'q'\nyears = '2018..2015'\n",
        "line 8: source.1.years = '2018..2015': the first year 2018 is after the last 2015: swap them",
    ),
    (
        "[[source]]\nname = 'a'\npath = 'p'\nyears = 'soon'\n",
        "line 4: source.0.years = 'soon': years are written \"2015..2018\"",
    ),
    (
        "[[source]]\nname = 'a'\npath = 'p'\npattern = '{outlet}/{outlet}.txt'\n",
        "line 4: source.0.pattern = '{outlet}/{outlet}.txt': the placeholder {outlet} stands twice: name each once",
    ),
    ("[[source]]\nname = 'a'\npath = 'p'\npattern = '{out let}.txt'\n", "a placeholder is a name in braces"),
    (
        "[[source]]\nname = 'a'\npath = 'p'\n[[source]]\nname = 'a'\npath = 'q'\n",
        "two sources are named 'a': ids hang on the name, give each its own",
    ),
    (
        "[source]\nname = 'a'\npath = 'p'\n",
        "line 1: a source is a table of its own: write [[source]], with two brackets",
    ),
    ("[ingest]\nprofiles = 'rules'\n", "line 2: ingest.profiles = 'rules': a list is wanted: write it in brackets"),
    ("[dataset\n", "not valid TOML"),
    ("folder = '/'\n", "unknown key 'folder'"),
    ("colour = 'red'\n", "line 1: unknown key 'colour'"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_mistake_is_told_with_file_line_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    """Every error of the configuration names the file, the line, the value and what to do."""
    path = tmp_path / "copydesk.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """A file with two mistakes is told both."""
    path = tmp_path / "copydesk.toml"
    path.write_text("[ingest]\nworkers = 0\nbatch_documents = -1\n")
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(error.value).count("\n") == 1


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    """A copydesk.toml in another encoding is named with the place of the first wrong byte."""
    path = tmp_path / "copydesk.toml"
    path.write_bytes(b"[dataset]\ntitle = '\xe9t\xe9'\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path)


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    """A folder without copydesk.toml has the defaults; a named file that is not there is an error."""
    assert load_config(start=tmp_path).ingest.workers == 2
    with pytest.raises(UsageError, match="no such configuration file"):
        load_config(tmp_path / "copydesk.toml")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """COPYDESK_INGEST__WORKERS sets what the file says otherwise."""
    (tmp_path / "copydesk.toml").write_text("[ingest]\nworkers = 3\nbatch_bytes = 7\n")
    monkeypatch.setenv("COPYDESK_INGEST__WORKERS", "5")
    config = load_config(tmp_path / "copydesk.toml")
    assert (config.ingest.workers, config.ingest.batch_bytes) == (5, 7)


def test_the_environment_sets_no_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only [dataset] and [ingest] can be set from outside: where files are read from stands in the file alone."""
    monkeypatch.setenv("COPYDESK_FOLDER", "/nowhere")
    monkeypatch.setenv("COPYDESK_SOURCE", "1")
    (tmp_path / "copydesk.toml").write_text("[[source]]\nname = 'a'\npath = 'p'\n")
    assert load_config(tmp_path / "copydesk.toml").folder == tmp_path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """A source's folder is looked for beside copydesk.toml, wherever the program runs."""
    (tmp_path / "copydesk.toml").write_text("[[source]]\nname = 'a'\npath = 'raw'\n")
    config = load_config(tmp_path / "copydesk.toml")
    assert config.below(config.source[0].path) == tmp_path / "raw"


@pytest.mark.parametrize(("written", "years"), [("2015..2018", (2015, 2018)), ("2016", (2016, 2016)), (None, None)])
def test_years_are_bounds(written: str | None, years: tuple[int, int] | None) -> None:
    """A single year bounds from both sides."""
    assert parse_years(written) == years
