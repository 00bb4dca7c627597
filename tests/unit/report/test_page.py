"""Pages and what fills them: whole, safe and the same every time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.report.elements import charts, facts, fold_away, mark, paragraph, scroll_box, table
from relet.report.markup import NOTHING, PageMarkup, element
from relet.report.page import Section, page
from relet.report.wording import fit_text, number, share, shorten, text_width, visible_text
from tests.unit.report.reading import Reading, stands_alone

EVIL = "</title></style><script>alert('1')</script>\"&\x00\x1b\u202e\n"
PLAIN = Section(title="Rows", html=element("p", "ok"))


@given(st.text(), st.text(), st.lists(st.text(), max_size=6))
def test_titles_may_hold_anything(title: str, subtitle: str, names: list[str]) -> None:
    sections = [Section(title=name, html=element("p", "x")) for name in names]
    written = page(title, subtitle=subtitle, sections=sections)
    reading = stands_alone(written)
    assert reading.tags.count("section") == len(names)
    assert visible_text(title) in " ".join(reading.headings) or not title.strip()


def test_what_comes_from_data_is_escaped_wherever_it_is_set() -> None:
    html = NOTHING.join(
        [
            table([EVIL], [[EVIL], [None]]),
            facts({EVIL: EVIL}),
            paragraph(EVIL),
            fold_away(EVIL, paragraph(EVIL)),
            mark(EVIL, "bad"),
            charts([scroll_box(element("p", "x"))]),
        ]
    )
    reading = stands_alone(page(EVIL, subtitle=EVIL, sections=[Section(title=EVIL, html=html)]))
    assert reading.words.count("<script>alert('1')</script>") >= 9
    assert not {"\x00", "\x1b", "\u202e"} & set(reading.words)


def test_nothing_is_fetched_or_run_whatever_a_page_holds() -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page("a", sections=[])


def test_many_sections_have_a_table_of_contents_that_leads_to_each() -> None:
    few, many = ([Section(title="Rows", html=NOTHING)] * count for count in (3, 4))
    assert "nav" not in Reading(page("a", sections=few)).tags
    reading = stands_alone(page("a", sections=many))
    assert [link for link in reading.links if link != "data:,"] == ["#rows", "#rows-2", "#rows-3", "#rows-4"]


def test_titles_that_make_the_same_anchor_are_told_apart() -> None:
    for titles in (["a", "a", "a-2"], ["a-2", "a", "a"], ["", "!", "section"], ["日本", "東京"]):
        reading = stands_alone(page("x", sections=[Section(title=title, html=NOTHING) for title in titles]))
        assert len(reading.anchors) == len(titles)


def test_a_page_is_readable_on_a_phone_in_the_dark_and_on_paper() -> None:
    written = page("a", sections=[PLAIN])
    for part in ("width=device-width", "prefers-color-scheme:dark", "@media print", 'lang="en"'):
        assert part in written


def test_a_table_sets_numbers_right_breaks_long_text_and_shows_what_is_missing() -> None:
    html = table(["name", "rows", "flag"], [["x" * 40, 1200, True], [None, None, False]])
    assert '<td class="w">' + "x" * 40 in html
    assert '<th class="n">rows</th>' in html
    assert '<td class="n">1,200</td>' in html
    assert html.count("<td>–</td>") == 1
    assert '<td class="n">–</td>' in html
    assert "<td>yes</td>" in html and "<td>no</td>" in html
    assert "<td><b>x</b></td>" in table(["a"], [[PageMarkup("<b>x</b>")]])
    assert "<tbody></tbody>" in table(["a"], [])


def test_a_value_of_a_million_letters_is_cut_off() -> None:
    assert len(table(["a"], [["x" * 1_000_000]])) < 1000


def test_rows_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["only one", "two", "three"]])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0"),
        (-3, "−3"),
        (9.8765, "9.877"),
        (10.8765, "10.877"),
        (99.5, "99.5"),
        (100.25, "100.2"),
        (9999.5, "9,999.5"),
        (10000.5, "10,000"),
        (1e15 + 0.5, "1e+15"),
        (-1234.5, "−1,234.5"),
        (float("inf"), "∞"),
        (1234567, "1,234,567"),
        (40.72311, "40.723"),
        (0.000012345, "1.234e-05"),
        (1e22, "1e+22"),
        (99999.5, "100,000"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_are_written_short(value: float | None, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0%"),
        (1, "100%"),
        (0.206, "20.6%"),
        (0.0009, "< 0.1%"),
        (0.001, "0.1%"),
        (0.999, "99.9%"),
        (0.9991, "> 99.9%"),
        (1.5, "150.0%"),
    ],
)
def test_shares_are_written_as_per_cent(value: float | None, words: str) -> None:
    assert share(value) == words


@given(st.floats(0, 1))
def test_a_share_is_never_shown_as_none_or_all_where_it_is_not(value: float) -> None:
    assert (share(value) in ("0%", "0.0%")) == (value == 0)
    assert (share(value) in ("100%", "100.0%")) == (value == 1)


@given(st.text(max_size=40), st.integers(2, 40))
def test_text_is_cut_to_the_room_there_is(text: str, room: int) -> None:
    assert len(shorten(text, room)) <= room
    assert text_width(fit_text(text, room * 10)) <= room * 10
