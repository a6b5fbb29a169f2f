"""copydesk.toml: what to read, how, and into which dataset.

    [dataset]   the name, title, description and licence of what is built
    [ingest]    workers, batch sizes, limits, folders of profiles
    [splits]    train, validation and test
    [publish]   what is masked when a dataset is published
    [[source]]  a named raw collection: its folder, the pattern of its paths, its sidecar, its year bounds
    [notify]    whom a run on a schedule tells of failure, drift and quarantine

    values      how values are written
    tables      what each table may hold
    reading     finding and checking the file

`load_config` finds and validates the file; every error names the file, the line, the value and what to do. Values
under `[dataset]`, `[ingest]`, `[publish]` and `[notify]` can also be set by the environment,
`COPYDESK_INGEST__WORKERS=4`.
"""

from __future__ import annotations

from copydesk.config.reading import CONFIG_NAME, load_config
from copydesk.config.tables import Columns, Config, Dataset, Ingest, Notify, Publish, Source, Splits
from copydesk.config.values import NAME, Years, memory_size, parse_years, runner_address

__all__ = [
    "CONFIG_NAME",
    "NAME",
    "Columns",
    "Config",
    "Dataset",
    "Ingest",
    "Notify",
    "Publish",
    "Source",
    "Splits",
    "Years",
    "load_config",
    "memory_size",
    "parse_years",
    "runner_address",
]
