"""The command line: `copydesk COMMAND`. The commands are in `copydesk.commands`; here, what ends well or badly.

Exit codes: 0 done (quarantine allowed unless --strict), 1 done but strict checks failed, 2 usage, 3 failed.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence

from copydesk import __version__
from copydesk.commands import (
    diff,
    explain,
    ingest,
    init,
    learning,
    publish,
    quarantine,
    releases,
    review,
    schedule,
    status,
)
from copydesk.commands.common import DONE, FAILED
from copydesk.errors import CopydeskError
from copydesk.foreign import visible
from copydesk.frugal import prefer, seldom

__all__ = ["build_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code."""
    prefer(os.environ)
    seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except CopydeskError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        print("copydesk: interrupted; the next run takes up what was finished", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}; {_remedy(error)}, then run this again")
        return FAILED
    except Exception:  # noqa: BLE001 -- the last resort: whatever it was, the exit code says that it failed
        traceback.print_exc()
        print("copydesk: this is an error of copydesk; please report it with the lines above", file=sys.stderr)
        return FAILED
    return code


def _complain(told: str) -> None:
    """Say what is wrong, with nothing in it that a terminal would obey: it may name files and quote their text."""
    lines = [visible(line) for line in told.split("\n")]
    print("copydesk:", "\n".join(lines), file=sys.stderr)


def _remedy(error: OSError) -> str:
    """What to do about an error of the system that no command foresaw."""
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return "check the path"
    return "free space or rights"


def build_parser() -> argparse.ArgumentParser:
    """The whole command line as an argparse parser: the reference in docs/cli.md is printed from it."""
    parser = argparse.ArgumentParser(
        prog="copydesk",
        description="Raw news text in, clean, versioned, documented datasets out, every removed line accounted for.",
    )
    parser.add_argument("--version", action="version", version=f"copydesk {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (init, ingest, schedule, status, quarantine, explain, review, diff, releases, publish, learning):
        module.add(commands)
    return parser
