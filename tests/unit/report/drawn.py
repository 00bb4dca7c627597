"""A drawing as its reader meets it: what stands where, and what the axes say of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest

# A length is written with one decimal.
NEAR = 0.11


@dataclass(frozen=True, kw_only=True)
class Words:
    """A line of text with where it begins, or ends, or has its middle; `tip` is shown under the pointer."""

    words: str
    x: float
    y: float
    kind: str
    anchor: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    tip: str
    opacity: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def holds(self, x: float, y: float) -> bool:
        return self.x - NEAR <= x <= self.right + NEAR and self.y - NEAR <= y <= self.bottom + NEAR


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line through points; `dashes` is how it is broken, "" where it is not."""

    kind: str
    points: tuple[tuple[float, float], ...]
    dashes: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A circle."""

    kind: str
    x: float
    y: float
    radius: float
    tip: str


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawing: `title`, the size of its frame, and what lies in it in the order of drawing."""

    title: str
    heading: Words
    width: float
    height: float
    texts: tuple[Words, ...]
    turned: tuple[str, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    curves: tuple[Line, ...]
    paths: tuple[Line, ...]
    dots: tuple[Dot, ...]
    style: str

    def boxes_of(self, kind: str) -> list[Box]:
        return [each for each in self.boxes if each.kind == kind]

    def text(self, words: str) -> Words:
        (found,) = [each for each in self.texts if each.words == words]
        return found

    @property
    def said(self) -> list[str]:
        return [each.words for each in self.texts]

    def texts_at(self, *, x: float | None = None, y: float | None = None) -> list[Words]:
        return [
            each
            for each in self.texts
            if (x is None or abs(each.x - x) <= NEAR) and (y is None or abs(each.y - y) <= NEAR)
        ]


def drawn(svg: str) -> Drawn:
    """Read a drawing, once it is sure that nothing in it lies outside of its frame or over another text."""
    root = ElementTree.fromstring(svg)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert (float(root.attrib["width"]), float(root.attrib["height"])) == (width, height)
    paper, *boxes = [_box(each) for each in root.iter("rect")]
    assert (paper.kind, paper.x, paper.y, paper.width, paper.height) == ("paper", 0, 0, width, height)
    heading, *texts = [_words(each) for each in root.iter("text") if "transform" not in each.attrib]
    found = Drawn(
        title=str(root[0].text or ""),
        heading=heading,
        width=width,
        height=height,
        texts=tuple(texts),
        turned=tuple(str(each.text or "") for each in root.iter("text") if "transform" in each.attrib),
        boxes=tuple(boxes),
        lines=tuple(_line(each) for each in root.iter("line")),
        curves=tuple(_curve(each) for each in root.iter("polyline")),
        paths=tuple(_path(each) for each in root.iter("path")),
        dots=tuple(_dot(each) for each in root.iter("circle")),
        style="".join(str(each.text) for each in root.iter("style")),
    )
    _lies_within(found)
    return found


def _lies_within(found: Drawn) -> None:
    for each in found.boxes:
        assert each.x >= -NEAR and each.right <= found.width + 0.5
        assert each.y >= -NEAR and each.bottom <= found.height + 0.5
    for line in (*found.lines, *found.curves, *found.paths):
        assert all(-NEAR <= x <= found.width + NEAR and -NEAR <= y <= found.height for x, y in line.points)
    for dot in found.dots:
        assert dot.radius <= dot.x <= found.width - dot.radius and 0 <= dot.y <= found.height
    for words in (found.heading, *found.texts):
        assert 0 <= words.x <= found.width and 0 < words.y <= found.height


def _number(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name])


def _tip(element: ElementTree.Element) -> str:
    return str(element.findtext("title") or "")


def _words(element: ElementTree.Element) -> Words:
    return Words(
        words=str(element.text or ""),
        x=_number(element, "x"),
        y=_number(element, "y"),
        kind=element.get("class", ""),
        anchor=element.get("text-anchor", "start"),
        tip=_tip(element),
    )


def _box(element: ElementTree.Element) -> Box:
    x, y = (float(element.get(name, 0)) for name in "xy")
    width, height = _number(element, "width"), _number(element, "height")
    return Box(
        kind=element.get("class", ""),
        x=x,
        y=y,
        width=width,
        height=height,
        tip=_tip(element),
        opacity=float(element.get("fill-opacity", 1)),
    )


def _line(element: ElementTree.Element) -> Line:
    points = tuple((_number(element, f"x{end}"), _number(element, f"y{end}")) for end in (1, 2))
    return _line_of(element, points)


def _curve(element: ElementTree.Element) -> Line:
    pairs = (point.split(",") for point in element.attrib["points"].split())
    return _line_of(element, tuple((float(x), float(y)) for x, y in pairs))


def _path(element: ElementTree.Element) -> Line:
    """A path of M, V and H alone, as the points that it goes through."""
    points: list[tuple[float, float]] = []
    steps = element.attrib["d"].replace("M", "|M").replace("V", "|V").replace("H", "|H").split("|")[1:]
    for step in steps:
        sizes = [float(part) for part in step[1:].split()]
        x, y = points[-1] if points else (0.0, 0.0)
        match step[0]:
            case "M":
                x, y = sizes
            case "V":
                (y,) = sizes
            case "H":
                (x,) = sizes
        points.append((x, y))
    return _line_of(element, tuple(points))


def _line_of(element: ElementTree.Element, points: tuple[tuple[float, float], ...]) -> Line:
    dashes = element.get("stroke-dasharray", "")
    return Line(kind=element.get("class", ""), points=points, dashes=dashes, tip=_tip(element))


def _dot(element: ElementTree.Element) -> Dot:
    return Dot(
        kind=element.get("class", ""),
        x=_number(element, "cx"),
        y=_number(element, "cy"),
        radius=_number(element, "r"),
        tip=_tip(element),
    )


def value_of(words: str) -> float:
    """The number that a tick or a mark says: `1,200`, `−3.5`, `20.6%`, `< 0.1%`, `∞`."""
    plain = words.replace(",", "").replace("−", "-").replace("∞", "inf").lstrip("<> ")
    return float(plain.removesuffix("%")) / 100 if plain.endswith("%") else float(plain)


def scale_of(ticks: Sequence[tuple[float, float]], *, log: bool = False) -> Callable[[float], float]:
    """From a place in the drawing to the value there, by an axis whose ticks are (value, place).

    All of them have to lie on it: a label beside its place is an error.
    """
    move: Callable[[float], float] = math.log if log else float
    back: Callable[[float], float] = math.exp if log else float
    (first, start), (last, end) = min(ticks, key=lambda each: each[1]), max(ticks, key=lambda each: each[1])
    assert end > start, "an axis needs two ticks"

    def value_at(place: float) -> float:
        return back(move(first) + (move(last) - move(first)) * (place - start) / (end - start))

    for value, place in ticks:
        slack = abs(value_at(place + 0.2) - value_at(place)) + 1e-9
        assert value_at(place) == pytest.approx(value, abs=slack, rel=1e-3), f"{value} stands at {place}"
    return value_at
