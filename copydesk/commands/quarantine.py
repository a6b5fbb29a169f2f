"""`copydesk quarantine`: the documents that could not be read: look, try again, waive."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from copydesk.commands.common import DONE, STRICT_FAILED, Commands, command
from copydesk.commands.running import add_options, ingest_as_flow, ingest_plainly, options_of
from copydesk.errors import UsageError
from copydesk.foreign import visible

if TYPE_CHECKING:
    from copydesk.quarantine import Held

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    parser = commands.add_parser(
        "quarantine",
        help="documents that could not be read: list, show, retry, waive",
        description="The documents that could not be read or break the schema, and what one does about them.",
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _about(command(inner, "list", _list, "how many, for what reasons, and which nobody waived"))
    show = command(inner, "show", _show, "each document with its reason and its waiver")
    _chosen(show)
    retry = command(inner, "retry", _retry, "read all of them again, after a fix: an ingest that does not spare them")
    add_options(retry)
    retry.add_argument("--no-prefect", action="store_true", help="by plain calls, without Prefect")
    waive = command(inner, "waive", _waive, "put on record that documents are known: no report, no failure of --strict")
    _chosen(waive)
    waive.add_argument("--why", required=True, metavar="TEXT", help="why it is all right; it goes on record")
    waive.add_argument("--by", metavar="NAME", help="who says so (default: the user name)")
    waive.add_argument("--all", action="store_true", help="every document in quarantine")


def _about(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dataset", type=Path, metavar="DIST/NAME", help="the dataset's folder (default: that of copydesk.toml)")
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)")
    add("--json", action="store_true", help="one JSON object per document, one document a line")


def _chosen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uris", nargs="*", metavar="URI", help="documents, by uri or id; a pattern with * names many")
    _about(parser)


def _held(asked: argparse.Namespace) -> tuple[Path, Path, list[Held]]:
    """The project's folder, the dataset's, and what is in quarantine."""
    from copydesk.config import load_config
    from copydesk.project import dataset_folders
    from copydesk.quarantine import held, waivers

    config = load_config(asked.config)
    datasets = dataset_folders([asked.dataset] if asked.dataset else [], config)
    if len(datasets) > 1:
        raise UsageError(f"several datasets lie here ({', '.join(map(str, datasets))}); name one with --dataset")
    return config.folder, datasets[0], held(datasets[0], waivers(config.folder))


def _list(asked: argparse.Namespace) -> int:
    _, dataset, found = _held(asked)
    if asked.json:
        _print_json(found)
        return DONE
    counts = Counter((one.reason, one.waiver is not None) for one in found)
    for (reason, waived), number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"{number:>6}  {visible(reason)}{'  (waived)' if waived else ''}")
    open_ = sum(one.waiver is None for one in found)
    print(f"{dataset}: {len(found)} in quarantine, {len(found) - open_} of them waived")
    return DONE


def _show(asked: argparse.Namespace) -> int:
    _, _, found = _held(asked)
    chosen = _choice(found, asked.uris) if asked.uris else found
    if asked.json:
        _print_json(chosen)
        return DONE
    for one in chosen:
        print(
            f"{one.source}: {visible(one.uri)}\n    id {one.id}, sha256 {one.raw_sha256 or 'unknown: it was not read'}"
        )
        print(f"    {visible(one.reason)}")
        if one.waiver:
            print(visible(f"    waived by {one.waiver.by} on {one.waiver.on}: {one.waiver.why}"))
    return DONE


def _retry(asked: argparse.Namespace) -> int:
    from dataclasses import replace

    options = replace(options_of(asked), retry=True)
    outcome = ingest_plainly(options) if asked.no_prefect else ingest_as_flow(options)
    print(outcome.summary())
    return STRICT_FAILED if outcome.needs_someone else DONE


def _waive(asked: argparse.Namespace) -> int:
    from copydesk.quarantine import WAIVED, person, waive

    folder, _, found = _held(asked)
    if bool(asked.uris) == asked.all:
        raise UsageError("say which documents: URIs, or --all")
    chosen = found if asked.all else _choice(found, asked.uris)
    made = waive(folder, chosen, by=asked.by or person(), why=asked.why)
    for one in made:
        print(visible(f"waived: {one.uri}: {one.reason}"))
    print(f"{folder / WAIVED}: {len(made)} written, {len(chosen) - len(made)} were waived before")
    return DONE


def _choice(found: Sequence[Held], wanted: Sequence[str]) -> list[Held]:
    """The documents that the uris, ids or patterns name; raises UsageError where one names none."""
    from fnmatch import fnmatchcase

    chosen = {}
    for name in wanted:
        named = [one for one in found if name in {one.uri, one.id} or fnmatchcase(one.uri, name)]
        if not named:
            raise UsageError(f"{name}: no document of that uri is in quarantine; see `copydesk quarantine show`")
        chosen.update({one.key: one for one in named})
    return list(chosen.values())


def _print_json(found: Sequence[Held]) -> None:
    from dataclasses import asdict

    for one in found:
        print(json.dumps(asdict(one), ensure_ascii=False))
