"""Where a file has the columns that a schema asks for: under which names, in which form; and what differs."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError, nearest

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a column's values come from: the file's column (None: from nowhere, they are missing), and their form.

    `format` is that of dates and times, as `strptime` has it; `remove` are letters that are no part of a number
    (`$,` in `$1,200`); `values` says what else a value is called here (None: missing).
    """

    column: str | None
    format: str | None = None
    remove: str = ""
    values: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the values are there as they should be, but for the column's name."""
        return not (self.format or self.remove or self.values)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which of a file's columns are the schema's, which are left out; `setting` is what a person would change."""

    schema: Schema
    origins: Mapping[str, Origin]
    left_out: frozenset[str] = frozenset()
    setting: str = "columns"

    @property
    def taken(self) -> dict[str, Column]:
        """The file's column → the schema's, for all that are read."""
        return {
            origin.column: column
            for column in self.schema.columns
            if (origin := self.origins[column.name]).column is not None
        }


def read_layout(schema: Schema, columns: Mapping[str, Any] | None = None, *, setting: str = "columns") -> Layout:
    """What a person says of a file's columns: `{id: listing_id, name: null, license: null}`.

    A key is a column of the schema; its value where it comes from: the file's name of it, null where the file has
    none, or a mapping with `from`, and `format` (of dates, as strptime has it), `remove` (letters that a number is
    written with) or `values` (what a value is called here, null for missing). Any other key is a column of the
    file; with null it is left out. Columns that are not named have the name and form that the schema says.

    Raises SettingError for anything else, and where a column that must have values comes from nowhere.

    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")))
    >>> told = {"id": "listing_id", "rent": {"from": "price", "remove": "$,"}, "license": None}
    >>> layout = read_layout(rents, told)
    >>> layout.origins["id"].column, sorted(layout.left_out)
    ('listing_id', ['license'])
    """
    origins = {column.name: Origin(column=column.name) for column in schema.columns}
    left_out: set[str] = set()
    for name, told in (columns or {}).items():
        place = f"{setting}.{name}"
        if name not in origins:
            if told is not None:
                raise SettingError(
                    f"{place} is no column of ours ({nearest(str(name), schema.names)}): write ours first, the "
                    f"file's after it; {place}=null leaves the file's column out"
                )
            left_out.add(str(name))
            continue
        column = next(each for each in schema.columns if each.name == name)
        origins[name] = _origin(column, told, place)
        if told is None:
            left_out.add(name)
    _check_once(origins, setting)
    return Layout(schema=schema, origins=origins, left_out=frozenset(left_out), setting=setting)


def _origin(column: Column, told: Any, place: str) -> Origin:
    if told is None:
        if not column.nullable:
            raise SettingError(
                f"{place} can't be null: each row needs its own {column.name}; name the file's column"
            )
        return Origin(column=None)
    if isinstance(told, str):
        return Origin(column=told)
    if not isinstance(told, Mapping):
        raise SettingError(f"{place} takes the file's name of the column, null, or a mapping; got {told!r}")
    known = ("from", "format", "remove", "values")
    for key in told:
        if key not in known:
            raise SettingError(f"{place} has no {key!r}: {nearest(str(key), known)}")
    values = told.get("values") or {}
    if not isinstance(values, Mapping) or (values and column.type != "string"):
        raise SettingError(f"{place}.values takes a mapping from values of text to ours; got {values!r}")
    if told.get("format") and column.type not in ("date32", "timestamp[us]"):
        raise SettingError(f"{place}.format is for dates and times; {column.name} holds {column.type}")
    return Origin(
        column=str(told.get("from", column.name)),
        format=told.get("format"),
        remove=str(told.get("remove") or ""),
        values={str(old): None if new is None else str(new) for old, new in values.items()},
    )


def _check_once(origins: Mapping[str, Origin], setting: str) -> None:
    """No column of the file is two of ours: one of them was meant to come from elsewhere."""
    seen: dict[str, str] = {}
    for name, origin in origins.items():
        if origin.column is None:
            continue
        if origin.column in seen:
            raise SettingError(
                f"{setting}: the file's {origin.column!r} would be both {seen[origin.column]} and {name}; say "
                f"where {name} comes from, or {setting}.{name}=null where the file has none"
            )
        seen[origin.column] = name


@dataclass(frozen=True, kw_only=True)
class Retyped:
    """A column whose values are of another type: which one it has, and a value with its place."""

    type: str
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How a file's columns differ from a layout: names with types, and values that a column may not have."""

    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, Retyped] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped or self.values)


def difference(layout: Layout, header: Mapping[str, str]) -> Difference:
    """What differs in names: `header` maps the file's columns to their types."""
    taken = layout.taken
    return Difference(
        added={name: kind for name, kind in header.items() if name not in taken and name not in layout.left_out},
        removed={name: column.type for name, column in taken.items() if name not in header},
    )


def refusal(file: str, layout: Layout, found: Difference) -> BadDataError:
    """The difference as a diff, and what a person can do about it.

    >>> rents = Schema(columns=(Column("id", "int64"), Column("rent", "double")))
    >>> layout = read_layout(rents)
    >>> print(refusal("rents.csv", layout, difference(layout, {"listing_id": "int64", "rent": "double"})))
    rents.csv has other columns than expected:
      - id          int64
      + listing_id  int64
    Nothing of it is stored. If that is meant, say what is what: "columns={id: listing_id}"
    """
    width = max(map(len, (*found.added, *found.removed, *found.retyped, *found.values)))
    lines = [f"  - {name:<{width}}  {kind}" for name, kind in found.removed.items()]
    lines += [f"  + {name:<{width}}  {kind}" for name, kind in found.added.items()]
    for name, now in found.retyped.items():
        example = f", such as {now.example}" if now.example else ""
        lines.append(f"  ~ {name:<{width}}  {layout.taken[name].type} → {now.type}{example}")
    lines += [f"  ~ {name:<{width}}  new value {what}" for name, what in found.values.items()]
    return BadDataError("\n".join([f"{file} has other columns than expected:", *lines, _advice(layout, found)]))


def _advice(layout: Layout, found: Difference) -> str:
    said: dict[str, str] = {}
    spare = list(found.added)
    for name in found.removed:
        ours = layout.taken[name].name
        meant = _renamed(name, found.removed[name], spare, found.added)
        if meant:
            spare.remove(meant)
        said[ours] = meant or ("null" if layout.taken[name].nullable else "?")
    said |= dict.fromkeys(spare, "null")
    for name, now in found.retyped.items():
        column = layout.taken[name]
        if now.type == "string":
            option = "format: '%m/%d/%Y'" if column.type in ("date32", "timestamp[us]") else "remove: '$,'"
            said[column.name] = _told(column, name, option)
    for name, values in found.values.items():
        option = f"values: {{{values.partition(', ')[0]}: null}}"
        said[layout.taken[name].name] = _told(layout.taken[name], name, option)
    if not said:
        return "Nothing of it is stored."
    shown = ", ".join(f"{name}: {value}" for name, value in said.items())
    return f'Nothing of it is stored. If that is meant, say what is what: "{layout.setting}={{{shown}}}"'


def _told(column: Column, name: str, option: str) -> str:
    return f"{{{'' if name == column.name else f'from: {name}, '}{option}}}"


def _renamed(name: str, kind: str, added: Sequence[str], types: Mapping[str, str]) -> str | None:
    """Which added column of its type a removed one probably is: one that holds its name, or of a like name."""
    holding = [other for other in added if name in other.split("_") or other.endswith(f"_{name}")]
    holding += [other for other in added if other in name and len(other) > 3]
    close = get_close_matches(name, added, n=1, cutoff=0.75)
    like = {kind, "null", *({"int64", "double"} if kind == "double" else ())}
    found = [other for other in dict.fromkeys([*holding, *close]) if types[other] in like]
    return found[0] if found else None


def reshaped(values: pa.ChunkedArray, column: Column, origin: Origin) -> pa.ChunkedArray:
    """A column's values as the file has them, in the form and type that the schema says.

    Raises pyarrow.ArrowInvalid where a value has none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not origin.plain and not pa.types.is_string(values.type) and not pa.types.is_temporal(values.type):
        values = values.cast(pa.string())
    for letter in origin.remove:
        values = pc.replace_substring(values, letter, "")
    if origin.values:
        old, new = list(origin.values), list(origin.values.values())
        place = pc.index_in(values, value_set=pa.array(old, pa.string()))
        values = pc.if_else(place.is_valid(), pa.array(new, pa.string()).take(place), values)
    if origin.format and pa.types.is_string(values.type):
        values = pc.strptime(values, format=origin.format, unit="us")
    return values.cast(pa.type_for_alias(column.type))
