"""How a file differs from what was expected, line by line, and what only a person can say of it."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relet.core.override_words import shell_override
from relet.core.wording import count, printable, shorten
from relet.data.csv_faults import SHOWN, row_place, shown_text
from relet.data.evidence import ColumnEvidence, SeenText
from relet.data.findings import FormFinding
from relet.data.layout import Layout
from relet.data.matching import NameFinding
from relet.data.opening import OpenedFile
from relet.data.reshaping import reshape_column
from relet.data.schema import CALLED, Column

# How many values a line names.
NAMED = 3
# How many columns a question names.
MOST = 5
WIDEST = 40


def name_lines(names: NameFinding, layout: Layout, types: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that are missing, by `-`, and those that nobody spoke of, by `+`, each with its type."""
    width = min(max((len(name) for name in (*names.removed, *names.added)), default=0), WIDEST)
    return (
        *(f"  - {_shown_name(name):<{width}}  {layout.taken[name].type}" for name in names.removed),
        *(f"  + {_shown_name(name):<{width}}  {types[name]}{_hint(name)}" for name in names.added),
    )


def _hint(name: str) -> str:
    return "  (it has no name; pandas writes its index so)" if re.fullmatch(r"column \d+", name) else ""


def _shown_name(name: str) -> str:
    """A column's name, in quotes where it would not be read as one."""
    plain = name == name.strip() and name and name == printable(name)
    return shorten(name, SHOWN) if plain else shown_text(name)


def form_line(file: OpenedFile, layout: Layout, evidence: ColumnEvidence, form: FormFinding) -> str:
    """What is not as usual in a column, and how it would be read; nothing where one value is simply wrong."""
    name = _shown_name(str(evidence.origin.column))
    if form.new:
        values = ", ".join(shown_text(each.text) for each in form.new[:NAMED])
        more = f" and {count(len(form.new) - NAMED, 'other')}" if len(form.new) > NAMED else ""
        none = "; none of those expected is there" if form.elsewhere else ""
        read = "" if form.elsewhere or form.unexplained else _read_as(form.new[0], layout, evidence.column)
        place = row_place(file, form.new[0].row)
        noun = "values" if len(form.new) > 1 else "value"
        return f"  ~ {name}  new {noun} {values}{more}, first in {place}{none}{read and f',{read}'}"
    if evidence.other_type:
        return f"  ~ {name}  {evidence.column.type} → {evidence.other_type}"
    example = form.unexplained or form.doubtful or form.example
    if example is None or (form.unexplained and _is_one_of_many(evidence)):
        return ""
    found = f"  ~ {name}  {shown_text(example.text)} in {row_place(file, example.row)}"
    if form.unexplained:
        return f"{found} is not {CALLED[evidence.column.type]}"
    return found if form.doubts else f"{found}{_read_as(example, layout, evidence.column)}"


def _is_one_of_many(evidence: ColumnEvidence) -> bool:
    """Whether a wrong value stands among right ones, or a person said what the others are."""
    return evidence.has_usual or not evidence.origin.plain


def _read_as(seen: SeenText, layout: Layout, column: Column) -> str:
    return f" is read as {_reading(seen, layout, column)}"


def _reading(seen: SeenText, layout: Layout, column: Column) -> str:
    """The value that a text is by a layout."""
    import pyarrow as pa

    try:
        read = reshape_column(pa.chunked_array([[seen.text]], pa.string()), column, layout.origins[column.name])
    except pa.ArrowInvalid:
        return "nothing"
    value = read[0].as_py()
    return "missing" if value is None else shorten(str(value), SHOWN)


def question_of_names(names: NameFinding, layout: Layout) -> str:
    """What only a person knows of the columns' names; nothing where all is found."""
    for ours, candidates in names.unknown.items():
        needs = "" if layout.schema.column(ours).nullable else ", and each row needs its own"
        shown = [_shown_name(name) for name in candidates[:MOST]]
        shown += [f"one of {len(candidates) - MOST:,} others"] if len(candidates) > MOST else []
        may_be = f": it may be {' or '.join(shown)}" if candidates else ""
        return (
            f"Which of the file's columns {ours} is, only you know{needs}{may_be}; "
            f"set {layout.setting}.{ours} to its name"
        )
    return ""


def question_of_form(file: OpenedFile, layout: Layout, evidence: ColumnEvidence, form: FormFinding) -> str:
    """What only a person knows of a column's values; nothing where they are explained, or one is simply wrong."""
    column = evidence.column
    if evidence.other_type:
        return f"Write {column.name} into the file as {column.type}"
    if form.unexplained:
        if _is_one_of_many(evidence):
            return ""
        if evidence.in_order[0][1] != form.unexplained:
            return f"Write all values of {column.name} in one way: those before it are written in another one"
        return (
            f"No value of {column.name} is {CALLED[column.type]}: where another column of the file holds it, set "
            f"{layout.setting}.{column.name} to its name"
        )
    if not form.doubts or form.doubtful is None:
        return ""
    ways = []
    for doubt in form.doubts:
        told = {**layout.told, column.name: column_told(column, layout.told, doubt)}
        read = _reading(form.doubtful, layout.with_told(told), column)
        ways.append(f"{_typed(layout, told, column)} if it is {read}")
    either = f"{', '.join(ways[:-1])}, or {ways[-1]}" if len(ways) > 1 else ways[0]
    what = f"What {shown_text(form.doubtful.text)} means, nothing else in the column {column.name} tells."
    return f"{what} Say {either}"


def _typed(layout: Layout, told: Mapping[str, Any], column: Column) -> str:
    """The setting as a word of a command; where a command can't hold all of it, what it says of one column."""
    try:
        return shell_override(layout.setting, told)
    except ValueError:
        return shell_override(f"{layout.setting}.{column.name}", told[column.name])


def column_told(column: Column, told: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """What the setting says of a column, with what was found of its form."""
    said = told.get(column.name)
    before = dict(said) if isinstance(said, Mapping) else {"from": said} if said else {}
    if before.get("from") == column.name:
        del before["from"]
    return {**before, **form}
