"""The card: README.md of a dataset, a function of its manifests.

    render_card   the whole card
    card_seal     the checksum that its last line must have

What a person reads: what it is, how to load it, what the columns mean, what was left out and why, how it was made.
Every number comes from the newest manifest and every column from the schema; examples from the data are cut short,
stripped of control characters and shown as code, so that no text of a web page can act on the reader's page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from copydesk.release.head import render_head
from copydesk.release.manifest import Manifest, Reference
from copydesk.release.variants import recipe_of, schema_of
from copydesk.schema import load_schema

__all__ = ["card_seal", "render_card"]

ROWS: Final = 12
"""Rows of a table of counts before the rest is added up."""

RELEASES: Final = 10
UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

QUALITY: Final = (
    "Signals in `quality` are for you to filter by; no article was left out because of them. Means over all articles:"
)


def render_card(manifests: Sequence[Manifest], references: Sequence[Reference]) -> str:
    """The card of a dataset: `manifests` are those of the newest releases, `references` name all; oldest first."""
    newest = manifests[-1]
    parts = [
        _opening(newest),
        _loading(newest),
        *_published(newest),
        _contents(newest),
        _columns(newest),
        _left_out(newest),
        _duplicates(newest),
        _quality(newest),
        _quarantine(newest),
        _making(newest),
        _licence(newest),
        _releases(manifests, references),
    ]
    text = render_head(manifests, references) + "\n" + "\n\n".join(parts) + "\n"
    return text + card_seal(text)


def card_seal(text: str) -> str:
    """The last line: a checksum of all above it, which tells an edited card from one that an older copydesk wrote."""
    return f"\n<!-- sha256 {hashlib.sha256(text.encode()).hexdigest()} -->\n"


def _number(value: float) -> str:
    return f"{value:,}"


def _counted(number: int, noun: str) -> str:
    """`1 article`, `2,000 articles`."""
    return f"{_number(number)} {noun}" + ("" if number == 1 else "s")


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def _code(text: str) -> str:
    """Foreign text as inline code that is safe in a table's cell."""
    clean = UNSAFE.sub(" ", text).replace("|", "\\|").strip() or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", clean)), default=0) + 1)
    return f"{fence} {clean} {fence}" if "`" in clean else f"`{clean}`"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0) -> str:
    """A Markdown table whose last `right` columns stand on the right."""
    marks = ["---"] * (len(header) - right) + ["---:"] * right
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, marks, *rows))


def _count_table(name: str, counts: Mapping[str, int], *, by_key: bool = False) -> str:
    whole = sum(counts.values())
    pairs = sorted(counts.items(), key=lambda pair: (pair[0] if by_key else -pair[1], pair[0]))
    shown, rest = (pairs, []) if len(pairs) <= ROWS + 1 else (pairs[:ROWS], pairs[ROWS:])
    rows = [[_code(key), _number(value), _share(value, whole)] for key, value in shown]
    if rest:
        more = sum(value for _, value in rest)
        rows.append([f"{_number(len(rest))} others", _number(more), _share(more, whole)])
    return _table((name, "articles", "share"), rows, right=2)


def _opening(manifest: Manifest) -> str:
    body, counts, ledger = manifest.body, manifest.body["counts"], manifest.body["ledger"]
    told = body["description"]
    dropped, written = ledger["by_fate"]["dropped"], ledger["spans"] - ledger["by_fate"]["blank"]
    kept = "is in the ledger, with the reason" if "ledger" in body["tables"] else "is accounted for where it was made"
    standard = (
        "News articles as their outlets wrote them: raw text files, cleaned of the furniture of the pages they stood "
        f"on, with their metadata in columns. Every raw line that was left out {kept}."
    )
    rows = [
        ["Release", f"{manifest.version}" + (f" ({body['date']})" if body["date"] else "")],
        ["Articles", f"{_number(counts['documents'])}, {_number(counts['words'])} words"],
        ["Published", _span(counts)],
        ["Languages", _listed(counts["by_language"])],
        ["Raw lines", f"{_number(written)} that are not blank; {_number(dropped)} of them were left out"],
    ]
    return f"# {told['title']}\n\n{told['text'] or standard}\n\n{_table(('', ''), rows)}"


def _span(counts: Mapping[str, Any]) -> str:
    undated = f"{_number(counts['undated'])} without a date" if counts["undated"] else ""
    if counts["first_day"] is None:
        return "dates unknown"
    days = f"{counts['first_day']} to {counts['last_day']}"
    return f"{days}; {undated}" if undated else days


def _listed(counts: Mapping[str, int]) -> str:
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    names = ", ".join(f"{key.strip('()')} {_number(value)}" for key, value in pairs[:6])
    return names + (f" and {len(pairs) - 6} more" if len(pairs) > 6 else "")


def _loading(manifest: Manifest) -> str:
    published = manifest.body.get("publication")
    name = published["repository"] if published else manifest.body["name"]
    split = next(iter(manifest.splits("article")))
    code = f'''from datasets import load_dataset

# the newest release
articles = load_dataset("{name}", split="{split}")
# a release by its number: it never changes
articles = load_dataset("{name}", "{manifest.version}", split="{split}")'''
    if "ledger" in manifest.body["tables"]:
        code += f"""
# what became of every raw line of the newest release
ledger = load_dataset("{name}", "ledger", split="train")"""
    place = "" if published else f'Put the path of this folder, or its name on the Hub, for `"{name}"`. '
    return f"## Loading it\n\n```python\n{code}\n```\n\n{place}Add `streaming=True` to read without a local copy."


def _published(manifest: Manifest) -> list[str]:
    """What of the release is here, where that is not all."""
    recipe = recipe_of(manifest.body)
    told = []
    if not recipe.text:
        told.append(
            "The texts are not published: each article has the SHA-256 of its text and of its raw file, and the ledger "
            "says of each span of each raw line what it was taken for, where its bytes stand, and how many characters "
            "it has. Who has copies of the raw files makes the texts again, and checks every hash, with "
            "`copydesk restore FOLDER --from COPIES --into NEW`."
        )
    elif "ledger" not in recipe.tables:
        told.append("The ledger, which says of each raw line what became of it, is not published.")
    if recipe.masks:
        names = ", ".join(recipe.masks)
        bytes_gone = " The ledger comes without the raw bytes." if "ledger" in recipe.tables and recipe.text else ""
        hash_gone = " An article in which something was masked has no `raw_sha256`." if recipe.text else ""
        told.append(f"Masked in every column: {names}.{bytes_gone}{hash_gone}")
    return ["## What is published\n\n" + "\n\n".join(told)] if told else []


def _contents(manifest: Manifest) -> str:
    counts = manifest.body["counts"]
    tables = [_count_table("source", counts["by_source"]), _count_table("language", counts["by_language"])]
    if len(counts["by_site"]) > 1:
        tables.append(_count_table("site", counts["by_site"]))
    if len(counts["by_year"]) > 1:
        tables.append(_count_table("year", counts["by_year"], by_key=True))
    if len(counts["by_split"]) > 1:
        tables.append(_count_table("split", counts["by_split"]))
    return "## What is in it\n\n" + "\n\n".join(tables)


def _columns(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    table = schema_of("article", recipe).field_table()
    told = f"## Columns\n\nUnknown is null or an empty list, never a guess.\n\n{table}"
    if "ledger" not in recipe.tables:
        return told
    return f"{told}\n\n### Columns of the ledger\n\n{schema_of('ledger', recipe).field_table()}"


def _left_out(manifest: Manifest) -> str:
    ledger, examples = manifest.body["ledger"], manifest.body["examples"]
    label = next(column for column in load_schema("ledger").fields if column.name == "label")
    meanings = dict(zip(label.allowed, label.meanings, strict=True))
    dropped = [row for row in ledger["by_label"] if row["fate"] == "dropped"]
    rows = [
        [
            f"`{row['label']}`",
            meanings.get(row["label"], ""),
            "<br>".join(_code(text) for text in examples.get(row["label"], [])),
            _number(row["spans"]),
            _share(row["bytes"], ledger["bytes"]),
        ]
        for row in sorted(dropped, key=lambda row: (-row["spans"], row["label"]))
    ]
    if not rows:
        return "## What was left out, and why\n\nNothing: no raw line was taken for furniture."
    header = ("label", "what it is", "examples", "spans", "of all bytes")
    return (
        "## What was left out, and why\n\n"
        "A raw line was left out only on evidence: a rule for its site, its recurrence in other documents, or a model "
        f"that weighs its shape and its neighbours. In doubt it stayed.{_kept_where(manifest)}"
        f"\n\n{_table(header, rows, right=2)}\n\n{_evidence(ledger)}"
    )


def _kept_where(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    if "ledger" not in recipe.tables:
        return ""
    return f" Each is in the ledger with its evidence and {'its bytes' if recipe.whole else 'the place of its bytes'}."


def _evidence(ledger: Mapping[str, Any]) -> str:
    """What said so, most first: the part of the evidence before the colon."""
    pairs = sorted(ledger["dropped_by_evidence"].items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{_code(kind)} {_number(spans)}" for kind, spans in pairs[:ROWS])
    more = f" and {len(pairs) - ROWS} more" if len(pairs) > ROWS else ""
    return f"On the evidence of (spans): {named}{more}."


def _duplicates(manifest: Manifest) -> str:
    counts = manifest.body["counts"]
    if not counts["duplicate_clusters"]:
        return "## Duplicates\n\nNo two articles are copies or near-copies of each other."
    return (
        f"## Duplicates\n\nCopies and near-copies form {_counted(counts['duplicate_clusters'], 'cluster')}; beside the "
        f"earliest of each, that is {_counted(counts['duplicates'], 'article')}. They are kept: to have each story "
        "once, keep the rows whose `duplicate_of` is null. Copies never stand in different splits."
    )


def _quality(manifest: Manifest) -> str:
    counts = manifest.body["counts"]
    rows = [[f"`{name}`", f"{value:.4g}"] for name, value in counts["quality_means"].items()]
    facts = {
        "broken off before the end (`truncated`)": counts["truncated"],
        "with repaired characters (`repairs`)": counts["repaired"],
        "without a headline": counts["without_headline"],
        "without any text": counts["empty"],
    }
    list_ = "\n".join(f"- {_number(number)} {what}" for what, number in facts.items())
    means = f"\n\n{QUALITY}\n\n{_table(('signal', 'mean'), rows, right=1)}" if rows else ""
    return f"## Quality\n\nOf {_counted(counts['documents'], 'article')}:\n\n{list_}{means}"


def _by_number(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The greatest first; a manifest's own order is that of its keys."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _quarantine(manifest: Manifest) -> str:
    facts = manifest.body["quarantine"]
    if not facts["documents"]:
        return "## Quarantine\n\nEvery document could be read." + _withdrawn(manifest)
    rows = [[_code(reason), _number(number)] for reason, number in _by_number(facts["reasons"])]
    return (
        f"## Quarantine\n\n{_counted(facts['documents'], 'document')} could not be read or broke the schema. Not in "
        f"the release; `{facts['file']}` names each with its reason.\n\n"
        f"{_table(('reason', 'documents'), rows, right=1)}{_withdrawn(manifest)}"
    )


def _withdrawn(manifest: Manifest) -> str:
    found = manifest.body["withdrawn"]
    return f"\n\n{_counted(len(found), 'document')} withdrawn from every release; see `CHANGELOG.md`." if found else ""


def _making(manifest: Manifest) -> str:
    body = manifest.body
    others = (f"{name} {version}" for name, version in sorted(body["made_with"].items()) if name != "copydesk")
    made = f"copydesk {body['made_with']['copydesk']} with {', '.join(others)}"
    digests = {
        "knowledge": body["knowledge"]["digest"],
        "schema of the articles": body["tables"]["article"]["schema"],
        **({"schema of the ledger": body["tables"]["ledger"]["schema"]} if "ledger" in body["tables"] else {}),
        **body["digests"],
        "content of the articles": body["content"]["article"],
        "content of the ledger": body["content"].get("ledger"),
    }
    rows = [[name, f"`{value}`"] for name, value in digests.items() if value]
    return (
        f"## How it was made\n\nBy {made}. The rows are a function of the raw files and of what these digests name:\n\n"
        f"{_table(('', 'digest'), rows)}\n\n"
        f"`copydesk verify` recomputes every hash, count and number in this folder{_restoring(manifest)}."
    )


def _restoring(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    bytes_here = recipe.whole and "ledger" in recipe.tables
    return "; `copydesk restore` writes the raw files back from the ledger, byte for byte" if bytes_here else ""


def _licence(manifest: Manifest) -> str:
    return f"## Licence\n\n{manifest.body['description']['licence']}"


def _releases(manifests: Sequence[Manifest], references: Sequence[Reference]) -> str:
    known = {one.version: one for one in manifests}
    rows = [
        [
            one.version,
            known[one.version].body["cause"],
            _number(known[one.version].body["documents"]),
            f"`{one.sha256}`",
        ]
        for one in reversed(references[-RELEASES:])
    ]
    table = _table(("release", "cause", "articles", "SHA-256 of its manifest"), rows)
    return f"## Releases\n\n{table}\n\n`CHANGELOG.md` says what changed between them; a release never changes."
