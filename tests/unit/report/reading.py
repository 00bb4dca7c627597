"""A page as its reader meets it: what it says, and whether it stands alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree

from tests.unit.report.drawn import Drawn, drawn

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reading(HTMLParser):
    """The text, headings and anchors of a page; complains of a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.headings: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        assert not [name for name in found if name.startswith("on")]
        if "id" in found:
            assert found["id"] not in self.anchors, f"two anchors {found['id']}"
            self.anchors.add(str(found["id"]))
        self.links += [str(found[name]) for name in ("href", "src", "xlink:href") if name in found]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"{tag} closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text.append(data)
            if self._open[-1] in ("h1", "h2", "h3"):
                self.headings.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def stands_alone(page: str) -> Reading:
    """Read a page and see that it needs nothing from outside, runs nothing, and is below 3 MB."""
    reading = Reading(page)
    assert len(page.encode()) < 3 * 1024**2
    assert "script" not in reading.tags
    assert all(link.startswith(("#", "data:")) for link in reading.links)
    assert all(link[1:] in reading.anchors for link in reading.links if link.startswith("#"))
    assert not re.search(r"(?i)url\(|@import|javascript:|https?://(?!www\.w3\.org/2000/svg)", page)
    return reading


class _TreeParser(HTMLParser):
    """HTML as a tree, with the elements that hold nothing closed."""

    def __init__(self) -> None:
        super().__init__()
        self._builder = ElementTree.TreeBuilder()

    def tree(self, html: str) -> ElementTree.Element:
        self._builder.start("read", {})
        self.feed(html)
        self.close()
        self._builder.end("read")
        return self._builder.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._builder.end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._builder.start(tag, {name: value or "" for name, value in attrs})
        self._builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        self._builder.end(tag)

    def handle_data(self, data: str) -> None:
        self._builder.data(data)


def text_of(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).strip()


@dataclass(frozen=True, kw_only=True)
class TableReading:
    """A table by cell: `rows` are column → text; `best` says of each row whether it stands out."""

    kind: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    best: tuple[bool, ...]
    sort_values: tuple[tuple[str | None, ...], ...]
    right: tuple[bool, ...]

    def column(self, name: str) -> list[str]:
        return [row[name] for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class PartReading:
    """A section of a page, or what is folded away in one: what a reader finds in it, by kind."""

    root: ElementTree.Element

    @property
    def tables(self) -> list[TableReading]:
        return [_table_reading(each) for each in self.root.iter("table")]

    @property
    def facts(self) -> dict[str, str]:
        names = [text_of(each) for each in self.root.iter("dt")]
        return dict(zip(names, (text_of(each) for each in self.root.iter("dd")), strict=True))

    @property
    def paragraphs(self) -> list[tuple[str, str]]:
        """Kind and words of each paragraph."""
        return [(each.get("class", ""), text_of(each)) for each in self.root.iter("p")]

    @property
    def said(self) -> list[str]:
        return [words for _, words in self.paragraphs]

    @property
    def folds(self) -> dict[str, PartReading]:
        """What is folded away, by what it is called."""
        return {text_of(each[0]): PartReading(root=each) for each in self.root.iter("details")}

    @property
    def drawings(self) -> dict[str, ElementTree.Element]:
        """Drawings by their titles."""
        return {text_of(each[0]): each for each in self.root.iter("svg")}

    def elements(self, tag: str) -> list[ElementTree.Element]:
        return list(self.root.iter(tag))


def _table_reading(element: ElementTree.Element) -> TableReading:
    columns = tuple(text_of(each) for each in element.iter("th"))
    body = element.find("tbody")
    assert body is not None
    held = [list(row) for row in body]
    return TableReading(
        kind=element.get("class", ""),
        columns=columns,
        rows=tuple(dict(zip(columns, map(text_of, row), strict=True)) for row in held),
        best=tuple(row.get("class") == "best" for row in body),
        sort_values=tuple(tuple(cell.get("data-v") for cell in row) for row in held),
        right=tuple(each.get("class") == "n" for each in element.iter("th")),
    )


@dataclass(frozen=True, kw_only=True)
class PageReading:
    """A page by section."""

    title: str
    subtitle: str
    sections: dict[str, PartReading]

    def __getitem__(self, title: str) -> PartReading:
        return self.sections[title]


def read_part(html: str) -> PartReading:
    """What a piece of a page holds."""
    return PartReading(root=_TreeParser().tree(html))


def read_page(html: str) -> PageReading:
    """A page: its title, what stands below it, and its sections."""
    root = _TreeParser().tree(html)
    header = next(root.iter("header"))
    sections = [(text_of(each[0]), PartReading(root=each)) for each in root.iter("section")]
    assert len(dict(sections)) == len(sections)
    return PageReading(
        title=text_of(header[0]), subtitle=text_of(header[1]) if len(header) > 1 else "", sections=dict(sections)
    )


def drawing_of(part: PartReading, title: str) -> Drawn:
    """A drawing of a page, by its title."""
    element = part.drawings[title]
    element.set("viewBox", element.attrib["viewbox"])
    return drawn(ElementTree.tostring(element, encoding="unicode"))
