"""A marimo notebook as a page: the notebook is executed once, and the page shows its outputs."""

from __future__ import annotations

import ast
import re
import runpy
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir
from html import unescape
from pathlib import Path
from typing import Any

from relet.errors import ComponentError
from relet.report.markup import PageMarkup
from relet.report.page import Section, page

# The elements of marimo that take input: without marimo they do nothing.
_CONTROLS = frozenset(
    (
        "button",
        "checkbox",
        "date",
        "date-range",
        "datetime",
        "dict",
        "dropdown",
        "form",
        "multiselect",
        "number",
        "radio",
        "range-slider",
        "refresh",
        "slider",
        "switch",
        "text",
        "text-area",
        "ui-element",
    )
)
# marimo writes a paragraph as a span, and its style sheet makes the span a block.
_SPAN = '<span class="paragraph"'
_BLOCK = f'{_SPAN} style="display:block;margin:8px 0"'


def notebook_page(path: Path, values: Mapping[str, Any]) -> PageMarkup:
    """Execute the marimo notebook at `path`, and return its outputs as one HTML page that opens without a network.

    `values` are variables of the notebook; the cells that define them do not run. The heading `#` is the page's
    title, and the text below it is the subtitle. Each output with a heading `##` begins a section, and an output
    without a heading belongs to the section before it. Selectors are left out: the page shows the outputs for
    their first choice.

    Raises whatever a cell raises. Raises ComponentError for two cells of one name, and for an output that needs
    marimo's scripts.
    """
    as_html = _marimo().as_html
    outputs = (str(as_html(output).text) for output in _cell_outputs(path, values) if output is not None)
    return _assemble_page(path, _static_outputs(path, outputs))


def _marimo() -> Any:
    """marimo, imported in a folder without a project: else it would look for the project's package manager."""
    with chdir(tempfile.gettempdir()):
        import marimo
    return marimo


def _cell_outputs(path: Path, values: Mapping[str, Any]) -> list[Any]:
    """The output of each cell, in the order of the file. A cell that needs a variable of a stopped cell has none.

    Each cell is called with the variables that it refers to. `App.run` does the same, but it reads the settings of
    the user, and writes a file of settings if there is none.
    """
    cells = _notebook_cells(path)
    waiting = {name: cell for name, cell in cells.items() if not cell.defs & values.keys()}
    made = {name for cell in waiting.values() for name in cell.defs}
    known, shown = dict(values), {}
    while ready := [name for name, cell in waiting.items() if cell.refs & made <= known.keys()]:
        cell = waiting.pop(ready[0])
        shown[ready[0]], found = cell.run(**{name: known[name] for name in cell.refs & known.keys()})
        known |= {name: found[name] for name in cell.defs & found.keys()}
    return [shown[name] for name in cells if name in shown]


def _notebook_cells(path: Path) -> dict[str, Any]:
    marimo = _marimo()
    source = path.read_text(encoding="utf-8")
    named = [each.name for each in ast.parse(source, path.name).body if isinstance(each, ast.FunctionDef)]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ComponentError(
            f"{path.name} has several cells named {', '.join(twice)}; give each a name of its own"
        )
    found = runpy.run_path(str(path), run_name=path.stem)
    if not any(isinstance(each, marimo.App) for each in found.values()):
        raise ComponentError(f"{path.name} is no marimo notebook: it has no `app = marimo.App()`")
    return {name: cell for name, cell in found.items() if isinstance(cell, marimo.Cell)}


def _static_outputs(path: Path, outputs: Iterable[str]) -> Iterator[str]:
    """The outputs that need no scripts of marimo; ComponentError for one that does."""
    for html in outputs:
        found = set(re.findall(r"<marimo-([a-z-]+)", html))
        if not found:
            yield html.replace(_SPAN, _BLOCK)
        elif not found <= _CONTROLS:
            element = min(found - _CONTROLS)
            raise ComponentError(
                f"{path.name} shows a marimo-{element}, which needs marimo's scripts; show it as HTML: "
                "relet.report.elements.table for a frame, mo.Html for a drawing"
            )


def _assemble_page(path: Path, outputs: Iterable[str]) -> PageMarkup:
    title, subtitle = path.stem, ""
    titles: list[str] = []
    bodies: list[str] = []
    for html in outputs:
        level, words, rest = _first_heading(html)
        if level == "1":
            title, subtitle = words, _text_of_html(rest)
        elif level or not titles:
            titles.append(words or title)
            bodies.append(rest)
        else:
            bodies[-1] += rest
    sections = (Section(title=words, html=PageMarkup(body)) for words, body in zip(titles, bodies, strict=True))
    return page(title, subtitle=subtitle, sections=sections)


def _first_heading(html: str) -> tuple[str, str, str]:
    """The level and the text of an output's first heading of level 1 or 2, and the output without it.

    >>> _first_heading("<div><h2 id='x'>Why &amp; how</h2><p>So.</p></div>")
    ('2', 'Why & how', '<div><p>So.</p></div>')
    """
    found = re.search(r"<h([12])\b[^>]*>(.*?)</h\1>", html, re.DOTALL)
    if found is None:
        return "", "", html
    return found[1], _text_of_html(found[2]), html[: found.start()] + html[found.end() :]


def _text_of_html(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
