"""A dataset's life: runs on record, drift where a site changes, quarantine worked on, a status that says so."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from copydesk import journal
from copydesk.cli import main
from copydesk.config import load_config
from copydesk.errors import ConfigError, ReleaseError, UsageError
from copydesk.job import Options, settle
from copydesk.notify import Notice, failure, notices, tell
from copydesk.operation import could_not_begin, operate
from copydesk.outcome import Outcome
from copydesk.quarantine import held, waivers
from copydesk.runner import Workers
from copydesk.sources import reading
from copydesk.status import Planned, Scheduled, keep_schedule, status

OLD = (
    "Tide table and moorings",
    "Ring the harbour bell for this tale",
    "Lantern keepers on watch",
    "Back under the lantern",
    "Printed on sailcloth since 1904",
    "Ropes, knots and weather glasses",
    "From the same berth",
)
NEW = (
    "Quay bulletin of the morning",
    "Send word to the lamplighter",
    "What the gulls carried in",
    "Moor here for other stories",
    "Set by hand on the lower quay",
    "All wharves and landings",
    "Oars, nets and barrels",
)
PLACES = ["Karsund", "Port Ellery", "Lower Mossby", "Hesk", "Tarn", "Vell"]
WHO = ["harbour master", "baker", "teacher", "ferry captain", "council clerk", "organist", "mayor", "surveyor"]
DID = ["asked for a new bridge", "found the ledger", "closed the market", "counted the boats", "repaired the clock"]


def page(chance: random.Random, furniture: tuple[str, ...]) -> str:
    """An invented page of a site: its furniture around a story that no other page tells."""
    place, who, did = chance.choice(PLACES), chance.choice(WHO), chance.choice(DID)
    number = chance.randrange(10**6)
    body = [
        f"The {chance.choice(WHO)} of {chance.choice(PLACES)} said on day {chance.randrange(10**4)} that the "
        f"{chance.choice(WHO)} {chance.choice(DID)} because of matter {chance.randrange(10**6)}, and nobody objected."
        for _ in range(chance.randint(3, 6))
    ]
    top, bottom = furniture[:3], furniture[3:]
    head = f"The {who} of {place} {did}, case {number}"
    return "\n\n".join([*top, head, f"March {chance.randint(1, 28)}, 2018", *body, *bottom]) + "\n"


def run(folder: Path, **asked: object) -> Outcome:
    """An ingest of the project in a folder, with a record."""
    job = settle(Options(config=folder / "copydesk.toml", **asked))  # type: ignore[arg-type]
    return operate(job, Workers(1))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one source, `wire`, of which nothing is there yet."""
    (tmp_path / "wire").mkdir()
    (tmp_path / "copydesk.toml").write_text('[dataset]\nname = "news"\n[[source]]\nname = "wire"\npath = "wire"\n')
    return tmp_path


def bring(project: Path, step: int, number: int, furniture: tuple[str, ...] = OLD) -> None:
    """Put new pages of the site into the source."""
    chance = random.Random(step)
    for one in range(number):
        (project / "wire" / f"{step:03}-{one:03}.txt").write_text(page(chance, furniture))


@pytest.mark.slow
def test_a_site_that_renames_its_furniture_is_reported_in_that_run_and_in_none_before(project: Path) -> None:
    """Twenty ingests of a site that stays as it is report nothing; the one in which its furniture changes does."""
    bring(project, 0, 60)
    assert run(project).drift == ()
    for step in range(1, 21):
        bring(project, step, 14)
        outcome = run(project)
        assert (outcome.version, outcome.drift) == (f"1.{step}.0", ())
    bring(project, 21, 14, NEW)
    outcome = run(project)
    assert {one.measure for one in outcome.drift} >= {"lines left out"}
    assert "DRIFT: source 'wire' has drifted" in outcome.summary()
    assert "copydesk ingest --relearn" in outcome.summary()
    found = status(project / "dist" / "news", {})
    assert any("has drifted" in need for need in found.needs)
    bring(project, 22, 30, NEW)
    again = run(project, relearn=True)
    assert again.drift == ()
    assert status(project / "dist" / "news", {}).needs == ()


def test_every_run_is_on_record(project: Path) -> None:
    """A release, a run without change and a failure each leave a line, with what the source brought."""
    dataset = project / "dist" / "news"
    bring(project, 0, 3)
    run(project)
    run(project)
    (dataset / "README.md").write_text("not a card")
    with pytest.raises(ReleaseError):
        run(project)
    first, second, third = journal.read(dataset)
    assert (first.result, first.version, first.arrived, first.learned) == ("released", "1.0.0", {"wire": 3}, True)
    assert (second.result, second.version, second.arrived) == ("unchanged", None, {})
    assert (third.result, third.good) == ("failed", False)
    assert "README.md" in str(third.error)


def test_a_run_that_could_not_begin_is_on_record(project: Path) -> None:
    """A source that is away fails a run on a schedule, and the status says so."""
    bring(project, 0, 3)
    run(project)
    options = Options(config=project / "copydesk.toml")
    could_not_begin(options, UsageError("wire: no such file or folder"))
    found = status(project / "dist" / "news", {})
    assert found.needs == ("the last run failed: UsageError: wire: no such file or folder",)
    could_not_begin(Options(config=project / "none.toml"), UsageError("x"))


def test_the_journal_is_cut_and_a_broken_line_is_passed_over(tmp_path: Path) -> None:
    """It does not grow for ever; a crash in the middle of a line costs that line."""
    (tmp_path / ".work").mkdir()
    for number in range(journal.KEPT + 2 * journal.SPARE):
        journal.write(tmp_path, journal.Run(began="", ended=str(number), result="unchanged"))
    with (tmp_path / ".work" / "runs.jsonl").open("a") as stream:
        stream.write('{"began": "x", "en')
    found = journal.read(tmp_path)
    assert journal.KEPT <= len(found) <= journal.KEPT + journal.SPARE
    assert found[-1].ended == str(journal.KEPT + 2 * journal.SPARE - 1)


def test_a_dry_run_leaves_no_record(project: Path) -> None:
    """Nothing is written by a dry run, the journal neither."""
    bring(project, 0, 3)
    run(project)
    run(project, dry_run=True)
    assert len(journal.read(project / "dist" / "news")) == 1


BINARY = bytes(range(256)) * 8


def test_quarantine_is_worked_on(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """List, show, waive with a reason, --strict passes; another file's bytes end the waiver."""
    monkeypatch.chdir(project)
    bring(project, 0, 3)
    (project / "wire" / "bad.txt").write_bytes(BINARY)
    assert main(["ingest", "--no-prefect", "--strict"]) == 1
    assert main(["quarantine", "list"]) == 0
    assert "1 in quarantine, 0 of them waived" in capsys.readouterr().out
    assert main(["quarantine", "waive", "nothing.txt", "--why", "x"]) == 2
    assert main(["quarantine", "waive", "bad.txt", "--why", "a broken disk", "--by", "Ann"]) == 0
    assert main(["ingest", "--no-prefect", "--strict"]) == 0
    capsys.readouterr()
    assert main(["quarantine", "show", "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["uri"], row["waiver"]["by"], row["waiver"]["why"]) == ("bad.txt", "Ann", "a broken disk")
    (project / "wire" / "bad.txt").write_bytes(BINARY + b"\0")
    assert main(["ingest", "--no-prefect", "--strict"]) == 1


def test_retry_reads_again_what_was_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings refused comes in by itself once they are changed; what was read and refused, by retry."""
    bring(project, 0, 3)
    (project / "wire" / "bad.txt").write_bytes(BINARY)
    assert [uri for uri, _ in run(project).refused] == ["bad.txt"]
    assert run(project).read == 0
    retried = run(project, retry=True)
    assert (retried.read, retried.version) == (1, None)


def test_what_could_not_be_opened_is_tried_again_by_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a disk or its rights held back comes in with the next run after it can be read."""
    bring(project, 0, 3)
    bad = project / "wire" / "000-000.txt"
    opened = reading.opened

    def stubborn(path: Path) -> object:
        if path.name == bad.name:
            raise PermissionError(13, "Permission denied")
        return opened(path)

    with monkeypatch.context() as held_back:
        held_back.setattr(reading, "plain_rows", lambda files: [None] * len(files))  # each as any other format is
        held_back.setattr(reading, "opened", stubborn)
        assert [uri for uri, _ in run(project).refused] == ["000-000.txt"]
    outcome = run(project)
    assert (outcome.refused, outcome.documents) == ((), 3)


def test_a_damaged_waiver_is_told_with_its_line(project: Path) -> None:
    """The message names file and line."""
    (project / "waived.jsonl").write_text("\n{}\n")
    with pytest.raises(ConfigError, match=r"waived\.jsonl, line 2"):
        waivers(project)


def test_growth_counts_what_is_new_and_not_waived(project: Path) -> None:
    """A document is told as new in quarantine once."""
    bring(project, 0, 3)
    (project / "wire" / "bad.txt").write_bytes(BINARY)
    assert [uri for uri, _ in run(project).grown] == ["bad.txt"]
    assert run(project).grown == ()
    assert len(held(project / "dist" / "news", {})) == 1


def test_status_says_what_needs_someone(project: Path) -> None:
    """No release, a failure, an old run, a quarantined document, a schedule without a run: each is a line."""
    dataset = project / "dist" / "news"
    assert status(dataset, {}).needs == ("there is no release yet: run `copydesk ingest`",)
    bring(project, 0, 3)
    run(project)
    assert status(dataset, {}).needs == ()
    assert status(dataset, {}, within=timedelta(seconds=0)).needs[0].startswith("the last good run ended")
    keep_schedule(dataset, Scheduled("http://127.0.0.1:1/api", "news", "cron '0 3 * * *'"))
    planned = Planned(None, served=False, problems=("no future run is scheduled",))
    assert status(dataset, {}, planned=planned).needs == ("no future run is scheduled",)
    journal.write(dataset, journal.Run("", journal.now(), "failed", error="ReleaseError: no"))
    journal.write(dataset, journal.Run("", journal.now(), "failed", error="ReleaseError: no"))
    assert status(dataset, {}).needs == ("the last run failed, 2 in a row: ReleaseError: no",)


def test_status_in_the_terminal_and_as_json(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The same facts both ways; --check makes the exit code say so."""
    monkeypatch.chdir(project)
    assert main(["status", "--check"]) == 1
    bring(project, 0, 3)
    main(["ingest", "--no-prefect"])
    capsys.readouterr()
    assert main(["status", "--check", "--within", "1h"]) == 0
    told = capsys.readouterr().out
    assert "1.0.0" in told
    assert "wire: 3 articles" in told
    assert told.endswith("all is well\n")
    assert main(["status", "--json", "dist/news"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["articles"], found["sources"]["wire"]["articles"]) == ("1.0.0", 3, 3)
    assert main(["status", "nowhere"]) == 2


def test_a_schedule_that_is_not_there_fails_the_check(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Never started, or its server does not answer: exit 1, and why."""
    monkeypatch.chdir(project)
    bring(project, 0, 1)
    assert main(["schedule", "--check"]) == 1
    assert "no schedule was ever started" in capsys.readouterr().err
    keep_schedule(project / "dist" / "news", Scheduled("http://127.0.0.1:1/api", "news", "cron '0 3 * * *'"))
    assert main(["schedule", "--check"]) == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--interval", "0"],
        ["--interval", "soon"],
        ["--cron", "0 3 * *"],
        ["--interval", "1h", "--port", "65536"],
        ["--interval", "1h", "--port", "0"],
        [],
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    words: list[str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """A time that is none, a cron expression that is none, nothing at all: exit 2."""
    monkeypatch.chdir(project)
    try:
        code = main(["schedule", *words])
    except SystemExit as error:
        code = int(str(error.code))
    assert code == 2


def test_a_new_project_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is written once, works, and stays as a person left it."""
    assert main(["init", str(tmp_path / "My news!")]) == 0
    folder = tmp_path / "My news!"
    assert load_config(folder / "copydesk.toml").dataset.name == "My-news-"
    for deployment in yaml.safe_load((folder / "prefect.yaml").read_text())["deployments"]:
        assert Path(deployment["entrypoint"].split(":")[0]).is_file()
    (folder / "copydesk.toml").write_text('[dataset]\nname = "mine"\n[[source]]\nname = "raw"\npath = "raw"\n')
    assert main(["init", str(folder)]) == 0
    assert load_config(folder / "copydesk.toml").dataset.name == "mine"
    monkeypatch.chdir(folder)
    (folder / "raw" / "one.txt").write_text(page(random.Random(1), OLD))
    assert main(["ingest", "--no-prefect", "--strict"]) == 0
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 2


def test_notices_reach_the_program_and_the_webhook(project: Path, tmp_path: Path) -> None:
    """The program gets JSON on its standard input; what fails is told and fails nothing; kinds not wanted stay away."""
    (project / "copydesk.toml").write_text(
        (project / "copydesk.toml").read_text()
        + f'[notify]\ncommand = ["sh", "-c", "cat > {tmp_path}/told.json"]\nwebhook = "http://127.0.0.1:1/x?secret"\n'
    )
    to = load_config(project / "copydesk.toml").notify
    (reason,) = tell(to, failure("news", "the disk is full"))
    assert "secret" not in reason
    assert json.loads((tmp_path / "told.json").read_text())["text"].endswith("failed: the disk is full")
    assert tell(to, Notice("release", "news", "")) == []
    broken = to.model_copy(update={"command": ("no-such-program",), "webhook": None})
    assert "no-such-program" in tell(broken, failure("news", "x"))[0]


def test_an_outcome_is_worth_notices(project: Path) -> None:
    """A release is one, and so is a quarantine that has grown."""
    bring(project, 0, 3)
    (project / "wire" / "bad.txt").write_bytes(BINARY)
    assert [one.kind for one in notices(run(project))] == ["quarantine", "release"]
    assert list(notices(run(project))) == []


def test_several_datasets_are_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the project names none, status shows all and quarantine wants one named."""
    from copydesk.project import dataset_folders

    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no dataset"):
        dataset_folders([], load_config())
    for name in ("a", "b"):
        (tmp_path / "dist" / name).mkdir(parents=True)
        (tmp_path / "dist" / name / "README.md").touch()
    assert [path.name for path in dataset_folders([], load_config())] == ["a", "b"]
