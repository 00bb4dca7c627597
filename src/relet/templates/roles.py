"""What each column of a file is for: the target, what a model may read, and what it has to leave out."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from relet.core.wording import count
from relet.data.profile import ColumnProfile, Profile, profile
from relet.errors import BadDataError, nearest
from relet.templates.typed_file import TypedFile

if TYPE_CHECKING:
    from relet.data.schema import ColumnType

# How a column enters a model, and the field of `Roles` that names such columns.
KINDS = {"number": "numbers", "category": "categories", "date": "dates", "text": "texts"}
# With fewer rows nothing is learned, checked or tested.
LEAST_ROWS = 30
# Whole numbers of so many values are taken for classes, text of so many values too.
MOST_NUMBERED, MOST_NAMED = 10, 50
# Text with more values than this, or than this share of the rows, is no category.
MOST_CATEGORIES, CATEGORY_SHARE = 1000, 0.5
# Text whose middle length is this holds sentences.
SENTENCE = 20
# A date that is missing more often says nothing of a row's place in time.
DATED = 0.99
# From this correlation with the target on, a column may be the target in another form.
TELLTALE = 0.999
_ID = re.compile(r"(^|_)(id|uuid|guid|key)$")
_COUNTER = re.compile(r"^(column_\d+|index|n_0|unnamed(_0)?|level_0|row|row_number)$")
_GROUP = re.compile(
    r"^(user|customer|client|patient|subject|person|household|account|session|participant|student|host|owner)s?$"
    r"|_id$"
)
_TIME = re.compile(
    r"(^|_)(date|time|datetime|timestamp|day|month|week|created|sold|ordered|recorded|measured|observed|at|on|datum)($|_)"
)
_NO_TIME = re.compile(r"(^|_)(bau|birth|born|built|dob|expir\w*|due|end|until|last|first|since)($|_)")


class Task(StrEnum):
    """What a model predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How rows are divided: fields of `relet.segregation.Rule`, and why so."""

    method: str
    why: str
    key: str | None = None
    group_by: str | None = None
    time_by: str | None = None
    stratify_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The task, and every column's part in it.

    `left_out` maps each column that the model does not read to the reason. `bounds` are the least and the most
    that cleaning lets pass. `classes` are the target's values, sorted. `hints` are sentences for
    a person.
    """

    task: Task
    target: str
    rows: int
    types: Mapping[str, ColumnType]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    dates: tuple[str, ...]
    texts: tuple[str, ...]
    left_out: Mapping[str, str]
    bounds: Mapping[str, tuple[float, float]]
    split: SplitRule
    classes: tuple[Any, ...] = ()
    key: str | None = None
    gaps: tuple[str, ...] = ()
    hints: tuple[str, ...] = field(default=())

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.numbers, *self.categories, *self.dates, *self.texts)


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """The profile of each column but the target's, the type of each column, and the number of rows."""

    target: ColumnProfile
    others: Mapping[str, ColumnProfile]
    types: Mapping[str, ColumnType]
    rows: int

    def first(self, fits: Callable[[ColumnProfile, ColumnType, int], bool]) -> str | None:
        """The first column, but for the target, of which a statement holds."""
        return next((name for name, each in self.others.items() if fits(each, self.types[name], self.rows)), None)


def find_roles(file: TypedFile, target: str) -> Roles:
    """The roles of a file's columns; `target` is a column's name, as the file or the code has it.

    Raises BadDataError where there is no such column, where it holds nothing that can be predicted, and where
    nothing is left to predict it by.
    """
    name = _target_name(file, target)
    found = profile(file.rows)
    if found.rows < LEAST_ROWS:
        raise BadDataError(f"{file.path.name} has {count(found.rows, 'row')}: at least {LEAST_ROWS} are needed")
    others = {each.name: each for each in found.columns}
    facts = _Facts(
        target=others.pop(name),
        others=others,
        types={each.name: each.type for each in file.columns},
        rows=found.rows,
    )
    task, classes = _task(facts.target, facts.types[name], file)
    key, group = facts.first(_is_key), facts.first(_is_group)
    left_out = {
        each: why for each, column in others.items() if (why := _reason_to_leave_out(facts, column, key, group))
    }
    kinds = {each: _kind(column, facts.types[each]) for each, column in others.items() if each not in left_out}
    if not kinds:
        shown = "; ".join(f"{each}: {reason}" for each, reason in left_out.items())
        raise BadDataError(f"{file.path.name} has no column to predict {name} by ({shown})")
    return Roles(
        task=task,
        target=name,
        rows=found.rows,
        types=facts.types,
        **{plural: tuple(each for each, kind in kinds.items() if kind == one) for one, plural in KINDS.items()},
        left_out=left_out,
        bounds=dict(_all_bounds(facts, kinds, task)),
        split=_split(facts, task, key, group),
        classes=classes,
        key=key,
        gaps=tuple(each for each, column in others.items() if column.missing),
        hints=tuple(_hints(file, facts.target, found, tuple(kinds))),
    )


def _target_name(file: TypedFile, target: str) -> str:
    for each in file.columns:
        if target in (each.origin.column, each.name):
            return each.name
    names = [str(each.origin.column) for each in file.columns]
    several = [part.strip() for part in target.split(",")]
    if len(several) > 1 and all(part in (*names, *(each.name for each in file.columns)) for part in several):
        raise BadDataError(
            f"a pipeline is made for one target, got {len(several)}: take --target {several[0]}, and make one "
            f"more pipeline for each other: relet new pipeline NAME --from-csv FILE --target {several[1]}"
        )
    raise BadDataError(f"{file.path.name} has no column {target!r}: {nearest(target, names)}; set --target")


def _task(column: ColumnProfile, type: ColumnType, file: TypedFile) -> tuple[Task, tuple[Any, ...]]:
    if type in ("date32", "timestamp[us]"):
        raise BadDataError(f"the target {column.name} holds dates: a model predicts numbers or classes")
    if column.distinct < 2:
        held = count(column.distinct, "value")
        raise BadDataError(f"the target {column.name} has {held}: nothing is to be predicted")
    named = type in ("bool", "string")
    if not named and (type == "double" or column.distinct > MOST_NUMBERED):
        return Task.REGRESSION, ()
    if column.distinct > MOST_NAMED:
        raise BadDataError(
            f"the target {column.name} holds text with {column.distinct} different values, more than the "
            f"{MOST_NAMED} classes that a model is made for"
        )
    values = sorted(set(file.rows.column(column.name).drop_null().to_pylist()))
    return Task.CLASSIFICATION, tuple(values)


def _is_key(column: ColumnProfile, type: ColumnType, rows: int) -> bool:
    """Whether the column gives each row a name of its own."""
    whole = type in ("int64", "string") and not column.missing and column.distinct == rows
    return whole and bool(_ID.search(column.name)) and not _COUNTER.search(column.name)


def _is_group(column: ColumnProfile, type: ColumnType, rows: int) -> bool:
    """Whether the column says whose a row is: several rows each, of not too few."""
    return (
        type in ("int64", "string")
        and bool(_GROUP.search(column.name))
        and not column.missing
        and 10 <= column.distinct <= rows / 2
    )


def _reason_to_leave_out(facts: _Facts, column: ColumnProfile, key: str | None, group: str | None) -> str:
    """Why a model should not read a column; nothing where it should."""
    type, rows = facts.types[column.name], facts.rows
    if column.name == key:
        return "the name of a row"
    if column.name == group:
        return "whose a row is: a new row is another's"
    if not column.distinct:
        return "without a value"
    if column.distinct == 1 and not column.missing:
        return "the same in every row"
    if _COUNTER.search(column.name) and type == "int64" and column.distinct == rows:
        return "a number for each row"
    if _ID.search(column.name) and column.distinct > rows * CATEGORY_SHARE:
        return "a name"
    present = rows - column.missing
    many = column.distinct > min(MOST_CATEGORIES, max(2, present * CATEGORY_SHARE))
    if type == "string" and many and (column.middle or 0) < SENTENCE:
        return "too many different texts for a category"
    return ""


def _kind(column: ColumnProfile, type: ColumnType) -> str:
    if type in ("int64", "double", "bool"):
        return "number"
    if type != "string":
        return "date"
    return "text" if (column.middle or 0) >= SENTENCE and column.distinct > MOST_NAMED else "category"


def _all_bounds(facts: _Facts, kinds: Mapping[str, str], task: Task) -> Iterator[tuple[str, tuple[float, float]]]:
    """The bounds of each number that the model reads, and of a target that is a number."""
    for name, kind in kinds.items():
        if kind == "number" and facts.types[name] != "bool":
            yield name, _bounds(facts.others[name])
    if task is Task.REGRESSION:
        yield facts.target.name, _bounds(facts.target)


def _bounds(column: ColumnProfile) -> tuple[float, float]:
    """As far beyond what is there as that reaches, in round numbers; not beyond 0 where nothing is."""
    low, high = float(column.low), float(column.high)
    reach = (high - low) or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(reach))
    least = _short(math.floor((low - reach) / unit) * unit)
    most = _short(math.ceil((high + reach) / unit) * unit)
    return (max(least, 0.0) if low >= 0 else least), (min(most, 0.0) if high <= 0 else most)


def _short(number: float) -> float:
    return float(f"{number:.6g}")


def _split(facts: _Facts, task: Task, key: str | None, group: str | None) -> SplitRule:
    if group:
        return SplitRule(method="by_group", why=f"all rows of a {group} are on one side", key=key, group_by=group)
    if time := facts.first(_is_time):
        return SplitRule(method="by_time", why=f"the newest rows by {time} are the test", key=key, time_by=time)
    if task is Task.CLASSIFICATION:
        why = f"at random, with equal shares of each {facts.target.name}"
        return SplitRule(method="random", why=why, key=key, stratify_by=facts.target.name)
    if key:
        why = f"by a hash of {key}: a row stays on its side in every later file"
        return SplitRule(method="keyed", why=why, key=key)
    return SplitRule(method="random", why="at random: no column names a row, a group or a time")


def _is_time(column: ColumnProfile, type: ColumnType, rows: int) -> bool:
    """Whether the column says when a row came to be."""
    return (
        type in ("date32", "timestamp[us]")
        and column.missing <= (1 - DATED) * rows
        and column.distinct >= 10
        and bool(_TIME.search(column.name))
        and not _NO_TIME.search(column.name)
    )


def _hints(file: TypedFile, target: ColumnProfile, found: Profile, numbers: Sequence[str]) -> Iterator[str]:
    """What a person should look at: each a sentence."""
    if target.missing:
        yield f"{count(target.missing, 'row')} without {target.name}: cleaning sets them aside"
    for each in file.columns:
        if each.origin.format and "%d" in each.origin.format and "%m" in each.origin.format:
            yield f"{each.name} is read as {each.origin.format}: see etl.columns"
    if found.correlations and target.name in found.correlations.names:
        place = found.correlations.names.index(target.name)
        for name, value in zip(found.correlations.names, found.correlations.spearman[place], strict=True):
            if name in numbers and value is not None and abs(value) >= TELLTALE:
                yield f"{name} says nearly all of {target.name}: leave it out if nobody knows it beforehand"
    few = [value for value in _class_sizes(file, target) if value[1] < 5]
    for value, rows in few[:3]:
        yield f"{target.name} is {value} in {count(rows, 'row')} alone: too few to be learned"


def _class_sizes(file: TypedFile, target: ColumnProfile) -> list[tuple[Any, int]]:
    if file.column(target.name).type == "double" or target.distinct > MOST_NAMED:
        return []
    import pyarrow.compute as pc

    counted = pc.value_counts(file.rows.column(target.name).drop_null()).to_pylist()
    return sorted((str(each["values"]), int(each["counts"])) for each in counted)
