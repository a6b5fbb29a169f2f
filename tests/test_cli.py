"""The command line: what it says, and with which exit code, when all is well and when it is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from copydesk.cli import main
from tests.conftest import ROOT

STORY = "The ferry ran again on Monday, the harbour office said, and nobody was late.\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(list(words))
    return code, *capsys.readouterr()


def folder(here: Path, name: str, **files: bytes | str) -> Path:
    (here / name).mkdir()
    for file, data in files.items():
        (here / name / file.replace("_", ".")).write_bytes(data if isinstance(data, bytes) else data.encode())
    return here / name


BAD = {
    "a missing path": (["nothing"], 2, "nothing: no such file or folder"),
    "an empty folder": (["empty"], 2, "empty: no raw files there; put .txt files in"),
    "an empty file": (["hollow"], 3, "empty"),
    "a picture": (["picture/a.png"], 3, "its format '.png' is not read; give it as .txt"),
    "a picture named as text": (["disguised"], 3, "a.txt"),
    "no path and no configuration": ([], 2, "nothing to read: give a PATH, or a copydesk.toml with a [[source]]"),
    "a bad name": (["good", "--name", "../x"], 2, "--name '../x': a name holds letters"),
    "an empty name": (["good", "--name", ""], 2, "--name '': a name holds letters"),
    "no worker": (["good", "--workers", "0"], 2, "--workers 0: at least one process has to do the work"),
    "bad years": (["good", "--years", "soon"], 2, '--years soon: years are written "2015..2018" or "2016"'),
    "a destination that is a file": (["good", "--into", "good/a.txt"], 3, "a file is in the way"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_with_its_remedy(case: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each error names what is wrong and what to do, and the exit code tells whose fault it is."""
    folder(here, "empty")
    folder(here, "hollow", a_txt="")
    folder(here, "picture", a_png=b"\x89PNG\r\n\x1a\n\0\0")
    folder(here, "disguised", a_txt=b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    folder(here, "good", a_txt=STORY)
    words, code, told = BAD[case]
    found, _, err = run("ingest", "--no-prefect", *words, capsys=capsys)
    assert (found, told in err) == (code, True), err
    assert "Traceback" not in err


def test_a_large_document_is_told_with_the_setting(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document over the limit goes to quarantine with the limit and its key; the others are released."""
    folder(here, "texts", a_txt=STORY, b_txt=STORY * 100)
    (here / "copydesk.toml").write_text("[ingest]\nmax_document_bytes = 1000\n")
    code, out, _ = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert code == 0
    assert "quarantine: b.txt: 7700 bytes, over the limit of 1000; raise max_document_bytes under [ingest]" in out
    assert run("ingest", "--no-prefect", "--strict", "texts", capsys=capsys)[0] == 1


def test_a_broken_configuration_profile_or_schema_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error in a file that steers copydesk names the file and the place."""
    folder(here, "texts", a_txt=STORY)
    (here / "copydesk.toml").write_text("[ingest]\nworkers = 'many'\n")
    code, _, err = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert (code, "copydesk.toml, line 2: ingest.workers = 'many'" in err) == (2, True)
    (here / "copydesk.toml").write_text("[ingest]\nprofiles = ['rules']\n")
    folder(here, "rules", mine_toml='id = "mine"\n[[rules]]\nid = "x"\nlines = ["Menu"]\nlabel = "menu"\n')
    code, _, err = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert (code, "mine.toml" in err) == (2, True), err


def test_a_destination_that_cannot_be_written_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A read-only destination is named with the remedy."""
    folder(here, "texts", a_txt=STORY)
    shut = folder(here, "shut")
    if os.geteuid() == 0:
        # Nothing is read-only for root but what is immutable.
        if not shutil.which("chattr") or subprocess.run(["chattr", "+i", str(shut)], capture_output=True).returncode:
            pytest.skip("runs as root on a file system without immutable folders")
    else:
        shut.chmod(0o500)
    try:
        code, _, err = run("ingest", "--no-prefect", "texts", "--into", "shut", capsys=capsys)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", str(shut)], check=True)
        shut.chmod(0o700)
    assert code == 3
    assert "shut/texts" in err
    assert "choose another --into" in err


def test_the_dataset_is_named_after_the_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --name, a folder's dataset has the folder's name and lies in dist/."""
    folder(here, "texts", a_txt=STORY)
    code, out, _ = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert code == 0
    assert "texts 1.0.0 (first): 1 article in dist/texts" in out
    assert (here / "dist" / "texts" / "README.md").is_file()


def test_restore_and_verify_round_trip(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was ingested comes back, and a flipped byte is found."""
    folder(here, "texts", a_txt=STORY)
    run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert run("verify", "dist/texts", capsys=capsys)[0] == 0
    assert run("restore", "dist/texts", "--into", "back", capsys=capsys)[0] == 0
    assert (here / "back" / "a.txt").read_text() == STORY
    shard = next((here / "dist" / "texts" / "data").iterdir())
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    code, out, _ = run("verify", "dist/texts", "--json", capsys=capsys)
    assert code == 3
    assert any(shard.name in problem["file"] for problem in json.loads(out))


def test_diff_and_withdraw(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second release is compared with the first; a withdrawn document is gone from both, and stays out."""
    folder(here, "texts", a_txt=STORY, b_txt=STORY.replace("ferry", "bus"))
    run("ingest", "--no-prefect", "texts", capsys=capsys)
    (here / "texts" / "a.txt").write_text(STORY.replace("Monday", "Friday"))
    (here / "texts" / "c.txt").write_text(STORY.replace("ferry", "train"))
    run("ingest", "--no-prefect", "texts", capsys=capsys)
    code, out, _ = run("diff", "dist/texts", "1.0.0", "1.1.0", "--json", capsys=capsys)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {(row["uri"], row["change"], row["cause"]) for row in rows} == {
        ("a.txt", "changed", "raw file"),
        ("c.txt", "added", "raw file"),
    }
    name = next(row["id"] for row in rows if row["uri"] == "a.txt")
    code, out, _ = run("withdraw", "dist/texts", name, "--reason", "asked by the author", capsys=capsys)
    assert (code, "withdrawn from 1.0.0, 1.1.0" in out) == (0, True)
    assert run("verify", "dist/texts", capsys=capsys)[0] == 0
    assert not [path for path in (here / "dist").rglob("*.parquet") if b"Friday" in path.read_bytes()]
    code, out, _ = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert "nothing changed" in out
    assert run("verify", "dist/texts", capsys=capsys)[0] == 0


def test_a_dataset_that_is_not_there_is_told_before_a_server_is_started(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To publish takes seconds of Prefect, so the path is looked at first."""
    code, out, err = run("publish", "dist/none", "me/none", capsys=capsys)
    assert (code, out) == (3, "")
    assert "dist/none: there is no release here" in err


def test_a_second_writer_is_told_who_holds_the_lock(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two ingests at once: one works, the other names the process; a lock left by a dead process is taken over."""
    folder(here, "texts", a_txt=STORY)
    code = (
        "import sys, time; from pathlib import Path; from copydesk.release.folder import Folder\n"
        "with Folder(Path('dist/texts')).opened():\n    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        found, _, err = run("ingest", "--no-prefect", "texts", capsys=capsys)
        assert (found, f"another copydesk is writing here (process {holder.pid} on" in err) == (3, True), err
        holder.kill()
    assert run("ingest", "--no-prefect", "texts", capsys=capsys)[0] == 0


def test_a_file_asked_for_twice_is_one_document(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder and a file in it, as a shell's pattern gives them: each document once."""
    folder(here, "texts", a_txt=STORY, b_txt=STORY.replace("ferry", "bus"))
    code, out, _ = run("ingest", "--no-prefect", "texts", "texts/a.txt", "--name", "x", capsys=capsys)
    assert (code, "x 1.0.0 (first): 2 articles" in out) == (0, True)


def test_another_folder_of_the_same_name_is_noted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two folders called texts are one source to a dataset: the second run says so."""
    for place, text in (("x", STORY), ("y", STORY.replace("ferry", "bus"))):
        (here / place / "texts").mkdir(parents=True)
        (here / place / "texts" / "a.txt").write_text(text)
        code, out, _ = run("ingest", "--no-prefect", f"{place}/texts", "--name", "n", capsys=capsys)
        assert (code, "note: source 'texts' was read from" in out) == (0, place == "y")


def test_dates_of_a_sidecar_that_are_none_are_noted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many, and the first of them with its file; the document is released without it."""
    folder(here, "texts", a_txt=STORY, b_txt=STORY.replace("ferry", "bus"), c_txt=STORY.replace("ferry", "tram"))
    (here / "texts" / "about.csv").write_text("file,date\na.txt,31.13.2017\nb.txt,2017-01-31\nc.txt,31 January 2017\n")
    (here / "copydesk.toml").write_text('[[source]]\nname = "texts"\npath = "texts"\nmetadata = "about.csv"\n')
    code, out, err = run("ingest", "--no-prefect", "--name", "n", capsys=capsys)
    assert (code, "1.0.0 (first): 3 articles" in out) == (0, True), err
    assert "about.csv: 1 of its dates cannot be read, such as '31.13.2017' for 'a.txt'; write them as" in out


def test_the_destination_may_lie_in_the_source(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was released is not read as raw files by the next ingest."""
    folder(here, "texts", a_txt=STORY)
    for _ in range(2):
        code, out, _ = run("ingest", "--no-prefect", "texts", "--into", "texts/dist", capsys=capsys)
    assert (code, "nothing changed" in out) == (0, True)


def test_quarantine_reasons_verify(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A card that lists reasons by their number verifies, whatever their names."""
    folder(here, "texts", a_txt=STORY, b_zzz="x", c_zzz="x", d_aaa="x")
    run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert run("verify", "dist/texts", capsys=capsys)[0] == 0


def test_names_of_files_do_nothing_to_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it would obey is left out of all that commands say: of names, of reasons, of errors."""
    texts = folder(here, "texts", a_txt=STORY)
    (texts / "b\x1b]0;gone\x07\nall is well.pdf").write_bytes(b"")
    told = [
        run(*words, capsys=capsys)
        for words in (
            ["ingest", "--no-prefect", "texts"],
            ["quarantine", "show", "--dataset", "dist/texts"],
            ["quarantine", "waive", "--dataset", "dist/texts", "--all", "--why", "known \x1b[2J"],
            ["quarantine", "show", "--dataset", "dist/texts"],
            ["status", "dist/texts"],
            ["ingest", "--no-prefect", "no\x1b[31mthing"],
            ["explain", "texts"],
        )
    ]
    assert [code for code, *_ in told] == [0, 0, 0, 0, 0, 2, 0]
    assert "b ]0;gone  all is well.pdf" in told[0][1]
    assert not any(sign in out + err for _, out, err in told for sign in "\x1b\x07")


def test_explain_goes_on_after_a_missing_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is not there has a record with an error; the others are explained."""
    folder(here, "texts", a_txt=STORY)
    (here / "texts" / "ha#sh.txt").write_text(STORY)
    code, out, _ = run("explain", "--json", "texts/ha#sh.txt", "nope.txt", capsys=capsys)
    records = {record["id"]: record for record in map(json.loads, out.splitlines())}
    assert code == 0
    assert set(records) == {"ha#sh", "nope"}
    assert records["nope"]["error"] == "no such file or folder; check the path"


def test_output_does_not_depend_on_the_terminals_encoding(here: Path) -> None:
    """Text that an ASCII terminal cannot show comes out as UTF-8, not as an error."""
    folder(here, "texts", a_txt="Le bac a fêté ses cent ans — vendredi, en présence de trois capitaines.\n")
    told = subprocess.run(
        [sys.executable, "-m", "copydesk", "explain", "--json", "texts"],
        capture_output=True,
        check=True,
        cwd=here,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert "fêté" in told.stdout.decode("utf-8")


def test_a_full_disk_is_told(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says of a disk is told without a traceback, with the exit code of a failure."""
    from copydesk import stages

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder(here, "texts", a_txt=STORY)
    monkeypatch.setattr(stages, "_write", full)
    code, _, err = run("ingest", "--no-prefect", "texts", capsys=capsys)
    assert (code, "No space left on device" in err, "Traceback" in err) == (3, True, False)


def test_explain_json_is_one_object_per_document(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, one entry per raw line; a last empty line is not counted; an unread file has an error."""
    folder(here, "texts", a_txt=f"All news\r\n\r\n{STORY.strip()}\rEnd of it all came soon.\n", b_png=b"\x89PNG")
    code, out, _ = run("explain", "texts", "--json", capsys=capsys)
    records = {record["id"]: record for record in map(json.loads, out.splitlines())}
    assert code == 0
    assert set(records["a"]) == {"id", "uri", "labels", "fate", "evidence", "text", "fields"}
    assert len(records["a"]["labels"]) == len(records["a"]["fate"]) == len(records["a"]["evidence"]) == 4
    assert set(records["b"]) == {"id", "uri", "error"}
    assert set(records["a"]["fields"]) == {
        "headline",
        "deck",
        "dateline",
        "published_at",
        "updated_at",
        "authors",
        "section",
        "topics",
        "persons",
        "truncated",
        "language",
        "outlet",
        "site",
    }


def test_explain_is_plain_where_it_is_piped(here: Path) -> None:
    """No colour codes when the output is no terminal."""
    folder(here, "texts", a_txt=STORY)
    told = subprocess.run(
        [sys.executable, "-m", "copydesk", "explain", "texts"], capture_output=True, check=True, cwd=here
    )
    assert b"\x1b" not in told.stdout
    assert b"body" in told.stdout


def test_help_imports_nothing_heavy() -> None:
    """`copydesk --help` is quick because it imports no library that is not Python's."""
    code = "import sys; from copydesk.cli import build_parser; build_parser(); print(' '.join(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(told.stdout.split())
    assert not loaded & {"polars", "pyarrow", "prefect", "datasets", "numpy", "pydantic", "rich", "ftfy", "yaml"}


def test_plain_calls_import_no_prefect(here: Path) -> None:
    """`--no-prefect` runs without importing Prefect, datasets or pandas."""
    folder(here, "texts", a_txt=STORY)
    code = (
        "import sys; from copydesk.cli import main; assert main(['ingest', '--no-prefect', 'texts']) == 0; "
        "print(' '.join(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=here)
    assert not set(told.stdout.split()) & {"prefect", "datasets", "pandas", "flows"}


def test_the_program_runs_as_a_module() -> None:
    """`python -m copydesk --version` names the version."""
    told = subprocess.run(
        [sys.executable, "-m", "copydesk", "--version"], capture_output=True, check=True, text=True, cwd=ROOT
    )
    assert told.stdout.startswith("copydesk 0.")
