"""Invented news sites: pages with furniture of their own, made the same way every time, with the truth of each line.

    SITES        fourteen layouts: what stands above, under the title, in mid-story and below, in each site's own words
    pages        the pages of a site
    Page         id, text, and of each line whether it should stay (True), go (False) or counts neither way (None)

The stories are invented sentences over invented names. The furniture avoids the words that furniture commonly has
(share, comment, subscribe, related), so that wording cannot give it away: only that it recurs. Two traps are built in
because real sites have them: background paragraphs and section headings that come back from story to story and stay.
"""

# ruff: noqa: E501, SIM905 - tables of phrases read best in long lines

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["SITES", "Layout", "Page", "pages"]


@dataclass(frozen=True)
class Layout:
    """A site: lines as templates; {n} is a number, {title} another story's title, {name} a person, {place} a place."""

    name: str
    top: tuple[str, ...]
    under: tuple[str, ...]
    middle: tuple[str, ...]
    below: tuple[str, ...]
    gap: str = "\n\n"
    headings: tuple[str, ...] = ()
    """Section headings that come back from story to story: they are text."""
    background: str = ""
    """A paragraph of background that comes back in every third story: it is text."""


@dataclass(frozen=True)
class Page:
    """A page and, for each of its lines, whether it should stay; None where it counts neither way."""

    id: str
    text: str
    stays: tuple[bool | None, ...] = field(repr=False)


SITES = (
    Layout(
        "quayside",
        ("Quayside Lantern", "Tide table and moorings", "Lamplit edition no. {n}"),
        ("Told from the quay by {name}", "Four bells past noon, day {n}"),
        ("From the same berth: {title}",),
        ("Ring the harbour bell for this tale", "Lantern keepers on watch: {n}", "Back under the lantern", "Printed on sailcloth since 1904"),
        headings=("The quay today", "What the pilots say"),
    ),
    Layout(
        "mirvo",
        ("Mirvo dal sentu", "Kelana | Horvi | Tessam | Ondri", "Sentu {n}"),
        ("Orsil: {name}", "Vanu {n} · {place}"),
        ("Tessa vel: {title}", "Pano {n} / Mirvo"),
        ("Kelu mir sentano", "Horvi landa {n}", "Sentu dal mirvo, ol tarrane", "Ondri kel vasta mirvo"),
        gap="\n",
    ),
    Layout(
        "orchard",
        ("The Orchard Post, under the old pear tree", "Ladders, baskets, weather"),
        ("Picked by {name}",),
        ("Another apple from this branch: {title}",),
        ("Baskets filled so far: {n}", "Shake the tree for more", "Windfalls of the week", "{title}", "{title}", "Mind the ladder on your way out"),
        background="The orchard board was set up after the great frost, when growers lost two harvests in a row and asked the province for a common store.",
    ),
    Layout(
        "stonegate",
        ("STONEGATE WALL SHEET", "North tower", "South tower", "Gatehouse"),
        ("Nailed up on day {n} of the year", "Hand of {name}"),
        (),
        ("Leave your mark on the wall ({n} marks)", "The watch reads this sheet at dusk", "Other sheets on this wall", "{title}", "{title}", "{title}", "Wall warden: second door left of the gate"),
        headings=("Seen from the tower", "How it came about"),
        gap="\n",
    ),
    Layout(
        "tolvan",
        ("Tolvan ryn keshu", "Desh ola narim"),
        ("Narim desh {n}", "Ryn {name}"),
        ("Keshu ola >> {title}",),
        ("Tolvan desh narim ({n})", "Keshu ryn ola tolvan dasu", "Ola narim", "Veshti keshu {n} ryn"),
    ),
    Layout(
        "millrace",
        ("Millrace Gazette with the Weir Supplement", "Turn the wheel", "Grain prices at the {place} floor"),
        ("Ground fine by {name}", "Sack {n} of this season"),
        ("Same stream, other stone: {title}",),
        ("Sluice opened {n} times", "The miller answers letters on the third day", "Set this page between two stones", "Upstream", "{title}", "Downstream", "{title}"),
    ),
    Layout(
        "sableford",
        ("Sableford & District Crier", "Crier's round: market, mill, meadow"),
        ("Cried by {name} at {place}",),
        ("Cried before: {title}", "Drawing: {name} for the Crier"),
        ("Heard by {n} ears", "Bring your own news to the crier's door", "The crier's bell is silent on rest days", "Rounds still to come"),
        headings=("In the meadow",),
    ),
    Layout(
        "ennara",
        ("ennara.", "solu ~ berim ~ katta ~ vessu"),
        ("katta {n}, berim {n}", "solu {name}"),
        ("berim oru: {title}",),
        ("ennara solu berim katta", "vessu {n} oru", "katta oru ennara", "berim na solu vessu, ennara tal {n}"),
        gap="\n",
    ),
    Layout(
        "northmark",
        ("Northmark Signal Station", "Flags up", "Flags down", "Visibility {n} miles"),
        ("Signalled by {name}, relief watch",),
        ("Earlier signal: {title}",),
        ("Repeat this signal to the next station", "Stations that answered: {n}", "Log closed by the officer of the watch", "Fog drill every second morning"),
        background="The station stands on the northern spit and has relayed messages between the island and the mainland ever since the cable broke in the storm.",
    ),
    Layout(
        "weaver",
        ("The Weaver's Daily Thread", "Warp", "Weft", "Selvedge"),
        ("Spun by {name}", "Spool {n}"),
        ("Pull this thread: {title}", "Pattern {n} of the winter book"),
        ("Knots tied here: {n}", "Cut the thread with care", "The loom rests at night", "From the same bolt", "{title}", "{title}"),
    ),
    Layout(
        "garrick",
        ("Garrick Hill Beacon", "Up the hill", "Down the hill"),
        ("Lit by {name} on night {n}",),
        (),
        ("This fire was seen from {n} farms", "Carry the embers to a neighbour", "Ashes of earlier fires", "{title}", "{title}", "Wood for the beacon is kept behind the chapel", "Beacon, hill of Garrick"),
        headings=("From the hilltop", "Who was there that night"),
    ),
    Layout(
        "pelluna",
        ("Pelluna", "Astri / Monu / Vela / Corru", "Pelluna na vela {n}"),
        ("Astri pel {name}", "Monu {n}.{n}"),
        ("Corru vela - {title}",),
        ("Pelluna astri na monu", "Vela corru {n} na", "Monu pel astri vela corru", "Na pelluna"),
    ),
    Layout(
        "saltmarsh",
        ("Saltmarsh Heron, morning flight", "Reeds", "Mudflats", "Sluices"),
        ("Waded through by {name}", "Flight {n}"),
        ("The heron also saw: {title}",),
        ("Feathers left behind: {n}", "Feed the heron", "Nests in this reed bed", "{title}", "{title}", "Low water at the old groyne"),
        gap="\n",
    ),
    Layout(
        "cobbler",
        ("Cobbler's Row Leaflet", "Left shoe", "Right shoe"),
        ("Stitched by {name}", "Pair {n}, size {n}"),
        ("Same last, new leather: {title}",),
        ("Soles worn through: {n}", "Hang this leaflet in your window", "Laces sold singly at the corner", "The row closes when the lamps are lit"),
        headings=("On the row",),
    ),
)  # fmt: skip

_FIRST = "Mara Tobin Edda Lorne Jessa Halvard Wren Corin Alma Bastian Idris Nella Osric Petra Rufus Sunniva Tamsin Ulric Vesna Yorick".split()
_LAST = "Holt Marren Tveit Oakes Brannock Sorrel Pike Dunmore Askew Lindqvist Farrow Grell Hobday Juncker Kestrel Lorimer Munk Nairn".split()
_PLACES = "Harrow Bay,Little Venn,Osmark,Tarrin,Upper Keld,Brackwater,Saint Orla,Fennimore,Dusk Hollow,Varn,Eastling,Corvale".split(
    ","
)
_WHO = "council,harbour office,teachers' union,water board,fire brigade,regional court,hospital,ferry company,farmers' league,museum,tram works,college,housing fund,fishery,library,chamber of trade".split(
    ","
)
_WHAT = "bridge,timetable,budget,sea wall,school roof,grain store,water main,tram line,night market,festival,tax roll,quarry,flood plan,clinic,archive,bus depot,power line,orchard road,fish market,lighthouse".split(
    ","
)
_DID = "rebuild,close,sell,inspect,reopen,move,widen,repair,rename,lease,survey,insure,repaint,divide,extend,replace".split(
    ","
)
_WHEN = "on Monday,on Tuesday,on Wednesday,on Thursday,on Friday,last week,this spring,before the holidays,after a long debate,early in the morning,by a narrow vote,at short notice".split(
    ","
)
_WHY = "the money had run out,two of the arches were cracked,residents had complained for years,the contract ends in autumn,an audit had found errors,the river rose again,nobody had kept the plans,the old permit was void,prices doubled within a year,a neighbour went to court,storms had torn off the cover,the engineers asked for more time".split(
    ","
)
_SENTENCES = (
    "The {who} of {place} decided {when} to {did} the {what}, because {why}.",
    '"We have waited long enough, and the {what} cannot wait for another winter," said {name}, who speaks for the {who}.',
    "According to {name}, about {n} people signed a letter which asks the {who} to {did} the {what} instead.",
    "Work on the {what} in {place} is to take {n} weeks, and traffic will be led around it until then.",
    "The {who} did not say what it would cost to {did} the {what}, but {name} put it at {n} thousand crowns.",
    "In {place} the plan met with doubt, since {why} and the {what} had already been promised to the {who}.",
    "{name}, a former head of the {who}, told reporters {when} that {why}.",
    "Two years ago the {who} tried to {did} the {what}, and gave up when {why}.",
    "A spokesman for {place} said that the {who} would be heard before anyone began to {did} the {what}.",
    "The report, which runs to {n} pages, says that {why} and that the {what} should be left alone.",
    "Nobody was hurt when part of the {what} gave way {when}, although {n} people were nearby at the time.",
    "Since then the {what} has stood empty, and {name} of the {who} fears that {place} will lose it for good.",
)
_TITLES = (
    "{Who} of {place} to {did} the {what}", "{place} wants to {did} its {what}", "Why the {what} of {place} stays shut",
    "{Who} drops plan to {did} {what}", "{name} leaves the {who}", "Old {what} gives way in {place}", "{n} sign letter over {what} in {place}",
)  # fmt: skip
_HEADINGS = (
    "A {what} without an owner",
    "The {who} hesitates",
    "Doubts in {place}",
    "{name} goes to court",
    "Money for the {what}",
)


class _Writer:
    """Fills templates from one stream of numbers."""

    def __init__(self, seed: str) -> None:
        self.draw = random.Random(seed)

    def fill(self, template: str) -> str:
        one = self.draw.choice
        who = one(_WHO)
        values = {
            "who": who, "Who": who[0].upper() + who[1:], "what": one(_WHAT), "did": one(_DID), "when": one(_WHEN), "why": one(_WHY),
            "place": one(_PLACES), "name": f"{one(_FIRST)} {one(_LAST)}", "n": self.draw.randrange(2, 990),
        }  # fmt: skip
        title = self.fill(one(_TITLES)) if "{title}" in template else ""
        return template.format(**values, title=title)

    def paragraph(self) -> str:
        return " ".join(self.fill(sentence) for sentence in self.draw.sample(_SENTENCES, self.draw.randrange(1, 4)))


def pages(site: Layout, count: int) -> Iterator[Page]:
    """The first `count` pages of a site."""
    for number in range(count):
        rows = list(_page(site, number))
        text, stays = site.gap.join(line for line, _ in rows), [keep for _, keep in rows]
        between: list[bool | None] = [None] if site.gap == "\n\n" else []
        yield Page(
            f"{site.name}-{number:03}",
            text + "\n",
            tuple(one for keep in stays for one in (keep, *between))[: text.count("\n") + 1],
        )


def _page(site: Layout, number: int) -> Iterator[tuple[str, bool | None]]:
    writer = _Writer(f"{site.name} {number}")
    yield from ((writer.fill(line), False) for line in site.top)
    yield writer.fill(writer.draw.choice(_TITLES)), None
    yield from ((writer.fill(line), False) for line in site.under)
    length = writer.draw.randrange(5, 10)
    breaks = writer.draw.sample(range(1, length), min(length - 1, len(site.middle)))
    heading = writer.draw.randrange(2, length) if number % 2 else 0
    for at in range(length):
        for line, place in zip(site.middle, breaks, strict=False):
            if place == at:
                yield writer.fill(line), False
        if at and at == heading:
            yield (
                writer.draw.choice(site.headings) if site.headings else writer.fill(writer.draw.choice(_HEADINGS)),
                True,
            )
        yield writer.paragraph(), True
    if site.background and number % 3 == 0:
        yield site.background, True
    yield from ((writer.fill(line), False) for line in site.below)
