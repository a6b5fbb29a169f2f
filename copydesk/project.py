"""A project: the folder with a copydesk.toml, where raw files lie and datasets are built.

start     write a new project's files into a folder, never over one that is there
datasets  the folders of the datasets that a command is about
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import copydesk
from copydesk.config import CONFIG_NAME, Config
from copydesk.errors import UsageError
from copydesk.release.folder import CARD
from copydesk.release.remote.through import dataset_folder

__all__ = ["TEMPLATES", "dataset_folders", "start"]

TEMPLATES: Final = {
    "copydesk.toml": CONFIG_NAME,
    "README.md": "README.md",
    "prefect.yaml": "prefect.yaml",
    "gitignore": ".gitignore",
    "gitkeep": "raw/.gitkeep",
}
"""The files of a new project, by the name of their template."""


def start(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write the files of a new project; gives those written, and those that were there and stay as they are.

    Raises UsageError where something is in the way.
    """
    written, kept = [], []
    name, flows = _plain(folder.resolve().name), Path(copydesk.__file__).resolve().parent.parent / "flows"
    for template, place in TEMPLATES.items():
        path = folder / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (files("copydesk") / "templates" / template).read_text(encoding="utf-8")
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text.replace("@NAME@", name).replace("@FLOWS@", flows.as_posix()))
            written.append(path)
        except FileExistsError:
            if not path.parent.is_dir():
                raise UsageError(f"{path.parent}: is a file where a folder is needed; choose another DIR") from None
            kept.append(path)
        except NotADirectoryError:
            raise UsageError(f"{path.parent}: a file is in the way; choose another DIR") from None
    return written, kept


def _plain(name: str) -> str:
    """A folder's name as that of a dataset."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in name)
    return plain.lstrip("._-")[:64] or "news"


def dataset_folders(asked: Sequence[Path], config: Config) -> list[Path]:
    """The datasets asked for; else the configured one; else all that lie where datasets are kept.

    Raises UsageError where one asked for is no folder, or where none can be found.
    """
    for path in asked:
        if not path.is_dir():
            raise UsageError(f"{path}: there is no dataset here; give the folder of one, such as dist/NAME")
    if asked:
        return list(asked)
    into = config.into
    if config.dataset.name:
        return [dataset_folder(config, config.dataset.name)]
    if not isinstance(into, Path):
        raise UsageError(f"{into}: give the working copy of a dataset there, or name it in copydesk.toml")
    found = sorted(path.parent for path in into.glob(f"*/{CARD}"))
    if not found:
        raise UsageError(f"{into}: no dataset lies here; give its folder, or name it in copydesk.toml")
    return found
