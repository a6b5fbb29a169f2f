"""`copydesk verify`, `restore` and `withdraw`: what one does with releases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from copydesk.commands.common import DONE, FAILED, Commands, command

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    _add_verify(commands)
    _add_restore(commands)
    _add_withdraw(commands)


def _add_verify(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "verify", _verify, "recompute every hash, count and number of a release")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("version", nargs="?", help="which release (default: all)")
    parser.add_argument("--json", action="store_true", help="the problems as one JSON array")


def _add_restore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "restore", _restore, "every raw file back from the ledger, byte for byte")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("version", nargs="?", help="which release (default: the newest)")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument(
        "--from",
        dest="copies",
        type=Path,
        metavar="DIR",
        help="copies of the raw files: make a release that was published without text whole again, as a dataset",
    )
    parser.add_argument("--partial", action="store_true", help="with --from: leave out documents without a copy")
    parser.add_argument("--config", type=Path, metavar="FILE", help="with --from: the configuration of the copies")


def _add_withdraw(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "withdraw", _withdraw, "take documents out of every release, on record")
    parser.add_argument("dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder")
    parser.add_argument("ids", nargs="+", metavar="ID", help="ids of documents: the column `id`")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it goes on record")


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


def _restore(asked: argparse.Namespace) -> int:
    if asked.copies:
        return _rebuild(asked)
    from copydesk.release.restore import restore

    print(f"{asked.dataset}, {restore(asked.dataset, asked.version, asked.into)} in {asked.into}; every SHA-256 holds")
    return DONE


def _rebuild(asked: argparse.Namespace) -> int:
    from copydesk.job import Options
    from copydesk.rebuild import rebuild

    options = Options(paths=(asked.copies,), config=asked.config)
    done = rebuild(asked.dataset, asked.version, options, asked.into, partial=asked.partial)
    print(f"{asked.dataset}, {done} in {asked.into}; every SHA-256 holds")
    return DONE


def _withdraw(asked: argparse.Namespace) -> int:
    from copydesk.release.withdraw import withdraw

    for name in asked.ids:
        done = withdraw(asked.dataset, name, asked.reason)
        print(f"{done.uri} ({done.id}): withdrawn from {', '.join(done.versions)}; {len(done.files)} files replaced")
    return DONE
