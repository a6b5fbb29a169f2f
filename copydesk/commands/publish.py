"""`copydesk publish`: the releases of a dataset to the Hugging Face Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from copydesk.commands.common import DONE, Commands, command
from copydesk.errors import UsageError
from copydesk.locations import place

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "publish", _publish, "every release to the Hugging Face Hub, each with its tag")
    add = parser.add_argument
    add("dataset", metavar="DIST/NAME", help="the dataset's folder, or its URL on a store")
    add("repository", metavar="REPO_ID", help="the repository on the Hub: USER/NAME or ORGANISATION/NAME")
    add("--with-ledger", action="store_true", help="publish the ledger as well, and with it every raw byte")
    add("--without-text", action="store_true", help="publish ids, fields, labels, hashes and spans, but no text")
    add("--mask", metavar="WHAT", help="emails, ips, phones, with commas between (default: as copydesk.toml says)")
    add("--create", choices=["private", "public"], help="make the repository, if there is none")
    add("--purge", action="store_true", help="delete for good, out of every commit, data files that no release names")
    add("--dry-run", action="store_true", help="say what would be sent and send nothing")
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if there is one)")
    add("--no-prefect", action="store_true", help="publish by plain calls, without Prefect")


def _publish(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.release.masking import parse_masks

    if asked.with_ledger and asked.without_text:
        raise UsageError("--with-ledger publishes every raw byte, --without-text none of the text: choose one")
    masks = load_config(asked.config).publish.mask if asked.mask is None else asked.mask
    parameters: dict[str, Any] = {
        "dataset": asked.dataset,
        "repository": asked.repository,
        "ledger": asked.with_ledger,
        "text": not asked.without_text,
        "masks": list(parse_masks(masks)),
        "create": asked.create,
        "purge": asked.purge,
        "dry_run": asked.dry_run,
    }
    print(_plainly(parameters) if asked.no_prefect or asked.dry_run else _as_flow(parameters))
    return DONE


def _plainly(parameters: dict[str, Any]) -> str:
    from copydesk.release.publish import publish_as

    print("copydesk publish: plain calls, without Prefect", flush=True)
    return str(publish_as(**parameters, say=print))


def _as_flow(parameters: dict[str, Any]) -> str:
    from copydesk.commands.common import settle_prefect
    from copydesk.release.manifest import choose

    dataset = place(parameters["dataset"])
    if isinstance(dataset, Path):
        choose(dataset, None)  # that there is none is said before a server is started
    print(f"copydesk publish: Prefect flow, {settle_prefect()}", flush=True)
    from flows.publish import publish_flow

    return str(publish_flow(**parameters))
