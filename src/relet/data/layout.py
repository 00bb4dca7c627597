"""The setting that says where a file has the columns of a schema, and in which form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relet.data.notations import PLAIN, NumberNotation
from relet.data.schema import Column, Schema
from relet.errors import SettingError, nearest

# The name that stands for every column of a file which is none of the schema's.
OTHERS = "*"
# What the form of a column consists of, beside `from`.
FORMS = ("format", "remove", "number", "missing", "values")
NUMBERS = ("int64", "double")
TIMES = ("date32", "timestamp[us]")


@dataclass(frozen=True, kw_only=True)
class ColumnOrigin:
    """Where a column's values come from: a column of the file (None: the file has none, all values are missing),
    and their form.

    `format` is the format of dates and times, as for `strptime`; what is finer than the column's type is left
    out. `remove` are letters that are not part of a number (`$,` in `$1,200`), and `number` is its notation (None:
    that of Python). `missing` are words for a missing value. `values` maps the file's values to the schema's
    (None: missing).
    """

    column: str | None
    format: str | None = None
    remove: str = ""
    number: NumberNotation | None = None
    missing: tuple[str, ...] = ()
    values: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether at most the column's name differs from the schema."""
        return not (self.format or self.remove or self.number or self.missing or self.values)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which columns of a file are the schema's, and which are left out.

    `told` is what the setting, which is called `setting`, says of them. `number` and `missing` are those of the
    whole file.
    """

    schema: Schema
    origins: Mapping[str, ColumnOrigin]
    left_out: frozenset[str] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict)
    setting: str = "columns"
    number: NumberNotation = PLAIN
    missing: tuple[str, ...] = ()

    def with_told(self, told: Mapping[str, Any]) -> Layout:
        """The same with another setting. Raises SettingError where it can't be read."""
        return read_layout(self.schema, told, setting=self.setting, number=self.number, missing=self.missing)

    @property
    def taken(self) -> dict[str, Column]:
        """The file's column → the schema's, for all that are read."""
        return {
            origin.column: column
            for column in self.schema.columns
            if (origin := self.origins[column.name]).column is not None
        }

    def leaves_out(self, name: str) -> bool:
        """Whether a column of the file, which is none of ours, was said to be left out."""
        return name in self.left_out or OTHERS in self.told


def read_layout(
    schema: Schema,
    columns: Mapping[str, Any] | None = None,
    *,
    setting: str = "columns",
    number: NumberNotation = PLAIN,
    missing: tuple[str, ...] = (),
) -> Layout:
    """Read the setting that describes a file's columns: `{id: listing_id, name: null, license: null}`.

    A key is a column of the schema. Its value says where the column comes from: the name that the file gives it,
    null where the file has none, or a mapping with `from` and any of

    - `format`: that of dates, as for strptime;
    - `number`: how numbers are written, `{decimal: ',', thousands: '.'}`;
    - `remove`: letters to drop from numbers. Signs between digits are dropped only where they stand between groups
      of three, as in 1,200;
    - `missing`: words that mean a missing value;
    - `values`: the file's values → the schema's, null for missing; a mapping, or a list of pairs.

    Any other key is a column of the file; null leaves it out, and `'*': null` leaves out all columns that are none
    of the schema's. Columns that are not named have the schema's name and form. `number` and `missing` are those
    of the whole file. Raises SettingError for anything else, and where a column that must have values has no
    origin.

    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")))
    >>> told = {"id": "listing_id", "rent": {"from": "price", "remove": "$,"}, "license": None}
    >>> layout = read_layout(rents, told)
    >>> layout.origins["id"].column, sorted(layout.left_out)
    ('listing_id', ['license'])
    """
    of_file = {column.name: _form_of_file(column, number, missing) for column in schema.columns}
    origins = {name: ColumnOrigin(column=name, **form) for name, form in of_file.items()}
    left_out: set[str] = set()
    for name, told in (columns or {}).items():
        place = f"{setting}.{name}"
        if name not in origins:
            if told is not None:
                raise SettingError(
                    f"{place} is no column of ours ({nearest(str(name), schema.names)}): write ours first, the "
                    f"file's after it; {place}=null leaves the file's column out"
                )
            left_out |= _written_names(name)
            continue
        column = next(each for each in schema.columns if each.name == name)
        origins[name] = _read_origin(column, told, place, of_file[name])
        if told is None:
            left_out.add(name)
    _check_once(origins, setting)
    return Layout(
        schema=schema,
        origins=origins,
        left_out=frozenset(left_out),
        told=dict(columns or {}),
        setting=setting,
        number=number,
        missing=missing,
    )


def _written_names(name: Any) -> set[str]:
    """What a file may call a column whose name YAML and Hydra read as a value: true, null, 7."""
    if name is None:
        return {"null", "Null", "NULL"}
    return {str(name), str(name).lower(), str(name).upper()} if isinstance(name, bool) else {str(name)}


def _form_of_file(column: Column, number: NumberNotation, missing: tuple[str, ...]) -> dict[str, Any]:
    """What is said of the whole file, as far as it concerns a column."""
    form: dict[str, Any] = {"missing": missing} if missing else {}
    if number != PLAIN and column.type in NUMBERS:
        form["number"] = number
    return form


def _read_origin(column: Column, told: Any, place: str, of_file: Mapping[str, Any]) -> ColumnOrigin:
    if told is None:
        if not column.nullable:
            raise SettingError(
                f"{place} can't be null: each row needs its own {column.name}; name the file's column"
            )
        return ColumnOrigin(column=None)
    if isinstance(told, str):
        return ColumnOrigin(column=told, **of_file)
    if not isinstance(told, Mapping):
        raise SettingError(f"{place} takes the file's name of the column, null, or a mapping; got {told!r}")
    for key in told:
        if key not in ("from", *FORMS):
            raise SettingError(f"{place} has no {key!r}: {nearest(str(key), ('from', *FORMS))}")
    for key in ("from", "format", "remove"):
        if not isinstance(told.get(key, ""), str):
            raise SettingError(f"{place}.{key} takes text, got {told[key]!r}")
    _check_type(column, told, place)
    said = {
        "format": told.get("format"),
        "remove": told.get("remove"),
        "number": _read_number(told["number"], f"{place}.number") if "number" in told else None,
        "missing": _read_missing(told.get("missing"), place),
        "values": _read_values(told.get("values"), place),
    }
    form = {**of_file, **{name: value for name, value in said.items() if value}}
    return ColumnOrigin(column=str(told.get("from", column.name)), **form)


def _check_type(column: Column, told: Mapping[str, Any], place: str) -> None:
    """Raise SettingError for a form that a column of this type can't have."""
    for key, what, types in (
        ("remove", "numbers", NUMBERS),
        ("number", "numbers", NUMBERS),
        ("format", "dates and times", TIMES),
        ("values", "text", ("string",)),
    ):
        if told.get(key) and column.type not in types:
            raise SettingError(f"{place}.{key} is for {what}; {column.name} holds {column.type}")
    if re.search("%[zZ]", told.get("format") or ""):
        raise SettingError(f"{place}.format has a time zone in it, which columns of dates and times have not")


def _read_number(told: Any, place: str) -> NumberNotation:
    known = ("decimal", "thousands")
    if not isinstance(told, Mapping):
        raise SettingError(f"{place} takes a mapping such as {{decimal: ',', thousands: '.'}}; got {told!r}")
    for key, sign in told.items():
        if key not in known:
            raise SettingError(f"{place} has no {key!r}: {nearest(str(key), known)}")
        if not isinstance(sign, str):
            raise SettingError(f"{place}.{key} takes a sign in quotes, got {sign!r}")
    try:
        return NumberNotation(**told)
    except SettingError as error:
        raise SettingError(f"{place}: {error}") from None


def _read_missing(told: Any, place: str) -> tuple[str, ...]:
    words = [told] if isinstance(told, str) else told or []
    if isinstance(words, Mapping) or not all(isinstance(word, str) for word in words):
        raise SettingError(f"{place}.missing takes words for a missing value, [NULL, '-']; got {told!r}")
    return tuple(words)


def _read_values(told: Any, place: str) -> dict[str, str | None]:
    if told is None:
        return {}
    pairs = list(told.items()) if isinstance(told, Mapping) else told
    if not isinstance(pairs, list | tuple) or not all(_is_pair(each) for each in pairs):
        raise SettingError(
            f"{place}.values takes a mapping from values of text to ours, or a list of pairs of them; got {told!r}"
        )
    return {str(old): None if new is None else str(new) for old, new in pairs}


def _is_pair(each: Any) -> bool:
    return isinstance(each, list | tuple) and len(each) == 2 and each[0] is not None


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
