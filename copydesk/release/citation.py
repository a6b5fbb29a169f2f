"""How a release is cited: the words that stand in its card and in croissant.json, functions of the manifest.

bibtex           the entry for a bibliography
methods          a paragraph for the methods section of a paper
standing_words   what the dataset is, where its maker says nothing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from copydesk.text import DUPLICATES

__all__ = ["bibtex", "methods", "standing_words"]

SPECIAL: Final = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}


def standing_words(body: Mapping[str, Any]) -> str:
    """What the dataset is, in two sentences."""
    kept = "is in the ledger, with the reason" if "ledger" in body["tables"] else "is accounted for where it was made"
    return (
        "News articles as their outlets wrote them: raw text files, cleaned of the furniture of the pages they stood "
        f"on, with their metadata in columns. Every raw line that was left out {kept}."
    )


def bibtex(body: Mapping[str, Any]) -> str:
    """A BibTeX entry that names the release and what it holds by its content's hash."""
    told = body["description"]
    key = re.sub(r"[^A-Za-z0-9]+", "-", f"{body['name']}-{body['version']}").strip("-")
    published = body.get("publication")
    url = told.get("url") or (f"https://huggingface.co/datasets/{published['repository']}" if published else None)
    fields = {
        "title": f"{{{_latex(told['title'])}}}",
        "author": " and ".join(_latex(name) for name in told.get("authors", ())),
        "year": body["date"][:4] if body["date"] else "",
        "version": body["version"],
        "note": f"{body['documents']:,} articles; SHA-256 of the content {body['content']['article']}",
        "url": url or "",
    }
    lines = [f"  {name:<7} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _latex(text: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def methods(body: Mapping[str, Any]) -> str:
    """How the release came about, in one paragraph with its numbers; plain text without markup."""
    counts, ledger, made = body["counts"], body["ledger"], body["made_with"]
    written = ledger["spans"] - ledger["by_fate"]["blank"]
    dropped = sum(row["bytes"] for row in ledger["by_label"] if row["fate"] == "dropped")
    dated = counts["documents"] - counts["undated"]
    span = f" published between {counts['first_day']} and {counts['last_day']}" if counts["first_day"] else ""
    sources = len(counts["by_source"])
    copies = "left out of the splits" if DUPLICATES in counts["by_split"] else "marked, not removed"
    return (
        f"The corpus is release {body['version']} of {body['description']['title']}: {counts['documents']:,} articles "
        f"of {counts['words']:,} words{span}, from {sources:,} raw {'collection' if sources == 1 else 'collections'}. "
        f"It was built with copydesk {made['copydesk']}. Raw bytes were decoded and damaged characters repaired "
        f"(ftfy {made.get('ftfy', 'unknown')}; {counts['repaired']:,} articles). Each of {written:,} non-blank line "
        "spans was labelled by rules for its site, by its recurrence in other documents and by a small neural network "
        f"over its shape, words and neighbours; {ledger['by_fate']['dropped']:,} spans "
        f"({_percent(dropped, ledger['bytes'])} of the bytes) were taken for page furniture and left out, and each is "
        "recorded with its evidence. Headlines, datelines, bylines, sections and tags were moved to columns. A date of "
        f"publication is known for {dated:,} articles ({_percent(dated, counts['documents'])}); none was guessed. "
        f"Copies and near-copies of earlier articles ({counts['duplicates']:,}) are {copies}, and no "
        "article was filtered out by its quality. Raw documents that could not be used: "
        f"{body['quarantine']['documents']:,}. The SHA-256 of the content is {body['content']['article']}."
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"
