"""The card's part for those who want to judge and cite it: how it was made, how good that is, what it does not do.

labelling   how good the labelling of lines is, measured elsewhere    limits    what to know before using it
making      provenance: raw files, libraries, digests                 citing    words for a paper, BibTeX
licence     under what terms
"""

from __future__ import annotations

from typing import Final

from copydesk.release.citation import bibtex, methods
from copydesk.release.manifest import Manifest
from copydesk.release.markdown import by_number, code, counted, number, share, table
from copydesk.release.variants import recipe_of

__all__ = ["citing", "labelling", "licence", "limits", "making"]

FIGURES: Final = (
    ("articles", "body characters kept", "of the characters of the articles' own text, how many were kept"),
    ("articles", "clean documents unchanged", "of the texts without any furniture, how many came out whole"),
    ("articles", "headings kept", "of the headings inside articles, how many were kept"),
    ("articles", "drop f1, characters", "furniture found and left out, by characters (F1)"),
    ("articles", "mid-body links, precision", "of the links in mid-story that were left out, how many were links"),
    ("articles", "mid-body links, recall", "of the links in mid-story, how many were found"),
    ("linebench", "full news shingle f1", "whole web pages of news: four-word pieces of the text that is kept (F1)"),
    ("articles", "field headline", "headlines that are right"),
    ("articles", "field published_at", "dates of publication that are right, or rightly unknown"),
    ("metadata", "authors f1", "authors of web pages (F1)"),
    ("datelines", "all f1", "datelines that are right in every part (F1)"),
    ("encodings", "exact", "files of many encodings that were decoded exactly"),
)
"""Figures of quality.json that a card tells: the set, the figure, and what it means."""

LIMITS: Final = """
Labels are a program's judgement. In doubt a line stays, so some furniture is left in the texts; and a line that looks
like furniture and is not may have been left out. The ledger shows each decision with its evidence.

Reader comments, live tickers, lists, tables and pages that hold several articles are judged less well than running
text; languages other than English less well than English.

A date, author or section is only given where the raw text, its path or its sidecar says it; a year that is not written
is not guessed, and `candidate_years` says which would fit.

Nothing was checked for truth, and nothing was left out for being offensive or personal: articles name real people.
"""


def labelling(manifest: Manifest) -> list[str]:
    """The section on how good the labelling is; none where the manifest does not tell."""
    found = manifest.body.get("labeller", {})
    told = [one for one in FIGURES if one[1] in found.get(one[0], {}).get("floors", {})]
    if not told:
        return []
    rows = [[meaning, f"`{name}`", f"{100 * found[name]['floors'][figure]:.2f} %"] for name, figure, meaning in told]
    sets = ", ".join(f"`{name}` {code(found[name]['data'])}" for name in sorted({name for name, _, _ in told}))
    section = (
        "## How good the labelling is\n\nMeasured on texts that people labelled line by line, and on benchmarks of "
        "others; not on this dataset, whose own figures may be better or worse. Each is the least that this version of "
        "copydesk must reach before it is built. F1 is the mean of how much of it was found and how much of what was "
        f"found is right.\n\n{table(('what', 'set', 'at least'), rows, right=1)}\n\nDigests of the sets: {sets}."
    )
    return [section]


def limits(manifest: Manifest) -> str:
    """What a user should know before trusting it, with the numbers of this release."""
    counts = manifest.body["counts"]
    whole = counts["documents"]
    own = [
        f"{number(counts[key])} of {counted(whole, 'article')} ({share(counts[key], whole)}) {what}."
        for key, what in (
            ("undated", "without a date of publication"),
            ("truncated", "broken off before the end"),
            ("without_headline", "without a headline"),
        )
        if counts[key]
    ]
    general = [" ".join(paragraph.split()) for paragraph in LIMITS.split("\n\n")]
    return "## Known limits\n\n" + "\n".join(f"- {told}" for told in (*own, *general))


def citing(manifest: Manifest) -> str:
    """A paragraph for the methods of a paper, and the BibTeX entry."""
    return (
        "## Citing it\n\nFor the methods section:\n\n"
        f"> {methods(manifest.body)}\n\n"
        f"```bibtex\n{bibtex(manifest.body).replace('`', chr(39))}\n```\n\n"
        "Name the release you used: releases never change, so others will get the rows you had. `croissant.json` says "
        "the same to programs."
    )


def making(manifest: Manifest) -> str:
    """Provenance: what it was made from and with, and the digests that name all that rows depend on."""
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
        f"## How it was made\n\n{_raw(manifest)} By {made}. The rows are a function of the raw files and of "
        "what these digests name:\n\n"
        f"{table(('', 'digest'), rows)}\n\n"
        f"`copydesk verify` recomputes every hash, count and number in this folder{_restoring(manifest)}."
    )


def _restoring(manifest: Manifest) -> str:
    recipe = recipe_of(manifest.body)
    bytes_here = recipe.whole and "ledger" in recipe.tables
    return "; `copydesk restore` writes the raw files back from the ledger, byte for byte" if bytes_here else ""


def licence(manifest: Manifest) -> str:
    """The licence, as the maker told it."""
    return f"## Licence\n\n{manifest.body['description']['licence']}"


def _raw(manifest: Manifest) -> str:
    """Where the rows come from: raw files, their bytes and their encodings."""
    body = manifest.body
    encodings = by_number(body["counts"].get("by_encoding", {}))
    named = ", ".join(f"{code(name)} {number(count)}" for name, count in encodings[:8])
    more = f" and {len(encodings) - 8} other encodings" if len(encodings) > 8 else ""
    told = f"From {counted(body['documents'], 'raw document')} of {number(body['ledger']['bytes'])} bytes"
    return f"{told} ({named}{more})." if named else f"{told}."
