"""The review page: what is in it, in a real browser, with hostile text, and from a mark to the next release."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from copydesk.carry import last_release
from copydesk.cli import main
from copydesk.corrections import load_corrections
from copydesk.errors import ReleaseError, UsageError
from copydesk.lines.profiles import load_profiles
from copydesk.review.asked import reviewed
from copydesk.review.bundle import documents_of
from copydesk.review.collect import from_release
from copydesk.review.page import MODULES, write_page
from tests.browser import Browser, chromium
from tests.test_corrections import rows, run, said
from tests.test_increments import story

PAGES = 60
HOSTILE = [
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    "<!-- <script>window.pwned = 3 -->",
    '"><img src=x onerror="window.pwned = 4">',
    "javascript:window.pwned=5",
    "line\u2028separator\u2029here </title></style><script>window.pwned = 6</script>",
    "sdrawkcab \u202e\u2066txet ekaf\u2069 \u200f\u061c and\u00ad soft\u200b zero\x07 bell",
    "${window.pwned = 7} {{policy}} ]]> <![CDATA[ &lt;b&gt; &#x3c;script&#x3e;",
    "<svg onload=window.pwned=8><a href='javascript:window.pwned=9'>press</a>",
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty invented pages, and two that would like to do harm, released; the folder that holds dist/."""
    folder, chance = tmp_path_factory.mktemp("review"), random.Random(8)
    (folder / "texts").mkdir()
    for number in range(PAGES):
        (folder / "texts" / f"{number:03}.txt").write_text(story(chance))
    name = "<img src=x onerror=window.pwned=10> \u202etxt.exe.txt"
    (folder / "texts" / name).write_text("\n\n".join([f"{HOSTILE[0]} says the mayor", *HOSTILE]) + "\n")
    (folder / "texts" / "bytes.txt").write_bytes(
        b"A caf\xe9 on the quay\n\nThe caf\xe9 on the quay closed on Monday, its owner said, &amp; nobody was late.\n"
    )
    run(folder)
    return folder


@pytest.fixture(scope="module")
def page(dataset: Path) -> Path:
    """Its review page, where the command puts it."""
    path, _ = reviewed((dataset / "dist" / "texts",), None)
    assert path == dataset / "dist" / "texts" / "review" / "1.0.0.html"
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for this module."""
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


class _Scripts(HTMLParser):
    """Scripts and styles of a page as a browser would see them, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside = [(tag, dict(attrs))]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside = []

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append((*self.inside[0], data))


def test_the_page_runs_its_own_script_and_nothing_else(page: Path) -> None:
    """One script and one style, named by their hashes in the policy; all else is data that is never run."""
    parser = _Scripts()
    parser.feed(page.read_text(encoding="utf-8"))
    policy = next(one["content"] for tag, one in parser.tags if tag == "meta" and "http-equiv" in one)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, attributes, text in parser.found:
        if attributes.get("type") not in ("application/json", "text/plain"):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy
    run_ones = [one for one in parser.found if one[0] == "script" and one[1].get("type") == "module"]
    assert len(run_ones) == 1
    for _, attributes in parser.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href")]
    assert "pwned" not in page.read_text(encoding="utf-8")


def test_the_same_release_gives_the_same_page(dataset: Path, page: Path) -> None:
    """No date, order or process in it."""
    shown = from_release(dataset / "dist" / "texts")
    assert write_page(shown, load_profiles()) == page.read_text(encoding="utf-8")


def test_the_modules_share_no_name() -> None:
    """They are put into one scope: every name at the top is there once, every import names what there is."""
    folder = files("copydesk") / "review" / "page"
    texts = {name: (folder / f"{name}.js").read_text(encoding="utf-8") for name in MODULES}
    assert {one.name for one in Path(str(folder)).glob("*.js")} == {f"{name}.js" for name in MODULES}
    names = [
        name
        for text in texts.values()
        for name in re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    ]
    assert len(names) == len(set(names))
    for name, text in texts.items():
        for wanted, where in re.findall(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', text, re.MULTILINE):
            assert MODULES.index(where) < MODULES.index(name)
            for one in wanted.split(", "):
                assert re.search(rf"^export (?:async )?(?:function|const|class) {one}\b", texts[where], re.MULTILINE), (
                    one
                )
        assert text.count("import {") == len(re.findall(r"^import \{", text, re.MULTILINE))


def test_the_least_certain_come_first_and_most_limits_them(dataset: Path) -> None:
    """Every document once, in the order of its least certain line."""
    shown = from_release(dataset / "dist" / "texts")
    assert shown.order.height == PAGES + 2
    assert shown.order["least"].is_sorted()
    few = from_release(dataset / "dist" / "texts", most=5)
    assert few.order.equals(shown.order.head(5))
    assert [one["id"] for one in documents_of(few)] == few.order["id"].to_list()
    assert few.figures == shown.figures


def test_what_was_repaired_is_shown_as_it_stood(dataset: Path) -> None:
    """A span that a repair changed has both texts; one that was only decoded has one."""
    shown = from_release(dataset / "dist" / "texts")
    (one,) = [one for one in documents_of(shown) if one["uri"] == "bytes.txt"]
    spans = [span for span in one["lines"] if len(span) > 5]
    assert [(span[0], span[5][-30:], span[4][-26:]) for span in spans] == [
        (3, "r said, &amp; nobody was late.", "r said, & nobody was late.")
    ]


def test_raw_files_are_judged_now(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of files needs no release, and names what judged them."""
    monkeypatch.chdir(tmp_path)
    path, told = reviewed((dataset / "texts" / "000.txt",), None, out=Path("a/b.html"))
    assert path.is_file()
    assert "shipped knowledge" in told


WRONG = {
    "nothing to show": ([], "no dataset: give --dataset DIST/NAME"),
    "no such release": (["9.9.9", "DATASET"], "has no release 9.9.9; there are 1.0.0"),
    "two releases": (["1.0.0", "1.1.0"], "one release at a time"),
    "no document": (["--most", "0"], "--most 0: show at least one document"),
    "a release and files": (["1.0.0", "FILE"], "raw files are judged now"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_shown_is_told(
    case: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the remedy, and with the exit code of its kind."""
    monkeypatch.chdir(tmp_path)
    words, told = WRONG[case]
    known = {"DATASET": str(dataset / "dist" / "texts"), "FILE": str(dataset / "texts" / "000.txt")}
    assert main(["review", *(known.get(word, word) for word in words)]) in (
        UsageError.exit_code,
        ReleaseError.exit_code,
    )
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_hostile_text_shows_as_text(page: Path, browser: Browser) -> None:
    """Nothing in it runs, nothing is asked of the network, and hidden characters are written out."""
    browser.open(page)
    browser.run("document.querySelector('#filters [name=text]').value = 'onerror'")
    browser.run("document.querySelector('#filters').dispatchEvent(new Event('input'))")
    browser.run("document.querySelector('.row').click()")
    browser.until("document.querySelector('#document .path')?.textContent.includes('onerror')")
    text = browser.run("document.querySelector('#document').textContent")
    for line in HOSTILE:
        assert re.split("[\u2028\u202e]", line)[0] in text, line
    for mark in ("U+202E", "U+2066", "U+200F", "U+061C", "U+00AD", "U+200B"):
        assert mark in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", text)
    for key in ("o", "m", "d", "?"):
        browser.press(key)
    assert browser.run("window.pwned") is None
    assert (
        browser.run("document.querySelectorAll('main script, main img, main a, main [onload], main [onerror]').length")
        == 0
    )
    assert browser.faults() == []


@pytest.mark.slow
def test_from_a_mark_to_the_next_release(dataset: Path, page: Path, browser: Browser, tmp_path: Path) -> None:
    """Filter, step through fifty documents, mark a line and a field, export, ingest: both are right in the release."""
    dataset = shutil.copytree(dataset, tmp_path / "own")  # a release more is no other test's affair
    browser.open(page)
    assert browser.run("document.querySelector('#found').textContent") == f"{PAGES + 2} of {PAGES + 2} documents"
    browser.run("document.querySelector('#filters [name=text]').value = '.txt'")
    browser.run("document.querySelector('#filters [name=label]').value = 'navigation'")
    browser.run("document.querySelector('#filters').dispatchEvent(new Event('input', {bubbles: true}))")
    listed = int(browser.run("document.querySelector('#found').textContent").split()[0])
    assert 50 < listed < PAGES + 2
    seen = set()
    for _ in range(50):
        browser.press("n")
        uri = browser.run("document.querySelector('.row[aria-selected=true] .path').textContent")
        browser.until(f"document.querySelector('#document .path')?.textContent === {json.dumps(uri)}")
        seen.add(uri)
    assert len(seen) == 50
    browser.press("j", "x", "j", "Enter")
    browser.until("document.querySelector('#dialog').open")
    browser.press("i")
    browser.until("!document.querySelector('#dialog').open")
    assert browser.run("document.querySelector('#mark-count').textContent") == "2"
    browser.run("document.querySelector('[aria-label=\"mend section\"]').click()")
    browser.until("document.querySelector('#value')")
    browser.run("document.querySelector('#value').value = 'Harbour \u2028 & <b>'")
    browser.run("document.querySelector('form.field').requestSubmit()")
    browser.press("e")  # without a name: it is asked for
    assert browser.run("document.activeElement.id") == "who"
    browser.run("document.querySelector('#who').value = 'Ada Quill'")
    browser.run("document.querySelector('#export').click()")
    saved = _downloaded(browser)
    table = load_corrections([saved])
    assert table.select("uri", "line", "label", "field", "who").rows() == [
        (uri, None, None, "section", "Ada_Quill"),
        (uri, 1, "body", None, "Ada_Quill"),
        (uri, 3, "caption", None, "Ada_Quill"),
    ]
    (dataset / "corrections.jsonl").write_bytes(saved.read_bytes())
    outcome = run(dataset)
    assert (outcome.version, outcome.judged) == ("1.1.0", 1)
    ledger = rows(dataset, "ledger", uri)
    assert ledger.filter(pl.col("evidence") == "human:Ada_Quill").select("line", "label").rows() == [
        (1, "body"),
        (3, "caption"),
    ]
    assert rows(dataset, "article", uri)["section"].to_list() == ["Harbour \u2028 & <b>"]
    newer, _ = reviewed((), None, dataset=dataset / "dist" / "texts")
    browser.open(newer)
    browser.run("document.querySelector('#filters [name=change]').value = '*'")
    browser.run("document.querySelector('#filters').dispatchEvent(new Event('input', {bubbles: true}))")
    assert browser.run("document.querySelector('#found').textContent").startswith("1 of ")
    assert browser.faults() == []


def _downloaded(browser: Browser) -> Path:
    """The file that was exported."""
    found: list[Path] = browser.wait(lambda: [one for one in browser.downloads.glob("*.jsonl") if one.stat().st_size])
    return found[0]


@pytest.mark.slow
def test_marks_outlive_the_page(page: Path, browser: Browser) -> None:
    """What was marked is there when the page is opened again, and can be taken back."""
    browser.open(page)
    browser.until("document.querySelector('.line[tabindex]')")
    browser.run("localStorage.clear()")
    browser.open(page)
    browser.until("document.querySelector('.line[tabindex]')")
    browser.press("j", "x")
    browser.until("document.querySelector('#mark-count').textContent == '1'")
    browser.open(page)
    browser.until("document.querySelector('.line.marked')")
    assert browser.run("document.querySelector('#mark-count').textContent") == "1"
    browser.press("j", "z")
    browser.until("document.querySelector('#mark-count').textContent == '0'")


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_and_breaks_no_rule_of_access(width: int, dark: bool, page: Path, browser: Browser) -> None:
    """Nothing is wider than the screen; axe finds nothing serious, where it is at hand (COPYDESK_AXE: its file)."""
    axe = os.environ.get("COPYDESK_AXE")
    browser.open(page, width, 844, dark=dark)
    for key in ("d", "o", "m", "?"):
        browser.press(key)
        assert browser.run("document.documentElement.scrollWidth") <= width
        if axe:
            assert _axe(browser, Path(axe)) == []
    browser.press("Escape", "d")
    browser.run("document.querySelector('.row').click()")
    browser.until("document.querySelector('.line[tabindex]')")
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.press("j", "x", "Enter")
    if not axe:
        pytest.skip("no axe-core: set COPYDESK_AXE to its axe.min.js for the rules of access; the widths were checked")
    assert _axe(browser, Path(axe)) == []
    browser.press("Escape")
    assert _axe(browser, Path(axe)) == []


def _axe(browser: Browser, script: Path) -> list[str]:
    """The serious and critical violations that axe-core finds on the page as it is."""
    browser.run(f"window.axe || eval({json.dumps(script.read_text(encoding='utf-8'))}), true")
    found = browser.run("axe.run().then((all) => JSON.stringify(all.violations))")
    return [
        f"{one['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:300]}"
        for one in json.loads(found)
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_a_correction_is_honoured_by_explain(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person said holds in `explain` as well, where the configuration names it."""
    folder = dataset / "explained"
    folder.mkdir()
    (folder / "corrections.jsonl").write_text(json.dumps(said(dataset, "001.txt", line=1, label="heading")) + "\n")
    config = folder / "copydesk.toml"
    config.write_text(
        f'[ingest]\ncorrections = ["corrections.jsonl"]\n[[source]]\nname = "texts"\npath = "{dataset / "texts"}"\n'
    )
    words = ["explain", str(dataset / "texts" / "001.txt"), "--config", str(config), "--json"]
    assert main([*words, "--dataset", str(dataset / "dist" / "texts")]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["labels"][0], record["evidence"][0]) == ("heading", "human:ada")
    assert last_release(dataset / "dist" / "texts") is not None
