"""`relet compare`: in what runs differ, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import click

from relet.cli.columns import GAP, UNBOUNDED, cell_texts, screen_width, table_lines, text_column
from relet.cli.pages import write_page
from relet.cli.place import STORE, open_default_store
from relet.cli.sparkline import sparkline
from relet.cli.terminal import say, say_document
from relet.core.artifact import Curve
from relet.core.wording import count, printable, shorten
from relet.experiments.contrast import Contrast, ContrastRow
from relet.experiments.experiment import short_id

# The most letters of a row's name and of a run's value.
NAME_WIDTH, VALUE_WIDTH = 40, 31
# Values are never cut to fewer letters than this: runs that then have no room go into a block below.
LEAST_VALUE_WIDTH = 11
# The width of the last column, how far the second of two numbers is from the first.
GAP_WIDTH = 12
# How many names one line lists.
LISTED = 6
NOUNS = {
    "code": "module",
    "packages": "package",
    "resources": "resource",
    "inputs": "input",
    "sources": "source",
    "commit": "fact",
    "machine": "fact",
}
# How many letters a curve is drawn in.
CURVE_WIDTH = 40


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@STORE
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option("--html", "as_page", is_flag=True, help="Write a page that opens without a network.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the page.")
def command(
    runs: tuple[str, ...],
    store_url: str | None,
    everything: bool,
    as_json: bool,
    as_page: bool,
    output: Path | None,
) -> None:
    """Lay runs side by side: the parameters, metrics, inputs, code and packages that differ, and their curves.

    A RUN is an id as `relet runs` shows it, the beginning or the last eight letters of one, or what a run made:
    model:v3, model:prod.
    """
    from relet.browsing.contrast import compare

    contrast = compare(open_default_store(store_url), runs, everything=everything)
    if as_page or output:
        from relet.report.contrast import contrast_page

        path = write_page(contrast_page(contrast), output or Path("comparison.html"))
        say(f"{path}: {count(len(contrast.labels), 'run')}", err=as_json)
    if as_json:
        say_document(comparison=contrast.to_json())
    elif not (as_page or output):
        for line in _comparison_lines(contrast, screen_width()):
            say(line)


def _comparison_lines(contrast: Contrast, width: int) -> Iterator[str]:
    reasons = [row for row in contrast.facts if row.name == "reason"]
    facts = [row for row in contrast.facts if row not in reasons and not _repeats_labels(row, contrast.labels)]
    groups = [("", facts), ("parameters", contrast.parameters), ("metrics", contrast.metrics)]
    yield from _blocks(groups, contrast.labels, width)
    for row in reasons:
        for label, reason in zip(contrast.labels, row.values, strict=True):
            if reason:
                yield _shortened_printable(f"{label}: {' '.join(reason.split())}", width)
    for kind, rows in contrast.basis.items():
        yield _basis_line(kind, rows)
    same = [
        count(number, NOUNS.get(kind, kind.removesuffix("s")))
        for kind, number in contrast.same.items()
        if NOUNS.get(kind) != "fact"
    ]
    if same:
        yield f"the same: {', '.join(same)}; --all lists them"
    for name, curves in contrast.curves.items():
        yield from _curve_lines(name, curves)


def _repeats_labels(row: ContrastRow, labels: Sequence[str]) -> bool:
    """Whether this is the row of ids, the labels are the ends of these ids, and whole ids have no room."""
    return row.name == "run" and len(labels) > 2 and all(map(str.endswith, row.values, labels))


def _blocks(
    groups: Sequence[tuple[str, Sequence[ContrastRow]]], labels: Sequence[str], width: int
) -> Iterator[str]:
    """The table, names down and runs across. Runs that have no room stand in further blocks below."""
    rows = [row for _, group in groups for row in group]
    name_width = min(NAME_WIDTH, max((len(row.name) + 3 for row in rows), default=8))
    room = width - name_width - (GAP_WIDTH if len(labels) == 2 else 0)
    most = min(max(room // len(labels) - len(GAP), LEAST_VALUE_WIDTH), VALUE_WIDTH)
    names, cells, gaps = [], [], []
    for title, group in groups:
        for row in group:
            names.append(_shortened_beginning(f"  {row.name}" if title else row.name, name_width))
            texts = _row_cells(row, exact=title != "metrics", most=most)
            cells.append([_shortened_printable(text, most) for text in texts])
            gaps.append(f"{row.apart:+.4g}" if title and row.apart else "")
    value_width = max(len(text) for row_cells in [labels, *cells] for text in row_cells)
    at_once = max(1, room // (value_width + len(GAP)))
    for start in range(0, len(labels), at_once):
        places = range(start, min(start + at_once, len(labels)))
        columns = [text_column(names, least=name_width)]
        columns += [
            text_column((texts[place] for texts in cells), name=labels[place], least=value_width, align="right")
            for place in places
        ]
        if len(places) == 2:
            columns.append(text_column(gaps))
        if start:
            yield ""
        yield from _titled_lines(table_lines(columns, UNBOUNDED), groups)


def _titled_lines(lines: Iterator[str], groups: Sequence[tuple[str, Sequence[ContrastRow]]]) -> Iterator[str]:
    """The lines of a table, with each group's title above its rows."""
    yield next(lines)
    for title, group in groups:
        if title and group:
            yield title
        yield from islice(lines, len(group))


def _row_cells(row: ContrastRow, *, exact: bool, most: int) -> list[str]:
    plain = [str(value).lower() if isinstance(value, bool) else value for value in row.values]
    if row.name == "run" and any(len(str(value)) > most for value in plain):
        # an id is found by its end, and not by any other part of it
        plain = [short_id(str(value)) for value in plain]
    return cell_texts(plain, exact=exact)


def _shortened_printable(text: str, most: int) -> str:
    return shorten(printable(text), most)


def _shortened_beginning(text: str, most: int) -> str:
    """A name without its beginning where it is too long, since its end tells more."""
    text = printable(text)
    return text if len(text) < most else f"…{text[-(most - 2) :]}"


def _basis_line(kind: str, rows: Sequence[ContrastRow]) -> str:
    differ = [row for row in rows if row.differs]
    verb = "differs" if len(differ) == 1 else "differ"
    more = f" and {len(differ) - LISTED} more" if len(differ) > LISTED else ""
    listed = ", ".join(_difference_text(kind, row) for row in differ[:LISTED])
    return f"{kind}: {count(len(differ), NOUNS[kind])} {verb}: {listed}{more}"


def _difference_text(kind: str, row: ContrastRow) -> str:
    """A name and its values; the name alone where the values are digests, which a person can't read."""
    if kind in ("code", "resources", "inputs", "sources"):
        return row.name
    values = dict.fromkeys(
        "none" if value is None else _shortened_printable(str(value), 24) for value in row.values
    )
    return f"{row.name} {' → '.join(values)}"


def _curve_lines(name: str, curves: Mapping[str, Curve]) -> Iterator[str]:
    """Each curve as a line of bars, all over the same steps and on the same scale."""
    x = next(iter(curves.values())).x
    values = [value for curve in curves.values() for _, value in curve.points]
    low, high = min(values), max(values)
    last = max(curve.points[-1][0] for curve in curves.values())
    first = min(curve.points[0][0] for curve in curves.values())
    yield f"{name} by {x}, {first} to {last}, between {low:.4g} and {high:.4g}"
    widest = max(len(label) for label in curves)
    for label, curve in curves.items():
        step, lowest = min(curve.points, key=lambda point: point[1])
        ends = f"{curve.points[0][1]:.4g} → {curve.last:.4g}, lowest {lowest:.4g} at {step}"
        drawn = sparkline(curve, width=CURVE_WIDTH, steps=(first, last), values=(low, high))
        yield f"  {label:<{widest}}  {drawn}  {ends}"
