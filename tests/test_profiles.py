"""Profiles: furniture as data, which proves itself before it is used."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import polars as pl
import pytest
import yaml

from copydesk.errors import ConfigError
from copydesk.labels import LABELS
from copydesk.lines import matching
from copydesk.lines.profile_files import ProfileFile, RuleFile
from copydesk.lines.profiles import Profiles, load_profiles
from copydesk.lines.shape import AFTER, AMONG, BEFORE, measure
from copydesk.lines.sites import find_sites, printed_domain
from tests.lines_samples import batch

SHIPPED = Path(__file__).resolve().parent.parent / "copydesk" / "lines" / "profiles"

RULE = {
    "id": "masthead",
    "label": "navigation",
    "reason": "Stands on top of every page.",
    "lines": ["The Harbour Times"],
    "positive": ["The Harbour Times", " the harbour times: "],
    "negative": ["The Harbour Times won a prize", "Harbour times were changed"],
}


def write(folder: Path, rule: dict[str, object], head: str = 'id = "harbour"') -> Path:
    """A profile of one rule in a folder of its own."""
    folder.mkdir(exist_ok=True)
    body = "\n".join(f"{key} = {value!r}".replace("True", "true") for key, value in rule.items())
    (folder / "harbour.toml").write_text(f"{head}\n[[rules]]\n{body}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    return load_profiles()


def test_shipped_profiles_load_and_prove_themselves(profiles: Profiles) -> None:
    """Every shipped rule has a label that is known, a reason, and cases that hold."""
    assert {"tass", "web"} <= {profile.id for profile in profiles.profiles}
    for rule in profiles.rules:
        assert rule.label in LABELS
        assert len(rule.positive) >= 2
        assert len(rule.negative) >= 2
        assert rule.reason.endswith(".")
    assert re.fullmatch("[0-9a-f]{32}", profiles.digest)


def test_digest_depends_on_content_alone(tmp_path: Path) -> None:
    """The digest changes with a user's profile and does not depend on where the file lies."""
    one, two = write(tmp_path / "one", RULE), write(tmp_path / "two", RULE)
    assert load_profiles([one]).digest == load_profiles([two]).digest != load_profiles().digest


def test_users_profile_replaces_the_shipped_one(tmp_path: Path) -> None:
    """A profile with the id of a shipped one takes its place."""
    folder = write(tmp_path / "mine", RULE, 'id = "web"\neverywhere = true')
    assert [rule.id for rule in load_profiles([folder]).rules if rule.profile == "web"] == ["masthead"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"positive": ["The Harbour Times"]}, "1 positive cases; give at least two"),
        ({"negative": []}, "0 negative cases; give at least two"),
        ({"positive": ["The Harbour Times", "The Harbor Times"]}, "the case 'The Harbor Times' is not caught"),
        ({"negative": ["The Harbour Times!", "x"]}, "the case 'The Harbour Times!' is caught"),
        ({"label": "furniture"}, "label is 'furniture'; give one of body"),
        ({"label": "blank"}, "label is 'blank'"),
        ({"zone": "attic"}, "zone is 'attic'; give one of anywhere"),
        ({"lines": []}, "it has neither lines nor regex"),
        ({"regex": "harbour"}, "is not anchored"),
        ({"regex": r"^harbour\s"}, "has a shorthand class"),
        ({"regex": "^(harbour$"}, "is not a regular expression"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"reason": ""}, "reason is ''; give a text"),
    ],
)
def test_a_rule_that_does_not_hold_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    """The message names file, rule, value and remedy."""
    folder = write(tmp_path / "bad", {**RULE, **change})
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        load_profiles([folder])
    assert "harbour.toml: rule 'masthead'" in str(caught.value)


BROKEN = tomllib.loads((Path(__file__).parent / "data" / "broken_profiles.toml").read_text(encoding="utf-8"))["case"]


def broken(case: dict[str, str]) -> str:
    """A sound profile of one rule, but for the one line of the case."""
    if "whole" in case:
        return f"id = 'harbour'\n{case['whole']}\n"
    head = {"id": "id = 'harbour'"}
    rule = {key: f"{key} = {value!r}" for key, value in RULE.items()}
    for part, name in ((head, "head"), (rule, "rule")):
        if name in case:
            part[case[name].split(" = ")[0]] = case[name]
    return "\n".join([*head.values(), "[[rules]]", *rule.values(), ""])


@pytest.mark.parametrize("case", BROKEN, ids=[case["told"][:40] for case in BROKEN])
def test_a_wrong_type_or_value_is_told_in_one_line(tmp_path: Path, case: dict[str, str]) -> None:
    """File, rule, key, value and remedy stand in one line; nothing wrong is taken or converted."""
    (tmp_path / "harbour.toml").write_text(broken(case), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profiles([tmp_path])
    first, *more = str(caught.value).splitlines()
    assert case["told"] in first
    assert all("number" in line for line in more), "only further items of the same list"
    assert first.startswith(f"{tmp_path / 'harbour.toml'}: ")
    known = "head" in case or "whole" in case or case["rule"] == "id = 5"
    assert known or ": rule " in first


def test_what_the_table_breaks_is_sound(tmp_path: Path) -> None:
    """Without its change, the profile of the table is accepted, and so is every optional key in its right form."""
    full = RULE | {"regex": "^harbour times [0-9]+$", "words": [1, 4], "cased": False, "zone": "before body"}
    rule = "\n".join(f"{key} = {value!r}".replace("False", "false") for key, value in full.items())
    head = "id = 'harbour'\noutlet = 'The Harbour Times'\ndescription = ''\neverywhere = false\n"
    lists = "domains = ['harbour.example']\nmarkers = ['Back to the harbour']\ndateline = ['/HARBOUR/']\n"
    for text in (broken({}), f"{head}{lists}[[rules]]\n{rule}\n", "id = 'harbour'"):
        (tmp_path / "harbour.toml").write_text(text, encoding="utf-8")
        assert "harbour" in {profile.id for profile in load_profiles([tmp_path]).profiles}


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    """Two faults are two lines, each with its rule."""
    folder = write(tmp_path / "bad", {**RULE, "zone": "attic", "label": "furniture"})
    with pytest.raises(ConfigError) as caught:
        load_profiles([folder])
    assert len(str(caught.value).splitlines()) == 2
    assert str(caught.value).count("rule 'masthead'") == 2


def test_two_of_the_users_files_cannot_be_the_same_profile(tmp_path: Path) -> None:
    """The message names both files; the same folder named twice is no clash."""
    one, two = write(tmp_path / "one", RULE), write(tmp_path / "two", RULE)
    with pytest.raises(ConfigError, match="id is 'harbour', and so it is in") as caught:
        load_profiles([one, two])
    assert str(one / "harbour.toml") in str(caught.value)
    assert str(two / "harbour.toml") in str(caught.value)
    assert load_profiles([one, one]).digest == load_profiles([one]).digest


def test_a_folder_with_the_name_of_a_profile_is_passed_over(tmp_path: Path) -> None:
    """A folder called x.toml is no profile."""
    folder = write(tmp_path / "mine", RULE)
    (folder / "x.toml").mkdir()
    assert load_profiles([folder]).digest == load_profiles([write(tmp_path / "other", RULE)]).digest


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A link that leads nowhere gives a message with its name."""
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        load_profiles([tmp_path])


def test_messages_lead_to_the_page_on_profiles(tmp_path: Path) -> None:
    """Who writes a profile is sent to docs/profiles.md, which has every key."""
    (tmp_path / "broken.toml").write_text("id = ", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"see docs/profiles\.md"):
        load_profiles([tmp_path])
    page = (SHIPPED.parent.parent.parent / "docs" / "profiles.md").read_text(encoding="utf-8")
    form = page.split("## The form of the file")[1].split("\n## ")[0]
    for key in {*ProfileFile.model_fields, *RuleFile.model_fields} - {"rules"}:
        assert f"`{key}`" in form, key


def test_profiles_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """Broken TOML, a missing id, a missing folder and twin rules are told with the file's name."""
    (tmp_path / "broken.toml").write_text("id = ", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.toml: not a TOML file"):
        load_profiles([tmp_path])
    (tmp_path / "broken.toml").write_text("id = 'Big Name'", encoding="utf-8")
    with pytest.raises(ConfigError, match="id is 'Big Name'"):
        load_profiles([tmp_path])
    with pytest.raises(ConfigError, match="no such folder"):
        load_profiles([tmp_path / "none"])
    twins = "id = 'x'\n" + 2 * ("[[rules]]\n" + "\n".join(f"{key} = {value!r}" for key, value in RULE.items()) + "\n")
    (tmp_path / "broken.toml").write_text(twins, encoding="utf-8")
    with pytest.raises(ConfigError, match="two rules have the id 'masthead'"):
        load_profiles([tmp_path])


def test_a_rule_holds_only_in_its_zone(profiles: Profiles) -> None:
    """A section name is furniture around the text and nothing among its paragraphs."""
    lines, _ = batch("World", "World", "World")
    shape = measure(lines)
    site = pl.Series([None] * 3, dtype=pl.String)
    zone = pl.Series([BEFORE, AMONG, AFTER], dtype=pl.UInt8).to_numpy()
    named = [rule >= 0 and profiles.rules[rule].label for rule in profiles.match(shape, site).within(zone)]
    assert named == ["section_label", False, "section_label"]
    assert (profiles.match(shape, site).anywhere() == -1).all()


def test_an_expression_may_float(tmp_path: Path) -> None:
    """What is written as `^.*something` is found anywhere in a line, beside anchored expressions and endings."""
    rule = """id = "quay"
everywhere = true
[[rules]]
id = "rights"
label = "copyright"
reason = "Says so."
regex = ["^rights of ", "^.*(all|some) rights kept.*$", "kept by the quay$"]
positive = ["Words: all rights kept here", "Rights of use", "A note kept by the quay"]
negative = ["All the rights are kept", "By the quay"]
"""
    (tmp_path / "quay.toml").write_text(rule, encoding="utf-8")
    profiles = load_profiles([tmp_path])
    told = [
        "Some rights kept",
        "x (some rights kept) y",
        "Rights of way",
        "It is kept by the quay",
        "No rights kept now",
    ]
    lines, _ = batch("\n".join(told))
    site = pl.Series([None] * len(told), dtype=pl.String)
    found = profiles.match(measure(lines), site).anywhere()
    assert [rule >= 0 and profiles.evidence[rule] for rule in found] == [*["quay:rights"] * 4, False]


def test_matching_finds_what_each_expression_finds_by_itself(profiles: Profiles) -> None:
    """Trying all expressions at once first hides no line from any of them: every rule finds its positive cases."""
    rules = [rule for rule in profiles.rules if rule.profile == "web"]
    told = [case for rule in rules for case in (*rule.positive, *rule.negative)]
    shape = measure(batch("\n".join(told))[0])
    matches = profiles.match(shape, pl.Series([None] * len(shape), dtype=pl.String))
    found = {hit.rule: set(shape.text.gather(hit.rows).to_list()) for hit in matches.hits if hit.weak}
    for number, rule in enumerate(profiles.rules):
        if rule.profile != "web" or not (rule.regex or rule.inside or rule.ending):
            continue
        seen = shape.text if rule.cased else shape.low
        alone = seen.str.contains(rule.regex or "^$") | seen.str.contains(rule.inside or "^$")
        alone |= seen.str.tail(160).str.contains(rule.ending or "^$")
        alone &= pl.Series((shape.words >= rule.words[0]) & (shape.words <= rule.words[1]))
        assert found.get(number, set()) == set(shape.text.filter(alone.fill_null(value=False)).to_list()), rule.id


def test_a_sites_rules_are_for_its_documents_alone(profiles: Profiles) -> None:
    """A crawl header is known on the agency's pages only."""
    lines, _ = batch("date 2015-03-02 Back to Main page")
    shape = measure(lines)
    zone = pl.Series([BEFORE], dtype=pl.UInt8).to_numpy()
    assert profiles.evidence[profiles.match(shape, pl.Series(["tass"])).within(zone)[0]] == "tass:crawl-header"
    assert profiles.match(shape, pl.Series([None], dtype=pl.String)).within(zone)[0] == -1


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Port reopens\n\nMOSCOW, March 2. /TASS/. The port has been reopened.", "tass"),
        ("Port reopens\n\nBack to Main page\nThe port has been reopened.", None),
        ("https://www.harbour.example/2019/port-reopens\nPort reopens", "harbour.example"),
        ("Port reopens\n\nCopyright 2019 harbour.com All rights", "harbour.com"),
        ("Port reopens\n\n© 2019 Harbour Media", None),
        ("Port reopens\n\nThe site tass.com said the port was open.", None),
    ],
)
def test_sites_are_found_by_what_the_page_prints(profiles: Profiles, text: str, site: str | None) -> None:
    """An agency's dateline, a marker line or an address in the frame tells the site; a mention in the text does not."""
    lines, documents = batch(text)
    assert find_sites(lines, documents, profiles).to_list() == [site]


def test_the_users_mapping_wins(profiles: Profiles) -> None:
    """A site that the user gave is not searched for."""
    lines, documents = batch("MOSCOW, March 2. /TASS/. The port has been reopened.")
    documents = documents.with_columns(site=pl.lit("mirror-of-tass"))
    assert find_sites(lines, documents, profiles).to_list() == ["mirror-of-tass"]


def test_domains_are_read_from_frames_alone() -> None:
    """Licence notes and bare addresses print a domain; sentences with one do not."""
    low = pl.Series(["https://a.example/x/", "© 2020 b.org", "see c.com for more", "copyright 2020 d e f"])
    assert printed_domain(low).to_list() == ["a.example", "b.org", None, None]


def test_the_schema_names_every_key_of_a_profile() -> None:
    """schemas/profile.yaml describes the keys that the loader takes, no more and no fewer."""
    path = SHIPPED.parent.parent.parent / "schemas" / "profile.yaml"
    tables = {table["name"]: table for table in yaml.safe_load(path.read_text(encoding="utf-8"))["schema"]}
    named = {table: {entry["name"] for entry in tables[table]["properties"]} for table in tables}
    assert named["profile"] | {"rules"} == set(ProfileFile.model_fields)
    assert named["rule"] == set(RuleFile.model_fields)


def test_shipped_profiles_name_no_article_text() -> None:
    """A literal is furniture's wording: short, and without the end of a sentence in its middle."""
    for path in SHIPPED.glob("*.toml"):
        for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rules"]:
            for line in rule.get("lines", ()):
                assert len(line) <= 130, line


@pytest.mark.parametrize(
    ("expression", "loose"),
    [
        ("^[a-z' -]{2,40} is (an?|the) x", "^[a-z' -]* is (an?|the) x"),
        ("click.{0,60}$", "click.*$"),
        (r"^\.{1,3}[\]x]{1,2} \[{2,3}", r"^\.{1,3}[\]x]* \[{2,3}"),
        (r"^(ab){0,3}c{2}[^\d]{4,}", r"^(ab){0,3}c{2}[^\d]*"),
    ],
)
def test_a_sieve_does_not_count_characters(expression: str, loose: str) -> None:
    """Of a character or class that is counted any number passes: the expression itself is asked afterwards."""
    assert matching.loosened(expression) == loose


def test_the_shipped_sieves_are_quick() -> None:
    """No sieve takes a fifth of a second for two thousand lines; it is a thousandth.

    An alternation that outgrows the engine's cache, as that of rules with counted classes did, takes two seconds.
    """
    words = [f"{chr(97 + at % 26)}the town of {chr(110 - at % 13)}arle is a place" for at in range(40)]
    lines = pl.Series([" ".join(words[at % 40 :] + words[: at % 7])[: 40 + at % 400] for at in range(2_000)])
    for asked in load_profiles()._groups[0].asked:
        for sieve in filter(None, asked.sieves.values()):
            lines.str.contains(sieve)
            began = time.process_time()
            lines.str.contains(sieve)
            assert time.process_time() - began < 0.2
