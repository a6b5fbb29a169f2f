"""What the text says of itself: headline, dateline, dates, names, tags, language.

    assemble    `extract`: the fields of a batch        given       what the user says beside the text
    layout      the batch's lines as arrays             columns     from values per document to the table of fields
    pages       the few lines that readers need         sieves      the cheap tests that choose them
    stories     what is asked of the article's text     quality     Gopher's and FineWeb's signals
    datelines   the grammar of datelines                dateline_words, dateline_dates, dateline_east: its words
    dates       dates and times as printed              zones       their time zones
    published   which date is the story's own           when        the instants, from all sources
    years       a year that is not printed              bylines     authors, desks, agencies
    tags        section, topics, persons                headlines   headline and deck
    endings     truncation and notices                  language    language and script
    outlets     outlet, agency, address                 generate    writes those of the tables that come from CLDR
    tables      the data under `data/`

No clock is read anywhere: a year that nothing prints stays open, with candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copydesk.metadata.datelines import Dateline, Place, parse_dateline

if TYPE_CHECKING:
    from copydesk.metadata.assemble import extract
    from copydesk.metadata.when import published_iso

__all__ = ["Dateline", "Place", "extract", "parse_dateline", "published_iso"]


def __getattr__(name: str) -> Any:
    if name == "extract":
        from copydesk.metadata.assemble import extract

        return extract
    if name == "published_iso":
        from copydesk.metadata.when import published_iso

        return published_iso
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
