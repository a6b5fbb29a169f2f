"""The figures of sources: whole numbers that add up."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copydesk.release.figures import Figures, figures, fresh

COUNTS = pl.Struct(dict.fromkeys(("words", "lines_text", "lines_field", "lines_dropped"), pl.Int32))
SCHEMA = {"source": pl.String, "language": pl.String, "headline": pl.String, "published_at": pl.Datetime("us", "UTC")}

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["wire", "paper"]),
            "language": st.sampled_from(["en", "ru", None]),
            "headline": st.sampled_from(["A", None]),
            "published_at": st.none(),
            "counts": st.fixed_dictionaries(
                {name: st.integers(0, 3000) for name in ("words", "lines_text", "lines_field", "lines_dropped")}
            ),
        }
    ),
    max_size=30,
)


def table(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**SCHEMA, "counts": COUNTS})


def added(parts: list[pl.DataFrame]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for part in parts:
        for source, one in figures(part).items():
            found[source] = found.get(source, Figures()) + one
    return found


@given(ROWS, st.integers(0, 30))
def test_figures_add_up_and_take_away(rows: list[dict[str, object]], cut: int) -> None:
    """The figures of two parts are those of the whole; the whole without one part is the other; JSON and back."""
    whole, parts = figures(table(rows)), [table(rows[:cut]), table(rows[cut:])]
    assert {key: one.counts() for key, one in added(parts).items()} == {key: one.counts() for key, one in whole.items()}
    for source, one in whole.items():
        rest = one - figures(parts[0]).get(source, Figures())
        assert rest.counts() == figures(parts[1]).get(source, Figures()).counts()
        assert Figures.read(one.counts()).counts() == one.counts()


def test_the_figures_of_known_documents() -> None:
    """Shares are rounded thousandths, lengths quarter octaves, blank lines count for nothing."""
    counts = [(0, 0, 0, 0), (15, 2, 0, 1), (16, 1, 1, 1), (100, 0, 0, 7)]
    names = ("words", "lines_text", "lines_field", "lines_dropped")
    rows = [
        {
            "source": "s",
            "language": None,
            "headline": None,
            "published_at": None,
            "counts": dict(zip(names, one, strict=True)),
        }
        for one in counts
    ]
    one = figures(table(rows))["s"]
    assert (one.documents, one.words, one.lines, one.dropped) == (4, 131, 13, 9)
    assert one.share == 0 + 333 + 333 + 1000
    assert one.length == 0 + 15 + 16 + 26
    assert one.languages == {"(unknown)": 4}
    assert (one.undated, one.without_headline) == (4, 4)


def test_documents_held_as_they_are_do_not_count_as_fresh(tmp_path: Path) -> None:
    """A document is fresh where its id is not held, or its bytes are others."""
    rows = [
        {
            "source": "s",
            "language": "en",
            "headline": "A",
            "published_at": None,
            "counts": dict.fromkeys(COUNTS.to_schema(), 1),
        }
        for _ in range(3)
    ]
    whole = table(rows).with_columns(id=pl.Series(["a", "b", "c"]), raw_sha256=pl.Series(["1", "2", "3"]))
    whole.write_ipc(tmp_path / "articles.arrow")
    held = pl.DataFrame({"id": ["a", "b"], "raw_sha256": ["1", "x"]})
    assert fresh([tmp_path / "articles.arrow"], held)["s"].documents == 2
    assert fresh([tmp_path / "articles.arrow"], None)["s"].documents == 3
