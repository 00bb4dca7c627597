"""`relet compare`: in what runs differ, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from relet.cli.columns import cell_texts, printable, screen_width
from relet.cli.pages import write_page
from relet.cli.place import STORE, open_default_store
from relet.cli.sparkline import sparkline
from relet.core.artifact import Curve
from relet.experiments.contrast import Contrast, ContrastRow
from relet.experiments.experiment import short_id

# How wide the names of rows and the values of runs may become, in letters, and how many names a line lists.
NAMES, VALUES, LISTED = 40, 31, 6
# The least that a value is cut to before further runs go below, in letters.
LEAST = 11
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
DRAWN = 40


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
    from relet.browsing.experiments import compare

    found = compare(open_default_store(store_url), runs, everything=everything)
    if as_page or output:
        from relet.report.contrast import contrast_page

        path = write_page(contrast_page(found), output or Path("comparison.html"))
        click.echo(f"{path}: {len(found.labels)} runs")
    elif as_json:
        click.echo(json.dumps(found.to_json(), indent=1, default=str))
    else:
        for line in _comparison_lines(found, screen_width()):
            click.echo(line)


def _comparison_lines(found: Contrast, width: int) -> Iterator[str]:
    facts = [row for row in found.facts if row.name != "reason" and not _is_told_by_labels(row, found.labels)]
    groups = [("", facts), ("parameters", found.parameters), ("metrics", found.metrics)]
    yield from _blocks(groups, found.labels, width)
    for row in found.facts:
        if row.name == "reason":
            told = zip(found.labels, row.values, strict=True)
            yield from (
                _shorten_printable(f"{label}: {' '.join(why.split())}", width) for label, why in told if why
            )
    for kind, rows in found.basis.items():
        yield _basis_line(kind, rows)
    same = [
        _count_in_words(count, NOUNS.get(kind, kind.removesuffix("s")))
        for kind, count in found.same.items()
        if NOUNS.get(kind) != "fact"
    ]
    if same:
        yield f"the same: {', '.join(same)}; --all lists them"
    for name, curves in found.curves.items():
        yield from _curve_lines(name, curves)


def _is_told_by_labels(row: ContrastRow, labels: Sequence[str]) -> bool:
    """Whether runs are called by their ids' ends, and there is no room for whole ones."""
    return row.name == "run" and len(labels) > 2 and all(map(str.endswith, row.values, labels))


def _blocks(
    groups: Sequence[tuple[str, Sequence[ContrastRow]]], labels: Sequence[str], width: int
) -> Iterator[str]:
    """Names down, runs across; more runs than there is room for follow below."""
    rows = [row for _, held in groups for row in held]
    names = min(NAMES, max((len(row.name) + 3 for row in rows), default=8))
    room = width - names - (12 if len(labels) == 2 else 0)
    most = min(max(room // len(labels) - 2, LEAST), VALUES)
    exact = {id(row) for title, held in groups if title != "metrics" for row in held}
    cells = {
        id(row): [_shorten_printable(text, most) for text in _row_cells(row, exact=id(row) in exact, most=most)]
        for row in rows
    }
    wide = max(*(len(text) for row in rows for text in cells[id(row)]), *(len(label) for label in labels)) + 2
    at_once = max(1, room // wide)
    for start in range(0, len(labels), at_once):
        chosen = range(start, min(start + at_once, len(labels)))
        if start:
            yield ""
        yield f"{'':<{names}}" + "".join(f"{labels[place]:>{wide}}" for place in chosen)
        for title, held in groups:
            if title and held:
                yield title
            for row in held:
                name = _shorten_beginning(row.name if not title else f"  {row.name}", names)
                values = "".join(f"{cells[id(row)][place]:>{wide}}" for place in chosen)
                yield f"{name:<{names}}{values}{_gap_text(row) if title and len(chosen) == 2 else ''}".rstrip()


def _row_cells(row: ContrastRow, *, exact: bool, most: int) -> list[str]:
    plain = [str(value).lower() if isinstance(value, bool) else value for value in row.values]
    if row.name == "run" and any(len(str(value)) > most for value in plain):
        # a part of an id that is no end of it could not be used
        plain = [short_id(str(value)) for value in plain]
    return cell_texts(plain, exact=exact)


def _gap_text(row: ContrastRow) -> str:
    return "" if not row.apart else f"  {row.apart:+.4g}"


def _shorten_printable(text: str, most: int) -> str:
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _shorten_beginning(text: str, most: int) -> str:
    """A name cut at its beginning, since the end tells more."""
    text = printable(text)
    return text if len(text) < most else f"…{text[-(most - 2) :]}"


def _basis_line(kind: str, rows: Sequence[ContrastRow]) -> str:
    differ = [row for row in rows if row.differs]
    verb = "differs" if len(differ) == 1 else "differ"
    more = f" and {len(differ) - LISTED} more" if len(differ) > LISTED else ""
    listed = ", ".join(_difference_text(kind, row) for row in differ[:LISTED])
    return f"{kind}: {_count_in_words(len(differ), NOUNS[kind])} {verb}: {listed}{more}"


def _count_in_words(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _difference_text(kind: str, row: ContrastRow) -> str:
    """A name, with its values where a person can read them: a digest says nothing but that it is another."""
    if kind in ("code", "resources", "inputs", "sources"):
        return row.name
    values = dict.fromkeys("none" if value is None else _shorten_printable(str(value), 24) for value in row.values)
    return f"{row.name} {' → '.join(values)}"


def _curve_lines(name: str, curves: Mapping[str, Curve]) -> Iterator[str]:
    """Each curve as a line of bars, all over the same steps and between the same values."""
    x = next(iter(curves.values())).x
    values = [value for curve in curves.values() for _, value in curve.points]
    low, high = min(values), max(values)
    last = max(curve.points[-1][0] for curve in curves.values())
    first = min(curve.points[0][0] for curve in curves.values())
    yield f"{name} by {x}, {first} to {last}, between {low:.4g} and {high:.4g}"
    widest = max(len(label) for label in curves)
    for label, curve in curves.items():
        least = min(curve.points, key=lambda point: point[1])
        ends = f"{curve.points[0][1]:.4g} → {curve.last:.4g}, lowest {least[1]:.4g} at {least[0]}"
        drawn = sparkline(curve, width=DRAWN, steps=(first, last), values=(low, high))
        yield f"  {label:<{widest}}  {drawn}  {ends}"
