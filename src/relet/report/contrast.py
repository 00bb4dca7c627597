"""The page of a comparison: what differs between runs, and their curves over one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from relet.experiments.contrast import Contrast, ContrastRow
from relet.report.charts.lines import line_chart
from relet.report.elements import charts, fold_away, paragraph, table
from relet.report.markup import NOTHING, PageMarkup
from relet.report.page import Section, page
from relet.report.wording import count, shorten

# The first letters of a digest are enough to see that two digests differ.
DIGEST = 12
_NOUNS = {
    "code": "module",
    "packages": "package",
    "resources": "resource",
    "inputs": "input",
    "sources": "source",
    "commit": "fact of the commit",
    "machine": "fact of the machine",
}


def contrast_page(found: Contrast) -> PageMarkup:
    """A comparison as one HTML file.

    >>> from relet.experiments.contrast import contrast
    >>> nothing = Contrast(labels=("a", "b"), facts=(), parameters=(), metrics=(), basis={}, curves={})
    >>> contrast_page(nothing).count("the same parameters")
    1
    """
    sections = [
        Section(title="The runs", html=_contrast_table(found, found.facts)),
        Section(title="Parameters", html=_differing_html(found, "parameters", found.parameters)),
        Section(title="Metrics", html=_differing_html(found, "metrics", found.metrics)),
        *_contrast_curves(found),
        *_basis_section(found),
    ]
    title = " and ".join(found.labels) if len(found.labels) < 4 else f"{len(found.labels)} runs"
    return page(f"{title}, side by side", sections=sections)


def _contrast_table(found: Contrast, rows: Sequence[ContrastRow]) -> PageMarkup:
    two = len(found.labels) == 2 and any(row.apart is not None for row in rows)
    cells = [
        [row.name, *(_contrast_cell(value) for value in row.values), *([row.apart] if two else [])] for row in rows
    ]
    return table(["", *found.labels, *(["difference"] if two else [])], cells)


def _contrast_cell(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else shorten(str(value), 200)


def _differing_html(found: Contrast, what: str, rows: Sequence[ContrastRow]) -> PageMarkup:
    same = found.same.get(what, 0)
    if not rows:
        return paragraph(f"All have the same {what}{f', {same} of them' if same else ''}.")
    note = paragraph(f"{count(same, what.removesuffix('s'))} more the same in all.", "faint") if same else NOTHING
    return _contrast_table(found, rows) + note


def _contrast_curves(found: Contrast) -> Iterator[Section]:
    drawn = [
        line_chart(
            {label: curve.points for label, curve in curves.items()}, title=name, x=next(iter(curves.values())).x
        )
        for name, curves in found.curves.items()
    ]
    if drawn:
        yield Section(title="Curves", html=charts(drawn))


def _basis_section(found: Contrast) -> Iterator[Section]:
    parts = []
    for kind, rows in found.basis.items():
        differ = sum(row.differs for row in rows)
        verb = "differs" if differ == 1 else "differ"
        title = f"{kind}: {count(differ, _NOUNS[kind], _plural_noun(kind))} {verb}"
        parts.append(fold_away(title, _contrast_table(found, [_brief_row(kind, row) for row in rows])))
    same = _same_in_all(found.same)
    if same:
        parts.append(paragraph(same, "faint"))
    if parts:
        yield Section(title="What they stand on", html=NOTHING.join(parts))


def _same_in_all(same: Mapping[str, int]) -> str:
    parts = [count(same[kind], noun, _plural_noun(kind)) for kind, noun in _NOUNS.items() if same.get(kind)]
    return f"The same in all: {', '.join(parts)}." if parts else ""


def _plural_noun(kind: str) -> str:
    return f"facts of the {kind}" if kind in ("commit", "machine") else ""


def _brief_row(kind: str, row: ContrastRow) -> ContrastRow:
    if kind in ("packages", "machine"):
        return row
    return ContrastRow(
        name=row.name, values=tuple(value[:DIGEST] if isinstance(value, str) else value for value in row.values)
    )
