"""What the labelling benchmark stands on: invented pages that never change, peers that may be absent."""

from __future__ import annotations

import hashlib
import importlib.util

import pytest

from benchmarks.invented import SITES, pages
from benchmarks.peers import METHODS

LINES = [
    "Home",
    "The council voted on Tuesday to close the old bridge for two years.",
    "",
    "What comes next",
    "All tides <b>",
]


def test_invented_pages_never_change() -> None:
    """Figures of another day can be compared: the pages are pinned, on every machine and version of Python."""
    whole = hashlib.sha256("".join(page.text for site in SITES for page in pages(site, 5)).encode())
    assert whole.hexdigest()[:16] == "44a782a7baad2ca9"


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_the_truth_covers_every_line(site) -> None:
    """One verdict per line of a page, text and furniture in each, the headline neutral."""
    for page in pages(site, 4):
        lines = page.text.split("\n")[:-1]
        assert len(lines) == len(page.stays)
        assert {True, False} <= set(page.stays)
        assert all(stays is None for line, stays in zip(lines, page.stays, strict=True) if not line)


def test_sites_share_no_furniture() -> None:
    """What one site prints no other prints, so that nothing is learned across sites."""
    seen: dict[str, str] = {}
    for site in SITES:
        for line in (*site.top, *site.under, *site.middle, *site.below):
            if line != "{title}":
                assert seen.setdefault(line, site.name) == site.name


@pytest.mark.parametrize("name", METHODS)
def test_a_peer_answers_for_every_line_or_is_not_installed(name: str) -> None:
    """One answer per line, blank ones included; None where its library is missing."""
    kept = METHODS[name](LINES, "en")
    library = {"C4 rules (datatrove)": "datatrove", "jusText": "justext"}.get(name)
    if library and importlib.util.find_spec(library) is None:
        assert kept is None
    else:
        assert kept is not None
        assert len(kept) == len(LINES)
        assert kept[1] or name == "jusText"  # which wants longer paragraphs
