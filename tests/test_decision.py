"""From evidence to a label: boxes of links among the paragraphs of a spaced text, sentences broken at links."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from copydesk.knowledge import Knowledge
from copydesk.labels import LABELS
from copydesk.lines import label_lines
from copydesk.lines.profiles import load_profiles
from tests.lines_samples import PARAGRAPHS

TITLES = ["Harbour fees to rise again next spring", "Storm damage: what the insurers pay for"]
LINK = 0.75
"""How sure the model is of a link: too little to drop a line of a clean text by itself."""


def labels(lines: list[str], link: float, titles: list[str] = TITLES) -> dict[str, str]:
    """Labels where the model takes the titles for links, this surely, or else for headings, and the rest for text."""
    rows = [(0, number, line) for number, line in enumerate(lines, start=1)]
    table = pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")
    documents = pl.DataFrame({"doc": [0], "site": [None], "id": ["a"]}, schema_overrides={"doc": pl.UInt32})
    written = [line for line in lines if line]
    model = np.zeros((len(written), len(LABELS)), np.float32)
    for row, line in enumerate(written):
        model[row, LABELS.index("related_link")] = link if line in titles else 0.01
        model[row, LABELS.index("heading")] = 1 - link if line in titles else 0
        model[row, LABELS.index("body")] = 0 if line in titles else 0.99
    found = label_lines(table, documents, Knowledge(), load_profiles(), model)
    return dict(found.select("text", "label").iter_rows())


def spaced(*middle: str) -> list[str]:
    """A text with a blank line between all paragraphs, and this in its middle."""
    before, after = ([line for text in part for line in (text, "")] for part in (PARAGRAPHS[:3], PARAGRAPHS[3:]))
    return [*before, *middle, *after]


@pytest.mark.parametrize(
    ("lines", "link", "wanted"),
    [
        (spaced(*TITLES, ""), LINK, "related_link"),
        (spaced(*TITLES), LINK, "related_link"),  # stuck to the paragraph below
        (spaced(TITLES[0], "", TITLES[1], ""), LINK, "heading"),  # each alone: headings
        (spaced(*TITLES, ""), 0.45, "heading"),  # the model does not take them for links
        ([*PARAGRAPHS[:3], *TITLES, *PARAGRAPHS[3:]], 0.7, "heading"),  # nothing is parted by blank lines here
    ],
)
def test_titles_stuck_together_are_a_box_of_links(lines: list[str], link: float, wanted: str) -> None:
    """Headings stand alone; titles that touch, where blank lines part the paragraphs, are links to other stories."""
    found = labels(lines, link)
    assert [found[title] for title in TITLES] == [wanted] * 2
    assert all(found[text] == "body" for text in PARAGRAPHS)


BROKEN = "Engineers of the harbour board told the council on Tuesday morning"


@pytest.mark.parametrize(
    ("lines", "piece"),
    [
        ([f"{BROKEN}, and the ferry owners,", "agreed", "with them."], "agreed"),
        ([f"{BROKEN}, as about", "900 people", "listened", "to them."], "listened"),
        ([BROKEN, "Mara Holt", "that the arches were safe."], "Mara Holt"),
        (["The council has now printed the words of", "Mara Holt", "Nobody knew them."], "Mara Holt"),
        ([f"{BROKEN}.", "Mara Holt", "that the arches were safe."], None),  # the sentence had ended
        ([BROKEN, "Mara Holt", "The arches were safe."], None),  # and here nothing goes on
        (["Bridge news:", "agreed", "With them."], None),  # too short for a sentence
    ],
)
def test_pieces_of_a_sentence_that_was_broken_at_links_stay(lines: list[str], piece: str | None) -> None:
    """Where a line goes on from a kept one, or what follows it does, no model takes it out of the sentence."""
    short = [line for line in lines if line in ("Mara Holt", "agreed", "listened")]
    found = labels([*PARAGRAPHS[:3], *lines, *PARAGRAPHS[3:]], 0.98, short)
    assert [found[line] in ("body", "heading") for line in short] == [piece is not None]
