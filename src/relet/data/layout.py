"""Find a schema's columns in a file: under which names, in which form, and what differs."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError, nearest

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class ColumnOrigin:
    """Where a column's values come from: a column of the file (None: the file has none, all values are missing),
    and their form. `format` is the format of dates and times, as for `strptime`; `remove` are letters that are not
    part of a number (`$,` in `$1,200`); `values` maps the file's values to the schema's (None: missing).
    """

    column: str | None
    format: str | None = None
    remove: str = ""
    values: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether at most the column's name differs from the schema."""
        return not (self.format or self.remove or self.values)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which columns of a file are the schema's, and which are left out. `setting` is the setting that says so."""

    schema: Schema
    origins: Mapping[str, ColumnOrigin]
    left_out: frozenset[str] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict)
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
    """Read the setting that describes a file's columns: `{id: listing_id, name: null, license: null}`.

    A key is a column of the schema. Its value says where the column comes from: the name that the file gives it,
    null where the file has none, or a mapping with `from` and one of `format` (of dates, as for strptime),
    `remove` (letters to drop from numbers) and `values` (the file's values → the schema's, null for missing). Any
    other key is a column of the file; null leaves it out. Columns that are not named have the schema's name and
    form. Raises SettingError for anything else, and where a column that must have values has no origin.

    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")))
    >>> told = {"id": "listing_id", "rent": {"from": "price", "remove": "$,"}, "license": None}
    >>> layout = read_layout(rents, told)
    >>> layout.origins["id"].column, sorted(layout.left_out)
    ('listing_id', ['license'])
    """
    origins = {column.name: ColumnOrigin(column=column.name) for column in schema.columns}
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
        origins[name] = _read_origin(column, told, place)
        if told is None:
            left_out.add(name)
    _check_once(origins, setting)
    return Layout(
        schema=schema, origins=origins, left_out=frozenset(left_out), told=dict(columns or {}), setting=setting
    )


def _read_origin(column: Column, told: Any, place: str) -> ColumnOrigin:
    if told is None:
        if not column.nullable:
            raise SettingError(
                f"{place} can't be null: each row needs its own {column.name}; name the file's column"
            )
        return ColumnOrigin(column=None)
    if isinstance(told, str):
        return ColumnOrigin(column=told)
    if not isinstance(told, Mapping):
        raise SettingError(f"{place} takes the file's name of the column, null, or a mapping; got {told!r}")
    known = ("from", "format", "remove", "values")
    for key in told:
        if key not in known:
            raise SettingError(f"{place} has no {key!r}: {nearest(str(key), known)}")
    for key in ("from", "format", "remove"):
        if not isinstance(told.get(key, ""), str):
            raise SettingError(f"{place}.{key} takes text, got {told[key]!r}")
    if told.get("remove") and column.type not in ("int64", "double"):
        raise SettingError(f"{place}.remove is for numbers; {column.name} holds {column.type}")
    if re.search("%[zZ]", told.get("format") or ""):
        raise SettingError(f"{place}.format has a time zone in it, which columns of dates and times have not")
    values = told.get("values") or {}
    if not isinstance(values, Mapping) or (values and column.type != "string"):
        raise SettingError(f"{place}.values takes a mapping from values of text to ours; got {values!r}")
    if told.get("format") and column.type not in ("date32", "timestamp[us]"):
        raise SettingError(f"{place}.format is for dates and times; {column.name} holds {column.type}")
    return ColumnOrigin(
        column=str(told.get("from", column.name)),
        format=told.get("format"),
        remove=str(told.get("remove") or ""),
        values={str(old): None if new is None else str(new) for old, new in values.items()},
    )


def _check_once(origins: Mapping[str, ColumnOrigin], setting: str) -> None:
    """Check that no column of the file feeds two columns of the schema."""
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
class RetypedColumn:
    """A column whose values have another type: that type, and one value with its place."""

    type: str
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class LayoutDifference:
    """How a file's columns differ from a layout: names with types, and values that a column must not hold."""

    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, RetypedColumn] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped or self.values)


def layout_difference(layout: Layout, header: Mapping[str, str]) -> LayoutDifference:
    """The difference in names. `header` maps the file's columns to their types."""
    taken = layout.taken
    return LayoutDifference(
        added={name: kind for name, kind in header.items() if name not in taken and name not in layout.left_out},
        removed={name: column.type for name, column in taken.items() if name not in header},
    )


def refusal(file: str, layout: Layout, found: LayoutDifference) -> BadDataError:
    """The difference as a diff, with the settings that would resolve it.

    >>> rents = Schema(columns=(Column("id", "int64"), Column("rent", "double")))
    >>> layout = read_layout(rents)
    >>> print(refusal("rents.csv", layout, layout_difference(layout, {"listing_id": "int64", "rent": "double"})))
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
    return BadDataError(
        "\n".join([f"{file} has other columns than expected:", *lines, _setting_advice(layout, found)])
    )


def _setting_advice(layout: Layout, found: LayoutDifference) -> str:
    said = {str(name): _setting_as_typed(value) for name, value in layout.told.items()}
    spare = list(found.added)
    for name in found.removed:
        ours = layout.taken[name].name
        meant = ours if ours in spare else _probable_new_name(name, found.removed[name], spare, found.added)
        if meant:
            spare.remove(meant)
        said[ours] = meant or ("null" if layout.taken[name].nullable else "?")
    said |= dict.fromkeys(spare, "null")
    for name, now in found.retyped.items():
        column = layout.taken[name]
        if now.type == "string" and layout.origins[column.name].plain:
            option = "format: '%m/%d/%Y'" if column.type in ("date32", "timestamp[us]") else "remove: '$,'"
            said[column.name] = _column_setting(column, name, option)
    for name, values in found.values.items():
        option = f"values: {{{values.partition(', ')[0]}: null}}"
        said[layout.taken[name].name] = _column_setting(layout.taken[name], name, option)
    if said == {str(name): _setting_as_typed(value) for name, value in layout.told.items()}:
        return "Nothing of it is stored."
    shown = ", ".join(f"{name}: {value}" for name, value in said.items())
    # a mapping that a file fills takes other names with a plus alone
    setting = f"+{layout.setting}" if layout.told else layout.setting
    return f'Nothing of it is stored. If that is meant, say what is what: "{setting}={{{shown}}}"'


def _setting_as_typed(value: Any) -> str:
    """A value of the setting as a person types it on a command line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_setting_as_typed(each)}' for name, each in value.items())}}}"
    text = "null" if value is None else str(value)
    return text if text.replace("_", "").isalnum() else f"'{text}'"


def _column_setting(column: Column, name: str, option: str) -> str:
    return f"{{{'' if name == column.name else f'from: {name}, '}{option}}}"


def _probable_new_name(name: str, kind: str, added: Sequence[str], types: Mapping[str, str]) -> str | None:
    """The added column that a removed one probably became: one of the same type whose name holds or resembles the
    old name.
    """
    holding = [other for other in added if name in other.split("_") or other.endswith(f"_{name}")]
    holding += [other for other in added if other in name and len(other) > 3]
    close = get_close_matches(name, added, n=1, cutoff=0.75)
    like = {kind, "null", *({"int64", "double"} if kind == "double" else ())}
    found = [other for other in dict.fromkeys([*holding, *close]) if types[other] in like]
    return found[0] if found else None


def reshape_column(values: pa.ChunkedArray, column: Column, origin: ColumnOrigin) -> pa.ChunkedArray:
    """Convert a column's values from the file's form to the schema's form and type.

    Raises pyarrow.ArrowInvalid for a value that can't be converted.
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
    wanted = pa.type_for_alias(column.type)
    if origin.format and pa.types.is_string(values.type):
        return _parse_times(values, origin.format).cast(wanted)
    if origin.remove and pa.types.is_integer(wanted):
        # 55.00 is a whole number; 55.50 is not, and is refused
        values = pc.replace_substring_regex(values, r"\.0*$", "")
    return _cast_without_loss(values, wanted)


def _parse_times(values: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    """Parse texts as times. Days that no calendar has, and years that no file would mean, are refused."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.strptime(values, format=format, unit="us")
    zeros = r"\b0+(\d)"  # 07/08/2019 may be written 7/8/2019
    again = pc.replace_substring_regex(pc.strftime(found, format=format), zeros, r"\1")
    same = pc.equal(again, pc.replace_substring_regex(values, zeros, r"\1"))
    likely = pc.and_(same, pc.greater_equal(pc.year(found), 1000))
    if not pc.all(likely, min_count=0).as_py():
        raise pa.ArrowInvalid(f"there is no such time of the form {format}")
    return found


def _cast_without_loss(values: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Cast values to a type of the same kind without loss; parse text."""
    import pyarrow as pa

    if values.type == wanted:
        return values
    kinds = _arrow_kind(values.type), _arrow_kind(wanted)
    if kinds[0] not in (kinds[1], "text", "nothing") and set(kinds) != {"date", "timestamp"}:
        raise pa.ArrowInvalid(f"{values.type} is no {wanted}")
    found = values.cast(wanted)
    if kinds == ("timestamp", "date") and not found.cast(values.type).equals(values):
        raise pa.ArrowInvalid("there are times of day")
    return found


def _arrow_kind(type: pa.DataType) -> str:
    import pyarrow as pa

    tests = {
        "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "date": (pa.types.is_date,),
        "timestamp": (pa.types.is_timestamp,),
        "nothing": (pa.types.is_null,),
    }
    return next((kind for kind, any_of in tests.items() if any(test(type) for test in any_of)), str(type))
