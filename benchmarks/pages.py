"""What the labels add to the extractor alone, on invented pages that hold furniture within the article.

    python benchmarks/pages.py

Three stories in ten layouts, as news sites print them: each has menus and footers around the article, which the
extractor is there for, and something within it: a share bar, a teaser between paragraphs, a newsletter box, a comment
form, a tag list, a copyright line. The gold text is the story's paragraphs; headline, date and byline are our fields
and count as surplus for the extractor. Printed for each way: precision, recall and F1 of word 4-shingles, the
paragraphs lost, and the furniture lines kept.
"""

from __future__ import annotations

import html
import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from copydesk.single import clean  # noqa: E402
from copydesk.sources.formats.html import article  # noqa: E402

WIDTH: Final = 4


class Story(NamedTuple):
    """A headline, a date line, a byline, and paragraphs."""

    headline: str
    date: str
    by: str
    paragraphs: tuple[str, ...]


WRITTEN: Final = """\
Ferry runs again after a week of storm

May 2, 2019, 11:20

By Peder Aune

KARSUND, May 2. /NORDA/. The ferry between Karsund and the islands ran again on Thursday after a week of storm, the
harbour office said.

"It is small, it is old, and it is very reliable," harbour master Tomas Brekke told reporters at the quay.

About four hundred people had waited on the mainland, most of them in the school's gymnasium.

The next storm is expected on Sunday, according to the meteorological office.

=====

Museum says the old snow plough is not for sale

14 March 2018

Marit Sandvik, staff writer

The railway museum will keep its snow plough, its director said on Wednesday, two days after a collector from abroad
had offered a house in exchange for it.

The plough, built in 1911, cleared the northern line for fifty-three winters and derailed only twice.

"A house is a house, but this is a plough," director Ingrid Haug said.

The collector did not answer questions sent by letter, which is how he prefers to be asked.

The museum opens again on the first of April; children and engine drivers enter free of charge.

=====

Cannery in Lower Mossby finds a buyer

Published: 7 June 2017

LOCAL DEMOCRACY REPORTER

LOWER MOSSBY - The cannery that closed its doors in February has been bought by its former employees, who want to
tin vegetables where sardines were tinned before.

Thirty-one of them put in their savings; the bank, after some thought, put in the rest.

Production is to start in autumn with beans, and nobody expects the smell to be missed.
"""
"""Headline, date line, byline and paragraphs of each."""

PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{headline} | The Example</title>
</head><body><header><nav><ul><li><a href="/">Home</a></li><li><a href="/w">World</a></li>
<li><a href="/s">Sport</a></li></ul></nav></header><main>{main}</main><aside><h3>Most read</h3><ul>
<li><a href="/1">Bridge stays shut until June</a></li><li><a href="/2">Choir seeks tenors</a></li></ul></aside>
<footer><p>The Example, 1 Quay Street. All rights reserved.</p></footer></body></html>"""

WITHIN: Final[dict[str, tuple[str, ...]]] = {
    "plain": (),
    "share bar": ("Share this article", "Share on Facebook", "Share on Twitter", "Email this page"),
    "teaser": ("READ MORE: Bridge stays shut until June",),
    "related": ("Related: Choir seeks tenors", "See also: Karsund buys nine electric buses"),
    "newsletter": ("Sign up for our newsletter", "Subscribe to our daily newsletter and never miss a story"),
    "comments": ("Leave a Reply", "Please enter your comment!", "Please enter your name here"),
    "tags": ("Topics", "Railways Labour market Northern line"),
    "advert": ("Advertisement", "Story continues below advertisement"),
    "copyright": ("Copyright 2023. Reproduction without permission is prohibited.",),
    "cookies": ("This site uses cookies. Accept all", "Found a typo? Select it and press Ctrl+Enter"),
}
"""Layout to the lines that stand within the article."""


def stories() -> list[Story]:
    """The stories as they are written above."""
    found = []
    for block in WRITTEN.split("\n\n=====\n\n"):
        headline, date, by, *paragraphs = (" ".join(part.split()) for part in block.strip().split("\n\n"))
        found.append(Story(headline, date, by, tuple(paragraphs)))
    return found


def page(story: Story, layout: str) -> str:
    """A story in a layout: half of the furniture after the first paragraph, half at the article's end."""
    inside = [f"<p>{html.escape(line)}</p>" for line in WITHIN[layout]]
    body = [f"<p>{html.escape(line)}</p>" for line in story.paragraphs]
    middle = len(inside) // 2
    lines = [f"<h1>{html.escape(story.headline)}</h1>", f"<p>{story.by}</p>", f"<p>{story.date}</p>", body[0]]
    lines += [*inside[:middle], *body[1:], *inside[middle:]]
    return PAGE.format(headline=html.escape(story.headline), main="<article>" + "\n".join(lines) + "</article>")


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """The runs of WIDTH words of a text."""
    words = text.split()
    return Counter(tuple(words[at : at + WIDTH]) for at in range(max(1, len(words) - WIDTH + 1)))


def main() -> int:
    """Print a row for the extractor alone, and one for its lines labelled."""
    print(f"{len(stories()) * len(WITHIN)} pages")
    print("| way | precision | recall | F1 | paragraphs lost | furniture lines kept |\n|---|---:|---:|---:|---:|---:|")
    for way in ("extractor alone", "extractor and labels"):
        hit = found = wanted = lost = kept = 0
        for story in stories():
            for layout, furniture in WITHIN.items():
                extracted, _ = article(page(story, layout).encode())
                text = extracted if way == "extractor alone" else clean(extracted).text
                gold, mine = shingles("\n".join(story.paragraphs)), shingles(text)
                hit, found, wanted = hit + (gold & mine).total(), found + mine.total(), wanted + gold.total()
                lines = set(text.split("\n"))
                lost += sum(line not in lines for line in story.paragraphs)
                kept += sum(line in lines for line in furniture)
        precision, recall = hit / found, hit / wanted
        f1 = 2 * precision * recall / (precision + recall)
        print(f"| {way} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {lost} | {kept} |")
    total = len(stories()) * sum(len(lines) for lines in WITHIN.values())
    print(f"{sum(len(one.paragraphs) for one in stories()) * len(WITHIN)} paragraphs, {total} furniture lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
