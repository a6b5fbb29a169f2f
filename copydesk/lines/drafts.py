"""Rules that were found, written down as a profile: a guessed label with its reason, cases, counts and examples.

    Draft   a rule before it is written
    guess   what the lines of a rule probably are, and why
    write   drafts -> the text of a profile in TOML

Labels are guesses in this order: what the words say, what the judge takes most of the lines for, where they stand. A
wrong guess changes a field or a statistic, never whether the line is dropped, and who edits the draft sees the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from copydesk.errors import UsageError
from copydesk.labels import DROPPED, KEPT
from copydesk.lines.profiles import ZONES
from copydesk.lines.shape import AFTER, AMONG, BEFORE, SHORT, normalise
from copydesk.lines.texts import bare

__all__ = ["Draft", "guess", "write"]

_CUES: Final = (
    ("comment_prompt", "comment|reply|kommentar|comentari|comentári|commentaire|reactie|коммент|коментар|yorum|تعليق"),
    ("copyright", "©|\\(c\\)|copyright|all rights|rechte vorbehalten|derechos|direitos|droits|права|hakları|حقوق"),
    ("share_prompt", "share|follow|subscri|newsletter|facebook|twitter|whatsapp|telegram|teilen|compart|partag|подпис"),
    ("advert", "advert|sponsor|anzeige|publicidad|publicidade|реклама|donat|support us"),
    ("caption", "photo|getty|image|foto|picture|video:|фото|bild:"),
    ("related_link", "read also|read more|see also|related|more on|lesen sie|lee tamb|leia tamb|leggi anche"),
    ("tags", "^tags|^topics|^keywords|^schlagw|^etiquetas|^теги|^etiketler"),
    ("byline", "^by |^von |^por |^par |author|correspondent|reporter"),
    ("other_boilerplate", "cookie|javascript|browser|disclaimer"),
    ("navigation", "^home|menu|search|log ?in|sign in|next|previous|back to|all news|latest"),
)  # fmt: skip

WORD: Final = "[\\p{L}]{3,12}"
"""What stands for a month or a day in an expression."""

_NAME_LAST: Final = "[ :]\\p{Lu}[\\p{L}'’-]+ (?:\\p{Lu}\\. )?\\p{Lu}[\\p{L}'’-]+$"
_PLACE: Final = {BEFORE: "above the text", AMONG: "among the paragraphs", AFTER: "below the text"}
_NAMES: Final = {bits: name for name, bits in ZONES.items()}
_SHOWN: Final = 3
_SAID: Final = "The words say so."
"""What says so in common words is printed by other sites, too: no marker."""
_LEFT: Final = 30
_CUT: Final = 200


@dataclass(frozen=True)
class Draft:
    """A rule before it is written: `rows` are the lines of the corpus that it names."""

    kind: str
    pattern: str
    zone: int
    words: tuple[int, int] | None
    """Least and most words of a line, where the expression leaves them open."""
    label: str
    reason: str
    documents: int
    rows: pl.DataFrame


def guess(kind: str, rows: pl.DataFrame, zone: int, documents: int) -> tuple[str, str]:
    """The label that the lines of a rule probably have, and the reason, from words, judge and place."""
    for label, cue in _CUES:
        if rows["low"].str.contains(cue).mean() == 1.0:
            return label, _SAID
    share = rows["doc"].n_unique() / documents
    fit = [
        label for label in (*DROPPED, "byline", "tags", "date_line", "section_label") if _fits(label, kind, zone, share)
    ]
    taken = rows.filter(pl.col("plainly").is_in(fit) & (pl.col("plainly") != "other_boilerplate"))
    counted = taken.group_by("plainly").len().sort("len", "plainly", descending=[True, False])
    if counted.height and counted["len"][0] >= 0.5 * rows.height:
        return counted["plainly"][0], "The judge takes most of them for that."
    place = " or ".join(told for bit, told in _PLACE.items() if zone & bit)
    if kind == "leads" and float(rows["words"].median()) >= 6:  # type: ignore[arg-type]
        return "related_link", f"The same words before different titles, {place}."
    if kind in ("leads", "openings") and zone != AMONG and rows["text"].str.contains(_NAME_LAST).mean() == 1.0:
        return "byline", f"Names after the same words, {place}."
    label = "navigation" if zone == BEFORE else "other_boilerplate"
    return label, f"Comes back {place}."


def _fits(label: str, kind: str, zone: int, share: float) -> bool:
    """Whether lines of this kind and place can have the label: a section is not in most documents, a date differs."""
    match label:
        case "section_label":
            return kind == "lines" and zone == BEFORE and share < 0.6
        case "date_line" | "byline":
            return kind != "lines" and zone != AMONG
    return True


def write(site: str, table: pl.DataFrame, drafts: Sequence[Draft], left: Sequence[str], *, taken: bool) -> str:
    """The profile as TOML, with what each rule rests on as comments; `taken`: a profile of the id is in force."""
    name = re.sub("[^a-z0-9.-]+", "-", re.sub("^(outlet|source):", "", site).lower()).strip("-.") or "draft"
    rules = list(_rules(drafts, table))
    dropped = sum(draft.rows["kept"].sum() for draft in drafts)
    named, whole = sum(draft.rows.height for draft in drafts), table["doc"].n_unique()
    head = [
        f"# A draft, written by `copydesk profile propose` from {whole} documents: read it,",
        f"# correct it, keep what is right. Its rules name {named} lines of these documents; {dropped} of them stay in",
        "# the texts today and would newly be dropped. No rule matches a line that is kept as text with confidence.",
        '# Put the file into a folder that copydesk.toml names (profiles = ["profiles"] under [ingest]).',
    ]
    if taken:
        head.append(
            "# A profile with this id is in force, and this file would take its place: add the rules to that one."
        )
    parts = ["\n".join([*head, f"id = {_quoted(name)}", *_marks(table, drafts)]), *rules]
    if left:
        told = [f"# - {_plain(one)}" for one in sorted(left)[:_LEFT]]
        more = [f"# and {len(left) - _LEFT} more"] if len(left) > _LEFT else []
        parts.append("\n".join(["# Left out, for you to decide:", *told, *more]))
    return "\n\n".join(parts) + "\n"


def _marks(table: pl.DataFrame, drafts: Iterable[Draft]) -> list[str]:
    """How the site is recognised: the domain that its pages print, else lines that half of them have at their edge."""
    documents = table["doc"].n_unique()
    printed = table.filter("edge", pl.col("domain").is_not_null()).group_by("domain").agg(pl.col("doc").n_unique())
    domains = printed.filter(pl.col("doc") >= 0.5 * documents).sort("domain")["domain"].to_list()
    markers = []
    for draft in drafts:
        edge = draft.rows.filter("edge")
        often = edge["doc"].n_unique() >= 0.5 * documents
        if draft.kind == "lines" and often and edge["words"][0] >= 3 and draft.reason != _SAID:
            markers.append((-edge["doc"].n_unique(), -int(edge["words"][0]), _surfaces(edge)[0]))
    lines = [f"domains = [{', '.join(map(_quoted, domains))}]   # printed by its pages"] if domains else []
    if markers:
        shown = ", ".join(_quoted(text) for _, _, text in sorted(markers)[:_SHOWN])
        lines.append(f"markers = [{shown}]   # no other site's pages may have these lines: check")
    if not lines:
        lines.append(
            '# Nothing tells its pages apart: give `site = "..."` with this id in the [[source]] of copydesk.toml.'
        )
    return lines


def _rules(drafts: Sequence[Draft], table: pl.DataFrame) -> Iterator[str]:
    ids: set[str] = set()
    together: dict[tuple[int, str], list[Draft]] = {}
    for draft in drafts:
        if draft.kind == "lines":
            together.setdefault((draft.zone, draft.label), []).append(draft)
    for (zone, label), some in together.items():
        yield _lines_rule(_fresh(f"{_NAMES[zone]} {label}", ids), some, table)
    for draft in drafts:
        if draft.kind != "lines":
            yield _regex_rule(_fresh(draft.pattern.replace(WORD, ""), ids), draft, table)


def _fresh(words: str, ids: set[str]) -> str:
    """A rule's id from some words, a number behind it where it is taken."""
    plain = "-".join(re.findall("[^\\W0-9_]+", words.lower())[:4]) or "line"
    name, number = plain, 2
    while name in ids:
        name, number = f"{plain}-{number}", number + 1
    ids.add(name)
    return name


def _lines_rule(name: str, drafts: Sequence[Draft], table: pl.DataFrame) -> str:
    rows = pl.concat([draft.rows for draft in drafts])
    literals = [(draft, _surfaces(draft.rows)) for draft in drafts]
    lines = [f"    {_quoted(seen[0])}, # {_evidence(draft.rows, draft.documents)}" for draft, seen in literals]
    positive = list(dict.fromkeys(text for _, seen in literals for text in seen[:2]))[:4]
    reasons = sorted({draft.reason for draft in drafts})
    body = ["lines = [", *lines, "]"]
    return _rule(name, body, drafts[0], " ".join(reasons), positive, _negative(rows, table, drafts))


def _regex_rule(name: str, draft: Draft, table: pl.DataFrame) -> str:
    seen = _surfaces(draft.rows)
    told = [f"# {_evidence(draft.rows, draft.documents)}", *(f"#   {_plain(text)}" for text in seen[:_SHOWN])]
    body = [*told, f"regex = {_quoted(draft.pattern)}"]
    if draft.words:
        body.append(f"words = [{draft.words[0]}, {draft.words[1]}]")
    return _rule(name, body, draft, draft.reason, seen[:_SHOWN], _negative(draft.rows, table, [draft]))


def _rule(
    name: str, body: Sequence[str], draft: Draft, reason: str, positive: Sequence[str], negative: Sequence[str]
) -> str:
    cases = (positive if len(positive) > 1 else [positive[0], f"{positive[0]}:"], negative)  # a literal takes both
    return "\n".join(
        [
            "[[rules]]",
            f"id = {_quoted(name)}",
            *body,
            f"zone = {_quoted(_NAMES[draft.zone])}",
            f"label = {_quoted(draft.label)}",
            f"reason = {_quoted(reason)}",
            *(
                f"{kind} = [{', '.join(map(_quoted, some))}]"
                for kind, some in zip(("positive", "negative"), cases, strict=True)
            ),
        ]
    )


def _evidence(rows: pl.DataFrame, documents: int) -> str:
    first = rows.row(0, named=True)
    dropped = rows["kept"].sum()
    newly = f", {dropped} newly dropped" if dropped else ""
    return _plain(f"{documents} documents, {rows.height} lines{newly}; {first['where']} line {first['line']}")


def _surfaces(rows: pl.DataFrame) -> list[str]:
    """The ways the lines are written, the most frequent first."""
    return rows.group_by("text").len().sort("len", "text", descending=[True, False])["text"].to_list()


def _negative(rows: pl.DataFrame, table: pl.DataFrame, drafts: Sequence[Draft]) -> list[str]:
    """Two lines of the corpus that are text and look most like the rule's: same first word, else the shortest."""
    text = _cases(table)
    for draft in drafts:
        hit = pl.col("key") == draft.pattern if draft.kind == "lines" else pl.col("low").str.contains(draft.pattern)
        text = text.filter(~hit)
    if text.height < 2:
        raise UsageError("these documents hold no text that shows what a rule must not catch; give whole articles")
    firsts = rows["low"].str.extract("^([^ ]+)").unique().drop_nulls()
    same = pl.col("low").str.extract("^([^ ]+)").is_in(firsts.implode())
    ranked = text.unique("key").sort(
        same, pl.col("label") == "headline", "length", "text", descending=[True, False, False, False]
    )
    return ranked["text"].head(2).to_list()


def _cases(table: pl.DataFrame) -> pl.DataFrame:
    """The lines of text as cases: long ones cut, and measured again as cut."""
    text = table.filter(pl.col("label").is_in([*KEPT, "headline"]) & ~pl.col("recurs"))
    cut = text.with_columns(
        text=pl.when(pl.col("length") <= SHORT)
        .then("text")
        .otherwise(pl.col("text").str.slice(0, _CUT).str.strip_chars())
    )
    low = normalise(cut["text"])
    return cut.with_columns(low=low, key=bare(low)).filter(pl.col("key") != "")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """A text as part of a comment: one line, no control characters."""
    return re.sub("[\\x00-\\x1f\\x7f]+", " ", text)[:160]
