"""`copydesk status`: how datasets stand, and what needs someone."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from pathlib import Path

from copydesk.commands.common import DONE, STRICT_FAILED, Commands, command
from copydesk.commands.schedule import ask_server, duration

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "status", _status, "how a dataset stands: release, sources, quarantine, drift, schedule")
    add = parser.add_argument
    add("datasets", nargs="*", type=Path, metavar="DIST/NAME", help="datasets (default: that of copydesk.toml, or all)")
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)")
    add("--check", action="store_true", help="exit with 1 where something needs someone; for a monitor")
    add(
        "--within",
        type=duration,
        metavar="TIME",
        help="something needs someone, too, where the last good run is older than this, such as 26h",
    )
    add("--json", action="store_true", help="one JSON object per dataset, one dataset a line")


def _status(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.project import dataset_folders
    from copydesk.quarantine import waivers
    from copydesk.status import read_schedule, status

    config = load_config(asked.config)
    known = waivers(config.folder)
    within = timedelta(seconds=asked.within) if asked.within else None
    code = DONE
    for folder in dataset_folders(asked.datasets, config):
        scheduled = read_schedule(folder)
        planned = ask_server(scheduled) if scheduled else None
        found = status(folder, known, planned=planned, within=within)
        print(json.dumps(found.as_json(), ensure_ascii=False) if asked.json else found)
        code = STRICT_FAILED if found.needs and asked.check else code
    return code
