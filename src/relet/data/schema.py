"""The columns that a file from outside must have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType = Literal["int64", "double", "string", "bool", "date32", "timestamp[us]"]
CALLED: dict[str, str] = {
    "int64": "a whole number",
    "double": "a number",
    "string": "text",
    "bool": "true or false",
    "date32": "a date like 2019-07-08",
    "timestamp[us]": "a time like 2019-07-08 12:30:00",
}


@dataclass(frozen=True)
class Column:
    """One expected column: its name, its Arrow type, whether values may be missing, and the allowed values.

    `values` are all values that a column of text may hold; empty means any. A file that has no such column can be
    read all the same, unless it is `needed` or must have a value in each row. `elsewhere` is the setting, with its
    value, by which files are read in which the column has wholly other values: `("city", "elsewhere")`.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    values: tuple[str, ...] = ()
    needed: bool = False
    elsewhere: tuple[str, str] | None = None

    @property
    def can_be_left_out(self) -> bool:
        return self.nullable and not self.needed


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The expected columns, in order, and which of them must not hold a value twice."""

    columns: tuple[Column, ...]
    unique: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in self.unique:
            if name not in self.names:
                raise BadDataError(
                    f"unique names a column {name!r} that the schema has not; {nearest(name, self.names)}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        return next(each for each in self.columns if each.name == name)

    def arrow(self) -> pa.Schema:
        """The schema as Arrow's."""
        import pyarrow as pa

        return pa.schema([(column.name, pa.type_for_alias(column.type)) for column in self.columns])
