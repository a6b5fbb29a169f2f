"""The card: README.md of a dataset, a function of its manifests.

    render_card   the whole card
    card_seal     the checksum that its last line must have; sealed whether it has it

What a person reads: what it is, how to load it, what the columns mean (here); what was left out and why
(card_account); how it was made, how good that is, how to cite it (card_making).
Every number comes from the newest manifest and every column from the schema; examples from the data are cut short,
stripped of control characters and shown as code, so that no text of a web page can act on the reader's page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from copydesk.release.beside import beside
from copydesk.release.card_account import audited, duplicates, left_out, quality, quarantine
from copydesk.release.card_making import citing, labelling, licence, limits, making
from copydesk.release.citation import standing_words
from copydesk.release.folder import sha256_of
from copydesk.release.head import render_head
from copydesk.release.manifest import Manifest, Reference
from copydesk.release.markdown import by_number, code, count_table, number, share, table
from copydesk.release.plots import Plot, render_plots
from copydesk.release.variants import recipe_of, schema_of

__all__ = ["card_seal", "render_card", "sealed"]

RELEASES: Final = 10
SOURCES: Final = 20


def render_card(manifests: Sequence[Manifest], references: Sequence[Reference]) -> str:
    """The card of a dataset: `manifests` are those of the newest releases, `references` name all; oldest first."""
    newest = manifests[-1]
    plots = render_plots(newest.body)
    parts = [
        _opening(newest),
        _loading(newest),
        *_published(newest),
        _contents(newest, plots),
        _columns(newest),
        left_out(newest, plots),
        duplicates(newest),
        quality(newest),
        quarantine(newest),
        *filter(None, [audited(newest)]),
        *labelling(newest),
        limits(newest),
        making(newest),
        citing(newest),
        licence(newest),
        _releases(manifests, references),
    ]
    described = {name: sha256_of(data) for name, data in beside(newest).items()}
    text = render_head(manifests, references, described) + "\n" + "\n\n".join(parts) + "\n"
    return text + card_seal(text)


def card_seal(text: str) -> str:
    """The last line: a checksum of all above it, which tells an edited card from one that an older copydesk wrote."""
    return f"\n<!-- sha256 {hashlib.sha256(text.encode()).hexdigest()} -->\n"


def sealed(text: str) -> bool:
    """Whether a card is as some copydesk wrote it."""
    body, mark, rest = text.rpartition("\n<!-- sha256 ")
    return bool(mark) and mark + rest == card_seal(body)


def _opening(manifest: Manifest) -> str:
    body, counts, ledger = manifest.body, manifest.body["counts"], manifest.body["ledger"]
    told = body["description"]
    dropped, written = ledger["by_fate"]["dropped"], ledger["spans"] - ledger["by_fate"]["blank"]
    rows = [
        ["Release", f"{manifest.version}" + (f" ({body['date']})" if body["date"] else "")],
        ["Articles", f"{number(counts['documents'])}, {number(counts['words'])} words"],
        ["Published", _span(counts)],
        ["Languages", _listed(counts["by_language"])],
        ["Raw lines", f"{number(written)} that are not blank; {number(dropped)} of them were left out"],
    ]
    return f"# {told['title']}\n\n{told['text'] or standing_words(body)}\n\n{table(('', ''), rows)}"


def _span(counts: Mapping[str, Any]) -> str:
    undated = f"{number(counts['undated'])} without a date" if counts["undated"] else ""
    if counts["first_day"] is None:
        return "dates unknown"
    days = f"{counts['first_day']} to {counts['last_day']}"
    return f"{days}; {undated}" if undated else days


def _listed(counts: Mapping[str, int]) -> str:
    pairs = by_number(counts)
    names = ", ".join(f"{key.strip('()')} {number(value)}" for key, value in pairs[:6])
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


def _contents(manifest: Manifest, plots: Mapping[str, Plot]) -> str:
    counts = manifest.body["counts"]
    parts = [plots["months"].markdown] if "months" in plots else []
    parts += [_sources(counts), count_table("language", counts["by_language"])]
    if len(counts["by_site"]) > 1:
        parts.append(count_table("site", counts["by_site"]))
    if len(counts["by_year"]) > 1:
        parts.append(count_table("year", counts["by_year"], by_key=True))
    if len(counts["by_split"]) > 1:
        parts.append(count_table("split", counts["by_split"]))
    if "lengths" in plots:
        parts.append(plots["lengths"].markdown)
    return "## What is in it\n\n" + "\n\n".join(parts)


def _sources(counts: Mapping[str, Any]) -> str:
    """The sources, the largest first, each with its size and its time."""
    facts, whole = counts.get("sources", {}), counts["documents"]
    if not facts:
        return count_table("source", counts["by_source"])
    rows = [
        [
            code(name),
            number(count),
            share(count, whole),
            number(facts[name]["words"]),
            f"{facts[name]['first_day']} to {facts[name]['last_day']}" if facts[name]["first_day"] else "unknown",
            number(facts[name]["undated"]),
            number(facts[name]["duplicates"]),
        ]
        for name, count in by_number(counts["by_source"])
    ]
    shown, rest = (rows, 0) if len(rows) <= SOURCES else (rows[:SOURCES], len(rows) - SOURCES)
    header = ("source", "articles", "share", "words", "published", "without a date", "copies")
    return table(header, shown, right=6) + (f"\n\nAnd {number(rest)} smaller sources." if rest else "")


def _columns(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    columns = schema_of("article", recipe).field_table()
    told = f"## Columns\n\nUnknown is null or an empty list, never a guess.\n\n{columns}"
    if "ledger" not in recipe.tables:
        return told
    return f"{told}\n\n### Columns of the ledger\n\n{schema_of('ledger', recipe).field_table()}"


def _releases(manifests: Sequence[Manifest], references: Sequence[Reference]) -> str:
    known = {one.version: one for one in manifests}
    rows = [
        [
            one.version,
            known[one.version].body["cause"],
            number(known[one.version].body["documents"]),
            f"`{one.sha256}`",
        ]
        for one in reversed(references[-RELEASES:])
    ]
    shown = table(("release", "cause", "articles", "SHA-256 of its manifest"), rows)
    return f"## Releases\n\n{shown}\n\n`CHANGELOG.md` says what changed between them; a release never changes."
