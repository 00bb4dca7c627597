"""A marimo notebook becomes a page that stands alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relet.errors import ComponentError
from relet.report.notebook import notebook_page
from tests.unit.report.notebooks import notebook

ROWS = (
    "\n\n@app.cell\ndef source():\n    rows = 10\n    raise RuntimeError('not overridden')\n    return (rows,)\n"
)


def sections(page: str) -> dict[str, str]:
    found = re.findall(r"<section[^>]*><h2>(.*?)</h2>(.*?)</section>", page, re.DOTALL)
    return {title: " ".join(re.sub(r"<[^>]+>", " ", html).split()) for title, html in found}


def test_headings_become_the_title_and_the_sections_in_the_order_of_the_file(tmp_path: Path) -> None:
    page = notebook_page(
        notebook(
            tmp_path,
            'top(rows): mo.md(f"# Ten & more\\n\\nAll {rows} rows.")',
            'late(double): mo.md(f"## Twice\\n\\n{double}")',
            'rest(): mo.md("below *it*")',
            'second(rows): mo.Html(f"<div><h2>Once</h2><p>{rows}</p></div>")',
            "maths(rows): double = 2 * rows\nreturn (double,)",
        ),
        {"rows": 10},
    )
    assert "<h1>Ten &amp; more</h1><p>All 10 rows.</p>" in page
    assert sections(page) == {"Twice": "20 below it", "Once": "10"}


def test_given_values_take_the_place_of_the_cells_that_define_them(tmp_path: Path) -> None:
    path = notebook(tmp_path, "show(rows): mo.md(f'## Rows\\n\\n{rows}')")
    path.write_text(path.read_text() + ROWS)
    assert sections(notebook_page(path, {"rows": 3})) == {"Rows": "3"}
    with pytest.raises(RuntimeError, match="not overridden"):
        notebook_page(path, {})


def test_selectors_are_left_out_and_what_they_choose_is_shown_for_their_first_choice(tmp_path: Path) -> None:
    page = notebook_page(
        notebook(
            tmp_path,
            "pick(): borough = mo.ui.dropdown(['all', 'Bronx'], value='all')\n"
            "size = mo.ui.range_slider(1, 9)\nmo.hstack([borough, size])\nreturn borough, size",
            "show(borough, size): mo.md(f'## Chosen\\n\\n{borough.value} {size.value}')",
        ),
        {},
    )
    assert sections(page) == {"Chosen": "all [1, 9]"}
    assert "<marimo" not in page


def test_what_needs_marimos_scripts_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = notebook(tmp_path, "show(): mo.ui.table([{'a': 1}])")
    with pytest.raises(ComponentError, match=r"tour.py shows a marimo-table, .* relet.report.elements.table"):
        notebook_page(path, {})


def test_a_stopped_cell_shows_why_and_what_needs_it_nothing(tmp_path: Path) -> None:
    page = notebook_page(
        notebook(
            tmp_path,
            "first(): mo.stop(True, mo.md('## Empty\\n\\nno rows'))\nrows = 1\nreturn (rows,)",
            "second(rows): mo.md(f'## Rows {rows}')",
            "third(): mo.md('## Others')",
        ),
        {},
    )
    assert sections(page) == {"Empty": "no rows", "Others": ""}


def test_cells_of_one_name_are_refused_since_one_would_be_lost(tmp_path: Path) -> None:
    path = notebook(tmp_path, "_(): mo.md('one')", "_(): mo.md('two')")
    with pytest.raises(ComponentError, match="several cells named _; give each a name of its own"):
        notebook_page(path, {})


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.py"
    path.write_text("rows = 1\n")
    with pytest.raises(ComponentError, match=r"plain.py is no marimo notebook"):
        notebook_page(path, {})


def test_the_page_names_nothing_that_would_be_fetched(tmp_path: Path) -> None:
    page = notebook_page(notebook(tmp_path, "show(): mo.md('## One\\n\\ntext')"), {})
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)""", page) == []
    assert "<script" not in page
