"""Finding, reading and checking the file; every error names file, line and value and says what to do."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from copydesk.config.tables import Config
from copydesk.errors import ConfigError, UsageError

__all__ = ["CONFIG_NAME", "load_config"]

CONFIG_NAME: Final = "copydesk.toml"


class _Environment(BaseSettings):
    """What the environment says: COPYDESK_INGEST__WORKERS=4 and the like."""

    model_config = SettingsConfigDict(env_prefix="COPYDESK_", env_nested_delimiter="__", env_ignore_empty=True)

    dataset: dict[str, Any] = {}
    ingest: dict[str, Any] = {}
    publish: dict[str, Any] = {}
    notify: dict[str, Any] = {}


def load_config(path: Path | None = None, *, start: Path | None = None) -> Config:
    """The configuration in `path`, or in the copydesk.toml of `start` (the current folder), or the defaults.

    Raises UsageError where a named file is not there, ConfigError where a value is wrong.
    """
    if path is None:
        path = (start or Path()) / CONFIG_NAME
        if not path.is_file():
            return _validated({}, "", Path("the environment"), path.parent)
    elif not path.is_file():
        raise UsageError(f"{path}: no such configuration file; name an existing copydesk.toml with --config")
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return _validated(values, text, path, path.parent)


def _validated(values: dict[str, Any], text: str, path: Path, folder: Path) -> Config:
    if "folder" in values:
        raise ConfigError(f"{path}, line {_line_of(text, ('folder',))}: unknown key 'folder'; remove it")
    said = _Environment()
    tables = ("dataset", "ingest", "publish", "notify")
    for name, over in ((name, getattr(said, name)) for name in tables):
        if over and isinstance(values.get(name, {}), dict):
            values = {**values, name: {**values.get(name, {}), **over}}
    try:
        return Config(**values, folder=folder)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(_told(path, text, fault["loc"], fault["msg"], fault["input"]) for fault in error.errors())
        ) from error


def _told(path: Path, text: str, where: Sequence[str | int], message: str, value: object) -> str:
    line, key = _line_of(text, where), ".".join(str(part) for part in where)
    place = f"{path}, line {line}" if line else str(path)
    match message:
        case "Extra inputs are not permitted":
            return f"{place}: unknown key {key!r}; see docs/configuration.md for those there are"
        case "Field required":
            return f"{place}: {key!r} is missing; add it"
        case "Input should be a valid tuple" if where == ("source",):
            return f"{place}: a source is a table of its own: write [[source]], with two brackets"
        case "Input should be a valid tuple":
            return f"{place}: {key} = {value!r}: a list is wanted: write it in brackets"
    shown = "" if isinstance(value, dict | list | tuple) else f" = {value!r}"
    return f"{place}: {key or 'source'}{shown}: {message.removeprefix('Value error, ')}"


def _line_of(text: str, where: Sequence[str | int]) -> int | None:
    """The line, from 1, at which the TOML key `where` is set, else its table's header; tomllib tells no places."""
    table = str(where[0]) if where else ""
    nth = where[1] if len(where) > 1 and isinstance(where[1], int) else 0
    key = next((str(part) for part in where[1:] if not isinstance(part, int)), None)
    header = re.compile(rf"\s*\[\[?\s*{re.escape(table)}\s*\]\]?\s*(#.*)?")
    seen, start = -1, None
    for number, line in enumerate(text.splitlines(), 1):
        if header.fullmatch(line):
            seen += 1
            if seen == nth:
                start = number
        elif start is not None and re.match(r"\s*\[", line):
            break
        elif (start is not None or key is None) and re.match(rf"\s*['\"]?{re.escape(key or table)}['\"]?\s*=", line):
            return number
    return start
