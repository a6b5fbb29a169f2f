"""The card's account: what is not in the articles, and what is in them twice or amiss.

audited      what a person found in a sample
left_out     what was taken for furniture and why          duplicates   copies and reprints
quality      broken, repaired, empty; signals              quarantine   documents that could not be read
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from copydesk.release.manifest import Manifest
from copydesk.release.markdown import ROWS, by_number, code, counted, number, share, table
from copydesk.release.plots import Plot
from copydesk.release.variants import recipe_of
from copydesk.schema import load_schema
from copydesk.text import DUPLICATES

__all__ = ["audited", "duplicates", "left_out", "quality", "quarantine"]

QUALITY: Final = (
    "Signals in `quality` are for you to filter by; no article was left out because of them. Means over all articles:"
)


def left_out(manifest: Manifest, plots: Mapping[str, Plot]) -> str:
    """What was taken for furniture, by label, with examples, plots and the evidence."""
    ledger, examples = manifest.body["ledger"], manifest.body["examples"]
    label = next(column for column in load_schema("ledger").fields if column.name == "label")
    meanings = dict(zip(label.allowed, label.meanings, strict=True))
    dropped = [row for row in ledger["by_label"] if row["fate"] == "dropped"]
    rows = [
        [
            f"`{row['label']}`",
            meanings.get(row["label"], ""),
            "<br>".join(code(text) for text in examples.get(row["label"], [])),
            number(row["spans"]),
            share(row["bytes"], ledger["bytes"]),
        ]
        for row in sorted(dropped, key=lambda row: (-row["spans"], row["label"]))
    ]
    if not rows:
        return "## What was left out, and why\n\nNothing: no raw line was taken for furniture."
    header = ("label", "what it is", "examples", "spans", "of all bytes")
    shown = "".join(f"\n\n{plots[name].markdown}" for name in ("removed", "labels") if name in plots)
    return (
        "## What was left out, and why\n\n"
        "A raw line was left out only on evidence: a rule for its site, its recurrence in other documents, or a model "
        f"that weighs its shape and its neighbours. In doubt it stayed.{_kept_where(manifest)}"
        f"\n\n{table(header, rows, right=2)}\n\n{_evidence(ledger)}{shown}"
    )


def _kept_where(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    if "ledger" not in recipe.tables:
        return ""
    return f" Each is in the ledger with its evidence and {'its bytes' if recipe.whole else 'the place of its bytes'}."


def _evidence(ledger: Mapping[str, Any]) -> str:
    """What said so, most first: the part of the evidence before the colon."""
    pairs = by_number(ledger["dropped_by_evidence"])
    named = ", ".join(f"{code(kind)} {number(spans)}" for kind, spans in pairs[:ROWS])
    more = f" and {len(pairs) - ROWS} more" if len(pairs) > ROWS else ""
    return f"On the evidence of (spans): {named}{more}."


def duplicates(manifest: Manifest) -> str:
    """Clusters of copies, the copies in them, and how many of those are reprints."""
    counts = manifest.body["counts"]
    if not counts["duplicate_clusters"]:
        return "## Duplicates\n\nNo two articles are copies or near-copies of each other."
    reprints = counts.get("reprints", 0)
    told = f" Of these, {number(reprints)} stand under another outlet than the earliest: reprints." if reprints else ""
    kept = "They are kept: to have each story once, keep the rows whose `duplicate_of` is null."
    if DUPLICATES in counts["by_split"]:
        kept = f"They are left out of the splits, and are in the config `{DUPLICATES}` of the newest release."
    return (
        f"## Duplicates\n\nCopies and near-copies form {counted(counts['duplicate_clusters'], 'cluster')}; beside the "
        f"earliest of each, that is {counted(counts['duplicates'], 'article')}.{told} {kept} "
        "Copies never stand in different splits."
    )


def quality(manifest: Manifest) -> str:
    """What is amiss with articles, and the means of the signals to filter by."""
    counts = manifest.body["counts"]
    rows = [[f"`{name}`", f"{value:.4g}"] for name, value in counts["quality_means"].items()]
    facts = {
        "broken off before the end (`truncated`)": counts["truncated"],
        "with repaired characters (`repairs`)": counts["repaired"],
        "without a headline": counts["without_headline"],
        "without any text": counts["empty"],
    }
    list_ = "\n".join(f"- {number(count)} {what}" for what, count in facts.items())
    means = f"\n\n{QUALITY}\n\n{table(('signal', 'mean'), rows, right=1)}" if rows else ""
    return f"## Quality\n\nOf {counted(counts['documents'], 'article')}:\n\n{list_}{means}"


def audited(manifest: Manifest) -> str:
    """What a person found who judged a sample of lines; nothing where nobody did."""
    found = manifest.body["description"].get("audit")
    if not found:
        return ""
    names = {
        "lost": "of the lines left out, are text of the article",
        "lost_of_text": "that is, of all text",
        "left": "of the lines kept, are furniture",
    }
    rows = [
        [told, f"{part['share']:.2%}", f"{part['low']:.2%} to {part['high']:.2%}"]
        for name, told in names.items()
        if (part := found[name])["share"] is not None
    ]
    if not rows:
        return ""
    who = ", ".join(code(name) for name in found["who"])
    return (
        f"## Audit\n\n{who} judged {number(found['judged'])} lines, drawn by source, decision and doubt from release "
        f"{found['version']} ({number(found['unsure'])} more could not be told):\n\n"
        f"{table(('', 'share', '95 % bounds'), rows, right=2)}\n\n"
        "Shares are of lines. Bounds: Clopper-Pearson at the effective size of the stratified sample."
    )


def quarantine(manifest: Manifest) -> str:
    """The documents that are in no release, by kind of reason, and those withdrawn."""
    facts = manifest.body["quarantine"]
    if not facts["documents"]:
        return "## Quarantine\n\nEvery document could be read." + _withdrawn(manifest)
    rows = [[code(reason), number(count)] for reason, count in by_number(facts["reasons"])]
    return (
        f"## Quarantine\n\n{counted(facts['documents'], 'document')} could not be read or broke the schema. Not in "
        f"the release; `{facts['file']}` names each with its reason.\n\n"
        f"{table(('reason', 'documents'), rows, right=1)}{_withdrawn(manifest)}"
    )


def _withdrawn(manifest: Manifest) -> str:
    found = manifest.body["withdrawn"]
    return f"\n\n{counted(len(found), 'document')} withdrawn from every release; see `CHANGELOG.md`." if found else ""
