"""`copydesk schedule`: the ingest by itself, at set times or when files come."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from copydesk.commands.common import DONE, STRICT_FAILED, Commands, command
from copydesk.commands.running import add_options, find_our_flows, options_of
from copydesk.errors import UsageError

if TYPE_CHECKING:
    from copydesk.job import Options
    from copydesk.status import Planned, Scheduled

__all__ = ["add", "ask_server"]

PORT: Final = 4200
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEFAULTS: Final = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(
        commands, "schedule", _schedule, "run the ingest by itself: at set times, or when files come; until stopped"
    )
    add_options(parser)
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument("--cron", metavar="EXPRESSION", help="at the times of a cron expression, such as '30 3 * * *'")
    when.add_argument("--interval", type=duration, metavar="TIME", help="every so often, such as 10m or 6h")
    when.add_argument("--watch", action="store_true", help="when files in the sources come, change or go")
    when.add_argument("--check", action="store_true", help="say when the next run is; exit with 1 where there is none")
    add = parser.add_argument
    add("--timezone", metavar="ZONE", help="of --cron, such as Europe/Paris (default: this machine's)")
    add(
        "--every",
        type=duration,
        default=60.0,
        metavar="TIME",
        help="how often --watch looks; a run begins when two looks found the same (default: 1m)",
    )
    add(
        "--port",
        type=port,
        default=PORT,
        metavar="N",
        help="where no Prefect server is configured, one is run on this port of the machine itself (default: 4200)",
    )


def duration(text: str) -> float:
    """`90s`, `10m`, `6h`, `1d` or plain seconds, as seconds; raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: write a time such as 90s, 10m, 6h or 1d")
    return float(found[1]) * UNITS[found[2] or "s"]


def port(text: str) -> int:
    """A number that a server can listen at; raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r}: a port is a number from 1 to 65535")
    return int(text)


def _schedule(asked: argparse.Namespace) -> int:
    from copydesk.job import destination

    options = _absolute(options_of(asked))
    name, dataset = destination(options)
    if asked.check:
        return _check(dataset)
    timing = f"cron {asked.cron!r} ({_zone(asked)})" if asked.cron else "when files come"
    timing = f"every {asked.interval:g} s" if asked.interval else timing
    _begin_prefect()
    _schedule_of(asked)  # what is wrong with it is said before a server is started
    try:
        with _server(asked.port) as address:
            return _serve(asked, options, (name, dataset), (address, timing))
    except SystemExit:
        # Told to stop, and the server is stopped. Threads of Prefect's may still wait for a run's process: not we.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(DONE)


def _serve(asked: argparse.Namespace, options: Options, about: tuple[str, Path], where: tuple[str, str]) -> int:
    from copydesk.status import Scheduled, keep_schedule

    (name, dataset), (address, timing) = about, where
    os.environ["PREFECT_API_URL"] = address
    keep_schedule(dataset, Scheduled(address, name, timing, watching=asked.watch))
    print(f"copydesk schedule: {name}, {timing}; Prefect at {address.removesuffix('/api')}", flush=True)
    print("it runs as long as this does; how it stands: copydesk status", flush=True)
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
    from flows.schedule import Timing, serve

    look = (lambda: _snapshot(options)) if asked.watch else None
    serve(
        name,
        options.as_parameters(),
        Timing(_schedule_of(asked), look, asked.every),
        description=f"copydesk ingest of {name}: {timing}",
    )
    return DONE


def _begin_prefect() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(DONE))  # so that a server of ours is stopped with us
    find_our_flows()


def _server(port: int) -> Any:
    """The configured server, or one of our own for as long as the block runs."""
    from contextlib import nullcontext

    from prefect.settings import PREFECT_API_URL

    from flows.server import answers, owned

    address = PREFECT_API_URL.value()
    if not address:
        return owned(port)
    if not answers(address):
        raise UsageError(
            f"{address}: the configured Prefect server does not answer; start it (prefect server start), or unset "
            "PREFECT_API_URL (prefect config unset PREFECT_API_URL) to have one run by this command"
        )
    return nullcontext(address)


def _schedule_of(asked: argparse.Namespace) -> Any:
    """Prefect's schedule, None for --watch; raises UsageError where an expression or a zone is wrong."""
    from datetime import timedelta

    from prefect.client.schemas.schedules import CronSchedule
    from prefect.schedules import Cron, Interval

    if asked.interval:
        return Interval(timedelta(seconds=asked.interval))
    if not asked.cron:
        return None
    try:
        CronSchedule(cron=asked.cron, timezone=_zone(asked))
    except ValueError as error:
        lines = str(error).splitlines()
        reason = lines[2].partition(" [type=")[0].strip() if len(lines) > 2 else str(error)
        raise UsageError(f"--cron {asked.cron!r}, --timezone {_zone(asked)!r}: {reason}") from error
    return Cron(asked.cron, timezone=_zone(asked))


def _zone(asked: argparse.Namespace) -> str:
    """The zone asked for, else this machine's, else UTC."""
    from zoneinfo import available_timezones

    place = os.path.realpath("/etc/localtime")
    found = (asked.timezone, os.environ.get("TZ", "").lstrip(":"), place.partition("zoneinfo/")[2])
    if asked.timezone:
        return str(asked.timezone)
    return next((str(name) for name in found if name in available_timezones()), "UTC")


def _absolute(options: Options) -> Options:
    """The same whatever folder it is run from."""
    from dataclasses import replace

    from copydesk.config import CONFIG_NAME

    config = options.config or (Path(CONFIG_NAME) if Path(CONFIG_NAME).is_file() else None)
    into = options.into or (None if config else Path("dist"))
    return replace(
        options,
        config=config.absolute() if config else None,
        into=into.absolute() if isinstance(into, Path) else into,
        paths=tuple(path.absolute() if isinstance(path, Path) else path for path in options.paths),
    )


def _snapshot(options: Options) -> str | None:
    """A digest of which files there are, their sizes and times; None where there is nothing to read."""
    from copydesk.job import settle

    try:
        files = settle(options).files
    except UsageError:
        return None
    whole = hashlib.sha256()
    for row in files.table.select("source", "uri", "size", "modified").iter_rows():
        whole.update(f"{row}\n".encode())
    return whole.hexdigest()


def _check(dataset: Path) -> int:
    from copydesk.status import read_schedule

    scheduled = read_schedule(dataset)
    if scheduled is None:
        print(f"{dataset}: no schedule was ever started here; start one with copydesk schedule", file=sys.stderr)
        return STRICT_FAILED
    found = ask_server(scheduled)
    print(f"{dataset}: {scheduled.timing}; next run: {found.next_run or 'none known'}")
    for problem in found.problems:
        print(f"{dataset}: {problem}", file=sys.stderr)
    return STRICT_FAILED if found.problems else DONE


def ask_server(scheduled: Scheduled) -> Planned:
    """What the schedule's server says of it; a server that does not answer is a problem like others."""
    from copydesk.status import Planned

    find_our_flows()
    from flows.server import answers

    silent = f"the Prefect server at {scheduled.server} does not answer: start `copydesk schedule` again"
    if not answers(scheduled.server):
        return Planned(None, served=False, problems=(silent,))
    os.environ["PREFECT_API_URL"] = scheduled.server
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from flows.schedule import planned

    try:
        return planned(scheduled.deployment, watching=scheduled.watching)
    except Exception as error:  # noqa: BLE001 -- whatever keeps it from answering is what the check is for
        told = f"{silent} ({type(error).__name__}: {error})".splitlines()[0]
        return Planned(None, served=False, problems=(told,))
