"""`copydesk verify`, `restore` and `withdraw`: what one does with releases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from copydesk.commands.common import DONE, FAILED, Commands, command
from copydesk.foreign import visible
from copydesk.locations import place

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    _add_verify(commands)
    _add_restore(commands)
    _add_withdraw(commands)


def _add_verify(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "verify", _verify, "recompute every hash, count and number of a release")
    parser.add_argument("dataset", type=place, metavar="DIST/NAME", help="the dataset's folder, or its URL on a store")
    parser.add_argument("version", nargs="?", help="which release (default: all)")
    parser.add_argument("--json", action="store_true", help="the problems as one JSON array")


def _add_restore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "restore", _restore, "every raw file back from the ledger, byte for byte")
    parser.add_argument("dataset", type=place, metavar="DIST/NAME", help="the dataset's folder, or its URL on a store")
    parser.add_argument("version", nargs="?", help="which release (default: the newest)")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument(
        "--from",
        dest="copies",
        type=place,
        metavar="DIR",
        help="copies of the raw files: make a release that was published without text whole again, as a dataset",
    )
    parser.add_argument("--partial", action="store_true", help="with --from: leave out documents without a copy")
    parser.add_argument("--config", type=Path, metavar="FILE", help="with --from: the configuration of the copies")


def _add_withdraw(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "withdraw", _withdraw, "take documents out of every release, on record")
    parser.add_argument("dataset", type=place, metavar="DIST/NAME", help="the dataset's folder, or its URL on a store")
    parser.add_argument("ids", nargs="+", metavar="ID", help="ids of documents: the column `id`")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it goes on record")


def _verify(asked: argparse.Namespace) -> int:
    from copydesk.release.manifest import choose
    from copydesk.release.remote.through import reading
    from copydesk.release.verify import verify

    with reading(asked.dataset, None) as folder:
        problems = verify(folder, asked.version)
        version = None if problems else choose(folder, asked.version).version
    if asked.json:
        print(json.dumps([vars(problem) for problem in problems], ensure_ascii=False))
    elif problems:
        print("\n".join(visible(str(problem)) for problem in problems))
    else:
        print(f"{asked.dataset} {version}: every hash, count and number holds")
    return FAILED if problems else DONE


def _restore(asked: argparse.Namespace) -> int:
    if asked.copies:
        return _rebuild(asked)
    from copydesk.release.remote.through import articles_of, reading
    from copydesk.release.restore import restore

    with reading(asked.dataset, articles_of([asked.version], "article", "ledger")) as folder:
        done = restore(folder, asked.version, asked.into)
    print(f"{asked.dataset}, {done}, into {asked.into}; every SHA-256 holds")
    return DONE


def _rebuild(asked: argparse.Namespace) -> int:
    from copydesk.job import Options
    from copydesk.rebuild import rebuild
    from copydesk.release.remote.through import articles_of, reading

    options = Options(paths=(asked.copies,), config=asked.config)
    with reading(asked.dataset, articles_of([asked.version], "article", "ledger")) as folder:
        done = rebuild(folder, asked.version, options, asked.into, partial=asked.partial)
    print(f"{asked.dataset}, {done}, into {asked.into}; every SHA-256 holds")
    return DONE


def _withdraw(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.release.remote.through import writing
    from copydesk.release.withdraw import withdraw

    with writing(asked.dataset, load_config().work) as work:
        for name in asked.ids:
            done = withdraw(work.folder, name, asked.reason)
            work.gone += done.files
            told = f"withdrawn from {', '.join(done.versions)}; {len(done.files)} files replaced"
            print(visible(f"{done.uri} ({done.id}): {told}"))
    return DONE
