"""The generated pages: what the code says of itself, so that documentation cannot lag behind.

python docs/generate.py           write docs/cli.md, configuration.md, fields.md, rules.md and the README's examples
python docs/generate.py --check   exit with 1, naming the pages, where one is out of date
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = "seeds/norda/001_9a3e77c0d1b24f60.txt"
WIDTH = 108
MADE = "<!-- Written by docs/generate.py: change the code, then run `make docs`. -->\n\n"


def main() -> int:
    """Write or check all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    os.chdir(ROOT)
    os.environ["COLUMNS"] = "100"
    stale = [str(path) for path, make in PAGES.items() if not settle(ROOT / path, make(), check=check)]
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


def settle(path: Path, text: str, *, check: bool) -> bool:
    """Whether the page is as it should be; unless checking, make it so."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return True
    if not check:
        path.write_text(text, encoding="utf-8")
    return not check


def cli_page() -> str:
    """Every command's help, as the program prints it."""
    from copydesk.cli import build_parser

    codes = "Exit codes: 0 done (quarantine allowed unless `--strict`), 1 done but strict checks failed, 2 usage, "
    codes += "3 failed.\n"
    return MADE + "# Command line\n\n" + "\n".join(_helps(build_parser())) + "\n" + codes


def _helps(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The help of a command, then of its commands."""
    title = "" if parser.prog == "copydesk" else f"## {parser.prog}\n\n"
    yield f"{title}```text\n{parser.format_help()}```\n"
    kind = argparse._SubParsersAction  # noqa: SLF001 -- argparse has no public way to its subparsers
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, kind):
            for one in action.choices.values():
                yield from _helps(one)


def configuration_page() -> str:
    """The keys of copydesk.toml with types, defaults and meanings."""
    from copydesk.config import Columns, Dataset, Ingest, Notify, Publish, Source, Splits

    intro = (
        "# copydesk.toml\n\nThe file stands in the folder where `copydesk` runs, or is named with `--config`. Paths in "
        "it are relative to it.\nA value under `[dataset]`, `[ingest]` or `[notify]` can be set by the environment as "
        "well: `COPYDESK_INGEST__WORKERS=4`.\n"
    )
    tables = [
        ("[dataset]", Dataset),
        ("[ingest]", Ingest),
        ("[splits]", Splits),
        ("[publish]", Publish),
        ("[[source]]", Source),
        ("[source.columns]", Columns),
        ("[notify]", Notify),
    ]
    return MADE + intro + "".join(_keys(title, model) for title, model in tables)


def _keys(title: str, model: Any) -> str:
    rows = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(field.default)
        rows.append(f"| `{name}` | {default} | {field.description} |\n")
    told = model.__doc__.strip().splitlines()[0]
    return f"\n## {title}\n\n{told}\n\n| key | default | meaning |\n|---|---|---|\n{''.join(rows)}"


def _default(value: Any) -> str:
    if value in (None, (), {}):
        return "none"
    return f"`{value}`"


def sources_page() -> str:
    """The page on sources with the names of columns that are guessed between its marks."""
    from copydesk.sources.columns import COMMON

    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = [f"| {what} | {', '.join(f'`{name}`' for name in names)} |" for what, names in COMMON.items()]
    told = "\n".join(["", "| what | names |", "|---|---|", *rows, "", ""])
    mark = re.compile(r"(<!-- columns -->\n).*?(<!-- /columns -->)", re.DOTALL)
    return mark.sub(lambda found: found[1] + told + found[2], text)


def fields_page() -> str:
    """The columns of the tables, from schemas/."""
    from copydesk.schema import load_schema

    told = "\n".join(
        f"## {name}\n\n{load_schema(name).description}\n\n{load_schema(name).field_table()}\n"
        for name in ("article", "ledger")
    )
    return MADE + "# Columns\n\n" + told


def rules_page() -> str:
    """The rules of the shipped profiles."""
    from copydesk.lines.profiles import load_profiles

    parts = []
    for profile in load_profiles().profiles:
        rows = [_rule_row(rule) for rule in profile.rules]
        parts.append(
            f"## {profile.id}\n\n| evidence | label | why | such as | but not |\n|---|---|---|---|---|\n{''.join(rows)}"
        )
    return (
        MADE
        + "# The shipped profiles\n\nEach rule with a line that it names and one that it must not.\n\n"
        + "\n".join(parts)
    )


def _rule_row(rule: Any) -> str:
    cells = [_cell(text) for text in (rule.reason, rule.positive[0], rule.negative[0])]
    return f"| `{rule.evidence}` | {rule.label} | {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def readme_page() -> str:
    """The README with the real output of the real program between its marks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, make in EXAMPLES.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not mark.search(text):
            raise SystemExit(f"README.md: the mark <!-- {name} --> is missing")
        block = make()
        text = mark.sub(lambda found, block=block: found[1] + block + found[2], text)
    return text


def raw_example() -> str:
    lines = (ROOT / SAMPLE).read_text(encoding="utf-8").replace("\u00a0", "\u00b7").splitlines()
    return "```text\n" + "".join(_cut(line) + "\n" for line in lines) + "```\n"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "\u2026"


def record_example() -> str:
    record = json.loads(_printed(["explain", SAMPLE, "--json", "--dataset", _built()]))
    fields = {name: value for name, value in record["fields"].items() if value not in (None, [], False)}
    text = {**fields, "text": record["text"][:200] + "\u2026"}
    return "```json\n" + json.dumps(text, indent=1, ensure_ascii=False) + "\n```\n"


def ledger_example() -> str:
    from copydesk.review import terminal

    terminal.PIPED = WIDTH
    told = _printed(["explain", SAMPLE, "--dataset", _built()])
    lines = told[told.index("   1 ") :].rstrip().splitlines()
    return "```text\n" + "".join(line.rstrip() + "\n" for line in lines) + "```\n"


_BUILT: list[tempfile.TemporaryDirectory[str]] = []


def _built() -> str:
    """The samples' dataset, built once, away from the person's own dist/."""
    if not _BUILT:
        _BUILT.append(tempfile.TemporaryDirectory())
        _printed(["ingest", "--no-prefect", "--into", _BUILT[0].name])
    return f"{_BUILT[0].name}/samples"


def _printed(arguments: list[str]) -> str:
    from copydesk.cli import main as run

    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run(arguments)
    if code:
        raise SystemExit(f"copydesk {' '.join(arguments)} ended with {code}")
    return out.getvalue()


EXAMPLES: dict[str, Callable[[], str]] = {"raw": raw_example, "record": record_example, "ledger": ledger_example}
PAGES: dict[str, Callable[[], str]] = {
    "docs/cli.md": cli_page,
    "docs/configuration.md": configuration_page,
    "docs/sources.md": sources_page,
    "docs/fields.md": fields_page,
    "docs/rules.md": rules_page,
    "README.md": readme_page,
}

if __name__ == "__main__":
    sys.exit(main())
