"""A page as its reader meets it: what it says, and whether it stands alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser

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
