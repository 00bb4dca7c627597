"""Whatever text the data hold, a page shows it as text, and holds no element that the text brought along."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

import relet.report
from relet.report.markup import PageMarkup, element, empty_element
from relet.report.page import Section, page
from relet.report.wording import visible_text
from tests.unit.report.reading import Reading, read_part
from tests.unit.report.specimens import DRAWINGS, PAGES, PIECES, TRUSTED

EVERYTHING = {**PAGES, **DRAWINGS, **PIECES}
# What ends an element, an attribute or a comment, begins one, or has no place in XML.
TAGS = ["<b>", "</p>", "</svg>", "</title>", "</style>", "<script>", "<img src=x onerror=y>", "<!--", "<![CDATA["]
SIGNS = [
    '"',
    "'",
    ">",
    "<",
    "&",
    "&lt;",
    "-->",
    "]]>",
    "\x00",
    "\x1b",
    "\u202e",
    "\n",
    "\ud800",
    "{}",
    "%s",
    "a",
    "日",
]
# So short that nothing is cut off.
texts = st.lists(st.sampled_from([*TAGS, *SIGNS]), min_size=1, max_size=4).map(lambda parts: "".join(parts)[:24])
PLAIN = str.maketrans(dict.fromkeys("<>&\"'", "q"))


def structure(markup: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """Every element with the names of its attributes; that each is closed is sure."""
    Reading(markup)
    return Counter((each.tag, tuple(each.attrib)) for each in read_part(markup).root.iter())


def texts_of(markup: str) -> list[str]:
    """All that is written, in elements and in attributes."""
    elements = list(read_part(markup).root.iter())
    return [
        *(words for each in elements for words in (each.text, each.tail) if words),
        *(value for each in elements for value in each.attrib.values()),
    ]


@pytest.mark.parametrize("make", EVERYTHING.values(), ids=EVERYTHING)
@settings(deadline=None, max_examples=12)
@given(text=texts)
def test_text_stays_text_and_adds_no_element(make: Callable[[str], PageMarkup], text: str) -> None:
    shown = make(text)
    assert isinstance(shown, PageMarkup)
    assert structure(shown) == structure(make(text.translate(PLAIN)))
    written = texts_of(shown)
    assert any(visible_text(text) in each for each in written)
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set("".join(written))


@pytest.mark.parametrize("make", DRAWINGS.values(), ids=DRAWINGS)
@settings(deadline=None, max_examples=12)
@given(text=texts)
def test_a_drawing_of_any_text_is_xml(make: Callable[[str], PageMarkup], text: str) -> None:
    root = ElementTree.fromstring(make(text))
    assert visible_text(text) in "".join(root.itertext())


@pytest.mark.parametrize("make", PAGES.values(), ids=PAGES)
def test_a_page_of_hostile_text_runs_nothing_and_asks_for_nothing(make: Callable[[str], PageMarkup]) -> None:
    evil = "<script>a()</script><img src=https://e.org/x onerror=a()>"
    reading = Reading(make(evil))
    assert reading.tags.count("script") <= 1  # the page's own, which sorts
    assert all(link.startswith(("#", "data:")) or link == evil for link in reading.links)


def test_every_function_that_makes_markup_has_a_specimen() -> None:
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(relet.report.__path__, "relet.report.")
    ]
    modules += [importlib.import_module(f"relet.evaluation.{each}") for each in ("class_page", "coverage_page")]
    makers = {
        f"{module.__name__.removeprefix('relet.')}.{name}"
        for module in modules
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(made).return_annotation in ("PageMarkup", PageMarkup)
    }
    assert len(makers) > 30
    assert makers == {name.partition(" ")[0] for name in EVERYTHING} | TRUSTED


def test_text_that_is_joined_to_markup_is_escaped_however_it_is_joined() -> None:
    evil, safe = "<b>'\"&\n", "&lt;b&gt;&#x27;&quot;&amp;⏎"
    start = PageMarkup("<i>")
    for joined in (
        start + evil,
        start.join(["", evil]),
        PageMarkup("<i>{}").format(evil),
        PageMarkup("<i>%s") % evil,
    ):
        assert joined == f"<i>{safe}" and isinstance(joined, PageMarkup)
    assert evil + start == f"{safe}<i>"
    # what is markup already stays as it is
    assert start + start == start + Markup("<i>") == "<i><i>" and PageMarkup.escape(start) is start
    assert type(PageMarkup.escape(Markup("<i>"))) is PageMarkup


def test_a_section_of_plain_text_is_shown_as_text() -> None:
    shown = page("x", sections=[Section(title="y", html="<b>bold</b>")])  # type: ignore[arg-type]
    assert "<b>" not in shown and "&lt;b&gt;bold" in shown


def test_an_element_leaves_out_attributes_that_are_none() -> None:
    assert element("p", "a", class_=None, title="") == '<p title="">a</p>'
    assert element("a", href='"><b>') == '<a href="&quot;&gt;&lt;b&gt;"></a>'
    assert empty_element("line", class_="axis", stroke_dasharray=None, x1=3) == '<line class="axis" x1="3"/>'
