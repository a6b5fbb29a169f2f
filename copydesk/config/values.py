"""How values are written, in copydesk.toml and on the command line: names, years, sizes, addresses, places.

Each reader raises ValueError with the remedy; pydantic and argparse put file, line or option before it.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from copydesk.locations import Location, place
from copydesk.patterns import compile_pattern
from copydesk.runner import LOCAL

__all__ = [
    "NAME",
    "LaterName",
    "Memory",
    "PathPattern",
    "Place",
    "PlainName",
    "Runner",
    "Separator",
    "Share",
    "SplitName",
    "YearBounds",
    "Years",
    "memory_size",
    "parse_years",
    "runner_address",
]

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RUNNER: Final = re.compile(r"(?:tcp|tls|ws|wss)://[^\s/]+(?::\d{1,5})/?")
SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]i?B)", re.IGNORECASE)
UNITS: Final = {
    f"{letter}{between}B": base**power
    for power, letter in enumerate("KMGT", 1)
    for between, base in (("", 1000), ("I", 1024))
}
YEARS: Final = re.compile(r"(\d{4})(?:\.\.(\d{4}))?")

Years = tuple[int, int]
"""First and last year, both included, in which the documents of a source were published."""


def parse_years(value: object) -> Years | None:
    """`"2015..2018"` or `"2016"` to (2015, 2018) or (2016, 2016); raises ValueError with the remedy."""
    if value is None or isinstance(value, tuple):
        return value
    found = YEARS.fullmatch(str(value).strip())
    if found is None:
        raise ValueError('years are written "2015..2018" or "2016"')
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise ValueError(f"the first year {first} is after the last {last}: swap them")
    return first, last


def _plain_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(
            "a name holds letters, digits, '.', '_' and '-', begins with a letter or digit, and ends at 64"
        )
    return value


def _split_name(value: str) -> str:
    if value not in ("train", "validation", "test"):
        raise ValueError("the splits are train, validation and test")
    return value


def _later_name(value: str) -> str:
    if value not in ("validation", "test"):
        raise ValueError("dates are those of validation and test; train is what comes before")
    return value


def _path_pattern(value: str) -> str:
    compile_pattern(value)
    return value


def runner_address(value: str) -> str:
    """`local`, or the address of a Dask scheduler; raises ValueError with the remedy."""
    if value != LOCAL and not RUNNER.fullmatch(value):
        raise ValueError(
            f'{value!r} is neither "local" nor the address of a Dask scheduler, such as tcp://10.0.0.1:8786'
        )
    return value


def memory_size(value: object) -> int | None:
    """`"1.5GB"` or a number of bytes; raises ValueError with the remedy."""
    if value is None or isinstance(value, int):
        return value
    found = SIZE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError('memory is written "800MB", "1.5GB" or "2GiB"')
    return int(float(found[1]) * UNITS[found[2].upper()])


def _location(value: object) -> object:
    """A URL stays a string, `file://` and all else is a path."""
    return place(value) if isinstance(value, str) else value


def _separator(value: str) -> str:
    try:
        re.compile(value.encode())
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


PathPattern = Annotated[str, AfterValidator(_path_pattern)]
PlainName = Annotated[str, AfterValidator(_plain_name)]
SplitName = Annotated[str, AfterValidator(_split_name)]
LaterName = Annotated[str, AfterValidator(_later_name)]
Share = Annotated[float, Field(ge=0, le=1)]
YearBounds = Annotated[Years | None, BeforeValidator(parse_years)]
Memory = Annotated[int | None, BeforeValidator(memory_size)]
Runner = Annotated[str, AfterValidator(runner_address)]
Separator = Annotated[str, AfterValidator(_separator)]
Place = Annotated[Location, BeforeValidator(_location)]
