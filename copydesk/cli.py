"""The command line: `copydesk COMMAND`. Parsing here, work elsewhere; everything heavy is imported late.

Exit codes: 0 done (quarantine allowed unless --strict), 1 done but strict checks failed, 2 usage, 3 failed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from copydesk import __version__
from copydesk.errors import CopydeskError, UsageError

if TYPE_CHECKING:
    from copydesk.job import Options
    from copydesk.outcome import Outcome

__all__ = ["build_parser", "main"]

DONE, STRICT_FAILED, FAILED = 0, 1, 3

PREFECT_DEFAULTS: Final = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s is too short on a busy machine
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the server gets its logs, the terminal ours
}
EPHEMERAL_DEFAULTS: Final = {
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",  # or it ends with 150 lines of cancelled tasks
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except CopydeskError as error:
        print(f"copydesk: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("copydesk: interrupted; the next run takes up what was finished", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"copydesk: {place}{error.strerror or error}; free space or rights, then run this again", file=sys.stderr)
        return FAILED
    except Exception:  # noqa: BLE001 -- the last resort: whatever it was, the exit code says that it failed
        traceback.print_exc()
        print("copydesk: this is an error of copydesk; please report it with the lines above", file=sys.stderr)
        return FAILED
    return code


def build_parser() -> argparse.ArgumentParser:
    """The whole command line as an argparse parser: the reference in docs/cli.md is printed from it."""
    parser = argparse.ArgumentParser(
        prog="copydesk",
        description="Raw news text in, clean, versioned, documented datasets out, every removed line accounted for.",
    )
    parser.add_argument("--version", action="version", version=f"copydesk {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _add_ingest,
        _add_explain,
        _add_diff,
        _add_verify,
        _add_restore,
        _add_withdraw,
        _add_evaluate,
        _add_profile,
        _add_model,
    ):
        add(commands)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 -- argparse has no public name for it


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, run: Callable[[argparse.Namespace], int], told: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _add_ingest(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "ingest", _ingest, "raw files to a released dataset")
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="raw files or folders (default: the sources of copydesk.toml)",
    )
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if there is one)")
    add("--name", help="the dataset's name (default: that of copydesk.toml, else the one PATH's folder name)")
    add("--into", type=Path, metavar="DIR", help="where datasets are kept (default: dist)")
    add("--workers", type=int, metavar="N", help="worker processes (default: 2)")
    add(
        "--mode",
        choices=["append", "mirror"],
        default="append",
        help="append: the article of a vanished file stays; mirror: it goes (default: append)",
    )
    add("--years", metavar="A..B", help="the documents were published in these years: decides dates without a year")
    add("--relearn", action="store_true", help="learn the knowledge anew and judge everything with it")
    add("--rehash", action="store_true", help="open every file: a change that left size and time alone is found, too")
    add("--allow-shrink", action="store_true", help="let a mirror run remove over 5 %% of the articles, or a source")
    add("--dry-run", action="store_true", help="say what would happen and write nothing")
    add("--strict", action="store_true", help="exit with 1 where a document went to quarantine")
    add("--no-prefect", action="store_true", help="run the same stages by plain calls, without Prefect")


def _add_explain(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "explain", _explain, "line by line: label, fate and evidence")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="raw files or folders")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)"
    )
    parser.add_argument(
        "--dataset", type=Path, metavar="DIR", help="judge with the knowledge of this dataset's newest release"
    )
    parser.add_argument("--years", metavar="A..B", help="the documents were published in these years")
    parser.add_argument("--json", action="store_true", help="one JSON object per document, one document a line")


def _add_diff(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "diff", _diff, "what changed between two releases, document by document, and why")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("old", metavar="OLD", help="a release, such as 1.0.0")
    parser.add_argument("new", metavar="NEW", help="a later one")
    parser.add_argument("--json", action="store_true", help="one JSON object per document, one document a line")


def _add_withdraw(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "withdraw", _withdraw, "take documents out of every release, on record")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("ids", nargs="+", metavar="ID", help="ids of documents: the column `id`")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it goes on record")


def _add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "evaluate", _evaluate, "scores against documents labelled by hand")
    add = parser.add_argument
    add("gold", type=Path, metavar="GOLD", help="JSON lines, a label for each raw line (schemas/gold.yaml)")
    add(
        "--raw", type=Path, metavar="DIR", help="the raw texts, ID.txt (default: the folder beside GOLD, named like it)"
    )
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)")
    add("--dataset", type=Path, metavar="DIR", help="judge with the knowledge of this dataset's newest release")
    add("--source", default="gold", metavar="NAME", help="the source as whose documents that knowledge counted them")
    add(
        "--by",
        choices=["outlet", "site", "kind", "language"],
        default="outlet",
        help="what rows are for (default: outlet)",
    )
    add("--worst", type=int, default=20, metavar="N", help="how many of the worst lines are listed (default: 20)")
    add("--json", action="store_true", help="everything as one JSON object")


def _add_profile(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("profile", help="site profiles: propose one from the corpus")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    propose = _command(inner, "propose", _propose, "a site profile drafted from documents without labels")
    propose.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="raw files (default: the configured sources)"
    )
    propose.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)"
    )
    propose.add_argument("--dataset", type=Path, metavar="DIR", help="from the ledger of this dataset's newest release")
    propose.add_argument("--site", metavar="NAME", help="which site, where the documents are of several")
    propose.add_argument("--out", type=Path, metavar="FILE", help="write to this new file instead of the terminal")


def _add_model(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("model", help="the line model: train it again", description="The line model.")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = _command(verbs, "train", _train, "learn the weights from gold files; the same files give the same bytes")
    train.add_argument(
        "gold", nargs="+", type=Path, metavar="GOLD", help="gold files: docs/model-card.md names their forms"
    )
    train.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights to write (.npz)")


def _add_restore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "restore", _restore, "every raw file back from the ledger, byte for byte")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("version", nargs="?", help="which release (default: the newest)")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to write to")


def _add_verify(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "verify", _verify, "recompute every hash, count and number of a release")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("version", nargs="?", help="which release (default: all)")
    parser.add_argument("--json", action="store_true", help="the problems as one JSON array")


def _ingest(asked: argparse.Namespace) -> int:
    from copydesk.job import Options

    options = Options(
        paths=tuple(asked.paths),
        config=asked.config,
        name=asked.name,
        into=asked.into,
        workers=asked.workers,
        mode=asked.mode,
        years=asked.years,
        relearn=asked.relearn,
        rehash=asked.rehash,
        allow_shrink=asked.allow_shrink,
        dry_run=asked.dry_run,
    )
    outcome = _ingest_plainly(options) if asked.no_prefect else _ingest_as_flow(options)
    print(outcome.summary())
    return STRICT_FAILED if asked.strict and outcome.refused else DONE


def _ingest_plainly(options: Options) -> Outcome:
    from copydesk.job import settle
    from copydesk.pipeline import ingest
    from copydesk.review.progress import shown_progress
    from copydesk.runner import Workers

    print("copydesk ingest: plain calls, without Prefect", flush=True)
    job = settle(options)
    with shown_progress() as progress, Workers(job.workers, progress) as pool:
        return ingest(job, pool)


def _ingest_as_flow(options: Options) -> Outcome:
    for name, value in PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    if not address:
        for name, value in EPHEMERAL_DEFAULTS.items():
            os.environ.setdefault(name, value)
    print(f"copydesk ingest: Prefect flow, {f'on {address}' if address else 'on an ephemeral server'}", flush=True)
    from copydesk.job import settle
    from copydesk.review.progress import shown_progress
    from flows.ingest import ingest_flow

    settle(options)  # what is wrong with the request is said before a server is started
    with shown_progress():
        outcome: Outcome = ingest_flow(**options.as_parameters())
    return outcome


def _explain(asked: argparse.Namespace) -> int:
    from copydesk.job import Options
    from copydesk.review.explain import console_for_output, explain_files, print_document
    from copydesk.single import public

    options = Options(paths=tuple(asked.paths), config=asked.config, years=asked.years)
    told, records = explain_files(options, asked.dataset)
    print(f"copydesk explain: {told}", file=sys.stderr, flush=True)
    console = console_for_output()
    for record in records:
        if asked.json:
            print(json.dumps(public(record), ensure_ascii=False))
        else:
            print_document(record, console)
    return DONE


def _restore(asked: argparse.Namespace) -> int:
    from copydesk.release.restore import restore

    print(f"{asked.dataset}, {restore(asked.dataset, asked.version, asked.into)} in {asked.into}; every SHA-256 holds")
    return DONE


def _verify(asked: argparse.Namespace) -> int:
    from copydesk.release.manifest import choose
    from copydesk.release.verify import verify

    problems = verify(asked.dataset, asked.version)
    if asked.json:
        print(json.dumps([vars(problem) for problem in problems], ensure_ascii=False))
    elif problems:
        print("\n".join(str(problem) for problem in problems))
    else:
        print(f"{asked.dataset} {choose(asked.dataset, asked.version).version}: every hash, count and number holds")
    return FAILED if problems else DONE


def _diff(asked: argparse.Namespace) -> int:
    from copydesk.release.changes import compare

    found = compare(asked.dataset, asked.old, asked.new)
    for row in found.iter_rows(named=True):
        print(json.dumps(row, ensure_ascii=False) if asked.json else "{change:<9} {uri}  ({cause})".format(**row))
    if not asked.json:
        counts = found["change"].value_counts(sort=True).iter_rows()
        told = ", ".join(f"{number} {change}" for change, number in counts) or "no document differs"
        print(f"{asked.dataset} {asked.old} to {asked.new}: {told}")
    return DONE


def _withdraw(asked: argparse.Namespace) -> int:
    from copydesk.release.withdraw import withdraw

    for name in asked.ids:
        done = withdraw(asked.dataset, name, asked.reason)
        print(f"{done.uri} ({done.id}): withdrawn from {', '.join(done.versions)}; {len(done.files)} files replaced")
    return DONE


def _train(asked: argparse.Namespace) -> int:
    os.environ["OMP_NUM_THREADS"] = "1"  # sums of several threads differ in their last bits
    from copydesk.lines.training import train

    train(asked.gold, asked.out)
    print(f"{asked.out}: {asked.out.stat().st_size} bytes")
    return DONE


def _evaluate(asked: argparse.Namespace) -> int:
    from copydesk.carry import last_release
    from copydesk.config import load_config
    from copydesk.evaluation import evaluate, render
    from copydesk.lines.profiles import load_profiles

    config = load_config(asked.config)
    last = last_release(asked.dataset) if asked.dataset else None
    if asked.dataset and last is None:
        raise UsageError(f"{asked.dataset}: there is no release here; give the folder of a dataset, such as dist/NAME")
    found = evaluate(
        asked.gold,
        asked.raw,
        knowledge=last.held_knowledge if last else None,
        profiles=load_profiles([config.below(path) for path in config.ingest.profiles]),
        source=asked.source,
        by=asked.by,
        limit=asked.worst,
    )
    print(
        json.dumps(found.as_json(), ensure_ascii=False) if asked.json else render(found), end="\n" if asked.json else ""
    )
    return DONE


def _propose(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.drafting import draft_from_files, draft_from_release
    from copydesk.job import Options
    from copydesk.lines.profiles import load_profiles

    if asked.out and asked.out.exists():
        raise UsageError(f"{asked.out}: is there already; name a new file, a profile may hold somebody's work")
    if asked.dataset:
        config = load_config(asked.config)
        profiles = load_profiles([config.below(path) for path in config.ingest.profiles])
        text = draft_from_release(asked.dataset, profiles, asked.site)
    else:
        text = draft_from_files(Options(paths=tuple(asked.paths), config=asked.config, name="draft"), asked.site)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
        print(f"{asked.out}: {text.count('[[rules]]')} rules drafted; read and correct them")
    else:
        print(text, end="")
    return DONE
