"""Small texts for the tests of line labelling, and batches made of them. All invented."""

from __future__ import annotations

import polars as pl

PARAGRAPHS = [
    "The harbour council voted on Tuesday to rebuild the old stone bridge, which has been closed since the storms.",
    '"We have waited long enough, and the money is there now," council leader Mara Holt told reporters.',
    "Engineers found cracks in two of the five arches last autumn, and the bridge has carried no traffic since.",
    "Work is to begin in April and to take two years, according to a plan that the council published.",
    "Shop owners on the east bank had complained that the closure cost them a third of their customers.",
]

PAGE = "\n".join(
    [
        "Skip to main content",
        "Home > News > Harbour",
        "",
        "Council votes to rebuild the old stone bridge",
        "",
        "Work is to begin in April",
        "",
        "By Anna Lee",
        "3 March 2019, 14:05",
        "Share on Facebook",
        "",
        *[line for text in PARAGRAPHS[:3] for line in (text, "")],
        "READ MORE: Why the bridge was closed",
        "",
        "The way ahead",
        "",
        *[line for text in PARAGRAPHS[3:] for line in (text, "")],
        "Tags: bridge, council",
        "",
        "Leave a Reply",
        "Please enter your comment!",
        "© 2019 Harbour Media Ltd",
    ]
)

PAGE_LABELS = [
    *(
        "navigation",
        "navigation",
        "blank",
        "headline",
        "blank",
        "deck",
        "blank",
        "byline",
        "date_line",
        "share_prompt",
        "blank",
    ),
    *("body", "blank", "body", "blank", "body", "blank", "related_link", "blank", "heading", "blank"),
    *("body", "blank", "body", "blank", "tags", "blank", "comment_prompt", "comment_prompt", "copyright"),
]

AGENCY = "\n".join(
    [
        " date 2016-03-02 Back to Main page",
        "Grain talks to be held in April - envoy",
        "",
        "Business & Economy",
        "March 02, 9:15 UTC+3",
        "The envoy noted that both sides had agreed on the place of the talks",
        "ANKARA, March 2. /TASS/. The next round of grain talks will be held in April, the envoy told journalists.",
        "",
        "Port workers destroy last stocks of rotten grain in the old silo",
        "",
        '"Both sides have agreed on the place and the list of those who take part in the talks," the envoy said.',
        "",
        "Outcome of the last round",
        "",
        "The last round ended in February without a paper that both sides were ready to sign, he said.",
        "",
        "Topics",
        "Foreign policy Trade",
        "Persons",
        "Anna Ivanova",
    ]
)

AGENCY_LABELS = [
    *(
        "navigation",
        "headline",
        "blank",
        "section_label",
        "date_line",
        "deck",
        "body",
        "blank",
        "related_link",
        "blank",
        "body",
        "blank",
    ),
    *("heading", "blank", "body", "blank", "tags", "tags", "tags", "tags"),
]


def batch(*texts: str, site: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The line table and the documents of some texts."""
    rows = [(number, at + 1, line) for number, text in enumerate(texts) for at, line in enumerate(text.split("\n"))]
    lines = pl.DataFrame(rows, schema={"doc": pl.UInt32, "line": pl.UInt32, "text": pl.String}, orient="row")
    documents = pl.DataFrame(
        {
            "doc": range(len(texts)),
            "id": [f"d{number}" for number in range(len(texts))],
            "source": ["harbour"] * len(texts),
            "site": [site] * len(texts),
            "outlet": [None] * len(texts),
        },
        schema={"doc": pl.UInt32, "id": pl.String, "source": pl.String, "site": pl.String, "outlet": pl.String},
    )
    return lines, documents
